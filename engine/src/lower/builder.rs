//! Definitions and the instructions that make them.

use super::bill::{self, STEP_GAS_CEILING};
use super::constant::{gather, run};
use super::draft::Draft;
use super::formula::Formula;
use super::lazy::{Axis, DefId, Lazy, axis, extent, row_major};
use super::spec::{Placed, Read, Spec, place};
use super::{Lowering, mul};
use crate::program::limits::{CHUNK, DIM_LIMIT};
use crate::program::*;
use crate::tensor::Tensor;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Elements that a relaid constant may have even if that is more than it is made from.
const MADE_LIMIT: u64 = 1 << 24;
/// Greatest number of elements, and of reduced elements, that are computed at compile time.
const FOLD_LIMIT: u64 = 1 << 16;
/// Depth of the trace tree that instructions are billed with while the program is not finished.
pub(super) const ASSUMED_TRACE_DEPTH: u32 = 12;

/// What a value will be, in the order of making.
pub(super) struct Definition<'a> {
    pub(super) ty: TensorType,
    pub(super) made: Made<'a>,
    pub(super) label: Label,
}

/// How a definition is made.
pub(super) enum Made<'a> {
    Input,
    Constant(Cow<'a, Tensor>),
    Result(Draft),
}

/// Where a definition comes from, for messages.
#[derive(Clone, Debug, Default)]
pub(super) struct Label {
    pub(super) name: String,
    pub(super) operator: String,
}

/// The operator of copies that only change the layout.
pub(super) const COPY: &str = "Copy";

/// Makes definitions; equal instructions and equal relaid constants are made once.
#[derive(Default)]
pub(super) struct Builder<'a> {
    pub(super) defs: Vec<Definition<'a>>,
    /// The node that is being lowered.
    pub(super) label: Label,
    instructions: BTreeMap<Vec<u8>, DefId>,
    relaid: BTreeMap<Lazy, DefId>,
}

impl<'a> Builder<'a> {
    pub(super) fn define(&mut self, ty: TensorType, made: Made<'a>, label: Label) -> Lazy {
        let lazy = Lazy::dense(self.defs.len(), ty.dtype, &ty.dims);
        self.defs.push(Definition { ty, made, label });
        lazy
    }

    pub(super) fn constant(&mut self, tensor: Tensor) -> Lazy {
        let label = Label { operator: String::new(), ..self.label.clone() };
        self.define(tensor.ty(), Made::Constant(Cow::Owned(tensor)), label)
    }

    /// A one-dimensional i64 constant.
    pub(super) fn integers(&mut self, values: &[i64]) -> Lazy {
        self.constant(Tensor::I64(ndarray::Array1::from(values.to_vec()).into_dyn()))
    }

    pub(super) fn constant_of(&self, def: DefId) -> Option<&Tensor> {
        match &self.defs.get(def)?.made {
            Made::Constant(tensor) => Some(tensor),
            _ => None,
        }
    }

    /// The register of a constant with one element.
    pub(super) fn scalar(&self, lazy: &Lazy) -> Option<i64> {
        let one = lazy.loops().iter().all(|f| f.stride == 0) && lazy.elements() > 0;
        let tensor = self.constant_of(lazy.def).filter(|_| one)?;
        tensor.register(usize::try_from(lazy.base).ok()?)
    }

    /// The elements of an integer constant (few enough to be a shape, axes or indices).
    pub(super) fn ints(&self, lazy: &Lazy) -> Option<Vec<i64>> {
        let tensor = self.constant_of(lazy.def)?;
        if !matches!(lazy.dtype, DType::I64 | DType::I32) || lazy.elements() > FOLD_LIMIT {
            return None;
        }
        lazy.addresses().map(|a| tensor.register(usize::try_from(a).ok()?)).collect()
    }

    /// The same tensor in row-major order in memory; axes along which it only repeats stay so.
    pub(super) fn dense(&mut self, lazy: &Lazy) -> Lowering<Lazy> {
        let repeats = |a: &Axis| a.iter().all(|f| f.stride == 0);
        let kept: Vec<Axis> = lazy.axes.iter().filter(|a| !repeats(a)).cloned().collect();
        let source = Lazy { axes: kept, ..lazy.clone() };
        if lazy.elements() == 0 || source.is_dense() {
            return Ok(lazy.clone());
        }
        let dims = source.dims();
        let copy = match self.relaid.get(&source) {
            Some(&def) => Lazy::dense(def, lazy.dtype, &dims),
            None => {
                let copy = self.relay(&source)?;
                self.relaid.insert(source, copy.def);
                copy
            }
        };
        let mut strides = row_major(&dims).into_iter();
        let mut dense = |a: &Axis| if repeats(a) { a.clone() } else { axis(extent(a), strides.next().unwrap_or(0)) };
        Ok(Lazy { def: copy.def, dtype: lazy.dtype, base: 0, axes: lazy.axes.iter().map(&mut dense).collect() })
    }

