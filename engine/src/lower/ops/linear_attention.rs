//! LinearAttention: without corrections all states are one scan along the sequence; with them each step is a dot and a map.
//!
//! States have the axes batch, head of the keys, (step,) key element, value element; an output is a dot of a query and its step's state.

use super::concat::joined;
use super::elementwise::map;
use super::heads::{apart, count, four};
use super::matmul::dot;
use crate::lower::Lowering;
use crate::lower::builder::Builder;
use crate::lower::context::Context;
use crate::lower::formula::Formula;
use crate::lower::lazy::{Lazy, axis};
use crate::lower::mul;
use crate::lower::spec::{Read, Spec};
use crate::program::{Core, DType, NodeId, Op};
use crate::tensor::Tensor;
use ndarray::arr0;

/// Steps that are unrolled.
const STEPS: u64 = 4096;
/// The axis of steps in queries, keys, values and all states.
const STEP: usize = 2;

/// All as [batch, heads, steps, size]; the queries as [batch, heads of keys, steps, queries of the head, size].
struct Given {
    q: Lazy,
    k: Lazy,
    v: Lazy,
    /// e^decay, of size 1 or of the keys' size.
    decay: Option<Lazy>,
    /// How far a state is corrected, of size 1.
    rate: Option<Lazy>,
    /// The state before the first step.
    state: Lazy,
    scale: f32,
}

pub(super) fn linear_attention(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let mut heads = |name: &str| -> Lowering<u64> {
        let given = c.attributes.int(name)?.ok_or_else(|| format!("attribute `{name}` is missing"))?;
        count(name, given)
    };
    let (q_heads, heads) = (heads("q_num_heads")?, heads("kv_num_heads")?);
    if q_heads % heads != 0 {
        return Err(format!("{q_heads} heads of queries do not share {heads} heads of keys"));
    }
    c.attributes.int("chunk_size")?;
    let rule = c.attributes.string("update_rule")?.unwrap_or_else(|| "gated_delta".into());
    let (gated, corrected) = match rule.as_str() {
        "linear" => (false, false),
        "gated" => (true, false),
        "delta" => (false, true),
        "gated_delta" => (true, true),
        other => return Err(format!("update_rule `{other}` does not exist")),
    };
    let (q, k, v) = (c.input(0)?, c.input(1)?, c.input(2)?);
    let (past, decay, rate) = (c.optional(3)?, c.optional(4)?, c.optional(5)?);
    for (given, needed, what) in [(&decay, gated, "decay"), (&rate, corrected, "beta")] {
        if given.is_some() != needed {
            return Err(format!("update_rule `{rule}` {} a {what}", if needed { "needs" } else { "has not" }));
        }
    }
    let (q, k, v) = (apart(c.b, &q, q_heads)?, apart(c.b, &k, heads)?, apart(c.b, &v, heads)?);
    let [batch, _, steps, size] = four(&q)?;
    let v_size = four(&v)?[3];
    if k.dims() != [batch, heads, steps, size] || v.dims() != [batch, heads, steps, v_size] {
        return Err(format!("queries {:?}, keys {:?} and values {:?} do not fit", q.dims(), k.dims(), v.dims()));
    }
    // Some have one element for all keys, or for all heads.
    let fits = |t: &Lazy, what: &str| -> Lowering<()> {
        let [b, h, s, n] = four(t)?;
        if (b, s) == (batch, steps) && [1, heads].contains(&h) && [1, size].contains(&n) {
            return Ok(());
        }
        Err(format!("its {what} {:?} does not fit {steps} steps of {heads} heads of {size}", t.dims()))
    };
    let decay = decay.map(|decay| -> Lowering<Lazy> {
        let decay = apart(c.b, &decay, heads)?;
        fits(&decay, "decay")?;
        map(c.b, &[&decay], |f, x| f.op(Op::Exp, x))
    });
    let rate = rate.map(|rate| -> Lowering<Lazy> {
        let wide = rate.dims().last().copied();
        let rate = apart(c.b, &rate, if wide == Some(1) { 1 } else { heads })?;
        if rate.dims().last() != Some(&1) {
            return Err(format!("its beta {:?} has more than one element a head", rate.dims()));
        }
        fits(&rate, "beta").map(|()| rate)
    });
    let state_dims = [batch, heads, size, v_size];
    let state = match past {
        Some(past) if past.dims() == state_dims => past,
        Some(past) => return Err(format!("its past state {:?} is not {state_dims:?}", past.dims())),
        None => {
            let zero = c.b.constant(Tensor::F32(arr0(0.0).into_dyn()));
            Lazy { axes: state_dims.iter().map(|&n| axis(n, 0)).collect(), ..zero }
        }
    };
    let scale = match c.float("scale", 0.0)? {
        0.0 => (1.0 / (size as f64).sqrt()) as f32,
        scale => scale,
    };
    let group = q_heads / heads;
    let q = c.b.reshape(&q, &[batch, heads, group, steps, size])?.permute(&[0, 1, 3, 2, 4]);
    let given = Given { q, k, v, decay: decay.transpose()?, rate: rate.transpose()?, state, scale };
    // [batch, heads, steps, group, v_size].
    let (outputs, state) = if steps == 0 {
        (Lazy { axes: [batch, heads, 0, group, v_size].map(|n| axis(n, 0)).to_vec(), ..given.v.clone() }, given.state)
    } else if corrected {
        unrolled(c.b, &given)?
    } else {
        scanned(c.b, &given)?
    };
    let y = outputs.permute(&[0, 2, 1, 3, 4]);
    Ok(vec![c.b.reshape(&y, &[batch, steps, mul(&[q_heads, v_size])?])?, state])
}

