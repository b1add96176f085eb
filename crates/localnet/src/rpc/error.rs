//! JSON-RPC errors with Agave's codes and words.

use crate::actor::Stopped;
use crate::bank::Refused;
use serde::Serialize;
use serde_json::{Value, json};
use solana_rpc_client_api::custom_error;
use solana_transaction_error::TransactionError;

/// An error object.
#[derive(Clone, Debug, Serialize)]
pub struct RpcError {
    code: i64,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Value>,
}

impl RpcError {
    fn new(code: i64, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), data: None }
    }

    /// The body is not JSON.
    pub fn parse() -> Self {
        Self::new(-32_700, "Parse error")
    }

    /// JSON, but no call.
    pub fn invalid_request() -> Self {
        Self::new(-32_600, "Invalid request")
    }

    /// We do not have it.
    pub fn method_not_found() -> Self {
        Self::new(-32_601, "Method not found")
    }

    /// We have it, but not for these.
    pub fn invalid_params(message: impl Into<String>) -> Self {
        Self::new(-32_602, message)
    }

    /// Our fault.
    pub fn internal() -> Self {
        Self::new(-32_603, "Internal error")
    }

    /// A signature does not fit its key and the message.
    pub fn signature() -> Self {
        Self::new(
            custom_error::JSON_RPC_SERVER_ERROR_TRANSACTION_SIGNATURE_VERIFICATION_FAILURE,
            "Transaction signature verification failure",
        )
    }

    /// Base58 takes time that grows with the square of the length.
    pub fn too_long_for_base58(max: usize) -> Self {
        Self::new(
            -32_600,
            format!(
                "Encoded binary (base 58) data should be less than {max} bytes, please use Base64 encoding."
            ),
        )
    }

    /// The caller cannot read transactions of this version.
    pub fn version(version: u8) -> Self {
        Self::new(
            custom_error::JSON_RPC_SERVER_ERROR_UNSUPPORTED_TRANSACTION_VERSION,
            format!(
                "Transaction version ({version}) is not supported by the requesting client. Please try the request \
                 again with the following configuration parameter: \"maxSupportedTransactionVersion\": {version}"
            ),
        )
    }

    /// The caller knows of a slot that we have not reached.
    pub fn behind(slot: u64) -> Self {
        Self {
            data: Some(json!({ "contextSlot": slot })),
            ..Self::new(
                custom_error::JSON_RPC_SERVER_ERROR_MIN_CONTEXT_SLOT_NOT_REACHED,
                "Minimum context slot has not been reached",
            )
        }
    }

    /// A transaction failed before it was sent on.
    pub fn preflight(refused: &Refused) -> Self {
        let message = match &refused.err {
            TransactionError::InstructionError(index, err) => {
                format!("Error processing Instruction {index}: {err}")
            }
            err => err.to_string(),
        };
        let units = refused.meta.compute_units_consumed;
        Self {
            data: Some(json!({
                "err": refused.err,
                "logs": refused.meta.logs,
                "accounts": null,
                "unitsConsumed": units,
                "loadedAccountsDataSize": 0,
                "returnData": null,
                "innerInstructions": null,
                "replacementBlockhash": null,
            })),
            ..Self::new(
                custom_error::JSON_RPC_SERVER_ERROR_SEND_TRANSACTION_PREFLIGHT_FAILURE,
                format!("Transaction simulation failed: {message}"),
            )
        }
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
