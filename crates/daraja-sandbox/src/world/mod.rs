//! The state of M-Pesa as this emulator knows it, and what may happen to it.
//!
//! Promises: pure (time and seed come in, nothing goes out), deterministic,
//! and every change is noted for one commit: money that moved and the
//! callbacks owed for it are saved together or not at all. The core
//! ([`crate::core`]) applies calls one after another, commits, and only then
//! lets answers and callbacks out.

mod b2b;
mod bodies;
mod business;
mod callback;
mod changes;
mod command;
mod fault;
mod initiator;
mod paybill;
mod payout;
mod phone;
mod plan;
mod prompt;
mod pull;
mod query;
mod results;
mod reversal;
mod statement;
mod transaction;

use b2b::B2b;
pub use business::BusinessChange;
pub use callback::Owed;
use callback::{CallbackKind, Delivered, MOST_OWED, News};
use changes::Counters;
pub use changes::{Batch, Kind};
use command::Command;
pub use command::{Ask, B2bCommand, CommandOrder, StatusOf};
use fault::Fault;
pub use fault::{FaultOrder, Verdict, Whom};
use initiator::Initiator;
pub use initiator::InitiatorChange;
pub use paybill::{Begun, C2bUrls, C2bVersion, Payment, PaymentProblem};
use payout::Payout;
pub use payout::PayoutOrder;
use phone::Phone;
pub use phone::{PhoneChange, PhoneOrder};
use plan::Plan;
pub use plan::Step;
pub use prompt::{HandAnswer, Push};
use prompt::{Prompt, PromptView};
pub use pull::PullRow;
pub use reversal::ReversalProblem;
pub use statement::{StatementOf, StatementRow};

use crate::book::{Account, Book, MovementKind};
use crate::config::{Landing, SandboxConfig};
use crate::draw::{self, Draw, Purpose};
use crate::refusal::Refusal;
use changes::Changes;
use jirani_units::{Msisdn, Timestamp};
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use tokio::sync::oneshot;

/// Something that happens by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    /// An automatic phone answers.
    Answer,
    /// A prompt leaves the phone.
    Expire,
    /// A payout gets its result.
    Payout,
    /// A delayed callback is due.
    Deliver,
    /// A prompt that ended unanswered is paid after all.
    PayLate,
    /// A command gets its result.
    Command,
    /// A step of a scenario is due.
    Plan,
}

/// The state.
pub struct World {
    config: Arc<SandboxConfig>,
    now: Timestamp,
    counters: Counters,
    book: Book,
    prompts: BTreeMap<u64, Prompt>,
    by_checkout_id: HashMap<String, u64>,
    open: BTreeMap<Msisdn, VecDeque<u64>>,
    payouts: BTreeMap<u64, Payout>,
    by_originator_id: HashMap<String, u64>,
    by_conversation_id: HashMap<String, u64>,
    phones: BTreeMap<Msisdn, Phone>,
    c2b_urls: BTreeMap<String, C2bUrls>,
    commands: BTreeMap<u64, Command>,
    b2bs: BTreeMap<u64, B2b>,
    by_b2b_id: HashMap<String, u64>,
    initiator: Initiator,
    validating: BTreeMap<String, bool>,
    pulling: BTreeSet<String>,
    plans: BTreeMap<u64, Plan>,
    faults: VecDeque<Fault>,
    held: Vec<u64>,
    waiting: Vec<(u64, oneshot::Sender<()>)>,
    owed: BTreeMap<u64, Owed>,
    recent: VecDeque<Delivered>,
    timers: BTreeSet<(Timestamp, u64, Timer)>,
    lanes: Vec<Vec<u64>>,
    out: BTreeSet<u64>,
    changes: Changes,
}

impl World {
    /// A world in which nothing has happened but the opening float.
    pub fn new(config: Arc<SandboxConfig>, now: Timestamp) -> Self {
        let mut world = Self::empty(config, now);
        world.open_book();
        world
    }

