//! What a program is made of.

use super::dtype::DType;
use super::limits::DIM_LIMIT;
use super::op::{FoldOp, Op};
use crate::hash::Hash;

/// Number of a value in its program.
pub type ValueId = u64;

/// Element type and static shape of a value.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct TensorType {
    /// Element type.
    pub dtype: DType,
    /// Dimensions, outermost first; at most [`MAX_RANK`](super::limits::MAX_RANK).
    pub dims: Vec<u64>,
}

impl TensorType {
    /// A tensor type.
    pub fn new(dtype: DType, dims: impl Into<Vec<u64>>) -> Self {
        Self { dtype, dims: dims.into() }
    }

    /// Number of elements; saturates, so that hostile shapes stay comparable with limits.
    pub fn elements(&self) -> u64 {
        product(&self.dims)
    }

    /// Bytes of the elements behind one another; saturates as [`elements`](Self::elements) does.
    pub fn bytes(&self) -> u64 {
        self.elements().saturating_mul(self.dtype.width() as u64)
    }
}

/// Product of extents, 1 for none; a zero extent gives 0 even beside huge ones.
pub(crate) fn product(extents: &[u64]) -> u64 {
    if extents.contains(&0) { 0 } else { extents.iter().fold(1, |n: u64, &e| n.saturating_mul(e)) }
}

/// The product of the extents that are not zero is below 2^40: a zero beside huge ones hides nothing.
pub(crate) fn bounded(extents: &[u64]) -> bool {
    let product = |n: u64, &x: &u64| n.checked_mul(x).filter(|&n| n < DIM_LIMIT);
    extents.iter().filter(|&&x| x != 0).try_fold(1, product).is_some()
}

/// One value of a program: its type and where it comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Value {
    /// Element type and shape.
    pub ty: TensorType,
    /// Where the value comes from.
    pub source: Source,
}

/// Where a value comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Source {
    /// The input with the value's own number.
    Input,
    /// A constant, committed to by its tensor root.
    Constant {
        /// Tensor root of the constant's bytes.
        root: Hash,
    },
    /// The result of an instruction.
    Instruction(Instruction),
}

/// `element = epilogue(core(views), views)`, see `docs/program.md`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Instruction {
    /// Element extents, row-major; their product is the number of elements.
    pub extents: Vec<u64>,
    /// Reduction extents, row-major; their product is K.
    pub reduction: Vec<u64>,
    /// Whether the innermost e axis is the number of the 256-long window.
    pub windowed: bool,
    /// The values read, strictly increasing.
    pub operands: Vec<Operand>,
    /// How they are read.
    pub views: Vec<View>,
    /// The reduction.
    pub core: Core,
    /// The expression that makes the element.
    pub epilogue: Expr,
}

/// A value that an instruction reads; type and size are repeated so that a step needs no other descriptor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Operand {
    /// The value.
    pub value: ValueId,
    /// Its element type.
    pub dtype: DType,
    /// Its number of elements.
    pub elements: u64,
}

/// The first access that holds, or the fill.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct View {
    /// Register that the view gives where no access holds.
    pub fill: i64,
    /// Alternatives, tried in order.
    pub accesses: Vec<Access>,
}

impl Instruction {
    /// What an element of value `value`, which this makes, may be read from: the operands and, for a scan, the value itself behind them.
    pub fn read_operands(&self, value: ValueId, ty: &TensorType) -> Vec<Operand> {
        let itself = Operand { value, dtype: ty.dtype, elements: ty.elements() };
        let itself = matches!(self.core, Core::Scan { .. }).then_some(itself);
        self.operands.iter().copied().chain(itself).collect()
    }

    /// The element before `element` in a scan: the one a step back along its axis. `None` at the axis' start, and where there is no scan.
    pub fn predecessor(&self, element: u64) -> Option<u64> {
        let Core::Scan { axis, .. } = self.core else { return None };
        let (before, stride) = self.extents.split_at_checked(usize::from(axis) + 1)?;
        let stride = product(stride).max(1);
        let coordinate = element / stride % before.last()?.max(&1);
        if coordinate > 0 { element.checked_sub(stride) } else { None }
    }

    /// All affine forms that say what a view reads: its own and those of its index views.
    pub fn forms<'a>(&'a self, view: &'a View) -> impl Iterator<Item = &'a Affine> {
        view.forms().chain(view.accesses.iter().flat_map(|a| self.index_forms(a)))
    }

    /// All affine forms of the views of an access' indices.
    pub fn index_forms<'a>(&'a self, access: &'a Access) -> impl Iterator<Item = &'a Affine> {
        let views = access.indirects.iter().filter_map(|t| self.views.get(usize::from(t.view)));
        views.flat_map(View::forms)
    }
}

impl View {
    /// All affine forms of its own: every access' address and its guards'.
    pub fn forms(&self) -> impl Iterator<Item = &Affine> {
        self.accesses.iter().flat_map(|a| std::iter::once(&a.address).chain(a.guards.iter().map(|g| &g.affine)))
    }

    /// All indirect terms.
    pub fn indirects(&self) -> impl Iterator<Item = &Indirect> {
        self.accesses.iter().flat_map(|a| &a.indirects)
    }
}

/// One way of addressing an operand.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Access {
    /// Index into the instruction's operands.
    pub operand: u8,
    /// The element's flat index; outside the operand the access does not hold.
    pub address: Affine,
    /// Conditions that must all hold.
    pub guards: Vec<Guard>,
    /// What is added to the address by indices that other views read; looked at in order where the guards hold.
    pub indirects: Vec<Indirect>,
}

