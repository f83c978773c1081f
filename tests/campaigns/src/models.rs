//! Models that other implementations know: each compiles, gives the recorded outputs, and random lies about its values are refuted.

mod lies;

use crate::duel::{Game, Ground, Spread};
use crate::recorded::{Recorded, program};
use crate::{Failure, Outcome, memory};
pub(crate) use lies::random_lies;
use rebut_challenger::expect::agreement;
use rebut_engine::exec::{self, Options};
use rebut_engine::program::Source;
use rebut_tests::models::Subject;
use rebut_tests::roots::one_root;
use serde::Serialize;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

/// Where models and records of the made ones may be.
const SHARED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/models");
const RECORDS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/bench/io");

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Folders of models, or of folders of models, with their records beside them (default: ../shared/models)
    #[arg(value_name = "FOLDER")]
    folders: Vec<PathBuf>,
    /// A folder of made models NAME.onnx, whose records are in io/NAME below it or in ../shared/bench/io/NAME
    #[arg(long, value_name = "FOLDER")]
    bench: Vec<PathBuf>,
    /// How many lies about each model, each about another value where there are as many
    #[arg(long, default_value_t = 50)]
    lies: usize,
    /// What the lies are chosen by
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Compute the trace root with every instruction set on 1, 2, 3 and 8 threads first: it must be the same
    #[arg(long)]
    roots: bool,
    /// Only models whose names contain this
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// Print one JSON list instead of a table
    #[arg(long)]
    json: bool,
}

/// What was found about one model.
#[derive(Serialize)]
struct Row {
    model: String,
    values: usize,
    instructions: usize,
    compile_seconds: f64,
    /// Of the process while it compiled.
    compile_peak_mib: Option<u64>,
    run_seconds: f64,
    absolute_error: f32,
    /// As a part of the expected magnitude plus 0.1.
    relative_error: f32,
    lies: usize,
    /// Values that the lies were about.
    lied_about: usize,
    refuted: usize,
    transactions_median: u64,
    transactions_worst: u64,
    gas_median: u64,
    gas_worst: u64,
    step_worst: u64,
    /// All games together.
    games_seconds: f64,
    /// What went wrong in games.
    failures: Vec<String>,
}

const HEAD: &str = "model                    values  instr. compile s  peak MiB   run s  rel. error  refuted  transactions  gas median   gas worst  step worst  games s";

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let peak = self.compile_peak_mib.map_or("?".into(), |mib| mib.to_string());
        let refuted = format!("{}/{}", self.refuted, self.lies);
        write!(
            f,
            "{:24} {:6} {:7} {:9.2} {peak:>9} {:7.2} {:11.1e} {refuted:>8} {:13} {:11} {:11} {:11} {:8.0}",
            self.model,
            self.values,
            self.instructions,
            self.compile_seconds,
            self.run_seconds,
            self.relative_error,
            self.transactions_median,
            self.gas_median,
            self.gas_worst,
            self.step_worst,
            self.games_seconds
        )
    }
}

pub(crate) async fn run(arguments: Arguments) -> Outcome {
    let found = found(&arguments)?;
    if found.is_empty() {
        return Err("no model was found".into());
    }
    if !arguments.json {
        println!("{} models, lies of seed {}\n{HEAD}", found.len(), arguments.seed);
    }
    let (mut rows, mut failures) = (Vec::new(), Vec::new());
    for recorded in &found {
        let row = match row(recorded, &arguments).await {
            Ok(row) => row,
            Err(error) => {
                eprintln!("{}: {error}", recorded.name);
                failures.push(recorded.name.clone());
                continue;
            }
        };
        if !arguments.json {
            println!("{row}");
        }
        for failure in &row.failures {
            eprintln!("{}: {failure}", row.model);
            failures.push(row.model.clone());
        }
        rows.push(row);
    }
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&rows)?);
    }
    failures.dedup();
    if failures.is_empty() { Ok(()) } else { Err(failures.join(", ").into()) }
}

/// The models that the arguments name, in their order.
fn found(arguments: &Arguments) -> Result<Vec<Recorded>, Failure> {
    let mut found = Vec::new();
    let mut folders = arguments.folders.clone();
    if folders.is_empty() && arguments.bench.is_empty() {
        folders.push(SHARED.into());
    }
    for folder in &folders {
        found.extend(Recorded::all(folder, &[])?);
    }
    for folder in &arguments.bench {
        let records = [folder.join("io"), Path::new(RECORDS).into()];
        found.extend(Recorded::all(folder, &records)?);
    }
    if let Some(only) = &arguments.only {
        found.retain(|recorded| recorded.name.contains(only));
    }
    Ok(found)
}

async fn row(recorded: &Recorded, arguments: &Arguments) -> Result<Row, Failure> {
    let (inputs, expected) = recorded.data()?;
    memory::forget_peak();
    let started = Instant::now();
    let package = Arc::new(program(&recorded.model, &inputs)?);
    let (compile_seconds, compile_peak_mib) = (started.elapsed().as_secs_f64(), memory::peak());
    let started = Instant::now();
    let outputs = exec::run(&package, &inputs, &Options::default())?;
    let run_seconds = started.elapsed().as_secs_f64();
    let agreement = agreement(&outputs, &expected)?;
    if arguments.roots {
        one_root(&package, &Arc::new(inputs.clone()))?;
    }

    let lies = random_lies(&package, arguments.lies, arguments.seed);
    let (mut games, mut failures) = (Vec::<Game>::new(), Vec::new());
    let started = Instant::now();
    if let Some(&first) = lies.first() {
        let ground = Ground::new(Subject { package: package.clone(), inputs }, first).await?;
        for &lie in &lies {
            match ground.fight(lie).await {
                Ok(game) => games.push(game),
                Err(error) => failures.push(error.to_string()),
            }
        }
    }
    let spread = |figure: fn(&Game) -> u64| Spread::of(games.iter().map(figure));
    let (transactions, gas) = (spread(Game::transactions), spread(Game::gas));
    let values = &package.program().values;
    Ok(Row {
        model: recorded.name.clone(),
        values: values.len(),
        instructions: values.iter().filter(|v| matches!(v.source, Source::Instruction(_))).count(),
        compile_seconds,
        compile_peak_mib,
        run_seconds,
        absolute_error: agreement.absolute,
        relative_error: agreement.relative,
        lies: lies.len(),
        lied_about: lies::values(&lies),
        refuted: games.len(),
        transactions_median: transactions.median,
        transactions_worst: transactions.worst,
        gas_median: gas.median,
        gas_worst: gas.worst,
        step_worst: spread(Game::step).worst,
        games_seconds: started.elapsed().as_secs_f64(),
        failures,
    })
}
