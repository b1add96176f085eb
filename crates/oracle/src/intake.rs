//! What becomes of a batch, before anything is committed: taken apart, recognised,
//! verified, judged.

use crate::anew::begin;
use crate::json_form;
use crate::known::{Enrolled, Known, latest};
use crate::refused::{Fingerprint, Keeping, Refused};
use crate::verify::{Check, verify_all};
use jirani_meter::sign1::Sign1;
use jirani_meter::{Algorithm, ChallengeAnswer, MESSAGE_MAX, READING_CONTEXT, Reading, WireError, message};
use jirani_readings::{Latest, Refusal, Remark, judge, time_of};
use jirani_store::{Change, QuarantineRow, ReadingRow, Store, StoreError};
use jirani_units::{HouseholdId, MeterId, Timestamp, Wh};
use rumqttc::Publish;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Most bytes kept of a message that cannot be taken apart.
const QUARANTINED_MAX: usize = 1_024;
/// Signatures that are checked here; more go to a thread that may block.
const CHECKED_HERE: usize = 32;

/// A reading on its way through the rules.
struct Candidate {
    meter: MeterId,
    reading: Reading,
    bytes: Vec<u8>,
    enrolled: Enrolled,
}

/// What a batch will change, and whom it will be told.
#[derive(Default)]
pub(crate) struct Decided {
    pub(crate) accepted: Vec<ReadingRow>,
    pub(crate) quarantined: Vec<QuarantineRow>,
    pub(crate) fingerprints: Vec<Fingerprint>,
    pub(crate) keeping: Keeping,
    /// Durable once committed: seqs by meter and epoch.
    pub(crate) durable: BTreeMap<(MeterId, u32), BTreeSet<u64>>,
    pub(crate) duplicates: usize,
    /// Spans that begin, and what goes with them: kept before the readings are.
    pub(crate) changes: Vec<Change>,
    /// Meters that said two things under one identity.
    pub(crate) equivocal: BTreeSet<MeterId>,
    /// What is remarkable about accepted readings.
    pub(crate) remarks: Vec<(MeterId, Remark, u64)>,
    /// Right answers to challenges.
    pub(crate) answers: BTreeMap<MeterId, ChallengeAnswer>,
    /// The last accepted reading of each meter of the batch, as the next one is judged by it.
    pub(crate) said: HashMap<MeterId, Latest>,
    /// Every refusal, whether it is kept again or not.
    pub(crate) refusals: Vec<(Option<MeterId>, &'static str)>,
}

/// A batch on its way: what is known, and what has been decided so far.
pub(crate) struct Intake<'a> {
    pub(crate) store: &'a dyn Store,
    pub(crate) known: &'a mut Known,
    pub(crate) refused: &'a Refused,
    pub(crate) now: Timestamp,
    pub(crate) decided: Decided,
}

