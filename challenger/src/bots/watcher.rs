//! The watcher: re-runs every claim on a program it knows and rebuts the wrong ones.

use super::{Bot, BotError, compute};
use alloy::primitives::{B256, Bytes, keccak256};
use alloy::providers::Provider;
use alloy::rpc::types::Filter;
use alloy::sol_types::SolEvent;
use rebut_contracts::abi::Rebut::{BatchClaimed, Claimed};
use rebut_contracts::types::ClaimPhase;
use rebut_contracts::{BatchContent, ClaimContent, Client, ClientError, Game, Pending, Sent, b256};
use rebut_engine::exec::{self, Options};
use rebut_engine::package::Package;
use rebut_engine::program::TensorType;
use rebut_engine::tensor::Tensor;
use rebut_engine::trace::{Storage, Trace};
use rebut_engine::tree::tensor_root;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// Blocks that are read again each time: a reorganisation may move a claim into one that was read before.
const OVERLAP: u64 = 64;

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
    /// The watcher cannot tell; it looks again when it is given a program or a tensor while the claim can be challenged.
    Unavailable(String),
}

/// A challenger bot.
pub struct Watcher {
    client: Client,
    options: Options,
    storage: Storage,
    secret: B256,
    known: Known,
    next_block: u64,
    claims: BTreeMap<B256, Followed>,
    /// Batches whose items it follows.
    batches: BTreeSet<B256>,
}

/// Where a claim is while it is only an item.
struct Item {
    batch: Arc<BatchContent>,
    index: usize,
    /// Last second to challenge it.
    window_ends: u64,
}

/// What the watcher can run claims with.
#[derive(Default)]
struct Known {
    packages: HashMap<B256, Arc<Package>>,
    /// By root and type: tensors of several shapes can have one root.
    tensors: HashMap<(B256, TensorType), Tensor>,
    /// By program and the inputs' roots.
    traces: HashMap<(B256, Vec<B256>), Arc<Trace>>,
    /// Grows with everything that becomes known.
    version: usize,
}

struct Followed {
    content: ClaimContent,
    program_id: B256,
    given: Vec<Bytes>,
    package: Option<Arc<Package>>,
    inputs: Arc<Vec<Tensor>>,
    /// Where it was made before.
    trace: Option<Arc<Trace>>,
    verdict: Verdict,
    /// What was known when the verdict was found.
    version: usize,
    game: Option<Game>,
    concluded: bool,
    /// Set until the claim is one of its own.
    item: Option<Item>,
}

impl Watcher {
    /// A watcher that sends through `client`; `secret` makes the salts of its challenges, so that a restart knows them again.
    pub fn new(client: Client, options: Options, secret: B256) -> Self {
        Self {
            client,
            options,
            storage: Storage::default(),
            secret,
            known: Known::default(),
            next_block: 0,
            claims: BTreeMap::new(),
            batches: BTreeSet::new(),
        }
    }

    /// The same, with traces that keep so many bytes of values in memory and compute others again.
    pub fn keeping(self, memory: u64) -> Self {
        Self { storage: Storage { memory, cache: None }, ..self }
    }

    /// Watches claims on this program.
    pub fn watch(&mut self, package: Arc<Package>) {
        self.known.packages.insert(b256(package.identity().program_id), package);
        self.known.version += 1;
        // Batches that it could not read are found again.
        self.next_block = 0;
    }

    /// Makes a tensor known that claims may give only by its root.
    pub fn provide(&mut self, tensor: Tensor) {
        self.known.tensors.insert((b256(tensor_root(&tensor)), tensor.ty()), tensor);
        self.known.version += 1;
    }

    /// Gives it the package's trace on some inputs, so that it need not run such claims again. It is believed: an own trace, no other's.
    pub fn trust(&mut self, package: &Package, trace: Arc<Trace>) {
        let inputs = (0..u64::from(package.program().inputs)).map(|value| b256(trace.tensor_root(value)));
        self.known.traces.insert((b256(package.identity().program_id), inputs.collect()), trace);
        self.known.version += 1;
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
        self.claims.values().all(|c| c.concluded || matches!(c.verdict, Verdict::Unavailable(_)))
    }

