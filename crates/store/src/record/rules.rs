use jirani_market::rule::Rules;
use jirani_units::HouseholdId;

/// What a household has the market do for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RulesRecord {
    /// Whose.
    pub household: HouseholdId,
    /// The rules.
    pub rules: Rules,
    /// Version read; 0 = new.
    pub version: u64,
}
