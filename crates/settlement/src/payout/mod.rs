//! Payouts: a household's balance to its own number, by B2C.
//!
//! | state | event | next | effect |
//! |---|---|---|---|
//! | - | `request_payout` | Planned | what is sent and the charge are held |
//! | Planned | the queue is open, or lets one through | Unknown | then the request leaves, under this attempt's id |
//! | Planned | the queue waits or is stopped | Planned | the household is told |
//! | Unknown | accepted, or duplicate of our id | Accepted | waits for the result |
//! | Unknown, first request | not sent: M-Pesa's door was shut | Planned | the queue waits |
//! | Unknown, first request | certainly not taken on for its content | Failed | both holds let go |
//! | Unknown | answer lost, or a repeat not sent | Unknown | M-Pesa is asked what became of it |
//! | Unknown, Accepted | no result for 30 s, then later each time | unchanged | M-Pesa is asked what became of it |
//! | Unknown | M-Pesa cannot say | Unknown | the same request again, under the same id |
//! | Unknown, Accepted | result or answer: paid, our id, our amount | Paid | both holds posted |
//! | Unknown, Accepted | result or answer: refused for good | Failed | both holds let go |
//! | Unknown, Accepted | result: our float is empty | Planned, next attempt | the queue waits |
//! | Unknown, Accepted | result: our initiator or set-up is refused | Planned, next attempt | the queue stops |
//! | Unknown, Accepted | result: another amount, or another conversation | unchanged | a person looks |
//! | Unknown, Accepted | result: any other code, or paid without an amount | unchanged | waits, asks |
//! | Unknown, Accepted | queue timeout | unchanged | waits, asks: it is not a failure |
//! | Unknown, Accepted | unknown for a day | unchanged | a person looks; asked on |
//! | Planned | result: an earlier attempt was paid after all | Paid | both holds posted |
//! | Unknown, Accepted | the same | unchanged | a person looks |
//! | Failed | result: paid after all | Failed | a person looks |
//! | Paid, Failed | anything else | unchanged | - |
//!
//! **Never paid twice.** M-Pesa takes an OriginatorConversationID on once and
//! answers a repeat with "duplicate". So a request whose answer was lost, and of
//! which M-Pesa cannot say what became, may be repeated under the *same* id: if the
//! first one went in, nothing happens and we know it; if it did not, this one pays.
//! Another id follows only on M-Pesa's own final word that this one was refused. A
//! repeat that is refused says nothing about the first request, so only the first
//! request's certain refusal lets go of the holds.
//!
//! [`queue`] says whether payouts go out at all, [`policy`] how much to whom.

mod asking;
mod decide;
mod effect;
mod policy;
mod queue;
#[cfg(test)]
mod tests;

use crate::engine::Key;
use crate::error::SettlementError;
use crate::interruption::Moment;
use crate::service::{Settlement, check_key};
pub(crate) use asking::Asked;
pub(crate) use decide::{PayoutEvent, decided_by_hand};
use jirani_ledger::templates::payouts;
use jirani_store::{Change, Event, PayoutRecord, PayoutState, StoreError};
use jirani_units::{Cents, Clock as _, HouseholdId, PayoutId};
pub use policy::PayoutQuote;
pub use queue::PayoutQueue;
pub(crate) use queue::Queue;

/// The least M-Pesa pays out.
const LEAST_SHILLINGS: i64 = 10;
/// The most M-Pesa moves at once.
pub(crate) const MOST_SHILLINGS: i64 = 250_000;

impl Settlement {
    /// What a payout that takes at most `amount` from the balance would send, in
    /// whole shillings, and M-Pesa's charge for it: the most that fits.
    pub async fn payout_quote(
        &self,
        household: HouseholdId,
        amount: Cents,
    ) -> Result<(Cents, Cents), SettlementError> {
        self.store.household(household).await?.ok_or(SettlementError::UnknownHousehold)?;
        let quote = self.quote_payout(amount)?;
        Ok((quote.sent, quote.charge))
    }

    /// Pays out to the household's own number; at most `amount` leaves the
    /// balance, charge included. Returns once the request has been answered, its
    /// answer is lost, or it waits its turn: the result follows later. The same `key` again gives
    /// the same payout.
    pub async fn request_payout(
        &self,
        household: HouseholdId,
        amount: Cents,
        key: &str,
    ) -> Result<PayoutRecord, SettlementError> {
        let _busy = self.clock.busy();
        check_key(key)?;
        if let Some(payout) = self.store.payout_by_key(household, key).await? {
            return self.payout_again(payout, amount).await;
        }
        self.check_room()?;
        let payer = self.store.household(household).await?.ok_or(SettlementError::UnknownHousehold)?;
        // One at a time: two requests must not both find the day's last shillings.
        let planning = self.paying_out.lock().await;
        let (msisdn, first_seen) = self.payout_number(&payer).await?;
        let PayoutQuote { sent, charge, .. } = self.quote_payout(amount)?;
        self.check_daily(household, Cents(sent.0 + charge.0)).await?;
        let id = PayoutId(self.store.next_number("payout").await?);
        let names = self.names.payout(id);
        let payout = PayoutRecord {
            id,
            household,
            msisdn,
            amount: Cents(sent.0 + charge.0),
            sent,
            charge,
            attempt: 1,
            originator_id: names.originator_id,
            secret: names.secret,
            conversation_id: None,
            state: PayoutState::Planned,
            receipt: None,
            key: key.to_owned(),
            created_at: self.clock.now(),
            final_at: None,
            version: 0,
        };
        let mut changes = vec![Change::Payout(payout.clone())];
        let holds = payouts::holds(&decide::about(&payout), payout.created_at);
        changes.extend(holds.into_iter().map(Change::Post));
        changes.extend(first_seen);
        match self.store.commit(changes).await {
            Ok(_) => self.interruption.reached(Moment::PayoutPlanned),
            // The same key a moment ago: that payout is the answer.
            Err(StoreError::Conflict { .. }) => {
                drop(planning);
                let payout = self.store.payout_by_key(household, key).await?;
                return self.payout_again(payout.ok_or(SettlementError::Contended)?, amount).await;
            }
            Err(error) => return Err(error.into()),
        }
        drop(planning);
        self.events.publish(Event::Payout(id, household));
        self.events.publish(Event::Balance(household));
        self.look(Key::Payout(id)).await?;
        self.stored_payout(id).await
    }

    async fn payout_again(
        &self,
        payout: PayoutRecord,
        amount: Cents,
    ) -> Result<PayoutRecord, SettlementError> {
        let quote = self.quote_payout(amount)?;
        if (quote.sent, quote.charge) != (payout.sent, payout.charge) {
            return Err(SettlementError::KeyReused);
        }
        if payout.state == PayoutState::Planned {
            self.look(Key::Payout(payout.id)).await?;
        }
        self.stored_payout(payout.id).await
    }

    async fn stored_payout(&self, id: PayoutId) -> Result<PayoutRecord, SettlementError> {
        let payout = self.store.payout(id).await?;
        payout.ok_or_else(|| SettlementError::Stuck(format!("payout {id} is not in the store")))
    }
}
