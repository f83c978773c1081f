//! Errors as JSON-RPC carries them.

use alloy::rpc::json_rpc::ErrorPayload;
use serde_json::value::{RawValue, to_raw_value};

use crate::chain::ChainError;

const METHOD_NOT_FOUND: i64 = -32601;
const INVALID_PARAMS: i64 = -32602;
const INTERNAL: i64 = -32603;
const SERVER: i64 = -32000;
/// What clients look for before they decode the data as a contract's error.
const REVERTED: i64 = 3;

#[derive(Debug)]
pub(crate) struct RpcError {
    code: i64,
    message: String,
    data: Option<Box<RawValue>>,
}

impl RpcError {
    pub(crate) fn method_not_found(method: &str) -> Self {
        Self::new(METHOD_NOT_FOUND, format!("the method {method} does not exist"))
    }

    pub(crate) fn invalid_params(message: impl Into<String>) -> Self {
        Self::new(INVALID_PARAMS, message.into())
    }

    pub(crate) fn internal(error: &serde_json::Error) -> Self {
        Self::new(INTERNAL, error.to_string())
    }

    fn new(code: i64, message: String) -> Self {
        Self { code, message, data: None }
    }
}

impl From<ChainError> for RpcError {
    fn from(error: ChainError) -> Self {
        let message = error.to_string();
        match error {
            ChainError::Reverted(data) => Self { code: REVERTED, message, data: to_raw_value(&data).ok() },
            ChainError::InvalidParameter(_) => Self::invalid_params(message),
            ChainError::Unavailable(_)
            | ChainError::Rejected(_)
            | ChainError::Halted(_)
            | ChainError::AllowanceTooLow(_) => Self::new(SERVER, message),
        }
    }
}

impl From<RpcError> for ErrorPayload {
    fn from(error: RpcError) -> Self {
        Self { code: error.code, message: error.message.into(), data: error.data }
    }
}
