//! Scan: its body for each element of sequences. Operator set 8 scans each of a batch by itself.

use super::Stop;
use super::body::{Body, stacked};
use crate::lower::builder::Builder;
use crate::lower::context::{Context, axis_of};
use crate::lower::lazy::Lazy;
use crate::onnx::Subgraph;
use std::sync::Arc;

/// A sequence, or where one goes.
#[derive(Clone)]
struct Along {
    axis: i64,
    reversed: bool,
}

pub(super) fn scan(c: &mut Context<'_, '_>) -> Result<Vec<Lazy>, Stop> {
    let graph = c.attributes.graph("body")?.ok_or("attribute `body` is missing")?;
    let batched = c.opset < 9;
    let first = usize::from(batched);
    let lengths = if batched { c.optional_ints(0, "sequence_lens")? } else { None };
    let mut states = (first..c.inputs()).map(|i| c.input(i)).collect::<Result<Vec<Lazy>, _>>()?;
    let count = c.attributes.int("num_scan_inputs")?.ok_or("attribute `num_scan_inputs` is missing")?;
    let count = usize::try_from(count).ok().filter(|&n| 0 < n && n <= states.len());
    let sequences = states.split_off(states.len() - count.ok_or("num_scan_inputs does not fit its inputs")?);
    let scans = graph.outputs.len().checked_sub(states.len()).ok_or("its body has fewer outputs than it has states")?;
    if batched {
        let from = along(c, sequences.len(), None, Some("directions"))?;
        return batches(c, graph, lengths, &states, &sequences, &from);
    }
    let from = along(c, sequences.len(), Some("scan_input_axes"), Some("scan_input_directions"))?;
    let to = along(c, scans, Some("scan_output_axes"), Some("scan_output_directions"))?;
    one(c, graph, states, &sequences, &from, &to)
}

fn along(
    c: &mut Context<'_, '_>,
    count: usize,
    axes: Option<&str>,
    directions: Option<&str>,
) -> Result<Vec<Along>, String> {
    let mut numbers = |name: Option<&str>| match name.map(|name| c.attributes.ints(name)).transpose()?.flatten() {
        None => Ok(vec![0; count]),
        Some(given) if given.len() == count => Ok(given),
        Some(given) => Err(format!("{name:?} {given:?} for {count}", name = name.unwrap_or_default())),
    };
    let (axes, directions) = (numbers(axes)?, numbers(directions)?);
    Ok(axes.into_iter().zip(directions).map(|(axis, d)| Along { axis, reversed: d != 0 }).collect())
}

/// The states at the end, then the sequences made.
fn one(
    c: &mut Context<'_, '_>,
    graph: Arc<Subgraph>,
    mut states: Vec<Lazy>,
    sequences: &[Lazy],
    from: &[Along],
    to: &[Along],
) -> Result<Vec<Lazy>, Stop> {
    let mut lengths = Vec::with_capacity(sequences.len());
    for (x, along) in sequences.iter().zip(from) {
        lengths.push(x.dims()[axis_of(along.axis, x.rank())?]);
    }
    let length = lengths.first().copied().unwrap_or(0);
    if lengths.iter().any(|&n| n != length) {
        return Err(format!("its sequences have lengths {lengths:?}").into());
    }
    let mut collected: Vec<Vec<Lazy>> = vec![Vec::new(); to.len()];
    let label = c.b.label.clone();
    let mut body = None;
    for i in 0..length {
        let mut given = states.clone();
        for (x, along) in sequences.iter().zip(from) {
            let at = if along.reversed { length - 1 - i } else { i };
            given.push(element(c.b, x, along.axis, at)?);
        }
        let body = match &body {
            Some(body) => body,
            None => body.insert(Body::new(c, graph.clone())?),
        };
        let results = body.run(c.b, &format!("[{i}]"), &given)?;
        c.b.label.clone_from(&label);
        let (next, elements) = results.split_at_checked(states.len()).ok_or("its body gives too few values")?;
        states = next.to_vec();
        collected.iter_mut().zip(elements).for_each(|(all, one)| all.push(one.clone()));
    }
    let infos = &graph.outputs[states.len()..];
    for ((mut parts, along), info) in collected.into_iter().zip(to).zip(infos) {
        if along.reversed {
            parts.reverse();
        }
        states.push(stacked(c.b, parts, along.axis, info)?);
    }
    Ok(states)
}

/// Axis 0 of everything is the batch, axis 1 of sequences the sequence.
fn batches(
    c: &mut Context<'_, '_>,
    graph: Arc<Subgraph>,
    lengths: Option<Vec<i64>>,
    states: &[Lazy],
    sequences: &[Lazy],
    from: &[Along],
) -> Result<Vec<Lazy>, Stop> {
    let batch = sequences[0].dims().first().copied().unwrap_or(0);
    if states.iter().chain(sequences).any(|x| x.dims().first() != Some(&batch)) {
        return Err("its inputs differ in the batch's axis".into());
    }
    let longest = sequences[0].dims().get(1).copied().unwrap_or(0);
    if lengths.is_some_and(|l| l.iter().any(|&n| u64::try_from(n) != Ok(longest))) {
        return Err(
            format!("sequences of other lengths than {longest} are not supported; pad them in the model").into()
        );
    }
    let to = vec![Along { axis: 0, reversed: false }; graph.outputs.len() - states.len()];
    let mut collected: Vec<Vec<Lazy>> = vec![Vec::new(); graph.outputs.len()];
    for i in 0..batch {
        let states = states.iter().map(|x| element(c.b, x, 0, i)).collect::<Result<Vec<_>, _>>()?;
        let sequences = sequences.iter().map(|x| element(c.b, x, 0, i)).collect::<Result<Vec<_>, _>>()?;
        let results = one(c, graph.clone(), states, &sequences, from, &to)?;
        collected.iter_mut().zip(results).for_each(|(all, one)| all.push(one));
    }
    let stack = |(parts, info)| stacked(c.b, parts, 0, info).map_err(Stop::from);
    collected.into_iter().zip(&graph.outputs).map(stack).collect()
}

/// One coordinate of an axis, without the axis.
fn element(b: &mut Builder<'_>, x: &Lazy, axis: i64, at: u64) -> Result<Lazy, String> {
    let axis = axis_of(axis, x.rank())?;
    let one = b.slice(x, axis, at, 1, 1)?;
    let kept: Vec<usize> = (0..x.rank()).filter(|&a| a != axis).collect();
    Ok(one.permute(&kept))
}
