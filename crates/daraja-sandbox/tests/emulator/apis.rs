//! Daraja's other products, over plain HTTP as any client speaks it.

use crate::support::{Rig, parameter, phone};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jirani_daraja_sandbox::{Bouquet, Landing, Registration, SandboxConfig};
use jirani_units::Cents;
use serde_json::{Value, json};

const STATUS: &str = "/mpesa/transactionstatus/v1/query";
const BALANCE: &str = "/mpesa/accountbalance/v1/query";
const REVERSAL: &str = "/mpesa/reversal/v1/request";
const B2B: &str = "/mpesa/b2b/v1/paymentrequest";
const B2C: &str = "/mpesa/b2c/v3/paymentrequest";

fn payout(rig: &Rig, id: &str, shillings: i64) -> Value {
    json!({
        "OriginatorConversationID": id,
        "InitiatorName": "apiuser",
        "SecurityCredential": "any blob",
        "CommandID": "BusinessPayment",
        "Amount": shillings,
        "PartyA": "600992",
        "PartyB": phone(1).number().to_string(),
        "Remarks": "Energy",
        "QueueTimeOutURL": format!("{}/hooks/b2c/timeout", rig.inbox.url),
        "ResultURL": format!("{}/hooks/b2c/result", rig.inbox.url),
        "Occassion": "settle",
    })
}

fn last(rig: &Rig, path: &str) -> Value {
    serde_json::from_slice(rig.inbox.bodies(path).last().unwrap()).unwrap()
}

#[tokio::test]
async fn transaction_status_tells_of_payments_and_payouts_by_receipt_and_by_id() {
    let rig = Rig::start(SandboxConfig::default()).await;
    rig.call("/mpesa/stkpush/v1/processrequest", &rig.push_body(phone(1), 120)).await;
    let receipt = rig.pay(phone(1)).await;
    let paid =
        rig.command(STATUS, "status", "TransactionStatusQuery", &json!({"TransactionID": receipt})).await;
    assert_eq!((&paid["ResultCode"], &paid["TransactionID"]), (&json!(0), &json!(receipt)));
    assert_eq!(parameter(&paid, "TransactionStatus"), "Completed");
    assert_eq!(parameter(&paid, "Amount"), "120.00");
    assert_eq!(parameter(&paid, "ReceiptNo"), receipt.as_str());
    assert!(parameter(&paid, "DebitPartyName").as_str().unwrap().starts_with("254712000001 - "));
    assert!(parameter(&paid, "CreditPartyName").as_str().unwrap().starts_with("600966 - "));
    assert_eq!(parameter(&paid, "FinalisedTime"), json!(20_261_003_131_500_u64));
    let reason = paid["ResultParameters"]["ResultParameter"].as_array().unwrap();
    assert!(reason.contains(&json!({"Key": "TransactionReason"})));

    let (_, ack) = rig.call(B2C, &payout(&rig, "po-1", 850)).await;
    for id in ["po-1", ack["ConversationID"].as_str().unwrap()] {
        let of = json!({"OriginalConversationID": id});
        let status = rig.command_body("early", "TransactionStatusQuery", &of);
        assert_eq!(rig.call(STATUS, &status).await.0, 200);
    }
    rig.pass(20).await;
    let of = json!({"OriginalConversationID": "po-1"});
    let done = rig.command(STATUS, "status", "TransactionStatusQuery", &of).await;
    assert_eq!(parameter(&done, "TransactionStatus"), "Completed");
    assert_eq!(parameter(&done, "OriginatorConversationID"), "po-1");
    assert_eq!(parameter(&done, "DebitPartyCharges"), "Fee For B2C Payment|KES|5.00");

    let unknown = json!({"TransactionID": "UJ30000000"});
    let none = rig.command(STATUS, "status", "TransactionStatusQuery", &unknown).await;
    assert_eq!(none["ResultCode"], 25);
    assert_eq!(none.get("ResultParameters"), None);
    let spaced =
        json!({"CommandID": null, "Command ID": "TransactionStatusQuery", "Transaction ID": receipt});
    let spaced = rig.command(STATUS, "status", "", &spaced).await;
    assert_eq!(spaced["ResultCode"], 0);
}

