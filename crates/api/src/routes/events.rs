//! Live events.

use crate::app::App;
use crate::auth::SignedIn;
use crate::error::ApiError;
use crate::view::feed::Feed;
use axum::extract::State;
use axum::http::{HeaderName, header};
use axum::response::{IntoResponse, Sse};

/// What changes, as it changes (server-sent events): `power`, `slot`, `offers`,
/// `order`, `payout`, `balance`, and `resync` when some were missed. Events about
/// money carry ids only: read the thing itself. A comment every 20 seconds says
/// that the stream is alive.
#[utoipa::path(
    get,
    path = "/api/v1/events",
    tag = "events",
    responses((status = 200, content_type = "text/event-stream", body = String))
)]
pub async fn events(State(app): State<App>, who: SignedIn) -> Result<impl IntoResponse, ApiError> {
    let Some(open) = app.streams.open(who.token_hash) else {
        return Err(ApiError::too_many(
            "api.too_many_streams",
            "Too many live views are open. Close one, or look again by hand.",
        ));
    };
    let feed = Feed::open(app, who, open).await?;
    let headers = [(header::CACHE_CONTROL, "no-store"), (HeaderName::from_static("x-accel-buffering"), "no")];
    Ok((headers, Sse::new(feed.into_stream())))
}
