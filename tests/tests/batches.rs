//! Many claims in one transaction: a wrong item is found, taken out and refuted; the others stand.

use rebut_contracts::types::{ClaimPhase, Outcome};
use rebut_contracts::{BatchContent, Run};
use rebut_engine::exec;
use rebut_sim::adversary::{ForgedTrace, Lie};
use rebut_tests::arena::{Arena, EXECUTOR_BOND, unburnt};
use rebut_tests::models::{Subject, digits};
use rebut_tests::side::Side;

/// In the middle of the digits network.
const MIDDLE: Lie = Lie::Element { value: 10, element: 293 };

/// Honest runs of the subject, but for the ones listed.
fn runs(subject: &Subject, count: usize, lies: &[usize]) -> Vec<Run> {
    let honest = exec::run(&subject.package, &subject.inputs, &Default::default()).expect("it runs");
    let forged = ForgedTrace::new(&subject.package, &subject.inputs, &Default::default(), MIDDLE).expect("a lie");
    let outputs = subject.package.program().output_ids();
    let wrong: Vec<_> = outputs.filter_map(|v| forged.tensor(v).cloned()).collect();
    let outputs = |i| if lies.contains(&i) { wrong.clone() } else { honest.clone() };
    (0..count).map(|i| (subject.inputs.clone(), outputs(i))).collect()
}

#[tokio::test]
async fn a_wrong_item_is_refuted_and_the_others_stand() {
    let subject = digits();
    let arena = Arena::embedded().await;
    arena.register(&subject.package).await;
    let executor = arena.client(1);
    let runs = runs(&subject, 5, &[3]);
    let (batch, _) = BatchContent::post(&executor, &subject.package, &runs).await.unwrap();
    let wrong = batch.claims[3].clone();
    assert_eq!(arena.status(&wrong).await.phase, ClaimPhase::None, "nothing is stored for an item that nobody needs");

    let mut watcher = Side::watcher(arena.client(2), &subject);
    while watcher.tick().await > 0 {}
    assert_eq!(watcher.calls(), ["extract", "challenge"], "right items cost a watcher nothing");
    let mut liar = Side::lying_about(executor.clone(), wrong.clone(), &subject, MIDDLE);
    arena.pass_deadline(&wrong).await;
    batch.release(&arena.keeper).await.unwrap();
    let again = batch.release(&arena.keeper).await.unwrap_err().to_string();
    assert!(again.contains("WrongPhase"), "{again}");

    let ended = arena.fight(&wrong, &mut [&mut watcher, &mut liar]).await;
    ended.expect(Outcome::RefutedByDispute).gains(&watcher, unburnt(EXECUTOR_BOND));
    let (paid, got) = ended.money(liar.account);
    assert_eq!((paid, got), (5 * EXECUTOR_BOND, 4 * EXECUTOR_BOND), "one of five bonds is lost");
    // An item that is read afterwards is final.
    batch.extract(&arena.keeper, 0).await.unwrap();
    assert_eq!(arena.status(&batch.claims[0]).await.phase, ClaimPhase::Final);
}

/// A watcher that starts late, or again and again, finds the items too.
#[tokio::test]
async fn a_restarting_watcher_refutes_an_item() {
    let subject = digits();
    let arena = Arena::embedded().await;
    arena.register(&subject.package).await;
    let executor = arena.client(1);
    let runs = runs(&subject, 2, &[0]);
    let (batch, _) = BatchContent::post(&executor, &subject.package, &runs).await.unwrap();
    let wrong = batch.claims[0].clone();
    let mut watcher = Side::restarting_watcher(arena.client(2), &subject);
    while watcher.tick().await > 0 {}
    let mut liar = Side::lying_about(executor.clone(), wrong.clone(), &subject, MIDDLE);
    arena.pass_deadline(&wrong).await;
    batch.release(&arena.keeper).await.unwrap();
    let ended = arena.fight(&wrong, &mut [&mut watcher, &mut liar]).await;
    ended.expect(Outcome::RefutedByDispute).gains(&watcher, unburnt(EXECUTOR_BOND));
}

/// Ids, roots and sizes as the contract computes them, for any number of items.
#[tokio::test]
async fn items_of_any_number_are_extracted() {
    let subject = digits();
    let arena = Arena::embedded().await;
    arena.register(&subject.package).await;
    let executor = arena.client(1);
    for count in [1, 2, 3, 9] {
        let runs = runs(&subject, count, &[]);
        let (batch, _) = BatchContent::post(&executor, &subject.package, &runs).await.unwrap();
        for index in 0..count {
            assert!(batch.extract(&executor, index).await.unwrap().is_some());
            assert_eq!(arena.status(&batch.claims[index]).await.phase, ClaimPhase::Window);
            assert!(batch.extract(&executor, index).await.unwrap().is_none(), "once");
        }
        assert!(batch.extract(&executor, count).await.is_err(), "there is no such item");
    }
}
