//! Instructions that follow one another, each of which needs only the same row of those before it: a softmax, a normalisation. Some rows at a
//! time go through all of them, so that what lies between is never stored and stays in the first cache.

mod linear;
mod stage;

use super::out::Out;
use super::reader::floats;
use crate::arith::Isa;
use crate::program::{Instruction, ValueId, product};
use crate::tasks;
use crate::tensor::Tensor;
use stage::{Block, From, Stage};

/// Most instructions that go together.
pub(super) const MOST: usize = 8;
/// Fewest elements of the longest row.
const SHORTEST: usize = 16;
/// Elements of the longest rows that are computed at once, and fewest of a task.
const BLOCK: usize = 1 << 12;
const LEAST: usize = 1 << 11;

/// Such instructions, ready to run.
pub(super) struct RowWise {
    rows: usize,
    stages: Vec<Stage>,
    longest: usize,
    reads: Vec<ValueId>,
}

impl RowWise {
    /// Instructions with the values that they make, of which only the last is read by others.
    pub(super) fn new(all: &[(ValueId, &Instruction)]) -> Option<Self> {
        let elements = all.iter().map(|(_, i)| product(&i.extents));
        let rows = elements.min().filter(|&rows| rows > 0)?;
        let (mut reads, mut stages): (Vec<ValueId>, Vec<Stage>) = (Vec::new(), Vec::new());
        for (_, i) in all {
            let mut find = |operand: u8| {
                let value = i.operands.get(usize::from(operand))?.value;
                if let Some(n) = all.iter().position(|(made, _)| *made == value) {
                    return Some(From::Stage(n, stages.get(n)?.width() as u64));
                }
                Some(From::Operand(reads.iter().position(|read| *read == value).unwrap_or_else(|| {
                    reads.push(value);
                    reads.len() - 1
                })))
            };
            let stage = Stage::new(i, rows, &mut find)?;
            stages.push(stage);
        }
        let longest = stages.iter().map(Stage::width).max()?;
        let pays = stages.iter().any(Stage::folds) && longest >= SHORTEST;
        Some(Self { rows: usize::try_from(rows).ok()?, stages, longest, reads }).filter(|_| pays)
    }

    /// The values that are read.
    pub(super) fn reads(&self) -> &[ValueId] {
        &self.reads
    }

    /// Computes all elements of the last instruction.
    pub(super) fn run(&self, operands: &[&Tensor], isa: Isa, out: &Out<'_>) {
        let operands = floats(operands);
        let Some((last, others)) = self.stages.split_last() else { return };
        let at_once = (BLOCK / self.longest).max(1);
        let share = tasks::share(self.rows, LEAST / self.longest, usize::MAX);
        tasks::each(self.rows.div_ceil(share), |task| {
            let own = task * share..self.rows.min((task + 1) * share);
            for first in own.clone().step_by(at_once) {
                let rows = first..own.end.min(first + at_once);
                let mut block = Block { rows, operands: &operands, made: Vec::with_capacity(others.len()) };
                for stage in others {
                    let made = stage.make(&block, isa);
                    block.made.push(made);
                }
                // SAFETY: every block has rows of its own.
                #[allow(unsafe_code)]
                unsafe {
                    last.finish(&block, isa, out);
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::parse_program;

    /// Rows of the instructions of a program, if they go together.
    fn rows(text: &str) -> Option<usize> {
        let program = parse_program(text).expect("a program");
        let values = (0..).zip(&program.values);
        let all: Vec<(ValueId, &Instruction)> =
            values.filter_map(|(id, value)| Some((id, value.instruction()?))).collect();
        RowWise::new(&all).map(|found| found.rows)
    }

    const SUMS: &str = "%0: f32[6,40] = input
        %1: f32[6,2] = e[12] r[20] v0 = %0[20*e0+r0] else 0.0 core = sum(v0) core
        %2: f32[6] = e[6] r[2] v0 = %1[2*e0+r0] else 0.0 core = seq_add(v0) div(core, 40.0)";

    #[test]
    fn normalisations_go_together() {
        let end = "%3: f32[6,40] = e[6, 40] v0 = %0[40*e0+e1] else 0.0 v1 = %2[e0] else 0.0 sub(v0, v1) return %3";
        assert_eq!(rows(&format!("{SUMS} {end}")), Some(6));
    }

    #[test]
    fn other_rows_do_not() {
        // A column of the sums, the next row's, all rows' first, and indices.
        for view in [
            "%2[e1] if 0 <= e1 < 6 else 0.0",
            "%2[e0+1] if 0 <= e0+1 < 6 else 0.0",
            "%2[0] else 0.0",
            "%2[-e0+5] else 0.0",
        ] {
            let end = format!("%3: f32[6,40] = e[6, 40] v0 = %0[40*e0+e1] else 0.0 v1 = {view} sub(v0, v1) return %3");
            assert_eq!(rows(&format!("{SUMS} {end}")), None, "{view}");
        }
    }
}