    fn relay(&mut self, source: &Lazy) -> Lowering<Lazy> {
        match self.constant_of(source.def) {
            Some(tensor) if source.elements() <= MADE_LIMIT.max(tensor.len() as u64) => {
                let made = gather(tensor, source)?;
                let label = self.defs[source.def].label.clone();
                Ok(self.define(made.ty(), Made::Constant(Cow::Owned(made)), label))
            }
            _ => {
                let placed = place(&copy_of(source)).ok_or("its layout needs more than 8 axes")?;
                let label = Label { name: format!("{} (layout)", self.label.name), operator: COPY.into() };
                self.push(placed, label)
            }
        }
    }

    /// Gives the value behind an instruction's result another shape of as many elements.
    pub(super) fn shaped(&mut self, result: &Lazy, dims: Vec<u64>) {
        let d = &mut self.defs[result.def];
        if let Made::Result(draft) = &mut d.made
            && product(&dims) == d.ty.elements()
        {
            draft.dims.clone_from(&dims);
            d.ty.dims = dims;
        }
    }

    /// A copy that is never shared with another one: what an output needs.
    pub(super) fn output_copy(&mut self, lazy: &Lazy, label: Label) -> Lowering<Lazy> {
        let readable = if lazy.readable() { lazy.clone() } else { self.dense(lazy)? };
        let placed = place(&copy_of(&readable)).ok_or("its layout needs more than 8 axes")?;
        let ty = TensorType::new(lazy.dtype, lazy.dims());
        Ok(self.define(ty, Made::Result(placed.draft), label))
    }

    /// An elementwise instruction over the formula's axes; elements lie in memory as those of the first operand that is not repeated.
    pub(super) fn map(&mut self, formula: Formula, result: NodeId) -> Lowering<Lazy> {
        let extents = formula.dims.clone();
        let (reads, epilogue, dtype) = formula.finish(result);
        let leads = |r: &Read| {
            let lazy = &r.accesses[0].lazy;
            self.constant_of(lazy.def).is_none() && lazy.axes.iter().flatten().all(|f| f.stride > 0)
        };
        let leader = reads.iter().position(leads);
        self.emit(Spec { leader, ..Spec::map(dtype, extents, reads, epilogue) })
    }

    /// A reduction with a core of type `core`; one of more than 256 elements becomes window results and a fold over them, recursively.
    pub(super) fn reduce(&mut self, whole: Spec, core: DType) -> Lowering<Lazy> {
        let k = product(&whole.reduction);
        if k <= CHUNK {
            let spec = self.laid_out(whole)?;
            return self.emit(spec);
        }
        let windows = self.laid_out(Spec {
            dtype: core,
            windowed: true,
            reads: Vec::new(),
            epilogue: Expr { nodes: vec![Node::Core] },
            ..whole.clone()
        })?;
        let name = self.label.name.clone();
        self.label.name = format!("{name} (windows)");
        let results = self.emit(windows);
        self.label.name = name;
        let op = match &whole.core {
            Core::Fold { op: FoldOp::Prod | FoldOp::SeqMul, .. } => FoldOp::SeqMul,
            Core::Fold { op: op @ (FoldOp::Min | FoldOp::Max | FoldOp::And | FoldOp::Or), .. } => *op,
            _ => FoldOp::SeqAdd,
        };
        let combine = Spec {
            reduction: vec![k.div_ceil(CHUNK)],
            core: Core::Fold { op, body: Expr { nodes: vec![Node::Load(0)] } },
            core_reads: vec![Read::plain(results?)],
            ..whole
        };
        self.reduce(combine, core)
    }

    /// The instruction with its operands copied to where a step touches few leaves: constants always, others where the bill asks for it.
    fn laid_out(&mut self, mut spec: Spec) -> Lowering<Spec> {
        let mut free = Vec::new();
        for i in 0..spec.core_reads.len() {
            if let Some(lazy) = spec.core_reads[i].as_plain().cloned() {
                if self.constant_of(lazy.def).is_some() {
                    spec.core_reads[i] = Read::plain(self.dense(&lazy)?);
                } else {
                    free.push(i);
                }
            }
        }
        let mut best = (self.gas(&spec), spec.clone());
        for choice in 1..1u32 << free.len().min(4) {
            if best.0 <= STEP_GAS_CEILING {
                break;
            }
            let mut candidate = spec.clone();
            for (_, &i) in free.iter().enumerate().filter(|(bit, _)| choice >> bit & 1 == 1) {
                if let Some(lazy) = spec.core_reads[i].as_plain().filter(|l| l.readable()) {
                    candidate.core_reads[i] = Read::plain(self.dense(lazy)?);
                }
            }
            let gas = self.gas(&candidate);
            if gas < best.0 {
                best = (gas, candidate);
            }
        }
        Ok(best.1)
    }

