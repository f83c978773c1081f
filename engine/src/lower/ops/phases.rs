//! What a window of stride s spreads over its output: the outputs r, r + s, r + 2 s, .. have the same taps. So each such phase is a
//! reduction over exactly the taps that reach it, and the phases are interleaved.

use super::concat::joined;
use crate::lower::Lowering;
use crate::lower::builder::Builder;
use crate::lower::lazy::{Lazy, merged};
use crate::lower::spec::Bound;

/// Phases of all axes together.
pub(super) const MOST_PHASES: i64 = 256;

/// One spatial axis: input coordinate i and tap k add to output `i * stride + k * dilation - pad`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spread {
    pub(super) input: i64,
    pub(super) output: i64,
    pub(super) kernel: i64,
    pub(super) stride: i64,
    pub(super) dilation: i64,
    pub(super) pad: i64,
}

/// The taps of the outputs r, r + stride, ..: tap number t, which is `first + t * step`, meets the m-th of them at input
/// coordinate `start + m - t * back`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Phase {
    pub(super) taps: i64,
    pub(super) first: i64,
    pub(super) step: i64,
    pub(super) start: i64,
    pub(super) back: i64,
}

impl Spread {
    /// Outputs of a phase; the last ones may be beyond the output.
    pub(super) fn count(&self) -> i64 {
        self.output.div_euclid(self.stride) + i64::from(self.output.rem_euclid(self.stride) != 0)
    }

    /// The phase of output `r`; `None` where no tap reaches it.
    fn phase(&self, r: i64) -> Option<Phase> {
        let common = gcd(self.stride, self.dilation);
        let step = self.stride / common;
        let from = r + self.pad;
        let first = (0..self.kernel.min(step)).find(|k| (from - k * self.dilation).rem_euclid(self.stride) == 0)?;
        Some(Phase {
            taps: (self.kernel - 1 - first) / step + 1,
            first,
            step,
            start: (from - first * self.dilation).div_euclid(self.stride),
            back: self.dilation / common,
        })
    }

    /// That a tap meets the input, if some tap does not; `at` and `tap` are the logical axes.
    pub(super) fn guard(&self, phase: &Phase, at: usize, tap: usize) -> Option<Bound> {
        let low = phase.start - (phase.taps - 1) * phase.back;
        let high = phase.start + self.count() - 1;
        (low < 0 || high >= self.input).then(|| Bound {
            limit: self.input.unsigned_abs(),
            base: phase.start,
            terms: vec![(at, 1), (tap, -phase.back)],
        })
    }
}

fn gcd(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// Makes each combination of phases with `part` and interleaves them; `part` gives a tensor whose axes from `first` on are the phase's
/// outputs along the spatial axes. It is not asked where some axis has no tap: there is `nothing`, of the same shape.
pub(super) fn by_phases(
    b: &mut Builder<'_>,
    axes: &[Spread],
    first: usize,
    nothing: &Lazy,
    mut part: impl FnMut(&mut Builder<'_>, &[Phase]) -> Lowering<Lazy>,
) -> Lowering<Lazy> {
    let all = axes.iter().try_fold(1i64, |n, a| n.checked_mul(a.stride)).filter(|&n| n <= MOST_PHASES);
    let all = all.ok_or_else(|| format!("strides of more than {MOST_PHASES} phases are not supported"))?;
    let mut parts = Vec::new();
    for number in 0..all {
        let mut rest = number;
        let mut phases = Vec::new();
        for a in axes.iter().rev() {
            phases.push(a.phase(rest % a.stride));
            rest /= a.stride;
        }
        phases.reverse();
        parts.push(match phases.into_iter().collect::<Option<Vec<_>>>() {
            Some(phases) => part(b, &phases)?,
            None => nothing.clone(),
        });
    }
    interleaved(b, parts, axes, first)
}

fn interleaved(b: &mut Builder<'_>, parts: Vec<Lazy>, axes: &[Spread], first: usize) -> Lowering<Lazy> {
    let parts = parts.iter().map(|part| part.with_axis(0)).collect();
    let mut stacked = joined(b, parts, 0)?;
    let phases = Lazy { axes: vec![stacked.axes.remove(0)], ..stacked.clone() };
    let strides: Vec<u64> = axes.iter().map(|a| a.stride.unsigned_abs()).collect();
    let phases = phases.reshape(&strides).ok_or("its phases cannot be told apart")?;
    let mut y = stacked;
    for (i, r) in phases.axes.iter().enumerate() {
        y.axes[first + i] = merged(y.axes[first + i].iter().chain(r).copied());
    }
    if !y.readable() {
        y = b.dense(&y)?;
    }
    for (i, a) in axes.iter().enumerate() {
        y = b.slice(&y, first + i, 0, 1, a.output.unsigned_abs())?;
    }
    Ok(y)
}
