//! What a plain run computes, in order: what is computed at once, where parts belong, and which rows go through several instructions together.

use super::concat::{Part, concatenation};
use super::follow::follow;
use super::matrix::{Chunked, chunked};
use super::rowwise::{MOST, RowWise};
use super::step::{Budget, Reduction, Step};
use crate::program::{Core, DType, Instruction, Operand, Program, ValueId};

/// What makes a value.
pub(super) struct Work<'p> {
    pub(super) value: usize,
    pub(super) kind: Kind<'p>,
    /// Values that nobody reads afterwards.
    pub(super) last: Vec<usize>,
}

pub(super) enum Kind<'p> {
    /// An instruction, with the values that it reads.
    One(Vec<ValueId>, Step<'p>),
    /// A reduction and what follows it, with the values that each of them reads, and which element of the value is the first that it makes.
    Joined([Vec<ValueId>; 2], Reduction<'p>, usize),
    /// Instructions whose rows go through all of them, the value's being the last.
    Rows(RowWise),
}

impl<'p> Work<'p> {
    /// What makes a value, within the budget.
    fn new(value: usize, mut kind: Kind<'p>, budget: &mut Budget) -> Self {
        if let Kind::One(_, Step::Reduction(reduction)) | Kind::Joined(_, reduction, _) = &mut kind {
            reduction.keep(budget);
        }
        Self { value, kind, last: Vec::new() }
    }
}

pub(super) fn ids(operands: &[Operand]) -> Vec<ValueId> {
    operands.iter().map(|o| o.value).collect()
}

/// What may be computed at once: the value that an instruction makes, then those of what follows it, each with all up to it joined.
type Chain = Vec<(usize, Option<Chunked>)>;

/// What is computed, in order.
pub(super) fn plan<'p>(program: &'p Program, budget: &mut Budget) -> Vec<Work<'p>> {
    let instruction = |id: usize| program.values[id].instruction();
    let mut readers = vec![0usize; program.values.len()];
    for o in (0..readers.len()).filter_map(instruction).flat_map(|i| &i.operands) {
        readers[o.value as usize] += 1;
    }
    let first_output = program.output_ids().start as usize; // fits: it indexes the values
    let mut chains: Vec<Chain> = Vec::with_capacity(program.values.len());
    for value in 0..program.values.len() {
        let Some(i) = instruction(value) else {
            chains.push(Chain::new());
            continue;
        };
        let joined = i.operands.iter().enumerate().rev().find_map(|(n, o)| {
            let made = o.value as usize;
            let (last, so_far) = chains[made].last().filter(|_| readers[made] == 1 && made < first_output)?;
            Some((made, join(instruction(*last)?, so_far.as_ref(), i, n)?))
        });
        let mut chain = joined.as_ref().map_or(Chain::new(), |(made, _)| std::mem::take(&mut chains[*made]));
        chain.push((value, joined.map(|joined| joined.1)));
        chains.push(chain);
    }
    let mut parted: Vec<Option<Work<'_>>> = Vec::new();
    parted.resize_with(program.values.len(), || None);
    let alone = |value: usize| readers[value] == 1 && value < first_output;
    for value in 0..program.values.len() {
        let parts =
            instruction(value).and_then(concatenation).and_then(|parts| placed(program, &chains, value, parts, alone));
        for (made, kind) in parts.into_iter().flatten() {
            chains[made].clear();
            chains[value].clear();
            parted[made] = Some(Work::new(value, kind, budget));
        }
    }
    let mut work: Vec<Work<'_>> = Vec::new();
    for (chain, parted) in chains.into_iter().zip(parted) {
        work.extend(parted);
        let ready = |n: usize| {
            let joined = chain[n].1.as_ref()?;
            let reads = [ids(&joined.dot.operands), ids(&joined.fold.operands)];
            Some((n, Kind::Joined(reads, Reduction::chunked(joined.clone())?, 0)))
        };
        let (first, mut joined) = (0..chain.len()).rev().find_map(ready).unzip();
        for &(value, _) in chain.get(first.unwrap_or(0)..).unwrap_or_default() {
            let Some(i) = instruction(value) else { continue };
            let kind = joined.take().unwrap_or_else(|| Kind::One(ids(&i.operands), Step::new(i)));
            work.push(Work::new(value, kind, budget));
        }
    }
    let mut work = row_by_row(program, work, &readers);
    let mut seen = vec![false; program.values.len()];
    for work in work.iter_mut().rev() {
        let reads: Vec<ValueId> = match &work.kind {
            Kind::One(reads, _) => reads.clone(),
            Kind::Joined(reads, ..) => reads.concat(),
            Kind::Rows(rows) => rows.reads().to_vec(),
        };
        for id in reads.into_iter().map(|id| id as usize) {
            if !std::mem::replace(&mut seen[id], true) && id < first_output && instruction(id).is_some() {
                work.last.push(id);
            }
        }
    }
    work
}

