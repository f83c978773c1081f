//! The command behind `cargo xtask sweep`, `evm-vectors`, `gas` and `vectors`.

use clap::Parser;
use rayon::prelude::*;
use rebut_proof::harness::Harness;
use rebut_proof::inputs::arguments;
use rebut_proof::operations::{OPERATIONS, Operation};
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
    /// Gas of every function and window, and code sizes
    Gas {
        /// One JSON object
        #[arg(long)]
        json: bool,
        /// Writes the snapshot that a test compares with
        #[arg(long, value_name = "FILE")]
        write: Option<PathBuf>,
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
    if json {
        println!("{}", serde_json::to_string(&snapshot)?);
        return Ok(());
    }
    for (title, rows) in [("operation", &snapshot.operations), ("window of 256", &snapshot.windows)] {
        println!("{title:16} {:>9} {:>9}", "typical", "worst");
        for (name, gas) in rows {
            println!("{name:16} {:>9} {:>9}", gas.typical, gas.worst);
        }
    }
    for (name, bytes) in &snapshot.code {
        println!("{name:16} {bytes:>9} bytes of 24576");
    }
    Ok(())
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
