//! The executor: claims what it computed, and defends it with its trace if somebody challenges.

use super::{Bot, BotError, CALLDATA_LIMIT, compute};
use rebut_contracts::types::ClaimPhase;
use rebut_contracts::{ClaimContent, Client, Game, Pending, Sent};
use rebut_engine::exec::{self, Options};
use rebut_engine::package::Package;
use rebut_engine::tensor::Tensor;
use rebut_engine::trace::{Storage, Trace};
use std::sync::Arc;

/// An honest executor.
pub struct Executor {
    client: Client,
    options: Options,
    storage: Storage,
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
        Self { client, options, storage: Storage::default(), nonce, claims: Vec::new() }
    }

    /// The same, with traces that keep so many bytes of values in memory and compute others again.
    pub fn keeping(self, memory: u64) -> Self {
        Self { storage: Storage { memory, cache: None }, ..self }
    }

    /// Runs a program and claims the outputs.
    ///
    /// # Errors
    /// When the inputs do not fit, or the contract refuses the claim.
    pub async fn claim(
        &mut self,
        package: Arc<Package>,
        inputs: Vec<Tensor>,
    ) -> Result<(ClaimContent, Sent), BotError> {
        let inputs = Arc::new(inputs);
        let outputs = {
            let (package, inputs, options) = (package.clone(), inputs.clone(), self.options);
            compute(move || exec::run(&package, &inputs, &options)).await??
        };
        let content = ClaimContent::new(&self.client, &package, &inputs, &outputs, self.nonce).await?;
        self.nonce += 1;
        // Kept before it is sent: whatever happens to the answer, a claim that stands on the chain will be defended.
        let posted = Posted { content: content.clone(), package, inputs: inputs.clone(), game: None, concluded: false };
        self.claims.push(posted);
        let sent = content.post(&self.client, &inputs, &outputs, CALLDATA_LIMIT).await?;
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
        let mut pending = Vec::new();
        let mut failed = None;
        // All moves are sent before any receipt is waited for: however many disputes there are, they take a block.
        for claim in self.claims.iter_mut().filter(|c| !c.concluded) {
            match claim.tick(&self.client, self.options, &self.storage, &mut pending).await {
                Ok(acted) => sent.extend(acted),
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        let (mined, refused) = Pending::all_mined(pending).await;
        sent.extend(mined);
        failed.or(refused.map(Into::into)).map_or(Ok(sent), Err)
    }
}

impl Posted {
    async fn tick(
        &mut self,
        client: &Client,
        options: Options,
        storage: &Storage,
        pending: &mut Vec<Pending>,
    ) -> Result<Vec<Sent>, BotError> {
        match self.content.status(client).await?.phase {
            ClaimPhase::Committing | ClaimPhase::Disputing => {
                if self.game.is_none() {
                    let (package, inputs, storage) = (self.package.clone(), self.inputs.clone(), storage.clone());
                    let trace = compute(move || Trace::stored(&package, &inputs, &options, &storage));
                    let trace = trace.await??;
                    let (client, content) = (client.clone(), self.content.clone());
                    self.game = Some(Game::executor(client, content, self.package.clone(), Arc::new(trace)));
                }
                if let Some(game) = &self.game {
                    game.submit(pending).await?;
                }
                Ok(Vec::new())
            }
            ClaimPhase::Final | ClaimPhase::Silent | ClaimPhase::Refuted => {
                let mut sent = self.content.conclude(client).await?;
                self.concluded = sent.len() < ClaimContent::SETTLED_AT_ONCE;
                sent.extend(client.withdraw().await?);
                Ok(sent)
            }
            _ => Ok(Vec::new()),
        }
    }
}
