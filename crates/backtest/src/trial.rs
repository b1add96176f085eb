//! The time of issue rolled over the last days of a set, every local midnight.
//!
//! What is learned is learned anew every so many days from all that was known by then,
//! and calibrated by its own forecasts of the days before, made without their truth.

use crate::BacktestError;
use crate::set::Set;
use jirani_booster::Level;
use jirani_forecast::Place;
use jirani_forecast::learn::{Calibration, Home, Learned, Lessons, Plan, Scene, Target};
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

    /// What was learned by the local midnight before `at`, and that midnight.
    pub fn learned_for(&self, set: &Set, at: Timestamp) -> Result<(Learned, Timestamp), BacktestError> {
        let day = self.day(at);
        let mut school = School::new(self, set)?;
        school.teach(day)?;
        Ok((Learned::learn(&school.lessons, &self.plan)?, self.midnight(day)))
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
    said: Vec<f32>,
    truths: Vec<f32>,
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
        let mut calibration = Calibration::none(levels);
        let mut kept: Vec<Kept> = Vec::new();
        for day in begin..=protocol.day(moment(end - 1)) {
            if learned.is_none() || (day - test_day).rem_euclid(protocol.refit_days.max(1)) == 0 {
                school.teach(day)?;
                learned = Some(Learned::learn(&school.lessons, &protocol.plan)?);
            }
            // Only forecasts whose last slot has come.
            kept.retain(|kept| kept.day + protocol.calibration_days >= day);
            calibration = calibrated(&kept, day - protocol.horizon_days, &trial.levels, calibration);
            let Some(learned) = &learned else { continue };
            let mut today = Kept { day, ..Kept::default() };
            for (place, home) in &school.homes {
                let Some(scene) = Scene::new(home, protocol.target, protocol.midnight(day)) else { continue };
                let raw = learned.raw(&scene, horizon)?;
                let finished = raw.finished(&calibration);
                for (ahead, (blend, said)) in
                    raw.said.chunks_exact(levels).zip(finished.chunks_exact(levels)).enumerate()
                {
                    let ahead = i64::try_from(ahead).unwrap_or(0);
                    let slot = scene.now() + ahead;
                    let Some(truth) = home.grid.value(protocol.target, slot).filter(|_| slot < end) else {
                        continue;
                    };
                    if scene.most(slot) > 0.0 {
                        today.said.extend_from_slice(blend);
                        today.truths.push(truth / scene.unit_wh());
                    }
                    if slot >= test_from {
                        trial.keys.push(Key { home: *place, slot, ahead, truth });
                        trial.said[2].extend_from_slice(said);
                        trial.ask_baselines(&scene, slot);
                    }
                }
            }
            kept.push(today);
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

fn calibrated(kept: &[Kept], until: i64, levels: &[Level], before: Calibration) -> Calibration {
    let over = || kept.iter().filter(|kept| kept.day <= until);
    if over().next().is_none() {
        return before;
    }
    let said: Vec<f32> = over().flat_map(|kept| kept.said.iter().copied()).collect();
    let truths: Vec<f32> = over().flat_map(|kept| kept.truths.iter().copied()).collect();
    Calibration::of(levels, &said, &truths)
}
