//! What must hold at any time, and the reckoning at the end.

use super::{EXECUTOR, Entry, WATCHER, World};
use crate::Failure;
use alloy::consensus::Transaction;
use alloy::network::TransactionResponse;
use alloy::primitives::U256;
use alloy::providers::Provider;
use alloy::sol_types::SolCall;
use rebut_contracts::abi::Rebut::{Credited, Deposited, RefundRecorded, stepCall};
use rebut_contracts::types::Outcome as Ending;
use rebut_contracts::{ClaimContent, send};
use rebut_tests::rules::{events, settle_challenges};

impl World<'_> {
    /// What must hold at any time; and the calls since the last look.
    pub(super) async fn look(&mut self) -> Result<(), Failure> {
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
    pub(super) fn judge(&self, content: &ClaimContent, wrong: bool, stands: bool) -> Result<(), Failure> {
        let honest = content.data.executor == self.arena.client(EXECUTOR).account;
        match stands {
            true if wrong => Err(format!("the wrong claim {} stands", content.id).into()),
            false if honest => Err(format!("the honest claim {} does not stand", content.id).into()),
            _ => Ok(()),
        }
    }

    /// Ends every claim, settles every bond, and compares.
    pub(super) async fn reckon(&mut self) -> Result<(), Failure> {
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
