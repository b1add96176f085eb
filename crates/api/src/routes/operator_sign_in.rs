//! Somebody at the desk signs in: password and authenticator, each compared whatever the other
//! says, so that no answer tells which was wrong or whether there is such a name.

use super::sign_in::{NO_CODE, address};
use crate::accounts::totp::TotpSecret;
use crate::app::App;
use crate::auth::opening::{Opened, Opening, open};
use crate::auth::token::Token;
use crate::dto::people::{AcceptRequest, AcceptedView, OperatorSignInRequest};
use crate::error::ApiError;
use crate::extract::Json;
use crate::guard::request::Peer;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::AppendHeaders;
use jirani_store::words::Word as _;
use jirani_store::{Change, OperatorRecord, OperatorState, SessionRole, StoreError};
use std::net::IpAddr;
use subtle::ConstantTimeEq as _;
use tokio::time::Instant;

/// The shortest password, in characters: RFC 8265 leaves the choice to us, OWASP says 8 with a
/// second factor.
const PASSWORD_MIN: usize = 12;
/// The longest one, in bytes: what is hashed is bounded.
const PASSWORD_MAX: usize = 200;
/// No name is longer, in bytes.
const NAME_MAX: usize = 160;

/// Signs somebody in at the operator's desk.
#[utoipa::path(
    post,
    path = "/api/v1/operator/sign-in",
    tag = "session",
    request_body = OperatorSignInRequest,
    responses(
        (status = 200, body = crate::dto::session::SessionView),
        (status = 401, body = crate::Problem),
        (status = 429, body = crate::Problem),
    )
)]
pub async fn operator_sign_in(
    State(app): State<App>,
    Peer(peer): Peer,
    headers: HeaderMap,
    Json(request): Json<OperatorSignInRequest>,
) -> Result<Opened, ApiError> {
    let OperatorSignInRequest { name, password, code } = request;
    let from = begin(&app, &name, &password, peer.ip(), &headers)?;
    let (accounts, now) = (&app.accounts, app.now());
    let record = app.deps.store.operator(&name).await?;
    let record = record.filter(|record| record.state == OperatorState::Active);
    let kept = record.as_ref().and_then(|record| record.password.as_deref());
    let known = accounts.passwords.matches(&password, kept.unwrap_or(NO_CODE)).await?;
    let Some((record, salt)) = record.and_then(|record| record.totp_salt.map(|salt| (record, salt))) else {
        return Err(wrong());
    };
    let step = TotpSecret::of(&accounts.config.totp_key, &salt).step_of(&code, now, record.totp_step);
    let (true, Some(step)) = (known, step) else { return Err(wrong()) };
    let role = record.role;
    let taken = OperatorRecord { totp_step: Some(step), ..record };
    match app.deps.store.commit(vec![Change::Operator(Box::new(taken))]).await {
        Ok(_) => {}
        // Somebody used this very code at the same moment: it is good once.
        Err(StoreError::Conflict { .. }) => return Err(wrong()),
        Err(error) => return Err(error.into()),
    }
    accounts.backoff.forgive(&name, from);
    accounts.acts.write(app.deps.store.as_ref(), now, &name, role.word(), "signed in").await?;
    let opening = Opening {
        role: SessionRole::Desk(role),
        operator: Some(name),
        device_name: None,
        lasts_s: app.config.session_s,
    };
    open(&app, opening).await
}

/// Takes up an invitation: chooses the password, and is shown what the authenticator needs.
#[utoipa::path(
    post,
    path = "/api/v1/operator/accept",
    tag = "session",
    request_body = AcceptRequest,
    responses(
        (status = 200, body = AcceptedView),
        (status = 401, body = crate::Problem),
        (status = 422, body = crate::Problem),
    )
)]
pub async fn accept_invitation(
    State(app): State<App>,
    Peer(peer): Peer,
    headers: HeaderMap,
    Json(request): Json<AcceptRequest>,
) -> Result<(AppendHeaders<[(header::HeaderName, &'static str); 1]>, Json<AcceptedView>), ApiError> {
    let AcceptRequest { name, secret, password } = request;
    if password.chars().count() < PASSWORD_MIN || password.len() > PASSWORD_MAX || password == name {
        return Err(ApiError::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "api.password_too_easy",
            "A password has 12 to 200 characters and is not your name. Choose another one.",
        ));
    }
    let from = begin(&app, &name, &password, peer.ip(), &headers)?;
    let now = app.now();
    let record = app.deps.store.operator(&name).await?;
    let kept = app.accounts.passwords.hash(&password, app.deps.tokens.salt()).await?;
    let said = Token::parse(&secret).map_or([0; 32], |token| token.hash());
    let invited = record.filter(|record| {
        record.state == OperatorState::Invited
            && record.invitation.is_some_and(|(hash, until)| until > now && bool::from(hash.ct_eq(&said)))
    });
    let Some(invited) = invited else {
        return Err(ApiError::new(
            StatusCode::UNAUTHORIZED,
            "api.invitation_wrong",
            "That is no invitation, or it is no longer good. Ask for a new one.",
        ));
    };
    let (salt, role) = (app.deps.tokens.salt(), invited.role);
    let active = OperatorRecord {
        state: OperatorState::Active,
        password: Some(kept),
        totp_salt: Some(salt),
        totp_step: None,
        invitation: None,
        since: now,
        ..invited
    };
    let act = "took up the invitation";
    app.accounts.acts.write(app.deps.store.as_ref(), now, &name, role.word(), act).await?;
    app.deps.store.commit(vec![Change::Operator(Box::new(active))]).await?;
    app.accounts.backoff.forgive(&name, from);
    let totp = TotpSecret::of(&app.accounts.config.totp_key, &salt);
    let view = AcceptedView { totp_secret: totp.base32(), totp_uri: totp.uri(&app.config.site_name, &name) };
    Ok((AppendHeaders([(header::CACHE_CONTROL, "no-store")]), Json(view)))
}

/// Bounds what is looked at, and how often.
fn begin(
    app: &App,
    name: &str,
    password: &str,
    peer: IpAddr,
    headers: &HeaderMap,
) -> Result<IpAddr, ApiError> {
    if name.len() > NAME_MAX || password.len() > PASSWORD_MAX {
        return Err(wrong());
    }
    let from = address(app, peer, headers);
    let too_often = || {
        ApiError::too_many(
            "api.too_many_sign_ins",
            "Too many tries from where you are. Wait a while and try again; each wrong try makes the wait longer.",
        )
    };
    if !app.sign_ins.take(from, Instant::now()) {
        return Err(too_often());
    }
    app.accounts.backoff.begin(name, from, app.now()).map_err(|_| too_often())?;
    Ok(from)
}

fn wrong() -> ApiError {
    ApiError::new(
        StatusCode::UNAUTHORIZED,
        "api.sign_in_wrong",
        "Name, password or code is not right. A code is good once: wait for the next one.",
    )
}
