//! What a comparison found.

use crate::line::{Ours, Purse, Scope, Theirs};
use jirani_units::{Cents, Timestamp};
use serde::{Deserialize, Serialize};

/// Lines of a group that are listed at most; all are counted.
pub const LINES_MAX: usize = 1_000;

/// How long something has stood apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Age {
    /// Under an hour: news may be on its way.
    Hour,
    /// Under a day.
    Day,
    /// Under a week.
    Week,
    /// Longer.
    Older,
}

impl Age {
    /// Every age, youngest first.
    pub const ALL: [Self; 4] = [Self::Hour, Self::Day, Self::Week, Self::Older];

    /// How old what happened at `at` is at `now`.
    pub fn of(at: Timestamp, now: Timestamp) -> Self {
        match now.since(at) / 1_000_000 {
            ..3_600 => Self::Hour,
            3_600..86_400 => Self::Day,
            86_400..604_800 => Self::Week,
            604_800.. => Self::Older,
        }
    }

    const fn place(self) -> usize {
        match self {
            Self::Hour => 0,
            Self::Day => 1,
            Self::Week => 2,
            Self::Older => 3,
        }
    }
}

/// How many lines, and their sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Total {
    /// Lines.
    pub count: u64,
    /// Their sum; what went is below zero.
    pub amount_cents: Cents,
}

impl Total {
    pub(crate) fn add(&mut self, amount: Cents) {
        self.count += 1;
        self.amount_cents = Cents(self.amount_cents.0.saturating_add(amount.0));
    }
}

/// Lines that stand apart: the oldest listed, all counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group<T> {
    /// All of them.
    pub total: Total,
    /// By age: under an hour, a day, a week, longer.
    pub ages: [Total; 4],
    /// At most [`LINES_MAX`], oldest first.
    pub lines: Vec<T>,
}

impl<T> Default for Group<T> {
    fn default() -> Self {
        Self { total: Total::default(), ages: [Total::default(); 4], lines: Vec::new() }
    }
}

impl<T> Group<T> {
    pub(crate) fn of(mut all: Vec<(Timestamp, Cents, T)>, now: Timestamp) -> Self {
        all.sort_by_key(|(at, ..)| *at);
        let mut group = Self::default();
        for (at, amount, line) in all {
            group.total.add(amount);
            if let Some(total) = group.ages.get_mut(Age::of(at, now).place()) {
                total.add(amount);
            }
            if group.lines.len() < LINES_MAX {
                group.lines.push(line);
            }
        }
        group
    }
}

/// A line that both have, with different amounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Differing {
    /// M-Pesa's.
    pub theirs: Theirs,
    /// Ours.
    pub ours: Ours,
}

impl Differing {
    /// M-Pesa's amount less ours.
    pub fn difference(&self) -> Cents {
        Cents(self.theirs.amount_cents.0.saturating_sub(self.ours.amount_cents.0))
    }
}

/// A balance before, what moved it, and after: opening + movements = closing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sums {
    /// Before.
    pub opening_cents: Cents,
    /// The lines compared.
    pub movements_cents: Cents,
    /// After.
    pub closing_cents: Cents,
}

/// The balances of accounts that were compared together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Book {
    /// The accounts.
    pub purses: Vec<Purse>,
    /// How much of M-Pesa's side was known.
    pub scope: Scope,
    /// Ours.
    pub ours: Sums,
    /// M-Pesa's; `None` when no balance of theirs was known. An opening that they
    /// did not tell is what they had after less what moved.
    pub theirs: Option<Sums>,
    /// M-Pesa's balance less ours; `None` as above.
    pub difference_cents: Option<Cents>,
    /// So much of it are the lines that stand apart.
    pub explained_cents: Cents,
    /// And so much is not in any line: money on its way, or from before.
    pub unexplained_cents: Option<Cents>,
    /// M-Pesa's opening and lines miss its closing by so much: its statement has a gap.
    pub gap_cents: Cents,
}

/// What a comparison found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// From when on.
    pub from: Timestamp,
    /// Until when, exclusive.
    pub until: Timestamp,
    /// When it was made: ages count from here.
    pub made_at: Timestamp,
    /// Lines that both have; the sum is M-Pesa's.
    pub matched: Total,
    /// Lines that only our ledger has.
    pub only_ours: Group<Ours>,
    /// Lines that only M-Pesa has.
    pub only_theirs: Group<Theirs>,
    /// Lines with two amounts; sums are of the differences.
    pub different: Group<Differing>,
    /// Balances.
    pub books: Vec<Book>,
}

impl Report {
    /// How many lines stand apart.
    pub const fn apart(&self) -> u64 {
        self.only_ours.total.count + self.only_theirs.total.count + self.different.total.count
    }

    /// M-Pesa's balances less ours, where theirs are known.
    pub fn difference(&self) -> Cents {
        self.books.iter().filter_map(|book| book.difference_cents).sum()
    }
}
