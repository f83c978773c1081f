//! What happened, in numbers.

use serde::Serialize;
use std::fmt;
use std::ops::AddAssign;

/// What happened.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(in crate::invariants) struct Totals {
    pub(super) episodes: u64,
    /// Transactions to the contract.
    pub(in crate::invariants) calls: u64,
    /// Those that it refused.
    pub(super) refused: u64,
    pub(super) claims: u64,
    pub(super) challenges: u64,
    pub(super) refuted: u64,
    pub(super) batches: u64,
    pub(super) items: u64,
    /// Items that became claims of their own, which are among the claims.
    pub(super) extracted: u64,
    /// Steps that the contract took: disputes that went to their end.
    pub(super) steps: u64,
}

impl AddAssign for Totals {
    fn add_assign(&mut self, other: Self) {
        self.episodes += other.episodes;
        self.calls += other.calls;
        self.refused += other.refused;
        self.claims += other.claims;
        self.challenges += other.challenges;
        self.refuted += other.refuted;
        self.batches += other.batches;
        self.items += other.items;
        self.extracted += other.extracted;
        self.steps += other.steps;
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { episodes, calls, refused, claims, challenges, refuted, batches, items, extracted, steps } = self;
        write!(
            f,
            "{episodes} episodes, {calls} calls ({refused} refused), {claims} claims ({refuted} refuted), \
             {extracted} of them out of {items} items of {batches} batches, {challenges} challenges, {steps} steps"
        )
    }
}
