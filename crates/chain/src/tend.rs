//! What a running sender does besides what it is asked for: it finishes what a crash
//! left, keeps an eye on who pays, and listens to its node.

use crate::client::RpcEnergyChain;
use crate::error::ChainError;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Between two looks at who pays.
const LOOK: Duration = Duration::from_mins(1);
/// Between two tries to finish what is unfinished, first and longest.
const RETRY_FIRST: Duration = Duration::from_secs(1);
const RETRY_LAST: Duration = Duration::from_mins(1);

impl RpcEnergyChain {
    /// Everything that a server's sender needs beside the calls of its services: brings
    /// what a crash left unfinished to its end, watches the lamports of the payer and the
    /// oracle, and listens for finality where [`crate::ChainConfig::ws_url`] is set. One
    /// task per sender. Returns when cancelled, never an error: trouble is told in the
    /// log and tried again.
    pub async fn tend(self: Arc<Self>, cancel: CancellationToken) -> Result<(), ChainError> {
        let watching = self.watch_payer(LOOK, cancel.clone());
        let listening = async {
            tokio::select! {
                () = cancel.cancelled() => {}
                () = self.listen() => {}
            }
        };
        let finishing = async {
            tokio::select! {
                () = cancel.cancelled() => {}
                () = self.finish_all() => {}
            }
        };
        tokio::join!(watching, listening, finishing);
        Ok(())
    }

    /// Until no outcome is unknown that was unknown when this began.
    async fn finish_all(&self) {
        let mut retry = RETRY_FIRST;
        loop {
            match self.finish_unfinished().await {
                Ok(finished) if finished.unknown == 0 => {
                    if finished != crate::Finished::default() {
                        tracing::info!(
                            landed = finished.landed,
                            refused = finished.refused,
                            "what was unfinished on the chain at the start is finished"
                        );
                    }
                    return;
                }
                Ok(finished) => {
                    tracing::warn!(
                        unknown = finished.unknown,
                        "outcomes on the chain are unknown; asked again"
                    );
                }
                Err(error) => tracing::warn!(%error, "what is unfinished cannot be read; tried again"),
            }
            tokio::time::sleep(retry).await;
            retry = (retry * 2).min(RETRY_LAST);
        }
    }
}
