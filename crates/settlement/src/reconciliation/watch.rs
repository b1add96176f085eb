//! The figures an operator must hear of, and when.
//!
//! Each alarm is told once when its figure passes the threshold, and may be told again
//! only after it has come back. Which are on is stored, so a restart repeats none.

use super::ask::Reconciling;
use super::policy::ReconciliationPolicy;
use crate::notice::to_operator;
use crate::service::Settlement;
use crate::step::Step;
use jirani_ledger::Account;
use jirani_reconciliation::Report;
use jirani_store::{Change, CollectionState, PayoutState, StoreError};
use jirani_units::{Cents, Clock as _, Timestamp};

/// The figures are looked at this often, in seconds.
pub(super) const WATCH_S: i64 = 900;

/// The figures now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Age in seconds of the oldest payment or payout whose outcome is unknown; zero
    /// when none is.
    pub oldest_unknown_s: i64,
    /// Money that may still settle orders.
    pub clearing: Cents,
    /// Money that nobody can name.
    pub suspense: Cents,
    /// What the payout shortcode holds, by our ledger, less what is set aside.
    pub float: Cents,
    /// Reviews that wait for a person.
    pub open_reviews: u64,
    /// Lines that only our ledger had, at the last comparison.
    pub only_ours: u64,
    /// Lines that only M-Pesa had.
    pub only_theirs: u64,
    /// Lines with two amounts.
    pub different: u64,
    /// M-Pesa's balances less ours.
    pub difference: Cents,
}

/// What the last comparison found, in numbers.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Last {
    only_ours: u64,
    only_theirs: u64,
    different: u64,
    difference: Cents,
}

impl Reconciling {
    pub(super) fn set_last(&self, report: &Report) {
        self.set_last_figures(Last {
            only_ours: report.only_ours.total.count,
            only_theirs: report.only_theirs.total.count,
            different: report.different.total.count,
            difference: report.difference(),
        });
    }
}

/// An alarm with its words.
struct Alarm {
    code: &'static str,
    is_on: bool,
    en: String,
    sw: String,
}

fn alarms(figures: &Figures, policy: &ReconciliationPolicy) -> [Alarm; 5] {
    let hours = figures.oldest_unknown_s / 3_600;
    let apart = figures.only_ours + figures.only_theirs + figures.different;
    [
        Alarm {
            code: "unknown_old",
            is_on: figures.oldest_unknown_s > policy.unknown_above_s,
            en: format!(
                "M-Pesa has not said for {hours} hours what became of a payment. See the review desk."
            ),
            sw: format!("M-Pesa haijasema kwa saa {hours} malipo yamekuwaje. Tazama dawati la ukaguzi."),
        },
        Alarm {
            code: "clearing_high",
            is_on: figures.clearing > policy.clearing_above,
            en: format!(
                "{} waits in clearing, more than usual. See that orders are being settled.",
                figures.clearing
            ),
            sw: format!(
                "{} inasubiri kulipa oda, zaidi ya kawaida. Hakikisha oda zinakamilika.",
                figures.clearing
            ),
        },
        Alarm {
            code: "suspense_high",
            is_on: figures.suspense > policy.suspense_above,
            en: format!(
                "{} belongs to nobody we know. Find its owners at the review desk.",
                figures.suspense
            ),
            sw: format!(
                "{} haina mwenyewe anayejulikana. Tafuta wenyewe kwenye dawati la ukaguzi.",
                figures.suspense
            ),
        },
        Alarm {
            code: "float_low",
            is_on: figures.float < policy.float_below,
            en: format!("The payout account holds {}. Move float before payouts must wait.", figures.float),
            sw: format!("Akaunti ya malipo ina {}. Ongeza pesa kabla malipo hayajasubiri.", figures.float),
        },
        Alarm {
            code: "books_apart",
            is_on: apart > 0,
            en: format!("M-Pesa's books and ours differ in {apart} lines. See the reconciliation."),
            sw: format!("Vitabu vya M-Pesa na vyetu vinatofautiana mistari {apart}. Tazama ulinganisho."),
        },
    ]
}

