//! Keccak-f[1600] (FIPS 202, section 3) on several states side by side: a register holds the same 64-bit word of each.
//!
//! `unsafe` calls functions that were compiled for instructions which the CPU is first asked for; addresses are those of references, and no more is read than they refer to.
#![allow(unsafe_code)]

use super::keccak;
use crate::arith::{Isa, Level};

/// Bytes that a permutation absorbs (Keccak-256: capacity 512 bits).
const RATE: usize = 136;
const WORDS: usize = 25;

/// Constants of the step iota.
const ROUNDS: [u64; 24] = [
    0x0000_0000_0000_0001,
    0x0000_0000_0000_8082,
    0x8000_0000_0000_808a,
    0x8000_0000_8000_8000,
    0x0000_0000_0000_808b,
    0x0000_0000_8000_0001,
    0x8000_0000_8000_8081,
    0x8000_0000_0000_8009,
    0x0000_0000_0000_008a,
    0x0000_0000_0000_0088,
    0x0000_0000_8000_8009,
    0x0000_0000_8000_000a,
    0x0000_0000_8000_808b,
    0x8000_0000_0000_008b,
    0x8000_0000_0000_8089,
    0x8000_0000_0000_8003,
    0x8000_0000_0000_8002,
    0x8000_0000_0000_0080,
    0x0000_0000_0000_800a,
    0x8000_0000_8000_000a,
    0x8000_0000_8000_8081,
    0x8000_0000_0000_8080,
    0x0000_0000_8000_0001,
    0x8000_0000_8000_8008,
];

