//! One episode: a few claims, everything that happens to them, and the reckoning.

mod batches;

use super::calls::Seen;
use crate::Failure;
use crate::stories::{Story, lies, told};
use alloy::consensus::Transaction;
use alloy::network::TransactionBuilder;
use alloy::network::TransactionResponse;
use alloy::primitives::{Address, B256, Bytes, U256};
use alloy::providers::Provider;
use alloy::rpc::types::TransactionRequest;
use alloy::sol_types::SolCall;
use batches::Posted;
use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use rebut_contracts::abi::Rebut::{Claimed, Credited, Deposited, RefundRecorded, stepCall};
use rebut_contracts::types::{ClaimPhase, Outcome as Ending};
use rebut_contracts::{ClaimContent, Client, Game, send};
use rebut_engine::tensor::Tensor;
use rebut_sim::adversary::Lie;
use rebut_tests::arena::Arena;
use rebut_tests::models::Subject;
use rebut_tests::rules::{events, settle_challenges};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::AddAssign;

/// Things that happen in an episode.
const EVENTS: usize = 150;
/// Claims of an episode.
const CLAIMS: usize = 6;
/// Gas of a call that may fail.
const GAS: u64 = 6_000_000;
/// Above any base fee here.
const GAS_PRICE: u128 = 100_000_000_000;
/// All tensors travel as bytes.
const CALLDATA: usize = 1 << 20;
const EXECUTOR: usize = 1;
const WATCHER: usize = 2;
/// Accounts of everybody who is not honest.
const OTHERS: [usize; 3] = [3, 4, 5];

/// What happened.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct Totals {
    episodes: u64,
    /// Transactions to the contract.
    pub(super) calls: u64,
    /// Those that it refused.
    refused: u64,
    claims: u64,
    challenges: u64,
    refuted: u64,
    batches: u64,
    items: u64,
    /// Items that became claims of their own, which are among the claims.
    extracted: u64,
    /// Steps that the contract took: disputes that went to their end.
    steps: u64,
}

impl AddAssign for Totals {
    fn add_assign(&mut self, other: Self) {
        self.episodes += other.episodes;
        self.calls += other.calls;
        self.refused += other.refused;
        self.claims += other.claims;
        self.challenges += other.challenges;
        self.refuted += other.refuted;
        self.batches += other.batches;
        self.items += other.items;
        self.extracted += other.extracted;
        self.steps += other.steps;
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { episodes, calls, refused, claims, challenges, refuted, batches, items, extracted, steps } = self;
        write!(
            f,
            "{episodes} episodes, {calls} calls ({refused} refused), {claims} claims ({refuted} refuted), \
             {extracted} of them out of {items} items of {batches} batches, {challenges} challenges, {steps} steps"
        )
    }
}

/// A claim and those who play about it.
struct Entry {
    content: ClaimContent,
    started: u64,
    /// Seconds that it may take to its end.
    longest: u64,
    /// Whether the honest watcher knows that it is wrong: it says something else about the program and inputs that the watcher knows.
    wrong: bool,
    /// Account and game of each side.
    games: Vec<(usize, Game)>,
}

impl Entry {
    fn honest_sides(&self) -> impl Iterator<Item = &(usize, Game)> {
        self.games.iter().filter(|(account, _)| [EXECUTOR, WATCHER].contains(account))
    }
}

/// The chain and everybody on it.
pub(super) struct World<'a> {
    arena: &'a Arena,
    subject: &'a Subject,
    rng: ChaCha8Rng,
    lies: Vec<Lie>,
    /// What the honest know: the program and what it makes of its inputs.
    truth: ClaimContent,
    entries: Vec<Entry>,
    batches: Vec<Posted>,
    /// Items that were read as final or refuted, which is for ever.
    ended: BTreeMap<B256, ClaimPhase>,
    seen: Seen,
    /// The block up to which calls were counted.
    block: u64,
    longest: u64,
    /// Whether the honest watcher is awake.
    watching: bool,
    /// How often those who are not honest move before a deadline that is near.
    diligence: f64,
    nonce: u64,
    /// What each account has sent.
    paid: BTreeMap<Address, U256>,
    /// Every account that was ever given credit.
    creditors: BTreeSet<Address>,
    totals: Totals,
}

