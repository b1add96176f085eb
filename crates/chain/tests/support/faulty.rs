//! A node behind a bad line: an HTTP proxy in front of a real one that loses,
//! doubles and forgets transactions, and answers, at rates in per cent.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How bad the line is, in per cent of the messages that carry a transaction.
#[derive(Clone, Copy)]
pub struct Faults {
    /// Lost on the way to the chain; half of them with an answer that says otherwise.
    pub dropped: u64,
    /// Sent twice.
    pub duplicated: u64,
    /// Accepted and never sent on, however often the same bytes come: they expire.
    pub expired: u64,
    /// Answers lost on the way back, of any question.
    pub deaf: u64,
}

/// What happened.
#[derive(Default)]
pub struct Happened {
    pub dropped: AtomicU64,
    pub duplicated: AtomicU64,
    pub expired: AtomicU64,
    pub deaf: AtomicU64,
}

struct Line {
    target: String,
    http: reqwest::Client,
    faults: Faults,
    seed: u64,
    messages: AtomicU64,
    happened: Arc<Happened>,
}

/// Starts a bad line to `target`.
pub async fn start(target: String, faults: Faults, seed: u64) -> (SocketAddr, Arc<Happened>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let happened = Arc::new(Happened::default());
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let line = Line { target, http, faults, seed, messages: AtomicU64::new(0), happened: happened.clone() };
    let app = Router::new().fallback(pass_on).with_state(Arc::new(line));
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    (address, happened)
}

impl Line {
    /// A number below 100 that follows from the seed and `what`.
    fn roll(&self, what: &[u8]) -> u64 {
        let hash = Sha256::new().chain_update(self.seed.to_le_bytes()).chain_update(what).finalize();
        u64::from_le_bytes(hash[..8].try_into().unwrap()) % 100
    }

    async fn ask(&self, body: &Bytes) -> Option<Bytes> {
        let sent = self.http.post(&self.target).header(header::CONTENT_TYPE, "application/json");
        sent.body(body.clone()).send().await.ok()?.bytes().await.ok()
    }
}

async fn pass_on(State(line): State<Arc<Line>>, body: Bytes) -> Response {
    let number = line.messages.fetch_add(1, Ordering::Relaxed);
    let lost = || StatusCode::BAD_GATEWAY.into_response();
    let count = |counter: &AtomicU64| counter.fetch_add(1, Ordering::Relaxed);
    let asked: Value = serde_json::from_slice(&body).unwrap_or_default();
    let Faults { dropped, duplicated, expired, deaf } = line.faults;
    if asked["method"] == "sendTransaction" {
        let bytes = asked["params"][0].as_str().unwrap_or_default();
        if line.roll(bytes.as_bytes()) < expired {
            count(&line.happened.expired);
            return said_yes(&asked, bytes);
        }
        let roll = line.roll(&number.to_le_bytes());
        if roll < dropped {
            count(&line.happened.dropped);
            return if roll % 2 == 0 { lost() } else { said_yes(&asked, bytes) };
        }
        if roll < dropped + duplicated {
            count(&line.happened.duplicated);
            line.ask(&body).await;
        }
    }
    let answer = line.ask(&body).await;
    if line.roll(&[&b"deaf"[..], &number.to_le_bytes()].concat()) < deaf {
        count(&line.happened.deaf);
        return lost();
    }
    match answer {
        Some(answer) => ([(header::CONTENT_TYPE, "application/json")], answer).into_response(),
        None => lost(),
    }
}

/// What a node says that takes a transaction, whatever becomes of it.
fn said_yes(asked: &Value, base64: &str) -> Response {
    use base64::Engine as _;
    let bytes = base64::prelude::BASE64_STANDARD.decode(base64).unwrap_or_default();
    let transaction: solana_transaction::versioned::VersionedTransaction =
        wincode::deserialize(&bytes).unwrap();
    let signature = transaction.signatures[0].to_string();
    axum::Json(json!({ "jsonrpc": "2.0", "id": asked["id"], "result": signature })).into_response()
}
