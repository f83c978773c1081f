//! Finding events.

use std::ops::RangeInclusive;

use alloy::rpc::types::{Filter, FilterBlockOption, Log};

use super::Chain;
use super::error::ChainError;

impl Chain {
    pub(crate) fn logs(&self, filter: &Filter) -> Result<Vec<Log>, ChainError> {
        Ok(self.logs_within(filter, self.filter_range(filter)?))
    }

    /// The blocks a filter is about; both ends default to the head.
    fn filter_range(&self, filter: &Filter) -> Result<RangeInclusive<u64>, ChainError> {
        match filter.block_option {
            FilterBlockOption::AtBlockHash(hash) => {
                let block = self.block_by_hash(hash);
                let number = block.ok_or_else(|| ChainError::Unavailable(format!("unknown block {hash}")))?.number();
                Ok(number..=number)
            }
            FilterBlockOption::Range { from_block, to_block } => {
                let from = self.number_of(from_block.unwrap_or_default());
                let to = self.number_of(to_block.unwrap_or_default());
                if from > to && to_block.is_some() {
                    return Err(ChainError::InvalidParameter(format!("invalid block range {from} to {to}")));
                }
                Ok(from..=to.min(self.head().number()))
            }
        }
    }

    pub(super) fn logs_within(&self, filter: &Filter, blocks: RangeInclusive<u64>) -> Vec<Log> {
        blocks
            .filter_map(|number| self.block(number))
            .filter(|block| filter.matches_bloom(block.header.logs_bloom))
            .flat_map(|block| block.logs())
            .filter(|log| filter.matches_address(log.address()) && filter.matches_topics(log.topics()))
            .cloned()
            .collect()
    }
}
