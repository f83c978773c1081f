//! One element of one instruction.

use super::expr;
use super::fold::fold;
use super::scalar::apply;
use crate::program::limits::{CHUNK, FIRST_REDUCTION_AXIS};
use crate::program::{Access, Affine, Core, DType, Indirect, Instruction, Op, View};

/// Where the interpreter reads operand elements from.
pub trait Memory {
    /// The register of element `index` of operand number `operand` of the instruction; `index` is inside the operand. A scan's own
    /// result is the operand behind the last one.
    fn load(&mut self, operand: u8, index: u64) -> i64;
}

/// Element `element` (row-major) of a validated instruction, as a canonical register of the result's type `dtype`.
pub fn evaluate<M: Memory>(instruction: &Instruction, dtype: DType, element: u64, memory: &mut M) -> i64 {
    let mut window = Window::new(instruction, element);
    let core = window.core(dtype, element, memory);
    dtype.canonical(expr::evaluate(&instruction.epilogue, &window, core, memory).1)
}

/// The coordinates at which views are read.
pub(super) struct Window<'a> {
    instruction: &'a Instruction,
    e: Vec<u64>,
    r: Vec<u64>,
    first: u64,
    end: u64,
}

/// Row-major coordinates of a flat index.
fn coordinates(extents: &[u64], mut index: u64) -> Vec<u64> {
    let mut at = vec![0; extents.len()];
    for (c, &extent) in at.iter_mut().zip(extents).rev() {
        *c = index % extent.max(1);
        index /= extent.max(1);
    }
    at
}

impl<'a> Window<'a> {
    fn new(instruction: &'a Instruction, element: u64) -> Self {
        let e = coordinates(&instruction.extents, element);
        let k: u64 = instruction.reduction.iter().product();
        let first = if instruction.windowed { e.last().copied().unwrap_or(0) * CHUNK } else { 0 };
        let end = if instruction.windowed { k.min(first + CHUNK) } else { k };
        Self { instruction, e, r: vec![0; instruction.reduction.len()], first, end }
    }

    fn core<M: Memory>(&mut self, result: DType, element: u64, memory: &mut M) -> Option<(DType, i64)> {
        let instruction = self.instruction;
        match &instruction.core {
            Core::None => None,
            Core::Dot { a, b } => {
                let mut s = 0;
                for k in self.first..self.end {
                    self.r = coordinates(&instruction.reduction, k);
                    let (x, y) = (self.load(*a, memory).1, self.load(*b, memory).1);
                    s = apply(Op::Fma, DType::F32, [x, y, s]);
                }
                Some((DType::F32, s))
            }
            Core::Fold { op, body } => {
                let mut dtype = None;
                let mut xs = Vec::new();
                for k in self.first..self.end {
                    self.r = coordinates(&instruction.reduction, k);
                    let (ty, x) = expr::evaluate(body, self, None, memory);
                    dtype = Some(ty);
                    xs.push(x);
                }
                let dtype = dtype.or_else(|| body_dtype(instruction)).unwrap_or(DType::F32);
                Some((dtype, fold(*op, dtype, &xs)))
            }
            Core::Scan { initial, .. } => {
                let itself = instruction.operands.len() as u8; // at most MAX_OPERANDS
                Some(match instruction.predecessor(element) {
                    Some(before) => (result, memory.load(itself, before)),
                    None => self.load(*initial, memory),
                })
            }
        }
    }

    pub(super) fn coordinate(&self, axis: u8) -> i64 {
        let c = match axis.checked_sub(FIRST_REDUCTION_AXIS) {
            Some(r) => self.r.get(usize::from(r)),
            None => self.e.get(usize::from(axis)),
        };
        c.map_or(0, |&c| c as i64) // extents are below 2^40
    }

    fn affine(&self, form: &Affine) -> i128 {
        let terms = form.terms.iter().map(|&(axis, a)| i128::from(a) * i128::from(self.coordinate(axis)));
        i128::from(form.base) + terms.sum::<i128>()
    }

    /// The address that an access reads, if it holds. Indices are read in order, where the guards hold, up to the first that fails.
    fn address<M: Memory>(&self, access: &Access, memory: &mut M) -> Option<u64> {
        if !access.guards.iter().all(|g| (0..i128::from(g.limit)).contains(&self.affine(&g.affine))) {
            return None;
        }
        let mut address = self.affine(&access.address);
        for term in &access.indirects {
            address += i128::from(term.coefficient) * self.index(term, memory)?;
        }
        let elements = self.instruction.operands.get(usize::from(access.operand))?.elements;
        u64::try_from(address).ok().filter(|&a| a < elements)
    }

    /// The index of an indirect term, if it is below the limit.
    fn index<M: Memory>(&self, term: &Indirect, memory: &mut M) -> Option<i128> {
        let limit = i128::from(term.limit);
        let given = i128::from(self.load(term.view, memory).1);
        let index = if given < 0 { given + limit } else { given };
        (0..limit).contains(&index).then_some(index)
    }

    fn view(&self, view: u8) -> Option<&'a View> {
        self.instruction.views.get(usize::from(view))
    }

    pub(super) fn valid<M: Memory>(&self, view: u8, memory: &mut M) -> bool {
        self.view(view).is_some_and(|v| v.accesses.iter().any(|a| self.address(a, memory).is_some()))
    }

    pub(super) fn load<M: Memory>(&self, view: u8, memory: &mut M) -> (DType, i64) {
        let Some(view) = self.view(view) else { return (DType::F32, 0) };
        let operand = view.accesses.first().and_then(|a| self.instruction.operands.get(usize::from(a.operand)));
        let dtype = operand.map_or(DType::F32, |o| o.dtype);
        let hit = view.accesses.iter().find_map(|a| Some((a.operand, self.address(a, memory)?)));
        (dtype, hit.map_or(view.fill, |(operand, address)| memory.load(operand, address)))
    }
}

/// Type of a fold's body when no k was evaluated: found by evaluating it over a memory of zeros.
fn body_dtype(instruction: &Instruction) -> Option<DType> {
    struct Zeros;
    impl Memory for Zeros {
        fn load(&mut self, _: u8, _: u64) -> i64 {
            0
        }
    }
    let Core::Fold { body, .. } = &instruction.core else { return None };
    let r = vec![0; instruction.reduction.len()];
    let at = Window { instruction, e: vec![0; instruction.extents.len()], r, first: 0, end: 0 };
    Some(expr::evaluate(body, &at, None, &mut Zeros).0)
}
