//! Block time, which moves only when a block is mined or a request moves it.

use super::error::ChainError;

/// Far beyond any date, and far enough from the end of the integers that adding to it is safe.
const LATEST_TIME: u64 = 1 << 48;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    block_time: u64,
    /// Added once, to the next block.
    skipped: u64,
    /// All that was ever skipped.
    total_skipped: u64,
    exact: Option<u64>,
}

impl Clock {
    pub(crate) fn new(block_time: u64) -> Self {
        Self { block_time, skipped: 0, total_skipped: 0, exact: None }
    }

    /// The timestamp of the block after one at `parent`; always later.
    pub(crate) fn next(&self, parent: u64) -> u64 {
        self.exact.unwrap_or(parent + self.block_time.max(1) + self.skipped)
    }

    pub(crate) fn block_mined(&mut self) {
        self.skipped = 0;
        self.exact = None;
    }

    pub(crate) fn skip(&mut self, seconds: u64, parent: u64) -> Result<u64, ChainError> {
        let total = self.total_skipped.checked_add(seconds);
        match total {
            Some(total) if self.next(parent).saturating_add(seconds) <= LATEST_TIME => {
                self.total_skipped = total;
                self.skipped += seconds;
                self.exact = self.exact.map(|time| time + seconds);
                Ok(total)
            }
            _ => Err(ChainError::InvalidParameter(format!("cannot skip {seconds} seconds"))),
        }
    }

    pub(crate) fn set_next(&mut self, timestamp: u64, parent: u64) -> Result<(), ChainError> {
        if timestamp <= parent || timestamp > LATEST_TIME {
            return Err(ChainError::InvalidParameter(format!(
                "timestamp {timestamp} must be later than the latest block's, {parent}, and at most {LATEST_TIME}"
            )));
        }
        self.exact = Some(timestamp);
        Ok(())
    }

    pub(crate) fn set_block_time(&mut self, seconds: u64) -> Result<(), ChainError> {
        if seconds == 0 || seconds > u64::from(u32::MAX) {
            return Err(ChainError::InvalidParameter(format!("block time of {seconds} seconds")));
        }
        self.block_time = seconds;
        Ok(())
    }
}