impl<'a> World<'a> {
    /// An episode's beginning.
    pub(super) async fn new(arena: &'a Arena, subject: &'a Subject, mut rng: ChaCha8Rng) -> Result<Self, Failure> {
        let header = Bytes::from(subject.package.identity().header_bytes.clone());
        let trace = told(subject, None)?;
        let outputs: Vec<Tensor> =
            subject.package.program().output_ids().filter_map(|v| trace.tensor(v).cloned()).collect();
        let truth = ClaimContent::new(&arena.keeper, &subject.package, &subject.inputs, &outputs, 0).await?;
        let diligence = [0.0, 0.5, 0.9, 1.0].choose(&mut rng).copied().unwrap_or_default();
        Ok(Self {
            arena,
            subject,
            rng,
            lies: lies(subject),
            truth,
            entries: Vec::new(),
            batches: Vec::new(),
            ended: BTreeMap::new(),
            seen: Seen::default(),
            block: arena.keeper.provider().get_block_number().await?,
            longest: arena.keeper.rebut.longest(header, 1).call().await?.to(),
            watching: true,
            diligence,
            nonce: 0,
            paid: BTreeMap::new(),
            creditors: BTreeSet::new(),
            totals: Totals { episodes: 1, ..Totals::default() },
        })
    }

    /// The same with a watcher that never looks.
    #[cfg(test)]
    pub(super) fn unwatched(mut self) -> Self {
        self.watching = false;
        self
    }

    /// Plays the episode to its end.
    ///
    /// # Errors
    /// With the violation.
    pub(super) async fn play(&mut self) -> Result<Totals, Failure> {
        self.claims(EXECUTOR, None).await?;
        for _ in 0..EVENTS {
            match self.rng.random_range(0..100) {
                0..5 => self.somebody_claims().await?,
                5..8 => self.somebody_posts_a_batch().await?,
                8..13 => self.somebody_extracts().await?,
                13..15 => self.somebody_releases().await,
                15..24 => self.somebody_challenges().await?,
                24..53 => self.somebody_plays().await?,
                53..57 => self.somebody_concedes().await,
                57..85 => self.somebody_repeats().await?,
                85..92 => self.honest_sides_act().await?,
                _ => self.time_passes().await?,
            }
            self.look().await?;
        }
        self.reckon().await?;
        Ok(self.totals)
    }

    async fn claims(&mut self, account: usize, story: Story) -> Result<(), Failure> {
        let client = self.arena.client(account);
        let (package, inputs) = (&self.subject.package, &self.subject.inputs);
        let trace = told(self.subject, story)?;
        let outputs: Vec<Tensor> = package.program().output_ids().filter_map(|v| trace.tensor(v).cloned()).collect();
        self.nonce += 1;
        let content = ClaimContent::new(&client, package, inputs, &outputs, self.nonce).await?;
        content.post(&client, inputs, &outputs, CALLDATA).await?;
        let game = Game::executor(client, content.clone(), package.clone(), trace);
        let started = self.arena.time.now().await?;
        self.enters(content, started, self.longest, vec![(account, game)]);
        Ok(())
    }

    fn enters(&mut self, content: ClaimContent, started: u64, longest: u64, games: Vec<(usize, Game)>) {
        let wrong = self.is_wrong(&content);
        self.entries.push(Entry { content, started, longest, wrong, games });
        self.totals.claims += 1;
    }

    fn is_wrong(&self, content: &ClaimContent) -> bool {
        let (data, truth) = (&content.data, &self.truth.data);
        data.header == truth.header && data.inputRoots == truth.inputRoots && data.outputRoots != truth.outputRoots
    }

    /// Claims that were made by calls that nobody understands.
    async fn finds_claims(&mut self) -> Result<(), Failure> {
        let started = self.arena.time.now().await?;
        for event in events::<Claimed>(&self.arena.keeper).await {
            if self.entries.iter().all(|e| e.content.id != event.claimId) {
                self.enters(ClaimContent::from_event(event, 0), started, self.longest, vec![]);
            }
        }
        Ok(())
    }

    async fn challenges(&mut self, account: usize, entry: usize, story: Story) -> Result<(), Failure> {
        let (client, content) = (self.arena.client(account), self.entries[entry].content.clone());
        let salt = B256::repeat_byte(self.rng.random());
        let trace = told(self.subject, story)?;
        let (game, sent) = Game::challenge(client, content, self.subject.package.clone(), trace, salt).await?;
        self.entries[entry].games.push((account, game));
        self.totals.challenges += u64::from(sent.is_some());
        Ok(())
    }

    fn story(&mut self) -> Story {
        if self.rng.random_bool(0.2) { None } else { self.lies.choose(&mut self.rng).copied() }
    }

    fn other(&mut self) -> usize {
        OTHERS[self.rng.random_range(0..OTHERS.len())]
    }

    async fn somebody_claims(&mut self) -> Result<(), Failure> {
        if self.entries.len() >= CLAIMS {
            return Ok(());
        }
        if self.rng.random_bool(0.4) {
            return self.claims(EXECUTOR, None).await;
        }
        let (account, story) = (self.other(), self.story());
        self.claims(account, story).await
    }