/// Keccak-256 of messages of `LENGTH` bytes that lie one after the other, into `out`, which has a place for each.
///
/// # Panics
/// When `messages` and `out` are not of the same number of messages.
pub(crate) fn keccak_each<const LENGTH: usize>(messages: &[[u8; LENGTH]], out: &mut [[u8; 32]], isa: Isa) {
    assert_eq!(messages.len(), out.len(), "a hash for each message");
    match isa.level() {
        // SAFETY: a level is only used on a CPU that was asked for its features.
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => unsafe { avx512(messages, out) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => unsafe { avx2(messages, out) },
        Level::Portable => one_by_one(messages, out),
    }
}

fn one_by_one<const LENGTH: usize>(messages: &[[u8; LENGTH]], out: &mut [[u8; 32]]) {
    messages.iter().zip(out).for_each(|(message, out)| *out = keccak(message).0);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512dq,avx512vl")]
fn avx512<const LENGTH: usize>(messages: &[[u8; LENGTH]], out: &mut [[u8; 32]]) {
    in_groups::<x86::Eight, 8, LENGTH>(messages, out);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn avx2<const LENGTH: usize>(messages: &[[u8; LENGTH]], out: &mut [[u8; 32]]) {
    in_groups::<x86::Four, 4, LENGTH>(messages, out);
}

/// The same 64-bit word of `N` states.
trait Word<const N: usize>: Copy {
    fn new(words: [u64; N]) -> Self;
    fn words(self) -> [u64; N];
    /// Word `i` of each row, for `i` from 0.
    fn transposed(rows: [&[[u8; 8]; N]; N]) -> [Self; N];
    fn xor(self, other: Self) -> Self;
    /// Rotation by `L` bits to the left, which is `R = 64 - L` to the right.
    fn rotate<const L: i32, const R: i32>(self) -> Self;
    /// `self ^ (!b & c)`.
    fn chi(self, b: Self, c: Self) -> Self;

    #[inline(always)]
    fn xor3(self, b: Self, c: Self) -> Self {
        self.xor(b).xor(c)
    }
}

/// Groups of `N` messages side by side, the rest one by one.
#[inline(always)]
fn in_groups<W: Word<N>, const N: usize, const LENGTH: usize>(messages: &[[u8; LENGTH]], out: &mut [[u8; 32]]) {
    let (messages, rest) = messages.as_chunks();
    let (out, rest_out) = out.as_chunks_mut();
    messages.iter().zip(out).for_each(|(m, out)| side_by_side::<W, N, LENGTH>(m, out));
    one_by_one(rest, rest_out);
}

#[inline(always)]
fn side_by_side<W: Word<N>, const N: usize, const LENGTH: usize>(
    messages: &[[u8; LENGTH]; N],
    out: &mut [[u8; 32]; N],
) {
    let mut state = [W::new([0; N]); WORDS];
    for block in 0..LENGTH / RATE + 1 {
        for first in (0..RATE / 8).step_by(N) {
            let at = block * RATE + first * 8;
            if let (true, Some(rows)) = (first + N <= RATE / 8, rows(messages, at)) {
                let words = W::transposed(rows);
                state[first..first + N].iter_mut().zip(words).for_each(|(s, w)| *s = s.xor(w));
            } else {
                for (i, state) in state[..RATE / 8].iter_mut().enumerate().skip(first).take(N) {
                    let at = block * RATE + i * 8;
                    let end = if at + 8 == (LENGTH / RATE + 1) * RATE { 0x80 << 56 } else { 0 };
                    *state = state.xor(W::new(std::array::from_fn(|lane| word(&messages[lane], at) ^ end)));
                }
            }
        }
        state = permute(state);
    }
    for (i, word) in state.iter().take(4).enumerate() {
        for (out, word) in out.iter_mut().zip(word.words()) {
            out[8 * i..8 * i + 8].copy_from_slice(&word.to_le_bytes());
        }
    }
}

/// `N` words of each message from byte `at` on; `None` where a message ends before.
#[inline(always)]
fn rows<const N: usize, const LENGTH: usize>(messages: &[[u8; LENGTH]; N], at: usize) -> Option<[&[[u8; 8]; N]; N]> {
    let mut rows = [&[[0; 8]; N]; N];
    for (row, message) in rows.iter_mut().zip(messages) {
        *row = message.get(at..)?.as_chunks().0.first_chunk()?;
    }
    Some(rows)
}

/// The word at byte `at` of a message, or of its padding.
#[inline(always)]
fn word(message: &[u8], at: usize) -> u64 {
    match message.get(at..at + 8).and_then(|bytes| bytes.try_into().ok()) {
        Some(bytes) => u64::from_le_bytes(bytes),
        None => padded(message, at),
    }
}

/// The word at a place that the message does not fill: its end, the first bit of the padding, zeros.
fn padded(message: &[u8], at: usize) -> u64 {
    let mut bytes = [0; 8];
    let end = message.get(at..).unwrap_or_default();
    bytes[..end.len()].copy_from_slice(end);
    if at <= message.len() {
        bytes[end.len()] = 1;
    }
    u64::from_le_bytes(bytes)
}

/// Keccak-f[1600]. Everything is written out, without indices that vary: the state stays in registers.
#[inline(always)]
fn permute<W: Word<N>, const N: usize>(mut a: [W; WORDS]) -> [W; WORDS] {
    for constant in ROUNDS {
        macro_rules! column {
            ($x:literal) => {
                a[$x].xor3(a[$x + 5], a[$x + 10]).xor3(a[$x + 15], a[$x + 20])
            };
        }
        let c = [column!(0), column!(1), column!(2), column!(3), column!(4)];
        let turned = [turn(c[0]), turn(c[1]), turn(c[2]), turn(c[3]), turn(c[4])];
        macro_rules! theta {
            ($x:literal, $y:literal) => {
                a[$x + 5 * $y].xor3(c[($x + 4) % 5], turned[($x + 1) % 5])
            };
        }
        // chi of a row
        macro_rules! row {
            ($a:ident, $b:ident, $c:ident, $d:ident, $e:ident) => {
                [$a.chi($b, $c), $b.chi($c, $d), $c.chi($d, $e), $d.chi($e, $a), $e.chi($a, $b)]
            };
        }
        // theta, rho and pi: the place y + 5((2x + 3y) mod 5) gets that at x + 5y, rotated.
        let [b0, b1, b2, b3, b4] = [
            theta!(0, 0),
            theta!(1, 1).rotate::<44, 20>(),
            theta!(2, 2).rotate::<43, 21>(),
            theta!(3, 3).rotate::<21, 43>(),
            theta!(4, 4).rotate::<14, 50>(),
        ];
        let r0 = row!(b0, b1, b2, b3, b4);
        let [b0, b1, b2, b3, b4] = [
            theta!(3, 0).rotate::<28, 36>(),
            theta!(4, 1).rotate::<20, 44>(),
            theta!(0, 2).rotate::<3, 61>(),
            theta!(1, 3).rotate::<45, 19>(),
            theta!(2, 4).rotate::<61, 3>(),
        ];
        let r1 = row!(b0, b1, b2, b3, b4);
        let [b0, b1, b2, b3, b4] = [
            theta!(1, 0).rotate::<1, 63>(),
            theta!(2, 1).rotate::<6, 58>(),
            theta!(3, 2).rotate::<25, 39>(),
            theta!(4, 3).rotate::<8, 56>(),
            theta!(0, 4).rotate::<18, 46>(),
        ];
        let r2 = row!(b0, b1, b2, b3, b4);
        let [b0, b1, b2, b3, b4] = [
            theta!(4, 0).rotate::<27, 37>(),
            theta!(0, 1).rotate::<36, 28>(),
            theta!(1, 2).rotate::<10, 54>(),
            theta!(2, 3).rotate::<15, 49>(),
            theta!(3, 4).rotate::<56, 8>(),
        ];
        let r3 = row!(b0, b1, b2, b3, b4);
        let [b0, b1, b2, b3, b4] = [
            theta!(2, 0).rotate::<62, 2>(),
            theta!(3, 1).rotate::<55, 9>(),
            theta!(4, 2).rotate::<39, 25>(),
            theta!(0, 3).rotate::<41, 23>(),
            theta!(1, 4).rotate::<2, 62>(),
        ];
        let r4 = row!(b0, b1, b2, b3, b4);
        let iota = r0[0].xor(W::new([constant; N]));
        a = [
            iota, r0[1], r0[2], r0[3], r0[4], r1[0], r1[1], r1[2], r1[3], r1[4], r2[0], r2[1], r2[2], r2[3], r2[4],
            r3[0], r3[1], r3[2], r3[3], r3[4], r4[0], r4[1], r4[2], r4[3], r4[4],
        ];
    }
    a
}

#[inline(always)]
fn turn<W: Word<N>, const N: usize>(word: W) -> W {
    word.rotate::<1, 63>()
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::Word;
    use std::arch::x86_64::*;
    use std::mem::transmute;

    /// Eight states: AVX-512.
    pub(super) type Eight = __m512i;
    /// Four states: AVX2.
    pub(super) type Four = __m256i;

    // SAFETY (all calls below): only `avx512` and `avx2`, which enable what these need, use these types; a register is as large as its words,
    // any bits are words, and a row is a
    // register's worth of bytes.
    impl Word<8> for Eight {
        #[inline(always)]
        fn new(words: [u64; 8]) -> Self {
            unsafe { transmute(words) }
        }

        #[inline(always)]
        fn words(self) -> [u64; 8] {
            unsafe { transmute(self) }
        }

        #[inline(always)]
        fn transposed(rows: [&[[u8; 8]; 8]; 8]) -> [Self; 8] {
            unsafe {
                let r = rows.map(|row| _mm512_loadu_si512(row.as_ptr().cast()));
                // Pairs of rows in 128 bits: even words, odd words. Then the four such parts of a register become registers.
                let even = [0, 2, 4, 6].map(|i| _mm512_unpacklo_epi64(r[i], r[i + 1]));
                let odd = [0, 2, 4, 6].map(|i| _mm512_unpackhi_epi64(r[i], r[i + 1]));
                let parts = |[a, b, c, d]: [Self; 4]| {
                    let (low, high) = (_mm512_shuffle_i64x2::<0x44>(a, b), _mm512_shuffle_i64x2::<0xee>(a, b));
                    let (low2, high2) = (_mm512_shuffle_i64x2::<0x44>(c, d), _mm512_shuffle_i64x2::<0xee>(c, d));
                    [
                        _mm512_shuffle_i64x2::<0x88>(low, low2),
                        _mm512_shuffle_i64x2::<0xdd>(low, low2),
                        _mm512_shuffle_i64x2::<0x88>(high, high2),
                        _mm512_shuffle_i64x2::<0xdd>(high, high2),
                    ]
                };
                let ([w0, w2, w4, w6], [w1, w3, w5, w7]) = (parts(even), parts(odd));
                [w0, w1, w2, w3, w4, w5, w6, w7]
            }
        }

        #[inline(always)]
        fn xor(self, other: Self) -> Self {
            unsafe { _mm512_xor_si512(self, other) }
        }

        #[inline(always)]
        fn rotate<const L: i32, const R: i32>(self) -> Self {
            unsafe { _mm512_rol_epi64::<L>(self) }
        }

        #[inline(always)]
        fn chi(self, b: Self, c: Self) -> Self {
            unsafe { _mm512_ternarylogic_epi64::<0xd2>(self, b, c) }
        }

        #[inline(always)]
        fn xor3(self, b: Self, c: Self) -> Self {
            unsafe { _mm512_ternarylogic_epi64::<0x96>(self, b, c) }
        }
    }

    // SAFETY: as above.
    impl Word<4> for Four {
        #[inline(always)]
        fn new(words: [u64; 4]) -> Self {
            unsafe { transmute(words) }
        }

        #[inline(always)]
        fn words(self) -> [u64; 4] {
            unsafe { transmute(self) }
        }

        #[inline(always)]
        fn transposed(rows: [&[[u8; 8]; 4]; 4]) -> [Self; 4] {
            unsafe {
                let [a, b, c, d] = rows.map(|row| _mm256_loadu_si256(row.as_ptr().cast()));
                let (even, odd) = (_mm256_unpacklo_epi64(a, b), _mm256_unpackhi_epi64(a, b));
                let (even2, odd2) = (_mm256_unpacklo_epi64(c, d), _mm256_unpackhi_epi64(c, d));
                [
                    _mm256_permute2x128_si256::<0x20>(even, even2),
                    _mm256_permute2x128_si256::<0x20>(odd, odd2),
                    _mm256_permute2x128_si256::<0x31>(even, even2),
                    _mm256_permute2x128_si256::<0x31>(odd, odd2),
                ]
            }
        }

        #[inline(always)]
        fn xor(self, other: Self) -> Self {
            unsafe { _mm256_xor_si256(self, other) }
        }

        #[inline(always)]
        fn rotate<const L: i32, const R: i32>(self) -> Self {
            unsafe { _mm256_or_si256(_mm256_slli_epi64::<L>(self), _mm256_srli_epi64::<R>(self)) }
        }

        #[inline(always)]
        fn chi(self, b: Self, c: Self) -> Self {
            unsafe { _mm256_xor_si256(self, _mm256_andnot_si256(b, c)) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against the library, at lengths around the rate and a word, with every number of messages that remains.
    #[test]
    fn every_width_hashes_as_the_library() {
        fn check<const LENGTH: usize>() {
            let byte = |i: usize| (i.wrapping_mul(0x9e37_79b1) >> 13) as u8;
            for count in 0..20 {
                let messages: Vec<[u8; LENGTH]> =
                    (0..count).map(|m| std::array::from_fn(|i| byte(m * LENGTH + i))).collect();
                let expected: Vec<[u8; 32]> = messages.iter().map(|m| keccak(m).0).collect();
                for isa in [Isa::Auto, Isa::Avx2, Isa::Portable] {
                    let mut out = vec![[0; 32]; count];
                    keccak_each(&messages, &mut out, isa);
                    assert_eq!(out, expected, "{count} messages of {LENGTH} bytes, {isa:?}");
                }
            }
        }
        check::<0>();
        check::<1>();
        check::<64>();
        check::<127>();
        check::<128>();
        check::<135>();
        check::<136>();
        check::<137>();
        check::<271>();
        check::<272>();
        check::<512>();
    }
}
