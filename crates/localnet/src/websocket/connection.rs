//! One connection: its subscriptions, and what it is told.

use super::subscription::{Subscription, Wanted};
use crate::actor::Handle;
use crate::events::Event;
use crate::rpc::{Params, RpcError};
use axum::extract::ws::{Message, WebSocket};
use jsonrpc_core::{Call, Error, Id, MethodCall, Request, Version};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

/// Most subscriptions of a connection.
const SUBSCRIPTIONS_MAX: usize = 1_000;
/// Numbers subscriptions, over all connections.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// Serves a connection until it ends, is too slow, or the chain stops.
pub async fn run(mut socket: WebSocket, handle: Handle, cancel: CancellationToken) {
    // Listening begins before anything is subscribed to, so nothing is missed.
    let mut events = handle.events.listen();
    let mut cuts = handle.faults.cuts();
    let mut subscriptions = BTreeMap::new();
    loop {
        let texts = tokio::select! {
            () = cancel.cancelled() => break,
            cut = cuts.changed() => {
                if cut.is_ok() {
                    // Without a farewell, as a cable that is pulled.
                    return;
                }
                break;
            }
            message = socket.recv() => match message {
                Some(Ok(Message::Text(text))) => answer(&handle, &mut subscriptions, text.as_bytes()).await,
                Some(Ok(Message::Binary(bytes))) => answer(&handle, &mut subscriptions, &bytes).await,
                // The library answers pings.
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => Vec::new(),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
            },
            event = events.recv() => match event {
                Ok(event) => tell(&handle, &mut subscriptions, &event).await,
                Err(RecvError::Lagged(missed)) => {
                    tracing::warn!(missed, "a subscriber is too slow and is disconnected");
                    break;
                }
                Err(RecvError::Closed) => break,
            },
        };
        for text in texts {
            if socket.send(Message::text(text)).await.is_err() {
                return;
            }
        }
    }
    // The client may have gone.
    let _ = socket.send(Message::Close(None)).await;
}

type Subscriptions = BTreeMap<u64, Subscription>;

async fn answer(handle: &Handle, subscriptions: &mut Subscriptions, bytes: &[u8]) -> Vec<String> {
    let calls = match serde_json::from_slice::<Request>(bytes) {
        Err(_) => return vec![failed(&Id::Null, &RpcError(Error::parse_error()))],
        Ok(Request::Single(call)) => vec![call],
        Ok(Request::Batch(calls)) => calls,
    };
    let mut texts = Vec::new();
    for call in calls {
        match call {
            Call::Notification(_) => {}
            Call::Invalid { id } => texts.push(failed(&id, &RpcError(Error::invalid_request()))),
            Call::MethodCall(MethodCall { method, params, id, jsonrpc }) => {
                let done = if jsonrpc == Some(Version::V2) {
                    carry_out(handle, subscriptions, &method, params).await
                } else {
                    Err(RpcError(Error::invalid_version()))
                };
                match done {
                    Ok((result, mut later)) => {
                        texts.push(json!({ "jsonrpc": "2.0", "result": result, "id": id }).to_string());
                        texts.append(&mut later);
                    }
                    Err(error) => texts.push(failed(&id, &error)),
                }
            }
        }
    }
    texts
}

fn failed(id: &Id, error: &RpcError) -> String {
    json!({ "jsonrpc": "2.0", "error": error, "id": id }).to_string()
}

/// Subscribes or unsubscribes; gives the answer and what can be told at once.
async fn carry_out(
    handle: &Handle,
    subscriptions: &mut Subscriptions,
    method: &str,
    params: jsonrpc_core::Params,
) -> Result<(Value, Vec<String>), RpcError> {
    if let Some(kind) = method.strip_suffix("Unsubscribe") {
        if !Wanted::KINDS.contains(&kind) {
            return Err(RpcError(Error::method_not_found()));
        }
        let number: u64 = Params::new(params, 1, 1)?.required(0)?;
        return match subscriptions.remove(&number) {
            Some(_) => Ok((Value::Bool(true), Vec::new())),
            None => Err(RpcError::invalid_params("Invalid subscription id.")),
        };
    }
    let subscription = Subscription::new(method, params)?;
    if subscriptions.len() >= SUBSCRIPTIONS_MAX {
        return Err(RpcError(Error {
            code: jsonrpc_core::ErrorCode::InternalError,
            message: "Internal Error: Subscription refused. Node subscription limit reached".to_owned(),
            data: None,
        }));
    }
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let at_once = subscription.at_once(handle).await?;
    let is_done = at_once.as_ref().is_some_and(|told| told.is_last);
    let texts = at_once.map(|told| notification(&subscription, number, &told.result)).into_iter().collect();
    if !is_done {
        subscriptions.insert(number, subscription);
    }
    Ok((Value::from(number), texts))
}

/// What an event means to every subscription, in the order they were made.
async fn tell(handle: &Handle, subscriptions: &mut Subscriptions, event: &Event) -> Vec<String> {
    let (mut texts, mut done) = (Vec::new(), Vec::new());
    for (number, subscription) in subscriptions.iter() {
        for told in subscription.told(handle, event).await {
            texts.push(notification(subscription, *number, &told.result));
            if told.is_last {
                done.push(*number);
            }
        }
    }
    for number in done {
        subscriptions.remove(&number);
    }
    texts
}

fn notification(subscription: &Subscription, number: u64, result: &Value) -> String {
    json!({
        "jsonrpc": "2.0",
        "method": subscription.notification(),
        "params": { "result": result, "subscription": number },
    })
    .to_string()
}
