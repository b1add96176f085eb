//! A server that answers as told, one answer per request, and keeps what it was
//! asked.

use jirani_daraja::{
    DarajaClient, DarajaConfig, DarajaOptions, Pace, PayoutCharges, SecurityCredential, StkRequest,
};
use jirani_units::{Clock, Timestamp};
use serde_json::Value;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// One answer.
#[derive(Clone, Debug)]
pub enum Answer {
    Body(u16, String),
    /// With a `Retry-After` of so many seconds.
    Later(u16, String, u32),
    /// The request is read, then the connection closed without a word.
    HangUp,
    /// Half an answer, then closed.
    Torn,
}

/// What came in.
#[derive(Clone, Debug)]
pub struct Asked {
    pub path: String,
    pub authorization: String,
    pub body: Value,
}

#[derive(Default)]
struct State {
    answers: VecDeque<Answer>,
    asked: Vec<Asked>,
    tokens: u32,
    /// Answers to OAuth instead of the good one.
    oauth: VecDeque<Answer>,
}

pub struct TestClock(AtomicI64);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::Relaxed))
    }
}

impl TestClock {
    pub fn forward_s(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1_000_000, Ordering::Relaxed);
    }
}

pub struct Daraja {
    state: Arc<Mutex<State>>,
    pub clock: Arc<TestClock>,
    pub base_url: String,
}

/// 13:15:22 in Nairobi.
pub const NOW: &str = "2026-10-03T10:15:22Z";

impl Daraja {
    /// Answers the requests after OAuth in this order.
    pub async fn answers(answers: impl IntoIterator<Item = Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        let state =
            Arc::new(Mutex::new(State { answers: answers.into_iter().collect(), ..State::default() }));
        let shared = state.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, shared.clone()));
            }
        });
        let now: Timestamp = NOW.parse().unwrap();
        Self { state, clock: Arc::new(TestClock(AtomicI64::new(now.0))), base_url }
    }

    pub fn oauth(&self, answer: Answer) {
        self.state.lock().unwrap().oauth.push_back(answer);
    }

    pub fn client(&self) -> DarajaClient {
        self.client_with(DarajaOptions { pace: quick(), ..DarajaOptions::default() })
    }

    pub fn client_with(&self, options: DarajaOptions) -> DarajaClient {
        let config = DarajaConfig {
            base_url: self.base_url.clone(),
            consumer_key: "key".to_owned(),
            consumer_secret: "secret".into(),
            shortcode: "600966".to_owned(),
            passkey: "passkey".into(),
            b2c_shortcode: "600992".to_owned(),
            initiator_name: "apiuser".to_owned(),
            credential: SecurityCredential::Ready("blob".into()),
            charges: PayoutCharges::default(),
            timeout_s: 10,
        };
        DarajaClient::with_options(config, options, self.clock.clone()).unwrap()
    }

    /// Everything asked but tokens.
    pub fn asked(&self) -> Vec<Asked> {
        self.state.lock().unwrap().asked.clone()
    }

    pub fn tokens(&self) -> u32 {
        self.state.lock().unwrap().tokens
    }
}

/// Rests that do not slow a test.
pub fn quick() -> Pace {
    Pace { rest: Duration::from_millis(1), patience: Duration::from_millis(40), ..Pace::default() }
}

pub fn body(json: impl ToString) -> Answer {
    Answer::Body(200, json.to_string())
}

pub fn envelope(status: u16, code: &str, message: &str) -> Answer {
    let body = serde_json::json!({"requestId": "1c5b-4ba8", "errorCode": code, "errorMessage": message});
    Answer::Body(status, body.to_string())
}

pub fn push() -> StkRequest {
    StkRequest {
        shillings: 120,
        msisdn: "254712000111".parse().unwrap(),
        reference: "ABCDEFGH2345".parse().unwrap(),
        callback_url: "https://pay.example.co.ke/hooks/stk/s3cr3tpath".to_owned(),
    }
}

async fn serve(mut stream: TcpStream, state: Arc<Mutex<State>>) {
    while let Some((head, body)) = request(&mut stream).await {
        let line = head.lines().next().unwrap_or_default();
        let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
        let answer = {
            let mut state = state.lock().unwrap();
            if path.starts_with("/oauth") {
                state.tokens += 1;
                let token = format!("token-{}", state.tokens);
                state.oauth.pop_front().unwrap_or_else(|| {
                    Answer::Body(200, format!(r#"{{"access_token":"{token}","expires_in":"3599"}}"#))
                })
            } else {
                let authorization = head
                    .lines()
                    .find_map(|line| {
                        line.to_ascii_lowercase().starts_with("authorization:").then(|| &line[14..])
                    })
                    .unwrap_or_default();
                state.asked.push(Asked {
                    path,
                    authorization: authorization.trim().to_owned(),
                    body: serde_json::from_slice(&body).unwrap_or(Value::Null),
                });
                state.answers.pop_front().expect("an answer for every request")
            }
        };
        let (status, text, more) = match answer {
            Answer::Body(status, text) => (status, text, String::new()),
            Answer::Later(status, text, seconds) => (status, text, format!("Retry-After: {seconds}\r\n")),
            Answer::HangUp => return,
            Answer::Torn => {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"Resp").await;
                return;
            }
        };
        let answer = format!("HTTP/1.1 {status} Said\r\n{more}Content-Length: {}\r\n\r\n{text}", text.len());
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

async fn request(stream: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
            let length = head
                .lines()
                .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:").map(str::to_owned))
                .map_or(0, |text| text.trim().parse().unwrap());
            while bytes.len() < end + 4 + length {
                read(stream, &mut bytes).await?;
            }
            return Some((head, bytes[end + 4..end + 4 + length].to_vec()));
        }
        read(stream, &mut bytes).await?;
    }
}

async fn read(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> Option<()> {
    let mut chunk = [0; 4096];
    let count = stream.read(&mut chunk).await.ok().filter(|count| *count > 0)?;
    bytes.extend_from_slice(&chunk[..count]);
    Some(())
}
