//! What moved a forecast, column by column, in Wh.

use super::LearnError;
use super::model::Learned;
use super::row::{COLUMNS, row};
use super::scene::Scene;
use jirani_booster::Level;

/// What one column added to a forecast against an average slot.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Mover {
    /// The column's name; see [`COLUMNS`].
    pub column: &'static str,
    /// Its value in this slot; `None` where nobody knew.
    pub value: Option<f32>,
    /// What it added, in Wh.
    pub added_wh: f64,
}

/// Both ends of a forecast's reckoning and what moved it between them.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Explained {
    /// What is usual at this time of day, in Wh.
    pub usual_wh: f64,
    /// What the forecast says, in Wh.
    pub said_wh: f64,
    /// What an average slot is told, in Wh: `said_wh` less all movers and `adjusted_wh`.
    pub average_wh: f64,
    /// What stretching, the sun's and the rated power's bounds and keeping the levels in order
    /// added to the blend, in Wh.
    pub adjusted_wh: f64,
    /// The columns that moved it, the strongest first.
    pub movers: Vec<Mover>,
}

impl Learned {
    /// Takes the forecast of a slot at one level apart; `None` if it has no such level.
    pub fn explain(
        &self,
        scene: &Scene<'_>,
        number: i64,
        level: Level,
    ) -> Result<Option<Explained>, LearnError> {
        let Some(place) = self.levels().iter().position(|known| *known == level) else { return Ok(None) };
        let (row, usual) = row(scene, number, self.homes());
        let usual = f64::from(usual.at(level.share()));
        let usual = if usual.is_finite() { usual } else { 0.0 };
        let unit = f64::from(scene.unit_wh());
        let share = |percent: u8| f64::from(percent) / 100.0;
        let Some(parts) = self.parts().get(place) else { return Ok(None) };
        // The usual counts for itself where it is a part, not for the columns beside it.
        let mut average = (share(parts.usual) + share(parts.corrected)) * usual;
        let mut added = [0.0; COLUMNS.len()];
        let models = [(self.direct(), share(parts.direct)), (self.correction(), share(parts.corrected))];
        for (model, weight) in models {
            let Some(model) = model else { continue };
            let Some(found) = model.explain(&row, level)? else { continue };
            average += weight * found.base;
            for (sum, column) in added.iter_mut().zip(&found.columns) {
                *sum += weight * column;
            }
        }
        let blend = (average + added.iter().sum::<f64>()) * unit;
        let said = self.raw_of(scene, number..number + 1)?.finished(self.calibration());
        let said = said.get(place).map_or(0.0, |wh| f64::from(*wh));
        let mut movers: Vec<Mover> = COLUMNS
            .iter()
            .zip(row)
            .zip(added)
            .filter(|(_, added)| added.abs() > 0.0)
            .map(|((column, value), added)| Mover {
                column,
                value: value.is_finite().then_some(value),
                added_wh: added * unit,
            })
            .collect();
        movers.sort_by(|a, b| b.added_wh.abs().total_cmp(&a.added_wh.abs()));
        Ok(Some(Explained {
            usual_wh: usual * unit,
            said_wh: said,
            average_wh: average * unit,
            adjusted_wh: said - blend,
            movers,
        }))
    }
}
