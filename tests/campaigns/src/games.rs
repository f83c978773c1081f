//! Every course of small games, on the deployed bytecode.
//!
//! A game is a claim, its liars and its honest sides. A liar's moves are forced by what it has committed to, so what it is free to choose
//! is the lie, and at each of its turns: to move at once, to move in the last second, to concede, or to stay silent. All of that is tried,
//! one choice after the other, from snapshots of the chain. Honest sides move as soon as they can, or as late as they dare.
//!
//! At the end of each course: an honest executor's claim stands, a lie is refuted where an honest challenger was there, no honest side
//! has lost anything, every bond has left escrow once, and the claim took no longer than `longest` says.

mod cast;
mod course;

use crate::{Failure, Outcome};
use cast::{Cast, casts};
use course::{Course, Totals};
use rebut_tests::arena::Arena;
use rebut_tests::models::{Subject, squares};
use std::time::Instant;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Only every Nth cast of each program: a slice
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    stride: u64,
    /// Print one JSON object instead of a table
    #[arg(long)]
    json: bool,
}

/// The programs: how many values, and elements of each. One value; padding at every level; two lists in the trace tree; two in a tensor's.
const PROGRAMS: [(u64, u64); 4] = [(1, 3), (3, 3), (20, 1), (2, 2100)];

pub(crate) async fn run(arguments: Arguments) -> Outcome {
    let start = Instant::now();
    let mut all = Totals::default();
    for (values, elements) in PROGRAMS {
        let subject = squares(values, elements);
        let casts = casts(&subject);
        let kept: Vec<&Cast> = casts.iter().step_by(arguments.stride as usize).collect();
        let totals = play(&subject, &kept).await?;
        if !arguments.json {
            println!("{values:2} values of {elements:4}: {totals}");
        }
        all += totals;
    }
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&all)?);
    } else {
        println!("all:               {all}");
        println!("no violation, {} s", start.elapsed().as_secs());
    }
    Ok(())
}

async fn play(subject: &Subject, casts: &[&Cast]) -> Result<Totals, Failure> {
    let arena = Arena::embedded().await;
    arena.register(&subject.package).await;
    let mut totals = Totals::default();
    for cast in casts {
        for lazy in [false, true] {
            let beginning = arena.time.snapshot().await?;
            totals += Course::begin(&arena, subject, cast, lazy).await?.explore().await?;
            arena.time.revert(beginning).await?;
        }
    }
    Ok(totals)
}
