//! Who may use which group of routes: the one place that decides.
//!
//! A group of routes in [`crate::router`] is closed by one [`Right`]; nothing
//! behind it runs before the right is checked. Which things of a household a
//! request may touch follows from [`Own`]: handlers ask the store for that
//! household's things only, and what belongs to another does not exist for them.

use super::origin;
use super::token::Token;
use crate::app::App;
use crate::error::ApiError;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use jirani_store::{DeskRole, SessionRecord, SessionRole};
use jirani_units::HouseholdId;

/// What a group of routes asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// Anybody who is signed in.
    SignedIn,
    /// A household, for what is its own.
    Household,
    /// Anybody at the operator's desk.
    Desk,
    /// Reads meters, findings, evidence, shortfalls, figures.
    SeeGrid,
    /// Decides about meters, findings, curtailment, shortfall, phones.
    RunGrid,
    /// Reads payments, reviews, reconciliations, float, statements.
    SeeMoney,
    /// Decides about money and prices.
    RunMoney,
    /// Reads who is let in, and what they did.
    SeePeople,
    /// Lets people in and out.
    RunPeople,
}

/// Operator, finance and auditor in one stands wherever one of the three does.
const EVERYBODY: &[DeskRole] =
    &[DeskRole::Operator, DeskRole::Finance, DeskRole::Auditor, DeskRole::Admin, DeskRole::All];

impl Right {
    /// The whole table of rights: who of the desk has it.
    const fn desk(self) -> &'static [DeskRole] {
        match self {
            Self::Household => &[],
            Self::SignedIn | Self::Desk => EVERYBODY,
            Self::SeeGrid => &[DeskRole::Operator, DeskRole::Auditor, DeskRole::Admin, DeskRole::All],
            Self::RunGrid => &[DeskRole::Operator, DeskRole::All],
            Self::SeeMoney => &[DeskRole::Finance, DeskRole::Auditor, DeskRole::Admin, DeskRole::All],
            Self::RunMoney => &[DeskRole::Finance, DeskRole::All],
            Self::SeePeople => &[DeskRole::Auditor, DeskRole::Admin, DeskRole::All],
            Self::RunPeople => &[DeskRole::Admin],
        }
    }

    fn check(self, role: SessionRole) -> Result<(), ApiError> {
        let refused = |code, sentence| Err(ApiError::new(StatusCode::FORBIDDEN, code, sentence));
        match (self, role) {
            (Self::SignedIn | Self::Household, SessionRole::Household(_)) => Ok(()),
            (_, SessionRole::Desk(role)) if self.desk().contains(&role) => Ok(()),
            (Self::Household, SessionRole::Desk(_)) => {
                refused("api.household_only", "This belongs to a household. Sign in as that household.")
            }
            (_, SessionRole::Household(_)) => refused("api.operator_only", "Only the operator may see this."),
            (_, SessionRole::Desk(_)) => {
                refused("api.other_role", "Your role does not include this. Ask a colleague whose role does.")
            }
        }
    }
}

/// Who sent the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignedIn {
    /// Who.
    pub role: SessionRole,
    /// The session's identity.
    pub token_hash: [u8; 32],
}

/// The household that sent the request, behind [`Right::Household`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Own(pub HouseholdId);

/// Closes a group of routes with a right.
pub async fn require(
    State((app, right)): State<(App, Right)>,
    mut request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let signed_in = identify(&app, request.method(), request.uri(), request.headers()).await?;
    right.check(signed_in.role)?;
    request.extensions_mut().insert(signed_in);
    Ok(next.run(request).await)
}

fn not_signed_in() -> ApiError {
    ApiError::new(StatusCode::UNAUTHORIZED, "api.not_signed_in", "Sign in first.")
}

/// Finds out who sends a request. A bearer token wins over a cookie, because
/// only a program that means it sends one.
async fn identify(
    app: &App,
    method: &Method,
    uri: &axum::http::Uri,
    headers: &HeaderMap,
) -> Result<SignedIn, ApiError> {
    let token = if let Some(value) = headers.get(header::AUTHORIZATION) {
        value.to_str().ok().and_then(|value| value.strip_prefix("Bearer "))
    } else {
        let cookie = origin::cookie(headers);
        if cookie.is_some() && !method.is_safe() && !origin::is_own_page(headers, uri) {
            return Err(ApiError::new(
                StatusCode::FORBIDDEN,
                "api.foreign_origin",
                "This request did not come from our own pages. Send the header X-Jirani: 1 if it did.",
            ));
        }
        cookie
    };
    let token_hash = token.and_then(Token::parse).ok_or_else(not_signed_in)?.hash();
    let role = still_signed_in(app, token_hash).await?.ok_or_else(|| {
        ApiError::new(StatusCode::UNAUTHORIZED, "api.session_ended", "Your session has ended. Sign in again.")
    })?;
    Ok(SignedIn { role, token_hash })
}

/// Who a session belongs to; `None` once it has ended.
pub(crate) async fn still_signed_in(
    app: &App,
    token_hash: [u8; 32],
) -> Result<Option<SessionRole>, ApiError> {
    let session = app.deps.store.session(token_hash).await?;
    let session = session.filter(|session| session.expires_at > app.now() && may_be(app, session));
    Ok(session.map(|session| session.role))
}

/// A demonstration's sessions are worth nothing where real people trade.
fn may_be(app: &App, session: &SessionRecord) -> bool {
    app.config.demo || session.role != SessionRole::Desk(DeskRole::All)
}

fn unguarded(route: &str) -> ApiError {
    ApiError::internal(format!("the route {route} stands outside the group its handler expects"))
}

impl<S: Sync> FromRequestParts<S> for SignedIn {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        parts.extensions.get::<Self>().copied().ok_or_else(|| unguarded(parts.uri.path()))
    }
}

impl<S: Sync> FromRequestParts<S> for Own {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        match SignedIn::from_request_parts(parts, state).await?.role {
            SessionRole::Household(household) => Ok(Self(household)),
            SessionRole::Desk(_) => Err(unguarded(parts.uri.path())),
        }
    }
}
