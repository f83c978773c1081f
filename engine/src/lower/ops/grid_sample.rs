//! GridSample: the input at the places that a grid names, between -1 and 1 from end to end of each axis.
//!
//! The sums over the corners of a place are dots. A coordinate that is not a number gives NaN where neighbours are weighed; the nearest
//! one of it is 0 with zeros as padding and the first element of the axis with others. So does an infinite coordinate that is to be
//! reflected; else it is beyond the end.

use super::gather::one_factor;
use super::sample::{
    Beyond, Kernel, clamped, last, mirrored, near, neighbours, outside, placed, product, read, weighted, weights,
};
use crate::lower::Lowering;
use crate::lower::builder::Builder;
use crate::lower::context::Context;
use crate::lower::formula::Formula;
use crate::lower::lazy::Lazy;
use crate::lower::mul;
use crate::lower::spec::{Index, Read};
use crate::program::limits::MAX_INDIRECTS;
use crate::program::{DType, Op};

pub(super) fn grid_sample(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let (x, grid) = (c.input(0)?, c.input(1)?);
    let aligned = c.flag("align_corners", false)?;
    let kernel = match c.attributes.string("mode")?.as_deref() {
        None | Some("linear" | "bilinear") => Kernel::Linear,
        Some("cubic" | "bicubic") => Kernel::Cubic,
        Some("nearest") => Kernel::One,
        Some(other) => return Err(format!("mode `{other}` does not exist")),
    };
    let padding = c.attributes.string("padding_mode")?;
    let beyond = |last: f32| {
        let (low, high) = ends(last, aligned);
        match padding.as_deref() {
            None | Some("zeros") => Ok(Beyond::Zeros),
            Some("border") => Ok(Beyond::Ends),
            Some("reflection") => Ok(Beyond::Mirrored { low, high }),
            Some(other) => Err(format!("padding_mode `{other}` does not exist")),
        }
    };
    let (xd, gd) = (x.dims(), grid.dims());
    let n = xd.len().saturating_sub(2);
    if n == 0 || gd.len() != xd.len() || gd[0] != xd[0] || gd.last() != Some(&(n as u64)) {
        return Err(format!("input {xd:?} and grid {gd:?} are not [n, c, spatial..] and [n, output.., coordinate]"));
    }
    if n > MAX_INDIRECTS {
        return Err(format!("{n} spatial dimensions, at most {MAX_INDIRECTS} are supported"));
    }
    if grid.dtype != DType::F32 {
        return Err(format!("a grid of {} is not supported, only of f32", grid.dtype));
    }
    let x = one_factor(c.b, x)?;
    let mut dims = vec![xd[0], xd[1]];
    dims.extend(&gd[1..=n]);
    // The taps of each axis, where there are several.
    let taps = if kernel == Kernel::One { 0 } else { n };
    dims.extend(vec![kernel.taps(); taps]);
    mul(&dims)?;
    let over = |a: usize| -> Vec<usize> {
        let own = (taps > 0).then_some(2 + n + a);
        std::iter::once(0).chain(2..2 + n).chain(own).collect()
    };

    let (mut indices, mut factors) = (Vec::new(), Vec::new());
    for a in 0..n {
        let beyond = beyond(last(xd[2 + a])?)?;
        let at = coordinates(c.b, &grid, n - 1 - a, xd[2 + a], aligned, kernel, beyond)?;
        let lazy = neighbours(c.b, &at, xd[2 + a], kernel, beyond)?;
        let coefficient = x.axes[2 + a].first().map_or(0, |f| f.stride);
        indices.push(Index { lazy: placed(&lazy, &dims, &over(a)), limit: xd[2 + a], coefficient });
        if taps > 0 {
            factors.push(weights(c.b, &at, kernel)?);
        }
    }
    let origin = Lazy { axes: x.axes[..2].to_vec(), ..x.clone() };
    let elements = read(placed(&origin, &dims, &[0, 1]), indices);
    if taps == 0 {
        let mut f = Formula::new(&dims);
        let element = f.read(elements)?;
        return Ok(vec![c.b.map(f, element)?]);
    }
    // Weights are the same for all channels.
    let of_corners: Vec<u64> = dims[..1].iter().chain(&dims[2..]).copied().collect();
    let own = |a: usize| -> Vec<usize> { (0..=n).chain([1 + n + a]).collect() };
    let factors = factors.iter().enumerate().map(|(a, w)| placed(w, &of_corners, &own(a))).collect();
    let corners = product(c.b, &of_corners, factors)?;
    let everywhere: Vec<usize> = std::iter::once(0).chain(2..dims.len()).collect();
    let corners = placed(&corners, &dims, &everywhere);
    Ok(vec![weighted(c.b, &dims, n, elements, corners, |_, _, sum| Ok(sum))?])
}

/// The coordinates that -1 and 1 stand for.
fn ends(last: f32, aligned: bool) -> (f32, f32) {
    if aligned { (0.0, last) } else { (-0.5, last + 0.5) }
}

/// Component `component` of the grid as coordinates of an axis of `size`.
fn coordinates(
    b: &mut Builder<'_>,
    grid: &Lazy,
    component: usize,
    size: u64,
    aligned: bool,
    kernel: Kernel,
    beyond: Beyond,
) -> Lowering<Lazy> {
    let last = last(size)?;
    let mut part = b.slice(grid, grid.rank() - 1, component as u64, 1, 1)?;
    part.axes.pop();
    let mut f = Formula::new(&part.dims());
    let x = f.read(Read::plain(part))?;
    let (one, two) = (f.float(1.0)?, f.float(2.0)?);
    let from_zero = f.op(Op::Add, &[x, one])?;
    let mut at = if aligned {
        let (half, last) = (f.op(Op::Div, &[from_zero, two])?, f.float(last)?);
        f.op(Op::Mul, &[half, last])?
    } else {
        let size = f.float(last + 1.0)?;
        let whole = f.op(Op::Mul, &[from_zero, size])?;
        let less = f.op(Op::Sub, &[whole, one])?;
        f.op(Op::Div, &[less, two])?
    };
    if kernel == Kernel::One {
        at = f.op(Op::RoundEven, &[at])?;
    }
    let (low, high) = ends(last, aligned);
    at = match beyond {
        Beyond::Zeros => near(&mut f, at, last)?,
        Beyond::Ends => {
            let inside = clamped(&mut f, at, 0.0, last)?;
            let moved = outside(&mut f, at, low, high)?;
            f.select(moved, inside, at)?
        }
        Beyond::Mirrored { .. } => mirrored(&mut f, at, low, high)?,
    };
    b.map(f, at)
}
