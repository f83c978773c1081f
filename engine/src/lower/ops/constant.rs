//! Constants of the graph.

use crate::lower::Lowering;
use crate::lower::constant::from_registers;
use crate::lower::context::Context;
use crate::lower::lazy::{Lazy, axis};
use crate::lower::mul;
use crate::program::{DType, Op, TensorType};
use crate::reference::apply;
use crate::tensor::Tensor;
use ndarray::{ArrayD, IxDyn, arr0};

pub(super) fn constant(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let a = &mut c.attributes;
    let tensor = if let Some(t) = a.tensor("value")? {
        t
    } else if let Some(x) = a.float("value_float")? {
        Tensor::F32(arr0(x).into_dyn())
    } else if let Some(x) = a.int("value_int")? {
        Tensor::I64(arr0(x).into_dyn())
    } else if let Some(xs) = a.floats("value_floats")? {
        Tensor::F32(ndarray::Array1::from(xs).into_dyn())
    } else if let Some(xs) = a.ints("value_ints")? {
        Tensor::I64(ndarray::Array1::from(xs).into_dyn())
    } else {
        return Err(format!("attribute `{}` is not supported", a.unread().unwrap_or("value")));
    };
    Ok(vec![c.b.constant(tensor)])
}

pub(super) fn constant_of_shape(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let shape = c.optional_ints(0, "shape")?.ok_or("its shape is missing")?;
    let dims: Vec<u64> =
        shape.iter().map(|&d| u64::try_from(d).map_err(|_| format!("shape {shape:?}"))).collect::<Lowering<_>>()?;
    mul(&dims)?;
    let value = c.attributes.tensor("value")?.unwrap_or_else(|| Tensor::F32(ArrayD::zeros(IxDyn(&[1]))));
    if value.len() != 1 {
        return Err("its value must have one element".into());
    }
    let one = c.b.constant(value);
    // One element, repeated: nothing is stored until somebody needs it so.
    Ok(vec![Lazy { axes: dims.iter().map(|&d| axis(d, 0)).collect(), ..one }])
}

/// Range with bounds known now.
pub(super) fn range(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let bounds = [c.input(0)?, c.input(1)?, c.input(2)?];
    let dtype = bounds[0].dtype;
    let mut known = [0; 3];
    for (k, b) in known.iter_mut().zip(&bounds) {
        *k = c.b.scalar(b).filter(|_| b.dtype == dtype).ok_or("its bounds must be constants of one type")?;
    }
    let as_number = |register: i64| match dtype {
        DType::F32 => f64::from(f32::from_bits(register as u32)), // the 32 bits of the register
        _ => register as f64,
    };
    let [start, limit, delta] = known;
    let count = match dtype {
        DType::F32 => ((as_number(limit) - as_number(start)) / as_number(delta)).ceil().max(0.0),
        DType::I16 | DType::I32 | DType::I64 if delta != 0 => {
            let (mut distance, mut step) = (i128::from(limit) - i128::from(start), i128::from(delta));
            if step < 0 {
                (distance, step) = (-distance, -step);
            }
            let whole = distance.div_euclid(step) + i128::from(distance.rem_euclid(step) != 0);
            whole.max(0) as f64
        }
        _ => return Err(format!("a range of {dtype} in steps of {delta}")),
    };
    if count.is_nan() || count >= 65_536.0 {
        return Err(format!("a range of {count} elements is too long"));
    }
    let count = count as u64; // below 65,536
    let at = |i: u64| {
        let i = i as i64;
        let i = if dtype == DType::F32 { i64::from((i as f32).to_bits()) } else { i };
        let step = apply(Op::Mul, dtype, [i, delta, 0]);
        apply(Op::Add, dtype, [start, step, 0])
    };
    let tensor = from_registers(&TensorType::new(dtype, vec![count]), (0..count).map(at))?;
    Ok(vec![c.b.constant(tensor)])
}
