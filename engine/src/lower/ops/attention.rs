//! Attention: the scores are a dot with scale, cap and bias in its epilogue; their maximum, the exponentials and the sum of these are a
//! fold, a map and a fold; the result is a second dot, divided by the sum.
//!
//! Scores have the axes batch, head of the keys, head of the queries that share it, query, key: shared heads are views that repeat.

use super::concat::joined;
use super::elementwise::map;
use super::heads::{apart, count, four};
use super::matmul::dot;
use super::pad::widened;
use super::reduce::fold_axes;
use crate::lower::Lowering;
use crate::lower::builder::Builder;
use crate::lower::context::{Context, broadcast_dims};
use crate::lower::formula::Formula;
use crate::lower::lazy::{Axis, Lazy, axis};
use crate::lower::mul;
use crate::lower::spec::Spec;
use crate::program::limits::FIRST_REDUCTION_AXIS;
use crate::program::{Core, DType, FoldOp, NodeId, Op};
use std::ops::Range;

/// The axes of scores that are counted.
const QUERY: u8 = 3;
const KEY: u8 = 4;

/// What becomes of a dot of a query and a key: steps, and how far they are gone when ...
const RAW: usize = 0;
/// ... it is scaled, ...
const SCALED: usize = 1;
/// ... its size is limited, ...
const CAPPED: usize = 2;
/// ... and it knows what may be attended.
const BIASED: usize = 3;

pub(super) fn attention(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let (q_heads, kv_heads) = (c.attributes.int("q_num_heads")?, c.attributes.int("kv_num_heads")?);
    let q = c.input(0)?;
    let flat = q.rank() == 3;
    if c.optional(4)?.is_some() != c.optional(5)?.is_some() {
        return Err("past keys and past values are only allowed together".into());
    }
    let q = by_heads(c.b, q, "q_num_heads", q_heads)?;
    let (k, v) = (cached(c, 1, kv_heads)?, cached(c, 2, kv_heads)?);
    let [batch, heads, queries, size] = four(&q)?;
    let ([k_batch, shared, keys, k_size], [v_batch, v_heads, v_keys, v_size]) = (four(&k)?, four(&v)?);
    if [k_batch, v_batch, k_size, v_heads, v_keys] != [batch, batch, size, shared, keys] {
        return Err(format!("queries {:?}, keys {:?} and values {:?} do not fit", q.dims(), k.dims(), v.dims()));
    }
    if shared == 0 || heads % shared != 0 {
        return Err(format!("{heads} heads of queries do not share {shared} heads of keys"));
    }
    let group = heads / shared;
    let grouped_q = c.b.reshape(&q, &[batch, shared, group, queries, size])?;

    let bias = Bias::read(c, [batch, shared, group, queries, keys])?;
    let scale = c.float("scale", (1.0 / (size.max(1) as f64).sqrt()) as f32)?;
    let cap = c.float("softcap", 0.0)?;
    let mode = c.int("qk_matmul_output_mode", 0)?;
    // f32 is what there is; f64 (11) would only round less.
    if let Some(other) = c.attributes.int("softmax_precision")?.filter(|p| ![1, 11].contains(p)) {
        return Err(format!("softmax_precision {other} is not supported, only 1 (f32)"));
    }
    // Scores that are an output are made as they are asked for.
    let asked = c.outputs() > 3;
    let first = match mode {
        0 if asked => SCALED,
        1 if asked => CAPPED,
        0..=3 => BIASED,
        _ => return Err(format!("qk_matmul_output_mode {mode} does not exist")),
    };

    let steps = |b: &Builder<'_>, f: &mut Formula, mut score: NodeId, steps: Range<usize>| -> Lowering<NodeId> {
        for step in steps {
            score = match step {
                RAW => {
                    let scale = f.float(scale)?;
                    f.op(Op::Mul, &[score, scale])?
                }
                SCALED if cap > 0.0 => {
                    let cap = f.float(cap)?;
                    let part = f.op(Op::Div, &[score, cap])?;
                    let bent = f.op(Op::Tanh, &[part])?;
                    f.op(Op::Mul, &[bent, cap])?
                }
                CAPPED => match bias.summand(b, f, KEY)? {
                    Some(summand) => f.op(Op::Add, &[score, summand])?,
                    None => score,
                },
                _ => score,
            };
        }
        Ok(score)
    };
    let turned = k.with_axis(2).permute(&[0, 1, 2, 4, 3]);
    let made = dot(c.b, &grouped_q, &turned, |b, f, core| steps(b, f, core, RAW..first))?;
    let scores =
        if first == BIASED { made.clone() } else { mapped(c.b, &made, |b, f, x| steps(b, f, x, first..BIASED))? };

    let attended = bias.attended(c.b)?;
    let shares = Shares::of(c.b, &scores)?;
    let y = dot(c.b, &shares.parts, &v.with_axis(2), |b, f, core| {
        let sum = f.load(b, &shares.sum)?;
        let y = f.op(Op::Div, &[core, sum])?;
        or_zero(b, f, y, attended.as_ref())
    })?;
    let y = if flat {
        c.b.reshape(&y.permute(&[0, 3, 1, 2, 4]), &[batch, queries, mul(&[heads, v_size])?])?
    } else {
        c.b.reshape(&y, &[batch, heads, queries, v_size])?
    };
    let mut out = vec![y, k, v];
    if asked {
        let scores = if mode == 3 { shares.probabilities(c.b, attended.as_ref())? } else { made };
        out.push(c.b.reshape(&scores, &[batch, heads, queries, keys])?);
    }
    Ok(out)
}

