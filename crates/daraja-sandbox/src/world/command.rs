//! Commands that are answered later: transaction status, account balance,
//! reversal, B2B. Taken on, done after a while, told of, forgotten.

use super::changes::Kind;
use super::payout::{Forced, QUEUE_TIMEOUT};
use super::{CallbackKind, News, Timer, Whom, World, results};
use crate::action::Target;
use crate::book::{Account, MovementKind};
use crate::draw::{Draw, Purpose};
use crate::refusal::Refusal;
use jirani_units::{Cents, Timestamp};
use serde::{Deserialize, Serialize};

/// What a transaction is asked for by.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum StatusOf {
    /// Its receipt.
    Receipt(String),
    /// The id of the request that made it: the client's or M-Pesa's.
    Conversation(String),
}

/// What a B2B request moves money for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum B2bCommand {
    /// `BusinessPayBill`: to another PayBill.
    PayBill,
    /// `BusinessBuyGoods`: to a till.
    BuyGoods,
    /// `BusinessPayToBulk`: to the utility account of a shortcode that pays out.
    PayToBulk,
    /// `BusinessTransferFromMMFToUtility`: between one's own accounts.
    WorkingToUtility,
}

/// What is asked for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Ask {
    /// `TransactionStatusQuery`.
    Status(StatusOf),
    /// `AccountBalance`.
    Balance,
    /// `TransactionReversal`.
    Reversal {
        /// Of which transaction.
        receipt: String,
        /// Whole shillings.
        shillings: i64,
    },
    /// B2B.
    B2b {
        /// Which kind.
        command: B2bCommand,
        /// Who receives.
        receiver: String,
        /// Whole shillings.
        shillings: i64,
        /// The account at the receiver's.
        reference: String,
    },
}

impl Ask {
    fn kind(&self) -> CallbackKind {
        match self {
            Self::Status(_) => CallbackKind::Status,
            Self::Balance => CallbackKind::Balance,
            Self::Reversal { .. } => CallbackKind::Reversal,
            Self::B2b { .. } => CallbackKind::B2b,
        }
    }

    fn target(&self) -> Target {
        match self {
            Self::Status(_) => Target::Status,
            Self::Balance => Target::Balance,
            Self::Reversal { .. } => Target::Reversal,
            Self::B2b { .. } => Target::B2b,
        }
    }
}

/// A command, its fields checked.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CommandOrder {
    /// What is asked for.
    pub ask: Ask,
    /// The shortcode that asks.
    pub shortcode: String,
    /// Whether name and credential of the initiator are right.
    pub initiator_right: bool,
    /// Where the result goes.
    pub result_url: String,
    /// Where a queue timeout goes.
    pub timeout_url: String,
}

/// A command that was taken on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Command {
    /// What was asked for.
    pub order: CommandOrder,
    /// M-Pesa's id.
    pub conversation_id: String,
    /// The id that stands for the client's.
    pub originator_id: String,
    /// When its result comes.
    pub result_at: Timestamp,
    /// How it ends by order.
    pub forced: Option<Forced>,
}

/// A result: its code, its words where they are not the code's own, the
/// receipt of what moved, and its parameters.
pub(super) struct Outcome {
    pub code: String,
    pub words: Option<String>,
    pub receipt: Option<String>,
    pub parameters: results::Parameters,
    pub reference: Option<String>,
}

impl Outcome {
    /// Nothing happened.
    pub fn refused(code: &str) -> Self {
        Self { code: code.to_owned(), words: None, receipt: None, parameters: Vec::new(), reference: None }
    }

    /// It is done.
    pub fn done(receipt: Option<String>, parameters: results::Parameters) -> Self {
        Self { code: "0".to_owned(), words: None, receipt, parameters, reference: None }
    }
}

impl World {
    /// Takes a command on; says its number, too.
    pub fn order_command(&mut self, order: CommandOrder) -> Result<(Command, u64), Refusal> {
        self.known(&order.shortcode)?;
        self.room()?;
        let whom = Whom::business(&order.shortcode);
        let forced = Forced::of(self.take_fault(order.ask.target(), whom).as_ref());
        let conversation_id = self.new_conversation_id();
        let originator_id = self.draw_id().dashed();
        let seq = self.next_seq();
        let delay =
            Draw::new(self.config.seed, Purpose::Command, 0, seq).delay_us(self.config.payout_delay_ms);
        let result_at = Timestamp(self.now.0 + delay);
        let command = Command { order, conversation_id, originator_id, result_at, forced };
        self.timers.insert((result_at, seq, Timer::Command));
        self.changes.put(Kind::Command, &seq.to_string(), &command);
        self.commands.insert(seq, command.clone());
        Ok((command, seq))
    }

