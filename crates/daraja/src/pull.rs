//! The list of payments to our shortcode ("pull transactions"): what arrived in
//! the last 48 hours, whatever became of the callbacks.

use crate::mpesa::{Mpesa, SendError};
use jirani_units::{Cents, Msisdn, Receipt, Timestamp};
use std::collections::HashSet;

/// How far back M-Pesa's list reaches, in seconds.
pub const PULL_REACH_S: i64 = 48 * 3_600;

/// Pages of one window that are read at most.
const PAGES_MAX: usize = 1_000;

/// What M-Pesa said to being asked for the list to be switched on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PullRegistration {
    /// It is on now.
    Registered,
    /// It was on before.
    RegisteredBefore,
}

/// A page of the list to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PullRequest {
    /// Payments from this moment on, to the second.
    pub from: Timestamp,
    /// And before or at this one.
    pub until: Timestamp,
    /// Rows to be skipped.
    pub offset: u32,
}

/// A payment on the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PulledPayment {
    /// M-Pesa's receipt.
    pub receipt: Receipt,
    /// What was paid.
    pub amount: Cents,
    /// When; `None` when unreadable. Written with a `Z` though it is Nairobi's
    /// time; only where that would put it outside of the window asked for, and
    /// UTC inside, is it read as UTC.
    pub paid_at: Option<Timestamp>,
    /// The account reference as the payer typed it, trimmed; empty when none.
    pub bill_reference: String,
    /// Who paid; `None` when masked.
    pub msisdn: Option<Msisdn>,
    /// M-Pesa's word for the kind of payment, for example `c2b-pay-bill-debit`.
    pub kind: String,
}

/// A page of the list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PullPage {
    /// Payments, in M-Pesa's order.
    pub payments: Vec<PulledPayment>,
    /// Rows without a readable receipt or amount: a person's business.
    pub unreadable: u32,
    /// Where the next page begins; `None` after the last.
    pub next_offset: Option<u32>,
}

/// All payments of a window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PulledWindow {
    /// Each receipt once.
    pub payments: Vec<PulledPayment>,
    /// Rows without a readable receipt or amount.
    pub unreadable: u32,
    /// Whether M-Pesa said where the list ends. One that only repeated itself may have
    /// more, and proves no absence.
    pub is_whole: bool,
    /// Where the window really began: not before M-Pesa's list does.
    pub from: Timestamp,
    /// Where it ended.
    pub until: Timestamp,
}

/// Reads all pages of the window, cut to what the list still holds at `now`.
/// A list that repeats itself (an offset that is not looked at) ends there, and is not
/// whole; a page that cannot be had fails the reading, because a part of a list proves
/// no absence.
pub async fn pull_window(
    mpesa: &dyn Mpesa,
    from: Timestamp,
    until: Timestamp,
    now: Timestamp,
) -> Result<PulledWindow, SendError> {
    let from = from.max(now.plus_seconds(-PULL_REACH_S));
    let until = until.min(now);
    let mut window = PulledWindow { payments: Vec::new(), unreadable: 0, is_whole: false, from, until };
    if from >= until {
        window.is_whole = true;
        return Ok(window);
    }
    let mut seen = HashSet::new();
    let mut offset = 0;
    for _ in 0..PAGES_MAX {
        let page = mpesa.pull(PullRequest { from, until, offset }).await?;
        let (told, before) = (page.payments.len(), window.payments.len());
        window
            .payments
            .extend(page.payments.into_iter().filter(|payment| seen.insert(payment.receipt.clone())));
        if told > 0 && window.payments.len() == before {
            return Ok(window);
        }
        window.unreadable = window.unreadable.saturating_add(page.unreadable);
        match page.next_offset {
            Some(next) if next > offset => offset = next,
            next => {
                window.is_whole = next.is_none();
                return Ok(window);
            }
        }
    }
    Err(SendError::Unknown { message: format!("the list of payments has more than {PAGES_MAX} pages") })
}
