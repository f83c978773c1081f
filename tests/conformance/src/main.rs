//! The command behind `cargo xtask conformance`: ONNX's backend cases on the native kernels, the reference interpreter and the contract.
//!
//! A case passes natively when its outputs are as expected, within the case's own tolerance. It passes on the other two when sampled elements of every
//! instruction have the same bits there. A case that does not pass is in `ignored.tsv` with the reason, and a case in there does not pass: anything else fails.

mod cases;
mod compile;
mod elements;
mod ignored;
mod outputs;
mod reached;
mod run;
mod summary;
mod table;

use clap::Parser;
use run::{CaseReport, Outcome};
use std::path::PathBuf;
use std::process::ExitCode;
use summary::Summary;

/// Why the suite cannot run, or what it has found.
type Failure = Box<dyn std::error::Error>;

#[derive(Parser)]
#[command(name = "rebut-conformance", about = "ONNX's backend cases on the three implementations")]
struct Cli {
    /// Folder or .tar.xz archive of the cases: KIND/NAME/model.onnx with test_data_set_0 [default: the shared one beside the repository]
    #[arg(long, value_name = "PATH")]
    cases: Option<PathBuf>,
    /// Only the cases whose name has this in it; what each comes to is printed
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// Only the cases of this kind: node, simple, pytorch-converted, pytorch-operator or real; may be given several times
    #[arg(long, value_name = "KIND")]
    kind: Vec<String>,
    /// Elements of every instruction that the reference interpreter and the contract compute
    #[arg(long, value_name = "N", default_value_t = 4)]
    samples: u64,
    /// Print the totals as JSON
    #[arg(long)]
    json: bool,
    /// Write docs/conformance.md instead of comparing with it
    #[arg(long)]
    write: bool,
}

impl Cli {
    fn chooses(&self, case: &cases::Case) -> bool {
        let named = self.only.as_ref().is_none_or(|text| case.name.contains(text));
        named && (self.kind.is_empty() || self.kind.contains(&case.kind))
    }

    /// Whether no case is left out.
    fn is_whole(&self) -> bool {
        self.only.is_none() && self.kind.is_empty()
    }
}

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("failed: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> Result<(), Failure> {
    let ignored = ignored::read()?;
    let listed = cases::listed()?;
    let chosen: Vec<_> = listed.iter().filter(|case| cli.chooses(case)).collect();
    if chosen.is_empty() {
        return Err("no case has such a name and kind".into());
    }
    let folder = cases::Folder::open(cli.cases.as_deref())?;
    let reports = run::all(&chosen, &folder, cli.samples)?;
    if !cli.is_whole() && !cli.json {
        reports.iter().for_each(|report| println!("{report}"));
    }
    let summary = Summary::new(&reports);
    if cli.json {
        println!("{}", serde_json::to_string(&summary)?);
    } else {
        println!("{summary}");
    }
    unexpected(&reports, &ignored)?;
    if cli.is_whole() { table::compare(&reports, &ignored, &summary, cli.write) } else { Ok(()) }
}

/// Fails when a case fails that should pass, or passes though it is said not to.
fn unexpected(reports: &[CaseReport<'_>], ignored: &ignored::Ignored) -> Result<(), Failure> {
    let mut faults = Vec::new();
    for report in reports {
        match (&report.outcome, ignored.get(&report.case.name)) {
            (Outcome::Passed(_), Some(_)) => faults.push(format!("{}: passes, but is ignored", report.case.name)),
            (Outcome::Passed(_), None) | (_, Some(_)) => {}
            (_, None) => faults.push(report.to_string()),
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(format!("{} cases:\n{}", faults.len(), faults.join("\n")).into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A slice of the suite: every tenth case of the archive, where that is beside the repository.
    #[test]
    fn every_tenth_case() {
        let listed = cases::listed().expect("the list reads");
        let folder = match cases::Folder::open(None) {
            Ok(folder) => folder,
            Err(missing) => return eprintln!("\n*** {missing}: the backend cases DID NOT RUN ***\n"),
        };
        let chosen: Vec<_> = listed.iter().filter(|case| case.kind != "real").step_by(10).collect();
        let reports = run::all(&chosen, &folder, 1).expect("the cases run");
        let ignored = ignored::read().expect("the ignored cases read");
        unexpected(&reports, &ignored).expect("cases pass or are ignored");
    }

    #[test]
    fn ignored_cases_are_listed() {
        let listed = cases::listed().expect("the list reads");
        let ignored = ignored::read().expect("the ignored cases read");
        let unknown = ignored.keys().find(|name| !listed.iter().any(|case| case.name == **name));
        assert_eq!(unknown, None);
    }
}
