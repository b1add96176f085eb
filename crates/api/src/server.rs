//! The listening socket and everybody connected to it.

use crate::app::{App, Shared};
use crate::config::{ApiConfig, ApiDeps};
use crate::guard::request::Peer;
use crate::router::router;
use crate::ussd::act::{take_up, undecided};
use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use jirani_inbox::Gate;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How long a connection may say nothing: longer than clients keep unused
/// connections, so that it is they who close them.
const SILENCE: Duration = Duration::from_mins(2);
/// How long a stop waits for requests under way.
const STOP_WITHIN: Duration = Duration::from_secs(5);
/// Rest after the system refused a connection (too many files, mostly).
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The API.
pub struct Api;

/// A running API.
pub struct RunningApi {
    /// Where it listens.
    pub addr: SocketAddr,
    stop: CancellationToken,
    serving: JoinHandle<()>,
}

/// The API cannot start.
#[derive(Debug, thiserror::Error)]
pub enum ApiStartError {
    /// The address cannot be used.
    #[error(
        "api.port_in_use: cannot listen on {addr} ({source}); stop what uses port {port}, or choose another in [http] listen",
        port = addr.port()
    )]
    Bind {
        /// The address.
        addr: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The folder of the dashboard is not one.
    #[error("api.no_dashboard: {path} holds no index.html; build the dashboard or leave the folder out")]
    NoDashboard {
        /// The folder.
        path: String,
    },
}

/// A socket taken, before anybody is answered: M-Pesa must be told where to call
/// back before the parts behind the API can be made.
pub struct BoundApi {
    /// Where it will listen.
    pub addr: SocketAddr,
    listener: TcpListener,
    gate: Arc<Gate>,
}

impl Api {
    /// Takes the address, and nothing else yet.
    pub async fn bind(listen: SocketAddr) -> Result<BoundApi, ApiStartError> {
        let refused = |source| ApiStartError::Bind { addr: listen, source };
        let listener = TcpListener::bind(listen).await.map_err(refused)?;
        let addr = listener.local_addr().map_err(refused)?;
        Ok(BoundApi { addr, listener, gate: Arc::new(Gate::open()) })
    }

    /// Takes `config.listen`, and answers until stopped.
    pub async fn start(config: ApiConfig, deps: ApiDeps) -> Result<RunningApi, ApiStartError> {
        Self::bind(config.listen).await?.start(config, deps).await
    }
}

impl BoundApi {
    /// Takes callbacks through this gate only. Without one, anybody may call:
    /// right for the emulator on this machine.
    #[must_use]
    pub fn with_gate(self, gate: Arc<Gate>) -> Self {
        Self { gate, ..self }
    }

    /// Answers until stopped. What called before is answered now. Call it before trading
    /// begins: orders begun by phone are taken up as they were left.
    pub async fn start(self, config: ApiConfig, deps: ApiDeps) -> Result<RunningApi, ApiStartError> {
        if let Some(folder) = &config.web_dir
            && !folder.join("index.html").is_file()
        {
            return Err(ApiStartError::NoDashboard { path: folder.display().to_string() });
        }
        let stop = CancellationToken::new();
        let connections = Arc::new(Semaphore::new(config.limits.connections as usize));
        let app: App = Arc::new(Shared::new(config, deps, self.gate, stop.clone()));
        if app.ussd.is_some() {
            match undecided(&app).await {
                Ok(orders) => take_up(&app, orders),
                Err(error) => tracing::error!(%error, "what became of orders by phone will not be told"),
            }
        }
        let serving = tokio::spawn(serve(self.listener, router(&app), connections, stop.clone()));
        Ok(RunningApi { addr: self.addr, stop, serving })
    }
}

impl RunningApi {
    /// Takes no more connections, ends live streams, and waits a little for
    /// requests under way.
    pub async fn stop(self) {
        self.stop.cancel();
        if self.serving.await.is_err() {
            tracing::error!("the API's listener had ended early");
        }
    }
}

async fn serve(listener: TcpListener, router: Router, connections: Arc<Semaphore>, stop: CancellationToken) {
    let graceful = GracefulShutdown::new();
    loop {
        // Waits for room before it accepts: what is beyond the limit waits in the
        // system's own queue.
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = accept(&listener, &connections) => accepted,
        };
        match accepted {
            Some((stream, peer, permit)) => connect(stream, peer, permit, &router, &graceful),
            None => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
    drop(listener);
    if tokio::time::timeout(STOP_WITHIN, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests did not end in time and were cut off");
    }
}

async fn accept(
    listener: &TcpListener,
    connections: &Arc<Semaphore>,
) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let permit = connections.clone().acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => Some((stream, peer, permit)),
        Err(error) => {
            tracing::warn!(%error, "a connection could not be accepted");
            None
        }
    }
}

fn connect(
    stream: TcpStream,
    peer: SocketAddr,
    permit: OwnedSemaphorePermit,
    router: &Router,
    graceful: &GracefulShutdown,
) {
    // Answers are small: sending them at once beats filling packets.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "no TCP_NODELAY");
    }
    let service = TowerToHyperService::new(router.clone().layer(axum::Extension(Peer(peer))));
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(SILENCE);
    builder.http2().timer(TokioTimer::new()).keep_alive_interval(SILENCE);
    let connection = builder.serve_connection(TokioIo::new(stream), service).into_owned();
    let connection = graceful.watch(connection);
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection ended early");
        }
        drop(permit);
    });
}
