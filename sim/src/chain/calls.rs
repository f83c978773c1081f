//! Calls that change nothing.

use std::convert::Infallible;

use alloy::primitives::{Bytes, TxKind};
use alloy::rpc::types::TransactionRequest;
use revm::context::either::Either;
use revm::context::result::{EVMError, ExecutionResult, HaltReason, InvalidTransaction};
use revm::context::{CfgEnv, TransactionType, TxEnv};
use revm::{Database, ExecuteEvm};

use super::Chain;
use super::error::ChainError;
use super::evm::{EvmOn, evm_on};
use super::pool::check_funds;
use super::views::At;

impl Chain {
    pub(crate) fn call(&self, request: TransactionRequest, at: At) -> Result<Bytes, ChainError> {
        let mut view = self.view(at);
        let gas = request.gas.unwrap_or(self.config.block_gas_limit).min(self.config.block_gas_limit);
        let tx = self.request_env(request, gas)?;
        let Ok(sender) = view.basic(tx.caller);
        check_funds(sender.unwrap_or_default().balance, tx.value)?;
        let mut evm = evm_on(view, self.call_rules(&tx), self.env_at(at));
        match run(&mut evm, tx)? {
            ExecutionResult::Success { output, .. } => Ok(output.into_data()),
            ExecutionResult::Revert { output, .. } => Err(ChainError::Reverted(output)),
            ExecutionResult::Halt { reason, .. } => Err(halted(&reason)),
        }
    }

    /// A call is nobody's transaction: any nonce, any sender, more gas than a transaction may have, and no
    /// base fee if it names no price.
    pub(super) fn call_rules(&self, tx: &TxEnv) -> CfgEnv {
        let mut rules = self.rules();
        rules.disable_nonce_check = true;
        rules.disable_eip3607 = true;
        rules.disable_base_fee = tx.gas_price == 0;
        rules.tx_gas_limit_cap = Some(u64::MAX);
        rules
    }

    pub(super) fn request_env(&self, request: TransactionRequest, gas_limit: u64) -> Result<TxEnv, ChainError> {
        let invalid = |message: &str| Err(ChainError::InvalidParameter(message.into()));
        if request.blob_versioned_hashes.is_some() || request.max_fee_per_blob_gas.is_some() {
            return invalid("blob transactions are not supported");
        }
        let dynamic = request.max_fee_per_gas.is_some() || request.max_priority_fee_per_gas.is_some();
        if dynamic && request.gas_price.is_some() {
            return invalid("both gasPrice and maxFeePerGas or maxPriorityFeePerGas are given");
        }
        if request.chain_id.is_some_and(|id| id != self.config.chain_id) {
            return invalid("the request is for another chain id");
        }
        let Ok(data) = request.input.try_into_unique_input() else {
            return invalid("both input and data are given, and they differ");
        };
        let authorizations = request.authorization_list.unwrap_or_default();
        let tip = request.max_priority_fee_per_gas.unwrap_or_default();
        let price = request.gas_price.or(request.max_fee_per_gas);
        let tx_type = match (dynamic, authorizations.is_empty(), &request.access_list) {
            (_, false, _) => TransactionType::Eip7702,
            (true, ..) => TransactionType::Eip1559,
            (_, _, Some(_)) => TransactionType::Eip2930,
            _ => TransactionType::Legacy,
        };
        Ok(TxEnv {
            tx_type: tx_type.into(),
            caller: request.from.unwrap_or_default(),
            gas_limit,
            gas_price: price.unwrap_or(tip),
            kind: request.to.unwrap_or(TxKind::Create),
            value: request.value.unwrap_or_default(),
            data: data.unwrap_or_default(),
            nonce: request.nonce.unwrap_or_default(),
            chain_id: Some(self.config.chain_id),
            access_list: request.access_list.unwrap_or_default(),
            gas_priority_fee: (dynamic || !authorizations.is_empty()).then_some(tip),
            blob_hashes: Vec::new(),
            max_fee_per_blob_gas: 0,
            authorization_list: authorizations.into_iter().map(Either::Left).collect(),
        })
    }
}

/// Runs one transaction and forgets what it changed.
pub(super) fn run<DB: Database<Error = Infallible>>(
    evm: &mut EvmOn<DB>,
    tx: TxEnv,
) -> Result<ExecutionResult, ChainError> {
    let outcome = evm.transact_one(tx);
    evm.finalize();
    outcome.map_err(|error: EVMError<Infallible, InvalidTransaction>| match error {
        EVMError::Transaction(invalid) => invalid.into(),
        other => ChainError::Rejected(other.to_string()),
    })
}

pub(super) fn halted(reason: &HaltReason) -> ChainError {
    ChainError::Halted(reason.to_string())
}
