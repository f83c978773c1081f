//! Types of a program's inputs: what the model declares, with what it leaves open closed by options.

use super::error::LowerError;
use super::graph::LowerOptions;
use super::mul;
use crate::onnx::{Dim, Model, ValueInfo};
use crate::program::TensorType;
use crate::program::limits::MAX_RANK;
use std::collections::BTreeMap;

/// Names and types of the inputs that are not bound.
pub(super) fn inputs(model: &Model, options: &LowerOptions) -> Result<Vec<(String, TensorType)>, LowerError> {
    known_names(model, options)?;
    let dims = dimensions(model, options);
    let free = model.inputs.iter().filter(|i| !options.bindings.contains_key(&i.name));
    free.map(|info| match input_type(info, options, &dims) {
        Ok(ty) => Ok((info.name.clone(), ty)),
        Err(reason) => Err(LowerError::Input { name: info.name.clone(), reason }),
    })
    .collect()
}

/// Options are for inputs and dimensions that the model has.
fn known_names(model: &Model, options: &LowerOptions) -> Result<(), LowerError> {
    let known = |name: &String| model.inputs.iter().any(|i| i.name == *name);
    if let Some(name) = options.shapes.keys().chain(options.bindings.keys()).find(|name| !known(name)) {
        return Err(LowerError::Input { name: name.clone(), reason: "the model has no such input".into() });
    }
    let declared = |name: &String| {
        let mut dims = model.inputs.iter().filter_map(|i| i.dims.as_ref()).flatten();
        dims.any(|d| matches!(d, Dim::Named(n) if n == name))
    };
    match options.dims.keys().find(|name| !declared(name)) {
        Some(name) => Err(LowerError::Dimension { name: name.clone() }),
        None => Ok(()),
    }
}

/// What the names of dimensions stand for: as given, or as the shapes of other inputs say where they agree.
fn dimensions(model: &Model, options: &LowerOptions) -> BTreeMap<String, u64> {
    let mut said: BTreeMap<&str, Option<u64>> = BTreeMap::new();
    for info in &model.inputs {
        let bound = options.bindings.get(&info.name).map(|t| t.ty().dims);
        let shape = options.shapes.get(&info.name).cloned().or(bound);
        for (d, n) in info.dims.iter().flatten().zip(shape.into_iter().flatten()) {
            if let Dim::Named(name) = d {
                let one = said.entry(name).or_insert(Some(n));
                *one = one.filter(|&m| m == n);
            }
        }
    }
    let agreed = said.into_iter().filter_map(|(name, n)| Some((name.to_string(), n?)));
    agreed.chain(options.dims.iter().map(|(name, &n)| (name.clone(), n))).collect()
}

fn input_type(info: &ValueInfo, options: &LowerOptions, named: &BTreeMap<String, u64>) -> Result<TensorType, String> {
    let dtype = info.dtype.ok_or("it declares no element type")?;
    let dims = match (options.shapes.get(&info.name), &info.dims) {
        (Some(given), declared) => {
            let agrees = |(d, &g): (&Dim, &u64)| match d {
                Dim::Fixed(n) => *n == g,
                Dim::Named(name) => options.dims.get(name).is_none_or(|&n| n == g),
                Dim::Unknown => true,
            };
            let fits = declared
                .as_ref()
                .is_none_or(|declared| declared.len() == given.len() && declared.iter().zip(given).all(agrees));
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
                Dim::Named(name) => named
                    .get(name)
                    .copied()
                    .ok_or_else(|| format!("dimension `{name}` is open; give it a number, or the input a shape")),
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
