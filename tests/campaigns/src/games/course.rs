//! One game from its beginning through every course that it can take.

use super::cast::Cast;
use crate::Failure;
use crate::stories::{Told, told};
use alloy::primitives::{Address, B256, Bytes};
use rebut_contracts::types::{ClaimPhase, Outcome as Ending};
use rebut_contracts::{ClaimContent, Client, Game, send};
use rebut_tests::arena::Arena;
use rebut_tests::models::Subject;
use rebut_tests::rules::Ended;
use serde::Serialize;
use std::fmt;
use std::ops::AddAssign;
use std::pin::Pin;

/// Seconds that a lazy honest side leaves before a deadline: a few blocks for what else is due.
const LAZY: u64 = 20;
/// All tensors travel as bytes.
const CALLDATA: usize = 1 << 20;

/// What was played.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct Totals {
    games: u64,
    sequences: u64,
    states: u64,
    transactions: u64,
    /// Longest time from claim to end as a part of `longest`, in thousandths.
    longest_per_mille: u64,
}

impl AddAssign for Totals {
    fn add_assign(&mut self, other: Self) {
        self.games += other.games;
        self.sequences += other.sequences;
        self.states += other.states;
        self.transactions += other.transactions;
        self.longest_per_mille = self.longest_per_mille.max(other.longest_per_mille);
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { games, sequences, states, transactions, longest_per_mille } = self;
        let percent = *longest_per_mille as f64 / 10.0;
        write!(
            f,
            "{games:5} games, {sequences:7} sequences, {states:7} states, {transactions:8} transactions, longest {percent} %"
        )
    }
}

/// A side of the game. Its moves follow from the chain and its trace, so it has no memory that a snapshot could not restore.
struct Player {
    name: &'static str,
    account: Address,
    honest: bool,
    game: Game,
}

/// A game under way.
pub(super) struct Course<'a> {
    arena: &'a Arena,
    cast: &'a Cast,
    lazy: bool,
    claim: ClaimContent,
    players: Vec<Player>,
    started: u64,
    longest: u64,
    /// The choices that led here.
    path: Vec<String>,
    totals: Totals,
}

impl<'a> Course<'a> {
    /// Posts the claim and the challenges.
    pub(super) async fn begin(
        arena: &'a Arena,
        subject: &Subject,
        cast: &'a Cast,
        lazy: bool,
    ) -> Result<Self, Failure> {
        let client = arena.client(1);
        let (package, inputs) = (&subject.package, &subject.inputs);
        let Told { trace, outputs } = told(subject, cast.executor)?;
        let claim = ClaimContent::new(&client, package, inputs, &outputs, 0).await?;
        claim.post(&client, inputs, &outputs, CALLDATA).await?;
        let started = arena.time.now().await?;
        let header = Bytes::from(package.identity().header_bytes.clone());
        let longest = arena.keeper.rebut.longest(header, 1).call().await?.to();
        let account = client.account;
        let game = Game::executor(client, claim.clone(), package.clone(), trace);
        let mut players = vec![Player { name: "executor", account, honest: cast.executor.is_none(), game }];
        let watchers = cast.watcher.then_some((None, true));
        let challengers = cast.accomplices.iter().map(|s| (*s, false)).chain(watchers);
        for ((story, honest), number) in challengers.zip(2u8..) {
            let (client, salt) = (arena.client(number.into()), B256::repeat_byte(number));
            let account = client.account;
            let trace = told(subject, story)?.trace;
            let (game, _) = Game::challenge(client, claim.clone(), package.clone(), trace, salt).await?;
            let name = if honest { "watcher" } else { "accomplice" };
            players.push(Player { name, account, honest, game });
        }
        let totals = Totals { games: 1, ..Totals::default() };
        Ok(Self { arena, cast, lazy, claim, players, started, longest, path: Vec::new(), totals })
    }

    /// Takes every course from here.
    ///
    /// # Errors
    /// With the choices that led to a violation.
    pub(super) async fn explore(mut self) -> Result<Totals, Failure> {
        match self.branch(false).await {
            Ok(()) => Ok(self.totals),
            Err(e) => Err(format!(
                "{e}\nin the game: {}{}\nby the choices: {}",
                self.cast,
                if self.lazy { ", honest sides late" } else { "" },
                self.path.join(", ")
            )
            .into()),
        }
    }

