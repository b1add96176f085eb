//! JSON-RPC errors: Agave's own, from its own crates.

use crate::actor::Stopped;
use crate::bank::Refused;
use jsonrpc_core::{Error, ErrorCode};
use serde::Serialize;
use solana_rpc_client_api::custom_error::RpcCustomError;
use solana_rpc_client_api::response::RpcSimulateTransactionResult;
use solana_transaction_error::TransactionError;
use solana_transaction_status_client_types::UiTransactionReturnData;

/// An error object.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(transparent)]
pub struct RpcError(pub Error);

impl RpcError {
    /// We have the method, but not for these parameters.
    pub fn invalid_params(message: impl Into<String>) -> Self {
        Self(Error::invalid_params(message))
    }

    /// Our fault.
    pub fn internal() -> Self {
        Self(Error::internal_error())
    }

    /// Base58 takes time that grows with the square of the length.
    pub fn too_long_for_base58(max: usize) -> Self {
        Self(Error {
            code: ErrorCode::InvalidRequest,
            message: format!(
                "Encoded binary (base 58) data should be less than {max} bytes, please use Base64 encoding."
            ),
            data: None,
        })
    }

    /// A transaction failed before it was sent on.
    pub fn preflight(refused: Refused) -> Self {
        let message = format!("Transaction simulation failed: {}", words(&refused.err));
        let Refused { err, meta, loaded_bytes } = refused;
        let return_data =
            (!meta.return_data.data.is_empty()).then(|| UiTransactionReturnData::from(meta.return_data));
        RpcCustomError::SendTransactionPreflightFailure {
            message,
            result: RpcSimulateTransactionResult {
                err: Some(err.into()),
                logs: Some(meta.logs),
                accounts: None,
                units_consumed: Some(meta.compute_units_consumed),
                loaded_accounts_data_size: Some(loaded_bytes),
                return_data,
                inner_instructions: None,
                replacement_blockhash: None,
                fee: None,
                pre_balances: None,
                post_balances: None,
                pre_token_balances: None,
                post_token_balances: None,
                loaded_addresses: None,
            },
        }
        .into()
    }
}

/// What a transaction's error says, with the instruction's own words.
fn words(err: &TransactionError) -> String {
    match err {
        TransactionError::InstructionError(index, err) => {
            format!("Error processing Instruction {index}: {err}")
        }
        err => err.to_string(),
    }
}

impl From<RpcCustomError> for RpcError {
    fn from(error: RpcCustomError) -> Self {
        Self(error.into())
    }
}

impl From<Stopped> for RpcError {
    fn from(_: Stopped) -> Self {
        Self::internal()
    }
}

impl From<crate::LocalnetError> for RpcError {
    fn from(error: crate::LocalnetError) -> Self {
        tracing::error!(%error, "history cannot be read");
        Self::internal()
    }
}
