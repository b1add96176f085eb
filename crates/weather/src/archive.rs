//! What was forecast of the sky, kept with the time it was said.
//!
//! One file a day of issue, replaced whole, in the columns of [`crate::table`]; the last
//! [`DAYS_MAX`] days are kept, counted rather than reckoned, so that a clock that once was far
//! ahead pushes out one day and not all; what it wrote lies in the future, is not read and
//! goes. At most one issue of each six hours is kept for learning, chosen
//! by nothing but being the first, so that what comes later changes nothing of what a day
//! looked like; beside them the newest is remembered for the forecasts of now.

use crate::interval::Interval;
use crate::table::{self, TableError};
use crate::{KnownSlot, STALE_S, Weather};
use jirani_forecast::{HORIZON_S, WeatherSlot};
use jirani_units::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Days of issues that are kept.
pub const DAYS_MAX: usize = 93;
const DAY_S: i64 = 86_400;
/// Of each so many seconds one issue is kept.
const BLOCK_S: i64 = 6 * 3_600;
/// The longest file of a day that is read, in bytes: an issue an hour fits.
const BYTES_MAX: u64 = 4 * 1_024 * 1_024;

/// The archive cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// What the system says.
    #[error("weather.archive: {0}")]
    System(#[from] std::io::Error),
}

/// What was found of an archive.
#[derive(Debug)]
pub struct Opened {
    /// What could be read.
    pub archive: Archive,
    /// Files that were left out because they are damaged, with why.
    pub damaged: Vec<(PathBuf, TableError)>,
}

/// Issued weather of one place.
#[derive(Debug)]
pub struct Archive {
    folder: PathBuf,
    slot_length_s: u32,
    issues: BTreeMap<Timestamp, Vec<WeatherSlot>>,
    newest: Option<(Timestamp, Vec<WeatherSlot>)>,
}

fn day(at: Timestamp) -> i64 {
    at.seconds().div_euclid(DAY_S)
}

impl Archive {
    /// Reads what `folder` holds from before `now`; a folder that is not there is an empty
    /// archive. Nothing is removed: it may be `now` that is wrong.
    pub fn open(folder: &Path, slot_length_s: u32, now: Timestamp) -> Result<Opened, ArchiveError> {
        let mut archive = Self::empty(folder, slot_length_s);
        let mut damaged = Vec::new();
        let (files, _) = files(folder, now)?;
        for path in files.into_iter().rev().take(DAYS_MAX).rev() {
            match read(&path) {
                Ok(issues) => {
                    for (issue, intervals) in issues.into_iter().filter(|(issue, _)| *issue <= now) {
                        let fits = |interval: &Interval| interval.length_s == slot_length_s;
                        // Slots were of another length: what is kept is of another grid.
                        let slots = intervals.iter().filter(|one| fits(one)).filter_map(slot);
                        archive.issues.insert(issue, slots.collect());
                    }
                }
                Err(error) => damaged.push((path, error)),
            }
        }
        Ok(Opened { archive, damaged })
    }

    fn empty(folder: &Path, slot_length_s: u32) -> Self {
        Self { folder: folder.to_owned(), slot_length_s, issues: BTreeMap::new(), newest: None }
    }

    /// When the first forecast was issued that is known.
    pub fn oldest(&self) -> Option<Timestamp> {
        self.issues.keys().next().copied()
    }

    /// Keeps a forecast heard `now`: as the newest, and for learning if it is the first of its six hours.
    pub fn keep(&mut self, weather: &Weather, now: Timestamp) -> Result<(), ArchiveError> {
        let issue = weather.issued_at;
        self.newest = Some((issue, weather.slots.clone()));
        let block = |at: Timestamp| at.seconds().div_euclid(BLOCK_S);
        let last = self.issues.range(..=issue).next_back();
        if last.is_some_and(|(last, _)| block(*last) == block(issue)) {
            return Ok(());
        }
        self.issues.insert(issue, weather.slots.clone());
        self.write(day(issue))?;
        self.forget(now)
    }

    /// Takes in forecasts of the past.
    pub fn keep_past(&mut self, known: &[KnownSlot]) -> Result<(), ArchiveError> {
        let mut days = BTreeSet::new();
        let mut taken: BTreeMap<Timestamp, Vec<WeatherSlot>> = BTreeMap::new();
        for known in known {
            taken.entry(known.known_from).or_default().push(known.slot);
        }
        for (issue, slots) in taken {
            // What was heard at the time itself counts for more.
            self.issues.entry(issue).or_insert_with(|| {
                days.insert(day(issue));
                slots
            });
        }
        days.into_iter().try_for_each(|day| self.write(day))
    }

