//! A node's URL, which may hold a password or a provider's key: shown without them.
//!
//! Providers put keys into the userinfo, the query or a segment of the path. All
//! three are hidden wherever such a URL is printed, and cut out of texts that others
//! wrote about it.

use std::fmt;
use url::Url;

/// Path segments up to this length are shown: `v2`, `rpc`, `mainnet`. No provider's key
/// is that short.
const SEGMENT_SHOWN: usize = 8;
/// Shortest text that is cut out of other texts: a shorter one would be found anywhere.
const CUT_MIN: usize = 3;
/// What stands where something is hidden.
const HIDDEN: &str = "***";

/// A URL that is printed without what is secret in it.
#[derive(Clone, PartialEq, Eq)]
pub struct NodeUrl(String);

impl NodeUrl {
    /// All of it, for who connects.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Parsed; the error says nothing of the text.
    pub(crate) fn parsed(&self) -> Result<Url, url::ParseError> {
        Url::parse(&self.0)
    }

    /// A text that may quote this URL, or parts of it, without what is secret in it.
    pub fn scrub(&self, text: &str) -> String {
        let mut clean = text.to_owned();
        let Ok(url) = self.parsed() else {
            return if self.0.len() < CUT_MIN { clean } else { clean.replace(&self.0, HIDDEN) };
        };
        let shown = self.to_string();
        for whole in [self.0.as_str(), url.as_str()] {
            clean = clean.replace(whole, &shown);
        }
        let mut secrets: Vec<String> = Vec::new();
        let mut add = |text: &str| secrets.push(text.to_owned());
        add(url.username());
        url.password().into_iter().for_each(&mut add);
        url.query().into_iter().for_each(&mut add);
        url.query_pairs().for_each(|(_, value)| add(&value));
        for pair in url.query().into_iter().flat_map(|query| query.split('&')) {
            add(pair.split_once('=').map_or(pair, |(_, value)| value));
        }
        url.fragment().into_iter().for_each(&mut add);
        url.path_segments().into_iter().flatten().filter(|part| !is_shown(part)).for_each(add);
        // As it was typed, too: parsing writes some letters otherwise.
        let decoded: Vec<String> = secrets
            .iter()
            .filter_map(|part| url::form_urlencoded::parse(part.as_bytes()).next())
            .map(|(name, _)| name.into_owned())
            .collect();
        secrets.extend(decoded);
        // The longest first: a short one may be a part of it.
        secrets.sort_unstable_by_key(|secret| std::cmp::Reverse(secret.len()));
        for secret in secrets.iter().filter(|secret| secret.len() >= CUT_MIN) {
            clean = clean.replace(secret.as_str(), HIDDEN);
        }
        clean
    }
}

fn is_shown(segment: &str) -> bool {
    segment.len() <= SEGMENT_SHOWN
}

impl<T: Into<String>> From<T> for NodeUrl {
    fn from(text: T) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for NodeUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ok(url) = self.parsed() else { return f.write_str("(no URL)") };
        let Some(host) = url.host() else { return write!(f, "{}:{HIDDEN}", url.scheme()) };
        write!(f, "{}://", url.scheme())?;
        if !url.username().is_empty() || url.password().is_some() {
            write!(f, "{HIDDEN}@")?;
        }
        write!(f, "{host}")?;
        if let Some(port) = url.port() {
            write!(f, ":{port}")?;
        }
        if url.path() != "/" {
            for segment in url.path_segments().into_iter().flatten() {
                write!(f, "/{}", if is_shown(segment) { segment } else { HIDDEN })?;
            }
        }
        if url.query().is_some() {
            write!(f, "?{HIDDEN}")?;
        }
        if url.fragment().is_some() {
            write!(f, "#{HIDDEN}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for NodeUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_shown_without_its_secrets() {
        for (url, shown) in [
            ("http://127.0.0.1:8899", "http://127.0.0.1:8899"),
            ("http://127.0.0.1:8899/", "http://127.0.0.1:8899"),
            ("https://api.devnet.solana.com", "https://api.devnet.solana.com"),
            ("https://node.example/rpc/v2", "https://node.example/rpc/v2"),
            ("https://u:hunter2@node.example", "https://***@node.example"),
            ("https://token@node.example/x", "https://***@node.example/x"),
            ("https://node.example/v2/AbC123dEf456GhI", "https://node.example/v2/***"),
            ("https://node.example:444/?api-key=0f-1e#k", "https://node.example:444?***#***"),
            ("wss://u:p@[::1]:8900/0123456789/", "wss://***@[::1]:8900/***/"),
            ("hunter2", "(no URL)"),
            ("data:hunter2", "data:***"),
        ] {
            assert_eq!(NodeUrl::from(url).to_string(), shown, "{url}");
            assert_eq!(format!("{:?}", NodeUrl::from(url)), shown, "{url}");
        }
    }

    #[test]
    fn a_text_that_quotes_a_url_is_rid_of_its_secrets() {
        let url =
            NodeUrl::from("https://me:hunt%20er2@node.example/v2/AbC123dEf456?api-key=QQ%2F77&x=sesame");
        let text = "error for url (https://me:hunt%20er2@node.example/v2/AbC123dEf456?api-key=QQ%2F77&x=sesame): \
            key QQ/77 (QQ%2F77) of hunt er2 at /v2/AbC123dEf456 refused, not sesame; node.example";
        let clean = url.scrub(text);
        for secret in ["hunt", "AbC", "QQ", "77", "sesame"] {
            assert!(!clean.contains(secret), "{secret} in {clean}");
        }
        assert!(clean.starts_with("error for url (https://***@node.example/v2/***?***): key ***"), "{clean}");
        assert!(clean.ends_with("; node.example"), "{clean}");
        assert_eq!(NodeUrl::from("http://127.0.0.1:8899").scrub("connection refused"), "connection refused");
        assert_eq!(NodeUrl::from("hunter2").scrub("hunter2 is no URL"), "*** is no URL");
    }
}
