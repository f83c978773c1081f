//! What steps cost, in real games and by the search of `cargo xtask steps`.

use alloy::consensus::Transaction;
use alloy::primitives::Uint;
use alloy::providers::Provider;
use alloy::sol_types::SolCall;
use rebut_contracts::abi::Adjudicator;
use rebut_contracts::abi::Rebut::{Parameters, RefundRecorded, stepCall};
use rebut_contracts::types::DisputePhase;
use rebut_engine::lower::{Around, Bill, bill, gas};
use rebut_engine::package::{Label, Package};
use rebut_engine::program::{Core, DType, Expr, Instruction, Node, Op, Program, Source, TensorType, Value, ValueId};
use rebut_engine::tensor::Tensor;
use rebut_proof::steps::figures::{Figures, measure};
use rebut_proof::steps::judge::Judge;
use rebut_proof::steps::random::Kind;
use rebut_proof::steps::search;
use rebut_sim::BareEvm;
use rebut_sim::adversary::Lie;
use rebut_tests::arena::{Arena, parameters};
use rebut_tests::models::{Subject, digits};
use rebut_tests::side::Side;
use std::path::Path;
use std::sync::Arc;

/// A program of so many inputs of rank 8 and as many values that compute long, so that execution and not calldata is what a step pays.
fn long(inputs: u8, values: usize, outputs: u8) -> Subject {
    let ty = TensorType::new(DType::F32, vec![1; 8]);
    let mut nodes = vec![Node::Const(DType::F32, 0x3fc0_0347)];
    nodes.extend([Node::Apply(Op::Erf, [0; 3]); 12]);
    let instruction = Instruction {
        extents: vec![],
        reduction: vec![],
        windowed: false,
        operands: vec![],
        views: vec![],
        core: Core::None,
        epilogue: Expr { nodes },
    };
    let mut all = vec![Value { ty: ty.clone(), source: Source::Input }; usize::from(inputs)];
    all.extend(vec![Value { ty: ty.clone(), source: Source::Instruction(instruction) }; values]);
    let labels = vec![Label::default(); all.len()];
    let names = (0..outputs).map(|n| format!("y{n}")).collect();
    let package = Package::new(Program { inputs, outputs, values: all }, vec![], labels, names).expect("a package");
    let input = Tensor::from_be_bytes(&ty, &[0; 4]).expect("a float");
    Subject { package: Arc::new(package), inputs: vec![input; usize::from(inputs)] }
}

/// Plays a lie about an element of a value up to the step, which comes late: then it costs most, as whoever steps is owed a refund. The
/// step's gas, its calldata, and its evaluation's gas alone.
async fn step(subject: &Subject, value: ValueId, element: u64) -> (u64, Vec<u8>, u64) {
    let bond = Uint::from(1_000_000_000);
    let arena =
        Arena::embedded_with(Parameters { gasPriceCap: 1, executorBond: bond, challengerBond: bond, ..parameters() })
            .await;
    arena.register(&subject.package).await;
    let lie = Lie::Element { value, element };
    let (mut executor, claim) = Side::lying_executor(arena.client(1), subject, lie).await;
    let mut watcher = Side::watcher(arena.client(2), subject);
    let mut late = false;
    while !watcher.calls().contains(&"step") {
        let mut acted = 0;
        for side in [&mut watcher, &mut executor] {
            acted += side.tick().await;
            if !late && arena.disputes(&claim).await.iter().any(|(_, d)| d.phase == DisputePhase::Stepping) {
                arena.time.advance(u64::from(parameters().exclusiveSeconds) + 1).await.expect("time moves");
                late = true;
            }
        }
        if acted == 0 {
            arena.pass_deadline(&claim).await;
        }
    }
    let dispute = arena.disputes(&claim).await.first().expect("a dispute").0;
    let refunds: Vec<RefundRecorded> = claim.events(&arena.keeper, dispute).await.expect("logs");
    assert!(late && !refunds.is_empty(), "the step was late");
    let sent = watcher.sent.iter().find(|s| s.call == "step").expect("the watcher steps");
    let transaction = arena.keeper.rebut.provider().get_transaction_by_hash(sent.transaction).await;
    let transaction = transaction.expect("a node").expect("a transaction");
    let calldata = transaction.inner.inner().input().to_vec();
    let evaluation = evaluation(subject, value, element, &calldata);
    (sent.gas, calldata, evaluation)
}

