//! What goes over the wire: one file per noun, the unit in every name, no float.
//!
//! Answers carry every field, `null` where there is nothing to say. What comes
//! in refuses unknown fields and numbers that JSON does not carry exactly.

pub mod account;
pub mod bill;
pub mod buy_back;
pub mod call;
pub mod config;
pub mod event;
pub mod evidence;
pub mod finding;
pub mod float;
pub mod forecast;
pub mod handset;
pub mod home;
pub mod household;
pub mod meter;
pub mod movement;
pub mod notice;
pub mod offer;
pub mod operator;
pub mod order;
pub mod payout;
pub mod people;
pub mod quote;
pub mod reconciliation;
pub mod rules;
pub mod session;
pub mod shortfall;
pub mod tariff;

use jirani_units::{JSON_INTEGER_MAX, Timestamp};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

/// A moment: RFC 3339 in UTC, `2026-11-22T15:23:36Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = String, format = DateTime)]
pub struct Time(pub Timestamp);

impl From<Timestamp> for Time {
    fn from(at: Timestamp) -> Self {
        Self(at)
    }
}

/// Reads an optional whole number that JSON carries exactly.
pub(crate) fn exact<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let number = Option::<u64>::deserialize(deserializer)?;
    match number {
        Some(number) if number > JSON_INTEGER_MAX => Err(serde::de::Error::custom(format_args!(
            "{number} is above 9007199254740991, the largest integer that JSON carries exactly"
        ))),
        number => Ok(number),
    }
}

/// Reads a whole number that JSON carries exactly.
pub(crate) fn exact_required<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    exact(deserializer)?.ok_or_else(|| serde::de::Error::custom("a whole number is needed here"))
}
