//! The dashboard's files, with the headers that keep them safe and fresh.

use crate::app::App;
use crate::error::ApiError;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use sha2::{Digest as _, Sha256};
use std::convert::Infallible;
use std::path::Path;
use tower::{Service as _, service_fn};
use tower_http::services::ServeDir;

const NO_DASHBOARD: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Jirani</title>\
<h1>Jirani</h1><p>The server runs, but it was started without the dashboard's files.</p>\
<p>Build them with <code>npm ci &amp;&amp; npm run build</code> in the folder <code>web</code>, \
then start again with <code>cargo xtask up</code>.</p>\
<p>The API is at <a href=\"/api/openapi.json\">/api/openapi.json</a>.</p></html>\n";

/// Everything that no route of the API answers.
pub fn service(
    app: &App,
) -> impl tower::Service<
    Request,
    Response = Response,
    Error = Infallible,
    Future = impl Future<Output = Result<Response, Infallible>> + Send + use<>,
> + Clone
+ use<>
+ Send
+ Sync
+ 'static {
    let pages = app.config.web_dir.as_deref().map(|folder| Pages {
        files: ServeDir::new(folder).precompressed_br().precompressed_gzip(),
        policy: policy(folder),
    });
    service_fn(move |request: Request| {
        let pages = pages.clone();
        async move { Ok(answer(pages, request).await) }
    })
}

#[derive(Clone)]
struct Pages {
    files: ServeDir,
    policy: HeaderValue,
}

/// A method the path does not know.
pub async fn wrong_method() -> ApiError {
    ApiError::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "api.wrong_method",
        "This address does not take that method.",
    )
}

async fn answer(pages: Option<Pages>, request: Request) -> Response {
    let path = request.uri().path();
    let is_api = ["/api", "/hooks"].iter().any(|root| path == *root || path.starts_with(&format!("{root}/")));
    if is_api {
        return ApiError::new(
            StatusCode::NOT_FOUND,
            "api.no_such_route",
            "There is nothing at this address.",
        )
        .into_response();
    }
    if request.method() != Method::GET && request.method() != Method::HEAD {
        return wrong_method().await.into_response();
    }
    match pages {
        Some(pages) => pages.answer(request).await,
        None if is_navigation(request.headers()) || path == "/" => {
            let headers =
                [(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CACHE_CONTROL, "no-cache")];
            (headers, NO_DASHBOARD).into_response()
        }
        None => ApiError::not_found("file").into_response(),
    }
}

impl Pages {
    async fn answer(mut self, request: Request) -> Response {
        let path = request.uri().path().to_owned();
        let (method, headers) = (request.method().clone(), request.headers().clone());
        let mut response = match page(&path) {
            Some(page) => self.file(method, headers, page).await,
            None => match self.files.call(request).await {
                Ok(response) if response.status() != StatusCode::NOT_FOUND => response.map(Body::new),
                // The dashboard finds its own way from any address a person opens.
                Ok(_) if is_navigation(&headers) => self.file(method, headers, shell(&path)).await,
                Ok(_) => return ApiError::not_found("file").into_response(),
                Err(never) => match never {},
            },
        };
        let lasting = if path.starts_with("/assets/") && response.status().is_success() {
            "public, max-age=31536000, immutable"
        } else {
            "no-cache"
        };
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(lasting));
        headers.insert(header::CONTENT_SECURITY_POLICY, self.policy);
        response
    }

    async fn file(&mut self, method: Method, headers: HeaderMap, path: &'static str) -> Response {
        let mut request = Request::new(Body::empty());
        *request.method_mut() = method;
        *request.headers_mut() = headers;
        *request.uri_mut() = Uri::from_static(path);
        match self.files.call(request).await {
            Ok(response) => response.map(Body::new),
            Err(never) => match never {},
        }
    }
}

/// The operator's desk is a page of its own.
fn shell(path: &str) -> &'static str {
    if path == "/ops" || path.starts_with("/ops/") { "/ops.html" } else { "/index.html" }
}

/// Addresses that are a page whatever the request accepts.
fn page(path: &str) -> Option<&'static str> {
    match path {
        "/" => Some("/index.html"),
        "/ops" | "/ops/" => Some("/ops.html"),
        _ => None,
    }
}

/// A person opens a page; scripts and images ask for other things.
fn is_navigation(headers: &HeaderMap) -> bool {
    headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"))
}

/// Only our own files, plus the exact inline styles and scripts of the two pages
/// as built, by their hashes.
fn policy(folder: &Path) -> HeaderValue {
    let pages = ["index.html", "ops.html"].map(|name| std::fs::read_to_string(folder.join(name)));
    let text: String = pages.into_iter().flatten().collect();
    let policy = format!(
        "default-src 'self'; script-src 'self'{}; style-src 'self'{}; img-src 'self' data:; connect-src 'self'; \
         object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
        hashes(&text, "script"),
        hashes(&text, "style"),
    );
    // A hash is plain text: this is always a header.
    HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'self'"))
}

/// ` 'sha256-...'` of every inline element of this name.
fn hashes(html: &str, element: &str) -> String {
    let (open, close) = (format!("<{element}"), format!("</{element}>"));
    let mut hashes = String::new();
    let mut rest = html;
    while let Some(start) = rest.find(&open) {
        rest = &rest[start + open.len()..];
        let Some(tag_end) = rest.find('>') else { break };
        let (tag, inner) = (&rest[..tag_end], &rest[tag_end + 1..]);
        let Some(end) = inner.find(&close) else { break };
        if !tag.contains("src=") && end > 0 {
            hashes.push_str(" 'sha256-");
            hashes.push_str(&BASE64.encode(Sha256::digest(&inner.as_bytes()[..end])));
            hashes.push('\'');
        }
        rest = &inner[end..];
    }
    hashes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inline_styles_are_allowed_by_their_hash_and_files_are_not_listed() {
        let html =
            "<style>a{}</style><script type=module src=\"/x.js\"></script><style media=print>b{}</style>";
        let expected = |text: &str| format!(" 'sha256-{}'", BASE64.encode(Sha256::digest(text)));
        assert_eq!(hashes(html, "style"), expected("a{}") + &expected("b{}"));
        assert_eq!(hashes(html, "script"), "");
    }

    #[test]
    fn an_address_of_the_desk_opens_the_desk() {
        assert_eq!(
            (shell("/ops/payments"), shell("/pay/7"), shell("/opsx")),
            ("/ops.html", "/index.html", "/index.html")
        );
    }
}