    /// A challenge that comes too late is refused, which is nobody's concern.
    async fn somebody_challenges(&mut self) -> Result<(), Failure> {
        let (account, story) = (self.other(), self.story());
        let entry = self.rng.random_range(0..self.entries.len());
        let _ = self.challenges(account, entry, story).await;
        Ok(())
    }

    async fn somebody_plays(&mut self) -> Result<(), Failure> {
        let entry = self.rng.random_range(0..self.entries.len());
        let games = &self.entries[entry].games;
        if let Some((_, game)) = games.choose(&mut self.rng).filter(|(account, _)| OTHERS.contains(account)) {
            let _ = game.advance().await;
        }
        Ok(())
    }

    /// Liars in this episode's fashion, without whom a dispute seldom comes to its step; how many calls they sent.
    async fn others_act(&mut self) -> usize {
        let mut sent = 0;
        for entry in &self.entries {
            for (_, game) in entry.games.iter().filter(|(account, _)| OTHERS.contains(account)) {
                if self.rng.random_bool(self.diligence) {
                    sent += game.advance().await.map_or(0, |sent| sent.len());
                }
            }
        }
        sent
    }

    async fn somebody_concedes(&mut self) {
        let entry = self.rng.random_range(0..self.entries.len());
        let Entry { content, games, .. } = &self.entries[entry];
        let account = games.first().map(|(account, _)| *account).filter(|account| OTHERS.contains(account));
        if let Some(account) = account {
            let client: Client = self.arena.client(account);
            let _ = send("concede", String::new(), client.rebut.concede(content.data.clone())).await;
        }
    }

    async fn somebody_repeats(&mut self) -> Result<(), Failure> {
        for _ in 0..self.rng.random_range(1..8) {
            let Some((call, wei)) = self.seen.any(&mut self.rng) else { return Ok(()) };
            let account = self.other();
            self.sends(account, call, wei).await?;
        }
        Ok(())
    }

    /// Mined, whether the contract takes it or not.
    async fn sends(&self, account: usize, call: Vec<u8>, wei: U256) -> Result<(), Failure> {
        let client = self.arena.client(account);
        let request = TransactionRequest::default()
            .with_to(*client.rebut.address())
            .with_input(call)
            .with_value(wei)
            .with_gas_limit(GAS)
            .with_gas_price(GAS_PRICE);
        client.provider().send_transaction(request).await?.get_receipt().await?;
        Ok(())
    }

    /// Everything that is due for the honest: answers to lies first.
    async fn honest_sides_act(&mut self) -> Result<(), Failure> {
        self.finds_claims().await?;
        self.finds_batches().await?;
        if self.watching {
            self.watcher_extracts().await?;
        }
        for entry in 0..self.entries.len() {
            let Entry { content, wrong, games, .. } = &self.entries[entry];
            let watched = games.iter().any(|(account, _)| *account == WATCHER);
            if self.watching && *wrong && !watched && self.arena.status(content).await.phase == ClaimPhase::Window {
                self.challenges(WATCHER, entry, None).await?;
            }
        }
        loop {
            let mut acted = 0;
            for entry in &self.entries {
                for (account, game) in entry.honest_sides() {
                    let sent = game.advance().await;
                    acted += sent.map_err(|e| format!("honest account {account} cannot act: {e}"))?.len();
                }
                acted += usize::from(self.arena.time_out(&entry.content).await);
            }
            acted += self.executor_releases().await?;
            if acted == 0 {
                return Ok(());
            }
        }
    }

    /// To a deadline, just past it, or a little.
    async fn time_passes(&mut self) -> Result<(), Failure> {
        self.others_act().await;
        self.honest_sides_act().await?;
        let now = self.arena.time.now().await?;
        let Some(deadline) = self.next_deadline().await? else { return Ok(()) };
        let target = match self.rng.random_range(0..3) {
            0 => deadline,
            1 => deadline + 1,
            _ => now + self.rng.random_range(1..=700),
        };
        if target > now {
            // Nobody honest sleeps through a deadline.
            self.arena.time.advance(target.min(deadline + 1) - now).await?;
        }
        self.honest_sides_act().await
    }

    async fn next_deadline(&self) -> Result<Option<u64>, Failure> {
        let mut next = None;
        for entry in &self.entries {
            if !self.is_over(entry).await {
                let deadline = self.arena.next_deadline(&entry.content).await;
                next = Some(next.map_or(deadline, |n: u64| n.min(deadline)));
            }
        }
        let now = self.arena.time.now().await?;
        let windows = self.batches.iter().map(|b| b.window_ends).filter(|&w| w >= now);
        Ok(next.into_iter().chain(windows).min())
    }

    async fn is_over(&self, entry: &Entry) -> bool {
        let phase = self.arena.status(&entry.content).await.phase;
        matches!(phase, ClaimPhase::Silent | ClaimPhase::Final | ClaimPhase::Refuted)
    }

