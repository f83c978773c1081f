//! The rules that make a program well-formed. Executors and watchers run this before they bond on anything; whatever passes can be
//! run, traced and stepped.

use super::error::ProgramError;
use super::limits::*;
use super::types::*;
use super::{DType, FoldOp, encode_descriptor};

/// Checks every rule of `docs/program.md`.
///
/// # Errors
/// The first rule that is broken, with the value that breaks it.
pub fn validate(program: &Program) -> Result<(), ProgramError> {
    let whole = |reason: &str| Err(ProgramError::Program(reason.to_string()));
    let n = program.values.len() as u64;
    if n == 0 || n >= DIM_LIMIT {
        return whole("there must be between 1 and 2^40 values");
    }
    if program.outputs == 0 || u64::from(program.outputs) > n || u64::from(program.inputs) > n {
        return whole("outputs must be at least one, and inputs and outputs are values");
    }
    let mut instructions_began = false;
    for (id, value) in program.values.iter().enumerate() {
        let is_input = id < usize::from(program.inputs);
        let checked = match &value.source {
            Source::Input if !is_input => Err("an input after the inputs".into()),
            Source::Constant { .. } | Source::Instruction(_) if is_input => Err("not an input among the inputs".into()),
            Source::Constant { .. } if instructions_began => Err("a constant after an instruction".into()),
            Source::Input | Source::Constant { .. } => Ok(()),
            Source::Instruction(i) => {
                instructions_began = true;
                instruction(program, id as u64, &value.ty, i)
            }
        };
        checked
            .and_then(|()| tensor(&value.ty))
            .and_then(|()| encode_descriptor(value).map(drop).map_err(|e| e.to_string()))
            .map_err(|reason| ProgramError::Value { value: id as u64, reason })?;
    }
    Ok(())
}

type Checked<T = ()> = Result<T, String>;

fn ensure(ok: bool, reason: impl FnOnce() -> String) -> Checked {
    if ok { Ok(()) } else { Err(reason()) }
}

fn tensor(ty: &TensorType) -> Checked {
    ensure(ty.dims.len() <= MAX_RANK, || format!("rank {} is above {MAX_RANK}", ty.dims.len()))?;
    ensure(bounded(&ty.dims), || format!("shape {:?} has 2^40 elements or more", ty.dims))
}

fn instruction(program: &Program, id: ValueId, ty: &TensorType, i: &Instruction) -> Checked {
    ensure(i.extents.len() <= MAX_RANK, || format!("{} e axes", i.extents.len()))?;
    ensure(i.reduction.len() <= MAX_REDUCTION_AXES, || format!("{} r axes", i.reduction.len()))?;
    ensure(bounded(&i.extents) && bounded(&i.reduction), || "extents of 2^40 or more together".into())?;
    ensure(product(&i.extents) == ty.elements(), || {
        format!("extents {:?} do not make {} elements", i.extents, ty.elements())
    })?;
    let k = product(&i.reduction);
    if i.windowed {
        let windows = k.div_ceil(CHUNK);
        ensure(i.extents.last() == Some(&windows), || {
            format!("the innermost e axis must count the {windows} windows")
        })?;
    } else {
        ensure(k <= CHUNK, || format!("a reduction of {k} needs windows of {CHUNK}"))?;
    }
    operands(program, id, &i.operands)?;
    ensure(i.views.len() <= MAX_VIEWS, || format!("{} views", i.views.len()))?;
    (0..i.views.len()).try_for_each(|v| view(i, v))?;
    let core = core(i, ty.dtype)?;
    let result = Scope { i, core, body: false }.expr(&i.epilogue)?;
    ensure(result == ty.dtype, || format!("the epilogue gives {result}, the value is {}", ty.dtype))
}

fn operands(program: &Program, id: ValueId, operands: &[Operand]) -> Checked {
    ensure(operands.len() <= MAX_OPERANDS, || format!("{} operands", operands.len()))?;
    ensure(operands.is_sorted_by(|a, b| a.value < b.value), || "operands are not strictly increasing".into())?;
    for o in operands {
        ensure(o.value < id, || format!("operand {} is not before it", o.value))?;
        let ty = program.ty(o.value).ok_or("an operand that does not exist")?;
        ensure(ty.dtype == o.dtype && ty.elements() == o.elements, || {
            format!("operand {} is not {} x {}", o.value, o.elements, o.dtype)
        })?;
    }
    Ok(())
}

