//! Reconciliations, reviews, and what operators propose and decide.

use super::Time;
use jirani_reconciliation::{
    Age, Book, Differing, Group, Kind, Ours, Purse, Report, Scope, Sums, Theirs, Total,
};
use jirani_store::{ProposalRecord, ProposalState, ReconciliationRecord, ReviewRecord};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A finished comparison in short.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ReconciliationRow {
    /// Its number.
    pub number: u64,
    /// When it was made.
    pub made_at: Time,
    /// `daily`, `on_demand` or `statement`.
    pub source: String,
    /// From when on payments were compared.
    pub from: Time,
    /// Until when, exclusive.
    pub until: Time,
    /// Lines that stand apart.
    pub apart: u64,
    /// M-Pesa's balances less ours, where theirs were known.
    pub difference_cents: i64,
}

impl From<&ReconciliationRecord> for ReconciliationRow {
    fn from(record: &ReconciliationRecord) -> Self {
        Self {
            number: record.number,
            made_at: record.made_at.into(),
            source: record.source.clone(),
            from: record.from.into(),
            until: record.until.into(),
            apart: record.apart,
            difference_cents: record.difference.0,
        }
    }
}

/// A finished comparison.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ReconciliationView {
    /// In short.
    pub summary: ReconciliationRow,
    /// Lines that both books have.
    pub matched: TotalView,
    /// Lines that only our ledger has.
    pub only_ours: GroupView,
    /// Lines that only M-Pesa has.
    pub only_theirs: GroupView,
    /// Lines with two amounts; sums are of the differences.
    pub different: GroupView,
    /// Balances.
    pub books: Vec<BookView>,
}

impl ReconciliationView {
    /// From what was kept.
    pub fn of(record: &ReconciliationRecord, report: &Report) -> Self {
        Self {
            summary: record.into(),
            matched: report.matched.into(),
            only_ours: GroupView::of(&report.only_ours, LineView::ours),
            only_theirs: GroupView::of(&report.only_theirs, LineView::theirs),
            different: GroupView::of(&report.different, LineView::differing),
            books: report.books.iter().map(BookView::of).collect(),
        }
    }
}

/// How many lines, and their sum.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct TotalView {
    /// Lines.
    pub count: u64,
    /// Their sum; what went is below zero.
    pub amount_cents: i64,
}

impl From<Total> for TotalView {
    fn from(total: Total) -> Self {
        Self { count: total.count, amount_cents: total.amount_cents.0 }
    }
}

/// Lines that stand apart: the oldest listed, all counted.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct GroupView {
    /// All of them.
    pub total: TotalView,
    /// By age, youngest first.
    pub ages: Vec<AgeView>,
    /// At most 1,000, oldest first.
    pub lines: Vec<LineView>,
}

impl GroupView {
    fn of<T>(group: &Group<T>, line: fn(&T) -> LineView) -> Self {
        Self {
            total: group.total.into(),
            ages: Age::ALL.into_iter().zip(group.ages).map(|(age, total)| AgeView::of(age, total)).collect(),
            lines: group.lines.iter().map(line).collect(),
        }
    }
}

/// Lines of one age.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct AgeView {
    /// `hour` (younger than one), `day`, `week`, `older`.
    pub age: &'static str,
    /// Lines.
    pub count: u64,
    /// Their sum.
    pub amount_cents: i64,
}

impl AgeView {
    const fn of(age: Age, total: Total) -> Self {
        let age = match age {
            Age::Hour => "hour",
            Age::Day => "day",
            Age::Week => "week",
            Age::Older => "older",
        };
        Self { age, count: total.count, amount_cents: total.amount_cents.0 }
    }
}

/// A line that stands apart.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LineView {
    /// `collection`, `payout` or `charges`.
    pub account: PurseView,
    /// `payment`, `payout`, `charge`, `reversal`, `float_move`, `deposit`, `withdrawal`, `other`.
    pub kind: &'static str,
    /// M-Pesa's number, where known.
    pub receipt: Option<String>,
    /// Row of our journal, where we have it.
    pub sequence: Option<u64>,
    /// What it is about, in our words; empty when only M-Pesa has it.
    pub about: String,
    /// Our amount; null when only M-Pesa has it.
    pub ours_cents: Option<i64>,
    /// M-Pesa's amount; null when only we have it.
    pub theirs_cents: Option<i64>,
    /// When, as far as known.
    pub at: Time,
}

