//! Expressions over a block of elements: every node is one pass over its lanes.

use super::lanes::Lanes;
use super::read::{Block, Source};
use crate::arith::{Isa, native};
use crate::program::{DType, Expr, Instruction, Node, Op};
use crate::reference;
use crate::tensor::Tensor;

/// What an expression may refer to.
pub(super) struct Scope<'a> {
    pub(super) instruction: &'a Instruction,
    pub(super) operands: &'a [&'a Tensor],
    pub(super) isa: Isa,
}

impl Scope<'_> {
    /// What its views read from.
    pub(super) fn source(&self) -> Source<'_> {
        Source { instruction: self.instruction, operands: self.operands }
    }

    /// Type and lanes of an expression over a block; `core` are the reduction's results, in an epilogue.
    pub(super) fn evaluate(&self, expr: &Expr, block: &Block, core: Option<&(DType, Lanes)>) -> (DType, Lanes) {
        let mut values: Vec<(DType, Lanes)> = Vec::with_capacity(expr.nodes.len());
        for node in &expr.nodes {
            let value = self.node(node, block, core, &values);
            values.push(value);
        }
        values.pop().unwrap_or((DType::Bool, Lanes::Int(vec![0; block.lanes()])))
    }

    fn node(
        &self,
        node: &Node,
        block: &Block,
        core: Option<&(DType, Lanes)>,
        values: &[(DType, Lanes)],
    ) -> (DType, Lanes) {
        let arg = |n: u8| &values[usize::from(n)];
        match *node {
            Node::Const(dtype, register) => (dtype, Lanes::splat(dtype, register, block.lanes())),
            Node::Load(index) => {
                let view = &self.instruction.views[usize::from(index)];
                let dtype = self.operands[usize::from(view.accesses[0].operand)].dtype();
                (dtype, block.read(view, dtype, &self.source()))
            }
            Node::Core => core.cloned().unwrap_or((DType::F32, Lanes::splat(DType::F32, 0, block.lanes()))),
            Node::Iota(axis) => (DType::I64, block.iota(usize::from(axis))),
            Node::Valid(index) => {
                (DType::Bool, block.read_valid(&self.instruction.views[usize::from(index)], &self.source()))
            }
            Node::Select(c, a, b) => {
                let (dtype, a) = arg(a);
                (*dtype, select(arg(c).1.int(), a, &arg(b).1))
            }
            Node::Cast(to, a) => {
                let (from, a) = arg(a);
                (to, cast(*from, to, a))
            }
            Node::Apply(op, args) => {
                let (dtype, a) = arg(args[0]);
                let (b, c) = (&arg(args[1]).1, &arg(args[2]).1);
                let lanes = match dtype {
                    DType::F32 => float(op, self.isa, a.f32(), b.f32(), c.f32()),
                    _ => integer(op, *dtype, a.int(), b.int()),
                };
                (op.result(*dtype).unwrap_or(*dtype), lanes)
            }
        }
    }
}

fn select(c: &[i64], a: &Lanes, b: &Lanes) -> Lanes {
    fn pick<T: Copy>(c: &[i64], a: &[T], b: &[T]) -> Vec<T> {
        c.iter().zip(a.iter().zip(b)).map(|(&c, (&a, &b))| if c != 0 { a } else { b }).collect()
    }
    match a {
        Lanes::F32(a) => Lanes::F32(pick(c, a, b.f32())),
        Lanes::Int(a) => Lanes::Int(pick(c, a, b.int())),
    }
}

fn cast(from: DType, to: DType, a: &Lanes) -> Lanes {
    match (a, to) {
        (Lanes::F32(x), DType::F32) => Lanes::F32(x.clone()),
        (Lanes::F32(x), DType::F16) => Lanes::Int(x.iter().map(|&x| native::half::to_f16(x).into()).collect()),
        (Lanes::F32(x), DType::BF16) => Lanes::Int(x.iter().map(|&x| native::half::to_bf16(x).into()).collect()),
        (Lanes::F32(x), DType::Bool) => Lanes::Int(x.iter().map(|&x| i64::from(x != 0.0)).collect()),
        (Lanes::F32(x), _) => {
            let (lo, hi) = to.range();
            Lanes::Int(x.iter().map(|&x| native::to_int(x, lo, hi)).collect())
        }
        (Lanes::Int(x), DType::F32) if from == DType::F16 => {
            Lanes::F32(x.iter().map(|&x| native::half::from_f16(x as u16)).collect()) // 16-bit registers
        }
        (Lanes::Int(x), DType::F32) if from == DType::BF16 => {
            Lanes::F32(x.iter().map(|&x| native::half::from_bf16(x as u16)).collect())
        }
        (Lanes::Int(x), DType::F32) => Lanes::F32(x.iter().map(|&x| native::from_i64(x)).collect()),
        (Lanes::Int(x), _) => Lanes::Int(x.iter().map(|&x| reference::cast(from, to, x)).collect()),
    }
}

