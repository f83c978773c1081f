//! Random small programs that use the whole instruction shape, with values that hit every special case of the arithmetic.

use rand::Rng;
use rand::seq::IndexedRandom;
use rebut_engine::lower::bill;
use rebut_engine::lower::gas::STEP_GAS_CEILING;
use rebut_engine::package::{Label, Package};
use rebut_engine::program::limits::{CHUNK, FIRST_REDUCTION_AXIS};
use rebut_engine::program::{
    Access, Affine, Core, DType, Expr, FoldOp, Guard, Indirect, Instruction, Node, Op, Operand, Program, Source,
    TensorType, Value, View, validate,
};
use rebut_engine::tensor::Tensor;
use rebut_engine::tree::tensor_root;

/// A random program and inputs for it.
pub fn random_package(rng: &mut impl Rng, instructions: usize) -> (Package, Vec<Tensor>) {
    let mut values = Vec::new();
    let mut inputs = Vec::new();
    let mut constants = Vec::new();
    let input_count = rng.random_range(1..=2u8);
    for _ in 0..input_count {
        let tensor = random_tensor(rng);
        values.push(Value { ty: tensor.ty(), source: Source::Input });
        inputs.push(tensor);
    }
    for _ in 0..rng.random_range(1..=3) {
        let tensor = random_tensor(rng);
        values.push(Value { ty: tensor.ty(), source: Source::Constant { root: tensor_root(&tensor) } });
        constants.push(tensor);
    }
    while values.len() < usize::from(input_count) + constants.len() + instructions {
        let value = random_value(rng, &values);
        // What the generator cannot know, such as a descriptor's length and a step's bill, others tell.
        let mut longer = Program { inputs: input_count, outputs: 1, values: values.clone() };
        longer.values.push(value);
        if validate(&longer).is_err() {
            continue;
        }
        match bill(&longer).iter().find(|b| b.gas_worst > STEP_GAS_CEILING) {
            None => values = longer.values,
            // An earlier step may have become too dear: with the number of values grow its proofs.
            Some(dear) => values.truncate(dear.value as usize),
        }
    }
    let program = Program { inputs: input_count, outputs: 1, values };
    let labels = vec![Label::default(); program.values.len()];
    let package =
        Package::new(program, constants, labels, vec!["out".into()]).expect("a validated program of affordable steps");
    (package, inputs)
}

fn random_dtype(rng: &mut impl Rng) -> DType {
    if rng.random_bool(0.6) { DType::F32 } else { *DType::ALL.choose(rng).expect("not empty") }
}

fn random_tensor(rng: &mut impl Rng) -> Tensor {
    let dims: Vec<u64> = (0..rng.random_range(0..=3)).map(|_| rng.random_range(1..=9)).collect();
    let dims = if rng.random_bool(0.2) { vec![rng.random_range(200..=700)] } else { dims };
    let ty = TensorType::new(random_dtype(rng), dims);
    let mut bytes = Vec::new();
    let wild = rng.random_bool(0.5);
    for _ in 0..ty.elements() {
        let x = random_register(rng, ty.dtype, wild);
        bytes.extend(&x.to_be_bytes()[8 - ty.dtype.width()..]);
    }
    Tensor::from_be_bytes(&ty, &bytes).expect("the right size")
}

fn random_register(rng: &mut impl Rng, dtype: DType, wild: bool) -> i64 {
    let (lo, hi) = dtype.range();
    match dtype {
        DType::F32 => i64::from(random_f32(rng, wild)),
        DType::Bool => rng.random_range(0..=1),
        _ if wild && rng.random_bool(0.5) => *[lo, hi, 0, 1, lo / 2, hi / 2].choose(rng).expect("not empty"),
        DType::U8 | DType::U16 => rng.random_range(lo..=hi),
        _ => rng.random_range(-100..=100),
    }
}

