//! MaxUnpool: every output looks through all updates for those that name it, and takes the last one.
//!
//! Two folds: the number of the last update with this index, then the element of that number; so an output's index need not be in
//! its own channel, and of updates to one place the last one counts.

use super::pad::widened;
use super::window::given;
use crate::lower::Lowering;
use crate::lower::context::Context;
use crate::lower::formula::Formula;
use crate::lower::lazy::{Lazy, axis};
use crate::lower::mul;
use crate::lower::spec::{Read, Spec};
use crate::program::limits::FIRST_REDUCTION_AXIS;
use crate::program::{Core, DType, FoldOp, Op};

pub(super) fn max_unpool(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let (x, indices) = (c.input(0)?, c.input(1)?);
    let dims = x.dims();
    if dims.len() < 3 || indices.dims() != dims || indices.dtype != DType::I64 || !x.dtype.is_number() {
        return Err(format!("{} {dims:?} with indices {} {:?}", x.dtype, indices.dtype, indices.dims()));
    }
    let n = dims.len() - 2;
    let kernel = c.attributes.ints("kernel_shape")?.ok_or("attribute `kernel_shape` is missing")?;
    if kernel.len() != n || kernel.iter().any(|k| !(1..1 << 31).contains(k)) {
        return Err(format!("kernel {kernel:?} does not fit {n} spatial dimensions"));
    }
    let (strides, pads) = (given(c, "strides", n, 1, 1)?, given(c, "pads", 2 * n, 0, 0)?);
    let mut inferred = dims[..2].to_vec();
    for i in 0..n {
        let last = i64::try_from(dims[2 + i]).map_err(|e| e.to_string())? - 1;
        let size = last.checked_mul(strides[i]).and_then(|s| s.checked_add(kernel[i] - pads[i] - pads[n + i]));
        let size = size.and_then(|s| u64::try_from(s).ok()).ok_or_else(|| format!("pads {pads:?} leave nothing"))?;
        inferred.push(size);
    }
    let (updates, outputs) = (mul(&dims)?, mul(&inferred)?);
    if updates == 0 || outputs == 0 {
        return Err("an empty input is not supported".into());
    }

    let x = c.b.reshape(&x, &[updates])?;
    let indices = c.b.reshape(&indices, &[updates])?;
    let over = |t: &Lazy| Read::plain(Lazy { axes: vec![axis(outputs, 0), t.axes[0].clone()], ..t.clone() });
    let fold = |inner: Formula, folded, outer: Formula, result| {
        let (reads, body, _) = inner.finish(folded);
        Spec::reduction(vec![updates], Core::Fold { op: FoldOp::Max, body }, reads, outer, result)
    };

    let mut f = Formula::new(&[outputs, updates]);
    let (index, position, number) = (f.read(over(&indices))?, f.iota(0)?, f.iota(FIRST_REDUCTION_AXIS)?);
    let (here, none) = (f.op(Op::Eq, &[index, position])?, f.register(DType::I64, -1)?);
    let found = f.select(here, number, none)?;
    let mut outer = Formula::new(&[outputs]);
    let core = outer.core(DType::I64)?;
    let last = c.b.reduce(fold(f, found, outer, core), DType::I64)?;

    let mut f = Formula::new(&[outputs, updates]);
    let element = f.read(over(&x))?;
    let wanted = f.read(Read::plain(Lazy { axes: vec![last.axes[0].clone(), axis(updates, 0)], ..last.clone() }))?;
    let number = f.iota(FIRST_REDUCTION_AXIS)?;
    let (here, none) = (f.op(Op::Eq, &[number, wanted])?, f.register(x.dtype, FoldOp::Max.empty(x.dtype))?);
    let found = f.select(here, element, none)?;
    let mut outer = Formula::new(&[outputs]);
    let (core, last) = (outer.core(x.dtype)?, outer.read(Read::plain(last))?);
    let (zero, unnamed) = (outer.register(DType::I64, 0)?, outer.register(x.dtype, 0)?);
    let no = outer.op(Op::Lt, &[last, zero])?;
    let result = outer.select(no, unnamed, core)?;
    let flat = c.b.reduce(fold(f, found, outer, result), x.dtype)?;

    let mut y = c.b.reshape(&flat, &inferred)?;
    if let Some(shape) = c.optional_ints(2, "output_shape")? {
        if shape.len() != y.rank() || shape.iter().any(|d| !(1..1 << 40).contains(d)) {
            return Err(format!("output_shape {shape:?} does not fit {inferred:?}"));
        }
        let mut wider = Vec::new();
        for (a, (&target, &size)) in shape.iter().zip(&inferred).enumerate() {
            y = c.b.slice(&y, a, 0, 1, size.min(target.unsigned_abs()))?;
            if target.unsigned_abs() > size {
                wider.push((a, 0, target - i64::try_from(size).map_err(|e| e.to_string())?));
            }
        }
        y = widened(c.b, y, &wider, 0)?;
    }
    Ok(vec![y])
}
