//! Addition, subtraction, multiplication, division and sign operations, correctly rounded.
//!
//! Source: IEEE-754-2019, 5.4.1 and 6.3 (signs of zero results).

use ruint::aliases::U256;

use super::pack::{Signed, pack, pack_sum, unpack};
use super::{INF, MAGNITUDE, NAN, SIGN, canonical, is_nan};

/// `a + b`.
pub fn add(a: u32, b: u32) -> u32 {
    if is_nan(a) || is_nan(b) {
        return NAN;
    }
    let (x, y) = (a & MAGNITUDE, b & MAGNITUDE);
    if x == INF {
        return if y == INF && a != b { NAN } else { a };
    }
    if y == INF {
        return b;
    }
    if x == 0 && y == 0 {
        return a & b;
    }
    let ((ma, ea), (mb, eb)) = (unpack(a), unpack(b));
    let low = ea.min(eb);
    // 26 places apart, the smaller one is less than half of the larger one's unit below it.
    if ea - low > 26 || y == 0 {
        return a;
    }
    if eb - low > 26 || x == 0 {
        return b;
    }
    let term = |bits: u32, m: u32, e: i32| Signed {
        negative: bits & SIGN != 0,
        magnitude: U256::from(m) << (e - low + 24) as usize,
    };
    pack_sum(term(a, ma, ea).add(term(b, mb, eb)), low - 25)
}

/// `a - b`.
pub fn sub(a: u32, b: u32) -> u32 {
    add(a, b ^ SIGN)
}

/// `a * b`.
pub fn mul(a: u32, b: u32) -> u32 {
    if is_nan(a) || is_nan(b) {
        return NAN;
    }
    let (x, y) = (a & MAGNITUDE, b & MAGNITUDE);
    let sign = (a ^ b) & SIGN;
    if x == INF || y == INF {
        return if x == 0 || y == 0 { NAN } else { sign | INF };
    }
    if x == 0 || y == 0 {
        return sign;
    }
    let ((ma, ea), (mb, eb)) = (unpack(a), unpack(b));
    let product = u64::from(ma) * u64::from(mb);
    pack(sign != 0, U256::from(product) << 24, ea + eb - 175)
}

/// `a / b`.
pub fn div(a: u32, b: u32) -> u32 {
    if is_nan(a) || is_nan(b) {
        return NAN;
    }
    let (x, y) = (a & MAGNITUDE, b & MAGNITUDE);
    let sign = (a ^ b) & SIGN;
    if x == INF {
        return if y == INF { NAN } else { sign | INF };
    }
    if y == INF {
        return sign;
    }
    if y == 0 {
        return if x == 0 { NAN } else { sign | INF };
    }
    if x == 0 {
        return sign;
    }
    let ((ma, ea), (mb, eb)) = (unpack(a), unpack(b));
    let (dividend, divisor) = (u128::from(ma) << 50, u128::from(mb));
    // The lowest bit stands for any remainder: at least two more are cut with it.
    let quotient = (dividend / divisor) | u128::from(!dividend.is_multiple_of(divisor));
    pack(sign != 0, U256::from(quotient), ea - eb + 99)
}

/// `-a`.
pub fn neg(a: u32) -> u32 {
    canonical(a ^ SIGN)
}

/// `|a|`.
pub fn abs(a: u32) -> u32 {
    canonical(a & MAGNITUDE)
}