#[tokio::test]
async fn the_balance_is_one_text_of_five_accounts() {
    let rig = Rig::start(SandboxConfig::default()).await;
    rig.call(B2C, &payout(&rig, "po-1", 850)).await;
    rig.pass(10).await;
    let result = rig.command(BALANCE, "balance", "AccountBalance", &json!({})).await;
    let text = parameter(&result, "AccountBalance");
    let accounts: Vec<&str> = text.as_str().unwrap().split('&').collect();
    assert_eq!(
        accounts,
        [
            "Working Account|KES|0.00|0.00|0.00|0.00",
            "Float Account|KES|0.00|0.00|0.00|0.00",
            "Utility Account|KES|999150.00|999150.00|0.00|0.00",
            "Charges Paid Account|KES|-5.00|-5.00|0.00|0.00",
            "Organization Settlement Account|KES|0.00|0.00|0.00|0.00",
        ]
    );
    assert!(parameter(&result, "BOCompletedTime").is_u64());
}

#[tokio::test]
async fn a_payment_can_be_given_back_once_and_only_while_the_money_is_there() {
    let rig = Rig::start(SandboxConfig::default()).await;
    let reverse = async |receipt: &str, amount: i64| {
        let fields = json!({
            "TransactionID": receipt,
            "Amount": amount,
            "ReceiverParty": "600966",
            "RecieverIdentifierType": "11",
        });
        rig.command(REVERSAL, "reversal", "TransactionReversal", &fields).await
    };
    let pay = async |shillings| {
        rig.call("/mpesa/stkpush/v1/processrequest", &rig.push_body(phone(1), shillings)).await;
        rig.pay(phone(1)).await
    };
    let (first, second) = (pay(120).await, pay(80).await);
    assert_eq!(rig.totals().await.0, 20_000);
    assert_eq!(reverse(&first, 100).await["ResultCode"], 25);
    let given_back = reverse(&first, 120).await;
    assert_eq!(given_back["ResultCode"], 0);
    assert_eq!(parameter(&given_back, "OriginalTransactionID"), first.as_str());
    assert_ne!(given_back["TransactionID"], first.as_str());
    assert_eq!(rig.totals().await.0, 8_000);
    assert_eq!(reverse(&first, 120).await["ResultCode"], "R000001");
    assert_eq!(reverse("UJ30000000", 120).await["ResultCode"], "R000002");

    rig.post("/sandbox/shortcodes/600966", json!({"utility_cents": 0})).await;
    let spent = reverse(&second, 80).await;
    assert_eq!(spent["ResultCode"], 1);
    assert!(spent["ResultDesc"].as_str().unwrap().contains("spent the money"), "{spent}");
    assert_eq!(rig.totals().await.0, 0);
    let messages = &rig.get(&format!("/sandbox/phones/{}", phone(1).number())).await["messages"];
    assert!(messages.to_string().contains("was reversed"), "{messages}");
}

#[tokio::test]
async fn m_pesa_itself_reverses_what_customers_complain_of() {
    let rig = Rig::start(SandboxConfig::default()).await;
    let path = format!("/sandbox/phones/{}/paybill", phone(1).number());
    let order = json!({"amount_shillings": 55, "reference": "H1", "pin": "1234"});
    let (_, paid) = rig.post(&path, order).await;
    let (status, reversed) = rig.post("/sandbox/reversals", json!({"receipt": paid["receipt"]})).await;
    assert_eq!((status, rig.totals().await.0), (200, 0), "{reversed}");
    let (status, again) = rig.post("/sandbox/reversals", json!({"receipt": paid["receipt"]})).await;
    assert_eq!((status, &again["code"]), (409, &json!("sandbox.reversed")));
    let (status, _) = rig.post("/sandbox/reversals", json!({"receipt": "UJ30000000"})).await;
    assert_eq!(status, 404);

    rig.call(B2C, &payout(&rig, "po-1", 850)).await;
    rig.pass(10).await;
    let receipt = last(&rig, "/hooks/b2c/result")["Result"]["TransactionID"].clone();
    rig.post(&format!("/sandbox/phones/{}", phone(1).number()), json!({"balance_cents": 84_999})).await;
    let (status, spent) = rig.post("/sandbox/reversals", json!({"receipt": receipt})).await;
    assert_eq!((status, &spent["code"]), (409, &json!("sandbox.spent")));
    rig.post(&format!("/sandbox/phones/{}", phone(1).number()), json!({"balance_cents": 85_000})).await;
    assert_eq!(rig.post("/sandbox/reversals", json!({"receipt": receipt})).await.0, 200);
    assert_eq!(rig.totals().await, (0, 100_000_000, -500), "charges are not given back");
}

