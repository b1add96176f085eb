//! The time of issue rolled over the last days of a set, every local midnight.
//!
//! What is learned is learned anew every so many days from all that was known by then,
//! and calibrated by its own forecasts of the days before, made without their truth.

use crate::BacktestError;
use crate::set::Set;
use jirani_booster::Level;
use jirani_forecast::Place;
use jirani_forecast::learn::{Calibration, Home, Learned, Lessons, Parts, Plan, Said, Scene, Target};
use jirani_units::Timestamp;

const DAY_S: i64 = 86_400;
/// Days of past before the first lesson.
const BEFORE_LESSONS: i64 = 28;

/// How a set is tested.
#[derive(Clone, Debug)]
pub struct Protocol {
    /// What is forecast.
    pub target: Target,
    /// Where the homes are.
    pub place: Option<Place>,
    /// What local clocks are ahead of UTC, in seconds.
    pub clock_offset_s: i64,
    /// Days forecast at each issue, 1 or 2.
    pub horizon_days: i64,
    /// Days at the end of the set that are tested.
    pub test_days: i64,
    /// Days at the very end that are kept from the trial: for choosing a plan without
    /// looking at the days it will be judged by.
    pub hidden_days: i64,
    /// Days from one learning to the next.
    pub refit_days: i64,
    /// Days whose forecasts calibrate the next ones.
    pub calibration_days: i64,
    /// What to learn.
    pub plan: Plan,
    /// Homes that are left out, by name.
    pub without: Vec<String>,
}

impl Protocol {
    /// The number of the local day that holds a moment.
    fn day(&self, at: Timestamp) -> i64 {
        (at.seconds() + self.clock_offset_s).div_euclid(DAY_S)
    }

    /// The local midnight that a day begins with.
    fn midnight(&self, day: i64) -> Timestamp {
        Timestamp::from_seconds(day * DAY_S - self.clock_offset_s)
    }

    /// The first day whose forecast can be a lesson.
    fn first_lesson(&self, set: &Set) -> i64 {
        self.day(Timestamp::from_seconds(set.span().0 * i64::from(set.step_s))) + 1 + BEFORE_LESSONS
    }

    /// The home with this place in the set, unless it is left out.
    pub fn home<'a>(&self, set: &'a Set, place: usize) -> Option<Home<'a>> {
        let home = set.homes.get(place).filter(|home| !self.without.contains(&home.name))?;
        Some(Home {
            number: u16::try_from(place).unwrap_or(u16::MAX),
            grid: &home.grid,
            place: self.place,
            rated_w: home.rated_w,
            clock_offset_s: self.clock_offset_s,
            skies: home.skies.as_ref(),
        })
    }

    /// What was learned by the local midnight before `at`, mixed and calibrated as a trial would
    /// have, and that midnight.
    pub fn learned_for(&self, set: &Set, at: Timestamp) -> Result<(Learned, Timestamp), BacktestError> {
        let day = self.day(at);
        let mut practice = Practice::new(self);
        let begin = (day - self.calibration_days).max(self.first_lesson(set) + self.horizon_days);
        let mut school = School::new(self, set)?;
        if begin < day {
            school.teach(begin)?;
            let early = Learned::learn(&school.lessons, &self.plan)?;
            for past in begin..day {
                let mut kept = Kept { day: past, ..Kept::default() };
                for (_, home) in &school.homes {
                    if let Some(scene) = Scene::new(home, self.target, self.midnight(past)) {
                        let raw = early.raw(&scene, school.horizon)?;
                        kept.learn_from(&raw.parts, &scene, school.horizon, self.plan.levels.len());
                    }
                }
                practice.kept.push(kept);
            }
            practice.draw(day);
        }
        school.teach(day)?;
        let learned = Learned::learn(&school.lessons, &self.plan)?;
        Ok((learned.mixed(practice.parts).calibrated(practice.calibration), self.midnight(day)))
    }
}

/// Lessons that grow with the days.
struct School<'a> {
    protocol: &'a Protocol,
    homes: Vec<(usize, Home<'a>)>,
    lessons: Lessons,
    /// The next day to be taught.
    next: i64,
    horizon: i64,
}

