//! What meters tell of homes, what the feeder's source supplies, and the rules at work.

use crate::homes::Homes;
use jirani_plausibility::{
    Accused, Day, DaySky, FeederHour, Finding, History, Hour, Interval, Policy, Rule, Severity, Site, Sky,
    Storage, Today, judge_copies, judge_day, judge_feeder, judge_interval, judge_twins, may_be_twins,
};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;

/// Days of a feeder that are judged together.
const WINDOW_DAYS: i64 = 7;
/// An operator who was asked once is not asked again so soon about the same.
const QUIET_HOURS: usize = 7 * 24;

/// What a meter tells of an hour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Told {
    pub import_wh: u32,
    pub export_wh: u32,
    pub generation_wh: u32,
    pub power_w: (i32, i32),
}

impl Told {
    /// Of a home that generates and uses so much.
    pub fn of(pv: u32, load: u32) -> Self {
        let net = i32::try_from(pv).unwrap() - i32::try_from(load).unwrap();
        Self {
            import_wh: load.saturating_sub(pv),
            export_wh: pv.saturating_sub(load),
            generation_wh: pv,
            power_w: (net - net.abs() / 3, net + net.abs() / 3),
        }
    }

    /// With `wh` more towards the grid.
    pub fn add_net(&mut self, wh: i64) {
        let net = i64::from(self.export_wh) - i64::from(self.import_wh) + wh;
        self.export_wh = u32::try_from(net.max(0)).unwrap();
        self.import_wh = u32::try_from((-net).max(0)).unwrap();
        let net = i32::try_from(net).unwrap();
        self.power_w = (net - net.abs() / 3, net + net.abs() / 3);
    }

    /// All of it times `percent`.
    pub fn scaled(self, percent: u32) -> Self {
        let scale = |wh: u32| wh * percent / 100;
        let power = |w: i32| w * i32::try_from(percent).unwrap() / 100;
        Self {
            import_wh: scale(self.import_wh),
            export_wh: scale(self.export_wh),
            generation_wh: scale(self.generation_wh),
            power_w: (power(self.power_w.0), power(self.power_w.1)),
        }
    }
}

/// What a meter that was silent told when it came back.
#[derive(Clone, Copy, Debug, Default)]
pub struct Lump {
    pub start: usize,
    pub length: usize,
    pub import_wh: u64,
    pub export_wh: u64,
    pub generation_wh: u64,
}

/// A feeder.
#[derive(Clone)]
pub struct World<'a> {
    pub homes: &'a Homes,
    pub told: Vec<Vec<Option<Told>>>,
    pub lumps: Vec<(usize, Lump)>,
    /// What reached the grid besides what homes' panels and loads make, in Wh.
    pub hidden_wh: Vec<i64>,
    skies: &'a Skies,
    losses: Vec<i64>,
}

/// The sun of every hour and day: computed once for all runs.
pub struct Skies {
    hours: Vec<Sky>,
    days: BTreeMap<i64, DaySky>,
    local: Vec<(i64, usize)>,
}

impl Skies {
    pub fn over(homes: &Homes) -> Self {
        let count = homes.all.iter().map(|home| home.hours.len()).max().unwrap_or(0);
        let at = |hour: usize| homes.start.plus_seconds(i64::try_from(hour).unwrap() * 3_600);
        let local: Vec<(i64, usize)> = (0..count).map(|hour| DaySky::day_of(homes.place, at(hour))).collect();
        let days = local.iter().map(|(day, _)| *day).collect::<std::collections::BTreeSet<_>>();
        let days: BTreeMap<i64, DaySky> =
            days.into_iter().map(|day| (day, DaySky::over(homes.place, day))).collect();
        Self { hours: local.iter().map(|(day, hour)| days[day].hours[*hour]).collect(), days, local }
    }
}

/// What was raised.
#[derive(Clone, Debug)]
pub struct Alarm {
    pub place: usize,
    pub hour: usize,
    pub finding: Finding,
}

