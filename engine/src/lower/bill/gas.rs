//! The prices that bills are made of: what the contracts' bytecode was measured to cost at worst, rounded up. A change here can change
//! where the lowering inserts copies, and so program ids.
//!
//! `cargo xtask steps` measures against them.

use crate::program::limits::SUM_LANES;
use crate::program::{DType, FoldOp, Op};

/// No step of a program may cost more.
pub const STEP_GAS_CEILING: u64 = 500_000;
/// Any transaction.
pub const TRANSACTION: u64 = 21_000;
/// The calldata floor: gas for each byte of a step that executes little.
pub const CALLDATA_FLOOR: u64 = 40;
/// Gas for each byte of calldata beside execution; a zero costs a quarter, in both.
pub const CALLDATA: u64 = 16;

// Bytes.

/// Calldata besides header, roots, proof, descriptor and witness: selector, six arguments, five of the claim's and six lengths.
pub const STEP_BYTES: u64 = 4 + 32 * (6 + 5 + 6);
/// Bytes of that which are zero: all but four of four offsets in the arguments, three in the claim and six lengths, and what a word has
/// beside an address or a nonce.
pub const STEP_ZEROS: u64 = 28 * (4 + 3 + 6) + 12 + 24;
/// A header without its tensors.
pub const HEADER_BYTES: u64 = 46;
/// A count in a witness.
pub const WITNESS_BYTES: u64 = 2;

// The rules around the evaluation.

/// Reading the dispute, its claim and clocks, calling the adjudicator, storing the verdict, paying and burning for the first time, and
/// recording the refund of a late step.
pub const RULES: u64 = 122_000;
/// Decoding one input or output of the header.
pub const PER_TENSOR: u64 = 2_300;
/// One level of the descriptor's proof.
pub const PER_DESCRIPTOR_SIBLING: u64 = 400;
/// Copying a word of calldata twice and hashing it.
pub const PER_WORD_PASSED: u64 = 20;

// Decoding and proving.

/// An evaluation of nothing.
pub const EVALUATION: u64 = 8_800;
/// Words of memory of an evaluation of nothing.
pub const WORDS: u64 = 250;
/// An extent, of either kind.
pub const PER_EXTENT: u64 = 720;
/// An operand.
pub const PER_OPERAND: u64 = 2_050;
/// A view.
pub const PER_VIEW: u64 = 1_500;
/// An access.
pub const PER_ACCESS: u64 = 2_000;
/// A guard.
pub const PER_GUARD: u64 = 770;
/// A term of an affine form.
pub const PER_TERM: u64 = 445;
/// An indirect term.
pub const PER_INDIRECT: u64 = 1_200;
/// Words of an indirect term.
pub const INDIRECT_WORDS: u64 = 6;
/// Words of a view.
pub const VIEW_WORDS: u64 = 10;
/// Words of an access or a guard.
pub const FORM_WORDS: u64 = 12;
/// Hashing a leaf, and one that it is paired with on the way up.
pub const PER_LEAF: u64 = 2_500;
/// Words for a leaf.
pub const LEAF_WORDS: u64 = 4;
/// Folding one sibling into a multiproof.
pub const PER_SIBLING: u64 = 600;

/// A leaf that is not touched where it was billed may need a sibling in its place (`leaves.rs`).
const _: () = assert!(PER_LEAF >= PER_SIBLING);

// Gathering a view.

/// A view that an expression or a dot names.
pub const GATHER: u64 = 3_600;
/// Words of it besides its lanes.
pub const GATHER_WORDS: u64 = 40;
/// Looking at one form along one r axis.
pub const PER_FORM_AXIS: u64 = 150;
/// Starting a run.
pub const PER_RUN: u64 = 720;
/// The coordinate of a run along an axis outside of it.
pub const PER_RUN_AXIS: u64 = 400;
/// Where in a run an access holds.
pub const PER_RUN_ACCESS: u64 = 1_150;
/// Finding out where, if it does not hold everywhere.
pub const NARROW: u64 = 550;
/// Where in a run a guard holds.
pub const PER_RUN_GUARD: u64 = 950;
/// An axis outside of the run in one of these.
pub const PER_RUN_FORM_AXIS: u64 = 105;
/// The address of an access of a view that has indirect terms.
pub const PER_RUN_INDIRECT: u64 = 500;
/// Comparing where two of its accesses hold.
pub const PER_COMPARED: u64 = 200;
/// Reading an index, ...
pub const PER_INDEX: u64 = 1_500;
/// ... trying an access of its view, ...
pub const PER_INDEX_ACCESS: u64 = 500;
/// ... and one of its forms.
pub const PER_INDEX_FORM: u64 = 500;
/// Where the access that holds changes: the next stretch of a run.
pub const PER_STRETCH: u64 = 250;
/// Looking for the access that holds.
pub const PER_STRETCH_ACCESS: u64 = 470;
/// Beginning to copy a stretch's lanes from an operand.
pub const PER_COPY: u64 = 600;
/// Finding a leaf in the witness.
pub const FIND: u64 = 160;
/// One level of its search.
pub const FIND_LEVEL: u64 = 145;
/// A lane of f32 that lies behind the one before, for a dot.
pub const LANE_PACKED: u64 = 5;
/// The same for an expression, NaNs included.
pub const LANE_TOGETHER: u64 = 160;
/// A lane that is one register repeated.
pub const LANE_REPEATED: u64 = 50;

