//! What must be the same on the embedded chain and on anvil.
//!
//! The ignored test plays every scenario on an anvil freshly started with
//! `anvil --hardfork osaka --enable-tx-gas-limit --gas-limit 60000000 --order fifo`:
//! `REBUT_ANVIL_URL=http://127.0.0.1:8545 cargo test -p rebut-sim --test chain -- --ignored anvil`.

use std::time::Duration;

use crate::stage::{Oversized, Probe, Stage, account, address};
use alloy::consensus::{SignableTransaction, TxEip1559, TxEnvelope};
use alloy::eips::eip2718::Encodable2718;
use alloy::eips::{BlockId, BlockNumberOrTag};
use alloy::network::TransactionBuilder;
use alloy::primitives::{B256, Bytes, TxKind, U64, U256, utils::parse_ether};
use alloy::providers::Provider;
use alloy::rpc::client::BatchRequest;
use alloy::rpc::types::{Filter, TransactionRequest};
use alloy::signers::SignerSync;
use alloy::signers::local::PrivateKeySigner;
use futures_util::StreamExt;
use rebut_sim::ChainProvider;

const GAS_CAP: u64 = 16_777_216;

macro_rules! scenarios {
    ($($name:ident),* $(,)?) => {
        $(
            #[tokio::test]
            async fn $name() {
                play::$name(Stage::embedded()).await;
            }
        )*

        #[tokio::test]
        #[ignore = "needs an anvil at REBUT_ANVIL_URL"]
        async fn all_of_them_on_anvil() {
            let url = std::env::var("REBUT_ANVIL_URL").expect("REBUT_ANVIL_URL");
            let stage = Stage::anvil(url);
            stage.dev.set_block_time(1).await.unwrap();
            $(
                println!("{}", stringify!($name));
                let before = stage.dev.snapshot().await.unwrap();
                play::$name(stage.clone()).await;
                assert!(stage.dev.revert(before).await.unwrap());
            )*
        }
    };
}

scenarios!(
    a_contract_is_deployed_called_and_read,
    custom_errors_are_decoded_from_calls_and_sends,
    a_transaction_that_reverts_is_mined_as_failed,
    events_are_watched_and_queried,
    an_estimate_is_enough_although_calls_keep_back_a_64th,
    an_estimate_covers_gas_that_is_refunded_later,
    snapshots_bring_everything_back,
    time_travels_and_contracts_see_it,
    a_nonce_gap_waits_and_an_old_nonce_is_refused,
    more_than_the_balance_is_refused,
    the_transaction_gas_cap_is_enforced,
    the_code_size_limit_is_enforced,
    calldata_costs_at_least_the_floor,
    manual_mining_keeps_the_order_of_arrival,
    a_batch_is_answered_in_one_go,
    blocks_and_transactions_are_described_consistently,
    the_same_work_uses_the_same_gas,
    // Last, because anvil keeps the base fee when it goes back to a snapshot.
    tips_and_base_fees_are_paid_and_burnt,
);

/// Signs without a provider, so that any nonce, gas and price can be sent.
fn sign(signer: &PrivateKeySigner, nonce: u64, change: impl FnOnce(&mut TxEip1559)) -> Bytes {
    let mut tx = TxEip1559 {
        chain_id: 31_337,
        nonce,
        gas_limit: 100_000,
        max_fee_per_gas: 10_000_000_000,
        max_priority_fee_per_gas: 1,
        to: TxKind::Call(address(9)),
        ..Default::default()
    };
    change(&mut tx);
    let signature = signer.sign_hash_sync(&tx.signature_hash()).unwrap();
    TxEnvelope::from(tx.into_signed(signature)).encoded_2718().into()
}

async fn nonce(provider: &ChainProvider, index: usize) -> u64 {
    provider.get_transaction_count(address(index)).await.unwrap()
}

mod play {
    use super::*;