impl Intake<'_> {
    /// Decides about a whole batch; changes nothing in the store.
    pub(crate) async fn decide<'p>(
        mut self,
        publishes: impl Iterator<Item = &'p Publish>,
    ) -> Result<Decided, StoreError> {
        let mut opened = Vec::new();
        for publish in publishes {
            self.open(publish, &mut opened);
        }
        let candidates = self.recognise(opened).await?;
        let verified = self.verify(candidates).await;
        self.judge(verified).await?;
        Ok(self.decided)
    }

    /// Takes a message apart.
    fn open(&mut self, publish: &Publish, opened: &mut Vec<(MeterId, Reading, Vec<u8>)>) {
        let payload = &publish.payload[..];
        let claim = publish.topic.strip_prefix("v1/").and_then(|rest| rest.strip_suffix("/claim"));
        if let Some(meter) = claim.and_then(|meter| meter.parse::<MeterId>().ok()) {
            return self.open_answer(meter, payload);
        }
        let topic = publish.topic.strip_prefix("v1/").and_then(|rest| rest.strip_suffix("/up"));
        let Some(meter) = topic.and_then(|meter| meter.parse::<MeterId>().ok()) else {
            return self.refuse(None, Refusal::WrongTopic, payload);
        };
        if payload.len() > MESSAGE_MAX {
            let too_large = WireError::TooLarge { what: "a message", limit: MESSAGE_MAX };
            return self.refuse(Some(meter), too_large.into(), payload);
        }
        if json_form::is_json(payload) {
            return self.open_json(meter, payload, opened);
        }
        let readings = match message::split(payload) {
            Ok(readings) => readings,
            Err(error) => return self.refuse(Some(meter), error.into(), payload),
        };
        for signed in readings {
            let signed = match signed {
                Ok(signed) => signed,
                Err(error) => {
                    self.refuse(Some(meter), error.into(), payload);
                    continue;
                }
            };
            match Reading::decode(signed.bytes) {
                Ok((reading, _)) if MeterId(reading.meter) != meter => {
                    self.refuse(Some(meter), Refusal::WrongTopic, signed.bytes);
                }
                Ok((reading, _)) => opened.push((meter, reading, signed.bytes.to_vec())),
                Err(error) => self.refuse(Some(meter), error.into(), signed.bytes),
            }
        }
    }

    /// Takes an answer to a challenge. Of a meter that is not asked it says nothing: it has
    /// answered before, since the broker delivers at least once, or nobody wants to know.
    fn open_answer(&mut self, meter: MeterId, payload: &[u8]) {
        let Some(asked) = self.known.asked(meter) else { return };
        let answer = ChallengeAnswer::open(payload).map_err(Refusal::from);
        match answer.and_then(|answer| asked.is_met_by(&answer).then_some(answer).ok_or(Refusal::WrongAnswer))
        {
            Ok(answer) => {
                self.decided.answers.insert(meter, answer);
            }
            Err(refusal) => self.refuse(Some(meter), refusal, payload),
        }
    }

    /// Takes a message in JSON apart: from here on the same readings as any.
    fn open_json(&mut self, meter: MeterId, payload: &[u8], opened: &mut Vec<(MeterId, Reading, Vec<u8>)>) {
        let readings = match json_form::readings(payload) {
            Ok(readings) => readings,
            Err(error) => return self.refuse(Some(meter), error.into(), payload),
        };
        for bytes in readings {
            match Reading::decode(&bytes).map(|(reading, _)| reading) {
                Ok(reading) if MeterId(reading.meter) != meter => {
                    self.refuse(Some(meter), Refusal::WrongTopic, &bytes);
                }
                Ok(reading) => opened.push((meter, reading, bytes)),
                Err(error) => self.refuse(Some(meter), error.into(), &bytes),
            }
        }
    }

    /// Finds whose readings these are; asks the store again, once, when it seems to
    /// know more than this gateway.
    async fn recognise(
        &mut self,
        opened: Vec<(MeterId, Reading, Vec<u8>)>,
    ) -> Result<Vec<Candidate>, StoreError> {
        let is_current = |known: &Known, meter, epoch| {
            known.is_former(meter) || known.meter(meter).is_some_and(|enrolled| enrolled.epoch == epoch)
        };
        if !opened.iter().all(|(meter, reading, _)| is_current(self.known, *meter, reading.epoch)) {
            self.known.refresh_enrolled(self.store).await?;
        }
        let mut candidates = Vec::with_capacity(opened.len());
        for (meter, reading, bytes) in opened {
            match self.known.meter(meter) {
                Some(enrolled) => {
                    candidates.push(Candidate { meter, reading, bytes, enrolled: enrolled.clone() });
                }
                None => self.refuse(Some(meter), self.known.stranger(meter), &bytes),
            }
        }
        Ok(candidates)
    }

    /// Keeps the readings whose signature holds.
    async fn verify(&mut self, candidates: Vec<Candidate>) -> Vec<Candidate> {
        let mut checked = Vec::with_capacity(candidates.len());
        let mut checks = Vec::with_capacity(candidates.len());
        for candidate in candidates {
            match check_of(&candidate) {
                Ok(check) => {
                    checks.push(check);
                    checked.push(candidate);
                }
                Err(refusal) => self.refuse(Some(candidate.meter), refusal, &candidate.bytes),
            }
        }
        let holds = if checks.len() <= CHECKED_HERE {
            verify_all(&checks)
        } else {
            // A task that ends without an answer leaves no answers: nothing holds.
            tokio::task::spawn_blocking(move || verify_all(&checks)).await.unwrap_or_default()
        };
        let mut verified = Vec::with_capacity(checked.len());
        for (place, candidate) in checked.into_iter().enumerate() {
            if holds.get(place) == Some(&true) {
                verified.push(candidate);
            } else {
                let refusal = Refusal::Wire(WireError::BadSignature);
                self.refuse(Some(candidate.meter), refusal, &candidate.bytes);
            }
        }
        verified
    }

    /// Applies the rules, in the order of arrival.
    async fn judge(&mut self, verified: Vec<Candidate>) -> Result<(), StoreError> {
        let mut places: HashMap<(MeterId, u32, u64), usize> = HashMap::new();
        // Meters whose registers begin anew within this batch.
        let mut anew: HashMap<MeterId, Enrolled> = HashMap::new();
        for Candidate { meter, reading, bytes, enrolled } in verified {
            let enrolled = anew.get(&meter).cloned().unwrap_or(enrolled);
            let identity = (reading.epoch, reading.seq);
            let latest_said =
                self.decided.said.get(&meter).or_else(|| self.known.latest.get(&meter)).copied();
            let is_ahead = latest_said.is_none_or(|latest| (latest.epoch, latest.seq) < identity);
            let verdict = if is_ahead {
                judge(&reading, &self.known.terms(&enrolled), latest_said.as_ref(), self.now)
            } else {
                let (epoch, seq) = identity;
                let known = match places.get(&(meter, epoch, seq)) {
                    Some(place) => Some(self.decided.accepted[*place].bytes.clone()),
                    None => self.store.reading(meter, epoch, seq).await?.map(|row| row.bytes),
                };
                match known {
                    Some(known) if known == bytes => {
                        self.decided.duplicates += 1;
                        self.decided.durable.entry((meter, epoch)).or_default().insert(seq);
                        continue;
                    }
                    Some(_) => Err(Refusal::Equivocation { epoch, seq }),
                    None => Err(Refusal::OldSeq { epoch, seq }),
                }
            };
            let verdict = match verdict {
                Ok(verdict) => verdict,
                Err(refusal) => {
                    self.refuse(Some(meter), refusal, &bytes);
                    if matches!(refusal, Refusal::Equivocation { .. }) {
                        self.decided.equivocal.insert(meter);
                    }
                    if refusal.is_acknowledged() {
                        self.decided.durable.entry((meter, reading.epoch)).or_default().insert(reading.seq);
                    }
                    continue;
                }
            };
            self.decided.remarks.extend(verdict.remarks.iter().map(|remark| (meter, remark, reading.seq)));
            if let Some(began) = verdict.began {
                let begun = begin(self.store, (meter, &enrolled), &reading, began, self.now).await?;
                let Some((changes, enrolled)) = begun else {
                    self.refuse(Some(meter), Refusal::OutOfRange("a household's register"), &bytes);
                    continue;
                };
                keep(&mut self.decided.changes, changes);
                if anew.insert(meter, enrolled).is_none() {
                    // What another gateway stores meanwhile would be counted by no span.
                    let last = self.known.latest.get(&meter).map(|latest| (latest.epoch, latest.seq));
                    self.decided.changes.push(Change::LastReading { meter, last });
                }
            }
            let row = row_of(meter, &reading, enrolled.household, bytes, self.now);
            // What this batch has accepted counts as said.
            self.decided.said.insert(meter, Latest { ahead: verdict.ahead, ..latest(&row) });
            places.insert((meter, row.epoch, row.seq), self.decided.accepted.len());
            self.decided.durable.entry((meter, row.epoch)).or_default().insert(row.seq);
            self.decided.accepted.push(row);
        }
        Ok(())
    }

    /// Counts a refusal, and keeps what was refused while there is room for it.
    fn refuse(&mut self, meter: Option<MeterId>, refusal: Refusal, bytes: &[u8]) {
        self.decided.refusals.push((meter, refusal.code()));
        let bytes = &bytes[..bytes.len().min(QUARANTINED_MAX)];
        let fingerprint = Refused::fingerprint(meter, refusal.code(), bytes);
        if self.refused.knows(&fingerprint) || self.decided.fingerprints.contains(&fingerprint) {
            return;
        }
        if !self.refused.has_room(&mut self.decided.keeping, meter, refusal.code(), bytes.len()) {
            return;
        }
        tracing::warn!(meter = ?meter, "{refusal}");
        self.decided.fingerprints.push(fingerprint);
        self.decided.quarantined.push(QuarantineRow {
            meter,
            code: refusal.code().to_owned(),
            detail: refusal.to_string(),
            bytes: bytes.to_vec(),
            received_at: self.now,
        });
    }
}

