//! Executes waiting transactions into a block.

use std::collections::HashSet;
use std::convert::Infallible;

use alloy::consensus::constants::{EMPTY_OMMER_ROOT_HASH, EMPTY_WITHDRAWALS};
use alloy::consensus::proofs::{calculate_receipt_root, calculate_transaction_root};
use alloy::consensus::{Header, Receipt, ReceiptEnvelope, Sealable, Transaction, TxReceipt};
use alloy::eips::eip7685::EMPTY_REQUESTS_HASH;
use alloy::primitives::{Address, B256, Bloom, U256};
use alloy::rpc::types::{Log, TransactionReceipt};
use revm::context::result::{EVMError, ExecutionResult, InvalidTransaction};
use revm::context::{BlockEnv, CfgEnv, ContextTr};
use revm::{Database, DatabaseCommit, ExecuteEvm};

use super::block::Block;
use super::evm::{EvmOn, evm_on, transaction_env};
use super::history::Undo;
use super::pool::{Pool, PoolTransaction};

pub(crate) struct BlockBuilder<DB: Database> {
    evm: EvmOn<DB>,
    block: BlockEnv,
    gas_used: u64,
    executed: Vec<Executed>,
    undo: Undo,
}

struct Executed {
    transaction: PoolTransaction,
    receipt: ReceiptEnvelope,
    gas_used: u64,
    created: Option<Address>,
}

/// Why a transaction is not in the block.
enum Refusal {
    /// A later block may take it.
    NotYet,
    /// No block ever will.
    Never,
}

impl<DB: Database<Error = Infallible> + DatabaseCommit> BlockBuilder<DB> {
    pub(crate) fn new(db: DB, cfg: CfgEnv, block: BlockEnv) -> Self {
        let evm = evm_on(db, cfg, block.clone());
        Self { evm, block, gas_used: 0, executed: Vec::new(), undo: Undo::default() }
    }

    /// Takes up to `limit` transactions in the order of arrival, again and again as long as one of them lets
    /// an earlier one follow. Returns the hashes of those that can never be executed.
    pub(crate) fn fill(&mut self, pool: &Pool, limit: usize) -> Vec<B256> {
        let mut settled = HashSet::new();
        let mut dropped = Vec::new();
        loop {
            let before = self.executed.len();
            for transaction in pool.iter() {
                let hash = *transaction.tx_hash();
                if self.executed.len() == limit {
                    return dropped;
                }
                if settled.contains(&hash) {
                    continue;
                }
                match self.execute(transaction) {
                    Err(Refusal::NotYet) => continue,
                    Err(Refusal::Never) => dropped.push(hash),
                    Ok(()) => {}
                }
                settled.insert(hash);
            }
            if self.executed.len() == before {
                return dropped;
            }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.executed.is_empty()
    }

    fn execute(&mut self, transaction: &PoolTransaction) -> Result<(), Refusal> {
        if transaction.gas_limit() > self.block.gas_limit - self.gas_used {
            return Err(Refusal::NotYet);
        }
        let outcome = self.evm.transact(transaction_env(transaction)).map_err(|error| match error {
            EVMError::Transaction(
                InvalidTransaction::NonceTooHigh { .. } | InvalidTransaction::GasPriceLessThanBasefee,
            ) => Refusal::NotYet,
            _ => Refusal::Never,
        })?;
        self.undo.record(self.evm.ctx.db_mut(), &outcome.state);
        self.evm.ctx.db_mut().commit(outcome.state);
        self.add(transaction.clone(), outcome.result);
        Ok(())
    }

    fn add(&mut self, transaction: PoolTransaction, result: ExecutionResult) {
        let gas_used = result.tx_gas_used();
        self.gas_used += gas_used;
        let status = result.is_success();
        let created = result.created_address();
        let logs = if status { result.into_logs() } else { Vec::new() };
        let receipt = Receipt { status: status.into(), cumulative_gas_used: self.gas_used, logs };
        let receipt = ReceiptEnvelope::from_typed(transaction.tx_type(), receipt);
        self.executed.push(Executed { transaction, receipt, gas_used, created });
    }

    /// There is no state trie, so the header's state root is zero.
    pub(crate) fn seal(self, parent: &Block) -> Block {
        let receipts: Vec<_> = self.executed.iter().map(|executed| executed.receipt.clone()).collect();
        let bodies: Vec<_> = self.executed.iter().map(|executed| executed.transaction.inner()).collect();
        let header = Header {
            parent_hash: parent.hash(),
            transactions_root: calculate_transaction_root(&bodies),
            receipts_root: calculate_receipt_root(&receipts),
            logs_bloom: receipts.iter().fold(Bloom::ZERO, |bloom, receipt| bloom | receipt.bloom()),
            gas_used: self.gas_used,
            ..header_of(&self.block)
        };
        assemble(header, self.executed, self.undo)
    }
}

/// Block 0, which holds nothing.
pub(crate) fn genesis(block: &BlockEnv) -> Block {
    assemble(header_of(block), Vec::new(), Undo::default())
}

fn header_of(block: &BlockEnv) -> Header {
    Header {
        ommers_hash: EMPTY_OMMER_ROOT_HASH,
        beneficiary: block.beneficiary,
        state_root: B256::ZERO,
        number: block.number.saturating_to(),
        gas_limit: block.gas_limit,
        timestamp: block.timestamp.saturating_to(),
        difficulty: U256::ZERO,
        mix_hash: block.prevrandao.unwrap_or_default(),
        base_fee_per_gas: Some(block.basefee),
        withdrawals_root: Some(EMPTY_WITHDRAWALS),
        blob_gas_used: Some(0),
        excess_blob_gas: Some(0),
        parent_beacon_block_root: Some(B256::ZERO),
        requests_hash: Some(EMPTY_REQUESTS_HASH),
        ..Header::default()
    }
}

fn assemble(header: Header, executed: Vec<Executed>, undo: Undo) -> Block {
    let header = header.seal_slow();
    let mut log_index = 0;
    let mut receipts = Vec::with_capacity(executed.len());
    let mut transactions = Vec::with_capacity(executed.len());
    for (index, Executed { transaction, receipt, gas_used, created }) in executed.into_iter().enumerate() {
        let place = |inner| {
            let log = Log {
                inner,
                block_hash: Some(header.hash()),
                block_number: Some(header.number),
                block_timestamp: Some(header.timestamp),
                transaction_hash: Some(*transaction.tx_hash()),
                transaction_index: Some(index as u64),
                log_index: Some(log_index),
                removed: false,
            };
            log_index += 1;
            log
        };
        receipts.push(TransactionReceipt {
            inner: receipt.map_logs(place),
            transaction_hash: *transaction.tx_hash(),
            transaction_index: Some(index as u64),
            block_hash: Some(header.hash()),
            block_number: Some(header.number),
            gas_used,
            effective_gas_price: transaction.effective_gas_price(header.base_fee_per_gas),
            blob_gas_used: None,
            blob_gas_price: None,
            from: transaction.signer(),
            to: transaction.to(),
            contract_address: created,
        });
        transactions.push(transaction);
    }
    Block { header, transactions, receipts, undo }
}
