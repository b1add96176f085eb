//! A household signs in: a code by text message, then the session.

use crate::accounts::codes::{RESEND_S, Spent, VALID_S};
use crate::accounts::network;
use crate::accounts::recent::TooOften;
use crate::accounts::words::code_message;
use crate::app::App;
use crate::auth::opening::{Opened, Opening, open};
use crate::dto::account::{CodeRequest, CodeView, SignInRequest};
use crate::dto::household::LanguageView;
use crate::error::ApiError;
use crate::extract::Json;
use crate::guard::request::Peer;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use jirani_store::{HouseholdKind, HouseholdRecord, Language, SessionRole};
use jirani_units::Msisdn;
use std::net::IpAddr;
use tokio::time::Instant;

/// What is compared where there is no code, so that it takes as long. Made of no code.
pub(crate) const NO_CODE: &str = "argon2id$19456$2$00000000000000000000000000000000$\
                       0000000000000000000000000000000000000000000000000000000000000000";
/// The longest name of a device, in characters.
const DEVICE_NAME_MAX: usize = 60;

/// Sends a code to a phone, to sign in with. The answer is the same whether the number is
/// known or not.
#[utoipa::path(
    post,
    path = "/api/v1/sign-in/code",
    tag = "session",
    request_body = CodeRequest,
    responses((status = 202, body = CodeView), (status = 429, body = crate::Problem))
)]
pub async fn send_code(
    State(app): State<App>,
    Peer(peer): Peer,
    headers: HeaderMap,
    Json(request): Json<CodeRequest>,
) -> Result<(StatusCode, Json<CodeView>), ApiError> {
    let number = number_of(&request.phone)?;
    let Some(phones) = &app.deps.phones else {
        return Err(ApiError::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "api.no_text_messages",
            "No text messages are sent from here. Ask your operator.",
        ));
    };
    let now = app.now();
    let address = address(&app, peer.ip(), &headers);
    let asked_by = app.accounts.asked_by.as_ref();
    let allowed = asked_by.map_or(Ok(()), |asked| asked.take(address, now));
    allowed.and_then(|()| app.accounts.codes.ask(number, now)).map_err(|too_often| match too_often {
        TooOften::TooSoon => ApiError::too_many(
            "api.code_too_soon",
            "A code was sent just now. Wait half a minute before you ask for another one.",
        ),
        TooOften::TooMany => ApiError::too_many(
            "api.too_many_codes",
            "That were too many codes for one hour. Use the last one, or try again later.",
        ),
    })?;
    let home = home_of(&app, number).await?;
    let code = app.deps.tokens.digits();
    let hash = app.accounts.pins.hash(&code, app.deps.tokens.salt()).await?;
    app.accounts.codes.keep(number, hash, now);
    // Nobody waits for the gateway, which would tell a known number from an unknown one.
    if let Some(home) = home {
        let language = request.language.map_or(home.language, Language::from);
        let (sms, text) = (phones.sms.clone(), code_message(&code, language));
        let id = format!("sign-in/{}", hex::encode(app.deps.tokens.salt()));
        let busy = app.deps.clock.busy();
        tokio::spawn(async move {
            let outcome = sms.send(number, &text, &id).await;
            tracing::debug!(?outcome, number = %number.masked(), "a code to sign in with");
            drop(busy);
        });
    }
    Ok((StatusCode::ACCEPTED, Json(CodeView { resend_after_s: RESEND_S, valid_s: VALID_S })))
}

/// Signs a household in with the code that was sent to its phone.
#[utoipa::path(
    post,
    path = "/api/v1/sign-in",
    tag = "session",
    request_body = SignInRequest,
    responses((status = 200, body = crate::dto::session::SessionView), (status = 401, body = crate::Problem))
)]
pub async fn sign_in_by_code(
    State(app): State<App>,
    Peer(peer): Peer,
    headers: HeaderMap,
    Json(request): Json<SignInRequest>,
) -> Result<Opened, ApiError> {
    let SignInRequest { phone, code, shared_phone, device_name } = request;
    let number = number_of(&phone)?;
    let device_name = device_name.map(named).transpose()?;
    if !app.sign_ins.take(address(&app, peer.ip(), &headers), Instant::now()) {
        return Err(ApiError::too_many(
            "api.too_many_sign_ins",
            "Too many sign-ins from your network. Wait a minute and try again.",
        ));
    }
    let right = right_code(&app, number, &code).await?;
    let (Right::Yes, Some(home)) = (right, home_of(&app, number).await?) else { return Err(wrong_code()) };
    let lasts_s = if shared_phone {
        app.accounts.config.service_s(app.accounts.config.shared_phone_s).min(app.config.session_s)
    } else {
        app.config.session_s
    };
    let role = SessionRole::Household(home.id);
    open(&app, Opening { role, operator: None, device_name, lasts_s }).await
}

/// Whether a code was the one that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Right {
    /// It was, and is spent.
    Yes,
    /// It was not, or is no longer good.
    No,
}

/// Looks at a code; takes as long whatever is found.
pub(crate) async fn right_code(app: &App, number: Msisdn, code: &str) -> Result<Right, ApiError> {
    if code.len() != 6 || !code.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(ApiError::bad_request("api.body_invalid", "A code has six digits."));
    }
    let accounts = &app.accounts;
    let Some(counted) = accounts.codes.try_one(number, app.now()) else {
        accounts.pins.matches(code, NO_CODE).await?;
        return Ok(Right::No);
    };
    let matches = accounts.pins.matches(code, &counted.hash).await?;
    Ok(if matches && accounts.codes.spend(number, &counted) == Spent::Now { Right::Yes } else { Right::No })
}

/// One answer for a wrong code, an old one, and a number that nobody knows.
pub(crate) fn wrong_code() -> ApiError {
    ApiError::new(
        StatusCode::UNAUTHORIZED,
        "api.code_wrong",
        "That is not the code, or it is no longer good. Check it, or ask for a new one.",
    )
}

fn number_of(phone: &str) -> Result<Msisdn, ApiError> {
    phone.parse().map_err(|_| {
        ApiError::bad_request(
            "api.phone_invalid",
            "That is not a Kenyan mobile number: write it like 0712 345 678.",
        )
    })
}

fn named(name: String) -> Result<String, ApiError> {
    let fits = (1..=DEVICE_NAME_MAX).contains(&name.chars().count());
    if fits && !name.chars().any(char::is_control) && !name.trim().is_empty() {
        return Ok(name);
    }
    Err(ApiError::bad_request("api.body_invalid", "A device's name has 1 to 60 characters."))
}

/// The home with this number; none where several have it, because nobody can say which is meant.
async fn home_of(app: &App, number: Msisdn) -> Result<Option<HouseholdRecord>, ApiError> {
    let mut homes = app.deps.store.households_of_number(number).await?;
    homes.retain(|record| record.kind == HouseholdKind::Home);
    let one = homes.len() == 1;
    Ok(homes.pop().filter(|_| one))
}

/// Where a request came from, behind a proxy of ours too.
pub(crate) fn address(app: &App, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    network(app.gate.source(peer, headers))
}

impl From<LanguageView> for Language {
    fn from(language: LanguageView) -> Self {
        match language {
            LanguageView::En => Self::En,
            LanguageView::Sw => Self::Sw,
        }
    }
}
