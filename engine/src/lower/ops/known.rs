//! Operators whose results are as large as their inputs' contents say: Compress, NonZero, Unique. Sizes are fixed when compiling, so what they
//! depend on must be known then.

use super::gather::take;
use crate::lower::Lowering;
use crate::lower::constant::from_registers;
use crate::lower::context::{Context, axis_of};
use crate::lower::lazy::{Lazy, row_major};
use crate::program::{DType, TensorType, product};
use std::collections::BTreeMap;

/// The elements of an input that the result's size depends on.
pub(super) fn registers(c: &mut Context<'_, '_>, index: usize) -> Lowering<(Lazy, Vec<i64>)> {
    let t = c.input(index)?;
    let known = c.b.registers(&t).ok_or_else(|| {
        format!(
            "the size of its result depends on input {index}, which is not known when compiling: bind the input that it comes from to a \
             constant of at most 65,536 elements"
        )
    });
    Ok((t, known?))
}

/// Compress: the coordinates of an axis, or elements, where a condition holds that is known now.
pub(super) fn compress(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let x = c.input(0)?;
    let (condition, known) = registers(c, 1)?;
    if condition.rank() != 1 || condition.dtype != DType::Bool {
        return Err(format!("a condition {} {:?}", condition.dtype, condition.dims()));
    }
    let (x, at) = match c.attributes.int("axis")? {
        Some(axis) => {
            let at = axis_of(axis, x.rank())?;
            (x, at)
        }
        None => (c.b.reshape(&x, &[x.elements()])?, 0),
    };
    let chosen: Vec<i64> = (0..).zip(&known).filter(|(_, holds)| **holds != 0).map(|(i, _)| i).collect();
    let size = x.dims()[at];
    if chosen.last().is_some_and(|&i| i.unsigned_abs() >= size) {
        return Err(format!("its condition chooses {} of an axis of {size}", chosen.len()));
    }
    Ok(vec![take(c.b, &x, at, &chosen)?])
}

/// A number that orders registers of a type as numpy does: -0 equals +0, NaN equals NaN and is the greatest.
pub(super) fn order(dtype: DType, register: i64) -> i64 {
    let magnitude = match dtype {
        DType::F32 => 0x7fff_ffff,
        DType::F16 | DType::BF16 => 0x7fff,
        _ => return register,
    };
    match register & magnitude {
        _ if dtype.nan() == Some(register) => i64::MAX,
        size if register > magnitude => -size,
        size => size,
    }
}

/// NonZero: the coordinates of what is not zero, axis by axis.
pub(super) fn non_zero(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let (x, known) = registers(c, 0)?;
    let dims = x.dims();
    let places: Vec<u64> = (0..).zip(&known).filter(|(_, r)| order(x.dtype, **r) != 0).map(|(i, _)| i).collect();
    let coordinates = dims.iter().zip(row_major(&dims)).flat_map(|(&d, stride)| {
        // Below 65,536, like the number of elements.
        places.iter().map(move |place| (place / stride.unsigned_abs().max(1) % d.max(1)) as i64)
    });
    let ty = TensorType::new(DType::I64, vec![dims.len() as u64, places.len() as u64]);
    Ok(vec![c.b.constant(from_registers(&ty, coordinates)?)])
}

/// Unique: the distinct elements, or slices along an axis; sorted, or in the order of their first occurrence.
pub(super) fn unique(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let (x, known) = registers(c, 0)?;
    let sorted = c.flag("sorted", true)?;
    let axis = c.attributes.int("axis")?.map(|a| axis_of(a, x.rank())).transpose()?;
    let dims = if axis.is_some() { x.dims() } else { vec![x.elements()] };
    let at = axis.unwrap_or(0);
    let (n, inner) = (dims[at], product(&dims[at + 1..]));
    let outer = product(&dims[..at]);
    // Of slice i, in row-major order of the other axes; all below 65,536.
    let slice = |i: u64| (0..outer).flat_map(move |o| (0..inner).map(move |k| ((o * n + i) * inner + k) as usize));
    let mut groups: BTreeMap<Vec<i64>, Vec<u64>> = BTreeMap::new();
    for i in 0..n {
        let key = slice(i).map(|at| order(x.dtype, known[at])).collect();
        groups.entry(key).or_default().push(i);
    }
    let mut groups: Vec<Vec<u64>> = groups.into_values().collect();
    if !sorted {
        groups.sort_by_key(|members| members[0]);
    }
    let mut inverse = vec![0; dims[at] as usize];
    for (members, number) in groups.iter().zip(0i64..) {
        members.iter().for_each(|&i| inverse[i as usize] = number);
    }
    let firsts: Vec<u64> = groups.iter().map(|members| members[0]).collect();
    let mut distinct = dims.clone();
    distinct[at] = firsts.len() as u64;
    let elements = (0..outer).flat_map(|o| {
        let (firsts, known) = (&firsts, &known);
        firsts.iter().flat_map(move |i| (0..inner).map(move |k| known[((o * n + i) * inner + k) as usize]))
    });
    let values = c.b.constant(from_registers(&TensorType::new(x.dtype, distinct), elements)?);
    let firsts: Vec<i64> = firsts.iter().map(|&i| i as i64).collect();
    let counts: Vec<i64> = groups.iter().map(|members| members.len() as i64).collect();
    Ok(vec![values, c.b.integers(&firsts), c.b.integers(&inverse), c.b.integers(&counts)])
}
