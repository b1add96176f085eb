//! The blend: what is usual, what was learned outright, what was learned of how wrong
//! the usual is.

use super::LearnError;
use super::calibration::Calibration;
use super::grid::Target;
use super::lessons::Lessons;
use super::row::{COLUMNS, Homes, WIDTH, row};
use super::scene::Scene;
use super::usual::Usual;
use super::weights::Said;
use jirani_booster::{Level, Matrix, Model, Settings, Table};

/// Version of the rows and of how answers are blended.
pub const VERSION: u16 = 2;

/// How much each part says, in percent; they add up to 100.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Parts {
    /// The usual quantiles.
    pub usual: u8,
    /// The quantiles learned outright.
    pub direct: u8,
    /// The usual quantiles with the correction learned for them.
    pub corrected: u8,
}

/// What to learn and how.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Rising; the median must be among them.
    pub levels: Vec<Level>,
    /// Of the booster.
    pub settings: Settings,
    /// Of the blend, until past forecasts say which is better.
    pub parts: Parts,
    /// Whether homes are told apart.
    pub homes: Homes,
}

impl Plan {
    /// What is learned unless somebody says otherwise; chosen on days before those that
    /// are judged (docs/forecast.md).
    pub fn standard(target: Target, levels: Vec<Level>) -> Self {
        // Where practice has not spoken yet.
        let parts = match target {
            Target::Consumption => Parts { usual: 20, direct: 40, corrected: 40 },
            Target::Production | Target::Surplus => Parts { usual: 40, direct: 30, corrected: 30 },
        };
        let settings = Settings {
            rounds: 150,
            learning_rate: 0.07,
            leaves: 31,
            leaf_rows_min: 100,
            row_percent: 60,
            column_percent: 40,
            seed: 1,
        };
        Self { levels, settings, parts, homes: Homes::Alike }
    }
}

/// What was learned. Stored by serde; what does not hold together is refused.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Learned(Stored);

#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    forecast_version: u16,
    target: Target,
    columns: Vec<String>,
    levels: Vec<Level>,
    /// For each level.
    parts: Vec<Parts>,
    homes: Homes,
    /// All levels, if they say anything in the blend.
    direct: Option<Model>,
    /// Likewise; each of its levels stands on another usual value.
    correction: Option<Model>,
    calibration: Calibration,
}

impl Learned {
    /// Learns from `lessons`.
    pub fn learn(lessons: &Lessons, plan: &Plan) -> Result<Self, LearnError> {
        let Parts { direct, corrected, .. } = plan.parts;
        if !plan.parts.are_whole() || !plan.levels.contains(&Level::MEDIAN) {
            return Err(LearnError::Parts);
        }
        let table = Table::of(&lessons.matrix)?;
        let wrong = |level: Level| {
            let usuals = lessons.usuals.iter().map(|usual| usual.at(level.share()));
            lessons.truths.iter().zip(usuals).map(|(truth, usual)| truth - usual).collect()
        };
        let learn_direct = || table.learn(&plan.levels, |_| (&lessons.truths[..]).into(), &plan.settings);
        let learn_correction = || table.learn(&plan.levels, wrong, &plan.settings);
        Ok(Self(Stored {
            forecast_version: VERSION,
            target: lessons.target,
            columns: COLUMNS.map(str::to_owned).to_vec(),
            levels: plan.levels.clone(),
            parts: vec![plan.parts; plan.levels.len()],
            homes: plan.homes,
            direct: if direct > 0 { Some(learn_direct()?) } else { None },
            correction: if corrected > 0 { Some(learn_correction()?) } else { None },
            calibration: Calibration::none(plan.levels.len()),
        }))
    }

    /// The same, stretched by `calibration`; as it is if that is of other levels.
    #[must_use]
    pub fn calibrated(mut self, calibration: Calibration) -> Self {
        if calibration.fits(self.0.levels.len()) {
            self.0.calibration = calibration;
        }
        self
    }

    /// What it forecasts.
    pub const fn target(&self) -> Target {
        self.0.target
    }

    /// The levels it answers, rising.
    pub fn levels(&self) -> &[Level] {
        &self.0.levels
    }

    /// Whether homes are told apart.
    pub const fn homes(&self) -> Homes {
        self.0.homes
    }

    /// The same, mixed by these parts, one for each level; as it is if they are no whole or of
    /// models that were not learned.
    #[must_use]
    pub fn mixed(mut self, parts: Vec<Parts>) -> Self {
        let known = |parts: &Parts| {
            parts.are_whole()
                && (parts.direct == 0 || self.0.direct.is_some())
                && (parts.corrected == 0 || self.0.correction.is_some())
        };
        if parts.len() == self.0.levels.len() && parts.iter().all(known) {
            self.0.parts = parts;
        }
        self
    }

    /// How much each part says at each level.
    pub fn parts(&self) -> &[Parts] {
        &self.0.parts
    }

    pub(crate) const fn calibration(&self) -> &Calibration {
        &self.0.calibration
    }

    pub(crate) const fn direct(&self) -> Option<&Model> {
        self.0.direct.as_ref()
    }

    pub(crate) const fn correction(&self) -> Option<&Model> {
        self.0.correction.as_ref()
    }

