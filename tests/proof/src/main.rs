//! The command behind `cargo xtask sweep`, `evm-vectors`, `gas`, `steps` and `vectors`.

use clap::Parser;
use rayon::prelude::*;
use rebut_engine::lower::gas::STEP_GAS_CEILING;
use rebut_proof::harness::Harness;
use rebut_proof::inputs::arguments;
use rebut_proof::operations::{OPERATIONS, Operation};
use rebut_proof::steps::judge::Judge;
use rebut_proof::steps::operands::{LENGTHS, Reduction, climb};
use rebut_proof::steps::random::Kind;
use rebut_proof::steps::{Found, Summary, figures, search};
use rebut_proof::{gas, vectors};
use serde::Serialize;
use std::error::Error;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Parser)]
#[command(about = "The proof of the canonical arithmetic")]
enum Task {
    /// All 2^32 arguments of functions of one argument, and pairs for pow: native form and definition against an independent reference
    #[cfg(feature = "oracle")]
    Sweep(sweeps::Arguments),
    /// The contracts' functions in an EVM against the definition
    EvmVectors {
        /// The operation; all if none is named
        operation: Option<String>,
        /// Vectors for each operation
        #[arg(long, default_value_t = 1_000_000)]
        count: usize,
        /// One JSON object at the end
        #[arg(long)]
        json: bool,
    },
    /// Gas of every function, window and kind of step, and code sizes
    Gas {
        /// One JSON object
        #[arg(long)]
        json: bool,
        /// Writes the snapshot that a test compares with
        #[arg(long, value_name = "FILE")]
        write: Option<PathBuf>,
    },
    /// Searches for a step that costs more than its bill
    Steps {
        /// Random instructions of each kind, each with changes that come nearer to its bill
        #[arg(long, default_value_t = 200)]
        seeds: u64,
        /// The first seed
        #[arg(long, default_value_t = 0)]
        from: u64,
        /// One JSON object
        #[arg(long)]
        json: bool,
    },
    /// Vector files for other implementations, and their digests
    Vectors {
        /// Where the files go; only the digests are printed if there is none
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
        /// Vectors in each file
        #[arg(long, default_value_t = vectors::COUNT)]
        count: usize,
    },
}

type Outcome = Result<(), Box<dyn Error>>;

