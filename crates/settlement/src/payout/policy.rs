//! How much may be paid out, to whom, and what waiting would save.
//!
//! A charge comes out of what is asked for. A day is a day of Nairobi. A household's
//! number counts as changed from the moment we first see another one, at the latest
//! when a payout to it is asked for.

use super::MOST_SHILLINGS;
use crate::error::SettlementError;
use crate::service::Settlement;
use jirani_store::{Change, HouseholdRecord, PayoutState};
use jirani_units::{Cents, Clock as _, HouseholdId, Msisdn, Timestamp};

/// Nairobi is so far ahead of UTC, in seconds, all year round.
const NAIROBI_S: i64 = 10_800;
const DAY_S: i64 = 86_400;
/// How many of a household's payouts a day are looked at.
const HISTORY_MAX: u32 = 1_000;

/// What a payout would send and cost, and what would cost less.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PayoutQuote {
    /// What would be sent, whole shillings.
    pub sent: Cents,
    /// M-Pesa's charge.
    pub charge: Cents,
    /// The most that could be sent without a charge, if this one has one.
    pub free_up_to: Option<Cents>,
    /// From here on at most half as much of it would go to M-Pesa.
    pub half_from: Option<Cents>,
}

impl PayoutQuote {
    /// One sentence about waiting, in English; `None` when there is nothing to save.
    pub fn hint_en(&self) -> Option<String> {
        let Self { sent, charge, half_from, .. } = self;
        let half_from = half_from.as_ref()?;
        let free = self.free_up_to.map_or_else(String::new, |free| format!(" Up to {free} is free."));
        Some(format!(
            "{charge} of {} goes to M-Pesa; from {half_from} it is half the share.{free}",
            whole(*sent, *charge)
        ))
    }

    /// The same in Kiswahili.
    pub fn hint_sw(&self) -> Option<String> {
        let Self { sent, charge, half_from, .. } = self;
        let half_from = half_from.as_ref()?;
        let free = self.free_up_to.map_or_else(String::new, |free| format!(" Hadi {free} ni bure."));
        Some(format!(
            "{charge} kati ya {} inaenda M-Pesa; kuanzia {half_from} ni nusu ya sehemu hiyo.{free}",
            whole(*sent, *charge)
        ))
    }
}

fn whole(sent: Cents, charge: Cents) -> Cents {
    Cents(sent.0.saturating_add(charge.0))
}

/// The most whole shillings that, with their charge, take no more than `amount`.
/// Counts down from what would fit without a charge: a charge is a few shillings,
/// so it takes a few steps, whatever the bands are.
fn sendable(amount: Cents, charge: impl Fn(i64) -> Cents) -> i64 {
    let fits =
        |shillings: &i64| shillings.saturating_mul(100).saturating_add(charge(*shillings).0) <= amount.0;
    (1..=amount.shillings_down()).rev().find(fits).unwrap_or(0)
}

/// What would cost less than sending `shillings` now.
fn savings(shillings: i64, least: i64, charge: impl Fn(i64) -> Cents) -> (Option<Cents>, Option<Cents>) {
    let now = charge(shillings);
    if !now.is_positive() {
        return (None, None);
    }
    let free = (least..shillings).rev().find(|less| charge(*less) == Cents::ZERO);
    // Round sums only: nobody waits for KSh 241.
    let share_halves = |more: &i64| {
        i128::from(charge(*more).0) * i128::from(shillings) * 2 <= i128::from(now.0) * i128::from(*more)
    };
    let first = shillings / 10 * 10 + 10;
    let half = (first..=MOST_SHILLINGS).step_by(10).find(share_halves);
    (free.map(|shillings| Cents(shillings * 100)), half.map(|shillings| Cents(shillings * 100)))
}

/// The beginning of the day of Nairobi that `at` is in.
fn day_of(at: Timestamp) -> Timestamp {
    Timestamp::from_seconds((at.seconds() + NAIROBI_S).div_euclid(DAY_S) * DAY_S - NAIROBI_S)
}

/// A household's number, and since when it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct NumberSince(Msisdn, Timestamp);

impl NumberSince {
    fn key(household: HouseholdId) -> String {
        format!("payout-number/{household}")
    }

    fn change(self, household: HouseholdId) -> Change {
        Change::Setting { key: Self::key(household), value: format!("{} {}", self.0.number(), self.1.0) }
    }

    fn parse(text: &str) -> Option<Self> {
        let (number, since) = text.split_once(' ')?;
        Some(Self(number.parse().ok()?, Timestamp(since.parse().ok()?)))
    }
}

impl Settlement {
    /// What a payout that takes at most `amount` from the balance would send, in
    /// whole shillings, M-Pesa's charge for it, and what would cost less.
    pub async fn payout_advice(
        &self,
        household: HouseholdId,
        amount: Cents,
    ) -> Result<PayoutQuote, SettlementError> {
        self.store.household(household).await?.ok_or(SettlementError::UnknownHousehold)?;
        self.quote_payout(amount)
    }

