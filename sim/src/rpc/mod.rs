//! JSON-RPC: which method is answered where.

mod blocks;
mod development;
mod error;
mod events;
mod params;
mod state;
mod transactions;

use alloy::primitives::{Address, U64, U256};
use alloy::rpc::json_rpc::{Response, ResponsePayload, SerializedRequest};
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

use crate::chain::{Chain, SUGGESTED_TIP};
use error::RpcError;
use params::Params;

type Answer = Result<Box<RawValue>, RpcError>;

fn answer(value: impl Serialize) -> Answer {
    to_raw_value(&value).map_err(|error| RpcError::internal(&error))
}

pub(crate) fn respond(chain: &mut Chain, request: &SerializedRequest) -> Response {
    let result = parameters(request).and_then(|params| dispatch(chain, request.method(), &params));
    let payload = match result {
        Ok(value) => ResponsePayload::Success(value),
        Err(error) => ResponsePayload::Failure(error.into()),
    };
    Response { id: request.id().clone(), payload }
}

fn parameters(request: &SerializedRequest) -> Result<Params, RpcError> {
    #[derive(Deserialize)]
    struct Body<'a> {
        #[serde(borrow, default)]
        params: Option<&'a RawValue>,
    }
    let body: Body<'_> = serde_json::from_str(request.serialized().get())
        .map_err(|error| RpcError::invalid_params(error.to_string()))?;
    Params::parse(body.params)
}

fn dispatch(chain: &mut Chain, method: &str, params: &Params) -> Answer {
    match method {
        "eth_chainId" => answer(U64::from(chain.chain_id())),
        "net_version" => answer(chain.chain_id().to_string()),
        "web3_clientVersion" => answer(concat!("rebut-embedded/", env!("CARGO_PKG_VERSION"))),
        "eth_accounts" => answer(Vec::<Address>::new()),
        "eth_syncing" => answer(false),
        "eth_gasPrice" => answer(U256::from(chain.gas_price())),
        "eth_maxPriorityFeePerGas" => answer(U256::from(SUGGESTED_TIP)),
        "eth_feeHistory" => blocks::fee_history(chain, params),

        "eth_blockNumber" => answer(U64::from(chain.head().number())),
        "eth_getBlockByNumber" => blocks::by_number(chain, params),
        "eth_getBlockByHash" => blocks::by_hash(chain, params),
        "eth_getBlockReceipts" => blocks::receipts(chain, params),

        "eth_getBalance" => state::balance(chain, params),
        "eth_getCode" => state::code(chain, params),
        "eth_getStorageAt" => state::storage(chain, params),
        "eth_getTransactionCount" => state::transaction_count(chain, params),
        "eth_call" => state::call(chain, params),
        "eth_estimateGas" => state::estimate_gas(chain, params),

        "eth_sendRawTransaction" => transactions::send_raw(chain, params),
        "eth_getTransactionByHash" => transactions::by_hash(chain, params),
        "eth_getTransactionReceipt" => transactions::receipt(chain, params),

        "eth_getLogs" => events::logs(chain, params),
        "eth_newFilter" => events::new_log_filter(chain, params),
        "eth_newBlockFilter" => events::new_block_filter(chain),
        "eth_newPendingTransactionFilter" => events::new_transaction_filter(chain, params),
        "eth_getFilterChanges" => events::changes(chain, params),
        "eth_getFilterLogs" => events::filter_logs(chain, params),
        "eth_uninstallFilter" => events::uninstall(chain, params),

        _ => development::dispatch(chain, method, params),
    }
}
