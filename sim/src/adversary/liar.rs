//! A side that lies: as an executor with a wrong claim, or as a challenger against a right one.

use super::forged::{ForgedTrace, Lie, LieError};
use alloy::primitives::B256;
use rebut_contracts::{ClaimContent, Client, Game, GameError, Sent};
use rebut_engine::exec::Options;
use rebut_engine::package::Package;
use rebut_engine::tensor::Tensor;
use std::sync::Arc;

/// Why an adversary cannot play.
#[derive(Debug, thiserror::Error)]
pub enum LiarError {
    /// Its lie cannot be told.
    #[error(transparent)]
    Lie(#[from] LieError),
    /// Its game cannot go on.
    #[error(transparent)]
    Game(#[from] GameError),
}

/// An adversary in one claim.
pub struct Liar {
    game: Game,
    trace: Arc<ForgedTrace>,
}

impl Liar {
    /// Posts a claim whose outputs follow from a lie.
    ///
    /// # Errors
    /// When the lie cannot be told or the contract refuses the claim.
    pub async fn claim(
        client: Client,
        package: Arc<Package>,
        inputs: &[Tensor],
        lie: Lie,
        calldata_limit: usize,
    ) -> Result<(Self, Sent), LiarError> {
        let trace = ForgedTrace::new(&package, inputs, &Options::default(), lie)?;
        Self::claim_forged(client, package, inputs, trace, calldata_limit).await
    }

    /// Posts a claim whose outputs are those of a wrong trace.
    ///
    /// # Errors
    /// When the contract refuses the claim.
    pub async fn claim_forged(
        client: Client,
        package: Arc<Package>,
        inputs: &[Tensor],
        trace: ForgedTrace,
        calldata_limit: usize,
    ) -> Result<(Self, Sent), LiarError> {
        let trace = Arc::new(trace);
        let outputs: Vec<Tensor> = package.program().output_ids().filter_map(|v| trace.tensor(v).cloned()).collect();
        let claim = ClaimContent::new(&client, &package, inputs, &outputs, 0).await?;
        let sent = claim.post(&client, inputs, &outputs, calldata_limit).await?;
        Ok((Self { game: Game::executor(client, claim, package, trace.clone()), trace }, sent))
    }

    /// Defends a claim of its own that was not posted alone, by a lie from which its outputs follow.
    ///
    /// # Errors
    /// When the lie cannot be told.
    pub fn defend(
        client: Client,
        claim: ClaimContent,
        package: Arc<Package>,
        inputs: &[Tensor],
        lie: Lie,
    ) -> Result<Self, LiarError> {
        let trace = Arc::new(ForgedTrace::new(&package, inputs, &Options::default(), lie)?);
        Ok(Self { game: Game::executor(client, claim, package, trace.clone()), trace })
    }

    /// Challenges somebody's claim with a trace that lies.
    ///
    /// # Errors
    /// When the lie cannot be told or the contract refuses the challenge.
    pub async fn challenge(
        client: Client,
        claim: ClaimContent,
        package: Arc<Package>,
        inputs: &[Tensor],
        lie: Lie,
        salt: B256,
    ) -> Result<(Self, Option<Sent>), LiarError> {
        let trace = Arc::new(ForgedTrace::new(&package, inputs, &Options::default(), lie)?);
        let (game, sent) = Game::challenge(client, claim, package, trace.clone(), salt).await?;
        Ok((Self { game, trace }, sent))
    }

    /// Sends what is due.
    ///
    /// # Errors
    /// When the chain refuses or cannot be asked.
    pub async fn tick(&self) -> Result<Vec<Sent>, LiarError> {
        Ok(self.game.advance().await?)
    }

    /// The claim.
    pub fn game(&self) -> &Game {
        &self.game
    }

    /// What it says the trace is.
    pub fn trace(&self) -> &ForgedTrace {
        &self.trace
    }
}