    pub(super) fn finish_command(&mut self, seq: u64) {
        let Some(command) = self.commands.remove(&seq) else { return };
        self.changes.remove(Kind::Command, &seq.to_string());
        self.timers.remove(&(command.result_at, seq, Timer::Command));
        let outcome = match &command.forced {
            Some(Forced::Code(code)) => Outcome::refused(code),
            Some(Forced::Timeout) => Outcome::refused(QUEUE_TIMEOUT),
            _ => match self.judge_initiator(command.order.initiator_right) {
                Some(code) => Outcome::refused(code),
                None => self.do_command(&command.order),
            },
        };
        self.b2b_ended(seq, &command, &outcome);
        self.tell_command(seq, &command, outcome);
    }

    fn do_command(&mut self, order: &CommandOrder) -> Outcome {
        match &order.ask {
            Ask::Status(of) => self.status_of(of),
            Ask::Balance => self.balance_of(&order.shortcode),
            Ask::Reversal { receipt, shillings } => self.reverse(&order.shortcode, receipt, *shillings),
            Ask::B2b { command, receiver, shillings, reference } => {
                self.move_float(&order.shortcode, *command, receiver, *shillings, reference)
            }
        }
    }

    fn tell_command(&mut self, seq: u64, command: &Command, outcome: Outcome) {
        let order = &command.order;
        let news = News {
            kind: order.ask.kind(),
            about: seq,
            whom: Whom::business(&order.shortcode),
            url: &order.result_url,
            due_at: self.now,
        };
        let mut lane = Vec::new();
        if matches!(
            command.forced,
            Some(Forced::Timeout | Forced::TimeoutDone | Forced::TimeoutThenResultS(_))
        ) {
            let body = results::queue_timeout(&command.originator_id, &command.conversation_id);
            let timeout = News { kind: CallbackKind::Timeout, url: &order.timeout_url, ..news };
            self.owe(&mut lane, timeout, &body);
        }
        let due_at = match command.forced {
            Some(Forced::Timeout | Forced::TimeoutDone) => return self.send(lane),
            Some(Forced::TimeoutThenResultS(seconds)) => self.now.plus_seconds(seconds.into()),
            Some(Forced::Code(_)) | None => self.now,
        };
        let body = results::result(&results::ResultOf {
            // B2B results have their type and code as text.
            as_text: matches!(order.ask, Ask::B2b { .. }),
            code: &outcome.code,
            words: outcome.words.as_deref().unwrap_or_else(|| results::text(&outcome.code)),
            originator_id: &command.originator_id,
            conversation_id: &command.conversation_id,
            transaction_id: &outcome.receipt.unwrap_or_else(|| self.filler_receipt()),
            parameters: &outcome.parameters,
            reference: outcome.reference.as_deref(),
            timeout_url: &order.timeout_url,
        });
        self.owe(&mut lane, News { due_at, ..news }, &body);
        self.send(lane);
    }

    fn balance_of(&self, shortcode: &str) -> Outcome {
        let balance = |account: Account| self.book.balance(&account);
        let accounts = results::accounts(
            balance(Account::working(shortcode)),
            balance(Account::utility(shortcode)),
            balance(Account::charges(shortcode)),
        );
        let at = results::stamp(self.now);
        Outcome::done(None, vec![("AccountBalance", Some(accounts)), ("BOCompletedTime", Some(at))])
    }

    /// Moves a business's money: between its accounts, to another of its
    /// shortcodes, or to another business.
    fn move_float(
        &mut self,
        shortcode: &str,
        command: B2bCommand,
        receiver: &str,
        shillings: i64,
        reference: &str,
    ) -> Outcome {
        let Some(amount) = Cents::from_shillings(shillings) else { return Outcome::refused("3") };
        let from = match command {
            B2bCommand::WorkingToUtility => Account::working(shortcode),
            _ => self.landing(shortcode),
        };
        let known = self.config.shortcode(receiver).is_some();
        let to = match command {
            B2bCommand::WorkingToUtility if receiver == shortcode => Account::utility(shortcode),
            B2bCommand::PayToBulk if known => Account::utility(receiver),
            B2bCommand::WorkingToUtility | B2bCommand::PayToBulk => return Outcome::refused("SFC_IC0003"),
            _ if known => self.landing(receiver),
            // Some other business, whose books are not kept here.
            _ => Account::Outside,
        };
        if from == to {
            return Outcome::refused("25");
        }
        if self.book.balance(&from) < amount {
            return Outcome::refused("1");
        }
        let receipt = self.next_receipt();
        let left = from.clone();
        let proof = (Some(receipt.as_str()), Some(reference));
        self.book.move_money(self.now, MovementKind::FloatMove, (from, to), amount, proof);
        let name = self.config.shortcode(receiver).map_or("OTHER BUSINESS", |known| &known.name);
        let parameters = results::moved(
            &left,
            self.book.balance(&left),
            amount,
            self.now,
            &format!("{receiver} - {name}"),
        );
        Outcome { reference: Some(reference.to_owned()), ..Outcome::done(Some(receipt), parameters) }
    }
}
