//! Serves connections. Its own loop, because an answer that is to vanish
//! must end as a closed connection and not as an answer.

use super::Vanished;
use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::http::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tower::{BoxError, Service, ServiceExt as _};

/// The most connections at a time.
const CONNECTIONS: usize = 2_048;
/// How long a connection may take over the head of a request, or rest before one.
const HEADERS_WITHIN: Duration = Duration::from_mins(1);
/// How long a request may take, its body and an ordered leap of the clock included.
const REQUEST_WITHIN: Duration = Duration::from_mins(10);
/// How long open requests may take once we stop, in seconds.
const LAST_REQUESTS_S: u64 = 2;

/// The answer was made, and is not sent.
#[derive(Debug, thiserror::Error)]
#[error("the answer was lost on order")]
struct Lost;

#[derive(Clone)]
struct Doors(Router);

type Answer = Pin<Box<dyn Future<Output = Result<Response<Body>, Lost>> + Send>>;

impl<B> Service<Request<B>> for Doors
where
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<Body>;
    type Error = Lost;
    type Future = Answer;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Lost>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Answer {
        let router = self.0.clone();
        Box::pin(async move {
            let answered = router.oneshot(request.map(Body::new));
            let answered = tokio::time::timeout(REQUEST_WITHIN, answered).await;
            let answer: Result<_, Infallible> = answered.map_err(|_| Lost)?;
            let answer = answer.unwrap_or_else(|never| match never {});
            if answer.extensions().get::<Vanished>().is_some() { Err(Lost) } else { Ok(answer) }
        })
    }
}

/// Serves until cancelled; then lets open requests end.
pub async fn serve(listener: TcpListener, router: Router, cancel: CancellationToken) {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().keep_alive(true).timer(TokioTimer::new()).header_read_timeout(HEADERS_WITHIN);
    let graceful = GracefulShutdown::new();
    let permits = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let permit = Arc::clone(&permits).acquire_owned();
        let Ok(permit) = permit.await else { break };
        let stream = tokio::select! {
            () = cancel.cancelled() => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "the emulator cannot take a connection");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
        };
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps its small delays");
        }
        let service = TowerToHyperService::new(Doors(router.clone()));
        let connection = graceful.watch(builder.serve_connection(TokioIo::new(stream), service).into_owned());
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended early");
            }
            drop(permit);
        });
    }
    drop(listener);
    let open = tokio::time::timeout(Duration::from_secs(LAST_REQUESTS_S), graceful.shutdown());
    if open.await.is_err() {
        tracing::debug!("some connections were still open");
    }
}
