//! One step on the deployed bytecode: the witness is made from thin air, so that operands may have 2^39 elements and a trace as many
//! values.

use super::case::{Case, Memory};
use alloy::primitives::{Address, B256, U256};
use alloy::sol_types::SolCall;
use rebut_contracts::abi::Adjudicator;
use rebut_contracts::abi::Rebut::{ClaimData, stepCall};
use rebut_contracts::b256;
use rebut_engine::hash::{Hash, keccak};
use rebut_engine::lower::gas;
use rebut_engine::program::{Value, encode_descriptor};
use rebut_engine::reference;
use rebut_engine::tree::{Nodes, depth, leaf_count, multiproof, verify_multiproof};
use rebut_sim::BareEvm;

/// What a step took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Leaves in the witness.
    pub leaves: u64,
    /// Bytes of calldata of the transaction.
    pub bytes: u64,
    /// Gas of `IAdjudicator.evaluate`, measured.
    pub evaluation: u64,
    /// Gas of the transaction: with the evaluation's and the calldata's as they are, and the rest as billed.
    pub gas: u64,
}

/// The contracts in an EVM of their own.
pub struct Judge {
    evm: BareEvm,
    adjudicator: Address,
}

/// A tree of which nothing is known: every node is another hash.
struct Thin(u32);

impl Nodes for Thin {
    fn depth(&self) -> u32 {
        self.0
    }

    fn node(&self, level: u32, index: u64) -> Hash {
        keccak(&[&level.to_be_bytes()[..], &index.to_be_bytes()].concat())
    }
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

    /// Steps one element of a case.
    ///
    /// # Errors
    /// When the contract refuses it or computes something else than the reference interpreter.
    pub fn step(&mut self, case: &Case, element: u64) -> Result<Taken, String> {
        let mut memory = Memory::new(case);
        let register = reference::evaluate(&case.instruction, case.ty.dtype, element, &mut memory);
        let (witness, root, leaves) = witness(case, &memory);
        let value = Value { ty: case.ty.clone(), source: case.placed() };
        let descriptor = encode_descriptor(&value).map_err(|e| e.to_string())?;
        let call = Adjudicator::evaluateCall {
            descriptor: descriptor.clone().into(),
            value: U256::from(case.values - 1),
            element: U256::from(element),
            traceRoot: b256(root),
            values: U256::from(case.values),
            witness: witness.clone().into(),
        };
        let calldata = call.abi_encode();
        let around = gas::TRANSACTION + price(&calldata, gas::CALLDATA);
        let (output, used) = self.evm.call(self.adjudicator, calldata).map_err(|e| e.to_string())?;
        let lane = Adjudicator::evaluateCall::abi_decode_returns(&output).map_err(|e| e.to_string())?;
        let width = 8 * case.ty.dtype.width();
        let mask = u64::MAX >> (64 - width);
        if lane != register as u64 & mask {
            return Err(format!("the contract gives {lane:#x}, the reference {register:#x}"));
        }
        let evaluation = used - around;
        let transaction = transaction(case, root, descriptor, witness);
        let bytes = transaction.len() as u64;
        let floor = gas::TRANSACTION + price(&transaction, gas::CALLDATA_FLOOR);
        let executed = gas::TRANSACTION + price(&transaction, gas::CALLDATA) + case.around.rules(bytes) + evaluation;
        Ok(Taken { leaves, bytes, evaluation, gas: floor.max(executed) })
    }
}

/// Calldata at so much a byte; zeros cost a quarter.
fn price(calldata: &[u8], byte: u64) -> u64 {
    calldata.iter().map(|&b| if b == 0 { byte / 4 } else { byte }).sum()
}

/// The calldata of `IRebut.step` in the claim that the case is about.
fn transaction(case: &Case, root: Hash, descriptor: Vec<u8>, witness: Vec<u8>) -> Vec<u8> {
    let word = B256::repeat_byte(0xab);
    let claim = ClaimData {
        executor: Address::repeat_byte(0xcd),
        header: vec![0xef; case.around.header as usize].into(),
        inputRoots: vec![word; case.around.roots as usize],
        outputRoots: vec![],
        nonce: u64::MAX,
    };
    let call = stepCall {
        disputeId: word,
        claimData: claim,
        traceRoot: b256(root),
        descriptor: descriptor.into(),
        descriptorProof: vec![word; depth(case.values) as usize],
        witness: witness.into(),
    };
    call.abi_encode()
}

/// The witness of the leaves that were read, the trace root that it leads to, and how many leaves it has.
fn witness(case: &Case, memory: &Memory<'_>) -> (Vec<u8>, Hash, u64) {
    let mut out = Vec::new();
    let mut touched: Vec<(u64, Hash)> = Vec::new();
    let mut total = 0;
    let count = |n: usize| u16::try_from(n).expect("a window reads at most 1,024 leaves").to_be_bytes();
    let words = |out: &mut Vec<u8>, words: &[Hash]| {
        out.extend(count(words.len()));
        words.iter().for_each(|w| out.extend(w.0));
    };
    let ids = case.ids.iter().copied().chain([case.values - 1]);
    for ((number, operand), id) in case.operands().iter().enumerate().zip(ids) {
        let leaves = &memory.leaves[number];
        out.extend(count(leaves.len()));
        leaves.keys().for_each(|leaf| out.extend(&leaf.to_be_bytes()[3..]));
        leaves.values().for_each(|leaf| out.extend(leaf));
        if leaves.is_empty() {
            out.extend(count(0));
            continue;
        }
        total += leaves.len() as u64;
        let tree = Thin(depth(leaf_count(operand.dtype, operand.elements)));
        let indices: Vec<u64> = leaves.keys().copied().collect();
        let proof = multiproof(&tree, &indices).expect("leaves of the tree");
        let hashes: Vec<(u64, Hash)> = leaves.iter().map(|(&i, leaf)| (i, keccak(leaf))).collect();
        touched.push((id, verify_multiproof(tree.0, &hashes, &proof).expect("its own proof")));
        words(&mut out, &proof);
    }
    let tree = Thin(depth(case.values));
    if touched.is_empty() {
        words(&mut out, &[]);
        return (out, Hash([0; 32]), total);
    }
    let indices: Vec<u64> = touched.iter().map(|t| t.0).collect();
    let proof = multiproof(&tree, &indices).expect("values of the trace");
    words(&mut out, &proof);
    (out, verify_multiproof(tree.0, &touched, &proof).expect("its own proof"), total)
}
