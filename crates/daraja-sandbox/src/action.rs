//! What can go wrong on order, and how it is written: `lose`, `duplicate:3`,
//! `shape:without=PhoneNumber`, several callback actions joined by `+`.

use crate::refusal::Refusal;
use crate::shape::Shape;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// The answer to a request for a token.
    OauthResponse,
    /// The answer to an STK Push.
    StkResponse,
    /// The answer to a payout request.
    B2cResponse,
    /// The answer to a transaction status request.
    StatusResponse,
    /// The answer to an account balance request.
    BalanceResponse,
    /// The answer to a reversal request.
    ReversalResponse,
    /// The answer to a B2B request.
    B2bResponse,
    /// The answer to a registration of C2B addresses, or a simulated payment.
    C2bRegisterResponse,
    /// The answer to a pull registration or query.
    PullResponse,
    /// The answer to a QR request.
    QrResponse,
    /// The answer to an STK query.
    Query,
    /// The callback of an STK Push.
    StkCallback,
    /// The C2B confirmation.
    C2b,
    /// The C2B validation request.
    C2bValidation,
    /// The result of a payout.
    B2cCallback,
    /// The result of a transaction status request.
    StatusCallback,
    /// The result of an account balance request.
    BalanceCallback,
    /// The result of a reversal.
    ReversalCallback,
    /// The result of a B2B request.
    B2bCallback,
    /// The notice to a queue timeout address.
    TimeoutCallback,
    /// How a prompt ends.
    Stk,
    /// How a payout ends.
    B2c,
    /// How a transaction status request ends.
    Status,
    /// How an account balance request ends.
    Balance,
    /// How a reversal ends.
    Reversal,
    /// How a B2B request ends.
    B2b,
}

/// The kinds of targets: what is possible for one is possible for all of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Group {
    Response,
    Query,
    Callback,
    Validation,
    Prompt,
    Outcome,
}

impl Target {
    fn group(self) -> Group {
        match self {
            Self::OauthResponse
            | Self::StkResponse
            | Self::B2cResponse
            | Self::StatusResponse
            | Self::BalanceResponse
            | Self::ReversalResponse
            | Self::B2bResponse
            | Self::C2bRegisterResponse
            | Self::PullResponse
            | Self::QrResponse => Group::Response,
            Self::Query => Group::Query,
            Self::StkCallback
            | Self::C2b
            | Self::B2cCallback
            | Self::StatusCallback
            | Self::BalanceCallback
            | Self::ReversalCallback
            | Self::B2bCallback
            | Self::TimeoutCallback => Group::Callback,
            Self::C2bValidation => Group::Validation,
            Self::Stk => Group::Prompt,
            Self::B2c | Self::Status | Self::Balance | Self::Reversal | Self::B2b => Group::Outcome,
        }
    }

    /// Whether something is called back after this answer.
    fn has_callback(self) -> bool {
        matches!(
            self,
            Self::StkResponse
                | Self::B2cResponse
                | Self::StatusResponse
                | Self::BalanceResponse
                | Self::ReversalResponse
                | Self::B2bResponse
        )
    }
}

/// An answer that is not the one the request deserves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Odd(&'static str);

/// The names of odd answers.
const ODD: [&str; 14] = [
    "busy",
    "spike_arrest",
    "quota",
    "internal",
    "maintenance",
    "system_internal",
    "locked",
    "merchant",
    "duplicate",
    "duplicate_200",
    "html_503",
    "html_502",
    "empty_500",
    "empty_400",
];

/// An odd answer, ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Canned {
    /// Daraja's error envelope.
    Envelope(Refusal),
    /// HTTP status, content type, body.
    Raw(u16, &'static str, String),
}

