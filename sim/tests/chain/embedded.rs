//! What is particular to the embedded chain: its pool, its history, its clock and its handling of reorganisations.

use crate::stage::{Probe, Stage, account, address};
use alloy::consensus::{SignableTransaction, TxEip1559, TxEip2930, TxEip4844, TxEip7702, TxEnvelope, TxLegacy};
use alloy::eips::eip2718::Encodable2718;
use alloy::eips::eip7702::Authorization;
use alloy::eips::{BlockId, BlockNumberOrTag};
use alloy::primitives::{B256, Bytes, Signature, TxKind, U256};
use alloy::providers::Provider;
use alloy::rpc::types::{Log, TransactionInput, TransactionRequest};
use alloy::signers::SignerSync;
use alloy::transports::TransportResult;
use rebut_sim::{ChainConfig, ChainProvider, DEV_BALANCE, DevRpc, EmbeddedChain};
use serde_json::json;

fn manual() -> (EmbeddedChain, ChainProvider, DevRpc) {
    let chain = EmbeddedChain::new(ChainConfig { automine: false, ..ChainConfig::default() });
    let provider = chain.provider(account(0));
    let dev = DevRpc::new(provider.clone());
    (chain, provider, dev)
}

fn signed<T: SignableTransaction<Signature>>(sender: usize, tx: T) -> Bytes
where
    TxEnvelope: From<alloy::consensus::Signed<T>>,
{
    let signature = account(sender).sign_hash_sync(&tx.signature_hash()).unwrap();
    TxEnvelope::from(tx.into_signed(signature)).encoded_2718().into()
}

fn transfer(nonce: u64, max_fee_per_gas: u128, tip: u128) -> TxEip1559 {
    TxEip1559 {
        chain_id: 31_337,
        nonce,
        gas_limit: 21_000,
        max_fee_per_gas,
        max_priority_fee_per_gas: tip,
        to: TxKind::Call(address(9)),
        value: U256::from(nonce + 1),
        ..Default::default()
    }
}

async fn send(provider: &ChainProvider, raw: Bytes) -> TransportResult<B256> {
    Ok(*provider.send_raw_transaction(&raw).await?.tx_hash())
}

const GWEI: u128 = 1_000_000_000;

#[tokio::test]
async fn two_chains_that_see_the_same_requests_are_identical() {
    let mut hashes = Vec::new();
    for _ in 0..2 {
        let chain = EmbeddedChain::default();
        let probe = Stage::on(&chain).probe().await;
        probe.set(U256::from(3)).send().await.unwrap().get_receipt().await.unwrap();
        assert_eq!(chain.advance(100), chain.now());
        assert_eq!((chain.block_number(), chain.now()), (3, 1_800_000_000 + 2 + 100));
        let head = probe.provider().get_block_by_number(BlockNumberOrTag::Latest).await.unwrap().unwrap();
        hashes.push(head.header.hash);
    }
    assert_eq!(hashes[0], hashes[1]);
}

#[tokio::test]
async fn state_is_known_at_every_earlier_block() {
    let chain = EmbeddedChain::default();
    let probe = Stage::on(&chain).probe().await;
    let provider = probe.provider();
    for value in [10, 20, 0, 30] {
        probe.set(U256::from(value)).value(U256::ONE).send().await.unwrap().get_receipt().await.unwrap();
    }
    let mut balances = Vec::new();
    for (block, expected) in [(1, 0), (2, 10), (3, 20), (4, 0), (5, 30)] {
        let at = BlockId::from(block);
        assert_eq!(probe.value().block(at).call().await.unwrap(), U256::from(expected), "block {block}");
        let slot = provider.get_storage_at(*probe.address(), U256::ZERO).block_id(at).await.unwrap();
        assert_eq!(slot, U256::from(expected));
        assert_eq!(provider.get_transaction_count(address(0)).block_id(at).await.unwrap(), block);
        assert_eq!(provider.get_balance(*probe.address()).block_id(at).await.unwrap(), U256::from(block - 1));
        balances.push(provider.get_balance(address(0)).block_id(at).await.unwrap());
        let seen = probe.surroundings().block(at).call().await.unwrap();
        assert_eq!((seen._0, seen._1), (U256::from(block), U256::from(1_800_000_000 + block)));
    }
    assert!(balances.is_sorted_by(|earlier, later| earlier > later));
    let genesis = BlockId::from(0);
    assert!(provider.get_code_at(*probe.address()).block_id(genesis).await.unwrap().is_empty());
    assert_eq!(provider.get_balance(address(0)).block_id(genesis).await.unwrap(), DEV_BALANCE);
    assert!(provider.get_balance(address(0)).block_id(BlockId::from(6)).await.is_err());
    let by_hash = provider.get_block_by_number(2.into()).await.unwrap().unwrap().header.hash;
    assert_eq!(probe.value().block(by_hash.into()).call().await.unwrap(), U256::from(10));
}

