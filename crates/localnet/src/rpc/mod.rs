//! Solana's JSON-RPC 2.0 over HTTP, as Agave speaks it.

mod accounts;
mod base58;
mod chain;
mod encode;
mod error;
mod history;
mod params;
mod transactions;

use crate::actor::Handle;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::serve::ListenerExt as _;
use error::RpcError;
use params::Params;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Agave's limit of a request.
const BODY_MAX: usize = 50 * 1024;
/// Most calls of a batch; Agave bounds only its bytes.
const BATCH_MAX: usize = 100;
/// Most requests under way; more wait for their turn.
const REQUESTS_MAX: usize = 512;

/// What a method gives: JSON, written once.
type Answer = Result<Box<RawValue>, RpcError>;

#[derive(Serialize)]
struct Reply<'a> {
    jsonrpc: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<RpcError>,
    id: &'a Value,
}

#[derive(Deserialize)]
struct Call {
    jsonrpc: String,
    method: String,
    params: Option<Value>,
    id: Option<Value>,
}

/// Answers until cancelled; what is under way is answered first.
pub async fn serve(listener: TcpListener, handle: Handle, cancel: CancellationToken) {
    let router = Router::new()
        .route("/", post(requests))
        .route("/health", get(|| async { "ok" }))
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .layer(tower::limit::GlobalConcurrencyLimitLayer::new(REQUESTS_MAX))
        // Explorers and wallets in a browser ask from their own origin, as of a
        // cluster's public node.
        .layer(tower_http::cors::CorsLayer::permissive())
        .with_state(handle);
    let listener = listener.tap_io(|stream| {
        // Without it small answers wait for the client's delayed acknowledgement.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps Nagle's algorithm");
        }
    });
    if let Err(error) = axum::serve(listener, router).with_graceful_shutdown(cancel.cancelled_owned()).await {
        tracing::error!(%error, "the chain's JSON-RPC ended");
    }
}

async fn requests(State(handle): State<Handle>, headers: HeaderMap, body: Bytes) -> Response {
    // Only JSON by name: a web page cannot send that elsewhere without asking.
    let is_json = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.split(';').next().is_some_and(|kind| kind.trim() == "application/json"));
    if !is_json {
        let text = "Supplied content type is not allowed. Content-Type: application/json is required\n";
        return (StatusCode::UNSUPPORTED_MEDIA_TYPE, text).into_response();
    }
    let json = match serde_json::from_slice::<Value>(&body) {
        Err(_) => write(&Reply::failed(RpcError::parse(), &Value::Null)),
        Ok(Value::Array(calls)) if calls.is_empty() || calls.len() > BATCH_MAX => {
            write(&Reply::failed(RpcError::invalid_request(), &Value::Null))
        }
        Ok(Value::Array(calls)) => {
            let mut replies = Vec::with_capacity(calls.len());
            for call in calls {
                if let Some(reply) = one(&handle, call).await {
                    replies.push(reply);
                }
            }
            format!("[{}]", replies.join(","))
        }
        Ok(call) => one(&handle, call).await.unwrap_or_default(),
    };
    ([(header::CONTENT_TYPE, "application/json; charset=utf-8")], json).into_response()
}

/// Answers one call; a notification gets nothing.
async fn one(handle: &Handle, call: Value) -> Option<String> {
    let id = call.get("id").cloned().unwrap_or(Value::Null);
    let Ok(call) = serde_json::from_value::<Call>(call) else {
        return Some(write(&Reply::failed(RpcError::invalid_request(), &id)));
    };
    if call.jsonrpc != "2.0" || matches!(id, Value::Array(_) | Value::Object(_) | Value::Bool(_)) {
        return Some(write(&Reply::failed(RpcError::invalid_request(), &id)));
    }
    let answer = match Params::new(call.params) {
        Ok(params) => dispatch(handle, &call.method, params).await,
        Err(error) => Err(error),
    };
    call.id.as_ref()?;
    Some(write(&match answer {
        Ok(result) => Reply { jsonrpc: "2.0", result: Some(result), error: None, id: &id },
        Err(error) => Reply::failed(error, &id),
    }))
}

async fn dispatch(handle: &Handle, method: &str, params: Params) -> Answer {
    match method {
        "getHealth" => give(&"ok"),
        "getVersion" => chain::version(),
        "getIdentity" => chain::identity(handle).await,
        "getGenesisHash" => chain::genesis_hash(handle).await,
        "getSlot" | "getBlockHeight" => chain::slot(handle, &params).await,
        "getTransactionCount" => chain::transaction_count(handle).await,
        "getEpochInfo" => chain::epoch_info(handle).await,
        "getLatestBlockhash" => chain::latest_blockhash(handle, &params).await,
        "isBlockhashValid" => chain::is_blockhash_valid(handle, &params).await,
        "getMinimumBalanceForRentExemption" => chain::rent(handle, &params).await,
        "getFeeForMessage" => chain::fee(handle, &params).await,
        "getRecentPrioritizationFees" => chain::priority_fees(handle).await,
        "getBalance" => accounts::balance(handle, &params).await,
        "getAccountInfo" => accounts::one(handle, &params).await,
        "getMultipleAccounts" => accounts::many(handle, &params).await,
        "getProgramAccounts" => accounts::of_program(handle, &params).await,
        "getTokenAccountBalance" => accounts::token_balance(handle, &params).await,
        "getTokenSupply" => accounts::token_supply(handle, &params).await,
        "getTokenAccountsByOwner" => accounts::tokens_of(handle, &params).await,
        "sendTransaction" => transactions::send(handle, &params).await,
        "simulateTransaction" => transactions::simulate(handle, &params).await,
        "requestAirdrop" => transactions::airdrop(handle, &params).await,
        "getSignatureStatuses" => history::statuses(handle, &params).await,
        "getTransaction" => history::transaction(handle, &params).await,
        "getSignaturesForAddress" => history::signatures(handle, &params).await,
        _ => Err(RpcError::method_not_found()),
    }
}

impl<'a> Reply<'a> {
    fn failed(error: RpcError, id: &'a Value) -> Self {
        Self { jsonrpc: "2.0", result: None, error: Some(error), id }
    }
}

fn give<T: Serialize + ?Sized>(value: &T) -> Answer {
    to_raw_value(value).map_err(|_| RpcError::internal())
}

/// `{"context":{"slot":..},"value":..}`.
fn in_context<T: Serialize>(slot: u64, value: T) -> Answer {
    use solana_rpc_client_api::response::{Response, RpcResponseContext};
    give(&Response { context: RpcResponseContext::new(slot), value })
}

fn write(reply: &Reply<'_>) -> String {
    // A reply of numbers, texts and JSON always serialises.
    serde_json::to_string(reply).unwrap_or_default()
}
