//! What people are told of their money, in both languages, and when.
//!
//! Each is kept in the commit of what it tells, under a key made from what it is
//! about: told once whatever is repeated. At most 160 characters of GSM 03.38, so
//! that one text message holds it. No phone number, no receipt but the reader's own.

use jirani_ledger::TransferId;
use jirani_notify::gsm;
use jirani_store::{Change, NoticeRecord};
use jirani_units::{Cents, Clock as _, HouseholdId, OrderId, PayoutId, Price, Receipt, Timestamp, Wh};

/// Something to tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Notice {
    /// Money came when its order could not use it any more.
    PaidLate(OrderId, Receipt, Cents),
    /// Money came that is less than its order's due.
    PaidShort(OrderId, Receipt, Cents),
    /// Money came for an order that was paid already.
    PaidAgain(OrderId, Receipt, Cents),
    /// A receipt held more than the due.
    PaidOver(OrderId, Receipt, Cents),
    /// Money was proven, but the chain gave the order up.
    NotDelivered(OrderId, Receipt, Cents),
    /// M-Pesa says paid, and the receipt is being looked for.
    ReceiptSought(OrderId),
    /// Nobody could say by the deadline whether it was paid.
    OutcomeSought(OrderId),
    /// M-Pesa's list says that nothing was paid for an order.
    NothingTaken(OrderId),
    /// The household was paid to by hand.
    PaidByHand(Receipt, Cents),
    /// M-Pesa took a payment back; so much of it is owed now.
    TakenBack(Receipt, Cents, Cents),
    /// A debt after a reversal was paid from what came in by this transfer.
    DebtPaid(TransferId, Cents, Cents),
    /// The operator bought energy back, at this price per kWh.
    BoughtBack(OrderId, Wh, Price),
    /// A withdrawal waits: no float, or M-Pesa refuses our operator.
    PayoutWaits(PayoutId, Cents),
    /// A withdrawal was refused for good; why, in both languages.
    PayoutRefused(PayoutId, Cents, &'static str, &'static str),
    /// A withdrawal's outcome is being looked for.
    PayoutSought(PayoutId, Cents),
}

