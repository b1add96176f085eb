//! The PIN: set, and given before money moves. It is the one of the menus of feature phones.

use crate::accounts::pin::remember;
use crate::app::App;
use crate::auth::{Own, SignedIn};
use crate::dto::account::{NewPinRequest, PinRequest};
use crate::error::ApiError;
use crate::extract::Json;
use crate::routes::sign_in::{Right, right_code, wrong_code};
use crate::ussd::pin::{change, judge};
use crate::ussd::sign_in::{Verdict, is_easy, is_pin};
use axum::extract::State;
use axum::http::StatusCode;
use jirani_units::HouseholdId;

/// Gives the PIN: for five minutes this session may move money.
#[utoipa::path(
    post,
    path = "/api/v1/session/pin",
    tag = "session",
    request_body = PinRequest,
    responses((status = 204), (status = 403, body = crate::Problem), (status = 409, body = crate::Problem))
)]
pub async fn give_pin(
    State(app): State<App>,
    Own(household): Own,
    who: SignedIn,
    Json(PinRequest { pin }): Json<PinRequest>,
) -> Result<StatusCode, ApiError> {
    check(&app, household, &pin).await?;
    remember(&app, who).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sets the PIN, against the old one or a fresh code sent to the household's phone.
#[utoipa::path(
    post,
    path = "/api/v1/me/pin",
    tag = "household",
    request_body = NewPinRequest,
    responses((status = 204), (status = 403, body = crate::Problem), (status = 422, body = crate::Problem))
)]
pub async fn set_pin(
    State(app): State<App>,
    Own(household): Own,
    who: SignedIn,
    Json(NewPinRequest { pin, old_pin, code }): Json<NewPinRequest>,
) -> Result<StatusCode, ApiError> {
    if !is_pin(&pin) || is_easy(&pin) {
        return Err(ApiError::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "api.pin_too_easy",
            "A PIN has 4 to 6 digits, not in a row and not all the same. Choose another one.",
        ));
    }
    match (old_pin, code) {
        (Some(old), None) => check(&app, household, &old).await?,
        (None, Some(code)) => check_code(&app, household, &code).await?,
        _ => {
            return Err(ApiError::bad_request(
                "api.body_invalid",
                "Send either the old PIN (old_pin) or a code that was sent to your phone (code).",
            ));
        }
    }
    let kept = app.accounts.pins.hash(&pin, app.deps.tokens.salt()).await?;
    change(&app, household, |handset| {
        handset.pin = Some(kept.clone());
        (handset.code, handset.code_until) = (None, None);
        (handset.wrong, handset.locked_until) = (0, None);
    })
    .await?;
    remember(&app, who).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn check(app: &App, household: HouseholdId, pin: &str) -> Result<(), ApiError> {
    let handset = app.deps.store.handset(household).await?;
    if handset.is_none_or(|handset| handset.pin.is_none()) {
        return Err(ApiError::new(
            StatusCode::CONFLICT,
            "api.pin_not_set",
            "You have no PIN yet. Set one with a code sent to your phone.",
        ));
    }
    let forbidden = |code, sentence| Err(ApiError::new(StatusCode::FORBIDDEN, code, sentence));
    match judge(app, &app.accounts.pins, household, pin).await? {
        Verdict::Right => Ok(()),
        Verdict::Wrong(left) => {
            forbidden("api.pin_wrong", format!("That is not your PIN. Tries left: {left}."))
        }
        Verdict::Malformed => forbidden("api.pin_wrong", "A PIN has 4 to 6 digits.".to_owned()),
        Verdict::Locked(minutes) => forbidden(
            "api.pin_locked",
            format!(
                "Locked after wrong tries. Try again in {minutes} minutes, or set a new PIN with a code."
            ),
        ),
    }
}

async fn check_code(app: &App, household: HouseholdId, code: &str) -> Result<(), ApiError> {
    let record = app.deps.store.household(household).await?;
    let Some(number) = record.and_then(|record| record.msisdn) else { return Err(wrong_code()) };
    match right_code(app, number, code).await? {
        Right::Yes => Ok(()),
        Right::No => Err(wrong_code()),
    }
}
