//! The contracts as Rust sees them: bindings made from the committed artifacts, conversions from engine types, and a client that plays
//! the moves which the engine finds. No policy: when to claim, to challenge or to spend is the bots' business.

mod batch;
pub mod bonds;
mod client;
mod convert;
mod game;

pub use batch::{BatchContent, Run};
pub use client::{Client, ClientError, Deployment, Pending, Sent, send};
pub use convert::{b256, claim_id, hash, lane_to_register, tensor_data, typed};
pub use game::{ClaimContent, Game, GameError};

/// The game's types as its source declares them: unlike the artifacts, it names the variants of enums.
#[allow(missing_docs, unreachable_pub, clippy::all)]
pub mod types {
    alloy::sol!(
        #[sol(all_derives)]
        "src/interfaces/RebutTypes.sol"
    );
}

/// Bindings generated from `artifacts/*.json`.
#[allow(missing_docs, unreachable_pub, clippy::all)]
pub mod abi {
    alloy::sol!(
        #[sol(rpc, all_derives)]
        Rebut,
        "artifacts/Rebut.json"
    );
    alloy::sol!(
        #[sol(rpc, all_derives)]
        Game,
        "artifacts/Game.json"
    );
    alloy::sol!(
        #[sol(rpc, all_derives)]
        Requests,
        "artifacts/Requests.json"
    );
    alloy::sol!(
        #[sol(rpc, all_derives)]
        Adjudicator,
        "artifacts/Adjudicator.json"
    );
    alloy::sol!(
        #[sol(rpc, all_derives)]
        Elementary,
        "artifacts/Elementary.json"
    );
    alloy::sol!(
        #[sol(rpc, all_derives)]
        DigitConsumer,
        "artifacts/DigitConsumer.json"
    );
    alloy::sol!(
        #[sol(rpc, all_derives)]
        ArithHarness,
        "artifacts/ArithHarness.json"
    );
    alloy::sol!(
        #[sol(rpc, all_derives)]
        ElementaryHarness,
        "artifacts/ElementaryHarness.json"
    );
}
