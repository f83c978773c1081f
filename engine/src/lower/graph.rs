//! The model's graph: inputs, nodes in order, outputs.

use super::bill::{Around, STEP_GAS_CEILING, bill};
use super::builder::{Builder, Label, Made};
use super::context::Context;
use super::control::{self, Stop};
use super::error::LowerError;
use super::inputs::inputs;
use super::lazy::Lazy;
use super::scope::Scope;
use super::{finish, mul, ops};
use crate::onnx::{Model, Node, ValueInfo};
use crate::program::limits::MAX_RANK;
use crate::program::{DType, Program, TensorType};
use crate::tensor::Tensor;
use crate::tree;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// What a model leaves open and a program needs.
#[derive(Clone, Debug, Default)]
pub struct LowerOptions {
    /// Shapes of inputs, by name; needed where the model names dimensions or gives none.
    pub shapes: BTreeMap<String, Vec<u64>>,
    /// What dimensions are that the model names instead of giving them a number.
    pub dims: BTreeMap<String, u64>,
    /// Inputs that become constants, by name: shapes, axes and other things that must be known when compiling.
    pub bindings: BTreeMap<String, Tensor>,
}

/// A program with its constants and where everything comes from.
#[derive(Clone, Debug)]
pub struct Lowered {
    /// The validated program.
    pub program: Program,
    /// The constants, in order: values `inputs..inputs + constants`.
    pub constants: Vec<Tensor>,
    /// For each value the ONNX node or tensor it comes from.
    pub names: Vec<String>,
    /// For each value the ONNX operator, several joined by `+` where they were fused; `Copy` for a layout change;
    /// empty for inputs and constants.
    pub operators: Vec<String>,
    /// Names and types of the inputs.
    pub inputs: Vec<(String, TensorType)>,
    /// Names and types of the outputs.
    pub outputs: Vec<(String, TensorType)>,
}

/// Lowers a model.
///
/// # Errors
/// Where the model uses what is not supported, leaves a shape open, or does not fit a program's limits.
pub fn lower(model: &Model, options: &LowerOptions) -> Result<Lowered, LowerError> {
    let needed: Vec<&Node> = needed(&model.nodes, &model.outputs).into_iter().map(|i| &model.nodes[i]).collect();
    if let Some(node) = needed.iter().find(|n| !is_supported(&n.operator)) {
        return Err(LowerError::Operator { operator: node.operator.clone(), node: node.name.clone() });
    }
    let inputs = inputs(model, options)?;
    // Steps are billed by the depth of the trace tree, which is known when the program is: guessed, and if that was too little, again.
    let mut depth = GUESSED_DEPTH;
    loop {
        let lowered = lower_at(model, options, &inputs, &needed, depth)?;
        let needed_depth = tree::depth(lowered.program.values.len() as u64);
        if needed_depth <= depth {
            return affordable(&lowered).map(|()| lowered);
        }
        depth = needed_depth;
    }
}

/// Depth of the trace tree of up to 32 values.
const GUESSED_DEPTH: u32 = 5;

/// No step costs more than the ceiling.
fn affordable(lowered: &Lowered) -> Result<(), LowerError> {
    let Some(worst) = bill(&lowered.program).into_iter().max_by_key(|b| b.gas_worst) else { return Ok(()) };
    if worst.gas_worst <= STEP_GAS_CEILING {
        return Ok(());
    }
    let at = usize::try_from(worst.value).unwrap_or(usize::MAX);
    let text = |list: &[String]| list.get(at).cloned().unwrap_or_default();
    Err(LowerError::Step { operator: text(&lowered.operators), node: text(&lowered.names), gas: worst.gas_worst })
}

