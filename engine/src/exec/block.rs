//! Expressions over a block of elements: every node is one pass over its lanes.

use super::lanes::{Buffer, Each, Lane, Lanes, fill1, fill2, map1, map2};
use super::read::{Block, Source};
use crate::arith::{Isa, for_each_level, native};
use crate::program::{DType, Expr, Instruction, Node, Op};
use crate::reference;
use crate::tensor::Tensor;

/// What an expression may refer to.
pub(super) struct Scope<'a> {
    pub(super) instruction: &'a Instruction,
    pub(super) operands: &'a [&'a Tensor],
    pub(super) isa: Isa,
}

impl<'a> Scope<'a> {
    /// What its views read from.
    pub(super) fn source(&self) -> Source<'a> {
        Source { instruction: self.instruction, operands: self.operands }
    }

    /// Type and lanes of an expression over a block; `core` are the reduction's results, in an epilogue.
    pub(super) fn evaluate(
        &self,
        expr: &Expr,
        block: &Block<'_>,
        core: Option<(DType, Lanes<'a>)>,
    ) -> (DType, Lanes<'a>) {
        let mut values: Vec<(DType, Lanes<'a>)> = Vec::with_capacity(expr.nodes.len());
        let mut core = core.unwrap_or((DType::F32, Lanes::Same(0)));
        let cores = expr.nodes.iter().filter(|node| matches!(node, Node::Core)).count();
        for node in &expr.nodes {
            let value = match node {
                Node::Core if cores == 1 => std::mem::replace(&mut core, (DType::F32, Lanes::Same(0))),
                Node::Core => core.clone(),
                node => evaluate_node(self.isa.level(), self, node, block, &values),
            };
            values.push(value);
        }
        values.pop().unwrap_or((DType::Bool, Lanes::Same(0)))
    }
}

for_each_level!(pub(super) fn evaluate_node<'a> = apply, (scope: &Scope<'a>, node: &Node, block: &Block<'_>, values: &[(DType, Lanes<'a>)]) -> (DType, Lanes<'a>));

#[inline(always)]
fn apply<'a>(
    _: bool,
    scope: &Scope<'a>,
    node: &Node,
    block: &Block<'_>,
    values: &[(DType, Lanes<'a>)],
) -> (DType, Lanes<'a>) {
    let arg = |n: u8| &values[usize::from(n)];
    let n = block.lanes();
    match *node {
        Node::Const(dtype, register) => (dtype, Lanes::Same(register)),
        Node::Load(index) => {
            let view = &scope.instruction.views[usize::from(index)];
            let dtype = scope.operands[usize::from(view.accesses[0].operand)].dtype();
            (dtype, block.read(view, dtype, &scope.source()))
        }
        Node::Core => (DType::F32, Lanes::Same(0)),
        Node::Iota(axis) => (DType::I64, block.iota(usize::from(axis))),
        Node::Valid(index) => {
            (DType::Bool, block.read_valid(&scope.instruction.views[usize::from(index)], &scope.source()))
        }
        Node::Select(c, a, b) => {
            let (dtype, a) = arg(a);
            (*dtype, select(n, *dtype, &arg(c).1, a, &arg(b).1))
        }
        Node::Cast(to, a) => {
            let (from, a) = arg(a);
            (to, cast(n, *from, to, a))
        }
        Node::Apply(op, args) => {
            let (dtype, a) = arg(args[0]);
            let (b, c) = (&arg(args[1]).1, &arg(args[2]).1);
            let lanes = match dtype {
                DType::F32 => test(n, op, [a, b]).unwrap_or_else(|| {
                    let mut out = Buffer::new(n);
                    float(scope.isa.level(), scope.isa, op, [a, b, c].map(Lanes::f32), &mut out);
                    Lanes::F32(out)
                }),
                _ => integer(n, op, *dtype, a, b),
            };
            (op.result(*dtype).unwrap_or(*dtype), lanes)
        }
    }
}

#[inline(always)]
fn select(n: usize, dtype: DType, c: &Lanes<'_>, a: &Lanes<'_>, b: &Lanes<'_>) -> Lanes<'static> {
    fn pick<T: Lane>(n: usize, c: Each<'_, i64>, a: Each<'_, T>, b: Each<'_, T>) -> Buffer<T> {
        let mut out = Buffer::new(n);
        (0..n).for_each(|i| out[i] = if c.at(i) != 0 { a.at(i) } else { b.at(i) });
        out
    }
    match dtype {
        DType::F32 => Lanes::F32(pick(n, c.int(), a.f32(), b.f32())),
        _ => Lanes::Int(pick(n, c.int(), a.int(), b.int())),
    }
}

#[inline(always)]
fn cast(n: usize, from: DType, to: DType, a: &Lanes<'_>) -> Lanes<'static> {
    match (from, to) {
        (DType::F32, DType::F32) => Lanes::F32(map1(n, a.f32(), |x: f32| x)),
        (DType::F32, DType::F16) => Lanes::Int(map1(n, a.f32(), |x| native::half::to_f16(x).into())),
        (DType::F32, DType::BF16) => Lanes::Int(map1(n, a.f32(), |x| native::half::to_bf16(x).into())),
        (DType::F32, DType::Bool) => Lanes::Int(map1(n, a.f32(), |x: f32| i64::from(x != 0.0))),
        (DType::F32, _) => {
            let (lo, hi) = to.range();
            Lanes::Int(map1(n, a.f32(), |x| native::to_int(x, lo, hi)))
        }
        // Registers of 16 bits.
        (DType::F16, DType::F32) => Lanes::F32(map1(n, a.int(), |x: i64| native::half::from_f16(x as u16))),
        (DType::BF16, DType::F32) => Lanes::F32(map1(n, a.int(), |x: i64| native::half::from_bf16(x as u16))),
        (_, DType::F32) => Lanes::F32(map1(n, a.int(), native::from_i64)),
        _ => Lanes::Int(map1(n, a.int(), |x| reference::cast(from, to, x))),
    }
}

/// A test of floats; `None` for other operations.
#[inline(always)]
fn test(n: usize, op: Op, [a, b]: [&Lanes<'_>; 2]) -> Option<Lanes<'static>> {
    macro_rules! test {
        ($f:expr) => {
            Some(Lanes::Int(map2(n, a.f32(), b.f32(), |x: f32, y: f32| i64::from($f(&x, &y)))))
        };
    }
    match op {
        Op::Lt => test!(f32::lt),
        Op::Le => test!(f32::le),
        Op::Gt => test!(f32::gt),
        Op::Ge => test!(f32::ge),
        Op::Eq => test!(f32::eq),
        Op::Ne => test!(f32::ne),
        _ => None,
    }
}

for_each_level!(pub(super) fn float = operation, (isa: Isa, op: Op, arguments: [Each<'_, f32>; 3], out: &mut [f32]) -> ());

/// An operation from f32 to f32; arguments that it does not have are not looked at.
#[inline(always)]
fn operation(fused: bool, isa: Isa, op: Op, [a, b, c]: [Each<'_, f32>; 3], out: &mut [f32]) {
    macro_rules! one {
        ($f:expr) => {
            fill1(out, a, $f)
        };
    }
    macro_rules! two {
        ($f:expr) => {
            fill2(out, a, b, $f)
        };
    }
    let vector = |f: fn(&[f32], &mut [f32], Isa), out: &mut [f32]| match a {
        Each::Own(a) => f(a, out, isa),
        Each::Row(a) => out.chunks_exact_mut(a.len().max(1)).for_each(|out| f(a, out, isa)),
        Each::Same(a) => {
            let mut one = [0.0];
            f(&[a], &mut one, isa);
            out.fill(one[0]);
        }
    };
    match op {
        Op::Add => two!(|x: f32, y: f32| x + y),
        Op::Sub => two!(|x: f32, y: f32| x - y),
        Op::Mul => two!(|x: f32, y: f32| x * y),
        Op::Div => two!(|x: f32, y: f32| x / y),
        Op::Rem => two!(native::rem),
        Op::Pow => two!(native::pow),
        Op::Min => two!(native::min),
        Op::Max => two!(native::max),
        Op::Fma => {
            let product: Buffer<[f32; 2]> = map2(out.len(), a, b, |x, y| [x, y]);
            fill2(out, Each::Own(&product), c, |[x, y]: [f32; 2], z| multiply_add(fused, x, y, z));
        }
        Op::Neg => one!(|x| -x),
        Op::Abs => one!(f32::abs),
        Op::Sqrt => one!(f32::sqrt),
        Op::Exp => vector(native::vector::exp, out),
        Op::Log => vector(native::vector::log, out),
        Op::Tanh => vector(native::vector::tanh, out),
        Op::Sigmoid => vector(native::vector::sigmoid, out),
        Op::Erf => vector(native::vector::erf, out),
        Op::Exp2 => one!(native::exp2),
        Op::Expm1 => one!(native::expm1),
        Op::Log2 => one!(native::log2),
        Op::Log1p => one!(native::log1p),
        Op::Sinh => one!(native::sinh),
        Op::Cosh => one!(native::cosh),
        Op::Asinh => one!(native::asinh),
        Op::Acosh => one!(native::acosh),
        Op::Atanh => one!(native::atanh),
        Op::Sin => one!(native::sin),
        Op::Cos => one!(native::cos),
        Op::Tan => one!(native::tan),
        Op::Asin => one!(native::asin),
        Op::Acos => one!(native::acos),
        Op::Atan => one!(native::atan),
        Op::Softplus => one!(native::softplus),
        Op::Rsqrt => vector(native::vector::rsqrt, out),
        Op::Reciprocal => one!(native::reciprocal),
        Op::Floor => one!(f32::floor),
        Op::Ceil => one!(f32::ceil),
        Op::Trunc => one!(f32::trunc),
        Op::RoundEven => one!(f32::round_ties_even),
        // Not of floats, or not to floats.
        Op::Lt | Op::Le | Op::Gt | Op::Ge | Op::Eq | Op::Ne => {}
        Op::And | Op::Or | Op::Xor | Op::Not | Op::Shl | Op::Shr => {}
    }
}

#[inline(always)]
pub(super) fn multiply_add(fused: bool, x: f32, y: f32, z: f32) -> f32 {
    if fused { x.mul_add(y, z) } else { native::fma(x, y, z) }
}

#[inline(always)]
fn integer(n: usize, op: Op, dtype: DType, a: &Lanes<'_>, b: &Lanes<'_>) -> Lanes<'static> {
    // Integers are a few percent of any model's work: the plain definition is fast enough here.
    let b = if op.arity() == 1 { a } else { b };
    Lanes::Int(map2(n, a.int(), b.int(), |x, y| reference::apply(op, dtype, [x, y, 0])))
}
