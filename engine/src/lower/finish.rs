//! From definitions to the program: outputs last, the unused dropped, numbers given.

use super::builder::{Builder, COPY, Label, Made};
use super::error::LowerError;
use super::fuse::{fuse, live, operands};
use super::graph::Lowered;
use super::lazy::{DefId, Lazy};
use crate::hash::Hash;
use crate::program::*;
use crate::tensor::Tensor;
use crate::tree::tensor_root;
use std::collections::{BTreeMap, BTreeSet};

/// Makes the program that computes `outputs`.
pub(super) fn finish(
    mut b: Builder<'_>,
    inputs: Vec<(String, TensorType)>,
    outputs: Vec<(String, Lazy)>,
) -> Result<Lowered, LowerError> {
    let count = |n: usize, what: &str| {
        u8::try_from(n).map_err(|_| LowerError::Program(ProgramError::Program(format!("{n} {what}, at most 255 fit"))))
    };
    let (input_count, output_count) = (count(inputs.len(), "inputs")?, count(outputs.len(), "outputs")?);
    let last = outputs_of_their_own(&mut b, &outputs)?;
    let set: BTreeSet<DefId> = last.iter().copied().collect();
    fuse(&mut b, &set);

    let live = live(&b, &set);
    let constants = live.iter().copied().filter(|&d| b.constant_of(d).is_some());
    let results = live.iter().copied().filter(|d| matches!(b.defs[*d].made, Made::Result(_)) && !set.contains(d));
    let order: Vec<DefId> = (0..inputs.len()).chain(constants).chain(results).chain(last).collect();
    let number: BTreeMap<DefId, ValueId> = order.iter().zip(0..).map(|(&def, id)| (def, id)).collect();

    let mut values = Vec::with_capacity(order.len());
    let mut tensors = Vec::new();
    for &def in &order {
        // Weights are moved out, not copied.
        let source = match std::mem::replace(&mut b.defs[def].made, Made::Input) {
            Made::Input => Source::Input,
            Made::Constant(tensor) => {
                let tensor: Tensor = tensor.into_owned().into_standard_layout();
                let root: Hash = tensor_root(&tensor);
                tensors.push(tensor);
                Source::Constant { root }
            }
            Made::Result(draft) => {
                let ty = |def: DefId| (b.defs[def].ty.dtype, b.defs[def].ty.elements());
                draft.value(|def| number.get(&def).copied().unwrap_or(ValueId::MAX), ty).source
            }
        };
        values.push(Value { ty: b.defs[def].ty.clone(), source });
    }
    let program = Program { inputs: input_count, outputs: output_count, values };
    validate(&program)?;
    Ok(Lowered {
        outputs: outputs.into_iter().map(|(name, _)| name).zip(program.output_types().cloned()).collect(),
        names: order.iter().map(|&d| b.defs[d].label.name.clone()).collect(),
        operators: order.iter().map(|&d| b.defs[d].label.operator.clone()).collect(),
        constants: tensors,
        inputs,
        program,
    })
}

/// One definition for each output, in ONNX's layout, that nothing else reads.
fn outputs_of_their_own(b: &mut Builder<'_>, outputs: &[(String, Lazy)]) -> Result<Vec<DefId>, LowerError> {
    let roots: BTreeSet<DefId> = outputs.iter().map(|(_, lazy)| lazy.def).collect();
    let read: BTreeSet<DefId> = live(b, &roots).into_iter().flat_map(|def| operands(b, def)).collect();
    let mut last: Vec<DefId> = Vec::new();
    for (name, lazy) in outputs {
        let d = &b.defs[lazy.def];
        let whole = lazy.is_dense() && lazy.elements() == d.ty.elements();
        if whole && matches!(d.made, Made::Result(_)) && !read.contains(&lazy.def) && !last.contains(&lazy.def) {
            b.defs[lazy.def].ty.dims = lazy.dims();
            last.push(lazy.def);
        } else {
            let label = Label { name: name.clone(), operator: COPY.into() };
            let fail = |reason| LowerError::Output { name: name.clone(), reason };
            last.push(b.output_copy(lazy, label).map_err(fail)?.def);
        }
    }
    Ok(last)
}
