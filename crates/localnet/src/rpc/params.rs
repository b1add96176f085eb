//! Positional parameters, with Agave's words for what is wrong with them.

use super::error::RpcError;
use serde::de::DeserializeOwned;
use serde_json::Value;
use solana_address::Address;
use solana_signature::Signature;

/// The parameters of one call.
pub struct Params(Vec<Value>);

impl Params {
    /// From a call's `params`.
    pub fn new(params: Option<Value>) -> Result<Self, RpcError> {
        match params {
            None | Some(Value::Null) => Ok(Self(Vec::new())),
            Some(Value::Array(values)) => Ok(Self(values)),
            Some(_) => Err(RpcError::invalid_params("`params` should be an array")),
        }
    }

    /// A parameter that must be there.
    pub fn required<T: DeserializeOwned>(&self, index: usize) -> Result<T, RpcError> {
        let value = self
            .0
            .get(index)
            .ok_or_else(|| RpcError::invalid_params("`params` should have at least 1 argument(s)"))?;
        T::deserialize(value).map_err(|error| RpcError::invalid_params(format!("Invalid params: {error}.")))
    }

    /// A parameter that may be missing or null.
    pub fn optional<T: DeserializeOwned>(&self, index: usize) -> Result<Option<T>, RpcError> {
        match self.0.get(index) {
            None | Some(Value::Null) => Ok(None),
            Some(_) => self.required(index).map(Some),
        }
    }

    /// An address.
    pub fn address(&self, index: usize) -> Result<Address, RpcError> {
        address(&self.required::<String>(index)?)
    }

    /// A signature.
    pub fn signature(&self, index: usize) -> Result<Signature, RpcError> {
        signature(&self.required::<String>(index)?)
    }
}

/// Reads an address.
pub fn address(text: &str) -> Result<Address, RpcError> {
    text.parse().map_err(|error| RpcError::invalid_params(format!("Invalid param: {error:?}")))
}

/// Reads a signature.
pub fn signature(text: &str) -> Result<Signature, RpcError> {
    text.parse().map_err(|error| RpcError::invalid_params(format!("Invalid param: {error:?}")))
}