fn float(op: Op, isa: Isa, a: &[f32], b: &[f32], c: &[f32]) -> Lanes {
    let one = |f: fn(f32) -> f32| Lanes::F32(a.iter().map(|&x| f(x)).collect());
    let vector = |f: fn(&[f32], &mut [f32], Isa)| {
        let mut out = vec![0.0; a.len()];
        f(a, &mut out, isa);
        Lanes::F32(out)
    };
    macro_rules! two {
        ($f:expr) => {
            Lanes::F32(a.iter().zip(b).map(|(&x, &y)| $f(x, y)).collect())
        };
    }
    macro_rules! test {
        ($f:expr) => {
            Lanes::Int(a.iter().zip(b).map(|(x, y)| i64::from($f(x, y))).collect())
        };
    }
    match op {
        Op::Add => two!(|x: f32, y: f32| x + y),
        Op::Sub => two!(|x: f32, y: f32| x - y),
        Op::Mul => two!(|x: f32, y: f32| x * y),
        Op::Div => two!(|x: f32, y: f32| x / y),
        Op::Rem => two!(native::rem),
        Op::Pow => two!(native::pow),
        Op::Min => two!(native::min),
        Op::Max => two!(native::max),
        Op::Fma => Lanes::F32(a.iter().zip(b.iter().zip(c)).map(|(&x, (&y, &z))| native::fma(x, y, z)).collect()),
        Op::Lt => test!(f32::lt),
        Op::Le => test!(f32::le),
        Op::Gt => test!(f32::gt),
        Op::Ge => test!(f32::ge),
        Op::Eq => test!(f32::eq),
        Op::Ne => test!(f32::ne),
        Op::Neg => one(|x| -x),
        Op::Abs => one(f32::abs),
        Op::Sqrt => one(f32::sqrt),
        Op::Exp => vector(native::vector::exp),
        Op::Log => vector(native::vector::log),
        Op::Tanh => vector(native::vector::tanh),
        Op::Sigmoid => vector(native::vector::sigmoid),
        Op::Erf => vector(native::vector::erf),
        Op::Exp2 => one(native::exp2),
        Op::Expm1 => one(native::expm1),
        Op::Log2 => one(native::log2),
        Op::Log1p => one(native::log1p),
        Op::Sinh => one(native::sinh),
        Op::Cosh => one(native::cosh),
        Op::Asinh => one(native::asinh),
        Op::Acosh => one(native::acosh),
        Op::Atanh => one(native::atanh),
        Op::Sin => one(native::sin),
        Op::Cos => one(native::cos),
        Op::Tan => one(native::tan),
        Op::Asin => one(native::asin),
        Op::Acos => one(native::acos),
        Op::Atan => one(native::atan),
        Op::Softplus => one(native::softplus),
        Op::Rsqrt => vector(native::vector::rsqrt),
        Op::Reciprocal => one(native::reciprocal),
        Op::Floor => one(f32::floor),
        Op::Ceil => one(f32::ceil),
        Op::Trunc => one(f32::trunc),
        Op::RoundEven => one(f32::round_ties_even),
        Op::And | Op::Or | Op::Xor | Op::Not | Op::Shl | Op::Shr => Lanes::splat(DType::F32, 0, a.len()),
    }
}

fn integer(op: Op, dtype: DType, a: &[i64], b: &[i64]) -> Lanes {
    // Integers are a few percent of any model's work: the plain definition is fast enough here.
    let b = if op.arity() == 1 { a } else { b };
    Lanes::Int(a.iter().zip(b).map(|(&x, &y)| reference::apply(op, dtype, [x, y, 0])).collect())
}
