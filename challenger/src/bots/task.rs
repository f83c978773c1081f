//! A bot as a tokio task.

use super::BotError;
use rebut_contracts::Sent;
use std::time::Duration;
use tokio::sync::watch;

/// Something that looks at the chain and acts.
pub trait Bot: Send {
    /// Looks once and sends what is due. An error ends nothing: the next tick looks again.
    fn tick(&mut self) -> impl Future<Output = Result<Vec<Sent>, BotError>> + Send;
}

/// Ticks until `stop` says so or its sender is gone; tells `report` what was sent and what went wrong.
pub async fn run<B: Bot>(
    mut bot: B,
    interval: Duration,
    mut stop: watch::Receiver<bool>,
    mut report: impl FnMut(Result<Vec<Sent>, BotError>) + Send,
) -> B {
    while !*stop.borrow() {
        report(bot.tick().await);
        tokio::select! {
            () = tokio::time::sleep(interval) => {}
            changed = stop.changed() => if changed.is_err() { break },
        }
    }
    bot
}