/// [batch, heads, sequence, size]; with rank 3 the heads lie side by side, and an attribute counts them.
fn by_heads(b: &mut Builder<'_>, x: Lazy, attribute: &str, given: Option<i64>) -> Lowering<Lazy> {
    let heads = given.map(|n| count(attribute, n)).transpose()?;
    match (x.rank(), heads) {
        (4, None) => Ok(x),
        (4, Some(heads)) if x.dims()[1] == heads => Ok(x),
        (4, Some(heads)) => Err(format!("{attribute} says {heads} heads, there are {}", x.dims()[1])),
        (3, Some(heads)) => apart(b, &x, heads),
        (3, None) => Err(format!("an input of rank 3 needs the attribute `{attribute}`")),
        _ => Err(format!("input {:?} has neither rank 3 nor 4", x.dims())),
    }
}

/// The keys (input 1) or values (input 2) behind those of the past.
fn cached(c: &mut Context<'_, '_>, index: usize, heads: Option<i64>) -> Lowering<Lazy> {
    let (now, past) = (c.input(index)?, c.optional(index + 3)?);
    let now = by_heads(c.b, now, "kv_num_heads", heads)?;
    let Some(past) = past else { return Ok(now) };
    let (mut before, after) = (four(&past)?, four(&now)?);
    before[2] = after[2];
    if before != after || past.dtype != now.dtype {
        return Err(format!("a past of {:?} before {after:?}", past.dims()));
    }
    let parts: Vec<Lazy> = [past, now.clone()].into_iter().filter(|t| t.dims()[2] > 0).collect();
    if parts.is_empty() { Ok(now) } else { joined(c.b, parts, 2) }
}

