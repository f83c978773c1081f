//! A place to play games on: the contracts on the embedded chain or on a node, accounts, and time that moves on demand.

use crate::rules::Ended;
use crate::side::Side;
use alloy::primitives::{Address, B256, Uint};
use rebut_contracts::abi::Rebut::{Opened, Parameters};
use rebut_contracts::types::{ClaimPhase, ClaimStatus, DisputePhase, DisputeStatus};
use rebut_contracts::{ClaimContent, Client, Deployment, b256, send, typed};
use rebut_engine::package::Package;
use rebut_sim::{ChainConfig, ChainProvider, DevRpc, EmbeddedChain, connect_http, dev_accounts};

/// The executor's bond in wei: odd, so that every division has a remainder.
pub const EXECUTOR_BOND: u64 = 2_000_003;
/// The challenger's bond in wei.
pub const CHALLENGER_BOND: u64 = 1_000_001;
/// The burnt part of a lost bond, in 1/10,000.
pub const BURN_BPS: u64 = 5_001;
/// Where burnt bonds go.
pub const BURN_ADDRESS: Address = Address::repeat_byte(0xdd);
/// A game that takes more rounds than this does not end.
const MOST_ROUNDS: usize = 300;

/// What the contracts are deployed with.
pub fn parameters() -> Parameters {
    Parameters {
        windowSeconds: 3600,
        openSeconds: 1800,
        commitSeconds: 3600,
        clockSeconds: 3600,
        stepSeconds: 3600,
        exclusiveSeconds: 120,
        leavesPerSecond: 10_000,
        burnBps: BURN_BPS as u16,
        executorBond: Uint::from(EXECUTOR_BOND),
        challengerBond: Uint::from(CHALLENGER_BOND),
        // Bonds of a few wei cover no gas.
        gasPriceCap: 0,
        traceCost: Uint::ZERO,
        burnAddress: BURN_ADDRESS,
        guardian: Address::ZERO,
    }
}

/// What is left of a bond after its burn share, which is rounded up.
pub const fn unburnt(bond: u64) -> u64 {
    bond - (bond * BURN_BPS).div_ceil(10_000)
}

/// The chain under an arena.
enum Host {
    Embedded(EmbeddedChain),
    Http(String),
}

impl Host {
    fn provider(&self, account: usize) -> ChainProvider {
        let signer = dev_accounts(account + 1).pop().expect("ten development accounts");
        match self {
            Self::Embedded(chain) => chain.provider(signer),
            Self::Http(url) => connect_http(url, signer).expect("a URL"),
        }
    }
}

/// A fresh deployment on some chain. Account 0 deploys and keeps house: it calls what anybody may call.
pub struct Arena {
    host: Host,
    /// Where the contracts are.
    pub deployment: Deployment,
    /// Account 0, which has no stake.
    pub keeper: Client,
    /// The chain's time.
    pub time: DevRpc,
}

impl Arena {
    /// On a chain in this process.
    pub async fn embedded() -> Self {
        Self::embedded_with(parameters()).await
    }

    /// The same with other parameters.
    pub async fn embedded_with(parameters: Parameters) -> Self {
        Self::embedded_on(ChainConfig::default(), parameters).await
    }

    /// The same on a chain with other rules.
    pub async fn embedded_on(chain: ChainConfig, parameters: Parameters) -> Self {
        Self::on(Host::Embedded(EmbeddedChain::new(chain)), parameters).await
    }

    /// On a development node.
    pub async fn http(url: &str) -> Self {
        let arena = Self::on(Host::Http(url.into()), parameters()).await;
        // The wall clock has no part in a game.
        arena.time.set_block_time(1).await.expect("a development node");
        arena
    }

    async fn on(host: Host, parameters: Parameters) -> Self {
        let provider = host.provider(0);
        let deployment = Client::deploy(&provider, parameters).await.expect("the contracts deploy");
        let time = DevRpc::new(provider.clone());
        let keeper = Client::new(provider, deployment.rebut, dev_accounts(1)[0].address());
        Self { host, deployment, keeper, time }
    }

