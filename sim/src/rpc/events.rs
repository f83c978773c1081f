//! Logs and filters.

use alloy::primitives::U64;

use super::error::RpcError;
use super::params::Params;
use super::{Answer, answer};
use crate::chain::{Chain, FilterKind, FilterNews};

pub(super) fn logs(chain: &Chain, params: &Params) -> Answer {
    answer(chain.logs(&params.required(0, "filter")?)?)
}

pub(super) fn new_log_filter(chain: &mut Chain, params: &Params) -> Answer {
    install(chain, FilterKind::Logs(Box::new(params.required(0, "filter")?)))
}

pub(super) fn new_block_filter(chain: &mut Chain) -> Answer {
    install(chain, FilterKind::Blocks)
}

pub(super) fn new_transaction_filter(chain: &mut Chain, params: &Params) -> Answer {
    let full = params.optional(0, "full transactions")?.unwrap_or(false);
    install(chain, FilterKind::Transactions { full })
}

pub(super) fn changes(chain: &mut Chain, params: &Params) -> Answer {
    match chain.filter_changes(id(params)?)? {
        FilterNews::Logs(logs) => answer(logs),
        FilterNews::Hashes(hashes) => answer(hashes),
        FilterNews::Transactions(transactions) => answer(transactions),
    }
}

pub(super) fn filter_logs(chain: &mut Chain, params: &Params) -> Answer {
    answer(chain.filter_logs(id(params)?)?)
}

pub(super) fn uninstall(chain: &mut Chain, params: &Params) -> Answer {
    answer(chain.filters.uninstall(id(params)?))
}

fn install(chain: &mut Chain, kind: FilterKind) -> Answer {
    answer(U64::from(chain.install_filter(kind)?))
}

fn id(params: &Params) -> Result<u64, RpcError> {
    params.quantity(0, "filter id")
}
