//! What a step on the chain costs: the estimates that bills are made of. Tuned by measuring the contracts; a change here can change
//! where the lowering inserts copies, and so program ids.

use crate::program::{Node, Op};

/// No step of a program should cost more.
pub const STEP_GAS_CEILING: u64 = 500_000;
/// The calldata floor: gas for each byte of a step that executes little.
pub const CALLDATA_FLOOR: u64 = 40;
/// Gas for each byte of calldata beside execution.
pub const CALLDATA: u64 = 16;
/// Bytes of a step besides descriptor, leaves and proofs: selector, offsets, the claim's data, the element's position.
pub const STEP_BYTES: u64 = 1024;
/// The transaction, reading the dispute's state, decoding the descriptor, storing the verdict.
pub const STEP_BASE: u64 = 90_000;
/// Hashing a leaf and finding it again.
pub const PER_LEAF: u64 = 600;
/// Folding one sibling into a multiproof.
pub const PER_SIBLING: u64 = 250;
/// Evaluating an access for one k: its address and finding the word.
pub const PER_ACCESS: u64 = 90;
/// Evaluating a guard.
pub const PER_GUARD: u64 = 50;
/// One multiply-add of the dot kernel: most run at 145, a window with many subnormals at more.
pub const MULTIPLY_ADD: u64 = 600;
/// One element of a fold, without its body.
pub const FOLD_ELEMENT: u64 = 500;
/// Finding the element before this one in a scan.
pub const SCAN: u64 = 1_000;
/// Calling the contract `Elementary` once more, and finding the operation there.
pub const CALL: u64 = 1_000;
/// What the first of these calls costs more.
pub const FIRST_CALL: u64 = 2_600;
/// Dispatching a node of an expression.
pub const NODE: u64 = 60;

/// Gas of one node of an expression.
pub(super) fn node(node: &Node) -> u64 {
    NODE + match node {
        Node::Const(..) | Node::Core | Node::Iota(_) | Node::Load(_) | Node::Valid(_) => 0,
        Node::Select(..) => 50,
        Node::Cast(..) => 250,
        Node::Apply(op, _) => operation(*op),
    }
}

/// Whether a node calls the contract `Elementary`. An integer division does not, and is billed as if it did: nodes have no types here.
pub(super) fn calls(node: &Node) -> bool {
    matches!(node, Node::Apply(op, _) if op.is_called())
}

fn operation(op: Op) -> u64 {
    let call = if op.is_called() { CALL } else { 0 };
    call + match op {
        Op::Add | Op::Sub => 900,
        Op::Mul => 700,
        Op::Div => 750,
        Op::Fma => 1300,
        Op::Sqrt => 400,
        Op::Erf => 8500,
        Op::Pow => 5000,
        op if op.is_elementary() => 1600,
        Op::Rem => 550,
        _ => 200,
    }
}
