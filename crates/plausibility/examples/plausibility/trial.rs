//! Many frauds at many homes, and honest months.

use crate::frauds::Fraud;
use crate::homes::Homes;
use crate::world::{Alarm, Skies, World};
use jirani_plausibility::{Policy, Rule};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;

/// Days of past that rules are given before anything counts.
pub const WARM_UP: usize = 21 * 24;
/// Days within which a fraud must be caught.
pub const DAYS: usize = 14;
/// What a fraud must misstate in the mean to be one, in Wh a day.
pub const LEAST_WH_PER_DAY: u64 = 250;

/// What honest meters met.
pub struct Honest {
    pub meter_months: f64,
    pub alarms: Vec<Alarm>,
}

impl Honest {
    pub fn per_meter_month(&self) -> f64 {
        f64::from(u32::try_from(self.alarms.len()).unwrap()) / self.meter_months
    }
}

/// One fraud's trials.
#[derive(Default, Clone)]
pub struct Caught {
    pub trials: usize,
    /// Days until a person was asked, of those that were caught.
    pub days: Vec<usize>,
    /// The first rule that spoke, and how often.
    pub rules: BTreeMap<Rule, usize>,
    /// By which rules others were held.
    pub others: BTreeMap<Rule, usize>,
    /// Others that were held as well, or instead.
    pub innocent: usize,
}

impl Caught {
    pub fn percent(&self) -> f64 {
        100.0 * f64::from(u32::try_from(self.days.len()).unwrap())
            / f64::from(u32::try_from(self.trials.max(1)).unwrap())
    }
}

/// The rules over honest meters.
pub fn honest(homes: &Homes, skies: &Skies, span: std::ops::Range<usize>, policy: &Policy) -> Honest {
    let hours = span.len() - WARM_UP;
    let alarms = World::honest(homes, skies, 1).with_silences(2).judge(span, WARM_UP, None, policy);
    let meters = f64::from(u32::try_from(homes.all.len()).unwrap());
    let meter_months = meters * f64::from(u32::try_from(hours).unwrap()) / 24.0 / 30.4;
    Honest { meter_months, alarms }
}

/// Every fraud at every home, `seeds` times.
pub fn frauds(
    homes: &Homes,
    skies: &Skies,
    span: std::ops::Range<usize>,
    seeds: u64,
    policy: &Policy,
) -> BTreeMap<Fraud, Caught> {
    let mut found: BTreeMap<Fraud, Caught> = BTreeMap::new();
    for fraud in Fraud::ALL {
        let caught = found.entry(fraud).or_default();
        for place in 0..homes.all.len() {
            for seed in 0..seeds {
                let mut rng = ChaCha8Rng::seed_from_u64(seed * 1_000 + u64::try_from(place).unwrap());
                let latest = span.end - DAYS * 24 - 24;
                let onset = rng.random_range(span.start + WARM_UP..latest);
                trial(homes, skies, fraud, place, onset, &mut rng, policy, caught);
            }
        }
    }
    found
}

#[expect(clippy::too_many_arguments, reason = "one trial")]
fn trial(
    homes: &Homes,
    skies: &Skies,
    fraud: Fraud,
    place: usize,
    onset: usize,
    rng: &mut ChaCha8Rng,
    policy: &Policy,
    caught: &mut Caught,
) {
    let honest = World::honest(homes, skies, rng.random());
    let mut world = honest.clone();
    fraud.commit(&mut world, place, onset, DAYS * 24, rng);
    if misstated(&honest, &world, place, onset) < LEAST_WH_PER_DAY * u64::try_from(DAYS).unwrap() {
        return;
    }
    caught.trials += 1;
    let span = onset - WARM_UP..onset + DAYS * 24;
    // What would have been raised anyway is nobody's catch.
    let anyway: Vec<Rule> = honest
        .judge(span.clone(), WARM_UP, Some(place), policy)
        .into_iter()
        .filter(|alarm| alarm.place == place)
        .map(|alarm| alarm.finding.rule)
        .collect();
    let alarms = world.judge(span, WARM_UP, Some(place), policy);
    for alarm in alarms.iter().filter(|alarm| alarm.place != place) {
        *caught.others.entry(alarm.finding.rule).or_default() += 1;
    }
    caught.innocent += usize::from(alarms.iter().any(|alarm| alarm.place != place));
    let first = alarms.iter().find(|alarm| alarm.place == place && !anyway.contains(&alarm.finding.rule));
    if let Some(alarm) = first {
        caught.days.push((alarm.hour - onset) / 24);
        *caught.rules.entry(alarm.finding.rule).or_default() += 1;
    }
}

/// What the meter tells too much or too little in all, hour by hour.
fn misstated(honest: &World<'_>, world: &World<'_>, place: usize, onset: usize) -> u64 {
    let hours = onset..onset + DAYS * 24;
    let differs = hours.filter_map(|hour| Some((honest.told[place][hour]?, world.told[place][hour]?)));
    let lumps: u64 = world.lumps.iter().map(|(_, lump)| lump.export_wh).sum();
    lumps
        + differs
            .map(|(a, b)| u64::from(a.export_wh.abs_diff(b.export_wh) + a.import_wh.abs_diff(b.import_wh)))
            .sum::<u64>()
        // Panels that are not there; an engine that runs is there.
        + world.hidden_wh.iter().map(|wh| (-wh).max(0).unsigned_abs()).sum::<u64>()
}