/// The same, with instructions taken together whose rows need nothing else of one another.
fn row_by_row<'p>(program: &'p Program, work: Vec<Work<'p>>, readers: &[usize]) -> Vec<Work<'p>> {
    let first_output = program.output_ids().start as usize; // fits: it indexes the values
    let single = |work: &Work<'p>| match work.kind {
        Kind::One(_, Step::Elements(i, _)) => Some((work.value as ValueId, i)),
        _ => None,
    };
    let inside = |all: &[(ValueId, &Instruction)]| {
        let Some((_, inner)) = all.split_last() else { return false };
        inner.iter().all(|&(made, _)| {
            let read = all.iter().flat_map(|(_, i)| &i.operands).filter(|o| o.value == made).count();
            read == readers[made as usize] && (made as usize) < first_output
        })
    };
    let mut together = Vec::with_capacity(work.len());
    let mut work = work.into_iter().peekable();
    let mut run: Vec<Work<'p>> = Vec::new();
    loop {
        // The next ones by themselves, as many as may go together.
        while run.len() < MOST && work.peek().is_some_and(|next| single(next).is_some()) {
            run.extend(work.next());
        }
        let all: Vec<(ValueId, &Instruction)> = run.iter().filter_map(single).collect();
        let rows = |&n: &usize| inside(&all[..n]) && all[..n].iter().any(|(_, i)| matches!(i.core, Core::Fold { .. }));
        let found = (2..=all.len()).rev().filter(rows).find_map(|n| Some((n, RowWise::new(&all[..n])?)));
        match found {
            Some((n, rows)) => {
                let value = run[n - 1].value;
                run.drain(..n);
                together.push(Work { value, kind: Kind::Rows(rows), last: Vec::new() });
            }
            None if !run.is_empty() => together.push(run.remove(0)),
            None => match work.next() {
                Some(other) => together.push(other),
                None => return together,
            },
        }
    }
}

/// What makes the parts of a concatenation where they belong, with the values that they would be, if nothing else reads these.
fn placed<'p>(
    program: &'p Program,
    chains: &[Chain],
    value: usize,
    parts: Vec<Part>,
    alone: impl Fn(usize) -> bool,
) -> Option<Vec<(usize, Kind<'p>)>> {
    let whole = program.values[value].instruction()?;
    let place = |part: Part| {
        let made = whole.operands[part.operand].value as usize;
        let chain = &chains[made];
        let (last, joined) = chain.last().filter(|_| alone(made))?;
        let made_by = program.values[*last].instruction()?;
        let chunked = match joined {
            Some(joined) => joined.clone(),
            None => by_itself(made_by),
        };
        let reads = [ids(&chunked.dot.operands), ids(&chunked.fold.operands)];
        let strides = part.steps(&chunked.fold)?;
        let float = [made, value].iter().all(|&id| program.values[id].ty.dtype == DType::F32);
        let all = chain.len() == 1 || joined.is_some();
        Some((made, Kind::Joined(reads, Reduction::placed(chunked, &strides).filter(|_| float && all)?, part.start)))
    };
    parts.into_iter().map(place).collect()
}

/// An instruction with nothing joined to it.
fn by_itself(i: &Instruction) -> Chunked {
    Chunked { dot: i.clone(), fold: i.clone(), axes: (0..i.extents.len()).collect(), chunks: Vec::new() }
}

/// A value's instruction, with what is joined to it so far, and the next one, which reads it as its operand number `operand`.
fn join(last: &Instruction, so_far: Option<&Chunked>, next: &Instruction, operand: usize) -> Option<Chunked> {
    if so_far.is_none()
        && let Some(chunked) = chunked(last, next, operand)
    {
        return Some(chunked);
    }
    if !matches!(last.core, Core::Dot { .. } | Core::Fold { .. }) && so_far.is_none() {
        return None;
    }
    let before = so_far.cloned().unwrap_or_else(|| by_itself(last));
    let fold = follow(&before.fold, next, operand)?;
    Some(Chunked { fold, ..before })
}
