//! One token for all, fetched by one at a time.

use crate::script::{Answer, Daraja, body, envelope, push};
use jirani_daraja::{Mpesa as _, SendError};
use serde_json::json;

fn accepted() -> Answer {
    body(json!({"ResponseCode": "0", "CheckoutRequestID": "ws_CO_1"}))
}

#[tokio::test]
async fn many_at_once_share_one_token() {
    let daraja = Daraja::answers((0..20).map(|_| accepted())).await;
    let client = std::sync::Arc::new(daraja.client());
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let client = client.clone();
        all.spawn(async move { client.stk_push(push()).await.unwrap() });
    }
    all.join_all().await;
    assert_eq!(daraja.tokens(), 1);
}

#[tokio::test]
async fn a_token_is_renewed_before_it_ends() {
    let daraja = Daraja::answers([accepted(), accepted(), accepted()]).await;
    let client = daraja.client();
    client.stk_push(push()).await.unwrap();
    daraja.clock.forward_s(3_599 - 61);
    client.stk_push(push()).await.unwrap();
    assert_eq!(daraja.tokens(), 1);
    daraja.clock.forward_s(2);
    client.stk_push(push()).await.unwrap();
    assert_eq!(daraja.tokens(), 2, "a minute before the end");
}

#[tokio::test]
async fn a_lifetime_is_text_or_number_and_nonsense_is_short() {
    for (expires_in, tokens) in [(json!(3599), 1), (json!("3599"), 1), (json!("soon"), 2), (json!(null), 2)] {
        let daraja = Daraja::answers([accepted(), accepted()]).await;
        daraja.oauth(body(json!({"access_token": "t", "expires_in": expires_in})));
        let client = daraja.client();
        client.stk_push(push()).await.unwrap();
        client.stk_push(push()).await.unwrap();
        assert_eq!(daraja.tokens(), tokens, "{expires_in}");
    }
}

#[tokio::test]
async fn a_token_that_was_not_accepted_is_renewed_once_in_every_family() {
    for (status, code, message) in [
        (404, "404.001.03", "Invalid Access Token"),
        (400, "400.003.01", "Invalid Access Token"),
        (401, "401.002.01", "Error Occurred - Invalid Access Token"),
        (401, "401.003.01", ""),
        (401, "401.001", ""),
        (500, "500.999", "Invalid Access Token"),
    ] {
        let daraja = Daraja::answers([envelope(status, code, message), accepted()]).await;
        daraja.client().stk_push(push()).await.unwrap();
        let asked = daraja.asked();
        assert_eq!(asked.len(), 2, "{code}");
        assert_eq!(
            (asked[0].authorization.as_str(), asked[1].authorization.as_str()),
            ("Bearer token-1", "Bearer token-2")
        );
    }
}

#[tokio::test]
async fn a_second_no_to_the_token_is_the_answer() {
    let no = || envelope(404, "404.001.03", "Invalid Access Token");
    let daraja = Daraja::answers([no(), no()]).await;
    let error = daraja.client().stk_push(push()).await.unwrap_err();
    assert!(matches!(error, SendError::NotSent { ref code, .. } if code == "404.001.03"), "{error:?}");
    assert_eq!(daraja.asked().len(), 2);
}

#[tokio::test]
async fn an_answer_that_took_the_request_on_is_never_a_reason_to_send_again() {
    let daraja = Daraja::answers([body(json!({
        "errorCode": "404.001.03", "errorMessage": "Invalid Access Token", "CheckoutRequestID": "ws_CO_1",
    }))])
    .await;
    assert!(daraja.client().stk_push(push()).await.is_err());
    assert_eq!(daraja.asked().len(), 1);
}

#[tokio::test]
async fn no_token_means_that_nothing_was_sent_and_no_secret_is_told() {
    for answer in [
        Answer::Body(400, String::new()),
        Answer::Body(
            400,
            r#"{"errorCode":"400.008.01","errorMessage":"Invalid Authentication passed"}"#.to_owned(),
        ),
        Answer::Body(200, "<html>login</html>".to_owned()),
        Answer::Body(200, r#"{"access_token":""}"#.to_owned()),
        Answer::HangUp,
    ] {
        let daraja = Daraja::answers([]).await;
        daraja.oauth(answer.clone());
        let error = daraja.client().stk_push(push()).await.unwrap_err();
        assert!(matches!(error, SendError::NotSent { .. }), "{answer:?}: {error:?}");
        let told = format!("{error} {error:?}");
        for secret in ["secret", "a2V5OnNlY3JldA", "s3cr3tpath", "passkey", "712000111"] {
            assert!(!told.replace("consumer key and secret", "").contains(secret), "{told}");
        }
        assert!(daraja.asked().is_empty());
    }
}
