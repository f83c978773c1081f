//! The demo: a lie about a real model, told on the embedded chain and rebutted there; then an honest claim.

mod built_in;
mod report;
mod stage;
mod tell;

pub use built_in::built_in;
pub use report::{Disputed, HonestClaim, Move, Report};
pub use stage::{Scene, StageError, lie_places, play, random_lie};
pub use tell::tell;