/// `base + sum coefficient * coordinate(axis)`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Affine {
    /// The constant part.
    pub base: i64,
    /// (axis, coefficient), axes strictly increasing; 0..7 are e axes, 8..12 reduction axes.
    pub terms: Vec<(u8, i64)>,
}

impl Affine {
    /// What a step along an axis adds.
    pub(crate) fn coefficient(&self, axis: usize) -> i64 {
        self.terms.iter().find(|t| usize::from(t.0) == axis).map_or(0, |t| t.1)
    }

    /// What coordinates add to the base: within 2^62 in a validated program, at coordinates of e and r axes that are within their extents.
    pub(crate) fn added(&self, at: &[i64]) -> i64 {
        self.terms.iter().map(|&(axis, a)| a * at[usize::from(axis)]).sum()
    }

    /// The form's value at some coordinates.
    pub(crate) fn value(&self, at: &[i64]) -> i64 {
        self.base + self.added(at)
    }
}

/// Holds when `0 <= affine < limit`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Guard {
    /// Exclusive upper limit.
    pub limit: u64,
    /// The tested form.
    pub affine: Affine,
}

/// A part of an address that depends on data: `coefficient * i`, where `i` is what an integer view reads at the same coordinates, plus
/// `limit` if it is negative. Where `i` is not in `0..limit` the access does not hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Indirect {
    /// An earlier view, which has no indirect terms itself.
    pub view: u8,
    /// Exclusive upper limit of the index, above 0.
    pub limit: u64,
    /// What a step of the index adds to the address.
    pub coefficient: i64,
}

/// The reduction of an instruction.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Core {
    /// No reduction: the epilogue alone.
    None,
    /// Chain of fused multiply-adds over two f32 views.
    Dot {
        /// First view.
        a: u8,
        /// Second view.
        b: u8,
    },
    /// A fold of an exact expression.
    Fold {
        /// The operation.
        op: FoldOp,
        /// What is folded, at each k.
        body: Expr,
    },
    /// The element before this one in the instruction's own result: cumulative operations and recurrences.
    Scan {
        /// The e axis along which elements follow each other.
        axis: u8,
        /// The view that stands for the element before the first one.
        initial: u8,
    },
}

/// A straight-line expression; a node names earlier nodes, the last one is the result.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Expr {
    /// The nodes.
    pub nodes: Vec<Node>,
}

/// Index of a node in its expression.
pub type NodeId = u8;

/// One node of an expression.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Node {
    /// A register of a type.
    Const(DType, i64),
    /// The element that a view reads.
    Load(u8),
    /// The reduction's result.
    Core,
    /// The coordinate of an axis, as i64.
    Iota(u8),
    /// Whether some access of a view holds.
    Valid(u8),
    /// `if c { a } else { b }`.
    Select(NodeId, NodeId, NodeId),
    /// Conversion to a type.
    Cast(DType, NodeId),
    /// An operation of the scalar table; unused arguments are 0.
    Apply(Op, [NodeId; 3]),
}

impl Node {
    /// The nodes that it reads.
    pub(crate) fn arguments(self) -> impl Iterator<Item = NodeId> {
        let (args, n) = match self {
            Self::Select(c, a, b) => ([c, a, b], 3),
            Self::Cast(_, a) => ([a, 0, 0], 1),
            Self::Apply(op, args) => (args, op.arity()),
            _ => ([0; 3], 0),
        };
        args.into_iter().take(n)
    }

    /// The node with its arguments renamed.
    pub(crate) fn renumbered(self, f: impl Fn(NodeId) -> NodeId) -> Self {
        match self {
            Self::Select(c, a, b) => Self::Select(f(c), f(a), f(b)),
            Self::Cast(to, a) => Self::Cast(to, f(a)),
            Self::Apply(op, mut args) => {
                args[..op.arity()].iter_mut().for_each(|a| *a = f(*a));
                Self::Apply(op, args)
            }
            other => other,
        }
    }
}

/// A program: values in topological order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Program {
    /// Number of inputs: values `0..inputs`.
    pub inputs: u8,
    /// Number of outputs: the last values.
    pub outputs: u8,
    /// All values.
    pub values: Vec<Value>,
}

impl Value {
    /// The instruction that computes it; `None` for inputs and constants.
    pub fn instruction(&self) -> Option<&Instruction> {
        match &self.source {
            Source::Instruction(i) => Some(i),
            Source::Input | Source::Constant { .. } => None,
        }
    }
}

impl Program {
    /// Value `id`'s type.
    pub fn ty(&self, id: ValueId) -> Option<&TensorType> {
        Some(&self.values.get(usize::try_from(id).ok()?)?.ty)
    }

    /// The instruction that computes value `id`, if there is one.
    pub fn instruction(&self, id: ValueId) -> Option<&Instruction> {
        self.values.get(usize::try_from(id).ok()?)?.instruction()
    }

    /// The outputs' value numbers.
    pub fn output_ids(&self) -> std::ops::Range<ValueId> {
        let v = self.values.len() as u64;
        v.saturating_sub(u64::from(self.outputs))..v
    }

    /// Types of the inputs, in order.
    pub fn input_types(&self) -> impl ExactSizeIterator<Item = &TensorType> {
        self.values.iter().take(usize::from(self.inputs)).map(|v| &v.ty)
    }

    /// Types of the outputs, in order.
    pub fn output_types(&self) -> impl ExactSizeIterator<Item = &TensorType> {
        self.values[self.values.len().saturating_sub(usize::from(self.outputs))..].iter().map(|v| &v.ty)
    }
}

impl std::fmt::Display for TensorType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let dims: Vec<String> = self.dims.iter().map(u64::to_string).collect();
        write!(f, "{}[{}]", self.dtype, dims.join(","))
    }
}
