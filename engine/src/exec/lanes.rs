//! Blocks of registers: f32 as themselves, every other type as i64.

use crate::arith::native::canonical;
use crate::program::DType;
use crate::tensor::Tensor;

/// Registers of one node over a block of elements.
#[derive(Clone, Debug)]
pub(super) enum Lanes {
    F32(Vec<f32>),
    Int(Vec<i64>),
}

impl Lanes {
    pub(super) fn splat(dtype: DType, register: i64, n: usize) -> Self {
        match dtype {
            DType::F32 => Self::F32(vec![f32_of(register); n]),
            _ => Self::Int(vec![register; n]),
        }
    }

    /// The f32 lanes; empty for integers, which a validated program never confuses.
    pub(super) fn f32(&self) -> &[f32] {
        match self {
            Self::F32(x) => x,
            Self::Int(_) => &[],
        }
    }

    /// The integer lanes; empty for f32.
    pub(super) fn int(&self) -> &[i64] {
        match self {
            Self::Int(x) => x,
            Self::F32(_) => &[],
        }
    }
}

/// The float in an f32 register.
pub(super) fn f32_of(register: i64) -> f32 {
    f32::from_bits((register & 0xffff_ffff) as u32)
}

/// Writes rows of lanes: element `i` of a row goes to `start + i * stride`; narrower integers hold their registers exactly.
pub(super) fn store(out: &mut Tensor, starts: impl Iterator<Item = usize>, stride: usize, len: usize, lanes: &Lanes) {
    fn put<T, U: Copy>(
        out: &mut ndarray::ArrayD<T>,
        starts: impl Iterator<Item = usize>,
        (stride, len): (usize, usize),
        from: &[U],
        f: impl Fn(U) -> T,
    ) {
        let Some(out) = out.as_slice_mut() else { return };
        for (start, row) in starts.zip(from.chunks_exact(len.max(1))) {
            if stride == 1 {
                out[start..start + len].iter_mut().zip(row).for_each(|(to, &x)| *to = f(x));
            } else {
                out[start..].iter_mut().step_by(stride).zip(row).for_each(|(to, &x)| *to = f(x));
            }
        }
    }
    let shape = (stride, len);
    match out {
        Tensor::F32(a) => put(a, starts, shape, lanes.f32(), canonical),
        Tensor::U8(a) | Tensor::Bool(a) => put(a, starts, shape, lanes.int(), |x| x as u8),
        Tensor::I8(a) => put(a, starts, shape, lanes.int(), |x| x as i8),
        Tensor::U16(a) | Tensor::F16(a) | Tensor::BF16(a) => put(a, starts, shape, lanes.int(), |x| x as u16),
        Tensor::I16(a) => put(a, starts, shape, lanes.int(), |x| x as i16),
        Tensor::I32(a) => put(a, starts, shape, lanes.int(), |x| x as i32),
        Tensor::I64(a) => put(a, starts, shape, lanes.int(), |x| x),
    }
}
