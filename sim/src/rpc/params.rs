//! Reading a request's parameters, which anybody may have written.

use alloy::eips::BlockId;
use alloy::primitives::{U64, U256};
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;

use super::error::RpcError;

pub(crate) struct Params(Vec<Value>);

impl Params {
    /// No parameters, `null` and `[]` are the same.
    pub(crate) fn parse(raw: Option<&RawValue>) -> Result<Self, RpcError> {
        let text = raw.map_or("null", RawValue::get);
        match serde_json::from_str(text) {
            Ok(Value::Null) => Ok(Self(Vec::new())),
            Ok(Value::Array(values)) => Ok(Self(values)),
            Ok(_) => Err(RpcError::invalid_params("parameters must be an array")),
            Err(error) => Err(RpcError::invalid_params(error.to_string())),
        }
    }

    pub(crate) fn required<T: DeserializeOwned>(&self, index: usize, name: &str) -> Result<T, RpcError> {
        let given = self.optional(index, name)?;
        given.ok_or_else(|| RpcError::invalid_params(format!("missing parameter {index}: {name}")))
    }

    /// Absent and `null` are the same.
    pub(crate) fn optional<T: DeserializeOwned>(&self, index: usize, name: &str) -> Result<Option<T>, RpcError> {
        match self.0.get(index) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => T::deserialize(value)
                .map(Some)
                .map_err(|error| RpcError::invalid_params(format!("parameter {index}, {name}: {error}"))),
        }
    }

    /// A number that fits 64 bits: `"0x10"`, `"16"` or `16`.
    pub(crate) fn quantity(&self, index: usize, name: &str) -> Result<u64, RpcError> {
        Ok(self.required::<U64>(index, name)?.to())
    }

    pub(crate) fn optional_quantity(&self, index: usize, name: &str) -> Result<Option<u64>, RpcError> {
        Ok(self.optional::<U64>(index, name)?.map(|number| number.to()))
    }

    pub(crate) fn big_quantity(&self, index: usize, name: &str) -> Result<U256, RpcError> {
        self.required(index, name)
    }

    pub(crate) fn block(&self, index: usize) -> Result<Option<BlockId>, RpcError> {
        self.optional(index, "block")
    }

    /// Refuses what the chain would otherwise silently ignore.
    pub(crate) fn refuse(&self, index: usize, name: &str) -> Result<(), RpcError> {
        match self.0.get(index) {
            None | Some(Value::Null) => Ok(()),
            Some(Value::Object(members)) if members.is_empty() => Ok(()),
            Some(_) => Err(RpcError::invalid_params(format!("{name} are not supported"))),
        }
    }
}
