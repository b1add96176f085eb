//! Callbacks in every shape on record, and bytes in none.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use jirani_daraja::callback::{
    B2cOutcome, CallbackError, MAX_BODY_BYTES, StkOutcome, parse_b2c, parse_c2b, parse_stk,
};
use jirani_daraja::{Secret, SecurityCredential};
use jirani_units::{Cents, Timestamp};
use proptest::prelude::*;
use serde_json::{Value, json};

fn stk(code: &Value, metadata: Option<&Value>) -> StkOutcome {
    let mut callback = json!({"MerchantRequestID": "7a1c", "CheckoutRequestID": "ws_CO_1", "ResultCode": code,
        "ResultDesc": "text that differs from day to day"});
    if let Some(metadata) = metadata {
        callback["CallbackMetadata"] = metadata.clone();
    }
    let result = parse_stk(json!({"Body": {"stkCallback": callback}}).to_string().as_bytes()).unwrap();
    assert_eq!(result.checkout_request_id, "ws_CO_1");
    result.outcome
}

fn items(items: &Value) -> Value {
    json!({ "Item": items })
}

fn moment() -> Timestamp {
    "2026-10-03T10:15:22Z".parse().unwrap()
}

#[test]
fn a_paid_prompt_reads_the_same_in_every_shape() {
    let paid = StkOutcome::Paid {
        receipt: Some("UJ32ABCDEF".parse().unwrap()),
        amount: Some(Cents(12_000)),
        paid_at: Some(moment()),
    };
    let shapes = [
        json!([{"Name": "Amount", "Value": 120.00}, {"Name": "MpesaReceiptNumber", "Value": "UJ32ABCDEF"},
            {"Name": "Balance"}, {"Name": "TransactionDate", "Value": 20_261_003_131_522_u64},
            {"Name": "PhoneNumber", "Value": 254_712_000_111_u64}]),
        json!([{"Name": "PhoneNumber", "Value": "254712***111"}, {"Name": "TransactionDate", "Value": "20261003131522"},
            {"Name": "MpesaReceiptNumber", "Value": " uj32abcdef "}, {"Name": "Amount", "Value": "120.00"}]),
        json!([{"Name": "Amount", "Value": 120}, {"Name": "MpesaReceiptNumber", "Value": "UJ32ABCDEF"},
            {"Name": "TransactionDate", "Value": "2026-10-03 13:15:22"}, {"Name": "PhoneNumber"}, null, "x"]),
    ];
    for shape in shapes {
        assert_eq!(stk(&json!(0), Some(&items(&shape))), paid, "{shape}");
        assert_eq!(stk(&json!("0"), Some(&items(&shape))), paid);
    }
}

#[test]
fn a_paid_prompt_without_details_is_still_paid() {
    let bare = StkOutcome::Paid { receipt: None, amount: None, paid_at: None };
    for metadata in [
        items(&json!([])),
        items(&json!(null)),
        json!("none"),
        items(&json!([{"Name": "MpesaReceiptNumber"}, {"Name": "Amount", "Value": {}}])),
    ] {
        assert_eq!(stk(&json!(0), Some(&metadata)), bare);
    }
    assert_eq!(stk(&json!(0), None), bare);
    let one = items(&json!({"Name": "MpesaReceiptNumber", "Value": "UJ32ABCDEF"}));
    assert_eq!(
        stk(&json!(0), Some(&one)),
        StkOutcome::Paid { receipt: Some("UJ32ABCDEF".parse().unwrap()), amount: None, paid_at: None }
    );
}

#[test]
fn only_listed_codes_refuse_a_prompt() {
    for (code, text) in [(json!(1032), "1032"), (json!("1032"), "1032"), (json!("SFC_IC0003"), "SFC_IC0003")]
    {
        assert_eq!(stk(&code, None), StkOutcome::Refused { code: text.to_owned() });
    }
    for (code, text) in
        [(json!(4999), "4999"), (json!("4999"), "4999"), (json!(77), "77"), (json!(0.5), "0.5")]
    {
        assert_eq!(stk(&code, None), StkOutcome::Pending { code: text.to_owned() });
    }
}

#[test]
fn a_confirmation_reads_with_masked_hashed_or_plain_phones() {
    for (phone, number) in [
        (json!("2547 ***** 126"), None),
        (json!("b1d1b0c8b6ac0dc7c7d5e9e9e7ddcf0aab55ee1b3f7ac0c7b0b9c0d3a1f2e3d4"), None),
        (json!("254712000111"), Some(254_712_000_111)),
        (json!(254_712_000_111_u64), Some(254_712_000_111)),
        (json!(null), None),
    ] {
        let body = json!({"TransactionType": "Pay Bill", "TransID": "UJ32ABCDEF", "TransTime": "20261003131522",
            "TransAmount": "120.00", "BusinessShortCode": "600966", "BillRefNumber": " abcdefgh2345 ",
            "InvoiceNumber": "", "OrgAccountBalance": "25.00", "ThirdPartyTransID": "", "MSISDN": phone,
            "FirstName": "JANE", "MiddleName": "", "LastName": ""});
        let payment = parse_c2b(body.to_string().as_bytes()).unwrap();
        assert_eq!(payment.receipt.as_str(), "UJ32ABCDEF");
        assert_eq!(payment.amount, Cents(12_000));
        assert_eq!(payment.paid_at, Some(moment()));
        assert_eq!((payment.shortcode.as_str(), payment.bill_reference.as_str()), ("600966", "abcdefgh2345"));
        assert_eq!(payment.msisdn.map(jirani_units::Msisdn::number), number);
    }
}

