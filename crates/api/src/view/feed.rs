//! One person's live events: what is theirs to see, not too often, in bounded memory.

use crate::app::App;
use crate::auth::SignedIn;
use crate::auth::rights::still_signed_in;
use crate::dto::event::{BalanceEvent, ChangedEvent, EmptyEvent, PowerEvent, SlotEvent};
use crate::error::ApiError;
use crate::guard::streams::OpenStream;
use crate::view::recent::Since;
use axum::response::sse;
use futures::Stream;
use jirani_store::{Event, SessionRole};
use jirani_units::HouseholdId;
use serde::Serialize;
use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::time::Duration;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, Interval, MissedTickBehavior};

/// How often a comment says that the stream is alive, and the session is looked
/// at again.
const HEARTBEAT: Duration = Duration::from_secs(20);
/// At most one `power` event of a household, and one `offers` event, in this time.
const COALESCE: Duration = Duration::from_secs(1);

/// An open stream.
pub struct Feed {
    app: App,
    who: SignedIn,
    /// The household's feeder; None for the operator, who sees all.
    feeder: Option<u16>,
    events: Receiver<Event>,
    /// Where this person is among the events that are numbered.
    place: u64,
    power: BTreeMap<HouseholdId, PowerEvent>,
    offers: bool,
    flushed_at: Option<Instant>,
    heartbeat: Interval,
    ready: VecDeque<sse::Event>,
    _open: OpenStream,
}

impl Feed {
    /// Listens from now on; with the identity of the last event that arrived, from there.
    pub async fn open(
        app: App,
        who: SignedIn,
        open: OpenStream,
        last_event_id: Option<&str>,
    ) -> Result<Self, ApiError> {
        let events = app.deps.events.subscribe();
        let place = app.recent.now();
        let feeder = match who.role {
            SessionRole::Household(id) => app.deps.store.household(id).await?.map(|own| own.feeder),
            SessionRole::Desk(_) => None,
        };
        let mut heartbeat = tokio::time::interval(HEARTBEAT);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut feed = Self {
            app,
            who,
            feeder,
            events,
            place,
            power: BTreeMap::new(),
            offers: false,
            flushed_at: None,
            heartbeat,
            ready: VecDeque::new(),
            _open: open,
        };
        match last_event_id.map(|id| feed.app.recent.place(id)) {
            None => {}
            Some(Some(place)) => {
                feed.place = place;
                feed.catch_up();
                // The last word of the market may have waited for its turn when it broke.
                feed.offers = true;
            }
            Some(None) => feed.push("resync", &EmptyEvent {}),
        }
        Ok(feed)
    }

    /// Events until the session ends, the server stops, or the reader goes.
    pub fn into_stream(self) -> impl Stream<Item = Result<sse::Event, Infallible>> + Send {
        futures::stream::unfold(self, |mut feed| async move {
            let event = feed.next().await?;
            Some((Ok(event), feed))
        })
    }

    async fn next(&mut self) -> Option<sse::Event> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            let waiting = self.offers || !self.power.is_empty();
            let flush_at = self.flushed_at.map_or_else(Instant::now, |at| at + COALESCE);
            tokio::select! {
                biased;
                () = self.app.stop.cancelled() => return None,
                _ = self.heartbeat.tick() => {
                    // Signed out, or out of time: the stream ends with the session.
                    still_signed_in(&self.app, self.who.token_hash).await.ok()??;
                    return Some(sse::Event::default().comment("alive"));
                }
                () = tokio::time::sleep_until(flush_at), if waiting => self.flush(),
                event = self.events.recv() => match event {
                    Ok(event @ Event::Reading { .. }) => self.take(event),
                    // Read from where it is numbered, in its order.
                    Ok(_) => self.catch_up(),
                    // Too slow: what is still to come would be a story with holes.
                    Err(RecvError::Lagged(_)) => self.resync(),
                    Err(RecvError::Closed) => return None,
                },
            }
        }
    }

    fn catch_up(&mut self) {
        match self.app.recent.since(self.place) {
            Since::Events(events, end) => {
                let first = end - events.len() as u64;
                for (number, event) in (first + 1..).zip(events) {
                    self.place = number;
                    self.take(event);
                }
            }
            Since::TooMuch(_) => self.resync(),
        }
    }

    fn resync(&mut self) {
        self.events = self.events.resubscribe();
        self.place = self.app.recent.now();
        self.power.clear();
        self.offers = false;
        self.push("resync", &EmptyEvent {});
    }

    fn flush(&mut self) {
        self.flushed_at = Some(Instant::now());
        for power in std::mem::take(&mut self.power).into_values() {
            self.push("power", &power);
        }
        if std::mem::take(&mut self.offers) {
            self.push("offers", &EmptyEvent {});
        }
    }

    /// Whether this person may know what concerns a household.
    fn may_see(&self, household: HouseholdId) -> bool {
        match self.who.role {
            SessionRole::Household(own) => own == household,
            SessionRole::Desk(_) => true,
        }
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Reading { household, time, power_w } if self.may_see(household) => {
                let power = PowerEvent { household_id: household.0, power_w, at: time.into() };
                self.power.insert(household, power);
            }
            Event::Attested { feeder, end } if self.feeder.is_none_or(|own| own == feeder) => {
                self.push("slot", &SlotEvent { feeder, end: end.into() });
            }
            Event::Offer(..) => self.offers = true,
            Event::Order(id, buyer) if self.may_see(buyer) => {
                self.push("order", &ChangedEvent { id: id.0, household_id: buyer.0 });
            }
            Event::Payout(id, household) if self.may_see(household) => {
                self.push("payout", &ChangedEvent { id: id.0, household_id: household.0 });
            }
            Event::Balance(household) if self.may_see(household) => {
                self.push("balance", &BalanceEvent { household_id: household.0 });
            }
            Event::Tariff => self.push("tariff", &EmptyEvent {}),
            _ => {}
        }
    }

    fn push(&mut self, name: &str, data: &impl Serialize) {
        // Plain structures of numbers always become JSON.
        let id = self.app.recent.id(self.place);
        if let Ok(event) = sse::Event::default().event(name).id(id).json_data(data) {
            self.ready.push_back(event);
        }
    }
}
