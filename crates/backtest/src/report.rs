//! The figures of a trial, for machines: one JSON object.

use crate::score::{HORIZONS_H, Score, score};
use crate::trial::{Method, Trial};
use crate::value::{Prices, value};
use jirani_forecast::learn::Target;
use serde_json::{Map, Value, json};

/// Every method over all and by horizon; the value of offers where surplus was forecast.
pub fn figures(trial: &Trial) -> Value {
    let mut methods = Map::new();
    for method in Method::ALL {
        let mut of = json!({ "all": score(trial, method, |_| true) });
        of["by_horizon"] = by_horizon(trial, method)
            .into_iter()
            .map(|(hours, score)| {
                let mut row = json!(score);
                row["hours_to"] = json!(hours);
                row
            })
            .collect();
        if trial.target == Target::Surplus {
            let worth = value(trial, method, Prices::REFERENCE);
            of["value"] = json!({
                "home_days": worth.home_days,
                "capture_basis_points": worth.all.capture(),
                "gain_millicents": worth.all.policy - worth.all.nothing,
                "worst_home": worth.worst_home.map(|(home, earned)| json!({
                    "home": trial.homes.get(home),
                    "capture_basis_points": earned.capture(),
                    "gain_millicents": earned.policy - earned.nothing,
                })),
                "worst_day": worth.worst_day.map(|(day, earned)| json!({
                    "day": day,
                    "gain_millicents": earned.policy - earned.nothing,
                })),
            });
        }
        let key = json!(method).as_str().unwrap_or_default().to_owned();
        methods.insert(key, of);
    }
    json!({ "target": trial.target, "homes": trial.homes.len(), "questions": trial.keys.len(), "methods": methods })
}

/// A method's score for each span of hours ahead that has questions.
pub fn by_horizon(trial: &Trial, method: Method) -> Vec<(i64, Score)> {
    let mut from = 0;
    let mut rows = Vec::new();
    for to in HORIZONS_H {
        let hours = from * 3_600..to * 3_600;
        let score = score(trial, method, |key| hours.contains(&(key.ahead * i64::from(trial.step_s))));
        if score.rows > 0 {
            rows.push((to, score));
        }
        from = to;
    }
    rows
}
