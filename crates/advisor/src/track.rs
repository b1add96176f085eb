//! How good the forecasts were: each day-ahead forecast is kept until what came is known,
//! scored, and remembered per household for a month.
//!
//! Scores are whole numbers: the pinball loss at 10, 50 and 90 % in hundredths of a Wh, what
//! came in Wh, and how many slots lay between 10 and 90 %. Pure: no clock, no files.

use crate::drift::{Drift, Kind, Watch};
use jirani_forecast::{Forecast, Quantiles, SlotEnergy};
use jirani_units::{HouseholdId, Timestamp};
use std::collections::BTreeMap;

/// Days that a household's scores are remembered.
pub const DAYS_MAX: i64 = 30;
/// Days over which methods are compared.
pub const JUDGED_DAYS: i64 = 14;
/// Days below which nothing is concluded.
pub const JUDGED_DAYS_MIN: usize = 7;
/// Households whose forecasts are scored, the first by their numbers.
pub const HOUSEHOLDS_MAX: usize = 1_000;
/// Who makes the forecasts keeps doing so while others are better by no more than this, in
/// percent: near a tie people would else see another method every day.
const MARGIN_PERCENT: u128 = 2;
const DAY_S: i64 = 86_400;
/// After its last slot a day is waited for so long: readings come late.
const LATE_S: i64 = 7_200;
/// The levels that are scored, in percent, with their places among the seven.
const SCORED: [(u64, usize); 3] = [(10, 1), (50, 3), (90, 5)];

/// Who made a forecast.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Contender {
    /// The method of a first start.
    First,
    /// What is usual in the last 28 days.
    Climatology,
    /// A model, by the moment at which it was learned: scores are a model's and nobody else's.
    Learned(Timestamp),
}

/// Whether people saw a forecast.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shown {
    /// It was the one in force.
    Yes,
    /// It was made to be compared.
    Beside,
}

/// How one method did on one target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Score {
    /// Slots whose truth came.
    pub slots: u64,
    /// What came, in Wh.
    pub truth_wh: u64,
    /// Pinball loss, summed over slots and the three levels, in hundredths of a Wh.
    pub loss: u64,
    /// Slots between 10 and 90 %.
    pub inside: u64,
}

impl Score {
    fn add(&mut self, said: [u64; 3], truth: u64) {
        self.slots += 1;
        self.truth_wh = self.truth_wh.saturating_add(truth);
        for ((level, _), said) in SCORED.into_iter().zip(said) {
            let above = truth.saturating_sub(said).saturating_mul(level);
            let below = said.saturating_sub(truth).saturating_mul(100 - level);
            self.loss = self.loss.saturating_add(above).saturating_add(below);
        }
        self.inside += u64::from((said[0]..=said[2]).contains(&truth));
    }

    fn sum(self, other: Self) -> Self {
        Self {
            slots: self.slots + other.slots,
            truth_wh: self.truth_wh.saturating_add(other.truth_wh),
            loss: self.loss.saturating_add(other.loss),
            inside: self.inside + other.inside,
        }
    }

    /// Mean pinball loss over the mean of what came, in thousandths; `None` where nothing came.
    pub fn loss_permille(&self) -> Option<u64> {
        let whole = u128::from(self.truth_wh) * 300;
        u64::try_from((u128::from(self.loss) * 1_000).checked_div(whole)?).ok()
    }

    /// Share of slots between 10 and 90 %, in thousandths; `None` without any.
    pub fn inside_permille(&self) -> Option<u64> {
        (self.inside * 1_000).checked_div(self.slots)
    }
}

/// A day-ahead forecast that waits for its truth.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Answer {
    contender: Contender,
    shown: Shown,
    first: Timestamp,
    step_s: u32,
    production: Vec<[u64; 3]>,
    consumption: Vec<[u64; 3]>,
}

impl Answer {
    /// The first 24 hours of a forecast.
    pub fn of(contender: Contender, shown: Shown, forecast: &Forecast) -> Option<Self> {
        let day = forecast.points.get(..usize::try_from(86_400 / forecast.step_s.max(1)).ok()?)?;
        let three = |quantiles: Quantiles| SCORED.map(|(_, place)| quantiles.values()[place]);
        Some(Self {
            contender,
            shown,
            first: day.first()?.start,
            step_s: forecast.step_s,
            production: day.iter().map(|point| three(point.production)).collect(),
            consumption: day.iter().map(|point| three(point.consumption)).collect(),
        })
    }

    fn score(&self, truth: &[SlotEnergy]) -> (Score, Score) {
        let (mut production, mut consumption) = (Score::default(), Score::default());
        for slot in truth {
            let since = slot.start.since(self.first) / 1_000_000;
            let place = usize::try_from(since).ok().map(|since| since / self.step_s.max(1) as usize);
            let said = |of: &[[u64; 3]]| place.and_then(|place| of.get(place).copied());
            if let (Some(made), Some(used)) = (said(&self.production), said(&self.consumption)) {
                production.add(made, slot.production_wh);
                consumption.add(used, slot.consumption_wh);
            }
        }
        (production, consumption)
    }
}