    /// Every course from here; `late` when the next deadline is at hand.
    fn branch(&mut self, late: bool) -> Pin<Box<dyn Future<Output = Result<(), Failure>> + '_>> {
        Box::pin(async move {
            self.totals.states += 1;
            if late || !self.lazy {
                self.honest_sides_move().await?;
            }
            if self.is_over().await? {
                return self.judge().await;
            }
            let mut moved = false;
            for liar in 0..self.players.len() {
                if self.players[liar].honest {
                    continue;
                }
                let here = self.arena.time.snapshot().await?;
                if self.acts(liar).await {
                    moved = true;
                    self.choose(format!("{} moves", self.players[liar].name), false).await?;
                }
                self.arena.time.revert(here).await?;
            }
            if !self.players[0].honest {
                let here = self.arena.time.snapshot().await?;
                if self.concedes().await {
                    self.choose("executor concedes".into(), false).await?;
                }
                self.arena.time.revert(here).await?;
            }
            let now = self.arena.time.now().await?;
            let deadline = self.arena.next_deadline(&self.claim).await;
            let eve = deadline.saturating_sub(if self.lazy { LAZY } else { 1 });
            if !late && (self.lazy || moved && eve > now) {
                let here = self.arena.time.snapshot().await?;
                if eve > now {
                    self.arena.time.advance(eve - now).await?;
                }
                self.choose("time comes near".into(), true).await?;
                self.arena.time.revert(here).await?;
            }
            // Lazy honest sides are never later than that.
            if late || !self.lazy {
                self.arena.time.advance(deadline + 1 - now).await?;
                self.choose("time is over".into(), self.lazy).await?;
            }
            Ok(())
        })
    }

    async fn choose(&mut self, what: String, late: bool) -> Result<(), Failure> {
        self.path.push(what);
        self.branch(late).await?;
        self.path.pop();
        Ok(())
    }

    /// Until none has anything to do; then what time has decided is recorded, as anybody may.
    async fn honest_sides_move(&mut self) -> Result<(), Failure> {
        loop {
            let mut acted = 0;
            for player in self.players.iter().filter(|p| p.honest) {
                let sent = player.game.advance().await;
                acted += sent.map_err(|e| format!("the honest {} cannot move: {e}", player.name))?.len();
            }
            acted += usize::from(self.arena.time_out(&self.claim).await);
            self.totals.transactions += acted as u64;
            if acted == 0 || self.is_over().await? {
                return Ok(());
            }
        }
    }

    /// Whether a liar had something to send that the contract took.
    async fn acts(&mut self, liar: usize) -> bool {
        let sent = self.players[liar].game.advance().await.map_or(0, |sent| sent.len());
        self.totals.transactions += sent as u64;
        sent > 0
    }

    async fn concedes(&mut self) -> bool {
        let client: &Client = &self.arena.client(1);
        let sent = send("concede", String::new(), client.rebut.concede(self.claim.data.clone())).await;
        self.totals.transactions += u64::from(sent.is_ok());
        sent.is_ok()
    }

    async fn is_over(&self) -> Result<bool, Failure> {
        let phase = self.arena.status(&self.claim).await.phase;
        Ok(matches!(phase, ClaimPhase::Silent | ClaimPhase::Final | ClaimPhase::Refuted))
    }

    /// What must hold however it went.
    async fn judge(&mut self) -> Result<(), Failure> {
        self.totals.sequences += 1;
        let took = self.arena.time.now().await? - self.started;
        if took > self.longest {
            return Err(format!("it took {took} s, longer than {}", self.longest).into());
        }
        self.totals.longest_per_mille = self.totals.longest_per_mille.max(1000 * took / self.longest);
        let ended = Ended::settle(self.arena, &self.claim).await;
        let ending = ended.status.outcome;
        let executor_honest = self.players[0].honest;
        let stands = ending == Ending::Final;
        if executor_honest && !stands || !executor_honest && self.cast.watcher && stands {
            return Err(format!("it ended as {ending:?}").into());
        }
        for player in self.players.iter().filter(|p| p.honest) {
            let (paid, got) = ended.money(player.account);
            if got < paid {
                return Err(format!("the honest {} put in {paid} and got {got}", player.name).into());
            }
        }
        Ok(())
    }
}