    pub(super) async fn a_contract_is_deployed_called_and_read(stage: Stage) {
        let probe = stage.probe().await;
        let pending = probe.set(U256::from(7)).value(U256::from(3)).send().await.unwrap();
        let receipt = pending.get_receipt().await.unwrap();
        assert!(receipt.status());
        assert_eq!(probe.value().call().await.unwrap(), U256::from(7));
        let provider = probe.provider();
        assert_eq!(provider.get_balance(*probe.address()).await.unwrap(), U256::from(3));
        assert_eq!(provider.get_storage_at(*probe.address(), U256::ZERO).await.unwrap(), U256::from(7));
        assert!(Probe::BYTECODE.ends_with(&provider.get_code_at(*probe.address()).await.unwrap()));
        assert!(provider.get_code_at(address(1)).await.unwrap().is_empty());
        assert_eq!(provider.get_chain_id().await.unwrap(), 31_337);
    }

    pub(super) async fn custom_errors_are_decoded_from_calls_and_sends(stage: Stage) {
        let probe = stage.probe().await;
        let failed = [
            probe.refuse(U256::from(5)).call().await.map(drop).unwrap_err(),
            probe.refuse(U256::from(5)).send().await.map(drop).unwrap_err(),
        ];
        for error in failed {
            let refused = error.as_decoded_error::<Probe::Refused>().expect("the contract's own error");
            assert_eq!((refused.got, refused.why.as_str()), (U256::from(5), "always"));
        }
        let estimate = probe.refuse(U256::from(5)).estimate_gas().await.unwrap_err();
        assert!(estimate.as_decoded_error::<Probe::Refused>().is_some());
    }

    pub(super) async fn a_transaction_that_reverts_is_mined_as_failed(stage: Stage) {
        let probe = stage.probe().await;
        let before = nonce(probe.provider(), 0).await;
        let pending = probe.refuse(U256::from(5)).gas(100_000).send().await.unwrap();
        let receipt = pending.get_receipt().await.unwrap();
        assert!(!receipt.status());
        assert!(receipt.gas_used > 21_000 && receipt.gas_used < 100_000);
        assert_eq!(nonce(probe.provider(), 0).await, before + 1);
    }

    pub(super) async fn events_are_watched_and_queried(stage: Stage) {
        let probe = stage.probe().await;
        let mark = B256::repeat_byte(9);
        let watch = probe.Poked_filter().topic2(U256::from(2)).watch().await.unwrap();
        for tag in [1, 2, 3] {
            let pending = probe.poke(U256::from(tag), mark, U256::from(tag * 10)).send().await.unwrap();
            assert_eq!(pending.get_receipt().await.unwrap().logs().len(), 1);
        }
        let mut stream = Box::pin(watch.into_stream());
        let next = tokio::time::timeout(Duration::from_secs(20), stream.next()).await.unwrap();
        let (poked, log) = next.unwrap().unwrap();
        assert_eq!((poked.by, poked.tag, poked.mark, poked.value), (address(0), U256::from(2), mark, U256::from(20)));

        let found = probe.Poked_filter().from_block(0).query().await.unwrap();
        assert_eq!(found.iter().map(|(poked, _)| poked.tag.to::<u64>()).collect::<Vec<_>>(), [1, 2, 3]);
        let provider = probe.provider();
        let in_block = Filter::new().at_block_hash(log.block_hash.unwrap()).address(*probe.address());
        assert_eq!(provider.get_logs(&in_block).await.unwrap(), [log]);
    }

    pub(super) async fn an_estimate_is_enough_although_calls_keep_back_a_64th(stage: Stage) {
        let probe = stage.probe().await;
        let call = probe.deep(U256::from(20), U256::from(5));
        let gas = call.estimate_gas().await.unwrap();
        let receipt = call.gas(gas).send().await.unwrap().get_receipt().await.unwrap();
        assert!(receipt.status());
        assert!(gas > receipt.gas_used * 64 / 63, "the innermost call had to be left more than was used");
    }

