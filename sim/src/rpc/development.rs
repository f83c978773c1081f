//! What only a development chain can do, under anvil's names.

use alloy::primitives::U256;

use super::error::RpcError;
use super::params::Params;
use super::{Answer, answer};
use crate::chain::Chain;

pub(super) fn dispatch(chain: &mut Chain, method: &str, params: &Params) -> Answer {
    match method {
        "evm_mine" => mine(chain, params),
        "anvil_mine" => mine_many(chain, params),
        "evm_setAutomine" => {
            chain.set_automine(params.required(0, "automine")?);
            answer(())
        }
        "anvil_getAutomine" => answer(chain.automine()),
        "evm_increaseTime" => answer(chain.skip_time(params.quantity(0, "seconds")?)?),
        "evm_setNextBlockTimestamp" => {
            chain.set_next_timestamp(params.quantity(0, "timestamp")?)?;
            answer(())
        }
        "anvil_setBlockTimestampInterval" => {
            chain.set_block_time(params.quantity(0, "seconds")?)?;
            answer(())
        }
        "evm_snapshot" => answer(U256::from(chain.snapshot())),
        "evm_revert" => revert(chain, params),
        "anvil_setBalance" => {
            chain.set_balance(params.required(0, "address")?, params.big_quantity(1, "wei")?);
            answer(())
        }
        "anvil_setNextBlockBaseFeePerGas" => {
            chain.force_base_fee(params.quantity(0, "wei per gas")?);
            answer(())
        }
        "anvil_dropTransaction" => {
            let hash = params.required(0, "transaction hash")?;
            answer(chain.drop_transaction(hash).then_some(hash))
        }
        _ => Err(RpcError::method_not_found(method)),
    }
}

fn mine(chain: &mut Chain, params: &Params) -> Answer {
    if let Some(timestamp) = params.optional_quantity(0, "timestamp")? {
        chain.set_next_timestamp(timestamp)?;
    }
    chain.mine(1)?;
    answer("0x0")
}

fn mine_many(chain: &mut Chain, params: &Params) -> Answer {
    params.refuse(1, "block intervals")?;
    chain.mine(params.optional_quantity(0, "blocks")?.unwrap_or(1))?;
    answer(())
}

/// An id that no snapshot has is `false`, however large.
fn revert(chain: &mut Chain, params: &Params) -> Answer {
    let id = params.big_quantity(0, "snapshot")?;
    let known = u64::try_from(id).is_ok_and(|id| chain.revert(id));
    answer(known)
}
