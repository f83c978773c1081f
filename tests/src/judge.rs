//! The adjudicator in an EVM of its own.

use alloy::primitives::{Address, Bytes, U256};
use alloy::sol_types::SolCall;
use rebut_contracts::abi::Adjudicator;
use rebut_contracts::b256;
use rebut_engine::program::{DType, ValueId};
use rebut_engine::trace::{Trace, TraceView};
use rebut_sim::BareEvm;

/// The committed bytecode, deployed once and asked often.
pub struct Judge {
    evm: BareEvm,
    adjudicator: Address,
}

impl Judge {
    /// Deploys the contracts.
    ///
    /// # Panics
    /// When the committed artifacts do not deploy.
    #[expect(clippy::new_without_default)]
    pub fn new() -> Self {
        let mut evm = BareEvm::new();
        let adjudicator = evm.deploy_adjudicator().expect("the adjudicator deploys");
        Self { evm, adjudicator }
    }

    /// The element's lane by the contract, or how it refused.
    ///
    /// # Errors
    /// When the contract reverts.
    pub fn evaluate(
        &mut self,
        descriptor: Vec<u8>,
        value: ValueId,
        element: u64,
        trace: &Trace,
        witness: Vec<u8>,
    ) -> Result<u64, String> {
        let call = Adjudicator::evaluateCall {
            descriptor: descriptor.into(),
            value: U256::from(value),
            element: U256::from(element),
            traceRoot: b256(trace.root()),
            values: U256::from(trace.len()),
            witness: Bytes::from(witness),
        };
        let (output, _) = self.evm.call(self.adjudicator, call.abi_encode()).map_err(|e| e.to_string())?;
        Adjudicator::evaluateCall::abi_decode_returns(&output).map_err(|e| e.to_string())
    }
}

/// A register as the contract gives it: its lane read as an integer.
pub fn lane(dtype: DType, register: i64) -> u64 {
    let bytes = register.to_be_bytes();
    bytes[8 - dtype.width()..].iter().fold(0, |lane, &b| lane << 8 | u64::from(b))
}
