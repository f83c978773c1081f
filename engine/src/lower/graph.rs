//! The model's graph: inputs, nodes in order, outputs.

use super::bill::{Around, STEP_GAS_CEILING, bill};
use super::builder::{Builder, Label, Made};
use super::context::Context;
use super::error::LowerError;
use super::lazy::Lazy;
use super::{finish, mul, ops};
use crate::onnx::{Dim, Model, Node, ValueInfo};
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
    let needed = needed(model);
    if let Some(node) = needed.iter().find(|n| ops::find(&n.operator).is_none()) {
        return Err(LowerError::Operator { operator: node.operator.clone(), node: node.name.clone() });
    }
    unknown_names(model, options)?;
    // Steps are billed by the depth of the trace tree, which is known when the program is: guessed, and if that was too little, again.
    let mut depth = GUESSED_DEPTH;
    loop {
        let lowered = lower_at(model, options, &needed, depth)?;
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
fn lower_at(model: &Model, options: &LowerOptions, needed: &[&Node], depth: u32) -> Result<Lowered, LowerError> {
    let mut inputs = Vec::new();
    for info in model.inputs.iter().filter(|i| !options.bindings.contains_key(&i.name)) {
        let ty = input_type(info, options).map_err(|reason| LowerError::Input { name: info.name.clone(), reason })?;
        inputs.push((info.name.clone(), ty));
    }
    // What the outputs' shapes are is not known yet: none has more dimensions.
    let outputs = vec![TensorType::new(DType::F32, vec![1; MAX_RANK]); model.outputs.len()];
    let mut b = Builder::new(Around::new(depth, inputs.iter().map(|i| &i.1).chain(&outputs)));
    let mut tensors: BTreeMap<String, Lazy> = BTreeMap::new();
    for (name, ty) in &inputs {
        let label = Label { name: name.clone(), operator: String::new() };
        tensors.insert(name.clone(), b.define(ty.clone(), Made::Input, label));
    }
    for (name, tensor) in &options.bindings {
        let label = Label { name: name.clone(), operator: String::new() };
        let tensor = tensor.clone().into_standard_layout();
        tensors.insert(name.clone(), b.define(tensor.ty(), Made::Constant(Cow::Owned(tensor)), label));
    }
    for (name, tensor) in &model.initializers {
        let label = Label { name: name.clone(), operator: String::new() };
        tensors.insert(name.clone(), b.define(tensor.ty(), Made::Constant(Cow::Borrowed(tensor)), label));
    }
    for node in needed {
        lower_node(&mut b, node, &mut tensors).map_err(|reason| LowerError::Node {
            operator: node.operator.clone(),
            node: node.name.clone(),
            reason,
        })?;
    }
    let mut outputs = Vec::new();
    for info in &model.outputs {
        let fail = |reason: String| LowerError::Output { name: info.name.clone(), reason };
        let lazy = tensors.get(&info.name).cloned().ok_or_else(|| fail("it is not defined".into()))?;
        if let Some(declared) = info.dtype.filter(|&d| d != lazy.dtype) {
            return Err(fail(format!("the model declares {declared}, it is {}", lazy.dtype)));
        }
        outputs.push((info.name.clone(), lazy));
    }
    finish::finish(b, inputs, outputs)
}

/// The nodes that the outputs need, in order.
fn needed(model: &Model) -> Vec<&Node> {
    let mut wanted: BTreeSet<&str> = model.outputs.iter().map(|o| o.name.as_str()).collect();
    let mut nodes: Vec<&Node> = Vec::new();
    for node in model.nodes.iter().rev() {
        if node.outputs.iter().any(|o| wanted.contains(o.as_str())) {
            wanted.extend(node.inputs.iter().filter(|i| !i.is_empty()).map(String::as_str));
            nodes.push(node);
        }
    }
    nodes.reverse();
    nodes
}

fn unknown_names(model: &Model, options: &LowerOptions) -> Result<(), LowerError> {
    let known = |name: &String| model.inputs.iter().any(|i| i.name == *name);
    match options.shapes.keys().chain(options.bindings.keys()).find(|name| !known(name)) {
        Some(name) => Err(LowerError::Input { name: name.clone(), reason: "the model has no such input".into() }),
        None => Ok(()),
    }
}

fn input_type(info: &ValueInfo, options: &LowerOptions) -> Result<TensorType, String> {
    let dtype = info.dtype.ok_or("it declares no element type")?;
    let dims = match (options.shapes.get(&info.name), &info.dims) {
        (Some(given), declared) => {
            let fits = declared.as_ref().is_none_or(|declared| {
                let agrees = |(d, &g): (&Dim, &u64)| !matches!(d, Dim::Fixed(n) if *n != g);
                declared.len() == given.len() && declared.iter().zip(given).all(agrees)
            });
            if !fits {
                return Err(format!("shape {given:?} does not agree with the model's declaration"));
            }
            given.clone()
        }
        (None, None) => return Err("the model gives it no shape; give one".into()),
        (None, Some(declared)) => declared
            .iter()
            .map(|d| match d {
                Dim::Fixed(n) => Ok(*n),
                Dim::Named(name) => Err(format!("dimension `{name}` is open; give the input's shape")),
                Dim::Unknown => Err("a dimension is open; give the input's shape".to_string()),
            })
            .collect::<Result<_, _>>()?,
    };
    mul(&dims)?;
    if dims.len() > MAX_RANK {
        return Err(format!("rank {} is above {MAX_RANK}", dims.len()));
    }
    Ok(TensorType { dtype, dims })
}

fn lower_node(b: &mut Builder<'_>, node: &Node, tensors: &mut BTreeMap<String, Lazy>) -> Result<(), String> {
    b.label = Label { name: node.name.clone(), operator: node.operator.clone() };
    let lowering = ops::find(&node.operator).ok_or("unsupported operator")?;
    let mut context = Context::new(b, node, tensors);
    let results = lowering(&mut context)?;
    context.check_all_read(results.len())?;
    for (name, lazy) in node.outputs.iter().zip(results).filter(|(name, _)| !name.is_empty()) {
        if lazy.rank() > MAX_RANK {
            return Err(format!("its result has rank {}, at most {MAX_RANK} is supported", lazy.rank()));
        }
        mul(&lazy.dims())?;
        tensors.insert(name.clone(), lazy);
    }
    Ok(())
}