/// state * decay + key * value.
fn next(f: &mut Formula, state: NodeId, decay: Option<NodeId>, key: NodeId, value: NodeId) -> Lowering<NodeId> {
    let kept = match decay {
        Some(decay) => f.op(Op::Mul, &[state, decay])?,
        None => state,
    };
    f.op(Op::Fma, &[key, value, kept])
}

/// Each step's outputs, and the last state.
fn scanned(b: &mut Builder<'_>, given: &Given) -> Lowering<(Lazy, Lazy)> {
    let [batch, heads, steps, size] = four(&given.k)?;
    let dims = [batch, heads, steps, size, four(&given.v)?[3]];
    let mut f = Formula::new(&dims);
    let state = given.state.with_axis(STEP);
    // An axis of one step is no loop to scan along.
    let before = if steps == 1 { f.load(b, &state)? } else { f.core(DType::F32)? };
    let decay = given.decay.as_ref().map(|d| f.load(b, &d.with_axis(4))).transpose()?;
    let (key, value) = (f.load(b, &given.k.with_axis(4))?, f.load(b, &given.v.with_axis(3))?);
    let result = next(&mut f, before, decay, key, value)?;
    let states = if steps == 1 {
        b.map(f, result)?
    } else {
        let initial = Read::plain(state.broadcast(&dims).ok_or("its past state does not fit")?);
        let axis = u8::try_from(STEP).map_err(|e| e.to_string())?;
        let scan = Core::Scan { axis, initial: 0 };
        b.reduce(Spec::reduction(Vec::new(), scan, vec![initial], f, result), DType::F32)?
    };
    let outputs = dot(b, &given.q, &states, |_, f, core| scaled(f, core, given.scale))?;
    let last = b.slice(&states, STEP, steps - 1, 1, 1)?;
    Ok((outputs, last.permute(&[0, 1, 3, 4])))
}

fn scaled(f: &mut Formula, core: NodeId, scale: f32) -> Lowering<NodeId> {
    let scale = f.float(scale)?;
    f.op(Op::Mul, &[core, scale])
}

/// The same where a state's value at a key is corrected before the next is added.
fn unrolled(b: &mut Builder<'_>, given: &Given) -> Lowering<(Lazy, Lazy)> {
    let steps = four(&given.k)?[2];
    if steps > STEPS {
        return Err(format!("{steps} steps with corrections are too many, {STEPS} are supported: run it in pieces"));
    }
    let rate = given.rate.as_ref().ok_or("its beta is missing")?;
    // What a decayed state has at a key is what the state has at the decayed key.
    let decayed = match &given.decay {
        Some(decay) => map(b, &[&given.k, decay], |f, n| f.op(Op::Mul, n))?,
        None => given.k.clone(),
    };
    let mut state = given.state.clone();
    let mut outputs = Vec::new();
    for step in 0..steps {
        let at = |b: &mut Builder<'_>, t: &Lazy| b.slice(t, STEP, step, 1, 1);
        let (k, v, rate, decayed) = (at(b, &given.k)?, at(b, &given.v)?, at(b, rate)?, at(b, &decayed)?);
        let decay = given.decay.as_ref().map(|d| at(b, d)).transpose()?;
        let value = dot(b, &decayed, &state, |b, f, there| {
            let (v, rate) = (f.load(b, &v)?, f.load(b, &rate)?);
            let missing = f.op(Op::Sub, &[v, there])?;
            f.op(Op::Mul, &[rate, missing])
        })?;
        // Elements of keys along the state's rows.
        let turned = |t: &Lazy| t.permute(&[0, 1, 3, 2]);
        let mut tensors = vec![state.clone(), turned(&k), value];
        tensors.extend(decay.as_ref().map(turned));
        let tensors: Vec<&Lazy> = tensors.iter().collect();
        state = map(b, &tensors, |f, n| next(f, n[0], n.get(3).copied(), n[1], n[2]))?;
        let q = at(b, &given.q)?.permute(&[0, 1, 3, 4]);
        let output = dot(b, &q, &state, |_, f, core| scaled(f, core, given.scale))?;
        outputs.push(output.with_axis(STEP));
    }
    Ok((joined(b, outputs, STEP)?, state))
}