impl Odd {
    /// The answer.
    pub fn canned(self) -> Canned {
        let envelope = |status, code, message: &str| Canned::Envelope(Refusal::new(status, code, message));
        let html = |status: u16, title: &str| {
            let page =
                format!("<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>");
            Canned::Raw(status, "text/html", page)
        };
        match self.0 {
            "spike_arrest" => Canned::Envelope(Refusal::spike_arrest()),
            "quota" => envelope(500, "500.003.03", "Error Occurred: Quota Violation"),
            "internal" => envelope(500, "500.003.1001", "Internal Server Error"),
            "maintenance" => envelope(
                500,
                "500.002.1001",
                "Service is currently under maintenance. Please try again later",
            ),
            "system_internal" => envelope(500, "500.002.1001", "System internal error."),
            "locked" => Canned::Envelope(Refusal::subscriber_locked()),
            "merchant" => Canned::Envelope(Refusal::no_such_merchant()),
            "duplicate" => Canned::Envelope(Refusal::duplicate_originator()),
            "duplicate_200" => {
                let body = serde_json::json!({"ResponseCode": "1", "ResponseDescription": "Duplicate OriginatorConversationID."});
                Canned::Raw(200, "application/json", body.to_string())
            }
            "html_503" => html(503, "503 Service Temporarily Unavailable"),
            "html_502" => html(502, "502 Bad Gateway"),
            "empty_500" => Canned::Raw(500, "application/json", String::new()),
            "empty_400" => Canned::Raw(400, "application/json", String::new()),
            _ => Canned::Envelope(Refusal::busy()),
        }
    }
}

/// How it goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// It never comes. What was asked for happens.
    Lose,
    /// The request gets lost: nothing happens, nothing is answered.
    Drop,
    /// What was asked for happens, and its callback comes before the answer.
    CallbackFirst,
    /// The token ends at this moment; nothing happens.
    InvalidToken,
    /// Nothing happens, and this is answered.
    Refuse(Odd),
    /// What was asked for happens, and yet this is answered.
    Fail(Odd),
    /// A callback comes this often.
    Duplicate(u32),
    /// A callback comes this many seconds later.
    DelayS(u32),
    /// A callback goes out after the next one of anybody.
    Reorder,
    /// A callback looks otherwise.
    Shape(Shape),
    /// A query answers "still under processing" (4999).
    Pending,
    /// A query answers "The transaction is being processed".
    Processing,
    /// A query answers 200 with `500.001.1001` and no text.
    Empty,
    /// A query answers "Invalid CheckoutRequestID".
    TooEarly,
    /// A query answers "The transaction does not Exist".
    Unknown,
    /// A query says the opposite.
    Contradict,
    /// It ends with this code; no money moves.
    Result(String),
    /// A prompt ends 1037, and this many seconds later it is paid after all.
    PaysLateS(u32),
    /// The queue timeout address hears of it; nothing happens, no result comes.
    Timeout,
    /// The queue timeout address hears of it; it happens, no result comes.
    TimeoutDone,
    /// The queue timeout address hears of it; it happens, and the result comes
    /// this many seconds later.
    TimeoutThenResultS(u32),
}

/// The most copies of one callback.
const MOST_COPIES: u32 = 20;
/// The longest delay, in seconds: a week.
const LONGEST_DELAY_S: u32 = 7 * 86_400;

