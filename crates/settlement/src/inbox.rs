//! Callbacks: stored first, answered second, read third.
//!
//! A callback says nothing by itself. It is matched to an intent of ours by the
//! secret segment of its path, or by our reference (C2B); phones and names are
//! never looked at. What matches nothing, is malformed or comes too late is kept
//! with an outcome in words, and changes nothing.
//! How many are read at once is bounded; what is above waits in the store.

use crate::collection::{CollectionEvent, Loose, Money};
use crate::engine::Key;
use crate::error::SettlementError;
use crate::payout::PayoutEvent;
use crate::service::Settlement;
use crate::step::{Step, Trouble};
use jirani_clock::Busy;
use jirani_daraja::callback::{
    B2cResult, C2bPayment, StkOutcome, StkResult, parse_b2c, parse_c2b, parse_stk,
};
use jirani_store::{CallbackKind, Change, InboxRow, NewCallback, StoreError};
use jirani_units::{HouseholdId, Reference};
use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use subtle::ConstantTimeEq as _;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// How many callbacks are in lanes at once.
const READING_MAX: usize = 1_000;
/// Pause before the store is asked again after it failed.
const STORE_PAUSE: Duration = Duration::from_secs(1);

/// Which callbacks are being read.
#[derive(Default)]
pub(crate) struct Inbox {
    reading: Arc<Reading>,
    /// Busy on behalf of callbacks that wait in the store.
    backlog: Mutex<Option<Busy>>,
    more: Notify,
}

#[derive(Default)]
struct Reading {
    places: Mutex<Places>,
    freed: Notify,
}

#[derive(Default)]
struct Places {
    taken: HashSet<u64>,
    /// Given back since the page was asked for that is being pumped now: the page
    /// may still show them.
    given_back: Option<HashSet<u64>>,
}

/// A place among those being read; given back when dropped.
pub(crate) struct Place {
    id: u64,
    reading: Arc<Reading>,
}

impl Drop for Place {
    fn drop(&mut self) {
        {
            let mut places = self.reading.lock();
            places.taken.remove(&self.id);
            if let Some(given_back) = &mut places.given_back {
                given_back.insert(self.id);
            }
        }
        self.reading.freed.notify_one();
    }
}

/// Whether a callback found a place.
enum Placed {
    Here(Place),
    /// Somebody reads it, or has read it since the page was asked for.
    Seen,
    Full,
}

