//! Broken rules, each of which a few episodes must find: a campaign that can find nothing proves nothing.

use super::world::World;
use super::{LEAVES_PER_SECOND, rules};
use alloy::network::TransactionBuilder;
use alloy::primitives::{Address, B256, U256};
use alloy::providers::Provider;
use alloy::rpc::types::TransactionRequest;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rebut_contracts::Client;
use rebut_contracts::abi::Rebut;
use rebut_tests::arena::{Arena, parameters};
use rebut_tests::models::squares;

/// Episodes in which a broken rule must show.
const EPISODES: u64 = 6;

/// What the first episodes find, if anything.
async fn found(arena: &Arena, watched: bool) -> Option<String> {
    let subject = squares(3, 3);
    arena.register(&subject.package).await;
    for seed in 1..=EPISODES {
        let beginning = arena.time.snapshot().await.expect("a snapshot");
        let world = World::new(arena, &subject, ChaCha8Rng::seed_from_u64(seed)).await.expect("an episode");
        let mut world = if watched { world } else { world.unwatched() };
        if let Err(violation) = world.play().await {
            return Some(violation.to_string());
        }
        arena.time.revert(beginning).await.expect("the snapshot");
    }
    None
}

/// The arena with its Rebut at another place.
fn moved(mut arena: Arena, rebut: Address) -> Arena {
    arena.deployment.rebut = rebut;
    arena.keeper = Client::new(arena.keeper.provider().clone(), rebut, arena.keeper.account);
    arena
}

/// Deploys this code as it is.
async fn deployed(arena: &Arena, code: &[u8]) -> Address {
    let size = u16::try_from(code.len()).expect("at most 24,576 bytes").to_be_bytes();
    // PUSH2 size, DUP1, PUSH1 10, PUSH0, CODECOPY, PUSH0, RETURN
    let init = [&[0x61, size[0], size[1], 0x80, 0x60, 10, 0x5f, 0x39, 0x5f, 0xf3], code].concat();
    let request = TransactionRequest::default().with_deploy_code(init);
    let sent = arena.keeper.provider().send_transaction(request).await.expect("a node");
    sent.get_receipt().await.expect("a receipt").contract_address.expect("it is deployed")
}

/// A deployment with another value in one of the places where the code has a word; none if it has not as many.
async fn variant(place: usize, word: u64, other: u64) -> Option<Arena> {
    let [word, other] = [word, other].map(|w| B256::from(U256::from(w)));
    let arena = Arena::embedded_with(rules(LEAVES_PER_SECOND)).await;
    let code = arena.keeper.provider().get_code_at(arena.deployment.rebut).await.expect("a node");
    let mut places = (0..code.len() - 32).filter(|&at| code[at..at + 32] == word[..]);
    let place = places.nth(place)?;
    let mut code = code.to_vec();
    code[place..place + 32].copy_from_slice(&other[..]);
    let rebut = deployed(&arena, &code).await;
    Some(moved(arena, rebut))
}

#[tokio::test]
async fn unbroken_rules_are_found_in_order() {
    assert_eq!(found(&Arena::embedded_with(rules(LEAVES_PER_SECOND)).await, true).await, None);
}

#[tokio::test]
async fn a_lie_that_nobody_watches_is_found() {
    let violation = found(&Arena::embedded_with(rules(LEAVES_PER_SECOND)).await, false).await.expect("a lie stands");
    assert!(violation.contains("stands"), "{violation}");
}

#[tokio::test]
async fn a_wrong_adjudicator_is_found() {
    let arena = Arena::embedded_with(rules(LEAVES_PER_SECOND)).await;
    // PUSH1 32, PUSH0, RETURN: every element is 0.
    let adjudicator = deployed(&arena, &[0x60, 32, 0x5f, 0xf3]).await;
    let rebut = Rebut::deploy(arena.keeper.provider().clone(), rules(LEAVES_PER_SECOND), adjudicator)
        .await
        .expect("it deploys");
    let arena = moved(arena, *rebut.address());
    let violation = found(&arena, true).await.expect("the honest lose");
    assert!(violation.contains("honest"), "{violation}");
}

/// What the deployments find in which one place of the code has another value for a word, until so many of them find `what`.
async fn variants(word: u64, other: u64, what: &str, enough: usize) {
    let (mut violations, mut fitting) = (Vec::new(), 0);
    for place in 0.. {
        let Some(arena) = variant(place, word, other).await else { break };
        let violation = found(&arena, true).await;
        fitting += usize::from(violation.as_ref().is_some_and(|v| v.contains(what)));
        violations.push(violation);
        if fitting == enough {
            return;
        }
    }
    panic!("only {fitting} found {what:?}: {violations:#?}");
}

/// Too much paid for a bond.
#[tokio::test]
async fn a_bond_that_is_not_what_was_paid_is_found() {
    variants(100_000_007, 100_000_008, "owes", 3).await;
}

/// A period that is another one in one place than in the others.
#[tokio::test]
async fn a_phase_that_ends_at_another_time_is_found() {
    variants(parameters().openSeconds.into(), 180_000, "cannot act", 1).await;
}
