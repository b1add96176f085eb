//! Whether a request that rides on a cookie was sent by our own pages.

use axum::http::{HeaderMap, Uri, header};

/// Name of the cookie that carries the token.
pub const COOKIE: &str = "jirani_session";

/// The header our own pages may send instead of relying on `Origin`.
pub const OWN_PAGE: &str = "x-jirani";

/// Another site can make a browser send the cookie, but neither our origin nor a
/// header of our own: one of the two is asked for before anything changes.
pub fn is_own_page(headers: &HeaderMap, uri: &Uri) -> bool {
    if headers.get(OWN_PAGE).is_some_and(|value| value == "1") {
        return true;
    }
    let Some(origin) = headers.get(header::ORIGIN).and_then(|value| value.to_str().ok()) else {
        return false;
    };
    let host = headers
        .get(header::HOST)
        .and_then(|value| value.to_str().ok())
        .or_else(|| uri.authority().map(axum::http::uri::Authority::as_str));
    let from = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
    match (from, host) {
        (Some(from), Some(host)) => from.eq_ignore_ascii_case(host),
        _ => false,
    }
}

/// The session cookie's value, if there is one.
pub fn cookie(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(name, value)| (name == COOKIE).then_some(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn only_our_own_pages_may_change_things_by_cookie() {
        let uri = Uri::from_static("/api/v1/me/orders");
        for (expected, pairs) in [
            (true, vec![("host", "grid.example"), ("origin", "https://grid.example")]),
            (true, vec![("host", "127.0.0.1:8080"), ("origin", "http://127.0.0.1:8080")]),
            (true, vec![("host", "grid.example"), ("x-jirani", "1")]),
            (false, vec![("host", "grid.example")]),
            (false, vec![("host", "grid.example"), ("origin", "null")]),
            (false, vec![("host", "grid.example"), ("origin", "https://evil.example")]),
            (false, vec![("host", "grid.example"), ("origin", "https://grid.example.evil.example")]),
            (false, vec![("origin", "https://grid.example")]),
        ] {
            assert_eq!(is_own_page(&headers(&pairs), &uri), expected, "{pairs:?}");
        }
    }

    #[test]
    fn the_cookie_is_found_among_others() {
        let headers = headers(&[("cookie", "theme=dark; jirani_session=abc; x=y")]);
        assert_eq!(cookie(&headers), Some("abc"));
    }
}
