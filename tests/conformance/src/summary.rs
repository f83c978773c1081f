//! Totals for each tier.

use crate::reached::Reached;
use crate::run::{CaseReport, Outcome};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;

/// Cases and how many of them pass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Count {
    pub(crate) cases: u64,
    pub(crate) passed: u64,
    /// Refused, which is said; the rest gives something else than expected.
    pub(crate) refused: u64,
    /// Elements that all three implementations agree on.
    pub(crate) elements: u64,
}

/// Totals of a run.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Summary {
    pub(crate) total: u64,
    pub(crate) total_passed: u64,
    /// Elements computed by kernels, reference interpreter and contract.
    pub(crate) elements: u64,
    /// By tier and kind of case.
    pub(crate) tiers: BTreeMap<String, Count>,
    /// Cases whose compared elements agree, by implementation.
    pub(crate) backends: BTreeMap<&'static str, u64>,
    /// Cores and operations that the compared elements went through, of how many.
    pub(crate) reached: [usize; 2],
    /// The others.
    pub(crate) not_reached: Vec<String>,
}

impl Summary {
    pub(crate) fn new(reports: &[CaseReport<'_>]) -> Self {
        let mut summary = Self::default();
        let mut reached = Reached::default();
        for report in reports {
            let case = report.case;
            let form = match case.kind.as_str() {
                "node" if case.expanded => "expanded",
                "node" => "base",
                kind => kind,
            };
            let count = summary.tiers.entry(format!("{} {form}", case.tier)).or_default();
            count.cases += 1;
            match &report.outcome {
                Outcome::Passed(compared) => {
                    count.passed += 1;
                    count.elements += compared.elements;
                    reached.merge(&compared.reached);
                }
                Outcome::Refused(_) => count.refused += 1,
                Outcome::Wrong(_) => {}
            }
        }
        let sum = |one: fn(&Count) -> u64| summary.tiers.values().map(one).sum();
        (summary.total, summary.total_passed, summary.elements) =
            (sum(|c| c.cases), sum(|c| c.passed), sum(|c| c.elements));
        // A case passes only when all three agree.
        summary.backends = ["native", "reference", "evm"].map(|backend| (backend, summary.total_passed)).into();
        summary.reached = [reached.count(), Reached::all().len()];
        summary.not_reached = reached.missing();
        summary
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (tier, count) in &self.tiers {
            let Count { cases, passed, refused, elements } = count;
            writeln!(
                f,
                "{tier:20} {passed:5} of {cases:5} passed, {refused:4} refused, {elements:6} elements compared"
            )?;
        }
        let [reached, all] = self.reached;
        writeln!(
            f,
            "{} of {} cases passed; {} elements have the same bits in all three implementations",
            self.total_passed, self.total, self.elements
        )?;
        write!(f, "{reached} of {all} cores and operations reached; not: {}", self.not_reached.join(" "))
    }
}
