//! Definitions and the instructions that make them.

use super::bill::{self, Around, STEP_GAS_CEILING};
use super::budget::{Budget, FOLD_LIMIT};
use super::constant::{gather, run};
use super::cut::{Cut, combine, cuts};
use super::draft::Draft;
use super::formula::Formula;
use super::lazy::{Axis, DefId, Lazy, axis, extent, row_major};
use super::spec::{Placed, Read, Spec, place};
use super::{Lowering, mul};
use crate::onnx::Subgraph;
use crate::program::limits::{CHUNK, DIM_LIMIT};
use crate::program::*;
use crate::tensor::Tensor;
use std::borrow::Cow;
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Elements that a relaid constant may have even if that is more than it is made from.
pub(super) const MADE_LIMIT: u64 = 1 << 24;

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

/// How many times as many parts as there must be are made before a copy of an operand is looked at.
const PARTS: u64 = 2;

/// As many elements of parts a copy of so many weighs: parts exist only in a trace, and plain runs make copies, too, for which the
/// smallest one is a step more.
pub(super) fn weight_of_copy(elements: u64) -> u64 {
    elements.saturating_mul(2).saturating_add(1 << 14)
}

/// The body of a fold of what is read.
pub(super) const COMBINED: [Node; 1] = [Node::Load(0)];

/// The operator of copies that only change the layout.
pub(super) const COPY: &str = "Copy";

/// Makes definitions; equal instructions and equal relaid constants are made once.
pub(super) struct Builder<'a> {
    pub(super) defs: Vec<Definition<'a>>,
    /// What instructions are billed with.
    around: Around,
    /// The node that is being lowered.
    pub(super) label: Label,
    instructions: BTreeMap<Vec<u8>, DefId>,
    relaid: BTreeMap<Lazy, DefId>,
    /// What somebody wanted to know since the last instruction was made, and it is no constant.
    unknown: Cell<Option<DefId>>,
    pub(super) budget: Budget,
    /// The constants of bodies, by the address of the body in the model.
    bodies: BTreeMap<usize, Vec<(String, Lazy)>>,
}

impl<'a> Builder<'a> {
    /// Nothing made yet.
    pub(super) fn new(around: Around) -> Self {
        Self {
            defs: Vec::new(),
            around,
            label: Label::default(),
            instructions: BTreeMap::new(),
            relaid: BTreeMap::new(),
            unknown: Cell::new(None),
            budget: Budget::default(),
            bodies: BTreeMap::new(),
        }
    }

