//! Signing in.

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
}

/// Who is signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RoleView {
    /// A household: sees what is its own.
    Household,
    /// The operator: sees the whole grid.
    Operator,
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
