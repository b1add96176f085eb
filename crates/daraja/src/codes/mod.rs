//! The closed list of codes that close a request.
//!
//! A code that is not in these tables is pending until its deadline and then a
//! person's business: an unlisted code read as a refusal has cost a customer a
//! payment that went through a minute later. Each family of requests has its own
//! table, because one code means different things in two of them (`2001` is a
//! payer's wrong PIN, or an API user's wrong password).

mod tables;

use tables::{FLOAT, PAYOUT, PROMPT, QUESTION, REVERSAL};

/// Result of a reversal whose receipt was reversed before: the money is back.
pub(crate) const REVERSED_BEFORE: &str = "R000001";

/// A code that closes a request as not done, and never will be by this request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// M-Pesa's code.
    pub code: &'static str,
    /// Why.
    pub reason: Reason,
    /// Whether asking anew is sensible.
    pub retry: Retry,
    /// What to tell the person concerned, in English: what happened, what to do.
    pub told_en: &'static str,
    /// The same in Kiswahili.
    pub told_sw: &'static str,
}

/// Why M-Pesa refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The payer has not enough money.
    PayerShort,
    /// The amount is below or above what M-Pesa takes.
    Amount,
    /// A daily or balance limit of the person is reached.
    PersonLimit,
    /// Our shortcode's balance limit is reached: the operator must sweep it.
    ShortcodeLimit,
    /// M-Pesa or the phone is busy with something else.
    Busy,
    /// The person said no.
    Cancelled,
    /// The person did not answer, or could not be reached.
    NoAnswer,
    /// The prompt could not be sent.
    NotSent,
    /// The payer's PIN was wrong or is locked.
    Pin,
    /// The number has no M-Pesa that could receive.
    Receiver,
    /// Our own account lacks the money: the operator must move float.
    OwnFunds,
    /// Our API user is unknown, locked, lacks a role, or its password is wrong.
    /// Asking on would lock it.
    Initiator,
    /// Our set-up does not fit: shortcode, product or fields.
    Setup,
}

/// Whether asking anew is sensible.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Retry {
    /// At once, if the person wants to.
    Now,
    /// Not before this many seconds.
    After(u32),
    /// When the person has changed something: money, PIN, number or amount.
    PersonFirst,
    /// When the operator has mended something.
    OperatorFirst,
}

/// Why a prompt with this result code is closed as not paid; `None` when the
/// code closes nothing.
pub fn prompt_refusal(code: &str) -> Option<&'static Refusal> {
    find(PROMPT, code)
}

/// Why a payout with this result code is closed as not paid; `None` when the
/// code closes nothing. A duplicate id (15) and internal failures (17, 26) are not
/// listed: the first request may have paid.
pub fn payout_refusal(code: &str) -> Option<&'static Refusal> {
    find(PAYOUT, code)
}

/// Why a question of status or balance is closed without an answer.
pub fn ask_refusal(code: &str) -> Option<&'static Refusal> {
    find(QUESTION, code)
}

/// Why a reversal is closed as not done. `R000001`, reversed before, is no
/// refusal.
pub fn reversal_refusal(code: &str) -> Option<&'static Refusal> {
    find(REVERSAL, code).or_else(|| find(QUESTION, code))
}

/// Why a transfer of float is closed as not done.
pub fn float_refusal(code: &str) -> Option<&'static Refusal> {
    find(FLOAT, code).or_else(|| find(QUESTION, code))
}

fn find(table: &'static [Refusal], code: &str) -> Option<&'static Refusal> {
    table.iter().find(|refusal| refusal.code == code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn what_is_not_listed_closes_nothing() {
        for code in ["0", "4999", "500.001.1001", "1031", "1036", "", "01032", "R000001"] {
            assert_eq!(prompt_refusal(code), None, "{code}");
        }
        for code in ["0", "15", "17", "26", "1032", "TP40153"] {
            assert_eq!(payout_refusal(code), None, "{code}");
            assert_eq!(float_refusal(code), None, "{code}");
            assert_eq!(reversal_refusal(code), None, "{code}");
        }
        assert_eq!(ask_refusal("17"), None);
        assert_eq!(reversal_refusal(REVERSED_BEFORE), None, "it is done, not refused");
    }

    #[test]
    fn the_common_refusals_are_final() {
        for code in ["1", "1032", "1037", "2001", "SFC_IC0003"] {
            assert!(prompt_refusal(code).is_some(), "{code}");
        }
    }

    #[test]
    fn one_code_means_two_things_in_two_families() {
        assert_eq!(prompt_refusal("2001").unwrap().reason, Reason::Pin);
        assert_eq!(payout_refusal("2001").unwrap().reason, Reason::Initiator);
        assert_eq!(prompt_refusal("1").unwrap().reason, Reason::PayerShort);
        assert_eq!(payout_refusal("1").unwrap().reason, Reason::OwnFunds);
    }

    #[test]
    fn every_code_is_listed_once_and_tells_the_person_something_in_both_languages() {
        for table in [PROMPT, PAYOUT, QUESTION, REVERSAL, FLOAT] {
            let mut seen = HashSet::new();
            for refusal in table {
                assert!(seen.insert(refusal.code), "{} twice", refusal.code);
                for told in [refusal.told_en, refusal.told_sw] {
                    assert!(told.ends_with('.') && told.len() > 20, "{}: {told}", refusal.code);
                }
                assert_ne!(refusal.told_en, refusal.told_sw);
            }
        }
    }

    #[test]
    fn nobody_is_asked_to_repeat_what_would_lock_the_initiator() {
        for refusal in [PAYOUT, QUESTION].concat() {
            if refusal.reason == Reason::Initiator {
                assert_eq!(refusal.retry, Retry::OperatorFirst, "{}", refusal.code);
            }
        }
    }
}