    pub(super) fn define(&mut self, ty: TensorType, made: Made<'a>, label: Label) -> Lazy {
        let lazy = Lazy::dense(self.defs.len(), ty.dtype, &ty.dims);
        let bytes = ty.bytes();
        match &made {
            Made::Constant(Cow::Borrowed(_)) => self.budget.own(bytes),
            Made::Constant(Cow::Owned(_)) => self.budget.made(bytes),
            Made::Result(_) => self.budget.instruction(),
            Made::Input => {}
        }
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

    /// The register of a constant with one element that must be known.
    pub(super) fn scalar(&self, lazy: &Lazy) -> Option<i64> {
        self.ask(lazy);
        self.known_scalar(lazy)
    }

    /// The register of a constant with one element.
    pub(super) fn known_scalar(&self, lazy: &Lazy) -> Option<i64> {
        let one = lazy.loops().iter().all(|f| f.stride == 0) && lazy.elements() > 0;
        let tensor = self.constant_of(lazy.def).filter(|_| one)?;
        tensor.register(usize::try_from(lazy.base).ok()?)
    }

    /// The elements of an integer constant (few enough to be a shape, axes or indices).
    pub(super) fn ints(&self, lazy: &Lazy) -> Option<Vec<i64>> {
        self.registers(lazy).filter(|_| matches!(lazy.dtype, DType::I64 | DType::I32))
    }

    /// The elements of an f32 constant (few enough to be scales).
    pub(super) fn floats(&self, lazy: &Lazy) -> Option<Vec<f32>> {
        let registers = self.registers(lazy).filter(|_| lazy.dtype == DType::F32);
        Some(registers?.into_iter().map(|r| f32::from_bits(r as u32)).collect()) // the 32 bits of the register
    }

    /// The registers of a constant with few enough elements to compute with when compiling.
    pub(super) fn registers(&self, lazy: &Lazy) -> Option<Vec<i64>> {
        self.ask(lazy);
        let tensor = self.constant_of(lazy.def)?;
        if lazy.elements() > FOLD_LIMIT {
            return None;
        }
        lazy.addresses().map(|a| tensor.register(usize::try_from(a).ok()?)).collect()
    }

    fn ask(&self, lazy: &Lazy) {
        if self.constant_of(lazy.def).is_none() {
            self.unknown.set(Some(lazy.def));
        }
    }

    /// Nothing that was asked for matters any more.
    pub(super) fn forget_unknown(&self) {
        self.unknown.set(None);
    }

    /// The graph inputs that the last thing comes from that had to be known and is not, in order; forgets it.
    pub(super) fn unbound(&self) -> Vec<String> {
        let Some(unknown) = self.unknown.take() else { return Vec::new() };
        let mut seen = BTreeSet::from([unknown]);
        let mut open = vec![unknown];
        while let Some(def) = open.pop() {
            if let Some(Made::Result(draft)) = self.defs.get(def).map(|d| &d.made) {
                open.extend(draft.operands().into_iter().filter(|&o| seen.insert(o)));
            }
        }
        let is_input = |&def: &DefId| matches!(self.defs[def].made, Made::Input);
        seen.into_iter().filter(is_input).map(|def| self.defs[def].label.name.clone()).collect()
    }

    /// The constants of a body, which are made once however often it is run.
    pub(super) fn body_constants(&mut self, body: &Arc<Subgraph>) -> Vec<(String, Lazy)> {
        let address = Arc::as_ptr(body).addr();
        if let Some(made) = self.bodies.get(&address) {
            return made.clone();
        }
        let mut made = Vec::with_capacity(body.initializers.len());
        for (name, tensor) in &body.initializers {
            let label = Label { name: format!("{}/{name}", self.label.name), operator: String::new() };
            let lazy = self.define(tensor.ty(), Made::Constant(Cow::Owned(tensor.clone())), label);
            made.push((name.clone(), lazy));
        }
        self.bodies.insert(address, made.clone());
        made
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
                let label = self.layout();
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

    /// The same as a copy that only changes the layout: elements are in the order of the axes.
    pub(super) fn copy_in_order(&mut self, formula: Formula, result: NodeId) -> Lowering<Lazy> {
        let extents = formula.dims.clone();
        let (reads, epilogue, dtype) = formula.finish(result);
        let layout = self.layout();
        let label = std::mem::replace(&mut self.label, layout);
        let copy = self.emit(Spec::map(dtype, extents, reads, epilogue));
        self.label = label;
        copy
    }

    /// Where copies come from that the node being lowered needs.
    fn layout(&self) -> Label {
        Label { name: format!("{} (layout)", self.label.name), operator: COPY.into() }
    }

    /// A reduction with a core of type `core`; one that is too long for a step becomes parts and a fold over them, recursively.
    pub(super) fn reduce(&mut self, whole: Spec, core: DType) -> Lowering<Lazy> {
        let whole = self.constants_laid_out(whole)?;
        let (cut, _) = self.cut(&whole, core)?;
        if cut.parts.is_empty() {
            return self.emit(cut.spec);
        }
        let name = self.label.name.clone();
        self.label.name = format!("{name} (parts)");
        let results = self.emit(cut.spec);
        self.label.name = name;
        let (combined, core) = combine(whole, core, cut.parts, results?);
        self.reduce(combined, core)
    }

    /// What the costliest step of a reduction costs where it lies, cut as it would be.
    pub(super) fn reduction_gas(&mut self, whole: &Spec, core: DType) -> Lowering<u64> {
        let whole = self.constants_laid_out(whole.clone())?;
        let k = product(&whole.reduction).min(CHUNK);
        let long = cuts(&whole, core).into_iter().filter(|c| c.length * PARTS >= k);
        Ok(self.first_affordable(long).map_or_else(|worst| worst, |cut| self.gas(&cut.spec)))
    }

    /// What a reduction makes besides its result: elements of parts, and of copies with their weight.
    pub(super) fn reduction_adds(&mut self, whole: &Spec, core: DType) -> Lowering<u64> {
        let whole = self.constants_laid_out(whole.clone())?;
        Ok(self.cut(&whole, core)?.1)
    }

    /// Long parts of operands as they lie; where their steps cost too much, long parts of copies that touch few leaves, or short parts,
    /// whichever are fewer elements, copies weighed. And how many these are.
    fn cut(&mut self, whole: &Spec, core: DType) -> Lowering<(Cut, u64)> {
        let all = cuts(whole, core);
        let k = product(&whole.reduction).min(CHUNK);
        let long = |cuts: Vec<Cut>| cuts.into_iter().filter(move |c| c.length * PARTS >= k);
        if let Ok(cut) = self.first_affordable(long(all.clone())) {
            let made = cut.made();
            return Ok((cut, made));
        }
        let mut affordable: Vec<(Cut, u64)> = Vec::new();
        for (copied, weight) in self.copies(whole)? {
            if let Ok(cut) = self.first_affordable(long(cuts(&copied, core))) {
                let made = weight.saturating_add(cut.made());
                affordable.push((cut, made));
            }
        }
        if let Ok(cut) = self.first_affordable(all.clone()) {
            let made = cut.made();
            affordable.push((cut, made));
        }
        // Where there is none the program will be refused.
        let any = || all.into_iter().next().map(|cut| (cut, u64::MAX));
        affordable.into_iter().min_by_key(|(_, made)| *made).or_else(any).ok_or_else(|| "it reduces nothing".into())
    }

    /// The first cut whose step costs no more than the ceiling, or the least that any of them costs.
    fn first_affordable(&self, cuts: impl IntoIterator<Item = Cut>) -> Result<Cut, u64> {
        let mut least = u64::MAX;
        for cut in cuts {
            let gas = self.gas(&cut.spec);
            if gas <= STEP_GAS_CEILING {
                return Ok(cut);
            }
            least = least.min(gas);
        }
        Err(least)
    }

    /// The instruction with its constants laid out as it reads them.
    fn constants_laid_out(&mut self, mut spec: Spec) -> Lowering<Spec> {
        for read in &mut spec.core_reads {
            if let Some(lazy) = read.as_plain().filter(|l| self.constant_of(l.def).is_some()).cloned() {
                *read = Read::plain(self.dense(&lazy)?);
            }
        }
        Ok(spec)
    }

    /// The instruction with some of its operands copied, then others, then all; and what the copies weigh.
    fn copies(&mut self, spec: &Spec) -> Lowering<Vec<(Spec, u64)>> {
        let free = |i: &usize| {
            spec.core_reads[*i]
                .as_plain()
                .is_some_and(|l| l.readable() && !l.is_dense() && self.constant_of(l.def).is_none())
        };
        let free: Vec<usize> = (0..spec.core_reads.len()).filter(free).take(4).collect();
        let mut all = Vec::new();
        for choice in 1..1u32 << free.len() {
            let (mut copied, mut weight) = (spec.clone(), 0u64);
            for (_, &i) in free.iter().enumerate().filter(|(bit, _)| choice >> bit & 1 == 1) {
                if let Some(lazy) = spec.core_reads[i].as_plain() {
                    let dense = self.dense(lazy)?;
                    let elements = self.defs.get(dense.def).map_or(0, |d| d.ty.elements());
                    weight = weight.saturating_add(weight_of_copy(elements));
                    copied.core_reads[i] = Read::plain(dense);
                }
            }
            all.push((copied, weight));
        }
        Ok(all)
    }

    /// The worst step of an instruction; the greatest number where it cannot be placed.
    pub(super) fn gas(&self, spec: &Spec) -> u64 {
        place(spec).map_or(u64::MAX, |placed| self.draft_gas(&placed.draft))
    }

    pub(super) fn draft_gas(&self, draft: &Draft) -> u64 {
        bill::step(&self.value(draft), &self.around).map_or(0, |b| b.gas_worst)
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
        self.forget_unknown();
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
        let lazy = if constant && self.budget.fold(work) {
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
        let label = self.layout();
        self.push(placed, label)
    }
}

/// The instruction that copies a lazy tensor into row-major order.
fn copy_of(lazy: &Lazy) -> Spec {
    Spec::map(lazy.dtype, lazy.dims(), vec![Read::plain(lazy.clone())], Expr { nodes: vec![Node::Load(0)] })
}
