//! The sweep over M-Pesa's list of payments: what no callback told.
//!
//! | what is missing | when the list is read |
//! |---|---|
//! | a receipt, or the answer to a prompt, of an order | 5 s later, then after a quarter of its age, at most 15 minutes |
//! | nothing that we know of | every 15 minutes |
//!
//! A reading goes from where the last one ended, a little before: M-Pesa's list may
//! lag behind. Every 15 minutes, and at a start, it goes two hours back. Each payment
//! on it that is not known is told to its order's lane, or is somebody's balance, or
//! suspense, as if it had been confirmed. Where the reading ended is stored only when
//! all of it is in the ledger.
//!
//! The list is also M-Pesa's last word on a prompt that nothing else was ever told of: what
//! a whole reading over all of its time does not have, long after its deadline, was not
//! paid, also where a query had said so, unless a payment of its amount is there whose
//! reference was cut or lost. The person who was asked to look need not, and the payer is
//! told; should it come after all, it is the payer's balance like any late payment.

use crate::collection::Money;
use crate::collection::decide::ended;
use crate::engine::Key;
use crate::inbox::{Heard, Note, Paid};
use crate::interruption::Moment;
use crate::notice::Notice;
use crate::review::Matter;
use crate::service::Settlement;
use crate::step::{Step, Trouble};
use jirani_daraja::{PulledPayment, PulledWindow, SendError, pull_window};
use jirani_store::{Change, CollectionRecord, CollectionState};
use jirani_units::{Cents, Clock as _, Timestamp};

/// The stored value's name: until when the list was read, in microseconds.
const SETTING: &str = "pulled-until";
/// The shortest and the longest wait between two readings, in seconds.
const SOONEST_S: i64 = 5;
const LATEST_S: i64 = 900;
/// How far a reading goes back before the last one's end, in seconds.
const OVERLAP_S: i64 = 120;
/// How far back it goes every [`LATEST_S`], in seconds.
const DEEP_S: i64 = 7_200;
/// Seconds from the making of a prompt until M-Pesa's list has its payment, if there is one:
/// half an hour after the order's deadline and grace.
const SURE_S: i64 = 2_400;
/// The same where a query of M-Pesa said that it was paid: as long as a deep reading reaches.
const SURE_AGAINST_WORD_S: i64 = 5_400;
/// The wait after M-Pesa did not give the list, in seconds.
const REFUSED_S: i64 = 30;

/// When the list is read, and when it was last read deeply.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PullPlan {
    pub(crate) deep_at: Option<Timestamp>,
    /// M-Pesa does not offer the list to us.
    pub(crate) is_off: bool,
}

/// Where a reading at `now` begins, and whether it is a deep one.
fn begin(until: Option<Timestamp>, deep_at: Option<Timestamp>, now: Timestamp) -> (Timestamp, bool) {
    let is_deep = deep_at.is_none_or(|at| now.since(at) / 1_000_000 >= LATEST_S);
    let back_s = if is_deep { DEEP_S } else { OVERLAP_S };
    (until.unwrap_or(now).min(now).plus_seconds(-back_s), is_deep)
}

/// Whether a whole reading from `from` until `until` that has no payment for it says that
/// there is none.
fn is_surely_unpaid(collection: &CollectionRecord, from: Timestamp, until: Timestamp) -> bool {
    let sure_s = match collection.state {
        CollectionState::Expired => SURE_S,
        CollectionState::ReceiptAwaited => SURE_AGAINST_WORD_S,
        _ => return false,
    };
    collection.created_at >= from && collection.created_at.plus_seconds(sure_s) <= until
}

/// Whether a payment that names no order may be this prompt's all the same: of its amount,
/// under a reference that M-Pesa lost, or that shares four characters in a row with ours.
fn may_be_its(collection: &CollectionRecord, nobodys: &[(Cents, String)]) -> bool {
    let ours = collection.reference.to_string();
    let resembles = |named: &str| match named.len() {
        0..4 => ours.contains(named),
        _ => named.as_bytes().windows(4).any(|part| ours.as_bytes().windows(4).any(|own| own == part)),
    };
    nobodys.iter().any(|(amount, named)| *amount == collection.amount && resembles(named))
}

/// When to read the list again, by what is still missing.
fn next_at(live: &[CollectionRecord], now: Timestamp) -> Timestamp {
    let ages = live.iter().filter(|collection| {
        matches!(collection.state, CollectionState::SendUnknown | CollectionState::ReceiptAwaited)
    });
    let waits =
        ages.map(|collection| (now.since(collection.created_at) / 4_000_000).clamp(SOONEST_S, LATEST_S));
    now.plus_seconds(waits.min().unwrap_or(LATEST_S))
}

