//! Waiting for a thing to come further, without keeping time from passing.

use crate::app::App;
use crate::error::ApiError;
use jirani_store::Event;
use std::future::Future;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, timeout_at};

/// The longest wait, in milliseconds: below the time limit of a request.
const WAIT_MS_MAX: u32 = 25_000;

/// How long to wait.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wait {
    /// Milliseconds of real time; None answers at once.
    pub ms: Option<u32>,
}

/// Reads until the thing is `far_enough` or the wait is over, again whenever an
/// event is about it. Counts as work only while it reads: whoever waits for an
/// order to time out must not keep the clock from getting there.
pub async fn wait_for<T, F>(
    app: &App,
    wait: Wait,
    is_about: impl Fn(&Event) -> bool,
    far_enough: impl Fn(&T) -> bool,
    read: impl Fn() -> F,
) -> Result<T, ApiError>
where
    F: Future<Output = Result<T, ApiError>>,
{
    let until = Instant::now() + Duration::from_millis(u64::from(wait.ms.unwrap_or(0).min(WAIT_MS_MAX)));
    // Listens before it reads: what changes in between is heard.
    let mut events = app.deps.events.subscribe();
    loop {
        let busy = app.deps.clock.busy();
        let view = read().await?;
        drop(busy);
        if wait.ms.is_none() || far_enough(&view) {
            return Ok(view);
        }
        let changed = async {
            loop {
                match events.recv().await {
                    Ok(event) if is_about(&event) => return true,
                    Ok(_) => {}
                    // Something was missed: it may have been about this.
                    Err(RecvError::Lagged(_)) => return true,
                    Err(RecvError::Closed) => return false,
                }
            }
        };
        let go_on = tokio::select! {
            changed = timeout_at(until, changed) => changed.unwrap_or(false),
            () = app.stop.cancelled() => false,
        };
        if !go_on {
            let _busy = app.deps.clock.busy();
            return read().await;
        }
    }
}
