//! The figures as a table, as JSON, and as the generated part of docs/performance.md.

use super::engine::{ENGINES, Engine};
use super::file_failure;
use super::machine::Machine;
use super::plot::plot;
use super::row::{Row, THREADS, geomean};
use crate::failure::{Outcome, check};
use crate::process::root;
use serde_json::{Map, Value, json};
use std::fmt::Write;

const DOCUMENT: &str = "docs/performance.md";
const PLOT: &str = "docs/performance.svg";
/// Between these lines of the document is what is written here.
const BEGIN: &str = "<!-- made by `cargo xtask bench --write`; begin -->";
const END: &str = "<!-- end -->";

/// What the command prints.
pub(super) fn text(rows: &[Row], machine: &Machine, rounds: u32) -> String {
    let mut out = format!("\n{}\n\n{}", sentence(rows, machine, rounds), table(rows));
    for refusal in refusals(rows) {
        out.push('\n');
        out.push_str(&refusal);
    }
    out
}

/// One object: geometric means and worst ratios for each number of threads, and a row a model.
pub(super) fn json(rows: &[Row], machine: &Machine, rounds: u32) -> Value {
    let mut all = Map::new();
    for (column, threads) in THREADS.into_iter().enumerate() {
        let ratios = || rows.iter().filter_map(|row| row.ratio(column, Engine::Rebut));
        all.insert(format!("geomean_{threads}t"), json!(geomean(ratios())));
        all.insert(format!("worst_{threads}t"), json!(ratios().reduce(f64::min)));
        all.insert(format!("trace_geomean_{threads}t"), json!(traces(rows, column)));
    }
    all.insert("date".into(), json!(machine.date));
    all.insert("commit".into(), json!(machine.commit));
    all.insert("cpu".into(), json!(machine.cpu));
    all.insert("cores".into(), json!(machine.cores));
    all.insert("load".into(), json!(machine.load));
    all.insert("rounds".into(), json!(rounds));
    let versions = versions(rows).map(|(engine, version)| (engine.name().to_owned(), json!(version)));
    all.insert("versions".into(), Value::Object(versions.collect()));
    all.insert("rows".into(), rows.iter().map(object).collect());
    Value::Object(all)
}

fn object(row: &Row) -> Value {
    let mut all = Map::new();
    all.insert("model".into(), json!(row.model));
    if let Some(own) = row.best(0, Engine::Rebut).and_then(|best| best.own) {
        all.insert("multiply_adds".into(), json!(own.multiply_adds));
        all.insert("elements".into(), json!(own.elements));
    }
    for (column, threads) in THREADS.into_iter().enumerate() {
        for engine in ENGINES {
            let mut figure =
                |what: &str, value| all.insert(format!("{}_{what}_{threads}t", engine.name()), json!(value));
            figure("ms", row.ms(column, engine));
            figure("ratio", row.ratio(column, engine));
            figure("gflops", row.gflops(column, engine));
        }
        all.insert(format!("trace_ratio_{threads}t"), json!(row.trace_ratio(column)));
    }
    let refusals = row.refusals.iter().map(|(engine, reason)| (engine.name().to_owned(), json!(reason)));
    all.insert("refusals".into(), Value::Object(refusals.collect()));
    Value::Object(all)
}

/// Writes the generated part of the document, and the plot beside it.
pub(super) fn write(rows: &[Row], machine: &Machine, rounds: u32) -> Outcome {
    let document = root().join(DOCUMENT);
    let before = std::fs::read_to_string(&document).map_err(file_failure(&document))?;
    let picture = "![Speeds as multiples of onnxruntime's](performance.svg)";
    let mut part = format!("{}\n\n{}\n{picture}\n", sentence(rows, machine, rounds), table(rows));
    for refusal in refusals(rows) {
        // Writing to a string cannot fail.
        let _ = write!(part, "\n- {}", escaped(&refusal));
    }
    let Some(after) = replaced(&before, &part) else {
        return check(format!("{DOCUMENT} has no lines {BEGIN} and {END}"));
    };
    std::fs::write(&document, after).map_err(file_failure(&document))?;
    let picture = root().join(PLOT);
    std::fs::write(&picture, plot(rows)).map_err(file_failure(&picture))
}

/// The document with another generated part.
fn replaced(document: &str, part: &str) -> Option<String> {
    let (head, rest) = document.split_once(BEGIN)?;
    let (_, tail) = rest.split_once(END)?;
    Some(format!("{head}{BEGIN}\n\n{}\n\n{END}{tail}", part.trim_end()))
}

/// What was measured, when and on what.
fn sentence(rows: &[Row], machine: &Machine, rounds: u32) -> String {
    let versions: Vec<String> = versions(rows)
        .map(|(engine, version)| match engine {
            Engine::Rebut => format!("rebut {version} ({})", machine.commit),
            _ => format!("{} {version}", engine.name()),
        })
        .collect();
    format!(
        "{}; {}, {} cores, {}; load before {}; {rounds} rounds; {}.",
        machine.date,
        machine.cpu,
        machine.cores,
        machine.vectors,
        machine.load,
        versions.join(", ")
    )
}

fn versions(rows: &[Row]) -> impl Iterator<Item = (Engine, &str)> {
    let version = |engine| rows.iter().find_map(|row| Some(row.best(0, engine)?.version.as_str()));
    ENGINES.into_iter().filter_map(move |engine| Some((engine, version(engine)?)))
}

fn refusals(rows: &[Row]) -> Vec<String> {
    let each = |row: &Row| -> Vec<String> {
        let said = row.refusals.iter();
        said.map(|(engine, reason)| format!("{} does not run {}: {reason}", engine.name(), row.model)).collect()
    };
    rows.iter().flat_map(each).collect()
}

