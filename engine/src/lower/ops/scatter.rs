//! Scatter, ScatterElements, ScatterND and TensorScatter: each element looks through the updates that may reach it.
//!
//! Without a reduction the last update counts: the greatest number of one that hits the element, then the update of that number. Otherwise
//! the updates that hit it are folded, and the result joins the element. An index outside the axis hits nothing.

use super::candidates::{nth, number, wide};
use super::concat::joined;
use super::elementwise::map;
use super::reduce::fold;
use crate::lower::Lowering;
use crate::lower::builder::Builder;
use crate::lower::context::{Context, axis_of};
use crate::lower::formula::Formula;
use crate::lower::lazy::{Axis, Lazy, axis};
use crate::lower::spec::{Access, Bound, Read};
use crate::program::limits::MAX_GUARDS;
use crate::program::{DType, FoldOp, NodeId, Op};
use crate::tensor::Tensor;

/// What becomes of an element that updates hit.
#[derive(Clone, Copy)]
enum Reduction {
    Last,
    Folded(FoldOp, Op),
}

fn reduction(c: &mut Context<'_, '_>) -> Lowering<Reduction> {
    let given = if c.opset < 16 { None } else { c.attributes.string("reduction")? };
    Ok(match given.as_deref() {
        None | Some("none") => Reduction::Last,
        Some("add") => Reduction::Folded(FoldOp::Sum, Op::Add),
        Some("mul") => Reduction::Folded(FoldOp::Prod, Op::Mul),
        Some("min") if c.opset >= 18 => Reduction::Folded(FoldOp::Min, Op::Min),
        Some("max") if c.opset >= 18 => Reduction::Folded(FoldOp::Max, Op::Max),
        Some(other) => return Err(format!("reduction `{other}` does not exist in operator set {}", c.opset)),
    })
}

/// Elements and the updates that may reach them.
struct Updates {
    data: Lazy,
    /// Over the axes of `data`, then the updates.
    updates: Lazy,
    /// Over the same axes: the coordinate on `axis` that an update is meant for, or what is none.
    places: Lazy,
    axis: usize,
}

impl Updates {
    /// Whether an update hits an element.
    fn hit(&self, b: &Builder<'_>, f: &mut Formula, places: &Lazy) -> Lowering<NodeId> {
        let axis = u8::try_from(self.axis).map_err(|e| e.to_string())?;
        let (place, here) = (f.load(b, places)?, f.iota(axis)?);
        f.op(Op::Eq, &[place, here])
    }

    /// The number of the last update that hits, -1 where none does; once for all elements that the same updates hit.
    fn last(&self, b: &mut Builder<'_>, candidates: u64) -> Lowering<Lazy> {
        let mut places = self.places.clone();
        let elements = places.axes.len().saturating_sub(1);
        for (a, axis) in places.axes.iter_mut().enumerate().take(elements) {
            if a != self.axis && axis.iter().all(|f| f.stride == 0) {
                *axis = Axis::new();
            }
        }
        let dims = places.dims();
        let last = |b: &Builder<'_>, f: &mut Formula| {
            let (hit, number, none) = (self.hit(b, f, &places)?, number(f)?, f.register(DType::I64, -1)?);
            f.select(hit, number, none)
        };
        let last = fold(b, &dims[..elements], &[candidates], FoldOp::Max, last, |_, _, core| Ok(core))?;
        last.broadcast(&self.data.dims()).ok_or_else(|| "its updates do not fit its data".into())
    }

    fn apply(&self, b: &mut Builder<'_>, reduction: Reduction) -> Lowering<Lazy> {
        let dims = self.data.dims();
        let candidates = *self.updates.dims().last().ok_or("updates without an axis")?;
        if candidates == 0 || self.data.elements() == 0 {
            return Ok(self.data.clone());
        }
        match reduction {
            Reduction::Last => {
                let last = self.last(b, candidates)?;
                nth(b, &self.updates, &last, &self.data)
            }
            Reduction::Folded(op, joins) => {
                let dtype = self.data.dtype;
                if dtype == DType::Bool {
                    return Err("a reduction of bool".into());
                }
                let wide = wide(dtype);
                let neutral = if (op, wide) == (FoldOp::Sum, DType::F32) {
                    i64::from((-0.0f32).to_bits())
                } else {
                    op.empty(wide)
                };
                fold(
                    b,
                    &dims,
                    &[candidates],
                    op,
                    |b, f| {
                        let (hit, update) = (self.hit(b, f, &self.places)?, f.load(b, &self.updates)?);
                        let (update, neutral) = (f.cast(wide, update)?, f.register(wide, neutral)?);
                        f.select(hit, update, neutral)
                    },
                    |b, f, core| {
                        let element = f.load(b, &self.data)?;
                        let element = f.cast(wide, element)?;
                        let result = f.op(joins, &[element, core])?;
                        f.cast(dtype, result)
                    },
                )
            }
        }
    }
}

