//! The pure side of a dispute: where two traces differ, what a side reveals, and the witness of the last step.
//!
//! `docs/protocol.md` describes the game; the contracts enforce it. Nothing here chooses: every move is forced by content.

mod length;
mod play;
mod position;
mod witness;

pub use length::{most_turns, turns};
pub use play::{DisputeError, Play, first_list, output_proof, outputs_proof, play};
pub use position::{Position, Side, Stage};
pub use witness::{Operands, Read, evaluate, witness};
