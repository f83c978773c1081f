//! The same games on a real node: an anvil at REBUT_ANVIL_URL, started with
//! `anvil --hardfork osaka --enable-tx-gas-limit --gas-limit 60000000 --order fifo`; one test at a time, they share accounts.

use rebut_contracts::types::Outcome;
use rebut_sim::adversary::Lie;
use rebut_tests::arena::{Arena, CHALLENGER_BOND, EXECUTOR_BOND, unburnt};
use rebut_tests::models::{Subject, digits};
use rebut_tests::side::Side;

const LIE: Lie = Lie::Element { value: 10, element: 293 };

async fn stage(subject: &Subject) -> Arena {
    let url = std::env::var("REBUT_ANVIL_URL").expect("REBUT_ANVIL_URL is the address of a fresh anvil");
    let arena = Arena::http(&url).await;
    arena.register(&subject.package).await;
    arena
}

#[tokio::test]
#[ignore = "needs an anvil at REBUT_ANVIL_URL"]
async fn a_lie_is_refuted() {
    let subject = digits();
    let arena = stage(&subject).await;
    let (mut executor, claim) = Side::lying_executor(arena.client(1), &subject, LIE).await;
    let mut watcher = Side::watcher(arena.client(2), &subject);
    let ended = arena.fight(&claim, &mut [&mut watcher, &mut executor]).await;
    ended.expect(Outcome::RefutedByDispute).gains(&watcher, unburnt(EXECUTOR_BOND)).gets_back(&executor, 0);
    assert_eq!(ended.decided, Some((10, Some(293))));
}

#[tokio::test]
#[ignore = "needs an anvil at REBUT_ANVIL_URL"]
async fn an_honest_executor_wins() {
    let subject = digits();
    let arena = stage(&subject).await;
    let (mut executor, claim) = Side::executor(arena.client(1), &subject).await;
    let mut liar = Side::lying_challenger(arena.client(2), &claim, &subject, LIE).await;
    let ended = arena.fight(&claim, &mut [&mut liar, &mut executor]).await;
    ended.expect(Outcome::Final).gains(&executor, unburnt(CHALLENGER_BOND)).gets_back(&liar, 0);
}

#[tokio::test]
#[ignore = "needs an anvil at REBUT_ANVIL_URL"]
async fn a_silent_executor_is_refuted_by_the_clock() {
    let subject = digits();
    let arena = stage(&subject).await;
    let (executor, claim) = Side::lying_executor(arena.client(1), &subject, LIE).await;
    // It commits and never moves.
    let mut executor = executor.silent_after(1);
    let mut watcher = Side::watcher(arena.client(2), &subject);
    let ended = arena.fight(&claim, &mut [&mut watcher, &mut executor]).await;
    ended.expect(Outcome::RefutedByDispute).gains(&watcher, unburnt(EXECUTOR_BOND)).gets_back(&executor, 0);
    assert!(watcher.calls().contains(&"timeout"));
}
