//! Random instructions that try to cost much.

use super::case::{Case, Contents};
use rand::Rng;
use rand::seq::IndexedRandom;
use rebut_engine::lower::Around;
use rebut_engine::program::limits::*;
use rebut_engine::program::{
    Access, Affine, Core, DType, Expr, FoldOp, Guard, Indirect, Instruction, Node, NodeId, Op, Operand, Source,
    TensorType, Value, View, decode_descriptor, encode_descriptor,
};
use rebut_engine::tree::depth;

/// What an instruction is made to be costly by.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Kind {
    /// A dot of ordinary views.
    Dot,
    /// A dot of views with alternatives, guards and odd strides.
    DotGather,
    /// A fold of what one view reads.
    Fold,
    /// A fold of a view with alternatives, guards and odd strides.
    FoldGather,
    /// A fold with a body of up to 32 nodes.
    Body,
    /// An epilogue of up to 32 nodes and no core.
    Epilogue,
    /// A map of as many views as fit.
    Map,
    /// A scan.
    Scan,
    /// Anything.
    Mixed,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Dot,
        Self::DotGather,
        Self::Fold,
        Self::FoldGather,
        Self::Body,
        Self::Epilogue,
        Self::Map,
        Self::Scan,
        Self::Mixed,
    ];

    /// Its name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dot => "dot",
            Self::DotGather => "dot, gathered",
            Self::Fold => "fold",
            Self::FoldGather => "fold, gathered",
            Self::Body => "fold, long body",
            Self::Epilogue => "epilogue",
            Self::Map => "map",
            Self::Scan => "scan",
            Self::Mixed => "mixed",
        }
    }

    fn gathers(self, rng: &mut impl Rng) -> bool {
        match self {
            Self::Dot | Self::Fold => false,
            Self::DotGather | Self::FoldGather | Self::Map => true,
            Self::Body | Self::Epilogue | Self::Scan | Self::Mixed => rng.random_bool(0.3),
        }
    }
}

const REDUCTIONS: &[&[u64]] = &[
    &[256],
    &[16, 16],
    &[64, 2, 2],
    &[128, 2],
    &[2, 128],
    &[16, 2, 2, 2, 2],
    &[2, 2, 2, 2, 16],
    &[4, 4, 4, 4],
    &[256, 1, 1],
    &[3, 3, 28],
    &[28, 3, 3],
    &[5, 51],
    &[128],
    &[8, 16],
    &[3, 3, 16],
    &[2, 2, 2, 2, 4],
    &[96],
    &[7],
    &[1],
    &[],
    &[255],
    // Windowed.
    &[257],
    &[64, 3, 3],
    &[3, 3, 64],
    &[3, 3, 512],
    &[5, 7, 11, 3, 2],
    &[1 << 10, 1 << 10],
    &[4096],
];

/// One of the list.
pub(super) fn one<T: Copy>(rng: &mut impl Rng, list: &[T]) -> T {
    *list.choose(rng).expect("not empty")
}

/// A random case of a kind; `None` where the dice made no program.
pub fn case(rng: &mut impl Rng, kind: Kind) -> Option<Case> {
    let core = match kind {
        Kind::Dot | Kind::DotGather => 1,
        Kind::Fold | Kind::FoldGather | Kind::Body => 2,
        Kind::Epilogue | Kind::Map => 0,
        Kind::Scan => 3,
        Kind::Mixed => rng.random_range(0..4),
    };
    let reduction = if core == 0 || core == 3 { vec![] } else { one(rng, REDUCTIONS).to_vec() };
    let k: u64 = reduction.iter().product();
    let windowed = k > CHUNK;
    let rank = if kind == Kind::Map { rng.random_range(1..=5) } else { rng.random_range(u32::from(core == 3)..=3) };
    let mut extents: Vec<u64> = (0..rank).map(|_| one(rng, &[1, 2, 3, 5, 7, 16, 56])).collect();
    if windowed {
        extents.push(k.div_ceil(CHUNK));
    }
    let dtypes = if kind == Kind::DotGather && rng.random_bool(0.2) {
        // Integers for indices.
        vec![DType::F32, DType::F32, one(rng, &[DType::I8, DType::I64])]
    } else if core == 1 || kind == Kind::Epilogue || rng.random_bool(0.5) {
        vec![DType::F32]
    } else {
        vec![one(rng, &DType::ALL), one(rng, &DType::ALL), DType::F32]
    };
    let operands = operands(rng, &dtypes, kind);
    let mut i = Instruction {
        extents,
        reduction,
        windowed,
        operands,
        views: vec![],
        core: Core::None,
        epilogue: Expr::default(),
    };
    let views = match kind {
        Kind::Dot | Kind::Fold | Kind::DotGather | Kind::FoldGather => rng.random_range(1..=2),
        Kind::Map => rng.random_range(4..=12),
        _ => rng.random_range(1..=4),
    };
    let gathers = kind.gathers(rng);
    for _ in 0..views {
        let view = view(rng, &i, core == 1 || core == 2, gathers);
        i.views.push(view);
    }
    let core_type = make_core(rng, &mut i, core, kind)?;
    if rng.random_bool(0.5) {
        let view = view(rng, &i, false, gathers);
        i.views.push(view);
    }
    let few = core > 0 && rng.random_bool(0.7);
    let length = if few { rng.random_range(1..=4) } else { rng.random_range(1..=MAX_NODES) };
    let (mut epilogue, mut dtype) = expression(rng, &i, core_type, false, length)?;
    if let (Core::Scan { .. }, Some(same)) = (&i.core, core_type.filter(|&t| t != dtype)) {
        let last = NodeId::try_from(epilogue.nodes.len() - 1).ok()?;
        epilogue.nodes.push(Node::Cast(same, last));
        dtype = same;
    }
    i.epilogue = epilogue;
    finish(rng, i, dtype)
}