    /// Finds new claims.
    async fn observe(&mut self) -> Result<(), BotError> {
        let provider = self.client.provider();
        let latest = provider.get_block_number().await.map_err(asked)?;
        let filter = Filter::new()
            .address(*self.client.rebut.address())
            .event_signature(vec![Claimed::SIGNATURE_HASH, BatchClaimed::SIGNATURE_HASH])
            .from_block(self.next_block.saturating_sub(OVERLAP))
            .to_block(latest);
        for log in provider.get_logs(&filter).await.map_err(asked)? {
            let block = log.block_number.unwrap_or(self.next_block);
            // One unreadable log never stops the others.
            if let Ok(event) = Claimed::decode_log(&log.inner) {
                let event = event.data;
                let (program_id, id) = (event.programId, event.claimId);
                let given = event.inputs.iter().map(|t| t.data.clone()).collect();
                let new = || Followed::new(ClaimContent::from_event(event, block), program_id, given, None);
                self.claims.entry(id).or_insert_with(new);
            } else if let Ok(event) = BatchClaimed::decode_log(&log.inner) {
                self.follow_batch(&event.data, block).await?;
            }
        }
        self.next_block = latest + 1;
        Ok(())
    }

    /// Follows the items of a batch on a program that it knows; others can be judged by nobody without the program.
    async fn follow_batch(&mut self, event: &BatchClaimed, block: u64) -> Result<(), BotError> {
        if self.batches.contains(&event.batchId) {
            return Ok(());
        }
        let Some(package) = self.known.packages.get(&event.programId).cloned() else { return Ok(()) };
        let chain = self.client.provider().get_chain_id().await.map_err(asked)?;
        let rebut = *self.client.rebut.address();
        let Some((batch, runs)) = BatchContent::from_event(chain, rebut, &package, event, block) else { return Ok(()) };
        let status = self.client.rebut.batch(event.batchId).call().await.map_err(asked)?;
        self.batches.insert(event.batchId);
        let (batch, window_ends) = (Arc::new(batch), status.windowEnds.to());
        for (index, (inputs, _)) in runs.into_iter().enumerate() {
            let Some(content) = batch.claims.get(index).cloned() else { continue };
            let given = inputs.iter().map(|t| t.to_be_bytes().into()).collect();
            let item = Item { batch: batch.clone(), index, window_ends };
            let new = Followed::new(content, event.programId, given, Some(item));
            self.claims.entry(new.content.id).or_insert(new);
        }
        Ok(())
    }
}

fn asked<E: std::fmt::Display>(e: E) -> BotError {
    ClientError::Call { call: "watch", reason: e.to_string() }.into()
}

impl Followed {
    fn new(content: ClaimContent, program_id: B256, given: Vec<Bytes>, item: Option<Item>) -> Self {
        Self {
            content,
            program_id,
            given,
            package: None,
            inputs: Arc::default(),
            trace: None,
            verdict: Verdict::Unavailable("not looked at yet".into()),
            version: 0,
            game: None,
            concluded: false,
            item,
        }
    }

    /// Judges an item, and takes it out of its batch if it is wrong; right ones are forgotten.
    async fn tick_item(&mut self, client: &Client, known: &Known, options: Options) -> Result<Vec<Sent>, BotError> {
        let Some(item) = &self.item else { return Ok(Vec::new()) };
        let (batch, index, window_ends) = (item.batch.clone(), item.index, item.window_ends);
        if self.version < known.version {
            self.judge(known, options).await?;
        }
        // Too late to challenge, and not challenged before a restart: nothing of the watcher's is at stake.
        let late = client.now().await? > window_ends && self.content.status(client).await?.phase == ClaimPhase::None;
        self.concluded = self.verdict == Verdict::Right || late;
        if self.concluded || !matches!(self.verdict, Verdict::Wrong { .. }) {
            return Ok(Vec::new());
        }
        let sent = batch.extract(client, index).await?;
        self.item = None;
        Ok(sent.into_iter().collect())
    }

    /// Runs the program on the claim's inputs, if both are available.
    async fn judge(&mut self, known: &Known, options: Options) -> Result<(), BotError> {
        self.version = known.version;
        self.verdict = match self.available(known) {
            Err(reason) => Verdict::Unavailable(reason),
            Ok((package, inputs)) => {
                self.package = Some(package.clone());
                self.inputs = Arc::new(inputs);
                self.trace = known.traces.get(&(self.program_id, self.content.data.inputRoots.clone())).cloned();
                let roots: Vec<B256> = if let Some(trace) = &self.trace {
                    package.program().output_ids().map(|value| b256(trace.tensor_root(value))).collect()
                } else {
                    let inputs = self.inputs.clone();
                    let outputs = compute(move || exec::run(&package, &inputs, &options)).await??;
                    outputs.iter().map(|output| b256(tensor_root(output))).collect()
                };
                let claimed = &self.content.data.outputRoots;
                let wrong = roots.iter().zip(claimed).position(|(own, claimed)| own != claimed);
                wrong.map_or(Verdict::Right, |output| Verdict::Wrong { output })
            }
        };
        Ok(())
    }