/// Indices as i64, negative ones counted from the end of an axis.
fn wrapped(b: &mut Builder<'_>, indices: &Lazy, size: u64) -> Lowering<Lazy> {
    let size = i64::try_from(size).map_err(|e| e.to_string())?;
    if !matches!(indices.dtype, DType::I32 | DType::I64) {
        return Err(format!("indices of {}", indices.dtype));
    }
    map(b, &[indices], |f, n| {
        let (index, zero, size) =
            (f.cast(DType::I64, n[0])?, f.register(DType::I64, 0)?, f.register(DType::I64, size)?);
        let below = f.op(Op::Lt, &[index, zero])?;
        let moved = f.op(Op::Add, &[index, size])?;
        f.select(below, moved, index)
    })
}

/// ScatterElements, and Scatter as it was called: along one axis.
pub(super) fn elements(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let (data, indices, updates) = (c.input(0)?, c.input(1)?, c.input(2)?);
    let at = axis_of(c.int("axis", 0)?, data.rank())?;
    let reduction = reduction(c)?;
    let (dims, shape) = (data.dims(), indices.dims());
    let inside = |(a, (&d, &n)): (usize, (&u64, &u64))| a == at || n <= d;
    if shape != updates.dims()
        || updates.dtype != data.dtype
        || shape.len() != dims.len()
        || !dims.iter().zip(&shape).enumerate().all(inside)
    {
        let given = format!("{} {:?} with indices {shape:?}", updates.dtype, updates.dims());
        return Err(format!("updates {given} do not fit data {} {dims:?}", data.dtype));
    }
    // Other axes are only reached as far as the indices go.
    let mut part = data.clone();
    for (a, &n) in shape.iter().enumerate().filter(|&(a, _)| a != at) {
        part = c.b.slice(&part, a, 0, 1, n)?;
    }
    let places = wrapped(c.b, &indices, dims[at])?;
    let spread = |t: &Lazy| {
        let mut over = t.clone();
        let candidates = std::mem::replace(&mut over.axes[at], axis(dims[at], 0));
        over.axes.push(candidates);
        over
    };
    let scatter = Updates { data: part, updates: spread(&updates), places: spread(&places), axis: at };
    let part = scatter.apply(c.b, reduction)?;
    Ok(vec![laid_over(c.b, &part, &data)?])
}

/// `part` where it reaches, from the origin on, and `data` elsewhere.
fn laid_over(b: &mut Builder<'_>, part: &Lazy, data: &Lazy) -> Lowering<Lazy> {
    let (dims, shape) = (data.dims(), part.dims());
    let shorter: Vec<usize> = (0..dims.len()).filter(|&a| shape[a] < dims[a]).collect();
    if shorter.is_empty() {
        return Ok(part.clone());
    }
    if part.elements() == 0 {
        return Ok(data.clone());
    }
    if shorter.len() > MAX_GUARDS {
        return Err(format!(
            "updates {shape:?} of {dims:?}, shorter along more than {MAX_GUARDS} axes, are not supported"
        ));
    }
    let mut over = b.plain_axes(part.clone(), &shorter)?;
    let mut guards = Vec::new();
    for &a in &shorter {
        let stride = over.axes[a].first().map_or(0, |f| f.stride);
        over.axes[a] = axis(dims[a], stride);
        guards.push(Bound { limit: shape[a], base: 0, terms: vec![(a, 1)] });
    }
    let mut f = Formula::new(&dims);
    let accesses = vec![Access::guarded(over, guards), Access::guarded(data.clone(), Vec::new())];
    let load = f.read(Read { fill: 0, accesses })?;
    b.map(f, load)
}

/// ScatterND: slices of the data, by the coordinates on its first axes.
pub(super) fn nd(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let (data, indices, updates) = (c.input(0)?, c.input(1)?, c.input(2)?);
    let reduction = reduction(c)?;
    let (dims, shape) = (data.dims(), indices.dims());
    let (&depth, tuples) = shape.split_last().ok_or("its indices have no dimension")?;
    let depth = usize::try_from(depth).ok().filter(|&k| k <= dims.len());
    let depth = depth.ok_or_else(|| format!("indices {shape:?} of data {dims:?}"))?;
    let (first, rest) = dims.split_at(depth);
    if updates.dims() != [tuples, rest].concat() || updates.dtype != data.dtype {
        let given = format!("{} {:?} with indices {shape:?}", updates.dtype, updates.dims());
        return Err(format!("updates {given} do not fit data {} {dims:?}", data.dtype));
    }
    let (count, places) = (crate::lower::mul(tuples)?, crate::lower::mul(first)?);
    let flat = c.b.reshape(&indices, &[count, depth as u64])?;
    let mut place = c.b.constant(Tensor::I64(ndarray::arr0(0).into_dyn())).broadcast(&[count]).ok_or("no indices")?;
    for (j, &size) in first.iter().enumerate() {
        let mut index = c.b.slice(&flat, 1, j as u64, 1, 1)?;
        index.axes.pop();
        let index = wrapped(c.b, &index, size)?;
        place = inner_place(c.b, &place, &index, size)?;
    }
    let over = [&[places], rest].concat();
    let data = c.b.reshape(&data, &over)?;
    let updates = c.b.reshape(&updates, &[&[count], rest].concat())?;
    // Over place, rest.., update.
    let mut reach = updates.clone();
    let candidates = std::mem::replace(&mut reach.axes[0], axis(places, 0));
    reach.axes.push(candidates);
    let mut meant = place.clone();
    meant.axes = over.iter().map(|&d| axis(d, 0)).chain(place.axes).collect();
    let y = Updates { data, updates: reach, places: meant, axis: 0 }.apply(c.b, reduction)?;
    Ok(vec![c.b.reshape(&y, &dims)?])
}

