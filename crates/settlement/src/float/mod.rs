//! The operator's own money, moved from the PayBill to the payout shortcode: one move at
//! a time.
//!
//! | state | event | next | effect |
//! |---|---|---|---|
//! | - | `move_float` | Planned | the move is held in the ledger |
//! | Planned | its lane runs | Unknown | then the request leaves, once |
//! | Unknown | accepted | Accepted | waits for the result |
//! | Unknown | certainly not taken on | Failed | the hold is let go |
//! | Unknown | answer lost | Unknown | waits; M-Pesa takes no id of ours, so it is never sent again |
//! | Unknown, Accepted | result: moved, our amount | Moved | the hold is posted |
//! | Unknown, Accepted | result: refused for good | Failed | the hold is let go |
//! | Unknown, Accepted | result: any other code or amount, queue timeout | unchanged | waits |
//! | Accepted | no result for a quarter of an hour, and each after it | unchanged | M-Pesa is asked, by its own id |
//! | Accepted | M-Pesa answers: completed with our amount, or ended | Moved, Failed | the hold ends |
//! | Unknown, Accepted | no word for a day | unchanged | a person looks |
//! | Unknown, Accepted | M-Pesa's statement shows it | Moved | the hold is posted |
//! | Unknown, Accepted | two persons say so at the desk | Moved, Failed | the hold ends |
//! | Moved, Failed | anything | unchanged | - |
//!
//! While a move is not final no other begins: what the operator sees and what M-Pesa has
//! may differ by one move only. One operator may ask for a move: the money stays the
//! operator's, on accounts that [`crate::reconciliation`] compares. Saying by hand what
//! became of one is a statement about money, and takes two.

pub(crate) mod record;

use crate::engine::Key;
use crate::error::SettlementError;
use crate::inbox::{self, Heard, Note};
use crate::interruption::Moment;
use crate::reconciliation::check_operator;
use crate::review::Matter;
use crate::service::{COMMIT_ATTEMPTS, Settlement, check_key};
use crate::step::{Broken, Step, Trouble};
use jirani_daraja::ask::{FloatMove, FloatRoute, OwnShortcode, StatusRequest, TransactionName};
use jirani_ledger::Transfer;
use jirani_ledger::templates::shortcodes::{self, Shortcode};
use jirani_ledger::templates::{End, ended, held};
use jirani_store::{Change, StoreError};
use jirani_units::{Cents, Clock as _, Receipt, Timestamp};
use record::{FloatEvent, FloatRecord, FloatState};

/// The stored value's name: the number of the last move.
const LAST: &str = "float-last";
/// The most that M-Pesa moves at once: 250,000 shillings.
const MOST: Cents = Cents(25_000_000);
/// Seconds from question to question about a move whose result does not come.
const ASK_S: i64 = 900;
/// Seconds after which a person hears of it.
const OVERDUE_S: i64 = 86_400;
/// How many moves are listed at most.
const LISTED_MAX: u64 = 200;

fn stored(number: u64) -> String {
    format!("float/{number}")
}

fn named(key: &str) -> String {
    format!("float-key/{key}")
}

/// The move in the ledger, set aside.
pub(crate) fn hold(record: &FloatRecord) -> Transfer {
    let (from, to) = (Shortcode::Collection, Shortcode::Payout);
    held(shortcodes::float_moved(&record.number.to_string(), from, to, record.amount, record.asked_at))
}

fn kept(record: &FloatRecord) -> Result<Change, Broken> {
    let value = serde_json::to_string(record)
        .map_err(|error| Broken(format!("a move of float cannot be written: {error}")))?;
    Ok(Change::Setting { key: stored(record.number), value })
}

/// What `event` changes of `record`, as one commit: the record, the end of its hold and of
/// its review. Whether anything changes.
pub(crate) fn step_of(
    record: &FloatRecord,
    event: &FloatEvent,
    now: Timestamp,
) -> Result<(Step, bool), Broken> {
    let (next, said) = record.after(event);
    let mut step = Step::nothing(said);
    let Some(state) = next else { return Ok((step, false)) };
    let end = match &state {
        FloatState::Moved(_) => Some(End::Posted(record.amount)),
        FloatState::Failed(_) => Some(End::Voided),
        _ => None,
    };
    if let Some(end) = end {
        step.change(Change::Post(ended(&hold(record), end, now)));
        step.resolve(Matter::FloatUnknown(record.number), "M-Pesa has said what became of it");
    }
    step.change(kept(&record.clone().in_state(state, now))?);
    Ok((step, true))
}