impl<'a> School<'a> {
    fn new(protocol: &'a Protocol, set: &'a Set) -> Result<Self, BacktestError> {
        let homes = (0..set.homes.len())
            .filter_map(|place| protocol.home(set, place).map(|home| (place, home)))
            .collect();
        Ok(Self {
            protocol,
            homes,
            lessons: Lessons::new(protocol.target)?,
            next: protocol.first_lesson(set),
            horizon: protocol.horizon_days * DAY_S / i64::from(set.step_s),
        })
    }

    /// All lessons that were over when `day` began: a lesson is over when the whole
    /// horizon of its issue has come.
    fn teach(&mut self, day: i64) -> Result<(), BacktestError> {
        while self.next + self.protocol.horizon_days <= day {
            for (_, home) in &self.homes {
                let (issued_at, until) = (self.protocol.midnight(self.next), self.protocol.midnight(day));
                self.lessons.add(home, issued_at, self.horizon, until, self.protocol.plan.homes)?;
            }
            self.next += 1;
        }
        if self.lessons.is_empty() {
            return Err(BacktestError::TooShort(self.protocol.test_days));
        }
        Ok(())
    }
}

/// Who answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// What was at this time yesterday, spread as days differed from those before them.
    SameTimeYesterday,
    /// What was at this time of the last 28 days.
    Climatology,
    /// The learned blend, calibrated.
    Learned,
}

impl Method {
    /// All, the ones to beat first.
    pub const ALL: [Self; 3] = [Self::SameTimeYesterday, Self::Climatology, Self::Learned];

    /// As people call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SameTimeYesterday => "same time yesterday",
            Self::Climatology => "28-day climatology",
            Self::Learned => "learned",
        }
    }
}

/// One question: a slot of a home, asked at an issue.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Key {
    /// Place of the home in the set.
    pub home: usize,
    /// Number of the slot.
    pub slot: i64,
    /// Slots from the issue.
    pub ahead: i64,
    /// What came, in Wh.
    pub truth: f32,
    /// Whether there was anything to forecast.
    pub chance: Chance,
}

/// Whether a slot left anything to chance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chance {
    /// It could be anything.
    Open,
    /// The sun is down: panels make nothing, and everybody knows.
    None,
}

/// All questions and answers.
#[derive(Clone, Debug)]
pub struct Trial {
    /// Length of a slot in seconds.
    pub step_s: u32,
    /// What was forecast.
    pub target: Target,
    /// The levels of the answers.
    pub levels: Vec<Level>,
    /// Names of the homes.
    pub homes: Vec<String>,
    /// The questions.
    pub keys: Vec<Key>,
    /// Per method of [`Method::ALL`] the answers in Wh, question by question one value a level.
    pub said: [Vec<f32>; 3],
}

/// Forecasts whose truth has come, for calibration.
#[derive(Default)]
struct Kept {
    day: i64,
    said: Said,
    truths: Vec<f32>,
}

impl Kept {
    /// Keeps the slots of a forecast that left something to chance and whose truth is known.
    fn learn_from(&mut self, said: &Said, scene: &Scene<'_>, slots: i64, levels: usize) {
        for (place, slot) in (scene.now()..scene.now() + slots).enumerate() {
            let Some(truth) = scene.truth(slot).filter(|_| scene.most(slot) > 0.0) else { continue };
            self.said.extend(said, place * levels..(place + 1) * levels);
            self.truths.push(truth / scene.unit_wh());
        }
    }
}

