//! Einsum: the operands one after the other, two at a time as a dot over the labels that nothing else needs.

use super::reduce::{fold_axes, without};
use crate::lower::Lowering;
use crate::lower::builder::Builder;
use crate::lower::context::Context;
use crate::lower::formula::Formula;
use crate::lower::lazy::{Axis, Lazy, axis, extent};
use crate::lower::spec::{Read, Spec};
use crate::program::{Core, DType, FoldOp, Op};
use std::collections::{BTreeMap, BTreeSet};

/// What an axis is called: a letter, or its place from the end among those of an ellipsis.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Label {
    Ellipsis(std::cmp::Reverse<usize>),
    Letter(char),
}

/// A tensor whose axes have distinct labels.
struct Labelled {
    x: Lazy,
    labels: Vec<Label>,
}

pub(super) fn einsum(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let equation = c.attributes.string("equation")?.ok_or("attribute `equation` is missing")?;
    let equation: String = equation.chars().filter(|c| !c.is_whitespace()).collect();
    let (left, right) = equation.split_once("->").map_or((equation.as_str(), None), |(l, r)| (l, Some(r)));
    let operands = c.all()?;
    let terms: Vec<&str> = left.split(',').collect();
    if terms.len() != operands.len() {
        return Err(format!("`{equation}` has {} terms for {} inputs", terms.len(), operands.len()));
    }
    let dtype = operands[0].dtype;
    if let Some(other) = operands.iter().find(|x| x.dtype != dtype) {
        return Err(format!("inputs of {dtype} and {}", other.dtype));
    }
    let labels = terms.iter().zip(&operands).map(|(term, x)| read(term, x.rank())).collect::<Lowering<Vec<_>>>()?;
    let out = match right {
        Some(term) => {
            let broadcast =
                labels.iter().flatten().filter(|l| matches!(l, Label::Ellipsis(_))).collect::<BTreeSet<_>>();
            let ellipsis = if term.contains("...") { broadcast.len() } else { 0 };
            read(term, term.replace("...", "").chars().count() + ellipsis)?
        }
        None => once(&labels),
    };
    if out.iter().collect::<BTreeSet<_>>().len() != out.len() {
        return Err(format!("`{equation}` repeats a label of its result"));
    }
    if out.iter().any(|l| !labels.iter().flatten().any(|m| m == l)) {
        return Err(format!("`{equation}` has a label in its result only"));
    }
    let mut sizes: BTreeMap<Label, u64> = BTreeMap::new();
    for (&label, n) in labels.iter().zip(&operands).flat_map(|(labels, x)| labels.iter().zip(x.dims())) {
        let size = sizes.entry(label).or_insert(n);
        match (*size, n) {
            (a, b) if a == b || b == 1 => {}
            (1, b) => *size = b,
            (a, b) => return Err(format!("`{equation}` gives a label both {a} and {b} elements")),
        }
    }
    let mut rest: Vec<Labelled> = Vec::new();
    for (x, labels) in operands.into_iter().zip(labels).rev() {
        rest.push(distinct(c.b, x, labels, &sizes)?);
    }
    let mut all = rest.pop().ok_or("it has no input")?;
    while let Some(next) = rest.pop() {
        let needed = |l: &Label| out.contains(l) || rest.iter().any(|r| r.labels.contains(l));
        let all_sum = summed(c.b, all, |l| needed(l) || next.labels.contains(l))?;
        let next_sum = summed(c.b, next, |l| needed(l) || all_sum.labels.contains(l))?;
        all = product(c.b, &all_sum, &next_sum, needed, &sizes)?;
    }
    let all = summed(c.b, all, |l| out.contains(l))?;
    let order = out.iter().map(|l| all.labels.iter().position(|m| m == l).ok_or("a label is lost"));
    let order = order.collect::<Result<Vec<_>, _>>()?;
    Ok(vec![all.x.permute(&order)])
}

/// The labels of a term for a tensor of this rank.
fn read(term: &str, rank: usize) -> Lowering<Vec<Label>> {
    let (before, after) = term.split_once("...").map_or((term, None), |(b, a)| (b, Some(a)));
    let letters = |part: &str| -> Lowering<Vec<Label>> {
        match part.chars().find(|c| !c.is_ascii_alphabetic()) {
            Some(bad) => Err(format!("`{bad}` in an equation")),
            None => Ok(part.chars().map(Label::Letter).collect()),
        }
    };
    let (mut labels, behind) = (letters(before)?, letters(after.unwrap_or_default())?);
    let named = labels.len() + behind.len();
    let rest = rank.checked_sub(named).filter(|&n| n == 0 || after.is_some());
    let rest = rest.ok_or_else(|| format!("term `{term}` for a tensor of rank {rank}"))?;
    labels.extend((0..rest).rev().map(|n| Label::Ellipsis(std::cmp::Reverse(n))));
    labels.extend(behind);
    Ok(labels)
}

