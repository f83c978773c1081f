//! Transactions that wait for a block, in the order in which they arrived.

use std::sync::Arc;

use alloy::consensus::transaction::{Recovered, SignerRecoverable};
use alloy::consensus::{Transaction, TxEnvelope};
use alloy::eips::eip2718::Decodable2718;
use alloy::primitives::{Address, B256, U256};

use super::error::ChainError;

pub(crate) type SignedTransaction = TxEnvelope;
pub(crate) type PoolTransaction = Arc<Recovered<SignedTransaction>>;

/// A replacement must raise both fees by this much, as on public nodes.
const REPLACEMENT_RAISE_PERCENT: u128 = 10;

#[derive(Clone, Debug, Default)]
pub(crate) struct Pool {
    waiting: Vec<PoolTransaction>,
}

/// Reads the bytes of `eth_sendRawTransaction` and recovers who signed them.
pub(crate) fn decode(raw: &[u8]) -> Result<PoolTransaction, ChainError> {
    let transaction = SignedTransaction::decode_2718_exact(raw)
        .map_err(|error| ChainError::InvalidParameter(format!("cannot decode the transaction: {error}")))?;
    if transaction.is_eip4844() {
        return Err(ChainError::Rejected("blob transactions are not supported".into()));
    }
    if transaction.chain_id().is_none() {
        return Err(ChainError::Rejected("only replay-protected (EIP-155) transactions allowed over RPC".into()));
    }
    let signer = transaction.recover_signer().map_err(|_| ChainError::Rejected("invalid sender".into()))?;
    Ok(Arc::new(Recovered::new_unchecked(transaction, signer)))
}

impl Pool {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &PoolTransaction> {
        self.waiting.iter()
    }

    pub(crate) fn get(&self, hash: B256) -> Option<&PoolTransaction> {
        self.waiting.iter().find(|waiting| *waiting.tx_hash() == hash)
    }

    pub(crate) fn remove(&mut self, hash: B256) -> bool {
        let before = self.waiting.len();
        self.waiting.retain(|waiting| *waiting.tx_hash() != hash);
        self.waiting.len() < before
    }

    /// The nonce `sender` should sign next, when its account is at `nonce`.
    pub(crate) fn next_nonce(&self, sender: Address, nonce: u64) -> u64 {
        let taken = |nonce| self.find(sender, nonce).is_some();
        (nonce..u64::MAX).find(|nonce| !taken(*nonce)).unwrap_or(u64::MAX)
    }

    /// The most that `sender`'s waiting transactions can cost, without the one that `nonce` would replace.
    pub(crate) fn committed(&self, sender: Address, nonce: u64) -> U256 {
        let others = self.waiting.iter().filter(|other| other.signer() == sender && other.nonce() != nonce);
        others.map(|other| highest_cost(other)).fold(U256::ZERO, U256::saturating_add)
    }

    /// Adds a transaction, or replaces the one with the same sender and nonce.
    pub(crate) fn insert(&mut self, transaction: PoolTransaction) -> Result<(), ChainError> {
        if let Some(existing) = self.find(transaction.signer(), transaction.nonce()) {
            if existing.tx_hash() == transaction.tx_hash() {
                return Err(ChainError::Rejected("already known".into()));
            }
            if !raises_fees(existing, &transaction) {
                return Err(ChainError::Rejected("replacement transaction underpriced".into()));
            }
            let replaced = *existing.tx_hash();
            self.remove(replaced);
        }
        self.waiting.push(transaction);
        Ok(())
    }

    fn find(&self, sender: Address, nonce: u64) -> Option<&PoolTransaction> {
        self.waiting.iter().find(|waiting| waiting.signer() == sender && waiting.nonce() == nonce)
    }
}

pub(crate) fn highest_cost(transaction: &Recovered<SignedTransaction>) -> U256 {
    let gas = U256::from(transaction.gas_limit()).saturating_mul(U256::from(transaction.max_fee_per_gas()));
    gas.saturating_add(transaction.value())
}

pub(crate) fn check_funds(balance: U256, needed: U256) -> Result<(), ChainError> {
    if needed > balance {
        return Err(ChainError::insufficient_funds(balance, needed));
    }
    Ok(())
}

fn raises_fees(old: &Recovered<SignedTransaction>, new: &Recovered<SignedTransaction>) -> bool {
    let raised = |old: u128, new: u128| {
        new > old && new.saturating_mul(100) >= old.saturating_mul(100 + REPLACEMENT_RAISE_PERCENT)
    };
    let tip = |transaction: &Recovered<SignedTransaction>| {
        transaction.max_priority_fee_per_gas().unwrap_or(transaction.max_fee_per_gas())
    };
    raised(old.max_fee_per_gas(), new.max_fee_per_gas()) && raised(tip(old), tip(new))
}
