//! Questions, and the lists and pictures that answer them.

use crate::script::{Answer, Daraja, NOW, body, envelope};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jirani_daraja::{
    AnswerUrls, BalanceRequest, C2bRegistration, CollectsBy, DarajaOptions, Mpesa as _, OwnShortcode,
    PullRegistration, PullRequest, QrRequest, QueryOutcome, SendError, StatusRequest, TransactionName,
    pull_window,
};
use jirani_units::{Cents, Timestamp};
use serde_json::{Value, json};

fn answer_urls() -> AnswerUrls {
    AnswerUrls { result_url: "https://p.co.ke/r".to_owned(), timeout_url: "https://p.co.ke/t".to_owned() }
}

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

#[tokio::test]
async fn status_by_receipt_or_by_our_id_and_balance() {
    let yes = || body(json!({"ConversationID": "AG_1", "ResponseCode": "0"}));
    let daraja = Daraja::answers([yes(), yes(), yes()]).await;
    let client = daraja.client();
    for transaction in [
        TransactionName::Receipt("uj32abcdef ".parse().unwrap()),
        TransactionName::Originator("jirani-1-ab".to_owned()),
    ] {
        let request = StatusRequest { transaction, of: OwnShortcode::Payout, answer: answer_urls() };
        assert_eq!(client.transaction_status(request).await.unwrap().conversation_id, "AG_1");
    }
    let request = BalanceRequest { of: OwnShortcode::Collection, answer: answer_urls() };
    client.account_balance(request).await.unwrap();
    let asked = daraja.asked();
    assert_eq!(asked[0].path, "/mpesa/transactionstatus/v1/query");
    let golden = json!({
        "Initiator": "apiuser",
        "SecurityCredential": "blob",
        "CommandID": "TransactionStatusQuery",
        "TransactionID": "UJ32ABCDEF",
        "PartyA": "600992",
        "IdentifierType": "4",
        "ResultURL": "https://p.co.ke/r",
        "QueueTimeOutURL": "https://p.co.ke/t",
        "Remarks": "Status",
        "Occasion": "Status",
    });
    assert_eq!(asked[0].body, golden);
    assert_eq!(asked[1].body["OriginalConversationID"], "jirani-1-ab");
    assert_eq!(asked[1].body.get("TransactionID"), None);
    let golden = json!({
        "Initiator": "apiuser",
        "SecurityCredential": "blob",
        "CommandID": "AccountBalance",
        "PartyA": "600966",
        "IdentifierType": "4",
        "ResultURL": "https://p.co.ke/r",
        "QueueTimeOutURL": "https://p.co.ke/t",
        "Remarks": "Balance",
    });
    assert_eq!((asked[2].path.as_str(), &asked[2].body), ("/mpesa/accountbalance/v1/query", &golden));
}

#[tokio::test]
async fn a_query_in_flight_is_pending_in_every_shape_on_record() {
    let pending = [
        body(json!({"ResponseCode": "0", "CheckoutRequestID": "ws_CO_1", "ResultCode": "4999"})),
        body(json!({"ResponseCode": "0", "CheckoutRequestID": "ws_CO_1", "ResultCode": 4999})),
        body(json!({"ResponseCode": "0", "CheckoutRequestID": "ws_CO_2", "ResultCode": "0"})),
        envelope(500, "500.001.1001", "The transaction is being processed"),
        envelope(500, "500.001.1001", "The transaction does not Exist"),
        envelope(200, "500.001.1001", ""),
        envelope(400, "400.002.02", "Bad Request - Invalid CheckoutRequestID"),
        Answer::Body(500, "<html></html>".to_owned()),
        Answer::HangUp,
    ];
    let count = pending.len();
    let daraja = Daraja::answers(pending).await;
    let client = daraja.client();
    for number in 0..count {
        assert_eq!(client.stk_query("ws_CO_1").await, QueryOutcome::Pending, "answer {number}");
    }
}

fn row(receipt: &str, date: &str, amount: impl Into<Value>) -> Value {
    json!({
        "transactionId": receipt, "trxDate": date, "msisdn": 722_000_000, "sender": "UAT2",
        "transactiontype": "c2b-pay-bill-debit", "billreference": " ORD0192", "amount": amount.into(),
        "organizationname": "Jirani",
    })
}

