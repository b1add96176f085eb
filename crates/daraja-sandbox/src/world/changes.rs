//! What changed since the last commit, and the way back from the disk.

use super::b2b::B2b;
use super::prompt::Late;
use super::{C2bUrls, Command, Fault, Owed, Payout, Plan, Prompt, Timer, World};
use crate::book::Movement;
use crate::config::SandboxConfig;
use crate::store::Stored;
use jirani_units::{Msisdn, Timestamp};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Kinds of things that are kept as one row of JSON each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Counters,
    Prompt,
    Payout,
    Phone,
    C2bUrls,
    Fault,
    Owed,
    Command,
    B2b,
    Initiator,
    Validating,
    Pulling,
    Plan,
}

impl Kind {
    /// The name in the database.
    pub fn name(self) -> &'static str {
        match self {
            Self::Counters => "counters",
            Self::Prompt => "prompt",
            Self::Payout => "payout",
            Self::Phone => "phone",
            Self::C2bUrls => "c2b_urls",
            Self::Fault => "fault",
            Self::Owed => "owed",
            Self::Command => "command",
            Self::B2b => "b2b",
            Self::Initiator => "initiator",
            Self::Validating => "validating",
            Self::Pulling => "pulling",
            Self::Plan => "plan",
        }
    }
}

/// Numbers that never repeat, not even over a restart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Things made.
    pub seq: u64,
    /// Receipts given.
    pub receipts: u64,
    /// Times the emulator started on this state.
    pub starts: u64,
    /// The emulator's time when it last saved something.
    #[serde(default)]
    pub saved_at: Timestamp,
}

/// Rows to write in one commit.
#[derive(Debug, Default)]
pub struct Batch {
    /// Kind, id, and the row; `None` takes it away.
    pub rows: Vec<(Kind, String, Option<String>)>,
    /// New movements.
    pub movements: Vec<Movement>,
}

/// Notes what is to be written.
pub(super) struct Changes {
    durable: bool,
    rows: BTreeMap<(Kind, String), Option<String>>,
    counters: Counters,
}

impl Changes {
    pub fn new(durable: bool) -> Self {
        Self { durable, rows: BTreeMap::new(), counters: Counters::default() }
    }

    pub fn put<T: Serialize>(&mut self, kind: Kind, id: &str, row: &T) {
        if self.durable {
            // INVARIANT: our own structs, without maps of odd keys, always become JSON.
            #[expect(clippy::expect_used, reason = "a row of our own always becomes JSON")]
            let row = serde_json::to_string(row).expect("a row of our own becomes JSON");
            self.rows.insert((kind, id.to_owned()), Some(row));
        }
    }

    pub fn remove(&mut self, kind: Kind, id: &str) {
        if self.durable {
            self.rows.insert((kind, id.to_owned()), None);
        }
    }
}

impl World {
    /// Everything that changed since the last call.
    pub fn take_batch(&mut self) -> Batch {
        let movements = self.book.take_unsaved();
        self.forget();
        if !self.changes.durable {
            return Batch::default();
        }
        if !movements.is_empty() || !self.changes.rows.is_empty() {
            self.counters.saved_at = self.now;
        }
        if self.counters != self.changes.counters {
            self.changes.counters = self.counters;
            let counters = self.counters;
            self.changes.put(Kind::Counters, "0", &counters);
        }
        let rows = std::mem::take(&mut self.changes.rows);
        Batch { rows: rows.into_iter().map(|((kind, id), row)| (kind, id, row)).collect(), movements }
    }

    /// The world as it was saved; says which kind of row it cannot read. What
    /// is still owed goes out again, but for callbacks that are `out` already.
    pub fn restore(
        config: Arc<SandboxConfig>,
        now: Timestamp,
        stored: Stored,
        out: std::collections::BTreeSet<u64>,
    ) -> Result<Self, String> {
        let mut world = Self::empty(config, now);
        world.out = out;
        world.book.carry(stored.carried_to, stored.carried);
        for movement in stored.movements {
            world.book.restore(movement);
        }
        for (kind, id, row) in stored.rows {
            world.restore_row(&kind, &id, &row).ok_or_else(|| format!("{kind} {id}"))?;
        }
        world.changes.counters = world.counters;
        world.open_book();
        world.resume_owed();
        Ok(world)
    }

    /// Counts a start; ids of this start differ from those of the last.
    pub fn count_start(&mut self) -> u64 {
        self.counters.starts += 1;
        self.counters.starts
    }

    /// The callbacks that have been handed out for delivery.
    pub fn out(&self) -> std::collections::BTreeSet<u64> {
        self.out.clone()
    }

    fn restore_row(&mut self, kind: &str, id: &str, row: &str) -> Option<()> {
        let seq = || id.parse::<u64>().ok();
        match kind {
            "counters" => self.counters = read(row)?,
            "prompt" => {
                let (seq, prompt): (u64, Prompt) = (seq()?, read(row)?);
                self.by_checkout_id.insert(prompt.checkout_request_id.clone(), seq);
                if prompt.result.is_none() {
                    self.watch(seq, &prompt);
                }
                if let Some(Late::At(at)) = prompt.late {
                    self.timers.insert((at, seq, Timer::PayLate));
                }
                self.prompts.insert(seq, prompt);
            }
            "payout" => {
                let (seq, payout): (u64, Payout) = (seq()?, read(row)?);
                self.index_payout(seq, &payout);
                if payout.result_code.is_none() {
                    self.timers.insert((payout.result_at, seq, Timer::Payout));
                }
                self.payouts.insert(seq, payout);
            }
            "phone" => {
                let msisdn: Msisdn = id.parse().ok()?;
                self.phones.insert(msisdn, read(row)?);
            }
            "c2b_urls" => {
                let urls: C2bUrls = read(row)?;
                self.c2b_urls.insert(id.to_owned(), urls);
            }
            "fault" => {
                let fault: Fault = read(row)?;
                self.faults.push_back(fault);
                self.faults.make_contiguous().sort_by_key(|fault| fault.seq);
            }
            "owed" => {
                let (seq, owed): (u64, Owed) = (seq()?, read(row)?);
                self.owed.insert(seq, owed);
            }
            "command" => {
                let (seq, command): (u64, Command) = (seq()?, read(row)?);
                self.timers.insert((command.result_at, seq, Timer::Command));
                self.commands.insert(seq, command);
            }
            "b2b" => {
                let (seq, b2b): (u64, B2b) = (seq()?, read(row)?);
                self.keep_b2b(seq, b2b);
            }
            "initiator" => self.initiator = read(row)?,
            "validating" => {
                self.validating.insert(id.to_owned(), read(row)?);
            }
            "pulling" => {
                self.pulling.insert(id.to_owned());
            }
            "plan" => {
                let (seq, plan): (u64, Plan) = (seq()?, read(row)?);
                self.timers.insert((plan.at, seq, Timer::Plan));
                self.plans.insert(seq, plan);
            }
            _ => return None,
        }
        Some(())
    }
}

fn read<T: DeserializeOwned>(row: &str) -> Option<T> {
    serde_json::from_str(row).ok()
}
