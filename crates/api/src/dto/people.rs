//! People at the operator's desk, and what they did.

use super::Time;
use super::session::DeskRoleView;
use jirani_store::{ActRecord, DeskRole, OperatorRecord, OperatorState};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Signing in at the desk.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OperatorSignInRequest {
    /// The account's name.
    pub name: String,
    /// Its password.
    pub password: String,
    /// Six digits of the authenticator.
    pub code: String,
}

/// Taking up an invitation.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptRequest {
    /// The account's name.
    pub name: String,
    /// The secret of the invitation.
    pub secret: String,
    /// The password from now on: 12 to 200 characters.
    pub password: String,
}

/// What the authenticator is told. Shown once.
#[derive(Serialize, ToSchema)]
pub struct AcceptedView {
    /// To type.
    pub totp_secret: String,
    /// To show as a picture: `otpauth://totp/...`
    pub totp_uri: String,
}

/// Where an account stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PersonStateView {
    /// The invitation is not taken up yet.
    Invited,
    /// Signs in.
    Active,
    /// Gone for good.
    Retired,
}

/// Somebody at the desk.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PersonView {
    /// The name.
    pub name: String,
    /// What for.
    pub role: Option<DeskRoleView>,
    /// Where the account stands.
    pub state: PersonStateView,
    /// When it was made.
    pub created_at: Time,
    /// When it last changed.
    pub since: Time,
}

impl From<OperatorRecord> for PersonView {
    fn from(record: OperatorRecord) -> Self {
        Self {
            name: record.name,
            role: match record.role {
                DeskRole::Operator => Some(DeskRoleView::Operator),
                DeskRole::Finance => Some(DeskRoleView::Finance),
                DeskRole::Auditor => Some(DeskRoleView::Auditor),
                DeskRole::Admin => Some(DeskRoleView::Admin),
                DeskRole::All => None,
            },
            state: match record.state {
                OperatorState::Invited => PersonStateView::Invited,
                OperatorState::Active => PersonStateView::Active,
                OperatorState::Retired => PersonStateView::Retired,
            },
            created_at: record.created_at.into(),
            since: record.since.into(),
        }
    }
}

/// Whom to invite, and what for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InviteRequest {
    /// The name, never given to anybody before.
    pub name: String,
    /// What for.
    pub role: DeskRoleView,
}

/// An invitation. Its secret is shown once.
#[derive(Serialize, ToSchema)]
pub struct InvitationView {
    /// Whose.
    pub name: String,
    /// Lets choose the password.
    pub secret: String,
    /// Until when.
    pub until: Time,
}

/// Something that somebody with special rights did.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ActView {
    /// 1, 2, 3, ...
    pub number: u64,
    /// When.
    pub at: Time,
    /// Who, by name.
    pub who: String,
    /// What for they were there: `operator`, `finance`, `auditor`, `admin`; `all` in a
    /// demonstration, `shell` on the command line.
    pub role: String,
    /// Method, route, and the ids in its path.
    pub act: String,
    /// Hash of this one with all before, hexadecimal.
    pub hash: String,
}

impl From<ActRecord> for ActView {
    fn from(record: ActRecord) -> Self {
        Self {
            number: record.number,
            at: record.at.into(),
            who: record.who,
            role: record.role,
            act: record.act,
            hash: hex::encode(record.hash),
        }
    }
}

/// A page of acts, newest first.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ActsView {
    /// The acts.
    pub acts: Vec<ActView>,
    /// What to ask the next page with; null on the last.
    pub next_before: Option<u64>,
}