fn page(rows: &[Value]) -> Answer {
    body(
        json!({"ResponseRefID": "26178-1", "ResponseCode": "1000", "ResponseMessage": "Success", "Response": [rows]}),
    )
}

fn none() -> Answer {
    body(json!({"ResponseCode": "1001", "ResponseMessage": "No records found", "Response": []}))
}

#[tokio::test]
async fn the_list_is_read_page_by_page_and_each_receipt_once() {
    let daraja = Daraja::answers([
        page(&[
            row("UJ3A000001", "2026-10-03T13:15:22Z", "120.00"),
            row("UJ3A000002", "2026-10-03 13:10:00", 7),
        ]),
        page(&[
            row("uj3a000002", "2026-10-03 13:10:00", 7),
            json!({"amount": "1"}),
            row("UJ3A000003", "", 1.5),
        ]),
        none(),
    ])
    .await;
    let client = daraja.client();
    let window = pull_window(&client, now().plus_seconds(-7_200), now(), now()).await.unwrap();
    let receipts: Vec<&str> = window.payments.iter().map(|payment| payment.receipt.as_str()).collect();
    assert_eq!(receipts, ["UJ3A000001", "UJ3A000002", "UJ3A000003"]);
    assert_eq!((window.unreadable, window.is_whole), (1, true));
    let first = &window.payments[0];
    assert_eq!((first.amount, first.paid_at), (Cents(12_000), Some(now())));
    assert_eq!((first.bill_reference.as_str(), first.kind.as_str()), ("ORD0192", "c2b-pay-bill-debit"));
    assert_eq!(window.payments[2].paid_at, None);
    let asked = daraja.asked();
    let golden = json!({
        "ShortCode": "600966", "StartDate": "2026-10-03 11:15:22", "EndDate": "2026-10-03 13:15:22", "OffSetValue": "0",
    });
    assert_eq!((asked[0].path.as_str(), &asked[0].body), ("/pulltransactions/v1/query", &golden));
    let offsets: Vec<&Value> = asked.iter().map(|asked| &asked.body["OffSetValue"]).collect();
    assert_eq!(offsets, ["0", "2", "5"]);
}

#[tokio::test]
async fn a_list_that_repeats_itself_ends_and_one_with_a_hole_fails() {
    let same = || page(&[row("UJ3A000001", "2026-10-03T13:15:22Z", "120.00")]);
    let daraja = Daraja::answers([same(), same()]).await;
    let window = pull_window(&daraja.client(), now().plus_seconds(-60), now(), now()).await.unwrap();
    assert_eq!((window.payments.len(), window.is_whole), (1, false), "it may have more");

    let daraja = Daraja::answers([same(), envelope(500, "500.003.1001", "Internal server error")]).await;
    let error = pull_window(&daraja.client(), now().plus_seconds(-60), now(), now()).await.unwrap_err();
    assert!(matches!(error, SendError::Unknown { .. }), "a part of a list proves no absence: {error:?}");
}

#[tokio::test]
async fn a_window_is_cut_to_what_the_list_still_holds() {
    let daraja = Daraja::answers([none()]).await;
    let client = daraja.client();
    let window =
        pull_window(&client, Timestamp::from_seconds(0), now().plus_seconds(99), now()).await.unwrap();
    assert_eq!((window.from, window.until), (now().plus_seconds(-48 * 3_600), now()));
    let old = PullRequest { from: Timestamp::from_seconds(0), until: Timestamp::from_seconds(9), offset: 0 };
    assert!(matches!(client.pull(old).await, Err(SendError::NotSent { .. })));
    assert_eq!(daraja.asked().len(), 1);
}

#[tokio::test]
async fn a_time_that_can_only_be_utc_is_read_as_utc() {
    // Written as UTC: 10:15:22Z is 13:15:22 in Nairobi, and 07:15:22 UTC were it Nairobi's.
    let daraja = Daraja::answers([page(&[row("UJ3A000001", "2026-10-03T10:15:22Z", 1)]), none()]).await;
    let window = pull_window(&daraja.client(), now().plus_seconds(-60), now(), now()).await.unwrap();
    assert_eq!(window.payments[0].paid_at, Some(now()));
}

