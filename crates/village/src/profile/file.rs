//! Profiles from a CSV file: read twice, first to learn its households, step and
//! span, then to keep the span asked for and nothing else.

use super::error::ProfileError;
use super::minutes::Minutes;
use super::rows::for_each;
use super::series::{MICRO, Series, View};
use super::{HomeEnergy, Peaks};
use crate::seed::rng;
use jirani_forecast::{Place, solar};
use jirani_units::Timestamp;
use rand::Rng as _;
use std::collections::BTreeMap;
use std::path::Path;

/// Gaps up to this are filled, in seconds.
const GAP_MAX_S: i64 = 2 * 3_600;
/// A household's connection carries no more, in W.
const POWER_MAX_W: u64 = 100_000;
/// Households of one file at most.
const HOUSEHOLDS_MAX: usize = 10_000;
const DAY_S: i64 = 86_400;

/// What is wanted of a file.
#[derive(Clone, Copy, Debug)]
pub struct FileRequest {
    /// Homes; those beyond the file's own are made by seeded variation. At least 1.
    pub households: u32,
    /// Days; `None` for as long as the file lasts.
    pub days: Option<u32>,
    /// Length of a slot in seconds; divides a day.
    pub slot_length_s: u32,
    /// Seed of the variation.
    pub seed: u64,
    /// Where the homes stand, if somebody says.
    pub place: Option<Place>,
}

/// The span of a file that was asked for.
#[derive(Debug)]
pub struct FileProfiles {
    name: String,
    request: FileRequest,
    start: Timestamp,
    slots: u64,
    /// Seconds from the series' first step to `start`.
    from_s: u64,
    step_s: u64,
    homes: Vec<(Series, Series)>,
    variations: Vec<Variation>,
    gaps_filled: u64,
    pv_at_night: u64,
}

#[derive(Clone, Copy, Debug)]
struct Variation {
    home: usize,
    pv_permille: u32,
    load_permille: u32,
    load_shift_s: u64,
}

#[derive(Clone, Copy, Default)]
struct Cell {
    pv: u64,
    load: u64,
}

/// One home's steps, as far as they are there.
type Cells = Vec<Option<Cell>>;

/// What the first reading finds out.
struct Outline {
    names: Vec<String>,
    rows: BTreeMap<String, Minutes>,
    step_min: i64,
    /// First minute that every household has.
    common_min: i64,
    /// End of the last step that every household reaches.
    end_min: i64,
}

