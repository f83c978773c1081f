//! Cumulative operations: scans.

use crate::lower::Lowering;
use crate::lower::context::{Context, axis_of};
use crate::lower::formula::Formula;
use crate::lower::lazy::Lazy;
use crate::lower::spec::{Access, Bound, Read, Spec};
use crate::program::{Core, DType, Op};

/// How results follow each other.
struct Rule {
    op: Op,
    /// Changes no f32, not even the sign of a zero.
    neutral: f32,
    /// The result over nothing, which changes no integer.
    nothing: i32,
}

pub(super) fn sum(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    cumulative(c, &Rule { op: Op::Add, neutral: -0.0, nothing: 0 })
}

pub(super) fn product(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    cumulative(c, &Rule { op: Op::Mul, neutral: 1.0, nothing: 1 })
}

/// From the end by views that are turned round.
fn cumulative(c: &mut Context<'_, '_>, rule: &Rule) -> Lowering<Vec<Lazy>> {
    let x = c.input(0)?;
    let given = c.optional_ints(1, "axis")?.ok_or("its axis is missing")?;
    let [given] = given[..] else { return Err(format!("{} axes, one is needed", given.len())) };
    let a = axis_of(given, x.rank())?;
    let (exclusive, reverse) = (c.flag("exclusive", false)?, c.flag("reverse", false)?);
    let n = x.dims()[a];
    let last = n.saturating_sub(1);
    let turned = if reverse { c.b.slice(&x, a, last, -1, n)? } else { x };
    let results = scan(c, turned, a, rule, exclusive)?;
    Ok(vec![if reverse { c.b.slice(&results, a, last, -1, n)? } else { results }])
}

/// The results along axis `a`, each with its own element or, `exclusive`, with those before it only.
fn scan(c: &mut Context<'_, '_>, x: Lazy, a: usize, rule: &Rule, exclusive: bool) -> Lowering<Lazy> {
    let (dtype, dims) = (x.dtype, x.dims());
    let register = |float: f32| if dtype == DType::F32 { float.to_bits().into() } else { rule.nothing.into() };
    let (neutral, nothing) = (register(rule.neutral), register(rule.nothing as f32)); // 0 or 1
    let before = if exclusive { nothing } else { neutral };
    let nowhere = Lazy { axes: Vec::new(), ..x.clone() };
    let never = Bound { limit: 0, base: 0, terms: Vec::new() };
    let initial = Read { fill: before, accesses: vec![Access::guarded(nowhere, vec![never])] };
    let element = if exclusive { shifted(c, x, a, neutral)? } else { Read::plain(x) };

    let mut f = Formula::new(&dims);
    // An axis of one element is no loop to scan along.
    let core = if dims[a] == 1 { f.register(dtype, before)? } else { f.core(dtype)? };
    let element = f.read(element)?;
    let result = f.op(rule.op, &[core, element])?;
    if dims[a] == 1 {
        return c.b.map(f, result);
    }
    let axis = u8::try_from(a).map_err(|e| e.to_string())?;
    let spec = Spec::reduction(Vec::new(), Core::Scan { axis, initial: 0 }, vec![initial], f, result);
    c.b.reduce(spec, dtype)
}

/// The element before each along an axis, and the fill in front of the first.
fn shifted(c: &mut Context<'_, '_>, x: Lazy, a: usize, fill: i64) -> Lowering<Read> {
    let mut x = c.b.plain_axes(x, &[a])?;
    let limit = x.dims()[a];
    let stride = x.axes[a].first().map_or(0, |f| f.stride);
    x.base = x.base.checked_sub(stride).ok_or("an address overflows")?;
    let behind_the_first = Bound { limit, base: -1, terms: vec![(a, 1)] };
    Ok(Read { fill, accesses: vec![Access::guarded(x, vec![behind_the_first])] })
}