fn random_f32(rng: &mut impl Rng, wild: bool) -> u32 {
    const SPECIAL: [u32; 14] = [
        0,
        0x8000_0000,
        1,
        0x8000_0001,
        0x007f_ffff,
        0x0080_0000,
        0x7f7f_ffff,
        0xff7f_ffff,
        0x7f80_0000,
        0xff80_0000,
        0x7fc0_0000,
        0xffc1_2345,
        0x7f80_0001,
        0x3f80_0000,
    ];
    match rng.random_range(0..10) {
        0 if wild => *SPECIAL.choose(rng).expect("not empty"),
        1 if wild => rng.random(),
        _ => (rng.random_range(-8.0f32..8.0)).to_bits(),
    }
}

/// The kind of core that is a scan.
const SCAN: u32 = 4;

fn random_value(rng: &mut impl Rng, values: &[Value]) -> Value {
    let core_kind = rng.random_range(0..5);
    let reduces = (1..SCAN).contains(&core_kind);
    let mut extents: Vec<u64> = (0..rng.random_range(0..=3)).map(|_| rng.random_range(1..=5)).collect();
    if rng.random_bool(0.15) {
        extents.push(rng.random_range(17..=40));
    }
    if core_kind == SCAN {
        // Predecessors in other leaves need more elements than a leaf has.
        let length = if rng.random_bool(0.2) { *[127, 128, 129, 300].choose(rng).expect("not empty") } else { 3 };
        extents.insert(rng.random_range(0..=extents.len()), length);
    }
    let mut reduction: Vec<u64> = Vec::new();
    if reduces {
        reduction = (0..rng.random_range(0..=3)).map(|_| rng.random_range(0..=5).max(1)).collect();
        if rng.random_bool(0.3) {
            reduction.push(*[7, 8, 9, 15, 16, 17, 60, 255, 256].choose(rng).expect("not empty"));
        }
        if rng.random_bool(0.05) {
            reduction.push(0);
        }
    }
    let k: u64 = reduction.iter().product();
    let windowed = k > CHUNK || (k > 0 && reduces && rng.random_bool(0.1));
    if windowed {
        extents.push(k.div_ceil(CHUNK));
    }

    let mut operand_ids: Vec<usize> = (0..rng.random_range(1..=3)).map(|_| rng.random_range(0..values.len())).collect();
    operand_ids.sort_unstable();
    operand_ids.dedup();
    let operands: Vec<Operand> = operand_ids
        .iter()
        .map(|&v| Operand { value: v as u64, dtype: values[v].ty.dtype, elements: values[v].ty.elements() })
        .collect();

    let mut i = Instruction {
        extents,
        reduction,
        windowed,
        operands,
        views: vec![],
        core: Core::None,
        epilogue: Expr::default(),
    };
    for _ in 0..rng.random_range(1..=4) {
        let view = random_view(rng, &i, true);
        i.views.push(view);
    }
    let core_type = random_core(rng, &mut i, core_kind);
    for _ in 0..rng.random_range(0..=2) {
        let view = random_view(rng, &i, false);
        i.views.push(view);
    }
    let result = if core_kind == SCAN { core_type } else { None }.unwrap_or_else(|| random_dtype(rng));
    i.epilogue = random_expr(rng, &i, core_type, false, Some(result));
    let ty = TensorType::new(result, vec![i.extents.iter().product::<u64>()]);
    Value { ty, source: Source::Instruction(i) }
}

