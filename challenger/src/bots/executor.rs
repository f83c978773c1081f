//! The executor: claims what it computed, and defends it with its trace if somebody challenges.

use super::{Bot, BotError, CALLDATA_LIMIT, compute};
use rebut_contracts::types::ClaimPhase;
use rebut_contracts::{ClaimContent, Client, Game, Sent};
use rebut_engine::exec::{self, Options};
use rebut_engine::package::Package;
use rebut_engine::tensor::Tensor;
use rebut_engine::trace::Trace;
use std::sync::Arc;

/// An honest executor.
pub struct Executor {
    client: Client,
    options: Options,
    nonce: u64,
    claims: Vec<Posted>,
}

struct Posted {
    content: ClaimContent,
    package: Arc<Package>,
    inputs: Arc<Vec<Tensor>>,
    /// Made when somebody disputes: nobody needs a trace before.
    game: Option<Game>,
    concluded: bool,
}

impl Executor {
    /// An executor that sends through `client` and computes with `options`; its claims' nonces begin at `nonce`.
    pub fn new(client: Client, options: Options, nonce: u64) -> Self {
        Self { client, options, nonce, claims: Vec::new() }
    }

    /// Runs a program and claims the outputs.
    ///
    /// # Errors
    /// When the inputs do not fit, or the contract refuses the claim.
    pub async fn claim(&mut self, package: Arc<Package>, inputs: Vec<Tensor>) -> Result<(ClaimContent, Sent), BotError> {
        let inputs = Arc::new(inputs);
        let outputs = {
            let (package, inputs, options) = (package.clone(), inputs.clone(), self.options);
            compute(move || exec::run(&package, &inputs, &options)).await??
        };
        let (content, sent) =
            ClaimContent::post(&self.client, &package, &inputs, &outputs, self.nonce, CALLDATA_LIMIT).await?;
        self.nonce += 1;
        self.claims.push(Posted { content: content.clone(), package, inputs, game: None, concluded: false });
        Ok((content, sent))
    }

    /// Whether every claim has come to its end.
    pub fn is_idle(&self) -> bool {
        self.claims.iter().all(|c| c.concluded)
    }
}

impl Bot for Executor {
    async fn tick(&mut self) -> Result<Vec<Sent>, BotError> {
        let mut sent = Vec::new();
        for claim in self.claims.iter_mut().filter(|c| !c.concluded) {
            match claim.content.status(&self.client).await?.phase {
                ClaimPhase::Committing | ClaimPhase::Disputing => {
                    if claim.game.is_none() {
                        let (package, inputs, options) = (claim.package.clone(), claim.inputs.clone(), self.options);
                        let trace = compute(move || Trace::new(&package, &inputs, &options)).await??;
                        let (client, content) = (self.client.clone(), claim.content.clone());
                        claim.game = Some(Game::executor(client, content, claim.package.clone(), Arc::new(trace)));
                    }
                    if let Some(game) = &claim.game {
                        sent.extend(game.advance().await?);
                    }
                }
                ClaimPhase::Final | ClaimPhase::Silent | ClaimPhase::Refuted => {
                    sent.extend(claim.content.conclude(&self.client).await?);
                    sent.extend(self.client.withdraw().await?);
                    claim.concluded = true;
                }
                _ => {}
            }
        }
        Ok(sent)
    }
}