    /// For `slots` slots from the time of issue on, every level in Wh, slot by slot, never
    /// falling within one.
    pub fn forecast(&self, scene: &Scene<'_>, slots: i64) -> Result<Vec<f32>, LearnError> {
        Ok(self.raw(scene, slots)?.finished(&self.0.calibration))
    }

    /// The same before it is stretched: what calibrations are made from.
    pub fn raw(&self, scene: &Scene<'_>, slots: i64) -> Result<Raw, LearnError> {
        self.raw_of(scene, scene.now()..scene.now() + slots)
    }

    pub(crate) fn raw_of(&self, scene: &Scene<'_>, slots: std::ops::Range<i64>) -> Result<Raw, LearnError> {
        let mut matrix = Matrix::new(WIDTH)?;
        let mut usuals = Vec::new();
        let mut mosts = Vec::new();
        for number in slots {
            let (row, usual) = row(scene, number, self.0.homes);
            matrix.push(&row)?;
            usuals.push(usual);
            mosts.push(scene.most(number));
        }
        let parts = self.said(&matrix, &usuals)?;
        let said = parts.mixed(&self.0.parts);
        let middle = self.0.levels.iter().position(|level| *level == Level::MEDIAN).unwrap_or(0);
        Ok(Raw { said, parts, mosts, middle, unit_wh: scene.unit_wh() })
    }

    /// What each part says of rows, in units, before calibration and bounds.
    fn said(&self, matrix: &Matrix, usuals: &[Usual]) -> Result<Said, LearnError> {
        let levels = self.0.levels.len();
        let binned = match (&self.0.direct, &self.0.correction) {
            (Some(model), _) | (None, Some(model)) => Some(model.rows(matrix)?),
            (None, None) => None,
        };
        let answers = |model: &Option<Model>| match (model, &binned) {
            (Some(model), Some(rows)) => model.answer(rows),
            _ => Ok(vec![0.0; matrix.rows() * levels]),
        };
        let mut direct = answers(&self.0.direct)?;
        for said in direct.chunks_exact_mut(levels) {
            said.sort_unstable_by(f32::total_cmp);
        }
        let mut corrected = answers(&self.0.correction)?;
        let mut usual = Vec::with_capacity(direct.len());
        let rows = direct.chunks_exact(levels).zip(corrected.chunks_exact_mut(levels));
        for (found, (direct, corrected)) in usuals.iter().zip(rows) {
            for ((level, direct), corrected) in self.0.levels.iter().zip(direct).zip(corrected) {
                let found = found.at(level.share());
                // Without a day of its own at this time, a home is what the others taught.
                let found = if found.is_finite() { found } else { *direct };
                usual.push(found);
                *corrected += found;
            }
        }
        Ok(Said { usual, direct, corrected })
    }
}

/// A blend in units, not yet stretched and bounded.
#[derive(Clone, Debug)]
pub struct Raw {
    /// Row by row one value a level, never falling.
    pub said: Vec<f32>,
    /// What its parts said.
    pub parts: Said,
    /// The most that each row can be.
    pub mosts: Vec<f32>,
    middle: usize,
    unit_wh: f32,
}

impl Raw {
    /// The same, mixed by other parts, one for each level.
    #[must_use]
    pub fn mixed(self, parts: &[Parts]) -> Self {
        Self { said: self.parts.mixed(parts), ..self }
    }

    /// In Wh, stretched by `calibration`, bounded by the sun and the rated power, sorted.
    pub fn finished(&self, calibration: &Calibration) -> Vec<f32> {
        let mut said = self.said.clone();
        let levels = calibration.factors().len().max(1);
        for (said, most) in said.chunks_exact_mut(levels).zip(&self.mosts) {
            calibration.stretch(self.middle, said);
            for value in said.iter_mut() {
                *value = value.clamp(0.0, *most) * self.unit_wh;
            }
            said.sort_unstable_by(f32::total_cmp);
        }
        said
    }
}

/// What was stored by another version, or does not hold together.
#[derive(Debug, thiserror::Error)]
#[error("forecast.model: the stored model is not one of this version; train it anew")]
pub struct NotAModel;

impl TryFrom<Stored> for Learned {
    type Error = NotAModel;

    fn try_from(stored: Stored) -> Result<Self, NotAModel> {
        let levels = stored.levels.len();
        let answers = |model: &Option<Model>, percent: fn(&Parts) -> u8| match model {
            Some(model) => model.columns() == WIDTH && model.levels().eq(stored.levels.iter().copied()),
            None => stored.parts.iter().all(|parts| percent(parts) == 0),
        };
        // Rows are binned once for both.
        let share =
            stored.direct.as_ref().zip(stored.correction.as_ref()).is_none_or(|(a, b)| a.shares_bins(b));
        let sound = stored.forecast_version == VERSION
            && stored.columns.iter().map(String::as_str).eq(COLUMNS)
            && stored.levels.contains(&Level::MEDIAN)
            && stored.levels.windows(2).all(|pair| pair[0] < pair[1])
            && stored.parts.len() == levels
            && stored.parts.iter().all(|parts| parts.are_whole())
            && answers(&stored.direct, |parts| parts.direct)
            && answers(&stored.correction, |parts| parts.corrected)
            && share
            && stored.calibration.fits(levels);
        if sound { Ok(Self(stored)) } else { Err(NotAModel) }
    }
}

impl From<Learned> for Stored {
    fn from(learned: Learned) -> Self {
        learned.0
    }
}
