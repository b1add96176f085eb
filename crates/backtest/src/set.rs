//! Homes from a CSV file: `timestamp_utc` (start of the slot), `household`, `pv_kwh` and/or
//! `load_kwh`, and where known `pv_kwp`, `issue_time_utc` and weather.
//!
//! Rows in any order; a row that is no measurement (negative, not a number, no time) is
//! left out and counted, so that a file's faults are seen and not learned.

use crate::BacktestError;
use csv::StringRecord;
use jirani_forecast::history::SlotEnergy;
use jirani_forecast::learn::{Grid, Skies, Sky};
use jirani_units::Timestamp;
use std::collections::BTreeMap;
use std::io::Read;

const ROWS_MAX: usize = 4_000_000;
const HOMES_MAX: usize = 10_000;

/// How a file is read.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Wh that 1 in the file's energy columns is: 1,000 for kWh.
    pub unit_wh: u32,
    /// Rated power in W where the file names none; 0 if nobody knows.
    pub rated_w: u32,
    /// From when the file's weather counts as known.
    pub weather: WeatherKnown,
}

/// From when weather counts as known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WeatherKnown {
    /// From its `issue_time_utc`. A file without that column has observed weather, known
    /// always: an upper bound of what forecasts can be.
    AsIssued,
    /// Always, as in competitions that hand out a month's weather at once.
    Always,
}

impl Default for Options {
    fn default() -> Self {
        Self { unit_wh: 1_000, rated_w: 0, weather: WeatherKnown::AsIssued }
    }
}

/// Homes with one step.
#[derive(Clone, Debug)]
pub struct Set {
    /// Length of a slot in seconds.
    pub step_s: u32,
    /// In order of their names.
    pub homes: Vec<HomeSet>,
    /// Rows that were no measurements.
    pub left_out: usize,
}

/// A home of the file.
#[derive(Clone, Debug)]
pub struct HomeSet {
    /// As the file calls it.
    pub name: String,
    /// What it produced and used.
    pub grid: Grid,
    /// Rated power in W; 0 if nobody knows.
    pub rated_w: u32,
    /// Its weather, if the file has any.
    pub skies: Option<Skies>,
}

#[derive(Default)]
struct Gathered {
    slots: Vec<SlotEnergy>,
    skies: Vec<(Timestamp, Timestamp, Sky)>,
    rated_w: u32,
}

impl Set {
    /// Reads a file.
    pub fn read(source: impl Read, options: Options) -> Result<Self, BacktestError> {
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(source);
        let columns = Columns::of(reader.headers()?)?;
        let mut homes: BTreeMap<String, Gathered> = BTreeMap::new();
        let (mut rows, mut left_out) = (0, 0);
        let mut record = StringRecord::new();
        while reader.read_record(&mut record)? {
            rows += 1;
            let name = record.get(columns.household).unwrap_or("").trim();
            if rows > ROWS_MAX || (!homes.contains_key(name) && homes.len() >= HOMES_MAX) {
                return Err(BacktestError::TooLarge);
            }
            let Some(slot) = columns.slot(&record, options.unit_wh) else {
                left_out += 1;
                continue;
            };
            let home = homes.entry(name.to_owned()).or_default();
            home.rated_w = columns.rated_w(&record).unwrap_or(home.rated_w);
            if columns.weather.iter().any(Option::is_some) {
                let known_from = match options.weather {
                    WeatherKnown::AsIssued => columns.issued_at(&record, slot.start),
                    WeatherKnown::Always => Timestamp(i64::MIN),
                };
                home.skies.push((slot.start, known_from, columns.sky(&record)));
            }
            home.slots.push(slot);
        }
        let step_s = homes.values().find_map(|home| step(&home.slots)).ok_or(BacktestError::Step)?;
        let homes: Result<Vec<HomeSet>, BacktestError> = homes
            .into_iter()
            .map(|(name, gathered)| {
                let rated_w = if gathered.rated_w > 0 { gathered.rated_w } else { options.rated_w };
                let skies = (!gathered.skies.is_empty()).then(|| Skies::of(&gathered.skies, step_s));
                Ok(HomeSet { name, grid: Grid::of(&gathered.slots, step_s)?, rated_w, skies })
            })
            .collect();
        Ok(Self { step_s, homes: homes?, left_out })
    }

    /// Numbers of the first slot of any home and of the one after the last.
    pub fn span(&self) -> (i64, i64) {
        let spans = || self.homes.iter().map(|home| home.grid.span());
        (spans().map(|span| span.0).min().unwrap_or(0), spans().map(|span| span.1).max().unwrap_or(0))
    }
}

