//! Turns kept notices into text messages, each once.
//!
//! What is about to be handed over is kept as *unknown* first: whatever breaks after
//! that, it is never handed over again unless the gateway said that it did not take it.

use crate::gsm;
use crate::schedule::{Decision, Known, Policy, Urgency};
use crate::sms::{Sms, SmsOutcome};
use jirani_clock::ServiceClock;
use jirani_store::{Change, Language, MessageRecord, MessageState, NoticeRecord, Store, StoreError};
use jirani_units::{Clock as _, HouseholdId, Msisdn, Timestamp};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Notices looked at together.
const PAGE: u32 = 200;
/// How long it rests between two looks, in seconds.
const LOOK_EVERY_S: i64 = 60;

/// The sender ended with its token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped;

/// Its neighbours.
#[derive(Clone)]
pub struct SenderDeps {
    /// Notices and what became of them.
    pub store: Arc<dyn Store>,
    /// The gateway.
    pub sms: Arc<dyn Sms>,
    /// Time.
    pub clock: ServiceClock,
}

/// Sends what is kept.
pub struct Sender {
    policy: Policy,
    deps: SenderDeps,
}

/// A household as a sender sees it: asked for once per look.
struct Reader {
    msisdn: Option<Msisdn>,
    language: Language,
    muted: bool,
    sent_today: u64,
}

impl Sender {
    /// Sends by this policy.
    pub fn new(policy: Policy, deps: SenderDeps) -> Self {
        Self { policy, deps }
    }

    /// Looks every minute until cancelled. A store that fails is asked again a minute
    /// later: nothing is lost, the notices wait in it.
    pub async fn run(self, cancel: CancellationToken) -> Stopped {
        loop {
            let now = self.deps.clock.now();
            let busy = tokio::select! {
                () = cancel.cancelled() => return Stopped,
                busy = self.deps.clock.sleep_until(now.plus_seconds(LOOK_EVERY_S)) => busy,
            };
            tokio::select! {
                () = cancel.cancelled() => return Stopped,
                looked = self.look() => if let Err(error) = looked {
                    tracing::warn!(%error, "notices could not be sent now");
                },
            }
            drop(busy);
        }
    }

    /// Sends all that may be sent now; says how many were handed over.
    pub async fn look(&self) -> Result<u32, StoreError> {
        let now = self.deps.clock.now();
        let since = now.plus_seconds(-i64::from(self.policy.stale_after_s));
        let mut readers = BTreeMap::new();
        let (mut after, mut sent) = (0, 0);
        loop {
            let page = self.deps.store.unsent_notices(since, after, PAGE).await?;
            let Some((last, _)) = page.last() else { return Ok(sent) };
            after = *last;
            for (_, notice) in page {
                let Some(household) = notice.household else { continue };
                let reader = match readers.entry(household) {
                    Entry::Occupied(known) => known.into_mut(),
                    Entry::Vacant(place) => place.insert(self.reader(household, now).await?),
                };
                if self.deal(&notice, household, reader, now).await? {
                    reader.sent_today += 1;
                    sent += 1;
                }
            }
        }
    }

    async fn reader(&self, household: HouseholdId, now: Timestamp) -> Result<Reader, StoreError> {
        let store = &self.deps.store;
        let record = store.household(household).await?;
        let handset = store.handset(household).await?;
        Ok(Reader {
            msisdn: record.as_ref().and_then(|record| record.msisdn),
            language: record.map_or(Language::default(), |record| record.language),
            muted: handset.is_some_and(|handset| handset.muted),
            sent_today: store.messages_since(household, Policy::day_start(now)).await?,
        })
    }

    /// Whether it was handed over.
    async fn deal(
        &self,
        notice: &NoticeRecord,
        household: HouseholdId,
        reader: &Reader,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let before = self.deps.store.message(&notice.key).await?;
        let text = match reader.language {
            Language::En => &notice.en,
            Language::Sw => &notice.sw,
        };
        let known = Known {
            now,
            urgency: Urgency::of(&notice.code),
            muted: reader.muted,
            sent_today: reader.sent_today,
            tried: before.as_ref().map(|message| (message.attempts, message.at)),
        };
        let decision = match reader.msisdn {
            None => Decision::Never("no number"),
            Some(_) if !gsm::is_one_message(text) => Decision::Never("not one text message"),
            Some(_) => self.policy.decide(&known),
        };
        let (attempts, version) = before.map_or((0, 0), |message| (message.attempts, message.version));
        let mut record = MessageRecord {
            key: notice.key.clone(),
            household,
            state: MessageState::Refused,
            attempts,
            gateway_id: None,
            reason: None,
            at: now,
            version,
        };
        let msisdn = match (decision, reader.msisdn) {
            (Decision::Wait(_), _) | (Decision::Send, None) => return Ok(false),
            (Decision::Never(why), _) => {
                record.reason = Some(why.to_owned());
                return self.keep(record).await.map(|_| false);
            }
            (Decision::Send, Some(msisdn)) => msisdn,
        };
        record.state = MessageState::Unknown;
        record.attempts = attempts.saturating_add(1);
        // Another sender on the same store may have it: then it is theirs.
        if self.keep(record.clone()).await? == Kept::Theirs {
            return Ok(false);
        }
        record.version = version + 1;
        let outcome = self.deps.sms.send(msisdn, text, &notice.key).await;
        let taken = !matches!(outcome, SmsOutcome::NotTaken { .. });
        (record.state, record.gateway_id, record.reason) = match outcome {
            SmsOutcome::Sent { id } => (MessageState::Sent, Some(id), None),
            SmsOutcome::Refused { reason } => (MessageState::Refused, None, Some(reason)),
            SmsOutcome::NotTaken { reason } => {
                tracing::warn!(code = %notice.code, %reason, "a message was not taken; it goes again later");
                (MessageState::Waiting, None, Some(reason))
            }
            SmsOutcome::Unknown { reason } => {
                tracing::warn!(code = %notice.code, %reason, "nobody can say whether a message was sent");
                (MessageState::Unknown, None, Some(reason))
            }
        };
        self.keep(record).await?;
        Ok(taken)
    }

    async fn keep(&self, record: MessageRecord) -> Result<Kept, StoreError> {
        match self.deps.store.commit(vec![Change::Message(record)]).await {
            Ok(_) => Ok(Kept::Ours),
            Err(StoreError::Conflict { .. }) => Ok(Kept::Theirs),
            Err(error) => Err(error),
        }
    }
}

#[derive(PartialEq, Eq)]
enum Kept {
    Ours,
    Theirs,
}
