//! The home screen.

use super::Time;
use super::forecast::AdviceView;
use super::household::TrustView;
use super::movement::MovementView;
use serde::Serialize;
use utoipa::ToSchema;

/// Everything the home screen shows.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct HomeView {
    /// Net power of the last reading: positive flows into the grid.
    pub power_w: i32,
    /// When it was measured; null before the first reading.
    pub power_at: Option<Time>,
    /// Energy since midnight in Nairobi.
    pub today: EnergyView,
    /// Who vouches for its meter's readings.
    pub meter_trust: TrustView,
    /// eKWh in the vault: free to sell.
    pub vault_wh: u64,
    /// Imported energy that found no token yet.
    pub shortfall_wh: u64,
    /// What its open offers still have for sale.
    pub offered_wh: u64,
    /// KES with the operator.
    pub balance_cents: i64,
    /// What of it is not held for a payout under way.
    pub available_cents: i64,
    /// What to do next; null when there is nothing to say.
    pub advice: Option<AdviceView>,
    /// The newest five movements.
    pub movements: Vec<MovementView>,
    /// End of the last slot that is on chain; null before the first.
    pub attested_through: Option<Time>,
    /// The server's time.
    pub now: Time,
}

/// Energy over a stretch of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct EnergyView {
    /// Made by the panels.
    pub generation_wh: u64,
    /// Drawn from the grid.
    pub import_wh: u64,
    /// Pushed into the grid.
    pub export_wh: u64,
}