impl Settlement {
    /// Something is missing: the list is read soon.
    pub(crate) fn seek_receipts(&self) {
        if !self.pulls().is_off {
            self.timer.set_earlier(Key::Pull, self.clock.now().plus_seconds(SOONEST_S), &self.clock);
        }
    }

    /// Reads the list, hands on what is new; says when to read it again.
    pub(crate) async fn advance_pull(&self) -> Result<Option<Timestamp>, Trouble> {
        self.waiting_reversals().await?;
        let now = self.clock.now();
        let plan = self.pulls();
        if plan.is_off {
            return Ok(None);
        }
        let until = self.store.setting(SETTING).await?.and_then(|text| text.parse().ok()).map(Timestamp);
        let (from, is_deep) = begin(until, plan.deep_at, now);
        let window = match pull_window(self.mpesa.as_ref(), from, now, now).await {
            Ok(window) => window,
            Err(SendError::NotSent { code, .. }) if code == "mpesa.not_offered" => {
                tracing::warn!("M-Pesa offers no list of payments; what no callback tells is not found");
                self.set_pulls(PullPlan { is_off: true, ..plan });
                return Ok(None);
            }
            Err(error) => {
                tracing::warn!(%error, "M-Pesa did not give its list of payments; asking again later");
                return Ok(Some(now.plus_seconds(REFUSED_S)));
            }
        };
        self.interruption.reached(Moment::ListRead);
        if window.unreadable > 0 {
            tracing::error!(rows = window.unreadable, "M-Pesa's list of payments has rows nobody can read");
        }
        let mut keys = Vec::new();
        for payment in &window.payments {
            keys.extend(self.tell_of(payment, window.until).await?);
        }
        // Everything is in the ledger before the next reading may begin after it.
        for key in keys {
            if self.look(key).await.is_err() {
                return Err(Trouble::NoAnswer("a payment from the list is not in the ledger yet".to_owned()));
            }
        }
        self.interruption.reached(Moment::ListTold);
        let mut step = Step::default();
        if is_deep {
            self.end_doubts(&window, &mut step).await?;
        }
        step.change(Change::Setting { key: SETTING.to_owned(), value: window.until.0.to_string() });
        self.commit(step).await?;
        self.set_pulls(PullPlan { deep_at: if is_deep { Some(now) } else { plan.deep_at }, ..plan });
        Ok(Some(next_at(&self.store.live_collections().await?, now)))
    }

    /// Closes the reviews about prompts that the whole of the list does not have. Whatever it
    /// has of them is in the ledger by now, so their collections are paid. Where a query said
    /// that it was paid, the list has the last word.
    async fn end_doubts(&self, window: &PulledWindow, step: &mut Step) -> Result<(), Trouble> {
        if window.unreadable > 0 || !window.is_whole {
            return Ok(());
        }
        let nobodys = self.nobodys(&window.payments).await?;
        for review in self.store.open_reviews(jirani_store::verbs::PAGE_MAX).await? {
            let Some(order) = Matter::unknown_collection(&review.key) else { continue };
            let Some(collection) = self.store.collection(order).await? else { continue };
            let is_unpaid = is_surely_unpaid(&collection, window.from, window.until);
            if !is_unpaid || may_be_its(&collection, &nobodys) {
                continue;
            }
            tracing::info!(order = order.0, "M-Pesa's list says that it was not paid");
            step.resolve(Matter::CollectionUnknown(order), "M-Pesa's list of payments does not have it");
            step.tell(collection.payer, &Notice::NothingTaken(order), self.clock.now());
            // Also where nothing changes: a callback that was booked meanwhile is a conflict.
            step.change(Change::Collection(ended(&collection, CollectionState::Expired)));
        }
        Ok(())
    }

    /// Payments whose reference is no order's: amount, and what was named, as our own
    /// references are written.
    async fn nobodys(&self, payments: &[PulledPayment]) -> Result<Vec<(Cents, String)>, Trouble> {
        let mut nobodys = Vec::new();
        for payment in payments {
            if self.order_named(&payment.bill_reference).await?.is_none() {
                let named = payment.bill_reference.chars().filter(char::is_ascii_alphanumeric);
                nobodys.push((payment.amount, named.collect::<String>().to_ascii_uppercase()));
            }
        }
        Ok(nobodys)
    }

