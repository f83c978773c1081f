//! The contracts' operations in an EVM.

use crate::operations::{Arguments, Operation};
use alloy::primitives::Address;
use alloy::sol_types::SolCall;
use rebut_contracts::abi::ArithHarness::{costsCall, runCall};
use rebut_contracts::abi::{ArithHarness, ElementaryHarness};
use rebut_sim::BareEvm;

/// Triples in a call: the EVM's memory costs more than linearly.
const BATCH: usize = 1_000;

/// Both harnesses, deployed.
pub struct Harness {
    evm: BareEvm,
    basic: Address,
    elementary: Address,
}

impl Harness {
    /// Deploys the harnesses.
    ///
    /// # Panics
    /// When the committed artifacts do not deploy.
    #[expect(clippy::new_without_default)]
    pub fn new() -> Self {
        let mut evm = BareEvm::new();
        let basic = evm.deploy(ArithHarness::BYTECODE.clone()).expect("the harness deploys");
        let elementary = evm.deploy(ElementaryHarness::BYTECODE.clone()).expect("the elementary functions deploy");
        Self { evm, basic, elementary }
    }

    /// The operation's results.
    pub fn run(&mut self, operation: &Operation, all: &[Arguments]) -> Vec<u32> {
        self.batches(operation, all, |op, triples| runCall { op, triples: triples.into() })
    }

    /// The operation's gas.
    pub fn costs(&mut self, operation: &Operation, all: &[Arguments]) -> Vec<u32> {
        self.batches(operation, all, |op, triples| costsCall { op, triples: triples.into() })
    }

    /// Asks the contract of the basic operations.
    ///
    /// # Panics
    /// When it does not answer: every operation is total.
    pub fn ask<C: SolCall>(&mut self, call: &C) -> C::Return {
        self.ask_at(self.basic, call)
    }

    fn ask_at<C: SolCall>(&mut self, address: Address, call: &C) -> C::Return {
        let (output, _) = self.evm.call(address, call.abi_encode()).expect("every operation is total");
        C::abi_decode_returns(&output).expect("the harness' answer")
    }

    fn batches<C: SolCall<Return = alloy::primitives::Bytes>>(
        &mut self,
        operation: &Operation,
        all: &[Arguments],
        call: impl Fn(u8, Vec<u8>) -> C,
    ) -> Vec<u32> {
        let address = if operation.is_elementary() { self.elementary } else { self.basic };
        let mut out = Vec::with_capacity(all.len());
        for batch in all.chunks(BATCH) {
            let answer = self.ask_at(address, &call(operation.code, bytes(batch.as_flattened())));
            out.extend(answer.as_chunks::<4>().0.iter().map(|lane| u32::from_be_bytes(*lane)));
        }
        assert_eq!(out.len(), all.len(), "one lane each");
        out
    }
}

/// Big-endian lanes.
pub fn bytes(lanes: &[u32]) -> Vec<u8> {
    lanes.iter().flat_map(|x| x.to_be_bytes()).collect()
}