impl Settlement {
    /// The figures now.
    pub async fn figures(&self) -> Result<Figures, StoreError> {
        let now = self.clock.now();
        let payouts = self.store.live_payouts().await?;
        let collections = self.store.live_collections().await?;
        let unknown = payouts
            .iter()
            .filter(|payout| matches!(payout.state, PayoutState::Unknown | PayoutState::Accepted))
            .map(|payout| payout.created_at)
            .chain(
                collections
                    .iter()
                    .filter(|collection| {
                        matches!(
                            collection.state,
                            CollectionState::SendUnknown | CollectionState::ReceiptAwaited
                        )
                    })
                    .map(|collection| collection.created_at),
            );
        let reviews = self.store.open_reviews(jirani_store::verbs::PAGE_MAX).await?;
        let doubts = reviews.iter().filter(|review| review.code == "unknown_outcome").map(|r| r.opened_at);
        let oldest: Option<Timestamp> = unknown.chain(doubts).min();
        let clearing = [Account::CollectionsUnallocated, Account::OrdersClearing];
        let mut waiting = Cents::ZERO;
        for account in clearing {
            waiting = Cents(waiting.0 + self.store.balance(account).await?.net().0);
        }
        let float = self.store.balance(Account::MpesaPayout).await?;
        let last = self.reconciling.last_figures();
        Ok(Figures {
            oldest_unknown_s: oldest.map_or(0, |at| now.since(at) / 1_000_000),
            clearing: waiting,
            suspense: self.store.balance(Account::Suspense).await?.net(),
            float: Cents(float.net_debit().0 - float.credits_held.0),
            open_reviews: reviews.len().try_into().unwrap_or(u64::MAX),
            only_ours: last.only_ours,
            only_theirs: last.only_theirs,
            different: last.different,
            difference: last.difference,
        })
    }

    /// Takes up what the last stored comparison found.
    pub(super) async fn remember_figures(&self) -> Result<(), StoreError> {
        let Some(last) = self.store.reconciliations(1).await?.into_iter().next() else { return Ok(()) };
        match serde_json::from_str(&last.report) {
            Ok(report) => self.reconciling.set_last(&report),
            Err(error) => tracing::warn!(number = last.number, %error, "a stored comparison is unreadable"),
        }
        Ok(())
    }

    /// Tells the operator of each figure that has passed its threshold since it was
    /// last looked at.
    pub(super) async fn look_at_figures(&self) -> Result<(), StoreError> {
        let figures = self.figures().await?;
        let now = self.clock.now();
        let mut step = Step::default();
        for alarm in alarms(&figures, &self.reconciling.policy()) {
            let key = format!("alarm/{}", alarm.code);
            let was_on = self.store.setting(&key).await?.is_some_and(|value| value == "on");
            if alarm.is_on == was_on {
                continue;
            }
            let value = if alarm.is_on { "on" } else { "off" };
            step.change(Change::Setting { key, value: value.to_owned() });
            if alarm.is_on {
                tracing::warn!(alarm = alarm.code, "a figure has passed its threshold");
                let notice = format!("{}/{}", alarm.code, now.0);
                step.change(to_operator(notice, alarm.code, alarm.en, alarm.sw, now));
            }
        }
        self.commit_unpaid(step).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jirani_notify::gsm::is_one_message;

    #[test]
    fn every_alarm_fits_one_message_and_rings_above_its_threshold_only() {
        let policy = ReconciliationPolicy::default();
        let quiet = Figures {
            oldest_unknown_s: policy.unknown_above_s,
            clearing: policy.clearing_above,
            suspense: policy.suspense_above,
            float: policy.float_below,
            ..Figures::default()
        };
        assert!(alarms(&quiet, &policy).iter().all(|alarm| !alarm.is_on));
        let loud = Figures {
            oldest_unknown_s: 99_999_999,
            clearing: Cents(99_999_999_999),
            suspense: Cents(99_999_999_999),
            float: Cents(-99_999_999_999),
            only_ours: 99_999,
            ..Figures::default()
        };
        for alarm in alarms(&loud, &policy) {
            assert!(alarm.is_on, "{}", alarm.code);
            assert!(is_one_message(&alarm.en) && is_one_message(&alarm.sw), "{} {}", alarm.en, alarm.sw);
        }
    }
}
