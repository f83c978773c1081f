//! What a new chain is made with.

use alloy::primitives::Address;
use revm::primitives::hardfork::SpecId;

/// The rules and the starting point of an embedded chain. The default is Osaka on anvil's chain id.
#[derive(Clone, Debug)]
pub struct ChainConfig {
    /// Chain id, as signed into every transaction.
    pub chain_id: u64,
    /// Timestamp of block 0. A constant, so that a test sees the same times on every run.
    pub genesis_time: u64,
    /// Seconds from one block to the next, unless a request says otherwise.
    pub block_time: u64,
    /// Gas limit of every block.
    pub block_gas_limit: u64,
    /// Base fee of block 0, in wei per gas.
    pub base_fee: u64,
    /// Where the tips go.
    pub beneficiary: Address,
    /// Mine a block for every transaction that can be executed.
    pub automine: bool,
    /// The hard fork whose execution rules hold.
    pub spec: SpecId,
}

impl Default for ChainConfig {
    fn default() -> Self {
        Self {
            chain_id: 31_337,
            genesis_time: 1_800_000_000,
            block_time: 1,
            block_gas_limit: 60_000_000,
            base_fee: 1_000_000_000,
            beneficiary: Address::ZERO,
            automine: true,
            spec: SpecId::OSAKA,
        }
    }
}