impl<'a> World<'a> {
    /// Everybody honest; `seed` makes the losses of the wires.
    pub fn honest(homes: &'a Homes, skies: &'a Skies, seed: u64) -> Self {
        let told: Vec<Vec<Option<Told>>> = homes
            .all
            .iter()
            .map(|home| home.hours.iter().map(|hour| hour.map(|(pv, load)| Told::of(pv, load))).collect())
            .collect();
        let count = skies.hours.len();
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let percent = rng.random_range(2.0..6.0);
        let mut day_factor = 1.0;
        let losses = (0..count)
            .map(|hour| {
                if hour % 24 == 0 {
                    day_factor = rng.random_range(0.8..1.2);
                }
                let flow: u32 =
                    told.iter().filter_map(|meter| meter[hour]).map(|t| t.import_wh + t.export_wh).sum();
                let noise = rng.random_range(0.85..1.15);
                whole(f64::from(flow) * percent / 100.0 * day_factor * noise) + 15
            })
            .collect();
        Self { homes, told, lumps: Vec::new(), hidden_wh: vec![0; count], skies, losses }
    }

    /// With networks that fail: each meter is silent for two to twelve hours, twice a month.
    pub fn with_silences(mut self, seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        for (place, told) in self.told.iter_mut().enumerate() {
            let mut hour = rng.random_range(1..30 * 24);
            while hour + 12 < told.len() {
                let length = rng.random_range(2..=12);
                let mut lump = Lump { start: hour, length, ..Lump::default() };
                for told in told[hour..hour + length].iter_mut().filter_map(Option::take) {
                    lump.import_wh += u64::from(told.import_wh);
                    lump.export_wh += u64::from(told.export_wh);
                    lump.generation_wh += u64::from(told.generation_wh);
                }
                self.lumps.push((place, lump));
                hour += length + rng.random_range(1..30 * 24);
            }
        }
        self
    }

    /// The hour of the day at the place.
    pub fn local_hour(&self, hour: usize) -> usize {
        self.skies.local[hour].1
    }

    fn site(&self, place: usize) -> Site {
        let panels_w = self.homes.all[place].panels_w;
        Site { panels_w, export_w: panels_w, import_w: 9_200, storage: Storage::None }
    }

    /// What the source supplied: what homes drew less what they gave, and what wires took.
    fn feeder_hour(&self, hour: usize) -> Option<FeederHour> {
        let mut supply_wh = self.losses[hour] - self.hidden_wh[hour];
        for home in &self.homes.all {
            let (pv, load) = home.hours[hour]?;
            supply_wh += i64::from(load) - i64::from(pv);
        }
        let registers = |told: Told| [told.import_wh, told.export_wh, told.generation_wh];
        let meters: Option<Vec<[u32; 3]>> = self.told.iter().map(|told| told[hour].map(registers)).collect();
        Some(FeederHour { supply_wh, meters: meters? })
    }

    /// Runs the rules over the hours of `span`, as the service does; what is raised in the
    /// first `quiet` hours only fills the past. `only` judges one meter (and the feeder).
    pub fn judge(
        &self,
        span: std::ops::Range<usize>,
        quiet: usize,
        only: Option<usize>,
        policy: &Policy,
    ) -> Vec<Alarm> {
        let mut alarms = Alarms { begin: span.start + quiet, raised: Vec::new() };
        let mut histories = vec![History::default(); self.told.len()];
        let mut feeder: Vec<(i64, FeederHour)> = Vec::new();
        let mut hour = span.start;
        while hour < span.end {
            let day = self.skies.local[hour].0;
            let end = (hour..span.end).find(|at| self.skies.local[*at].0 != day).unwrap_or(span.end);
            let sky = &self.skies.days[&day];
            let mut days: Vec<Day> = Vec::new();
            let judged = end > alarms.begin;
            for (place, history) in histories.iter().enumerate() {
                let watched = judged && only.is_none_or(|only| only == place);
                let site = self.site(place);
                if watched {
                    self.judge_hours(place, hour..end, history, policy, &mut alarms);
                }
                let today = self.today(place, day, hour..end);
                if watched {
                    for finding in judge_day(&site, &today, sky, history, policy) {
                        alarms.raise(place, end - 1, finding);
                    }
                }
                days.push(Day::of(&today, sky, site.panels_w));
            }
            feeder.extend((hour..end).filter_map(|at| Some((day, self.feeder_hour(at)?))));
            feeder.retain(|(at, _)| *at > day - WINDOW_DAYS);
            if judged && days.len() > 1 {
                let window: Vec<FeederHour> = feeder.iter().map(|(_, hour)| hour.clone()).collect();
                judge_together(&days, &histories, &window, end - 1, policy, &mut alarms);
            }
            for (history, day) in histories.iter_mut().zip(days) {
                history.push(day);
            }
            hour = end;
        }
        alarms.raised
    }

