//! The columns of products, packed: for each panel and window the columns' elements at each k.

use super::super::lanes::Buffer;
use super::super::points::Grid;
use super::super::read::{Coordinates, Source};
use super::super::tasks;
use super::kernels::{COLUMNS, Line};
use super::rows::Rows;
use super::windows::Window;

/// The panels of some products.
pub(super) struct Panels {
    lines: Buffer<Line>,
    /// Panels of a product, and lines of a panel.
    count: usize,
    depth: usize,
}

impl Panels {
    /// Packs the columns of each product: its coordinates, and its windows, which all have the same depth together.
    pub(super) fn new(
        source: &Source<'_>,
        rows: &Rows<'_>,
        columns: &Grid,
        products: &[(Coordinates, &[Window])],
    ) -> Self {
        let depth = products.iter().map(|(_, windows)| windows.iter().map(Window::depth).sum()).max().unwrap_or(0);
        let count = columns.len().div_ceil(COLUMNS);
        let mut lines = Buffer::new(products.len() * count * depth);
        let chunks: Vec<_> = lines.chunks_mut(depth.max(1)).map(std::sync::Mutex::new).collect();
        tasks::each(chunks.len(), |n| {
            let (at, windows) = &products[n / count];
            let first = n % count * COLUMNS;
            let mut lines = chunks[n].lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            if columns.len() - first < COLUMNS {
                lines.fill(Line::default());
            }
            for window in *windows {
                let mut row = Buffer::new(window.depth());
                for (j, point) in columns.points(first..columns.len().min(first + COLUMNS)).enumerate() {
                    rows.read(
                        source,
                        std::array::from_fn(|x| at[x] + window.at[x] + point.at[x]),
                        &window.ks,
                        &mut row,
                    );
                    let lines = &mut lines[window.before..][..window.depth()];
                    lines.iter_mut().zip(row.iter()).for_each(|(line, &x)| line.0[j] = x);
                }
            }
        });
        drop(chunks);
        Self { lines, count, depth }
    }

    /// The lines of a product's panel in a window.
    pub(super) fn window(&self, product: usize, panel: usize, window: &Window) -> &[Line] {
        &self.lines[(product * self.count + panel) * self.depth + window.before..][..window.depth()]
    }
}
