//! Callbacks that wait on a public host: fetched and handed to the settlement.

use crate::config::Config;
use crate::wiring::DataFolder;
use async_trait::async_trait;
use jirani_clock::ServiceClock;
use jirani_inbox::{Puller, PullerConfig, Receive};
use jirani_settlement::Settlement;
use jirani_store::NewCallback;
use std::sync::Arc;

/// The settlement as whoever stores callbacks.
pub struct IntoSettlement(pub Arc<Settlement>);

#[async_trait]
impl Receive for IntoSettlement {
    async fn receive(&self, callback: NewCallback) -> Result<(), String> {
        self.0.receive_callback(callback).await.map_err(|error| error.to_string())
    }
}

/// Who fetches, where an inbox is set.
pub fn puller(config: &Config, folder: &DataFolder, clock: &ServiceClock) -> anyhow::Result<Option<Puller>> {
    if config.mpesa.inbox_url.is_empty() {
        return Ok(None);
    }
    let settings = PullerConfig {
        url: config.mpesa.inbox_url.clone(),
        token: config.mpesa.inbox_token.clone().into(),
        position: folder.path().join("inbox-position"),
    };
    Ok(Some(Puller::new(settings, Arc::new(clock.clone()))?))
}
