//! What moves money is sent once, as Daraja spells it.

use crate::script::{Answer, Daraja, body, envelope, push, quick};
use jirani_daraja::{
    AnswerUrls, AskAccepted, B2cRequest, CollectsBy, DarajaOptions, FloatMove, FloatRoute, Initiator,
    Mpesa as _, ReversalRequest, SecurityCredential, SendError,
};
use serde_json::json;

fn answer_urls() -> AnswerUrls {
    AnswerUrls {
        result_url: "https://pay.example.co.ke/hooks/answer/s/result".to_owned(),
        timeout_url: "https://pay.example.co.ke/hooks/answer/s/timeout".to_owned(),
    }
}

fn payout() -> B2cRequest {
    B2cRequest {
        originator_id: "jirani-1-ab".to_owned(),
        shillings: 850,
        msisdn: "254712000222".parse().unwrap(),
        result_url: "https://pay.example.co.ke/hooks/b2c/s/result".to_owned(),
        timeout_url: "https://pay.example.co.ke/hooks/b2c/s/timeout".to_owned(),
    }
}

fn taken_on() -> Answer {
    body(json!({"ConversationID": "AG_1", "OriginatorConversationID": "7071-1", "ResponseCode": "0"}))
}

#[tokio::test]
async fn a_prompt_for_a_paybill_and_for_a_till() {
    let yes = || body(json!({"ResponseCode": "0", "CheckoutRequestID": "ws_CO_1"}));
    let daraja = Daraja::answers([yes(), yes()]).await;
    daraja.client().stk_push(push()).await.unwrap();
    let till = DarajaOptions {
        collects_by: CollectsBy::Till { till: "5012345".to_owned() },
        ..DarajaOptions::default()
    };
    daraja.client_with(till).stk_push(push()).await.unwrap();
    let asked = daraja.asked();
    assert_eq!(asked[0].path, "/mpesa/stkpush/v1/processrequest");
    let golden = json!({
        "BusinessShortCode": "600966",
        "Password": "NjAwOTY2cGFzc2tleTIwMjYxMDAzMTMxNTIy",
        "Timestamp": "20261003131522",
        "TransactionType": "CustomerPayBillOnline",
        "Amount": "120",
        "PartyA": "254712000111",
        "PartyB": "600966",
        "PhoneNumber": "254712000111",
        "CallBackURL": "https://pay.example.co.ke/hooks/stk/s3cr3tpath",
        "AccountReference": "ABCDEFGH2345",
        "TransactionDesc": "Electricity",
    });
    assert_eq!(asked[0].body, golden);
    assert_eq!(asked[1].body["TransactionType"], "CustomerBuyGoodsOnline");
    assert_eq!(asked[1].body["BusinessShortCode"], "600966", "the store's number asks");
    assert_eq!(asked[1].body["PartyB"], "5012345", "the till is paid");
}

#[tokio::test]
async fn a_payout_carries_our_id_and_daraja_s_spelling() {
    let daraja = Daraja::answers([body(json!({
        "ConversationID": "AG_1", "OriginatorConversationID": "jirani-1-ab", "ResponseCode": "0",
    }))])
    .await;
    daraja.client().b2c(payout()).await.unwrap();
    let asked = &daraja.asked()[0];
    assert_eq!(asked.path, "/mpesa/b2c/v3/paymentrequest");
    let golden = json!({
        "OriginatorConversationID": "jirani-1-ab",
        "InitiatorName": "apiuser",
        "SecurityCredential": "blob",
        "CommandID": "BusinessPayment",
        "Amount": "850",
        "PartyA": "600992",
        "PartyB": "254712000222",
        "Remarks": "Energy sale",
        "QueueTimeOutURL": "https://pay.example.co.ke/hooks/b2c/s/timeout",
        "ResultURL": "https://pay.example.co.ke/hooks/b2c/s/result",
        "Occassion": "Withdrawal",
    });
    assert_eq!(asked.body, golden);
}

#[tokio::test]
async fn a_reversal_and_two_ways_for_float() {
    let daraja = Daraja::answers([taken_on(), taken_on(), taken_on()]).await;
    let options = DarajaOptions {
        collection_initiator: Some(Initiator {
            name: "collector".to_owned(),
            credential: SecurityCredential::Ready("other blob".into()),
        }),
        ..DarajaOptions::default()
    };
    let client = daraja.client_with(options);
    let reversal =
        ReversalRequest { receipt: "UJ32ABCDEF".parse().unwrap(), shillings: 120, answer: answer_urls() };
    let taken = AskAccepted { conversation_id: "AG_1".to_owned(), originator_id: Some("7071-1".to_owned()) };
    assert_eq!(client.reverse(reversal).await, Ok(taken));
    let float =
        |route| FloatMove { shillings: 5_000, route, reference: "float-1".to_owned(), answer: answer_urls() };
    client.move_float(float(FloatRoute::CollectionToPayout)).await.unwrap();
    client.move_float(float(FloatRoute::WorkingToUtility)).await.unwrap();
    let asked = daraja.asked();
    assert_eq!(asked[0].path, "/mpesa/reversal/v1/request");
    let golden = json!({
        "Initiator": "collector",
        "SecurityCredential": "other blob",
        "CommandID": "TransactionReversal",
        "TransactionID": "UJ32ABCDEF",
        "Amount": "120",
        "ReceiverParty": "600966",
        "RecieverIdentifierType": "11",
        "ResultURL": "https://pay.example.co.ke/hooks/answer/s/result",
        "QueueTimeOutURL": "https://pay.example.co.ke/hooks/answer/s/timeout",
        "Remarks": "Payment given back",
        "Occasion": "Reversal",
    });
    assert_eq!(asked[0].body, golden);
    let golden = json!({
        "Initiator": "collector",
        "SecurityCredential": "other blob",
        "CommandID": "BusinessPayToBulk",
        "SenderIdentifierType": "4",
        "RecieverIdentifierType": "4",
        "Amount": "5000",
        "PartyA": "600966",
        "PartyB": "600992",
        "AccountReference": "float-1",
        "Remarks": "Float",
        "QueueTimeOutURL": "https://pay.example.co.ke/hooks/answer/s/timeout",
        "ResultURL": "https://pay.example.co.ke/hooks/answer/s/result",
    });
    assert_eq!((asked[1].path.as_str(), &asked[1].body), ("/mpesa/b2b/v1/paymentrequest", &golden));
    let within = &asked[2].body;
    assert_eq!(within["CommandID"], "BusinessTransferFromMMFToUtility");
    assert_eq!(
        (&within["Initiator"], &within["PartyA"], &within["PartyB"]),
        (&json!("apiuser"), &json!("600992"), &json!("600992"))
    );
}

