//! What those do who are not honest, and what happens by chance.

use super::{CLAIMS, EXECUTOR, Entry, GAS, GAS_PRICE, OTHERS, World};
use crate::Failure;
use crate::stories::Story;
use alloy::network::TransactionBuilder;
use alloy::primitives::U256;
use alloy::providers::Provider;
use alloy::rpc::types::TransactionRequest;
use rand::Rng;
use rand::seq::IndexedRandom;
use rebut_contracts::{Client, send};

impl World<'_> {
    pub(super) fn story(&mut self) -> Story {
        if self.rng.random_bool(0.2) { None } else { self.lies.choose(&mut self.rng).copied() }
    }

    pub(super) fn other(&mut self) -> usize {
        OTHERS[self.rng.random_range(0..OTHERS.len())]
    }

    pub(super) async fn somebody_claims(&mut self) -> Result<(), Failure> {
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
    pub(super) async fn somebody_challenges(&mut self) -> Result<(), Failure> {
        let (account, story) = (self.other(), self.story());
        let entry = self.rng.random_range(0..self.entries.len());
        let _ = self.challenges(account, entry, story).await;
        Ok(())
    }

    pub(super) async fn somebody_plays(&mut self) -> Result<(), Failure> {
        let entry = self.rng.random_range(0..self.entries.len());
        let games = &self.entries[entry].games;
        if let Some((_, game)) = games.choose(&mut self.rng).filter(|(account, _)| OTHERS.contains(account)) {
            let _ = game.advance().await;
        }
        Ok(())
    }

    /// Liars in this episode's fashion, without whom a dispute seldom comes to its step; how many calls they sent.
    pub(super) async fn others_act(&mut self) -> usize {
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

    pub(super) async fn somebody_concedes(&mut self) {
        let entry = self.rng.random_range(0..self.entries.len());
        let Entry { content, games, .. } = &self.entries[entry];
        let account = games.first().map(|(account, _)| *account).filter(|account| OTHERS.contains(account));
        if let Some(account) = account {
            let client: Client = self.arena.client(account);
            let _ = send("concede", String::new(), client.rebut.concede(content.data.clone())).await;
        }
    }

    pub(super) async fn somebody_repeats(&mut self) -> Result<(), Failure> {
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
}
