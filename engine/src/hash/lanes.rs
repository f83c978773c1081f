//! Keccak-f[1600] (FIPS 202, section 3) on several states side by side: a register holds the same 64-bit word of each.
//!
//! `unsafe` calls functions that were compiled for instructions which the CPU is first asked for; addresses are those of references, and no more is read than they refer to.
#![allow(unsafe_code)]
// Elsewhere messages are hashed one by one.
#![cfg_attr(not(target_arch = "x86_64"), allow(dead_code))]

use super::keccak;
use crate::arith::{Isa, Level};

/// Bytes that a permutation absorbs (Keccak-256: capacity 512 bits).
const RATE: usize = 136;
const RATE_WORDS: usize = RATE / 8;
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

/// The same 64-bit word of `N` states. Only functions that are always inlined may use its methods, and no closures: what is not inlined into
/// a function for these instructions is compiled without them.
trait Word<const N: usize>: Copy {
    fn splat(word: u64) -> Self;
    /// Word `i` of each message from byte `at` on, for `i` from 0; 0 from `count` on, where the messages end.
    fn transposed<const LENGTH: usize>(messages: &[&[u8; LENGTH]; N], at: usize, count: usize) -> [Self; N];
    /// The first four words of each state as bytes.
    fn digests(words: [Self; 4]) -> [[u8; 32]; N];
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

/// Groups of `N` messages side by side. One message alone is faster by itself; in a group with fewer than `N` its first message is there
/// again.
#[inline(always)]
fn in_groups<W: Word<N>, const N: usize, const LENGTH: usize>(messages: &[[u8; LENGTH]], out: &mut [[u8; 32]]) {
    for (messages, out) in messages.chunks(N).zip(out.chunks_mut(N)) {
        if messages.len() == 1 {
            one_by_one(messages, out);
            continue;
        }
        let mut group = [&messages[0]; N];
        for (place, message) in group.iter_mut().zip(messages) {
            *place = message;
        }
        let digests = side_by_side::<W, N, LENGTH>(&group);
        for (out, digest) in out.iter_mut().zip(digests) {
            *out = digest;
        }
    }
}

#[inline(always)]
fn side_by_side<W: Word<N>, const N: usize, const LENGTH: usize>(messages: &[&[u8; LENGTH]; N]) -> [[u8; 32]; N] {
    const { assert!(LENGTH.is_multiple_of(8), "messages of whole words") };
    let words = LENGTH / 8;
    let mut state = [W::splat(0); WORDS];
    for block in 0..LENGTH / RATE + 1 {
        let mut first = 0;
        while first < RATE_WORDS {
            let at = block * RATE_WORDS + first;
            let count = N.min(words.saturating_sub(at)).min(RATE_WORDS - first);
            if count > 0 {
                let words = W::transposed(messages, 8 * at, count);
                for (state, word) in state[first..first + count].iter_mut().zip(words) {
                    *state = state.xor(word);
                }
            }
            first += N;
        }
        if block == LENGTH / RATE {
            let end = words % RATE_WORDS;
            state[end] = state[end].xor(W::splat(1));
            state[RATE_WORDS - 1] = state[RATE_WORDS - 1].xor(W::splat(0x80 << 56));
        }
        state = permute(state);
    }
    W::digests([state[0], state[1], state[2], state[3]])
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
        // One word for each column, though a third operand of `xor3` would save an instruction: ten words instead of five would not fit in registers.
        let d = [
            c[4].xor(turn(c[1])),
            c[0].xor(turn(c[2])),
            c[1].xor(turn(c[3])),
            c[2].xor(turn(c[4])),
            c[3].xor(turn(c[0])),
        ];
        macro_rules! theta {
            ($x:literal, $y:literal) => {
                a[$x + 5 * $y].xor(d[$x])
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
        let iota = r0[0].xor(W::splat(constant));
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

    // SAFETY (all calls below): only `avx512` and `avx2`, which enable what these need, use these types; a register is as large as its words or
    // bytes, any bits are those; and what is read of a message is a slice of it.
    impl Word<8> for Eight {
        #[inline(always)]
        fn splat(word: u64) -> Self {
            unsafe { _mm512_set1_epi64(word.cast_signed()) }
        }

        #[inline(always)]
        fn transposed<const LENGTH: usize>(messages: &[&[u8; LENGTH]; 8], at: usize, count: usize) -> [Self; 8] {
            let mask = u8::MAX >> (8 - count.min(8));
            unsafe {
                let mut r = [_mm512_setzero_si512(); 8];
                for (r, message) in r.iter_mut().zip(messages) {
                    let row = &message[at..][..8 * count];
                    *r = _mm512_maskz_loadu_epi64(mask, row.as_ptr().cast());
                }
                // Pairs of rows in 128 bits: even words, odd words. Then the four such parts of a register become registers.
                macro_rules! parts {
                    ($unpack:ident) => {{
                        let (a, b) = ($unpack(r[0], r[1]), $unpack(r[2], r[3]));
                        let (c, d) = ($unpack(r[4], r[5]), $unpack(r[6], r[7]));
                        let (low, high) = (_mm512_shuffle_i64x2::<0x44>(a, b), _mm512_shuffle_i64x2::<0xee>(a, b));
                        let (low2, high2) = (_mm512_shuffle_i64x2::<0x44>(c, d), _mm512_shuffle_i64x2::<0xee>(c, d));
                        [
                            _mm512_shuffle_i64x2::<0x88>(low, low2),
                            _mm512_shuffle_i64x2::<0xdd>(low, low2),
                            _mm512_shuffle_i64x2::<0x88>(high, high2),
                            _mm512_shuffle_i64x2::<0xdd>(high, high2),
                        ]
                    }};
                }
                let [w0, w2, w4, w6] = parts!(_mm512_unpacklo_epi64);
                let [w1, w3, w5, w7] = parts!(_mm512_unpackhi_epi64);
                [w0, w1, w2, w3, w4, w5, w6, w7]
            }
        }

        #[inline(always)]
        fn digests([a, b, c, d]: [Self; 4]) -> [[u8; 32]; 8] {
            // Of each pair of states the first one's words, then the second one's.
            let pairs: [[[[u8; 16]; 4]; 2]; 2] = unsafe {
                [
                    [
                        transmute::<Self, [[u8; 16]; 4]>(_mm512_unpacklo_epi64(a, b)),
                        transmute::<Self, [[u8; 16]; 4]>(_mm512_unpacklo_epi64(c, d)),
                    ],
                    [
                        transmute::<Self, [[u8; 16]; 4]>(_mm512_unpackhi_epi64(a, b)),
                        transmute::<Self, [[u8; 16]; 4]>(_mm512_unpackhi_epi64(c, d)),
                    ],
                ]
            };
            let mut digests = [[0; 32]; 8];
            for (n, digest) in digests.iter_mut().enumerate() {
                let [low, high] = &pairs[n % 2];
                digest[..16].copy_from_slice(&low[n / 2]);
                digest[16..].copy_from_slice(&high[n / 2]);
            }
            digests
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
        fn splat(word: u64) -> Self {
            unsafe { _mm256_set1_epi64x(word.cast_signed()) }
        }

        #[inline(always)]
        fn transposed<const LENGTH: usize>(messages: &[&[u8; LENGTH]; 4], at: usize, count: usize) -> [Self; 4] {
            unsafe {
                let mask = _mm256_cmpgt_epi64(_mm256_set1_epi64x(count as i64), _mm256_set_epi64x(3, 2, 1, 0)); // at most 4
                let mut r = [_mm256_setzero_si256(); 4];
                for (r, message) in r.iter_mut().zip(messages) {
                    let row = &message[at..][..8 * count];
                    *r = _mm256_maskload_epi64(row.as_ptr().cast(), mask);
                }
                let [a, b, c, d] = r;
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
        fn digests([a, b, c, d]: [Self; 4]) -> [[u8; 32]; 4] {
            unsafe {
                let (even, odd) = (_mm256_unpacklo_epi64(a, b), _mm256_unpackhi_epi64(a, b));
                let (even2, odd2) = (_mm256_unpacklo_epi64(c, d), _mm256_unpackhi_epi64(c, d));
                [
                    transmute::<Self, [u8; 32]>(_mm256_permute2x128_si256::<0x20>(even, even2)),
                    transmute::<Self, [u8; 32]>(_mm256_permute2x128_si256::<0x20>(odd, odd2)),
                    transmute::<Self, [u8; 32]>(_mm256_permute2x128_si256::<0x31>(even, even2)),
                    transmute::<Self, [u8; 32]>(_mm256_permute2x128_si256::<0x31>(odd, odd2)),
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
        check::<8>();
        check::<64>();
        check::<120>();
        check::<128>();
        check::<136>();
        check::<144>();
        check::<264>();
        check::<272>();
        check::<512>();
    }
}
