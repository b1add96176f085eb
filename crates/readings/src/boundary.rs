//! A meter's registers at a moment, from the signed readings around it.

use jirani_units::{Timestamp, Wh};

/// What one signed reading says: raw registers, as the meter counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    /// When it was taken.
    pub time: Timestamp,
    /// Export register.
    pub export_wh: Wh,
    /// Import register.
    pub import_wh: Wh,
}

/// Registers at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Boundary {
    /// Export register.
    pub export_wh: Wh,
    /// Import register.
    pub import_wh: Wh,
    /// Whether it lies between two readings: both are its evidence then, the first alone
    /// otherwise.
    pub estimated: bool,
}

/// The registers at `at`, given the last reading at or before it and the first one
/// after it. Between two readings they grow in a straight line, rounded down;
/// beyond the last one nothing is said (`None`).
pub fn at_boundary(before: Option<Point>, after: Option<Point>, at: Timestamp) -> Option<Boundary> {
    let before = before.filter(|before| before.time <= at)?;
    if before.time == at {
        let Point { export_wh, import_wh, .. } = before;
        return Some(Boundary { export_wh, import_wh, estimated: false });
    }
    let after = after.filter(|after| after.time > at)?;
    let between = |from: Wh, to: Wh| {
        let part = u128::try_from(at.since(before.time)).unwrap_or(0);
        let whole = u128::try_from(after.time.since(before.time)).unwrap_or(0).max(1);
        let grown = u128::from(to.saturating_sub(from).0) * part / whole;
        // At most `to`, since part < whole.
        Wh(from.0 + u64::try_from(grown).unwrap_or(0))
    };
    Some(Boundary {
        export_wh: between(before.export_wh, after.export_wh),
        import_wh: between(before.import_wh, after.import_wh),
        estimated: true,
    })
}
