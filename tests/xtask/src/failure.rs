//! Why a step failed.

use std::io;

/// What a step ends with.
pub(crate) type Outcome<T = ()> = Result<T, Failure>;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("{command}\n        ended with {status}")]
    Command { command: String, status: String },
    #[error("{command}\n        could not be started: {source}")]
    Start { command: String, source: io::Error },
    #[error("{path}: {source}")]
    File { path: String, source: io::Error },
    #[error("{0}")]
    Check(String),
}

/// A check that did not hold.
pub(crate) fn check<T>(message: impl Into<String>) -> Outcome<T> {
    Err(Failure::Check(message.into()))
}
