//! Random calls of many parties, honest and not.
//!
//! An executor and a watcher are honest and awake: whenever something is due for them they do it before time moves on. Everybody else
//! claims and challenges with lies and the truth, plays or falls silent, takes items out of batches, and sends calls that were seen
//! before: again, from other accounts, with words of other calls in them. Whatever they do,
//!
//! - the honest sides end with no less than they put in;
//! - what the contract holds covers all credits at any time, and is exactly that when all is settled;
//! - every claim has ended when `longest` is over;
//! - an honest claim stands, and a lie that was watched does not.

#[cfg(test)]
mod broken;
mod calls;
mod world;

use crate::Outcome;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rebut_contracts::abi::Rebut::Parameters;
use rebut_tests::arena::{Arena, parameters};
use rebut_tests::models::squares;
use std::time::Instant;
use world::{Totals, World};

/// Episodes after which a long campaign says how far it is.
const REPORTED: u64 = 200;
/// So few that a batch's clocks depend on how many items it has.
const LEAVES_PER_SECOND: u32 = 1;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How many calls to the contracts, at least
    #[arg(long, default_value_t = 10_000)]
    calls: u64,
    /// The first episode's seed
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// Leaves of a trace that an executor makes in a second: with many, no clock is longer than its parameter
    #[arg(long, default_value_t = LEAVES_PER_SECOND, value_parser = clap::value_parser!(u32).range(1..))]
    leaves_per_second: u32,
    /// Print one JSON object instead of a line
    #[arg(long)]
    json: bool,
}

/// Bonds that pay for refunds at one wei for each unit of gas; odd, so that every division has a remainder.
fn rules(leaves_per_second: u32) -> Parameters {
    use alloy::primitives::Uint;
    let (executor, challenger) = (Uint::from(100_000_007u64), Uint::from(50_000_017u64));
    Parameters {
        gasPriceCap: 1,
        executorBond: executor,
        challengerBond: challenger,
        leavesPerSecond: leaves_per_second,
        ..parameters()
    }
}

pub(crate) async fn run(arguments: Arguments) -> Outcome {
    let start = Instant::now();
    let subject = squares(3, 3);
    let arena = Arena::embedded_with(rules(arguments.leaves_per_second)).await;
    arena.register(&subject.package).await;
    let mut all = Totals::default();
    let mut seed = arguments.from;
    while all.calls < arguments.calls {
        let beginning = arena.time.snapshot().await?;
        let mut world = World::new(&arena, &subject, ChaCha8Rng::seed_from_u64(seed)).await?;
        all += world.play().await.map_err(|e| format!("episode of seed {seed}: {e}"))?;
        arena.time.revert(beginning).await?;
        seed += 1;
        if (seed - arguments.from).is_multiple_of(REPORTED) {
            eprintln!("up to seed {seed}: {all}, {} s", start.elapsed().as_secs());
        }
    }
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&all)?);
    } else {
        println!("{all}; no violation, {} s", start.elapsed().as_secs());
    }
    Ok(())
}
