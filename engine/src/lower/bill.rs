//! What the costliest step of each instruction costs on the chain, before anything runs.
//!
//! A step carries the 512-byte leaves that it touches, so what matters is how a window's addresses spread over leaves. That is counted
//! here for every position of the window relative to a leaf; guards are ignored, which can only make it more.

use super::gas;
pub(super) use super::gas::STEP_GAS_CEILING;
use crate::program::limits::{CHUNK, FIRST_REDUCTION_AXIS, LEAF};
use crate::program::*;
use crate::tree;
use std::collections::BTreeSet;

/// Windows that are counted one by one; a reduction with more is billed as if each element lay in a leaf of its own.
const WINDOWS_COUNTED: u64 = 4096;

/// The worst step of one instruction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bill {
    /// The instruction's value.
    pub value: ValueId,
    /// Leaves that the step touches, at most.
    pub leaves_worst: u64,
    /// Bytes of calldata, at most.
    pub calldata_bytes_worst: u64,
    /// Gas: `max(40 a byte, execution + 16 a byte)`.
    pub gas_worst: u64,
}

/// The bill of every instruction of a program, in order.
pub fn bill(program: &Program) -> Vec<Bill> {
    let depth = tree::depth(program.values.len() as u64);
    let one = |(id, value): (usize, &Value)| match &value.source {
        Source::Instruction(i) => {
            let descriptor = encode_descriptor(value).map_or(limits::MAX_DESCRIPTOR, |d| d.len());
            Some(Bill { value: id as u64, ..instruction(i, &value.ty, descriptor as u64, depth) })
        }
        _ => None,
    };
    program.values.iter().enumerate().filter_map(one).collect()
}

/// The bill of an instruction for a value of type `ty`, with a descriptor of `descriptor` bytes in a program whose trace tree has depth `depth`.
pub(super) fn instruction(i: &Instruction, ty: &TensorType, descriptor: u64, depth: u32) -> Bill {
    let (mut total, mut siblings, mut touched) = (0, 0, 0);
    // Of its own result a scan reads one element.
    let read = i.read_operands(ValueId::MAX, ty);
    for (operand, n) in read.iter().zip(leaves(i).into_iter().chain([1])).filter(|(_, n)| *n > 0) {
        total += n;
        touched += 1;
        siblings += multiproof(n, tree::depth(leaf_count(operand)));
    }
    // The operands' roots under the trace root, and the descriptor under the program's.
    siblings += multiproof(touched, depth) + u64::from(depth);
    let bytes = gas::STEP_BYTES + descriptor + total * (LEAF as u64 + 5) + siblings * 32;
    let execution = gas::STEP_BASE + total * gas::PER_LEAF + siblings * gas::PER_SIBLING + arithmetic(i);
    let gas_worst = (gas::CALLDATA_FLOOR * bytes).max(execution + gas::CALLDATA * bytes);
    Bill { value: 0, leaves_worst: total, calldata_bytes_worst: bytes, gas_worst }
}

/// Siblings that a multiproof of `leaves` leaves needs at most in a tree of this depth.
fn multiproof(leaves: u64, depth: u32) -> u64 {
    leaves.checked_ilog2().map_or(0, |log| leaves.saturating_mul(u64::from(depth.saturating_sub(log))))
}

fn leaf_count(operand: &Operand) -> u64 {
    operand.elements.div_ceil(lanes(operand)).max(1)
}

fn lanes(operand: &Operand) -> u64 {
    (LEAF / operand.dtype.width()) as u64
}

/// The views that the core reads for each k.
fn core_views(i: &Instruction) -> BTreeSet<u8> {
    match &i.core {
        Core::None | Core::Scan { .. } => BTreeSet::new(),
        Core::Dot { a, b } => [*a, *b].into(),
        Core::Fold { body, .. } => loads(body).collect(),
    }
}

/// The views that are read for the element: the epilogue's, and what a scan begins with.
fn views_read_once(i: &Instruction) -> BTreeSet<u8> {
    let initial = if let Core::Scan { initial, .. } = i.core { Some(initial) } else { None };
    loads(&i.epilogue).chain(initial).collect()
}

fn loads(expr: &Expr) -> impl Iterator<Item = u8> {
    expr.nodes.iter().filter_map(|n| if let Node::Load(view) = n { Some(*view) } else { None })
}

