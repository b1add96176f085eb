//! What of a slot is on chain, told piece by piece. Pure.
//!
//! Promises: a row counts as landed when the chain holds it or later registers; losses may
//! follow only when every row was applied by this slot itself; what was refused, by the
//! program or by the witness, is named with its reason, so that nothing is left out in
//! silence.

use jirani_chain::{Outcome, Retry, RowOutcome, RowStatus};
use jirani_store::AttestedRow;
use jirani_units::HouseholdId;

/// What the chain or the witness said to a piece of a slot.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// The chain.
    Told(Outcome),
    /// The witness signs none of it.
    Unsigned(String),
}

/// A row that is not attested, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LeftOut {
    pub(crate) household: HouseholdId,
    pub(crate) why: String,
}

/// What has become of a slot so far.
#[derive(Debug, Default)]
pub(crate) struct Landing {
    /// Rows that the chain holds.
    pub(crate) rows: Vec<AttestedRow>,
    /// Transactions that landed.
    pub(crate) signatures: Vec<String>,
    /// Rows that the program did not apply, and why.
    pub(crate) refused: Vec<(HouseholdId, RowStatus)>,
    /// Pieces that may land later as they are, and why they did not.
    pub(crate) put_off: Vec<String>,
    /// Pieces that never will.
    pub(crate) lost: Vec<String>,
    applied: usize,
}

impl Landing {
    /// Takes the answer to `rows`.
    pub(crate) fn take(&mut self, rows: &[AttestedRow], answer: Answer) {
        match answer {
            Answer::Told(Outcome::Landed { signature, rows: told, .. }) => {
                self.signatures.push(signature);
                for row in rows {
                    self.landed(*row, told.iter().find(|told| told.household == row.household));
                }
            }
            Answer::Told(Outcome::Refused { code, message, retry: Retry::From(at) }) => {
                self.put_off.push(format!("{code}: {message}; again at {at}"));
            }
            Answer::Told(Outcome::Refused { code, message, retry: Retry::Never }) => {
                self.lost.push(format!("{code}: {message}"));
            }
            Answer::Unsigned(why) => self.put_off.push(why),
        }
    }

    /// A row of a transaction that landed. Without a report it counts as landed, but nothing
    /// is known of it that losses could follow from.
    fn landed(&mut self, row: AttestedRow, told: Option<&RowOutcome>) {
        match told {
            None => self.rows.push(row),
            Some(told) if told.is_done() => {
                self.applied += usize::from(told.status == RowStatus::Applied);
                self.rows.push(row);
            }
            Some(told) => self.refused.push((row.household, told.status)),
        }
    }

    /// Whether all of these rows were applied for this very slot: then, and only then, their
    /// residual is the feeder's.
    pub(crate) fn has_applied(&self, rows: &[AttestedRow]) -> bool {
        self.put_off.is_empty() && self.applied == rows.len() && self.rows.len() == rows.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jirani_units::{Timestamp, Wh};

    const ROWS: [AttestedRow; 2] = [row(1), row(2)];

    const fn row(id: u32) -> AttestedRow {
        AttestedRow { household: HouseholdId(id), export_wh: Wh(5), import_wh: Wh(0), estimated: false }
    }

    fn told(statuses: &[(u32, RowStatus)]) -> Answer {
        let outcome = |(id, status): &(u32, RowStatus)| RowOutcome {
            household: HouseholdId(*id),
            status: *status,
            minted_wh: Wh(5),
            burned_wh: Wh(0),
            shortfall_wh: Wh(0),
        };
        let rows = statuses.iter().map(outcome).collect();
        Answer::Told(Outcome::Landed { signature: "signature".to_owned(), slot: 1, at: Timestamp(0), rows })
    }

    #[test]
    fn losses_follow_only_rows_that_were_all_applied() {
        use RowStatus::{Applied, ExportOverBucket, Stale};
        for (statuses, landed, refused, whole) in [
            (vec![(1, Applied), (2, Applied)], 2, 0, true),
            (vec![(2, Applied), (1, Applied)], 2, 0, true),
            // A later slot's registers are there: these are not what the chain has.
            (vec![(1, Applied), (2, Stale)], 2, 0, false),
            (vec![(1, Applied), (2, ExportOverBucket)], 1, 1, false),
            // No history has the report any more.
            (vec![], 2, 0, false),
        ] {
            let mut landing = Landing::default();
            landing.take(&ROWS, told(&statuses));
            let found = (landing.rows.len(), landing.refused.len(), landing.has_applied(&ROWS));
            assert_eq!(found, (landed, refused, whole), "{statuses:?}");
        }
    }

    #[test]
    fn a_piece_that_is_put_off_keeps_losses_waiting_and_one_that_is_lost_does_not_come_back() {
        let refused = |retry| {
            let (code, message) = ("energy.paused".to_owned(), "paused".to_owned());
            Answer::Told(Outcome::Refused { code, message, retry })
        };
        for (answer, put_off, lost) in [
            (refused(Retry::From(Timestamp(0))), 1, 0),
            (refused(Retry::Never), 0, 1),
            (Answer::Unsigned("witness.differs".to_owned()), 1, 0),
        ] {
            let mut landing = Landing::default();
            landing.take(&ROWS[..1], told(&[(1, RowStatus::Applied)]));
            landing.take(&ROWS[1..], answer);
            assert!(!landing.has_applied(&ROWS));
            assert_eq!((landing.put_off.len(), landing.lost.len()), (put_off, lost));
        }
    }
}
