use super::ConfigError;
use jirani_api::PinForMoney;
use serde::{Deserialize, Serialize};

/// When money asks for the PIN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PinSetting {
    /// Wherever it is real.
    OutsideDemo,
    /// In a demonstration too.
    Always,
    /// Nowhere.
    Never,
}

/// `[accounts]`: how long people stay signed in, and what they prove.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AccountSettings {
    /// Hours until people are signed out.
    pub session_hours: u32,
    /// Minutes, on a phone that several people use.
    pub shared_phone_minutes: u32,
    /// When payouts and purchases from balance ask for the PIN.
    pub pin_for_money: PinSetting,
}

impl Default for AccountSettings {
    fn default() -> Self {
        Self { session_hours: 12, shared_phone_minutes: 30, pin_for_money: PinSetting::OutsideDemo }
    }
}

impl AccountSettings {
    /// Whether money asks for the PIN here.
    pub fn pin_for_money(&self, demo: bool) -> PinForMoney {
        match self.pin_for_money {
            PinSetting::Always => PinForMoney::Asked,
            PinSetting::OutsideDemo if !demo => PinForMoney::Asked,
            PinSetting::OutsideDemo | PinSetting::Never => PinForMoney::NotAsked,
        }
    }

    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        if !(1..=24 * 90).contains(&self.session_hours) {
            return Err(ConfigError::Invalid("accounts.session_hours must be 1 to 2160".to_owned()));
        }
        if !(1..=24 * 60).contains(&self.shared_phone_minutes) {
            return Err(ConfigError::Invalid("accounts.shared_phone_minutes must be 1 to 1440".to_owned()));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn real_money_asks_for_the_pin_unless_somebody_says_never() {
        let settings = |pin_for_money| AccountSettings { pin_for_money, ..AccountSettings::default() };
        for (setting, demo, expected) in [
            (PinSetting::OutsideDemo, false, PinForMoney::Asked),
            (PinSetting::OutsideDemo, true, PinForMoney::NotAsked),
            (PinSetting::Always, true, PinForMoney::Asked),
            (PinSetting::Never, false, PinForMoney::NotAsked),
        ] {
            assert_eq!(settings(setting).pin_for_money(demo), expected, "{setting:?} {demo}");
        }
    }
}
