//! A mined block and its forms in JSON-RPC.

use alloy::consensus::transaction::{Recovered, TransactionInfo};
use alloy::consensus::{BlockHeader, Header, Sealed};
use alloy::network::primitives::BlockTransactions;
use alloy::primitives::B256;
use alloy::rpc::types::{self as rpc, TransactionReceipt};

use super::history::Undo;
use super::pool::{PoolTransaction, SignedTransaction};

#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) header: Sealed<Header>,
    pub(crate) transactions: Vec<PoolTransaction>,
    pub(crate) receipts: Vec<TransactionReceipt>,
    pub(crate) undo: Undo,
}

impl Block {
    pub(crate) fn number(&self) -> u64 {
        self.header.number
    }

    pub(crate) fn hash(&self) -> B256 {
        self.header.hash()
    }

    pub(crate) fn timestamp(&self) -> u64 {
        self.header.timestamp
    }

    pub(crate) fn base_fee(&self) -> u64 {
        self.header.base_fee_per_gas.unwrap_or_default()
    }

    pub(crate) fn logs(&self) -> impl Iterator<Item = &rpc::Log> {
        self.receipts.iter().flat_map(|receipt| receipt.inner.logs())
    }

    pub(crate) fn to_rpc(&self, full: bool) -> rpc::Block {
        let transactions = if full {
            BlockTransactions::Full((0..self.transactions.len()).filter_map(|at| self.transaction(at)).collect())
        } else {
            BlockTransactions::Hashes(self.transactions.iter().map(|signed| *signed.tx_hash()).collect())
        };
        let header = rpc::Header::from_sealed(self.header.clone());
        rpc::Block::new(header, transactions).with_withdrawals(Some(Default::default()))
    }

    pub(crate) fn transaction(&self, at: usize) -> Option<rpc::Transaction> {
        let signed = self.transactions.get(at)?;
        let place = TransactionInfo {
            hash: Some(*signed.tx_hash()),
            index: Some(at as u64),
            block_hash: Some(self.hash()),
            block_number: Some(self.number()),
            base_fee: self.header.base_fee_per_gas(),
            block_timestamp: Some(self.timestamp()),
        };
        Some(rpc::Transaction::from_transaction(Recovered::clone(signed), place))
    }
}

/// How a transaction looks that no block holds yet.
pub(crate) fn waiting_transaction(signed: &Recovered<SignedTransaction>) -> rpc::Transaction {
    let nowhere = TransactionInfo { hash: Some(*signed.tx_hash()), ..Default::default() };
    rpc::Transaction::from_transaction(signed.clone(), nowhere)
}
