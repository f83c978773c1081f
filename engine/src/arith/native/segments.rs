//! The error function over slices, eight numbers to a register: each of sixteen segments has a polynomial, and registers hold the coefficients.
//! [`erf`](super::erf()) has one polynomial for all and an exponential, and about twice as many instructions.
//!
//! Method: `erf x = |x| P(|x| - k SPACING)` with the sign of x, where k is the integer nearest to `|x| / SPACING` and P its polynomial. Error:
//! below 2^-47, relatively; that of the polynomials is below 2^-48 (measured where they are made, see the coefficients). Source: weighted
//! least squares.
//!
//! `unsafe` is for reading and writing elements of slices that are there.
#![allow(unsafe_code)]
// Iterators over registers would put them in memory.
#![allow(clippy::needless_range_loop)]

use super::erf::LARGEST;
use super::exp::ROUND;
use super::vector::BLOCK;
use super::{ERROR, NAN};
use std::arch::x86_64::{
    __m512, __m512d, _CMP_NEQ_OQ, _CMP_UNORD_Q, _mm512_abs_pd, _mm512_and_pd, _mm512_castpd_si512,
    _mm512_castps256_ps512, _mm512_castps512_ps256, _mm512_cmp_ps_mask, _mm512_cvtpd_ps, _mm512_cvtps_pd,
    _mm512_extractf32x8_ps, _mm512_fmadd_pd, _mm512_fnmadd_pd, _mm512_insertf32x8, _mm512_loadu_pd, _mm512_mask_mov_ps,
    _mm512_mask_storeu_ps, _mm512_maskz_loadu_ps, _mm512_min_pd, _mm512_mul_pd, _mm512_or_pd, _mm512_permutex2var_pd,
    _mm512_set1_pd, _mm512_set1_ps, _mm512_sub_pd,
};

/// How far the segments' middles are apart: products with small integers are exact.
const SPACING: f64 = 17.0 / 64.0;
/// `erf x / x` in powers of x less the segment's middle, highest power first, and for each power the segments' coefficients; made by
/// engine/tests/data/polynomials.py.
const SEGMENTS: [[f64; 16]; 10] = [
    [
        1.1631751361102648e-53,
        -0.0017968037664025866,
        -0.0016170445201983082,
        -6.9903510760856604e-06,
        0.0010714260415239868,
        0.0008412366618324224,
        9.153951506634826e-05,
        -0.0003068061284927183,
        -0.00025782015037391175,
        -7.950313190012124e-05,
        2.0869843688552794e-05,
        3.56889739078902e-05,
        2.0404175624223927e-05,
        7.168265424790231e-06,
        1.392808435219263e-06,
        -1.8667203243711903e-07,
    ],
    [
        0.0051864265283494155,
        0.00277570638600744,
        -0.0017445262084272543,
        -0.003777081929812136,
        -0.0022526466415541116,
        0.0002498604895739766,
        0.0013605449203578713,
        0.0009980762876970924,
        0.00026305425964350806,
        -0.00013701695330869756,
        -0.00018615524458564497,
        -0.00010721166144940678,
        -3.863083905026663e-05,
        -7.19997577089856e-06,
        1.8261058999999481e-06,
        2.7860152568860993e-06,
    ],
    [
        2.5431584477074016e-54,
        0.009299768797631287,
        0.010308778187400563,
        0.0036880115048009625,
        -0.0032195001774749836,
        -0.00523573402737141,
        -0.003174082916146241,
        -0.00048472548674946753,
        0.0008302901615151892,
        0.0008809399488840581,
        0.0004915561300269759,
        0.00017347704232671985,
        2.574345801869617e-05,
        -1.6856505270345928e-05,
        -1.994381372262372e-05,
        -1.4337730522183198e-05,
    ],
    [
        -0.026865591652950892,
        -0.017401137738279025,
        0.00235834066681692,
        0.016048469928684833,
        0.01595809932418179,
        0.007253134270785976,
        -0.0009304254955388181,
        -0.004202621744446195,
        -0.0036337197244990403,
        -0.0019114339335944248,
        -0.0006212522662715514,
        -3.0034820526723895e-05,
        0.00013245908031401263,
        0.00013051821191751185,
        9.344719335556759e-05,
        6.130507469968183e-05,
    ],
    [
        -5.131466108104283e-56,
        -0.037611377842341094,
        -0.04984355045236397,
        -0.0335048729900596,
        -0.006270285123340671,
        0.012718586146399606,
        0.017231272836140954,
        0.012468201695774605,
        0.005900150343908066,
        0.0014727848952989881,
        -0.0004471551342126287,
        -0.000887323506224554,
        -0.0007695670958536123,
        -0.0005497714440454276,
        -0.0003706572671833939,
        -0.0002487554116957287,
    ],
    [
        0.11283791306242755,
        0.08616294770478257,
        0.024547490931885754,
        -0.0332398985087215,
        -0.05961826959515914,
        -0.05377066118599594,
        -0.03242570694237825,
        -0.01213091032100613,
        -4.2336066705269125e-05,
        0.004545328183750372,
        0.004998359519150145,
        0.004008864981848245,
        0.002880726673425446,
        0.0020053037260764294,
        0.00140071987176664,
        0.0009950697080651476,
    ],
    [
        -1.7161739471048728e-58,
        0.110197425673919,
        0.1704565002824228,
        0.16387768254774926,
        0.11130324750188332,
        0.04882086619452832,
        0.0025109032653946456,
        -0.020583787278837223,
        -0.02627086369105918,
        -0.0233578520445157,
        -0.01806432583106281,
        -0.013229332882734339,
        -0.009583931363592342,
        -0.00701431247032282,
        -0.0052259392116684135,
        -0.00396747736358724,
    ],
    [
        -0.37612638902379514,
        -0.33031335857374755,
        -0.21409264650781387,
        -0.07676952601752181,
        0.0347334388020731,
        0.09809802868576686,
        0.11702387315902212,
        0.10838297589140355,
        0.08886299052684575,
        0.06876973919380933,
        0.052236846735097,
        0.039839547059927274,
        0.03082987300871367,
        0.024278265090912656,
        0.019443852943911544,
        0.015809392154872277,
    ],
    [
        4.3383699529871897e-60,
        -0.19156740279484855,
        -0.33831129351956796,
        -0.41532551202673273,
        -0.42461360060530057,
        -0.38711009730679613,
        -0.32833098672440403,
        -0.2676466629252758,
        -0.2150580986762746,
        -0.17329334600304683,
        -0.14133928777584867,
        -0.11705241259880347,
        -0.09840934530502735,
        -0.08386171320022677,
        -0.07231096765092626,
        -0.06299112003822975,
    ],
    [
        1.1283791670955097,
        1.1023933781134192,
        1.0306417795756149,
        0.9289248428140937,
        0.8160548418211325,
        0.7075037013920537,
        0.6122652364486839,
        0.5332169617438896,
        0.4693392803014203,
        0.41799838599087785,
        0.3764057212290579,
        0.34223368975262436,
        0.31372343524681534,
        0.28959245830281377,
        0.26890752409898677,
        0.25098038775704634,
    ],
];

