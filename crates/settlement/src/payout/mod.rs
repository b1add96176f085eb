//! Payouts: a household's balance to its own number, by B2C.
//!
//! | state | event | next | effect |
//! |---|---|---|---|
//! | - | `request_payout` | Planned | what is sent and the charge are held |
//! | Planned | look | Unknown | then the request leaves, under our own id |
//! | Unknown | accepted, or duplicate of our id | Accepted | waits for the result |
//! | Unknown, first request | certainly not sent | Failed | both holds let go |
//! | Unknown | answer lost, or a repeat not sent | Unknown | asks again later, under the same id |
//! | Unknown, Accepted | result: paid, our id, our amount | Paid | both holds posted |
//! | Unknown, Accepted | result: refused for good | Failed | both holds let go |
//! | Unknown, Accepted | result: any other code | unchanged | waits |
//! | Unknown, Accepted | queue timeout | unchanged | waits: it is not a failure |
//! | Paid, Failed | anything | unchanged | - |
//!
//! **Never paid twice.** M-Pesa takes an OriginatorConversationID on once and
//! answers a repeat with "duplicate". So a request whose answer was lost may be
//! repeated under the *same* id: if the first one went in, nothing happens and we
//! know it; if it did not, this one pays. It is never sent under another id. A
//! repeat that is refused says nothing about the first request, so only the
//! first request's certain refusal lets go of the holds. Repeats are spaced, a
//! handful per start of the service; after that the payout stays Unknown until
//! its result comes or a person looks.

mod decide;
mod effect;

use crate::engine::Key;
use crate::error::SettlementError;
use crate::service::{Settlement, check_key};
use crate::transfers;
pub(crate) use decide::PayoutEvent;
pub(crate) use effect::Asked;
use jirani_store::{Change, Event, PayoutRecord, PayoutState, StoreError};
use jirani_units::{Cents, Clock as _, HouseholdId, PayoutId};

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
        self.quote_payout(amount)
    }

    /// Pays out to the household's own number; at most `amount` leaves the
    /// balance, charge included. Returns once the request has been answered, or
    /// its answer is lost: the result follows later. The same `key` again gives
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
        let msisdn = payer.msisdn.ok_or(SettlementError::NoPhone)?;
        let (sent, charge) = self.quote_payout(amount)?;
        let id = PayoutId(self.store.next_number("payout").await?);
        let names = self.names.payout(id);
        let payout = PayoutRecord {
            id,
            household,
            msisdn,
            amount: Cents(sent.0 + charge.0),
            sent,
            charge,
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
        changes.extend(transfers::payout_holds(&payout, payout.created_at).into_iter().map(Change::Post));
        match self.store.commit(changes).await {
            Ok(_) => {}
            // The same key a moment ago: that payout is the answer.
            Err(StoreError::Conflict { .. }) => {
                let payout = self.store.payout_by_key(household, key).await?;
                return self.payout_again(payout.ok_or(SettlementError::Contended)?, amount).await;
            }
            Err(error) => return Err(error.into()),
        }
        self.events.publish(Event::Payout(id, household));
        self.events.publish(Event::Balance(household));
        self.look(Key::Payout(id)).await?;
        self.stored_payout(id).await
    }

    fn quote_payout(&self, amount: Cents) -> Result<(Cents, Cents), SettlementError> {
        let most = Cents(MOST_SHILLINGS * 100);
        if amount.0 > most.0.saturating_mul(2) {
            return Err(SettlementError::AmountTooLarge { most });
        }
        let shillings = sendable(amount, |shillings| self.mpesa.payout_charge(shillings));
        if shillings < LEAST_SHILLINGS {
            return Err(SettlementError::PayoutTooSmall { least: Cents(LEAST_SHILLINGS * 100) });
        }
        if shillings > MOST_SHILLINGS {
            return Err(SettlementError::AmountTooLarge { most });
        }
        Ok((Cents(shillings * 100), self.mpesa.payout_charge(shillings)))
    }

    async fn payout_again(
        &self,
        payout: PayoutRecord,
        amount: Cents,
    ) -> Result<PayoutRecord, SettlementError> {
        if self.quote_payout(amount)? != (payout.sent, payout.charge) {
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

/// The most whole shillings that, with their charge, take no more than `amount`.
/// Counts down from what would fit without a charge: a charge is a few shillings,
/// so it takes a few steps, whatever the bands are.
fn sendable(amount: Cents, charge: impl Fn(i64) -> Cents) -> i64 {
    let fits =
        |shillings: &i64| shillings.saturating_mul(100).saturating_add(charge(*shillings).0) <= amount.0;
    (1..=amount.shillings_down()).rev().find(fits).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jirani_daraja::PayoutCharges;
    use proptest::prelude::*;

    #[test]
    fn a_charge_comes_out_of_what_is_asked_for() {
        let charges = PayoutCharges::default();
        for (asked, sent) in
            [(0, 0), (-5, 0), (1_099, 10), (10_000, 100), (10_100, 100), (10_600, 101), (10_550, 100)]
        {
            assert_eq!(sendable(Cents(asked), |shillings| charges.charge(shillings)), sent, "{asked}");
        }
    }

    proptest! {
        #[test]
        fn what_is_sent_is_the_most_that_fits(asked in 0i64..3_000_000) {
            let charges = PayoutCharges::default();
            let fits = |shillings: i64| shillings * 100 + charges.charge(shillings).0 <= asked;
            let sent = sendable(Cents(asked), |shillings| charges.charge(shillings));
            prop_assert!(sent == 0 || fits(sent));
            prop_assert!((sent + 1..sent + 20).all(|more| !fits(more)));
        }
    }
}
