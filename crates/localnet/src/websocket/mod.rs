//! Solana's subscriptions over WebSocket, as Agave speaks them.

mod connection;
mod subscription;

use crate::actor::Handle;
use axum::Router;
use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::response::Response;
use axum::routing::get;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

/// Most connections; more are refused.
const CONNECTIONS_MAX: usize = 256;
/// Most bytes of a message from a client.
const MESSAGE_MAX: usize = 64 * 1024;
/// How often the chain looks at the time while somebody listens: at least so often,
const TICK_MAX: Duration = Duration::from_millis(100);
/// and at most so often.
const TICK_MIN: Duration = Duration::from_millis(5);

#[derive(Clone)]
struct Doors {
    handle: Handle,
    cancel: CancellationToken,
    places: Arc<Semaphore>,
}

/// Answers until cancelled; open connections are closed.
pub async fn serve(listener: TcpListener, handle: Handle, cancel: CancellationToken) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let doors = Doors { handle, cancel: cancel.clone(), places };
    let router = Router::new().route("/", get(upgrade)).with_state(doors);
    if let Err(error) = axum::serve(listener, router).with_graceful_shutdown(cancel.cancelled_owned()).await {
        tracing::error!(%error, "the chain's WebSocket ended");
    }
}

async fn upgrade(State(doors): State<Doors>, upgrade: WebSocketUpgrade) -> Response {
    use axum::response::IntoResponse as _;
    let Ok(place) = doors.places.try_acquire_owned() else {
        return (axum::http::StatusCode::TOO_MANY_REQUESTS, "too many connections\n").into_response();
    };
    let (handle, cancel) = (doors.handle, doors.cancel);
    upgrade.max_message_size(MESSAGE_MAX).max_frame_size(MESSAGE_MAX).on_upgrade(move |socket| async move {
        connection::run(socket, handle, cancel).await;
        drop(place);
    })
}

/// Has slots pass for subscribers although nobody asks anything.
pub async fn keep_time(slot_time: Duration, handle: Handle, cancel: CancellationToken) {
    let mut ticks = tokio::time::interval((slot_time / 4).clamp(TICK_MIN, TICK_MAX));
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = cancel.cancelled() => return,
            _ = ticks.tick() => {}
        }
        if handle.events.are_heard() && handle.tick(0).await.is_err() {
            return;
        }
    }
}
