//! What calls cost, against the committed figures and against what refunds and bonds assume.

use rebut_sim::SpecId;
use rebut_tests::calls::{Calls, measure};
use std::path::Path;

/// `REBUT_WRITE=1` writes the figures anew. Limits are kept under the rules of today.
#[tokio::test]
async fn calls_cost_what_the_documents_say() {
    let measured = same("docs/gas-calls.json", measure(SpecId::OSAKA).await);
    for (name, limit) in [("claim/small", 90_000), ("claimBatch/item", 6_000), ("finalize/small", 60_000)] {
        assert!(measured[name].most <= limit, "{name} costs {:?}", measured[name]);
    }
    refunds_are_below_what_calls_cost(&measured);
}

/// The rules of the fork after, as revm has them: calldata and new storage cost more.
#[tokio::test]
async fn calls_cost_what_the_documents_say_under_amsterdam() {
    same("docs/gas-calls-amsterdam.json", measure(SpecId::AMSTERDAM).await);
}

/// The measured figures, which are the committed ones.
fn same(file: &str, measured: Calls) -> Calls {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
    let text = serde_json::to_string_pretty(&measured).expect("figures") + "\n";
    if std::env::var_os("REBUT_WRITE").is_some() {
        std::fs::write(&path, &text).expect("the figures are written");
    }
    let committed: Calls = serde_json::from_str(&std::fs::read_to_string(&path).expect(file)).expect("its format");
    assert_eq!(
        measured, committed,
        "run `REBUT_WRITE=1 cargo test -p rebut-tests --test calls` and look at what changed"
    );
    measured
}

/// A number of `game/Costs.sol`.
fn constant(name: &str) -> u64 {
    let source = include_str!("../../contracts/src/game/Costs.sol");
    let line = source.lines().find_map(|l| l.split_once(&format!(" {name} = "))).expect("the constant").1;
    line.trim_end_matches(';').replace('_', "").parse().expect("a number")
}

/// Nobody moves for the refund's sake, and bonds cover a whole game.
fn refunds_are_below_what_calls_cost(calls: &Calls) {
    for (name, call) in [("MOVE", "move"), ("ENTER", "enter"), ("REVEAL", "revealLeaf"), ("STEP", "step")] {
        // At the base fee and a tip; whoever builds the block pays the base fee alone.
        let refund = constant(name) + constant(name) / constant("TIP");
        assert!(refund < calls[call].least, "{name} refunds {refund} and {call} costs {:?}", calls[call]);
    }
    assert!(constant("OPENING") < calls["challenge"].least + calls["open"].least);
    // No step costs more than 500,000; an opening, or a commitment, a turn of each kind at its costliest.
    let turns = constant("TURNS") * calls["move"].most.max(calls["enter"].most).max(calls["revealLeaf"].most);
    let opening = (calls["challenge"].most + calls["open"].most).max(calls["commit"].most);
    assert!(opening + turns + 500_000 <= constant("GAME"), "{opening} + {turns}");
    assert!(constant("OPENING") + constant("TURNS") * constant("MOVE") <= constant("GAME"));
}
