//! What goes on beside the questions of people: weather asked for every hour, forecasts of
//! every local day kept and scored, models learned anew, and taken out of force when they
//! lose.
//!
//! Nothing of it is on the path of a request. Learning runs on a thread of its own, which a
//! stop of the process does not wait for; whatever fails is said and tried again later, and
//! forecasts go on by the method in force.

use crate::Advisor;
use crate::advised::Advised;
use crate::kept;
use crate::methods::Method;
use crate::model::{self, Model, Which};
use crate::past;
use crate::school::{self, Lecture, Outcome, Pupil};
use crate::track::{Answer, Contender, HOUSEHOLDS_MAX, Shown};
use jirani_forecast::{ForecastInput, Place, WeatherSlot};
use jirani_store::{HouseholdKind, HouseholdRecord, StoreError};
use jirani_units::{Clock as _, HouseholdId, Slot, Timestamp};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

/// Homes that are learned from at most, taken evenly from all.
const PUPILS_MAX: usize = 200;
/// Days of past that are learned from.
const PAST_DAYS: i64 = 63;
const DAY_S: i64 = 86_400;
const TRACK_FILE: &str = "track.json";
const ADVICE_FILE: &str = "advice.json";

/// How to learn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LearningConfig {
    /// Days from one learning to the next.
    pub every_days: u16,
    /// The most rows of one target.
    pub rows_max: usize,
}

/// The part that learns and keeps score.
pub struct Learning {
    advisor: Arc<Advisor>,
    config: LearningConfig,
    folder: PathBuf,
    place: Place,
    /// When learning was last tried.
    tried: Option<Timestamp>,
    /// Whether there was enough past to learn from by then.
    had_enough: bool,
    /// The scores of advice as they were stored last.
    advised: Advised,
}

impl Learning {
    /// For the advisor's site, with what `folder` holds from before; `None` for a site that
    /// nobody says the place of.
    pub fn new(advisor: Arc<Advisor>, config: LearningConfig, folder: &Path) -> Option<Self> {
        let place = advisor.config.place?;
        let read = |which| match model::load(folder, which) {
            Ok(model) => model,
            Err(error) => {
                tracing::warn!(%error, "a stored model is left out");
                None
            }
        };
        let (current, previous) = (read(Which::Current), read(Which::Previous));
        let tried = current.as_ref().map(|model| model.learned_at);
        advisor.methods.learned(current, previous);
        *advisor.track() = kept::load(&folder.join(TRACK_FILE));
        let advised: Advised = kept::load(&folder.join(ADVICE_FILE));
        *advisor.advised() = advised.clone();
        advisor.drop_future(place);
        let had_enough = tried.is_some();
        let learning = Self { advisor, config, folder: folder.to_owned(), place, tried, had_enough, advised };
        learning.choose();
        Some(learning)
    }

    /// Works once an hour until it is cancelled.
    pub async fn run(mut self, cancel: CancellationToken) -> Result<(), std::convert::Infallible> {
        let clock = self.advisor.clock.clone();
        tokio::select! {
            () = cancel.cancelled() => return Ok(()),
            () = self.prepare(clock.now()) => {}
        }
        let mut busy = clock.busy();
        loop {
            let now = clock.now();
            tokio::select! {
                () = cancel.cancelled() => return Ok(()),
                () = self.keep_score_now(now) => {}
            }
            if self.is_time_to_learn(now) {
                // Nothing waits for what is learned, and a village's time need not stand still.
                drop(busy);
                tokio::select! {
                    () = cancel.cancelled() => return Ok(()),
                    () = self.learn_now(now) => {}
                }
                busy = clock.busy();
            }
            let next = Timestamp::from_seconds((clock.now().seconds().div_euclid(3_600) + 1) * 3_600);
            busy = tokio::select! {
                () = cancel.cancelled() => return Ok(()),
                busy = clock.rest_until(busy, next) => busy,
            };
        }
    }

    /// The first forecasts are scored with the weather that people's will have.
    async fn prepare(&self, now: Timestamp) {
        self.advisor.refresh_weather().await;
        self.advisor.sky.fill(self.place, self.advisor.config.slot_length_s, now).await;
    }

    /// All that an hour has to do.
    pub async fn hour(&mut self) {
        let now = self.advisor.clock.now();
        self.advisor.refresh_weather().await;
        self.keep_score_now(now).await;
        if self.is_time_to_learn(now) {
            self.learn_now(now).await;
        }
    }

