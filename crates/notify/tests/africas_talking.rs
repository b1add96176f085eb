//! Africa's Talking over real HTTP: what leaves, and what is made of what comes back.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where it fails")]

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use jirani_notify::{AfricasTalking, AfricasTalkingConfig, Sms, SmsOutcome};
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;

type Seen = Arc<Mutex<Vec<(String, String)>>>;

async fn gateway(status: u16, body: &'static str) -> (String, Seen) {
    let seen: Seen = Arc::default();
    let answer = move |State(seen): State<Seen>, headers: HeaderMap, form: String| async move {
        seen.lock().unwrap().push((headers["apikey"].to_str().unwrap().to_owned(), form));
        (StatusCode::from_u16(status).unwrap(), body)
    };
    let routes = Router::new().route("/version1/messaging", post(answer)).with_state(seen.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, routes).await });
    (url, seen)
}

async fn sent_to(base_url: String) -> SmsOutcome {
    let (username, api_key, sender) = ("kitonyoni".into(), "key".into(), "JIRANI".into());
    let gateway = AfricasTalking::new(AfricasTalkingConfig { base_url, username, api_key, sender }).unwrap();
    gateway.send("0712 345 678".parse().unwrap(), "Salio: KSh 5 & zaidi", "notice/1").await
}

#[tokio::test]
async fn the_form_is_the_gateways_own() {
    let taken = r#"{"SMSMessageData":{"Message":"Sent to 1/1","Recipients":[{"statusCode":101,"number":"+254712345678","status":"Success","cost":"KES 0.8000","messageId":"ATXid_1"}]}}"#;
    let (url, seen) = gateway(201, taken).await;
    assert_eq!(sent_to(url).await, SmsOutcome::Sent { id: "ATXid_1".into() });
    let seen = seen.lock().unwrap();
    let form =
        "username=kitonyoni&to=%2B254712345678&message=Salio%3A+KSh+5+%26+zaidi&from=JIRANI".to_owned();
    assert_eq!(*seen, [("key".to_owned(), form)]);
}

#[tokio::test]
async fn doubt_is_doubt() {
    let (url, seen) = gateway(500, "oops").await;
    assert!(matches!(sent_to(url).await, SmsOutcome::Unknown { .. }));
    assert_eq!(seen.lock().unwrap().len(), 1, "never repeated by itself");
    let (url, _) = gateway(401, "The supplied authentication is invalid").await;
    assert!(matches!(sent_to(url).await, SmsOutcome::NotTaken { .. }));
    let unused = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    assert!(matches!(sent_to(format!("http://{unused}")).await, SmsOutcome::NotTaken { .. }));
}
