//! The fields of a Daraja request, numbers or text alike.

use super::answer::Body;
use super::auth::header_text;
use crate::refusal::Refusal;
use axum::http::{HeaderMap, header};
use jirani_units::Msisdn;
use serde_json::{Map, Value};

/// The fields.
pub struct Fields(Map<String, Value>);

/// The longest body that is taken, in bytes.
const LONGEST_BODY: usize = 64 * 1024;
/// The longest field that is taken, in bytes.
const LONGEST: usize = 2_000;

impl Fields {
    /// Reads a body. Without `Content-Type: application/json` Daraja sees no
    /// fields at all and complains about the first.
    pub fn read(headers: &HeaderMap, body: &Body, first: &str) -> Result<Self, Refusal> {
        let json = header_text(headers, header::CONTENT_TYPE)
            .is_some_and(|kind| kind.trim().to_ascii_lowercase().starts_with("application/json"));
        if !json {
            return Err(Refusal::field(first));
        }
        // Too long, cut off, or no object: one answer for all.
        match body
            .as_ref()
            .ok()
            .filter(|body| body.len() <= LONGEST_BODY)
            .map(|body| serde_json::from_slice(body))
        {
            Some(Ok(Value::Object(fields))) => Ok(Self(fields)),
            _ => Err(Refusal::payload()),
        }
    }

    /// A field as text; refused when missing, empty or too long.
    pub fn text(&self, name: &str) -> Result<String, Refusal> {
        let text = match self.0.get(name) {
            Some(Value::String(text)) => text.trim().to_owned(),
            Some(Value::Number(number)) => number.to_string(),
            _ => String::new(),
        };
        let plain = !text.is_empty() && text.len() <= LONGEST && !text.chars().any(char::is_control);
        if plain { Ok(text) } else { Err(Refusal::field(name)) }
    }

    /// Whether the field is there and holds something.
    pub fn has(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|value| !matches!(value, Value::Null) && value != "")
    }

    /// One of the names, the first that is there; the first of all when none is.
    pub fn either<'a>(&self, names: &[&'a str]) -> &'a str {
        let there = names.iter().find(|name| self.has(name)).or(names.first());
        there.copied().unwrap_or_default()
    }

    /// Text of at most this many characters, if it is there.
    pub fn maybe_short(&self, name: &str, longest: usize) -> Result<Option<String>, Refusal> {
        if self.has(name) { self.short(name, longest).map(Some) } else { Ok(None) }
    }

    /// One of these texts.
    pub fn one_of(&self, name: &str, allowed: &[&str]) -> Result<String, Refusal> {
        let text = self.text(name)?;
        if allowed.contains(&text.as_str()) { Ok(text) } else { Err(Refusal::field(name)) }
    }

    /// Text of at most this many characters.
    pub fn short(&self, name: &str, longest: usize) -> Result<String, Refusal> {
        self.text(name).and_then(|text| {
            if text.chars().count() <= longest { Ok(text) } else { Err(Refusal::field(name)) }
        })
    }

    /// 5 to 7 digits.
    pub fn shortcode(&self, name: &str) -> Result<String, Refusal> {
        let text = self.text(name)?;
        let right = (5..=7).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        if right { Ok(text) } else { Err(Refusal::field(name)) }
    }

    /// A Kenyan mobile number in M-Pesa's own form, `254` and nine digits.
    pub fn msisdn(&self, name: &str) -> Result<Msisdn, Refusal> {
        let text = self.text(name)?;
        let digits = text.len() == 12 && text.starts_with("254") && text.bytes().all(|b| b.is_ascii_digit());
        text.parse().ok().filter(|_| digits).ok_or_else(|| Refusal::field(name))
    }

    /// Whole shillings, no decimals, above zero; limits are the caller's.
    pub fn shillings(&self, name: &str) -> Result<i64, Refusal> {
        let text = self.text(name)?;
        let digits = text.len() <= 12 && text.bytes().all(|b| b.is_ascii_digit());
        text.parse().ok().filter(|amount| digits && *amount > 0).ok_or_else(|| Refusal::field(name))
    }

    /// An http or https address without spaces.
    pub fn url(&self, name: &str) -> Result<String, Refusal> {
        let text = self.text(name)?;
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let plain = rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'))
            && text.bytes().all(|b| b.is_ascii_graphic());
        if plain { Ok(text) } else { Err(Refusal::field(name)) }
    }
}

#[cfg(test)]
mod tests {
    use super::Fields;
    use axum::body::Bytes;
    use axum::http::{HeaderMap, HeaderValue};
    use serde_json::{Value, json};

    fn fields(body: &Value) -> Fields {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", HeaderValue::from_static("application/json"));
        Fields::read(&headers, &Ok(Bytes::from(body.to_string())), "First").unwrap()
    }

    #[test]
    fn numbers_and_text_are_taken_alike() {
        let fields =
            fields(&json!({"A": 174_379, "B": "174379", "N": 120, "T": "120", "P": 254_712_000_111_u64}));
        assert_eq!(fields.shortcode("A"), fields.shortcode("B"));
        assert_eq!((fields.shillings("N"), fields.shillings("T")), (Ok(120), Ok(120)));
        assert!(fields.msisdn("P").is_ok());
    }

    #[test]
    fn what_daraja_would_not_take_is_refused_by_name() {
        let fields = fields(
            &json!({"Zero": 0, "Decimals": 1.5, "Text": "ten", "Local": "0712000111", "Ftp": "ftp://x",
            "Space": "http://127.0.0.1/a b", "Null": null, "Short": "12"}),
        );
        for name in ["Zero", "Decimals", "Text", "Null", "Missing"] {
            assert_eq!(fields.shillings(name).unwrap_err().message, format!("Bad Request - Invalid {name}"));
        }
        assert!(fields.msisdn("Local").is_err());
        assert!(fields.url("Ftp").is_err() && fields.url("Space").is_err());
        assert!(fields.shortcode("Short").is_err());
    }

    #[test]
    fn without_a_content_type_the_first_field_is_blamed() {
        let body = Ok(Bytes::from_static(b"{}"));
        let refusal = Fields::read(&HeaderMap::new(), &body, "BusinessShortCode").err().unwrap();
        assert_eq!(refusal.message, "Bad Request - Invalid BusinessShortCode");
    }
}