#[tokio::test]
async fn float_moves_from_the_paybill_to_the_payout_shortcode_and_within_one() {
    for (landing, account) in [(Landing::Utility, "Utility Account"), (Landing::Working, "Working Account")] {
        let rig = Rig::start(SandboxConfig { collections_land: landing, ..SandboxConfig::default() }).await;
        rig.call("/mpesa/stkpush/v1/processrequest", &rig.push_body(phone(1), 120)).await;
        rig.pay(phone(1)).await;
        let run = async |command: &str, amount: i64, from: &str, to: &str| {
            let fields = json!({
                "PartyA": from,
                "PartyB": to,
                "SenderIdentifierType": "4",
                "RecieverIdentifierType": 4,
                "Amount": amount,
                "AccountReference": "float",
            });
            rig.command(B2B, "b2b", command, &fields).await
        };
        let moved = run("BusinessPayToBulk", 100, "600966", "600992").await;
        assert_eq!((&moved["ResultCode"], &moved["ResultType"]), (&json!("0"), &json!("0")));
        assert_eq!(parameter(&moved, "Amount"), "100.00");
        let affected = parameter(&moved, "DebitPartyAffectedAccountBalance");
        assert_eq!(affected, format!("{account}|KES|20.00|20.00|0.00|0.00"));
        assert_eq!(moved["ReferenceData"]["ReferenceItem"][0]["Value"], "float");
        assert_eq!(rig.totals().await, (2_000, 100_010_000, 0));
        assert_eq!(run("BusinessPayToBulk", 21, "600966", "600992").await["ResultCode"], "1");
        assert_eq!(run("BusinessPayToBulk", 5, "600966", "123456").await["ResultCode"], "SFC_IC0003");

        let working = json!({"working_cents": 5_000, "utility_cents": 0});
        rig.post("/sandbox/shortcodes/600992", working).await;
        let inner = run("BusinessTransferFromMMFToUtility", 30, "600992", "600992").await;
        assert_eq!(inner["ResultCode"], "0");
        let (_, view) = (0, rig.get("/sandbox/shortcodes/600992").await);
        assert_eq!((&view["working_cents"], &view["utility_cents"]), (&json!(2_000), &json!(3_000)));
        assert_eq!(run("BusinessPayBill", 20, "600966", "888880").await["ResultCode"], "0");
        assert_eq!(rig.totals().await.0, 0);
    }
}

#[tokio::test]
async fn payments_of_the_last_two_days_can_be_pulled_in_pages() {
    let rig = Rig::start(SandboxConfig { pull_page: 2, ..SandboxConfig::default() }).await;
    let register = json!({
        "ShortCode": "600966",
        "RequestType": "Pull",
        "NominatedNumber": "254722000000",
        "CallBackURL": format!("{}/hooks/pull", rig.inbox.url),
    });
    let pull = async |from: &str, to: &str, offset: &str| {
        let body = json!({"ShortCode": 600_966, "StartDate": from, "EndDate": to, "OffSetValue": offset});
        rig.call("/pulltransactions/v1/query", &body).await
    };
    let (day, next) = ("2026-10-03 13:15:00", "2026-10-05 14:00:00");
    rig.call("/mpesa/stkpush/v1/processrequest", &rig.push_body(phone(1), 120)).await;
    let first = rig.pay(phone(1)).await;
    assert_eq!(pull(day, next, "0").await.1["ResponseCode"], "1001", "not registered yet");
    let (_, registered) = rig.call("/pulltransactions/v1/register", &register).await;
    assert_eq!(registered["ResponseStatus"], "1000");
    assert_eq!(rig.call("/pulltransactions/v1/register", &register).await.1["ResponseStatus"], "1001");

    rig.pass(3_600).await;
    rig.new_token().await;
    let path = format!("/sandbox/phones/{}/paybill", phone(2).number());
    for nth in 0..2 {
        let order = json!({"amount_shillings": 10 + nth, "reference": format!("H{nth}"), "pin": "1234"});
        rig.post(&path, order).await;
    }
    rig.call(B2C, &payout(&rig, "po-1", 850)).await;
    rig.pass(10).await;
    let (_, page) = pull(day, next, "0").await;
    let rows = page["Response"][0].as_array().unwrap();
    assert_eq!(
        (rows.len(), &page["ResponseCode"], &rows[0]["transactionId"]),
        (2, &json!("1000"), &json!(first))
    );
    assert_eq!(rows[0]["trxDate"], "2026-10-03T13:15:00Z");
    assert_eq!((&rows[0]["msisdn"], &rows[0]["amount"]), (&json!(712_000_001), &json!("120.00")));
    assert_eq!(rows[1]["billreference"], "H0");
    let (_, rest) = pull(day, next, "2").await;
    assert_eq!(rest["Response"][0].as_array().unwrap().len(), 1);
    assert_eq!(pull(day, next, "3").await.1["ResponseCode"], "1001");
    assert_eq!(pull(day, "2026-10-03 13:15:01", "0").await.1["Response"][0].as_array().unwrap().len(), 1);

    rig.pass(47 * 3_600).await;
    rig.new_token().await;
    let (_, late) = pull(day, "2026-10-06 00:00:00", "0").await;
    assert_eq!(late["Response"][0].as_array().unwrap().len(), 2, "the first is out of reach");
    for (from, to) in [("yesterday", next), (next, day), ("", next)] {
        assert_eq!(pull(from, to, "0").await.0, 400);
    }
}

