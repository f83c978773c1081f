//! A sign of life during long work, on a terminal only.

use indicatif::{ProgressBar, ProgressStyle};
use std::time::Duration;

/// Shows `message` with a spinner and the time while `work` runs; nothing where standard error is no terminal.
pub(crate) fn during<T>(message: &str, work: impl FnOnce() -> T) -> T {
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
        bar.set_style(style);
    }
    bar.set_message(message.to_string());
    bar.enable_steady_tick(Duration::from_millis(100));
    let result = work();
    bar.finish_and_clear();
    result
}
