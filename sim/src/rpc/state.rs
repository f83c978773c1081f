//! Accounts, calls and estimates.

use alloy::eips::BlockId;
use alloy::primitives::U64;

use super::error::RpcError;
use super::params::Params;
use super::{Answer, answer};
use crate::chain::{At, Chain};

pub(super) fn balance(chain: &Chain, params: &Params) -> Answer {
    let address = params.required(0, "address")?;
    answer(chain.balance(address, moment(chain, params, 1)?))
}

pub(super) fn code(chain: &Chain, params: &Params) -> Answer {
    let address = params.required(0, "address")?;
    answer(chain.code(address, moment(chain, params, 1)?))
}

pub(super) fn storage(chain: &Chain, params: &Params) -> Answer {
    let address = params.required(0, "address")?;
    let slot = params.big_quantity(1, "slot")?;
    answer(chain.storage(address, slot, moment(chain, params, 2)?))
}

pub(super) fn transaction_count(chain: &Chain, params: &Params) -> Answer {
    let address = params.required(0, "address")?;
    answer(U64::from(chain.nonce(address, moment(chain, params, 1)?)))
}

pub(super) fn call(chain: &Chain, params: &Params) -> Answer {
    let request = params.required(0, "transaction")?;
    refuse_overrides(params)?;
    answer(chain.call(request, moment(chain, params, 1)?)?)
}

/// Without a block, the transaction is tried in the one it would be mined in.
pub(super) fn estimate_gas(chain: &Chain, params: &Params) -> Answer {
    let request = params.required(0, "transaction")?;
    refuse_overrides(params)?;
    let at = chain.resolve(params.block(1)?.unwrap_or(BlockId::pending()))?;
    answer(U64::from(chain.estimate(request, at)?))
}

fn moment(chain: &Chain, params: &Params, index: usize) -> Result<At, RpcError> {
    Ok(chain.resolve(params.block(index)?.unwrap_or(BlockId::latest()))?)
}

fn refuse_overrides(params: &Params) -> Result<(), RpcError> {
    params.refuse(2, "state overrides")?;
    params.refuse(3, "block overrides")
}
