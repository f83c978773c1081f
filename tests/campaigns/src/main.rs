//! The command behind `cargo xtask disputes`, `games`, `invariants`, `models` and `scale`.

mod disputes;
mod duel;
mod games;
mod invariants;
mod memory;
mod models;
mod recorded;
mod scale;
mod stories;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Why a campaign cannot go on, or what it has found.
type Failure = Box<dyn std::error::Error>;
type Outcome = Result<(), Failure>;

#[derive(Parser)]
#[command(name = "rebut-campaigns", about = "Long searches in the game")]
struct Cli {
    #[command(subcommand)]
    campaign: Campaign,
}

#[derive(Subcommand)]
enum Campaign {
    /// Gas and transactions of disputes about random lies, by move
    Disputes(disputes::Arguments),
    /// Every course of small games: each lie, and at each of a liar's turns to move, to move late, to concede, to be silent
    Games(games::Arguments),
    /// Models against recorded outputs, and random lies about each, every one of which must be refuted
    Models(models::Arguments),
    /// What models of growing size take: values, trace, memory, time, transactions and gas
    Scale(scale::Arguments),
    /// Random calls of many parties, honest and not, while nobody honest loses and nothing is missing
    Invariants(invariants::Arguments),
}

#[tokio::main]
async fn main() -> ExitCode {
    let outcome = match Cli::parse().campaign {
        Campaign::Disputes(arguments) => disputes::run(arguments).await,
        Campaign::Games(arguments) => games::run(arguments).await,
        Campaign::Models(arguments) => models::run(arguments).await,
        Campaign::Scale(arguments) => scale::run(arguments).await,
        Campaign::Invariants(arguments) => invariants::run(arguments).await,
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("failed: {error}");
            ExitCode::FAILURE
        }
    }
}