#[tokio::test]
async fn pending_is_what_the_waiting_transactions_would_leave() {
    let (_, provider, dev) = manual();
    let deployment = Probe::deploy_builder(provider.clone()).send().await.unwrap();
    dev.mine().await.unwrap();
    let created = deployment.get_receipt().await.unwrap().contract_address.unwrap();
    let probe = Probe::new(created, provider.clone());
    let _ = probe.set(U256::from(8)).send().await.unwrap();
    assert_eq!(probe.value().call().await.unwrap(), U256::ZERO);
    assert_eq!(probe.value().block(BlockId::pending()).call().await.unwrap(), U256::from(8));
    let block = provider.get_block_by_number(BlockNumberOrTag::Pending).await.unwrap().unwrap();
    assert_eq!((block.header.number, block.transactions.len()), (2, 1));
    dev.mine().await.unwrap();
    assert_eq!(probe.value().call().await.unwrap(), U256::from(8));
}

#[tokio::test]
async fn a_replacement_must_pay_a_tenth_more() {
    let (_, provider, dev) = manual();
    let first = send(&provider, signed(0, transfer(0, 10 * GWEI, 100))).await.unwrap();
    let again = send(&provider, signed(0, transfer(0, 10 * GWEI, 100))).await.unwrap_err();
    assert!(again.to_string().contains("already known"));
    let cheap = send(&provider, signed(0, transfer(0, 11 * GWEI, 109))).await.unwrap_err();
    assert!(cheap.to_string().contains("underpriced"));
    let second = send(&provider, signed(0, transfer(0, 11 * GWEI, 110))).await.unwrap();
    dev.mine().await.unwrap();
    assert!(provider.get_transaction_receipt(first).await.unwrap().is_none());
    assert!(provider.get_transaction_by_hash(first).await.unwrap().is_none());
    assert!(provider.get_transaction_receipt(second).await.unwrap().is_some());
    assert!(send(&provider, signed(0, transfer(0, 11 * GWEI, 110))).await.is_err());
}

#[tokio::test]
async fn a_transaction_waits_until_the_base_fee_falls() {
    let chain = EmbeddedChain::default();
    let provider = chain.provider(account(0));
    let dev = DevRpc::new(provider.clone());
    let hash = send(&provider, signed(0, transfer(0, GWEI / 2, 0))).await.unwrap();
    assert!(provider.get_transaction_receipt(hash).await.unwrap().is_none());
    // Empty blocks lower the base fee by an eighth: 6 of them halve it.
    dev.mine_many(5).await.unwrap();
    assert!(provider.get_transaction_receipt(hash).await.unwrap().is_none());
    dev.mine_many(2).await.unwrap();
    let receipt = provider.get_transaction_receipt(hash).await.unwrap().unwrap();
    assert!(receipt.effective_gas_price < GWEI / 2);
}

#[tokio::test]
async fn a_full_block_leaves_the_rest_for_the_next() {
    let (_, provider, dev) = manual();
    let big = |nonce| TxEip1559 { gas_limit: 16_777_216, ..transfer(nonce, 10 * GWEI, 0) };
    let spend = |nonce| TxEip1559 {
        // The invalid instruction, which burns the whole limit.
        to: TxKind::Create,
        input: vec![0xfe].into(),
        value: U256::ZERO,
        ..big(nonce)
    };
    for nonce in 0..5 {
        send(&provider, signed(0, spend(nonce))).await.unwrap();
    }
    dev.mine().await.unwrap();
    let count = async |number: u64| {
        let block = provider.get_block_by_number(number.into()).await.unwrap().unwrap();
        (block.transactions.len(), block.header.gas_used)
    };
    assert_eq!(count(1).await, (3, 3 * 16_777_216));
    dev.mine().await.unwrap();
    assert_eq!(count(2).await, (2, 2 * 16_777_216));
    let base_fee = provider.get_block_by_number(2.into()).await.unwrap().unwrap().header.base_fee_per_gas;
    assert!(base_fee > Some(875_000_000), "a full block raises the base fee");
}

