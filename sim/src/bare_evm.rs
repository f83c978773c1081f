//! Contract calls without a chain around them.

use alloy::primitives::{Address, Bytes, TxKind};
use alloy::sol_types::SolValue;
use rebut_contracts::abi::{Adjudicator, Elementary};
use revm::context::result::{EVMError, ExecutionResult, HaltReason};
use revm::context::{BlockEnv, CfgEnv, ContextTr, TxEnv};
use revm::context_interface::block::BlobExcessGasAndPrice;
use revm::database::{CacheDB, EmptyDB};
use revm::handler::MainnetContext;
use revm::primitives::eip4844::BLOB_BASE_FEE_UPDATE_FRACTION_PRAGUE;
use revm::primitives::hardfork::SpecId;
use revm::{Context, DatabaseCommit, ExecuteEvm, MainBuilder, MainContext, MainnetEvm};

/// More than any call in a block could have, and little enough that runaway memory stays below 50 MB.
const GAS: u64 = 1 << 32;

/// One EVM kept alive for millions of calls: differential tests and gas measurements of single contracts.
///
/// No blocks, fees, nonces, gas caps or code size limits. Gas is what a transaction would use with refunds but
/// without the calldata floor; it includes the 21,000 and the calldata.
pub struct BareEvm {
    evm: MainnetEvm<MainnetContext<CacheDB<EmptyDB>>>,
}

/// Why a bare call gave no output.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallFailure {
    /// The contract reverted with this data.
    #[error("reverted with {data}")]
    Revert {
        /// The ABI bytes of the error.
        data: Bytes,
    },
    /// Out of gas, an invalid instruction or another exceptional end.
    #[error("halted: {reason}")]
    Halt {
        /// What ended it.
        reason: HaltReason,
    },
    /// The call could not begin.
    #[error("refused: {reason}")]
    Refused {
        /// What was wrong.
        reason: String,
    },
}

impl BareEvm {
    /// Under Osaka's rules.
    pub fn new() -> Self {
        Self::with_spec(SpecId::OSAKA)
    }

    /// Under the rules of any hard fork.
    pub fn with_spec(spec: SpecId) -> Self {
        let mut cfg = CfgEnv::new().with_spec_and_mainnet_gas_params(spec);
        cfg.disable_nonce_check = true;
        cfg.tx_gas_limit_cap = Some(u64::MAX);
        cfg.limit_contract_code_size = Some(usize::MAX);
        cfg.limit_contract_initcode_size = Some(usize::MAX);
        let block = BlockEnv {
            gas_limit: u64::MAX,
            basefee: 0,
            prevrandao: Some(Default::default()),
            blob_excess_gas_and_price: Some(BlobExcessGasAndPrice::new(0, BLOB_BASE_FEE_UPDATE_FRACTION_PRAGUE)),
            ..BlockEnv::default()
        };
        let db = CacheDB::new(EmptyDB::default());
        Self { evm: Context::mainnet().with_db(db).with_cfg(cfg).with_block(block).build_mainnet() }
    }

    /// Runs creation code (with its constructor's arguments appended) and keeps the contract.
    pub fn deploy(&mut self, creation_code: impl Into<Bytes>) -> Result<Address, CallFailure> {
        let result = self.transact(TxKind::Create, creation_code.into(), true)?;
        let created = result.created_address();
        finish(result)?;
        created.ok_or_else(|| CallFailure::Refused { reason: "nothing was created".into() })
    }

    /// Deploys the adjudicator of the committed artifacts, behind the contract of the elementary functions that it calls.
    pub fn deploy_adjudicator(&mut self) -> Result<Address, CallFailure> {
        let elementary = self.deploy(Elementary::BYTECODE.clone())?;
        self.deploy([Adjudicator::BYTECODE.to_vec(), elementary.abi_encode()].concat())
    }

    /// Calls a contract and forgets what it changed. Returns its output and the gas used.
    pub fn call(&mut self, address: Address, calldata: impl Into<Bytes>) -> Result<(Bytes, u64), CallFailure> {
        finish(self.transact(TxKind::Call(address), calldata.into(), false)?)
    }

    /// Calls a contract and keeps what it changed.
    pub fn send(&mut self, address: Address, calldata: impl Into<Bytes>) -> Result<(Bytes, u64), CallFailure> {
        finish(self.transact(TxKind::Call(address), calldata.into(), true)?)
    }

    fn transact(&mut self, kind: TxKind, data: Bytes, keep: bool) -> Result<ExecutionResult, CallFailure> {
        let tx = TxEnv { kind, data, gas_limit: GAS, chain_id: None, ..TxEnv::default() };
        let outcome = self.evm.transact_one(tx);
        let changes = self.evm.finalize();
        match outcome {
            Ok(result) => {
                if keep {
                    self.evm.ctx.db_mut().commit(changes);
                }
                Ok(result)
            }
            Err(EVMError::Transaction(invalid)) => Err(CallFailure::Refused { reason: invalid.to_string() }),
            Err(other) => Err(CallFailure::Refused { reason: other.to_string() }),
        }
    }
}

impl Default for BareEvm {
    fn default() -> Self {
        Self::new()
    }
}

fn finish(result: ExecutionResult) -> Result<(Bytes, u64), CallFailure> {
    match result {
        ExecutionResult::Success { output, gas, .. } => Ok((output.into_data(), gas.spent_sub_refunded())),
        ExecutionResult::Revert { output, .. } => Err(CallFailure::Revert { data: output }),
        ExecutionResult::Halt { reason, .. } => Err(CallFailure::Halt { reason }),
    }
}
