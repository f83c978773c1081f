//! The command line `rebut`. Errors are one line; exit codes are 0 (done), 1 (could not be done) and 2 (wrong usage).

mod arguments;
mod bench;
mod compile;
mod demo;
mod dot;
mod inspect;
mod model;
mod progress;
mod report;
mod run;
mod trace;

use clap::{Parser, Subcommand};
use std::io::Write;
use std::process::ExitCode;

/// A command's result; the error is one line for people.
pub(crate) type Done = Result<(), Box<dyn std::error::Error + Send + Sync>>;

/// Rebut a wrong claim about a machine-learning inference.
#[derive(Parser)]
#[command(name = "rebut", version, about, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Show a lie about a model being rebutted on the embedded chain (also what runs with no command)
    Demo(demo::Demo),
    /// Compile an ONNX model to a program package
    Compile(compile::Compile),
    /// Show a program: values by ONNX node, shapes, worst steps; its text or a picture
    Inspect(inspect::Inspect),
    /// Say what registering a program takes: worst step, longest game, bonds and clocks
    Report(report::Report),
    /// Run a model or package natively
    Run(run::Run),
    /// Run and commit to every value; print the roots
    Trace(trace::Trace),
    /// Measure how long runs take
    Bench(bench::Bench),
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match arguments.command.unwrap_or_else(|| Command::Demo(demo::Demo::default())) {
        Command::Demo(c) => c.run(),
        Command::Compile(c) => c.run(),
        Command::Inspect(c) => c.run(),
        Command::Report(c) => c.run(),
        Command::Run(c) => c.run(),
        Command::Trace(c) => c.run(),
        Command::Bench(c) => c.run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if is_closed_pipe(error.as_ref()) => ExitCode::SUCCESS,
        Err(error) => {
            let line = error.to_string().replace(['\n', '\r'], " ");
            // Nobody is left to tell where standard error is closed too.
            let _ = writeln!(anstream::stderr(), "error: {line}");
            ExitCode::FAILURE
        }
    }
}

/// `rebut ... | head` is no failure.
fn is_closed_pipe(error: &(dyn std::error::Error + 'static)) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe)
}
