//! `cargo xtask`: everything that CI does, a step at a time or all in order.
//!
//! A step that cannot run fails and says what to do. What depends on the machine (the optional folder of models, the advisory
//! database) is said aloud in the output.

mod anvil;
mod arm;
mod bench;
mod campaigns;
mod ci;
mod conformance;
mod contracts;
mod demos;
mod deny;
mod failure;
mod foundry;
mod fuzz;
mod instructions;
mod process;
mod proof;
mod rust;
mod step;

use clap::{Parser, Subcommand};
use std::process::ExitCode;
use step::{Settings, Step};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Project tasks: everything that CI does")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Every step below in order; stops at the first that fails
    Ci {
        /// Leave a step out because it has just run elsewhere; may be given several times
        #[arg(long, value_name = "STEP")]
        skip: Vec<Step>,
        #[command(flatten)]
        settings: Settings,
    },
    /// Formatting of the Rust sources
    Fmt,
    /// cargo test --workspace
    Test,
    /// Clippy over all targets, warnings are errors
    Lint,
    /// Documentation of the Rust crates, warnings are errors
    Doc,
    /// cargo-deny: advisories, bans, licences, sources
    Deny,
    /// The contracts: format, build and code sizes, tests, committed artifacts, npm package, gas snapshot
    Forge {
        /// Instead: all tests as the compiler's other setting makes them, `second` in foundry.toml
        #[arg(long)]
        second: bool,
    },
    /// The ignored end-to-end tests, against an anvil started for them
    Anvil,
    /// A slice of every sweep, contract vectors, and a search for steps above their bills
    Proof,
    /// The arithmetic's tests on aarch64, emulated
    Arm,
    /// All 2^32 arguments of a function of one argument (or of all functions) against an independent reference
    #[command(disable_help_flag = true)]
    Sweep {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// The contracts' arithmetic in an EVM against the definition
    #[command(disable_help_flag = true)]
    EvmVectors {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Gas of the contracts' arithmetic and code sizes
    #[command(disable_help_flag = true)]
    Gas {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Searches for a step of some instruction that costs more than its bill
    #[command(disable_help_flag = true)]
    Steps {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Gas and transactions of disputes about random lies, by move
    #[command(disable_help_flag = true)]
    Disputes {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Every course of small games on the deployed bytecode
    #[command(disable_help_flag = true)]
    Games {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// All models in folders against recorded outputs, and random lies about each
    #[command(disable_help_flag = true)]
    Models {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// What models of growing size take: values, trace, memory, time, transactions and gas
    #[command(disable_help_flag = true)]
    Scale {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Random calls of many parties while nobody honest loses and nothing is missing
    #[command(disable_help_flag = true)]
    Invariants {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// A slice of the campaigns: small games, random calls, disputes, lies about models
    Campaigns,
    /// ONNX's backend cases on the kernels, the reference interpreter and the contract
    #[command(disable_help_flag = true)]
    Conformance {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// libFuzzer over the readers of files: recorded findings again, then a search (needs a C++ compiler)
    Fuzz {
        #[command(flatten)]
        search: fuzz::Search,
    },
    /// Vector files of the arithmetic for other implementations
    #[command(disable_help_flag = true)]
    Vectors {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Instructions of small fixed pieces of work against the committed snapshot
    Instructions(instructions::Instructions),
    /// Our times beside those of onnxruntime, tract and rten, one and two threads
    Bench(bench::Bench),
    /// The release command line on models with known outputs, and demos whose lies must be refuted within limits
    Demos {
        #[command(flatten)]
        settings: Settings,
    },
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().task {
        Task::Ci { skip, settings } => ci::run(&skip, &settings),
        Task::Fmt => Step::Fmt.run(&Settings::default()),
        Task::Test => Step::Test.run(&Settings::default()),
        Task::Lint => Step::Lint.run(&Settings::default()),
        Task::Doc => Step::Doc.run(&Settings::default()),
        Task::Deny => Step::Deny.run(&Settings::default()),
        Task::Forge { second: false } => Step::Forge.run(&Settings::default()),
        Task::Forge { second: true } => contracts::second(),
        Task::Anvil => Step::Anvil.run(&Settings::default()),
        Task::Proof => Step::Proof.run(&Settings::default()),
        Task::Arm => Step::Arm.run(&Settings::default()),
        Task::Sweep { arguments } => proof::run("sweep", &arguments),
        Task::EvmVectors { arguments } => proof::run("evm-vectors", &arguments),
        Task::Gas { arguments } => proof::run("gas", &arguments),
        Task::Steps { arguments } => proof::run("steps", &arguments),
        Task::Disputes { arguments } => campaigns::run("disputes", &arguments),
        Task::Games { arguments } => campaigns::run("games", &arguments),
        Task::Models { arguments } => campaigns::run("models", &arguments),
        Task::Scale { arguments } => campaigns::run("scale", &arguments),
        Task::Invariants { arguments } => campaigns::run("invariants", &arguments),
        Task::Campaigns => Step::Campaigns.run(&Settings::default()),
        Task::Conformance { arguments } => conformance::run(&arguments),
        Task::Fuzz { search } => fuzz::run(search),
        Task::Vectors { arguments } => proof::run("vectors", &arguments),
        Task::Instructions(options) => instructions::run(&options),
        Task::Bench(bench) => bench::run(&bench),
        Task::Demos { settings } => Step::Demos.run(&settings),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("\nfailed: {failure}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}