#[tokio::test]
async fn what_is_not_clearly_answered_is_unknown_and_not_sent_again() {
    for answer in [
        Answer::HangUp,
        Answer::Torn,
        Answer::Body(502, "<html><h1>Bad Gateway</h1></html>".to_owned()),
        Answer::Body(200, String::new()),
        Answer::Body(200, "null".to_owned()),
        Answer::Body(301, String::new()),
        envelope(500, "500.003.1001", "Internal server error"),
        envelope(500, "500.002.1001", "System internal error."),
        envelope(500, "500.002.1001", "Service is currently under maintenance"),
    ] {
        let daraja = Daraja::answers([answer.clone(), answer.clone(), answer.clone(), answer.clone()]).await;
        let client = daraja.client();
        let unknown = |error: SendError| matches!(error, SendError::Unknown { .. });
        assert!(unknown(client.stk_push(push()).await.unwrap_err()), "{answer:?}");
        assert!(unknown(client.b2c(payout()).await.unwrap_err()), "{answer:?}");
        let reversal =
            ReversalRequest { receipt: "UJ32ABCDEF".parse().unwrap(), shillings: 1, answer: answer_urls() };
        assert!(unknown(client.reverse(reversal).await.unwrap_err()), "{answer:?}");
        let float = FloatMove {
            shillings: 1,
            route: FloatRoute::CollectionToPayout,
            reference: "f".to_owned(),
            answer: answer_urls(),
        };
        assert!(unknown(client.move_float(float).await.unwrap_err()), "{answer:?}");
        assert_eq!(daraja.asked().len(), 4, "each was sent once: {answer:?}");
    }
}

#[tokio::test]
async fn a_cut_off_request_takes_another_turn_and_then_says_so() {
    let arrest = || envelope(500, "500.003.02", "Error Occurred: Spike Arrest Violation");
    let yes = body(json!({"ResponseCode": "0", "CheckoutRequestID": "ws_CO_1"}));
    let daraja = Daraja::answers([arrest(), Answer::Body(429, String::new()), yes]).await;
    daraja.client().stk_push(push()).await.unwrap();
    assert_eq!(daraja.asked().len(), 3);

    let busy = envelope(500, "500.003.02", "System is busy");
    let daraja = Daraja::answers([busy]).await;
    let error = daraja.client().stk_push(push()).await.unwrap_err();
    assert!(matches!(error, SendError::NotSent { .. }), "a busy system's no is told: {error:?}");

    let daraja = Daraja::answers((0..50).map(|_| arrest())).await;
    let error = daraja.client().stk_push(push()).await.unwrap_err();
    assert!(matches!(error, SendError::NotSent { ref code, .. } if code == "500.003.02"), "{error:?}");
    assert!(daraja.asked().len() < 10, "the rests grow");
}

#[tokio::test]
async fn the_gateway_s_own_word_for_the_rest_is_kept() {
    let daraja = Daraja::answers([Answer::Later(429, String::new(), 60)]).await;
    let client = daraja.client_with(DarajaOptions { pace: quick(), ..DarajaOptions::default() });
    let error = client.stk_push(push()).await.unwrap_err();
    assert!(matches!(error, SendError::NotSent { .. }), "{error:?}");
    let error = client.stk_push(push()).await.unwrap_err();
    assert!(
        matches!(error, SendError::NotSent { ref code, .. } if code == "mpesa.too_many_waiting"),
        "{error:?}"
    );
    assert_eq!(daraja.asked().len(), 1, "nobody asks during the rest");
}

#[tokio::test]
async fn nobody_listening_means_that_nothing_was_sent() {
    let daraja = Daraja::answers([]).await;
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let mut silent = daraja;
    silent.base_url = format!("http://{free}");
    let error = silent.client().b2c(payout()).await.unwrap_err();
    assert!(matches!(error, SendError::NotSent { .. }), "{error:?}");
}

#[tokio::test]
async fn amounts_that_m_pesa_refuses_are_not_sent() {
    let daraja = Daraja::answers([]).await;
    let client = daraja.client();
    for shillings in [i64::MIN, -1, 0, 250_001, i64::MAX] {
        let mut prompt = push();
        prompt.shillings = shillings;
        assert!(matches!(client.stk_push(prompt).await, Err(SendError::NotSent { .. })), "{shillings}");
    }
    for shillings in [0, 9, 250_001] {
        let mut small = payout();
        small.shillings = shillings;
        assert!(matches!(client.b2c(small).await, Err(SendError::NotSent { .. })), "{shillings}");
    }
    assert!(daraja.asked().is_empty());
}
