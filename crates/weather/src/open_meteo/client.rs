//! Asking: one question, one bounded answer, no patience without end.

use super::OpenMeteoConfig;
use super::answer::{self, Asked};
use crate::WeatherError;
use crate::interval::Interval;
use reqwest::header::RETRY_AFTER;
use reqwest::{Response, StatusCode, redirect, retry};
use std::time::Duration;
use url::Url;

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(20);
/// The longest answer read, in bytes: 92 days of hours are some 100 kB.
const ANSWER_MAX: usize = 1_024 * 1_024;

/// No answer, and for how long the provider wants to be left alone.
#[derive(Debug)]
pub(super) struct Refusal {
    pub error: WeatherError,
    pub retry_after_s: Option<i64>,
}

impl From<WeatherError> for Refusal {
    fn from(error: WeatherError) -> Self {
        Self { error, retry_after_s: None }
    }
}

pub(super) struct Client {
    http: reqwest::Client,
    forecast: Url,
    past: Url,
    api_key: String,
}

fn unavailable(what: &str) -> WeatherError {
    WeatherError::Unavailable(what.to_owned())
}

impl Client {
    pub fn new(config: OpenMeteoConfig) -> Result<Self, WeatherError> {
        let paid = if config.api_key.is_empty() { "" } else { "customer-" };
        let base = |set: &str, host: &str, path: &str| {
            let base = if set.is_empty() { format!("https://{paid}{host}") } else { set.to_owned() };
            Url::parse(&format!("{}{path}", base.trim_end_matches('/')))
                .map_err(|_| unavailable("the provider's url is no URL"))
        };
        let forecast = base(&config.url, "api.open-meteo.com", "/v1/forecast")?;
        let past = base(&config.past_url, "previous-runs-api.open-meteo.com", "/v1/forecast")?;
        let builder = reqwest::Client::builder()
            .no_proxy()
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .pool_idle_timeout(Duration::from_secs(15))
            .timeout(PATIENCE);
        // Plain http goes to a mirror on this machine only; the settings see to that.
        let builder = match [&forecast, &past].map(|url| url.scheme() == "https") {
            [true, true] => builder.https_only(true),
            // No certificate is ever looked at, and a machine without any may still have a mirror.
            [false, false] => builder.tls_danger_accept_invalid_certs(true),
            _ => builder,
        };
        let http = builder.build().map_err(|_| unavailable("no HTTPS client could be made"))?;
        Ok(Self { http, forecast, past, api_key: config.api_key })
    }

    pub async fn forecast(&self, asked: &Asked, query: &[(&str, String)]) -> Result<Vec<Interval>, Refusal> {
        self.ask(&self.forecast, asked, query).await
    }

    pub async fn past(&self, asked: &Asked, query: &[(&str, String)]) -> Result<Vec<Interval>, Refusal> {
        self.ask(&self.past, asked, query).await
    }

    async fn ask(
        &self,
        base: &Url,
        asked: &Asked,
        query: &[(&str, String)],
    ) -> Result<Vec<Interval>, Refusal> {
        let mut url = base.clone();
        {
            let mut pairs = url.query_pairs_mut();
            pairs
                .append_pair("latitude", &format!("{:.1}", asked.cell.latitude()))
                .append_pair("longitude", &format!("{:.1}", asked.cell.longitude()))
                .append_pair("hourly", &asked.names().join(","))
                .append_pair("timezone", "GMT")
                .append_pair("timeformat", "unixtime");
            for (name, value) in query {
                pairs.append_pair(name, value);
            }
            if !self.api_key.is_empty() {
                pairs.append_pair("apikey", &self.api_key);
            }
        }
        // What the client says of a failure names the address, and the address the key.
        let response = self.http.get(url).send().await.map_err(|error| {
            unavailable(if error.is_timeout() { "no answer in time" } else { "no connection" })
        })?;
        let status = response.status();
        let retry_after_s = retry_after(&response);
        let body = body(response).await?;
        if status == StatusCode::OK {
            return Ok(answer::intervals(asked, &body)?);
        }
        let reason = answer::reason(&body).unwrap_or_else(|| "no reason given".to_owned());
        let what = format!("the provider answered {}: {reason}", status.as_u16());
        Err(Refusal { error: WeatherError::Unavailable(what), retry_after_s })
    }
}

/// In seconds; a date is left to our own pauses.
fn retry_after(response: &Response) -> Option<i64> {
    response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()
}

async fn body(mut response: Response) -> Result<Vec<u8>, WeatherError> {
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() <= ANSWER_MAX => body.extend_from_slice(&chunk),
            Ok(Some(_)) => return Err(WeatherError::Unreadable("the answer is too long".to_owned())),
            Ok(None) => return Ok(body),
            Err(_) => return Err(unavailable("the answer broke off")),
        }
    }
}