#[tokio::test]
async fn a_qr_code_is_a_real_picture_of_the_size_asked_for() {
    let rig = Rig::start(SandboxConfig::default()).await;
    for (size, side) in [(Value::Null, 300), (json!("300"), 300), (json!(500), 500), (json!("1"), 0)] {
        let body = json!({
            "MerchantName": "JIRANI", "RefNo": "INV1", "Amount": 5, "TrxCode": "PB", "CPI": "600966", "Size": size,
        });
        let (status, answer) = rig.call("/mpesa/qrcode/v1/generate", &body).await;
        assert_eq!((status, &answer["ResponseCode"]), (200, &json!("00")), "{answer}");
        let file = STANDARD.decode(answer["QRCode"].as_str().unwrap()).unwrap();
        let reader = png::Decoder::new(std::io::Cursor::new(file)).read_info().unwrap();
        let (width, height) = (reader.info().width, reader.info().height);
        assert_eq!(width, height);
        assert!(if side == 0 { (25..60).contains(&width) } else { width == side }, "{width}");
    }
    for (field, value) in [("TrxCode", json!("XX")), ("Size", json!("1001")), ("Amount", json!(0))] {
        let mut body = json!({
            "MerchantName": "JIRANI", "RefNo": "INV1", "Amount": 5, "TrxCode": "PB", "CPI": "600966",
        });
        body[field] = value;
        let (status, answer) = rig.call("/mpesa/qrcode/v1/generate", &body).await;
        assert_eq!(
            (status, answer["errorMessage"].as_str()),
            (400, Some(&*format!("Bad Request - Invalid {field}")))
        );
    }
}

#[tokio::test]
async fn the_first_version_of_b2c_makes_the_id_itself() {
    let rig = Rig::start(SandboxConfig::default()).await;
    let mut body = payout(&rig, "", 50);
    body.as_object_mut().unwrap().remove("OriginatorConversationID");
    body["Occasion"] = body["Occassion"].take();
    let mut ids = Vec::new();
    for _ in 0..2 {
        let (status, ack) = rig.call("/mpesa/b2c/v1/paymentrequest", &body).await;
        assert_eq!(status, 200, "{ack}");
        ids.push(ack["OriginatorConversationID"].as_str().unwrap().to_owned());
    }
    assert_ne!(ids[0], ids[1]);
    assert_eq!(rig.call(B2C, &body).await.0, 400, "the third version needs one");
    rig.pass(10).await;
    let mut told: Vec<String> = rig
        .inbox
        .bodies("/hooks/b2c/result")
        .iter()
        .map(|body| serde_json::from_slice::<Value>(body).unwrap())
        .map(|result| result["Result"]["OriginatorConversationID"].as_str().unwrap().to_owned())
        .collect();
    told.sort();
    ids.sort();
    assert_eq!(told, ids);
    let mut pochi = payout(&rig, "po-9", 50);
    assert_eq!(rig.call("/mpesa/b2pochi/v1/paymentrequest", &pochi).await.0, 400);
    pochi["CommandID"] = json!("BusinessPayToPochi");
    assert_eq!(rig.call("/mpesa/b2pochi/v1/paymentrequest", &pochi).await.0, 200);
}

