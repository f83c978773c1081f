//! What must hold when a game is over, whatever happened in it.

use crate::arena::{Arena, BURN_ADDRESS, CHALLENGER_BOND, EXECUTOR_BOND};
use crate::side::Side;
use alloy::primitives::{Address, U256};
use alloy::providers::Provider;
use alloy::rpc::types::Filter;
use alloy::sol_types::SolEvent;
use rebut_contracts::abi::Rebut::{BatchClaimed, Challenged, Claimed, KnownRoot, LeafRevealed, Opened, Withdrawn};
use rebut_contracts::types::{ClaimStatus, Outcome};
use rebut_contracts::{ClaimContent, Client, send};
use std::collections::BTreeMap;

/// A game that is over, with everything paid out.
pub struct Ended {
    /// How the claim ended.
    pub status: ClaimStatus,
    /// What each account put in and got back, wei.
    money: BTreeMap<Address, (U256, U256)>,
    /// Value and, where one lane decided, element that the first dispute came down to.
    pub decided: Option<(u64, Option<u64>)>,
}

impl Ended {
    /// Settles and pays what is left, and checks the contract's books.
    pub async fn settle(arena: &Arena, claim: &ClaimContent) -> Self {
        let keeper = &arena.keeper;
        claim.conclude(keeper).await.expect("anybody can record the end");
        settle_challenges(keeper, claim).await;
        let again = claim.conclude(keeper).await.expect("asking again is safe");
        assert!(again.is_empty(), "an end is recorded once: {again:?}");
        let mut money = deposits(keeper).await;
        money.insert(BURN_ADDRESS, Default::default());
        no_bond_is_held_back(keeper, &money).await;
        for &account in money.keys() {
            let amount = credit(keeper, account).await;
            if amount > U256::ZERO {
                let owner = arena.client_of(account);
                send("withdraw", String::new(), owner.rebut.withdraw(account, amount)).await.expect("a credit is paid");
            }
        }
        for paid in events::<Withdrawn>(keeper).await {
            money.entry(paid.account).or_default().1 += paid.amount;
        }
        everything_is_paid_out(keeper, &money).await;
        Self { status: arena.status(claim).await, money, decided: decided(arena, claim).await }
    }

    /// What an account put in and what it got back.
    pub fn money(&self, account: Address) -> (u64, u64) {
        let (paid, got) = self.money.get(&account).copied().unwrap_or_default();
        (paid.to(), got.to())
    }

    /// Checks how the claim ended.
    pub fn expect(&self, outcome: Outcome) -> &Self {
        assert_eq!(self.status.outcome, outcome, "decided about {:?}", self.decided);
        self
    }

    /// An honest side that stays awake never loses its bond.
    pub fn honest_side_keeps_its_bond(&self, side: &Side) -> &Self {
        let (paid, got) = self.money(side.account);
        assert!(got >= paid, "an honest side put in {paid} and got {got} after {:?}", side.calls());
        self
    }

    /// A side that lied or fell silent loses at least the burn share.
    pub fn loser_pays(&self, side: &Side) -> &Self {
        let (paid, got) = self.money(side.account);
        assert!(got < paid, "a loser put in {paid} and got {got} after {:?}", side.calls());
        self
    }

    /// The winner has its bond and this much more.
    pub fn gains(&self, side: &Side, reward: u64) -> &Self {
        let (paid, got) = self.money(side.account);
        assert_eq!(got, paid + reward, "put in {paid}, sent {:?}", side.calls());
        self
    }

    /// The side got this much of its bond back.
    pub fn gets_back(&self, side: &Side, wei: u64) -> &Self {
        let (paid, got) = self.money(side.account);
        assert_eq!(got, wei, "put in {paid}, sent {:?}", side.calls());
        self
    }
}

/// Settles every challenge of the claim that its owner has not settled; anybody may.
pub async fn settle_challenges(keeper: &Client, claim: &ClaimContent) {
    let opened: Vec<Opened> = claim.events(keeper, claim.id).await.expect("logs");
    let challenged: Vec<Challenged> = claim.events(keeper, claim.id).await.expect("logs");
    for Challenged { challenger, challengeHash, .. } in challenged {
        let id = keeper.rebut.challengeIdOf(claim.id, challenger, challengeHash).call().await.expect("an id");
        if keeper.rebut.challengeStatus(id).call().await.expect("a status").settled {
            continue;
        }
        let opening = opened.iter().find(|o| (o.challenger, o.challengeHash) == (challenger, challengeHash));
        let (root, salt) = opening.map(|o| (o.traceRoot, o.salt)).unwrap_or_default();
        let call = keeper.rebut.settle(claim.data.clone(), challenger, challengeHash, root, salt);
        send("settle", String::new(), call).await.expect("a challenge is settled");
    }
}

/// Once all is settled the balance is all credit: nothing is in escrow.
async fn no_bond_is_held_back(keeper: &Client, money: &BTreeMap<Address, (U256, U256)>) {
    let mut credits = U256::ZERO;
    for &account in money.keys() {
        credits += credit(keeper, account).await;
    }
    assert_eq!(balance(keeper).await, credits, "the balance is escrow and credits, and nothing is in escrow");
}

/// Once all is withdrawn the contract is empty, and what came out is what went in.
async fn everything_is_paid_out(keeper: &Client, money: &BTreeMap<Address, (U256, U256)>) {
    assert_eq!(balance(keeper).await, U256::ZERO, "the contract keeps nothing");
    let total = money.values().fold((U256::ZERO, U256::ZERO), |sum, m| (sum.0 + m.0, sum.1 + m.1));
    assert_eq!(total.0, total.1, "deposits are payments");
}

async fn balance(keeper: &Client) -> U256 {
    keeper.provider().get_balance(*keeper.rebut.address()).await.expect("a balance")
}

async fn credit(keeper: &Client, account: Address) -> U256 {
    keeper.rebut.credit(account).call().await.expect("a credit")
}

/// Every account that has put something in.
async fn deposits(keeper: &Client) -> BTreeMap<Address, (U256, U256)> {
    let mut money = BTreeMap::<Address, (U256, U256)>::new();
    for claim in events::<Claimed>(keeper).await {
        money.entry(claim.executor).or_default().0 += U256::from(EXECUTOR_BOND);
    }
    for batch in events::<BatchClaimed>(keeper).await {
        money.entry(batch.executor).or_default().0 += U256::from(EXECUTOR_BOND) * U256::from(batch.count);
    }
    for challenge in events::<Challenged>(keeper).await {
        money.entry(challenge.challenger).or_default().0 += U256::from(CHALLENGER_BOND);
    }
    money
}

async fn decided(arena: &Arena, claim: &ClaimContent) -> Option<(u64, Option<u64>)> {
    let (id, _) = arena.disputes(claim).await.into_iter().next()?;
    let known: Vec<KnownRoot> = claim.events(&arena.keeper, id).await.expect("logs");
    let leaves: Vec<LeafRevealed> = claim.events(&arena.keeper, id).await.expect("logs");
    let by_root = known.first().map(|k| (k.value.to(), None));
    by_root.or_else(|| leaves.first().map(|l| (l.value.to(), Some(l.element.to()))))
}

/// All events of one kind from this deployment.
pub async fn events<E: SolEvent>(keeper: &Client) -> Vec<E> {
    let filter = Filter::new().address(*keeper.rebut.address()).event_signature(E::SIGNATURE_HASH).from_block(0);
    let logs = keeper.provider().get_logs(&filter).await.expect("logs");
    logs.iter().map(|log| E::decode_log(&log.inner).expect("this event").data).collect()
}
