//! The texts M-Pesa sends: callback bodies and messages to phones.
//!
//! Written by hand rather than through a serializer, so that amounts look as
//! in real ones (`120.00`) without ever being floats.

use crate::nairobi::Local;
use jirani_units::{Cents, Msisdn, Timestamp};
use serde_json::Value;

/// JSON text.
pub fn quote(text: &str) -> String {
    Value::from(text).to_string()
}

/// A number where the code is one, else text, as in `"SFC_IC0003"`.
pub fn code_value(code: &str) -> String {
    code.parse::<u32>().map_or_else(|_| quote(code), |number| number.to_string())
}

/// `120.00`, `-45.00`.
pub fn decimal(amount: Cents) -> String {
    let (sign, cents) = (if amount.0 < 0 { "-" } else { "" }, amount.0.unsigned_abs());
    format!("{sign}{}.{:02}", cents / 100, cents % 100)
}

/// `2547 ***** 126`.
pub fn masked(msisdn: Msisdn) -> String {
    let number = msisdn.number();
    format!("{} ***** {:03}", number / 100_000_000, number % 1_000)
}

/// What a paid prompt's callback tells.
pub struct PaidItems<'a> {
    pub receipt: &'a str,
    pub amount: Cents,
    pub at: Timestamp,
    pub msisdn: Msisdn,
}

/// The callback of an STK Push.
pub fn stk(
    (merchant_id, checkout_id): (&str, &str),
    (code, description): (&str, &str),
    paid: Option<PaidItems<'_>>,
) -> String {
    let metadata = paid.map_or(String::new(), |paid| {
        format!(
            r#","CallbackMetadata":{{"Item":[{{"Name":"Amount","Value":{}}},{{"Name":"MpesaReceiptNumber","Value":{}}},{{"Name":"Balance"}},{{"Name":"TransactionDate","Value":{}}},{{"Name":"PhoneNumber","Value":{}}}]}}"#,
            decimal(paid.amount),
            quote(paid.receipt),
            Local::at(paid.at).stamp(),
            paid.msisdn.number(),
        )
    });
    format!(
        r#"{{"Body":{{"stkCallback":{{"MerchantRequestID":{},"CheckoutRequestID":{},"ResultCode":{},"ResultDesc":{}{metadata}}}}}}}"#,
        quote(merchant_id),
        quote(checkout_id),
        code_value(code),
        quote(description),
    )
}

/// What a C2B confirmation tells.
pub struct Confirmation<'a> {
    pub receipt: &'a str,
    pub at: Timestamp,
    pub amount: Cents,
    pub shortcode: &'a str,
    pub reference: &'a str,
    /// What the shortcode holds; unknown in validation requests.
    pub funds: Option<Cents>,
    /// The phone as this version of the API writes it.
    pub phone: String,
    /// Whether it is for a till.
    pub buy_goods: bool,
    pub name: &'a str,
}

/// A C2B confirmation or validation request.
pub fn confirmation(told: &Confirmation<'_>) -> String {
    let first = told.name.split(' ').next().unwrap_or_default();
    format!(
        r#"{{"TransactionType":"{}","TransID":{},"TransTime":"{}","TransAmount":"{}","BusinessShortCode":{},"BillRefNumber":{},"InvoiceNumber":"","OrgAccountBalance":"{}","ThirdPartyTransID":"","MSISDN":"{}","FirstName":{},"MiddleName":"","LastName":""}}"#,
        if told.buy_goods { "Buy Goods" } else { "Pay Bill" },
        quote(told.receipt),
        Local::at(told.at).stamp(),
        decimal(told.amount),
        quote(told.shortcode),
        quote(told.reference),
        told.funds.map(decimal).unwrap_or_default(),
        told.phone,
        quote(first),
    )
}

/// What every payout result tells.
pub struct PayoutIds<'a> {
    pub originator_id: &'a str,
    pub conversation_id: &'a str,
    pub transaction_id: &'a str,
    pub timeout_url: &'a str,
}

/// What a paid payout's result tells.
pub struct PaidOut<'a> {
    pub shillings: i64,
    pub msisdn: Msisdn,
    pub name: &'a str,
    pub at: Timestamp,
    pub utility: Cents,
    pub working: Cents,
    pub charges: Cents,
}

