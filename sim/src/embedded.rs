//! A handle on a chain in this process.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use alloy::primitives::{Address, U256};
use alloy::rpc::client::RpcClient;
use alloy::rpc::json_rpc::{RequestPacket, ResponsePacket};
use alloy::signers::local::PrivateKeySigner;

use crate::chain::Chain;
use crate::providers::{ChainProvider, read_only, with_signer};
use crate::{ChainConfig, EmbeddedTransport, rpc};

/// Asking costs next to nothing, so a receipt is not waited for longer than this.
const POLL_INTERVAL: Duration = Duration::from_millis(2);

/// A development chain in this process. Clones are handles on the same chain.
#[derive(Clone)]
pub struct EmbeddedChain(Arc<Mutex<Chain>>);

impl EmbeddedChain {
    /// A new chain at block 0, on which the ten [`crate::dev_accounts`] own [`crate::DEV_BALANCE`] each.
    pub fn new(config: ChainConfig) -> Self {
        Self(Arc::new(Mutex::new(Chain::new(config))))
    }

    /// A provider that signs with `signer` and fills in nonce, gas and fees.
    pub fn provider(&self, signer: PrivateKeySigner) -> ChainProvider {
        with_signer(self.client(), signer)
    }

    /// A provider without a key.
    pub fn reader(&self) -> ChainProvider {
        read_only(self.client())
    }

    /// Creates `wei` for an account.
    pub fn fund(&self, address: Address, wei: U256) {
        self.lock().fund(address, wei);
    }

    /// Lets `seconds` pass and mines a block at the new time, which is returned. Waiting transactions that can
    /// be executed are in that block. Nothing happens if the time would leave the range of dates.
    pub fn advance(&self, seconds: u64) -> u64 {
        let mut chain = self.lock();
        let target = chain.head().timestamp().saturating_add(seconds);
        if chain.set_next_timestamp(target).is_ok() {
            let _ = chain.mine(1);
        }
        chain.head().timestamp()
    }

    /// The latest block's timestamp.
    pub fn now(&self) -> u64 {
        self.lock().head().timestamp()
    }

    /// The latest block's number.
    pub fn block_number(&self) -> u64 {
        self.lock().head().number()
    }

    pub(crate) fn respond(&self, packet: &RequestPacket) -> ResponsePacket {
        let mut chain = self.lock();
        match packet {
            RequestPacket::Single(request) => ResponsePacket::Single(rpc::respond(&mut chain, request)),
            RequestPacket::Batch(requests) => {
                ResponsePacket::Batch(requests.iter().map(|request| rpc::respond(&mut chain, request)).collect())
            }
        }
    }

    fn client(&self) -> RpcClient {
        RpcClient::new(EmbeddedTransport::new(self.clone()), true).with_poll_interval(POLL_INTERVAL)
    }

    fn lock(&self) -> MutexGuard<'_, Chain> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for EmbeddedChain {
    fn default() -> Self {
        Self::new(ChainConfig::default())
    }
}

impl fmt::Debug for EmbeddedChain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbeddedChain").field("block", &self.block_number()).finish()
    }
}
