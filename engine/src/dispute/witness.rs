//! The witness of a step: the operand leaves that one element reads, with their proofs.

use super::play::{DisputeError, TraceNodes};
use crate::hash::Hash;
use crate::package::Package;
use crate::program::limits::{DIM_LIMIT, LEAF};
use crate::program::{Operand, Source, ValueId};
use crate::reference::{self, Memory};
use crate::trace::{TraceView, Unavailable};
use crate::tree::{Leaf, Nodes, depth, lane_of, leaf_count, multiproof};
use std::cell::OnceCell;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

/// One read of an operand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Read {
    /// Number of the operand in the instruction; behind the last one for a scan's own result.
    pub operand: u8,
    /// Index of the element.
    pub index: u64,
    /// Its register.
    pub register: i64,
}

/// A memory over a trace that records what is read.
pub struct Operands<'a> {
    trace: &'a dyn TraceView,
    operands: Vec<Operand>,
    /// The leaves that were read, by operand and index.
    leaves: BTreeMap<(u8, u64), Leaf>,
    /// Every read, in order.
    pub reads: Vec<Read>,
    /// What was to be read and is lost.
    lost: Option<Unavailable>,
}

impl<'a> Operands<'a> {
    fn new(trace: &'a dyn TraceView, operands: Vec<Operand>) -> Self {
        Self { trace, operands, leaves: BTreeMap::new(), reads: Vec::new(), lost: None }
    }

    /// The register of an element, if there is such an operand and its leaf is not lost.
    fn register(&mut self, operand: u8, index: u64) -> Option<i64> {
        let Operand { value, dtype, .. } = *self.operands.get(usize::from(operand))?;
        let lanes = (LEAF / dtype.width()) as u64;
        let leaf = match self.leaves.entry((operand, index / lanes)) {
            Entry::Occupied(leaf) => leaf.into_mut(),
            Entry::Vacant(place) => match self.trace.leaf(value, index / lanes) {
                Ok(leaf) => place.insert(leaf),
                Err(lost) => {
                    self.lost = Some(lost);
                    return None;
                }
            },
        };
        Some(lane_of(leaf, dtype, (index % lanes) as usize)) // at most 512 lanes
    }
}

impl Memory for Operands<'_> {
    fn load(&mut self, operand: u8, index: u64) -> i64 {
        let register = self.register(operand, index).unwrap_or_default();
        self.reads.push(Read { operand, index, register });
        register
    }
}

/// Computes one element of a value by the reference interpreter, from the trace's operands, and what it read.
///
/// # Errors
/// When the value is no instruction of the program, or a part of the trace is lost.
pub fn evaluate(
    package: &Package,
    trace: &dyn TraceView,
    value: ValueId,
    element: u64,
) -> Result<(i64, Vec<Read>), DisputeError> {
    let entry = usize::try_from(value).ok().and_then(|v| package.program().values.get(v));
    let entry = entry.ok_or(DisputeError::Position)?;
    let Source::Instruction(instruction) = &entry.source else { return Err(DisputeError::Position) };
    let mut memory = Operands::new(trace, instruction.read_operands(value, &entry.ty));
    let register = reference::evaluate(instruction, entry.ty.dtype, element, &mut memory);
    memory.lost.map_or(Ok((register, memory.reads)), |lost| Err(lost.into()))
}

/// The witness bytes of a step (`docs/protocol.md`, "Witness"), proven under the trace root of `trace`.
///
/// # Errors
/// When the value is no instruction of the program, or a part of the trace is lost.
pub fn witness(
    package: &Package,
    trace: &dyn TraceView,
    value: ValueId,
    element: u64,
) -> Result<Vec<u8>, DisputeError> {
    let (_, reads) = evaluate(package, trace, value, element)?;
    let entry = &package.program().values[value as usize]; // `evaluate` found it
    let Source::Instruction(instruction) = &entry.source else { return Err(DisputeError::Position) };
    let mut out = Vec::new();
    let mut touched = Vec::new();
    for (number, operand) in instruction.read_operands(value, &entry.ty).iter().enumerate() {
        let lanes = (LEAF / operand.dtype.width()) as u64;
        let read = reads.iter().filter(|r| usize::from(r.operand) == number);
        let leaves: BTreeSet<u64> = read.map(|r| r.index / lanes).collect();
        let leaves: Vec<u64> = leaves.into_iter().collect();
        count(&mut out, leaves.len())?;
        if leaves.is_empty() {
            count(&mut out, 0)?;
            continue;
        }
        touched.push(operand.value);
        for &leaf in &leaves {
            debug_assert!(leaf < DIM_LIMIT);
            out.extend(&leaf.to_be_bytes()[3..]);
        }
        for &leaf in &leaves {
            out.extend(trace.leaf(operand.value, leaf)?);
        }
        let depth = depth(leaf_count(operand.dtype, operand.elements));
        let tree = TensorNodes { trace, value: operand.value, depth, lost: OnceCell::new() };
        let proof = multiproof(&tree, &leaves).map_err(|_| DisputeError::Position)?;
        tree.lost.into_inner().map_or(Ok(()), Err)?;
        words(&mut out, &proof)?;
    }
    let proof = match touched.as_slice() {
        [] => Vec::new(),
        touched => multiproof(&TraceNodes(trace), touched).map_err(|_| DisputeError::Position)?,
    };
    words(&mut out, &proof)?;
    Ok(out)
}

fn count(out: &mut Vec<u8>, n: usize) -> Result<(), DisputeError> {
    out.extend(u16::try_from(n).map_err(|_| DisputeError::Position)?.to_be_bytes());
    Ok(())
}

fn words(out: &mut Vec<u8>, words: &[Hash]) -> Result<(), DisputeError> {
    count(out, words.len())?;
    words.iter().for_each(|w| out.extend(w.0));
    Ok(())
}

struct TensorNodes<'a> {
    trace: &'a dyn TraceView,
    value: ValueId,
    depth: u32,
    /// The first node that was to be read and is lost.
    lost: OnceCell<Unavailable>,
}

impl Nodes for TensorNodes<'_> {
    fn depth(&self) -> u32 {
        self.depth
    }

    fn node(&self, level: u32, index: u64) -> Hash {
        self.trace.tensor_node(self.value, level, index).unwrap_or_else(|lost| {
            self.lost.get_or_init(|| lost);
            Hash::ZERO
        })
    }
}
