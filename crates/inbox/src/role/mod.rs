//! The public role: takes callbacks in, hands them to the site.
//!
//! It knows no secret path and no household. What it must know is one bearer
//! secret; what it must have is a disk. TLS ends in the proxy before it.

mod doors;
mod file;
mod serve;

pub use file::{FileError, Level};

use crate::gate::Gate;
use crate::wire::TOKEN_MIN;
use file::InboxFile;
use jirani_units::{Clock, Timestamp};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

/// Pause between two looks for callbacks that are too old to keep.
const SWEEP: Duration = Duration::from_mins(10);

/// Settings.
pub struct InboxRoleConfig {
    /// Where it listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Its own database file.
    pub file: PathBuf,
    /// What the site must know: at least 24 characters.
    pub token: Zeroizing<String>,
    /// Who may call back, and how often.
    pub gate: Arc<Gate>,
    /// Most bytes of callbacks kept at a time. Above, callbacks are refused and
    /// counted: nothing is acknowledged that is not kept.
    pub bytes_max: u64,
    /// A callback that nobody fetched is deleted after this long, in seconds.
    pub keep_s: u32,
    /// `/ready` sounds the alarm when the site has not fetched for this long, in
    /// seconds.
    pub alarm_after_s: u32,
    /// Connections at a time.
    pub connections: u32,
}

/// The role cannot start.
#[derive(Debug, thiserror::Error)]
pub enum InboxStartError {
    /// The bearer secret can be guessed.
    #[error(
        "inbox.token: the inbox's token has fewer than {TOKEN_MIN} characters; draw one with `openssl rand -hex 32` and give \
         it to the role and the site"
    )]
    Token,
    /// The address cannot be used.
    #[error("inbox.listen: cannot listen on {addr} ({source}); choose another in [inbox] listen")]
    Bind {
        /// The address.
        addr: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The file cannot be used.
    #[error(transparent)]
    File(#[from] FileError),
}

/// The role.
pub struct InboxRole;

/// A running role.
pub struct RunningInbox {
    /// Where it listens.
    pub addr: SocketAddr,
    stop: CancellationToken,
    serving: JoinHandle<()>,
}

/// What all its handlers share.
struct Shared {
    file: InboxFile,
    token: Zeroizing<String>,
    gate: Arc<Gate>,
    clock: Arc<dyn Clock>,
    bytes_max: u64,
    alarm_after_s: u32,
    expired: AtomicU64,
    stop: CancellationToken,
}

impl InboxRole {
    /// Opens the file and answers until stopped. `fresh_name` names a new file
    /// and must never come twice: random.
    pub async fn start(
        config: InboxRoleConfig,
        clock: Arc<dyn Clock>,
        fresh_name: &str,
    ) -> Result<RunningInbox, InboxStartError> {
        if config.token.len() < TOKEN_MIN {
            return Err(InboxStartError::Token);
        }
        let refused = |source| InboxStartError::Bind { addr: config.listen, source };
        let listener = TcpListener::bind(config.listen).await.map_err(refused)?;
        let addr = listener.local_addr().map_err(refused)?;
        let file = InboxFile::open(&config.file, fresh_name, config.bytes_max)?;
        let stop = CancellationToken::new();
        let shared = Arc::new(Shared {
            file,
            token: config.token,
            gate: config.gate,
            clock,
            bytes_max: config.bytes_max,
            alarm_after_s: config.alarm_after_s,
            expired: AtomicU64::new(0),
            stop: stop.clone(),
        });
        let sweeping = sweep(shared.clone(), config.keep_s);
        let router = doors::router(shared);
        let (connections, told) = (config.connections, stop.clone());
        let serving = tokio::spawn(async move {
            tokio::select! {
                () = serve::serve(listener, router, connections, told) => {}
                () = sweeping => {}
            }
        });
        Ok(RunningInbox { addr, stop, serving })
    }
}

impl RunningInbox {
    /// Takes no more connections and ends.
    pub async fn stop(self) {
        self.stop.cancel();
        if self.serving.await.is_err() {
            tracing::error!("the inbox's listener had ended early");
        }
    }
}

/// Deletes what is too old, which is money's evidence lost, so it is loud.
async fn sweep(shared: Arc<Shared>, keep_s: u32) {
    loop {
        let now: Timestamp = shared.clock.now();
        match shared.file.forget_before(now.plus_seconds(-i64::from(keep_s))).await {
            Ok(0) => {}
            Ok(count) => {
                shared.expired.fetch_add(count, std::sync::atomic::Ordering::Relaxed);
                tracing::error!(
                    count,
                    "callbacks that the site never fetched were deleted; reconcile with M-Pesa's list"
                );
            }
            Err(error) => tracing::warn!(%error, "old callbacks were not looked for"),
        }
        tokio::time::sleep(SWEEP).await;
    }
}
