//! Learning from a site's own homes: which days teach, which days judge.
//!
//! Lessons are forecasts issued at local midnights whose 48 hours were over before the last
//! [`JUDGE_DAYS`] began; those last days stretch the blend and decide whether it is better
//! than what is usual and no worse than the model in force, neither stretched by those days.
//! A model that is not is not taken. Every lesson sees the weather as
//! it had been forecast by then. Pure, so that it can run away from those who serve.

use crate::model::Model;
use jirani_booster::{Level, pinball};
use jirani_forecast::learn::{
    Calibration, Grid, Home, Homes, LearnError, Learned, Lessons, Plan, Scene, Skies, Target,
};
use jirani_forecast::{HORIZON_S, LEVELS, Place, SlotEnergy, WeatherSlot};
use jirani_units::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Days of issues at the end that judge and calibrate.
pub const JUDGE_DAYS: i64 = 7;
/// Days of past before the first lesson: what it looks back at must be there.
const BEFORE_DAYS: i64 = 7;
/// The least days of issues that teach.
const TEACH_DAYS_MIN: usize = 7;
const DAY_S: i64 = 86_400;
/// Days of a forecast's horizon.
const HORIZON_DAYS: i64 = HORIZON_S as i64 / DAY_S;

/// A home to learn from.
#[derive(Clone, Debug)]
pub struct Pupil {
    /// Rated power of its panels in W.
    pub rated_w: u32,
    /// Its past, oldest first.
    pub slots: Vec<SlotEnergy>,
}

/// All that is learned from.
#[derive(Clone, Debug)]
pub struct Lecture {
    /// When it is learned: nothing later is looked at.
    pub now: Timestamp,
    /// Where the site is.
    pub place: Place,
    /// Settlement interval in seconds.
    pub slot_length_s: u32,
    /// The homes.
    pub pupils: Vec<Pupil>,
    /// Weather as known at each of [`issues`]; empty where nobody is asked for weather.
    pub weather: BTreeMap<Timestamp, Vec<WeatherSlot>>,
    /// The most rows of one target.
    pub rows_max: usize,
    /// The model in force, which a new one must not be worse than.
    pub in_force: Option<Arc<Model>>,
}

/// What a school came to.
#[derive(Debug)]
pub enum Outcome {
    /// Better than what is usual on days it had not seen.
    Learned(Box<Model>, Judged),
    /// Not better: nothing changes.
    NoBetter(Judged),
    /// Better than what is usual, and worse than the model in force, which stays.
    Outdone(Judged),
    /// Too few days, or nothing to learn from.
    TooEarly,
}

/// Losses on the days that judge, in thousandths of what is usual's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judged {
    /// Of what panels make.
    pub production_permille: u64,
    /// Of what is used.
    pub consumption_permille: u64,
    /// Both of the model in force, on the same days.
    pub in_force_permille: Option<[u64; 2]>,
}

/// What one target lost on the days that judge.
#[derive(Clone, Copy)]
struct Marks {
    ours: u64,
    in_force: Option<u64>,
}

/// Local midnights that teach, and those that judge, for a past of `days` before `now`.
pub fn issues(now: Timestamp, place: Place, days: i64) -> (Vec<Timestamp>, Vec<Timestamp>) {
    let offset = place.clock_offset_s();
    let today = (now.seconds() + offset).div_euclid(DAY_S);
    let midnight = |day: i64| Timestamp::from_seconds(day * DAY_S - offset);
    let last = today - HORIZON_DAYS;
    let judge = last - JUDGE_DAYS + 1;
    let teach = today - days + BEFORE_DAYS..=judge - HORIZON_DAYS;
    (teach.map(midnight).collect(), (judge..=last).map(midnight).collect())
}

impl Lecture {
    /// Learns, judges, and says which it came to.
    pub fn learn(&self) -> Result<Outcome, LearnError> {
        let days = self.days();
        let (teach, judge) = issues(self.now, self.place, days);
        if teach.len() < TEACH_DAYS_MIN {
            return Ok(Outcome::TooEarly);
        }
        let grids = self.grids()?;
        let mut found = Vec::new();
        for target in [Target::Production, Target::Consumption] {
            let lessons = self.lessons(target, &grids, &teach)?;
            if lessons.is_empty() {
                return Ok(Outcome::TooEarly);
            }
            let learned = Learned::learn(&lessons, &Plan::standard(target, levels()))?;
            drop(lessons);
            let Some(judged) = self.judge(learned, &grids, &judge)? else { return Ok(Outcome::TooEarly) };
            found.push(judged);
        }
        let (Some((consumption, used)), Some((production, made))) = (found.pop(), found.pop()) else {
            return Ok(Outcome::TooEarly);
        };
        let in_force = made.in_force.zip(used.in_force);
        let judged = Judged {
            production_permille: made.ours,
            consumption_permille: used.ours,
            in_force_permille: in_force.map(|(made, used)| [made, used]),
        };
        if made.ours + used.ours > 2_000 {
            return Ok(Outcome::NoBetter(judged));
        }
        if in_force.is_some_and(|(theirs, their_use)| made.ours + used.ours > theirs + their_use) {
            return Ok(Outcome::Outdone(judged));
        }
        let weathered = !self.weather.is_empty();
        let model = Model { learned_at: self.now, weathered, production, consumption };
        Ok(Outcome::Learned(Box::new(model), judged))
    }

    /// Days from the first slot of anybody to now.
    fn days(&self) -> i64 {
        let first = self.pupils.iter().filter_map(|pupil| pupil.slots.first()).map(|slot| slot.start).min();
        first.map_or(0, |first| self.now.since(first) / 1_000_000 / DAY_S)
    }

