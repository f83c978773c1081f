//! RotaryEmbedding: one map over pairs of elements, each with the other one of its pair.

use super::concat::joined;
use super::gather::gathered;
use crate::lower::Lowering;
use crate::lower::builder::Builder;
use crate::lower::context::Context;
use crate::lower::formula::Formula;
use crate::lower::lazy::Lazy;
use crate::program::Op;

pub(super) fn rotary_embedding(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let x = c.input(0)?;
    let heads = c.attributes.int("num_heads")?;
    let interleaved = c.flag("interleaved", false)?;
    let part = c.int("rotary_embedding_dim", 0)?;
    let dims = x.dims();
    // The heads and the sequence as they lie; the other axes are batch and size.
    let (x, sequence_at) = match dims[..] {
        [_, there, ..] if dims.len() == 4 => match heads.filter(|&h| h > 0) {
            Some(heads) if u64::try_from(heads) != Ok(there) => {
                return Err(format!("num_heads says {heads}, there are {there}"));
            }
            _ => (x, 2),
        },
        [batch, sequence, wide] => {
            let heads = heads.and_then(|h| u64::try_from(h).ok()).filter(|&h| h > 0 && wide % h == 0);
            let heads = heads.ok_or_else(|| format!("input {dims:?} of rank 3 needs a num_heads that divides it"))?;
            (c.b.reshape(&x, &[batch, sequence, heads, wide / heads])?, 1)
        }
        _ => return Err(format!("input {dims:?} has neither rank 3 nor 4")),
    };
    let size = x.dims()[3];
    let part = if part == 0 { size } else { u64::try_from(part).unwrap_or(u64::MAX) };
    if part > size || part % 2 != 0 {
        return Err(format!("{part} of {size} elements cannot be rotated in pairs"));
    }
    let (batch, sequence) = (x.dims()[0], x.dims()[sequence_at]);
    let (cos, sin) = (c.input(1)?, c.input(2)?);
    let positions = c.optional(3)?;
    let mut angles = |table: Lazy| -> Lowering<Lazy> {
        let angles = match &positions {
            Some(positions) => gathered(c.b, &table, positions, 0)?,
            None => table,
        };
        if angles.dims() != [batch, sequence, part / 2] {
            return Err(format!("its angles {:?} are not [{batch}, {sequence}, {}]", angles.dims(), part / 2));
        }
        // One for all heads.
        Ok(angles.with_axis(3 - sequence_at))
    };
    let (cos, sin) = (angles(cos)?, angles(sin)?);
    let turned = c.b.slice(&x, 3, 0, 1, part)?;
    let turned = rotated(c.b, &turned, &cos, &sin, interleaved)?;
    let y = if part == size {
        turned
    } else {
        let rest = c.b.slice(&x, 3, part, 1, size - part)?;
        joined(c.b, vec![turned, rest], 3)?
    };
    Ok(vec![c.b.reshape(&y, &dims)?])
}

/// (cos * x - sin * y, sin * x + cos * y) of each pair (x, y): neighbours if interleaved, else an element of each half.
fn rotated(b: &mut Builder<'_>, x: &Lazy, cos: &Lazy, sin: &Lazy, interleaved: bool) -> Lowering<Lazy> {
    let dims = x.dims();
    let pairs = dims[3] / 2;
    let (place, split) = if interleaved { (4, [pairs, 2]) } else { (3, [2, pairs]) };
    let own = b.reshape(x, &[&dims[..3], &split].concat())?;
    let other = b.slice(&own, place, 1, -1, 2)?;
    let (cos, sin) = (cos.with_axis(place), sin.with_axis(place));

    let mut f = Formula::new(&own.dims());
    let (own, other) = (f.load(b, &own)?, f.load(b, &other)?);
    let (cos, sin) = (f.load(b, &cos)?, f.load(b, &sin)?);
    let (own, other) = (f.op(Op::Mul, &[cos, own])?, f.op(Op::Mul, &[sin, other])?);
    let place = f.iota(u8::try_from(place).map_err(|e| e.to_string())?)?;
    let zero = f.number(f.dtype(place), 0)?;
    let first = f.op(Op::Eq, &[place, zero])?;
    let (less, more) = (f.op(Op::Sub, &[own, other])?, f.op(Op::Add, &[own, other])?);
    let y = f.select(first, less, more)?;
    let y = b.map(f, y)?;
    b.reshape(&y, &dims)
}