    /// The weather of `from` to 48 hours after `at` as whoever learned at `at` knew it: of
    /// each slot what was said last, at `at` or before.
    pub fn lesson(&self, at: Timestamp, from: Timestamp) -> Vec<WeatherSlot> {
        let issues = self.issues.range(at.plus_seconds(-2 * STALE_S)..=at);
        latest(issues.map(|(issue, slots)| (*issue, slots.as_slice())), at, from)
    }

    /// The same for the forecasts of `now`, with the newest and when it was said; `None` if
    /// nothing was said for a day.
    pub fn now(&self, now: Timestamp, from: Timestamp) -> Option<(Timestamp, Vec<WeatherSlot>)> {
        let kept = self.issues.range(now.plus_seconds(-2 * STALE_S)..=now);
        let newest = self.newest.as_ref().filter(|(issue, _)| *issue <= now);
        let issues = kept
            .map(|(issue, slots)| (*issue, slots.as_slice()))
            .chain(newest.map(|(issue, slots)| (*issue, slots.as_slice())));
        let said = issues.clone().map(|(issue, _)| issue).max()?;
        if now.since(said) > STALE_S * 1_000_000 {
            return None;
        }
        Some((said, latest(issues, now, from)))
    }

    fn write(&self, number: i64) -> Result<(), ArchiveError> {
        let (from, to) =
            (Timestamp::from_seconds(number * DAY_S), Timestamp::from_seconds((number + 1) * DAY_S));
        let issues: Vec<(Timestamp, Vec<Interval>)> = self
            .issues
            .range(from..to)
            .map(|(issue, slots)| (*issue, slots.iter().map(|slot| self.interval(slot)).collect()))
            .collect();
        let text = table::written(issues.iter().map(|(issue, intervals)| (*issue, intervals.as_slice())));
        Ok(jirani_durable::replace(&self.folder.join(name(number)), text.as_bytes())?)
    }

    /// Days beyond the last [`DAYS_MAX`] go, and what was said after `now`.
    fn forget(&mut self, now: Timestamp) -> Result<(), ArchiveError> {
        self.issues.retain(|issue, _| *issue <= now);
        let mut days: Vec<i64> = self.issues.keys().map(|issue| day(*issue)).collect();
        days.dedup();
        if let Some(oldest) = days.iter().rev().nth(DAYS_MAX - 1) {
            self.issues = self.issues.split_off(&Timestamp::from_seconds(oldest * DAY_S));
        }
        let (past, future) = files(&self.folder, now)?;
        let surplus = past.len().saturating_sub(DAYS_MAX);
        for path in past.into_iter().take(surplus).chain(future) {
            std::fs::remove_file(path)?;
        }
        Ok(())
    }

    fn interval(&self, slot: &WeatherSlot) -> Interval {
        Interval {
            start: slot.start,
            length_s: self.slot_length_s,
            irradiance: Some(slot.irradiance),
            temperature_c: slot.temperature_c,
            cloud_percent: slot.cloud_percent,
        }
    }
}

/// Of each slot what the last of `issues` (in order of time) said.
fn latest<'a>(
    issues: impl Iterator<Item = (Timestamp, &'a [WeatherSlot])>,
    at: Timestamp,
    from: Timestamp,
) -> Vec<WeatherSlot> {
    let end = at.plus_seconds(i64::from(HORIZON_S));
    let mut found = BTreeMap::new();
    for (_, slots) in issues {
        let wanted = slots.iter().filter(|slot| slot.start >= from && slot.start < end);
        found.extend(wanted.map(|slot| (slot.start, *slot)));
    }
    found.into_values().collect()
}

fn slot(interval: &Interval) -> Option<WeatherSlot> {
    Some(WeatherSlot {
        start: interval.start,
        irradiance: interval.irradiance?,
        temperature_c: interval.temperature_c,
        cloud_percent: interval.cloud_percent,
    })
}

/// `2026-03-20.csv`: names in order are days in order.
fn name(day: i64) -> String {
    let text = Timestamp::from_seconds(day * DAY_S).to_string();
    format!("{}.csv", text.get(..10).unwrap_or(&text))
}

/// The files in order of their days: those until the day of `now`, and those after.
fn files(folder: &Path, now: Timestamp) -> Result<(Vec<PathBuf>, Vec<PathBuf>), ArchiveError> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Default::default()),
        Err(error) => return Err(error.into()),
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|end| end == "csv") {
            found.push(path);
        }
    }
    found.sort();
    let today = name(day(now));
    let is_over = |path: &PathBuf| path.file_name().is_some_and(|name| name <= today.as_str());
    Ok(found.into_iter().partition(is_over))
}

fn read(path: &Path) -> Result<BTreeMap<Timestamp, Vec<Interval>>, TableError> {
    let unreadable = |error: std::io::Error| TableError::Unreadable(error.to_string());
    if std::fs::metadata(path).map_err(unreadable)?.len() > BYTES_MAX {
        return Err(TableError::TooLong);
    }
    table::read(&std::fs::read(path).map_err(unreadable)?)
}
