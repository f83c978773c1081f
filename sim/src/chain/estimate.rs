//! The least gas with which a transaction succeeds.

use std::convert::Infallible;

use alloy::primitives::U256;
use alloy::rpc::types::TransactionRequest;
use revm::Database;
use revm::context::TxEnv;
use revm::context::result::{ExecutionResult, HaltReason};

use super::Chain;
use super::calls::{halted, run};
use super::error::ChainError;
use super::evm::{EvmOn, evm_on, most_gas};
use super::pool::check_funds;
use super::views::At;

/// What a call that carries value is given on top, and must have been available.
const CALL_STIPEND: u64 = 2_300;
/// The search stops when it is this close, in thousandths of the answer.
const TOLERANCE_PER_MILLE: u64 = 15;

impl Chain {
    /// The answer was executed and succeeded. It is at most 1.5 % more than the least gas that does: what was
    /// used is not enough, because a call keeps back a 64th of the gas and refunds come only at the end.
    pub(crate) fn estimate(&self, request: TransactionRequest, at: At) -> Result<u64, ChainError> {
        let mut view = self.view(at);
        let most = request.gas.unwrap_or(u64::MAX).min(most_gas(&self.config));
        let mut tx = self.request_env(request, most)?;
        let Ok(sender) = view.basic(tx.caller);
        tx.gas_limit = most.min(affordable(sender.unwrap_or_default().balance, &tx)?);
        let mut evm = evm_on(view, self.call_rules(&tx), self.env_at(at));
        search(&mut evm, &tx)
    }
}

/// The gas the sender can pay for at the price it names.
fn affordable(balance: U256, tx: &TxEnv) -> Result<u64, ChainError> {
    check_funds(balance, tx.value)?;
    if tx.gas_price == 0 {
        return Ok(u64::MAX);
    }
    Ok(((balance - tx.value) / U256::from(tx.gas_price)).saturating_to())
}

fn search<DB: Database<Error = Infallible>>(evm: &mut EvmOn<DB>, tx: &TxEnv) -> Result<u64, ChainError> {
    let mut enough = tx.gas_limit;
    let (used, before_refund) = match run(evm, tx.clone())? {
        ExecutionResult::Success { gas, .. } => (gas.tx_gas_used(), gas.total_gas_spent()),
        ExecutionResult::Revert { output, .. } => return Err(ChainError::Reverted(output)),
        ExecutionResult::Halt { reason: HaltReason::OutOfGas(_), .. } => {
            return Err(ChainError::AllowanceTooLow(enough));
        }
        ExecutionResult::Halt { reason, .. } => return Err(halted(&reason)),
    };
    let mut too_little = used.saturating_sub(1);
    let likely = (before_refund.max(used) + CALL_STIPEND).saturating_mul(64) / 63;
    let mut next = if used == before_refund && tx.data.is_empty() { used } else { likely };
    while too_little + 1 < enough && (enough - too_little) > enough * TOLERANCE_PER_MILLE / 1_000 {
        next = next.clamp(too_little + 1, enough - 1);
        let attempt = TxEnv { gas_limit: next, ..tx.clone() };
        match run(evm, attempt) {
            Ok(result) if result.is_success() => enough = next,
            _ => too_little = next,
        }
        next = too_little + (enough - too_little) / 2;
    }
    Ok(enough)
}