/// The result's labels where the equation does not say them: those of ellipses, then letters that are there once, in order.
fn once(labels: &[Vec<Label>]) -> Vec<Label> {
    let mut count: BTreeMap<Label, usize> = BTreeMap::new();
    labels.iter().flatten().for_each(|&l| *count.entry(l).or_default() += 1);
    count.into_iter().filter(|&(l, n)| n == 1 || matches!(l, Label::Ellipsis(_))).map(|(l, _)| l).collect()
}

/// Axes of one label are one axis: the diagonal; an axis of one element is repeated to the label's size.
fn distinct(b: &mut Builder<'_>, x: Lazy, labels: Vec<Label>, sizes: &BTreeMap<Label, u64>) -> Lowering<Labelled> {
    let repeated: Vec<usize> =
        (0..labels.len()).filter(|&i| labels.iter().filter(|&l| *l == labels[i]).count() > 1).collect();
    let x = b.plain_axes(x, &repeated)?;
    let mut out = Labelled { x: Lazy { axes: Vec::new(), ..x.clone() }, labels: Vec::new() };
    for (label, own) in labels.into_iter().zip(&x.axes) {
        let size = sizes.get(&label).copied().unwrap_or(1);
        let own: Axis = if extent(own) == size { own.clone() } else { axis(size, 0) };
        match out.labels.iter().position(|&l| l == label) {
            None => {
                out.labels.push(label);
                out.x.axes.push(own);
            }
            Some(at) => {
                let stride = |a: &Axis| a.first().map_or(0, |f| f.stride);
                let both = stride(&out.x.axes[at]).checked_add(stride(&own)).ok_or("an address overflows")?;
                out.x.axes[at] = axis(size, both);
            }
        }
    }
    Ok(out)
}

/// Summed over the labels that are not kept.
fn summed(b: &mut Builder<'_>, t: Labelled, keep: impl Fn(&Label) -> bool) -> Lowering<Labelled> {
    let gone: Vec<usize> = (0..t.labels.len()).filter(|&i| !keep(&t.labels[i])).collect();
    if gone.is_empty() {
        return Ok(t);
    }
    let sum = fold_axes(b, &t.x, &gone, FoldOp::Sum, |_, core| Ok(core))?;
    Ok(Labelled { x: without(&sum, &gone), labels: t.labels.into_iter().filter(|l| keep(l)).collect() })
}

/// The products of two tensors, summed over the labels of both that nothing else needs.
fn product(
    builder: &mut Builder<'_>,
    a: &Labelled,
    b: &Labelled,
    needed: impl Fn(&Label) -> bool,
    sizes: &BTreeMap<Label, u64>,
) -> Lowering<Labelled> {
    let shared = |l: &&Label| b.labels.contains(l);
    let batch = a.labels.iter().filter(shared).filter(|l| needed(l));
    let rows = a.labels.iter().filter(|l| !shared(l));
    let columns = b.labels.iter().filter(|l| !a.labels.contains(l));
    let labels: Vec<Label> = batch.chain(rows).chain(columns).copied().collect();
    let gone: Vec<Label> = a.labels.iter().filter(shared).filter(|l| !needed(l)).copied().collect();
    let size = |l: &Label| sizes.get(l).copied().unwrap_or(1);
    let over = |t: &Labelled, labels: &mut dyn Iterator<Item = &Label>| -> Lazy {
        let own = |l: &Label| t.labels.iter().position(|m| m == l);
        let axes = labels.map(|l| own(l).map_or_else(|| axis(size(l), 0), |i| t.x.axes[i].clone())).collect();
        Lazy { axes, ..t.x.clone() }
    };
    let reads = [a, b].map(|t| over(t, &mut labels.iter().chain(&gone)));
    let extents: Vec<u64> = labels.iter().map(size).collect();
    let mut f = Formula::new(&extents);
    if gone.is_empty() {
        let (x, y) = (f.load(builder, &reads[0])?, f.load(builder, &reads[1])?);
        let y = f.op(Op::Mul, &[x, y])?;
        return Ok(Labelled { x: builder.map(f, y)?, labels });
    }
    let dtype = a.x.dtype;
    let reduction: Vec<u64> = gone.iter().map(size).collect();
    let core = f.core(dtype)?;
    let (fold, reads) = if dtype == DType::F32 {
        (Core::Dot { a: 0, b: 1 }, reads.map(Read::plain).to_vec())
    } else {
        let mut inner = Formula::new(&[extents, reduction.clone()].concat());
        let (x, y) = (inner.read(Read::plain(reads[0].clone()))?, inner.read(Read::plain(reads[1].clone()))?);
        let y = inner.op(Op::Mul, &[x, y])?;
        let (reads, body, _) = inner.finish(y);
        (Core::Fold { op: FoldOp::Sum, body }, reads)
    };
    Ok(Labelled { x: builder.reduce(Spec::reduction(reduction, fold, reads, f, core), dtype)?, labels })
}