    pub(super) async fn an_estimate_covers_gas_that_is_refunded_later(stage: Stage) {
        let probe = stage.probe().await;
        let call = probe.fillAndClear(U256::from(10));
        let gas = call.estimate_gas().await.unwrap();
        let receipt = call.gas(gas).send().await.unwrap().get_receipt().await.unwrap();
        assert!(receipt.status());
        assert!(gas > receipt.gas_used);
    }

    pub(super) async fn snapshots_bring_everything_back(stage: Stage) {
        let probe = stage.probe().await;
        let set = async |value: u64| {
            probe.set(U256::from(value)).send().await.unwrap().get_receipt().await.unwrap();
        };
        set(1).await;
        let block = probe.provider().get_block_number().await.unwrap();
        let first = stage.dev.snapshot().await.unwrap();
        set(2).await;
        let second = stage.dev.snapshot().await.unwrap();
        set(3).await;
        assert!(stage.dev.revert(first).await.unwrap());
        assert_eq!(probe.value().call().await.unwrap(), U256::from(1));
        assert_eq!(probe.provider().get_block_number().await.unwrap(), block);
        assert!(!stage.dev.revert(second).await.unwrap(), "a later snapshot goes with the earlier");
        set(4).await;
        assert_eq!(probe.value().call().await.unwrap(), U256::from(4));
    }

    pub(super) async fn time_travels_and_contracts_see_it(stage: Stage) {
        let probe = stage.probe().await;
        let deadline = stage.dev.now().await.unwrap() + 1_000;
        let early = probe.only(U256::from(deadline)).send().await.map(drop).unwrap_err();
        assert!(early.as_decoded_error::<Probe::TooEarly>().is_some());
        assert_eq!(stage.dev.advance(1_000).await.unwrap(), deadline);
        probe.only(U256::from(deadline)).send().await.unwrap().get_receipt().await.unwrap();
        assert_eq!(stage.dev.now().await.unwrap(), deadline + 1);

        stage.dev.set_next_block_timestamp(deadline + 500).await.unwrap();
        stage.dev.mine().await.unwrap();
        assert_eq!(stage.dev.now().await.unwrap(), deadline + 500);
        assert!(stage.dev.set_next_block_timestamp(deadline).await.is_err());
    }