impl Action {
    fn fits(&self, target: Target) -> bool {
        let group = target.group();
        match self {
            Self::Lose => {
                matches!(group, Group::Response | Group::Query | Group::Callback | Group::Validation)
            }
            Self::Drop | Self::Refuse(_) | Self::Fail(_) => matches!(group, Group::Response | Group::Query),
            Self::InvalidToken => {
                matches!(group, Group::Response | Group::Query) && target != Target::OauthResponse
            }
            Self::CallbackFirst => target.has_callback(),
            Self::Duplicate(_) | Self::DelayS(_) | Self::Reorder | Self::Shape(_) => group == Group::Callback,
            Self::Pending
            | Self::Processing
            | Self::Empty
            | Self::TooEarly
            | Self::Unknown
            | Self::Contradict => group == Group::Query,
            Self::Result(_) => matches!(group, Group::Prompt | Group::Outcome),
            Self::PaysLateS(_) => group == Group::Prompt,
            Self::Timeout | Self::TimeoutDone | Self::TimeoutThenResultS(_) => group == Group::Outcome,
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lose => f.write_str("lose"),
            Self::Drop => f.write_str("drop"),
            Self::CallbackFirst => f.write_str("callback_first"),
            Self::InvalidToken => f.write_str("invalid_token"),
            Self::Refuse(odd) => write!(f, "refuse:{}", odd.0),
            Self::Fail(odd) => write!(f, "fail:{}", odd.0),
            Self::Duplicate(copies) => write!(f, "duplicate:{copies}"),
            Self::DelayS(seconds) => write!(f, "delay_s:{seconds}"),
            Self::Reorder => f.write_str("reorder"),
            Self::Shape(shape) => write!(f, "shape:{shape}"),
            Self::Pending => f.write_str("pending"),
            Self::Processing => f.write_str("processing"),
            Self::Empty => f.write_str("empty"),
            Self::TooEarly => f.write_str("too_early"),
            Self::Unknown => f.write_str("unknown"),
            Self::Contradict => f.write_str("contradict"),
            Self::Result(code) => write!(f, "result:{code}"),
            Self::PaysLateS(seconds) => write!(f, "pays_late_s:{seconds}"),
            Self::Timeout => f.write_str("timeout"),
            Self::TimeoutDone => f.write_str("timeout_done"),
            Self::TimeoutThenResultS(seconds) => write!(f, "timeout_then_result_s:{seconds}"),
        }
    }
}

impl FromStr for Action {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, value) = text.split_once(':').map_or((text, ""), |(name, value)| (name, value.trim()));
        let odd = || {
            let known = ODD.iter().find(|known| **known == value);
            known.map(|known| Odd(known)).ok_or_else(|| format!("`{value}` is none of {}", ODD.join(", ")))
        };
        let number = |least: u32, most: u32| {
            let number = value.parse().ok().filter(|number| (least..=most).contains(number));
            number.ok_or_else(|| format!("`{name}` takes a number from {least} to {most}, not `{value}`"))
        };
        let action = match name {
            "lose" => Self::Lose,
            "drop" => Self::Drop,
            "callback_first" => Self::CallbackFirst,
            "invalid_token" => Self::InvalidToken,
            "refuse" => return Ok(Self::Refuse(odd()?)),
            "fail" => return Ok(Self::Fail(odd()?)),
            "duplicate" if value.is_empty() => return Ok(Self::Duplicate(2)),
            "duplicate" => return Ok(Self::Duplicate(number(2, MOST_COPIES)?)),
            "delay_s" => return Ok(Self::DelayS(number(1, LONGEST_DELAY_S)?)),
            "reorder" => Self::Reorder,
            "shape" => return value.parse().map(Self::Shape),
            "pending" => Self::Pending,
            "processing" => Self::Processing,
            "empty" => Self::Empty,
            "too_early" => Self::TooEarly,
            "unknown" => Self::Unknown,
            "spike_arrest" => return Ok(Self::Refuse(Odd("spike_arrest"))),
            "contradict" => Self::Contradict,
            "result" => {
                let plain = (1..=20).contains(&value.len())
                    && value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'.');
                return if plain && value != "0" {
                    Ok(Self::Result(value.to_owned()))
                } else {
                    Err(format!("`{value}` is no result code of a failure"))
                };
            }
            "pays_late_s" => return Ok(Self::PaysLateS(number(1, LONGEST_DELAY_S)?)),
            "timeout" => Self::Timeout,
            "timeout_done" => Self::TimeoutDone,
            "timeout_then_result_s" => return Ok(Self::TimeoutThenResultS(number(1, LONGEST_DELAY_S)?)),
            other => return Err(format!("there is no action `{other}`")),
        };
        if value.is_empty() { Ok(action) } else { Err(format!("`{name}` takes no value")) }
    }
}

/// One action, or several for one callback.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Actions(Vec<Action>);

impl Actions {
    /// The actions, in the order written.
    pub fn iter(&self) -> impl Iterator<Item = &Action> {
        self.0.iter()
    }