/// A map over scores.
fn mapped(
    b: &mut Builder<'_>,
    scores: &Lazy,
    expression: impl FnOnce(&Builder<'_>, &mut Formula, NodeId) -> Lowering<NodeId>,
) -> Lowering<Lazy> {
    let mut f = Formula::new(&scores.dims());
    let score = f.load(b, scores)?;
    let result = expression(b, &mut f, score)?;
    b.map(f, result)
}

/// Zero where nothing is attended.
fn or_zero(b: &Builder<'_>, f: &mut Formula, x: NodeId, attended: Option<&Lazy>) -> Lowering<NodeId> {
    let Some(attended) = attended else { return Ok(x) };
    let (some, zero) = (f.load(b, attended)?, f.float(0.0)?);
    f.select(some, x, zero)
}

/// How much of each query each key has.
struct Shares {
    parts: Lazy,
    /// The sum of a query's parts, 1 where all are 0.
    sum: Lazy,
}

impl Shares {
    /// Exponentials of scores less their maximum; where all scores are -inf nothing is taken off, and all parts are 0.
    fn of(b: &mut Builder<'_>, scores: &Lazy) -> Lowering<Self> {
        let key = [usize::from(KEY)];
        let most = fold_axes(b, scores, &key, FoldOp::Max, |f, most| {
            let (none, zero) = (f.float(f32::NEG_INFINITY)?, f.float(0.0)?);
            let nothing = f.op(Op::Eq, &[most, none])?;
            f.select(nothing, zero, most)
        })?;
        let parts = map(b, &[scores, &most], |f, n| {
            let below = f.op(Op::Sub, n)?;
            f.op(Op::Exp, &[below])
        })?;
        let sum = fold_axes(b, &parts, &key, FoldOp::Sum, |f, sum| {
            let (zero, one) = (f.float(0.0)?, f.float(1.0)?);
            let nothing = f.op(Op::Eq, &[sum, zero])?;
            f.select(nothing, one, sum)
        })?;
        Ok(Self { parts, sum })
    }

    fn probabilities(&self, b: &mut Builder<'_>, attended: Option<&Lazy>) -> Lowering<Lazy> {
        mapped(b, &self.parts, |b, f, part| {
            let sum = f.load(b, &self.sum)?;
            let share = f.op(Op::Div, &[part, sum])?;
            or_zero(b, f, share, attended)
        })
    }
}

/// Which keys a query attends to, and what is added to their scores.
struct Bias {
    /// Extents of the scores.
    dims: [u64; 5],
    /// Over axes that broadcast to the scores': f32 is added, bool says what is attended.
    mask: Option<Lazy>,
    /// Keys in use, for each batch.
    lengths: Option<Lazy>,
    /// Keys before the first query, where `lengths` do not say it.
    past: i64,
    causal: bool,
    /// Farthest keys that are attended, to the left and to the right of a query.
    left: Option<i64>,
    right: Option<i64>,
}

impl Bias {
    fn read(c: &mut Context<'_, '_>, dims: [u64; 5]) -> Lowering<Self> {
        let past = c.optional(4)?.map(|past| four(&past)).transpose()?.map(|past| past[2]);
        let lengths = if c.opset >= 24 { c.optional(6)? } else { None };
        if lengths.is_some() && past.is_some() {
            return Err("nonpad_kv_seqlen and past keys exclude each other".into());
        }
        let lengths = lengths.map(|mut lengths| {
            if lengths.dtype != DType::I64 || lengths.dims() != dims[..1] {
                return Err(format!(
                    "nonpad_kv_seqlen {} {:?} is not i64 {:?}",
                    lengths.dtype,
                    lengths.dims(),
                    &dims[..1]
                ));
            }
            lengths.axes.extend(vec![Axis::new(); 4]);
            Ok(lengths)
        });
        let mut window = |name: &str| -> Lowering<Option<i64>> {
            match if c.opset >= 25 { c.int(name, -1)? } else { -1 } {
                -1 => Ok(None),
                n @ 0..0x100_0000_0000 => Ok(Some(n)),
                n => Err(format!("{name} {n} is neither -1 nor a number of keys")),
            }
        };
        let (left, right) = (window("left_window_size")?, window("right_window_size")?);
        Ok(Self {
            dims,
            lengths: lengths.transpose()?,
            past: i64::try_from(past.unwrap_or(0)).map_err(|e| e.to_string())?,
            causal: c.flag("is_causal", false)?,
            left,
            right,
            mask: c.optional(3)?.map(|mask| over_scores(c.b, mask, dims)).transpose()?,
        })
    }

    /// Whether the key at `key` is attended; nothing where all are.
    fn allowed(&self, b: &Builder<'_>, f: &mut Formula, key: u8) -> Lowering<Option<NodeId>> {
        let mut conditions = Vec::new();
        let ahead = if self.causal { Some(0) } else { self.right };
        let length = self.lengths.as_ref().map(|lengths| f.load(b, lengths)).transpose()?;
        if ahead.is_some() || self.left.is_some() {
            let first = match length {
                Some(length) => {
                    let queries = i64::try_from(self.dims[3]).map_err(|e| e.to_string())?;
                    let queries = f.register(DType::I64, queries)?;
                    f.op(Op::Sub, &[length, queries])?
                }
                None => f.register(DType::I64, self.past)?,
            };
            let (query, key) = (f.iota(QUERY)?, f.iota(key)?);
            let position = f.op(Op::Add, &[query, first])?;
            let distance = f.op(Op::Sub, &[key, position])?;
            for (limit, op) in [(ahead, Op::Le), (self.left.map(|n| -n), Op::Ge)] {
                if let Some(limit) = limit {
                    let limit = f.register(DType::I64, limit)?;
                    conditions.push(f.op(op, &[distance, limit])?);
                }
            }
        }
        if let Some(length) = length {
            let key = f.iota(key)?;
            conditions.push(f.op(Op::Lt, &[key, length])?);
        }
        if let Some(mask) = self.mask.as_ref().filter(|m| m.dtype == DType::Bool) {
            conditions.push(f.load(b, mask)?);
        }
        let mut all = None;
        for condition in conditions {
            all = Some(match all {
                None => condition,
                Some(all) => f.op(Op::And, &[all, condition])?,
            });
        }
        Ok(all)
    }

    /// What is added to the score with the key at `key`: -inf where it is not attended.
    fn summand(&self, b: &Builder<'_>, f: &mut Formula, key: u8) -> Lowering<Option<NodeId>> {
        let allowed = self.allowed(b, f, key)?;
        let added = match self.mask.as_ref().filter(|m| m.dtype != DType::Bool) {
            Some(mask) => Some(f.load(b, mask)?),
            None => None,
        };
        let Some(allowed) = allowed else { return Ok(added) };
        let (none, zero) = (f.float(f32::NEG_INFINITY)?, f.float(0.0)?);
        f.select(allowed, added.unwrap_or(zero), none).map(Some)
    }

    /// Whether a query attends to any key, over axes that broadcast to the scores'; nothing where every one does.
    fn attended(&self, b: &mut Builder<'_>) -> Lowering<Option<Lazy>> {
        // Without a mask, lengths and a limit to the left every query may attend to the first key.
        if self.mask.is_none() && self.lengths.is_none() && self.left.is_none() {
            return Ok(None);
        }
        let [.., queries, keys] = self.dims;
        let mut dims = broadcast_dims(self.mask.iter().chain(&self.lengths))?;
        dims.resize(5, 1);
        dims[3..].copy_from_slice(&[queries, keys]);
        let mut inner = Formula::new(&dims);
        let summand = self.summand(b, &mut inner, FIRST_REDUCTION_AXIS)?.ok_or("it has no bias")?;
        let none = inner.float(f32::NEG_INFINITY)?;
        let open = inner.op(Op::Ne, &[summand, none])?;
        let (reads, body, dtype) = inner.finish(open);
        let mut f = Formula::new(&dims[..4]);
        let core = f.core(dtype)?;
        let fold = Core::Fold { op: FoldOp::Or, body };
        let mut some = b.reduce(Spec::reduction(vec![keys], fold, reads, f, core), dtype)?;
        some.axes.push(Axis::new());
        Ok(Some(some))
    }
}

/// A mask with the axes of scores, of extent 1 where it repeats; keys that it does not reach are not attended.
fn over_scores(b: &mut Builder<'_>, mut mask: Lazy, dims: [u64; 5]) -> Lowering<Lazy> {
    let [batch, shared, group, queries, keys] = dims;
    let given = mask.dims();
    if !matches!(mask.dtype, DType::F32 | DType::Bool) {
        return Err(format!("a mask of {}", mask.dtype));
    }
    let last = mask.rank().checked_sub(1).ok_or("its mask is a scalar")?;
    if given[last] < keys {
        let nothing = if mask.dtype == DType::Bool { 0 } else { f32::NEG_INFINITY.to_bits().into() };
        let missing = i64::try_from(keys - given[last]).map_err(|e| e.to_string())?;
        mask = widened(b, mask, &[(last, 0, missing)], nothing)?;
    }
    let wanted = [batch, shared * group, queries, keys];
    if mask.broadcast(&wanted).is_none() {
        return Err(format!("its mask {given:?} does not broadcast to {wanted:?}"));
    }
    mask.axes.splice(0..0, vec![axis(1, 0); 4 - mask.rank()]);
    let [batch, heads, queries, keys] = four(&mask)?;
    let (shared, group) = if heads == 1 { (1, 1) } else { (shared, group) };
    b.reshape(&mask, &[batch, shared, group, queries, keys])
}