impl FileProfiles {
    pub fn read(path: &Path, request: &FileRequest) -> Result<Self, ProfileError> {
        let outline = Outline::read(path)?;
        let slot_s = i64::from(request.slot_length_s.max(1));
        let common_s = outline.common_min * 60;
        let start_s = common_s.div_euclid(slot_s) * slot_s + if common_s % slot_s == 0 { 0 } else { slot_s };
        let there_s = outline.end_min * 60 - start_s;
        let start = Timestamp::from_seconds(start_s);
        let span_s = match request.days {
            Some(days) => i64::from(days) * DAY_S,
            None => there_s / slot_s * slot_s,
        };
        if span_s > there_s || span_s <= 0 {
            return Err(ProfileError::TooShort { days: (there_s / DAY_S).max(0), start });
        }
        let (steps, cells) = outline.cells(path, request, start_s + span_s)?;
        let mut gaps_filled = 0;
        let mut homes = Vec::with_capacity(cells.len());
        let mut pv_at_night = 0;
        for (index, cells) in cells.into_iter().enumerate() {
            let filled = outline.fill(path, &outline.names[index], &cells, steps, &mut gaps_filled)?;
            pv_at_night += request.place.map_or(0, |place| outline.count_night(place, &filled));
            let step_s = outline.step_s();
            homes.push((
                Series::new(step_s, filled.iter().map(|cell| cell.pv)),
                Series::new(step_s, filled.iter().map(|cell| cell.load)),
            ));
        }
        let variations = variations(request, homes.len(), span_s);
        Ok(Self {
            name: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            request: *request,
            start,
            slots: u64::try_from(span_s / slot_s).unwrap_or(0),
            from_s: u64::try_from(start_s - common_s).unwrap_or(0),
            step_s: outline.step_s(),
            homes,
            variations,
            gaps_filled,
            pv_at_night,
        })
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn households(&self) -> u32 {
        self.request.households
    }

    pub fn start(&self) -> Timestamp {
        self.start
    }

    pub fn slots(&self) -> u64 {
        self.slots
    }

    pub fn slot_length_s(&self) -> u32 {
        self.request.slot_length_s
    }

    pub fn place(&self) -> Option<Place> {
        self.request.place
    }

    pub fn gaps_filled(&self) -> u64 {
        self.gaps_filled
    }

    pub fn remarks(&self) -> Vec<String> {
        let mut remarks = Vec::new();
        if self.request.place.is_none() {
            remarks.push("No --place was given: the rules of the sun are off.".to_owned());
        }
        if self.pv_at_night > 0 {
            remarks.push(format!(
                "{} intervals have PV while the sun is down: is --place right, and are the times UTC?",
                self.pv_at_night
            ));
        }
        remarks
    }

    pub fn energy(&self, home: u32, slot: u64) -> HomeEnergy {
        let Some((pv, load)) = self.views(home).filter(|_| slot < self.slots) else {
            return HomeEnergy::default();
        };
        let length = u64::from(self.request.slot_length_s);
        let (from, to) = (slot * length, (slot + 1) * length);
        HomeEnergy { pv_wh: pv.wh(from, to), load_wh: load.wh(from, to) }
    }

    fn views(&self, home: u32) -> Option<(View<'_>, View<'_>)> {
        let variation = self.variations.get(home as usize)?;
        let (pv, load) = self.homes.get(variation.home)?;
        let span_s = self.slots * u64::from(self.request.slot_length_s);
        let view =
            |series, shift_s, permille| View { series, from_s: self.from_s, span_s, shift_s, permille };
        Some((
            view(pv, 0, variation.pv_permille),
            view(load, variation.load_shift_s, variation.load_permille),
        ))
    }

    pub fn peaks(&self, home: u32) -> Peaks {
        let Some(variation) = self.variations.get(home as usize) else { return Peaks::default() };
        let Some((pv, load)) = self.homes.get(variation.home) else { return Peaks::default() };
        let watts = |series: &Series, permille: u32| {
            let micro = u128::from(series.largest_step()) * u128::from(permille) / 1_000;
            let watts = (micro * 3_600).div_ceil(u128::from(self.step_s) * u128::from(MICRO));
            u32::try_from(watts).unwrap_or(u32::MAX)
        };
        let pv_w = watts(pv, variation.pv_permille);
        let load_w = watts(load, variation.load_permille);
        // Panels seldom reach their rated power; to the next 100 W.
        Peaks { pv_rated_w: pv_w.div_ceil(100) * 100, pv_w, load_w }
    }
}

impl Outline {
    fn read(path: &Path) -> Result<Self, ProfileError> {
        let mut rows: BTreeMap<String, Minutes> = BTreeMap::new();
        for_each(path, |row| {
            if !rows.contains_key(row.household) && rows.len() == HOUSEHOLDS_MAX {
                let problem = format!("more than {HOUSEHOLDS_MAX} households");
                return Err(ProfileError::BadRow { line: row.line, problem });
            }
            let new = match rows.get_mut(row.household) {
                Some(minutes) => minutes.insert(row.minute()),
                None => rows.entry(row.household.to_owned()).or_default().insert(row.minute()),
            };
            if new {
                return Ok(());
            }
            let (line, household, time) = (row.line, row.household.to_owned(), row.time);
            Err(ProfileError::Duplicate { line, household, time })
        })?;
        let nothing = |problem: &str| ProfileError::NothingCommon { problem: problem.to_owned() };
        let step_min =
            step(&rows).ok_or_else(|| nothing("no household has two rows; the step cannot be told"))?;
        if step_min * 60 > GAP_MAX_S || DAY_S % (step_min * 60) != 0 {
            return Err(nothing(&format!(
                "rows are {step_min} minutes apart; steps of up to 2 hours that divide a day are read"
            )));
        }
        let starts: Vec<i64> = rows.values().filter_map(Minutes::first).collect();
        let ends: Vec<i64> = rows.values().filter_map(Minutes::last).collect();
        let end_min = ends.iter().min().copied().unwrap_or(0) + step_min;
        let mut common_min = starts.iter().max().copied().unwrap_or(0);
        while !rows.values().all(|minutes| minutes.contains(common_min)) {
            common_min += 1;
            if common_min >= end_min {
                return Err(nothing("there is no moment for which every household has a row"));
            }
        }
        let names = rows.keys().cloned().collect();
        Ok(Self { names, rows, step_min, common_min, end_min })
    }

    fn step_s(&self) -> u64 {
        u64::try_from(self.step_min * 60).unwrap_or(1)
    }

    /// The cells of the homes in use from the first common moment to `end_s` and a
    /// little further, so that a gap at the end has its second neighbour.
    fn cells(
        &self,
        path: &Path,
        request: &FileRequest,
        end_s: i64,
    ) -> Result<(usize, Vec<Cells>), ProfileError> {
        let used = self.names.len().min(request.households.max(1) as usize);
        let step_s = self.step_min * 60;
        let count = |seconds: i64| usize::try_from((seconds + step_s - 1) / step_s).unwrap_or(0);
        let steps = count(end_s - self.common_min * 60);
        let beyond = steps + count(GAP_MAX_S) + 1;
        let mut cells = vec![vec![None; beyond]; used];
        let most = POWER_MAX_W * MICRO * self.step_s() / 3_600;
        for_each(path, |row| {
            row.check_plausible(most)?;
            let since = row.minute() - self.common_min;
            if since.rem_euclid(self.step_min) != 0 {
                return Err(ProfileError::Uneven {
                    line: row.line,
                    time: row.time,
                    step_min: self.step_min,
                    origin: Timestamp::from_seconds(self.common_min * 60),
                });
            }
            let place = usize::try_from(since / self.step_min).ok().filter(|_| since >= 0);
            let home = self.names.binary_search_by(|name| name.as_str().cmp(row.household));
            let cell = home.ok().and_then(|home| cells.get_mut(home)).zip(place);
            if let Some(cell) = cell.and_then(|(cells, place)| cells.get_mut(place)) {
                *cell = Some(Cell { pv: row.pv, load: row.load });
            }
            Ok(())
        })?;
        Ok((steps, cells))
    }

