//! The emulator's own JSON about money: shortcodes, statements, reversals.

use super::App;
use super::control::{Answer, Body, Problem};
use crate::book::Purse;
use crate::nairobi::Local;
use crate::world::{BusinessChange, ReversalProblem, StatementOf, StatementRow};
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use jirani_units::Cents;
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;

#[derive(Deserialize)]
pub struct Page {
    #[serde(default)]
    after: u64,
    limit: Option<usize>,
}

/// All accounts and movements.
pub async fn statement(State(app): State<Arc<App>>, page: Query<Page>) -> Answer {
    let (after, limit) = (page.after, page.limit.unwrap_or(usize::MAX));
    let statement = app.core.ask(None, move |world| world.statement(after, limit)).await?;
    Ok(Json(json!(statement)))
}

fn no_such(shortcode: &str) -> Problem {
    let message = format!("there is no shortcode {shortcode}");
    Problem(StatusCode::NOT_FOUND, "sandbox.no_such_shortcode", message)
}

pub async fn shortcodes(State(app): State<Arc<App>>) -> Answer {
    Ok(Json(json!({"shortcodes": app.core.ask(None, |world| world.businesses()).await?})))
}

pub async fn shortcode(State(app): State<Arc<App>>, Path(code): Path<String>) -> Answer {
    let asked = code.clone();
    let view = app.core.ask(None, move |world| world.business(&asked)).await?;
    view.map(|view| Json(json!(view))).ok_or_else(|| no_such(&code))
}

pub async fn change_shortcode(
    State(app): State<Arc<App>>,
    Path(code): Path<String>,
    change: Body<BusinessChange>,
) -> Answer {
    let Json(change) = change?;
    let asked = code.clone();
    let view = app.core.ask(None, move |world| world.change_business(&asked, change)).await?;
    view.map(|view| Json(json!(view))).ok_or_else(|| no_such(&code))
}

/// Deletes C2B addresses, as the portal's self service does.
pub async fn delete_urls(State(app): State<Arc<App>>, Path(code): Path<String>) -> Answer {
    let deleted = app.core.ask(None, move |world| world.unregister_c2b(&code)).await?;
    Ok(Json(json!({"deleted": deleted})))
}

#[derive(Deserialize)]
pub struct StatementPage {
    account: Option<String>,
    format: Option<String>,
    #[serde(default)]
    after: u64,
    limit: Option<usize>,
    last: Option<usize>,
}

/// A shortcode's statement, as JSON or as the CSV of M-Pesa's portal.
pub async fn statement_of(
    State(app): State<Arc<App>>,
    Path(shortcode): Path<String>,
    page: Query<StatementPage>,
) -> Result<Response, Problem> {
    let purse = match page.account.as_deref() {
        None | Some("all") => None,
        Some("working") => Some(Purse::Working),
        Some("utility") => Some(Purse::Utility),
        Some("charges") => Some(Purse::Charges),
        Some(_) => return Err(Problem::bad("account is working, utility, charges or all")),
    };
    if app.config.shortcode(&shortcode).is_none() {
        return Err(no_such(&shortcode));
    }
    let limit = page.limit.unwrap_or(usize::MAX);
    let of = StatementOf { shortcode, purse, after: page.after, limit, last: page.last };
    let rows = app.core.ask(None, move |world| world.statement_of(&of)).await?;
    match page.format.as_deref() {
        None | Some("json") => Ok(Json(json!({"rows": rows})).into_response()),
        Some("csv") => {
            let file = as_csv(&rows).map_err(|error| Problem::bad(error.to_string()))?;
            Ok(([(header::CONTENT_TYPE, "text/csv; charset=utf-8")], file).into_response())
        }
        Some(_) => Err(Problem::bad("format is json or csv")),
    }
}

/// The columns of M-Pesa's portal.
const COLUMNS: [&str; 13] = [
    "Receipt No.",
    "Completion Time",
    "Initiation Time",
    "Details",
    "Transaction Status",
    "Paid In",
    "Withdrawn",
    "Balance",
    "Balance Confirmed",
    "Reason Type",
    "Other Party Info",
    "Linked Transaction ID",
    "A/C No.",
];

fn as_csv(rows: &[StatementRow]) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(COLUMNS)?;
    for row in rows {
        let time = Local::at(row.at).dashed();
        let amount = |cents: Cents| if cents == Cents::ZERO { String::new() } else { plain(cents) };
        let withdrawn = Cents(-row.withdrawn_cents.0);
        writer.write_record([
            row.receipt.as_deref().unwrap_or_default(),
            &time,
            &time,
            &row.details,
            "Completed",
            &amount(row.paid_in_cents),
            &amount(withdrawn),
            &plain(row.balance_cents),
            "true",
            &json!(row.kind).as_str().unwrap_or_default().replace('_', " "),
            &row.other_party,
            row.linked_receipt.as_deref().unwrap_or_default(),
            row.reference.as_deref().unwrap_or_default(),
        ])?;
    }
    writer.into_inner().map_err(|error| error.into_error().into())
}

/// `-1234.50`.
fn plain(cents: Cents) -> String {
    let (sign, size) = (if cents.0 < 0 { "-" } else { "" }, cents.0.unsigned_abs());
    format!("{sign}{}.{:02}", size / 100, size % 100)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReversalOrder {
    receipt: String,
}

/// M-Pesa reverses a payment or a payout by itself: a customer complained.
pub async fn reverse(State(app): State<Arc<App>>, order: Body<ReversalOrder>) -> Answer {
    let Json(order) = order?;
    let reversed =
        app.core.ask(Some(app.clock.busy()), move |world| world.reverse_by_hand(&order.receipt)).await?;
    let (status, code, message) = match reversed {
        Ok(receipt) => return Ok(Json(json!({"receipt": receipt}))),
        Err(ReversalProblem::Unknown) => {
            (StatusCode::NOT_FOUND, "sandbox.no_such_transaction", "no payment or payout has this receipt")
        }
        Err(ReversalProblem::Reversed) => {
            (StatusCode::CONFLICT, "sandbox.reversed", "it was reversed before")
        }
        Err(ReversalProblem::Spent) => {
            (StatusCode::CONFLICT, "sandbox.spent", "whoever would give the money back has spent it")
        }
    };
    Err(Problem(status, code, message.to_owned()))
}
