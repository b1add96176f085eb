//! Numbers of a JSON text, as the text they are written in.
//!
//! A JSON number is never turned into a float: the path to it is walked over the raw text.
//! A key that stands twice in one object is refused, since readers differ in which they take.

use crate::error::DeviceError;
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

/// Most numbers of an array that are added up: the channels of one device.
const CHANNELS_MAX: usize = 16;

/// The texts of the numbers at `pointer` (RFC 6901): one, or one per channel where an array
/// stands there. `None` where nothing or null stands.
pub(crate) fn numbers(text: &str, pointer: &str) -> Result<Option<Vec<String>>, DeviceError> {
    let Some(found) = at(text, pointer)? else { return Ok(None) };
    if !found.starts_with('[') {
        return Ok(Some(vec![scalar(found)?]));
    }
    let Items(items) = serde_json::from_str(found).map_err(|error| malformed(&error))?;
    if items.is_empty() || items.len() > CHANNELS_MAX {
        return Err(DeviceError::Malformed(format!("{pointer} has {} channels", items.len())));
    }
    items.into_iter().map(|item| scalar(item.get())).collect::<Result<_, _>>().map(Some)
}

/// The raw text at `pointer`; `None` where nothing or null stands.
pub(crate) fn at<'a>(text: &'a str, pointer: &str) -> Result<Option<&'a str>, DeviceError> {
    let mut here = text;
    for step in pointer.split('/').skip(1) {
        let step = step.replace("~1", "/").replace("~0", "~");
        let next = match here.trim_start().as_bytes().first() {
            Some(b'{') => {
                let Entries(entries) = serde_json::from_str(here).map_err(|error| malformed(&error))?;
                entries.into_iter().find(|(key, _)| *key == step).map(|(_, value)| value)
            }
            Some(b'[') => {
                let Items(items) = serde_json::from_str(here).map_err(|error| malformed(&error))?;
                step.parse::<usize>().ok().and_then(|index| items.get(index).copied())
            }
            _ => {
                // What stands there must still be JSON, or the message is none.
                let _: &RawValue = serde_json::from_str(here).map_err(|error| malformed(&error))?;
                None
            }
        };
        match next {
            Some(next) => here = next.get(),
            None => return Ok(None),
        }
    }
    let whole: &RawValue = serde_json::from_str(here).map_err(|error| malformed(&error))?;
    Ok(Some(whole.get()).filter(|text| *text != "null"))
}

/// The text of the string at `pointer`.
pub(crate) fn string(text: &str, pointer: &str) -> Result<Option<String>, DeviceError> {
    at(text, pointer)?.map(scalar).transpose()
}

/// A number's own text, or that of the string it stands in.
fn scalar(raw: &str) -> Result<String, DeviceError> {
    if raw.starts_with('"') {
        return serde_json::from_str(raw).map_err(|error| malformed(&error));
    }
    if raw.starts_with(['{', '[']) {
        return Err(DeviceError::Malformed("a list or an object stands where a number belongs".to_owned()));
    }
    Ok(raw.to_owned())
}

fn malformed(error: &serde_json::Error) -> DeviceError {
    DeviceError::Malformed(format!("not the JSON it should be: {error}"))
}

/// An object's entries in order, no key twice.
struct Entries<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de> Deserialize<'de> for Entries<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Entries<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries<'de>, A::Error> {
                let (mut entries, mut keys) = (Vec::new(), BTreeSet::new());
                while let Some((key, value)) = map.next_entry::<String, &'de RawValue>()? {
                    if !keys.insert(key.clone()) {
                        return Err(serde::de::Error::custom("a key stands twice"));
                    }
                    entries.push((Cow::Owned(key), value));
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

/// An array's items.
struct Items<'a>(Vec<&'a RawValue>);

impl<'de> Deserialize<'de> for Items<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Array;
        impl<'de> Visitor<'de> for Array {
            type Value = Items<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Items<'de>, A::Error> {
                let mut found = Vec::new();
                while let Some(item) = items.next_element()? {
                    found.push(item);
                }
                Ok(Items(found))
            }
        }
        deserializer.deserialize_seq(Array)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_as_it_is_written() {
        let text = r#"{"a":{"b/c":0.1000000000000000055},"list":[1.5, "2.25"],"gone":null}"#;
        let read = |pointer| numbers(text, pointer).unwrap();
        assert_eq!(read("/a/b~1c").unwrap(), ["0.1000000000000000055"]);
        assert_eq!(read("/list").unwrap(), ["1.5", "2.25"]);
        assert_eq!(read("/list/1").unwrap(), ["2.25"]);
        assert_eq!(
            (read("/gone"), read("/a/x"), read("/list/9"), read("/a/b~1c/d")),
            (None, None, None, None)
        );
    }

    #[test]
    fn what_two_readers_could_read_differently_is_refused() {
        for text in
            [r#"{"a":1,"a":2}"#, "", "{", r#"{"a":1}x"#, r#"{"a":[]}"#, r#"{"a":{"b":1}}"#, "\u{feff}{}"]
        {
            assert!(numbers(text, "/a").is_err(), "{text}");
        }
    }
}
