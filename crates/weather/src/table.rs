//! Issued forecasts as lines of text, with the columns that `jirani forecast backtest` reads:
//! `issue_time_utc,timestamp_utc,fc_ghi,temp_c,cloud_pct`.

use crate::interval::{Interval, possible_cloud, possible_irradiance, possible_temperature};
use jirani_units::Timestamp;
use std::collections::BTreeMap;

/// The most rows that are read: a year of hourly issues of three days would be two thirds.
pub(crate) const ROWS_MAX: usize = 1_000_000;

/// Why a file holds no weather.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TableError {
    /// Cannot be read as lines of that form.
    #[error("weather.file: {0}")]
    Unreadable(String),
    /// More than a million rows.
    #[error("weather.file: more than 1000000 rows; give fewer days")]
    TooLong,
    /// Rows of one issue are no even steps that divide a day.
    #[error("weather.file: the rows issued at {0} are not in even steps that divide a day")]
    Uneven(Timestamp),
}

#[derive(serde::Deserialize)]
struct Row {
    issue_time_utc: String,
    timestamp_utc: String,
    fc_ghi: Option<f64>,
    #[serde(default)]
    temp_c: Option<f64>,
    #[serde(default)]
    cloud_pct: Option<f64>,
}

/// What each issue said, in order of time.
pub(crate) fn read(text: &[u8]) -> Result<BTreeMap<Timestamp, Vec<Interval>>, TableError> {
    let mut issues: BTreeMap<Timestamp, BTreeMap<Timestamp, Row>> = BTreeMap::new();
    let unreadable = |line: usize, what: &dyn std::fmt::Display| {
        TableError::Unreadable(format!("line {}: {what}", line.saturating_add(2)))
    };
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text);
    for (line, row) in reader.deserialize::<Row>().enumerate() {
        if line >= ROWS_MAX {
            return Err(TableError::TooLong);
        }
        let row = row.map_err(|error| unreadable(line, &error))?;
        let moment = |text: &str| text.parse::<Timestamp>().map_err(|error| unreadable(line, &error));
        let (issue, start) = (moment(&row.issue_time_utc)?, moment(&row.timestamp_utc)?);
        issues.entry(issue).or_default().insert(start, row);
    }
    issues
        .into_iter()
        .map(|(issue, rows)| Ok((issue, intervals(&rows).ok_or(TableError::Uneven(issue))?)))
        .collect()
}

/// Rows in order as intervals; the shortest step between two is the length of all.
fn intervals(rows: &BTreeMap<Timestamp, Row>) -> Option<Vec<Interval>> {
    let starts: Vec<i64> = rows.keys().map(|start| start.seconds()).collect();
    let step = starts.windows(2).map(|pair| pair[1] - pair[0]).min().unwrap_or(3_600);
    let length_s = u32::try_from(step).ok().filter(|step| *step > 0 && 86_400_u32.is_multiple_of(*step))?;
    let first = starts.first().copied().unwrap_or(0);
    if starts.iter().any(|start| (start - first) % step != 0) {
        return None;
    }
    let interval = |(start, row): (&Timestamp, &Row)| Interval {
        start: *start,
        length_s,
        irradiance: possible_irradiance(row.fc_ghi),
        temperature_c: possible_temperature(row.temp_c),
        cloud_percent: possible_cloud(row.cloud_pct),
    };
    Some(rows.iter().map(interval).collect())
}

/// The head and the lines of `issues`; light to a tenth of a W/m2.
pub(crate) fn written<'a>(issues: impl Iterator<Item = (Timestamp, &'a [Interval])>) -> String {
    let mut text = String::from("issue_time_utc,timestamp_utc,fc_ghi,temp_c,cloud_pct\n");
    let number = |value: Option<f64>| value.map_or_else(String::new, |value| format!("{value:.1}"));
    for (issue, intervals) in issues {
        for interval in intervals {
            let (light, cloud) = (number(interval.irradiance), number(interval.cloud_percent));
            let line =
                format!("{issue},{},{light},{},{cloud}\n", interval.start, number(interval.temperature_c));
            text.push_str(&line);
        }
    }
    text
}
