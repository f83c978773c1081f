//! Lying challengers, lies on both sides, crowds and silence.

use rebut_challenger::bots::Verdict;
use rebut_contracts::abi::Rebut::Opened;
use rebut_contracts::types::{DisputePhase, DisputeStatus, Outcome};
use rebut_contracts::{ClaimContent, send, typed};
use rebut_engine::tensor::Tensor;
use rebut_sim::adversary::Lie;
use rebut_tests::arena::{Arena, BURN_ADDRESS, CHALLENGER_BOND, EXECUTOR_BOND, unburnt};
use rebut_tests::models::{IN_SCANS, Subject, digits, scans};
use rebut_tests::random_program::random_package;
use rebut_tests::rules::{Ended, events};
use rebut_tests::side::Side;
use std::sync::Arc;

/// In the middle of the digits network: a convolution with padding before it and a reduction in windows after it.
const MIDDLE: Lie = Lie::Element { value: 10, element: 293 };

async fn stage(subject: &Subject) -> Arena {
    let arena = Arena::embedded().await;
    arena.register(&subject.package).await;
    arena
}

/// An honest executor, which falls silent after some transactions, against a challenger that lies and does so too.
async fn attacked(subject: &Subject, lie: Lie, executor_budget: usize, liar_budget: usize) -> (Ended, Side, Side) {
    let arena = stage(subject).await;
    let (executor, claim) = Side::executor(arena.client(1), subject).await;
    let mut executor = executor.silent_after(executor_budget);
    let liar = Side::lying_challenger(arena.client(2), &claim, subject, lie).await;
    let mut liar = liar.silent_after(liar_budget);
    let ended = arena.fight(&claim, &mut [&mut liar, &mut executor]).await;
    (ended, executor, liar)
}

/// A lying executor against an honest watcher; each may fall silent.
async fn rebutted(subject: &Subject, executor_budget: usize, watcher_budget: usize) -> (Ended, Side, Side) {
    let arena = stage(subject).await;
    let (executor, claim) = Side::lying_executor(arena.client(1), subject, MIDDLE).await;
    let mut executor = executor.silent_after(executor_budget);
    let mut watcher = Side::watcher(arena.client(2), subject).silent_after(watcher_budget);
    let ended = arena.fight(&claim, &mut [&mut watcher, &mut executor]).await;
    (ended, executor, watcher)
}

#[tokio::test]
async fn an_honest_executor_wins() {
    let subject = digits();
    let last = subject.package.program().output_ids().end - 1;
    let lies = [
        MIDDLE,
        Lie::Element { value: 0, element: 5 },
        Lie::Element { value: 5, element: 77 },
        Lie::Element { value: 13, element: 127 },
        Lie::Element { value: last, element: 9 },
        Lie::PaddingLane { value: 0 },
        Lie::PaddingLane { value: 14 },
        Lie::PaddingRoot,
    ];
    for lie in lies {
        let (ended, executor, liar) = attacked(&subject, lie, usize::MAX, usize::MAX).await;
        ended
            .expect(Outcome::Final)
            .honest_side_keeps_its_bond(&executor)
            .gains(&executor, unburnt(CHALLENGER_BOND))
            .loser_pays(&liar)
            .gets_back(&liar, 0);
    }
}

/// The executor steps, under its own trace root.
#[tokio::test]
async fn an_honest_executor_wins_over_scans() {
    let subject = scans();
    for (value, element) in IN_SCANS {
        let lie = Lie::Element { value, element };
        let (ended, executor, liar) = attacked(&subject, lie, usize::MAX, usize::MAX).await;
        ended
            .expect(Outcome::Final)
            .honest_side_keeps_its_bond(&executor)
            .gains(&executor, unburnt(CHALLENGER_BOND))
            .loser_pays(&liar)
            .gets_back(&liar, 0);
        assert_eq!(ended.decided, Some((value, Some(element))));
    }
}