/// The most frequent gap between neighbours, if it divides a day.
fn step(slots: &[SlotEnergy]) -> Option<u32> {
    let mut starts: Vec<i64> = slots.iter().map(|slot| slot.start.seconds()).collect();
    starts.sort_unstable();
    starts.dedup();
    let mut gaps: BTreeMap<i64, usize> = BTreeMap::new();
    for pair in starts.windows(2) {
        *gaps.entry(pair[1] - pair[0]).or_default() += 1;
    }
    let (gap, _) = gaps.into_iter().max_by_key(|(gap, count)| (*count, -*gap))?;
    u32::try_from(gap).ok().filter(|gap| *gap > 0 && 86_400_u32.is_multiple_of(*gap))
}

/// Where the file has what.
struct Columns {
    timestamp: usize,
    household: usize,
    issued: Option<usize>,
    production: Option<usize>,
    consumption: Option<usize>,
    rated: Option<usize>,
    /// With what a value is multiplied to be in our units.
    weather: [Option<(usize, f64)>; 6],
}

impl Columns {
    fn of(header: &StringRecord) -> Result<Self, BacktestError> {
        let find = |name: &str| header.iter().position(|column| column.trim() == name);
        let any = |names: &[(&str, f64)]| {
            names.iter().find_map(|(name, times)| find(name).map(|column| (column, *times)))
        };
        let columns = Self {
            timestamp: find("timestamp_utc").ok_or(BacktestError::Column("timestamp_utc"))?,
            household: find("household").ok_or(BacktestError::Column("household"))?,
            issued: find("issue_time_utc"),
            production: find("pv_kwh"),
            consumption: find("load_kwh"),
            rated: find("pv_kwp"),
            weather: [
                any(&[("fc_ghi", 1.0), ("ghi", 1.0)]),
                any(&[("fc_temp_c", 1.0), ("temp_c", 1.0)]),
                any(&[("fc_cloud_pct", 1.0), ("cloud_pct", 1.0), ("fc_cloud", 100.0)]),
                any(&[("fc_rh_pct", 1.0), ("rh_pct", 1.0)]),
                any(&[("fc_precip_mm", 1.0), ("precip_mm", 1.0)]),
                any(&[("fc_wind_ms", 1.0), ("wind_ms", 1.0), ("wind_kmh", 1.0 / 3.6)]),
            ],
        };
        if columns.production.is_none() && columns.consumption.is_none() {
            return Err(BacktestError::Column("pv_kwh or load_kwh"));
        }
        Ok(columns)
    }

    fn slot(&self, record: &StringRecord, unit_wh: u32) -> Option<SlotEnergy> {
        let start = record.get(self.timestamp)?.trim().parse().ok()?;
        let energy = |column: Option<usize>| match column {
            Some(column) => wh(number(record, column)?, unit_wh),
            None => Some(0),
        };
        Some(SlotEnergy {
            start,
            production_wh: energy(self.production)?,
            consumption_wh: energy(self.consumption)?,
        })
    }

    fn rated_w(&self, record: &StringRecord) -> Option<u32> {
        let rated = wh(number(record, self.rated?)?, 1_000)?;
        u32::try_from(rated).ok().filter(|rated| *rated > 0)
    }

    /// A single time that is missing counts as the slot's own.
    fn issued_at(&self, record: &StringRecord, start: Timestamp) -> Timestamp {
        self.issued.and_then(|column| record.get(column)?.trim().parse().ok()).unwrap_or(match self.issued {
            Some(_) => start,
            None => Timestamp(i64::MIN),
        })
    }

    #[expect(clippy::cast_possible_truncation, reason = "weather has few digits")]
    fn sky(&self, record: &StringRecord) -> Sky {
        let [irradiance, temperature_c, cloud_percent, humidity_percent, rain_mm, wind_ms] =
            self.weather.map(|column| {
                let value = column.and_then(|(column, times)| Some(number(record, column)? * times));
                value.map_or(f32::NAN, |value| value as f32)
            });
        let around = f32::NAN;
        Sky { irradiance, temperature_c, cloud_percent, humidity_percent, rain_mm, wind_ms, around }
    }
}

fn number(record: &StringRecord, column: usize) -> Option<f64> {
    record.get(column)?.trim().parse::<f64>().ok().filter(|value| value.is_finite())
}

/// Whole Wh; a home's slot is far below the bound.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "within the bound checked before"
)]
fn wh(value: f64, unit_wh: u32) -> Option<u64> {
    let wh = (value * f64::from(unit_wh)).round();
    (0.0..=1e12).contains(&wh).then_some(wh as u64)
}
