//! The heads of attention.

use crate::lower::Lowering;
use crate::lower::builder::Builder;
use crate::lower::lazy::Lazy;

/// The dimensions of [batch, heads, sequence, size].
pub(super) fn four(x: &Lazy) -> Lowering<[u64; 4]> {
    <[u64; 4]>::try_from(x.dims()).map_err(|d| format!("{d:?} is not [batch, heads, sequence, size]"))
}

/// [batch, sequence, heads * size] as [batch, heads, sequence, size].
pub(super) fn apart(b: &mut Builder<'_>, x: &Lazy, heads: u64) -> Lowering<Lazy> {
    match x.dims()[..] {
        [batch, sequence, wide] if heads > 0 && wide % heads == 0 => {
            Ok(b.reshape(x, &[batch, sequence, heads, wide / heads])?.permute(&[0, 2, 1, 3]))
        }
        ref dims => Err(format!("{dims:?} is not [batch, sequence, {heads} heads]")),
    }
}

/// How many heads an attribute says.
pub(super) fn count(name: &str, given: i64) -> Lowering<u64> {
    u64::try_from(given).ok().filter(|&n| n > 0).ok_or_else(|| format!("{name} {given} is no number of heads"))
}