    async fn keep_score_now(&mut self, now: Timestamp) {
        if let Err(error) = self.keep_score(now).await {
            tracing::warn!(%error, "forecasts are not scored now; the next hour tries again");
        }
        if let Err(error) = self.keep_advice(now).await {
            tracing::warn!(%error, "advice is not scored now; the next hour tries again");
        }
    }

    fn is_time_to_learn(&self, now: Timestamp) -> bool {
        // Before there was enough past it is tried every day: each may be the first with it.
        let days = if self.had_enough { i64::from(self.config.every_days.max(1)) } else { 1 };
        // A try in the future was made by a clock that went wrong.
        self.tried.is_none_or(|tried| tried > now || now.since(tried) >= days * DAY_S * 1_000_000)
    }

    async fn learn_now(&mut self, now: Timestamp) {
        self.tried = Some(now);
        if let Err(error) = self.learn(now).await {
            tracing::warn!(%error, "nothing is learned now; tomorrow tries again");
        }
    }

    async fn keep_score(&self, now: Timestamp) -> Result<(), StoreError> {
        let slot_length_s = self.advisor.config.slot_length_s;
        let dropped = self.advisor.drop_future(self.place);
        let due = self.advisor.track().due(now);
        let mut changed = dropped > 0 || !due.is_empty();
        let mut truths: BTreeMap<HouseholdId, Vec<_>> = BTreeMap::new();
        for (home, from, to) in due {
            let span = (Slot::containing(from, slot_length_s.max(1)).start, to);
            let slots = past::once(&*self.advisor.store, home, span, slot_length_s).await?;
            truths.entry(home).or_default().extend(slots);
        }
        self.advisor.track().score(now, &truths);
        let day = (now.seconds() + self.place.clock_offset_s()).div_euclid(DAY_S);
        let wanted = self.advisor.track().wants(day);
        if wanted {
            let answers = self.answers().await?;
            self.advisor.track().issue(day, now, answers);
            changed = true;
        }
        if changed {
            self.choose();
            self.store_track().await;
        }
        Ok(())
    }

    /// The forecasts of all methods for all homes: the one in force as people see it.
    async fn answers(&self) -> Result<BTreeMap<HouseholdId, Vec<Answer>>, StoreError> {
        let mut found = BTreeMap::new();
        for home in self.homes().await?.into_iter().take(HOUSEHOLDS_MAX) {
            let Some(shown) = self.advisor.forecast(home.id).await? else { continue };
            let mut answers: Vec<Answer> = Vec::new();
            answers.extend(Answer::of(shown.contender, Shown::Yes, &shown.forecast));
            let beside = self.advisor.methods.all();
            let beside: Vec<Method> =
                beside.into_iter().filter(|method| method.contender != shown.contender).collect();
            let (history, weather) = self.known(&home, shown.forecast.issued_at).await?;
            let (issued_at, config) = (shown.forecast.issued_at, &self.advisor.config);
            let (place, slot_length_s) = (config.place, config.slot_length_s);
            let asked = tokio::task::spawn_blocking(move || {
                let input = ForecastInput {
                    issued_at,
                    slot_length_s,
                    place,
                    pv_rated_w: home.pv_rated_w,
                    history: &history,
                    weather: &weather,
                };
                let ask =
                    |method: &Method| Answer::of(method.contender, Shown::Beside, &method.forecast(&input));
                beside.iter().filter_map(ask).collect::<Vec<_>>()
            });
            answers.extend(asked.await.unwrap_or_default());
            found.insert(home.id, answers);
        }
        Ok(found)
    }

    async fn known(
        &self,
        home: &HouseholdRecord,
        at: Timestamp,
    ) -> Result<(Vec<jirani_forecast::SlotEnergy>, Arc<Vec<WeatherSlot>>), StoreError> {
        let methods = self.advisor.methods.all();
        let days = methods.iter().map(Method::past_days).max().unwrap_or(0);
        let slot_length_s = self.advisor.config.slot_length_s;
        let span = (at.plus_seconds(-days * DAY_S), at);
        let history = past::once(&*self.advisor.store, home.id, span, slot_length_s).await?;
        let (weather, _) = self.advisor.sky.known();
        Ok((history, weather))
    }

