//! Base fee, suggested tip and fee history.

use alloy::consensus::Transaction;
use alloy::eips::eip1559::{BaseFeeParams, calc_next_block_base_fee};
use alloy::rpc::types::FeeHistory;

use super::Chain;
use super::block::Block;
use super::error::ChainError;

/// Suggested by `eth_maxPriorityFeePerGas`: 1 gwei.
pub(crate) const SUGGESTED_TIP: u128 = 1_000_000_000;
/// The longest history one request may ask for, as on public nodes.
const LONGEST_HISTORY: u64 = 1_024;
const MOST_PERCENTILES: usize = 100;

/// EIP-1559: follows how full the parent was.
pub(crate) fn base_fee_after(parent: &Block) -> u64 {
    let header = &parent.header;
    calc_next_block_base_fee(header.gas_used, header.gas_limit, parent.base_fee(), BaseFeeParams::ethereum())
}

impl Chain {
    pub(crate) fn gas_price(&self) -> u128 {
        u128::from(self.next_base_fee()) + SUGGESTED_TIP
    }

    /// Base fees, fullness and tips of the `count` blocks that end with `newest`.
    pub(crate) fn fee_history(
        &self,
        count: u64,
        newest: u64,
        percentiles: Option<&[f64]>,
    ) -> Result<FeeHistory, ChainError> {
        if let Some(percentiles) = percentiles {
            check_percentiles(percentiles)?;
        }
        let oldest = (newest + 1).saturating_sub(count.min(LONGEST_HISTORY));
        let blocks: Vec<_> = (oldest..=newest).filter_map(|number| self.block(number)).collect();
        let following = match self.block(newest + 1) {
            Some(block) => block.base_fee(),
            None => self.next_base_fee(),
        };
        let base_fees = blocks.iter().map(|block| block.base_fee()).chain([following]);
        let fullness = |block: &Block| block.header.gas_used as f64 / block.header.gas_limit.max(1) as f64;
        Ok(FeeHistory {
            base_fee_per_gas: base_fees.map(u128::from).collect(),
            gas_used_ratio: blocks.iter().map(|block| fullness(block)).collect(),
            base_fee_per_blob_gas: vec![1; blocks.len() + 1],
            blob_gas_used_ratio: vec![0.0; blocks.len()],
            oldest_block: oldest,
            reward: percentiles.map(|percentiles| blocks.iter().map(|block| tips(block, percentiles)).collect()),
        })
    }
}

fn check_percentiles(percentiles: &[f64]) -> Result<(), ChainError> {
    let ascending = percentiles.windows(2).all(|pair| pair[0] <= pair[1]);
    let in_range = percentiles.iter().all(|percentile| (0.0..=100.0).contains(percentile));
    if ascending && in_range && percentiles.len() <= MOST_PERCENTILES {
        return Ok(());
    }
    Err(ChainError::InvalidParameter(format!(
        "reward percentiles must ascend from 0 to 100, at most {MOST_PERCENTILES} of them"
    )))
}

/// For each percentile of the block's gas, the tip of the transaction that used it, cheapest first.
fn tips(block: &Block, percentiles: &[f64]) -> Vec<u128> {
    let base_fee = block.base_fee();
    let mut paid: Vec<(u128, u64)> = block
        .transactions
        .iter()
        .zip(&block.receipts)
        .map(|(signed, receipt)| (signed.effective_tip_per_gas(base_fee).unwrap_or(0), receipt.gas_used))
        .collect();
    paid.sort_unstable();
    let tip_at = |percentile: &f64| {
        let threshold = block.header.gas_used as f64 * percentile / 100.0;
        let mut used = 0;
        let reached = paid.iter().find(|(_, gas)| {
            used += gas;
            used as f64 >= threshold
        });
        reached.or(paid.last()).map_or(0, |(tip, _)| *tip)
    };
    percentiles.iter().map(tip_at).collect()
}
