//! The texts of results: transaction status, account balance, reversal, B2B,
//! and the notice of a queue timeout.

use super::bodies::{code_value, decimal, quote};
use crate::book::{Account, Purse};
use crate::nairobi::Local;
use jirani_units::{Cents, Timestamp};

/// Parameters of a result in order: a name, and a value ready to be written as
/// JSON; an item without value has a name only.
pub type Parameters = Vec<(&'static str, Option<String>)>;

/// The text of a result code, as results word it.
pub fn text(code: &str) -> &'static str {
    match code {
        "0" => "The service request is processed successfully.",
        "1" => "The balance is insufficient for the transaction.",
        "2" => "The amount is less than the minimum allowed.",
        "3" => "The amount is more than the maximum allowed.",
        "4" => "The receiver would exceed the daily limit.",
        "8" => "The receiver would exceed the maximum balance.",
        "11" => "The DebitParty is in an invalid state.",
        "21" => "The initiator is not allowed to initiate this request.",
        "25" => "The request has an invalid parameter.",
        "26" => "System is busy.",
        "2001" => "The initiator information is invalid.",
        "2006" => "Declined due to account rule: the account status does not allow this transaction.",
        "2028" => "The request is not permitted according to product assignment.",
        "2040" => "The receiver is not a registered customer.",
        "8006" => "The security credential is locked.",
        "SFC_IC0003" => "The operator does not exist.",
        "R000001" => "The transaction has already been reversed.",
        "R000002" => "The OriginalTransactionID is invalid.",
        _ => "The transaction failed.",
    }
}

/// `20261003131522`, a number.
pub fn stamp(at: Timestamp) -> String {
    Local::at(at).stamp()
}

/// The account balance string, as JSON text.
pub fn accounts(working: Cents, utility: Cents, charges: Cents) -> String {
    let line = |name: &str, cents: Cents| {
        let amount = decimal(cents);
        format!("{name} Account|KES|{amount}|{amount}|0.00|0.00")
    };
    let lines = [
        line("Working", working),
        line("Float", Cents::ZERO),
        line("Utility", utility),
        line("Charges Paid", charges),
        line("Organization Settlement", Cents::ZERO),
    ];
    quote(&lines.join("&"))
}

/// The account as balance strings name it.
pub fn account_name(account: &Account) -> &'static str {
    match account {
        Account::Shortcode(_, Purse::Working) => "Working Account",
        Account::Shortcode(_, Purse::Utility) => "Utility Account",
        Account::Shortcode(_, Purse::Charges) => "Charges Paid Account",
        _ => "MMF Account",
    }
}

/// The parameters of a B2B payment.
pub fn moved(from: &Account, left: Cents, amount: Cents, at: Timestamp, receiver: &str) -> Parameters {
    let braces =
        format!("{{Amount={{CurrencyCode=KES, MinimumAmount={}, BasicAmount={}}}}}", left.0, decimal(left));
    let affected = format!("{}|KES|{1}|{1}|0.00|0.00", account_name(from), decimal(left));
    vec![
        ("DebitAccountBalance", Some(quote(&braces))),
        ("Amount", Some(quote(&decimal(amount)))),
        ("DebitPartyAffectedAccountBalance", Some(quote(&affected))),
        ("TransCompletedTime", Some(quote(&stamp(at)))),
        ("DebitPartyCharges", Some(quote(""))),
        ("ReceiverPartyPublicName", Some(quote(receiver))),
        ("Currency", Some(quote("KES"))),
        ("InitiatorAccountCurrentBalance", Some(quote(&braces))),
    ]
}

/// What every result tells.
pub struct ResultOf<'a> {
    /// Whether type and code are text.
    pub as_text: bool,
    /// Result code.
    pub code: &'a str,
    /// Its words.
    pub words: &'a str,
    /// The client's id, or what stands for it.
    pub originator_id: &'a str,
    /// M-Pesa's id.
    pub conversation_id: &'a str,
    /// The receipt, or a filler.
    pub transaction_id: &'a str,
    /// Left out when empty.
    pub parameters: &'a Parameters,
    /// A B2B payment's account reference.
    pub reference: Option<&'a str>,
    /// The queue timeout address.
    pub timeout_url: &'a str,
}

