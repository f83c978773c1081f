//! Batches: many claims in one call, of which anybody takes out what it likes.

use super::{EXECUTOR, GAS, GAS_PRICE, OTHERS, WATCHER, World};
use crate::Failure;
use crate::stories::{Story, told};
use alloy::primitives::{B256, Bytes, U256};
use alloy::providers::Provider;
use rand::Rng;
use rand::seq::IndexedRandom;
use rebut_contracts::abi::Rebut::{BatchClaimed, Extracted};
use rebut_contracts::types::ClaimPhase;
use rebut_contracts::{BatchContent, ClaimContent, Game, b256};
use rebut_engine::tensor::Tensor;
use rebut_engine::tree::tensor_root;
use rebut_tests::rules::events;

/// Batches of an episode, besides those that repeated calls post.
const BATCHES: usize = 3;
/// Most items of one.
const ITEMS: usize = 4;

/// A batch that was posted.
pub(super) struct Posted {
    id: B256,
    content: BatchContent,
    started: u64,
    /// The last second in which an item can be challenged.
    pub(super) window_ends: u64,
    /// Seconds that an item may take to its end.
    longest: u64,
}

impl World<'_> {
    /// The honest executor with the truth, others with anything.
    pub(super) async fn somebody_posts_a_batch(&mut self) -> Result<(), Failure> {
        if self.batches.len() >= BATCHES {
            return Ok(());
        }
        let honest = self.rng.random_bool(0.4);
        let account = if honest { EXECUTOR } else { self.other() };
        let count = self.rng.random_range(1..=ITEMS);
        let stories: Vec<Story> = (0..count).map(|_| if honest { None } else { self.story() }).collect();
        let mut batches = vec![stories.clone()];
        // Two batches of one second: what both have at one place is one claim.
        if self.rng.random_bool(0.4) {
            let mut twin = stories;
            for _ in 0..self.rng.random_range(1..=2 * ITEMS) {
                twin.push(if honest { None } else { self.story() });
            }
            batches.push(twin);
        }
        self.post_in_one_block(account, &batches).await?;
        self.finds_batches().await
    }

    /// The honest send their bonds; others sometimes rely on credit that they may have.
    async fn post_in_one_block(&mut self, account: usize, batches: &[Vec<Story>]) -> Result<(), Failure> {
        let client = self.arena.client(account);
        let bond = U256::from(client.rebut.parameters().call().await?.executorBond);
        let header = Bytes::from(self.subject.package.identity().header_bytes.clone());
        let mut pending = Vec::new();
        self.arena.time.set_automine(false).await?;
        for stories in batches {
            let mut items = Vec::new();
            for &story in stories {
                self.subject.inputs.iter().for_each(|t| items.extend(t.to_be_bytes()));
                self.outputs(story)?.iter().for_each(|t| items.extend(t.to_be_bytes()));
            }
            let paid = account == EXECUTOR || self.rng.random_bool(0.8);
            let wei = if paid { bond * U256::from(stories.len()) } else { U256::ZERO };
            let call = client.rebut.claimBatch(header.clone(), stories.len() as u32, items.into());
            pending.push(call.value(wei).gas(GAS).gas_price(GAS_PRICE).send().await?);
        }
        self.arena.time.mine().await?;
        self.arena.time.set_automine(true).await?;
        for transaction in pending {
            let receipt = transaction.get_receipt().await?;
            if account == EXECUTOR && !receipt.status() {
                return Err("an honest batch was refused".into());
            }
        }
        Ok(())
    }

    fn outputs(&self, story: Story) -> Result<Vec<Tensor>, Failure> {
        Ok(told(self.subject, story)?.outputs)
    }

    /// Batches by their events, whoever posted them.
    pub(super) async fn finds_batches(&mut self) -> Result<(), Failure> {
        let keeper = &self.arena.keeper;
        let chain = keeper.provider().get_chain_id().await?;
        for event in events::<BatchClaimed>(keeper).await {
            let id = event.batchId;
            if self.batches.iter().any(|b| b.id == id) {
                continue;
            }
            let content = BatchContent::from_event(chain, *keeper.rebut.address(), &self.subject.package, &event, 0);
            let (content, _) = content.ok_or_else(|| format!("batch {id} is not what its event says"))?;
            let status = keeper.rebut.batch(id).call().await?;
            let longest = keeper.rebut.longest(event.header, event.count).call().await?.to();
            self.totals.batches += 1;
            self.totals.items += content.claims.len() as u64;
            let (started, window_ends) = (status.start.to(), status.windowEnds.to());
            self.batches.push(Posted { id, content, started, window_ends, longest });
        }
        self.finds_items().await
    }

    /// Items that somebody made claims of their own; from now on their executors defend them.
    async fn finds_items(&mut self) -> Result<(), Failure> {
        for Extracted { claimId, batchId, index } in events::<Extracted>(&self.arena.keeper).await {
            if self.entries.iter().any(|e| e.content.id == claimId) {
                continue;
            }
            let Some(batch) = self.batches.iter().find(|b| b.id == batchId) else { continue };
            let content = batch.content.claims.get(index as usize).filter(|c| c.id == claimId).cloned();
            let content = content.ok_or_else(|| format!("item {index} of batch {batchId} became another claim"))?;
            let (started, longest) = (batch.started, batch.longest);
            let games = self.defence(&content)?.into_iter().collect();
            self.enters(content, started, longest, games);
            self.totals.extracted += 1;
        }
        Ok(())
    }

    /// The executor's side of an item, with a story that gives what the item says; none if there is no such story.
    fn defence(&mut self, content: &ClaimContent) -> Result<Option<(usize, Game)>, Failure> {
        let mut accounts = OTHERS.into_iter().chain([EXECUTOR]);
        let Some(account) = accounts.find(|&a| self.arena.client(a).account == content.data.executor) else {
            return Ok(None);
        };
        let mut fitting = Vec::new();
        for story in std::iter::once(None).chain(self.lies.iter().copied().map(Some)) {
            let outputs = self.outputs(story)?;
            if outputs.iter().map(|t| b256(tensor_root(t))).eq(content.data.outputRoots.iter().copied()) {
                fitting.push(story);
            }
        }
        let story = if account == EXECUTOR { fitting.first() } else { fitting.choose(&mut self.rng) };
        let Some(&story) = story else { return Ok(None) };
        let (client, package) = (self.arena.client(account), self.subject.package.clone());
        Ok(Some((account, Game::executor(client, content.clone(), package, told(self.subject, story)?.trace))))
    }

    /// Right items too, and at any time; what is refused is nobody's concern.
    pub(super) async fn somebody_extracts(&mut self) -> Result<(), Failure> {
        let account = self.other();
        if let Some(batch) = self.batches.choose(&mut self.rng) {
            let index = self.rng.random_range(0..batch.content.claims.len());
            let _ = batch.content.extract(&self.arena.client(account), index).await;
        }
        self.finds_items().await
    }

    /// Before the window is over it is refused.
    pub(super) async fn somebody_releases(&mut self) {
        let account = self.other();
        if let Some(batch) = self.batches.choose(&mut self.rng) {
            let _ = batch.content.release(&self.arena.client(account)).await;
        }
    }

    /// Takes the wrong items out of their batches.
    pub(super) async fn watcher_extracts(&mut self) -> Result<(), Failure> {
        let now = self.arena.time.now().await?;
        let watcher = self.arena.client(WATCHER);
        for batch in self.batches.iter().filter(|b| now <= b.window_ends) {
            for (index, claim) in batch.content.claims.iter().enumerate() {
                if self.is_wrong(claim) && self.entries.iter().all(|e| e.content.id != claim.id) {
                    batch.content.extract(&watcher, index).await?;
                }
            }
        }
        self.finds_items().await
    }

    /// The honest executor takes back the bonds of its batches; how many it sent for.
    pub(super) async fn executor_releases(&self) -> Result<usize, Failure> {
        let now = self.arena.time.now().await?;
        let executor = self.arena.client(EXECUTOR);
        let mut sent = 0;
        for batch in self.batches.iter().filter(|b| now > b.window_ends) {
            let own = batch.content.claims.iter().all(|c| c.data.executor == executor.account);
            if own && !executor.rebut.batch(batch.id).call().await?.released {
                batch.content.release(&executor).await?;
                sent += 1;
            }
        }
        Ok(sent)
    }

    /// One item as whoever relies on it reads it: as its batch or its own claim says, and for ever once it has ended.
    pub(super) async fn reads_an_item(&mut self) -> Result<(), Failure> {
        let Some(batch) = self.batches.choose(&mut self.rng) else { return Ok(()) };
        let index = self.rng.random_range(0..batch.content.claims.len());
        let claim = &batch.content.claims[index];
        let phase = batch.content.phase(&self.arena.keeper, index).await?;
        let in_window = self.arena.time.now().await? <= batch.window_ends;
        let expected = match self.arena.status(claim).await.phase {
            ClaimPhase::None if in_window => ClaimPhase::Window,
            ClaimPhase::None => ClaimPhase::Final,
            own => own,
        };
        let before = *self.ended.get(&claim.id).unwrap_or(&phase);
        if phase != expected || phase != before {
            return Err(format!(
                "item {index} of batch {} is {phase:?}, should be {expected:?} and was {before:?}",
                batch.id
            )
            .into());
        }
        if matches!(phase, ClaimPhase::Final | ClaimPhase::Refuted) {
            self.ended.insert(claim.id, phase);
        }
        Ok(())
    }

    /// Releases every batch when all is over, and looks at every item; those that are taken out now are final and have no bond.
    pub(super) async fn reckon_batches(&mut self) -> Result<(), Failure> {
        let keeper = &self.arena.keeper;
        for batch in &self.batches {
            if !keeper.rebut.batch(batch.id).call().await?.released {
                batch.content.release(keeper).await?;
            }
            for (index, claim) in batch.content.claims.iter().enumerate() {
                if self.rng.random_bool(0.3) {
                    batch.content.extract(keeper, index).await?;
                }
                let phase = batch.content.phase(keeper, index).await?;
                let wrong = self.is_wrong(claim);
                self.judge(claim, wrong, phase == ClaimPhase::Final).map_err(|e| format!("{e}: {phase:?}"))?;
            }
        }
        Ok(())
    }
}
