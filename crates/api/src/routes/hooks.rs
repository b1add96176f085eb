//! M-Pesa's callbacks: kept first, answered then, read afterwards.
//!
//! Whoever sends them learns nothing: a callback for an unknown payment is kept
//! and answered like any other. Money is never believed from these alone; the
//! settlement service decides what a callback proves.

use crate::app::App;
use crate::error::ApiError;
use crate::extract::{Json, Path, Raw};
use crate::guard::hooks::Source;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use jirani_inbox::door::is_secret;
use jirani_store::{CallbackKind, NewCallback, RefusalCount};
use serde::Serialize;
use std::fmt::Write as _;
use utoipa::ToSchema;

/// What M-Pesa wants to hear.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct Accepted {
    /// 0: taken.
    #[serde(rename = "ResultCode")]
    result_code: u8,
    /// For people.
    #[serde(rename = "ResultDesc")]
    result_desc: &'static str,
}

const ACCEPTED: Json<Accepted> = Json(Accepted { result_code: 0, result_desc: "Accepted" });

async fn keep(
    app: App,
    kind: CallbackKind,
    secret: String,
    Source(source): Source,
    body: Bytes,
) -> Result<Json<Accepted>, ApiError> {
    if !is_secret(&secret) {
        return Err(ApiError::not_found("page"));
    }
    let callback =
        NewCallback { kind, secret, body: body.to_vec(), source: source.to_string(), received_at: app.now() };
    let trading = app.deps.trading.clone();
    app.to_the_end(async move { trading.receive_callback(callback).await }).await?;
    Ok(ACCEPTED)
}

/// A door that keeps what comes as one kind of callback.
macro_rules! door {
    ($(#[doc = $doc:tt])+ $name:ident at $path:tt keeps $kind:ident; $secret:tt) => {
        $(#[doc = $doc])+
        #[utoipa::path(
            post,
            path = $path,
            tag = "hooks",
            request_body(
                content = String, content_type = "application/json", description = "As M-Pesa sends it."
            ),
            params(("secret" = String, Path, description = $secret)),
            responses((status = 200, body = Accepted))
        )]
        pub async fn $name(
            State(app): State<App>,
            Path(secret): Path<String>,
            source: Source,
            Raw(body): Raw,
        ) -> Result<Json<Accepted>, ApiError> {
            keep(app, CallbackKind::$kind, secret, source, body).await
        }
    };
}

door! {
    /// Result of an STK Push.
    stk_result at "/hooks/stk/{secret}" keeps StkResult; "Secret of the payment."
}
door! {
    /// Result of a B2C payment.
    b2c_result at "/hooks/b2c/{secret}/result" keeps B2cResult; "Secret of the payout."
}
door! {
    /// A B2C payment waited too long in M-Pesa's queue: its outcome is unknown.
    b2c_timeout at "/hooks/b2c/{secret}/timeout" keeps B2cTimeout; "Secret of the payout."
}
door! {
    /// Answer to a question of ours: status, balance, reversal, a move of float.
    answer_result at "/hooks/answer/{secret}/result" keeps Answer; "Secret of the question."
}
door! {
    /// A question waited too long in M-Pesa's queue: it says nothing.
    answer_timeout at "/hooks/answer/{secret}/timeout" keeps AnswerTimeout; "Secret of the question."
}
door! {
    /// A payment made by hand to the PayBill.
    c2b_confirmation at "/hooks/c2b/{secret}/confirmation" keeps C2bConfirmation; "Secret of the deployment."
}

/// M-Pesa asks whether to take a payment to the PayBill: always, because money
/// that nobody expected becomes balance.
#[utoipa::path(
    post,
    path = "/hooks/c2b/{secret}/validation",
    tag = "hooks",
    params(("secret" = String, Path, description = "Secret of the deployment.")),
    responses((status = 200, body = Accepted))
)]
pub async fn c2b_validation(Path(_secret): Path<String>) -> Json<Accepted> {
    ACCEPTED
}

/// What came through the doors and what was refused there, of meters and what they said, and
/// figures of money and forecasts, for Prometheus.
pub async fn metrics(State(app): State<App>) -> impl IntoResponse {
    let mut text = app.gate.metrics();
    // What cannot be read now is left out: a scrape tells what is known.
    for (name, help, value) in app.deps.trading.figures().await.unwrap_or_default() {
        let name = format!("jirani_money_{name}");
        // Writing to a string cannot fail.
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge\n{name} {value}");
    }
    for (name, help, value) in app.deps.advice.figures() {
        let name = format!("jirani_forecast_{name}");
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge\n{name} {value}");
    }
    if let Ok(live) = app.deps.store.live_findings(app.now()).await {
        text.push_str(&super::findings::figures(&live));
    }
    if let Ok(counts) = RefusalCount::all(app.deps.store.as_ref()).await {
        text.push_str(&super::evidence::figures(&counts));
    }
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text)
}
