//! What `rebut report` says, in real games and against the constructor.

use alloy::primitives::Uint;
use rebut_contracts::Client;
use rebut_contracts::abi::Rebut::Parameters;
use rebut_contracts::bonds::{least_challenger_bond, least_executor_bond};
use rebut_engine::dispute::{most_turns, turns};
use rebut_engine::tree::{depth, tensor_depth};
use rebut_sim::adversary::Lie;
use rebut_sim::{ChainConfig, EmbeddedChain, dev_accounts};
use rebut_tests::arena::{Arena, parameters};
use rebut_tests::models::{digits, squares};
use rebut_tests::side::Side;

#[tokio::test]
async fn games_take_as_many_turns_as_reported() {
    let subjects = [squares(2, 3), squares(3, 130), squares(16, 1), squares(17, 1), squares(20, 300), squares(2, 2100)];
    let mut longest = 0;
    for subject in subjects.into_iter().chain([digits()]) {
        let program = subject.package.program();
        let value = program.values.len() as u64 - 1;
        let arena = Arena::embedded().await;
        arena.register(&subject.package).await;
        let lie = Lie::Element { value, element: 0 };
        let (mut executor, claim) = Side::lying_executor(arena.client(1), &subject, lie).await;
        let mut watcher = Side::watcher(arena.client(2), &subject);
        arena.fight(&claim, &mut [&mut watcher, &mut executor]).await;
        let calls = [watcher.calls(), executor.calls()].concat();
        let taken = calls.iter().filter(|call| ["move", "enter", "revealLeaf"].contains(call)).count() as u32;
        let ty = program.ty(value).expect("a value");
        assert_eq!(taken, turns(depth(program.values.len() as u64), tensor_depth(ty)), "{calls:?}");
        assert!(taken <= most_turns(program));
        longest = longest.max(taken);
    }
    assert!(longest >= 4, "games of one list prove little");
}

/// The constructor takes the least bonds and nothing below them.
#[tokio::test]
async fn least_bonds_are_the_constructors() {
    for (cap, burn, trace) in
        [(0, 5_000, 0), (1, 5_001, 7), (50_000_000_000, 5_000, 10_000_000_000_000_000), (3, 9_999, 1)]
    {
        let (executor, challenger) = (least_executor_bond(cap, burn), least_challenger_bond(cap, burn, trace));
        for (less_executor, less_challenger) in [(0, 0), (1, 0), (0, 1)] {
            let chain = EmbeddedChain::new(ChainConfig::default());
            let deployer = chain.provider(dev_accounts(1).remove(0));
            let deployed = Client::deploy(
                &deployer,
                Parameters {
                    gasPriceCap: cap,
                    burnBps: burn,
                    traceCost: Uint::from(trace),
                    executorBond: Uint::from(executor - less_executor),
                    challengerBond: Uint::from(challenger - less_challenger),
                    ..parameters()
                },
            )
            .await;
            assert_eq!(deployed.is_ok(), (less_executor, less_challenger) == (0, 0), "{cap} {burn} {trace}");
        }
    }
}
