//! The emulator's doors: Daraja's paths, the JSON of the emulator itself, and
//! the pages of the virtual phones.

mod auth;
mod b2c;
mod c2b;
mod control;
mod fields;
mod pages;
mod serve;
mod stk;

pub use auth::Tokens;
pub use serve::serve;

use crate::SandboxConfig;
use crate::core::{Core, NotSaved};
use crate::credential::CredentialReader;
use crate::draw::{Draw, Purpose};
use crate::refusal::Refusal;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use jirani_clock::ServiceClock;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The largest body taken, in bytes.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// What every handler may use.
pub struct App {
    pub config: Arc<SandboxConfig>,
    pub core: Core,
    pub clock: ServiceClock,
    pub tokens: Tokens,
    pub credential: Option<CredentialReader>,
    pub start: u64,
    pub requests: AtomicU64,
}

/// Marks a response that is never to be sent: the connection is closed instead.
#[derive(Clone, Copy)]
struct Vanished;

impl App {
    fn envelope(&self, refusal: &Refusal) -> Response {
        let nth = self.requests.fetch_add(1, Ordering::Relaxed);
        let request_id = Draw::new(self.config.seed, Purpose::Id, self.start, nth).dashed();
        let body =
            json!({"requestId": request_id, "errorCode": refusal.code, "errorMessage": refusal.message});
        let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, Json(body)).into_response()
    }

    /// The answer to a Daraja request; it vanishes on order.
    fn answer(&self, result: Result<(Value, bool), Refusal>) -> Response {
        match result {
            Ok((body, gets_through)) => {
                let mut response = Json(body).into_response();
                if !gets_through {
                    response.extensions_mut().insert(Vanished);
                }
                response
            }
            Err(refusal) => self.envelope(&refusal),
        }
    }
}

impl From<NotSaved> for Refusal {
    fn from(_: NotSaved) -> Self {
        Self::busy()
    }
}

/// All doors.
pub fn router(app: Arc<App>) -> Router {
    let daraja = Router::new()
        .route("/oauth/v1/generate", get(auth::generate))
        .route("/mpesa/stkpush/v1/processrequest", post(stk::push))
        .route("/mpesa/stkpushquery/v1/query", post(stk::query))
        .route("/mpesa/b2c/v3/paymentrequest", post(b2c::pay))
        .route("/mpesa/c2b/v2/registerurl", post(c2b::register))
        .route("/mpesa/c2b/v2/simulate", post(c2b::simulate));
    let sandbox = Router::new()
        .route("/sandbox/statement", get(control::statement))
        .route("/sandbox/callbacks", get(control::callbacks))
        .route("/sandbox/callbacks/redeliver", post(control::redeliver))
        .route(
            "/sandbox/faults",
            get(control::faults).post(control::order_fault).delete(control::clear_faults),
        )
        .route("/sandbox/phones", get(control::phones))
        .route("/sandbox/phones/{msisdn}", get(control::phone).post(control::change_phone))
        .route("/sandbox/phones/{msisdn}/prompt", get(control::prompt))
        .route("/sandbox/phones/{msisdn}/answer", post(control::answer))
        .route("/sandbox/phones/{msisdn}/paybill", post(control::paybill));
    let pages = Router::new()
        .route("/", get(pages::home))
        .route("/favicon.ico", get(pages::no_icon))
        .route("/phones", get(pages::phones))
        .route("/phones/{msisdn}", get(pages::phone))
        .route("/phones.css", get(pages::style))
        .route("/phones.js", get(pages::phones_script))
        .route("/phone.js", get(pages::phone_script));
    daraja
        .merge(sandbox)
        .merge(pages)
        .fallback(not_found)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(axum::middleware::map_response(no_sniffing))
        .with_state(app)
}

async fn not_found(State(app): State<Arc<App>>) -> Response {
    app.envelope(&Refusal::new(404, "404.001.01", "Resource not found"))
}

async fn wrong_method(State(app): State<Arc<App>>) -> Response {
    app.envelope(&Refusal::new(405, "405.001", "Method Not Allowed"))
}

async fn no_sniffing(mut response: Response) -> Response {
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