fn arithmetic(i: &Instruction) -> u64 {
    let access =
        |v: &View| v.accesses.iter().map(|a| gas::PER_ACCESS + a.guards.len() as u64 * gas::PER_GUARD).sum::<u64>();
    let views = |set: &BTreeSet<u8>| set.iter().filter_map(|&v| i.views.get(usize::from(v))).map(access).sum::<u64>();
    let nodes = |e: &Expr| e.nodes.iter().map(gas::node).sum::<u64>();
    let window = product(&i.reduction).min(CHUNK);
    let each = match &i.core {
        Core::None => 0,
        Core::Scan { .. } => gas::SCAN,
        Core::Dot { .. } => gas::MULTIPLY_ADD,
        Core::Fold { body, .. } => gas::FOLD_ELEMENT + nodes(body),
    };
    let body = if let Core::Fold { body, .. } = &i.core { Some(body) } else { None };
    let calls = body.into_iter().chain([&i.epilogue]).flat_map(|e| &e.nodes).any(gas::calls);
    let first_call = if calls { gas::FIRST_CALL } else { 0 };
    window * (each + views(&core_views(i))) + views(&views_read_once(i)) + nodes(&i.epilogue) + first_call
}

/// Most leaves of each operand that one step touches.
fn leaves(i: &Instruction) -> Vec<u64> {
    let core = core_views(i);
    let once = views_read_once(i);
    let mut count = vec![0u64; i.operands.len()];
    for (v, view) in (0u8..).zip(&i.views) {
        let reduced = core.contains(&v);
        for (o, operand) in (0u8..).zip(&i.operands) {
            // A limit of 0 is how a view says that it is nothing but its fill.
            let holds = |a: &&Access| a.operand == o && a.guards.iter().all(|g| g.limit > 0);
            let accesses = view.accesses.iter().filter(holds);
            count[usize::from(o)] += if reduced {
                accesses.map(|a| window_leaves(i, &a.address, lanes(operand))).sum::<u64>()
            } else {
                u64::from(once.contains(&v) && accesses.count() > 0)
            };
        }
    }
    count.iter().zip(&i.operands).map(|(&n, o)| n.min(leaf_count(o))).collect()
}

/// Most leaves that an address form touches over one window.
fn window_leaves(i: &Instruction, address: &Affine, lanes: u64) -> u64 {
    let k = product(&i.reduction);
    let window = k.min(CHUNK);
    let l = lanes as i64;
    let coefficient = |axis: u8| address.terms.iter().find(|t| t.0 == axis).map_or(0, |t| t.1);
    let mut step = l;
    for (axis, &extent) in (0u8..).zip(&i.extents) {
        if extent > 1 {
            step = gcd(step, coefficient(axis));
        }
    }
    let strides: Vec<i64> = (FIRST_REDUCTION_AXIS..).zip(&i.reduction).map(|(axis, _)| coefficient(axis)).collect();
    let windows = k.div_ceil(CHUNK).max(1);
    let one_loop = strides.len() <= 1;
    if one_loop && windows > 1 {
        // All windows look alike, each shifted by 256 strides.
        step = gcd(step, strides[0].wrapping_mul(CHUNK as i64));
    } else if windows > WINDOWS_COUNTED {
        return window;
    }
    let counted = if one_loop { 1 } else { windows };
    (0..counted).map(|w| positions(i, &strides, w, address.base, step, l)).max().unwrap_or(0)
}

/// Most leaves touched by window `w` over all positions relative to a leaf that are `base` modulo `step`.
fn positions(i: &Instruction, strides: &[i64], w: u64, base: i64, step: i64, lanes: i64) -> u64 {
    let k = product(&i.reduction);
    let mut offsets: Vec<i64> = (w * CHUNK..k.min((w + 1) * CHUNK)).map(|k| offset(&i.reduction, strides, k)).collect();
    offsets.sort_unstable();
    offsets.dedup();
    if offsets.is_empty() {
        return 0;
    }
    // How many more leaves there are at each position: a neighbour `gap` further on is in another leaf where the position is within
    // `gap` of the leaf's end.
    let mut change = vec![0i64; lanes as usize + 1];
    let mut always = 1;
    for pair in offsets.windows(2) {
        let gap = pair[1].saturating_sub(pair[0]);
        if gap >= lanes {
            always += 1;
            continue;
        }
        let from = (-gap - pair[0]).rem_euclid(lanes);
        let to = from + gap;
        change[from as usize] += 1;
        change[to.min(lanes) as usize] -= 1;
        if to > lanes {
            change[0] += 1;
            change[(to - lanes) as usize] -= 1;
        }
    }
    let mut sum = 0;
    let mut worst = 0;
    for (position, c) in (0i64..).zip(&change[..lanes as usize]) {
        sum += c;
        if (position - base).rem_euclid(step) == 0 {
            worst = worst.max(sum);
        }
    }
    (always + worst) as u64
}

fn offset(extents: &[u64], strides: &[i64], mut k: u64) -> i64 {
    let mut sum: i64 = 0;
    for (&extent, &stride) in extents.iter().zip(strides).rev() {
        sum = sum.wrapping_add(stride.wrapping_mul((k % extent.max(1)) as i64));
        k /= extent.max(1);
    }
    sum
}

fn gcd(a: i64, b: i64) -> i64 {
    let (mut a, mut b) = (a.unsigned_abs(), b.unsigned_abs());
    while b != 0 {
        (a, b) = (b, a % b);
    }
    i64::try_from(a).unwrap_or(1)
}
