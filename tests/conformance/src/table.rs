//! docs/conformance.md: a table by operator, made from a run.

use crate::Failure;
use crate::cases::{Case, repository};
use crate::ignored::Ignored;
use crate::run::{CaseReport, Outcome};
use crate::summary::Summary;
use std::collections::BTreeMap;
use std::fmt::Write;

const FILE: &str = "docs/conformance.md";

/// Writes the document, or compares with it.
pub(crate) fn compare(
    reports: &[CaseReport<'_>],
    ignored: &Ignored,
    summary: &Summary,
    write: bool,
) -> Result<(), Failure> {
    let path = repository().join(FILE);
    let text = document(reports, ignored, summary)?;
    if write {
        std::fs::write(path, text)?;
        return Ok(());
    }
    if std::fs::read_to_string(path)? == text {
        return Ok(());
    }
    Err(format!("{FILE} says something else: write it anew with --write").into())
}

fn document(reports: &[CaseReport<'_>], ignored: &Ignored, summary: &Summary) -> Result<String, Failure> {
    let mut out = String::from(
        "# ONNX conformance\n\n\
         Made by `cargo xtask conformance --write`; CI compares it with a run. The cases are ONNX's own backend tests of f32, integer and boolean tensors. One passes when it compiles, the native \
         kernels give the expected outputs within the case's tolerance, and sampled elements of every one of its instructions have the same bits in the reference interpreter and in the contract. \
         What an operator must know when compiling (shapes, axes, k, scales) is bound to the case's inputs.\n\n\
         | tier and form | cases | passed | elements compared |\n|---|---:|---:|---:|\n",
    );
    for (tier, count) in &summary.tiers {
        writeln!(out, "| {tier} | {} | {} | {} |", count.cases, count.passed, count.elements)?;
    }
    writeln!(out, "| all | {} | {} | {} |", summary.total, summary.total_passed, summary.elements)?;
    let [reached, all] = summary.reached;
    writeln!(
        out,
        "\nThe elements went through {reached} of {all} cores and operations; not through: {}.\n",
        summary.not_reached.join(", ")
    )?;
    out.push_str("## By operator\n\n| operator | tier | cases | passed |\n|---|---|---:|---:|\n");
    let mut operators: BTreeMap<(&str, &str), [usize; 2]> = BTreeMap::new();
    for report in reports {
        let counts = operators.entry((subject(report.case), &report.case.tier)).or_default();
        counts[0] += 1;
        counts[1] += usize::from(matches!(report.outcome, Outcome::Passed(_)));
    }
    for ((operator, tier), [cases, passed]) in operators {
        writeln!(out, "| {operator} | {tier} | {cases} | {passed} |")?;
    }
    out.push_str("\n## Cases that do not pass\n\n| reason | cases |\n|---|---|\n");
    let mut reasons: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    ignored.iter().for_each(|(name, reason)| reasons.entry(reason).or_default().push(name));
    for (reason, names) in reasons {
        let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
        writeln!(out, "| {reason} | {} |", names.join(", "))?;
    }
    Ok(out)
}

/// The operator that a case is about, or its kind.
fn subject(case: &Case) -> &str {
    if case.kind == "node" { &case.operator } else { &case.kind }
}
