//! A YAML file as a tree that is read key by key, so that what nobody reads is refused by
//! name.

use crate::error::DeviceError;
use crate::nearest::nearest;
use serde_json::{Map, Value};
use std::cell::RefCell;

/// Longest file.
const FILE_MAX: usize = 32 * 1024;

/// Reads a file into a tree; aliases, tags and depth are bounded by the parser's budget.
pub(crate) fn tree(text: &str) -> Result<Value, DeviceError> {
    if text.len() > FILE_MAX {
        return Err(DeviceError::TooLarge { bytes: text.len(), limit: FILE_MAX });
    }
    serde_saphyr::from_str(text).map_err(|error| {
        let line = error.to_string();
        DeviceError::Definition(format!("not YAML: {}", line.lines().next().unwrap_or_default()))
    })
}

/// A mapping, and which of its keys were asked for.
pub(crate) struct Section<'a> {
    place: String,
    map: &'a Map<String, Value>,
    asked: RefCell<Vec<&'static str>>,
}

impl<'a> Section<'a> {
    pub(crate) fn new(place: impl Into<String>, value: &'a Value) -> Result<Self, DeviceError> {
        let place = place.into();
        match value.as_object() {
            Some(map) => Ok(Self { place, map, asked: RefCell::default() }),
            None => Err(DeviceError::Definition(format!("{place} is a mapping of keys to values"))),
        }
    }

    /// What is wrong here.
    pub(crate) fn wrong(&self, what: impl std::fmt::Display) -> DeviceError {
        DeviceError::Definition(format!("{}: {what}", self.place))
    }

    pub(crate) fn get(&self, key: &'static str) -> Option<&'a Value> {
        self.asked.borrow_mut().push(key);
        self.map.get(key).filter(|value| !value.is_null())
    }

    pub(crate) fn text(&self, key: &'static str) -> Result<Option<String>, DeviceError> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(self.wrong(format!("{key} is a text; put it in quotes"))),
        }
    }

    pub(crate) fn needed(&self, key: &'static str) -> Result<String, DeviceError> {
        self.text(key)?.ok_or_else(|| self.wrong(format!("{key} is missing")))
    }

    pub(crate) fn whole(&self, key: &'static str) -> Result<Option<i64>, DeviceError> {
        match self.get(key) {
            None => Ok(None),
            Some(value) => {
                let whole = value.as_i64();
                whole.map(Some).ok_or_else(|| self.wrong(format!("{key} is a whole number")))
            }
        }
    }

    /// The word that stands under `key`, as one of `words`.
    pub(crate) fn word<T: Copy>(
        &self,
        key: &'static str,
        words: &[(&'static str, T)],
    ) -> Result<Option<T>, DeviceError> {
        let Some(given) = self.text(key)? else { return Ok(None) };
        let found = words.iter().find(|(word, _)| *word == given).map(|(_, value)| *value);
        found.map(Some).ok_or_else(|| {
            self.wrong(format!(
                "{key} cannot be {}{}",
                shortened(&given),
                nearest(&given, words.iter().map(|(word, _)| *word))
            ))
        })
    }

    /// The entries of the mapping under `key`.
    pub(crate) fn entries(&self, key: &'static str) -> Result<Vec<(&'a str, &'a Value)>, DeviceError> {
        match self.get(key) {
            None => Ok(Vec::new()),
            Some(Value::Object(map)) => Ok(map.iter().map(|(key, value)| (key.as_str(), value)).collect()),
            Some(_) => Err(self.wrong(format!("{key} is a mapping of names to values"))),
        }
    }

    pub(crate) fn list(&self, key: &'static str) -> Result<&'a [Value], DeviceError> {
        match self.get(key) {
            None => Ok(&[]),
            Some(Value::Array(items)) => Ok(items),
            Some(_) => Err(self.wrong(format!("{key} is a list"))),
        }
    }

    /// Refuses what nobody asked for.
    pub(crate) fn finish(&self) -> Result<(), DeviceError> {
        let asked = self.asked.borrow().clone();
        match self.map.keys().find(|key| !asked.contains(&key.as_str())) {
            None => Ok(()),
            Some(key) => Err(DeviceError::UnknownKey {
                key: shortened(key),
                place: self.place.clone(),
                hint: nearest(key, asked),
            }),
        }
    }
}

/// A foreign text, short enough for a sentence.
pub(crate) fn shortened(text: &str) -> String {
    text.chars().filter(|character| !character.is_control()).take(40).collect()
}
