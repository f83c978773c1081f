//! Executor and watcher: each looks at the chain, decides, and acts, once a tick.

mod executor;
mod task;
mod watcher;

pub use executor::Executor;
pub use task::{Bot, run};
pub use watcher::{Verdict, Watcher};

use rebut_contracts::{ClientError, GameError};
use rebut_engine::exec::ExecError;
use rebut_engine::trace::TraceError;

/// Tensors of at most this many bytes travel as calldata.
pub const CALLDATA_LIMIT: usize = 8 * 1024;

/// Why a bot cannot do something now.
#[derive(Debug, thiserror::Error)]
pub enum BotError {
    /// The chain refused or could not be asked.
    #[error(transparent)]
    Game(#[from] GameError),
    /// The chain refused or could not be asked.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The program could not be run.
    #[error(transparent)]
    Exec(#[from] ExecError),
    /// The trace could not be made.
    #[error(transparent)]
    Trace(#[from] TraceError),
    /// A computation was cancelled.
    #[error("a computation was cancelled: {0}")]
    Cancelled(String),
}

/// Runs a long computation without holding up other tasks.
async fn compute<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> Result<T, BotError> {
    tokio::task::spawn_blocking(f).await.map_err(|e| BotError::Cancelled(e.to_string()))
}