    /// The homes' pasts on the grid of slots, nothing from `now` on.
    pub fn grids(&self) -> Result<Vec<(Grid, u32)>, LearnError> {
        let length = i64::from(self.slot_length_s);
        let over = |slot: &&SlotEnergy| slot.start.plus_seconds(length) <= self.now;
        let grid = |pupil: &Pupil| {
            let slots: Vec<SlotEnergy> = pupil.slots.iter().filter(over).copied().collect();
            Ok((Grid::of(&slots, self.slot_length_s)?, pupil.rated_w))
        };
        self.pupils.iter().map(grid).collect()
    }

    /// What `teach` teaches, thinned evenly to the most rows.
    pub fn lessons(
        &self,
        target: Target,
        grids: &[(Grid, u32)],
        teach: &[Timestamp],
    ) -> Result<Lessons, LearnError> {
        let mut lessons = Lessons::new(target)?;
        let horizon = i64::from(HORIZON_S / self.slot_length_s.max(1));
        let each = usize::try_from(horizon).unwrap_or(1).max(1);
        let stride = (teach.len() * grids.len() * each).div_ceil(self.rows_max.max(1)).max(1);
        let whole = teach.len() * grids.len() / stride;
        let mut turn = 0_usize;
        for issued_at in teach {
            let skies = self.skies(*issued_at);
            for (grid, rated_w) in grids {
                let (block, place) = (turn / stride, turn % stride);
                turn += 1;
                // One of each `stride`, never in step with the number of homes or of days.
                if block < whole && place == scattered(block) % stride {
                    let home = self.home(grid, *rated_w, skies.as_ref());
                    lessons.add(&home, *issued_at, horizon, self.now, Homes::Alike)?;
                }
            }
        }
        Ok(lessons)
    }

    /// Calibrates by the days that judge, and says what the blend lost before that, in
    /// thousandths of what is usual's loss; `None` where nothing could be judged.
    fn judge(
        &self,
        learned: Learned,
        grids: &[(Grid, u32)],
        judge: &[Timestamp],
    ) -> Result<Option<(Learned, Marks)>, LearnError> {
        let (levels, target) = (levels(), learned.target());
        let rival = self.in_force.as_ref().map(|model| {
            let rival = if target == Target::Production { &model.production } else { &model.consumption };
            (rival, model.weathered)
        });
        let mut theirs = 0.0;
        let horizon = i64::from(HORIZON_S / self.slot_length_s.max(1));
        let (mut said, mut truths, mut ours, mut usual) = (Vec::new(), Vec::new(), 0.0, 0.0);
        for issued_at in judge {
            let skies = self.skies(*issued_at);
            for (grid, rated_w) in grids {
                let home = self.home(grid, *rated_w, skies.as_ref());
                let Some(scene) = Scene::new(&home, target, *issued_at) else { continue };
                let raw = learned.raw(&scene, horizon)?;
                let home =
                    self.home(grid, *rated_w, skies.as_ref().filter(|_| rival.is_some_and(|(_, told)| told)));
                let rival = match rival.zip(Scene::new(&home, target, *issued_at)) {
                    Some(((rival, _), scene)) => rival.raw(&scene, horizon)?.said,
                    None => Vec::new(),
                };
                let rivals = rival.chunks_exact(levels.len()).map(Some).chain(std::iter::repeat(None));
                let slots = raw.said.chunks_exact(levels.len()).zip(rivals).zip(scene.now()..);
                for ((blend, rival), number) in slots {
                    let Some(truth) = grid.value(target, number).filter(|_| scene.most(number) > 0.0) else {
                        continue;
                    };
                    let before = scene.usual(number);
                    if before.days() == 0 {
                        continue;
                    }
                    let truth = truth / scene.unit_wh();
                    for (place, (level, blend)) in levels.iter().zip(blend).enumerate() {
                        let loss = |said: f32| pinball(level.share(), f64::from(said), f64::from(truth));
                        ours += loss(*blend) * f64::from(scene.unit_wh());
                        usual += loss(before.at(level.share())) * f64::from(scene.unit_wh());
                        if let Some(rival) = rival.and_then(|rival| rival.get(place)) {
                            theirs += loss(*rival) * f64::from(scene.unit_wh());
                        }
                    }
                    said.extend_from_slice(blend);
                    truths.push(truth);
                }
            }
        }
        if usual <= 0.0 {
            return Ok(None);
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped first")]
        let permille = |loss: f64| (loss / usual * 1_000.0).round().clamp(0.0, 1e9) as u64;
        let calibration = Calibration::of(&levels, &said, &truths);
        let marks = Marks { ours: permille(ours), in_force: rival.map(|_| permille(theirs)) };
        Ok(Some((learned.calibrated(calibration), marks)))
    }

    fn skies(&self, issued_at: Timestamp) -> Option<Skies> {
        let weather = self.weather.get(&issued_at)?;
        Some(Skies::of_forecast(weather, issued_at, self.slot_length_s))
    }

    fn home<'a>(&self, grid: &'a Grid, rated_w: u32, skies: Option<&'a Skies>) -> Home<'a> {
        let clock_offset_s = self.place.clock_offset_s();
        Home { number: 0, grid, place: Some(self.place), rated_w, clock_offset_s, skies }
    }
}

/// A number as good as drawn by lot, the same every time (splitmix64's mixing).
fn scattered(number: usize) -> usize {
    let mixed = (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    usize::try_from((mixed ^ (mixed >> 27)) >> 33).unwrap_or(0)
}

/// The seven that forecasts have.
fn levels() -> Vec<Level> {
    LEVELS.iter().filter_map(|level| Level::from_permille(u16::from(*level) * 10).ok()).collect()
}
