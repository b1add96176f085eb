//! Every word of a statement, in English and Kiswahili.

use crate::line::What;
use jirani_ledger::Reason;
use jirani_store::Language;
use jirani_units::{OrderId, PayoutId};

/// Headings and labels of one language.
#[derive(Clone, Copy, Debug)]
pub struct Words {
    /// What the document is.
    pub title: &'static str,
    /// Before the period.
    pub period: &'static str,
    /// Before the household's number.
    pub household: &'static str,
    /// Before the moment it was made.
    pub made: &'static str,
    /// Before the newest journal row.
    pub through: &'static str,
    /// Balance before the first line.
    pub opening: &'static str,
    /// Balance after the last line.
    pub closing: &'static str,
    /// Part of the closing that is held.
    pub held: &'static str,
    /// Sums of the lines.
    pub totals: &'static str,
    /// Heading of times.
    pub time: &'static str,
    /// Heading of what happened.
    pub what: &'static str,
    /// Heading of energy bought.
    pub bought: &'static str,
    /// Heading of energy sold.
    pub sold: &'static str,
    /// Heading of money gained.
    pub money_in: &'static str,
    /// Heading of money given.
    pub money_out: &'static str,
    /// Heading of the balance.
    pub balance: &'static str,
    /// When there are no lines.
    pub nothing: &'static str,
    /// Under the table.
    pub note: &'static str,
    /// Page N of M: what stands before N and between.
    pub page: (&'static str, &'static str),
}

const EN: Words = Words {
    title: "Statement",
    period: "Period",
    household: "Household",
    made: "Made on",
    through: "Ledger row",
    opening: "Opening balance",
    closing: "Closing balance",
    held: "of which held for a withdrawal",
    totals: "Total",
    time: "Time",
    what: "What",
    bought: "Bought",
    sold: "Sold",
    money_in: "In",
    money_out: "Out",
    balance: "Balance",
    nothing: "Nothing moved in this period.",
    note: "Times are Nairobi's. Opening balance and lines make the closing balance. Payments by M-Pesa for an order stand with it: the money went to the seller, not through the balance.",
    page: ("Page", "of"),
};

const SW: Words = Words {
    title: "Taarifa ya akaunti",
    period: "Kipindi",
    household: "Kaya",
    made: "Imetolewa",
    through: "Mstari wa leja",
    opening: "Salio la mwanzo",
    closing: "Salio la mwisho",
    held: "kati yake imeshikiliwa kwa kutoa pesa",
    totals: "Jumla",
    time: "Wakati",
    what: "Maelezo",
    bought: "Umenunua",
    sold: "Umeuza",
    money_in: "Ingizo",
    money_out: "Matumizi",
    balance: "Salio",
    nothing: "Hakuna kilichobadilika katika kipindi hiki.",
    note: "Saa ni za Nairobi. Salio la mwanzo pamoja na mistari ni salio la mwisho. Malipo ya M-Pesa ya oda yameonyeshwa pamoja nayo: pesa zilienda kwa muuzaji, hazikupitia salio lako.",
    page: ("Ukurasa", "kati ya"),
};

impl Words {
    /// The words of a language.
    pub const fn of(language: Language) -> &'static Self {
        match language {
            Language::En => &EN,
            Language::Sw => &SW,
        }
    }
}

fn numbered(words: &str, number: Option<u64>) -> String {
    number.map_or_else(|| words.to_owned(), |number| format!("{words} {number}"))
}

/// A line's words.
pub fn what(what: &What, language: Language) -> String {
    let order = |en: &str, sw: &str, order: OrderId| match language {
        Language::En => format!("{en} {order}"),
        Language::Sw => format!("{sw} {order}"),
    };
    let plain = |en: &'static str, sw: &'static str| match language {
        Language::En => en,
        Language::Sw => sw,
    };
    let payout = |payout: &Option<PayoutId>| payout.map(|payout| payout.0);
    match what {
        What::Bought(id) => order("Bought electricity, order", "Umenunua umeme, oda", *id),
        What::PaidByMpesa(id) => order("M-Pesa payment for order", "Malipo ya M-Pesa ya oda", *id),
        What::Returned(id) => order("Money back from order", "Pesa zimerudishwa, oda", *id),
        What::Sold(id) => order("Sold electricity, order", "Umeuza umeme, oda", *id),
        What::Excess(id) => order("Change from order", "Chenji ya oda", *id),
        What::Unused(id) => {
            order("Payment kept as balance, order", "Malipo yamewekwa kwenye salio, oda", *id)
        }
        What::Credit => plain("M-Pesa payment to your balance", "Malipo ya M-Pesa kwenye salio").to_owned(),
        What::Payout(id) => numbered(plain("Withdrawal to M-Pesa", "Umetoa pesa kwa M-Pesa"), payout(id)),
        What::PayoutCharge(id) => {
            numbered(plain("M-Pesa charge for withdrawal", "Gharama ya M-Pesa ya kutoa pesa"), payout(id))
        }
        What::Recovery => {
            plain("Repaid: M-Pesa had taken a payment back", "Umelipa deni: M-Pesa ilirudisha malipo")
                .to_owned()
        }
        What::Attach => {
            plain("M-Pesa payment found to be yours", "Malipo ya M-Pesa yamejulikana ni yako").to_owned()
        }
        What::Refund => plain("Payment sent back to you", "Malipo yamerudishwa kwako").to_owned(),
        What::Correction => plain("Correction", "Marekebisho").to_owned(),
        What::Other(reason) => other(*reason, language).to_owned(),
    }
}

/// Movements that a household's account does not see today, should one ever come.
const fn other(reason: Reason, language: Language) -> &'static str {
    match (reason, language) {
        (Reason::Reversal, Language::En) => "M-Pesa took a payment back",
        (Reason::Reversal, Language::Sw) => "M-Pesa imerudisha malipo",
        (_, Language::En) => "Other movement",
        (_, Language::Sw) => "Mabadiliko mengine",
    }
}
