//! Loose reading of JSON: a number may be text, a list may be one object.

use super::{CallbackError, MAX_BODY_BYTES};
use jirani_units::Cents;
use serde_json::Value;

/// The longest text taken from a body, in bytes.
const MAX_TEXT: usize = 256;

/// The body as JSON, if it is not too long.
pub fn json(body: &[u8]) -> Result<Value, CallbackError> {
    if body.len() > MAX_BODY_BYTES {
        return Err(CallbackError::TooLong);
    }
    serde_json::from_slice(body).map_err(|_| CallbackError::NotJson)
}

/// Text or number as trimmed text; `None` when missing, empty or too long.
pub fn text(value: Option<&Value>) -> Option<String> {
    let text = match value? {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    (!text.is_empty() && text.len() <= MAX_TEXT).then_some(text)
}

/// An amount of money: `1`, `1.00`, `"1.00"`. `None` unless positive and of
/// whole cents.
pub fn amount(value: Option<&Value>) -> Option<Cents> {
    signed_cents(&text(value)?).filter(|cents| *cents > 0).map(Cents)
}

/// Cents of `1`, `1.00`, `-1540.00`. `None` for fractions of a cent, signs
/// elsewhere, and what is beyond any balance.
pub fn signed_cents(text: &str) -> Option<i64> {
    let text = text.trim();
    let (sign, text) = text.strip_prefix('-').map_or((1, text), |text| (-1, text));
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let fraction = fraction.trim_end_matches('0');
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || whole.len() > 15 || fraction.len() > 2 || !digits(whole) || !digits(fraction) {
        return None;
    }
    let cents: i64 = format!("{whole}{fraction:0<2}").parse().ok()?;
    Some(sign * cents)
}

/// The value of the item called `name` in a list of `{name_key, Value}` pairs,
/// or in a single such object. Order and count say nothing.
pub fn item<'a>(items: Option<&'a Value>, name_key: &str, name: &str) -> Option<&'a Value> {
    let items = match items? {
        Value::Array(items) => items.as_slice(),
        object @ Value::Object(_) => std::slice::from_ref(object),
        _ => return None,
    };
    items
        .iter()
        .find(|item| item.get(name_key).and_then(Value::as_str).is_some_and(|key| same_key(key, name)))?
        .get("Value")
}

/// Keys are met with spaces in them (`Conversation ID`) or around them.
fn same_key(key: &str, name: &str) -> bool {
    key.chars().filter(|c| !c.is_whitespace()).eq(name.chars())
}

#[cfg(test)]
mod tests {
    use super::{amount, item};
    use jirani_units::Cents;
    use serde_json::json;

    #[test]
    fn amounts_are_read_to_the_cent_or_not_at_all() {
        for (value, cents) in [
            (json!(1), Some(100)),
            (json!(1.0), Some(100)),
            (json!("120.00"), Some(12_000)),
            (json!(90_210.5), Some(9_021_050)),
            (json!("0.07"), Some(7)),
            (json!(250_000.01), Some(25_000_001)),
            (json!(0), None),
            (json!(-5), None),
            (json!("1,000"), None),
            (json!(1e300), None),
            (json!("1.234"), None),
            (json!(null), None),
            (json!("999999999999999999"), None),
        ] {
            assert_eq!(amount(Some(&value)), cents.map(Cents), "{value}");
        }
    }

    #[test]
    fn one_object_is_a_list_of_one() {
        let one = json!({"Key": "A", "Value": 1});
        let many = json!([{"Key": "B"}, {"Key": "A", "Value": 1}, 7]);
        assert_eq!(item(Some(&one), "Key", "A"), Some(&json!(1)));
        assert_eq!(item(Some(&many), "Key", "A"), Some(&json!(1)));
        assert_eq!(item(Some(&many), "Key", "B"), None);
    }
}
