//! Why the chain refuses a request.

use alloy::primitives::{Bytes, U256};
use alloy::sol_types::decode_revert_reason;
use revm::context::result::InvalidTransaction;

#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum ChainError {
    #[error("{0}")]
    InvalidParameter(String),
    #[error("{0}")]
    Unavailable(String),
    #[error("{0}")]
    Rejected(String),
    #[error("execution reverted{}", reason(.0))]
    Reverted(Bytes),
    #[error("execution failed: {0}")]
    Halted(String),
    #[error("gas required exceeds allowance ({0})")]
    AllowanceTooLow(u64),
}

fn reason(data: &Bytes) -> String {
    decode_revert_reason(data).map(|reason| format!(": {reason}")).unwrap_or_default()
}

impl ChainError {
    pub(crate) fn insufficient_funds(balance: U256, needed: U256) -> Self {
        Self::Rejected(format!("insufficient funds for gas * price + value: balance {balance}, needed {needed}"))
    }
}

/// The wording of common nodes, which wallets and tests look for.
impl From<InvalidTransaction> for ChainError {
    fn from(invalid: InvalidTransaction) -> Self {
        use InvalidTransaction as Invalid;
        match invalid {
            Invalid::LackOfFundForMaxFee { fee, balance } => Self::insufficient_funds(*balance, *fee),
            Invalid::NonceTooLow { tx, state } => {
                Self::Rejected(format!("nonce too low: next nonce {state}, tx nonce {tx}"))
            }
            Invalid::NonceTooHigh { tx, state } => {
                Self::Rejected(format!("nonce too high: next nonce {state}, tx nonce {tx}"))
            }
            Invalid::TxGasLimitGreaterThanCap { gas_limit, cap } => {
                Self::Rejected(format!("transaction gas limit too high (cap: {cap}, tx: {gas_limit})"))
            }
            Invalid::CallerGasLimitMoreThanBlock => Self::Rejected("exceeds block gas limit".into()),
            Invalid::CallGasCostMoreThanGasLimit { initial_gas, gas_limit } => {
                Self::Rejected(format!("intrinsic gas too low: gas {gas_limit}, minimum needed {initial_gas}"))
            }
            Invalid::GasFloorMoreThanGasLimit { gas_floor, gas_limit } => Self::Rejected(format!(
                "insufficient gas for floor data gas cost: gas {gas_limit}, minimum needed {gas_floor}"
            )),
            Invalid::GasPriceLessThanBasefee => Self::Rejected("max fee per gas less than block base fee".into()),
            other => Self::Rejected(other.to_string()),
        }
    }
}