#[tokio::test]
async fn when_both_are_wrong_both_bonds_burn() {
    let subject = digits();
    let arena = stage(&subject).await;
    let lies = [0, 1].map(|element| Lie::Element { value: 0, element });
    let (mut executor, claim) = Side::lying_executor(arena.client(1), &subject, lies[0]).await;
    let mut challenger = Side::lying_challenger(arena.client(2), &claim, &subject, lies[1]).await;
    let ended = arena.fight(&claim, &mut [&mut challenger, &mut executor]).await;
    ended.expect(Outcome::RefutedBothWrong).gets_back(&executor, 0).gets_back(&challenger, 0);
    assert_eq!(ended.decided, Some((0, None)));
    assert_eq!(ended.money(BURN_ADDRESS).1, EXECUTOR_BOND + CHALLENGER_BOND);
}

#[tokio::test]
async fn two_watchers_share_a_dispute() {
    let subject = digits();
    let arena = stage(&subject).await;
    let (mut executor, claim) = Side::lying_executor(arena.client(1), &subject, MIDDLE).await;
    let mut first = Side::watcher(arena.client(2), &subject);
    let mut second = Side::watcher(arena.client(3), &subject);
    let ended = arena.fight(&claim, &mut [&mut first, &mut second, &mut executor]).await;
    let opened: Vec<Opened> = events(&arena.keeper).await;
    assert_eq!(opened.iter().map(|o| o.merged).collect::<Vec<_>>(), [false, true]);
    assert_eq!(opened[0].disputeId, opened[1].disputeId);
    let dispute = arena.keeper.rebut.dispute(opened[0].disputeId).call().await.unwrap();
    let dispute: DisputeStatus = typed(&dispute).unwrap();
    assert_eq!((dispute.members, dispute.principal), (2, first.account));
    ended
        .expect(Outcome::RefutedByDispute)
        .gains(&first, unburnt(EXECUTOR_BOND))
        .gains(&second, 0)
        .loser_pays(&executor);
}

/// Plays the decoy's dispute to its end while the watcher does no more than open its own.
async fn lose_the_decoy(
    arena: &Arena,
    claim: &ClaimContent,
    decoy: &mut Side,
    executor: &mut Side,
    watcher: &mut Side,
) {
    loop {
        let disputes = arena.disputes(claim).await;
        let of_decoy = disputes.iter().find(|(_, d)| d.principal == decoy.account);
        if of_decoy.is_some_and(|(_, d)| d.phase == DisputePhase::Decided) {
            return;
        }
        let mut acted = decoy.tick().await + executor.tick().await;
        if disputes.len() < 2 {
            acted += watcher.tick().await;
        }
        if acted == 0 {
            arena.pass_deadline(claim).await;
        }
    }
}

/// The decoy plays first and loses to the executor, so that one dispute of the claim is won by the liar. It does not help.
#[tokio::test]
async fn a_decoy_that_loses_does_not_save_a_lie() {
    let subject = digits();
    for lie in [Lie::Element { value: 9, element: 4 }, Lie::Element { value: 0, element: 0 }] {
        let arena = stage(&subject).await;
        let (mut executor, claim) = Side::lying_executor(arena.client(1), &subject, MIDDLE).await;
        let mut decoy = Side::lying_challenger(arena.client(3), &claim, &subject, lie).await;
        let mut watcher = Side::watcher(arena.client(2), &subject);
        lose_the_decoy(&arena, &claim, &mut decoy, &mut executor, &mut watcher).await;
        let ended = arena.fight(&claim, &mut [&mut decoy, &mut executor, &mut watcher]).await;
        ended
            .expect(Outcome::RefutedByDispute)
            .gains(&watcher, unburnt(EXECUTOR_BOND))
            .gets_back(&executor, 0)
            .gets_back(&decoy, 0);
    }
}

/// Beside a decoy that plays at the same time, wherever it lies: after the executor's lie it may even win first.
#[tokio::test]
async fn a_decoy_beside_the_watcher_does_not_save_a_lie() {
    let subject = digits();
    for (value, element) in [(0, 0), (9, 4), (10, 0), (10, 1000), (14, 2)] {
        let arena = stage(&subject).await;
        let (mut executor, claim) = Side::lying_executor(arena.client(1), &subject, MIDDLE).await;
        let lie = Lie::Element { value, element };
        let mut decoy = Side::lying_challenger(arena.client(3), &claim, &subject, lie).await;
        let mut watcher = Side::watcher(arena.client(2), &subject);
        let ended = arena.fight(&claim, &mut [&mut decoy, &mut executor, &mut watcher]).await;
        ended.expect(Outcome::RefutedByDispute).honest_side_keeps_its_bond(&watcher).gets_back(&executor, 0);
    }
}

