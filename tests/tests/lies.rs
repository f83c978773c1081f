//! An executor lies at one place of its trace. Wherever that is, the watcher finds it, the contract sees it, and the executor pays.

use rebut_contracts::types::Outcome;
use rebut_engine::exec::Options;
use rebut_engine::program::{DType, Source, ValueId};
use rebut_sim::adversary::{ForgedTrace, Lie, LieError};
use rebut_tests::arena::{Arena, EXECUTOR_BOND, unburnt};
use rebut_tests::models::{IN_SCANS, Subject, digits, scans, shared};
use rebut_tests::rules::Ended;
use rebut_tests::side::Side;
use std::collections::BTreeSet;

/// Where a lie must be decided.
enum At {
    Element(ValueId, u64),
    Root(ValueId),
}

async fn play(subject: &Subject, lie: Lie) -> Ended {
    let arena = Arena::embedded().await;
    arena.register(&subject.package).await;
    let (mut executor, claim) = Side::lying_executor(arena.client(1), subject, lie).await;
    let mut watcher = Side::watcher(arena.client(2), subject);
    let ended = arena.fight(&claim, &mut [&mut watcher, &mut executor]).await;
    ended
        .expect(Outcome::RefutedByDispute)
        .honest_side_keeps_its_bond(&watcher)
        .gains(&watcher, unburnt(EXECUTOR_BOND))
        .loser_pays(&executor)
        .gets_back(&executor, 0);
    ended
}

async fn refuted(subject: &Subject, lie: Lie, at: At) {
    let expected = match at {
        At::Element(value, element) => (value, Some(element)),
        At::Root(value) => (value, None),
    };
    assert_eq!(play(subject, lie).await.decided, Some(expected), "the lie was {lie}");
}

/// Values of one kind, with their numbers of elements.
fn values(subject: &Subject, kind: impl Fn(&Source) -> bool) -> Vec<(ValueId, u64)> {
    let values = subject.package.program().values.iter().enumerate();
    let chosen = values.filter(|(_, v)| kind(&v.source) && v.ty.elements() > 0);
    chosen.map(|(id, v)| (id as ValueId, v.ty.elements())).collect()
}

fn is_instruction(source: &Source) -> bool {
    matches!(source, Source::Instruction(_))
}

async fn every_instruction(subject: &Subject, elements: impl Fn(u64) -> BTreeSet<u64>) {
    let values = values(subject, is_instruction);
    assert!(!values.is_empty());
    for (value, count) in values {
        for element in elements(count) {
            refuted(subject, Lie::Element { value, element }, At::Element(value, element)).await;
        }
    }
}

/// Lies about padding wherever there is any; how many there were. An output's root is claimed with zeros behind it, so there is no
/// trace with another padding to commit to.
async fn every_padding(subject: &Subject, lie: fn(ValueId) -> Lie) -> usize {
    let outputs = subject.package.program().output_ids();
    let mut told = 0;
    for (value, count) in values(subject, |_| true).into_iter().filter(|(value, _)| !outputs.contains(value)) {
        match ForgedTrace::new(&subject.package, &subject.inputs, &Options::default(), lie(value)) {
            Err(LieError::NoSuchPlace(..)) => continue,
            other => drop(other.expect("a trace with a lie")),
        }
        told += 1;
        let ended = play(subject, lie(value)).await;
        let (at, element) = ended.decided.expect("a dispute was decided");
        let instruction = is_instruction(&subject.package.program().values[value as usize].source);
        assert_eq!(at, value);
        assert_eq!(element.is_some(), instruction);
        assert!(element.is_none_or(|e| e >= count), "element {element:?} of {count} is no padding");
    }
    told
}

#[tokio::test]
async fn in_every_instruction() {
    every_instruction(&digits(), |count| [0, count / 2, count - 1].into()).await;
}

#[tokio::test]
async fn in_the_first_a_middle_and_the_last_value() {
    let subject = digits();
    let values = subject.package.program().values.len() as ValueId;
    for value in [0, values / 2, values - 1] {
        let lie = Lie::Element { value, element: 3 };
        let at = if value == 0 { At::Root(0) } else { At::Element(value, 3) };
        refuted(&subject, lie, at).await;
    }
}

#[tokio::test]
async fn in_inputs_and_weights() {
    let subject = digits();
    for (value, count) in values(&subject, |s| !is_instruction(s)) {
        for element in [0, count - 1] {
            refuted(&subject, Lie::Element { value, element }, At::Root(value)).await;
        }
    }
}

/// The watcher steps, under its own trace root.
#[tokio::test]
async fn in_scans() {
    for (value, element) in IN_SCANS {
        refuted(&scans(), Lie::Element { value, element }, At::Element(value, element)).await;
    }
}

#[tokio::test]
async fn in_padding() {
    let subject = digits();
    assert!(every_padding(&subject, |value| Lie::PaddingLane { value }).await > 3);
    assert!(every_padding(&subject, |value| Lie::PaddingLeaf { value }).await > 0);
    // A trace index beyond the last value is right of every output, and some output is wrong: that decides.
    let outputs = subject.package.program().output_ids();
    refuted(&subject, Lie::PaddingRoot, At::Element(outputs.start, 0)).await;
}

#[tokio::test]
async fn in_a_network_with_integer_outputs() {
    let Some(subject) = shared("digits_mlp") else { return };
    assert!(subject.package.program().output_types().any(|ty| ty.dtype == DType::I64));
    every_instruction(&subject, |count| [count - 1].into()).await;
}

#[tokio::test]
async fn in_mnist() {
    let Some(subject) = shared("mnist_ort_ex") else { return };
    every_instruction(&subject, |count| [count / 2].into()).await;
    assert!(every_padding(&subject, |value| Lie::PaddingLeaf { value }).await > 0);
}