/// A day of a household, scored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct DayScore {
    /// Number of the local day, counted from 1970.
    pub day: i64,
    /// Who forecast it.
    pub contender: Contender,
    /// Whether people saw it.
    pub shown: Shown,
    /// What the panels made.
    pub production: Score,
    /// What was used.
    pub consumption: Score,
}

/// What a household's forecasts were worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// Days scored.
    pub days: u64,
    /// What the panels made.
    pub production: Score,
    /// What was used.
    pub consumption: Score,
}

#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
struct Pending {
    day: i64,
    issued_at: Timestamp,
    homes: BTreeMap<u32, Vec<Answer>>,
}

/// All that waits and all that was scored.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Track {
    pending: Vec<Pending>,
    homes: BTreeMap<u32, Vec<DayScore>>,
    /// Who made the forecasts last.
    #[serde(default)]
    in_force: Option<Contender>,
    /// Whether homes change: production, consumption.
    #[serde(default)]
    watches: BTreeMap<u32, [Watch; 2]>,
}

impl Track {
    /// Leaves out what lies after `now` in the local day `today`, and says how much that was:
    /// a clock that once was far ahead would else keep every day from being forecast and
    /// scored until its own came.
    pub fn drop_future(&mut self, now: Timestamp, today: i64) -> usize {
        let count = |track: &Self| track.pending.len() + track.homes.values().map(Vec::len).sum::<usize>();
        let before = count(self);
        self.pending.retain(|pending| pending.day <= today && pending.issued_at <= now);
        for scores in self.homes.values_mut() {
            scores.retain(|score| score.day <= today);
        }
        self.homes.retain(|_, scores| !scores.is_empty());
        self.watches.retain(|_, watches| watches.iter().all(|watch| watch.last() <= today));
        before - count(self)
    }

    /// Whether a local day's forecasts are still to be made.
    pub fn wants(&self, day: i64) -> bool {
        self.pending.iter().all(|pending| pending.day < day)
    }

    /// Keeps the forecasts of a day until it is over.
    pub fn issue(&mut self, day: i64, issued_at: Timestamp, answers: BTreeMap<HouseholdId, Vec<Answer>>) {
        let homes = answers.into_iter().take(HOUSEHOLDS_MAX).map(|(home, answers)| (home.0, answers));
        self.pending.push(Pending { day, issued_at, homes: homes.collect() });
        // Three days at once are two more than can be under way.
        let surplus = self.pending.len().saturating_sub(3);
        self.pending.drain(..surplus);
    }

    /// Households whose truth is due, with the span it is wanted of.
    pub fn due(&self, now: Timestamp) -> Vec<(HouseholdId, Timestamp, Timestamp)> {
        let over = self.pending.iter().filter(|pending| ripe(pending, now));
        over.flat_map(|pending| {
            let to = pending.issued_at.plus_seconds(DAY_S);
            pending.homes.keys().map(move |home| (HouseholdId(*home), pending.issued_at, to))
        })
        .collect()
    }