/// A result.
pub fn result(of: &ResultOf<'_>) -> String {
    let (kind, code) =
        if of.as_text { (quote("0"), quote(of.code)) } else { ("0".to_owned(), code_value(of.code)) };
    let items: Vec<String> = of
        .parameters
        .iter()
        .map(|(name, value)| match value {
            Some(value) => format!(r#"{{"Key":"{name}","Value":{value}}}"#),
            None => format!(r#"{{"Key":"{name}"}}"#),
        })
        .collect();
    let parameters = if items.is_empty() {
        String::new()
    } else {
        format!(r#","ResultParameters":{{"ResultParameter":[{}]}}"#, items.join(","))
    };
    let timeout = format!(r#"{{"Key":"QueueTimeoutURL","Value":{}}}"#, quote(of.timeout_url));
    let reference = match of.reference {
        Some(reference) => {
            format!(r#"[{{"Key":"BillReferenceNumber","Value":{}}},{timeout}]"#, quote(reference))
        }
        None => timeout,
    };
    format!(
        r#"{{"Result":{{"ResultType":{kind},"ResultCode":{code},"ResultDesc":{},"OriginatorConversationID":{},"ConversationID":{},"TransactionID":{}{parameters},"ReferenceData":{{"ReferenceItem":{reference}}}}}}}"#,
        quote(of.words),
        quote(of.originator_id),
        quote(of.conversation_id),
        quote(of.transaction_id),
    )
}

/// What the queue timeout address is told. The real body is documented
/// nowhere; this one has the ids and no result code, for it is no result.
pub fn queue_timeout(originator_id: &str, conversation_id: &str) -> String {
    format!(
        r#"{{"Result":{{"ResultType":1,"ResultDesc":"The request timed out in the queue.","OriginatorConversationID":{},"ConversationID":{},"TransactionID":""}}}}"#,
        quote(originator_id),
        quote(conversation_id),
    )
}

#[cfg(test)]
mod tests {
    use super::{ResultOf, accounts, queue_timeout, result};
    use jirani_units::Cents;
    use serde_json::{Value, json};

    #[test]
    fn balances_are_one_text() {
        let text: String = serde_json::from_str(&accounts(Cents(70_000), Cents(1), Cents(-154_000))).unwrap();
        let lines: Vec<&str> = text.split('&').collect();
        assert_eq!(lines[0], "Working Account|KES|700.00|700.00|0.00|0.00");
        assert_eq!(lines[2], "Utility Account|KES|0.01|0.01|0.00|0.00");
        assert_eq!(lines[3], "Charges Paid Account|KES|-1540.00|-1540.00|0.00|0.00");
        assert_eq!(lines.len(), 5);
    }

    #[test]
    fn a_result_may_have_text_for_a_code_and_items_without_values() {
        let parameters = vec![("TransactionReason", None), ("Amount", Some("\"5.00\"".to_owned()))];
        let of = ResultOf {
            as_text: false,
            code: "SFC_IC0003",
            words: "no \" such",
            originator_id: "a",
            conversation_id: "b",
            transaction_id: "c",
            parameters: &parameters,
            reference: Some("r"),
            timeout_url: "http://t",
        };
        let json: Value = serde_json::from_str(&result(&of)).unwrap();
        assert_eq!(json["Result"]["ResultCode"], "SFC_IC0003");
        assert_eq!(
            json["Result"]["ResultParameters"]["ResultParameter"][0],
            json!({"Key": "TransactionReason"})
        );
        assert_eq!(json["Result"]["ReferenceData"]["ReferenceItem"][0]["Value"], "r");
        let text: Value =
            serde_json::from_str(&result(&ResultOf { as_text: true, code: "0", ..of })).unwrap();
        assert_eq!(text["Result"]["ResultCode"], "0");
        let notice: Value = serde_json::from_str(&queue_timeout("po-1", "AG_1")).unwrap();
        assert_eq!(notice["Result"]["OriginatorConversationID"], "po-1");
        assert_eq!(notice["Result"].get("ResultCode"), None);
    }
}
