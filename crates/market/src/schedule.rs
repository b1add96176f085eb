//! The tariff over time: which prices are in force when, and what a change leaves alone.
//!
//! A schedule is a list of tariffs, each from a slot's start until the next begins; the
//! last has no end. No moment is without a tariff or has two, so every slot has exactly
//! one, and the bounds on chain follow from it ([`Schedule::in_force`],
//! [`Schedule::next_change`]). A change is announced: it begins in the future, and what
//! is in force, or was, never changes.
//!
//! **What is reserved keeps its terms.** Fee, tax and price of an order are fixed when it
//! is placed ([`Terms`]) and settle as they are, whatever the tariff became. An open
//! offer keeps its price; [`standing`] says what that means under a new tariff.

use crate::tariff::{InvalidTariff, Tariff};
use jirani_units::{Price, Timestamp};
use serde::{Deserialize, Serialize};

/// Every slot length of the market divides an hour; tariffs begin on its quarters.
pub const ALIGNMENT_S: i64 = 900;
/// Most tariffs in one schedule.
pub const VERSIONS_MAX: usize = 1_024;

/// A tariff and its time, `[from, until)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// First moment in force.
    pub from: Timestamp,
    /// First moment no longer in force; `None` for the last.
    pub until: Option<Timestamp>,
    /// Prices.
    pub tariff: Tariff,
}

/// Why a schedule or a change is refused. Nothing changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// No tariff.
    #[error("market.tariff_none: a schedule needs at least one tariff")]
    None,
    /// Too many tariffs.
    #[error("market.tariff_too_many: a schedule holds {VERSIONS_MAX} tariffs")]
    TooMany,
    /// A tariff that ends before it begins.
    #[error("market.tariff_backwards: the tariff from {from} must end after it begins")]
    Backwards {
        /// Its beginning.
        from: Timestamp,
    },
    /// A time between two tariffs without either.
    #[error(
        "market.tariff_gap: no tariff is in force from {from} until {until}; let the one before end later"
    )]
    Gap {
        /// End of the one before.
        from: Timestamp,
        /// Beginning of the next.
        until: Timestamp,
    },
    /// Two tariffs at once, or out of order.
    #[error("market.tariff_overlap: two tariffs are in force from {from}; let the first end there")]
    Overlap {
        /// First moment of both.
        from: Timestamp,
    },
    /// The last tariff has an end.
    #[error("market.tariff_ends: no tariff is in force from {from}; the last one must have no end")]
    Ends {
        /// First moment without a tariff.
        from: Timestamp,
    },
    /// A change within a slot.
    #[error("market.tariff_off_slot: a tariff begins at a quarter of an hour, not at {from}")]
    OffSlot {
        /// The beginning asked for.
        from: Timestamp,
    },
    /// A change of what was or is in force.
    #[error("market.tariff_in_past: a tariff must begin after {earliest}; what is in force does not change")]
    InPast {
        /// The moment after which it may begin.
        earliest: Timestamp,
    },
    /// The prices contradict each other.
    #[error(transparent)]
    Prices(#[from] InvalidTariff),
}

impl ScheduleError {
    /// The stable code that the message begins with.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::None => "market.tariff_none",
            Self::TooMany => "market.tariff_too_many",
            Self::Backwards { .. } => "market.tariff_backwards",
            Self::Gap { .. } => "market.tariff_gap",
            Self::Overlap { .. } => "market.tariff_overlap",
            Self::Ends { .. } => "market.tariff_ends",
            Self::OffSlot { .. } => "market.tariff_off_slot",
            Self::InPast { .. } => "market.tariff_in_past",
            Self::Prices(InvalidTariff::RetailTooHigh) => "market.retail_too_high",
            Self::Prices(InvalidTariff::BuyBackZero) => "market.buy_back_zero",
            Self::Prices(InvalidTariff::NoMargin) => "market.no_margin",
        }
    }
}

/// Tariffs with effective dates, without gap or overlap.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Schedule(Vec<Version>);

impl Schedule {
    /// One tariff, for ever from `from`.
    pub fn new(from: Timestamp, tariff: Tariff) -> Result<Self, ScheduleError> {
        Self::of(vec![Version { from, until: None, tariff }])
    }

