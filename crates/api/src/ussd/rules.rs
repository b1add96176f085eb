//! A household's rules, as the menus read and change them.

use super::facts::Rules;
use super::words::Refusal;
use crate::app::App;
use crate::error::ApiError;
use crate::ports::TradingFault;
use jirani_units::HouseholdId;

/// The rules as they stand; `None` where nobody acts by rules.
pub async fn read(app: &App, household: HouseholdId) -> Result<Option<Rules>, ApiError> {
    match app.deps.trading.rules(household).await {
        Ok(set) => Ok(Some(set.map_or_else(Rules::default, |set| Rules { sell: set.sell, buy: set.buy }))),
        Err(error) if error.code == "api.not_offered" => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Changes one of them and leaves the other.
pub async fn change(
    app: &App,
    household: HouseholdId,
    edit: impl FnOnce(&mut Rules) + Send,
) -> Result<Result<(), Refusal>, ApiError> {
    let Some(mut rules) = read(app, household).await? else { return Ok(Err(Refusal::NotOffered)) };
    edit(&mut rules);
    match app.deps.trading.set_rules(household, rules.sell, rules.buy).await {
        Ok(_) => Ok(Ok(())),
        Err(error) if matches!(error.fault, TradingFault::Unavailable | TradingFault::Internal) => {
            Err(error.into())
        }
        Err(error) => Ok(Err(Refusal::of_code(&error.code))),
    }
}
