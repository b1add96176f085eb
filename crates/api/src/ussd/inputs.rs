//! What people type: answers joined by `*`, numbers without letters.

use jirani_units::{Cents, Price, Wh};

/// The longest text taken, in bytes: a session has at most that much to say.
pub const TEXT_MAX: usize = 400;
/// The most answers of a session.
pub const INPUTS_MAX: usize = 40;
/// The most energy asked for at once: a megawatt hour, as the market's own limit of one
/// order lies far below.
const ENERGY_MAX: u64 = 1_000_000;
/// The most money asked for at once, in shillings: M-Pesa moves no more.
const SHILLINGS_MAX: u64 = 250_000;

/// The answers of a text; `None` when there are too many or it is too long.
pub fn split(text: &str) -> Option<Vec<&str>> {
    if text.is_empty() {
        return Some(Vec::new());
    }
    let inputs: Vec<&str> = text.split('*').map(str::trim).collect();
    (text.len() <= TEXT_MAX && inputs.len() <= INPUTS_MAX).then_some(inputs)
}

/// A number with at most `places` decimals, in units of the last one.
fn decimal(text: &str, places: u32, most: u64) -> Option<u64> {
    let (whole, part) = text.split_once(['.', ',']).unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 9 || !digits(whole) || !digits(part) || part.len() > places as usize
    {
        return None;
    }
    let scale = 10_u64.pow(places);
    let part_scale = 10_u64.pow(places - u32::try_from(part.len()).ok()?);
    let part: u64 = if part.is_empty() { 0 } else { part.parse().ok()? };
    let value = whole.parse::<u64>().ok()? * scale + part * part_scale;
    (value <= most).then_some(value)
}

/// Energy typed as kWh with at most three decimals; not zero.
pub fn energy(text: &str) -> Option<Wh> {
    decimal(text, 3, ENERGY_MAX).filter(|wh| *wh > 0).map(Wh)
}

/// Energy typed as kWh that may be zero.
pub fn energy_or_none(text: &str) -> Option<Wh> {
    decimal(text, 3, ENERGY_MAX).map(Wh)
}

/// Whole shillings, not zero.
pub fn shillings(text: &str) -> Option<Cents> {
    let shillings = decimal(text, 0, SHILLINGS_MAX).filter(|shillings| *shillings > 0)?;
    i64::try_from(shillings * 100).ok().map(Cents)
}

/// A price typed as KSh per kWh with at most two decimals, within bounds.
pub fn price(text: &str, least: Price, most: Price) -> Option<Price> {
    let price = Price(u32::try_from(decimal(text, 2, 10_000_000)?).ok()?);
    (least..=most).contains(&price).then_some(price)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_what_stands_between_stars() {
        assert_eq!(split(""), Some(vec![]));
        assert_eq!(split("1"), Some(vec!["1"]));
        assert_eq!(split("1234*2*1.5"), Some(vec!["1234", "2", "1.5"]));
        assert_eq!(split("1**2"), Some(vec!["1", "", "2"]));
        assert_eq!(split(&"1*".repeat(40)), None);
        assert_eq!(split(&"1".repeat(401)), None);
    }

    #[test]
    fn numbers_are_read_exactly_or_not_at_all() {
        for (text, expected) in [
            ("1", Some(1_000)),
            ("1.5", Some(1_500)),
            ("1,5", Some(1_500)),
            ("0.001", Some(1)),
            ("1000", Some(1_000_000)),
            ("1000.001", None),
            ("1.0001", None),
            ("0", None),
            ("", None),
            (".5", None),
            ("-1", None),
            ("1e3", None),
            ("١", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(energy(text).map(|energy| energy.0), expected, "{text}");
        }
        assert_eq!(energy_or_none("0"), Some(Wh(0)));
        assert_eq!(shillings("50"), Some(Cents(5_000)));
        assert_eq!(shillings("50.5"), None);
        assert_eq!(shillings("250001"), None);
        assert_eq!(price("12.5", Price(1_000), Price(3_000)), Some(Price(1_250)));
        assert_eq!(price("9.99", Price(1_000), Price(3_000)), None);
    }
}
