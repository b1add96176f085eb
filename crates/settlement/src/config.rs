//! What the service is told, and whom it works with.

use jirani_chain::EnergyChain;
use jirani_clock::ServiceClock;
use jirani_daraja::Mpesa;
use jirani_market::Tariff;
use jirani_store::{Events, Store};
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
    /// Prices in force.
    pub tariff: Tariff,
    /// How many lanes are worked on at once.
    pub workers: usize,
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
            .field("tariff", &self.tariff)
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