    /// A whole schedule, in order of time; the first thing wrong with it otherwise.
    pub fn of(versions: Vec<Version>) -> Result<Self, ScheduleError> {
        if versions.is_empty() {
            return Err(ScheduleError::None);
        }
        if versions.len() > VERSIONS_MAX {
            return Err(ScheduleError::TooMany);
        }
        for (place, version) in versions.iter().enumerate() {
            let Version { from, until, tariff } = *version;
            tariff.validate()?;
            if from.0.rem_euclid(ALIGNMENT_S * 1_000_000) != 0 {
                return Err(ScheduleError::OffSlot { from });
            }
            if until.is_some_and(|until| until <= from) {
                return Err(ScheduleError::Backwards { from });
            }
            match (until, versions.get(place + 1).map(|next| next.from)) {
                (Some(until), None) => return Err(ScheduleError::Ends { from: until }),
                (None, Some(next)) => return Err(ScheduleError::Overlap { from: next }),
                (Some(until), Some(next)) if until < next => {
                    return Err(ScheduleError::Gap { from: until, until: next });
                }
                (Some(until), Some(next)) if until > next => {
                    return Err(ScheduleError::Overlap { from: next });
                }
                (None, None) | (Some(_), Some(_)) => {}
            }
        }
        Ok(Self(versions))
    }

    /// The tariff that begins first.
    pub fn first(&self) -> Tariff {
        // INVARIANT: `of` refuses a schedule without tariffs.
        self.0[0].tariff
    }

    /// All tariffs, in order of time.
    pub fn versions(&self) -> &[Version] {
        &self.0
    }

    /// The tariff in force at `at`, for a slot at its start; `None` before the first.
    pub fn in_force(&self, at: Timestamp) -> Option<&Tariff> {
        let after = self.0.partition_point(|version| version.from <= at);
        after.checked_sub(1).map(|place| &self.0[place].tariff)
    }

    /// When prices change next after `at`, and to what: when the bounds on chain must
    /// follow, and what people are told beforehand. `None` when no change is announced.
    pub fn next_change(&self, at: Timestamp) -> Option<&Version> {
        self.0.get(self.0.partition_point(|version| version.from <= at))
    }

    /// Announces `tariff` from `from` on, in place of all that was announced for then or
    /// later. What is in force at `now` stays until `from`.
    pub fn announce(&self, now: Timestamp, from: Timestamp, tariff: Tariff) -> Result<Self, ScheduleError> {
        let began = self.0.first().map_or(now, |version| version.from);
        if from <= now.max(began) {
            return Err(ScheduleError::InPast { earliest: now.max(began) });
        }
        let mut versions: Vec<Version> =
            self.0.iter().copied().filter(|version| version.from < from).collect();
        if let Some(last) = versions.last_mut() {
            last.until = Some(from);
        }
        versions.push(Version { from, until: None, tariff });
        Self::of(versions)
    }
}

impl<'de> Deserialize<'de> for Schedule {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::of(Vec::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// What an order was placed under, and settles under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// Grid fee per kWh.
    pub grid_fee: Price,
    /// Taxes per kWh.
    pub tax: Price,
    /// What the operator sold at then: the order never costs more.
    pub retail: Price,
    /// What the operator bought at then: no fill brings less.
    pub buy_back: Price,
}

impl Terms {
    /// The terms of an order placed under `tariff`.
    pub const fn of(tariff: &Tariff) -> Self {
        Self { grid_fee: tariff.grid_fee, tax: tariff.tax, retail: tariff.retail, buy_back: tariff.buy_back }
    }
}

/// What becomes of an open offer's price under the tariff of a later slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It stands at its price.
    Stands(Price),
    /// Buy-back rose above it: in a call it asks this, what the operator pays; between
    /// calls nobody buys it, and its owner is told to post it anew.
    Raised(Price),
    /// With fee and tax it would cost more than retail: it waits, nobody buys it, and
    /// its owner is told.
    TooDear {
        /// The most it could ask.
        max: Price,
    },
}

/// How an open offer at `price` stands under `tariff`.
pub fn standing(tariff: &Tariff, price: Price) -> Standing {
    if price > tariff.offer_price_max() {
        Standing::TooDear { max: tariff.offer_price_max() }
    } else if price < tariff.offer_price_min() {
        Standing::Raised(tariff.offer_price_min())
    } else {
        Standing::Stands(price)
    }
}