    /// The client of a development account.
    pub fn client(&self, account: usize) -> Client {
        let provider = self.host.provider(account);
        let address = dev_accounts(account + 1).pop().expect("ten development accounts").address();
        Client::new(provider, self.deployment.rebut, address)
    }

    /// The client of a development account by its address; the keeper's for any other.
    pub fn client_of(&self, address: Address) -> Client {
        let index = dev_accounts(10).iter().position(|signer| signer.address() == address);
        self.client(index.unwrap_or_default())
    }

    /// Registers a program.
    pub async fn register(&self, package: &Package) {
        let identity = package.identity();
        self.keeper.register(b256(identity.program_id), &identity.header_bytes).await.expect("the program registers");
    }

    /// The claim's disputes as they stand, oldest first.
    pub async fn disputes(&self, claim: &ClaimContent) -> Vec<(B256, DisputeStatus)> {
        let opened: Vec<Opened> = claim.events(&self.keeper, claim.id).await.expect("logs");
        let mut disputes: Vec<(B256, DisputeStatus)> = Vec::new();
        for id in opened.iter().map(|o| o.disputeId) {
            if disputes.iter().all(|d| d.0 != id) {
                let status = self.keeper.rebut.dispute(id).call().await.expect("a status");
                disputes.push((id, typed(&status).expect("a status")));
            }
        }
        disputes
    }

    /// How the claim stands.
    pub async fn status(&self, claim: &ClaimContent) -> ClaimStatus {
        claim.status(&self.keeper).await.expect("a status")
    }

    /// The next deadline of the claim or one of its disputes.
    pub async fn next_deadline(&self, claim: &ClaimContent) -> u64 {
        let status = self.status(claim).await;
        let mut deadlines = vec![status.windowEnds, status.openingEnds];
        if status.phase == ClaimPhase::Committing {
            deadlines.push(status.committingEnds);
        }
        let disputes = self.disputes(claim).await;
        deadlines.extend(disputes.iter().map(|(_, d)| d.deadline));
        let now = self.time.now().await.expect("a time");
        let next = deadlines.into_iter().map(|d| d.to::<u64>()).filter(|&d| d >= now).min();
        next.unwrap_or_else(|| panic!("nothing is due in {:?}: {disputes:?}", status.phase))
    }

    /// Moves time just past the next deadline of the claim or one of its disputes.
    pub async fn pass_deadline(&self, claim: &ClaimContent) {
        let next = self.next_deadline(claim).await;
        let now = self.time.now().await.expect("a time");
        self.time.advance(next + 1 - now).await.expect("time moves");
    }

    /// Ends by the clock what neither side ends: a dispute in which nobody stepped, or whose winner is silent too.
    pub async fn time_out(&self, claim: &ClaimContent) -> bool {
        let disputes = self.disputes(claim).await;
        let overdue = disputes.into_iter().find(|(_, d)| d.phase == DisputePhase::Overdue);
        let Some((id, _)) = overdue else { return false };
        send("timeout", String::new(), self.keeper.rebut.timeout(id)).await.expect("an overdue dispute ends");
        true
    }

    /// Lets the sides act in turn until the claim has ended and none has anything left to do; then settles what is left, pays
    /// everybody and checks that the contract is empty.
    pub async fn fight(&self, claim: &ClaimContent, sides: &mut [&mut Side]) -> Ended {
        for _ in 0..MOST_ROUNDS {
            let mut acted = 0;
            for side in sides.iter_mut() {
                acted += side.tick().await;
            }
            let status = self.status(claim).await;
            if acted > 0 {
                continue;
            }
            if matches!(status.phase, ClaimPhase::Silent | ClaimPhase::Final | ClaimPhase::Refuted) {
                return Ended::settle(self, claim).await;
            }
            if !self.time_out(claim).await {
                self.pass_deadline(claim).await;
            }
        }
        panic!("the claim has not ended after {MOST_ROUNDS} rounds");
    }
}
