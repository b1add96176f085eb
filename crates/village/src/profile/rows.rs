//! Rows of a CSV of profiles, one by one, each with its line.

use super::decimal::{NotEnergy, micro_wh};
use super::error::ProfileError;
use csv::StringRecord;
use jirani_units::Timestamp;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

/// Longer names are no names.
const NAME_MAX: usize = 64;
const COLUMNS: [&str; 4] = ["timestamp_utc", "household", "pv_kwh", "load_kwh"];

/// One row, checked by itself.
pub struct Row<'a> {
    pub line: u64,
    pub time: Timestamp,
    pub household: &'a str,
    /// Micro-Wh.
    pub pv: u64,
    /// Micro-Wh.
    pub load: u64,
    record: &'a StringRecord,
    columns: [usize; 4],
}

impl Row<'_> {
    /// Minutes since 1970.
    pub fn minute(&self) -> i64 {
        self.time.seconds().div_euclid(60)
    }

    /// The row as one with too much energy, if it has.
    pub fn check_plausible(&self, most: u64) -> Result<(), ProfileError> {
        for (value, place) in [(self.pv, 2), (self.load, 3)] {
            if value > most {
                let text = shortened(&self.record[self.columns[place]]);
                return Err(ProfileError::Absurd { line: self.line, column: COLUMNS[place], text });
            }
        }
        Ok(())
    }
}

/// Goes through the file, row by row.
pub fn for_each(
    path: &Path,
    mut visit: impl FnMut(&Row<'_>) -> Result<(), ProfileError>,
) -> Result<(), ProfileError> {
    let file = File::open(path).map_err(|source| unreadable(path, source))?;
    let mut reader = csv::ReaderBuilder::new().from_reader(BufReader::new(file));
    let header = reader.headers().map_err(|error| from_csv(path, error))?;
    let columns = columns(header)?;
    let mut record = StringRecord::new();
    while reader.read_record(&mut record).map_err(|error| from_csv(path, error))? {
        let line = record.position().map_or(0, csv::Position::line);
        visit(&row(&record, columns, line)?)?;
    }
    Ok(())
}

fn columns(header: &StringRecord) -> Result<[usize; 4], ProfileError> {
    let mut found = [0; 4];
    for (place, name) in COLUMNS.iter().enumerate() {
        let mut at = header.iter().enumerate().filter(|(_, column)| column.trim() == *name);
        found[place] = match (at.next(), at.next()) {
            (Some((index, _)), None) => index,
            (Some(_), Some(_)) => {
                return Err(ProfileError::WrongHeader { problem: format!("{name} is there twice") });
            }
            (None, _) => return Err(ProfileError::WrongHeader { problem: format!("{name} is missing") }),
        };
    }
    Ok(found)
}

fn row(record: &StringRecord, columns: [usize; 4], line: u64) -> Result<Row<'_>, ProfileError> {
    let field = |place: usize| record.get(columns[place]).unwrap_or("").trim();
    let time: Timestamp =
        field(0).parse().map_err(|_| ProfileError::LocalTime { line, text: shortened(field(0)) })?;
    if time.0.rem_euclid(60_000_000) != 0 {
        let problem = format!("{time} is not a whole minute");
        return Err(ProfileError::BadRow { line, problem });
    }
    let household = field(1);
    if household.is_empty() || household.len() > NAME_MAX {
        let problem = format!("household must have 1 to {NAME_MAX} characters");
        return Err(ProfileError::BadRow { line, problem });
    }
    let energy = |place: usize| {
        let text = || shortened(field(place));
        micro_wh(field(place)).map_err(|error| match error {
            NotEnergy::Negative => ProfileError::Negative { line, column: COLUMNS[place], text: text() },
            NotEnergy::TooLarge => ProfileError::Absurd { line, column: COLUMNS[place], text: text() },
            NotEnergy::NotANumber => ProfileError::BadRow {
                line,
                problem: format!("{} is '{}', which is not a number", COLUMNS[place], text()),
            },
        })
    };
    Ok(Row { line, time, household, pv: energy(2)?, load: energy(3)?, record, columns })
}

fn shortened(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(40).collect()
}

fn unreadable(path: &Path, source: std::io::Error) -> ProfileError {
    ProfileError::Unreadable { path: PathBuf::from(path), source }
}

fn from_csv(path: &Path, error: csv::Error) -> ProfileError {
    let line = error.position().map_or(1, csv::Position::line);
    match error.into_kind() {
        csv::ErrorKind::Io(source) => unreadable(path, source),
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => ProfileError::BadRow {
            line,
            problem: format!("{len} columns where the header has {expected_len}"),
        },
        csv::ErrorKind::Utf8 { .. } => {
            ProfileError::BadRow { line, problem: "the text is not UTF-8".to_owned() }
        }
        other => ProfileError::BadRow { line, problem: format!("{other:?}") },
    }
}
