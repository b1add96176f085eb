//! `POST /pulltransactions/v1/register` and `/query`. The portal says GET for
//! the query, clients post it; both are taken.

use super::App;
use super::answer::Body;
use super::auth::{self, Family};
use super::fields::Fields;
use crate::action::Target;
use crate::nairobi;
use crate::refusal::Refusal;
use crate::world::{PullRow, Verdict, Whom};
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use jirani_units::{Msisdn, Timestamp};
use serde_json::{Value, json};
use std::sync::Arc;

pub async fn register(State(app): State<Arc<App>>, headers: HeaderMap, body: Body) -> Response {
    let result = try_register(&app, &headers, &body).await;
    app.conclude(Family::Pull, result).await
}

async fn try_register(app: &App, headers: &HeaderMap, body: &Body) -> Result<Verdict<Value>, Refusal> {
    auth::check(app, headers, Family::Pull)?;
    let fields = Fields::read(headers, body, "ShortCode")?;
    let shortcode = fields.shortcode("ShortCode")?;
    fields.one_of("RequestType", &["Pull"])?;
    fields.text("NominatedNumber")?.parse::<Msisdn>().map_err(|_| Refusal::field("NominatedNumber"))?;
    fields.url("CallBackURL")?;
    let busy = app.clock.busy();
    let asked = shortcode.clone();
    let verdict = app.core.ask(Some(busy), move |world| {
        world.answer(Target::PullResponse, Whom::business(&asked), |world, _| world.register_pull(&asked))
    });
    Ok(verdict.await?.map(|first| {
        let (status, text) = if first {
            ("1000", "ShortCode Registered Successfully")
        } else {
            ("1001", "ShortCode already Registered")
        };
        json!({
            "ResponseRefID": app.new_id(),
            "ResponseStatus": status,
            "ShortCode": shortcode,
            "ResponseDescription": text,
        })
    }))
}

pub async fn query(State(app): State<Arc<App>>, headers: HeaderMap, body: Body) -> Response {
    let result = try_query(&app, &headers, &body).await;
    app.conclude(Family::Pull, result).await
}

async fn try_query(app: &App, headers: &HeaderMap, body: &Body) -> Result<Verdict<Value>, Refusal> {
    auth::check(app, headers, Family::Pull)?;
    let fields = Fields::read(headers, body, "ShortCode")?;
    let shortcode = fields.shortcode("ShortCode")?;
    let moment = |name: &str| -> Result<Timestamp, Refusal> {
        nairobi::parse(&fields.text(name)?).ok_or_else(|| Refusal::field(name))
    };
    let span = (moment("StartDate")?, moment("EndDate")?);
    if span.0 > span.1 {
        return Err(Refusal::field("EndDate"));
    }
    let offset = match fields.maybe_short("OffSetValue", 9)? {
        Some(text) => text.parse().map_err(|_| Refusal::field("OffSetValue"))?,
        None => 0,
    };
    let verdict = app.core.ask(None, move |world| {
        world.answer(Target::PullResponse, Whom::business(&shortcode), |world, _| {
            world.pull(&shortcode, span, offset)
        })
    });
    Ok(verdict.await?.map(|rows| {
        let (code, text) = if rows.is_empty() { ("1001", "No transactions found") } else { ("1000", "Success") };
        // A list in a list, as it really is.
        let rows: Vec<Value> = rows.iter().map(PullRow::json).collect();
        json!({"ResponseRefID": app.new_id(), "ResponseCode": code, "ResponseMessage": text, "Response": [rows]})
    }))
}
