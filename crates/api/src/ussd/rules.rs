//! A household's rules, as the menus know them.

use super::facts::Rules;
use super::words::Refusal;
use crate::app::App;
use crate::error::ApiError;
use jirani_units::HouseholdId;

/// The rules as they stand; `None` where nobody acts by rules.
pub async fn read(_app: &App, _household: HouseholdId) -> Result<Option<Rules>, ApiError> {
    Ok(None)
}

/// Changes one of them and leaves the others.
pub async fn change(
    _app: &App,
    _household: HouseholdId,
    _edit: impl FnOnce(&mut Rules),
) -> Result<Result<(), Refusal>, ApiError> {
    Ok(Err(Refusal::NotOffered))
}
