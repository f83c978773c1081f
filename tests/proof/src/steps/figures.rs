//! What a step of each kind of instruction costs: exact figures, committed and compared by a test.

use super::bill;
use super::case::{Case, Contents};
use super::judge::Judge;
use crate::gas::Gas;
use rebut_engine::lower::Around;
use rebut_engine::lower::gas::STEP_GAS_CEILING;
use rebut_engine::program::{
    Access, Affine, Core, DType, Expr, FoldOp, Guard, Instruction, Node, Op, Operand, TensorType, View,
};
use rebut_engine::tree::depth;
use std::collections::BTreeMap;

/// By kind of instruction: gas of the transaction that makes one step.
pub type Figures = BTreeMap<String, Gas>;

/// Seeds of the operands' contents, of each of which three elements are stepped.
const SEEDS: u64 = 3;
/// Values of the program, as an image network has them.
const VALUES: u64 = 300;

/// Axes of the result, and of the reduction.
const E: [u8; 3] = [0, 1, 2];
const R: [u8; 2] = [8, 9];

/// Steps every kind over a fixed set of operands.
///
/// # Errors
/// When the contract refuses a step or computes something else than the reference interpreter.
pub fn measure() -> Result<Figures, String> {
    let mut judge = Judge::new();
    let mut figures = Figures::new();
    for (name, instruction, dtype) in kinds() {
        let gas = figure(&mut judge, instruction, dtype).map_err(|e| format!("{name}: {e}"))?;
        figures.insert(name, gas);
    }
    Ok(figures)
}

/// The median over floats of ordinary size, and the most over contents of every kind.
fn figure(judge: &mut Judge, instruction: Instruction, dtype: DType) -> Result<Gas, String> {
    let ty = TensorType::new(dtype, [instruction.extents.iter().product::<u64>()]);
    Case::check(&instruction, &ty).map_err(|e| e.to_string())?;
    let network = [TensorType::new(DType::F32, [1, 3, 224, 224]), TensorType::new(DType::F32, [1, 1000])];
    let around = Around::new(depth(VALUES), network.iter());
    let ids = (0..instruction.operands.len() as u64).map(|o| VALUES / 2 + 10 * o).collect();
    let last = ty.elements() - 1;
    let mut case = Case { instruction, ty, ids, values: VALUES, around, contents: Contents::Ordinary, seed: 0 };
    let billed = bill(&case).gas_worst;
    if billed > STEP_GAS_CEILING {
        return Err(format!("no program may have it: its bill is {billed} gas"));
    }
    let (mut typical, mut worst) = (Vec::new(), 0);
    for contents in Contents::ALL {
        for seed in 0..SEEDS {
            (case.contents, case.seed) = (contents, seed);
            for element in [0, last / 2, last] {
                let gas = u32::try_from(judge.step(&case, element)?.gas).map_err(|e| e.to_string())?;
                worst = worst.max(gas);
                if contents == Contents::Ordinary {
                    typical.push(gas);
                }
            }
        }
    }
    typical.sort_unstable();
    Ok(Gas { typical: typical[typical.len() / 2], worst })
}

