//! Why a program is malformed.

use super::types::ValueId;

/// A rule of `docs/program.md` that a program, descriptor or header breaks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProgramError {
    /// A value breaks a rule.
    #[error("value {value}: {reason}")]
    Value {
        /// The value.
        value: ValueId,
        /// The rule it breaks.
        reason: String,
    },
    /// The program as a whole breaks a rule.
    #[error("program: {0}")]
    Program(String),
    /// Bytes that are no descriptor.
    #[error("descriptor: {0}")]
    Descriptor(String),
}
