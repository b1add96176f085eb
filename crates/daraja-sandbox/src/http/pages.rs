//! The pages: plain files, no build step, no address outside this machine.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};

const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; \
                      frame-ancestors *; base-uri 'none'; form-action 'none'";

fn file(kind: &'static str, text: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "no-cache"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
    ];
    (headers, text).into_response()
}

pub async fn home() -> Redirect {
    Redirect::to("/phones")
}

/// Browsers ask for an icon whatever a page says; an answer without one keeps their consoles clean.
pub async fn no_icon() -> StatusCode {
    StatusCode::NO_CONTENT
}

pub async fn phones() -> Response {
    file("text/html; charset=utf-8", include_str!("../../pages/phones.html"))
}

pub async fn phone() -> Response {
    file("text/html; charset=utf-8", include_str!("../../pages/phone.html"))
}

pub async fn faults() -> Response {
    file("text/html; charset=utf-8", include_str!("../../pages/faults.html"))
}

pub async fn accounts() -> Response {
    file("text/html; charset=utf-8", include_str!("../../pages/accounts.html"))
}

pub async fn faults_script() -> Response {
    file("text/javascript; charset=utf-8", include_str!("../../pages/faults.js"))
}

pub async fn accounts_script() -> Response {
    file("text/javascript; charset=utf-8", include_str!("../../pages/accounts.js"))
}

pub async fn style() -> Response {
    file("text/css; charset=utf-8", include_str!("../../pages/phones.css"))
}

pub async fn phones_script() -> Response {
    file("text/javascript; charset=utf-8", include_str!("../../pages/phones.js"))
}

pub async fn phone_script() -> Response {
    file("text/javascript; charset=utf-8", include_str!("../../pages/phone.js"))
}
