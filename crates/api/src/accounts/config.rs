//! Settings of accounts.

/// Whether money moves only after the PIN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PinForMoney {
    /// A session gives the PIN first, and again after minutes.
    Asked,
    /// Whoever is signed in may.
    NotAsked,
}

/// Settings. Every key is derived from the data folder's root and stands in no database.
#[derive(Clone)]
pub struct AccountsConfig {
    /// Whether payouts and purchases from balance ask for the PIN.
    pub pin_for_money: PinForMoney,
    /// Seconds of real time that a session lasts on a phone that several people use.
    pub shared_phone_s: u32,
    /// Seconds of the service clock in one of real time: people type in real time, whatever
    /// a village's clock does.
    pub speed: u32,
    /// What PINs and one-time codes are hashed with besides their salt; the menus' own.
    pub pin_pepper: [u8; 32],
    /// The same for the passwords of operators.
    pub password_pepper: [u8; 32],
    /// From which the secrets of operators' codes are made.
    pub totp_key: [u8; 32],
    /// Links the log of acts.
    pub acts_key: [u8; 32],
}

impl AccountsConfig {
    /// Thirty minutes, in seconds.
    pub const SHARED_PHONE_S: u32 = 30 * 60;

    /// Seconds of real time, in those of the service clock.
    pub(crate) fn service_s(&self, real_s: u32) -> u32 {
        real_s.saturating_mul(self.speed.max(1))
    }
}

impl std::fmt::Debug for AccountsConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccountsConfig")
            .field("pin_for_money", &self.pin_for_money)
            .field("shared_phone_s", &self.shared_phone_s)
            .finish_non_exhaustive()
    }
}
