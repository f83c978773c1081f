//! NonMaxSuppression of boxes and scores that are known now: how many boxes are left decides the size of the result.

use super::known::{order, registers};
use crate::lower::Lowering;
use crate::lower::constant::from_registers;
use crate::lower::context::Context;
use crate::lower::lazy::Lazy;
use crate::program::{DType, TensorType};
use std::cmp::Reverse;

/// A box by its lower and upper bounds on both axes.
#[derive(Clone, Copy)]
struct Bounds {
    low: [f32; 2],
    high: [f32; 2],
}

impl Bounds {
    /// From two opposite corners.
    fn of_corners(corners: [f32; 4]) -> Self {
        let [a, b, c, d] = corners;
        let sorted = |p: f32, q: f32| if p >= q { (q, p) } else { (p, q) };
        let ((a, c), (b, d)) = (sorted(a, c), sorted(b, d));
        Self { low: [a, b], high: [c, d] }
    }

    /// From the centre, width and height.
    fn of_centre(centre: [f32; 4]) -> Self {
        let [x, y, width, height] = centre;
        let (w, h) = (width / 2.0, height / 2.0);
        Self { low: [x - w, y - h], high: [x + w, y + h] }
    }

    fn area(&self) -> f32 {
        (self.high[0] - self.low[0]) * (self.high[1] - self.low[1])
    }

    /// Whether the intersection is more than a part `limit` of the union; boxes without area overlap with none.
    fn overlaps(&self, other: &Self, limit: f32) -> bool {
        let low = [0, 1].map(|i| self.low[i].max(other.low[i]));
        let high = [0, 1].map(|i| self.high[i].min(other.high[i]));
        if high[0] <= low[0] || high[1] <= low[1] {
            return false;
        }
        let common = Self { low, high }.area();
        let (a, b) = (self.area(), other.area());
        let union = a + b - common;
        common > 0.0 && a > 0.0 && b > 0.0 && union > 0.0 && common / union > limit
    }
}

/// The f32 numbers of an input.
fn floats(c: &mut Context<'_, '_>, index: usize) -> Lowering<(Lazy, Vec<f32>)> {
    let (t, known) = registers(c, index)?;
    if t.dtype != DType::F32 {
        return Err(format!("input {index} is {}, not f32", t.dtype));
    }
    Ok((t, known.into_iter().map(|r| f32::from_bits(r as u32)).collect())) // the 32 bits of the register
}

/// An optional input of one number.
fn number(c: &mut Context<'_, '_>, index: usize) -> Lowering<Option<f32>> {
    match c.optional(index)?.filter(|t| t.elements() > 0) {
        None => Ok(None),
        Some(_) => Ok(floats(c, index)?.1.first().copied()),
    }
}

pub(super) fn suppression(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let ((boxes, corners), (scored, scores)) = (floats(c, 0)?, floats(c, 1)?);
    let most = match c.optional_ints(2, "greatest number of boxes")? {
        Some(given) => given.first().copied().unwrap_or(0),
        None => 0,
    };
    let most = usize::try_from(most.max(0)).map_err(|e| e.to_string())?;
    let (limit, least) = (number(c, 3)?.unwrap_or(0.0), number(c, 4)?);
    let centred = c.flag("center_point_box", false)?;
    let (bd, sd) = (boxes.dims(), scored.dims());
    if bd.len() != 3 || bd[2] != 4 || sd.len() != 3 || sd[0] != bd[0] || sd[2] != bd[1] {
        return Err(format!("boxes {bd:?} and scores {sd:?} are not [batch, n, 4] and [batch, classes, n]"));
    }
    let of = if centred { Bounds::of_centre } else { Bounds::of_corners };
    let bounds: Vec<Bounds> = corners.as_chunks::<4>().0.iter().map(|&four| of(four)).collect();
    // All are below 65,536.
    let (n, classes) = (bd[1] as usize, sd[1] as usize);
    let mut selected: Vec<i64> = Vec::new();
    for (row, of_class) in scores.chunks(n.max(1)).enumerate() {
        let (batch, class) = (row / classes.max(1), row % classes.max(1));
        let bounds = &bounds[batch * n..(batch + 1) * n];
        let wanted = |i: &usize| !of_class[*i].is_nan() && least.is_none_or(|least| of_class[*i] > least);
        let mut candidates: Vec<usize> = (0..n).filter(wanted).collect();
        // The best first; of equal ones the first.
        candidates.sort_by_key(|&i| Reverse(order(DType::F32, of_class[i].to_bits().into())));
        let mut kept: Vec<usize> = Vec::new();
        for i in candidates {
            if kept.len() == most {
                break;
            }
            if !kept.iter().any(|&k| bounds[i].overlaps(&bounds[k], limit)) {
                kept.push(i);
                selected.extend([batch as i64, class as i64, i as i64]);
            }
        }
    }
    let ty = TensorType::new(DType::I64, vec![selected.len() as u64 / 3, 3]);
    Ok(vec![c.b.constant(from_registers(&ty, selected.into_iter())?)])
}