#[tokio::test]
async fn waiting_transactions_share_one_balance() {
    let (_, provider, _) = manual();
    let most = DEV_BALANCE / U256::from(2);
    let half = |nonce| TxEip1559 { value: most, ..transfer(nonce, 10 * GWEI, 0) };
    send(&provider, signed(0, half(0))).await.unwrap();
    let refused = send(&provider, signed(0, half(1))).await.unwrap_err();
    assert!(refused.to_string().contains("insufficient funds"));
}

#[tokio::test]
async fn what_becomes_too_poor_while_it_waits_is_dropped() {
    let (_, provider, dev) = manual();
    let hash = send(&provider, signed(0, transfer(0, 10 * GWEI, 0))).await.unwrap();
    dev.set_balance(address(0), U256::ONE).await.unwrap();
    assert!(provider.get_transaction_by_hash(hash).await.unwrap().is_some());
    dev.mine().await.unwrap();
    assert!(provider.get_transaction_by_hash(hash).await.unwrap().is_none());
}

#[tokio::test]
async fn every_type_of_transaction_is_taken_except_blobs() {
    let chain = EmbeddedChain::default();
    let provider = chain.reader();
    let to = TxKind::Call(address(9));
    let legacy = TxLegacy { chain_id: Some(31_337), gas_price: 10 * GWEI, gas_limit: 21_000, to, ..Default::default() };
    let listed =
        TxEip2930 { chain_id: 31_337, nonce: 1, gas_price: 10 * GWEI, gas_limit: 30_000, to, ..Default::default() };
    for raw in [signed(0, legacy.clone()), signed(0, listed), signed(0, transfer(2, 10 * GWEI, 1))] {
        let hash = send(&provider, raw).await.unwrap();
        let transaction = provider.get_transaction_by_hash(hash).await.unwrap().unwrap();
        assert_eq!(transaction.inner.signer(), address(0));
        assert!(provider.get_transaction_receipt(hash).await.unwrap().unwrap().status());
    }
    let delegation = Authorization { chain_id: U256::from(31_337), address: address(5), nonce: 0 };
    let signature = account(1).sign_hash_sync(&delegation.signature_hash()).unwrap();
    let delegating = TxEip7702 {
        chain_id: 31_337,
        nonce: 3,
        gas_limit: 100_000,
        max_fee_per_gas: 10 * GWEI,
        to: address(9),
        authorization_list: vec![delegation.into_signed(signature)],
        ..Default::default()
    };
    send(&provider, signed(0, delegating)).await.unwrap();
    let delegate = provider.get_code_at(address(1)).await.unwrap();
    assert_eq!(delegate[..], [&[0xef, 0x01, 0x00], address(5).as_slice()].concat());

    let blob = TxEip4844 {
        chain_id: 31_337,
        nonce: 4,
        gas_limit: 21_000,
        max_fee_per_gas: 10 * GWEI,
        max_fee_per_blob_gas: GWEI,
        blob_versioned_hashes: vec![B256::with_last_byte(1)],
        ..Default::default()
    };
    let refused = send(&provider, signed(0, blob)).await.unwrap_err();
    assert!(refused.to_string().contains("blob"), "{refused}");
    let unprotected = TxLegacy { chain_id: None, nonce: 4, ..legacy.clone() };
    assert!(send(&provider, signed(0, unprotected)).await.is_err());
    let elsewhere = TxLegacy { chain_id: Some(1), nonce: 4, ..legacy };
    assert!(send(&provider, signed(0, elsewhere)).await.is_err());
}

#[tokio::test]
async fn a_reorganisation_reaches_filters_as_new_blocks() {
    let chain = EmbeddedChain::default();
    let stage = Stage::on(&chain);
    let probe = stage.probe().await;
    let provider = probe.provider();
    let logs = provider.new_filter(&probe.Poked_filter().filter).await.unwrap();
    let blocks = provider.new_block_filter().await.unwrap();
    let poke = async |tag: u64| {
        let _ = probe.poke(U256::from(tag), B256::ZERO, U256::ZERO).send().await.unwrap();
    };
    let tags = async || {
        let news: Vec<Log> = provider.get_filter_changes(logs).await.unwrap();
        news.iter().map(|log| U256::from_be_bytes(log.topics()[2].0).to::<u64>()).collect::<Vec<_>>()
    };
    let fork = stage.dev.snapshot().await.unwrap();
    poke(1).await;
    poke(2).await;
    assert_eq!(tags().await, [1, 2]);
    assert_eq!(provider.get_filter_changes::<B256>(blocks).await.unwrap().len(), 2);
    assert!(stage.dev.revert(fork).await.unwrap());
    assert!(tags().await.is_empty());
    poke(3).await;
    assert_eq!(tags().await, [3]);
    assert_eq!(provider.get_filter_changes::<B256>(blocks).await.unwrap().len(), 1);
    assert!(provider.uninstall_filter(logs).await.unwrap());
    assert!(!provider.uninstall_filter(logs).await.unwrap());
    assert!(provider.get_filter_changes::<Log>(logs).await.is_err());
}