impl Reading {
    fn lock(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inbox {
    fn place(&self, id: u64) -> Placed {
        let mut places = self.reading.lock();
        if places.taken.contains(&id) || places.given_back.as_ref().is_some_and(|ids| ids.contains(&id)) {
            return Placed::Seen;
        }
        if places.taken.len() >= READING_MAX {
            return Placed::Full;
        }
        places.taken.insert(id);
        Placed::Here(Place { id, reading: self.reading.clone() })
    }

    fn page_begins(&self) {
        self.reading.lock().given_back = Some(HashSet::new());
    }

    fn pages_end(&self) {
        self.reading.lock().given_back = None;
    }
}

/// A callback in the lane of what it belongs to.
pub(crate) struct Note {
    pub(crate) place: Place,
    pub(crate) heard: Heard,
}

/// What a callback says, once matched and read.
pub(crate) enum Heard {
    Prompt(StkResult, jirani_units::Timestamp),
    Payment(Money),
    /// A payment that names none of our references.
    Loose(Money, Option<HouseholdId>),
    Payout(B2cResult),
    PayoutTimeout,
    /// Nothing of ours, or unreadable; why.
    Nothing(String),
}

impl Settlement {
    /// Keeps a callback; durable on return, and dealt with afterwards.
    pub async fn receive_callback(&self, callback: NewCallback) -> Result<(), SettlementError> {
        let busy = self.clock.busy();
        let id = self.store.receive(callback.clone()).await.map_err(SettlementError::Store)?;
        let row = InboxRow { id, callback, outcome: None };
        let backlog = match self.inbox.place(id) {
            Placed::Here(place) => match self.target(&row).await {
                Ok((key, heard)) => {
                    self.lanes.note(key, Note { place, heard }, busy);
                    return Ok(());
                }
                Err(error) => {
                    tracing::warn!(callback = id, %error, "a stored callback waits for the store");
                    busy
                }
            },
            // The pump was faster.
            Placed::Seen => return Ok(()),
            Placed::Full => busy,
        };
        self.inbox.backlog.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(backlog);
        self.inbox.more.notify_one();
        Ok(())
    }

    /// Hands every stored callback that nobody reads yet to its lane.
    pub(crate) async fn pump(&self) -> Result<(), StoreError> {
        let pumped = self.pump_pages().await;
        self.inbox.pages_end();
        pumped
    }

    async fn pump_pages(&self) -> Result<(), StoreError> {
        loop {
            self.inbox.page_begins();
            let rows = self.store.pending_callbacks(jirani_store::verbs::PAGE_MAX).await?;
            let is_last = rows.len() < jirani_store::verbs::PAGE_MAX as usize;
            let mut all_placed = true;
            for row in rows {
                let place = match self.inbox.place(row.id) {
                    Placed::Here(place) => place,
                    Placed::Seen => continue,
                    Placed::Full => {
                        all_placed = false;
                        break;
                    }
                };
                let (key, heard) = self.target(&row).await?;
                self.lanes.note(key, Note { place, heard }, self.clock.busy());
            }
            if is_last && all_placed {
                return Ok(());
            }
            self.inbox.reading.freed.notified().await;
        }
    }

    /// Pumps whenever callbacks wait in the store, until cancelled.
    pub(crate) async fn pump_until(&self, cancel: &CancellationToken) {
        loop {
            tokio::select! {
                () = cancel.cancelled() => return,
                () = self.inbox.more.notified() => {}
            }
            let busy = self.inbox.backlog.lock().unwrap_or_else(PoisonError::into_inner).take();
            loop {
                let pumped = tokio::select! {
                    () = cancel.cancelled() => return,
                    pumped = self.pump() => pumped,
                };
                let Err(error) = pumped else { break };
                tracing::warn!(%error, "callbacks wait for the store");
                tokio::time::sleep(STORE_PAUSE).await;
            }
            drop(busy);
        }
    }

    /// Whose lane a callback belongs in, and what it says.
    async fn target(&self, row: &InboxRow) -> Result<(Key, Heard), StoreError> {
        let NewCallback { kind, secret, body, received_at, .. } = &row.callback;
        let stray = Key::Stray(row.id);
        let nothing = |what: &str| Ok((stray, Heard::Nothing(what.to_owned())));
        match kind {
            CallbackKind::StkResult => {
                let Some(collection) = self.store.collection_by_secret(secret).await? else {
                    return nothing("unknown: no payment has this path");
                };
                let heard = match parse_stk(body) {
                    Ok(result) => Heard::Prompt(result, *received_at),
                    Err(error) => Heard::Nothing(error.to_string()),
                };
                Ok((Key::Order(collection.order), heard))
            }
            CallbackKind::C2bConfirmation => {
                if !bool::from(secret.as_bytes().ct_eq(self.names.c2b_secret().as_bytes())) {
                    return nothing("foreign: not the path registered with M-Pesa");
                }
                match parse_c2b(body) {
                    Ok(payment) => self.payment_target(stray, payment, *received_at).await,
                    Err(error) => nothing(&error.to_string()),
                }
            }
            CallbackKind::B2cResult | CallbackKind::B2cTimeout => {
                let Some(payout) = self.store.payout_by_secret(secret).await? else {
                    return nothing("unknown: no payout has this path");
                };
                let heard = match (kind, parse_b2c(body)) {
                    // What a timeout carries is not documented: only its door counts.
                    (CallbackKind::B2cTimeout, _) => Heard::PayoutTimeout,
                    (_, Ok(result)) => Heard::Payout(result),
                    (_, Err(error)) => Heard::Nothing(error.to_string()),
                };
                Ok((Key::Payout(payout.id), heard))
            }
        }
    }

    async fn payment_target(
        &self,
        stray: Key,
        payment: C2bPayment,
        received_at: jirani_units::Timestamp,
    ) -> Result<(Key, Heard), StoreError> {
        if !payment.shortcode.is_empty() && payment.shortcode != self.config.shortcode {
            return Ok((stray, Heard::Nothing("foreign: paid to another shortcode".to_owned())));
        }
        let money = Money {
            receipt: payment.receipt,
            amount: payment.amount,
            paid_at: payment.paid_at.unwrap_or(received_at),
            received_at,
        };
        if let Ok(reference) = payment.bill_reference.parse::<Reference>()
            && let Some(collection) = self.store.collection_by_reference(&reference).await?
        {
            return Ok((Key::Order(collection.order), Heard::Payment(money)));
        }
        let payer = match household_of(&payment.bill_reference) {
            Some(id) => self.store.household(id).await?.map(|household| household.id),
            None => None,
        };
        Ok((stray, Heard::Loose(money, payer)))
    }

    /// Reads one callback in its lane: its changes and its outcome are one commit.
    pub(crate) async fn read_note(&self, key: Key, note: &Note) -> Result<(), Trouble> {
        let id = Some(note.place.id);
        let order = |event: CollectionEvent| async move {
            match key {
                Key::Order(order) => self.apply_collection(order, &event, id).await.map(drop),
                _ => Err(Trouble::Stuck("a payment is in a lane that is not an order's".to_owned())),
            }
        };
        match &note.heard {
            Heard::Prompt(result, received_at) => order(prompt_event(result, *received_at)).await,
            Heard::Payment(money) => order(CollectionEvent::Received(money.clone())).await,
            Heard::Loose(money, payer) => {
                let loose = Loose { money: money.clone(), payer: *payer };
                self.apply_loose(&loose, note.place.id).await
            }
            Heard::Payout(result) => self.payout_note(key, &PayoutEvent::Result(result.clone()), id).await,
            Heard::PayoutTimeout => self.payout_note(key, &PayoutEvent::QueueTimeout, id).await,
            Heard::Nothing(why) => {
                let mut step = Step::nothing(why.as_str());
                done(&mut step, note.place.id);
                Ok(self.commit(step).await.map(drop)?)
            }
        }
    }

    async fn payout_note(&self, key: Key, event: &PayoutEvent, inbox: Option<u64>) -> Result<(), Trouble> {
        match key {
            Key::Payout(payout) => self.apply_payout(payout, event, inbox).await.map(drop),
            _ => Err(Trouble::Stuck("a payout's result is in a lane that is not a payout's".to_owned())),
        }
    }
}

/// Marks a callback as dealt with, in the commit of what it changed.
pub(crate) fn done(step: &mut Step, id: u64) {
    let outcome = step.outcome.clone();
    step.change(Change::InboxDone { id, outcome });
}

fn prompt_event(result: &StkResult, received_at: jirani_units::Timestamp) -> CollectionEvent {
    let checkout_request_id = result.checkout_request_id.clone();
    match &result.outcome {
        StkOutcome::Paid { receipt: Some(receipt), amount: Some(amount), paid_at } => CollectionEvent::Paid {
            checkout_request_id,
            money: Money {
                receipt: receipt.clone(),
                amount: *amount,
                paid_at: paid_at.unwrap_or(received_at),
                received_at,
            },
        },
        StkOutcome::Paid { .. } => CollectionEvent::PaidWithoutReceipt { checkout_request_id },
        StkOutcome::Refused { code } => CollectionEvent::Refused { checkout_request_id, code: code.clone() },
        StkOutcome::Pending { code } => {
            CollectionEvent::Undecided { checkout_request_id, code: code.clone() }
        }
    }
}

/// The household that a payer named by hand: `H12`, `h 12`.
fn household_of(bill_reference: &str) -> Option<HouseholdId> {
    let digits = bill_reference.trim().strip_prefix(['H', 'h'])?.trim();
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok().map(HouseholdId)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_household_is_named_by_h_and_its_number() {
        for (text, id) in
            [("H12", Some(12)), (" h 7 ", Some(7)), ("H", None), ("12", None), ("H+1", None), ("H1x", None)]
        {
            assert_eq!(household_of(text), id.map(HouseholdId), "{text}");
        }
    }
}
