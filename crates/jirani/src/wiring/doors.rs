//! Who is shut out of the embedded broker: meters that were retired. Their readings would be
//! refused one by one; here they are not let in at all.

use jirani_broker::Doors;
use jirani_store::{Event, MeterState, Store};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

/// Real time after which the store is asked anew, whatever was heard.
const LOOK_AGAIN: Duration = Duration::from_mins(1);

/// Shuts out whoever is retired now, and whoever will be, until cancelled.
pub async fn keep(
    doors: Doors,
    store: Arc<dyn Store>,
    mut heard: Receiver<Event>,
    cancel: CancellationToken,
) -> anyhow::Result<()> {
    loop {
        match store.meters().await {
            Ok(meters) => {
                let retired = meters.iter().filter(|row| row.state == MeterState::Retired);
                doors.shut_out(retired.map(|row| row.meter).collect());
            }
            Err(error) => tracing::warn!("who is retired cannot be read: {error}"),
        }
        let changed = async {
            loop {
                match heard.recv().await {
                    Ok(Event::Meter(_)) | Err(RecvError::Lagged(_)) => return,
                    Ok(_) => {}
                    Err(RecvError::Closed) => std::future::pending().await,
                }
            }
        };
        tokio::select! {
            () = cancel.cancelled() => return Ok(()),
            // Either is a reason to look.
            _ = tokio::time::timeout(LOOK_AGAIN, changed) => {}
        }
    }
}
