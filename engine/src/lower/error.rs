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
    /// A node needs to know when compiling what comes from graph inputs; it may be lowered when they are bound to constants.
    #[error("{operator} (node `{node}`): {what}: bind {} to a constant", listed(inputs))]
    Unbound {
        /// The operator.
        operator: String,
        /// The node's name, or its first output's.
        node: String,
        /// What is not known.
        what: String,
        /// The graph inputs that it comes from, in the model's order; at least one.
        inputs: Vec<String>,
    },
    /// A graph input cannot be an input of a program.
    #[error("input `{name}`: {reason}")]
    Input {
        /// The input.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A dimension was given a number that no input has.
    #[error("no input of the model has a dimension named `{name}`")]
    Dimension {
        /// The dimension's name.
        name: String,
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

fn listed(inputs: &[String]) -> String {
    let names: Vec<String> = inputs.iter().map(|name| format!("`{name}`")).collect();
    format!("input{} {}", if names.len() == 1 { "" } else { "s" }, names.join(", "))
}
