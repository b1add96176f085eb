//! What a household is told of a month that is over. Pure.

use jirani_market::bill::{Total, sentence};
use jirani_store::{Change, NoticeRecord};
use jirani_units::{HouseholdId, Timestamp};

/// The message of `month` (`2026-11`), in one SMS of either language.
pub(super) fn notice(household: HouseholdId, month: &str, total: &Total, at: Timestamp) -> Change {
    Change::Notice(NoticeRecord {
        key: format!("bill/{household}/{month}"),
        household: Some(household),
        code: "bill_month".to_owned(),
        en: sentence(month, total),
        sw: format!(
            "{month}: ulinunua {} kwa {}, uliuza {} kwa {}. Umepata faida ya {} kuliko bei ya kampuni.",
            total.bought, total.paid, total.sold, total.received, total.gain
        ),
        at,
    })
}

/// Adds a day's sums to a month's.
pub(super) fn add(month: &mut Total, day: &Total) {
    month.bought.0 += day.bought.0;
    month.sold.0 += day.sold.0;
    month.own_use.0 += day.own_use.0;
    month.shortfall.0 += day.shortfall.0;
    month.paid.0 += day.paid.0;
    month.fee.0 += day.fee.0;
    month.tax.0 += day.tax.0;
    month.received.0 += day.received.0;
    month.owed.0 += day.owed.0;
    month.gain.0 += day.gain.0;
}

#[cfg(test)]
mod tests {
    use super::*;
    use jirani_notify::gsm::is_one_message;
    use jirani_units::{Cents, Wh};

    #[test]
    fn one_text_message_holds_the_largest_month_in_either_language() {
        let most = Total {
            bought: Wh(9_999_999),
            sold: Wh(9_999_999),
            paid: Cents(99_999_999),
            received: Cents(99_999_999),
            gain: Cents(99_999_999),
            ..Total::default()
        };
        let Change::Notice(kept) = notice(HouseholdId(7), "2026-11", &most, Timestamp(0)) else { panic!() };
        for text in [&kept.en, &kept.sw] {
            assert!(is_one_message(text), "{text}");
        }
        assert_eq!(kept.key, "bill/7/2026-11");
        assert_ne!(kept.en, kept.sw);
    }
}
