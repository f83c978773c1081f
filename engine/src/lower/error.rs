//! Why a model cannot become a program.

use super::bill::STEP_GAS_CEILING;
use crate::program::ProgramError;

/// Why a model cannot become a program, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LowerError {
    /// A node has an operator that is not supported.
    #[error("unsupported operator {operator} (node `{node}`)")]
    Operator {
        /// The operator.
        operator: String,
        /// The node's name, or its first output's.
        node: String,
    },
    /// A node uses its operator in a way that is not supported or makes no sense.
    #[error("{operator} (node `{node}`): {reason}")]
    Node {
        /// The operator.
        operator: String,
        /// The node's name, or its first output's.
        node: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A graph input cannot be an input of a program.
    #[error("input `{name}`: {reason}")]
    Input {
        /// The input.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A graph output cannot be an output of a program.
    #[error("output `{name}`: {reason}")]
    Output {
        /// The output.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// An instruction whose step would cost more than a step may, however its operands are laid out.
    #[error("{operator} (node `{node}`): a step would cost up to {gas} gas, above the ceiling of {STEP_GAS_CEILING}")]
    Step {
        /// The operators that the instruction is made from.
        operator: String,
        /// The node's name.
        node: String,
        /// Its bill.
        gas: u64,
    },
    /// The program breaks a limit of programs.
    #[error(transparent)]
    Program(#[from] ProgramError),
}
