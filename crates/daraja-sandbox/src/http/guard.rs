//! Keeps pages of other websites away from the emulator's own doors: a browser
//! on this machine would knock for them otherwise.

use super::App;
use super::control::Problem;
use crate::config::Reach;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::net::IpAddr;
use std::sync::Arc;

pub async fn guard(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let daraja = ["/mpesa/", "/oauth/", "/pulltransactions/"].iter().any(|door| path.starts_with(door));
    let mut response = if !daraja && !welcome(request.headers(), app.config.reach) {
        let message = "this page may not use the emulator; open the emulator's own pages".to_owned();
        Problem(StatusCode::FORBIDDEN, "sandbox.foreign_page", message).into_response()
    } else {
        next.run(request).await
    };
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// Whether the request comes from no page, or from one of ours; and, where the
/// emulator is for this machine only, was sent to a name of this machine.
fn welcome(headers: &HeaderMap, reach: Reach) -> bool {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let host = text(header::HOST).unwrap_or_default();
    let from_here = text(header::ORIGIN).is_none_or(|origin| {
        let origin = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
        origin.is_some_and(|origin| origin == host)
    });
    from_here && (reach == Reach::AnyMachine || host.is_empty() || is_this_machine(host))
}

fn is_this_machine(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    let name = name.trim_matches(['[', ']']);
    name == "localhost"
        || name.ends_with(".localhost")
        || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::{Reach, welcome};
    use axum::http::{HeaderMap, HeaderValue, header};

    fn headers(host: &'static str, origin: Option<&'static str>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_static(host));
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, HeaderValue::from_static(origin));
        }
        headers
    }

    #[test]
    fn only_programs_and_our_own_pages_are_welcome() {
        for (host, origin, expected) in [
            ("127.0.0.1:8090", None, true),
            ("localhost:8090", Some("http://localhost:8090"), true),
            ("[::1]:8090", None, true),
            ("127.0.0.1:8090", Some("https://evil.example"), false),
            ("127.0.0.1:8090", Some("null"), false),
            ("evil.example:8090", Some("http://evil.example:8090"), false),
        ] {
            assert_eq!(welcome(&headers(host, origin), Reach::ThisMachine), expected, "{host} {origin:?}");
        }
        assert!(welcome(&headers("192.168.1.7:8090", None), Reach::AnyMachine));
    }
}
