//! Whether what was read can be true, before it is attested.
//!
//! After each slot every home's growth is judged ([`jirani_plausibility::judge_interval`]),
//! and once a day of the place's sun each meter's day and each feeder's balance. What is
//! found is kept; a finding graver than a note keeps its household out of the slot's plan
//! and out of all later ones until an operator accepts or closes it. Registers are cumulative: what
//! waited is attested with the first slot after that, as of a meter that was silent.
//!
//! Promises: a slot is judged once, whatever fails in between; what is found is stored before
//! the slot is planned; the past is gathered again from stored readings after a restart, a
//! few meters per slot, and rules that need a past rest until then.

mod gather;
mod keep;
mod past;
mod today;

use crate::standing::Meters;
use gather::Sample;
use jirani_clock::ServiceClock;
use jirani_forecast::Place;
use jirani_plausibility::{
    Accused, Day, DaySky, FeederHour, Finding, History, Interval, Policy, Site, Sky, Storage, judge_copies,
    judge_day, judge_feeder, judge_interval, judge_twins, may_be_twins,
};
use jirani_store::{HouseholdKind, HouseholdRecord, ReadingRow, Store, StoreError};
use jirani_units::{HouseholdId, MeterId, Timestamp};
use keep::{Found, Live};
use past::FeederPast;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use today::Running;

/// What to judge by.
#[derive(Clone, Debug)]
pub struct FindingsConfig {
    /// Where the sun is looked at.
    pub place: Place,
    /// Length of a slot in seconds.
    pub slot_length_s: u32,
    /// Thresholds and severities.
    pub policy: Policy,
    /// Homes with a battery or an engine that the operator knows of.
    pub storage: BTreeSet<HouseholdId>,
    /// Days for which a rule rests about a household after its finding was accepted.
    pub accepted_days: u32,
}

/// Judges slots and keeps what is found. One per process that attests.
pub struct Findings {
    config: FindingsConfig,
    store: Arc<dyn Store>,
    clock: ServiceClock,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    homes: BTreeMap<HouseholdId, Home>,
    feeders: BTreeMap<u16, FeederState>,
}

/// What is remembered of a metered record.
struct Home {
    meter: MeterId,
    last: Sample,
    running: Running,
    past: Past,
}

/// A meter's past, or that it is still to be gathered.
enum Past {
    Unknown,
    Known(History),
}

impl Past {
    fn history(&self) -> Option<&History> {
        match self {
            Self::Unknown => None,
            Self::Known(history) => Some(history),
        }
    }
}

#[derive(Default)]
struct FeederState {
    judged: Option<Timestamp>,
    day: Option<i64>,
    past: FeederPast,
    /// Found and not stored yet.
    found: Vec<Found>,
}