fn random_core(rng: &mut impl Rng, i: &mut Instruction, kind: u32) -> Option<DType> {
    let floats: Vec<u8> = (0..i.views.len() as u8).filter(|&v| view_dtype(i, v) == DType::F32).collect();
    match kind {
        0 => None,
        SCAN => {
            let initial = rng.random_range(0..i.views.len() as u8);
            i.core = Core::Scan { axis: rng.random_range(0..i.extents.len() as u8), initial };
            Some(view_dtype(i, initial))
        }
        1 | 2 if !floats.is_empty() => {
            let (a, b) = (*floats.choose(rng).expect("not empty"), *floats.choose(rng).expect("not empty"));
            i.core = Core::Dot { a, b };
            Some(DType::F32)
        }
        _ => loop {
            let op = *FoldOp::ALL.choose(rng).expect("not empty");
            let body = if rng.random_bool(0.4) {
                Expr { nodes: vec![Node::Load(rng.random_range(0..i.views.len() as u8))] }
            } else {
                random_expr(rng, i, None, true, None)
            };
            let dtype = expr_type(i, &body, None);
            if op.accepts(dtype) {
                i.core = Core::Fold { op, body };
                return Some(dtype);
            }
        },
    }
}

fn random_affine(rng: &mut impl Rng, i: &Instruction, reductions: bool, reach: i64) -> Affine {
    let mut axes: Vec<u8> = (0..i.extents.len() as u8).collect();
    if reductions {
        axes.extend((0..i.reduction.len() as u8).map(|r| FIRST_REDUCTION_AXIS + r));
    }
    axes.retain(|_| rng.random_bool(0.7));
    let terms =
        axes.into_iter().map(|axis| (axis, *[1, 1, 2, 3, -1, 7, reach / 5].choose(rng).expect("not empty"))).collect();
    Affine { base: rng.random_range(-2..=reach / 2 + 1), terms }
}

fn random_view(rng: &mut impl Rng, i: &Instruction, reductions: bool) -> View {
    let first = rng.random_range(0..i.operands.len() as u8);
    let dtype = i.operands[usize::from(first)].dtype;
    let alike: Vec<u8> = (0..i.operands.len() as u8).filter(|&o| i.operands[usize::from(o)].dtype == dtype).collect();
    let accesses = (0..rng.random_range(1..=2))
        .map(|n| {
            let operand = if n == 0 { first } else { *alike.choose(rng).expect("not empty") };
            let reach = i.operands[usize::from(operand)].elements.min(1000) as i64;
            let guards = (0..*[0, 0, 1, 2].choose(rng).expect("not empty"))
                .map(|_| Guard { limit: rng.random_range(0..=12), affine: random_affine(rng, i, reductions, 5) })
                .collect();
            let indirects = if rng.random_bool(0.5) { random_indirects(rng, i, reductions, reach) } else { vec![] };
            Access { operand, address: random_affine(rng, i, reductions, reach), guards, indirects }
        })
        .collect();
    View { fill: random_register(rng, dtype, true), accesses }
}

/// Terms of the views that there are, mostly with indices in range.
fn random_indirects(rng: &mut impl Rng, i: &Instruction, reductions: bool, reach: i64) -> Vec<Indirect> {
    let index = |v: &u8| {
        let view = &i.views[usize::from(*v)];
        let plain = view.indirects().next().is_none();
        plain && view_dtype(i, *v).is_integer() && (reductions || !uses_reductions(i, view))
    };
    let views: Vec<u8> = (0..i.views.len() as u8).filter(index).collect();
    let count = if views.is_empty() { 0 } else { *[1, 1, 1, 2, 4].choose(rng).expect("not empty") };
    let term = |rng: &mut _| Indirect {
        view: *views.choose(rng).expect("not empty"),
        limit: *[1, 9, 100, 128, 256, 1 << 39].choose(rng).expect("not empty"),
        coefficient: *[1, 1, -1, 2, 0, reach / 5].choose(rng).expect("not empty"),
    };
    (0..count).map(|_| term(rng)).collect()
}

fn view_dtype(i: &Instruction, view: u8) -> DType {
    i.operands[usize::from(i.views[usize::from(view)].accesses[0].operand)].dtype
}