fn view(i: &Instruction, number: usize) -> Checked {
    let view = &i.views[number];
    ensure((1..=MAX_ACCESSES).contains(&view.accesses.len()), || {
        format!("a view of {} accesses", view.accesses.len())
    })?;
    let dtype = view_dtype(i, view)?;
    ensure(dtype.holds(view.fill), || format!("fill {} is no {dtype}", view.fill))?;
    for access in &view.accesses {
        let operand = i.operands.get(usize::from(access.operand)).ok_or("a view of no operand")?;
        ensure(operand.dtype == dtype, || "a view over two element types".into())?;
        ensure(access.guards.len() <= MAX_GUARDS, || format!("{} guards", access.guards.len()))?;
        let mut reach = affine(i, &access.address)?;
        for guard in &access.guards {
            ensure(guard.limit < DIM_LIMIT, || "a guard limit of 2^40 or more".into())?;
            affine(i, &guard.affine)?;
        }
        ensure(access.indirects.len() <= MAX_INDIRECTS, || format!("{} indirect terms", access.indirects.len()))?;
        for term in &access.indirects {
            indirect(i, number, term)?;
            reach += i128::from(term.coefficient).abs() * i128::from(term.limit);
        }
        ensure(reach < AFFINE_LIMIT, || "an address reaches 2^62 by its indirect terms".into())?;
    }
    Ok(())
}

/// A term of view `number`: depth is one, as its view is an earlier one that is addressed by coordinates alone.
fn indirect(i: &Instruction, number: usize, term: &Indirect) -> Checked {
    let index = i.views[..number].get(usize::from(term.view)).ok_or("an index that no earlier view reads")?;
    ensure(index.indirects().next().is_none(), || format!("an index by view {}, which needs another", term.view))?;
    let dtype = view_dtype(i, index)?;
    ensure(dtype.is_integer(), || format!("an index of {dtype}"))?;
    ensure((1..DIM_LIMIT).contains(&term.limit), || format!("an index below {}", term.limit))
}

fn view_dtype(i: &Instruction, view: &View) -> Checked<DType> {
    let operand = view.accesses.first().and_then(|a| i.operands.get(usize::from(a.operand)));
    Ok(operand.ok_or("a view of no operand")?.dtype)
}

/// Checks a form; gives how far it reaches.
fn affine(i: &Instruction, affine: &Affine) -> Checked<i128> {
    ensure(affine.terms.is_sorted_by(|a, b| a.0 < b.0), || "terms are not strictly increasing".into())?;
    let mut reach = i128::from(affine.base).abs();
    for &(axis, coefficient) in &affine.terms {
        let extent = extent(i, axis).ok_or_else(|| format!("axis {axis} does not exist"))?;
        reach += i128::from(coefficient).abs() * i128::from(extent);
    }
    ensure(reach < AFFINE_LIMIT, || "an affine form reaches 2^62".into())?;
    Ok(reach)
}

fn extent(i: &Instruction, axis: u8) -> Option<u64> {
    match axis.checked_sub(FIRST_REDUCTION_AXIS) {
        Some(r) => i.reduction.get(usize::from(r)).copied(),
        None => i.extents.get(usize::from(axis)).copied(),
    }
}

