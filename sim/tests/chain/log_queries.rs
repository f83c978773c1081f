//! `eth_getLogs` against the plainest possible reading of the same receipts.

use crate::stage::{Probe, Stage, account};
use alloy::eips::BlockNumberOrTag;
use alloy::primitives::{Address, B256, U256};
use alloy::providers::Provider;
use alloy::rpc::types::{Filter, Log};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use rebut_sim::{ChainConfig, ChainProvider, EmbeddedChain};

const BLOCKS: u64 = 12;

/// What a random filter asks for. Empty lists match anything.
#[derive(Clone, Debug)]
struct Query {
    range: Option<(u64, u64)>,
    /// Used in place of the range.
    block_hash_of: Option<u64>,
    addresses: Vec<usize>,
    topics: [Vec<usize>; 4],
}

struct Material {
    provider: ChainProvider,
    logs: Vec<Log>,
    addresses: Vec<Address>,
    topics: Vec<B256>,
    hashes: Vec<B256>,
}

/// Two contracts, several transactions a block, logs with zero to four topics.
async fn material() -> Material {
    let chain = EmbeddedChain::new(ChainConfig { automine: false, ..ChainConfig::default() });
    let dev = rebut_sim::DevRpc::new(chain.reader());
    let mut probes = Vec::new();
    for index in 0..2 {
        let pending = Probe::deploy_builder(chain.provider(account(index))).send().await.unwrap();
        dev.mine().await.unwrap();
        let created = pending.get_receipt().await.unwrap().contract_address.unwrap();
        probes.push(Probe::new(created, chain.provider(account(index))));
    }
    for round in 0..BLOCKS - 2 {
        for (index, probe) in probes.iter().enumerate() {
            let tag = U256::from((round + index as u64) % 3);
            if !(round + index as u64).is_multiple_of(4) {
                let mark = B256::with_last_byte((round % 2) as u8);
                let _ = probe.poke(tag, mark, U256::from(round)).gas(200_000).send().await.unwrap();
            }
            if round.is_multiple_of(2) {
                let _ = probe.shout(tag).gas(200_000).send().await.unwrap();
            }
        }
        dev.mine().await.unwrap();
    }
    let provider = chain.reader();
    let mut logs = Vec::new();
    let mut hashes = Vec::new();
    for number in 0..=BLOCKS {
        let block = provider.get_block_by_number(number.into()).await.unwrap().unwrap();
        hashes.push(block.header.hash);
        for hash in block.transactions.hashes() {
            let receipt = provider.get_transaction_receipt(hash).await.unwrap().unwrap();
            logs.extend(receipt.logs().iter().cloned());
        }
    }
    let mut addresses: Vec<_> = probes.iter().map(|probe| *probe.address()).collect();
    addresses.push(Address::ZERO);
    let mut topics: Vec<B256> = logs.iter().flat_map(|log| log.topics().to_vec()).collect();
    topics.push(B256::repeat_byte(0xee));
    topics.sort_unstable();
    topics.dedup();
    Material { provider, logs, addresses, topics, hashes }
}

fn query(topics: usize) -> impl Strategy<Value = Query> {
    let some_topics = move || prop::collection::vec(0..topics, 0..3);
    let topics = [some_topics(), some_topics(), some_topics(), some_topics()];
    (
        prop::option::of((0..BLOCKS + 3, 0..BLOCKS + 3)),
        prop::option::weighted(0.2, 0..BLOCKS + 1),
        prop::collection::vec(0..3usize, 0..3),
        // Most positions are free, or nothing would ever match.
        (topics, prop::array::uniform4(prop::bool::weighted(0.35))),
    )
        .prop_map(|(range, block_hash_of, addresses, (mut topics, kept))| {
            topics.iter_mut().zip(kept).filter(|(_, kept)| !kept).for_each(|(list, _)| list.clear());
            let range = range.map(|(one, other)| (one.min(other), one.max(other)));
            Query { range, block_hash_of, addresses, topics }
        })
}

fn filter(material: &Material, query: &Query) -> Filter {
    let mut filter = Filter::new();
    match (query.block_hash_of, query.range) {
        (Some(number), _) => filter = filter.at_block_hash(material.hashes[number as usize]),
        (_, Some((from, to))) => filter = filter.from_block(from).to_block(to),
        (_, None) => filter = filter.from_block(BlockNumberOrTag::Earliest),
    }
    let addresses: Vec<_> = query.addresses.iter().map(|at| material.addresses[*at]).collect();
    filter = filter.address(addresses);
    for (position, list) in query.topics.iter().enumerate() {
        filter.topics[position] = list.iter().map(|at| material.topics[*at]).collect::<Vec<_>>().into();
    }
    filter
}

fn wanted(material: &Material, query: &Query, log: &Log) -> bool {
    let number = log.block_number.unwrap();
    let in_blocks = match (query.block_hash_of, query.range) {
        (Some(only), _) => number == only,
        (_, Some((from, to))) => from <= number && number <= to,
        _ => true,
    };
    let emitter =
        query.addresses.is_empty() || query.addresses.iter().any(|at| material.addresses[*at] == log.address());
    let topics = query.topics.iter().enumerate().all(|(position, list)| {
        list.is_empty()
            || log.topics().get(position).is_some_and(|topic| list.iter().any(|at| material.topics[*at] == *topic))
    });
    in_blocks && emitter && topics
}

#[test]
fn logs_are_those_a_naive_filter_finds() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let material = runtime.block_on(material());
    assert!(material.logs.len() > 30);
    let mut matched = 0;
    let mut runner = TestRunner::new(ProptestConfig::with_cases(3_000));
    runner
        .run(&query(material.topics.len()), |query| {
            let filter = filter(&material, &query);
            let found = runtime.block_on(material.provider.get_logs(&filter)).unwrap();
            let expected: Vec<_> = material.logs.iter().filter(|log| wanted(&material, &query, log)).cloned().collect();
            prop_assert_eq!(&found, &expected);
            Ok(())
        })
        .unwrap();
    for topic in &material.topics {
        let filter = Filter::new().from_block(0).event_signature(*topic);
        matched += runtime.block_on(material.provider.get_logs(&filter)).unwrap().len();
    }
    assert!(matched > 0, "the filters are not all in vain");
}

#[tokio::test]
async fn log_indices_count_through_a_block() {
    let material = material().await;
    for number in 0..=BLOCKS {
        let filter = Filter::new().select(number);
        let found = material.provider.get_logs(&filter).await.unwrap();
        let indices: Vec<_> = found.iter().map(|log| log.log_index.unwrap()).collect();
        assert_eq!(indices, (0..found.len() as u64).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn without_a_range_only_the_latest_block_is_searched() {
    let stage = Stage::embedded();
    let probe = stage.probe().await;
    for _ in 0..2 {
        let _ = probe.shout(U256::ONE).send().await.unwrap();
    }
    assert_eq!(probe.provider().get_logs(&Filter::new()).await.unwrap().len(), 3);
}