impl LineView {
    fn ours(line: &Ours) -> Self {
        Self {
            account: line.purse.into(),
            kind: kind(line.kind),
            receipt: line.names.first().map(ToString::to_string),
            sequence: Some(line.sequence),
            about: line.about.clone(),
            ours_cents: Some(line.amount_cents.0),
            theirs_cents: None,
            at: line.latest.into(),
        }
    }

    fn theirs(line: &Theirs) -> Self {
        Self {
            account: line.purse.into(),
            kind: kind(line.kind),
            receipt: line.receipt.as_ref().map(ToString::to_string),
            sequence: None,
            about: String::new(),
            ours_cents: None,
            theirs_cents: Some(line.amount_cents.0),
            at: line.at.into(),
        }
    }

    fn differing(both: &Differing) -> Self {
        Self { theirs_cents: Some(both.theirs.amount_cents.0), ..Self::ours(&both.ours) }
    }
}

const fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Payment => "payment",
        Kind::Payout => "payout",
        Kind::Charge => "charge",
        Kind::Reversal => "reversal",
        Kind::FloatMove => "float_move",
        Kind::Deposit => "deposit",
        Kind::Withdrawal => "withdrawal",
        Kind::Other => "other",
    }
}

/// An account of ours at M-Pesa.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PurseView {
    /// What payments come to.
    Collection,
    /// What payouts are paid from.
    Payout,
    /// What charges are taken from.
    Charges,
}

impl From<Purse> for PurseView {
    fn from(purse: Purse) -> Self {
        match purse {
            Purse::Collection => Self::Collection,
            Purse::Payout => Self::Payout,
            Purse::Charges => Self::Charges,
        }
    }
}

/// A balance before, what moved it, and after: opening + movements = closing.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct SumsView {
    /// Before.
    pub opening_cents: i64,
    /// The lines compared.
    pub movements_cents: i64,
    /// After.
    pub closing_cents: i64,
}

impl From<Sums> for SumsView {
    fn from(sums: Sums) -> Self {
        Self {
            opening_cents: sums.opening_cents.0,
            movements_cents: sums.movements_cents.0,
            closing_cents: sums.closing_cents.0,
        }
    }
}

/// The balances of accounts that were compared together.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct BookView {
    /// The accounts.
    pub accounts: Vec<PurseView>,
    /// How much of M-Pesa's side was known: `balances`, `payments` or `everything`.
    pub scope: &'static str,
    /// Ours.
    pub ours: SumsView,
    /// M-Pesa's; null when no balance of theirs was known.
    pub theirs: Option<SumsView>,
    /// M-Pesa's balance less ours; null as above.
    pub difference_cents: Option<i64>,
    /// So much of it are the lines that stand apart.
    pub explained_cents: i64,
    /// So much is in no line; null as above.
    pub unexplained_cents: Option<i64>,
}

impl BookView {
    fn of(book: &Book) -> Self {
        Self {
            accounts: book.purses.iter().copied().map(PurseView::from).collect(),
            scope: match book.scope {
                Scope::Balances => "balances",
                Scope::Payments => "payments",
                Scope::Everything => "everything",
            },
            ours: book.ours.into(),
            theirs: book.theirs.map(SumsView::from),
            difference_cents: book.difference_cents.map(|cents| cents.0),
            explained_cents: book.explained_cents.0,
            unexplained_cents: book.unexplained_cents.map(|cents| cents.0),
        }
    }
}

/// Something that only persons may decide.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ReviewView {
    /// What it is about; unique.
    pub key: String,
    /// `unknown_outcome`, `contradiction`, `suspense`, `only_ours`, `only_theirs`, `different`.
    pub code: String,
    /// What was seen.
    pub detail: String,
    /// Since when it waits.
    pub opened_at: Time,
    /// What waits for another operator's word; null when nothing does.
    pub proposal: Option<ProposalView>,
}