    pub(super) fn quote_payout(&self, amount: Cents) -> Result<PayoutQuote, SettlementError> {
        let most = Cents(MOST_SHILLINGS * 100);
        if amount.0 > most.0.saturating_mul(2) {
            return Err(SettlementError::AmountTooLarge { most });
        }
        let charge = |shillings| self.mpesa.payout_charge(shillings);
        let least = self.config.payouts.least_shillings.max(super::LEAST_SHILLINGS);
        let shillings = sendable(amount, charge);
        if shillings < least {
            return Err(SettlementError::PayoutTooSmall { least: Cents(least * 100) });
        }
        if shillings > MOST_SHILLINGS {
            return Err(SettlementError::AmountTooLarge { most });
        }
        let (free_up_to, half_from) = savings(shillings, least, charge);
        Ok(PayoutQuote { sent: Cents(shillings * 100), charge: charge(shillings), free_up_to, half_from })
    }

    /// Whether this much more may leave the household's and all balances today.
    /// Call under the payouts' planning lock, or two requests may both find room.
    pub(super) async fn check_daily(
        &self,
        household: HouseholdId,
        amount: Cents,
    ) -> Result<(), SettlementError> {
        let (today, policy) = (day_of(self.clock.now()), self.config.payouts);
        let own = self.store.payouts_of(household, HISTORY_MAX).await?;
        let own: i64 = own
            .iter()
            .filter(|payout| {
                payout.created_at >= today && !matches!(payout.state, PayoutState::Failed { .. })
            })
            .map(|payout| payout.amount.0)
            .sum();
        if own.saturating_add(amount.0) > policy.household_daily.0 {
            let left = Cents((policy.household_daily.0 - own).max(0));
            return Err(SettlementError::DailyLimit { left });
        }
        let all = self.store.paid_out_since(today).await?;
        if all.0.saturating_add(amount.0) > policy.all_daily.0 {
            return Err(SettlementError::OperatorDailyLimit);
        }
        Ok(())
    }

    /// The number a payout may go to now, and what to store with it if this is the
    /// first time we see it.
    pub(super) async fn payout_number(
        &self,
        payer: &HouseholdRecord,
    ) -> Result<(Msisdn, Option<Change>), SettlementError> {
        let msisdn = payer.msisdn.ok_or(SettlementError::NoPhone)?;
        let now = self.clock.now();
        let stored = self.store.setting(&NumberSince::key(payer.id)).await?;
        let since = match stored.as_deref().and_then(NumberSince::parse) {
            // The number it was enrolled with: it was never another.
            None => return Ok((msisdn, Some(NumberSince(msisdn, Timestamp(0)).change(payer.id)))),
            Some(NumberSince(known, since)) if known == msisdn => since,
            Some(_) => {
                self.store.commit(vec![NumberSince(msisdn, now).change(payer.id)]).await?;
                tracing::warn!(household = payer.id.0, "payouts wait: the number has changed");
                now
            }
        };
        let until = since.plus_seconds(self.config.payouts.cool_down_s);
        if now < until {
            return Err(SettlementError::CoolDown { until });
        }
        Ok((msisdn, None))
    }

    /// Gives a household another number. Payouts to it begin after the cool-down.
    pub async fn change_number(&self, id: HouseholdId, msisdn: Msisdn) -> Result<(), SettlementError> {
        let household = self.store.household(id).await?.ok_or(SettlementError::UnknownHousehold)?;
        if household.msisdn == Some(msisdn) {
            return Ok(());
        }
        let since = NumberSince(msisdn, self.clock.now()).change(id);
        let changed = HouseholdRecord { msisdn: Some(msisdn), ..household };
        self.store.commit(vec![Change::Household(changed), since]).await?;
        Ok(())
    }
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

    #[test]
    fn a_day_begins_at_midnight_of_nairobi() {
        let midnight = Timestamp::from_seconds(21 * 3_600);
        for (at_s, day_s) in [(21 * 3_600, 21), (45 * 3_600 - 1, 21), (45 * 3_600, 45), (21 * 3_600 - 1, -3)]
        {
            assert_eq!(
                day_of(Timestamp::from_seconds(at_s)),
                Timestamp::from_seconds(day_s * 3_600),
                "{at_s}"
            );
        }
        assert_eq!(day_of(midnight), midnight);
    }

    #[test]
    fn who_pays_a_charge_hears_what_would_cost_less() {
        let charges = PayoutCharges::default();
        let of = |shillings| savings(shillings, 10, |shillings| charges.charge(shillings));
        assert_eq!(of(100), (None, None));
        assert_eq!(of(120), (Some(Cents(10_000)), Some(Cents(24_000))));
        // 5 of 1,500 is a 300th; 9 of 5,400 would be a 600th, but above 5,000 it is 11.
        assert_eq!(of(1_500), (Some(Cents(10_000)), Some(Cents(660_000))));
        let quote = PayoutQuote {
            sent: Cents(11_500),
            charge: Cents(500),
            free_up_to: Some(Cents(10_000)),
            half_from: Some(Cents(23_000)),
        };
        assert_eq!(
            quote.hint_en().unwrap(),
            "KSh 5.00 of KSh 120.00 goes to M-Pesa; from KSh 230.00 it is half the share. Up to KSh 100.00 is free."
        );
        assert!(quote.hint_sw().unwrap().starts_with("KSh 5.00 kati ya KSh 120.00 inaenda M-Pesa"));
        assert_eq!(PayoutQuote { half_from: None, ..quote }.hint_en(), None);
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
