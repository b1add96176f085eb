//! Accounts: their settings, and the keys that stand in no database.

use super::Secrets;
use crate::config::Config;
use jirani_api::AccountsConfig;

/// The settings of accounts; `speed` is how fast the village's time passes.
pub fn accounts(config: &Config, secrets: &Secrets, speed: u32) -> AccountsConfig {
    AccountsConfig {
        pin_for_money: config.accounts.pin_for_money(config.demo.on),
        shared_phone_s: config.accounts.shared_phone_minutes * 60,
        speed,
        // One PIN opens the menus and moves money.
        pin_pepper: secrets.derive("ussd pin"),
        password_pepper: secrets.derive("operator password"),
        totp_key: secrets.derive("operator totp"),
        acts_key: acts_key(secrets),
    }
}

/// Links the log of what people with special rights did.
pub fn acts_key(secrets: &Secrets) -> [u8; 32] {
    secrets.derive("operator acts")
}
