//! The fused multiply-add, rounded once.
//!
//! Source: IEEE-754-2019, 5.4.1.

use ruint::aliases::U256;

use super::pack::{Signed, pack, pack_sum, unpack};
use super::{INF, MAGNITUDE, NAN, SIGN, is_nan};

/// `a * b + c` with one rounding.
pub fn fma(a: u32, b: u32, c: u32) -> u32 {
    if is_nan(a) || is_nan(b) || is_nan(c) {
        return NAN;
    }
    let (x, y, z) = (a & MAGNITUDE, b & MAGNITUDE, c & MAGNITUDE);
    let sign = (a ^ b) & SIGN;
    if x == INF || y == INF {
        let invalid = x == 0 || y == 0 || z == INF && sign != c & SIGN;
        return if invalid { NAN } else { sign | INF };
    }
    if z == INF {
        return c;
    }
    if x == 0 || y == 0 {
        return if z == 0 { sign & c } else { c };
    }
    let ((ma, ea), (mb, eb)) = (unpack(a), unpack(b));
    let product = U256::from(u64::from(ma) * u64::from(mb)) << 24;
    if z == 0 {
        return pack(sign != 0, product, ea + eb - 175);
    }
    let (mc, ec) = unpack(c);
    let addend = U256::from(mc) << 24;
    // Beyond 170 places the smaller one only says on which side of the larger one the sum lies.
    let gap = (ea + eb - 150 - ec).clamp(-170, 170);
    let (product, addend, q) = if gap >= 0 {
        (product << gap as usize, addend, ea + eb - 175 - gap)
    } else {
        (product, addend << -gap as usize, ec - 25 + gap)
    };
    let product = Signed { negative: sign != 0, magnitude: product };
    let addend = Signed { negative: c & SIGN != 0, magnitude: addend };
    pack_sum(product.add(addend), q)
}
