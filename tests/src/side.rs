//! Whoever plays in an arena: bots and liars behind one tick, each with as many transactions as it is given.

use alloy::primitives::{Address, B256};
use rebut_challenger::bots::{Bot, BotError, CALLDATA_LIMIT, Executor, Watcher};
use rebut_contracts::{ClaimContent, Client, Sent};
use rebut_engine::exec::Options;
use rebut_sim::adversary::{ForgedTrace, Liar, LiarError, Lie};

use crate::models::Subject;

/// How the tests compute.
const OPTIONS: Options = Options { threads: 1, isa: rebut_engine::exec::Isa::Auto };

/// A liar that ticks like a bot.
pub struct LiarBot(pub Liar);

impl Bot for LiarBot {
    async fn tick(&mut self) -> Result<Vec<Sent>, BotError> {
        self.0.tick().await.map_err(|e| match e {
            LiarError::Game(e) => e.into(),
            LiarError::Lie(e) => BotError::Cancelled(e.to_string()),
        })
    }
}

/// What decides for a side.
pub enum Player {
    /// An adversary.
    Liar(LiarBot),
    /// An honest challenger.
    Watcher(Box<Watcher>),
    /// An honest challenger that forgets everything after each look at the chain.
    Restarting(Client, Subject),
    /// An honest executor.
    Executor(Executor),
}

/// One account in a game.
pub struct Side {
    /// The account.
    pub account: Address,
    /// What it has sent in ticks: all but an executor's claim and a liar's challenge.
    pub sent: Vec<Sent>,
    player: Player,
    budget: usize,
}

impl Side {
    fn new(account: Address, player: Player) -> Self {
        Self { account, sent: Vec::new(), player, budget: usize::MAX }
    }

    /// An honest watcher of the subject's program, which knows the subject's inputs.
    pub fn watcher(client: Client, subject: &Subject) -> Self {
        let account = client.account;
        Self::new(account, Player::Watcher(Box::new(watcher(client, subject))))
    }

    /// A watcher that is stopped and started again all the time.
    pub fn restarting_watcher(client: Client, subject: &Subject) -> Self {
        Self::new(client.account, Player::Restarting(client, subject.clone()))
    }

    /// An honest executor and its claim.
    pub async fn executor(client: Client, subject: &Subject) -> (Self, ClaimContent) {
        let account = client.account;
        let mut executor = Executor::new(client, OPTIONS, 0);
        let claimed = executor.claim(subject.package.clone(), subject.inputs.clone()).await;
        let (claim, _) = claimed.expect("a claim is posted");
        (Self::new(account, Player::Executor(executor)), claim)
    }

    /// An executor that lies, and its claim.
    pub async fn lying_executor(client: Client, subject: &Subject, lie: Lie) -> (Self, ClaimContent) {
        let forged = ForgedTrace::new(&subject.package, &subject.inputs, &Options::default(), lie);
        Self::forging_executor(client, subject, forged.expect("the lie can be told")).await
    }

    /// An executor whose trace is wrong, and its claim.
    pub async fn forging_executor(client: Client, subject: &Subject, forged: ForgedTrace) -> (Self, ClaimContent) {
        let account = client.account;
        let (package, inputs) = (subject.package.clone(), &subject.inputs);
        let claimed = Liar::claim_forged(client, package, inputs, forged, CALLDATA_LIMIT).await;
        let (liar, _) = claimed.expect("a claim is posted");
        let claim = liar.game().claim.clone();
        (Self::new(account, Player::Liar(LiarBot(liar))), claim)
    }

    /// An executor that lies about an item of its batch, which is a claim of its own now.
    pub fn lying_about(client: Client, claim: ClaimContent, subject: &Subject, lie: Lie) -> Self {
        let account = client.account;
        let liar = Liar::defend(client, claim, subject.package.clone(), &subject.inputs, lie);
        Self::new(account, Player::Liar(LiarBot(liar.expect("the lie can be told"))))
    }

    /// A challenger that lies.
    pub async fn lying_challenger(client: Client, claim: &ClaimContent, subject: &Subject, lie: Lie) -> Self {
        let account = client.account;
        let (package, salt) = (subject.package.clone(), B256::repeat_byte(0x11));
        let challenged = Liar::challenge(client, claim.clone(), package, &subject.inputs, lie, salt).await;
        Self::new(account, Player::Liar(LiarBot(challenged.expect("a challenge is made").0)))
    }

    /// The same side, which sends nothing once it has sent `transactions`.
    pub fn silent_after(mut self, transactions: usize) -> Self {
        self.budget = transactions;
        self
    }

    /// The watcher that plays this side, if one does.
    pub fn as_watcher(&mut self) -> Option<&mut Watcher> {
        if let Player::Watcher(watcher) = &mut self.player { Some(watcher) } else { None }
    }

    /// The liar that plays this side, if one does.
    pub fn as_liar(&self) -> Option<&Liar> {
        if let Player::Liar(liar) = &self.player { Some(&liar.0) } else { None }
    }

    /// The names of the functions it has called, in order.
    pub fn calls(&self) -> Vec<&'static str> {
        self.sent.iter().map(|s| s.call).collect()
    }

    /// Lets it act; how many transactions it sent.
    pub async fn tick(&mut self) -> usize {
        if self.sent.len() >= self.budget {
            return 0;
        }
        let sent = match &mut self.player {
            Player::Liar(liar) => liar.tick().await,
            Player::Watcher(watcher) => watcher.tick().await,
            Player::Restarting(client, subject) => restarted(client.clone(), subject).await,
            Player::Executor(executor) => executor.tick().await,
        };
        // Sides act one after the other here, so no transaction comes too late.
        let sent = sent.unwrap_or_else(|e| panic!("{} cannot act after {:?}: {e}", self.account, self.calls()));
        let count = sent.len();
        self.sent.extend(sent);
        count
    }
}

/// The first look finds the claims and the watcher's own challenges again, the second one acts.
async fn restarted(client: Client, subject: &Subject) -> Result<Vec<Sent>, BotError> {
    let mut watcher = watcher(client, subject);
    let sent = watcher.tick().await?;
    if sent.is_empty() { watcher.tick().await } else { Ok(sent) }
}

/// A watcher of the subject's program, which knows the subject's inputs. Its account makes its secret.
pub fn watcher(client: Client, subject: &Subject) -> Watcher {
    let secret = client.account.into_word();
    // Nothing in memory: what a dispute reads is computed again.
    let mut watcher = Watcher::new(client, OPTIONS, secret).keeping(0);
    watcher.watch(subject.package.clone());
    subject.inputs.iter().for_each(|t| watcher.provide(t.clone()));
    watcher
}
