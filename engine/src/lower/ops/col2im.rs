//! Col2Im: for each phase of the strides a sum over the taps that reach it.

use super::phases::{Spread, by_phases};
use super::window::given;
use crate::lower::Lowering;
use crate::lower::constant::from_registers;
use crate::lower::context::Context;
use crate::lower::formula::Formula;
use crate::lower::lazy::{Lazy, axis};
use crate::lower::spec::{Access, Read, Spec};
use crate::program::{Core, Expr, FoldOp, Node, TensorType};

pub(super) fn col2im(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let x = c.input(0)?;
    let image = c.optional_ints(1, "image_shape")?.ok_or("its image_shape is missing")?;
    let block = c.optional_ints(2, "block_shape")?.ok_or("its block_shape is missing")?;
    let n = image.len();
    if n == 0 || block.len() != n || image.iter().chain(&block).any(|d| !(1..1 << 31).contains(d)) {
        return Err(format!("image_shape {image:?} and block_shape {block:?} do not fit each other"));
    }
    if !FoldOp::Sum.accepts(x.dtype) {
        return Err(format!("sums of {} are not supported", x.dtype));
    }
    let (strides, dilations) = (given(c, "strides", n, 1, 1)?, given(c, "dilations", n, 1, 1)?);
    let pads = given(c, "pads", 2 * n, 0, 0)?;
    let mut axes = Vec::with_capacity(n);
    for i in 0..n {
        let reach =
            (block[i] - 1).checked_mul(dilations[i]).filter(|&r| r < 1 << 40).ok_or("a dilated block of 2^40")?;
        let room = image[i] + pads[i] + pads[n + i] - reach - 1;
        if room < 0 {
            return Err(format!("block {block:?} does not fit the padded image {image:?}"));
        }
        axes.push(Spread {
            input: room / strides[i] + 1,
            output: image[i],
            kernel: block[i],
            stride: strides[i],
            dilation: dilations[i],
            pad: pads[i],
        });
    }
    let [batch, rows, columns] = <[u64; 3]>::try_from(x.dims()).map_err(|d| format!("input {d:?} is not [n, c, l]"))?;
    let taps: Vec<u64> = block.iter().map(|k| k.unsigned_abs()).collect();
    let blocks: Vec<u64> = axes.iter().map(|a| a.input.unsigned_abs()).collect();
    let per_channel = crate::lower::mul(&taps)?;
    if rows % per_channel != 0 || crate::lower::mul(&blocks)? != columns {
        return Err(format!("input {:?} is not blocks {block:?} of an image {image:?}", x.dims()));
    }
    // n, c, taps.., blocks..
    let split: Vec<u64> = [batch, rows / per_channel].into_iter().chain(taps).chain(blocks).collect();
    let x = c.b.reshape(&x, &split)?;
    let x = c.b.plain_axes(x, &(2..2 + 2 * n).collect::<Vec<_>>())?;
    let stride = |a: usize| x.axes[a].first().map_or(0, |f| f.stride);

    let counts = axes.iter().map(|a| a.count().unsigned_abs());
    let extents: Vec<u64> = split[..2].iter().copied().chain(counts).collect();
    let zero = from_registers(&TensorType::new(x.dtype, vec![]), std::iter::once(0))?;
    let nothing = c.b.constant(zero).broadcast(&extents).ok_or("zeros do not broadcast")?;
    let y = by_phases(c.b, &axes, 2, &nothing, |b, phases| {
        let mut base = x.base;
        let (mut outputs, mut taps, mut guards) = (Vec::new(), Vec::new(), Vec::new());
        for (i, (a, p)) in axes.iter().zip(phases).enumerate() {
            let (tap, block) = (stride(2 + i), stride(2 + n + i));
            let times = |s: i64, k: i64| s.checked_mul(k).ok_or("an address overflows");
            let first = times(tap, p.first)?.checked_add(times(block, p.start)?).ok_or("an address overflows")?;
            base = base.checked_add(first).ok_or("an address overflows")?;
            outputs.push(axis(a.count().unsigned_abs(), block));
            let next = times(tap, p.step)?.checked_sub(times(block, p.back)?).ok_or("an address overflows")?;
            taps.push(axis(p.taps.unsigned_abs(), next));
            guards.extend(a.guard(p, 2 + i, 2 + n + i));
        }
        let all = x.axes[..2].iter().cloned().chain(outputs).chain(taps).collect();
        let lazy = Lazy { base, axes: all, ..x.clone() };
        let read = Read { fill: 0, accesses: vec![Access::guarded(lazy, guards)] };
        let reduction = phases.iter().map(|p| p.taps.unsigned_abs()).collect();
        let mut f = Formula::new(&extents);
        let sum = f.core(x.dtype)?;
        let core = Core::Fold { op: FoldOp::Sum, body: Expr { nodes: vec![Node::Load(0)] } };
        b.reduce(Spec::reduction(reduction, core, vec![read], f, sum), x.dtype)
    })?;
    Ok(vec![y])
}