fn finish(rng: &mut impl Rng, instruction: Instruction, dtype: DType) -> Option<Case> {
    let ty = TensorType::new(dtype, vec![instruction.extents.iter().product::<u64>()]);
    Case::check(&instruction, &ty).ok()?;
    let operands = instruction.operands.len() as u64;
    let values = if rng.random_bool(0.5) { operands + rng.random_range(1..=40) } else { 1 << rng.random_range(4..40) };
    // As far apart as they can be.
    let ids = (0..operands).map(|o| o * ((values - 1) / operands.max(1))).collect();
    let types = vec![TensorType::new(DType::F32, vec![1; rng.random_range(0..=8)]); rng.random_range(1..=4)];
    let around = Around::new(depth(values), types.iter());
    Some(Case { instruction, ty, ids, values, around, contents: one(rng, &Contents::ALL), seed: rng.random() })
}

/// The case with a few bytes of its descriptor changed; `None` where that is no instruction, or one that reads too much.
pub fn changed(rng: &mut impl Rng, case: &Case) -> Option<Case> {
    let value = Value { ty: case.ty.clone(), source: Source::Instruction(case.instruction.clone()) };
    let mut bytes = encode_descriptor(&value).ok()?;
    for _ in 0..rng.random_range(1..=2) {
        let at = rng.random_range(0..bytes.len());
        bytes[at] = if rng.random_bool(0.7) { rng.random_range(0..0x40) } else { rng.random() };
    }
    let Value { ty, source: Source::Instruction(instruction) } = decode_descriptor(&bytes).ok()? else { return None };
    Case::check(&instruction, &ty).ok()?;
    let same = instruction.operands.len() == case.instruction.operands.len();
    same.then(|| Case { instruction, ty, ..case.clone() })
}

fn operands(rng: &mut impl Rng, dtypes: &[DType], kind: Kind) -> Vec<Operand> {
    let count = if kind == Kind::Map { 6 } else { rng.random_range(1..=3) };
    (0..count)
        .map(|value| {
            let elements = match rng.random_range(0..4) {
                0 => rng.random_range(1..=600),
                1 => 1 << rng.random_range(0..40),
                2 => 128 * rng.random_range(1..=300),
                _ => {
                    let log = rng.random_range(1..39);
                    rng.random_range(1..1 << log)
                }
            };
            Operand { value, dtype: one(rng, dtypes), elements }
        })
        .collect()
}

fn axes(i: &Instruction, reduces: bool) -> Vec<(u8, u64)> {
    let e = (0u8..).zip(i.extents.iter().copied());
    let r = (FIRST_REDUCTION_AXIS..).zip(i.reduction.iter().copied());
    if reduces { e.chain(r).collect() } else { e.collect() }
}

fn view(rng: &mut impl Rng, i: &Instruction, reduces: bool, gathers: bool) -> View {
    let first = rng.random_range(0..i.operands.len() as u8);
    let dtype = i.operands[usize::from(first)].dtype;
    let alike: Vec<u8> = (0..i.operands.len() as u8).filter(|&o| i.operands[usize::from(o)].dtype == dtype).collect();
    let accesses = if gathers { one(rng, &[1, 1, 2, MAX_ACCESSES]) } else { 1 };
    let accesses = (0..accesses)
        .map(|n| {
            let operand = if n == 0 { first } else { one(rng, &alike) };
            let guards = if gathers { one(rng, &[0, 0, 1, 2, MAX_GUARDS]) } else { 0 };
            let guards = (0..guards).map(|_| guard(rng, i, reduces)).collect();
            let indirects = if gathers { indirects(rng, i, operand, reduces) } else { vec![] };
            Access { operand, address: address(rng, i, operand, reduces, gathers), guards, indirects }
        })
        .collect();
    View { fill: if dtype == DType::F32 { 0x3f80_0000 } else { 1 }, accesses }
}

