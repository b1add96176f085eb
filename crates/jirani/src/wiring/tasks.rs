//! Long-running parts by name, stopped in the reverse order of their start.

use std::future::Future;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How long one part may take to stop before the next is told.
const STOP_WITHIN: Duration = Duration::from_secs(8);

/// The parts that run.
pub struct Tasks {
    parts: Vec<(&'static str, CancellationToken, JoinHandle<()>)>,
    ended: mpsc::Sender<anyhow::Error>,
    failures: tokio::sync::Mutex<mpsc::Receiver<anyhow::Error>>,
}

impl Tasks {
    /// Nothing runs yet.
    pub fn new() -> Self {
        let (ended, failures) = mpsc::channel(1);
        Self { parts: Vec::new(), ended, failures: tokio::sync::Mutex::new(failures) }
    }

    /// Starts a part; `work` ends well only after its token is cancelled.
    pub fn spawn<F, E>(&mut self, name: &'static str, work: impl FnOnce(CancellationToken) -> F)
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: std::fmt::Display + Send + 'static,
    {
        let cancel = CancellationToken::new();
        let future = work(cancel.clone());
        let (ended, told) = (self.ended.clone(), cancel.clone());
        let handle = tokio::spawn(async move {
            let outcome = future.await;
            let failure = match outcome {
                Ok(()) if told.is_cancelled() => return,
                Ok(()) => anyhow::anyhow!("system.part_ended: {name} ended by itself"),
                Err(error) => anyhow::anyhow!("system.part_failed: {name}: {error}"),
            };
            // The first failure is the one told; later ones are its consequences.
            let _ = ended.try_send(failure);
        });
        self.parts.push((name, cancel, handle));
    }

    /// Waits for the first part that fails or ends by itself.
    pub async fn failed(&self) -> anyhow::Error {
        match self.failures.lock().await.recv().await {
            Some(failure) => failure,
            None => std::future::pending().await,
        }
    }

    /// Stops all parts, the last started first.
    pub async fn stop(self) {
        for (name, cancel, mut handle) in self.parts.into_iter().rev() {
            cancel.cancel();
            if tokio::time::timeout(STOP_WITHIN, &mut handle).await.is_err() {
                tracing::warn!(part = name, "did not stop in time; it is left where it is");
                handle.abort();
            }
        }
    }
}