    fn available(&self, known: &Known) -> Result<(Arc<Package>, Vec<Tensor>), String> {
        let package = known.packages.get(&self.program_id).ok_or("the program is not one it watches")?;
        let mut inputs = Vec::new();
        for ((ty, bytes), root) in package.program().input_types().zip(&self.given).zip(&self.content.data.inputRoots) {
            let tensor = match known.tensors.get(&(*root, ty.clone())) {
                Some(tensor) => Some(tensor.clone()),
                None => Tensor::from_be_bytes(ty, bytes).ok(),
            };
            // Never believe an event about what its bytes hash to.
            let tensor = tensor.filter(|t| b256(tensor_root(t)) == *root);
            inputs.push(tensor.ok_or_else(|| format!("the input with root {root} is not available"))?);
        }
        Ok((package.clone(), inputs))
    }

    async fn tick(
        &mut self,
        client: &Client,
        known: &Known,
        options: Options,
        storage: &Storage,
        secret: B256,
        pending: &mut Vec<Pending>,
    ) -> Result<Vec<Sent>, BotError> {
        if self.item.is_some() {
            let sent = self.tick_item(client, known, options).await?;
            // An item that was taken out before a restart goes on as what it is.
            if self.item.is_some() || !sent.is_empty() {
                return Ok(sent);
            }
        }
        let phase = self.content.status(client).await?.phase;
        let live =
            matches!(phase, ClaimPhase::Window | ClaimPhase::Opening | ClaimPhase::Committing | ClaimPhase::Disputing);
        if live
            && self.game.is_none()
            && self.version < known.version
            && matches!(self.verdict, Verdict::Unavailable(_))
        {
            self.judge(known, options).await?;
        }
        if live && self.game.is_none() && matches!(self.verdict, Verdict::Wrong { .. }) {
            return self.enter(client, options, storage, secret, phase).await;
        }
        match (&self.game, phase) {
            // A node that lags behind does not know the claim yet.
            (_, ClaimPhase::None) => Ok(Vec::new()),
            (Some(game), ClaimPhase::Final | ClaimPhase::Silent | ClaimPhase::Refuted) => {
                let mut sent = game.claim.conclude(client).await?;
                self.concluded = sent.len() < ClaimContent::SETTLED_AT_ONCE;
                sent.extend(client.withdraw().await?);
                Ok(sent)
            }
            (Some(game), _) => {
                game.submit(pending).await?;
                Ok(Vec::new())
            }
            (None, _) => {
                self.concluded = !live || self.verdict == Verdict::Right;
                Ok(Vec::new())
            }
        }
    }

    /// Challenges the wrong claim, or takes up a challenge made before a restart.
    async fn enter(
        &mut self,
        client: &Client,
        options: Options,
        storage: &Storage,
        secret: B256,
        phase: ClaimPhase,
    ) -> Result<Vec<Sent>, BotError> {
        let Some(package) = self.package.clone() else { return Ok(Vec::new()) };
        let trace = if let Some(trace) = &self.trace {
            trace.clone()
        } else {
            let (package, inputs, storage) = (package.clone(), self.inputs.clone(), storage.clone());
            let trace = compute(move || Trace::stored(&package, &inputs, &options, &storage));
            Arc::new(trace.await??)
        };
        let salt = keccak256([secret.0, self.content.id.0].concat());
        let (client, content) = (client.clone(), self.content.clone());
        if phase == ClaimPhase::Window {
            let (game, sent) = Game::challenge(client, content, package, trace, salt).await?;
            self.game = Some(game);
            return Ok(sent.into_iter().collect());
        }
        self.game = Game::resume(client, content, package, trace, salt).await?;
        // Too late to challenge: nothing of the watcher's is at stake.
        self.concluded = self.game.is_none();
        Ok(Vec::new())
    }
}

impl Bot for Watcher {
    /// Plays its games first, then looks for new claims: nothing that others post can keep its clocks running. What goes wrong with
    /// one claim does not keep the others waiting; the first failure is reported after everything that could be done.
    async fn tick(&mut self) -> Result<Vec<Sent>, BotError> {
        let mut sent = Vec::new();
        let mut failed = None;
        for in_game in [true, false] {
            if !in_game && let Err(error) = self.observe().await {
                failed = failed.or(Some(error));
            }
            let due = self.claims.values_mut().filter(|c| !c.concluded && c.game.is_some() == in_game);
            // Moves in all games are sent before any receipt is waited for.
            let mut pending = Vec::new();
            for claim in due {
                match claim
                    .tick(&self.client, &self.known, self.options, &self.storage, self.secret, &mut pending)
                    .await
                {
                    Ok(acted) => sent.extend(acted),
                    Err(error) => failed = failed.or(Some(error)),
                }
            }
            let (mined, refused) = Pending::all_mined(pending).await;
            sent.extend(mined);
            failed = failed.or(refused.map(Into::into));
        }
        failed.map_or(Ok(sent), Err)
    }
}
