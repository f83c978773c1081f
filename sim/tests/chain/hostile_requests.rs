//! Whatever is sent, the chain answers with an error code and goes on.

use alloy::primitives::U64;
use alloy::providers::Provider;
use alloy::transports::TransportError;
use proptest::prelude::*;
use rebut_sim::{ChainProvider, EmbeddedChain};
use serde_json::{Value, json};

const METHODS: [&str; 40] = [
    "eth_chainId",
    "net_version",
    "web3_clientVersion",
    "eth_accounts",
    "eth_syncing",
    "eth_gasPrice",
    "eth_maxPriorityFeePerGas",
    "eth_feeHistory",
    "eth_blockNumber",
    "eth_getBlockByNumber",
    "eth_getBlockByHash",
    "eth_getBlockReceipts",
    "eth_getBalance",
    "eth_getCode",
    "eth_getStorageAt",
    "eth_getTransactionCount",
    "eth_call",
    "eth_estimateGas",
    "eth_sendRawTransaction",
    "eth_getTransactionByHash",
    "eth_getTransactionReceipt",
    "eth_getLogs",
    "eth_newFilter",
    "eth_newBlockFilter",
    "eth_newPendingTransactionFilter",
    "eth_getFilterChanges",
    "eth_getFilterLogs",
    "eth_uninstallFilter",
    "evm_mine",
    "evm_setAutomine",
    "anvil_getAutomine",
    "evm_increaseTime",
    "evm_setNextBlockTimestamp",
    "anvil_setBlockTimestampInterval",
    "evm_snapshot",
    "evm_revert",
    "anvil_setBalance",
    "anvil_setNextBlockBaseFeePerGas",
    "anvil_dropTransaction",
    "eth_noSuchMethod",
];

async fn ask(provider: &ChainProvider, method: &'static str, params: Value) -> Result<Value, (i64, String)> {
    provider.raw_request(method.into(), params).await.map_err(|error: TransportError| {
        let response = error.as_error_resp().expect("an answer, not a broken transport");
        (response.code, response.message.to_string())
    })
}

#[tokio::test]
async fn malformed_parameters_are_refused_by_name() {
    let provider = EmbeddedChain::default().reader();
    let account = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
    let cases = [
        ("eth_getBalance", json!([])),
        ("eth_getBalance", json!(["0x12"])),
        ("eth_getBalance", json!([account, "newest"])),
        ("eth_getBalance", json!({ "address": account })),
        ("eth_getBalance", json!("0x")),
        ("eth_call", json!([{ "to": 5 }])),
        ("eth_call", json!([{ "to": account, "input": "0x01", "data": "0x02" }])),
        ("eth_call", json!([{ "to": account, "gasPrice": "0x1", "maxFeePerGas": "0x1" }])),
        ("eth_call", json!([{ "to": account }, "latest", { account: { "balance": "0x1" } }])),
        ("eth_estimateGas", json!([{ "to": account, "chainId": "0x1" }])),
        ("eth_sendRawTransaction", json!(["0x02c0"])),
        ("eth_sendRawTransaction", json!(["0xzz"])),
        ("eth_feeHistory", json!(["0x5", "0xffffffffffffffff", []])),
        ("eth_feeHistory", json!(["0x5", "latest", [50.0, 20.0]])),
        ("eth_feeHistory", json!(["0x5", "latest", [101.0]])),
        ("eth_getLogs", json!([{ "fromBlock": "0x5", "toBlock": "0x1" }])),
        ("eth_getLogs", json!([{ "topics": [null, null, null, null, null] }])),
        ("eth_getLogs", json!([{ "blockHash": account }])),
        ("eth_getFilterChanges", json!(["0x1ffffffffffffffff"])),
        ("evm_setNextBlockTimestamp", json!([1])),
        ("evm_setNextBlockTimestamp", json!([-1])),
        ("evm_increaseTime", json!(["soon"])),
        ("anvil_mine", json!(["0xffffffffffffffff"])),
        ("anvil_mine", json!([1, 5])),
        ("anvil_setBalance", json!([account, "-1"])),
    ];
    for (method, params) in cases {
        let (code, message) = ask(&provider, method, params.clone()).await.expect_err(method);
        assert_eq!(code, -32602, "{method} {params}: {message}");
        assert!(!message.is_empty());
    }
    assert_eq!(ask(&provider, "eth_noSuchMethod", json!([])).await.unwrap_err().0, -32601);
    assert_eq!(ask(&provider, "eth_getFilterChanges", json!(["0x7"])).await.unwrap_err().0, -32000);
    assert_eq!(ask(&provider, "evm_revert", json!(["0xffffffffffffffffffff"])).await.unwrap(), json!(false));
    assert_eq!(ask(&provider, "eth_blockNumber", json!(null)).await.unwrap(), json!("0x0"));
}

#[tokio::test]
async fn a_call_with_absurd_numbers_is_answered() {
    let provider = EmbeddedChain::default().reader();
    let max = format!("0x{}", "f".repeat(64));
    let account = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
    for price in [json!({}), json!({ "gasPrice": format!("0x{}", "f".repeat(32)) }), json!({ "gasPrice": "0x1" })] {
        for value in ["0x0", "0x1", max.as_str()] {
            for gas in ["0x0", "0x5208", "0xffffffffffffffff"] {
                let mut call = json!({
                    "from": account, "to": account, "value": value, "gas": gas, "nonce": "0xffffffffffffffff",
                });
                for (key, member) in price.as_object().unwrap() {
                    call[key] = member.clone();
                }
                for method in ["eth_call", "eth_estimateGas"] {
                    let _ = ask(&provider, method, json!([call])).await;
                }
            }
        }
    }
    assert_eq!(provider.get_chain_id().await.unwrap(), 31_337);
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[a-z0-9]{0,12}".prop_map(Value::from),
        "0x[0-9a-f]{0,66}".prop_map(Value::from),
        prop_oneof!["latest", "pending", "safe", "finalized", "earliest"].prop_map(Value::from),
        Just(json!("0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266")),
    ];
    let key =
        prop_oneof!["from", "to", "gas", "value", "input", "fromBlock", "toBlock", "address", "topics", "blockHash"];
    leaf.prop_recursive(3, 16, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(key.clone(), inner, 0..4).prop_map(|members| json!(members)),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn random_parameters_never_break_the_chain(
        requests in prop::collection::vec((0..METHODS.len(), prop::collection::vec(value(), 0..4)), 1..8),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let provider = EmbeddedChain::default().reader();
            for (method, params) in requests {
                if let Err((code, message)) = ask(&provider, METHODS[method], Value::from(params)).await {
                    assert!([-32601, -32602, -32000, 3].contains(&code), "{code}: {message}");
                }
            }
            let number: U64 = provider.raw_request("eth_blockNumber".into(), ()).await.unwrap();
            assert!(number < U64::from(100));
        });
    }
}