    /// Scores what is due with what came; what nothing is known of is dropped.
    pub fn score(&mut self, now: Timestamp, truths: &BTreeMap<HouseholdId, Vec<SlotEnergy>>) {
        let (over, waiting): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.pending).into_iter().partition(|pending| ripe(pending, now));
        self.pending = waiting;
        for pending in over {
            for (home, answers) in pending.homes {
                let Some(truth) = truths.get(&HouseholdId(home)) else { continue };
                let scores = self.homes.entry(home).or_default();
                let before = scores.len();
                for answer in answers {
                    let (production, consumption) = answer.score(truth);
                    if consumption.slots > 0 {
                        if answer.contender == Contender::Climatology {
                            let [made, used] = self.watches.entry(home).or_default();
                            made.see(pending.day, production, answer.production.len());
                            used.see(pending.day, consumption, answer.consumption.len());
                        }
                        let Answer { contender, shown, .. } = answer;
                        scores.push(DayScore { day: pending.day, contender, shown, production, consumption });
                    }
                }
                // A day of which nothing came pushes nothing out.
                if scores.len() > before {
                    scores.retain(|score| score.day > pending.day - DAYS_MAX);
                }
            }
        }
        // Homes that are gone.
        let newest = self.homes.values().flatten().map(|score| score.day).max().unwrap_or(0);
        self.homes.retain(|_, scores| scores.iter().any(|score| score.day > newest - DAYS_MAX));
        self.watches.retain(|home, _| self.homes.contains_key(home));
    }

    /// What changed at a household and is not known to its forecasts yet; local days begin
    /// `clock_offset_s` before those of UTC.
    pub fn drifts(&self, household: HouseholdId, clock_offset_s: i64) -> Vec<Drift> {
        let watches = self.watches.get(&household.0).into_iter().flatten();
        let told = watches.zip([Kind::Production, Kind::Consumption]).filter_map(|(watch, kind)| {
            let (way, day) = watch.told()?;
            Some(Drift { kind, way, since: Timestamp::from_seconds(day * DAY_S - clock_offset_s) })
        });
        told.collect()
    }

    /// How many households' production and consumption changed.
    pub fn drifting(&self) -> [u64; 2] {
        let count = |kind: usize| {
            let told = self
                .watches
                .values()
                .filter(|watches| watches.get(kind).is_some_and(|watch| watch.told().is_some()));
            u64::try_from(told.count()).unwrap_or(u64::MAX)
        };
        [count(0), count(1)]
    }

    /// What the forecasts that a household saw were worth; `None` before the first.
    pub fn record(&self, household: HouseholdId) -> Option<Record> {
        let scores = self.homes.get(&household.0)?;
        record(scores.iter().filter(|score| score.shown == Shown::Yes))
    }

    /// The same over all households.
    pub fn of_all(&self) -> Option<Record> {
        record(self.homes.values().flatten().filter(|score| score.shown == Shown::Yes))
    }

    /// Who should make the forecasts from now on, of a model, the one before it, and what is
    /// usual: the model, unless over the last 14 days it lost against what is usual; then the
    /// one before if that won, or else what is usual. Who made them until now needs to lose by
    /// more than a margin, and whoever is to replace it to win by one.
    pub fn choose(&mut self, newest: Timestamp, previous: Option<Timestamp>) -> Contender {
        let (newest, previous) = (Contender::Learned(newest), previous.map(Contender::Learned));
        let held_by = |contender: Contender| match self.in_force {
            Some(holder) if holder == contender => Holder::Model,
            // Of two models neither of which is what is usual, the newer must show that it is
            // worth a change; one that stands in for it needs only not to be worse.
            Some(holder) if holder == Contender::Climatology || contender == newest => Holder::Usual,
            Some(_) | None => Holder::Neither,
        };
        let verdict = |contender: Contender| self.against_usual(contender, held_by(contender));
        let choice = match (verdict(newest), previous) {
            (None | Some(Verdict::Wins), _) => newest,
            (Some(Verdict::Loses), Some(previous)) if verdict(previous) == Some(Verdict::Wins) => previous,
            (Some(Verdict::Loses), _) => Contender::Climatology,
        };
        self.in_force = Some(choice);
        choice
    }

    /// Over days and households that both forecast; `None` with too few days.
    fn against_usual(&self, contender: Contender, holder: Holder) -> Option<Verdict> {
        let newest = self.homes.values().flatten().map(|score| score.day).max()?;
        let mut days = std::collections::BTreeSet::new();
        let (mut ours, mut usual) = ([Score::default(); 2], [Score::default(); 2]);
        for scores in self.homes.values() {
            let of = |contender: Contender| {
                let recent = scores.iter().filter(move |score| score.day > newest - JUDGED_DAYS);
                recent.filter(move |score| score.contender == contender)
            };
            for our in of(contender) {
                let Some(other) = of(Contender::Climatology).find(|other| other.day == our.day) else {
                    continue;
                };
                days.insert(our.day);
                ours = [ours[0].sum(our.production), ours[1].sum(our.consumption)];
                usual = [usual[0].sum(other.production), usual[1].sum(other.consumption)];
            }
        }
        if days.len() < JUDGED_DAYS_MIN {
            return None;
        }
        // The sum of both normalised losses, over the same truths: a / p + b / q as
        // (a q + b p) / (p q). Without panels only use counts.
        let [made, used] = usual.map(|score| u128::from(score.truth_wh.max(1)));
        let loss = |scores: [Score; 2]| {
            u128::from(scores[0].loss).saturating_mul(used) + u128::from(scores[1].loss).saturating_mul(made)
        };
        let (ours, usual) = (loss(ours), loss(usual));
        let with_margin = |loss: u128| loss.saturating_mul(100 + MARGIN_PERCENT);
        let plain = |loss: u128| loss.saturating_mul(100);
        let wins = match holder {
            Holder::Model => plain(ours) <= with_margin(usual),
            Holder::Usual => with_margin(ours) <= plain(usual),
            Holder::Neither => ours <= usual,
        };
        Some(if wins { Verdict::Wins } else { Verdict::Loses })
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Wins,
    Loses,
}

/// Which of two that are compared makes the forecasts until now.
#[derive(Clone, Copy)]
enum Holder {
    Model,
    Usual,
    Neither,
}

fn ripe(pending: &Pending, now: Timestamp) -> bool {
    now >= pending.issued_at.plus_seconds(DAY_S + LATE_S)
}

fn record<'a>(scores: impl Iterator<Item = &'a DayScore>) -> Option<Record> {
    let mut days = std::collections::BTreeSet::new();
    let mut found = Record { days: 0, production: Score::default(), consumption: Score::default() };
    for score in scores {
        days.insert(score.day);
        found.production = found.production.sum(score.production);
        found.consumption = found.consumption.sum(score.consumption);
    }
    found.days = u64::try_from(days.len()).unwrap_or(u64::MAX);
    (found.days > 0).then_some(found)
}
