//! Programs: what a model becomes. `docs/program.md` is the specification.

mod codec;
mod dtype;
mod error;
mod identity;
pub mod limits;
mod op;
mod parse;
mod text;
mod types;
mod validate;

pub use codec::{decode_descriptor, encode_descriptor};
pub use dtype::DType;
pub use error::ProgramError;
pub use identity::{Header, Identity};
pub use op::{FoldOp, Op, Typing};
pub use parse::{TextError, parse_program};
pub use text::{ValueText, program_text};
pub use types::*;
pub(crate) use validate::epilogue_types;
pub use validate::validate;