    /// Hands a payment on, unless it is known; the lane it went to, if it did.
    async fn tell_of(&self, payment: &PulledPayment, until: Timestamp) -> Result<Option<Key>, Trouble> {
        if self.store.receipt(&payment.receipt).await?.is_some_and(|known| known.amount == payment.amount) {
            return Ok(None);
        }
        let received_at = self.clock.now();
        let money = Money {
            receipt: payment.receipt.clone(),
            amount: payment.amount,
            // Without a readable time it may have been as late as the list was read.
            paid_at: payment.paid_at.unwrap_or(until),
            received_at,
        };
        let paid = Paid { money, bill_reference: payment.bill_reference.clone() };
        self.found(paid).await
    }

    async fn found(&self, paid: Paid) -> Result<Option<Key>, Trouble> {
        tracing::info!(receipt = %paid.money.receipt, "a payment was found that nobody told us of");
        let (key, heard) = self.owner(paid).await?;
        match (key, heard) {
            (Some(key), heard) => {
                self.lanes.note(key, Note { place: None, heard }, self.clock.busy());
                Ok(Some(key))
            }
            (None, Heard::Loose(money, payer)) => {
                self.apply_loose(&super::Loose { money, payer }, None).await?;
                Ok(None)
            }
            (None, _) => Ok(None),
        }
    }

    /// Books a payment that was found on a statement or list of M-Pesa's: as if it
    /// had been confirmed. A known one changes nothing, but for a review where the
    /// amount differs. In the ledger on return.
    pub async fn payment_found(&self, found: PulledPayment) -> Result<(), crate::SettlementError> {
        let _busy = self.clock.busy();
        let now = self.clock.now();
        let key = self.tell_of(&found, now).await.map_err(crate::SettlementError::from_trouble)?;
        match key {
            Some(key) => self.look(key).await,
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::collection;

    const NOW: Timestamp = Timestamp::from_seconds(100_000);

    #[test]
    fn a_reading_begins_before_the_last_ones_end_and_now_and_then_long_before() {
        let at = |seconds| NOW.plus_seconds(seconds);
        for (until, deep_at, from_s, is_deep) in [
            (None, None, -7_200, true),
            (Some(at(-10)), Some(at(-100)), -130, false),
            (Some(at(-10)), Some(at(-900)), -7_210, true),
            (Some(at(-90_000)), Some(at(-100)), -90_120, false),
            (Some(at(50)), Some(at(-100)), -120, false),
        ] {
            assert_eq!(begin(until, deep_at, NOW), (at(from_s), is_deep), "{until:?} {deep_at:?}");
        }
    }

    #[test]
    fn only_a_reading_over_all_of_its_time_says_that_a_prompt_was_not_paid() {
        for (state, made_s, is_sure) in [
            (CollectionState::Expired, -2_400, true),
            (CollectionState::Expired, -2_399, false),
            (CollectionState::Expired, -7_200, true),
            (CollectionState::Expired, -7_201, false),
            (CollectionState::ReceiptAwaited, -5_399, false),
            (CollectionState::ReceiptAwaited, -5_400, true),
            (CollectionState::Paid, -3_000, false),
        ] {
            let mut collection = collection(state);
            collection.created_at = NOW.plus_seconds(made_s);
            let said = is_surely_unpaid(&collection, NOW.plus_seconds(-7_200), NOW);
            assert_eq!(said, is_sure, "{collection:?}");
        }
    }

    #[test]
    fn the_longer_something_is_missing_the_rarer_the_list_is_read() {
        let missing = |state, age_s: i64| {
            let mut collection = collection(state);
            collection.created_at = NOW.plus_seconds(-age_s);
            collection
        };
        for (live, wait_s) in [
            (Vec::<CollectionRecord>::new(), 900),
            (vec![missing(CollectionState::Pending, 10)], 900),
            (vec![missing(CollectionState::ReceiptAwaited, 10)], 5),
            (vec![missing(CollectionState::SendUnknown, 200)], 50),
            (
                vec![
                    missing(CollectionState::ReceiptAwaited, 90_000),
                    missing(CollectionState::SendUnknown, 80),
                ],
                20,
            ),
            (vec![missing(CollectionState::ReceiptAwaited, 90_000)], 900),
        ] {
            assert_eq!(next_at(&live, NOW).since(NOW) / 1_000_000, wait_s, "{live:?}");
        }
    }
}
