//! The emulator's own JSON about time and scenarios.

use super::App;
use super::control::{Answer, Body, Problem};
use crate::scenario::Scenario;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, StatusCode, header};
use jirani_units::{Clock as _, Timestamp};
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;

/// The longest leap of the clock, in seconds: a year.
const LONGEST_LEAP_S: u32 = 366 * 86_400;

/// What the clock says and whose it is.
pub async fn clock(State(app): State<Arc<App>>) -> Answer {
    let mode = match &app.own_clock {
        None => "host",
        Some(own) if own.is_frozen() => "frozen",
        Some(_) => "follow",
    };
    Ok(Json(json!({"now": app.clock.now(), "mode": mode})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClockOrder {
    mode: Option<String>,
    advance_s: Option<u32>,
    to: Option<Timestamp>,
}

/// Freezes the clock, lets it follow the system's again, moves it on.
pub async fn change_clock(State(app): State<Arc<App>>, order: Body<ClockOrder>) -> Answer {
    let Json(order) = order?;
    let Some(own) = &app.own_clock else {
        let message = "the clock belongs to the program that runs the emulator".to_owned();
        return Err(Problem(StatusCode::CONFLICT, "sandbox.clock_of_host", message));
    };
    let frozen = match order.mode.as_deref() {
        None => None,
        Some("freeze" | "frozen") => Some(true),
        Some("follow") => Some(false),
        Some(_) => return Err(Problem::bad("mode is freeze or follow")),
    };
    let now = app.clock.now();
    let to = match (order.advance_s, order.to) {
        (Some(_), Some(_)) => return Err(Problem::bad("either advance_s or to")),
        (Some(seconds), None) => Some(now.plus_seconds(seconds.into())),
        (None, to) => to,
    };
    if to.is_some_and(|to| to < now || to > now.plus_seconds(LONGEST_LEAP_S.into())) {
        return Err(Problem::bad("the clock never goes back, and a year on at most"));
    }
    if let Some(frozen) = frozen {
        own.freeze(frozen);
    }
    if let Some(to) = to {
        own.advance(to).await;
    }
    clock(State(Arc::clone(&app))).await
}

/// Plays a scenario: JSON or TOML.
pub async fn scenario(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Answer {
    let kind = super::auth::header_text(&headers, header::CONTENT_TYPE).unwrap_or_default();
    // No other type: a page of some website could send text unasked.
    if !["application/json", "application/toml"].iter().any(|known| kind.starts_with(known)) {
        return Err(Problem::bad("send Content-Type: application/toml or application/json"));
    }
    let body = body.map_err(|rejection| Problem::bad(rejection.body_text()))?;
    let text = std::str::from_utf8(&body).map_err(|_| Problem::bad("a scenario is UTF-8 text"))?;
    let scenario = Scenario::parse(text).map_err(|error| Problem::bad(error.to_string()))?;
    if scenario.seed.is_some() || scenario.start_at.is_some() {
        return Err(Problem::bad("seed and start_at can only be set when the emulator starts"));
    }
    let steps = scenario.steps(&app.config).map_err(|error| Problem::bad(error.to_string()))?;
    let count = steps.len();
    let busy = app.clock.busy();
    let waiting = app.core.ask(Some(busy), move |world| {
        world.play(steps);
        world.waiting_steps()
    });
    let waiting = waiting.await?;
    if let Some(own) = app.own_clock.as_ref().filter(|_| scenario.frozen) {
        own.freeze(true);
    }
    Ok(Json(json!({"name": scenario.name, "steps": count, "waiting": waiting})))
}
