//! What the costliest step of each instruction costs on the chain, before anything runs: an upper bound for every element of every
//! validated program, whatever its operands hold. `docs/gas.md` writes the model down; `cargo xtask steps` searches for a step that
//! costs more.
//!
//! A transaction pays `max(40 a byte of calldata, 16 a byte + execution)` above its 21,000. The bytes are the claim's data, the
//! descriptor and the witness, so they follow from how a window's addresses spread over leaves (`leaves.rs`). Execution is
//!
//! - the rules around the step: reading the dispute, proving the descriptor, storing the verdict;
//! - decoding the descriptor and proving the leaves;
//! - gathering each view that an expression or a dot names, by *runs* of k along which all its forms are linear (`gather.rs`);
//! - the nodes of expressions, once or for each k, and the core's arithmetic (`expression.rs`);
//! - the memory of all that, whose price has a quadratic part.
//!
//! Every price is in `gas.rs`, above the worst that was measured.

mod expression;
pub mod gas;
mod gather;
mod leaves;

pub(super) use gas::STEP_GAS_CEILING;

use crate::program::limits::{CHUNK, LEAF};
use crate::program::*;
use crate::tree;
use leaves::{Spread, spread};

/// The worst step of one instruction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bill {
    /// The instruction's value.
    pub value: ValueId,
    /// Leaves that the step touches, at most.
    pub leaves_worst: u64,
    /// Bytes of calldata, at most.
    pub calldata_bytes_worst: u64,
    /// Gas of re-running the element (`IAdjudicator.evaluate`), at most.
    pub evaluation_worst: u64,
    /// Gas of the transaction, at most.
    pub gas_worst: u64,
}

/// What a step's price depends on besides its instruction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Around {
    /// Depth of the trace tree.
    pub depth: u32,
    /// Bytes of the program's header.
    pub header: u64,
    /// Inputs and outputs: each has a type in the header and a root in the claim.
    pub roots: u64,
}

impl Around {
    /// Of the instructions of a program.
    pub fn of(program: &Program) -> Self {
        Self::new(tree::depth(program.values.len() as u64), program.input_types().chain(program.output_types()))
    }

    /// Of a program whose inputs and outputs have these types.
    pub fn new<'t>(depth: u32, types: impl Iterator<Item = &'t TensorType>) -> Self {
        let (mut header, mut roots) = (gas::HEADER_BYTES, 0);
        for ty in types {
            header += 2 + 5 * ty.dims.len() as u64;
            roots += 1;
        }
        Self { depth, header, roots }
    }

    /// Bytes of the transaction's calldata with this descriptor and witness: everything is padded to words.
    fn calldata(&self, descriptor: u64, witness: u64) -> u64 {
        let padded = |bytes: u64| 32 * bytes.div_ceil(32);
        gas::STEP_BYTES
            + padded(self.header)
            + 32 * (self.roots + u64::from(self.depth))
            + padded(descriptor)
            + padded(witness)
    }

    /// Gas of the rules around the evaluation in a transaction of so many bytes.
    pub fn rules(&self, bytes: u64) -> u64 {
        // The claim's data is copied to be hashed, descriptor and witness to be passed on.
        let words = bytes.div_ceil(32);
        gas::RULES
            + self.roots * gas::PER_TENSOR
            + u64::from(self.depth) * gas::PER_DESCRIPTOR_SIBLING
            + words * gas::PER_WORD_PASSED
            + memory(2 * words)
    }
}

/// The bill of every instruction of a program, in order.
pub fn bill(program: &Program) -> Vec<Bill> {
    let around = Around::of(program);
    let one = |(id, value): (usize, &Value)| Some(Bill { value: id as u64, ..step(value, &around)? });
    program.values.iter().enumerate().filter_map(one).collect()
}

/// The bill of a value's steps; `None` where it is no instruction.
pub fn step(value: &Value, around: &Around) -> Option<Bill> {
    let i = value.instruction()?;
    let descriptor = encode_descriptor(value).map_or(limits::MAX_DESCRIPTOR, |d| d.len());
    Some(instruction(i, &value.ty, descriptor as u64, around))
}

