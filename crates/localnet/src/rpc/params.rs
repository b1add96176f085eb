//! Positional parameters, with Agave's words for what is wrong with them.

use super::error::RpcError;
use jsonrpc_core::Error;
use serde::de::DeserializeOwned;
use serde_json::Value;
use solana_address::Address;
use solana_hash::Hash;
use solana_signature::Signature;

/// The parameters of one call.
#[derive(Debug)]
pub struct Params(Vec<Value>);

impl Params {
    /// From a call's `params`, of which there must be from `required` to `most`.
    pub fn new(params: jsonrpc_core::Params, required: usize, most: usize) -> Result<Self, RpcError> {
        let values = match params {
            jsonrpc_core::Params::None => Vec::new(),
            jsonrpc_core::Params::Array(values) => values,
            jsonrpc_core::Params::Map(_) => {
                return Err(RpcError::invalid_params("`params` should be an array"));
            }
        };
        let given = values.len();
        if given < required {
            return Err(RpcError::invalid_params(format!(
                "`params` should have at least {required} argument(s)"
            )));
        }
        if given > most {
            let expected = if most == 0 {
                "No parameters were expected".to_owned()
            } else {
                format!("Expected from {required} to {most} parameters.")
            };
            return Err(RpcError(Error::invalid_params_with_details(expected, format!("Got: {given}"))));
        }
        Ok(Self(values))
    }

    /// A parameter that must be there.
    pub fn required<T: DeserializeOwned>(&self, index: usize) -> Result<T, RpcError> {
        let value = self.0.get(index).unwrap_or(&Value::Null);
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

    /// A blockhash.
    pub fn hash(&self, index: usize) -> Result<Hash, RpcError> {
        let text: String = self.required(index)?;
        text.parse().map_err(|error| RpcError::invalid_params(format!("Invalid param: {error:?}")))
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