#[test]
fn a_payout_result_reads_as_list_or_single_object() {
    let many = json!([{"Key": "TransactionAmount", "Value": 850}, {"Key": "TransactionReceipt", "Value": "UJ3AAAAAAA"},
        {"Key": "ReceiverPartyPublicName"}, {"Key": "TransactionCompletedDateTime", "Value": "03.10.2026 13:15:22"},
        {"Key": "B2CUtilityAccountAvailableFunds", "Value": 90210.50}]);
    let body = |code: Value, parameters: Value| {
        json!({"Result": {"ResultType": "0", "ResultCode": code, "ResultDesc": "", "OriginatorConversationID": "po-1",
            "ConversationID": "AG_1", "TransactionID": "UJ3BBBBBBB", "ResultParameters": {"ResultParameter": parameters},
            "ReferenceData": {"ReferenceItem": {"Key": "QueueTimeoutURL"}}}})
        .to_string()
    };
    let result = parse_b2c(body(json!(0), many).as_bytes()).unwrap();
    assert_eq!((result.originator_id.as_str(), result.conversation_id.as_deref()), ("po-1", Some("AG_1")));
    assert_eq!(
        result.outcome,
        B2cOutcome::Paid {
            receipt: Some("UJ3AAAAAAA".parse().unwrap()),
            amount: Some(Cents(85_000)),
            paid_at: Some(moment()),
            utility_funds: Some(Cents(9_021_050)),
        }
    );
    let single = json!({"Key": "TransactionAmount", "Value": "850.00"});
    let B2cOutcome::Paid { receipt, amount, .. } =
        parse_b2c(body(json!("0"), single).as_bytes()).unwrap().outcome
    else {
        panic!("not paid")
    };
    assert_eq!((receipt.unwrap().as_str(), amount), ("UJ3BBBBBBB", Some(Cents(85_000))));
    for (code, outcome) in [
        (json!(1), B2cOutcome::Refused { code: "1".to_owned() }),
        (json!("2001"), B2cOutcome::Refused { code: "2001".to_owned() }),
        (json!("15"), B2cOutcome::Unknown { code: "15".to_owned() }),
        (json!("TP40153"), B2cOutcome::Unknown { code: "TP40153".to_owned() }),
    ] {
        assert_eq!(parse_b2c(body(code, json!(null)).as_bytes()).unwrap().outcome, outcome);
    }
}

#[test]
fn what_is_no_callback_is_a_typed_error() {
    assert_eq!(parse_stk(b"<html>").unwrap_err(), CallbackError::NotJson);
    assert_eq!(parse_stk(&vec![b' '; MAX_BODY_BYTES + 1]).unwrap_err(), CallbackError::TooLong);
    assert_eq!(parse_stk(b"{}").unwrap_err(), CallbackError::Incomplete("stkCallback"));
    assert_eq!(parse_c2b(b"{\"TransID\":\"short\"}").unwrap_err(), CallbackError::Incomplete("TransID"));
    assert_eq!(
        parse_c2b(b"{\"TransID\":\"UJ32ABCDEF\",\"TransAmount\":\"-5\"}").unwrap_err(),
        CallbackError::Incomplete("TransAmount")
    );
    assert_eq!(
        parse_b2c(b"{\"Result\":[]}").unwrap_err(),
        CallbackError::Incomplete("OriginatorConversationID")
    );
    let bomb = "[".repeat(60_000);
    assert_eq!(parse_stk(bomb.as_bytes()).unwrap_err(), CallbackError::NotJson);
}

fn any_json() -> impl Strategy<Value = Value> {
    let key = prop::sample::select(vec![
        "Body",
        "stkCallback",
        "CheckoutRequestID",
        "ResultCode",
        "CallbackMetadata",
        "Item",
        "Name",
        "Value",
        "Result",
        "OriginatorConversationID",
        "ResultParameters",
        "ResultParameter",
        "Key",
        "TransID",
        "TransAmount",
        "MSISDN",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,40}".prop_map(Value::from),
        prop::sample::select(vec!["Amount", "0", "1032", "MpesaReceiptNumber", "UJ32ABCDEF"])
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 60, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((key.clone(), inner), 0..6)
                .prop_map(|fields| fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()),
        ]
    })
}

proptest! {
    #[test]
    fn no_bytes_make_a_parser_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = (parse_stk(&bytes), parse_c2b(&bytes), parse_b2c(&bytes));
        let public_key_pem = String::from_utf8_lossy(&bytes).into_owned();
        let _ = SecurityCredential::Password { password: Secret::from("x"), public_key_pem }.blob();
    }

    #[test]
    fn no_json_makes_a_parser_panic_or_invent_a_payment(json in any_json()) {
        let body = json.to_string();
        let _ = parse_b2c(body.as_bytes());
        if let Ok(payment) = parse_c2b(body.as_bytes()) {
            prop_assert!(payment.amount.is_positive());
        }
        if let Ok(result) = parse_stk(body.as_bytes())
            && let StkOutcome::Paid { amount: Some(amount), .. } = result.outcome
        {
            prop_assert!(amount.is_positive());
        }
    }
}
