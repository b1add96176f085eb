//! What meters said at a slot's end, and what they said before.

use super::past::days_of;
use super::{Findings, Home, Past};
use crate::boundary::{Spans, stream_at};
use crate::findings::today::Running;
use crate::standing::Meters;
use jirani_meter::{Instantaneous, Reading};
use jirani_plausibility::{DaySky, History, Interval};
use jirani_readings::{Span, covering, is_within, virtual_of};
use jirani_store::{HouseholdKind, HouseholdRecord, ReadingRow, StoreError};
use jirani_units::{HouseholdId, MeterId, Timestamp};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Meters of a feeder whose past is gathered with a slot: each costs five hundred questions.
const PASTS_AT_ONCE: usize = 20;
/// Power that voltage and current need not explain: W, and a part of it.
const INCOHERENT_W: u64 = 50;
const INCOHERENT_PART: u64 = 5;

/// A household's virtual registers at a moment: import, export and generation in Wh. They
/// go on over epochs, roll-overs and replacements, and what they grew by is judged over all
/// of those.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    pub(super) at: Timestamp,
    registers: [u64; 3],
    /// Whether the meter has ever counted in its third register, in any of its epochs.
    generates: bool,
    /// What was measured at that very moment.
    pub(super) instant: Option<Instant>,
}

/// What a reading at a slot's end says of that moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Instant {
    pub(super) power_w: i32,
    pub(super) uptime_s: u32,
    /// Whether voltage times current makes the power.
    pub(super) coheres: bool,
}

impl Sample {
    /// What registers grew by until `later`; `None` when nothing can be said.
    pub(super) fn interval_to(&self, later: &Self) -> Option<Interval> {
        let length_s =
            u32::try_from(later.at.since(self.at) / 1_000_000).ok().filter(|length| *length > 0)?;
        let grew = |register: usize| later.registers[register].checked_sub(self.registers[register]);
        // A meter without the third register says zero for good.
        let generation = if later.generates { Some(grew(2)?) } else { None };
        Some(Interval {
            start: self.at,
            length_s,
            import_wh: grew(0)?,
            export_wh: grew(1)?,
            generation_wh: generation,
        })
    }

    fn of(row: &ReadingRow) -> Self {
        let instant = Reading::decode(&row.bytes).ok().map(|(reading, _)| Instant {
            power_w: row.power_w,
            uptime_s: reading.uptime_s,
            coheres: coheres(&reading.instantaneous),
        });
        let registers = registers(row);
        Self { at: row.time, registers, generates: registers[2] > 0, instant }
    }

    /// The same in a household's spans, as what is attested is found.
    fn in_spans(
        spans: &[Span],
        before: Option<&ReadingRow>,
        after: Option<&ReadingRow>,
        at: Timestamp,
    ) -> Option<Self> {
        let Some((span, next)) = covering(spans, at) else { return Self::between(before, after, at) };
        let counts = |row: &&ReadingRow| is_within(span, next, row.time);
        let raw = Self::between(before.filter(counts), after.filter(counts), at)?;
        let [import_wh, export_wh, generation_wh] = raw.registers;
        let registers = jirani_meter::Registers { import_wh, export_wh, generation_wh };
        let counted = virtual_of(&span.offsets, &registers)?;
        // What the meter began with was counted by another one.
        let first = spans.iter().find(|first| first.meter == span.meter)?;
        let generates = counted.generation_wh > first.base.registers.generation_wh;
        let registers = [counted.import_wh, counted.export_wh, counted.generation_wh];
        Some(Self { registers, generates, ..raw })
    }

    /// At `at`, between two readings or at one: as what is attested is found.
    fn between(before: Option<&ReadingRow>, after: Option<&ReadingRow>, at: Timestamp) -> Option<Self> {
        let before = before.filter(|before| before.time <= at)?;
        if before.time == at {
            return Some(Self::of(before));
        }
        let after = after.filter(|after| after.time > at)?;
        let part = u128::try_from(at.since(before.time)).ok()?;
        let whole = u128::try_from(after.time.since(before.time)).ok()?.max(1);
        let (from, to) = (registers(before), registers(after));
        let register = |index: usize| {
            let grown = u128::from(to[index].saturating_sub(from[index])) * part / whole;
            from[index] + u64::try_from(grown).unwrap_or(0)
        };
        let registers = [register(0), register(1), register(2)];
        Some(Self { at, registers, generates: registers[2] > 0, instant: None })
    }
}

fn registers(row: &ReadingRow) -> [u64; 3] {
    [row.import_wh.0, row.export_wh.0, row.generation_wh.0]
}

/// A meter that tells no voltage tells nothing that could disagree.
fn coheres(instant: &Instantaneous) -> bool {
    if instant.voltage_mv == 0 {
        return true;
    }
    let factor = u64::from(instant.power_factor_thousandths.unsigned_abs()).min(1_000);
    let apparent = u64::from(instant.voltage_mv) * u64::from(instant.current_ma) / 1_000_000;
    let power = u64::from(instant.power_w.unsigned_abs());
    // Without a power factor any power up to the apparent one will do.
    let least = apparent * factor / 1_000;
    let most = if factor == 0 { apparent } else { least };
    let slack = INCOHERENT_W + power / INCOHERENT_PART;
    power + slack >= least && power <= most + slack
}