/// The core's dtype, `None` where there is no core; `result` is the value's.
fn core(i: &Instruction, result: DType) -> Checked<Option<DType>> {
    match &i.core {
        Core::None => {
            ensure(i.reduction.is_empty() && !i.windowed, || "r axes without a core".into())?;
            Ok(None)
        }
        Core::Dot { a, b } => {
            for &index in [a, b] {
                let view = i.views.get(usize::from(index)).ok_or("a dot over no view")?;
                let dtype = view_dtype(i, view)?;
                ensure(dtype == DType::F32, || format!("a dot over {dtype}"))?;
            }
            Ok(Some(DType::F32))
        }
        Core::Fold { op, body } => {
            let dtype = Scope { i, core: None, body: true }.expr(body)?;
            ensure(op.accepts(dtype), || format!("a {} of {dtype}", FoldOp::name(*op)))?;
            Ok(Some(dtype))
        }
        Core::Scan { axis, initial } => {
            ensure(i.reduction.is_empty() && !i.windowed, || "a scan with r axes".into())?;
            ensure(usize::from(*axis) < i.extents.len(), || format!("a scan along axis {axis}, which does not exist"))?;
            let view = i.views.get(usize::from(*initial)).ok_or("a scan from no view")?;
            let dtype = view_dtype(i, view)?;
            ensure(dtype == result, || format!("a scan of {result} from {dtype}"))?;
            Ok(Some(result))
        }
    }
}

/// Types of the nodes of an epilogue; `None` if it is not valid. A scan is taken for one of floats.
pub(crate) fn epilogue_types(i: &Instruction) -> Option<Vec<DType>> {
    let core = core(i, DType::F32).ok()?;
    Scope { i, core, body: false }.types(&i.epilogue).ok()
}

struct Scope<'a> {
    i: &'a Instruction,
    core: Option<DType>,
    body: bool,
}

impl Scope<'_> {
    /// Type of an expression's result.
    fn expr(&self, expr: &Expr) -> Checked<DType> {
        self.types(expr)?.last().copied().ok_or_else(|| "an empty expression".into())
    }

    /// Types of an expression's nodes.
    fn types(&self, expr: &Expr) -> Checked<Vec<DType>> {
        ensure((1..=MAX_NODES).contains(&expr.nodes.len()), || format!("an expression of {} nodes", expr.nodes.len()))?;
        let mut types: Vec<DType> = Vec::with_capacity(expr.nodes.len());
        for node in &expr.nodes {
            let dtype = self.node(node, &types)?;
            types.push(dtype);
        }
        Ok(types)
    }

    fn node(&self, node: &Node, types: &[DType]) -> Checked<DType> {
        let arg = |n: NodeId| types.get(usize::from(n)).copied().ok_or_else(|| format!("node {n} is not before it"));
        match *node {
            Node::Const(dtype, register) => {
                ensure(dtype.holds(register), || format!("constant {register} is no {dtype}"))?;
                Ok(dtype)
            }
            Node::Load(index) => view_dtype(self.i, self.view(index)?),
            Node::Valid(index) => self.view(index).map(|_| DType::Bool),
            Node::Core => self.core.ok_or_else(|| "no core to refer to".into()),
            Node::Iota(axis) => {
                ensure(extent(self.i, axis).is_some(), || format!("axis {axis} does not exist"))?;
                ensure(self.body || axis < FIRST_REDUCTION_AXIS, || "an epilogue over r axes".into())?;
                Ok(DType::I64)
            }
            Node::Select(c, a, b) => {
                ensure(arg(c)? == DType::Bool, || "select by something else than bool".into())?;
                ensure(arg(a)? == arg(b)?, || "select between two types".into())?;
                arg(a)
            }
            Node::Cast(dtype, a) => {
                arg(a)?;
                Ok(dtype)
            }
            Node::Apply(op, args) => {
                let dtype = arg(args[0])?;
                for &a in &args[..op.arity()] {
                    ensure(arg(a)? == dtype, || format!("{op} of two types"))?;
                }
                ensure(args[op.arity()..].iter().all(|&a| a == 0), || format!("{op} with too many arguments"))?;
                ensure(!self.body || op.exact(dtype), || format!("{op} of {dtype} rounds, and a fold's body may not"))?;
                op.result(dtype).ok_or_else(|| format!("{op} of {dtype}"))
            }
        }
    }

    fn view(&self, index: u8) -> Checked<&View> {
        let view = self.i.views.get(usize::from(index)).ok_or_else(|| format!("view {index} does not exist"))?;
        if !self.body {
            let reduces = self.i.forms(view).flat_map(|f| &f.terms).any(|&(axis, _)| axis >= FIRST_REDUCTION_AXIS);
            ensure(!reduces, || format!("an epilogue reads view {index}, which uses r axes"))?;
        }
        Ok(view)
    }
}