/// The bill of an instruction for a value of type `ty` with a descriptor of `descriptor` bytes.
pub(super) fn instruction(i: &Instruction, ty: &TensorType, descriptor: u64, around: &Around) -> Bill {
    let spreads = spread(i);
    let (mut leaves, mut touched, mut siblings) = (0, 0, 0);
    // Of each operand: how many leaves and siblings. Of all: how many siblings.
    let mut witness = gas::WITNESS_BYTES;
    for (operand, spread) in i.read_operands(ValueId::MAX, ty).iter().zip(&spreads) {
        let depth = tree::depth(tree::leaf_count(operand.dtype, operand.elements));
        let proof = spread.siblings(depth);
        leaves += spread.leaves();
        touched += u64::from(spread.leaves() > 0);
        siblings += proof;
        witness += gas::WITNESS_BYTES + gas::WITNESS_BYTES + spread.leaves() * (LEAF as u64 + 5) + 32 * proof;
    }
    // The operands' roots under the trace root.
    let roots = Spread::anywhere(touched, touched).siblings(around.depth);
    siblings += roots;
    witness += 32 * roots;
    let bytes = around.calldata(descriptor, witness);

    let mut cost = Cost::fixed(i);
    cost.gas += leaves * gas::PER_LEAF + siblings * gas::PER_SIBLING;
    cost.words += leaves * gas::LEAF_WORDS;
    cost += expression::cost(i, &spreads);
    let evaluation_worst = cost.total();
    // A zero is a quarter of a byte.
    let paid = bytes - gas::STEP_ZEROS * 3 / 4;
    let executed = gas::CALLDATA * paid + around.rules(bytes) + evaluation_worst;
    let gas_worst = gas::TRANSACTION + executed.max(gas::CALLDATA_FLOOR * paid);
    Bill { value: 0, leaves_worst: leaves, calldata_bytes_worst: bytes, evaluation_worst, gas_worst }
}

/// Gas of so many words of memory, as the EVM charges it.
fn memory(words: u64) -> u64 {
    3 * words + words.saturating_mul(words) / 512
}

/// Execution without its memory, and the memory.
#[derive(Clone, Copy, Default)]
struct Cost {
    gas: u64,
    words: u64,
}

impl Cost {
    /// Decoding the descriptor, whatever is in it.
    fn fixed(i: &Instruction) -> Self {
        let count = |n: usize| n as u64;
        let accesses = || i.views.iter().flat_map(|v| &v.accesses);
        let guards: u64 = accesses().map(|a| count(a.guards.len())).sum();
        let indirects = count(i.views.iter().flat_map(View::indirects).count());
        let terms: u64 = i.views.iter().flat_map(View::forms).map(|f| count(f.terms.len())).sum();
        let axes = count(i.extents.len() + i.reduction.len());
        let (views, accesses) = (count(i.views.len()), count(accesses().count()));
        let gas = gas::EVALUATION
            + axes * gas::PER_EXTENT
            + count(i.operands.len()) * gas::PER_OPERAND
            + views * gas::PER_VIEW
            + accesses * gas::PER_ACCESS
            + guards * gas::PER_GUARD
            + indirects * gas::PER_INDIRECT
            + terms * gas::PER_TERM;
        let words = gas::WORDS
            + 2 * axes
            + views * gas::VIEW_WORDS
            + (accesses + guards) * gas::FORM_WORDS
            + indirects * gas::INDIRECT_WORDS;
        Self { gas, words }
    }

    fn total(self) -> u64 {
        self.gas + memory(self.words)
    }
}

impl std::ops::AddAssign for Cost {
    fn add_assign(&mut self, other: Self) {
        self.gas += other.gas;
        self.words += other.words;
    }
}

/// Number of k in the longest window.
fn window(i: &Instruction) -> u64 {
    product(&i.reduction).min(CHUNK)
}