/// The result of a payout.
pub fn payout(ids: &PayoutIds<'_>, (code, description): (&str, &str), paid: Option<&PaidOut<'_>>) -> String {
    let parameters = paid.map_or(String::new(), |paid| {
        let item = |key: &str, value: String| format!(r#"{{"Key":"{key}","Value":{value}}}"#);
        let receiver = quote(&format!("{} - {}", paid.msisdn.number(), paid.name));
        let items = [
            item("TransactionAmount", paid.shillings.to_string()),
            item("TransactionReceipt", quote(ids.transaction_id)),
            item("ReceiverPartyPublicName", receiver),
            item("TransactionCompletedDateTime", quote(&Local::at(paid.at).dotted())),
            item("B2CUtilityAccountAvailableFunds", decimal(paid.utility)),
            item("B2CWorkingAccountAvailableFunds", decimal(paid.working)),
            item("B2CRecipientIsRegisteredCustomer", quote("Y")),
            item("B2CChargesPaidAccountAvailableFunds", decimal(paid.charges)),
        ];
        format!(r#","ResultParameters":{{"ResultParameter":[{}]}}"#, items.join(","))
    });
    format!(
        r#"{{"Result":{{"ResultType":0,"ResultCode":{},"ResultDesc":{},"OriginatorConversationID":{},"ConversationID":{},"TransactionID":{}{parameters},"ReferenceData":{{"ReferenceItem":{{"Key":"QueueTimeoutURL","Value":{}}}}}}}}}"#,
        code_value(code),
        quote(description),
        quote(ids.originator_id),
        quote(ids.conversation_id),
        quote(ids.transaction_id),
        quote(ids.timeout_url),
    )
}

/// `1,234.50`, without the currency.
pub fn grouped(amount: Cents) -> String {
    amount.to_string().replacen("KSh ", "", 1)
}

/// The message after a payment.
pub fn paid_message(
    receipt: &str,
    amount: Cents,
    business: &str,
    reference: &str,
    at: Timestamp,
    (balance, cost): (Cents, Cents),
) -> String {
    format!(
        "{receipt} Confirmed. Ksh{} sent to {} for account {reference} on {} New M-PESA balance is Ksh{}. \
         Transaction cost, Ksh{}.",
        grouped(amount),
        business.to_uppercase(),
        Local::at(at).message(),
        grouped(balance),
        grouped(cost),
    )
}

/// The message after a reversal.
pub fn reversed_message(
    receipt: &str,
    original: &str,
    amount: Cents,
    at: Timestamp,
    balance: Cents,
) -> String {
    format!(
        "{receipt} Confirmed. Transaction {original} of Ksh{} was reversed on {}. Your account balance is now Ksh{}.",
        grouped(amount),
        Local::at(at).message(),
        grouped(balance),
    )
}

/// The message after a payout.
pub fn received_message(
    receipt: &str,
    amount: Cents,
    business: &str,
    at: Timestamp,
    balance: Cents,
) -> String {
    format!(
        "{receipt} Confirmed. You have received Ksh{} from {} on {}. New M-PESA balance is Ksh{}.",
        grouped(amount),
        business.to_uppercase(),
        Local::at(at).message(),
        grouped(balance),
    )
}

#[cfg(test)]
mod tests {
    use super::{Confirmation, PaidItems, PaidOut, PayoutIds, confirmation, masked, payout, stk};
    use jirani_units::{Cents, Msisdn, Timestamp};
    use serde_json::{Value, json};

    fn parts() -> (Timestamp, Msisdn) {
        ("2026-10-03T10:15:22Z".parse().unwrap_or_default(), "0712000126".parse().unwrap())
    }

    #[test]
    fn a_paid_prompt_is_told_with_amounts_as_m_pesa_writes_them() {
        let (at, msisdn) = parts();
        let paid = PaidItems { receipt: "UJ32ABCDEF", amount: Cents(12_000), at, msisdn };
        let body = stk(("7a1c", "ws_CO_1"), ("0", "ok"), Some(paid));
        assert!(body.contains(r#"{"Name":"Amount","Value":120.00}"#), "{body}");
        let json: Value = serde_json::from_str(&body).unwrap();
        let items = &json["Body"]["stkCallback"]["CallbackMetadata"]["Item"];
        assert_eq!(items[2], json!({"Name": "Balance"}));
        assert_eq!(items[3]["Value"], json!(20_261_003_131_522_u64));
        assert_eq!(items[4]["Value"], json!(254_712_000_126_u64));
    }

    #[test]
    fn a_failure_has_a_number_for_a_code_and_no_metadata() {
        let json: Value = serde_json::from_str(&stk(("a", "b"), ("1032", "x \" y"), None)).unwrap();
        let callback = &json["Body"]["stkCallback"];
        assert_eq!(callback["ResultCode"], json!(1032));
        assert_eq!(callback.get("CallbackMetadata"), None);
    }

    #[test]
    fn a_confirmation_is_all_text_and_hides_the_phone() {
        let (at, msisdn) = parts();
        let body = confirmation(&Confirmation {
            receipt: "UJ32ABCDEF",
            at,
            amount: Cents(12_000),
            shortcode: "600966",
            reference: "ORD\"1",
            funds: Some(Cents(2_500)),
            phone: masked(msisdn),
            buy_goods: false,
            name: "JANE DOE",
        });
        let json: Value = serde_json::from_str(&body).unwrap();
        assert!(json.as_object().unwrap().values().all(Value::is_string));
        assert_eq!(json["MSISDN"], json!("2547 ***** 126"));
        assert_eq!((&json["FirstName"], &json["TransAmount"]), (&json!("JANE"), &json!("120.00")));
    }

    #[test]
    fn a_failed_payout_has_no_parameters() {
        let (at, msisdn) = parts();
        let ids = PayoutIds {
            originator_id: "po-1",
            conversation_id: "AG_1",
            transaction_id: "UJ30000000",
            timeout_url: "http://127.0.0.1/t",
        };
        let failed: Value = serde_json::from_str(&payout(&ids, ("1", "no money"), None)).unwrap();
        assert_eq!(failed["Result"].get("ResultParameters"), None);
        let paid = PaidOut {
            shillings: 850,
            msisdn,
            name: "JANE",
            at,
            utility: Cents(9_021_050),
            working: Cents::ZERO,
            charges: Cents(-4_500),
        };
        let body = payout(&ids, ("0", "ok"), Some(&paid));
        assert!(body.contains(r#""Value":90210.50"#) && body.contains(r#""Value":-45.00"#), "{body}");
        let paid: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(paid["Result"]["ResultParameters"]["ResultParameter"][0]["Value"], json!(850));
    }
}
