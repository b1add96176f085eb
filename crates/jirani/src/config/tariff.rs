use jirani_market::Tariff;
use jirani_units::Price;
use serde::{Deserialize, Serialize};

/// `[tariff]`: the operator's published prices, in cents per kWh.
#[expect(clippy::struct_field_names, reason = "settings carry their units")]
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TariffSettings {
    /// What the operator sells at, all in.
    pub retail_cents_per_kwh: u32,
    /// What the operator buys at.
    pub buy_back_cents_per_kwh: u32,
    /// Grid fee on every kWh traded.
    pub grid_fee_cents_per_kwh: u32,
    /// Taxes on every kWh traded.
    pub tax_cents_per_kwh: u32,
}

impl TariffSettings {
    /// As the market's rules take it.
    pub fn tariff(&self) -> Tariff {
        Tariff {
            retail: Price(self.retail_cents_per_kwh),
            buy_back: Price(self.buy_back_cents_per_kwh),
            grid_fee: Price(self.grid_fee_cents_per_kwh),
            tax: Price(self.tax_cents_per_kwh),
        }
    }
}

impl Default for TariffSettings {
    fn default() -> Self {
        Self {
            retail_cents_per_kwh: 3_500,
            buy_back_cents_per_kwh: 1_000,
            grid_fee_cents_per_kwh: 300,
            tax_cents_per_kwh: 200,
        }
    }
}