    /// Why these cannot happen to this target.
    pub fn check(&self, target: Target) -> Result<(), String> {
        if self.0.len() > 1 && target.group() != Group::Callback {
            return Err("only a callback can suffer several things at once".to_owned());
        }
        match self.0.iter().find(|action| !action.fits(target)) {
            None => Ok(()),
            Some(action) => Err(format!("`{action}` cannot happen to this target; {}", possible(target))),
        }
    }
}

fn possible(target: Target) -> &'static str {
    match target.group() {
        Group::Response => {
            "an answer can: lose, drop, callback_first (where something is called back), invalid_token, refuse:NAME, fail:NAME"
        }
        Group::Query => {
            "a query can: pending, processing, empty, too_early, unknown, spike_arrest, contradict, lose, drop, invalid_token, refuse:NAME, fail:NAME"
        }
        Group::Callback => "a callback can: lose, duplicate:N, delay_s:N, reorder, shape:X, joined by +",
        Group::Validation => "a validation request can: lose",
        Group::Prompt => "a prompt can: result:CODE, pays_late_s:N",
        Group::Outcome => "an outcome can be: result:CODE, timeout, timeout_done, timeout_then_result_s:N",
    }
}

impl fmt::Display for Actions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (nth, action) in self.0.iter().enumerate() {
            write!(f, "{}{action}", if nth > 0 { "+" } else { "" })?;
        }
        Ok(())
    }
}

impl From<Actions> for String {
    fn from(actions: Actions) -> Self {
        actions.to_string()
    }
}

impl TryFrom<String> for Actions {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.split('+').map(|part| part.trim().parse()).collect::<Result<_, _>>().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::{Actions, Target};
    use proptest::prelude::*;

    fn actions(text: &str) -> Result<Actions, String> {
        Actions::try_from(text.to_owned())
    }

    #[test]
    fn each_way_of_writing_is_read_back_as_it_was_written() {
        for text in [
            "lose",
            "drop",
            "callback_first",
            "invalid_token",
            "refuse:busy",
            "fail:html_503",
            "duplicate:3",
            "delay_s:30",
            "reorder",
            "shape:strings",
            "shape:without=PhoneNumber",
            "pending",
            "processing",
            "empty",
            "too_early",
            "unknown",
            "contradict",
            "result:SFC_IC0003",
            "pays_late_s:90",
            "timeout",
            "timeout_done",
            "timeout_then_result_s:60",
            "duplicate:3+delay_s:30+shape:code=1032",
        ] {
            assert_eq!(actions(text).unwrap().to_string(), text);
        }
        assert_eq!(actions("duplicate").unwrap().to_string(), "duplicate:2");
        assert_eq!(actions("spike_arrest").unwrap().to_string(), "refuse:spike_arrest");
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        for (text, complaint) in [
            ("explode", "there is no action `explode`"),
            ("duplicate:1", "from 2 to 20"),
            ("delay_s:soon", "from 1 to"),
            ("refuse:politely", "is none of busy"),
            ("result:0", "no result code of a failure"),
            ("lose:2", "takes no value"),
            ("lose+", "there is no action ``"),
        ] {
            let error = actions(text).unwrap_err();
            assert!(error.contains(complaint), "{text}: {error}");
        }
    }

    #[test]
    fn an_action_must_fit_its_target() {
        for (text, target, fits) in [
            ("lose", Target::StkResponse, true),
            ("lose", Target::Stk, false),
            ("delay_s:5", Target::StkResponse, false),
            ("callback_first", Target::B2cResponse, true),
            ("callback_first", Target::QrResponse, false),
            ("invalid_token", Target::OauthResponse, false),
            ("pending", Target::Query, true),
            ("duplicate+shape:html", Target::C2b, true),
            ("lose+drop", Target::Query, false),
            ("timeout", Target::B2c, true),
            ("timeout", Target::Stk, false),
        ] {
            assert_eq!(actions(text).unwrap().check(target).is_ok(), fits, "{text} {target:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_an_action_or_a_complaint(text in ".{0,40}") {
            if let Ok(read) = actions(&text) {
                prop_assert_eq!(actions(&read.to_string()).unwrap(), read);
            }
        }
    }
}
