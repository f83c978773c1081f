//! Who plays in a small game.

use crate::stories::{Story, lies};
use rebut_tests::models::Subject;
use std::fmt;

/// A game's sides. The executor is account 1.
#[derive(Clone, Debug)]
pub(super) struct Cast {
    /// What is claimed.
    pub(super) executor: Story,
    /// Challengers that want to win by any means, in the order of their challenges; one that knows the truth may fall silent.
    pub(super) accomplices: Vec<Story>,
    /// Whether an honest watcher challenges after them.
    pub(super) watcher: bool,
}

impl fmt::Display for Cast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let story = |s: &Story| s.map_or("the truth".into(), |lie| format!("a lie at {lie}"));
        write!(f, "claimed {}", story(&self.executor))?;
        self.accomplices.iter().try_for_each(|a| write!(f, ", challenged with {}", story(a)))?;
        f.write_str(if self.watcher { ", a watcher" } else { "" })
    }
}

/// All casts of a subject: each lie of an executor against a watcher, alone and with each kind of accomplice; each lie of a challenger, and
/// each pair of them, against an honest executor.
pub(super) fn casts(subject: &Subject) -> Vec<Cast> {
    let lies = lies(subject);
    let stories = || std::iter::once(None).chain(lies.iter().copied().map(Some));
    let mut casts = Vec::new();
    for &lie in &lies {
        let executor = Some(lie);
        casts.push(Cast { executor, accomplices: vec![], watcher: true });
        casts.push(Cast { executor: None, accomplices: vec![executor], watcher: false });
        // An accomplice with the executor's own lie has nothing to open.
        for accomplice in stories().filter(|s| *s != executor) {
            casts.push(Cast { executor, accomplices: vec![accomplice], watcher: true });
        }
    }
    for (n, &a) in lies.iter().enumerate() {
        for &b in &lies[n..] {
            casts.push(Cast { executor: None, accomplices: vec![Some(a), Some(b)], watcher: false });
        }
    }
    casts
}