fn main() -> ExitCode {
    let outcome = match Task::parse() {
        #[cfg(feature = "oracle")]
        Task::Sweep(arguments) => sweeps::run(&arguments),
        Task::EvmVectors { operation, count, json } => evm_vectors(operation.as_deref(), count, json),
        Task::Gas { json, write } => show_gas(json, write),
        Task::Steps { seeds, from, json } => find_steps(from, seeds, json),
        Task::Vectors { out, count } => write_vectors(out, count),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("failed: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The operations meant by a name, `all` or none.
fn chosen(name: Option<&str>) -> Result<Vec<&'static Operation>, String> {
    match name {
        None | Some("all") => Ok(OPERATIONS.iter().collect()),
        Some(name) => match Operation::named(name) {
            Some(operation) => Ok(vec![operation]),
            None => {
                let names: Vec<_> = OPERATIONS.iter().map(|o| o.name).collect();
                Err(format!("no operation is called {name:?}; there are {}", names.join(" ")))
            }
        },
    }
}

#[derive(Serialize)]
struct Compared {
    operation: &'static str,
    vectors: usize,
    mismatches: usize,
}

fn evm_vectors(name: Option<&str>, count: usize, json: bool) -> Outcome {
    const SEED: u64 = 0xe0e;
    /// Vectors that one EVM is asked for before it is thrown away.
    const PART: usize = 20_000;
    let mut rows = Vec::new();
    for operation in chosen(name)? {
        let all = arguments(operation, count, SEED);
        let wrong = |harness: &mut Harness, part: &[_]| -> usize {
            let answers = harness.run(operation, part);
            let pairs = part.iter().zip(answers);
            let wrong = pairs.filter(|(arguments, got)| (operation.soft)(**arguments) != *got);
            wrong.inspect(|(a, got)| eprintln!("{} {a:08x?}: the contract gives {got:08x}", operation.name)).count()
        };
        let parts = all.par_chunks(PART).map_init(Harness::new, |harness, part| wrong(harness, part));
        let mismatches = parts.sum();
        let row = Compared { operation: operation.name, vectors: all.len(), mismatches };
        eprintln!("{:12} {:>9} vectors, {} mismatches", row.operation, row.vectors, row.mismatches);
        rows.push(row);
    }
    let mismatches: usize = rows.iter().map(|r| r.mismatches).sum();
    if json {
        let vectors: usize = rows.iter().map(|r| r.vectors).sum();
        println!("{}", serde_json::json!({ "operations": rows, "vectors": vectors, "mismatches": mismatches }));
    }
    if mismatches > 0 { Err(format!("{mismatches} mismatches").into()) } else { Ok(()) }
}

fn show_gas(json: bool, write: Option<PathBuf>) -> Outcome {
    let snapshot = gas::measure();
    if let Some(path) = write {
        std::fs::write(path, serde_json::to_string_pretty(&snapshot)? + "\n")?;
    }
    let steps = figures::measure()?;
    if json {
        let mut all = serde_json::to_value(&snapshot)?;
        all["steps"] = serde_json::to_value(&steps)?;
        println!("{all}");
        return Ok(());
    }
    let tables = [("operation", &snapshot.operations), ("window of 256", &snapshot.windows), ("step", &steps)];
    for (title, rows) in tables {
        println!("{title:18} {:>9} {:>9}", "typical", "worst");
        for (name, gas) in rows {
            println!("{name:18} {:>9} {:>9}", gas.typical, gas.worst);
        }
    }
    for (name, bytes) in &snapshot.code {
        println!("{name:18} {bytes:>9} bytes of 24576");
    }
    Ok(())
}

#[derive(Serialize)]
struct Searched {
    kind: &'static str,
    instructions: u64,
    payable: u64,
    costliest_gas: u64,
    costliest_bill: u64,
    nearest_gas: u64,
    nearest_bill: u64,
    nearest_ratio: f64,
    above: usize,
}

impl Searched {
    fn new(summary: &Summary) -> Self {
        let gas = |found: &Option<Found>| found.as_ref().map_or((0, 0), |f| (f.taken.gas, f.bill.gas_worst));
        let evaluation = |f: &Found| (f.taken.evaluation, f.bill.evaluation_worst);
        let (costliest_gas, costliest_bill) = gas(&summary.costliest);
        let (nearest_gas, nearest_bill) = summary.nearest.as_ref().map_or((0, 0), evaluation);
        Self {
            kind: summary.kind.name(),
            instructions: summary.cases,
            payable: summary.payable,
            costliest_gas,
            costliest_bill,
            nearest_gas,
            nearest_bill,
            nearest_ratio: summary.nearest.as_ref().map_or(0.0, Found::ratio),
            above: summary.above.len(),
        }
    }
}

/// The costliest operands of each reduction; then the costliest step that a program may have, and the evaluation that is nearest to its bill, by kind.
fn find_steps(from: u64, seeds: u64, json: bool) -> Outcome {
    /// Seeds that one EVM is asked for.
    const PART: u64 = 25;
    /// Changes of the operands of each reduction's windows.
    const CHANGES: u32 = 2_000;
    let mut above = 0;
    let mut windows = Vec::new();
    if !json {
        println!("{:16} {:>8} {:>9} {:>9}", "window", "elements", "costliest", "bill");
    }
    for (reduction, length) in Reduction::all().flat_map(|r| LENGTHS.map(|length| (r, length))) {
        let climbs = (from..from + seeds.div_ceil(PART).max(2)).into_par_iter();
        let climbs = climbs.map_init(Harness::new, |h, seed| climb(h, reduction, length, seed, CHANGES));
        let (most, bill) = (climbs.max().unwrap_or(0), reduction.bill(length));
        above += usize::from(most > bill);
        let name = reduction.name();
        if !json {
            println!("{name:16} {length:>8} {most:>9} {bill:>9}");
        }
        windows.push(serde_json::json!({ "reduction": name, "elements": length, "costliest": most, "bill": bill }));
    }
    let mut rows = Vec::new();
    if !json {
        println!(
            "\n{:16} {:>12} {:>9} {:>14} {:>9} {:>18} {:>9} {:>6} {:>6}",
            "kind", "instructions", "payable", "costliest step", "bill", "nearest evaluation", "bill", "ratio", "above"
        );
    }
    for kind in Kind::ALL {
        let parts = (0..seeds.div_ceil(PART)).into_par_iter();
        let part = |judge: &mut Judge, n: u64| search(judge, kind, from + n * PART..from + seeds.min((n + 1) * PART));
        let found: Result<Vec<Summary>, String> = parts.map_init(Judge::new, part).collect();
        let summary = found?.into_iter().fold(Summary::new(kind), Summary::merged);
        for found in summary.above.iter().take(3) {
            eprintln!("above its bill: {:?} {:?}\n{:?}", found.taken, found.bill, found.case);
        }
        above += summary.above.len();
        let row = Searched::new(&summary);
        if !json {
            println!(
                "{:16} {:>12} {:>9} {:>14} {:>9} {:>18} {:>9} {:>6.3} {:>6}",
                row.kind,
                row.instructions,
                row.payable,
                row.costliest_gas,
                row.costliest_bill,
                row.nearest_gas,
                row.nearest_bill,
                row.nearest_ratio,
                row.above
            );
        }
        rows.push(row);
    }
    if json {
        println!(
            "{}",
            serde_json::json!({ "ceiling": STEP_GAS_CEILING, "windows": windows, "kinds": rows, "above": above })
        );
    }
    if above > 0 { Err(format!("{above} steps cost more than their bill").into()) } else { Ok(()) }
}

fn write_vectors(out: Option<PathBuf>, count: usize) -> Outcome {
    if let Some(folder) = &out {
        std::fs::create_dir_all(folder)?;
        for operation in OPERATIONS {
            std::fs::write(folder.join(format!("{}.txt", operation.name)), vectors::file(operation, count))?;
        }
    }
    std::io::stdout().write_all(vectors::digests(count).as_bytes())?;
    Ok(())
}

#[cfg(feature = "oracle")]
mod sweeps {
    use super::{Outcome, chosen};
    use rebut_proof::oracle;
    use rebut_proof::sweep::{Sides, pairs, sweep};
    use std::io::{IsTerminal, Write, stderr};

    /// Which functions and sides.
    #[derive(clap::Args)]
    pub(super) struct Arguments {
        /// The function, or all
        function: String,
        /// One JSON object a function
        #[arg(long)]
        json: bool,
        /// Compare only the native form or only the definition, whose mirror the contract is
        #[arg(long, value_parser = ["native", "mirror"])]
        only: Option<String>,
        /// Take every N-th block of 2^20 arguments
        #[arg(long, value_name = "N", default_value_t = 1)]
        stride: u64,
        /// Pairs of arguments for pow, which has too many for all
        #[arg(long, value_name = "N", default_value_t = 100_000_000)]
        count: u64,
    }

    pub(super) fn run(arguments: &Arguments) -> Outcome {
        let name = arguments.function.as_str();
        let functions: Vec<_> =
            chosen(Some(name))?.into_iter().filter(|o| o.name == "pow" || oracle::unary(o.name).is_some()).collect();
        if functions.is_empty() {
            return Err(format!("{name} is neither a function of one f32 that the reference has nor pow").into());
        }
        let only = arguments.only.as_deref();
        let sides = Sides { native: only != Some("mirror"), mirror: only != Some("native") };
        let mut mismatches = 0;
        for operation in functions {
            let shown = stderr().is_terminal();
            let progress = |done: u64, of: u64| {
                if shown {
                    eprint!("\r{} {done}/{of} ", operation.name);
                    let _ = stderr().flush(); // progress only
                }
            };
            let found = match operation.name {
                "pow" => Some(pairs(arguments.count / arguments.stride.max(1), sides, progress)),
                _ => sweep(operation, sides, arguments.stride, progress),
            };
            let Some(found) = found else { continue };
            mismatches += found.mismatches;
            if arguments.json {
                println!("{}", serde_json::to_string(&found)?);
            } else {
                let closest = found.closest.as_ref();
                let closest = closest.map_or_else(|| "-".into(), |(log2, a)| format!("2^{log2:.1} at {a}"));
                println!("{} {} {} {} {closest}", found.function, found.inputs, found.mismatches, found.digest);
            }
            if !found.failures.is_empty() {
                eprintln!("{}: mismatches at {}", found.function, found.failures.join(" "));
            }
        }
        if mismatches > 0 { Err(format!("{mismatches} mismatches").into()) } else { Ok(()) }
    }
}