impl Notice {
    /// Stable word for it.
    pub(crate) const fn code(&self) -> &'static str {
        match self {
            Self::PaidLate(..) => "paid_late",
            Self::PaidShort(..) => "paid_short",
            Self::PaidAgain(..) => "paid_again",
            Self::PaidOver(..) => "paid_over",
            Self::NotDelivered(..) => "not_delivered",
            Self::ReceiptSought(..) => "receipt_sought",
            Self::OutcomeSought(..) => "outcome_sought",
            Self::NothingTaken(..) => "nothing_taken",
            Self::PaidByHand(..) => "paid_by_hand",
            Self::TakenBack(..) => "taken_back",
            Self::DebtPaid(..) => "debt_paid",
            Self::BoughtBack(..) => "bought_back",
            Self::PayoutWaits(..) => "payout_waits",
            Self::PayoutRefused(..) => "payout_refused",
            Self::PayoutSought(..) => "payout_sought",
        }
    }

    fn subject(&self) -> String {
        match self {
            Self::PaidLate(_, receipt, _)
            | Self::PaidShort(_, receipt, _)
            | Self::PaidAgain(_, receipt, _)
            | Self::PaidOver(_, receipt, _)
            | Self::NotDelivered(_, receipt, _)
            | Self::PaidByHand(receipt, _)
            | Self::TakenBack(receipt, ..) => format!("receipt/{receipt}"),
            Self::ReceiptSought(order)
            | Self::OutcomeSought(order)
            | Self::NothingTaken(order)
            | Self::BoughtBack(order, ..) => {
                format!("order/{order}")
            }
            Self::DebtPaid(cause, ..) => {
                let id = u128::from_be_bytes(cause.0);
                format!("transfer/{id:032x}")
            }
            Self::PayoutWaits(payout, _)
            | Self::PayoutRefused(payout, ..)
            | Self::PayoutSought(payout, _) => format!("payout/{payout}"),
        }
    }

    fn en(&self) -> String {
        match self {
            Self::PaidLate(order, _, amount) => format!(
                "Your {amount} for order {order} came too late. It is in your balance; use it or withdraw it."
            ),
            Self::PaidShort(order, _, amount) => format!(
                "Your {amount} is less than order {order} costs, so it was not bought. The money is in your balance."
            ),
            Self::PaidAgain(order, _, amount) => {
                format!("Order {order} was paid already. Your second {amount} is in your balance.")
            }
            Self::PaidOver(order, _, amount) => {
                format!("You paid {amount} more than order {order} costs. It is in your balance.")
            }
            Self::NotDelivered(order, _, amount) => format!(
                "Order {order} could not be delivered. Your {amount} is in your balance; use it or withdraw it."
            ),
            Self::ReceiptSought(order) => format!(
                "M-Pesa says you paid for order {order}; its receipt is awaited. Do not pay again. Your money is safe."
            ),
            Self::OutcomeSought(order) => format!(
                "M-Pesa did not say if you paid for order {order}. If it took money, it comes to your balance. We are checking."
            ),
            Self::NothingTaken(order) => format!(
                "M-Pesa's list has no payment of yours for order {order}: nothing was taken. You may buy again."
            ),
            Self::PaidByHand(_, amount) => format!("We received your {amount}. It is in your balance."),
            Self::TakenBack(_, amount, owed) if owed.is_positive() => format!(
                "M-Pesa took back your payment of {amount}. You owe {owed}; it is taken from what comes in next."
            ),
            Self::TakenBack(_, amount, _) => {
                format!("M-Pesa took back your payment of {amount}. It was taken from your balance.")
            }
            Self::DebtPaid(_, amount, owed) if owed.is_positive() => {
                format!(
                    "{amount} went to what you owe after M-Pesa took a payment back. You still owe {owed}."
                )
            }
            Self::DebtPaid(_, amount, _) => {
                format!(
                    "{amount} went to what you owed after M-Pesa took a payment back. You owe nothing now."
                )
            }
            Self::BoughtBack(_, energy, price) => format!(
                "The operator bought {energy} that you had not sold, at {price}. The money is in your balance."
            ),
            Self::PayoutWaits(_, sent) => {
                format!(
                    "Your withdrawal of {sent} waits and goes out by itself. The money is set aside for you."
                )
            }
            Self::PayoutRefused(_, sent, why, _) => {
                fit(&format!("{sent} not sent, it is in your balance. "), why)
            }
            Self::PayoutSought(_, sent) => format!(
                "M-Pesa did not say yet if your {sent} was sent. The money is set aside; we are checking."
            ),
        }
    }

    fn sw(&self) -> String {
        match self {
            Self::PaidLate(order, _, amount) => {
                format!("{amount} ya oda {order} ilichelewa. Iko kwenye salio lako; itumie au uitoe.")
            }
            Self::PaidShort(order, _, amount) => format!(
                "{amount} haitoshi kwa oda {order}, kwa hivyo haikununuliwa. Pesa iko kwenye salio lako."
            ),
            Self::PaidAgain(order, _, amount) => {
                format!("Oda {order} ilikuwa imelipwa. {amount} ya pili iko kwenye salio lako.")
            }
            Self::PaidOver(order, _, amount) => {
                format!("Umelipa {amount} zaidi ya bei ya oda {order}. Iko kwenye salio lako.")
            }
            Self::NotDelivered(order, _, amount) => {
                format!("Oda {order} haikuweza kutolewa. {amount} yako iko kwenye salio; itumie au uitoe.")
            }
            Self::ReceiptSought(order) => format!(
                "M-Pesa inasema umelipia oda {order}; tunasubiri risiti. Usilipe tena. Pesa yako iko salama."
            ),
            Self::OutcomeSought(order) => format!(
                "M-Pesa haikusema kama umelipia oda {order}. Kama pesa ilikatwa, itaingia kwenye salio lako. Tunafuatilia."
            ),
            Self::NothingTaken(order) => format!(
                "Orodha ya M-Pesa haina malipo yako ya oda {order}: hakuna pesa iliyokatwa. Unaweza kununua tena."
            ),
            Self::PaidByHand(_, amount) => format!("Tumepokea {amount} yako. Iko kwenye salio lako."),
            Self::TakenBack(_, amount, owed) if owed.is_positive() => format!(
                "M-Pesa imerudisha malipo yako ya {amount}. Unadaiwa {owed}; itakatwa kwenye pesa itakayoingia."
            ),
            Self::TakenBack(_, amount, _) => {
                format!("M-Pesa imerudisha malipo yako ya {amount}. Imekatwa kwenye salio lako.")
            }
            Self::DebtPaid(_, amount, owed) if owed.is_positive() => {
                format!("{amount} imelipa deni lako baada ya M-Pesa kurudisha malipo. Bado unadaiwa {owed}.")
            }
            Self::DebtPaid(_, amount, _) => {
                format!("{amount} imelipa deni lako baada ya M-Pesa kurudisha malipo. Hudaiwi tena.")
            }
            Self::BoughtBack(_, energy, price) => format!(
                "Mwendeshaji amenunua {energy} ambayo hukuuza, kwa {price}. Pesa iko kwenye salio lako."
            ),
            Self::PayoutWaits(_, sent) => {
                format!("Kutoa {sent} kunasubiri na kutaendelea kwenyewe. Pesa imetengwa kwa ajili yako.")
            }
            Self::PayoutRefused(_, sent, _, why) => {
                fit(&format!("{sent} haikutumwa, iko kwenye salio. "), why)
            }
            Self::PayoutSought(_, sent) => {
                format!("M-Pesa bado haijasema kama {sent} yako imetumwa. Pesa imetengwa; tunafuatilia.")
            }
        }
    }

    /// The change that keeps it.
    pub(crate) fn to(&self, household: HouseholdId, at: Timestamp) -> Change {
        Change::Notice(NoticeRecord {
            key: format!("{}/{}", self.code(), self.subject()),
            household: Some(household),
            code: self.code().to_owned(),
            en: self.en(),
            sw: self.sw(),
            at,
        })
    }
}