#[tokio::test]
async fn the_list_also_comes_nested_once_or_as_one_object() {
    let one = row("UJ3A000001", "2026-10-03T13:15:22Z", "120.00");
    for response in [json!([one]), json!(one), json!([[one]])] {
        let answer = body(json!({"ResponseCode": 1000, "Response": response}));
        let daraja = Daraja::answers([answer]).await;
        let request = PullRequest { from: now().plus_seconds(-60), until: now(), offset: 0 };
        let page = daraja.client().pull(request).await.unwrap();
        assert_eq!((page.payments.len(), page.next_offset), (1, Some(1)), "{response}");
    }
}

#[tokio::test]
async fn addresses_and_the_list_are_registered_once() {
    let c2b = || json!({"OriginatorCoversationID": "6e86-1", "ResponseCode": "0", "ResponseDescription": "Success"});
    let daraja = Daraja::answers([
        body(c2b()),
        envelope(500, "500.003.1001", "Urls are already registered"),
        body(json!({"ResponseRefID": "1", "ResponseStatus": "1000", "ResponseDescription": "Success"})),
        body(json!({"ResponseRefID": "1", "ResponseStatus": "1001", "ResponseDescription": "ShortCode already Registered"})),
        body(json!({"ResponseRefID": "1", "ResponseStatus": "1001", "ResponseDescription": "Wrong number"})),
    ])
    .await;
    let client = daraja.client();
    let urls = ("https://p.co.ke/c", "https://p.co.ke/v");
    assert_eq!(client.register_c2b(urls.0, urls.1).await, Ok(C2bRegistration::Registered));
    assert_eq!(client.register_c2b(urls.0, urls.1).await, Ok(C2bRegistration::RegisteredBefore));
    let number = "0722000000".parse().unwrap();
    assert_eq!(client.pull_register(number, urls.0).await, Ok(PullRegistration::Registered));
    assert_eq!(client.pull_register(number, urls.0).await, Ok(PullRegistration::RegisteredBefore));
    assert!(client.pull_register(number, urls.0).await.is_err());
    let asked = daraja.asked();
    let golden = json!({
        "ShortCode": "600966", "ResponseType": "Completed", "ConfirmationURL": urls.0, "ValidationURL": urls.1,
    });
    assert_eq!((asked[0].path.as_str(), &asked[0].body), ("/mpesa/c2b/v2/registerurl", &golden));
    let golden = json!({
        "ShortCode": "600966", "RequestType": "Pull", "NominatedNumber": "254722000000", "CallBackURL": urls.0,
    });
    assert_eq!((asked[2].path.as_str(), &asked[2].body), ("/pulltransactions/v1/register", &golden));
}

#[tokio::test]
async fn a_code_to_scan_is_a_picture_or_nothing() {
    let png = [b"\x89PNG\r\n\x1a\n", &[1, 2, 3][..]].concat();
    let text = STANDARD.encode(&png);
    let daraja = Daraja::answers([
        body(json!({"ResponseCode": "00", "RequestID": "1", "ResponseDescription": "ok", "QRCode": text})),
        body(json!({"ResponseCode": "AG_2026", "QRCode": format!("data:image/png;base64,{text}")})),
        body(json!({"ResponseCode": "00", "QRCode": "aGVsbG8="})),
        envelope(400, "400.002.02", "Bad Request - Invalid CPI"),
    ])
    .await;
    let till = CollectsBy::Till { till: "5012345".to_owned() };
    let client = daraja.client_with(DarajaOptions { collects_by: till, ..DarajaOptions::default() });
    let request = || QrRequest {
        merchant_name: "Kitonyoni".to_owned(),
        reference: "ABCDEFGH2345".parse().unwrap(),
        shillings: 120,
        size_px: 5_000,
    };
    assert_eq!(client.dynamic_qr(request()).await.unwrap().png, png);
    assert_eq!(client.dynamic_qr(request()).await.unwrap().png, png);
    assert!(matches!(client.dynamic_qr(request()).await, Err(SendError::Unknown { .. })));
    assert!(matches!(client.dynamic_qr(request()).await, Err(SendError::NotSent { .. })));
    let golden = json!({
        "MerchantName": "Kitonyoni", "RefNo": "ABCDEFGH2345", "Amount": 120, "TrxCode": "BG", "CPI": "5012345", "Size": "1000",
    });
    let asked = &daraja.asked()[0];
    assert_eq!((asked.path.as_str(), &asked.body), ("/mpesa/qrcode/v1/generate", &golden));
}
