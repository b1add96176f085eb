//! What the sender needs besides its services' calls: what a crash left is finished, also
//! for services that do not ask again, and the payer is watched.

use jirani_chain::RpcEnergyChain;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Between two looks at the payer.
const LOOK: Duration = Duration::from_mins(1);
/// Between two tries to finish what is unfinished, first and longest.
const RETRY_FIRST: Duration = Duration::from_secs(1);
const RETRY_LAST: Duration = Duration::from_mins(1);

/// Tends to the sender until cancelled.
pub async fn tend(chain: &RpcEnergyChain, cancel: CancellationToken) {
    let watching = chain.watch_payer(LOOK, cancel.clone());
    let finishing = async {
        tokio::select! {
            () = cancel.cancelled() => {}
            () = finish(chain) => {}
        }
    };
    tokio::join!(watching, finishing);
}

/// Until no outcome is unknown that was unknown when this began.
async fn finish(chain: &RpcEnergyChain) {
    let mut retry = RETRY_FIRST;
    loop {
        match chain.finish_unfinished().await {
            Ok(finished) if finished.unknown == 0 => {
                tracing::debug!(?finished, "nothing is unfinished on the chain");
                return;
            }
            Ok(finished) => {
                tracing::warn!(unknown = finished.unknown, "outcomes on the chain are unknown yet")
            }
            Err(error) => tracing::warn!(%error, "what is unfinished cannot be read yet"),
        }
        tokio::time::sleep(retry).await;
        retry = (retry * 2).min(RETRY_LAST);
    }
}
