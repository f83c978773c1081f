//! Filters that remember what they have already reported.

use std::collections::BTreeMap;

use alloy::primitives::B256;
use alloy::rpc::types::{Filter, Log, Transaction};

use super::error::ChainError;
use super::{Chain, waiting_transaction};

/// More are refused: a caller that forgets to uninstall them must notice.
const MOST_FILTERS: usize = 10_000;

#[derive(Clone, Debug)]
pub(crate) enum FilterKind {
    Logs(Box<Filter>),
    Blocks,
    Transactions { full: bool },
}

#[derive(Clone, Debug)]
struct Installed {
    kind: FilterKind,
    /// The next block, or the next arrival, to report.
    next: u64,
}

pub(crate) enum FilterNews {
    Logs(Vec<Log>),
    Hashes(Vec<B256>),
    Transactions(Vec<Transaction>),
}

#[derive(Default)]
pub(crate) struct Filters {
    installed: BTreeMap<u64, Installed>,
    last_id: u64,
    arrivals: Vec<B256>,
}

impl Filters {
    pub(super) fn transaction_arrived(&mut self, hash: B256) {
        self.arrivals.push(hash);
    }

    /// After going back to `head`, the blocks that are mined next are news again.
    pub(super) fn rewind(&mut self, head: u64) {
        for filter in self.installed.values_mut() {
            if !matches!(filter.kind, FilterKind::Transactions { .. }) {
                filter.next = filter.next.min(head + 1);
            }
        }
    }

    pub(crate) fn uninstall(&mut self, id: u64) -> bool {
        self.installed.remove(&id).is_some()
    }

    fn get(&mut self, id: u64) -> Result<&mut Installed, ChainError> {
        self.installed.get_mut(&id).ok_or_else(|| ChainError::Unavailable("filter not found".into()))
    }
}

impl Chain {
    /// The new filter reports what happens from now on.
    pub(crate) fn install_filter(&mut self, kind: FilterKind) -> Result<u64, ChainError> {
        if self.filters.installed.len() >= MOST_FILTERS {
            return Err(ChainError::Rejected(format!("more than {MOST_FILTERS} filters are installed")));
        }
        let next = match kind {
            FilterKind::Transactions { .. } => self.filters.arrivals.len() as u64,
            _ => self.head().number() + 1,
        };
        self.filters.last_id += 1;
        let id = self.filters.last_id;
        self.filters.installed.insert(id, Installed { kind, next });
        Ok(id)
    }

    pub(crate) fn filter_changes(&mut self, id: u64) -> Result<FilterNews, ChainError> {
        let head = self.head().number();
        let arrived = self.filters.arrivals.len();
        let filter = self.filters.get(id)?;
        let from = filter.next;
        let kind = filter.kind.clone();
        filter.next = match kind {
            FilterKind::Transactions { .. } => arrived as u64,
            _ => head + 1,
        };
        Ok(match kind {
            FilterKind::Logs(filter) => {
                let range = self.watched_range(&filter, from, head);
                FilterNews::Logs(range.map(|range| self.logs_within(&filter, range)).unwrap_or_default())
            }
            FilterKind::Blocks => {
                FilterNews::Hashes((from..=head).filter_map(|number| Some(self.block(number)?.hash())).collect())
            }
            FilterKind::Transactions { full } => {
                let hashes = &self.filters.arrivals[from as usize..];
                if full {
                    FilterNews::Transactions(hashes.iter().filter_map(|hash| self.transaction(*hash)).collect())
                } else {
                    FilterNews::Hashes(hashes.to_vec())
                }
            }
        })
    }

    /// All that a log filter matches, reported before or not.
    pub(crate) fn filter_logs(&mut self, id: u64) -> Result<Vec<Log>, ChainError> {
        match self.filters.get(id)?.kind.clone() {
            FilterKind::Logs(filter) => self.logs(&filter),
            _ => Err(ChainError::Unavailable("not a log filter".into())),
        }
    }

    /// Mined or waiting.
    pub(crate) fn transaction(&self, hash: B256) -> Option<Transaction> {
        match self.mined(hash) {
            Some((block, index)) => block.transaction(index),
            None => self.pool().get(hash).map(|waiting| waiting_transaction(waiting)),
        }
    }

    /// The new blocks from `from` to `head` that a log filter's own range leaves.
    fn watched_range(&self, filter: &Filter, from: u64, head: u64) -> Option<std::ops::RangeInclusive<u64>> {
        let first = filter.get_from_block().unwrap_or(0).max(from);
        let last = filter.get_to_block().unwrap_or(head).min(head);
        let one_block = filter.get_block_hash().is_some();
        (first <= last && !one_block).then_some(first..=last)
    }
}
