//! Element types: their codes, widths and registers.

use crate::arith::soft::half;
use std::fmt;

/// An element type. The codes are ONNX's `TensorProto.DataType`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
#[repr(u8)]
pub enum DType {
    /// IEEE-754 binary32.
    F32 = 1,
    /// Unsigned 8-bit integer.
    U8 = 2,
    /// Signed 8-bit integer.
    I8 = 3,
    /// Unsigned 16-bit integer.
    U16 = 4,
    /// Signed 16-bit integer.
    I16 = 5,
    /// Signed 32-bit integer.
    I32 = 6,
    /// Signed 64-bit integer.
    I64 = 7,
    /// Truth value, stored as one byte.
    Bool = 9,
    /// IEEE-754 binary16: only stored, moved and converted.
    F16 = 10,
    /// The upper half of a binary32: only stored, moved and converted.
    BF16 = 16,
}

impl DType {
    /// Every element type.
    pub const ALL: [Self; 10] =
        [Self::F32, Self::U8, Self::I8, Self::U16, Self::I16, Self::I32, Self::I64, Self::Bool, Self::F16, Self::BF16];

    /// The type with this code.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|d| d.code() == code)
    }

    /// The code in descriptors and headers.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// Bytes an element takes in a leaf.
    pub const fn width(self) -> usize {
        match self {
            Self::F32 | Self::I32 => 4,
            Self::U16 | Self::I16 | Self::F16 | Self::BF16 => 2,
            Self::U8 | Self::I8 | Self::Bool => 1,
            Self::I64 => 8,
        }
    }

    /// Elements in a leaf.
    pub const fn lanes(self) -> u64 {
        (super::limits::LEAF / self.width()) as u64
    }

    /// Whether it is one of the integer types.
    pub const fn is_integer(self) -> bool {
        self.is_unsigned() || matches!(self, Self::I8 | Self::I16 | Self::I32 | Self::I64)
    }

    /// Whether it is one of the integer types without negative numbers.
    pub const fn is_unsigned(self) -> bool {
        matches!(self, Self::U8 | Self::U16)
    }

    /// Whether it is one of the floating-point types.
    pub const fn is_float(self) -> bool {
        self.nan().is_some()
    }

    /// Whether it is one of the types that operations compute with: f32 and the integers.
    pub const fn is_number(self) -> bool {
        self.is_integer() || matches!(self, Self::F32)
    }

    /// The only NaN among the registers of a floating-point type.
    pub const fn nan(self) -> Option<i64> {
        match self {
            Self::F32 => Some(crate::tensor::NAN as i64),
            Self::F16 => Some(half::F16_NAN as i64),
            Self::BF16 => Some(half::BF16_NAN as i64),
            _ => None,
        }
    }

    /// The register as an element is loaded and stored: every NaN is the type's one NaN.
    pub const fn canonical(self, register: i64) -> i64 {
        let (magnitude, infinity) = match self {
            Self::F32 => (register & 0x7fff_ffff, 0x7f80_0000),
            Self::F16 => (register & 0x7fff, 0x7c00),
            Self::BF16 => (register & 0x7fff, 0x7f80),
            _ => return register,
        };
        match self.nan() {
            Some(nan) if magnitude > infinity => nan,
            _ => register,
        }
    }

    /// Least and greatest register: of an integer type or bool its values, of a floating-point type its bits.
    pub const fn range(self) -> (i64, i64) {
        match self {
            Self::U8 => (0, u8::MAX as i64),
            Self::I8 => (i8::MIN as i64, i8::MAX as i64),
            Self::I16 => (i16::MIN as i64, i16::MAX as i64),
            Self::I32 => (i32::MIN as i64, i32::MAX as i64),
            Self::I64 => (i64::MIN, i64::MAX),
            Self::Bool => (0, 1),
            Self::F32 => (0, u32::MAX as i64),
            Self::U16 | Self::F16 | Self::BF16 => (0, u16::MAX as i64),
        }
    }

    /// Whether `register` is a canonical register of this type: in range, and if it is a NaN, then the one.
    pub fn holds(self, register: i64) -> bool {
        let (lo, hi) = self.range();
        (lo..=hi).contains(&register) && self.canonical(register) == register
    }
}

impl fmt::Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::F32 => "f32",
            Self::U8 => "u8",
            Self::I8 => "i8",
            Self::U16 => "u16",
            Self::I16 => "i16",
            Self::I32 => "i32",
            Self::I64 => "i64",
            Self::Bool => "bool",
            Self::F16 => "f16",
            Self::BF16 => "bf16",
        })
    }
}
