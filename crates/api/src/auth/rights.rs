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
use crate::routes::reviews::UNNAMED;
use axum::extract::{FromRequestParts, MatchedPath, RawPathParams, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use jirani_store::words::Word as _;
use jirani_store::{DeskRole, OperatorState, SessionRecord, SessionRole};
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
    let session = identify(&app, request.method(), request.uri(), request.headers()).await?;
    right.check(session.role)?;
    let signed_in = SignedIn { role: session.role, token_hash: session.token_hash };
    request.extensions_mut().insert(signed_in);
    if let SessionRole::Desk(role) = session.role
        && right != Right::SignedIn
        && !request.method().is_safe()
    {
        // Written down before it is begun: what nobody would know of is not done.
        let (mut parts, body) = request.into_parts();
        let act = act_of(&mut parts).await;
        request = Request::from_parts(parts, body);
        let (store, who) = (app.deps.store.as_ref(), session.operator.as_deref().unwrap_or(UNNAMED));
        app.accounts.acts.write(store, app.now(), who, role.word(), &act).await?;
    }
    Ok(next.run(request).await)
}

/// Method, route and the ids in its path; never what else a request holds.
async fn act_of(parts: &mut Parts) -> String {
    let route = parts.extensions.get::<MatchedPath>().map_or("", MatchedPath::as_str).to_owned();
    let mut act = format!("{} {route}", parts.method);
    if let Ok(ids) = RawPathParams::from_request_parts(parts, &()).await {
        for (name, value) in &ids {
            act.extend([" ", name, "="]);
            act.extend(value.escape_default());
        }
    }
    act
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
) -> Result<SessionRecord, ApiError> {
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
    live_session(app, token_hash).await?.ok_or_else(|| {
        ApiError::new(StatusCode::UNAUTHORIZED, "api.session_ended", "Your session has ended. Sign in again.")
    })
}

/// Who a session belongs to; `None` once it has ended.
pub(crate) async fn still_signed_in(
    app: &App,
    token_hash: [u8; 32],
) -> Result<Option<SessionRole>, ApiError> {
    Ok(live_session(app, token_hash).await?.map(|session| session.role))
}

/// A session that has not ended, and whose owner may still come in.
async fn live_session(app: &App, token_hash: [u8; 32]) -> Result<Option<SessionRecord>, ApiError> {
    let session = app.deps.store.session(token_hash).await?;
    let Some(session) = session.filter(|session| session.expires_at > app.now()) else { return Ok(None) };
    if matches!(session.role, SessionRole::Household(_)) {
        return Ok(Some(session));
    }
    let name = session.operator.as_deref().unwrap_or_default();
    let holds = match app.deps.store.operator(name).await? {
        Some(account) => account.state == OperatorState::Active && account.since <= session.created_at,
        // A demonstration's sessions are worth nothing where real people trade.
        None => app.config.demo,
    };
    Ok(holds.then_some(session))
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
