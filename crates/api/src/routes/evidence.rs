//! The files of evidence and what gateways refused, for the operator.

use crate::app::App;
use crate::dto::evidence::{EvidenceView, RefusalView, SegmentView};
use crate::error::ApiError;
use crate::extract::{Json, Page, Query};
use axum::extract::State;
use jirani_store::{RefusalCount, SegmentRecord};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Reasons that are told to Prometheus; there are some forty.
const REASONS_MAX: usize = 64;

/// The newest segments of what meters signed, newest first, and the hash at their end.
/// Whoever keeps it can show later that nothing before it was written anew.
#[utoipa::path(
    get,
    path = "/api/v1/operator/evidence",
    tag = "operator",
    params(Page),
    responses((status = 200, body = EvidenceView))
)]
pub async fn evidence(
    State(app): State<App>,
    Query(page): Query<Page>,
) -> Result<Json<EvidenceView>, ApiError> {
    let segments = SegmentRecord::newest(app.deps.store.as_ref(), page.limit().into()).await?;
    Ok(Json(EvidenceView {
        readings: segments.last().map_or(0, SegmentRecord::last),
        head: segments.last().map(|newest| newest.hash.clone()),
        segments: segments.into_iter().rev().map(SegmentView::from).collect(),
    }))
}

/// How often each meter's messages were refused, by reason, most often first.
#[utoipa::path(
    get,
    path = "/api/v1/operator/refusals",
    tag = "operator",
    params(Page),
    responses((status = 200, body = Vec<RefusalView>))
)]
pub async fn refusals(
    State(app): State<App>,
    Query(page): Query<Page>,
) -> Result<Json<Vec<RefusalView>>, ApiError> {
    let mut counts = RefusalCount::all(app.deps.store.as_ref()).await?;
    counts.sort_by_key(|count| std::cmp::Reverse(count.count));
    counts.truncate(page.limit() as usize);
    Ok(Json(counts.into_iter().map(RefusalView::from).collect()))
}

/// What was refused of all meters together, by reason, for Prometheus. Whose it was is at
/// [`refusals`]: one series per meter and reason would be too many.
pub(crate) fn figures(counts: &[RefusalCount]) -> String {
    let mut sums: BTreeMap<&str, u64> = BTreeMap::new();
    for RefusalCount { code, count, .. } in counts {
        if sums.len() < REASONS_MAX || sums.contains_key(code.as_str()) {
            let sum = sums.entry(code).or_default();
            *sum = sum.saturating_add(*count);
        }
    }
    let mut text = String::from("# HELP jirani_refusals_total Messages of meters that were refused.\n");
    text.push_str("# TYPE jirani_refusals_total counter\n");
    for (code, count) in sums {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "jirani_refusals_total{{reason=\"{code}\"}} {count}");
    }
    text
}
