//! Where what a row needs lies: a row's elements, and a reduction's, one step after the other.

use super::super::read::reduction_axis;
use crate::program::{Affine, Instruction};

/// A form's value at row r, column j and element k of the reduction: `start + r * apart + j * step + k * along`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Linear {
    pub(super) start: i64,
    pub(super) apart: i64,
    pub(super) step: i64,
    pub(super) along: i64,
}

impl Linear {
    /// A form of an instruction whose elements are rows of `width`, row-major; `None` where it does not go in such steps.
    pub(super) fn new(form: &Affine, i: &Instruction, width: u64) -> Option<Self> {
        let (mut apart, mut step, mut along) = (None, None, None);
        let mut inner = 1u64;
        for (x, &extent) in i.extents.iter().enumerate().rev().filter(|e| *e.1 != 1) {
            let coefficient = form.coefficient(x);
            let all = inner.checked_mul(extent)?;
            if inner >= width {
                agree(&mut apart, coefficient, whole(inner, width)?)?;
            } else {
                agree(&mut step, coefficient, inner)?;
                if all > width {
                    // The axis goes through a row's elements, and on to the next row's.
                    let columns = whole(width, inner)?;
                    whole(extent, columns)?;
                    agree(&mut apart, coefficient.checked_mul(i64::try_from(columns).ok()?)?, 1)?;
                } else {
                    whole(width, all)?;
                }
            }
            inner = all;
        }
        let mut inner = 1u64;
        for (r, &extent) in i.reduction.iter().enumerate().rev().filter(|e| *e.1 != 1) {
            agree(&mut along, form.coefficient(reduction_axis(r)), inner)?;
            inner = inner.checked_mul(extent)?;
        }
        let or = |x: Option<i64>| x.unwrap_or(0);
        Some(Self { start: form.base, apart: or(apart), step: or(step), along: or(along) })
    }

    /// The least and the greatest value over so many rows, columns and elements of the reduction, of each at least one.
    pub(super) fn reach(&self, counts: [u64; 3]) -> Option<(i64, i64)> {
        let mut reach = (self.start, self.start);
        for (step, count) in [self.apart, self.step, self.along].into_iter().zip(counts) {
            let end = step.checked_mul(i64::try_from(count.checked_sub(1)?).ok()?)?;
            reach = (reach.0.checked_add(end.min(0))?, reach.1.checked_add(end.max(0))?);
        }
        Some(reach)
    }
}

/// `a / b` if that is whole.
fn whole(a: u64, b: u64) -> Option<u64> {
    (a.checked_rem(b)? == 0).then(|| a / b)
}

/// An axis whose steps are `times` those of another agrees with what is known of these.
fn agree(known: &mut Option<i64>, coefficient: i64, times: u64) -> Option<()> {
    let times = i64::try_from(times).ok()?;
    match *known {
        None => {
            let step = coefficient / times;
            *known = Some(step);
            (coefficient % times == 0).then_some(())
        }
        Some(step) => (step.checked_mul(times)? == coefficient).then_some(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::{Core, Expr};

    fn instruction(extents: &[u64], reduction: &[u64]) -> Instruction {
        Instruction {
            extents: extents.to_vec(),
            reduction: reduction.to_vec(),
            windowed: false,
            operands: vec![],
            views: vec![],
            core: Core::None,
            epilogue: Expr { nodes: vec![] },
        }
    }

    /// Wherever a form is found to be linear, it has these values at every element.
    #[test]
    fn linear_forms_have_the_values_of_forms() {
        let shapes: [&[u64]; 8] = [&[], &[6], &[1, 6], &[2, 3], &[3, 1, 4], &[2, 3, 4], &[4, 6], &[12]];
        let mut found = 0;
        for extents in shapes {
            let elements: u64 = extents.iter().product();
            for width in (1..=elements).filter(|w| elements.is_multiple_of(*w)) {
                for reduction in [&[][..], &[3], &[2, 5]] {
                    let i = instruction(extents, reduction);
                    for case in 0..6u64.pow(extents.len() as u32 + reduction.len() as u32) {
                        let mut rest = case;
                        let mut next = || {
                            let c = [0, 1, 2, 4, 12, -1][(rest % 6) as usize];
                            rest /= 6;
                            c
                        };
                        let mut terms: Vec<(u8, i64)> = (0..extents.len()).map(|x| (x as u8, next())).collect();
                        terms.extend((0..reduction.len()).map(|r| (reduction_axis(r) as u8, next())));
                        let form = Affine { base: 5, terms };
                        let Some(linear) = Linear::new(&form, &i, width) else { continue };
                        found += 1;
                        let ks: u64 = reduction.iter().product();
                        let (mut least, mut most) = (i64::MAX, i64::MIN);
                        for (f, k) in (0..elements).flat_map(|f| (0..ks).map(move |k| (f, k))) {
                            let mut at = [0i64; 13];
                            let mut rest = f;
                            for (x, &e) in extents.iter().enumerate().rev() {
                                at[x] = (rest % e) as i64;
                                rest /= e;
                            }
                            super::super::super::read::set_reduction(&mut at, reduction, k);
                            let value = form.value(&at);
                            let [r, j, k] = [f / width, f % width, k].map(|n| n as i64);
                            assert_eq!(
                                linear.start + r * linear.apart + j * linear.step + k * linear.along,
                                value,
                                "{extents:?} {reduction:?} {width} {form:?}"
                            );
                            (least, most) = (least.min(value), most.max(value));
                        }
                        assert_eq!(linear.reach([elements / width, width, ks]), Some((least, most)));
                    }
                }
            }
        }
        assert!(found > 1000, "{found}");
    }
}
