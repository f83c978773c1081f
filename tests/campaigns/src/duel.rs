//! Lies of an executor about one model, each on a deployment that has seen a game before, each refuted by a watcher on the embedded chain.

use crate::Failure;
use rebut_contracts::types::{ClaimPhase, Outcome as Ending};
use rebut_contracts::{ClaimContent, Sent};
use rebut_engine::exec::Options;
use rebut_engine::trace::Trace;
use rebut_sim::adversary::{ForgedTrace, Lie};
use rebut_tests::arena::{Arena, EXECUTOR_BOND, unburnt};
use rebut_tests::models::Subject;
use rebut_tests::rules::Ended;
use rebut_tests::side::Side;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The accounts. The first game's liar is another: two lies may end in the same outputs, and a claim is posted once.
const LIAR: usize = 1;
const WATCHER: usize = 2;
const FORERUNNER: usize = 3;

/// What both sides have sent from the challenge to the settlement; withdrawals are not counted.
pub(crate) struct Game(pub(crate) Vec<Sent>);

impl Game {
    pub(crate) fn transactions(&self) -> u64 {
        self.0.len() as u64
    }

    pub(crate) fn gas(&self) -> u64 {
        self.0.iter().map(|s| s.gas).sum()
    }

    /// What the step took; nothing where a whole root was decided about.
    pub(crate) fn step(&self) -> u64 {
        self.0.iter().filter(|s| s.call == "step").map(|s| s.gas).sum()
    }
}

/// The least, median and most of some figures.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Spread {
    pub(crate) least: u64,
    pub(crate) median: u64,
    pub(crate) worst: u64,
}

impl Spread {
    /// The median of an even number of figures is the mean of the two in the middle; of none all is 0.
    pub(crate) fn of(figures: impl Iterator<Item = u64>) -> Self {
        let mut figures: Vec<u64> = figures.collect();
        figures.sort_unstable();
        let (Some(&least), Some(&worst), n) = (figures.first(), figures.last(), figures.len()) else {
            return Self::default();
        };
        Self { least, median: figures[(n - 1) / 2].midpoint(figures[n / 2]), worst }
    }
}

/// A deployment, a model, and its honest trace, which all games share.
pub(crate) struct Ground {
    arena: Arena,
    subject: Subject,
    honest: Arc<Trace>,
}

impl Ground {
    /// Deploys, registers the model, and plays `first`: only the very first game pays for the burn address' slot.
    pub(crate) async fn new(subject: Subject, first: Lie) -> Result<Self, Failure> {
        let arena = Arena::embedded().await;
        arena.register(&subject.package).await;
        let honest = Arc::new(Trace::new(&subject.package, &subject.inputs, &Options::default())?);
        let ground = Self { arena, subject, honest };
        ground.play(FORERUNNER, first).await?;
        Ok(ground)
    }

    /// Plays a lie to its end and takes the chain back to where it was.
    ///
    /// # Errors
    /// When the lie was not refuted by a dispute about the very element, or the watcher has lost anything.
    pub(crate) async fn fight(&self, lie: Lie) -> Result<Game, Failure> {
        let before = self.arena.time.snapshot().await?;
        let fought = self.checked(lie).await;
        self.arena.time.revert(before).await?;
        fought
    }

    async fn checked(&self, lie: Lie) -> Result<Game, Failure> {
        let (game, claim, watcher) = self.play(LIAR, lie).await?;
        let ended = Ended::settle(&self.arena, &claim).await;
        if let Lie::Element { value, element } = lie
            && ended.decided != Some((value, Some(element)))
        {
            return Err(format!("the lie {lie} was decided about {:?}", ended.decided).into());
        }
        // The first game's reward is in the same account.
        let (paid, got) = ended.money(watcher.account);
        if got != paid + 2 * unburnt(EXECUTOR_BOND) {
            return Err(format!("after the lie {lie} the watcher got {got} wei, having paid {paid}").into());
        }
        Ok(game)
    }

    async fn play(&self, liar: usize, lie: Lie) -> Result<(Game, ClaimContent, Side), Failure> {
        let Self { arena, subject, honest } = self;
        let (package, inputs) = (&subject.package, &subject.inputs);
        let forged = ForgedTrace::departing(honest, package, inputs, &Options::default(), lie)?;
        let (mut liar, claim) = Side::forging_executor(arena.client(liar), subject, forged).await;
        let mut watcher = Side::watcher(arena.client(WATCHER), subject);
        if let Some(watcher) = watcher.as_watcher() {
            watcher.trust(package, honest.clone());
        }
        while !is_settled(arena, &claim, watcher.tick().await + liar.tick().await).await {}
        let outcome = arena.status(&claim).await.outcome;
        if outcome != Ending::RefutedByDispute {
            return Err(format!("the lie {lie} ended as {outcome:?}").into());
        }
        let sent = watcher.sent.iter().chain(&liar.sent).filter(|s| s.call != "withdraw");
        Ok((Game(sent.cloned().collect()), claim, watcher))
    }
}

/// Whether nothing is left to do; where nobody has `acted` before the end, time passes.
async fn is_settled(arena: &Arena, claim: &ClaimContent, acted: usize) -> bool {
    if acted > 0 {
        return false;
    }
    if arena.status(claim).await.phase == ClaimPhase::Refuted {
        return true;
    }
    if !arena.time_out(claim).await {
        arena.pass_deadline(claim).await;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use rebut_challenger::bots::Verdict;
    use rebut_challenger::demo::lie_places;
    use rebut_tests::models::digits;

    #[test]
    fn spreads() {
        let spread = Spread::of([7, 1, 4, 2].into_iter());
        assert_eq!((spread.least, spread.median, spread.worst), (1, 3, 7));
        let spread = Spread::of([9, 5, 6].into_iter());
        assert_eq!((spread.least, spread.median, spread.worst), (5, 6, 9));
        assert_eq!(Spread::of(std::iter::empty()).worst, 0);
    }

    #[tokio::test]
    async fn a_lie_is_refuted_again_and_again() {
        let subject = digits();
        let lie = |element| Lie::Element { value: lie_places(&subject.package)[1].0, element };
        let ground = Ground::new(subject.clone(), lie(0)).await.unwrap();
        let gas = |game: Game| (game.transactions(), game.gas(), game.step());
        let first = gas(ground.fight(lie(1)).await.unwrap());
        assert_eq!(first, gas(ground.fight(lie(1)).await.unwrap()));
        assert!(first.2 > 0, "{first:?}");
    }

    #[tokio::test]
    async fn a_watcher_judges_by_the_trace_that_it_trusts() {
        let (arena, subject) = (Arena::embedded().await, digits());
        arena.register(&subject.package).await;
        let lie = Lie::Element { value: lie_places(&subject.package)[1].0, element: 0 };
        let forged = ForgedTrace::new(&subject.package, &subject.inputs, &Options::default(), lie).unwrap();
        let (_, claim) = Side::forging_executor(arena.client(1), &subject, forged.clone()).await;
        for (trusts, verdict) in [(true, Verdict::Right), (false, Verdict::Wrong { output: 0 })] {
            let mut watcher = rebut_tests::side::watcher(arena.client(2), &subject);
            if trusts {
                watcher.trust(&subject.package, Arc::new(forged.trace().clone()));
            }
            rebut_challenger::bots::Bot::tick(&mut watcher).await.unwrap();
            assert_eq!(watcher.verdict(claim.id), Some(&verdict));
        }
    }
}