/// Other programs' words in Markdown: nothing in them is markup.
fn escaped(text: &str) -> String {
    text.replace('<', "&lt;").replace(['|', '`', '*', '_'], " ")
}

/// Geometric mean of what committing to every value takes.
fn traces(rows: &[Row], column: usize) -> Option<f64> {
    geomean(rows.iter().filter_map(|row| row.trace_ratio(column)))
}

fn table(rows: &[Row]) -> String {
    let others = [Engine::Tract, Engine::Rten];
    let heads =
        "model|threads|rebut ms|onnxruntime ms|tract ms|rten ms|rebut|tract|rten|GFLOP/s|onnxruntime GFLOP/s|trace";
    let mut lines = vec![heads.split('|').map(str::to_owned).collect::<Vec<_>>()];
    for (column, threads) in THREADS.into_iter().enumerate() {
        for row in rows {
            let mut line = vec![row.model.clone(), threads.to_string()];
            line.extend(ENGINES.map(|engine| number(row.ms(column, engine), 3, "")));
            line.push(number(row.ratio(column, Engine::Rebut), 2, "x"));
            line.extend(others.map(|engine| number(row.ratio(column, engine), 2, "x")));
            line.extend([Engine::Rebut, Engine::Onnxruntime].map(|engine| number(row.gflops(column, engine), 1, "")));
            line.push(number(row.trace_ratio(column), 2, "x"));
            lines.push(line);
        }
        let ratios = |engine| rows.iter().filter_map(move |row| row.ratio(column, engine));
        let summary = |name: &str, of: &dyn Fn(Engine) -> Option<f64>, trace| {
            let mut line = vec![name.to_owned(), threads.to_string()];
            line.resize(2 + ENGINES.len(), String::new());
            line.extend([Engine::Rebut, Engine::Tract, Engine::Rten].map(|engine| number(of(engine), 2, "x")));
            line.extend([String::new(), String::new(), trace]);
            line
        };
        let trace = number(traces(rows, column), 2, "x");
        lines.push(summary("geometric mean", &|engine| geomean(ratios(engine)), trace));
        lines.push(summary("worst", &|engine| ratios(engine).reduce(f64::min), String::new()));
    }
    padded(&lines)
}

/// A number with so many decimals; a dash where there is none.
fn number(x: Option<f64>, decimals: usize, unit: &str) -> String {
    x.map_or_else(|| "-".to_owned(), |x| format!("{x:.decimals$}{unit}"))
}

/// A Markdown table whose columns are as wide as their widest cell, all but the first to the right.
fn padded(lines: &[Vec<String>]) -> String {
    let columns = lines.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| lines.iter().filter_map(|line| line.get(column)).map(String::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut out = String::new();
    for (number, line) in lines.iter().enumerate() {
        for (column, (cell, width)) in line.iter().zip(&widths).enumerate() {
            // Writing to a string cannot fail.
            let _ = if column == 0 { write!(out, "| {cell:width$} |") } else { write!(out, " {cell:>width$} |") };
        }
        out.push('\n');
        if number == 0 {
            for (column, width) in widths.iter().enumerate() {
                let dashes = "-".repeat(*width);
                out.push_str(&if column == 0 { format!("|-{dashes}-|") } else { format!("-{dashes}:|") });
            }
            out.push('\n');
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::row::tests::example;
    use super::*;

    fn machine() -> Machine {
        let text = |s: &str| s.to_owned();
        Machine {
            date: text("2026-01-02"),
            commit: text("abc"),
            cpu: text("CPU"),
            cores: 2,
            vectors: "AVX2",
            load: text("0.1"),
        }
    }

    #[test]
    fn the_object_has_means_and_a_row_a_model() {
        let object = json(&[example("a"), example("b")], &machine(), 3);
        let close = |key: &str, x: f64| assert!((object[key].as_f64().expect(key) - x).abs() < 1e-9, "{key}: {object}");
        close("geomean_1t", 0.5);
        close("worst_1t", 0.5);
        close("geomean_2t", 0.5);
        close("trace_geomean_1t", 1.5);
        let row = &object["rows"][1];
        assert_eq!(row["model"], "b");
        assert_eq!(row["tract_ratio_2t"], 0.25);
        assert_eq!(row["rten_ms_1t"], Value::Null);
        assert_eq!(row["refusals"]["rten"], "no <such> operator");
        assert_eq!(object["versions"]["tract"], "1");
    }

    #[test]
    fn the_table_has_a_line_a_model_and_number_of_threads() {
        let table = table(&[example("a"), example("longer")]);
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(lines.len(), 2 + THREADS.len() * 4, "{table}");
        assert!(lines.iter().all(|line| line.len() == lines[0].len()), "{table}");
        let cells: Vec<&str> = lines[3].split('|').map(str::trim).collect();
        assert_eq!(
            cells,
            ["", "longer", "1", "2.000", "1.000", "4.000", "-", "0.50x", "0.25x", "-", "3.0", "6.0", "1.50x", ""]
        );
    }

    #[test]
    fn only_the_generated_part_is_replaced() {
        let document = format!("above\n{BEGIN}\nold\n{END}\nbelow\n");
        assert_eq!(replaced(&document, "new\n"), Some(format!("above\n{BEGIN}\n\nnew\n\n{END}\nbelow\n")));
        assert_eq!(replaced("nothing", "new"), None);
        let committed = std::fs::read_to_string(root().join(DOCUMENT)).expect(DOCUMENT);
        assert!(replaced(&committed, "new").is_some());
    }
}