    /// The worst step of an instruction; the greatest number where it cannot be placed.
    pub(super) fn gas(&self, spec: &Spec) -> u64 {
        place(spec).map_or(u64::MAX, |placed| self.draft_gas(&placed.draft))
    }

    pub(super) fn draft_gas(&self, draft: &Draft) -> u64 {
        let value = self.value(draft);
        match &value.source {
            Source::Instruction(i) => bill::instruction(i, &value.ty, 512, ASSUMED_TRACE_DEPTH).gas_worst,
            _ => 0,
        }
    }

    /// The draft as a value with definitions for value numbers.
    pub(super) fn value(&self, draft: &Draft) -> Value {
        draft.value(
            |def| def as u64,
            |def| self.defs.get(def).map_or((DType::F32, 0), |d| (d.ty.dtype, d.ty.elements())),
        )
    }

    /// One instruction; where its operands have no common loops, over copies of them.
    fn emit(&mut self, spec: Spec) -> Lowering<Lazy> {
        if let Some(placed) = place(&spec) {
            return self.push(placed, self.label.clone());
        }
        let mut spec = spec;
        for i in 0..spec.core_reads.len() {
            if let Some(lazy) = spec.core_reads[i].as_plain().cloned() {
                spec.core_reads[i] = Read::plain(self.dense(&lazy)?);
            }
        }
        for i in 0..spec.reads.len() {
            if let Some(lazy) = spec.reads[i].as_plain().cloned() {
                spec.reads[i] = Read::plain(self.dense(&lazy)?);
            }
        }
        spec.leader = None;
        let placed = place(&spec).ok_or("it needs more axes than an instruction has")?;
        self.push(placed, self.label.clone())
    }

    fn push(&mut self, placed: Placed, label: Label) -> Lowering<Lazy> {
        let Placed { draft, axes } = placed;
        let ty = TensorType::new(draft.dtype, draft.dims.clone());
        if ty.elements() >= DIM_LIMIT {
            return Err(format!("its result {:?} has 2^40 elements or more", ty.dims));
        }
        let of = |def| Lazy { def, dtype: ty.dtype, base: 0, axes: axes.clone() };
        let key = encode_descriptor(&self.value(&draft)).map_err(|e| e.to_string())?;
        if let Some(&def) = self.instructions.get(&key) {
            return Ok(of(def));
        }
        let work = ty.elements().saturating_mul(product(&draft.reduction).max(1));
        let constant = draft.operands().into_iter().all(|def| self.constant_of(def).is_some());
        let lazy = if constant && work <= FOLD_LIMIT {
            let value = self.value(&draft);
            let made = run(&value, |def| self.constant_of(def))?;
            self.constant(made)
        } else {
            self.define(ty.clone(), Made::Result(draft), label)
        };
        self.instructions.insert(key, lazy.def);
        Ok(of(lazy.def))
    }

    /// Another shape of the same elements, by a copy where no view can say it.
    pub(super) fn reshape(&mut self, lazy: &Lazy, dims: &[u64]) -> Lowering<Lazy> {
        if mul(dims)? != lazy.elements() {
            return Err(format!("{:?} does not have the elements of {dims:?}", lazy.dims()));
        }
        match lazy.reshape(dims).filter(Lazy::readable) {
            Some(view) => Ok(view),
            None => {
                let copied = self.full(lazy)?;
                copied.reshape(dims).ok_or_else(|| format!("{:?} cannot become {dims:?}", lazy.dims()))
            }
        }
    }

    /// A slice of an axis, by a copy where no view can say it.
    pub(super) fn slice(&mut self, lazy: &Lazy, at: usize, start: u64, step: i64, len: u64) -> Lowering<Lazy> {
        match lazy.slice(at, start, step, len).filter(Lazy::readable) {
            Some(view) => Ok(view),
            None => self.full(lazy)?.slice(at, start, step, len).ok_or_else(|| "its slice cannot be addressed".into()),
        }
    }

    /// The lazy tensor with one factor on the axes given, by a copy where it has more.
    pub(super) fn plain_axes(&mut self, lazy: Lazy, axes: &[usize]) -> Lowering<Lazy> {
        if axes.iter().all(|&a| lazy.axes[a].len() <= 1) { Ok(lazy) } else { self.full(&lazy) }
    }

    /// A copy of everything, repetitions too, in row-major order.
    fn full(&mut self, lazy: &Lazy) -> Lowering<Lazy> {
        let copied = self.dense(lazy)?;
        if copied.is_dense() {
            return Ok(copied);
        }
        let placed = place(&copy_of(&copied)).ok_or("its layout needs more than 8 axes")?;
        let label = Label { name: format!("{} (layout)", self.label.name), operator: COPY.into() };
        self.push(placed, label)
    }
}

/// The instruction that copies a lazy tensor into row-major order.
fn copy_of(lazy: &Lazy) -> Spec {
    Spec::map(lazy.dtype, lazy.dims(), vec![Read::plain(lazy.clone())], Expr { nodes: vec![Node::Load(0)] })
}
