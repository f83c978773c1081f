//! Blocks and fees.

use alloy::eips::{BlockId, BlockNumberOrTag};
use alloy::primitives::U64;

use super::error::RpcError;
use super::params::Params;
use super::{Answer, answer};
use crate::chain::{At, Chain};

pub(super) fn by_number(chain: &Chain, params: &Params) -> Answer {
    let tag: BlockNumberOrTag = params.required(0, "block")?;
    let full = params.optional(1, "full transactions")?.unwrap_or(false);
    if tag.is_pending() {
        return answer(chain.pending_block().to_rpc(full));
    }
    answer(chain.block(chain.number_of(tag)).map(|block| block.to_rpc(full)))
}

pub(super) fn by_hash(chain: &Chain, params: &Params) -> Answer {
    let hash = params.required(0, "block hash")?;
    let full = params.optional(1, "full transactions")?.unwrap_or(false);
    answer(chain.block_by_hash(hash).map(|block| block.to_rpc(full)))
}

pub(super) fn receipts(chain: &Chain, params: &Params) -> Answer {
    let id: BlockId = params.required(0, "block")?;
    match chain.resolve(id) {
        Ok(At::Block(number)) => answer(chain.block(number).map(|block| &block.receipts)),
        Ok(At::Pending) => answer(chain.pending_block().receipts),
        Err(_) => answer(()),
    }
}

pub(super) fn fee_history(chain: &Chain, params: &Params) -> Answer {
    let count: U64 = params.required(0, "block count")?;
    let newest = chain.number_of(params.required(1, "newest block")?);
    let percentiles: Option<Vec<f64>> = params.optional(2, "reward percentiles")?;
    if newest > chain.head().number() {
        return Err(RpcError::invalid_params(format!("block {newest} is beyond the head")));
    }
    answer(chain.fee_history(count.to(), newest, percentiles.as_deref())?)
}
