//! Linear algebra beyond products: AffineGrid is a product with a table of positions, Det an elimination with pivots.

use super::arg;
use super::elementwise::map;
use super::matmul::dot;
use super::reduce::{fold_body, without};
use crate::lower::Lowering;
use crate::lower::builder::Builder;
use crate::lower::context::Context;
use crate::lower::formula::Formula;
use crate::lower::lazy::{Axis, Lazy, axis};
use crate::lower::mul;
use crate::program::limits::FIRST_REDUCTION_AXIS;
use crate::program::{DType, FoldOp, NodeId, Op};
use crate::tensor::Tensor;
use ndarray::{ArrayD, IxDyn, arr0};

/// Rows of a matrix whose determinant is unrolled.
const ROWS: u64 = 64;

/// AffineGrid, of a size known now.
pub(super) fn affine_grid(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let theta = c.input(0)?;
    let size = c.optional_ints(1, "size")?.ok_or("its size is missing")?;
    let corners = c.flag("align_corners", false)?;
    let sizes: Vec<u64> =
        size.iter().map(|&n| u64::try_from(n).map_err(|_| format!("size {size:?}"))).collect::<Lowering<_>>()?;
    let [batch, _, space @ ..] = &sizes[..] else { return Err(format!("size {size:?} has no space")) };
    let n = space.len() as u64;
    if !(2..=3).contains(&n) || theta.dims() != [*batch, n, n + 1] {
        return Err(format!("matrices {:?} for size {size:?}", theta.dims()));
    }
    c.b.budget.table(mul(space)?)?;
    let positions = positions(space, corners)?;
    let positions = c.b.constant(positions);
    let grid = dot(c.b, &positions, &theta.permute(&[0, 2, 1]), |_, _, core| Ok(core))?;
    Ok(vec![c.b.reshape(&grid, &[&[*batch], space, &[n]].concat())?])
}

/// The homogeneous coordinates of each position, the last axis first, as [1, positions, axes + 1].
fn positions(space: &[u64], corners: bool) -> Lowering<Tensor> {
    let total = mul(space)?;
    let mut table = Vec::new();
    for at in 0..total {
        let mut rest = at;
        for &n in space.iter().rev() {
            let (i, n) = ((rest % n) as f64, n as f64); // few enough to be listed
            rest /= n as u64;
            // Centres of the outermost cells at -1 and 1, or their outer edges.
            let position = match corners {
                true if n > 1.0 => 2.0 * i / (n - 1.0) - 1.0,
                true => -1.0,
                false => (2.0 * i + 1.0) / n - 1.0,
            };
            table.push(position as f32);
        }
        table.push(1.0);
    }
    let rows = usize::try_from(total).map_err(|e| e.to_string())?;
    let table = ArrayD::from_shape_vec(IxDyn(&[1, rows, space.len() + 1]), table).map_err(|e| e.to_string())?;
    Ok(Tensor::F32(table))
}

/// Det: the product of the pivots, each the greatest of its column, with a sign for each exchange of rows.
pub(super) fn determinant(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let x = c.input(0)?;
    let dims = x.dims();
    let [batch @ .., rows, columns] = &dims[..] else { return Err(format!("input {dims:?} is no matrix")) };
    if rows != columns || *rows > ROWS || x.dtype != DType::F32 {
        return Err(format!("{} {rows} by {columns}: only f32 square matrices of up to {ROWS} rows", x.dtype));
    }
    let one = c.b.constant(Tensor::F32(arr0(1.0).into_dyn()));
    let count = mul(batch)?;
    let mut product = Lazy { axes: vec![axis(count, 0)], ..one };
    let mut rest = c.b.reshape(&x, &[count, *rows, *rows])?;
    for left in (1..=*rows).rev() {
        (product, rest) = eliminated(c.b, &product, &rest, left)?;
    }
    Ok(vec![c.b.reshape(&product, batch)?])
}

/// The product with the next pivot, and the matrices [batch, left, left] without its row and column.
fn eliminated(b: &mut Builder<'_>, product: &Lazy, x: &Lazy, left: u64) -> Lowering<(Lazy, Lazy)> {
    if left == 1 {
        let last = b.reshape(x, &product.dims())?;
        return Ok((map(b, &[product, &last], |f, n| f.op(Op::Mul, n))?, x.clone()));
    }
    let column = b.slice(x, 2, 0, 1, 1)?;
    let sizes = map(b, &[&without(&column, &[2])], |f, n| f.op(Op::Abs, n))?;
    let mut best = arg::index(b, &sizes, 1, FoldOp::Max, false)?;
    let flat_best = b.reshape(&best, &product.dims())?;
    best.axes.push(Axis::new());
    // Over batch, column and the row that is folded away.
    let row = |b: &Builder<'_>, f: &mut Formula, element: NodeId| {
        let (best, at) = (f.load(b, &best)?, f.iota(FIRST_REDUCTION_AXIS)?);
        let (hit, nothing) = (f.op(Op::Eq, &[best, at])?, f.float(-0.0)?);
        f.select(hit, element, nothing)
    };
    let pivot = fold_body(b, x, &[1], FoldOp::Sum, row, |_, core| Ok(core))?;
    let head = b.slice(&pivot, 2, 0, 1, 1)?;
    let flat_head = b.reshape(&head, &product.dims())?;
    let product = map(b, &[product, &flat_head, &flat_best], |f, n| {
        let next = f.op(Op::Mul, &n[..2])?;
        let zero = f.register(DType::I64, 0)?;
        let (stays, minus) = (f.op(Op::Eq, &[n[2], zero])?, f.op(Op::Neg, &[next])?);
        f.select(stays, next, minus)
    })?;

    // The first row goes where the pivot's was; the pivot's row is taken off all.
    let below = b.slice(x, 1, 1, 1, left - 1)?;
    let first = b.slice(x, 1, 0, 1, 1)?;
    let part = |b: &mut Builder<'_>, t: &Lazy| -> Lowering<[Lazy; 2]> {
        Ok([b.slice(t, 2, 0, 1, 1)?, b.slice(t, 2, 1, 1, left - 1)?])
    };
    let ([below_head, below], [first_head, first]) = (part(b, &below)?, part(b, &first)?);
    let tail = b.slice(&pivot, 2, 1, 1, left - 1)?;
    let factors = map(b, &[&below_head, &first_head, &best, &head], |f, n| {
        let element = exchanged(f, n[0], n[1], n[2])?;
        let (zero, quotient) = (f.float(0.0)?, f.op(Op::Div, &[element, n[3]])?);
        // A column of zeros: the determinant is zero whatever follows.
        let none = f.op(Op::Eq, &[n[3], zero])?;
        let factor = f.select(none, zero, quotient)?;
        f.op(Op::Neg, &[factor])
    })?;
    let rest = map(b, &[&below, &first, &best, &factors, &tail], |f, n| {
        let element = exchanged(f, n[0], n[1], n[2])?;
        f.op(Op::Fma, &[n[3], n[4], element])
    })?;
    Ok((product, rest))
}

/// The element of a row below the first one, or the first row's in the place of the pivot's.
fn exchanged(f: &mut Formula, own: NodeId, first: NodeId, best: NodeId) -> Lowering<NodeId> {
    let (row, one) = (f.iota(1)?, f.register(DType::I64, 1)?);
    let row = f.op(Op::Add, &[row, one])?;
    let hit = f.op(Op::Eq, &[row, best])?;
    f.select(hit, first, own)
}
