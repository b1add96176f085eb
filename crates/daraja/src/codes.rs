//! The closed list of codes that close a payment.
//!
//! A code that is not in these tables is pending until its deadline and then a
//! person's business: an unlisted code read as a refusal has cost a customer a
//! payment that went through a minute later.

/// Prompt results that mean "not paid, and never will be by this prompt".
const PROMPT: &[(&str, &str)] = &[
    ("1", "not enough money on the phone"),
    ("2", "below the smallest amount"),
    ("3", "above the largest amount"),
    ("4", "the payer's daily limit is reached"),
    ("8", "the shortcode's balance limit is reached"),
    ("17", "the same amount was asked for a moment ago"),
    ("26", "M-Pesa is too busy"),
    ("1001", "the phone is busy with another payment"),
    ("1019", "the prompt expired"),
    ("1025", "the prompt could not be sent"),
    ("1032", "the payer cancelled"),
    ("1037", "the phone did not answer"),
    ("2001", "wrong PIN"),
    ("2028", "the shortcode does not fit the kind of payment"),
    ("8006", "the payer's PIN is locked"),
    ("9999", "the prompt could not be sent"),
    ("SFC_IC0003", "the shortcode does not exist as this kind"),
];

/// Payout results that mean "not paid out, and never will be under this id".
/// A duplicate id (15) and internal failures (17, 26) are not here: the first
/// request may have paid.
const PAYOUT: &[(&str, &str)] = &[
    ("1", "the utility account has not enough money"),
    ("2", "below the smallest amount"),
    ("3", "above the largest amount"),
    ("4", "the receiver's daily limit is reached"),
    ("8", "the receiver's balance limit is reached"),
    ("11", "the paying shortcode is in an invalid state"),
    ("18", "the initiator's credential was not accepted"),
    ("20", "the initiator is unknown"),
    ("21", "the initiator lacks the role"),
    ("24", "a field is missing"),
    ("25", "a field is wrong"),
    ("29", "the command is wrong"),
    ("2001", "the initiator's password is wrong"),
    ("2006", "the account's status forbids it"),
    ("2028", "the shortcode has no payout product"),
    ("2040", "the receiver is not registered with M-Pesa"),
    ("8006", "the initiator's password is locked"),
    ("SFC_IC0003", "the phone number does not exist"),
];

/// Why a prompt with this result code is closed as not paid; `None` when the
/// code closes nothing.
pub fn prompt_refusal(code: &str) -> Option<&'static str> {
    find(PROMPT, code)
}

/// Why a payout with this result code is closed as not paid; `None` when the
/// code closes nothing.
pub fn payout_refusal(code: &str) -> Option<&'static str> {
    find(PAYOUT, code)
}

fn find(table: &[(&str, &'static str)], code: &str) -> Option<&'static str> {
    table.iter().find(|(listed, _)| *listed == code).map(|(_, meaning)| *meaning)
}

#[cfg(test)]
mod tests {
    use super::{payout_refusal, prompt_refusal};

    #[test]
    fn what_is_not_listed_closes_nothing() {
        for code in ["0", "4999", "500.001.1001", "1031", "1036", "", "01032", "R000001"] {
            assert_eq!(prompt_refusal(code), None, "{code}");
        }
        for code in ["0", "15", "17", "26", "1032", "TP40153"] {
            assert_eq!(payout_refusal(code), None, "{code}");
        }
    }

    #[test]
    fn the_common_refusals_are_final() {
        for code in ["1", "1032", "1037", "2001", "SFC_IC0003"] {
            assert!(prompt_refusal(code).is_some(), "{code}");
        }
    }
}
