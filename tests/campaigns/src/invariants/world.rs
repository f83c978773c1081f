//! One episode: a few claims, everything that happens to them, and the reckoning.

mod batches;
mod others;
mod reckoning;
mod totals;

use super::calls::Seen;
use crate::Failure;
use crate::stories::{Story, Told, lies, told};
use alloy::primitives::{Address, B256, Bytes, U256};
use alloy::providers::Provider;
use batches::Posted;
use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use rebut_contracts::abi::Rebut::Claimed;
use rebut_contracts::types::ClaimPhase;
use rebut_contracts::{ClaimContent, Game};
use rebut_sim::adversary::Lie;
use rebut_tests::arena::Arena;
use rebut_tests::models::Subject;
use rebut_tests::rules::events;
use std::collections::{BTreeMap, BTreeSet};

pub(super) use totals::Totals;

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
        let outputs = told(subject, None)?.outputs;
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
        let Told { trace, outputs } = told(self.subject, story)?;
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
        let trace = told(self.subject, story)?.trace;
        let (game, sent) = Game::challenge(client, content, self.subject.package.clone(), trace, salt).await?;
        self.entries[entry].games.push((account, game));
        self.totals.challenges += u64::from(sent.is_some());
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
}
