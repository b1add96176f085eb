//! Calls of slots: what was traded at which price, and what the draw hung on.

use super::Time;
use jirani_settlement::CallBook;
use jirani_store::{CallRecord, CallState};
use serde::Serialize;
use utoipa::ToSchema;

/// The newest calls of a feeder, and what binds the draws of this time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct CallsView {
    /// Feeder.
    pub feeder: u16,
    /// The number that binds every seed of this year of slots, 64 hex digits, as published
    /// before the first; null before anybody has set rules.
    pub draws_bound_by: Option<String>,
    /// Newest first. A slot in which one side was empty has none.
    pub calls: Vec<CallView>,
}

/// The call of one slot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct CallView {
    /// First moment of the slot.
    pub slot_start: Time,
    /// First moment after it.
    pub slot_end: Time,
    /// How far it is carried out.
    pub state: CallStateView,
    /// The one price, what sellers receive; null when nobody traded.
    pub price_cents_per_kwh: Option<u32>,
    /// Energy traded.
    pub volume_wh: u64,
    /// Orders to buy.
    pub bids: u64,
    /// Orders to sell.
    pub asks: u64,
    /// What the seed was bound by: the seed of the slot before, 64 hex digits.
    pub commitment: String,
    /// The slot's seed.
    pub seed: String,
    /// Evidence root of the slot before, which the draw hangs on as well.
    pub beacon: String,
}

/// How far a call is carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CallStateView {
    /// Decided; open offers that sold are being closed for that part.
    Cleared,
    /// Its offers and orders are on their way.
    Settling,
    /// All of them have ended.
    Done,
}

impl CallView {
    /// A call with its book.
    pub fn of(call: &CallRecord, book: &CallBook) -> Self {
        Self {
            slot_start: call.slot.start.into(),
            slot_end: call.slot.end().into(),
            state: match call.state {
                CallState::Cleared => CallStateView::Cleared,
                CallState::Settling => CallStateView::Settling,
                CallState::Done => CallStateView::Done,
            },
            price_cents_per_kwh: book.price.map(|price| price.0),
            volume_wh: book.volume_wh,
            bids: book.bids.len() as u64,
            asks: book.asks.len() as u64,
            commitment: hex::encode(book.commitment),
            seed: hex::encode(book.seed),
            beacon: hex::encode(book.beacon),
        }
    }
}
