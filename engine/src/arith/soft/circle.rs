//! What sine, cosine and tangent share: the reduction of the argument to an eighth of a turn, and the two series there.
//!
//! Method: fixed point. `|a| 2 / pi` modulo 4 is a 24-bit number times 256 bits of `2 / pi`, chosen by the exponent so that
//! multiples of 4 have been shifted out; Taylor's series of sine up to the 27th power and of cosine up to the 26th.
//! Error: the rest `theta` is at least 2^-30 (all arguments were tried). The product is off by less than 2^-229 and `theta` by
//! 2^-127.9, its last bit: below 2^-97 of it. The ends of the series are below 2^-107.
//! Source: Payne and Hanek's reduction, textbook series; constants are `2 / pi`, `2^112 pi / 2` and `2^124 / i!`, rounded.

use ruint::aliases::U256;

use super::fixed::{mul_shift, square_shift};
use super::pack::{pack, unpack};

/// `2 / pi` with two bits before the point and 510 behind it.
const TWO_OVER_PI: [U256; 2] = [
    U256::from_limbs([0x7f94_58ea_f7ae_f158, 0x36d8_a566_4f10_e410, 0x7f09_d5f4_7d4d_3770, 0x28be_60db_9391_054a]),
    U256::from_limbs([0xba20_8d7d_4bae_d121, 0x3f87_7ac7_2c4a_69cf, 0x0192_4bba_8274_6487, 0x6dc9_1b8e_9093_74b8]),
];

/// `2^112 pi / 2`.
const HALF_PI: U256 = U256::from_limbs([0x8469_898c_c517_01b8, 0x0001_921f_b544_42d1, 0, 0]);

/// `2^124 / (2 i + 1)!` from i = 13 down to 0.
const SINE: [i128; 14] = [
    0x0000_0000_0000_0000_0000_0000_746a_c70b,
    0x0000_0000_0000_0000_0000_013f_3ccd_d166,
    0x0000_0000_0000_0000_0002_ec36_8262_c703,
    0x0000_0000_0000_0000_05c6_e3bd_b73d_5c63,
    0x0000_0000_0000_0009_7a4d_a340_a0ab_9265,
    0x0000_0000_0000_0ca9_63b8_1856_a535_9303,
    0x0000_0000_000d_73f9_f399_dc0f_88ec_32b6,
    0x0000_0000_0b09_2309_d436_84be_51c1_98e9,
    0x0000_0006_b991_59fd_5138_e3f9_d1f9_2e0e,
    0x0000_02e3_bc74_aad8_e671_f558_3911_ca00,
    0x0000_d00d_00d0_0d00_d00d_00d0_0d00_d00d,
    0x0022_2222_2222_2222_2222_2222_2222_2222,
    0x02aa_aaaa_aaaa_aaaa_aaaa_aaaa_aaaa_aaab,
    0x1000_0000_0000_0000_0000_0000_0000_0000,
];

/// `2^124 / (2 i)!` from i = 13 down to 0.
const COSINE: [i128; 14] = [
    0x0000_0000_0000_0000_0000_000c_4742_fe35,
    0x0000_0000_0000_0000_0000_1f2c_f019_72f5,
    0x0000_0000_0000_0000_0043_38e5_b6df_e14a,
    0x0000_0000_0000_0000_7950_ae90_0808_941f,
    0x0000_0000_0000_00b4_13c3_1dcb_ecbb_dd80,
    0x0000_0000_0000_d73f_9f39_9dc0_f88e_c32b,
    0x0000_0000_00c9_cba5_4603_e4e9_05d6_f8a3,
    0x0000_0000_8f76_c77f_c6c4_bdaa_26d4_c3d6,
    0x0000_0049_f93e_dde2_7d71_cbbc_05b4_fa9a,
    0x0000_1a01_a01a_01a0_1a01_a01a_01a0_1a02,
    0x0005_b05b_05b0_5b05_b05b_05b0_5b05_b05b,
    0x00aa_aaaa_aaaa_aaaa_aaaa_aaaa_aaaa_aaab,
    0x0800_0000_0000_0000_0000_0000_0000_0000,
    0x1000_0000_0000_0000_0000_0000_0000_0000,
];

/// `|a| = quadrant * pi / 2 +- theta` up to whole turns, with `theta` at most `pi / 4`.
pub(super) struct Reduced {
    /// Modulo 4.
    pub(super) quadrant: u32,
    /// Whether `theta` is subtracted.
    pub(super) negative: bool,
    /// With 128 fractional bits.
    theta: u128,
}

impl Reduced {
    /// The reduction of a finite argument that is at least 2^-12 in magnitude.
    pub(super) fn new(a: u32) -> Self {
        let (m, e) = unpack(a);
        let [high, low] = TWO_OVER_PI;
        let window: U256 = match e {
            ..150 => high >> (150 - e) as usize,
            _ => high << (e - 150) as usize | low >> (406 - e) as usize,
        };
        let turns: U256 = window.wrapping_mul(U256::from(m));
        let quadrant: U256 = turns.wrapping_add(U256::ONE << 253) >> 254;
        // The rest in -1/2 .. 1/2 has 254 fractional bits and the sign on top of them.
        let negative = turns.bit(253);
        let shifted: U256 = turns << 2;
        let rest = shifted.arithmetic_shr(2);
        let rest = if negative { rest.wrapping_neg() } else { rest };
        let theta: U256 = ((rest >> 110) * HALF_PI) >> 128;
        Self { quadrant: quadrant.to(), negative, theta: theta.to() }
    }

    /// The sine of `quadrant * pi / 2 +- theta`; `flipped` changes its sign.
    pub(super) fn sine(&self, quadrant: u32, flipped: bool) -> u32 {
        let flipped = flipped != (quadrant & 2 != 0);
        if quadrant & 1 == 0 {
            pack(flipped != self.negative, self.sine_of_theta(), -103)
        } else {
            pack(flipped, self.cosine_of_theta(), 25)
        }
    }

    /// `sin(theta)` with 252 fractional bits.
    pub(super) fn sine_of_theta(&self) -> U256 {
        U256::from(self.theta) * self.series(&SINE)
    }

    /// `cos(theta)` with 124 fractional bits.
    pub(super) fn cosine_of_theta(&self) -> U256 {
        self.series(&COSINE)
    }

    /// The alternating series in `theta^2`. Its terms decrease, so that no difference is negative.
    fn series(&self, coefficients: &[i128]) -> U256 {
        let z = square_shift(self.theta, 132) as i128;
        U256::from(coefficients.iter().fold(0, |p, c| c - mul_shift(p, z, 124)) as u128)
    }
}
