//! What the service is told, and whom it works with.

use jirani_chain::EnergyChain;
use jirani_clock::ServiceClock;
use jirani_daraja::Mpesa;
use jirani_market::Tariffs;
use jirani_store::{Events, Store};
use jirani_units::Cents;
use std::fmt;
use std::sync::Arc;

/// Facts of this deployment.
#[derive(Clone)]
pub struct SettlementConfig {
    /// Where M-Pesa reaches us, without the path: `https://jirani.example`.
    pub callback_base: String,
    /// The collection shortcode; part of every receipt's proof (P1).
    pub shortcode: String,
    /// Key of the receipts' proofs. It must never change: an old proof would look new.
    pub deployment_key: [u8; 32],
    /// Where secrets, references and payout ids are drawn from, together with
    /// the number of what they belong to. Secret, and one per deployment.
    pub seed: [u8; 32],
    /// Prices, by the moment: one handle for all services.
    pub tariffs: Tariffs,
    /// What may be paid out, when.
    pub payouts: PayoutPolicy,
    /// How many lanes are worked on at once, at least 4: some wait for others.
    pub workers: usize,
}

/// What may be paid out, when. M-Pesa's own limits (10 to 250,000 shillings at once)
/// always hold beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PayoutPolicy {
    /// The least that is paid out, in whole shillings.
    pub least_shillings: i64,
    /// The most that leaves one household's balance by payouts in a day of Nairobi.
    pub household_daily: Cents,
    /// The most that leaves all balances by payouts in a day of Nairobi.
    pub all_daily: Cents,
    /// Seconds in which nothing is paid out to a number after it was changed.
    pub cool_down_s: i64,
}

impl Default for PayoutPolicy {
    /// M-Pesa's minimum, half of what M-Pesa lets one person receive in a day, ten
    /// such days' worth for all, two days after a change of number.
    fn default() -> Self {
        Self {
            least_shillings: 10,
            household_daily: Cents(25_000_000),
            all_daily: Cents(500_000_000),
            cool_down_s: 172_800,
        }
    }
}

impl SettlementConfig {
    /// Enough workers for 200 trades in flight, each mostly waiting for an answer.
    pub const WORKERS: usize = 64;
}

impl fmt::Debug for SettlementConfig {
    /// Without keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SettlementConfig")
            .field("callback_base", &self.callback_base)
            .field("shortcode", &self.shortcode)
            .field("tariffs", &self.tariffs)
            .field("payouts", &self.payouts)
            .field("workers", &self.workers)
            .finish_non_exhaustive()
    }
}

/// Whom the service works with.
#[derive(Clone)]
pub struct SettlementDeps {
    /// What must survive.
    pub store: Arc<dyn Store>,
    /// The energy program.
    pub chain: Arc<dyn EnergyChain>,
    /// M-Pesa.
    pub mpesa: Arc<dyn Mpesa>,
    /// Time, and who is busy.
    pub clock: ServiceClock,
    /// Where changes are announced.
    pub events: Events,
}