/// Indices that earlier views read.
fn indirects(rng: &mut impl Rng, i: &Instruction, operand: u8, reduces: bool) -> Vec<Indirect> {
    let index = |v: &u8| {
        let view = &i.views[usize::from(*v)];
        let over = i.forms(view).flat_map(|f| &f.terms).any(|t| t.0 >= FIRST_REDUCTION_AXIS);
        view.indirects().next().is_none() && view_dtype(i, *v).is_integer() && (reduces || !over)
    };
    let views: Vec<u8> = (0..i.views.len() as u8).filter(index).collect();
    let operand = i.operands[usize::from(operand)];
    let (lanes, elements) = (operand.dtype.lanes() as i64, operand.elements as i64);
    let count = if views.is_empty() { 0 } else { one(rng, &[0, 1, 1, 2, MAX_INDIRECTS]) };
    let term = |rng: &mut _| Indirect {
        view: one(rng, &views),
        limit: one(rng, &[1, 100, 256, 1 << 39]),
        coefficient: one(rng, &[1, lanes, lanes + 1, elements / 257, -1, 0]),
    };
    (0..count).map(|_| term(rng)).collect()
}

/// Mostly inside the operand.
fn address(rng: &mut impl Rng, i: &Instruction, operand: u8, reduces: bool, gathers: bool) -> Affine {
    let operand = i.operands[usize::from(operand)];
    let (lanes, elements) = (operand.dtype.lanes() as i64, operand.elements as i64);
    let mut terms: Vec<(u8, i64)> = Vec::new();
    let style = rng.random_range(0..if gathers { 8 } else { 4 });
    let mut row_major = 1i64;
    for (axis, extent) in axes(i, reduces).into_iter().rev() {
        let reduction = axis >= FIRST_REDUCTION_AXIS;
        let coefficient = match style {
            0 => row_major,
            1 => {
                if reduction {
                    row_major
                } else {
                    one(rng, &[0, 1, 3, 64])
                }
            }
            2 => lanes * row_major,
            3 => one(rng, &[0, 1, 1, 2, lanes, lanes + 1]),
            4 => one(rng, &[-1, 1, 0, 7, -lanes]),
            5 => elements / 257,
            6 => one(rng, &[2, 3, 5, 11, lanes / 2, lanes - 1]),
            _ => rng.random_range(-300..=300),
        };
        row_major = row_major.saturating_mul(extent.min(1 << 20) as i64).min(1 << 40);
        if coefficient != 0 && rng.random_bool(0.95) {
            terms.push((axis, coefficient));
        }
    }
    terms.reverse();
    let base = match rng.random_range(0..4) {
        0 => 0,
        1 => rng.random_range(-2..=2),
        2 => rng.random_range(0..=elements / 2),
        _ => lanes - 1,
    };
    Affine { base, terms }
}

/// Guards that hold here and there, seldom or never, along one axis or several.
fn guard(rng: &mut impl Rng, i: &Instruction, reduces: bool) -> Guard {
    let mut kept = axes(i, reduces);
    let keep = one(rng, &[0.3, 0.6, 1.0]);
    kept.retain(|_| rng.random_bool(keep));
    let terms = kept.into_iter().map(|a| (a.0, one(rng, &[1, 1, -1, 2, 3]))).collect();
    Guard { limit: one(rng, &[0, 1, 2, 7, 50, 300]), affine: Affine { base: rng.random_range(-4..=3), terms } }
}

fn view_dtype(i: &Instruction, view: u8) -> DType {
    i.operands[usize::from(i.views[usize::from(view)].accesses[0].operand)].dtype
}