// Expressions and cores.

/// A node that has no operands.
pub const NODE: u64 = 1_400;
/// A node with operands, and each of them.
pub const OPERATION: u64 = 2_000;
/// See [`OPERATION`].
pub const PER_ARGUMENT: u64 = 400;
/// Words of it besides its registers.
pub const NODE_WORDS: u64 = 6;
/// Calling the contract of the elementary functions for the first time.
pub const FIRST_CALL: u64 = 2_600;
/// Calling it, and finding the function.
pub const CALL: u64 = 1_500;
/// A coordinate, at each k.
pub const IOTA: u64 = 300;
/// A select, at each k.
pub const SELECT: u64 = 330;
/// A dot or a fold of nothing.
pub const CORE: u64 = 6_000;
/// Finding the element before this one in a scan.
pub const SCAN: u64 = 2_500;
/// One multiply-add of the dot kernel where its operands are worst: most run at 160.
pub const MULTIPLY_ADD: u64 = 600;

/// One element of a fold, without its body.
pub fn fold(op: FoldOp, float: bool) -> u64 {
    match op {
        _ if !float => 50,
        FoldOp::Sum => 520,
        FoldOp::SumSq => 550,
        FoldOp::SeqAdd => 750,
        FoldOp::Prod | FoldOp::SeqMul => 750,
        FoldOp::Min | FoldOp::Max | FoldOp::And | FoldOp::Or => 260,
    }
}

/// Combining the lanes of a fold of `n` elements that has any, and beginning a chain in each of those with more than one.
pub fn fold_start(op: FoldOp, float: bool, n: u64) -> u64 {
    let chains = n.saturating_sub(SUM_LANES as u64).min(SUM_LANES as u64);
    match op {
        FoldOp::Sum | FoldOp::SumSq if float => 16_000 + 3_900 * chains,
        FoldOp::Prod if float => 11_000,
        _ => 0,
    }
}

/// One operation at one k; of elementary functions what they cost in their own contract.
pub fn operation(op: Op, dtype: DType) -> u64 {
    let float = dtype == DType::F32;
    match op {
        Op::Add | Op::Sub if float => 1_150,
        Op::Add | Op::Sub | Op::Mul => 800,
        Op::Div if float => 1_350,
        Op::Div => 850,
        Op::Min | Op::Max | Op::Lt | Op::Le | Op::Gt | Op::Ge | Op::Eq | Op::Ne if float => 820,
        Op::Eq | Op::Ne | Op::And | Op::Or | Op::Xor => 600,
        Op::Min | Op::Max | Op::Lt | Op::Le | Op::Gt | Op::Ge => 540,
        Op::Fma => 4_300,
        Op::Rem if float => 1_000,
        Op::Rem
        | Op::Shl
        | Op::Shr
        | Op::Neg
        | Op::Abs
        | Op::Not
        | Op::Floor
        | Op::Ceil
        | Op::Trunc
        | Op::RoundEven => 720,
        Op::Sqrt => 900,
        Op::Erf => 8_600,
        Op::Pow => 3_300,
        _ => 1_450,
    }
}

/// One conversion at one k.
pub fn cast(from: DType, to: DType) -> u64 {
    match (from, to) {
        _ if from == to => 400,
        (DType::F16 | DType::BF16, _) => 1_350,
        (_, DType::F16) => 1_200,
        _ => 1_120,
    }
}

/// One lane on its own, without finding its leaf.
pub fn lane(dtype: DType) -> u64 {
    match dtype {
        DType::F32 | DType::Bool => 310,
        DType::U8 | DType::F16 | DType::BF16 => 430,
        DType::U16 => 460,
        DType::I8 | DType::I16 | DType::I32 | DType::I64 => 570,
    }
}
