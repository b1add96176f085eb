//! A device's counters, as they must survive: values in, whole Wh out.

use crate::counter::{Bucket, Counter, Step};
use crate::decimal::MICROJOULES_PER_WH;
use crate::decode::{Decoder, Heard};
use crate::definition::{Falls, Meaning, Register, Shown};
use crate::error::DeviceError;
use crate::moment::{AHEAD_MAX_S, Moment};
use jirani_units::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How old a counter's first value may be, s: a record that was held back would count again
/// what has been counted since it was made.
const BASELINE_AGE_MAX_S: i64 = 3_600;

/// A counter and what it may grow by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Counted {
    counter: Counter,
    bucket: Bucket,
}

/// What a device has told so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tally {
    counters: BTreeMap<String, Counted>,
    /// The moment's values, in thousandths of W, V, A, Hz.
    shown: BTreeMap<String, i64>,
    last_us: i64,
    /// The last page of each context of a signing meter.
    pages: BTreeMap<char, u64>,
    /// Whose pages they are: the meter's public key.
    #[serde(default)]
    signer: Option<String>,
}

/// What became of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It said nothing that is asked of this device.
    Nothing,
    /// A counter fell; the next message will tell why.
    Suspected(String),
    /// Taken.
    Taken {
        /// The time its registers stand for.
        moment: Moment,
        /// Whether a counter was among it: only then do its registers stand for that time.
        counted: bool,
        /// Counters that were set to zero.
        resets: Vec<String>,
        /// Counters that began anew at their modulus.
        roll_overs: Vec<String>,
        /// Pages of a signing meter that never came.
        missing_pages: u64,
    },
}

impl Tally {
    /// For a device of which nothing is known but when it was read last: only what was
    /// measured later can be signed anew.
    pub fn behind(last: Timestamp) -> Self {
        Self { last_us: last.0, ..Self::default() }
    }

    /// For a new generation of the device: every counter has a new baseline. What was taken
    /// stays taken: time goes on, and so do the pages of a meter that kept its key, or a record
    /// of the generation before would count once more.
    #[must_use]
    pub fn anew(&self, decoder: &Decoder) -> Self {
        let is_same = self.signer.as_deref() == decoder.signer();
        let pages = if is_same { self.pages.clone() } else { BTreeMap::new() };
        let signer = self.signer.clone().filter(|_| is_same);
        Self { last_us: self.last_us, pages, signer, ..Self::default() }
    }

    /// Takes what was heard, whole or not at all.
    pub fn take(&mut self, decoder: &Decoder, heard: &Heard) -> Result<Outcome, DeviceError> {
        if heard.values.is_empty() {
            return Ok(Outcome::Nothing);
        }
        let moment = self.moment(heard)?;
        let missing_pages = self.page(heard)?;
        let now = moment.time();
        let mut next = self.clone();
        let (mut resets, mut roll_overs, mut suspected) = (Vec::new(), Vec::new(), None);
        let mut counted_any = false;
        for (name, size) in &heard.values {
            let Some(value) = decoder.definition().values.get(name) else { continue };
            let Meaning::Energy { register, modulus_uj, falls } = value.meaning else {
                let limit = i128::from(i32::MAX) * 1_000;
                let shown = i64::try_from((*size).clamp(-limit, limit)).unwrap_or(0);
                next.shown.insert(name.clone(), shown);
                continue;
            };
            counted_any = true;
            let shown_uj = size.unsigned_abs();
            if modulus_uj.is_some_and(|modulus| shown_uj >= modulus) {
                return Err(DeviceError::BeyondModulus(name.clone()));
            }
            let rating_w = decoder.rating_w(register);
            let known = self.counters.get(name);
            let counter = known.map_or_else(Counter::default, |known| known.counter);
            let bucket = known.map_or_else(|| Bucket::new(rating_w, now), |known| known.bucket);
            let bucket = bucket.filled(rating_w, now);
            let step = counter.step(shown_uj, modulus_uj, falls == Falls::Reset, bucket.credit_uj());
            let taken_uj = match step {
                Step::Fell => return Err(DeviceError::Fell(name.clone())),
                Step::Implausible(grew) => {
                    let wh = |uj: u128| u64::try_from(uj / MICROJOULES_PER_WH).unwrap_or(u64::MAX);
                    let (grew_wh, most_wh) = (wh(grew), wh(bucket.credit_uj()));
                    return Err(DeviceError::Implausible { value: name.clone(), grew_wh, most_wh });
                }
                Step::First => {
                    let age_us = heard.received.since(now);
                    if age_us > BASELINE_AGE_MAX_S * 1_000_000 {
                        return Err(DeviceError::OldBaseline(age_us / 1_000_000));
                    }
                    0
                }
                Step::Suspected => {
                    suspected.get_or_insert_with(|| name.clone());
                    0
                }
                Step::Grew(grew) => grew,
                Step::RolledOver(grew) => {
                    roll_overs.push(name.clone());
                    grew
                }
                Step::Reset(grew) => {
                    resets.push(name.clone());
                    grew
                }
            };
            let counted =
                Counted { counter: counter.after(shown_uj, step), bucket: bucket.without(taken_uj) };
            next.counters.insert(name.clone(), counted);
        }
        if let Some(name) = suspected {
            self.suspect(&next);
            return Ok(Outcome::Suspected(name));
        }
        next.last_us = now.0;
        if let Some(page) = heard.page {
            next.pages.insert(page.context, page.number);
            next.signer = decoder.signer().map(str::to_owned);
        }
        *self = next;
        Ok(Outcome::Taken { moment, counted: counted_any, resets, roll_overs, missing_pages })
    }

