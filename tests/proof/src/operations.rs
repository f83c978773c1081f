//! The one list of operations on floats. What is missing here is missed by a test: `every_operation_is_listed`.

use rebut_engine::arith::{native, soft};
use rebut_engine::program::{DType, Op};

/// Three arguments; an operation ignores those that it does not have.
pub type Arguments = [u32; 3];

/// An operation on f32 bits (of conversions: to or from the bits of other types), in two implementations. The third is the contract's.
#[derive(Clone, Copy, Debug)]
pub struct Operation {
    /// Its name in programs; of conversions: `from_to`.
    pub name: &'static str,
    /// Its code in the contracts' harnesses, which for operations of programs is that of the expression node.
    pub code: u8,
    /// Number of arguments.
    pub arity: usize,
    /// The definition.
    pub soft: fn(Arguments) -> u32,
    /// The native form; a NaN is canonical.
    pub native: fn(Arguments) -> u32,
}

impl Operation {
    /// Whether it is one of the elementary functions.
    pub fn is_elementary(&self) -> bool {
        Op::from_code(self.code).is_some_and(Op::is_elementary)
    }

    /// The operation with this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        OPERATIONS.iter().find(|o| o.name == name)
    }
}

fn f(a: u32) -> f32 {
    f32::from_bits(a)
}

fn b(x: f32) -> u32 {
    native::canonical(x).to_bits()
}

macro_rules! operation {
    (1 $code:expr, $name:ident) => {
        Operation {
            name: stringify!($name),
            code: $code,
            arity: 1,
            soft: |[x, ..]| soft::$name(x),
            native: |[x, ..]| b(native::$name(f(x))),
        }
    };
    (2 $code:expr, $name:ident) => {
        Operation {
            name: stringify!($name),
            code: $code,
            arity: 2,
            soft: |[x, y, _]| soft::$name(x, y),
            native: |[x, y, _]| b(native::$name(f(x), f(y))),
        }
    };
    (3 $code:expr, $name:ident) => {
        Operation {
            name: stringify!($name),
            code: $code,
            arity: 3,
            soft: |[x, y, z]| soft::$name(x, y, z),
            native: |[x, y, z]| b(native::$name(f(x), f(y), f(z))),
        }
    };
    (test $code:expr, $name:ident) => {
        Operation {
            name: stringify!($name),
            code: $code,
            arity: 2,
            soft: |[x, y, _]| soft::$name(x, y).into(),
            native: |[x, y, _]| native::$name(f(x), f(y)).into(),
        }
    };
    (cast $code:expr, $name:literal, $soft:expr, $native:expr) => {
        Operation { name: $name, code: $code, arity: 1, soft: |[x, ..]| $soft(x), native: |[x, ..]| $native(x) }
    };
}

macro_rules! operations {
    ($($kind:tt $code:literal $($rest:tt),+;)*) => {
        /// Every operation on floats.
        pub const OPERATIONS: &[Operation] = &[$(operation!($kind $code, $($rest),+)),*];
    };
}

fn to_i32(x: u32) -> u32 {
    let (lo, hi) = DType::I32.range();
    soft::to_int(x, lo, hi) as u32 // two's complement
}

fn native_to_i32(x: u32) -> u32 {
    let (lo, hi) = DType::I32.range();
    native::to_int(f(x), lo, hi) as u32
}

operations! {
    cast 0x06 "f32_i32", to_i32, native_to_i32;
    cast 0x07 "i32_f32", (|x: u32| soft::from_i64((x as i32).into())), (|x: u32| b(native::from_i64((x as i32).into())));
    cast 0x08 "f32_f16", (|x: u32| soft::half::to_f16(x).into()), (|x: u32| native::half::to_f16(f(x)).into());
    cast 0x09 "f32_bf16", (|x: u32| soft::half::to_bf16(x).into()), (|x: u32| native::half::to_bf16(f(x)).into());
    cast 0x0a "f16_f32", (|x: u32| soft::half::from_f16(x as u16)), (|x: u32| b(native::half::from_f16(x as u16)));
    cast 0x0b "bf16_f32", (|x: u32| soft::half::from_bf16(x as u16)), (|x: u32| b(native::half::from_bf16(x as u16)));
    2 0x10 add;
    2 0x11 sub;
    2 0x12 mul;
    2 0x13 div;
    2 0x14 min;
    2 0x15 max;
    test 0x18 lt;
    test 0x19 le;
    test 0x1a gt;
    test 0x1b ge;
    test 0x1c eq;
    test 0x1d ne;
    3 0x21 fma;
    2 0x22 pow;
    2 0x23 rem;
    1 0x30 neg;
    1 0x31 abs;
    1 0x33 sqrt;
    1 0x34 exp;
    1 0x35 log;
    1 0x36 tanh;
    1 0x37 sigmoid;
    1 0x38 erf;
    1 0x39 floor;
    1 0x3a ceil;
    1 0x3b trunc;
    1 0x3c round_even;
    1 0x3d exp2;
    1 0x3e expm1;
    1 0x3f log2;
    1 0x40 log1p;
    1 0x41 sinh;
    1 0x42 cosh;
    1 0x43 asinh;
    1 0x44 acosh;
    1 0x45 atanh;
    1 0x46 sin;
    1 0x47 cos;
    1 0x48 tan;
    1 0x49 asin;
    1 0x4a acos;
    1 0x4b atan;
    1 0x4c softplus;
    1 0x4d rsqrt;
    1 0x4e reciprocal;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An operation that programs have on floats is in the list, with its arity, and in the specification.
    #[test]
    fn every_operation_is_listed() {
        let specification = include_str!("../../../docs/arithmetic.md");
        for &op in Op::ALL {
            let listed = Operation::named(op.name());
            match op.result(DType::F32) {
                Some(_) => {
                    let listed = listed.unwrap_or_else(|| panic!("{op} is not listed"));
                    assert_eq!((listed.code, listed.arity), (op.code(), op.arity()), "{op}");
                }
                None => assert!(listed.is_none(), "{op} is not defined on floats"),
            }
        }
        for operation in OPERATIONS {
            let word = |c: char| !c.is_alphanumeric() && c != '_';
            assert!(specification.split(word).any(|w| w == operation.name), "{} is not specified", operation.name);
        }
    }
}
