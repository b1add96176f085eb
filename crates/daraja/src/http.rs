//! One HTTP exchange, and how sure we are that nothing left.

use crate::config::{DarajaConfig, DarajaConfigError};
use crate::reply::Reply;
use reqwest::{Client, RequestBuilder, redirect, retry};
use std::time::Duration;

/// The longest answer that is read, in bytes: a page of the list of payments has
/// some thousand rows of about 250 bytes.
const ANSWER_MAX: usize = 2 << 20;

/// What came of an exchange.
pub enum Exchange {
    /// No connection: nothing was sent.
    NotSent(String),
    /// It may have been sent; no whole answer came.
    NoAnswer(String),
    /// An answer.
    Answer(Reply),
}

/// A client that never repeats a request by itself: not on a redirect, not
/// on a failure.
pub fn client(config: &DarajaConfig, tls: bool) -> Result<Client, DarajaConfigError> {
    let builder = Client::builder()
        .no_proxy()
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .connect_timeout(Duration::from_secs(10))
        // Shorter than any gateway keeps one: a request written to a connection
        // that is just being closed would be of unknown outcome.
        .pool_idle_timeout(Duration::from_secs(15))
        .timeout(Duration::from_secs(config.timeout_s.max(1)));
    // Plain http goes to this machine only, and then TLS is never spoken:
    // reading the system's certificates would cost time and could fail.
    let builder = if tls { builder.https_only(true) } else { builder.tls_danger_accept_invalid_certs(true) };
    builder.build().map_err(|error| DarajaConfigError::HttpClient(error.to_string()))
}

/// Sends the request and reads its answer, bounded.
pub async fn exchange(request: RequestBuilder) -> Exchange {
    let mut response = match request.send().await {
        Ok(response) => response,
        // The address is left out of the text: it may hold a secret path.
        Err(error) if error.is_connect() || error.is_builder() => {
            return Exchange::NotSent(error.without_url().to_string());
        }
        Err(error) => return Exchange::NoAnswer(error.without_url().to_string()),
    };
    let status = response.status().as_u16();
    let retry_after = response.headers().get("retry-after").and_then(|value| value.to_str().ok());
    let retry_after = retry_after.map(str::to_owned);
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() <= ANSWER_MAX => body.extend_from_slice(&chunk),
            Ok(Some(_)) => return Exchange::NoAnswer("the answer is too long".to_owned()),
            Ok(None) => {
                return Exchange::Answer(Reply::new(status, &body).with_retry_after(retry_after.as_deref()));
            }
            Err(error) => return Exchange::NoAnswer(error.without_url().to_string()),
        }
    }
}