    pub(super) async fn a_nonce_gap_waits_and_an_old_nonce_is_refused(stage: Stage) {
        let provider = stage.provider(1);
        let next = nonce(&provider, 1).await;
        let send = async |nonce| provider.send_raw_transaction(&sign(&account(1), nonce, |_| {})).await;
        let later = *send(next + 1).await.unwrap().tx_hash();
        assert!(provider.get_transaction_receipt(later).await.unwrap().is_none());
        assert_eq!(nonce(&provider, 1).await, next);
        send(next).await.unwrap().get_receipt().await.unwrap();
        let receipt = tokio::time::timeout(Duration::from_secs(20), async {
            loop {
                if let Some(receipt) = provider.get_transaction_receipt(later).await.unwrap() {
                    return receipt;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        assert!(receipt.await.unwrap().status());
        assert!(send(next).await.unwrap_err().to_string().contains("nonce too low"));
    }

    pub(super) async fn more_than_the_balance_is_refused(stage: Stage) {
        let poor = PrivateKeySigner::from_bytes(&B256::repeat_byte(0x42)).unwrap();
        let provider = stage.provider_of(poor.clone());
        stage.dev.set_balance(poor.address(), parse_ether("1").unwrap()).await.unwrap();
        let raw = sign(&poor, 0, |tx| tx.value = parse_ether("1").unwrap());
        let refused = provider.send_raw_transaction(&raw).await.unwrap_err().to_string();
        assert!(refused.to_lowercase().contains("insufficient funds"), "{refused}");
        let raw = sign(&poor, 0, |tx| tx.value = parse_ether("0.9").unwrap());
        let receipt = provider.send_raw_transaction(&raw).await.unwrap().get_receipt().await.unwrap();
        assert!(receipt.status());
        let fee = U256::from(receipt.effective_gas_price) * U256::from(receipt.gas_used);
        assert_eq!(provider.get_balance(poor.address()).await.unwrap(), parse_ether("0.1").unwrap() - fee);
    }

    pub(super) async fn the_transaction_gas_cap_is_enforced(stage: Stage) {
        let provider = stage.provider(2);
        let next = nonce(&provider, 2).await;
        let with_gas = |gas| sign(&account(2), next, |tx| tx.gas_limit = gas);
        assert!(provider.send_raw_transaction(&with_gas(GAS_CAP + 1)).await.is_err());
        assert!(provider.send_raw_transaction(&with_gas(20_999)).await.is_err());
        let pending = provider.send_raw_transaction(&with_gas(GAS_CAP)).await.unwrap();
        assert_eq!(pending.get_receipt().await.unwrap().gas_used, 21_000);
    }

    pub(super) async fn the_code_size_limit_is_enforced(stage: Stage) {
        assert!(Oversized::deploy(stage.provider(0)).await.is_err());
        let create = TransactionRequest::default().with_deploy_code(Oversized::BYTECODE.clone());
        let pending = stage.provider(0).send_transaction(create.with_gas_limit(10_000_000)).await.unwrap();
        assert!(!pending.get_receipt().await.unwrap().status());
    }

    pub(super) async fn calldata_costs_at_least_the_floor(stage: Stage) {
        let probe = stage.probe().await;
        let data = Bytes::from(vec![0xff; 10_000]);
        let call = probe.swallow(data);
        let calldata = call.calldata().clone();
        let gas = call.estimate_gas().await.unwrap();
        assert!(gas >= 21_000 + 40 * 10_000);
        let receipt = call.gas(gas).send().await.unwrap().get_receipt().await.unwrap();
        let nonzero = calldata.iter().filter(|byte| **byte != 0).count() as u64;
        let zero = calldata.len() as u64 - nonzero;
        assert_eq!(receipt.gas_used, 21_000 + 40 * nonzero + 10 * zero);
    }

    pub(super) async fn manual_mining_keeps_the_order_of_arrival(stage: Stage) {
        stage.dev.set_automine(false).await.unwrap();
        let provider = stage.provider(0);
        let senders = [3, 5, 4];
        let mut hashes = Vec::new();
        for (at, index) in senders.into_iter().enumerate() {
            // Ever higher tips: they must not matter.
            let next = nonce(&provider, index).await;
            let raw = sign(&account(index), next, |tx| tx.max_priority_fee_per_gas = 1_000 * (at as u128 + 1));
            hashes.push(*provider.send_raw_transaction(&raw).await.unwrap().tx_hash());
        }
        let head = provider.get_block_number().await.unwrap();
        let waiting = provider.get_transaction_by_hash(hashes[0]).await.unwrap().unwrap();
        assert_eq!(waiting.block_number, None);
        let count = provider.get_transaction_count(address(3));
        let pending = count.block_id(BlockId::Number(BlockNumberOrTag::Pending)).await.unwrap();
        assert_eq!(pending, nonce(&provider, 3).await + 1);
        stage.dev.mine().await.unwrap();
        stage.dev.set_automine(true).await.unwrap();
        let block = provider.get_block_by_number((head + 1).into()).await.unwrap().unwrap();
        assert_eq!(block.transactions.hashes().collect::<Vec<_>>(), hashes);
    }

    pub(super) async fn a_batch_is_answered_in_one_go(stage: Stage) {
        let provider = stage.provider(0);
        let mut batch = BatchRequest::new(provider.client());
        let chain_id = batch.add_call::<_, U64>("eth_chainId", &()).unwrap();
        let unknown = batch.add_call::<_, U64>("eth_noSuchMethod", &()).unwrap();
        let balance = batch.add_call::<_, U256>("eth_getBalance", &(address(8), "latest")).unwrap();
        batch.send().await.unwrap();
        assert_eq!(chain_id.await.unwrap(), U64::from(31_337));
        assert_eq!(unknown.await.unwrap_err().as_error_resp().unwrap().code, -32601);
        assert_eq!(balance.await.unwrap(), parse_ether("10000").unwrap());
    }

    pub(super) async fn tips_and_base_fees_are_paid_and_burnt(stage: Stage) {
        let provider = stage.provider(6);
        stage.dev.set_next_base_fee(3_000_000_000).await.unwrap();
        let next = nonce(&provider, 6).await;
        let raw = sign(&account(6), next, |tx| tx.max_priority_fee_per_gas = 50);
        let receipt = provider.send_raw_transaction(&raw).await.unwrap().get_receipt().await.unwrap();
        assert_eq!(receipt.effective_gas_price, 3_000_000_050);
        let block = provider.get_block_by_hash(receipt.block_hash.unwrap()).await.unwrap().unwrap();
        assert_eq!(block.header.base_fee_per_gas, Some(3_000_000_000));
        let history = provider.get_fee_history(1, BlockNumberOrTag::Latest, &[50.0]).await.unwrap();
        assert_eq!(history.base_fee_per_gas[0], 3_000_000_000);
        assert_eq!(history.reward, Some(vec![vec![50]]));
        let (used, limit) = (block.header.gas_used as f64, block.header.gas_limit as f64);
        assert_eq!(history.gas_used_ratio, [used / limit]);
        let expected = 3e9 * (1.0 + (used / limit * 2.0 - 1.0) / 8.0);
        assert!((history.base_fee_per_gas[1] as f64 - expected).abs() <= 1.0);
    }

    pub(super) async fn blocks_and_transactions_are_described_consistently(stage: Stage) {
        let probe = stage.probe().await;
        let pending = probe.poke(U256::ONE, B256::ZERO, U256::ONE).send().await.unwrap();
        let receipt = pending.get_receipt().await.unwrap();
        let provider = probe.provider();
        let by_hash = provider.get_block_by_hash(receipt.block_hash.unwrap()).full().await.unwrap().unwrap();
        let by_number = provider.get_block_by_number(BlockNumberOrTag::Latest).full().await.unwrap().unwrap();
        assert_eq!(by_hash, by_number);
        assert_eq!(by_hash.header.hash, by_hash.header.inner.hash_slow());
        let transaction = provider.get_transaction_by_hash(receipt.transaction_hash).await.unwrap().unwrap();
        assert_eq!(by_hash.transactions.as_transactions().unwrap(), [transaction]);
        let parent = provider.get_block_by_hash(by_hash.header.parent_hash).await.unwrap().unwrap();
        assert_eq!(parent.header.number + 1, by_hash.header.number);
        let seen = probe.surroundings().call().await.unwrap();
        assert_eq!(seen._4, U256::from(31_337));
        assert_eq!(seen._3, blockhash_seen(provider, seen._0).await);
        assert!(provider.get_block_by_hash(B256::ZERO).await.unwrap().is_none());
        assert!(provider.get_transaction_receipt(B256::ZERO).await.unwrap().is_none());
    }

    /// The hash of the block before the one in which a call believes itself.
    async fn blockhash_seen(provider: &ChainProvider, number: U256) -> B256 {
        let before = provider.get_block_by_number((number.to::<u64>() - 1).into()).await.unwrap();
        before.unwrap().header.hash
    }

    /// Numbers that both chains must arrive at: the same contract, the same calls, the same gas.
    pub(super) async fn the_same_work_uses_the_same_gas(stage: Stage) {
        let probe = stage.probe().await;
        let sent = [
            probe.poke(U256::from(1), B256::ZERO, U256::from(5)).send().await.unwrap(),
            probe.fillAndClear(U256::from(4)).gas(1_000_000).send().await.unwrap(),
            probe.deep(U256::from(3), U256::from(2)).gas(1_000_000).send().await.unwrap(),
        ];
        let mut gas = Vec::new();
        for pending in sent {
            gas.push(pending.get_receipt().await.unwrap().gas_used);
        }
        assert_eq!(gas, [46_096, 89_055, 68_223]);
    }
}