    /// What must hold at any time; and the calls since the last look.
    async fn look(&mut self) -> Result<(), Failure> {
        let provider = self.arena.keeper.provider();
        let rebut = *self.arena.keeper.rebut.address();
        let latest = provider.get_block_number().await?;
        for number in self.block + 1..=latest {
            let block = provider.get_block_by_number(number.into()).full().await?.ok_or("a block is missing")?;
            for transaction in block.transactions.into_transactions().filter(|t| t.to() == Some(rebut)) {
                let receipt = provider.get_transaction_receipt(transaction.tx_hash()).await?;
                let receipt = receipt.ok_or("a receipt is missing")?;
                self.totals.calls += 1;
                self.seen.keep(&mut self.rng, transaction.input().to_vec());
                if !receipt.status() {
                    self.totals.refused += 1;
                    continue;
                }
                self.totals.steps += u64::from(transaction.input().starts_with(&stepCall::SELECTOR));
                *self.paid.entry(transaction.from()).or_default() += transaction.value();
                let deposited = receipt.logs().iter().filter_map(|log| log.log_decode::<Deposited>().ok());
                self.creditors.extend(deposited.map(|log| log.inner.data.account));
                let credited = receipt.logs().iter().filter_map(|log| log.log_decode::<Credited>().ok());
                self.creditors.extend(credited.map(|log| log.inner.data.account));
            }
        }
        self.block = latest;
        let (balance, credits) = (provider.get_balance(rebut).await?, self.credits().await?);
        if balance < credits {
            return Err(format!("the contract holds {balance} wei and owes {credits}").into());
        }
        self.reads_an_item().await?;
        let now = self.arena.time.now().await?;
        for entry in &self.entries {
            let known = entry.content.data.header == self.truth.data.header;
            if known && now > entry.started + entry.longest && !self.is_over(entry).await {
                return Err(format!("claim {} has not ended after {} s", entry.content.id, entry.longest).into());
            }
        }
        Ok(())
    }

    async fn credits(&self) -> Result<U256, Failure> {
        let rebut = &self.arena.keeper.rebut;
        let burnt = rebut.parameters().call().await?.burnAddress;
        let mut sum = rebut.credit(burnt).call().await?;
        for &account in self.creditors.iter().filter(|account| **account != burnt) {
            sum += rebut.credit(account).call().await?;
        }
        Ok(sum)
    }

    /// Pays every refund that was recorded and is owed.
    async fn collect(&self) -> Result<(), Failure> {
        let keeper = &self.arena.keeper;
        for RefundRecorded { disputeId, mover, .. } in events(keeper).await {
            // What is not owed, or has been paid, is refused.
            let _ = send("collect", String::new(), keeper.rebut.collect(disputeId, mover)).await;
        }
        Ok(())
    }

    /// An honest claim stands, and a wrong one does not.
    fn judge(&self, content: &ClaimContent, wrong: bool, stands: bool) -> Result<(), Failure> {
        let honest = content.data.executor == self.arena.client(EXECUTOR).account;
        match stands {
            true if wrong => Err(format!("the wrong claim {} stands", content.id).into()),
            false if honest => Err(format!("the honest claim {} does not stand", content.id).into()),
            _ => Ok(()),
        }
    }

    /// Ends every claim, settles every bond, and compares.
    async fn reckon(&mut self) -> Result<(), Failure> {
        loop {
            self.honest_sides_act().await?;
            if self.others_act().await > 0 {
                continue;
            }
            let Some(deadline) = self.next_deadline().await? else { break };
            let now = self.arena.time.now().await?;
            self.arena.time.advance(deadline + 1 - now).await?;
            self.look().await?;
        }
        let keeper = &self.arena.keeper;
        for Entry { content, wrong, .. } in &self.entries {
            content.conclude(keeper).await?;
            settle_challenges(keeper, content).await;
            let ending = self.arena.status(content).await.outcome;
            let stands = ending == Ending::Final;
            self.totals.refuted += u64::from(!stands);
            self.judge(content, *wrong, stands).map_err(|e| format!("{e}: {ending:?}"))?;
        }
        self.reckon_batches().await?;
        self.collect().await?;
        self.look().await?;
        let provider = keeper.provider();
        let (balance, credits) = (provider.get_balance(*keeper.rebut.address()).await?, self.credits().await?);
        if balance != credits {
            return Err(format!("all is settled, and the contract holds {balance} wei where it owes {credits}").into());
        }
        for account in [EXECUTOR, WATCHER] {
            let client = self.arena.client(account);
            let (paid, got) = (
                self.paid.get(&client.account).copied().unwrap_or_default(),
                client.rebut.credit(client.account).call().await?,
            );
            if got < paid {
                return Err(format!("honest account {account} put in {paid} wei and has {got}").into());
            }
        }
        Ok(())
    }
}
