//! Signing in.

use jirani_store::{DeskRole, SessionRole};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Whom to sign in as: exactly one of the two.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SessionRequest {
    /// This household.
    #[serde(default)]
    pub household_id: Option<u32>,
    /// The operator.
    #[serde(default)]
    pub operator: Option<bool>,
    /// Which operator: tells two apart at the review desk. 1 to 40 characters.
    #[serde(default)]
    pub operator_name: Option<String>,
    /// What for, at the operator's desk; without one, operator, finance and auditor in one.
    #[serde(default)]
    pub role: Option<DeskRoleView>,
}

/// What somebody at the operator's desk is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeskRoleView {
    /// Runs the grid.
    Operator,
    /// Handles money.
    Finance,
    /// Reads everything, changes nothing.
    Auditor,
    /// Lets people in and out.
    Admin,
}

impl From<DeskRoleView> for DeskRole {
    fn from(role: DeskRoleView) -> Self {
        match role {
            DeskRoleView::Operator => Self::Operator,
            DeskRoleView::Finance => Self::Finance,
            DeskRoleView::Auditor => Self::Auditor,
            DeskRoleView::Admin => Self::Admin,
        }
    }
}

/// Who is signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RoleView {
    /// A household: sees what is its own.
    Household,
    /// Runs the grid; in a demonstration also what finance and auditor may.
    Operator,
    /// Handles money.
    Finance,
    /// Reads everything, changes nothing.
    Auditor,
    /// Lets people in and out.
    Admin,
}

impl From<SessionRole> for RoleView {
    fn from(role: SessionRole) -> Self {
        match role {
            SessionRole::Household(_) => Self::Household,
            SessionRole::Desk(DeskRole::Operator | DeskRole::All) => Self::Operator,
            SessionRole::Desk(DeskRole::Finance) => Self::Finance,
            SessionRole::Desk(DeskRole::Auditor) => Self::Auditor,
            SessionRole::Desk(DeskRole::Admin) => Self::Admin,
        }
    }
}

/// A new session. The token also travels as the cookie `jirani_session`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SessionView {
    /// For `Authorization: Bearer`. Shown once, never stored.
    pub token: String,
    /// Who is signed in.
    pub role: RoleView,
    /// Which household; null for the operator.
    pub household_id: Option<u32>,
    /// Which operator; null for a household.
    pub operator_name: Option<String>,
}
