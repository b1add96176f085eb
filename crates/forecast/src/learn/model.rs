//! The blend: what is usual, what was learned outright, what was learned of how wrong
//! the usual is.

use super::LearnError;
use super::calibration::Calibration;
use super::grid::Target;
use super::lessons::Lessons;
use super::row::{COLUMNS, Homes, WIDTH, row};
use super::scene::Scene;
use super::usual::Usual;
use jirani_booster::{Level, Matrix, Model, Settings, train};

/// Version of the rows and of how answers are blended.
pub const VERSION: u16 = 1;

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
    /// Of the blend.
    pub parts: Parts,
    /// Whether homes are told apart.
    pub homes: Homes,
}

impl Plan {
    /// What is learned unless somebody says otherwise; chosen on days before those that
    /// are judged (docs/forecast.md).
    pub fn standard(target: Target, levels: Vec<Level>) -> Self {
        let parts = match target {
            Target::Consumption => Parts { usual: 30, direct: 35, corrected: 35 },
            Target::Production | Target::Surplus => Parts { usual: 40, direct: 30, corrected: 30 },
        };
        let settings = Settings {
            rounds: 100,
            learning_rate: 0.05,
            leaves: 31,
            leaf_rows_min: 60,
            row_percent: 70,
            column_percent: 60,
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
    parts: Parts,
    homes: Homes,
    /// All levels, if they say anything in the blend.
    direct: Option<Model>,
    /// One for each level, likewise: each level stands on another usual value.
    corrections: Vec<Model>,
    calibration: Calibration,
}

impl Learned {
    /// Learns from `lessons`.
    pub fn learn(lessons: &Lessons, plan: &Plan) -> Result<Self, LearnError> {
        let Parts { usual, direct, corrected } = plan.parts;
        let whole = u16::from(usual) + u16::from(direct) + u16::from(corrected) == 100;
        if !whole || !plan.levels.contains(&Level::MEDIAN) {
            return Err(LearnError::Parts);
        }
        let learn_direct = || train(&lessons.matrix, &lessons.truths, &plan.levels, &plan.settings);
        let correction = |level: &Level| {
            let wrong: Vec<f32> = lessons
                .truths
                .iter()
                .zip(&lessons.usuals)
                .map(|(truth, usual)| truth - usual.at(level.share()))
                .collect();
            train(&lessons.matrix, &wrong, &[*level], &plan.settings)
        };
        let corrections: Result<Vec<Model>, _> =
            if corrected > 0 { plan.levels.iter().map(correction).collect() } else { Ok(Vec::new()) };
        Ok(Self(Stored {
            forecast_version: VERSION,
            target: lessons.target,
            columns: COLUMNS.map(str::to_owned).to_vec(),
            levels: plan.levels.clone(),
            parts: plan.parts,
            homes: plan.homes,
            direct: if direct > 0 { Some(learn_direct()?) } else { None },
            corrections: corrections?,
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

    pub(crate) const fn parts(&self) -> Parts {
        self.0.parts
    }

    pub(crate) const fn direct(&self) -> Option<&Model> {
        self.0.direct.as_ref()
    }

    pub(crate) fn correction(&self, place: usize) -> Option<&Model> {
        self.0.corrections.get(place)
    }

    /// For `slots` slots from the time of issue on, every level in Wh, slot by slot, never
    /// falling within one.
    pub fn forecast(&self, scene: &Scene<'_>, slots: i64) -> Result<Vec<f32>, LearnError> {
        Ok(self.raw(scene, slots)?.finished(&self.0.calibration))
    }

    /// The same before it is stretched: what calibrations are made from.
    pub fn raw(&self, scene: &Scene<'_>, slots: i64) -> Result<Raw, LearnError> {
        let mut matrix = Matrix::new(WIDTH)?;
        let mut usuals = Vec::new();
        let mut mosts = Vec::new();
        for number in scene.now()..scene.now() + slots {
            let (row, usual) = row(scene, number, self.0.homes);
            matrix.push(&row)?;
            usuals.push(usual);
            mosts.push(scene.most(number));
        }
        let mut said = self.blend(&matrix, &usuals)?;
        let middle = self.0.levels.iter().position(|level| *level == Level::MEDIAN).unwrap_or(0);
        for said in said.chunks_exact_mut(self.0.levels.len()) {
            said.sort_unstable_by(f32::total_cmp);
        }
        Ok(Raw { said, mosts, middle, unit_wh: scene.unit_wh() })
    }

    /// The blend for rows, in units, row by row, before calibration and bounds.
    pub fn blend(&self, matrix: &Matrix, usuals: &[Usual]) -> Result<Vec<f32>, LearnError> {
        let levels = self.0.levels.len();
        let direct = match &self.0.direct {
            Some(model) => model.predict(matrix)?,
            None => vec![0.0; matrix.rows() * levels],
        };
        let corrections: Result<Vec<Vec<f32>>, _> =
            self.0.corrections.iter().map(|model| model.predict(matrix)).collect();
        let corrections = corrections?;
        let part = |percent: u8| f32::from(percent) / 100.0;
        let Parts { usual: of_usual, direct: of_direct, corrected: of_corrected } = self.0.parts;
        let mut said = Vec::with_capacity(direct.len());
        for (number, (usual, direct)) in usuals.iter().zip(direct.chunks_exact(levels)).enumerate() {
            for (place, (level, direct)) in self.0.levels.iter().zip(direct).enumerate() {
                let correction = corrections.get(place).and_then(|all| all.get(number)).copied();
                let found = usual.at(level.share());
                // Without a day of its own at this time, a home is what the others taught.
                let found = if found.is_finite() { found } else { *direct };
                let corrected = found + correction.unwrap_or(0.0);
                said.push(part(of_usual) * found + part(of_direct) * direct + part(of_corrected) * corrected);
            }
        }
        Ok(said)
    }
}

/// A blend in units, not yet stretched and bounded.
#[derive(Clone, Debug)]
pub struct Raw {
    /// Row by row one value a level, never falling.
    pub said: Vec<f32>,
    /// The most that each row can be.
    pub mosts: Vec<f32>,
    middle: usize,
    unit_wh: f32,
}

impl Raw {
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
        let Parts { usual, direct, corrected } = stored.parts;
        let levels = stored.levels.len();
        let answers = |model: &Model, wanted: &[Level]| {
            model.columns() == WIDTH && model.levels().eq(wanted.iter().copied())
        };
        let corrections = stored.corrections.iter().zip(&stored.levels);
        let sound = stored.forecast_version == VERSION
            && stored.columns.iter().map(String::as_str).eq(COLUMNS)
            && stored.levels.contains(&Level::MEDIAN)
            && stored.levels.windows(2).all(|pair| pair[0] < pair[1])
            && u16::from(usual) + u16::from(direct) + u16::from(corrected) == 100
            && stored.direct.as_ref().map_or(direct == 0, |model| answers(model, &stored.levels))
            && stored.corrections.len() == if corrected > 0 { levels } else { 0 }
            && corrections.into_iter().all(|(model, level)| answers(model, std::slice::from_ref(level)))
            && stored.calibration.fits(levels);
        if sound { Ok(Self(stored)) } else { Err(NotAModel) }
    }
}

impl From<Learned> for Stored {
    fn from(learned: Learned) -> Self {
        learned.0
    }
}
