//! All cases, on all cores.

use crate::Failure;
use crate::cases::{Case, Folder};
use crate::compile::compile;
use crate::elements::{Compared, compare};
use crate::outputs::difference;
use rebut_engine::exec::{self, Options};
use rebut_engine::trace::Trace;
use rebut_tests::judge::Judge;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// What became of a case.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    /// Its outputs are as expected, and all three implementations agree on what was compared.
    Passed(Compared),
    /// It does not compile.
    Refused(String),
    /// It gives something else, or two implementations differ.
    Wrong(String),
}

/// A case and what became of it.
#[derive(Debug)]
pub(crate) struct CaseReport<'a> {
    pub(crate) case: &'a Case,
    pub(crate) outcome: Outcome,
}

impl fmt::Display for CaseReport<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Case { tier, kind, name, .. } = self.case;
        write!(f, "{tier} {kind}/{name}: ")?;
        match &self.outcome {
            Outcome::Passed(compared) => write!(f, "passed, {} elements compared", compared.elements),
            Outcome::Refused(reason) => write!(f, "refused: {reason}"),
            Outcome::Wrong(what) => write!(f, "WRONG: {what}"),
        }
    }
}

/// Runs the cases; the reports have their order.
///
/// Threads of its own, as a run brings a pool: a thread of one pool that waits for another one takes up further cases meanwhile, without bound.
pub(crate) fn all<'a>(cases: &[&'a Case], folder: &Folder, samples: u64) -> Result<Vec<CaseReport<'a>>, Failure> {
    let next = AtomicUsize::new(0);
    let reports: Mutex<BTreeMap<usize, Result<CaseReport<'a>, String>>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                let mut judge = Judge::new();
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(&case) = cases.get(at) else { break };
                    let outcome = one(&mut judge, case, folder, samples).map_err(|e| format!("{}: {e}", case.name));
                    let report = outcome.map(|outcome| CaseReport { case, outcome });
                    reports.lock().unwrap_or_else(PoisonError::into_inner).insert(at, report);
                }
            });
        }
    });
    let reports = reports.into_inner().unwrap_or_else(PoisonError::into_inner);
    reports.into_values().collect::<Result<_, String>>().map_err(Into::into)
}

fn one(judge: &mut Judge, case: &Case, folder: &Folder, samples: u64) -> Result<Outcome, String> {
    let compiled =
        folder.files(case).map_err(|e| e.to_string()).and_then(|files| Ok((compile(&files)?, files.outputs)));
    let (compiled, expected) = match compiled {
        Ok(compiled) => compiled,
        Err(reason) => return Ok(Outcome::Refused(reason)),
    };
    // Cases run side by side already.
    let options = Options { threads: 1, ..Options::default() };
    let outputs = exec::run(&compiled.package, &compiled.inputs, &options).map_err(|e| e.to_string())?;
    if let Some(what) = difference(case, &outputs, &expected) {
        return Ok(Outcome::Wrong(what));
    }
    let trace = Trace::new(&compiled.package, &compiled.inputs, &options).map_err(|e| e.to_string())?;
    Ok(match compare(judge, &compiled.package, &trace, samples) {
        Ok(compared) => Outcome::Passed(compared),
        Err(what) => Outcome::Wrong(what),
    })
}
