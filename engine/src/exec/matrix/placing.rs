//! Where the rows of a block lie.

use super::super::read::Source;
use super::super::reader::floats;
use super::super::starts::{Room, Starts};
use super::rows::Rows;
use super::{Group, Matrix, Product, Window};
use crate::tensor::Tensor;
use std::ops::Range;

impl Group {
    /// Elements of all windows.
    pub(super) fn depth(&self) -> usize {
        self.windows.iter().map(Window::depth).sum()
    }

    /// Elements of the longest segment.
    pub(super) fn longest(&self) -> usize {
        self.segments.iter().map(Range::len).max().unwrap_or(0)
    }
}

impl Matrix<'_> {
    /// Where each row's elements of each segment begin.
    pub(super) fn starts<'a>(
        &'a self,
        product: &Product<'a>,
        rows: &Range<usize>,
        operands: &'a [&'a Tensor],
        room: &'a mut Room,
    ) -> Option<Starts<'a>> {
        let source = Source { instruction: &self.dot, operands };
        let reads = Rows::new(&self.dot, &self.dot.views[usize::from(self.roles.views[0])]);
        let Group { windows, segments, chains, reader, table, .. } = product.group;
        let own = (&self.rows, product.number * self.rows.len());
        let (table, first) = reader.table_or(table.as_ref(), own, rows, &product.at)?;
        let read = |s: usize, row: usize, to: &mut [f32]| {
            let Some(w) = chains.iter().position(|chain| chain.contains(&s)) else { return };
            let (window, ks) = (&windows[w], &segments[s]);
            let point = self.rows.point(rows.start + row, &product.at);
            let at = std::array::from_fn(|x| point.at[x] + window.at[x]);
            let first = window.ks.start + (ks.start - window.before) as u64;
            reads.read(&source, at, &(first..first + ks.len() as u64), to);
        };
        let points = first..first + rows.len();
        let lens = segments.iter().map(Range::len);
        Some(Starts::find(reader, (table, points), lens, &floats(source.operands), room, read))
    }
}