/// Floats of a register.
const TOGETHER: usize = 16;

/// `erf` of every element of `x`, which is as long as `out`.
#[target_feature(enable = "avx512f,avx512dq,avx512vl")]
pub(super) fn erf(x: &[f32], out: &mut [f32]) {
    for (x, out) in x.chunks(BLOCK).zip(out.chunks_mut(BLOCK)) {
        let mut open = 0;
        for (x, out) in x.chunks(TOGETHER).zip(out.chunks_mut(TOGETHER)) {
            let mask = if x.len() < TOGETHER { (1 << x.len()) - 1 } else { !0 };
            // SAFETY: the mask is that of elements that are there.
            let x = unsafe { _mm512_maskz_loadu_ps(mask, x.as_ptr()) };
            let y = wide([first(x), second(x)]);
            let end = |factor: f64| {
                let factor = _mm512_set1_pd(factor);
                narrow(_mm512_mul_pd(y[0], factor), _mm512_mul_pd(y[1], factor))
            };
            let (low, high) = (end(1.0 - ERROR), end(1.0 + ERROR));
            open |= _mm512_cmp_ps_mask::<_CMP_NEQ_OQ>(low, high);
            let nan = _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(low, low);
            let low = _mm512_mask_mov_ps(low, nan, _mm512_set1_ps(NAN));
            // SAFETY: as above; `out` is as long as `x`.
            unsafe { _mm512_mask_storeu_ps(out.as_mut_ptr(), mask, low) }
        }
        if open != 0 {
            x.iter().zip(out).for_each(|(&x, out)| *out = super::erf(x));
        }
    }
}

#[target_feature(enable = "avx512f")]
fn first(x: __m512) -> __m512d {
    _mm512_cvtps_pd(_mm512_castps512_ps256(x))
}

#[target_feature(enable = "avx512f,avx512dq")]
fn second(x: __m512) -> __m512d {
    _mm512_cvtps_pd(_mm512_extractf32x8_ps::<1>(x))
}

#[target_feature(enable = "avx512f,avx512dq")]
fn narrow(first: __m512d, second: __m512d) -> __m512 {
    _mm512_insertf32x8::<1>(_mm512_castps256_ps512(_mm512_cvtpd_ps(first)), _mm512_cvtpd_ps(second))
}

/// `erf` before rounding; a NaN stays one.
#[target_feature(enable = "avx512f,avx512dq")]
fn wide(x: [__m512d; 2]) -> [__m512d; 2] {
    let mut y = x;
    for y in &mut y {
        let x = *y;
        // In this order a NaN is what remains.
        let magnitude = _mm512_min_pd(_mm512_set1_pd(LARGEST), _mm512_abs_pd(x));
        // The low bits hold k, of which a permutation looks at four.
        let shifted = _mm512_fmadd_pd(magnitude, _mm512_set1_pd(1.0 / SPACING), _mm512_set1_pd(ROUND));
        let k = _mm512_sub_pd(shifted, _mm512_set1_pd(ROUND));
        let t = _mm512_fnmadd_pd(k, _mm512_set1_pd(SPACING), magnitude);
        let coefficient = |power: usize| {
            let all: &[f64; 16] = &SEGMENTS[power];
            // SAFETY: there are sixteen.
            let (low, high) = unsafe { (_mm512_loadu_pd(all.as_ptr()), _mm512_loadu_pd(all.as_ptr().wrapping_add(8))) };
            _mm512_permutex2var_pd(low, _mm512_castpd_si512(shifted), high)
        };
        // Odd and even powers apart, so that neither waits for the other.
        let z = _mm512_mul_pd(t, t);
        let (mut odd, mut even) = (coefficient(0), coefficient(1));
        for power in [2, 4, 6, 8] {
            odd = _mm512_fmadd_pd(odd, z, coefficient(power));
            even = _mm512_fmadd_pd(even, z, coefficient(power + 1));
        }
        let sign = _mm512_and_pd(x, _mm512_set1_pd(-0.0));
        *y = _mm512_or_pd(_mm512_mul_pd(_mm512_fmadd_pd(odd, t, even), magnitude), sign);
    }
    y
}
