//! The day as it grows, hour by hour.

use super::gather::Sample;
use jirani_forecast::Place;
use jirani_plausibility::{DaySky, HOURS, Hour, Interval, Today};

/// Readings whose power is known, in an hour, from which they tell of all of it.
const TELLING_READINGS: u16 = 3;

/// What has been counted of the day that is under way.
#[derive(Clone, Debug, Default)]
pub(super) struct Running {
    hours: [Counted; HOURS],
    restarts: u32,
    uptime_s: Option<u32>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counted {
    covered_s: u32,
    import_wh: u32,
    export_wh: u32,
    generation_wh: u32,
    power_w: Option<(i32, i32)>,
    readings: u16,
    incoherent: u16,
}

impl Running {
    /// Counts an interval. One that lies in several hours says nothing of each: those stay
    /// unknown.
    pub(super) fn add(&mut self, place: Place, interval: &Interval, sample: &Sample) {
        if let Some(instant) = sample.instant {
            if self.uptime_s.is_some_and(|before| instant.uptime_s < before) {
                self.restarts += 1;
            }
            self.uptime_s = Some(instant.uptime_s);
        }
        let end = interval.start.plus_seconds(i64::from(interval.length_s) - 1);
        let (day, hour) = DaySky::day_of(place, interval.start);
        if (day, hour) != DaySky::day_of(place, end) {
            return;
        }
        let counted = &mut self.hours[hour];
        let add = |sum: &mut u32, wh: u64| *sum = sum.saturating_add(u32::try_from(wh).unwrap_or(u32::MAX));
        counted.covered_s += interval.length_s;
        add(&mut counted.import_wh, interval.import_wh);
        add(&mut counted.export_wh, interval.export_wh);
        add(&mut counted.generation_wh, interval.generation_wh.unwrap_or(0));
        if let Some(instant) = sample.instant {
            let (least, greatest) = counted.power_w.unwrap_or((instant.power_w, instant.power_w));
            counted.power_w = Some((least.min(instant.power_w), greatest.max(instant.power_w)));
            counted.readings += 1;
            counted.incoherent += u16::from(!instant.coheres);
        }
    }

    /// The day that is over, and a new one.
    pub(super) fn finish(&mut self, day: i64) -> Today {
        let hours = std::mem::take(&mut self.hours);
        let restarts = std::mem::take(&mut self.restarts);
        let hours = hours.map(|counted| {
            (counted.covered_s == 3_600).then_some(Hour {
                import_wh: counted.import_wh,
                export_wh: counted.export_wh,
                generation_wh: counted.generation_wh,
                power_w: counted.power_w.filter(|_| counted.readings >= TELLING_READINGS),
                incoherent: counted.incoherent,
            })
        });
        Today { day, hours, restarts }
    }
}
