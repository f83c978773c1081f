//! The scalar table: one list of operations with code, name, arity and typing rule.

use super::dtype::DType;
use std::fmt;

/// Which argument types an operation takes and what it gives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Typing {
    /// f32 or integers, the same type out.
    Number,
    /// f32 or integers, bool out.
    Order,
    /// Any one type, bool out.
    Equality,
    /// bool or integers, the same type out.
    Bits,
    /// f32 only, f32 out.
    Float,
    /// Integers, the same type out.
    Integer,
}

macro_rules! ops {
    ($($name:ident = $code:literal, $text:literal, $arity:literal, $typing:ident, $exact:literal;)*) => {
        /// An operation of the scalar table (`docs/program.md`).
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[repr(u8)]
        pub enum Op { $(#[doc = concat!("`", $text, "`")] $name = $code,)* }

        impl Op {
            /// Every operation.
            pub const ALL: &[Self] = &[$(Self::$name),*];
            /// Its name in the program text.
            pub const fn name(self) -> &'static str { match self { $(Self::$name => $text,)* } }
            /// Its number of arguments.
            pub const fn arity(self) -> usize { match self { $(Self::$name => $arity,)* } }
            /// Its typing rule.
            pub const fn typing(self) -> Typing { match self { $(Self::$name => Typing::$typing,)* } }
            const fn exact_on_floats(self) -> bool { match self { $(Self::$name => $exact,)* } }
        }
    };
}

ops! {
    Add = 0x10, "add", 2, Number, false;
    Sub = 0x11, "sub", 2, Number, false;
    Mul = 0x12, "mul", 2, Number, false;
    Div = 0x13, "div", 2, Number, false;
    Min = 0x14, "min", 2, Number, true;
    Max = 0x15, "max", 2, Number, true;
    Lt = 0x18, "lt", 2, Order, true;
    Le = 0x19, "le", 2, Order, true;
    Gt = 0x1a, "gt", 2, Order, true;
    Ge = 0x1b, "ge", 2, Order, true;
    Eq = 0x1c, "eq", 2, Equality, true;
    Ne = 0x1d, "ne", 2, Equality, true;
    And = 0x1e, "and", 2, Bits, true;
    Or = 0x1f, "or", 2, Bits, true;
    Xor = 0x20, "xor", 2, Bits, true;
    Fma = 0x21, "fma", 3, Float, false;
    Pow = 0x22, "pow", 2, Float, false;
    Rem = 0x23, "rem", 2, Number, true;
    Shl = 0x24, "shl", 2, Integer, true;
    Shr = 0x25, "shr", 2, Integer, true;
    Neg = 0x30, "neg", 1, Number, true;
    Abs = 0x31, "abs", 1, Number, true;
    Not = 0x32, "not", 1, Bits, true;
    Sqrt = 0x33, "sqrt", 1, Float, false;
    Exp = 0x34, "exp", 1, Float, false;
    Log = 0x35, "log", 1, Float, false;
    Tanh = 0x36, "tanh", 1, Float, false;
    Sigmoid = 0x37, "sigmoid", 1, Float, false;
    Erf = 0x38, "erf", 1, Float, false;
    Floor = 0x39, "floor", 1, Float, true;
    Ceil = 0x3a, "ceil", 1, Float, true;
    Trunc = 0x3b, "trunc", 1, Float, true;
    RoundEven = 0x3c, "round_even", 1, Float, true;
    Exp2 = 0x3d, "exp2", 1, Float, false;
    Expm1 = 0x3e, "expm1", 1, Float, false;
    Log2 = 0x3f, "log2", 1, Float, false;
    Log1p = 0x40, "log1p", 1, Float, false;
    Sinh = 0x41, "sinh", 1, Float, false;
    Cosh = 0x42, "cosh", 1, Float, false;
    Asinh = 0x43, "asinh", 1, Float, false;
    Acosh = 0x44, "acosh", 1, Float, false;
    Atanh = 0x45, "atanh", 1, Float, false;
    Sin = 0x46, "sin", 1, Float, false;
    Cos = 0x47, "cos", 1, Float, false;
    Tan = 0x48, "tan", 1, Float, false;
    Asin = 0x49, "asin", 1, Float, false;
    Acos = 0x4a, "acos", 1, Float, false;
    Atan = 0x4b, "atan", 1, Float, false;
    Softplus = 0x4c, "softplus", 1, Float, false;
    Rsqrt = 0x4d, "rsqrt", 1, Float, false;
    Reciprocal = 0x4e, "reciprocal", 1, Float, false;
}

impl Op {
    /// The code in descriptors.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// Whether it is one of the elementary functions (`docs/arithmetic.md`).
    pub const fn is_elementary(self) -> bool {
        matches!(self.code(), 0x22 | 0x34..=0x38 | 0x3d..=0x4e)
    }

    /// Whether the contract `Elementary` evaluates it on f32: the elementary functions, and others for which the adjudicator has no room.
    pub const fn is_called(self) -> bool {
        matches!(self, Self::Div | Self::Rem | Self::Sqrt | Self::Floor | Self::Ceil | Self::Trunc | Self::RoundEven)
            || self.is_elementary()
    }

    /// The operation with this code.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.iter().copied().find(|op| op.code() == code)
    }

    /// The operation with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|op| op.name() == name)
    }

    /// Result type for arguments of type `argument`, or `None` where the operation is not defined on it.
    pub fn result(self, argument: DType) -> Option<DType> {
        let ok = match self.typing() {
            Typing::Number | Typing::Order => argument.is_number(),
            Typing::Equality => argument.is_number() || argument == DType::Bool,
            Typing::Bits => argument.is_integer() || argument == DType::Bool,
            Typing::Integer => argument.is_integer(),
            Typing::Float => argument == DType::F32,
        };
        let result = if matches!(self.typing(), Typing::Order | Typing::Equality) { DType::Bool } else { argument };
        ok.then_some(result)
    }

    /// Whether a fold's body may use it on this type: it never rounds.
    pub fn exact(self, argument: DType) -> bool {
        self.exact_on_floats() || (argument != DType::F32 && self != Self::Div)
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The operation of a fold (`docs/program.md`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum FoldOp {
    /// Sixteen lanes, then a tree.
    Sum = 0,
    /// Sum of squares, by fma in the lanes.
    SumSq = 1,
    /// Product, in lanes as the sum.
    Prod = 2,
    /// IEEE-754-2019 minimum.
    Min = 3,
    /// IEEE-754-2019 maximum.
    Max = 4,
    /// Logical and.
    And = 5,
    /// Logical or.
    Or = 6,
    /// Left to right addition from the first element.
    SeqAdd = 7,
    /// Left to right multiplication from the first element.
    SeqMul = 8,
}

impl FoldOp {
    /// Every fold.
    pub const ALL: [Self; 9] =
        [Self::Sum, Self::SumSq, Self::Prod, Self::Min, Self::Max, Self::And, Self::Or, Self::SeqAdd, Self::SeqMul];

    /// The code in descriptors.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The fold with this code.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|op| op.code() == code)
    }

    /// Its name in the program text.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sum => "sum",
            Self::SumSq => "sumsq",
            Self::Prod => "prod",
            Self::Min => "min",
            Self::Max => "max",
            Self::And => "and",
            Self::Or => "or",
            Self::SeqAdd => "seq_add",
            Self::SeqMul => "seq_mul",
        }
    }

    /// Whether it folds elements of this type.
    pub fn accepts(self, dtype: DType) -> bool {
        match self {
            Self::SumSq => dtype == DType::F32,
            Self::And | Self::Or => dtype == DType::Bool,
            _ => dtype.is_number(),
        }
    }

    /// The result of folding nothing, as a register of `dtype`.
    pub fn empty(self, dtype: DType) -> i64 {
        let float = dtype == DType::F32;
        let (lo, hi) = dtype.range();
        match self {
            Self::Sum | Self::SumSq | Self::SeqAdd => 0,
            Self::Prod | Self::SeqMul => {
                if float {
                    i64::from(1f32.to_bits())
                } else {
                    1
                }
            }
            Self::Min => {
                if float {
                    i64::from(f32::INFINITY.to_bits())
                } else {
                    hi
                }
            }
            Self::Max => {
                if float {
                    i64::from(f32::NEG_INFINITY.to_bits())
                } else {
                    lo
                }
            }
            Self::And => 1,
            Self::Or => 0,
        }
    }
}