impl Settlement {
    /// Moves the operator's money from the PayBill to the payout shortcode, as `operator`
    /// asks. Returns once the request has been answered or its answer is lost; the result
    /// follows later. The same `key` again gives the same move.
    pub async fn move_float(
        &self,
        operator: &str,
        amount: Cents,
        key: &str,
    ) -> Result<FloatRecord, SettlementError> {
        let _busy = self.clock.busy();
        check_key(key)?;
        check_operator(operator)?;
        if !amount.is_positive() || amount.0 % 100 != 0 || amount > MOST {
            return Err(SettlementError::FloatAmount);
        }
        let number = {
            let _planning = self.paying_out.lock().await;
            let earlier = self.store.setting(&named(key)).await?;
            if let Some(number) = earlier.and_then(|number| number.parse().ok()) {
                let earlier = self.float_move(number).await?.filter(|earlier| earlier.amount == amount);
                earlier.ok_or(SettlementError::KeyReused)?.number
            } else {
                if self.last_float_move().await?.is_some_and(|last| !last.is_final()) {
                    return Err(SettlementError::FloatMoving);
                }
                let record = FloatRecord {
                    number: self.store.next_number("float").await?,
                    amount,
                    state: FloatState::Planned,
                    asked_by: operator.to_owned(),
                    asked_at: self.clock.now(),
                    ended_at: None,
                };
                let mut step = Step::default();
                step.change(kept(&record).map_err(|error| SettlementError::from_trouble(error.into()))?);
                step.change(Change::Setting { key: LAST.to_owned(), value: record.number.to_string() });
                step.change(Change::Setting { key: named(key), value: record.number.to_string() });
                step.change(Change::Post(hold(&record)));
                self.commit(step).await?;
                record.number
            }
        };
        self.look(Key::Float(number)).await?;
        self.float_move(number)
            .await?
            .ok_or_else(|| SettlementError::Stuck("the move of float is gone".to_owned()))
    }

    /// A move of float by its number.
    pub async fn float_move(&self, number: u64) -> Result<Option<FloatRecord>, StoreError> {
        let Some(text) = self.store.setting(&stored(number)).await? else { return Ok(None) };
        let read = serde_json::from_str(&text);
        read.map(Some)
            .map_err(|error| StoreError::Damaged { what: format!("move of float {number}: {error}") })
    }

    /// The last move of float, if there ever was one.
    pub async fn last_float_move(&self) -> Result<Option<FloatRecord>, StoreError> {
        match self.store.setting(LAST).await?.and_then(|number| number.parse().ok()) {
            Some(number) => self.float_move(number).await,
            None => Ok(None),
        }
    }

    /// The last moves of float, newest first, at most `limit`.
    pub async fn float_moves(&self, limit: u32) -> Result<Vec<FloatRecord>, StoreError> {
        let last = self.last_float_move().await?.map_or(0, |last| last.number);
        let first = last.saturating_sub(u64::from(limit).min(LISTED_MAX));
        let mut moves = Vec::new();
        for number in (first..last).rev() {
            moves.extend(self.float_move(number + 1).await?);
        }
        Ok(moves)
    }

    /// Which of all moves stands under this receipt.
    pub(crate) async fn float_move_under(&self, receipt: &Receipt) -> Result<Option<u64>, StoreError> {
        let last = self.last_float_move().await?.map_or(0, |last| last.number);
        for number in (1..=last).rev() {
            let record = self.float_move(number).await?;
            if record.is_some_and(|record| record.state == FloatState::Moved(Some(receipt.clone()))) {
                return Ok(Some(number));
            }
        }
        Ok(None)
    }

    /// Ends a move by M-Pesa's statement, which names it as [`FloatRecord::reference`] does:
    /// moved, with the receipt it stands under, or `None` when it is not there, long after
    /// it was sent. Whoever says so has looked. A move that has ended stays as it is.
    pub async fn float_on_statement(
        &self,
        number: u64,
        seen: Option<Option<Receipt>>,
    ) -> Result<(), SettlementError> {
        let busy = self.clock.busy();
        let event = seen.map_or(FloatEvent::NotOnStatement, FloatEvent::OnStatement);
        // In its lane, so that no request is on its way meanwhile.
        let note = Note { place: None, heard: Heard::Float(number, event) };
        self.lanes.note(Key::Float(number), note, busy);
        self.look(Key::Float(number)).await
    }