#[tokio::test]
async fn c2b_addresses_are_registered_once_and_say_how_the_phone_is_told() {
    let rig =
        Rig::start(SandboxConfig { registration: Registration::Once, ..SandboxConfig::default() }).await;
    let register = json!({
        "ShortCode": "600966",
        "ResponseType": "Completed",
        "ConfirmationURL": format!("{}/hooks/c2b/confirmation", rig.inbox.url),
        "ValidationURL": format!("{}/hooks/c2b/validation", rig.inbox.url),
    });
    let (status, answer) = rig.call("/mpesa/c2b/v1/registerurl", &register).await;
    assert_eq!((status, answer["OriginatorCoversationID"].is_string()), (200, true), "{answer}");
    let (status, refused) = rig.call("/mpesa/c2b/v2/registerurl", &register).await;
    assert_eq!((status, &refused["errorCode"]), (500, &json!("500.003.1001")));
    assert_eq!(refused["errorMessage"], "Urls are already registered");

    let simulate = json!({
        "ShortCode": 600_966, "CommandID": "CustomerPayBillOnline", "Amount": 10, "Msisdn": 254_712_000_001_u64,
        "BillRefNumber": "H1",
    });
    rig.call("/mpesa/c2b/v1/simulate", &simulate).await;
    rig.clock.idle().await;
    let told = last(&rig, "/hooks/c2b/confirmation");
    assert_eq!(told["MSISDN"].as_str().unwrap().len(), 64, "{told}");
    let client = reqwest::Client::new();
    let urls = format!("{}/sandbox/shortcodes/600966/urls", rig.sandbox.base_url);
    assert!(client.delete(urls).send().await.unwrap().status().is_success());
    assert_eq!(rig.call("/mpesa/c2b/v2/registerurl", &register).await.0, 200);
    rig.call("/mpesa/c2b/v2/simulate", &simulate).await;
    rig.clock.idle().await;
    assert_eq!(last(&rig, "/hooks/c2b/confirmation")["MSISDN"], "2547 ***** 001");
    for word in ["sql", "M-Pesa", "safaricom"] {
        let mut bad = register.clone();
        bad["ConfirmationURL"] = json!(format!("http://127.0.0.1/{word}/confirm"));
        assert_eq!(rig.call("/mpesa/c2b/v2/registerurl", &bad).await.0, 400, "{word}");
    }
}

#[tokio::test]
async fn charges_are_borne_by_whom_the_tariff_names() {
    for (bouquet, customer, business) in
        [(Bouquet::Shared, 1_000, 500), (Bouquet::Customer, 1_500, 0), (Bouquet::Business, 0, 1_500)]
    {
        let rig = Rig::start(SandboxConfig { bouquet, ..SandboxConfig::default() }).await;
        let door = format!("/sandbox/phones/{}", phone(1).number());
        rig.post(&door, json!({"balance_cents": 120_000 + customer})).await;
        rig.call("/mpesa/stkpush/v1/processrequest", &rig.push_body(phone(1), 1_200)).await;
        rig.pay(phone(1)).await;
        assert_eq!(rig.totals().await, (120_000, 100_000_000, -business));
        let view = rig.get(&door).await;
        assert_eq!(view["balance_cents"], 0);
        let cost = Cents(customer).to_string().replacen("KSh ", "Ksh", 1);
        let text = view["messages"][0]["text"].as_str().unwrap();
        assert!(text.contains(&format!("Transaction cost, {cost}.")), "{text}");
    }
}

#[tokio::test]
async fn a_statement_has_a_running_balance_and_the_portal_s_columns() {
    let rig = Rig::start(SandboxConfig::default()).await;
    rig.call(B2C, &payout(&rig, "po-1", 850)).await;
    rig.pass(10).await;
    let statement = rig.get("/sandbox/shortcodes/600992/statement").await;
    let rows = statement["rows"].as_array().unwrap();
    let balances: Vec<i64> = rows.iter().map(|row| row["balance_cents"].as_i64().unwrap()).collect();
    assert_eq!(balances, [100_000_000, 99_915_000, 99_914_500]);
    let charges = rig.get("/sandbox/shortcodes/600992/statement?account=charges").await;
    assert_eq!(charges["rows"][0]["balance_cents"], -500);
    let last = rig.get("/sandbox/shortcodes/600992/statement?last=1").await;
    assert_eq!((last["rows"].as_array().unwrap().len(), &last["rows"][0]), (1, &rows[2]));

    let url =
        format!("{}/sandbox/shortcodes/600992/statement?format=csv&account=utility", rig.sandbox.base_url);
    let file = reqwest::get(url).await.unwrap().text().await.unwrap();
    let mut reader = csv::Reader::from_reader(file.as_bytes());
    assert_eq!(reader.headers().unwrap().get(0), Some("Receipt No."));
    let lines: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>().unwrap();
    assert_eq!((lines[1].get(6), lines[1].get(7)), (Some("-850.00"), Some("999150.00")));
    assert_eq!(lines[1].get(12), Some("po-1"));
    let missing =
        reqwest::get(format!("{}/sandbox/shortcodes/1/statement", rig.sandbox.base_url)).await.unwrap();
    assert_eq!(missing.status(), 404);
}