#[tokio::test]
async fn a_watcher_that_restarts_all_the_time_wins() {
    let subject = digits();
    let arena = stage(&subject).await;
    let (mut executor, claim) = Side::lying_executor(arena.client(1), &subject, MIDDLE).await;
    let mut watcher = Side::restarting_watcher(arena.client(2), &subject);
    let ended = arena.fight(&claim, &mut [&mut watcher, &mut executor]).await;
    ended.expect(Outcome::RefutedByDispute).gains(&watcher, unburnt(EXECUTOR_BOND)).gets_back(&executor, 0);
    assert_eq!(watcher.calls().iter().filter(|c| **c == "challenge").count(), 1);
}

/// Every number of transactions that a side could stop after, up to one short of all.
fn budgets(full: &Side) -> std::ops::Range<usize> {
    assert!(full.sent.len() > 1, "{:?}", full.calls());
    0..full.sent.len()
}

#[tokio::test]
async fn a_lying_executor_that_falls_silent_is_refuted() {
    let subject = digits();
    let (_, full, _) = rebutted(&subject, usize::MAX, usize::MAX).await;
    for budget in budgets(&full) {
        let (ended, executor, watcher) = rebutted(&subject, budget, usize::MAX).await;
        let outcome = if budget == 0 { Outcome::RefutedBySilence } else { Outcome::RefutedByDispute };
        ended
            .expect(outcome)
            .honest_side_keeps_its_bond(&watcher)
            .gains(&watcher, unburnt(EXECUTOR_BOND))
            .loser_pays(&executor);
    }
}

#[tokio::test]
async fn a_watcher_that_falls_silent_loses_to_the_clock() {
    let subject = digits();
    let (_, _, full) = rebutted(&subject, usize::MAX, usize::MAX).await;
    let step = full.calls().iter().position(|c| *c == "step").expect("the watcher steps");
    for budget in budgets(&full) {
        let (ended, executor, watcher) = rebutted(&subject, usize::MAX, budget).await;
        if budget > step {
            ended.expect(Outcome::RefutedByDispute).gains(&watcher, unburnt(EXECUTOR_BOND)).loser_pays(&executor);
        } else if budget == step {
            // Nobody steps: the executor cannot, the watcher does not.
            ended.expect(Outcome::RefutedNoStep).gains(&watcher, 0).gets_back(&executor, 0);
        } else if budget > 0 {
            ended.expect(Outcome::Final).gets_back(&watcher, 0).gains(&executor, unburnt(CHALLENGER_BOND));
        } else {
            // It never challenged: nobody loses anything, and the lie stands.
            ended.expect(Outcome::Final).gains(&watcher, 0).gains(&executor, 0);
        }
    }
}

#[tokio::test]
async fn an_honest_executor_that_falls_silent_loses_to_the_clock() {
    let subject = digits();
    let (_, full, _) = attacked(&subject, MIDDLE, usize::MAX, usize::MAX).await;
    let step = full.calls().iter().position(|c| *c == "step").expect("the executor steps");
    for budget in budgets(&full) {
        let (ended, executor, liar) = attacked(&subject, MIDDLE, budget, usize::MAX).await;
        if budget > step {
            ended.expect(Outcome::Final).honest_side_keeps_its_bond(&executor).loser_pays(&liar);
        } else if budget == step {
            ended.expect(Outcome::RefutedNoStep).gets_back(&executor, 0).gains(&liar, 0);
        } else {
            let outcome = if budget == 0 { Outcome::RefutedBySilence } else { Outcome::RefutedByDispute };
            ended.expect(outcome).loser_pays(&executor).gains(&liar, unburnt(EXECUTOR_BOND));
        }
    }
}