impl ReviewView {
    /// With the proposal that waits, if one does.
    pub fn of(review: ReviewRecord, proposal: Option<ProposalView>) -> Self {
        let ReviewRecord { key, code, detail, opened_at, .. } = review;
        Self { key, code, detail, opened_at: opened_at.into(), proposal }
    }
}

/// What one operator proposed, and what another said.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ProposalView {
    /// Its number.
    pub number: u64,
    /// Key of the review.
    pub review: String,
    /// In words.
    pub text: String,
    /// Why.
    pub note: String,
    /// Who proposed it.
    pub proposed_by: String,
    /// When.
    pub proposed_at: Time,
    /// Where it stands.
    pub state: ProposalStateView,
    /// Who approved or rejected it; null while it waits.
    pub decided_by: Option<String>,
    /// When; null while it waits.
    pub decided_at: Option<Time>,
}

impl From<ProposalRecord> for ProposalView {
    fn from(record: ProposalRecord) -> Self {
        let decision = serde_json::from_str::<jirani_reconciliation::Decision>(&record.decision);
        Self {
            number: record.number,
            review: record.review,
            text: decision.map_or(record.decision, |decision| decision.to_string()),
            note: record.note,
            proposed_by: record.proposed_by,
            proposed_at: record.proposed_at.into(),
            state: match record.state {
                ProposalState::Proposed => ProposalStateView::Proposed,
                ProposalState::Approved => ProposalStateView::Approved,
                ProposalState::Rejected => ProposalStateView::Rejected,
            },
            decided_by: record.decided_by,
            decided_at: record.decided_at.map(Time::from),
        }
    }
}

/// Where a proposal stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProposalStateView {
    /// Waits for another operator.
    Proposed,
    /// Approved, and done.
    Approved,
    /// Rejected, or taken back.
    Rejected,
}

/// A decision to be proposed.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum DecisionBody {
    /// Money in suspense is this household's.
    Attach {
        /// The payment.
        receipt: String,
        /// Whose it is.
        household_id: u32,
    },
    /// M-Pesa paid a payout whose outcome was unknown.
    PayoutPaid {
        /// Which.
        payout_id: u64,
        /// M-Pesa's number of it.
        receipt: String,
    },
    /// M-Pesa did not pay it, and never will.
    PayoutFailed {
        /// Which.
        payout_id: u64,
    },
    /// A move of float whose outcome was unknown was done.
    FloatMoved {
        /// Which.
        number: u64,
        /// M-Pesa's number of it.
        receipt: String,
    },
    /// It was not, and never will be.
    FloatFailed {
        /// Which.
        number: u64,
    },
    /// An order whose payment was unknown was not paid.
    CollectionUnpaid {
        /// Which.
        order_id: u64,
    },
    /// Money that only M-Pesa has goes to suspense.
    BookFound {
        /// M-Pesa's number.
        receipt: String,
        /// Where it lies.
        shortcode: PurseView,
        /// Above zero.
        amount_cents: i64,
    },
    /// The operator brought it from its bank.
    BookDeposit {
        /// M-Pesa's number.
        receipt: String,
        /// Where it lies.
        shortcode: PurseView,
        /// Above zero.
        amount_cents: i64,
    },
    /// The operator took it to its bank.
    BookSweep {
        /// M-Pesa's number.
        receipt: String,
        /// Where it lay.
        shortcode: PurseView,
        /// Above zero.
        amount_cents: i64,
    },
    /// M-Pesa took a charge that no household bears.
    BookCharge {
        /// M-Pesa's number of what was charged for.
        receipt: String,
        /// Above zero.
        amount_cents: i64,
    },
    /// What is owed after this payment was taken back is given up.
    WriteOff {
        /// The payment.
        receipt: String,
    },
    /// A row of the journal about the operator's own money is undone.
    Correct {
        /// The row.
        sequence: u64,
    },
    /// Nothing is to be booked; the note says why.
    Explained {},
}

/// What an operator proposes about a review.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProposeRequest {
    /// Key of the review.
    pub review: String,
    /// What is to be done.
    pub decision: DecisionBody,
    /// Why, at most 500 characters. No phone numbers.
    #[serde(default)]
    pub note: String,
}