    /// The first `steps` cells, with short gaps filled.
    fn fill(
        &self,
        path: &Path,
        household: &str,
        cells: &[Option<Cell>],
        steps: usize,
        gaps_filled: &mut u64,
    ) -> Result<Vec<Cell>, ProfileError> {
        let mut filled: Vec<Cell> = Vec::with_capacity(steps);
        while filled.len() < steps {
            let at = filled.len();
            if let Some(cell) = cells[at] {
                filled.push(cell);
                continue;
            }
            let after = cells[at..].iter().position(Option::is_some).map(|offset| at + offset);
            let missing = after.unwrap_or(cells.len()) - at;
            let neighbours = filled.last().copied().zip(after.and_then(|after| cells[after]));
            let short = i64::try_from(missing).is_ok_and(|missing| missing * self.step_min * 60 <= GAP_MAX_S);
            let Some((before, after)) = neighbours.filter(|_| short) else {
                return Err(self.gap(path, household, at));
            };
            let mean =
                Cell { pv: u64::midpoint(before.pv, after.pv), load: u64::midpoint(before.load, after.load) };
            for _ in 0..missing.min(steps - at) {
                filled.push(mean);
                *gaps_filled += 1;
            }
        }
        Ok(filled)
    }

    /// Says from when to when rows are missing, and the line where they go on.
    fn gap(&self, path: &Path, household: &str, at: usize) -> ProfileError {
        let from = self.common_min + i64::try_from(at).unwrap_or(0) * self.step_min;
        let there = self.rows.get(household).and_then(|minutes| minutes.iter().find(|minute| *minute > from));
        let mut line = 0;
        let found = for_each(path, |row| {
            if row.household == household && Some(row.minute()) == there {
                line = row.line;
            }
            Ok(())
        });
        found.err().unwrap_or_else(|| ProfileError::Gap {
            line,
            household: household.to_owned(),
            from: Timestamp::from_seconds(from * 60),
            to: Timestamp::from_seconds(there.unwrap_or(self.end_min) * 60),
        })
    }

    /// Intervals with PV although the sun stays well below the horizon throughout.
    fn count_night(&self, place: Place, cells: &[Cell]) -> u64 {
        let down = |at_s: i64| solar::sun_position(place, Timestamp::from_seconds(at_s)).zenith_deg > 96.0;
        let step_s = self.step_min * 60;
        let mut at_s = self.common_min * 60;
        let mut count = 0;
        for cell in cells {
            if cell.pv > 0 && down(at_s) && down(at_s + step_s) {
                count += 1;
            }
            at_s += step_s;
        }
        count
    }
}

/// The distance of most neighbouring rows, in minutes.
fn step(rows: &BTreeMap<String, Minutes>) -> Option<i64> {
    let mut distances: BTreeMap<i64, u64> = BTreeMap::new();
    for minutes in rows.values() {
        let mut last = None;
        for minute in minutes.iter() {
            if let Some(last) = last.replace(minute) {
                *distances.entry(minute - last).or_default() += 1;
            }
        }
    }
    distances.into_iter().max_by_key(|(distance, count)| (*count, -distance)).map(|(distance, _)| distance)
}

/// The file's own homes as they are, then seeded variations of them.
fn variations(request: &FileRequest, homes: usize, span_s: i64) -> Vec<Variation> {
    let slot_s = u64::from(request.slot_length_s.max(1));
    let span_s = u64::try_from(span_s).unwrap_or(1).max(1);
    (0..request.households)
        .map(|index| {
            let home = index as usize % homes.max(1);
            if (index as usize) < homes {
                return Variation { home, pv_permille: 1_000, load_permille: 1_000, load_shift_s: 0 };
            }
            let mut rng = rng(request.seed, "variation", u64::from(index));
            let hours_each_way = 2 * 3_600 / slot_s;
            let slots = rng.random_range(0..=2 * hours_each_way);
            Variation {
                home,
                pv_permille: rng.random_range(700..=1_300),
                load_permille: rng.random_range(700..=1_300),
                // Up to two hours later, or earlier: a turn of the whole span less a bit.
                load_shift_s: (span_s + slots * slot_s).saturating_sub(hours_each_way * slot_s) % span_s,
            }
        })
        .collect()
}
