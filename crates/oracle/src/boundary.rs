//! A household's registers at a slot's end. Pure.

use jirani_store::ReadingRow;
use jirani_units::{Timestamp, Wh};

/// Registers at a boundary, and the readings they come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attestable {
    /// Export register.
    pub export_wh: Wh,
    /// Import register.
    pub import_wh: Wh,
    /// Whether it lies between two readings.
    pub estimated: bool,
    /// The signed readings used, oldest first.
    pub evidence: Vec<Vec<u8>>,
}

/// The registers at `at`, given the last reading at or before it and the first one
/// after it. Between two readings they grow in a straight line, rounded down;
/// beyond the last one nothing is said (`None`).
pub fn at_boundary(
    before: Option<&ReadingRow>,
    after: Option<&ReadingRow>,
    at: Timestamp,
) -> Option<Attestable> {
    let before = before.filter(|before| before.time <= at)?;
    if before.time == at {
        return Some(Attestable {
            export_wh: before.export_wh,
            import_wh: before.import_wh,
            estimated: false,
            evidence: vec![before.bytes.clone()],
        });
    }
    let after = after.filter(|after| after.time > at)?;
    let between = |from: Wh, to: Wh| {
        let part = u128::try_from(at.since(before.time)).unwrap_or(0);
        let whole = u128::try_from(after.time.since(before.time)).unwrap_or(0).max(1);
        let grown = u128::from(to.saturating_sub(from).0) * part / whole;
        // At most `to`, since part < whole.
        Wh(from.0 + u64::try_from(grown).unwrap_or(0))
    };
    Some(Attestable {
        export_wh: between(before.export_wh, after.export_wh),
        import_wh: between(before.import_wh, after.import_wh),
        estimated: true,
        evidence: vec![before.bytes.clone(), after.bytes.clone()],
    })
}