/// `outer * size + index`, or -1 where one of both is outside.
fn inner_place(b: &mut Builder<'_>, outer: &Lazy, index: &Lazy, size: u64) -> Lowering<Lazy> {
    let size = i64::try_from(size).map_err(|e| e.to_string())?;
    map(b, &[outer, index], |f, n| {
        let (zero, size, none) =
            (f.register(DType::I64, 0)?, f.register(DType::I64, size)?, f.register(DType::I64, -1)?);
        let lesser = f.op(Op::Min, n)?;
        let (low, high) = (f.op(Op::Ge, &[lesser, zero])?, f.op(Op::Lt, &[n[1], size])?);
        let inside = f.op(Op::And, &[low, high])?;
        let moved = f.op(Op::Mul, &[n[0], size])?;
        let place = f.op(Op::Add, &[moved, n[1]])?;
        f.select(inside, place, none)
    })
}

/// TensorScatter: a run of updates along an axis, from an index of each batch on.
pub(super) fn run(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let (data, updates, starts) = (c.input(0)?, c.input(1)?, c.optional(2)?);
    let at = axis_of(c.int("axis", -2)?, data.rank())?;
    let circular = match c.attributes.string("mode")?.as_deref() {
        None | Some("linear") => false,
        Some("circular") => true,
        Some(other) => return Err(format!("mode `{other}` does not exist")),
    };
    let (dims, shape) = (data.dims(), updates.dims());
    let fits = |(a, (&d, &n)): (usize, (&u64, &u64))| if a == at { n <= d } else { n == d };
    if at == 0
        || updates.dtype != data.dtype
        || shape.len() != dims.len()
        || !dims.iter().zip(&shape).enumerate().all(fits)
    {
        let given = format!("{} {shape:?} along axis {at}", updates.dtype);
        return Err(format!("updates {given} do not fit data {} {dims:?}", data.dtype));
    }
    let (size, length) = (dims[at], shape[at]);
    if data.elements() == 0 || length == 0 {
        return Ok(vec![data]);
    }
    let Some(starts) = starts else {
        let rest = c.b.slice(&data, at, length, 1, size - length)?;
        let parts = [updates, rest].into_iter().filter(|p| p.dims()[at] > 0).collect();
        return Ok(vec![joined(c.b, parts, at)?]);
    };
    if starts.dims() != dims[..1] || !matches!(starts.dtype, DType::I32 | DType::I64) {
        return Err(format!("write indices {} {:?} for {} batches", starts.dtype, starts.dims(), dims[0]));
    }
    // The number of the update for each coordinate of the axis, or one that does not exist.
    let mut f = Formula::new(&[dims[0], size]);
    let mut starts = starts;
    starts.axes.push(Axis::new());
    let (start, here) = (f.load(c.b, &starts)?, f.iota(1)?);
    let start = f.cast(DType::I64, start)?;
    let mut which = f.op(Op::Sub, &[here, start])?;
    if circular {
        let size = f.register(DType::I64, i64::try_from(size).map_err(|e| e.to_string())?)?;
        let zero = f.register(DType::I64, 0)?;
        which = f.op(Op::Rem, &[which, size])?;
        let (below, next) = (f.op(Op::Lt, &[which, zero])?, f.op(Op::Add, &[which, size])?);
        which = f.select(below, next, which)?;
    }
    let mut which = c.b.map(f, which)?;
    let along = which.axes.pop().ok_or("its indices have no axis")?;
    which.axes.extend(dims[1..].iter().enumerate().map(|(i, &d)| if i + 1 == at { along.clone() } else { axis(d, 0) }));
    let mut reach = updates;
    let candidates = std::mem::replace(&mut reach.axes[at], axis(size, 0));
    reach.axes.push(candidates);
    Ok(vec![nth(c.b, &reach, &which, &data)?])
}