    fn judge_hours(
        &self,
        place: usize,
        span: std::ops::Range<usize>,
        history: &History,
        policy: &Policy,
        alarms: &mut Alarms,
    ) {
        let site = self.site(place);
        let best = |hour: usize| {
            let permille = history.best_permille(self.local_hour(hour))?;
            Some(self.skies.hours[hour].ceiling_wh(site.panels_w) * u64::from(permille) / 1_000)
        };
        for hour in span.clone() {
            let Some(told) = self.told[place][hour] else { continue };
            let interval = Interval {
                start: self.at(hour),
                length_s: 3_600,
                import_wh: told.import_wh.into(),
                export_wh: told.export_wh.into(),
                generation_wh: Some(told.generation_wh.into()),
            };
            for finding in judge_interval(&site, &interval, self.skies.hours[hour], best(hour), policy) {
                alarms.raise(place, hour, finding);
            }
        }
        for (_, lump) in self.lumps.iter().filter(|(at, _)| *at == place) {
            let end = lump.start + lump.length - 1;
            if !span.contains(&end) {
                continue;
            }
            let length_s = u32::try_from(lump.length).unwrap() * 3_600;
            let interval = Interval {
                start: self.at(lump.start),
                length_s,
                import_wh: lump.import_wh,
                export_wh: lump.export_wh,
                generation_wh: Some(lump.generation_wh),
            };
            let sky = Sky::over(self.homes.place, interval.start, length_s);
            let best = (lump.start..=end)
                .map(|hour| {
                    if self.skies.hours[hour].ceiling_wh_per_kw <= 200 {
                        Some(self.skies.hours[hour].ceiling_wh(site.panels_w))
                    } else {
                        best(hour)
                    }
                })
                .sum::<Option<u64>>();
            for finding in judge_interval(&site, &interval, sky, best, policy) {
                alarms.raise(place, end, finding);
            }
        }
    }

    fn at(&self, hour: usize) -> jirani_units::Timestamp {
        self.homes.start.plus_seconds(i64::try_from(hour).unwrap() * 3_600)
    }

    fn today(&self, place: usize, day: i64, span: std::ops::Range<usize>) -> Today {
        let mut hours = [None; 24];
        for hour in span {
            hours[self.local_hour(hour)] = self.told[place][hour].map(|told| Hour {
                import_wh: told.import_wh,
                export_wh: told.export_wh,
                generation_wh: told.generation_wh,
                power_w: Some(told.power_w),
                incoherent: 0,
            });
        }
        Today { day, hours, restarts: 0 }
    }
}

/// What only the meters of a feeder together tell. Who is held already is compared with nobody,
/// and while anybody is, the feeder's balance accuses nobody.
fn judge_together(
    days: &[Day],
    histories: &[History],
    window: &[FeederHour],
    hour: usize,
    policy: &Policy,
    alarms: &mut Alarms,
) {
    let free: Vec<usize> = (0..days.len()).filter(|place| !alarms.is_held(*place, hour)).collect();
    let pairs: Vec<(&Day, &History)> = free.iter().map(|place| (&days[*place], &histories[*place])).collect();
    for (index, finding) in judge_copies(&pairs, policy) {
        alarms.raise(free[index], hour, finding);
    }
    if free.len() < days.len() {
        return;
    }
    for (place, finding) in judge_twins(&pairs, window, policy) {
        alarms.raise(place, hour, finding);
    }
    let ripening = may_be_twins(&pairs);
    for (accused, finding) in judge_feeder(window, policy) {
        if ripening {
            continue;
        }
        if let Accused::Meter(place) = accused {
            alarms.raise(place, hour, finding);
        }
    }
}

struct Alarms {
    begin: usize,
    raised: Vec<Alarm>,
}

impl Alarms {
    fn is_held(&self, place: usize, hour: usize) -> bool {
        self.raised.iter().any(|alarm| alarm.place == place && alarm.hour + QUIET_HOURS > hour)
    }

    /// What the operator's queue takes: notes do not count, and what was decided lately rests.
    fn raise(&mut self, place: usize, hour: usize, finding: Finding) {
        let rests = |alarm: &Alarm| {
            alarm.place == place && alarm.finding.rule == finding.rule && alarm.hour + QUIET_HOURS > hour
        };
        if hour < self.begin
            || finding.severity == Severity::Note
            || finding.rule == Rule::FeederLoss
            || self.raised.iter().any(rests)
        {
            return;
        }
        self.raised.push(Alarm { place, hour, finding });
    }
}

#[expect(clippy::cast_possible_truncation, reason = "losses of a feeder")]
fn whole(value: f64) -> i64 {
    value.round() as i64
}