impl Trial {
    /// Tests `set`.
    pub fn run(set: &Set, protocol: &Protocol) -> Result<Self, BacktestError> {
        let step = i64::from(set.step_s);
        let (_, last) = set.span();
        let horizon = protocol.horizon_days * DAY_S / step;
        let end = last - protocol.hidden_days * DAY_S / step;
        let test_from = end - protocol.test_days * DAY_S / step;
        let moment = |slot: i64| Timestamp::from_seconds(slot * step);
        let test_day = protocol.day(moment(test_from));
        let begin =
            (test_day - protocol.calibration_days).max(protocol.first_lesson(set) + protocol.horizon_days);
        if test_day < begin || protocol.test_days < 1 {
            return Err(BacktestError::TooShort(protocol.test_days));
        }
        let levels = protocol.plan.levels.len();
        let mut trial = Self {
            step_s: set.step_s,
            target: protocol.target,
            levels: protocol.plan.levels.clone(),
            homes: set.homes.iter().map(|home| home.name.clone()).collect(),
            keys: Vec::new(),
            said: [const { Vec::new() }; 3],
        };
        let mut school = School::new(protocol, set)?;
        let mut learned: Option<Learned> = None;
        let mut practice = Practice::new(protocol);
        for day in begin..=protocol.day(moment(end - 1)) {
            if learned.is_none() || (day - test_day).rem_euclid(protocol.refit_days.max(1)) == 0 {
                school.teach(day)?;
                learned = Some(Learned::learn(&school.lessons, &protocol.plan)?);
            }
            practice.draw(day);
            let Some(learned) = &learned else { continue };
            let mut today = Kept { day, ..Kept::default() };
            for (place, home) in &school.homes {
                let Some(scene) = Scene::new(home, protocol.target, protocol.midnight(day)) else { continue };
                let raw = learned.raw(&scene, horizon)?;
                let raw = raw.mixed(&practice.parts);
                let finished = raw.finished(&practice.calibration);
                today.learn_from(&raw.parts, &scene, horizon.min(end - scene.now()), levels);
                for (said, slot) in finished.chunks_exact(levels).zip(scene.now()..) {
                    let ahead = slot - scene.now();
                    let Some(truth) = scene.truth(slot).filter(|_| slot < end) else { continue };
                    let chance = if scene.most(slot) > 0.0 { Chance::Open } else { Chance::None };
                    if slot >= test_from {
                        trial.keys.push(Key { home: *place, slot, ahead, truth, chance });
                        trial.said[2].extend_from_slice(said);
                        trial.ask_baselines(&scene, slot);
                    }
                }
            }
            practice.kept.push(today);
        }
        Ok(trial)
    }

    fn ask_baselines(&mut self, scene: &Scene<'_>, slot: i64) {
        let unit = scene.unit_wh();
        let past: Vec<f32> = scene.same_time(slot, 29).collect();
        let differences =
            jirani_forecast::learn::usual::Usual::of(past.windows(2).map(|pair| pair[0] - pair[1]).collect());
        let usual = scene.usual(slot);
        let known = |value: f32| if value.is_finite() { value.max(0.0) * unit } else { 0.0 };
        let yesterday = past.iter().copied().find(|value| value.is_finite()).unwrap_or(0.0);
        for level in &self.levels {
            let spread = differences.at(level.share());
            self.said[0].push(known(yesterday + if spread.is_finite() { spread } else { 0.0 }));
            self.said[1].push(known(usual.at(level.share())));
        }
    }

    /// One method's answers to the question with this place.
    pub fn answer(&self, method: Method, place: usize) -> &[f32] {
        let levels = self.levels.len();
        self.said[method as usize].get(place * levels..(place + 1) * levels).unwrap_or(&[])
    }
}

/// What the forecasts of the days before teach about those to come.
struct Practice<'a> {
    protocol: &'a Protocol,
    kept: Vec<Kept>,
    parts: Vec<Parts>,
    calibration: Calibration,
}

impl<'a> Practice<'a> {
    fn new(protocol: &'a Protocol) -> Self {
        let levels = protocol.plan.levels.len();
        Self {
            protocol,
            kept: Vec::new(),
            parts: vec![protocol.plan.parts; levels],
            calibration: Calibration::none(levels),
        }
    }

    /// Mixes and calibrates anew for `day`, by forecasts whose last slot has come.
    fn draw(&mut self, day: i64) {
        let Protocol { plan, horizon_days, calibration_days, .. } = self.protocol;
        self.kept.retain(|kept| kept.day + calibration_days >= day);
        let (mut said, mut truths) = (Said::default(), Vec::new());
        for kept in self.kept.iter().filter(|kept| kept.day <= day - horizon_days) {
            said.extend(&kept.said, 0..kept.said.usual.len());
            truths.extend_from_slice(&kept.truths);
        }
        if truths.is_empty() {
            return;
        }
        self.parts = said.best(&plan.levels, &truths, &vec![plan.parts; plan.levels.len()]);
        self.calibration = Calibration::of(&plan.levels, &said.mixed(&self.parts), &truths);
    }
}
