//! The comparison.
//!
//! | line | goes to |
//! |---|---|
//! | both have the number, one of a payment, a charge or a reversal, with one amount | matched |
//! | both have it, with two amounts | different |
//! | ours has no number (our own money), theirs is of the kind and amount, near in time | matched |
//! | theirs alone | only theirs |
//! | ours alone, certainly within the time and scope compared | only ours |
//! | ours alone, perhaps before the time compared | part of our opening |
//! | ours alone, perhaps after it | not part of our closing |
//! | ours alone, of a kind their side does not list | counts as moved, is no finding |

use crate::line::{Kind, Ours, Purse, Side, Theirs};
use crate::report::{Book, Differing, Group, Report, Sums, Total};
use jirani_units::{Cents, Receipt, Timestamp};
use std::collections::HashMap;

/// How far apart in time a line without a number and its other side may be, in
/// seconds.
pub const MARGIN_S: i64 = 86_400;

/// Our lines, and which of them have found their other side.
struct Open {
    lines: Vec<Ours>,
    taken: Vec<bool>,
    by_name: HashMap<(Purse, u8, Receipt), Vec<usize>>,
    nameless: HashMap<(Purse, Kind, Cents), Vec<usize>>,
}

impl Open {
    fn of(mut lines: Vec<Ours>) -> Self {
        lines.sort_by_key(|line| (line.latest, line.sequence));
        let (mut by_name, mut nameless) = (HashMap::<_, Vec<usize>>::new(), HashMap::<_, Vec<usize>>::new());
        for (place, line) in lines.iter().enumerate() {
            for name in &line.names {
                by_name.entry((line.purse, line.kind.class(), name.clone())).or_default().push(place);
            }
            if line.names.is_empty() {
                nameless.entry((line.purse, line.kind, line.amount_cents)).or_default().push(place);
            }
        }
        Self { taken: vec![false; lines.len()], lines, by_name, nameless }
    }

    /// Takes the first place that is free and near enough.
    fn take(&mut self, places: Option<&Vec<usize>>, near: Option<Timestamp>) -> Option<Ours> {
        let place = places?.iter().copied().find(|&place| {
            let (Some(line), Some(false)) = (self.lines.get(place), self.taken.get(place)) else {
                return false;
            };
            near.is_none_or(|at| {
                line.earliest.plus_seconds(-MARGIN_S) <= at && at <= line.latest.plus_seconds(MARGIN_S)
            })
        })?;
        *self.taken.get_mut(place)? = true;
        self.lines.get(place).cloned()
    }

    fn named(&mut self, line: &Theirs) -> Option<Ours> {
        for name in [&line.receipt, &line.linked].into_iter().flatten() {
            let places = self.by_name.get(&(line.purse, line.kind.class(), name.clone())).cloned();
            if let Some(ours) = self.take(places.as_ref(), None) {
                return Some(ours);
            }
        }
        None
    }

    fn alike(&mut self, line: &Theirs) -> Option<Ours> {
        if !line.kind.may_be_nameless() && line.receipt.is_some() {
            return None;
        }
        let places = self.nameless.get(&(line.purse, line.kind, line.amount_cents)).cloned();
        self.take(places.as_ref(), Some(line.at))
    }
}

#[derive(Default)]
struct Found {
    matched: Total,
    only_ours: Vec<(Timestamp, Cents, Ours)>,
    only_theirs: Vec<(Timestamp, Cents, Theirs)>,
    different: Vec<(Timestamp, Cents, Differing)>,
}

/// Compares `sides` with our lines over `[from, until)`. `ours` are all rows of the
/// ledger that M-Pesa may have done in that time, and may be more; amounts must be
/// within what a balance can hold.
pub fn compare(
    sides: Vec<Side>,
    ours: Vec<Ours>,
    from: Timestamp,
    until: Timestamp,
    now: Timestamp,
) -> Report {
    let mut open = Open::of(ours);
    let mut found = Found::default();
    let mut books = Vec::with_capacity(sides.len());
    for mut side in sides {
        side.lines.sort_by_key(|line| line.at);
        let book = one_side(&side, &mut open, &mut found, (from, until));
        books.push(book);
    }
    let Found { matched, only_ours, only_theirs, different } = found;
    Report {
        from,
        until,
        made_at: now,
        matched,
        only_ours: Group::of(only_ours, now),
        only_theirs: Group::of(only_theirs, now),
        different: Group::of(different, now),
        books,
    }
}

fn one_side(side: &Side, open: &mut Open, found: &mut Found, (from, until): (Timestamp, Timestamp)) -> Book {
    let (mut theirs_moved, mut ours_moved, mut explained) = (0_i64, 0_i64, 0_i64);
    let mut rest = Vec::new();
    let mut pair = |line: &Theirs, ours: Ours, found: &mut Found| {
        ours_moved += ours.amount_cents.0;
        if ours.amount_cents == line.amount_cents {
            found.matched.add(line.amount_cents);
            return 0;
        }
        let differing = Differing { theirs: line.clone(), ours };
        let difference = differing.difference();
        found.different.push((line.at, difference, differing));
        difference.0
    };
    for line in &side.lines {
        theirs_moved += line.amount_cents.0;
        match open.named(line) {
            Some(ours) => explained += pair(line, ours, found),
            None => rest.push(line),
        }
    }
    for line in rest {
        if let Some(ours) = open.alike(line) {
            explained += pair(line, ours, found);
        } else {
            explained += line.amount_cents.0;
            found.only_theirs.push((line.at, line.amount_cents, line.clone()));
        }
    }
    let mut after = 0;
    for (line, taken) in open.lines.iter().zip(&mut open.taken) {
        if *taken || !side.purses.contains(&line.purse) || line.earliest < from {
            continue;
        }
        *taken = true;
        if line.latest >= until {
            after += line.amount_cents.0;
            continue;
        }
        ours_moved += line.amount_cents.0;
        if side.scope.covers(line.kind) {
            explained -= line.amount_cents.0;
            found.only_ours.push((line.latest, line.amount_cents, line.clone()));
        }
    }
    let closing = side.ours_total.0 - after;
    let ours = Sums {
        opening_cents: Cents(closing - ours_moved),
        movements_cents: Cents(ours_moved),
        closing_cents: Cents(closing),
    };
    book(side, ours, Cents(theirs_moved), Cents(explained))
}

fn book(side: &Side, ours: Sums, moved: Cents, explained: Cents) -> Book {
    let theirs = match (side.opening, side.closing) {
        (None, None) => None,
        (Some(opening), _) => Some((opening, Cents(opening.0 + moved.0))),
        (None, Some(closing)) => Some((Cents(closing.0 - moved.0), closing)),
    };
    let theirs = theirs.map(|(opening_cents, closing_cents)| Sums {
        opening_cents,
        movements_cents: moved,
        closing_cents,
    });
    let gap = match (theirs, side.closing) {
        (Some(theirs), Some(closing)) => Cents(closing.0 - theirs.closing_cents.0),
        _ => Cents::ZERO,
    };
    let difference = theirs.map(|theirs| Cents(theirs.closing_cents.0 + gap.0 - ours.closing_cents.0));
    Book {
        purses: side.purses.clone(),
        scope: side.scope,
        ours,
        theirs,
        difference_cents: difference,
        explained_cents: explained,
        unexplained_cents: difference.map(|difference| Cents(difference.0 - explained.0)),
        gap_cents: gap,
    }
}
