//! Many disputes over one claim at once.

use alloy::providers::Provider;
use rebut_contracts::types::{DisputePhase, Outcome};
use rebut_sim::adversary::Lie;
use rebut_tests::arena::{Arena, CHALLENGER_BOND, unburnt};
use rebut_tests::models::digits;
use rebut_tests::side::Side;
use std::time::Duration;

/// Liars, each with a trace of its own.
const LIARS: usize = 24;
/// The accounts that they share.
const ACCOUNTS: usize = 8;
/// How long a side may take to send what is due.
const PATIENCE: Duration = Duration::from_secs(60);

/// One executor's bot against a crowd: all its moves of one look at the chain are in one block, so the number of disputes costs it
/// no time, and it wins them all.
#[tokio::test]
async fn an_executor_wins_dozens_of_disputes_at_once() {
    let subject = digits();
    let arena = Arena::embedded().await;
    arena.register(&subject.package).await;
    let (mut executor, claim) = Side::executor(arena.client(1), &subject).await;
    let mut liars = Vec::new();
    for i in 0..LIARS {
        let lie = Lie::Element { value: [5, 10, 13][i % 3], element: i as u64 };
        let client = arena.client(2 + i % ACCOUNTS);
        liars.push(Side::lying_challenger(client, &claim, &subject, lie).await);
    }
    arena.pass_deadline(&claim).await;
    for liar in &mut liars {
        assert_eq!(liar.tick().await, 1, "it opens its challenge");
    }
    arena.pass_deadline(&claim).await;
    assert_eq!(executor.tick().await, 1, "it commits");

    let mut rounds = Vec::new();
    loop {
        for liar in &mut liars {
            liar.tick().await;
        }
        let disputes = arena.disputes(&claim).await;
        assert_eq!(disputes.len(), LIARS);
        let due = disputes.iter().filter(|(_, d)| match d.phase {
            DisputePhase::Moving => !d.challengerToMove,
            phase => phase == DisputePhase::Stepping,
        });
        let due = due.count();
        if due == 0 {
            assert!(disputes.iter().all(|(_, d)| d.phase == DisputePhase::Decided), "{disputes:?}");
            break;
        }
        let mined = in_one_block(&arena, &mut executor, due).await;
        assert_eq!(mined, due);
        rounds.push(due);
    }
    assert!(rounds.contains(&LIARS), "{rounds:?}");
    let mut sides: Vec<&mut Side> = liars.iter_mut().collect();
    sides.push(&mut executor);
    let ended = arena.fight(&claim, &mut sides).await;
    ended.expect(Outcome::Final).gains(&executor, LIARS as u64 * unburnt(CHALLENGER_BOND));
    for liar in &liars {
        ended.gets_back(liar, 0);
    }
}

/// Lets a side act while no block is mined until `due` of its transactions wait; how many it has then sent.
async fn in_one_block(arena: &Arena, side: &mut Side, due: usize) -> usize {
    arena.time.set_automine(false).await.unwrap();
    let account = side.account;
    let hold = async {
        let provider = arena.keeper.provider();
        let mined = provider.get_transaction_count(account).await.unwrap();
        while provider.get_transaction_count(account).pending().await.unwrap() < mined + due as u64 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        arena.time.mine().await.unwrap();
    };
    let both = tokio::time::timeout(PATIENCE, async { tokio::join!(side.tick(), hold) });
    let (sent, ()) = both.await.expect("all is sent before anything is waited for");
    arena.time.set_automine(true).await.unwrap();
    sent
}
