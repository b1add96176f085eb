//! A public door for callbacks, on a real socket.
#![allow(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a test that cannot go on should stop")]

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::Uri;
use jirani_clock::ServiceClock;
use jirani_settlement::Settlement;
use jirani_store::{CallbackKind, NewCallback};
use jirani_units::Clock as _;
use std::sync::Arc;

/// Who takes the callbacks now; nobody while the service is away.
pub type Door = Arc<std::sync::Mutex<Option<Arc<Settlement>>>>;

/// A public door for callbacks, as the API's: stored first, then answered.
pub async fn open_door(clock: ServiceClock) -> (Door, String) {
    let door = Door::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(take).with_state((door.clone(), clock));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (door, url)
}

async fn take(State((door, clock)): State<(Door, ServiceClock)>, uri: Uri, body: Bytes) -> &'static str {
    let segments: Vec<&str> = uri.path().split('/').skip(1).collect();
    let (kind, secret) = match segments[..] {
        ["hooks", "stk", secret] => (CallbackKind::StkResult, secret),
        ["hooks", "c2b", secret, "confirmation"] => (CallbackKind::C2bConfirmation, secret),
        ["hooks", "b2c", secret, "result"] => (CallbackKind::B2cResult, secret),
        ["hooks", "b2c", secret, "timeout"] => (CallbackKind::B2cTimeout, secret),
        ["hooks", "answer", secret, "result"] => (CallbackKind::Answer, secret),
        ["hooks", "answer", secret, "timeout"] => (CallbackKind::AnswerTimeout, secret),
        _ => return "",
    };
    let settlement = door.lock().unwrap().clone();
    if let Some(settlement) = settlement {
        let source = "127.0.0.1".to_owned();
        let (secret, body) = (secret.to_owned(), body.to_vec());
        let callback = NewCallback { kind, secret, body, source, received_at: clock.now() };
        settlement.receive_callback(callback).await.unwrap();
    }
    r#"{"ResultCode":0,"ResultDesc":"Accepted"}"#
}
