//! Statements, and the operator's list of sales for the tax invoice system: whole
//! documents, made here and sent piece by piece.

use crate::app::App;
use crate::auth::Own;
use crate::error::ApiError;
use crate::extract::{Id, Path, Query};
use crate::view::document::{self, Kind};
use axum::extract::State;
use axum::response::Response;
use jirani_statement::tax::write;
use jirani_statement::{Period, Subject, csv, pdf, statement, tax_export};
use jirani_store::Language;
use jirani_units::HouseholdId;
use serde::Deserialize;
use utoipa::IntoParams;

/// Form of a statement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StatementFormat {
    /// For people and printers.
    #[default]
    Pdf,
    /// For spreadsheets and programs.
    Csv,
}

/// Language of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StatementLanguage {
    /// English.
    En,
    /// Kiswahili.
    Sw,
}

/// Which statement.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct StatementQuery {
    /// A month `2026-10`, a day `2026-10-05`, or days `2026-10-01..2026-10-15`, in Nairobi; at most 366 days.
    pub period: String,
    /// `pdf` if not said.
    #[serde(default)]
    #[param(inline)]
    pub format: StatementFormat,
    /// The household's own language if not said.
    #[param(inline)]
    pub language: Option<StatementLanguage>,
}

/// Form of the list of sales.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TaxFormat {
    /// One row per sale.
    #[default]
    Csv,
    /// Totals, the taxes account, and both lists.
    Json,
}

/// Which list of sales.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct TaxQuery {
    /// A month `2026-10`, a day, or days, in Nairobi.
    pub period: String,
    /// `csv` if not said.
    #[serde(default)]
    #[param(inline)]
    pub format: TaxFormat,
}

/// The household's own statement: opening, lines and closing add up, or there is none.
#[utoipa::path(
    get,
    path = "/api/v1/me/statement",
    tag = "household",
    params(StatementQuery),
    responses((status = 200, description = "The document", content((Vec<u8> = "application/pdf"), (String = "text/csv"))))
)]
pub async fn my_statement(
    State(app): State<App>,
    Own(household): Own,
    Query(query): Query<StatementQuery>,
) -> Result<Response, ApiError> {
    make(&app, household, &query).await
}

/// Any household's statement.
#[utoipa::path(
    get,
    path = "/api/v1/operator/households/{id}/statement",
    tag = "operator",
    params(("id" = u64, Path, description = "The household"), StatementQuery),
    responses((status = 200, description = "The document", content((Vec<u8> = "application/pdf"), (String = "text/csv"))))
)]
pub async fn household_statement(
    State(app): State<App>,
    Path(Id(id)): Path<Id>,
    Query(query): Query<StatementQuery>,
) -> Result<Response, ApiError> {
    let id = u32::try_from(id).map_err(|_| ApiError::not_found("household"))?;
    make(&app, HouseholdId(id), &query).await
}

/// One line per settled sale, for the tax invoice system: its taxes are the ledger's, or there is none.
#[utoipa::path(
    get,
    path = "/api/v1/operator/tax-export",
    tag = "operator",
    params(TaxQuery),
    responses((status = 200, description = "The list", content((String = "text/csv"), (String = "application/json"))))
)]
pub async fn tax_list(State(app): State<App>, Query(query): Query<TaxQuery>) -> Result<Response, ApiError> {
    let _turn = document::turn().await;
    let period: Period = query.period.parse()?;
    let name = format!("jirani-sales-{}", period.label());
    let export = tax_export(app.deps.store.as_ref(), period, app.now()).await?;
    Ok(match query.format {
        TaxFormat::Csv => document::streamed(Kind::Csv, &name, move |to| write::csv(&export, to)),
        TaxFormat::Json => document::streamed(Kind::Json, &name, move |to| write::json(&export, to)),
    })
}

async fn make(app: &App, household: HouseholdId, query: &StatementQuery) -> Result<Response, ApiError> {
    let _turn = document::turn().await;
    let period: Period = query.period.parse()?;
    let now = app.now();
    let (record, statement) = statement(app.deps.store.as_ref(), household, period, now).await?;
    let language = match query.language {
        Some(StatementLanguage::En) => Language::En,
        Some(StatementLanguage::Sw) => Language::Sw,
        None => record.language,
    };
    let name = format!("jirani-{household}-{}", statement.period().label());
    Ok(match query.format {
        StatementFormat::Csv => {
            document::streamed(Kind::Csv, &name, move |to| csv::write(&statement, language, to))
        }
        StatementFormat::Pdf => {
            let subject = Subject { household, name: record.name, issuer: app.config.site_name.clone() };
            let made = tokio::task::spawn_blocking(move || pdf::write(&statement, &subject, language, now));
            let bytes = made.await.map_err(|error| ApiError::internal(error.to_string()))??;
            document::whole(Kind::Pdf, &name, bytes)
        }
    })
}