fn make_core(rng: &mut impl Rng, i: &mut Instruction, core: u32, kind: Kind) -> Option<Option<DType>> {
    match core {
        0 => Some(None),
        1 => {
            let floats: Vec<u8> = (0..i.views.len() as u8).filter(|&v| view_dtype(i, v) == DType::F32).collect();
            if floats.is_empty() {
                return None;
            }
            i.core = Core::Dot { a: one(rng, &floats), b: one(rng, &floats) };
            Some(Some(DType::F32))
        }
        3 => {
            let initial = rng.random_range(0..i.views.len() as u8);
            i.core = Core::Scan { axis: rng.random_range(0..i.extents.len() as u8), initial };
            Some(Some(view_dtype(i, initial)))
        }
        _ => {
            let (body, dtype) = match kind {
                Kind::Fold | Kind::FoldGather => {
                    let node = Node::Load(rng.random_range(0..i.views.len() as u8));
                    let Node::Load(view) = node else { return None };
                    (Expr { nodes: vec![node] }, view_dtype(i, view))
                }
                _ => {
                    let length = rng.random_range(1..=MAX_NODES);
                    expression(rng, i, None, true, length)?
                }
            };
            let ops: Vec<FoldOp> = FoldOp::ALL.into_iter().filter(|op| op.accepts(dtype)).collect();
            i.core = Core::Fold { op: *ops.choose(rng)?, body };
            Some(Some(dtype))
        }
    }
}

/// Some node, of a type.
fn pick(rng: &mut impl Rng, types: &[DType], dtype: Option<DType>) -> Option<NodeId> {
    let fits = (0..types.len() as NodeId).filter(|&n| dtype.is_none_or(|d| types[usize::from(n)] == d));
    fits.collect::<Vec<_>>().choose(rng).copied()
}

/// An expression of so many nodes, most of them of one favourite kind, and its type.
fn expression(
    rng: &mut impl Rng,
    i: &Instruction,
    core: Option<DType>,
    body: bool,
    length: usize,
) -> Option<(Expr, DType)> {
    let mut nodes: Vec<Node> = Vec::new();
    let mut types: Vec<DType> = Vec::new();
    let over = |f: &Affine| f.terms.iter().any(|t| t.0 >= FIRST_REDUCTION_AXIS);
    let reduces = |v: u8| i.forms(&i.views[usize::from(v)]).any(over);
    let views: Vec<u8> = (0..i.views.len() as u8).filter(|&v| body || !reduces(v)).collect();
    let mut iotas: Vec<u8> = (0..i.extents.len() as u8).collect();
    if body {
        iotas = (0..i.reduction.len() as u8).map(|r| FIRST_REDUCTION_AXIS + r).collect();
    }
    let favourite = *Op::ALL.choose(rng)?;
    let favourite_cast = one(rng, &DType::ALL);
    let style = rng.random_range(0..6);
    let mut tries = 0;
    while nodes.len() < length {
        tries += 1;
        if tries > 40 * length {
            break;
        }
        let first = nodes.is_empty() || rng.random_bool(0.1);
        let choice =
            if first { rng.random_range(0..5) } else { 5 + if style < 4 { style } else { rng.random_range(0..4) } };
        let made = match choice {
            0 if core.is_some() => Some((Node::Core, core?)),
            0 | 1 => views.choose(rng).map(|&v| (Node::Load(v), view_dtype(i, v))),
            2 => views.choose(rng).map(|&v| (Node::Valid(v), DType::Bool)),
            3 => iotas.choose(rng).map(|&a| (Node::Iota(a), DType::I64)),
            4 => Some((Node::Const(DType::F32, 0x3fc0_0347), DType::F32)),
            5 | 6 => {
                let op = if choice == 5 { favourite } else { *Op::ALL.choose(rng)? };
                let a = pick(rng, &types, None)?;
                let dtype = types[usize::from(a)];
                let mut args = [0; 3];
                args[0] = a;
                for arg in &mut args[1..op.arity().max(1)] {
                    *arg = pick(rng, &types, Some(dtype))?;
                }
                match op.result(dtype).filter(|_| !body || op.exact(dtype)) {
                    Some(result) => Some((Node::Apply(op, args), result)),
                    // It is not defined on this type.
                    None => Some((Node::Cast(DType::F32, a), DType::F32)),
                }
            }
            7 => pick(rng, &types, None).map(|a| (Node::Cast(favourite_cast, a), favourite_cast)),
            _ => match pick(rng, &types, Some(DType::Bool)) {
                Some(c) => {
                    let a = pick(rng, &types, None)?;
                    let dtype = types[usize::from(a)];
                    pick(rng, &types, Some(dtype)).map(|b| (Node::Select(c, a, b), dtype))
                }
                None => pick(rng, &types, None).map(|a| (Node::Cast(DType::Bool, a), DType::Bool)),
            },
        };
        if let Some((node, dtype)) = made {
            nodes.push(node);
            types.push(dtype);
        }
    }
    let dtype = *types.last()?;
    Some((Expr { nodes }, dtype))
}