#[tokio::test]
async fn arrivals_are_reported_before_they_are_mined() {
    let (_, provider, _) = manual();
    let filter = provider.new_pending_transactions_filter(false).await.unwrap();
    let hash = send(&provider, signed(0, transfer(0, 10 * GWEI, 0))).await.unwrap();
    assert_eq!(provider.get_filter_changes::<B256>(filter).await.unwrap(), [hash]);
    assert!(provider.get_filter_changes::<B256>(filter).await.unwrap().is_empty());
}

#[tokio::test]
async fn calls_and_estimates_know_what_a_sender_can_pay() {
    let provider = EmbeddedChain::default().reader();
    let rich = TransactionRequest::default().from(address(0)).to(address(1)).value(DEV_BALANCE);
    assert!(provider.call(rich.clone()).await.is_ok());
    assert_eq!(provider.estimate_gas(rich.clone()).await.unwrap(), 21_000);
    let too_much = rich.clone().value(DEV_BALANCE + U256::ONE);
    assert!(provider.call(too_much.clone()).await.is_err());
    assert!(provider.estimate_gas(too_much).await.is_err());
    // At a price, the value and the gas must both be paid.
    assert!(provider.estimate_gas(rich.max_fee_per_gas(10 * GWEI)).await.is_err());
    let endless = TransactionInput::new(vec![0x5b, 0x5f, 0x56].into());
    let endless = TransactionRequest::default().from(address(0)).input(endless);
    let error = provider.estimate_gas(endless).await.unwrap_err();
    assert!(error.to_string().contains("exceeds allowance (16777216)"), "{error}");
}

#[tokio::test]
async fn senders_may_race_from_many_tasks() {
    let chain = EmbeddedChain::default();
    let tasks: Vec<_> = (0..8)
        .map(|index| {
            let provider = chain.provider(account(index));
            tokio::spawn(async move {
                for _ in 0..10 {
                    let transfer = TransactionRequest::default().to(address(9)).value(U256::ONE);
                    provider.send_transaction(transfer).await.unwrap().get_receipt().await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(chain.block_number(), 80);
    let received = chain.reader().get_balance(address(9)).await.unwrap() - DEV_BALANCE;
    assert_eq!(received, U256::from(80));
}

#[tokio::test]
async fn gas_below_the_calldata_floor_is_refused() {
    let provider = EmbeddedChain::default().reader();
    let input = Bytes::from(vec![1; 1_000]);
    let with_gas = |gas_limit| signed(0, TxEip1559 { gas_limit, input: input.clone(), ..transfer(0, 10 * GWEI, 0) });
    let refused = send(&provider, with_gas(60_999)).await.unwrap_err();
    assert!(refused.to_string().contains("floor"), "{refused}");
    let hash = send(&provider, with_gas(61_000)).await.unwrap();
    assert_eq!(provider.get_transaction_receipt(hash).await.unwrap().unwrap().gas_used, 61_000);
}

#[tokio::test]
async fn funds_can_be_made() {
    let chain = EmbeddedChain::default();
    let nobody = address(0).create(5);
    chain.fund(nobody, U256::from(5));
    chain.fund(nobody, U256::from(6));
    assert_eq!(chain.reader().get_balance(nobody).await.unwrap(), U256::from(11));
}

#[tokio::test]
async fn the_clock_cannot_be_broken() {
    let chain = EmbeddedChain::default();
    let dev = DevRpc::new(chain.reader());
    assert!(dev.increase_time(u64::MAX).await.is_err());
    assert!(dev.set_next_block_timestamp(u64::MAX).await.is_err());
    assert!(dev.set_block_time(0).await.is_err());
    assert_eq!(chain.advance(u64::MAX), 1_800_000_000);
    for _ in 0..3 {
        let _ = dev.increase_time(1 << 47).await;
    }
    dev.mine_many(3).await.unwrap();
    let _: serde_json::Value = chain.reader().raw_request("evm_mine".into(), json!([])).await.unwrap();
    assert_eq!(chain.block_number(), 4);
}