    /// Remembers only which counters fell, and to what.
    fn suspect(&mut self, next: &Self) {
        for (name, counted) in &next.counters {
            if let Some(own) = self.counters.get_mut(name)
                && counted.counter.counted_uj() == own.counter.counted_uj()
                && counted.counter.is_suspect()
            {
                own.counter = counted.counter;
            }
        }
    }

    /// Whether every counter that a device of this kind always gives has a baseline.
    pub fn is_complete(&self, decoder: &Decoder) -> bool {
        decoder.definition().values.iter().all(|(name, value)| {
            value.optional || self.counters.get(name).is_some_and(|counted| counted.counter.is_known())
        })
    }

    /// What a register has counted, in whole Wh; the rest is kept.
    pub fn wh(&self, decoder: &Decoder, register: Register) -> u64 {
        let feeds = |name: &String| {
            let value = decoder.definition().values.get(name);
            value.is_some_and(
                |value| matches!(value.meaning, Meaning::Energy { register: fed, .. } if fed == register),
            )
        };
        let counters = self.counters.iter().filter(|(name, _)| feeds(name));
        let sum: u128 = counters.map(|(_, counted)| counted.counter.counted_uj()).sum();
        u64::try_from(sum / MICROJOULES_PER_WH).unwrap_or(u64::MAX)
    }

    /// The last of the moment's values of a kind, in thousandths of W, V, A or Hz; several
    /// add up.
    pub fn shown(&self, decoder: &Decoder, kind: Shown) -> i64 {
        let is_kind = |name: &String| {
            let value = decoder.definition().values.get(name);
            value.is_some_and(|value| value.meaning == Meaning::Shown(kind))
        };
        self.shown
            .iter()
            .filter(|(name, _)| is_kind(name))
            .fold(0, |sum, (_, value)| sum.saturating_add(*value))
    }

    fn moment(&self, heard: &Heard) -> Result<Moment, DeviceError> {
        let (time, last) = (heard.moment.time(), Timestamp(self.last_us));
        if heard.page.is_some() {
            let ahead_us = time.since(heard.received);
            if ahead_us > AHEAD_MAX_S * 1_000_000 {
                return Err(DeviceError::Future(ahead_us / 1_000_000));
            }
            return if time <= last { Err(DeviceError::NotLater) } else { Ok(heard.moment) };
        }
        // Two topics of one device may disagree by the time a message takes.
        Ok(if time >= last { heard.moment } else { Moment::Received(heard.received.max(last)) })
    }

    /// How many pages are missing before the one that was heard.
    fn page(&self, heard: &Heard) -> Result<u64, DeviceError> {
        let Some(page) = heard.page else { return Ok(0) };
        match self.pages.get(&page.context) {
            None => Ok(0),
            Some(last) if page.number > *last => Ok(page.number - last - 1),
            Some(_) => Err(DeviceError::OldPage(page.to_string())),
        }
    }
}
