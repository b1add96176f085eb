//! Live events.

use crate::app::App;
use crate::auth::SignedIn;
use crate::error::ApiError;
use crate::extract::Query;
use crate::view::feed::Feed;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, header};
use axum::response::{IntoResponse, Sse};
use serde::Deserialize;
use utoipa::IntoParams;

/// Where a stream that broke goes on.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Resume {
    /// The id of the last event that arrived, for pages, which cannot send the header.
    last_event_id: Option<String>,
}

/// What changes, as it changes (server-sent events): `power`, `slot`, `offers`,
/// `order`, `payout`, `balance`, and `resync` when some were missed. Events about
/// money carry ids only: read the thing itself. A comment every 20 seconds says
/// that the stream is alive. Whoever sends the last event's id, as the header `Last-Event-ID`
/// or as `last_event_id`, hears first what came since, or `resync` if that was too much.
#[utoipa::path(
    get,
    path = "/api/v1/events",
    tag = "events",
    params(Resume),
    responses((status = 200, content_type = "text/event-stream", body = String))
)]
pub async fn events(
    State(app): State<App>,
    who: SignedIn,
    Query(resume): Query<Resume>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, ApiError> {
    let Some(open) = app.streams.open(who.token_hash) else {
        return Err(ApiError::too_many(
            "api.too_many_streams",
            "Too many live views are open. Close one, or look again by hand.",
        ));
    };
    let header = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let last_event_id = header.or(resume.last_event_id.as_deref());
    let feed = Feed::open(app, who, open, last_event_id).await?;
    let headers = [(header::CACHE_CONTROL, "no-store"), (HeaderName::from_static("x-accel-buffering"), "no")];
    Ok((headers, Sse::new(feed.into_stream())))
}
