//! Data of live events.

use super::Time;
use serde::Serialize;
use utoipa::ToSchema;

/// Data of the event `power`: at most one a second and household.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct PowerEvent {
    /// Whose.
    pub household_id: u32,
    /// Net power: positive flows into the grid.
    pub power_w: i32,
    /// When it was measured.
    pub at: Time,
}

/// Data of the event `slot`: a slot landed on chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct SlotEvent {
    /// Feeder.
    pub feeder: u16,
    /// End of the slot.
    pub end: Time,
}

/// Data of the events `order` and `payout`: read the thing itself by its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ChangedEvent {
    /// Which.
    pub id: u64,
    /// Whose.
    pub household_id: u32,
}

/// Data of the event `balance`: read the balance itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct BalanceEvent {
    /// Whose.
    pub household_id: u32,
}

/// Data of the events `offers` (the market changed) and `resync` (events were
/// missed: read everything anew).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct EmptyEvent {}
