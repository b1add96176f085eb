//! Solana's JSON-RPC 2.0 over HTTP, as Agave speaks it.

mod accounts;
mod base58;
mod blocks;
mod chain;
mod encode;
mod error;
mod filters;
mod history;
mod params;
mod tokens;
mod transactions;

pub use encode::account as encode_account;
pub use error::RpcError;
pub use filters::Filters;
pub use params::{Params, address};

use crate::actor::Handle;
use crate::faults::Fault;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::serve::ListenerExt as _;
use jsonrpc_core::{Call, Error, Id, MethodCall, Request, Version};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Agave's limit of a request.
const BODY_MAX: usize = 50 * 1024;
/// Most calls of a batch; Agave bounds only its bytes.
const BATCH_MAX: usize = 256;
/// Most bytes of a batch's replies; what would come after is refused.
const REPLIES_MAX: usize = 32 * 1024 * 1024;
/// Most requests under way; more wait for their turn.
const REQUESTS_MAX: usize = 512;

/// What a method gives: JSON, written once.
type Answer = Result<Box<RawValue>, RpcError>;

#[derive(Serialize)]
struct Reply<'a> {
    jsonrpc: Version,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<RpcError>,
    id: &'a Id,
}

/// Answers until cancelled; what is under way is answered first.
pub async fn serve(listener: TcpListener, handle: Handle, cancel: CancellationToken) {
    let router = Router::new()
        .route("/", post(requests))
        .route("/health", get(health))
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

async fn health(State(handle): State<Handle>) -> &'static str {
    if handle.faults.behind().is_some() { "behind" } else { "ok" }
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
    let fault = handle.faults.of_asked();
    let json = answer(&handle, &body).await;
    match fault {
        Some(Fault::AnswerLate(by)) => handle.idle(by).await,
        // A body that ends in an error ends the connection, too.
        Some(Fault::Disconnect) => {
            let broken = std::io::Error::other("disconnected on purpose");
            let body = tokio_stream::once(Err::<Bytes, _>(broken));
            return Response::new(Body::from_stream(body));
        }
        _ => {}
    }
    ([(header::CONTENT_TYPE, "application/json; charset=utf-8")], json).into_response()
}

/// Answers a call or a batch; only notifications get nothing.
async fn answer(handle: &Handle, body: &[u8]) -> String {
    match serde_json::from_slice::<Request>(body) {
        Err(_) => write(&Reply::failed(RpcError(Error::parse_error()), &Id::Null)),
        Ok(Request::Single(call)) => one(handle, call).await.unwrap_or_default(),
        Ok(Request::Batch(calls)) if calls.len() > BATCH_MAX => {
            write(&Reply::failed(RpcError(Error::invalid_request()), &Id::Null))
        }
        Ok(Request::Batch(calls)) => {
            let mut replies = String::new();
            for call in calls {
                let reply =
                    if replies.len() < REPLIES_MAX { one(handle, call).await } else { refused(&call) };
                if let Some(reply) = reply {
                    replies.push(if replies.is_empty() { '[' } else { ',' });
                    replies.push_str(&reply);
                }
            }
            if !replies.is_empty() {
                replies.push(']');
            }
            replies
        }
    }
}

/// Answers one call; a notification gets nothing.
async fn one(handle: &Handle, call: Call) -> Option<String> {
    match call {
        Call::Notification(_) => None,
        Call::Invalid { id } => Some(write(&Reply::failed(RpcError(Error::invalid_request()), &id))),
        Call::MethodCall(MethodCall { jsonrpc, method, params, id }) => {
            let answer = if jsonrpc == Some(Version::V2) {
                dispatch(handle, &method, params).await
            } else {
                Err(RpcError(Error::invalid_version()))
            };
            Some(write(&match answer {
                Ok(result) => Reply { jsonrpc: Version::V2, result: Some(result), error: None, id: &id },
                Err(error) => Reply::failed(error, &id),
            }))
        }
    }
}

/// What a batch gets whose replies have grown too large.
fn refused(call: &Call) -> Option<String> {
    let id = match call {
        Call::Notification(_) => return None,
        Call::Invalid { id } => id,
        Call::MethodCall(call) => &call.id,
    };
    Some(write(&Reply::failed(RpcError(Error::invalid_request()), id)))
}

async fn dispatch(handle: &Handle, method: &str, params: jsonrpc_core::Params) -> Answer {
    let params = |required, most| Params::new(params, required, most);
    match method {
        "getHealth" => params(0, 0).and_then(|_| chain::health(handle)),
        "getVersion" => params(0, 0).and_then(|_| chain::version()),
        "getIdentity" => chain::identity(handle, &params(0, 0)?).await,
        "getGenesisHash" => chain::genesis_hash(handle, &params(0, 0)?).await,
        "getSlot" | "getBlockHeight" => chain::slot(handle, &params(0, 1)?).await,
        "getTransactionCount" => chain::transaction_count(handle, &params(0, 1)?).await,
        "getEpochInfo" => chain::epoch_info(handle, &params(0, 1)?).await,
        "getEpochSchedule" => params(0, 0).and_then(|_| chain::epoch_schedule()),
        "getSlotLeader" => chain::slot_leader(handle, &params(0, 1)?).await,
        "getLatestBlockhash" => chain::latest_blockhash(handle, &params(0, 1)?).await,
        "isBlockhashValid" => chain::is_blockhash_valid(handle, &params(1, 2)?).await,
        "getMinimumBalanceForRentExemption" => chain::rent(handle, &params(1, 2)?).await,
        "getFeeForMessage" => chain::fee(handle, &params(1, 2)?).await,
        "getRecentPrioritizationFees" => chain::priority_fees(handle, &params(0, 1)?).await,
        "getBalance" => accounts::balance(handle, &params(1, 2)?).await,
        "getAccountInfo" => accounts::one(handle, &params(1, 2)?).await,
        "getMultipleAccounts" => accounts::many(handle, &params(1, 2)?).await,
        "getProgramAccounts" => accounts::of_program(handle, &params(1, 2)?).await,
        "getTokenAccountBalance" => tokens::balance(handle, &params(1, 2)?).await,
        "getTokenSupply" => tokens::supply(handle, &params(1, 2)?).await,
        "getTokenAccountsByOwner" => tokens::of_owner(handle, &params(2, 3)?).await,
        "sendTransaction" => transactions::send(handle, &params(1, 2)?).await,
        "simulateTransaction" => transactions::simulate(handle, &params(1, 2)?).await,
        "requestAirdrop" => transactions::airdrop(handle, &params(2, 3)?).await,
        "getSignatureStatuses" => history::statuses(handle, &params(1, 2)?).await,
        "getTransaction" => history::transaction(handle, &params(1, 2)?).await,
        "getSignaturesForAddress" => history::signatures(handle, &params(1, 2)?).await,
        "getBlock" => blocks::one(handle, &params(1, 2)?).await,
        "getBlocks" => blocks::many(handle, &params(1, 3)?).await,
        "getBlockTime" => blocks::time(handle, &params(1, 1)?).await,
        "getFirstAvailableBlock" | "minimumLedgerSlot" => blocks::first(handle, &params(0, 0)?).await,
        _ => Err(RpcError(Error::method_not_found())),
    }
}

impl<'a> Reply<'a> {
    fn failed(error: RpcError, id: &'a Id) -> Self {
        Self { jsonrpc: Version::V2, result: None, error: Some(error), id }
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