impl Findings {
    /// What every metered record of whom something is known said at `end`.
    pub(super) async fn samples(
        &self,
        end: Timestamp,
        households: &[HouseholdRecord],
        known: &BTreeSet<HouseholdId>,
        latest: &HashMap<MeterId, ReadingRow>,
        spans: &Spans,
    ) -> Result<BTreeMap<HouseholdId, Sample>, StoreError> {
        let mut samples = BTreeMap::new();
        for record in households.iter().filter(|record| known.contains(&record.id)) {
            let spans = spans.of(record.id);
            let Some((meter, epoch)) = stream_at(record, spans, end) else { continue };
            let own = latest.get(&meter).filter(|row| row.epoch == epoch && row.time == end);
            let sample = match own {
                Some(row) => Sample::in_spans(spans, Some(row), None, end),
                None => self.sample_at((meter, epoch), spans, end).await?,
            };
            samples.extend(sample.map(|sample| (record.id, sample)));
        }
        Ok(samples)
    }

    async fn sample_at(
        &self,
        (meter, epoch): (MeterId, u32),
        spans: &[Span],
        at: Timestamp,
    ) -> Result<Option<Sample>, StoreError> {
        let (before, after) = self.store.readings_around(meter, epoch, at).await?;
        Ok(Sample::in_spans(spans, before.as_ref(), after.as_ref(), at))
    }

    /// What a record's present meter said, in whatever epoch: another one's past is not its.
    async fn own_sample_at(
        &self,
        record: &HouseholdRecord,
        spans: &[Span],
        at: Timestamp,
    ) -> Result<Option<Sample>, StoreError> {
        match stream_at(record, spans, at).filter(|(meter, _)| record.meter == Some(*meter)) {
            Some(stream) => self.sample_at(stream, spans, at).await,
            None => Ok(None),
        }
    }

    /// Gathers the past of a few of a feeder's meters from what is stored.
    pub(super) async fn gather_pasts(
        &self,
        feeder: u16,
        end: Timestamp,
        households: &[HouseholdRecord],
        meters: &Meters,
    ) -> Result<(), StoreError> {
        let wanted: Vec<&HouseholdRecord> = {
            let state = self.state();
            let is_new = |record: &&HouseholdRecord| {
                let home = state.homes.get(&record.id).filter(|home| Some(home.meter) == record.meter);
                home.is_none_or(|home| matches!(home.past, Past::Unknown))
            };
            let metered = |record: &&HouseholdRecord| {
                record.feeder == feeder && meters.counts(record) && record.kind != HouseholdKind::Loss
            };
            households.iter().filter(metered).filter(is_new).take(PASTS_AT_ONCE).collect()
        };
        for record in wanted {
            let Some(home) = self.gathered(record, end, meters.spans.of(record.id)).await? else { continue };
            let mut state = self.state();
            // Growth is judged from where it was judged last, whatever is gathered meanwhile.
            let last = match state.homes.get(&record.id) {
                Some(known) if known.last.at < home.last.at => known.last,
                _ => home.last,
            };
            state.homes.insert(record.id, Home { last, ..home });
        }
        Ok(())
    }

    /// A meter's last weeks and its day so far, up to the slot before `end`.
    async fn gathered(
        &self,
        record: &HouseholdRecord,
        end: Timestamp,
        spans: &[Span],
    ) -> Result<Option<Home>, StoreError> {
        let Some(meter) = record.meter else { return Ok(None) };
        let place = self.config.place;
        let until = end.plus_seconds(-i64::from(self.config.slot_length_s));
        let (today, _) = DaySky::day_of(place, until);
        let mut history = History::default();
        let mut running = Running::default();
        let mut before: Option<Sample> = None;
        for day in days_of(place, record.enrolled_at, today) {
            let start = DaySky::start(place, day);
            for hour in 0..24 {
                let at = start.plus_seconds(hour * 3_600);
                if at > until {
                    break;
                }
                self.count(&mut running, &mut before, (record, spans), at).await?;
            }
            if day < today {
                let next = start.plus_seconds(86_400);
                self.count(&mut running, &mut before, (record, spans), next).await?;
                let sky = DaySky::over(place, day);
                history.push(jirani_plausibility::Day::of(&running.finish(day), &sky, record.pv_rated_w));
            }
        }
        // The hour that is under way, up to the slot that is judged now.
        self.count(&mut running, &mut before, (record, spans), until).await?;
        let last = before.filter(|sample| sample.at == until);
        let last = match last {
            Some(last) => Some(last),
            None => self.own_sample_at(record, spans, until).await?,
        };
        Ok(last.map(|last| Home { meter, last, running, past: Past::Known(history) }))
    }

    async fn count(
        &self,
        running: &mut Running,
        before: &mut Option<Sample>,
        (record, spans): (&HouseholdRecord, &[Span]),
        at: Timestamp,
    ) -> Result<(), StoreError> {
        if before.as_ref().is_some_and(|before| before.at >= at) {
            return Ok(());
        }
        let now = self.own_sample_at(record, spans, at).await?;
        let now = now.map(|sample| Sample { instant: None, ..sample });
        if let (Some(from), Some(to)) = (before.as_ref(), now.as_ref())
            && let Some(interval) = from.interval_to(to)
        {
            running.add(self.config.place, &interval, to);
        }
        *before = now;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn power_must_be_what_voltage_and_current_make() {
        let told = |voltage_mv, current_ma, power_w, power_factor_thousandths| Instantaneous {
            voltage_mv,
            current_ma,
            power_w,
            frequency_millihertz: 50_000,
            power_factor_thousandths,
        };
        for (instant, expected) in [
            (told(230_000, 10_000, 2_300, 1_000), true),
            (told(230_000, 10_000, -2_070, 900), true),
            (told(0, 0, 2_000, 0), true),
            (told(230_000, 100, 20, 870), true),
            (told(230_000, 0, 2_000, 1_000), false),
            (told(230_000, 10_000, 300, 1_000), false),
            (told(230_000, 10_000, 300, 0), true),
            (told(230_000, 10_000, 3_000, 0), false),
        ] {
            assert_eq!(coheres(&instant), expected, "{instant:?}");
        }
    }
}