impl Findings {
    /// Prepares.
    pub fn new(config: FindingsConfig, store: Arc<dyn Store>, clock: ServiceClock) -> Self {
        Self { config, store, clock, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Judges the slot of `feeder` that ended at `end` and says who must not be attested.
    /// Asked again about the same slot, after the store was away, it goes on where it was.
    pub(crate) async fn look(
        &self,
        feeder: u16,
        end: Timestamp,
        households: &[HouseholdRecord],
        known: &BTreeSet<HouseholdId>,
        latest: &HashMap<MeterId, ReadingRow>,
        meters: &Meters,
    ) -> Result<BTreeSet<HouseholdId>, StoreError> {
        let mut live = self.live().await?;
        let judged = self.state().feeders.get(&feeder).and_then(|state| state.judged);
        if judged.is_none_or(|judged| judged < end) {
            let samples = self.samples(end, households, known, latest, &meters.spans).await?;
            self.gather_pasts(feeder, end, households, meters).await?;
            let held: BTreeSet<HouseholdId> = live.iter().filter_map(Live::held).collect();
            // What is attested is judged, also the rest of a meter that was retired since.
            let is_own = |record: &&HouseholdRecord| {
                let counts = meters.counts(record) || known.contains(&record.id);
                record.feeder == feeder && record.kind != HouseholdKind::Loss && counts
            };
            let own: Vec<&HouseholdRecord> = households.iter().filter(is_own).collect();
            self.judge(feeder, end, &own, &samples, &held);
        }
        let found = self.state().feeders.entry(feeder).or_default().found.clone();
        self.store_all(&found, &mut live, latest).await?;
        self.state().feeders.entry(feeder).or_default().found.clear();
        Ok(live.iter().filter_map(Live::held).collect())
    }

    /// Who must not be attested by what was found before.
    pub(crate) async fn held(&self) -> Result<BTreeSet<HouseholdId>, StoreError> {
        Ok(self.live().await?.iter().filter_map(Live::held).collect())
    }

    /// Judges, without asking anybody.
    fn judge(
        &self,
        feeder: u16,
        end: Timestamp,
        own: &[&HouseholdRecord],
        samples: &BTreeMap<HouseholdId, Sample>,
        held: &BTreeSet<HouseholdId>,
    ) {
        let mut state = self.state();
        let State { homes, feeders } = &mut *state;
        let feeder_state = feeders.entry(feeder).or_default();
        feeder_state.judged = Some(end);
        // The instant before the end lies in the slot's own day.
        let (day, _) = DaySky::day_of(self.config.place, Timestamp(end.0 - 1));
        if feeder_state.day.is_some_and(|before| before < day) {
            let over = feeder_state.day.unwrap_or(day);
            let found = self.judge_days(over, own, homes, &mut feeder_state.past, held);
            feeder_state.found.extend(found);
        }
        feeder_state.day = Some(day);
        let mut skies: HashMap<(i64, u32), Sky> = HashMap::new();
        for record in own {
            let (Some(sample), Some(meter)) = (samples.get(&record.id), record.meter) else { continue };
            let begins = |last| Home { meter, last, running: Running::default(), past: Past::Unknown };
            let home = match homes.entry(record.id) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(place) => {
                    // The first registers that are heard of are only a beginning.
                    place.insert(begins(*sample));
                    continue;
                }
            };
            if home.meter != meter {
                // A new meter begins a new past. The household's registers go on, and what they
                // grew by from one to the other is judged as anything else.
                *home = begins(home.last);
            }
            let Some(interval) = home.last.interval_to(sample) else { continue };
            let sky = *skies
                .entry((interval.start.0, interval.length_s))
                .or_insert_with(|| Sky::over(self.config.place, interval.start, interval.length_s));
            home.last = *sample;
            home.running.add(self.config.place, &interval, sample);
            if record.kind != HouseholdKind::Home || held.contains(&record.id) {
                continue;
            }
            let site = self.site(record);
            let best = self.own_best(home.past.history(), &site, &interval, sky);
            for finding in judge_interval(&site, &interval, sky, best, &self.config.policy) {
                feeder_state.found.push(Found::of(record, &interval, finding));
            }
        }
    }

    fn site(&self, record: &HouseholdRecord) -> Site {
        let stored = self.config.storage.contains(&record.id);
        Site {
            panels_w: record.pv_rated_w,
            export_w: record.export_rating_w,
            import_w: record.import_rating_w,
            storage: if stored { Storage::Declared } else { Storage::None },
        }
    }

    /// The most that a meter's own past lets expect over an interval.
    fn own_best(&self, history: Option<&History>, site: &Site, interval: &Interval, sky: Sky) -> Option<u64> {
        let history = history?;
        let part = |hour: usize, sky: Sky| {
            let ceiling = sky.ceiling_wh(site.panels_w);
            // Where the sun is too low to have told anything, the ceiling stands.
            match history.best_permille(hour) {
                Some(permille) => Some(ceiling * u64::from(permille) / 1_000),
                None => (history.len() >= 7).then_some(ceiling),
            }
        };
        if interval.length_s <= 3_600 {
            return part(DaySky::day_of(self.config.place, interval.start).1, sky);
        }
        let hours = interval.length_s.div_ceil(3_600).min(31 * 24);
        (0..hours)
            .map(|hour| {
                let start = interval.start.plus_seconds(i64::from(hour) * 3_600);
                let length_s = (interval.length_s - hour * 3_600).min(3_600);
                let sky = Sky::over(self.config.place, start, length_s);
                part(DaySky::day_of(self.config.place, start).1, sky)
            })
            .sum()
    }

    /// Closes the day `over` of a feeder's meters and judges it.
    fn judge_days(
        &self,
        over: i64,
        own: &[&HouseholdRecord],
        homes: &mut BTreeMap<HouseholdId, Home>,
        past: &mut FeederPast,
        held: &BTreeSet<HouseholdId>,
    ) -> Vec<Found> {
        let sky = DaySky::over(self.config.place, over);
        let start = DaySky::start(self.config.place, over);
        let span = (start, start.plus_seconds(86_400));
        let mut found: Vec<Found> = Vec::new();
        let mut days: BTreeMap<HouseholdId, Day> = BTreeMap::new();
        for record in own {
            let Some(home) = homes.get_mut(&record.id) else { continue };
            let today = home.running.finish(over);
            let site = self.site(record);
            days.insert(record.id, Day::of(&today, &sky, site.panels_w));
            if record.kind != HouseholdKind::Home || held.contains(&record.id) {
                continue;
            }
            let empty = History::default();
            let history = home.past.history().unwrap_or(&empty);
            for finding in judge_day(&site, &today, &sky, history, &self.config.policy) {
                found.push(Found::about(record, span, finding));
            }
        }
        past.push(own, &days);
        // Who is held is compared with nobody.
        let free: Vec<&HouseholdRecord> = own
            .iter()
            .copied()
            .filter(|record| record.kind == HouseholdKind::Home && !held.contains(&record.id))
            .filter(|record| homes.get(&record.id).is_some_and(|home| home.past.history().is_some()))
            .collect();
        let pairs: Vec<(&Day, &History)> = free
            .iter()
            .filter_map(|record| Some((days.get(&record.id)?, homes.get(&record.id)?.past.history()?)))
            .collect();
        if pairs.len() == free.len() {
            let named = |place: usize, finding: Finding| {
                free.get(place).map(|record| Found::about(record, span, with_original(finding, &free)))
            };
            let copies = judge_copies(&pairs, &self.config.policy);
            found.extend(copies.into_iter().filter_map(|(place, finding)| named(place, finding)));
            // Registers of a meter that is held are in the balance, and are not to be trusted.
            if free.len() == past.homes().len() {
                let window: Vec<FeederHour> = past.window();
                let twins = judge_twins(&pairs, &window, &self.config.policy);
                found.extend(twins.into_iter().filter_map(|(place, finding)| named(place, finding)));
                let ripening = may_be_twins(&pairs);
                for (accused, finding) in judge_feeder(&window, &self.config.policy) {
                    match accused {
                        Accused::Meter(_) if ripening => {}
                        Accused::Meter(place) => found.extend(named(place, finding)),
                        Accused::Feeder => {
                            let feeder = own.first().map_or(0, |record| record.feeder);
                            found.push(Found::feeder(feeder, span, finding));
                        }
                    }
                }
            }
        }
        for (id, day) in days {
            if let Some(Home { past: Past::Known(history), .. }) = homes.get_mut(&id) {
                history.push(day);
            }
        }
        found
    }
}

/// Evidence names another meter by its place among those compared; people know numbers.
fn with_original(mut finding: Finding, among: &[&HouseholdRecord]) -> Finding {
    for (name, value) in &mut finding.evidence {
        if *name == "original" {
            let record = usize::try_from(*value).ok().and_then(|place| among.get(place));
            *name = "original_household";
            *value = record.map_or(0, |record| i64::from(record.id.0));
        }
    }
    finding
}
