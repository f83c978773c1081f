//! Time, mining and snapshots over JSON-RPC, on the embedded chain and on anvil alike.

use std::borrow::Cow;

use alloy::eips::BlockNumberOrTag;
use alloy::network::Ethereum;
use alloy::primitives::{Address, U256};
use alloy::providers::Provider;
use alloy::transports::{RpcError, TransportErrorKind, TransportResult};
use serde_json::{Value, json};

use crate::ChainProvider;

/// How anvil says that it has no such snapshot.
const NOT_FOUND: i64 = -32001;

/// The requests only a development chain answers.
#[derive(Clone, Debug)]
pub struct DevRpc<P = ChainProvider> {
    provider: P,
}

impl<P: Provider<Ethereum>> DevRpc<P> {
    /// Requests go through `provider`.
    pub fn new(provider: P) -> Self {
        Self { provider }
    }

    /// Mines one block with every waiting transaction that fits.
    pub async fn mine(&self) -> TransportResult<()> {
        self.request("evm_mine", json!([])).await
    }

    /// Mines `count` blocks.
    pub async fn mine_many(&self, count: u64) -> TransportResult<()> {
        self.request("anvil_mine", json!([U256::from(count)])).await
    }

    /// Mines a block for each transaction, or only when told to.
    pub async fn set_automine(&self, automine: bool) -> TransportResult<()> {
        self.request("evm_setAutomine", json!([automine])).await
    }

    /// Adds `seconds` to the time of the next block.
    pub async fn increase_time(&self, seconds: u64) -> TransportResult<()> {
        self.request("evm_increaseTime", json!([seconds])).await
    }

    /// Gives the next block this timestamp.
    pub async fn set_next_block_timestamp(&self, timestamp: u64) -> TransportResult<()> {
        self.request("evm_setNextBlockTimestamp", json!([timestamp])).await
    }

    /// The seconds between blocks. anvil follows the wall clock until it is told.
    pub async fn set_block_time(&self, seconds: u64) -> TransportResult<()> {
        self.request("anvil_setBlockTimestampInterval", json!([seconds])).await
    }

    /// Mines a block exactly `seconds` after the latest one and returns its timestamp.
    pub async fn advance(&self, seconds: u64) -> TransportResult<u64> {
        let target = self.now().await?.saturating_add(seconds);
        self.set_next_block_timestamp(target).await?;
        self.mine().await?;
        Ok(target)
    }

    /// The latest block's timestamp.
    pub async fn now(&self) -> TransportResult<u64> {
        let block = self.provider.get_block_by_number(BlockNumberOrTag::Latest).await?;
        let block = block.ok_or_else(|| TransportErrorKind::custom_str("the chain has no latest block"))?;
        Ok(block.header.timestamp)
    }

    /// Keeps the chain as it is now, to go back to with [`Self::revert`].
    pub async fn snapshot(&self) -> TransportResult<U256> {
        self.ask("evm_snapshot", json!([])).await
    }

    /// Goes back to a snapshot, which is used up. False if there is no such snapshot.
    pub async fn revert(&self, snapshot: U256) -> TransportResult<bool> {
        let answer = self.ask("evm_revert", json!([snapshot])).await;
        match &answer {
            Err(RpcError::ErrorResp(error)) if error.code == NOT_FOUND => Ok(false),
            _ => answer,
        }
    }

    /// Gives an account this balance.
    pub async fn set_balance(&self, address: Address, wei: U256) -> TransportResult<()> {
        self.request("anvil_setBalance", json!([address, wei])).await
    }

    /// Sets the base fee of the next block only.
    pub async fn set_next_base_fee(&self, wei_per_gas: u64) -> TransportResult<()> {
        self.request("anvil_setNextBlockBaseFeePerGas", json!([U256::from(wei_per_gas)])).await
    }

    /// The answers of these differ from chain to chain and say nothing.
    async fn request(&self, method: &'static str, params: Value) -> TransportResult<()> {
        self.ask::<Value>(method, params).await.map(drop)
    }

    async fn ask<R>(&self, method: &'static str, params: Value) -> TransportResult<R>
    where
        R: alloy::rpc::json_rpc::RpcRecv,
    {
        self.provider.raw_request(Cow::Borrowed(method), params).await
    }
}