    /// Takes up a move that was left unfinished.
    pub(crate) async fn resume_float(&self) -> Result<(), StoreError> {
        if let Some(left) = self.last_float_move().await?.filter(|left| !left.is_final()) {
            self.lanes.poke(Key::Float(left.number), self.clock.busy());
        }
        Ok(())
    }

    /// Moves a move on as far as it goes; says when to look again.
    pub(crate) async fn advance_float(&self, number: u64) -> Result<Option<Timestamp>, Trouble> {
        let Some(record) = self.float_move(number).await? else { return Ok(None) };
        match &record.state {
            // That it may have been sent is durable before the request leaves.
            FloatState::Planned => {
                if self.apply_float(number, &FloatEvent::Sending, None).await? {
                    self.send_float(&record).await?;
                }
            }
            FloatState::Unknown | FloatState::Accepted { .. } => self.ask_about_float(&record).await?,
            FloatState::Moved(_) | FloatState::Failed(_) => return Ok(None),
        }
        Ok(Some(self.clock.now().plus_seconds(ASK_S)))
    }

    async fn send_float(&self, record: &FloatRecord) -> Result<(), Trouble> {
        self.interruption.reached(Moment::FloatIntended);
        let names = self.names.float_secrets(record.number);
        let request = FloatMove {
            shillings: record.amount.shillings_down(),
            route: FloatRoute::CollectionToPayout,
            reference: record.reference(),
            answer: self.names.answer_urls(&names.result),
        };
        let answer = self.mpesa.move_float(request).await;
        self.interruption.reached(Moment::FloatAnswered);
        if let Err(error) = &answer {
            tracing::warn!(number = record.number, %error, "a move of float was not plainly accepted");
        }
        self.apply_float(record.number, &FloatEvent::Answered(answer), None).await.map(drop)
    }

    /// Asks M-Pesa what became of a move, and past a day a person.
    async fn ask_about_float(&self, record: &FloatRecord) -> Result<(), Trouble> {
        let number = record.number;
        let age_s = self.clock.now().since(record.asked_at) / 1_000_000;
        if age_s >= OVERDUE_S {
            let mut step = Step::default();
            step.review(
                Matter::FloatUnknown(number),
                format!(
                    "move {number} of float ({}, {} on the statement): M-Pesa does not say what became of it",
                    record.amount,
                    record.reference()
                ),
            );
            self.commit(step).await?;
        }
        let FloatState::Accepted { originator_id, .. } = &record.state else { return Ok(()) };
        if age_s < ASK_S {
            return Ok(());
        }
        let request = StatusRequest {
            transaction: TransactionName::Originator(originator_id.clone()),
            of: OwnShortcode::Collection,
            answer: self.names.answer_urls(&self.names.float_secrets(number).question),
        };
        if let Err(error) = self.mpesa.transaction_status(request).await {
            tracing::info!(number, %error, "M-Pesa was not asked about a move of float");
        }
        Ok(())
    }

    /// Commits what `event` changes, together with the end of the callback that told it.
    pub(crate) async fn apply_float(
        &self,
        number: u64,
        event: &FloatEvent,
        callback: Option<u64>,
    ) -> Result<bool, Trouble> {
        for _ in 0..COMMIT_ATTEMPTS {
            let (mut step, changes) = match self.float_move(number).await? {
                Some(record) => step_of(&record, event, self.clock.now())?,
                None => (Step::nothing("unknown: there is no such move of float"), false),
            };
            tracing::info!(number, outcome = step.outcome, "a move of float");
            if let Some(callback) = callback {
                inbox::done(&mut step, callback);
            }
            match self.commit(step).await {
                // Two persons at the desk were faster, and have ended its hold.
                Err(StoreError::Conflict { .. } | StoreError::Refused { .. }) => {}
                done => {
                    done?;
                    return Ok(changes);
                }
            }
        }
        Err(Broken(format!("move {number} of float stays contended")).into())
    }
}
