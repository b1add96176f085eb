//! A chain with a clock that is moved by hand, and clients for it.

use futures::{SinkExt as _, StreamExt as _};
use jirani_localnet::{Localnet, LocalnetConfig, RunningLocalnet};
use jirani_units::{Clock, Timestamp};
use serde_json::{Value, json};
use solana_keypair::Keypair;
use solana_message::{Message, VersionedMessage};
use solana_rpc_client::nonblocking::rpc_client::RpcClient;
use solana_rpc_client_api::client_error::{Error, ErrorKind};
use solana_rpc_client_api::request::{RpcError, RpcResponseErrorData};
use solana_signer::Signer as _;
use solana_transaction::versioned::VersionedTransaction;
use solana_transaction_error::TransactionError;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use tokio_tungstenite::tungstenite::Message as Frame;

/// Longer than anything takes; a test that waits so long has failed.
pub const PATIENCE: Duration = Duration::from_mins(1);
/// A slot, in microseconds.
pub const SLOT: i64 = 400_000;
pub const NOON: i64 = 1_795_348_800;
pub const SOL: u64 = 1_000_000_000;

/// In microseconds.
pub struct HandClock(pub AtomicI64);

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

impl HandClock {
    pub fn pass_slots(&self, slots: i64) {
        self.0.fetch_add(slots * SLOT, Ordering::SeqCst);
    }
}

pub fn config() -> LocalnetConfig {
    LocalnetConfig::new("127.0.0.1:0".parse().unwrap(), [7; 32])
}

pub async fn start(config: LocalnetConfig) -> (RunningLocalnet, RpcClient, Arc<HandClock>) {
    let clock = Arc::new(HandClock(AtomicI64::new(NOON * 1_000_000)));
    let chain = Localnet::start(config, clock.clone()).await.unwrap();
    let client = RpcClient::new(chain.rpc_url.clone());
    (chain, client, clock)
}

pub async fn funded(client: &RpcClient, seed: u8) -> Keypair {
    let key = Keypair::new_from_array([seed; 32]);
    client.request_airdrop(&key.pubkey(), SOL).await.unwrap();
    key
}

pub async fn transfer(
    client: &RpcClient,
    from: &Keypair,
    to: &Keypair,
    lamports: u64,
) -> VersionedTransaction {
    let blockhash = client.get_latest_blockhash().await.unwrap();
    let instruction = solana_system_interface::instruction::transfer(&from.pubkey(), &to.pubkey(), lamports);
    let message = Message::new_with_blockhash(&[instruction], Some(&from.pubkey()), &blockhash);
    VersionedTransaction::try_new(VersionedMessage::Legacy(message), &[from]).unwrap()
}

pub async fn raw(chain: &RunningLocalnet, body: impl Into<String>) -> Value {
    let response = reqwest::Client::new()
        .post(&chain.rpc_url)
        .header("content-type", "application/json")
        .body(body.into())
        .send()
        .await
        .unwrap();
    response.json().await.unwrap()
}

pub async fn call(chain: &RunningLocalnet, method: &str, params: Value) -> Value {
    raw(chain, json!({"jsonrpc":"2.0","id":7,"method":method,"params":params}).to_string()).await
}

pub fn preflight_error(error: &Error) -> (i64, String, Option<TransactionError>) {
    let ErrorKind::RpcError(RpcError::RpcResponseError { code, message, data }) = error.kind() else {
        panic!("not an answer of the node: {error}")
    };
    let err = match data {
        RpcResponseErrorData::SendTransactionPreflightFailure(result) => result.err.clone().map(Into::into),
        _ => None,
    };
    (*code, message.clone(), err)
}

/// A WebSocket client that reads in order.
pub struct Listener(
    tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>,
);

impl Listener {
    pub async fn connect(chain: &RunningLocalnet) -> Self {
        Self(tokio_tungstenite::connect_async(&chain.ws_url).await.unwrap().0)
    }

    /// Sends a call and gives the next message, which must be its answer.
    pub async fn call(&mut self, method: &str, params: Value) -> Value {
        self.send(json!({"jsonrpc":"2.0","id":9,"method":method,"params":params}).to_string()).await;
        self.next().await
    }

    pub async fn send(&mut self, text: String) {
        self.0.send(Frame::text(text)).await.unwrap();
    }

    /// Subscribes; the subscription's number.
    pub async fn subscribe(&mut self, method: &str, params: Value) -> u64 {
        let answer = self.call(method, params).await;
        answer["result"].as_u64().unwrap_or_else(|| panic!("{method}: {answer}"))
    }

    pub async fn next(&mut self) -> Value {
        self.next_or_end().await.expect("the connection ended")
    }

    /// The next message; `None` when the connection is over.
    pub async fn next_or_end(&mut self) -> Option<Value> {
        loop {
            let frame = tokio::time::timeout(PATIENCE, self.0.next()).await.expect("nothing came");
            match frame {
                Some(Ok(Frame::Text(text))) => return Some(serde_json::from_str(&text).unwrap()),
                Some(Ok(Frame::Close(_)) | Err(_)) | None => return None,
                Some(Ok(_)) => {}
            }
        }
    }

    /// The next notification of a method, passing over others.
    pub async fn notification(&mut self, method: &str) -> Value {
        loop {
            let message = self.next().await;
            if message["method"] == method {
                return message["params"].clone();
            }
        }
    }
}