/// Adds changes; a household that changes twice in a batch changes once, to the last.
fn keep(kept: &mut Vec<Change>, changes: Vec<Change>) {
    for change in changes {
        if let Change::Household(new) = &change {
            kept.retain(|old| !matches!(old, Change::Household(old) if old.id == new.id));
        }
        kept.push(change);
    }
}

fn check_of(candidate: &Candidate) -> Result<Check, Refusal> {
    let key = candidate.enrolled.key?;
    let signed = Sign1::read_all(&candidate.bytes)?;
    if signed.algorithm != Algorithm::EdDsa {
        return Err(WireError::UnsupportedAlgorithm(signed.algorithm.number()).into());
    }
    let message = signed.signed_bytes(READING_CONTEXT)?.as_slice().to_vec();
    Ok(Check { key, message, signature: *signed.signature })
}

fn row_of(
    meter: MeterId,
    reading: &Reading,
    household: HouseholdId,
    bytes: Vec<u8>,
    now: Timestamp,
) -> ReadingRow {
    ReadingRow {
        meter,
        epoch: reading.epoch,
        seq: reading.seq,
        household,
        time: time_of(reading),
        import_wh: Wh(reading.registers.import_wh),
        export_wh: Wh(reading.registers.export_wh),
        generation_wh: Wh(reading.registers.generation_wh),
        power_w: reading.instantaneous.power_w,
        bytes,
        received_at: now,
    }
}