/// What is said first always stands; the reason only if there is room for it.
fn fit(first: &str, reason: &str) -> String {
    let whole = format!("{first}{reason}");
    if gsm::is_one_message(&whole) { whole } else { first.trim_end().to_owned() }
}

impl crate::Settlement {
    /// Tells the operator that M-Pesa does not take the addresses for payments made by
    /// hand, and why.
    pub async fn c2b_refused(&self, why: &str) -> Result<(), jirani_store::StoreError> {
        let now = self.clock.now();
        let why: String = why.chars().take(60).collect();
        let en = format!("M-Pesa did not take our addresses for payments by hand: {why}. It is tried again.");
        let sw = format!("M-Pesa haikupokea anwani zetu za malipo ya mkono: {why}. Itajaribiwa tena.");
        let change = to_operator(format!("c2b_refused/{}", now.0), "c2b_refused", en, sw, now);
        self.store.commit(vec![change]).await.map(drop)
    }
}

/// Something the operator should hear of.
pub(crate) fn to_operator(key: String, code: &str, en: String, sw: String, at: Timestamp) -> Change {
    Change::Notice(NoticeRecord { key, household: None, code: code.to_owned(), en, sw, at })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<Notice> {
        let (order, payout, most) = (OrderId(99_999_999), PayoutId(99_999_999), Cents(25_000_000));
        let receipt: Receipt = "UJ32ABCDEF".parse().unwrap();
        let why = jirani_daraja::codes::payout_refusal("2040").unwrap();
        vec![
            Notice::PaidLate(order, receipt.clone(), most),
            Notice::PaidShort(order, receipt.clone(), most),
            Notice::PaidAgain(order, receipt.clone(), most),
            Notice::PaidOver(order, receipt.clone(), most),
            Notice::NotDelivered(order, receipt.clone(), most),
            Notice::ReceiptSought(order),
            Notice::OutcomeSought(order),
            Notice::NothingTaken(order),
            Notice::PaidByHand(receipt.clone(), most),
            Notice::TakenBack(receipt.clone(), most, most),
            Notice::TakenBack(receipt, most, Cents::ZERO),
            Notice::DebtPaid(TransferId([1; 16]), most, most),
            Notice::DebtPaid(TransferId([1; 16]), most, Cents::ZERO),
            Notice::BoughtBack(order, Wh(50_000), Price(1_000_000)),
            Notice::PayoutWaits(payout, most),
            Notice::PayoutRefused(payout, most, why.told_en, why.told_sw),
            Notice::PayoutSought(payout, most),
        ]
    }

    #[test]
    fn one_text_message_holds_each_notice_in_either_language() {
        for notice in all() {
            let Change::Notice(kept) = notice.to(HouseholdId(1), Timestamp(0)) else { panic!() };
            for text in [&kept.en, &kept.sw] {
                assert!(gsm::is_one_message(text), "{:?} {text}", gsm::places(text));
            }
            assert_ne!(kept.en, kept.sw);
        }
    }

    #[test]
    fn a_notice_is_known_again_by_what_it_is_about() {
        let key = |notice: &Notice, at| match notice.to(HouseholdId(1), Timestamp(at)) {
            Change::Notice(kept) => kept.key,
            other => panic!("{other:?}"),
        };
        let receipt: Receipt = "UJ32ABCDEF".parse().unwrap();
        let late = Notice::PaidLate(OrderId(4), receipt, Cents(5));
        assert_eq!(key(&late, 0), key(&late, 9));
        assert_eq!(key(&late, 0), "paid_late/receipt/UJ32ABCDEF");
    }
}
