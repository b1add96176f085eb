//! Spans of virtual registers as the bundle has them: what counts together, and what is
//! added to a meter's raw registers. A household without spans counts by the epoch.

use crate::bundle::SpanLine;
use jirani_meter::Reading;
use jirani_readings::{Leaf, Offsets};
use jirani_units::{HouseholdId, MeterId, Timestamp};
use std::collections::HashMap;

/// Spans by household, by number.
pub struct Spans(HashMap<u32, Vec<Leaf>>);

/// Where a reading counts.
pub struct Place {
    /// The epoch, or the number of the span it is in.
    pub group: u32,
    /// The epoch, or the number of the first span of its meter and epoch.
    pub stream: u32,
    /// The epoch that rows name.
    pub row_epoch: u32,
    /// What is added to its registers.
    pub offsets: Offsets,
}

impl Spans {
    /// Reads the lines: numbered from 0, each later than the one before.
    pub fn of(lines: &[SpanLine]) -> Result<Self, String> {
        let mut spans: HashMap<u32, Vec<Leaf>> = HashMap::new();
        for line in lines {
            let wrong = |what: &str| format!("span {} of household {} {what}", line.number, line.household);
            let meter: MeterId = line.meter.parse().map_err(|_| wrong("names no meter"))?;
            let of = spans.entry(line.household).or_default();
            let in_order = usize::try_from(line.number) == Ok(of.len())
                && of.last().is_none_or(|last| last.from.0 < line.from_us);
            if !in_order {
                return Err(wrong("is out of order"));
            }
            of.push(Leaf {
                household: HouseholdId(line.household),
                number: line.number,
                meter,
                epoch: line.epoch,
                chain_epoch: line.chain_epoch,
                from: Timestamp(line.from_us),
                offsets: Offsets {
                    import_wh: line.offset_import_wh,
                    export_wh: line.offset_export_wh,
                    generation_wh: line.offset_generation_wh,
                },
            });
        }
        Ok(Self(spans))
    }

    fn covering(&self, household: u32, at_us: i64) -> Option<&Leaf> {
        let of = self.0.get(&household)?;
        of.iter().rev().find(|span| span.number == 0 || span.from.0 <= at_us)
    }

    /// Where a reading counts; `None` when its meter or epoch did not count at its time.
    pub fn place(&self, household: u32, reading: &Reading, time_us: i64) -> Option<Place> {
        let Some(span) = self.covering(household, time_us) else {
            let epoch = reading.epoch;
            return Some(Place {
                group: epoch,
                stream: epoch,
                row_epoch: epoch,
                offsets: Offsets::default(),
            });
        };
        let same = |other: &Leaf| (other.meter.0, other.epoch) == (reading.meter, reading.epoch);
        let stream = self.0.get(&household)?.iter().find(|other| same(other))?.number;
        same(span).then_some(Place {
            group: span.number,
            stream,
            row_epoch: span.chain_epoch,
            offsets: span.offsets,
        })
    }

    /// What a row counts by at a moment.
    pub fn group(&self, household: u32, row_epoch: u32, at_us: i64) -> u32 {
        self.covering(household, at_us).map_or(row_epoch, |span| span.number)
    }

    /// The leaf that stands before a household's readings in the evidence of a moment.
    pub fn leaf(&self, household: u32, at_us: i64) -> Option<Vec<u8>> {
        self.covering(household, at_us).filter(|span| span.number > 0).map(Leaf::encode)
    }
}
