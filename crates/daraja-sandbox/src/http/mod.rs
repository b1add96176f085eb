//! The emulator's doors: Daraja's paths, the JSON of the emulator itself, and
//! the pages of the virtual phones.

mod answer;
mod auth;
mod b2c;
mod books;
mod c2b;
mod command;
mod control;
mod fields;
mod guard;
mod openapi;
mod pages;
mod pull;
mod qr;
mod routes;
mod serve;
mod stk;
mod time;

pub use auth::Tokens;
pub use serve::serve;

use crate::SandboxConfig;
use crate::core::{Core, NotSaved};
use crate::credential::CredentialReader;
use crate::deliver::Deliverer;
use crate::own_clock::OwnClock;
use crate::refusal::Refusal;
use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::response::Response;
use jirani_clock::ServiceClock;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// The largest body that is read, in bytes: more than is taken ([`fields`]), so
/// that one that is too long still gets an answer and not a cut connection.
const MAX_BODY_BYTES: usize = 256 * 1024;

/// What every handler may use.
pub struct App {
    pub config: Arc<SandboxConfig>,
    pub core: Core,
    pub clock: ServiceClock,
    pub tokens: Tokens,
    pub credential: Option<CredentialReader>,
    pub deliverer: Deliverer,
    pub own_clock: Option<OwnClock>,
    pub start: u64,
    pub requests: AtomicU64,
}

/// Marks a response that is never to be sent: the connection is closed instead.
#[derive(Clone, Copy)]
struct Vanished;

impl From<NotSaved> for Refusal {
    fn from(_: NotSaved) -> Self {
        Self::busy()
    }
}

/// All doors.
pub fn router(app: Arc<App>) -> Router {
    let mut router = Router::new();
    for door in routes::doors() {
        router = router.route(door.path, door.answers);
    }
    router
        .fallback(not_found)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(axum::middleware::from_fn_with_state(Arc::clone(&app), guard::guard))
        .with_state(app)
}

async fn not_found(State(app): State<Arc<App>>) -> Response {
    app.envelope(&Refusal::new(404, "404.001.01", "Resource not found"))
}

async fn wrong_method(State(app): State<Arc<App>>) -> Response {
    app.envelope(&Refusal::new(405, "405.001", "Method Not Allowed"))
}