/// Instructions as the lowering makes them, with the type of their results.
fn kinds() -> Vec<(String, Instruction, DType)> {
    use DType::{BF16, F16, F32, I64, U8};
    let one = |op: Op| vec![Node::Load(0), Node::Apply(op, [0, 0, 0])];
    let two = |op: Op| vec![Node::Load(0), Node::Load(1), Node::Apply(op, [0, 1, 0])];
    let row = |operand| direct(operand, 0, &[(E[0], 1)]);
    let same = |dtype| vec![operand(0, dtype, 4096), operand(1, dtype, 4096)];
    let map = |operands: Vec<Operand>, views, nodes| make(&[4096], &[], operands, views, Core::None, nodes);
    let copy = |extents: &[u64], elements, accesses| {
        make(extents, &[], elements, vec![View { fill: 0, accesses }], Core::None, vec![Node::Load(0)])
    };
    let cast = |from: DType, to| {
        let nodes = vec![Node::Load(0), Node::Cast(to, 0)];
        map(vec![operand(0, from, 4096)], vec![row(0)], nodes)
    };
    // In halves, computed as floats.
    let half = |dtype| {
        let nodes = [Node::Load(0), Node::Load(1), Node::Cast(F32, 0), Node::Cast(F32, 1)];
        let sum = [Node::Apply(Op::Add, [2, 3, 0]), Node::Cast(dtype, 4)];
        map(same(dtype), vec![row(0), row(1)], [&nodes[..], &sum].concat())
    };
    let floats = || vec![operand(0, F32, 1 << 16), operand(1, F32, 1 << 20)];
    let dot = |extents: &[u64], reduction: &[u64], views: Vec<View>| {
        make(extents, reduction, floats(), views, Core::Dot { a: 0, b: 1 }, vec![Node::Core])
    };
    // A 3 x 3 convolution over one channel of 32 x 32, padded by 1.
    let image = Access {
        operand: 0,
        address: affine(-33, &[(E[1], 32), (E[2], 1), (R[0], 32), (R[1], 1)]),
        guards: vec![guard(32, -1, &[(E[1], 1), (R[0], 1)]), guard(32, -1, &[(E[2], 1), (R[1], 1)])],
        indirects: vec![],
    };
    let weights = direct(1, 0, &[(E[0], 9), (R[0], 3), (R[1], 1)]);
    let concat = |n: u8| Access { guards: vec![guard(64, -64 * i64::from(n), &[(E[1], 1)])], ..columns(n) };

    let mut kinds = vec![
        ("map, add", map(same(F32), vec![row(0), row(1)], two(Op::Add)), F32),
        ("map, div", map(same(F32), vec![row(0), row(1)], two(Op::Div)), F32),
        ("map, erf", map(same(F32), vec![row(0)], one(Op::Erf)), F32),
        ("map, exp", map(same(F32), vec![row(0)], one(Op::Exp)), F32),
        ("map, i64 add", map(same(I64), vec![row(0), row(1)], two(Op::Add)), I64),
        ("map, f16 add", half(F16), F16),
        ("map, bf16 add", half(BF16), BF16),
        ("cast, u8 to f32", cast(U8, F32), F32),
        ("cast, f32 to f16", cast(F32, F16), F16),
        ("copy, transposed", copy(&[64, 64], same(F32), vec![direct_access(0, 0, &[(E[0], 1), (E[1], 64)])]), F32),
        ("copy, concatenated", copy(&[64, 128], same(F32), (0..2).map(concat).collect()), F32),
        (
            "dot, rows",
            dot(&[64, 64], &[96], vec![direct(0, 0, &[(E[0], 96), (R[0], 1)]), direct(1, 0, &[(E[1], 96), (R[0], 1)])]),
            F32,
        ),
        (
            "dot, columns",
            dot(&[64, 64], &[16], vec![direct(0, 0, &[(E[0], 16), (R[0], 1)]), direct(1, 0, &[(E[1], 1), (R[0], 64)])]),
            F32,
        ),
        ("dot, convolution", dot(&[16, 32, 32], &[3, 3], vec![View { fill: 0, accesses: vec![image] }, weights]), F32),
        ("scan, sum", scan(), F32),
    ]
    .into_iter()
    .map(|(name, instruction, dtype)| (name.to_owned(), instruction, dtype))
    .collect::<Vec<_>>();
    for op in FoldOp::ALL.into_iter().filter(|op| op.accepts(F32)) {
        kinds.push((format!("fold, {}", op.name()), fold(op, &[64], &[128]), F32));
    }
    // 1,000 numbers in windows of 256.
    let longest = Instruction { windowed: true, ..fold(FoldOp::Max, &[64, 4], &[1000]) };
    kinds.push(("fold, windowed max".into(), longest, F32));
    kinds
}

/// Sums along the rows of 16 x 200.
fn scan() -> Instruction {
    let dense = &[(E[0], 200), (E[1], 1)];
    let never = Access { guards: vec![guard(0, 0, &[])], ..direct_access(0, 0, dense) };
    let views = vec![View { fill: 0, accesses: vec![never] }, direct(0, 0, dense)];
    let nodes = vec![Node::Core, Node::Load(1), Node::Apply(Op::Add, [0, 1, 0])];
    make(&[16, 200], &[], vec![operand(0, DType::F32, 3200)], views, Core::Scan { axis: 1, initial: 0 }, nodes)
}

fn make(
    extents: &[u64],
    reduction: &[u64],
    mut operands: Vec<Operand>,
    views: Vec<View>,
    core: Core,
    nodes: Vec<Node>,
) -> Instruction {
    // None that no view reads.
    let read = |o: &Operand| views.iter().flat_map(|v| &v.accesses).any(|a| u64::from(a.operand) == o.value);
    operands.retain(read);
    let (extents, reduction) = (extents.to_vec(), reduction.to_vec());
    Instruction { extents, reduction, windowed: false, operands, views, core, epilogue: Expr { nodes } }
}

/// Of the rows of a tensor.
fn fold(op: FoldOp, extents: &[u64], reduction: &[u64]) -> Instruction {
    let views = vec![direct(0, 0, &[(E[0], reduction[0] as i64), (R[0], 1)])];
    let core = Core::Fold { op, body: Expr { nodes: vec![Node::Load(0)] } };
    make(extents, reduction, vec![operand(0, DType::F32, 1 << 16)], views, core, vec![Node::Core])
}

fn operand(value: u64, dtype: DType, elements: u64) -> Operand {
    Operand { value, dtype, elements }
}

fn affine(base: i64, terms: &[(u8, i64)]) -> Affine {
    Affine { base, terms: terms.to_vec() }
}

fn guard(limit: u64, base: i64, terms: &[(u8, i64)]) -> Guard {
    Guard { limit, affine: affine(base, terms) }
}

fn direct_access(operand: u8, base: i64, terms: &[(u8, i64)]) -> Access {
    Access { operand, address: affine(base, terms), guards: vec![], indirects: vec![] }
}

fn direct(operand: u8, base: i64, terms: &[(u8, i64)]) -> View {
    View { fill: 0, accesses: vec![direct_access(operand, base, terms)] }
}

/// The `n`th of tensors of 64 columns that stand side by side.
fn columns(n: u8) -> Access {
    direct_access(n, -64 * i64::from(n), &[(E[0], 64), (E[1], 1)])
}
