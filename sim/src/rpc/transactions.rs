//! Sending transactions and asking what became of them.

use alloy::primitives::Bytes;

use super::params::Params;
use super::{Answer, answer};
use crate::chain::Chain;

pub(super) fn send_raw(chain: &mut Chain, params: &Params) -> Answer {
    let raw: Bytes = params.required(0, "signed transaction")?;
    answer(chain.submit(&raw)?)
}

pub(super) fn by_hash(chain: &Chain, params: &Params) -> Answer {
    answer(chain.transaction(params.required(0, "transaction hash")?))
}

pub(super) fn receipt(chain: &Chain, params: &Params) -> Answer {
    let mined = chain.mined(params.required(0, "transaction hash")?);
    answer(mined.map(|(block, index)| &block.receipts[index]))
}
