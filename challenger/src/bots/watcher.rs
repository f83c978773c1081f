//! The watcher: re-runs every claim on a program it knows and rebuts the wrong ones.

use super::{Bot, BotError, compute};
use alloy::primitives::{B256, keccak256};
use alloy::providers::Provider;
use alloy::rpc::types::Filter;
use alloy::sol_types::SolEvent;
use rebut_contracts::abi::Rebut::Claimed;
use rebut_contracts::types::ClaimPhase;
use rebut_contracts::{ClaimContent, Client, ClientError, Game, GameError, Sent, b256};
use rebut_engine::exec::{self, Options};
use rebut_engine::package::Package;
use rebut_engine::tensor::Tensor;
use rebut_engine::trace::Trace;
use rebut_engine::tree::tensor_root;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// What the watcher found out about a claim. Not being able to tell is neither right nor wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// The outputs are what the program computes.
    Right,
    /// An output is not.
    Wrong {
        /// The first wrong output.
        output: usize,
    },
    /// The watcher cannot tell.
    Unavailable(String),
}

/// A challenger bot.
pub struct Watcher {
    client: Client,
    options: Options,
    secret: B256,
    packages: HashMap<B256, Arc<Package>>,
    tensors: HashMap<B256, Tensor>,
    next_block: u64,
    claims: BTreeMap<B256, Followed>,
}

struct Followed {
    content: ClaimContent,
    package: Option<Arc<Package>>,
    inputs: Arc<Vec<Tensor>>,
    verdict: Verdict,
    game: Option<Game>,
    concluded: bool,
}

impl Watcher {
    /// A watcher that sends through `client`; `secret` makes the salts of its challenges, so that a restart knows them again.
    pub fn new(client: Client, options: Options, secret: B256) -> Self {
        let (packages, tensors, claims) = Default::default();
        Self { client, options, secret, packages, tensors, next_block: 0, claims }
    }

    /// Watches claims on this program.
    pub fn watch(&mut self, package: Arc<Package>) {
        self.packages.insert(b256(package.identity().program_id), package);
    }

    /// Makes a tensor known that claims may give only by its root.
    pub fn provide(&mut self, tensor: Tensor) {
        self.tensors.insert(b256(tensor_root(&tensor)), tensor);
    }

    /// What it found out about a claim it has seen.
    pub fn verdict(&self, claim: B256) -> Option<&Verdict> {
        self.claims.get(&claim).map(|c| &c.verdict)
    }

    /// The trace that it defends in a challenged claim.
    pub fn game(&self, claim: B256) -> Option<&Game> {
        self.claims.get(&claim)?.game.as_ref()
    }

    /// Whether it has nothing left to do about the claims it has seen.
    pub fn is_idle(&self) -> bool {
        self.claims.values().all(|c| c.concluded)
    }

    async fn observe(&mut self) -> Result<(), BotError> {
        let provider = self.client.provider();
        let latest = provider.get_block_number().await.map_err(asked)?;
        if latest < self.next_block {
            return Ok(());
        }
        let rebut = *self.client.rebut.address();
        let filter = Filter::new().address(rebut).event_signature(Claimed::SIGNATURE_HASH);
        let filter = filter.from_block(self.next_block).to_block(latest);
        for log in provider.get_logs(&filter).await.map_err(asked)? {
            let block = log.block_number.unwrap_or(self.next_block);
            // One unreadable log never stops the others.
            if let Ok(event) = Claimed::decode_log(&log.inner) {
                let followed = self.judge(event.data, block).await?;
                self.claims.entry(followed.content.id).or_insert(followed);
            }
        }
        self.next_block = latest + 1;
        Ok(())
    }

    async fn judge(&self, event: Claimed, block: u64) -> Result<Followed, BotError> {
        let package = self.packages.get(&event.programId).cloned();
        let given: Vec<_> = event.inputs.iter().map(|t| t.data.clone()).collect();
        let content = ClaimContent::from_event(event, block);
        let unavailable = |reason: String| Followed {
            content: content.clone(),
            package: None,
            inputs: Arc::default(),
            verdict: Verdict::Unavailable(reason),
            game: None,
            concluded: true,
        };
        let Some(package) = package else { return Ok(unavailable("the program is not one it watches".into())) };
        let mut inputs = Vec::new();
        for ((ty, bytes), root) in package.program().input_types().zip(&given).zip(&content.data.inputRoots) {
            let tensor = match self.tensors.get(root) {
                Some(tensor) => Some(tensor.clone()),
                None if bytes.is_empty() && ty.elements() > 0 => None,
                None => Tensor::from_be_bytes(ty, bytes).ok(),
            };
            // Never believe an event about what its bytes hash to.
            match tensor.filter(|t| t.ty() == *ty && b256(tensor_root(t)) == *root) {
                Some(tensor) => inputs.push(tensor),
                None => return Ok(unavailable(format!("the input with root {root} is not available"))),
            }
        }
        let inputs = Arc::new(inputs);
        let outputs = {
            let (package, inputs, options) = (package.clone(), inputs.clone(), self.options);
            compute(move || exec::run(&package, &inputs, &options)).await??
        };
        let claimed = &content.data.outputRoots;
        let wrong = outputs.iter().zip(claimed).position(|(own, claimed)| b256(tensor_root(own)) != *claimed);
        let verdict = wrong.map_or(Verdict::Right, |output| Verdict::Wrong { output });
        let concluded = verdict == Verdict::Right;
        Ok(Followed { content, package: Some(package), inputs, verdict, game: None, concluded })
    }
}

fn asked<E: std::fmt::Display>(e: E) -> BotError {
    ClientError::Call { call: "watch", reason: e.to_string() }.into()
}

impl Bot for Watcher {
    async fn tick(&mut self) -> Result<Vec<Sent>, BotError> {
        self.observe().await?;
        let mut sent = Vec::new();
        for claim in self.claims.values_mut().filter(|c| !c.concluded) {
            let phase = claim.content.status(&self.client).await?.phase;
            match (&claim.game, &claim.package, phase) {
                (None, Some(package), ClaimPhase::Window) => {
                    let trace = {
                        let (package, inputs, options) = (package.clone(), claim.inputs.clone(), self.options);
                        compute(move || Trace::new(&package, &inputs, &options)).await??
                    };
                    let salt = keccak256([self.secret.0, claim.content.id.0].concat());
                    let (client, content) = (self.client.clone(), claim.content.clone());
                    let game = Game::challenge(client, content, package.clone(), Arc::new(trace), salt).await;
                    let (game, challenge) = game.map_err(BotError::from)?;
                    sent.push(challenge);
                    claim.game = Some(game);
                }
                // Too late to challenge: nothing is at stake for it.
                (None, _, _) => claim.concluded = true,
                (Some(game), _, ClaimPhase::Final | ClaimPhase::Silent | ClaimPhase::Refuted) => {
                    sent.extend(game.claim.conclude(&self.client).await.map_err(GameError::from)?);
                    sent.extend(self.client.withdraw().await?);
                    claim.concluded = true;
                }
                (Some(game), _, _) => sent.extend(game.advance().await?),
            }
        }
        Ok(sent)
    }
}
