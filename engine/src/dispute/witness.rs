//! The witness of a step: the operand leaves that one element reads, with their proofs.

use super::play::{DisputeError, TraceNodes};
use crate::hash::Hash;
use crate::package::Package;
use crate::program::limits::{DIM_LIMIT, LEAF};
use crate::program::{Operand, Source, ValueId};
use crate::reference::{self, Memory};
use crate::trace::TraceView;
use crate::tree::{Nodes, depth, leaf_count, multiproof};
use std::collections::BTreeSet;

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
    /// Every read, in order.
    pub reads: Vec<Read>,
}

impl Memory for Operands<'_> {
    fn load(&mut self, operand: u8, index: u64) -> i64 {
        let value = self.operands.get(usize::from(operand)).map(|o| o.value);
        let tensor = value.and_then(|v| self.trace.tensor(v));
        let register = tensor.zip(usize::try_from(index).ok()).and_then(|(t, i)| t.register(i)).unwrap_or_default();
        self.reads.push(Read { operand, index, register });
        register
    }
}

/// Computes one element of a value by the reference interpreter, from the trace's operands, and what it read.
///
/// # Errors
/// When the value is no instruction of the program.
pub fn evaluate(
    package: &Package,
    trace: &dyn TraceView,
    value: ValueId,
    element: u64,
) -> Result<(i64, Vec<Read>), DisputeError> {
    let entry = usize::try_from(value).ok().and_then(|v| package.program().values.get(v));
    let entry = entry.ok_or(DisputeError::Position)?;
    let Source::Instruction(instruction) = &entry.source else { return Err(DisputeError::Position) };
    let mut memory = Operands { trace, operands: instruction.read_operands(value, &entry.ty), reads: Vec::new() };
    let register = reference::evaluate(instruction, entry.ty.dtype, element, &mut memory);
    Ok((register, memory.reads))
}

/// The witness bytes of a step (`docs/protocol.md`, "Witness"), proven under the trace root of `trace`.
///
/// # Errors
/// When the value is no instruction of the program.
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
        leaves.iter().for_each(|&leaf| out.extend(trace.leaf(operand.value, leaf)));
        let tree =
            TensorNodes { trace, value: operand.value, depth: depth(leaf_count(operand.dtype, operand.elements)) };
        words(&mut out, &multiproof(&tree, &leaves).map_err(|_| DisputeError::Position)?)?;
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
}

impl Nodes for TensorNodes<'_> {
    fn depth(&self) -> u32 {
        self.depth
    }

    fn node(&self, level: u32, index: u64) -> Hash {
        self.trace.tensor_node(self.value, level, index)
    }
}