    fn empty(config: Arc<SandboxConfig>, now: Timestamp) -> Self {
        let changes = Changes::new(config.data_dir.is_some());
        Self {
            config,
            now,
            counters: Counters::default(),
            book: Book::default(),
            prompts: BTreeMap::new(),
            by_checkout_id: HashMap::new(),
            open: BTreeMap::new(),
            payouts: BTreeMap::new(),
            by_originator_id: HashMap::new(),
            by_conversation_id: HashMap::new(),
            phones: BTreeMap::new(),
            c2b_urls: BTreeMap::new(),
            commands: BTreeMap::new(),
            b2bs: BTreeMap::new(),
            by_b2b_id: HashMap::new(),
            initiator: Initiator::default(),
            validating: BTreeMap::new(),
            pulling: BTreeSet::new(),
            plans: BTreeMap::new(),
            faults: VecDeque::new(),
            held: Vec::new(),
            waiting: Vec::new(),
            owed: BTreeMap::new(),
            recent: VecDeque::new(),
            timers: BTreeSet::new(),
            lanes: Vec::new(),
            out: BTreeSet::new(),
            changes,
        }
    }

    /// The first movement, once; and every known phone with its money.
    fn open_book(&mut self) {
        if self.book.last_seq() == 0 {
            let to = Account::utility(&self.config.payout.code);
            let float = self.config.opening_float;
            let accounts = (Account::Outside, to);
            self.book.move_money(self.now, MovementKind::OpeningFloat, accounts, float, (None, None));
        }
        let config = Arc::clone(&self.config);
        for msisdn in config.phones.keys() {
            self.phone_mut(*msisdn);
        }
    }

    /// Sets the time for what is done next.
    pub fn set_now(&mut self, now: Timestamp) {
        self.now = now;
    }

    /// When something happens by itself next.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.timers.first().map(|(at, _, _)| *at)
    }

    /// Lets happen whatever is due by now, in order.
    pub fn fire_due(&mut self) {
        while let Some(&(at, seq, timer)) = self.timers.first() {
            if at > self.now {
                return;
            }
            self.timers.pop_first();
            match timer {
                Timer::Answer => self.automatic_answer(seq),
                Timer::Expire => self.expire(seq),
                Timer::Payout => self.finish_payout(seq),
                Timer::Deliver => self.deliver_late(seq),
                Timer::PayLate => self.pay_late(seq),
                Timer::Command => self.finish_command(seq),
                Timer::Plan => self.follow_plan(seq),
            }
        }
    }

    /// How many open prompts wait for a person.
    pub fn prompts_by_hand(&self) -> usize {
        let open = self.open.values().flatten().filter_map(|seq| self.prompts.get(seq));
        open.filter(|prompt| prompt.waits_for_a_person()).count()
    }

    fn next_seq(&mut self) -> u64 {
        self.counters.seq += 1;
        self.counters.seq
    }

    fn next_receipt(&mut self) -> String {
        self.counters.receipts += 1;
        draw::receipt(self.config.seed, self.now, self.counters.receipts)
    }

    fn draw_id(&mut self) -> Draw {
        let nth = self.next_seq();
        Draw::new(self.config.seed, Purpose::Id, 0, nth)
    }

    fn known(&self, shortcode: &str) -> Result<(), Refusal> {
        if self.config.shortcode(shortcode).is_some() { Ok(()) } else { Err(Refusal::no_such_merchant()) }
    }

    /// Whether something new can be taken on: what waits is bounded, so that no
    /// stream of requests fills the memory.
    fn room(&self) -> Result<(), Refusal> {
        let waits = self.owed.len().max(self.commands.len()).max(self.open.len());
        if waits < MOST_OWED { Ok(()) } else { Err(Refusal::busy()) }
    }

    /// The account that collections of a shortcode land in.
    fn landing(&self, shortcode: &str) -> Account {
        match self.config.collections_land {
            Landing::Utility => Account::utility(shortcode),
            Landing::Working => Account::working(shortcode),
        }
    }

    /// Forgets what is long over.
    fn forget(&mut self) {
        let most = self.config.history;
        self.book.forget_beyond(most);
        while self.prompts.len() > most
            && let Some(first) = self.prompts.first_entry()
            && first.get().result.is_some()
            && first.get().late.is_none()
        {
            let (seq, prompt) = first.remove_entry();
            self.by_checkout_id.remove(&prompt.checkout_request_id);
            self.changes.remove(Kind::Prompt, &seq.to_string());
        }
        while self.payouts.len() > most
            && let Some(first) = self.payouts.first_entry()
            && first.get().result_code.is_some()
        {
            let (seq, payout) = first.remove_entry();
            self.by_originator_id.remove(&payout.order.originator_id);
            self.by_conversation_id.remove(&payout.conversation_id);
            self.changes.remove(Kind::Payout, &seq.to_string());
        }
        self.forget_b2bs(most);
    }
}
