//! Our addresses for payments made by hand, registered with M-Pesa.
//!
//! Without them such payments are found by M-Pesa's list and statements only, so a refusal
//! stops nothing: the operator is told, and it is tried again.

use super::tasks::Tasks;
use jirani_clock::ServiceClock;
use jirani_daraja::{DarajaClient, SendError};
use jirani_settlement::Settlement;
use jirani_units::Clock as _;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Seconds between the first two attempts; they double.
const FIRST_S: i64 = 60;
/// Seconds between two attempts at most.
const LAST_S: i64 = 3_600;

/// Where M-Pesa tells of payments made by hand.
pub struct Urls {
    /// Where it tells.
    pub confirmation: String,
    /// Where it asks.
    pub validation: String,
}

/// Registers the addresses; what M-Pesa refuses now is tried again beside everything else.
pub async fn register(
    tasks: &mut Tasks,
    urls: Urls,
    mpesa: &Arc<DarajaClient>,
    settlement: &Arc<Settlement>,
    clock: &ServiceClock,
) {
    let Err(error) = attempt(mpesa, &urls).await else { return };
    tracing::warn!(%error, "M-Pesa did not take our addresses for payments by hand; it is tried again");
    if let Err(error) = settlement.c2b_refused(&error.to_string()).await {
        tracing::warn!(%error, "the operator was not told of it");
    }
    let (mpesa, clock) = (mpesa.clone(), clock.clone());
    tasks.spawn("c2b", |cancel| again(mpesa, urls, clock, cancel));
}

async fn attempt(mpesa: &DarajaClient, urls: &Urls) -> Result<(), SendError> {
    mpesa.register_c2b_urls(&urls.confirmation, &urls.validation).await.map(drop)
}

async fn again(
    mpesa: Arc<DarajaClient>,
    urls: Urls,
    clock: ServiceClock,
    cancel: CancellationToken,
) -> Result<(), std::convert::Infallible> {
    let mut pause_s = FIRST_S;
    loop {
        let at = clock.now().plus_seconds(pause_s);
        tokio::select! {
            () = cancel.cancelled() => return Ok(()),
            _busy = clock.sleep_until(at) => match attempt(&mpesa, &urls).await {
                Ok(()) => break,
                Err(error) => tracing::warn!(%error, "M-Pesa still does not take our addresses"),
            },
        }
        pause_s = (pause_s * 2).min(LAST_S);
    }
    tracing::info!("M-Pesa has taken our addresses for payments by hand");
    cancel.cancelled().await;
    Ok(())
}
