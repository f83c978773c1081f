//! A body's graph: what does not depend on its inputs is lowered once, the rest for each run.

use super::Stop;
use crate::lower::builder::Builder;
use crate::lower::context::{Context, axis_of};
use crate::lower::graph::{lower_node, needed};
use crate::lower::lazy::Lazy;
use crate::lower::ops::joined;
use crate::lower::scope::Scope;
use crate::onnx::{Dim, Subgraph, ValueInfo};
use crate::program::TensorType;
use crate::tensor::Tensor;
use std::collections::BTreeSet;
use std::sync::Arc;

/// A body that can be run.
pub(super) struct Body<'s> {
    graph: Arc<Subgraph>,
    /// The operator's name.
    name: String,
    /// What is the same in each run.
    once: Scope<'s>,
    /// The nodes that are not.
    again: Vec<usize>,
}

impl<'s> Body<'s> {
    /// The body in an attribute, with its constants.
    pub(super) fn new(c: &mut Context<'s, '_>, graph: Arc<Subgraph>) -> Result<Self, Stop> {
        let name = c.b.label.name.clone();
        let mut once = Scope::inside(c.scope, format!("{name}/"));
        for (name, lazy) in c.b.body_constants(&graph) {
            once.insert(name, lazy);
        }
        let mut varying: BTreeSet<&str> = graph.inputs.iter().map(|i| i.name.as_str()).collect();
        let mut again = Vec::new();
        for index in needed(&graph.nodes, &graph.outputs) {
            let node = &graph.nodes[index];
            if node.reads().any(|name| varying.contains(name)) {
                varying.extend(node.outputs.iter().map(String::as_str));
                again.push(index);
            } else {
                lower_node(c.b, node, &mut once)?;
            }
        }
        Ok(Self { graph, name, once, again })
    }

    /// Its results for these inputs; `at` is the number of the iteration, for people.
    pub(super) fn run(&self, b: &mut Builder<'_>, at: &str, given: &[Lazy]) -> Result<Vec<Lazy>, Stop> {
        b.budget.unroll(0)?;
        if given.len() != self.graph.inputs.len() {
            return Err(format!("its body takes {} inputs, not {}", self.graph.inputs.len(), given.len()).into());
        }
        let mut scope = Scope::inside(&self.once, format!("{}{at}/", self.name));
        for (info, lazy) in self.graph.inputs.iter().zip(given) {
            of_type(info, lazy)?;
            scope.insert(info.name.clone(), lazy.clone());
        }
        for &index in &self.again {
            lower_node(b, &self.graph.nodes[index], &mut scope)?;
        }
        let mut results = Vec::with_capacity(self.graph.outputs.len());
        for info in &self.graph.outputs {
            let lazy = scope.get(&info.name).ok_or_else(|| format!("`{}` of its body is not known", info.name))?;
            of_type(info, lazy)?;
            results.push(lazy.clone());
        }
        Ok(results)
    }
}

fn of_type(info: &ValueInfo, lazy: &Lazy) -> Result<(), String> {
    match info.dtype.filter(|&d| d != lazy.dtype) {
        Some(declared) => Err(format!("its body declares {declared} for `{}`, it is {}", info.name, lazy.dtype)),
        None => Ok(()),
    }
}

/// One result of every run, joined along a new axis; of no run, as the body declares it.
pub(super) fn stacked(b: &mut Builder<'_>, parts: Vec<Lazy>, axis: i64, info: &ValueInfo) -> Result<Lazy, String> {
    let Some(first) = parts.first() else { return nothing(b, info, axis) };
    let (dtype, dims) = (first.dtype, first.dims());
    if let Some(other) = parts.iter().find(|p| p.dtype != dtype || p.dims() != dims) {
        return Err(format!("`{}` is {dims:?} in one iteration, {:?} in another", info.name, other.dims()));
    }
    let at = axis_of(axis, dims.len() + 1)?;
    joined(b, parts.iter().map(|part| part.with_axis(at)).collect(), at)
}

fn nothing(b: &mut Builder<'_>, info: &ValueInfo, axis: i64) -> Result<Lazy, String> {
    let fixed = |d: &Dim| if let Dim::Fixed(n) = d { Some(*n) } else { None };
    let dims: Option<Vec<u64>> = info.dims.as_ref().and_then(|dims| dims.iter().map(fixed).collect());
    let (Some(mut dims), Some(dtype)) = (dims, info.dtype) else {
        return Err(format!("it has no iteration, and its body does not declare the shape of `{}`", info.name));
    };
    dims.insert(axis_of(axis, dims.len() + 1)?, 0);
    let empty = Tensor::from_le_bytes(&TensorType::new(dtype, dims), &[]).map_err(|e| e.to_string())?;
    Ok(b.constant(empty))
}