    async fn homes(&self) -> Result<Vec<HouseholdRecord>, StoreError> {
        let mut homes = self.advisor.store.households().await?;
        homes.retain(|home| home.kind == HouseholdKind::Home);
        Ok(homes)
    }

    async fn learn(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let lecture = self.lecture(now).await?;
        let (told, learned) = oneshot::channel();
        let thread = std::thread::Builder::new().name("learning".to_owned());
        let spawned = thread.spawn(move || {
            // Nobody listens any more when the process stops.
            let _ = told.send(lecture.learn());
        });
        if let Err(error) = spawned {
            tracing::warn!(%error, "no thread to learn on");
            return Ok(());
        }
        match learned.await {
            Ok(Ok(Outcome::Learned(model, judged))) => {
                tracing::info!(?judged, "forecasts are learned anew");
                self.take(*model).await;
                self.had_enough = true;
            }
            Ok(Ok(Outcome::NoBetter(judged))) => {
                tracing::warn!(?judged, "what was learned is no better than what is usual; it is not used");
                self.had_enough = true;
            }
            Ok(Ok(Outcome::Outdone(judged))) => {
                tracing::info!(?judged, "what was learned is worse than the model in force, which stays");
                self.had_enough = true;
            }
            Ok(Ok(Outcome::TooEarly)) => tracing::debug!("too few days to learn from"),
            Ok(Err(error)) => tracing::warn!(%error, "nothing could be learned"),
            Err(_) => tracing::warn!("learning ended without an answer"),
        }
        Ok(())
    }

    async fn take(&self, model: Model) {
        let before = self.advisor.methods.relearned(model.clone());
        self.choose();
        let folder = self.folder.clone();
        let stored = tokio::task::spawn_blocking(move || model::store(&folder, &model, before)).await;
        if let Ok(Err(error)) = stored {
            tracing::warn!(%error, "the model is used but not stored; a restart learns anew");
        }
        self.store_track().await;
    }

    async fn lecture(&self, now: Timestamp) -> Result<Lecture, StoreError> {
        let slot_length_s = self.advisor.config.slot_length_s;
        let homes = self.homes().await?;
        let stride = homes.len().div_ceil(PUPILS_MAX).max(1);
        let mut pupils = Vec::new();
        let oldest = now.plus_seconds(-PAST_DAYS * DAY_S);
        for home in homes.iter().step_by(stride) {
            let slots = past::once(&*self.advisor.store, home.id, (oldest, now), slot_length_s).await?;
            pupils.push(Pupil { rated_w: home.pv_rated_w, slots });
        }
        let (teach, judge) = school::issues(now, self.place, PAST_DAYS);
        let weather = self.advisor.sky.lessons(teach.into_iter().chain(judge).collect()).await;
        // Of a few days' weather nothing can be learned that holds for others.
        let known = weather.values().filter(|slots| !slots.is_empty()).count();
        let weather = if known * 2 >= weather.len() { weather } else { BTreeMap::new() };
        let (place, rows_max) = (self.place, self.config.rows_max);
        let in_force = self.advisor.methods.model_in_force();
        Ok(Lecture { now, place, slot_length_s, pupils, weather, rows_max, in_force })
    }

    /// Puts in force what the scores speak for.
    fn choose(&self) {
        let versions = self.advisor.methods.versions();
        let choice = versions.as_ref().map_or(Contender::First, |versions| {
            self.advisor.track().choose(versions.newest, versions.previous)
        });
        let before = self.advisor.methods.choose(choice);
        let after = self.advisor.methods.in_force().contender;
        if versions.is_some_and(|versions| before == Contender::Learned(versions.newest)) && after != before {
            tracing::warn!(
                to = ?after,
                "the learned forecast lost against what is usual over 14 days and is taken out of force"
            );
        } else if before != after {
            tracing::info!(from = ?before, to = ?after, "another method makes the forecasts");
        }
    }

    async fn store_track(&self) {
        // Copied first: people ask for their records meanwhile.
        let track = self.advisor.track().clone();
        kept::store(self.folder.join(TRACK_FILE), track).await;
    }

    async fn keep_advice(&mut self, now: Timestamp) -> Result<(), StoreError> {
        self.advisor.score_advice(now).await?;
        let advised = self.advisor.advised().clone();
        if self.advised != advised {
            self.advised = advised.clone();
            kept::store(self.folder.join(ADVICE_FILE), advised).await;
        }
        Ok(())
    }
}