/// Lowers a model whose trace tree is billed as if it had this depth.
fn lower_at(
    model: &Model,
    options: &LowerOptions,
    inputs: &[(String, TensorType)],
    needed: &[&Node],
    depth: u32,
) -> Result<Lowered, LowerError> {
    // What the outputs' shapes are is not known yet: none has more dimensions.
    let outputs = vec![TensorType::new(DType::F32, vec![1; MAX_RANK]); model.outputs.len()];
    let mut b = Builder::new(Around::new(depth, inputs.iter().map(|i| &i.1).chain(&outputs)));
    let mut scope = Scope::new();
    for (name, ty) in inputs {
        let label = Label { name: name.clone(), operator: String::new() };
        scope.insert(name.clone(), b.define(ty.clone(), Made::Input, label));
    }
    for (name, tensor) in &options.bindings {
        let label = Label { name: name.clone(), operator: String::new() };
        let tensor = tensor.clone().into_standard_layout();
        scope.insert(name.clone(), b.define(tensor.ty(), Made::Constant(Cow::Owned(tensor)), label));
    }
    for (name, tensor) in &model.initializers {
        let label = Label { name: name.clone(), operator: String::new() };
        scope.insert(name.clone(), b.define(tensor.ty(), Made::Constant(Cow::Borrowed(tensor)), label));
    }
    for node in needed {
        lower_node(&mut b, node, &mut scope)?;
    }
    let mut outputs = Vec::new();
    for info in &model.outputs {
        let fail = |reason: String| LowerError::Output { name: info.name.clone(), reason };
        let lazy = scope.get(&info.name).cloned().ok_or_else(|| fail("it is not defined".into()))?;
        if let Some(declared) = info.dtype.filter(|&d| d != lazy.dtype) {
            return Err(fail(format!("the model declares {declared}, it is {}", lazy.dtype)));
        }
        outputs.push((info.name.clone(), lazy));
    }
    finish::finish(b, inputs.to_vec(), outputs)
}

/// The nodes that a graph's outputs need, in order.
pub(super) fn needed(nodes: &[Node], outputs: &[ValueInfo]) -> Vec<usize> {
    let mut wanted: BTreeSet<&str> = outputs.iter().map(|o| o.name.as_str()).collect();
    let mut needed = Vec::new();
    for (index, node) in nodes.iter().enumerate().rev() {
        if node.outputs.iter().any(|o| wanted.contains(o.as_str())) {
            wanted.extend(node.reads());
            needed.push(index);
        }
    }
    needed.reverse();
    needed
}

fn is_supported(operator: &str) -> bool {
    ops::find(operator).is_some() || control::find(operator).is_some()
}

/// Lowers a node of a graph and gives its outputs their names.
pub(super) fn lower_node(b: &mut Builder<'_>, node: &Node, scope: &mut Scope<'_>) -> Result<(), LowerError> {
    let name = scope.named(&node.name);
    if !is_supported(&node.operator) {
        return Err(LowerError::Operator { operator: node.operator.clone(), node: name });
    }
    b.label = Label { name: name.clone(), operator: node.operator.clone() };
    // Only what this node asks for can be why it is refused.
    b.forget_unknown();
    results(b, node, scope).and_then(|results| named(node, results, scope).map_err(Stop::Here)).map_err(|stop| {
        let (operator, node) = (node.operator.clone(), name);
        match stop {
            Stop::Inside(error) => error,
            Stop::Here(reason) => match b.unbound() {
                inputs if inputs.is_empty() => LowerError::Node { operator, node, reason },
                inputs => LowerError::Unbound { operator, node, what: reason, inputs },
            },
        }
    })
}

fn results(b: &mut Builder<'_>, node: &Node, scope: &Scope<'_>) -> Result<Vec<Lazy>, Stop> {
    if scope.is_inside() {
        b.budget.unroll(node.attributes.weight().saturating_add(b.label.name.len() as u64))?;
    }
    let mut context = Context::new(b, node, scope);
    let results = match (ops::find(&node.operator), control::find(&node.operator)) {
        (Some(lowering), _) => lowering(&mut context)?,
        (None, Some(control)) => control(&mut context)?,
        (None, None) => return Err("unsupported operator".into()),
    };
    context.check_all_read(results.len())?;
    b.budget.within_limits(node.attributes.weight())?;
    Ok(results)
}

fn named(node: &Node, results: Vec<Lazy>, scope: &mut Scope<'_>) -> Result<(), String> {
    for (name, lazy) in node.outputs.iter().zip(results).filter(|(name, _)| !name.is_empty()) {
        if lazy.rank() > MAX_RANK {
            return Err(format!("its result has rank {}, at most {MAX_RANK} is supported", lazy.rank()));
        }
        mul(&lazy.dims())?;
        scope.insert(name.clone(), lazy);
    }
    Ok(())
}
