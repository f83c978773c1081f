//! Our times beside those of other engines: every engine in turn, round after round, so that what else the machine does meets all alike.

mod engine;
mod machine;
mod models;
mod plot;
mod python;
mod report;
mod row;

use crate::failure::{Failure, Outcome, check};
use crate::process::{Cmd, root};
use clap::Args;
use engine::{ENGINES, Engine, Engines};
use models::Model;
use row::{Row, THREADS};
use std::path::PathBuf;

/// What is made on the way.
const FOLDER: &str = "target/bench";
/// Runs that only find out how long one takes.
const FIRST_RUNS: usize = 3;
/// Milliseconds that the timed runs of one engine shall take, each time that it is its turn, ...
const TURN: f64 = 1000.0;
/// ... with so many runs at least and at most.
const RUNS: [f64; 2] = [5.0, 2000.0];

/// What is measured, and what becomes of the figures.
#[derive(Args)]
pub(crate) struct Bench {
    /// Only models whose name contains this; may be given several times
    #[arg(long, value_name = "TEXT")]
    only: Vec<String>,
    /// Where the large models are, or are made [default: target/bench/models]
    #[arg(long, value_name = "FOLDER")]
    models: Option<PathBuf>,
    /// How often it is every engine's turn; the fastest median counts
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Write the table and the plot of docs/performance.md
    #[arg(long, conflicts_with = "only")]
    write: bool,
}

/// Measures, prints and writes.
pub(crate) fn run(bench: &Bench) -> Outcome {
    let made = bench.models.clone().unwrap_or_else(|| root().join(FOLDER).join("models"));
    let chosen: Vec<Model> = models::all(&made).into_iter().filter(|m| bench.chooses(m.name)).collect();
    if chosen.is_empty() {
        return check("no model has such a name");
    }
    let machine = machine::describe()?;
    models::make_missing(&chosen, &made)?;
    let engines = Engines::build()?;
    let mut rows = Vec::new();
    for model in &chosen {
        eprintln!("\n{}", model.name);
        rows.push(measure(&engines, model, bench.rounds)?);
    }
    if bench.json {
        println!("{}", report::json(&rows, &machine, bench.rounds));
    } else {
        println!("{}", report::text(&rows, &machine, bench.rounds));
    }
    if bench.write { report::write(&rows, &machine, bench.rounds) } else { Ok(()) }
}

impl Bench {
    fn chooses(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|text| name.contains(text.as_str()))
    }
}

/// All rounds over one model.
fn measure(engines: &Engines, model: &Model, rounds: u32) -> Outcome<Row> {
    let prepared = engines.prepare(model)?;
    let mut row = Row::new(model.name);
    let mut turns: Vec<(usize, usize, Engine)> = Vec::new();
    for (column, threads) in THREADS.into_iter().enumerate() {
        for engine in ENGINES {
            match engines.measure(engine, &prepared, threads, FIRST_RUNS)? {
                Ok(first) => {
                    let runs = (TURN / first.median_ms).clamp(RUNS[0], RUNS[1]);
                    turns.push((column, runs as usize, engine));
                }
                // Without these two there is no ratio.
                Err(reason) if matches!(engine, Engine::Rebut | Engine::Onnxruntime) => {
                    return check(format!("{} cannot run {}: {reason}", engine.name(), model.name));
                }
                Err(reason) => row.refuses(engine, reason),
            }
        }
    }
    for round in 1..=rounds {
        for &(column, runs, engine) in &turns {
            let threads = THREADS[column];
            match engines.measure(engine, &prepared, threads, runs)? {
                Ok(measured) => {
                    eprintln!("  round {round}, {threads} threads: {:11} {:9.3} ms", engine.name(), measured.median_ms);
                    row.keep_best(column, engine, measured);
                }
                Err(reason) => {
                    return check(format!("{} ran {} once and then failed: {reason}", engine.name(), model.name));
                }
            }
        }
    }
    Ok(row)
}

/// Shows a command like the others, but beside the figures' stream.
fn quietly(command: Cmd) -> Outcome<String> {
    eprintln!("$ {}", command.line());
    command.read()
}

fn file_failure(path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Failure {
    let path = crate::process::shown(path);
    move |source| Failure::File { path, source }
}
