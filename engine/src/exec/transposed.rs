//! Instructions that only copy floats, so that runs become neighbours: channels that lay apart, as images are given.

use super::elements::{BLOCK, LEAST};
use super::linked::finish_row;
use super::out::Out;
use super::points::{Grid, Point};
use super::read::slice;
use super::weave::interleave;
use crate::arith::Isa;
use crate::program::{Access, Affine, Core, DType, Instruction, Node};
use crate::tasks;
use crate::tensor::Tensor;

/// The shortest run that is worth it.
const SHORT: u64 = 16;

/// Such an instruction: runs go along the last axis but one, and the last one's are neighbours.
pub(super) struct Transposed {
    operand: usize,
    address: Affine,
    /// How far a run is from the one before.
    apart: usize,
    len: usize,
    runs: usize,
    /// Points with runs of their own.
    grid: Grid,
}

impl Transposed {
    pub(super) fn new(i: &Instruction) -> Option<Self> {
        let ([Node::Load(view)], Core::None) = (i.epilogue.nodes.as_slice(), &i.core) else { return None };
        let [Access { operand, address, guards, indirects }] = i.views[usize::from(*view)].accesses.as_slice() else {
            return None;
        };
        let plain = guards.is_empty() && indirects.is_empty() && !i.windowed;
        let read = &i.operands[usize::from(*operand)];
        let [outer @ .., along, last] = i.extents.as_slice() else { return None };
        let axes = 0..outer.len();
        let far = |(x, &extent): (usize, &u64)| address.coefficient(x).checked_mul(extent as i64 - 1); // extents are below 2^40
        let far: Vec<i64> = i.extents.iter().enumerate().map(far).collect::<Option<_>>()?;
        let reach = |end: fn(i64) -> i64| far.iter().try_fold(address.base, |sum, &x| sum.checked_add(end(x)));
        let inside = reach(|x| x.min(0))? >= 0 && reach(|x| x.max(0))? < i64::try_from(read.elements).ok()?;
        let apart = usize::try_from(address.coefficient(axes.end + 1)).ok()?;
        let runs = address.coefficient(axes.end) == 1 && *along >= SHORT && (2..SHORT).contains(last);
        (plain && read.dtype == DType::F32 && inside && runs).then(|| Self {
            operand: usize::from(*operand),
            address: address.clone(),
            apart,
            len: *along as usize, // in memory
            runs: *last as usize, // below `SHORT`
            grid: Grid::new(i, &axes.collect::<Vec<_>>()),
        })
    }

    /// Copies all floats.
    pub(super) fn run(&self, operands: &[&Tensor], isa: Isa, out: &Out<'_>) {
        let Tensor::F32(operand) = operands[self.operand] else { return };
        let operand = slice(operand);
        let cut = tasks::share(self.len, LEAST / self.runs, BLOCK / self.runs);
        let cuts = self.len.div_ceil(cut);
        // Points whose runs are short go together.
        let size = self.len * self.runs;
        let points = if cuts == 1 { tasks::share(self.grid.len(), LEAST / size, BLOCK / size) } else { 1 };
        tasks::each(self.grid.len().div_ceil(points) * cuts, |task| {
            let first = task / cuts * points;
            let points = first..self.grid.len().min(first + points);
            let run = task % cuts * cut..self.len.min((task % cuts + 1) * cut);
            let (floats, runs) = (run.len() * self.runs, run.start * self.runs);
            // SAFETY: every task has a part of its points' runs of its own, and points lie behind each other.
            #[allow(unsafe_code)]
            let to = unsafe { out.floats(first * size + runs, points.len() * floats) };
            let mut parts = to.chunks_exact_mut(floats);
            self.grid.each(points, &Point::ORIGIN, |at, _| {
                let start = self.address.value(at) as usize + run.start; // inside
                let Some(part) = parts.next() else { return };
                interleave(isa.level(), &operand[start..], self.apart, self.runs, part);
            });
            finish_row(isa.level(), &[], None, to);
        });
    }
}
