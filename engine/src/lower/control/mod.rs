//! Operators whose attributes are graphs. What they run is decided when compiling: the branch that a constant condition takes, the
//! iterations of a constant number, the elements of a sequence. What is left are the bodies' nodes, once an iteration.

mod body;
mod branch;
mod iterate;
mod scan;

use super::context::Context;
use super::error::LowerError;
use super::lazy::Lazy;

/// Why a control operator cannot be lowered.
pub(super) enum Stop {
    /// Itself.
    Here(String),
    /// A node of a body.
    Inside(LowerError),
}

impl From<String> for Stop {
    fn from(reason: String) -> Self {
        Self::Here(reason)
    }
}

impl From<&str> for Stop {
    fn from(reason: &str) -> Self {
        Self::Here(reason.to_string())
    }
}

impl From<LowerError> for Stop {
    fn from(error: LowerError) -> Self {
        Self::Inside(error)
    }
}

/// Lowers a control operator to its outputs.
pub(super) type Control = for<'x, 'c, 'a> fn(&'x mut Context<'c, 'a>) -> Result<Vec<Lazy>, Stop>;

/// The lowering of a control operator.
pub(super) fn find(operator: &str) -> Option<Control> {
    Some(match operator {
        "If" => branch::branch,
        "Loop" => iterate::iterate,
        "Scan" => scan::scan,
        _ => return None,
    })
}
