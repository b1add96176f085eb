//! A provider's server on this machine that plays recorded answers.
#![allow(dead_code, reason = "each test binary uses a part")]

use axum::Router;
use axum::body::Body;
use axum::extract::{Request as Asked, State};
use axum::http::{Response, StatusCode};
use jirani_forecast::Place;
use jirani_units::Timestamp;
use jirani_weather::{OpenMeteo, OpenMeteoConfig, Request};
use std::sync::{Arc, Mutex};

/// What the server answers to everything.
#[derive(Clone)]
pub struct Answer {
    pub status: u16,
    pub retry_after: Option<&'static str>,
    pub body: String,
}

#[derive(Clone, Default)]
pub struct Heard {
    pub queries: Arc<Mutex<Vec<String>>>,
    pub answer: Arc<Mutex<Option<Answer>>>,
}

pub struct Server {
    pub url: String,
    pub heard: Heard,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(State(heard): State<Heard>, asked: Asked) -> Response<Body> {
    let query = asked.uri().query().unwrap_or_default().to_owned();
    heard.queries.lock().unwrap().push(format!("{}?{query}", asked.uri().path()));
    let answer = heard.answer.lock().unwrap().clone().unwrap();
    let mut response = Response::builder().status(StatusCode::from_u16(answer.status).unwrap());
    if let Some(seconds) = answer.retry_after {
        response = response.header("Retry-After", seconds);
    }
    response.body(Body::from(answer.body)).unwrap()
}

impl Server {
    pub async fn start(body: String) -> Self {
        let heard = Heard::default();
        let router = Router::new().fallback(answer).with_state(heard.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let server = Self { url, heard, task };
        server.answer(200, None, body);
        server
    }

    pub fn answer(&self, status: u16, retry_after: Option<&'static str>, body: impl Into<String>) {
        *self.heard.answer.lock().unwrap() = Some(Answer { status, retry_after, body: body.into() });
    }

    pub fn asked(&self) -> usize {
        self.heard.queries.lock().unwrap().len()
    }

    pub fn provider(&self, api_key: &str) -> OpenMeteo {
        let (url, past_url) = (self.url.clone(), self.url.clone());
        OpenMeteo::new(OpenMeteoConfig { url, past_url, api_key: api_key.to_owned() }).unwrap()
    }
}

pub fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub const NOW: &str = "2026-03-20T05:10:00Z";

/// 48 hours of quarter hours from [`NOW`].
pub fn request() -> Request {
    Request { place: Place::KITONYONI, issued_at: at(NOW), from: at(NOW), slot_length_s: 900, slots: 192 }
}

/// An answer in the service's form: `hours` hours from the midnight before `from`, light as
/// `light` says of each stamp.
pub fn recorded(from: &str, hours: i64, suffix: &str, light: impl Fn(i64) -> String) -> String {
    let first = at(from).seconds().div_euclid(86_400) * 86_400;
    let row = |of: &dyn Fn(i64) -> String| (0..hours).map(of).collect::<Vec<_>>().join(",");
    format!(
        r#"{{"latitude":-1.9332161,"longitude":37.639256,"generationtime_ms":0.21,"utc_offset_seconds":0,"timezone":"GMT","timezone_abbreviation":"GMT","elevation":1110.0,"hourly_units":{{"time":"unixtime","shortwave_radiation{suffix}":"W/m²","temperature_2m{suffix}":"°C","cloud_cover{suffix}":"%"}},"hourly":{{"time":[{}],"shortwave_radiation{suffix}":[{}],"temperature_2m{suffix}":[{}],"cloud_cover{suffix}":[{}]}}}}"#,
        row(&|hour| (first + hour * 3_600).to_string()),
        row(&|hour| light(hour % 24)),
        row(&|_| "21.4".to_owned()),
        row(&|_| "40".to_owned()),
    )
}

/// A cloudy day in Kenya, by the stamp at the end of each UTC hour.
pub fn cloudy(hour: i64) -> String {
    let light = [0, 0, 0, 0, 40, 160, 310, 420, 500, 520, 480, 410, 300, 170, 60, 5];
    let value = usize::try_from(hour).ok().and_then(|hour| light.get(hour).copied()).unwrap_or(0);
    format!("{value}.0")
}
