//! Views over other e axes.

use crate::program::limits::MAX_RANK;
use crate::program::{Affine, View};

/// The view over other e axes: `parts` gives for each of its axes the new ones that it is made of, and what a step of each is worth.
pub(super) fn over(view: &mut View, parts: impl Fn(usize) -> Vec<(usize, u64)>) {
    let over = |form: &mut Affine| {
        let mut terms: Vec<(u8, i64)> = Vec::new();
        for &(axis, a) in &form.terms {
            if usize::from(axis) >= MAX_RANK {
                terms.push((axis, a));
            } else {
                let parts = parts(usize::from(axis));
                terms.extend(parts.into_iter().map(|(x, worth)| (x as u8, a * worth as i64))); // as large as before
            }
        }
        terms.sort_unstable();
        form.terms = terms;
    };
    for access in &mut view.accesses {
        over(&mut access.address);
        access.guards.iter_mut().for_each(|g| over(&mut g.affine));
    }
}