#[tokio::test]
async fn a_lying_challenger_that_falls_silent_loses() {
    let subject = digits();
    let (_, _, full) = attacked(&subject, MIDDLE, usize::MAX, usize::MAX).await;
    for budget in budgets(&full) {
        let (ended, executor, liar) = attacked(&subject, MIDDLE, usize::MAX, budget).await;
        ended
            .expect(Outcome::Final)
            .honest_side_keeps_its_bond(&executor)
            .gains(&executor, unburnt(CHALLENGER_BOND))
            .loser_pays(&liar);
    }
}

#[tokio::test]
async fn settling_and_withdrawing_twice_pays_once() {
    let subject = digits();
    let arena = stage(&subject).await;
    let (mut executor, claim) = Side::lying_executor(arena.client(1), &subject, MIDDLE).await;
    let mut watcher = Side::watcher(arena.client(2), &subject);
    arena.fight(&claim, &mut [&mut watcher, &mut executor]).await;
    let rebut = &arena.keeper.rebut;
    let opened: Vec<Opened> = events(&arena.keeper).await;
    let Opened { challenger, challengeHash, traceRoot, salt, .. } = opened[0].clone();
    let settle = rebut.settle(claim.data.clone(), challenger, challengeHash, traceRoot, salt);
    let refused = send("settle", String::new(), settle).await.unwrap_err().to_string();
    assert!(refused.contains("AlreadySettled"), "{refused}");
    let refused = send("finalize", String::new(), rebut.finalize(claim.data.clone())).await.unwrap_err().to_string();
    assert!(refused.contains("WrongPhase"), "{refused}");
    for account in [executor.account, watcher.account, BURN_ADDRESS] {
        let owner = arena.client_of(account);
        let withdraw = owner.rebut.withdraw(account, alloy::primitives::U256::from(1));
        let refused = send("withdraw", String::new(), withdraw).await.unwrap_err().to_string();
        assert!(refused.contains("NoCredit"), "{refused}");
    }
}

/// A claim on a program that the watcher does not know, and one with an input that it has not got, do not stop it.
#[tokio::test]
async fn the_watcher_goes_on_after_claims_it_cannot_judge() {
    let subject = digits();
    let arena = stage(&subject).await;
    let mut rng = <rand_chacha::ChaCha8Rng as rand::SeedableRng>::seed_from_u64(1);
    let (package, inputs) = random_package(&mut rng, 2);
    let strange = Subject { package: Arc::new(package), inputs };
    arena.register(&strange.package).await;
    let (mut stranger, unknown) = Side::executor(arena.client(4), &strange).await;

    // The same program on an input given by its root alone, which nobody has told the watcher.
    let hidden: Vec<Tensor> = subject.inputs.iter().map(|t| Tensor::zeros(&t.ty()).unwrap()).collect();
    let client = arena.client(5);
    let outputs = rebut_engine::exec::run(&subject.package, &hidden, &Default::default()).unwrap();
    let unseen = ClaimContent::new(&client, &subject.package, &hidden, &outputs, 0).await.unwrap();
    unseen.post(&client, &hidden, &outputs, 0).await.unwrap();

    let (mut executor, claim) = Side::lying_executor(arena.client(1), &subject, MIDDLE).await;
    let mut watcher = Side::watcher(arena.client(2), &subject);
    watcher.tick().await;
    assert_eq!(watcher.calls(), ["challenge"]);
    let judged = watcher.as_watcher().unwrap();
    assert!(matches!(judged.verdict(unknown.id), Some(Verdict::Unavailable(why)) if why.contains("program")));
    assert!(matches!(judged.verdict(unseen.id), Some(Verdict::Unavailable(why)) if why.contains("input")));
    assert_eq!(judged.verdict(claim.id), Some(&Verdict::Wrong { output: 0 }));

    arena.pass_deadline(&claim).await;
    stranger.tick().await;
    unseen.conclude(&client).await.unwrap();
    let ended = arena.fight(&claim, &mut [&mut watcher, &mut stranger, &mut executor]).await;
    ended
        .expect(Outcome::RefutedByDispute)
        .gains(&watcher, unburnt(EXECUTOR_BOND))
        .gains(&stranger, 0)
        .gets_back(&executor, 0);
}
