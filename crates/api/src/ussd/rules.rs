//! A household's rules, as the menus read and change them.

use super::facts::Rules;
use super::words::Refusal;
use crate::app::App;
use crate::error::ApiError;
use crate::ports::TradingFault;
use jirani_market::rule::{BuyRule, Edit, SellRule};
use jirani_units::HouseholdId;

/// The rules as they stand; `None` where nobody acts by rules.
pub async fn read(app: &App, household: HouseholdId) -> Result<Option<Rules>, ApiError> {
    match app.deps.trading.rules(household).await {
        Ok(set) => Ok(Some(set.map_or_else(Rules::default, |set| Rules { sell: set.sell, buy: set.buy }))),
        Err(error) if error.code == "api.not_offered" => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Changes one of them and leaves the other as it stands by then.
pub async fn change(
    app: &App,
    household: HouseholdId,
    sell: Edit<SellRule>,
    buy: Edit<BuyRule>,
) -> Result<Result<(), Refusal>, ApiError> {
    match app.deps.trading.change_rules(household, sell, buy).await {
        Ok(_) => Ok(Ok(())),
        Err(error) if error.code == "api.not_offered" => Ok(Err(Refusal::NotOffered)),
        Err(error) if matches!(error.fault, TradingFault::Unavailable | TradingFault::Internal) => {
            Err(error.into())
        }
        Err(error) => Ok(Err(Refusal::of_code(&error.code))),
    }
}
