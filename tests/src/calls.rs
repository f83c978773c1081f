//! What every call of the contracts costs in games on the embedded chain: exact figures, committed and compared by a test.

use crate::arena::{Arena, parameters};
use crate::models::{Subject, digits, doubling};
use crate::side::Side;
use alloy::consensus::Transaction;
use alloy::network::TransactionResponse;
use alloy::primitives::{Address, U256};
use alloy::providers::Provider;
use rebut_contracts::abi::Rebut::RebutCalls;
use rebut_contracts::{BatchContent, ClaimContent, Client, Run, send};
use rebut_engine::exec;
use rebut_sim::adversary::Lie;
use rebut_sim::{ChainConfig, SpecId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Gas of the cheapest and the costliest successful call of one function, refunds of storage included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    /// The least.
    pub least: u64,
    /// The most.
    pub most: u64,
}

/// By function; `claimBatch/item` is one of 256 items of 64 bytes of input and 40 of output, `claim/small` such a claim alone,
/// `finalize/small` recording that it is final.
pub type Calls = BTreeMap<String, Range>;

/// Items of the measured batch.
const ITEMS: usize = 256;

/// Plays games in which every function of the contract is called, under the rules of a fork, and collects what they cost.
pub async fn measure(spec: SpecId) -> Calls {
    let mut calls = Calls::new();
    let subject = digits();
    let places = [(5, 77), (10, 293), (13, 3)];
    for (value, element) in places {
        let arena = stage(&subject, spec).await;
        let (mut liar, claim) = Side::lying_executor(arena.client(1), &subject, Lie::Element { value, element }).await;
        let mut watcher = Side::watcher(arena.client(2), &subject);
        arena.fight(&claim, &mut [&mut watcher, &mut liar]).await;
        collect(&arena, &mut calls).await;

        let arena = stage(&subject, spec).await;
        let (mut executor, claim) = Side::executor(arena.client(1), &subject).await;
        let lie = Lie::Element { value, element };
        let mut liar = Side::lying_challenger(arena.client(2), &claim, &subject, lie).await;
        arena.fight(&claim, &mut [&mut liar, &mut executor]).await;
        collect(&arena, &mut calls).await;
    }
    // A silent executor, then a silent challenger: clocks.
    for (executor_budget, watcher_budget) in [(1, usize::MAX), (usize::MAX, 2)] {
        let arena = stage(&subject, spec).await;
        let (executor, claim) =
            Side::lying_executor(arena.client(1), &subject, Lie::Element { value: 10, element: 293 }).await;
        let mut executor = executor.silent_after(executor_budget);
        let mut watcher = Side::watcher(arena.client(2), &subject).silent_after(watcher_budget);
        arena.fight(&claim, &mut [&mut watcher, &mut executor]).await;
        collect(&arena, &mut calls).await;
    }
    small(&mut calls, spec).await;
    calls
}

/// Small claims: alone, in a batch, taken out of it, conceded, from a stake.
async fn small(calls: &mut Calls, spec: SpecId) {
    let subject = doubling();
    let arena = stage(&subject, spec).await;
    let client = arena.client(1);
    let rebut = &client.rebut;
    let outputs = exec::run(&subject.package, &subject.inputs, &Default::default()).expect("it runs");
    let run: Run = (subject.inputs.clone(), outputs.clone());
    let mut claims = Vec::new();
    for nonce in 0..2 {
        let claim = ClaimContent::new(&client, &subject.package, &run.0, &run.1, nonce).await.expect("a claim");
        let sent = claim.post(&client, &run.0, &run.1, 1024).await.expect("it is posted");
        note(calls, "claim/small", sent.gas);
        claims.push(claim);
    }
    let concede = rebut.concede(claims[1].data.clone());
    send("concede", String::new(), concede).await.expect("it is conceded");

    let runs = vec![run; ITEMS];
    let (batch, sent) = BatchContent::post(&client, &subject.package, &runs).await.expect("a batch");
    note(calls, "claimBatch/item", sent.gas.div_ceil(ITEMS as u64));
    batch.extract(&client, 7).await.expect("an item is a claim");
    arena.pass_deadline(&claims[0]).await;
    arena.time.advance(1).await.expect("time moves");
    for sent in claims[0].conclude(&client).await.expect("the claim is final") {
        note(calls, "finalize/small", sent.gas);
    }
    batch.release(&client).await.expect("so are the items");
    batch.claims[7].conclude(&client).await.expect("and the one that was taken out");

    let deposit = rebut.deposit(client.account).value(U256::from(1));
    send("deposit", String::new(), deposit).await.expect("a stake");
    client.withdraw().await.expect("it is paid");
    collect(&arena, calls).await;
}

async fn stage(subject: &Subject, spec: SpecId) -> Arena {
    let arena =
        Arena::embedded_on(ChainConfig { spec, block_gas_limit: 500_000_000, ..ChainConfig::default() }, parameters())
            .await;
    arena.register(&subject.package).await;
    arena
}

/// All successful transactions to the contract.
async fn collect(arena: &Arena, calls: &mut Calls) {
    let client: &Client = &arena.keeper;
    let provider = client.provider();
    let rebut: Address = *client.rebut.address();
    for number in 0..=provider.get_block_number().await.expect("a height") {
        let block = provider.get_block_by_number(number.into()).full().await.expect("a block").expect("it exists");
        for transaction in block.transactions.txns() {
            let receipt = provider.get_transaction_receipt(transaction.tx_hash()).await.expect("a receipt");
            let receipt = receipt.expect("it is mined");
            if transaction.to() != Some(rebut) || !receipt.status() {
                continue;
            }
            let selector = transaction.input().first_chunk::<4>().copied().unwrap_or_default();
            let name = RebutCalls::name_by_selector(selector).unwrap_or("unknown");
            note(calls, name, receipt.gas_used);
        }
    }
}

fn note(calls: &mut Calls, name: &str, gas: u64) {
    let range = calls.entry(name.into()).or_insert(Range { least: gas, most: gas });
    *range = Range { least: range.least.min(gas), most: range.most.max(gas) };
}