/// Gas of the evaluation in a step.
fn evaluation(subject: &Subject, value: ValueId, element: u64, calldata: &[u8]) -> u64 {
    let step = stepCall::abi_decode(calldata).expect("a step");
    let mut evm = BareEvm::new();
    let adjudicator = evm.deploy_adjudicator().expect("the adjudicator deploys");
    let call = Adjudicator::evaluateCall {
        descriptor: step.descriptor,
        value: alloy::primitives::U256::from(value),
        element: alloy::primitives::U256::from(element),
        traceRoot: step.traceRoot,
        values: alloy::primitives::U256::from(subject.package.program().values.len()),
        witness: step.witness,
    };
    let calldata = call.abi_encode();
    let around = gas::TRANSACTION + price(&calldata, gas::CALLDATA);
    evm.call(adjudicator, calldata).expect("the step was right").1 - around
}

/// Calldata at so much a byte; zeros cost a quarter.
fn price(calldata: &[u8], byte: u64) -> u64 {
    calldata.iter().map(|&b| if b == 0 { byte / 4 } else { byte }).sum()
}

fn billed(subject: &Subject, value: ValueId) -> Bill {
    bill(subject.package.program()).into_iter().find(|b| b.value == value).expect("an instruction")
}

#[tokio::test]
async fn the_rules_around_an_evaluation_cost_no_more_than_billed() {
    let mut all = Vec::new();
    for (inputs, values, outputs) in [(1, 1, 1), (2, 40, 1), (1, 300, 1), (20, 20, 20), (20, 30, 1)] {
        let subject = long(inputs, values, outputs);
        let value = subject.package.program().values.len() as ValueId - 1;
        let (used, calldata, evaluation) = step(&subject, value, 0).await;
        let bytes = calldata.len() as u64;
        let floor = gas::TRANSACTION + price(&calldata, gas::CALLDATA_FLOOR);
        assert!(used > floor, "{used} gas is the floor of {bytes} bytes: nothing is seen");
        let rules = used - gas::TRANSACTION - price(&calldata, gas::CALLDATA) - evaluation;
        let around = Around::of(subject.package.program());
        let (billed, bill) = (around.rules(bytes), billed(&subject, value));
        println!(
            "{inputs} inputs, {values} values, {outputs} outputs: {rules} gas around the evaluation, billed {billed}"
        );
        all.push((rules, billed));
        assert!(bytes <= bill.calldata_bytes_worst, "{bytes} bytes, {bill:?}");
    }
    assert!(all.iter().all(|(rules, billed)| rules <= billed), "measured and billed: {all:?}");
}

#[tokio::test]
async fn steps_of_a_network_cost_no_more_than_their_bills() {
    let subject = digits();
    for bill in bill(subject.package.program()) {
        let elements = subject.package.program().ty(bill.value).expect("a value").elements();
        let (used, calldata, evaluation) = step(&subject, bill.value, elements / 2).await;
        assert!(used <= bill.gas_worst, "{used} gas, {bill:?}");
        assert!(calldata.len() as u64 <= bill.calldata_bytes_worst, "{} bytes, {bill:?}", calldata.len());
        assert!(evaluation <= bill.evaluation_worst, "{evaluation} gas of evaluation, {bill:?}");
    }
}

/// `REBUT_WRITE=1` writes the figures anew.
#[test]
fn steps_of_each_kind_cost_what_the_documents_say() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/gas-steps.json");
    let measured = measure().expect("the contract agrees with the reference");
    if std::env::var_os("REBUT_WRITE").is_some() {
        let text = serde_json::to_string_pretty(&measured).expect("figures") + "\n";
        std::fs::write(&path, text).expect("the figures are written");
    }
    let committed: Figures =
        serde_json::from_str(&std::fs::read_to_string(&path).expect("a file")).expect("its format");
    assert_eq!(
        measured, committed,
        "run `REBUT_WRITE=1 cargo test -p rebut-tests --test steps` and look at what changed"
    );
}

/// `cargo xtask steps --seeds 1000` looks longer.
#[test]
fn no_step_is_found_that_costs_more_than_its_bill() {
    const SEEDS: u64 = 20;
    let mut judge = Judge::new();
    for kind in Kind::ALL {
        let summary = search(&mut judge, kind, 0..SEEDS).expect("the contract agrees with the reference");
        for found in &summary.above {
            eprintln!("{:?} {:?} {:?}", found.taken, found.bill, found.case);
        }
        assert!(summary.above.is_empty(), "{} steps of {} cost more than billed", summary.above.len(), kind.name());
        let costliest = summary.costliest.expect("a program may have some of each kind").taken.gas;
        assert!(costliest <= gas::STEP_GAS_CEILING, "{}: {costliest} gas", kind.name());
        // Random instructions that come nowhere near their bills would prove nothing.
        assert!(summary.nearest.expect("the same").ratio() > 0.6, "{}", kind.name());
    }
}
