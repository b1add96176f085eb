//! The PIN that stands before money: given in a session, good in it for minutes.

use super::PinForMoney;
use crate::app::App;
use crate::auth::SignedIn;
use crate::error::ApiError;
use axum::http::StatusCode;
use jirani_store::{Change, SessionRecord, StoreError};
use jirani_units::Timestamp;

/// Seconds for which a PIN once given is good.
const GOOD_S: u32 = 300;
/// Times a session is read again because another request changed it.
const AGAIN_MAX: u32 = 16;

/// Refuses to move money in a session that has not given the PIN lately.
pub async fn given(app: &App, who: SignedIn) -> Result<(), ApiError> {
    if app.accounts.config.pin_for_money == PinForMoney::NotAsked {
        return Ok(());
    }
    let good_s = i64::from(app.accounts.config.service_s(GOOD_S));
    let session = app.deps.store.session(who.token_hash).await?;
    let given = session.and_then(|session| session.pin_at);
    if given.is_some_and(|at| at.plus_seconds(good_s) > app.now()) {
        return Ok(());
    }
    Err(ApiError::new(StatusCode::FORBIDDEN, "api.pin_needed", "Give your PIN first."))
}

/// Remembers that the PIN was given in this session.
pub async fn remember(app: &App, who: SignedIn) -> Result<(), ApiError> {
    let now = app.now();
    change_session(app, who.token_hash, |session| session.pin_at = Some(now)).await
}

/// Ends a session, if it has not ended.
pub async fn end(app: &App, token_hash: [u8; 32], now: Timestamp) -> Result<(), ApiError> {
    change_session(app, token_hash, |session| session.expires_at = session.expires_at.min(now)).await
}

async fn change_session(
    app: &App,
    token_hash: [u8; 32],
    edit: impl Fn(&mut SessionRecord),
) -> Result<(), ApiError> {
    for _ in 0..AGAIN_MAX {
        let Some(mut session) = app.deps.store.session(token_hash).await? else { return Ok(()) };
        edit(&mut session);
        match app.deps.store.commit(vec![Change::Session(session)]).await {
            Ok(_) => return Ok(()),
            Err(StoreError::Conflict { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(ApiError::internal("a session never came to rest"))
}