fn node_type(i: &Instruction, node: &Node, types: &[DType], core: Option<DType>) -> Option<DType> {
    let arg = |n: u8| types[usize::from(n)];
    match *node {
        Node::Const(dtype, _) | Node::Cast(dtype, _) => Some(dtype),
        Node::Load(v) => Some(view_dtype(i, v)),
        Node::Core => core,
        Node::Iota(_) => Some(DType::I64),
        Node::Valid(_) => Some(DType::Bool),
        Node::Select(_, a, _) => Some(arg(a)),
        Node::Apply(op, args) => op.result(arg(args[0])),
    }
}

fn expr_type(i: &Instruction, expr: &Expr, core: Option<DType>) -> DType {
    let mut types = Vec::new();
    for node in &expr.nodes {
        let ty = node_type(i, node, &types, core).expect("well typed");
        types.push(ty);
    }
    *types.last().expect("not empty")
}

fn uses_reductions(i: &Instruction, view: &View) -> bool {
    i.forms(view).flat_map(|f| &f.terms).any(|t| t.0 >= FIRST_REDUCTION_AXIS)
}

fn random_expr(rng: &mut impl Rng, i: &Instruction, core: Option<DType>, body: bool, result: Option<DType>) -> Expr {
    let mut nodes: Vec<Node> = Vec::new();
    let mut types: Vec<DType> = Vec::new();
    let views: Vec<u8> =
        (0..i.views.len() as u8).filter(|&v| body || !uses_reductions(i, &i.views[usize::from(v)])).collect();
    if core.is_some() {
        nodes.push(Node::Core);
    } else if let Some(&v) = views.choose(rng) {
        nodes.push(Node::Load(v));
    } else {
        nodes.push(Node::Const(DType::F32, random_register(rng, DType::F32, true)));
    }
    types.push(node_type(i, &nodes[0], &types, core).expect("a leaf"));
    let length = rng.random_range(1..=9);
    while nodes.len() < length {
        let any = |rng: &mut _| -> u8 {
            IndexedRandom::choose(&*(0..types.len() as u8).collect::<Vec<_>>(), rng).copied().unwrap_or(0)
        };
        let node = match rng.random_range(0..10) {
            0 => {
                let dtype = types[usize::from(any(rng))];
                Node::Const(dtype, random_register(rng, dtype, true))
            }
            1 | 2 => match views.choose(rng) {
                Some(&v) => Node::Load(v),
                None => continue,
            },
            3 => {
                let mut axes: Vec<u8> = (0..i.extents.len() as u8).collect();
                if body {
                    axes.extend((0..i.reduction.len() as u8).map(|r| FIRST_REDUCTION_AXIS + r));
                }
                match axes.choose(rng) {
                    Some(&axis) => Node::Iota(axis),
                    None => continue,
                }
            }
            4 => match views.choose(rng) {
                Some(&v) => Node::Valid(v),
                None => continue,
            },
            5 => {
                let (c, a, b) = (any(rng), any(rng), any(rng));
                if types[usize::from(c)] != DType::Bool || types[usize::from(a)] != types[usize::from(b)] {
                    continue;
                }
                Node::Select(c, a, b)
            }
            6 => Node::Cast(random_dtype(rng), any(rng)),
            _ => {
                let op = *Op::ALL.choose(rng).expect("not empty");
                let mut args = [0; 3];
                args[..op.arity()].iter_mut().for_each(|a| *a = any(rng));
                let dtype = types[usize::from(args[0])];
                let same = args[..op.arity()].iter().all(|&a| types[usize::from(a)] == dtype);
                if !same || op.result(dtype).is_none() || (body && !op.exact(dtype)) {
                    continue;
                }
                Node::Apply(op, args)
            }
        };
        types.push(node_type(i, &node, &types, core).expect("well typed"));
        nodes.push(node);
    }
    if let Some(result) = result
        && types.last() != Some(&result)
    {
        nodes.push(Node::Cast(result, nodes.len() as u8 - 1));
    }
    Expr { nodes }
}
