//! One comparison: both sides gathered, what M-Pesa alone has booked, the rest kept
//! and, past an age, put before a person.

use super::ask::Daily;
use super::gather::OurBooks;
use super::policy::{ReconciliationPolicy, next_daily};
use super::watch::WATCH_S;
use crate::engine::Key;
use crate::error::SettlementError;
use crate::float::record::number_of;
use crate::service::Settlement;
use crate::step::Trouble;
use jirani_daraja::pull::PULL_REACH_S;
use jirani_daraja::statement::{Statement, StatementError, StatementKind, parse_statement};
use jirani_daraja::{PulledPayment, SendError, pull_window};
use jirani_reconciliation::{Kind, Ours, Purse, Report, Scope, Side, Theirs, compare};
use jirani_store::{Change, ReconciliationRecord, ReviewRecord, StoreError};
use jirani_units::{Cents, Clock as _, Timestamp};
use std::collections::HashSet;

/// Reviews that are looked at for what has come together.
const REVIEWS_MAX: u32 = 1_000;
/// How long the daily comparison waits for M-Pesa's balances, in seconds.
const ANSWER_S: i64 = 60;
/// The first comparison of a process that finds the last one older than a day, in seconds.
const FIRST_S: i64 = 600;

/// A statement to be compared.
#[derive(Clone, Debug)]
pub struct StatementFile {
    /// The accounts that it covers, all that happened on them.
    pub purses: Vec<Purse>,
    /// The CSV file, as the portal gave it.
    pub csv: Vec<u8>,
}

/// What a comparison is asked with.
#[derive(Clone, Debug)]
pub enum Asked {
    /// M-Pesa's list of the last 48 hours and its balances.
    Daily,
    /// The same, by a person.
    OnDemand,
    /// A statement.
    Statement(StatementFile),
}

impl Asked {
    const fn source(&self) -> &'static str {
        match self {
            Self::Daily => "daily",
            Self::OnDemand => "on_demand",
            Self::Statement(_) => "statement",
        }
    }
}

/// A finished comparison.
#[derive(Clone, Debug)]
pub struct Reconciled {
    /// As it is kept.
    pub record: ReconciliationRecord,
    /// What was found, after what M-Pesa alone had was booked.
    pub report: Report,
    /// Payments and reversals that were booked because only M-Pesa had them.
    pub booked: u64,
    /// Lines of M-Pesa's that nobody can read.
    pub unreadable: u64,
}

/// Accounts of ours, and what is known of M-Pesa's books of them.
struct Accounts {
    purses: Vec<Purse>,
    scope: Scope,
    opening: Option<Cents>,
    closing: Option<Cents>,
}

/// M-Pesa's side.
struct TheirBooks {
    accounts: Vec<Accounts>,
    lines: Vec<Theirs>,
    from: Timestamp,
    until: Timestamp,
    unreadable: u64,
}

impl Settlement {
    /// Sets when persons are called; before [`Settlement::run`], once.
    pub fn reconcile_by(&self, policy: ReconciliationPolicy) {
        // A second one would be a surprise to whoever set the first.
        let _ = self.reconciling.policy.set(policy);
    }

    /// Compares now. What only M-Pesa has of payments and reversals is in the ledger on
    /// return; what stands apart is in the report, and before a person past an age.
    pub async fn reconcile(&self, asked: Asked) -> Result<Reconciled, SettlementError> {
        // A file that cannot be read is refused before anybody is asked.
        let statement = match &asked {
            Asked::Statement(file) => Some((file.purses.clone(), parse_statement(&file.csv)?)),
            Asked::Daily | Asked::OnDemand => None,
        };
        if matches!(asked, Asked::OnDemand) {
            self.ask_and_wait().await?;
        }
        let _one = self.reconciling.running.lock().await;
        let _busy = self.clock.busy();
        let theirs = match statement {
            Some((purses, statement)) => of_statement(purses, &statement)?,
            None => self.of_list().await?,
        };
        let (booked, unbooked) = self.book_theirs(&theirs).await?;
        let ours = self.our_books(&theirs.lines, theirs.from).await?;
        let now = self.clock.now();
        let known = ours.lines.clone();
        let report = compare(sides(&theirs, &ours), ours.lines, theirs.from, theirs.until, now);
        let text = serde_json::to_string(&report)
            .map_err(|error| SettlementError::Stuck(format!("a report cannot be written: {error}")))?;
        let record = ReconciliationRecord {
            number: self.store.next_number("reconciliation").await?,
            made_at: now,
            source: asked.source().to_owned(),
            from: theirs.from,
            until: theirs.until,
            apart: report.apart(),
            difference: report.difference(),
            report: text,
        };
        self.store.commit(vec![Change::Reconciliation(record.clone())]).await?;
        tracing::info!(
            number = record.number,
            apart = record.apart,
            booked,
            unbooked,
            "M-Pesa's books were compared"
        );
        self.call_persons(&report, &theirs, &known).await?;
        self.reconciling.set_last(&report);
        self.look_at_figures().await?;
        Ok(Reconciled { record, report, booked, unreadable: theirs.unreadable })
    }

    /// M-Pesa's list and its balances.
    async fn of_list(&self) -> Result<TheirBooks, SettlementError> {
        let now = self.clock.now();
        let begin = now.plus_seconds(-PULL_REACH_S);
        let (scope, window) = match pull_window(self.mpesa.as_ref(), begin, now, now).await {
            Ok(window) => (Scope::Payments, Some(window)),
            Err(SendError::NotSent { code, .. }) if code == "mpesa.not_offered" => (Scope::Balances, None),
            Err(error) => {
                return Err(SettlementError::Store(StoreError::Unavailable {
                    what: format!("M-Pesa did not give its list of payments: {error}"),
                }));
            }
        };
        let side = |purse, scope| Accounts {
            purses: vec![purse],
            scope,
            opening: None,
            closing: self.reconciling.balance(purse, now),
        };
        let accounts = vec![
            side(Purse::Collection, scope),
            side(Purse::Payout, Scope::Balances),
            side(Purse::Charges, Scope::Balances),
        ];
        let (from, until) = window.as_ref().map_or((begin, now), |window| (window.from, window.until));
        let unreadable = window.as_ref().map_or(0, |window| u64::from(window.unreadable));
        let payments = window.map(|window| window.payments).unwrap_or_default();
        let lines = payments.into_iter().map(|payment| Theirs {
            purse: Purse::Collection,
            kind: Kind::Payment,
            receipt: Some(payment.receipt),
            linked: None,
            amount_cents: payment.amount,
            at: payment.paid_at.unwrap_or(until),
            reference: payment.bill_reference,
        });
        Ok(TheirBooks { accounts, lines: lines.collect(), from, until, unreadable })
    }

    /// Books payments and reversals that only M-Pesa has; says how many were booked
    /// and how many could not be.
    async fn book_theirs(&self, theirs: &TheirBooks) -> Result<(u64, u64), SettlementError> {
        let (mut booked, mut unbooked) = (0, 0);
        self.end_moves(theirs).await?;
        let news = theirs.lines.iter().filter(|line| line.purse == Purse::Collection);
        // Payments first: a reversal needs its payment.
        let (payments, others): (Vec<_>, Vec<_>) = news.partition(|line| line.kind == Kind::Payment);
        for line in payments.into_iter().chain(others) {
            let Some(receipt) = line.receipt.clone() else { continue };
            let done = match (line.kind, &line.linked) {
                (Kind::Payment, _) if line.amount_cents.is_positive() => {
                    if self.store.receipt(&receipt).await?.is_some_and(|k| k.amount == line.amount_cents) {
                        continue;
                    }
                    self.payment_found(PulledPayment {
                        receipt,
                        amount: line.amount_cents,
                        paid_at: Some(line.at),
                        bill_reference: line.reference.clone(),
                        msisdn: None,
                        kind: "statement".to_owned(),
                    })
                    .await
                }
                (Kind::Reversal, Some(payment)) if !line.amount_cents.is_positive() => {
                    if self.store.reversal(payment).await?.is_some() {
                        continue;
                    }
                    let amount = Cents(-line.amount_cents.0);
                    self.payment_reversed(payment.clone(), Some(receipt), amount).await
                }
                _ => continue,
            };
            match done {
                Ok(()) => booked += 1,
                Err(SettlementError::Store(error)) => return Err(error.into()),
                Err(error) => {
                    tracing::error!(%error, "what only M-Pesa has could not be booked");
                    unbooked += 1;
                }
            }
        }
        Ok((booked, unbooked))
    }

    /// Ends the moves of float that M-Pesa's statement shows, of which nobody has told us.
    async fn end_moves(&self, theirs: &TheirBooks) -> Result<(), SettlementError> {
        let Some(open) = self.last_float_move().await?.filter(|last| !last.is_final()) else { return Ok(()) };
        let is_it = |line: &&Theirs| {
            line.kind == Kind::FloatMove
                && line.amount_cents.0.abs() == open.amount.0
                && number_of(&line.reference) == Some(open.number)
        };
        match theirs.lines.iter().find(is_it) {
            Some(seen) => self.float_on_statement(open.number, Some(seen.receipt.clone())).await,
            None => Ok(()),
        }
    }

    /// Opens reviews for what stands apart past the age, closes those that have come
    /// together.
    async fn call_persons(
        &self,
        report: &Report,
        theirs: &TheirBooks,
        ours: &[Ours],
    ) -> Result<(), StoreError> {
        let now = self.clock.now();
        let apart = findings(report);
        let mut changes = Vec::new();
        let limit_s = self.reconciling.policy().review_after_s;
        for finding in &apart {
            if now.since(finding.at) / 1_000_000 < limit_s {
                continue;
            }
            let stored = self.store.review(&finding.key).await?;
            // What a person explained stays explained.
            if stored.is_some() {
                continue;
            }
            changes.push(Change::Review(ReviewRecord {
                key: finding.key.clone(),
                code: finding.code.to_owned(),
                detail: finding.detail.clone(),
                opened_at: now,
                closed_at: None,
                outcome: None,
                version: 0,
            }));
        }
        let apart: HashSet<&str> = apart.iter().map(|finding| finding.key.as_str()).collect();
        let seen: HashSet<String> =
            theirs.lines.iter().map(key_of_theirs).chain(ours.iter().map(key_of_ours)).collect();
        for review in self.store.open_reviews(REVIEWS_MAX).await? {
            let is_ours = matches!(review.code.as_str(), "only_ours" | "only_theirs" | "different");
            if is_ours && seen.contains(&review.key) && !apart.contains(review.key.as_str()) {
                changes.push(Change::Review(ReviewRecord {
                    closed_at: Some(now),
                    outcome: Some("both books have it now".to_owned()),
                    ..review
                }));
            }
        }
        if changes.is_empty() {
            return Ok(());
        }
        match self.store.commit(changes).await {
            // A person was faster; the next comparison looks again.
            Ok(_) | Err(StoreError::Conflict { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The lane of the daily comparison and of the figures; says when to look again.
    pub(crate) async fn advance_reconciliation(&self) -> Result<Option<Timestamp>, Trouble> {
        let now = self.clock.now();
        if self.reconciling.daily() == Daily::New {
            self.remember_figures().await?;
        }
        self.look_at_figures().await?;
        let next = match self.reconciling.daily() {
            Daily::New => {
                // A node that was off when its day's comparison was due makes it soon.
                let late = now.plus_seconds(-86_400);
                let last = self.store.reconciliations(1).await?;
                let is_late = last.first().is_some_and(|record| record.made_at < late);
                Daily::At(if is_late { now.plus_seconds(FIRST_S) } else { next_daily(now) })
            }
            Daily::At(at) if now >= at => {
                self.ask_balances().await?;
                Daily::Asked(now.plus_seconds(ANSWER_S))
            }
            Daily::Asked(at) if now >= at => {
                if let Err(error) = self.reconcile(Asked::Daily).await {
                    tracing::warn!(%error, "the daily comparison was not made; it is tried again tomorrow");
                }
                Daily::At(next_daily(now))
            }
            waiting => waiting,
        };
        self.reconciling.set_daily(next);
        let (Daily::At(at) | Daily::Asked(at)) = next else { return Ok(None) };
        Ok(Some(at.min(now.plus_seconds(WATCH_S))))
    }

    /// Begins the watch over figures and days.
    pub(crate) fn begin_reconciling(&self) {
        self.lanes.poke(Key::Reconciliation, self.clock.busy());
    }
}

fn sides(theirs: &TheirBooks, ours: &OurBooks) -> Vec<Side> {
    let of = |accounts: &Accounts| Side {
        lines: theirs.lines.iter().filter(|line| accounts.purses.contains(&line.purse)).cloned().collect(),
        ours_total: ours.total(&accounts.purses),
        purses: accounts.purses.clone(),
        scope: accounts.scope,
        opening: accounts.opening,
        closing: accounts.closing,
    };
    theirs.accounts.iter().map(of).collect()
}

/// A statement as M-Pesa's side of `purses`: its charges are on the charges account
/// where that is one of them.
fn of_statement(purses: Vec<Purse>, statement: &Statement) -> Result<TheirBooks, SettlementError> {
    let (Some(first), Some(last)) = (statement.lines.first(), statement.lines.last()) else {
        return Err(SettlementError::StatementEmpty);
    };
    let Some(main) = purses.first().copied() else { return Err(SettlementError::StatementEmpty) };
    let (from, until) = (first.at, last.at.plus_seconds(1));
    let lines = statement.lines.iter().map(|line| {
        let kind = match line.kind {
            StatementKind::Payment => Kind::Payment,
            StatementKind::Payout => Kind::Payout,
            StatementKind::Charge => Kind::Charge,
            StatementKind::Reversal => Kind::Reversal,
            StatementKind::FloatMove => Kind::FloatMove,
            StatementKind::Deposit => Kind::Deposit,
            StatementKind::Withdrawal => Kind::Withdrawal,
            StatementKind::Other => Kind::Other,
        };
        let is_charge = kind == Kind::Charge && purses.contains(&Purse::Charges);
        Theirs {
            purse: if is_charge { Purse::Charges } else { main },
            kind,
            receipt: line.receipt.clone(),
            linked: line.linked.clone(),
            amount_cents: line.amount,
            at: line.at,
            reference: line.reference.clone(),
        }
    });
    let lines: Vec<Theirs> = lines.collect();
    let (opening, closing) = (statement.opening(), statement.closing());
    let accounts = vec![Accounts { purses, scope: Scope::Everything, opening, closing }];
    Ok(TheirBooks { accounts, lines, from, until, unreadable: u64::from(statement.unreadable) })
}

impl From<StatementError> for SettlementError {
    fn from(error: StatementError) -> Self {
        Self::Statement(error)
    }
}

/// Something that stands apart.
struct Finding {
    key: String,
    code: &'static str,
    at: Timestamp,
    detail: String,
}

fn findings(report: &Report) -> Vec<Finding> {
    let ours = report.only_ours.lines.iter().map(|line| Finding {
        key: key_of_ours(line),
        code: "only_ours",
        at: line.latest,
        detail: format!(
            "journal row {} ({}) of {} is not in M-Pesa's books",
            line.sequence, line.about, line.amount_cents
        ),
    });
    let theirs = report.only_theirs.lines.iter().map(|line| Finding {
        key: key_of_theirs(line),
        code: "only_theirs",
        at: line.at,
        detail: format!(
            "{} of {} at {} is in M-Pesa's books alone",
            line.receipt.as_ref().map_or("a line without a number", |receipt| receipt.as_str()),
            line.amount_cents,
            line.at
        ),
    });
    let different = report.different.lines.iter().map(|both| Finding {
        key: key_of_theirs(&both.theirs),
        code: "different",
        at: both.theirs.at,
        detail: format!(
            "M-Pesa's books have {}, ours have {} ({})",
            both.theirs.amount_cents, both.ours.amount_cents, both.ours.about
        ),
    });
    ours.chain(theirs).chain(different).collect()
}

/// A review's key from what it is about: the same from either side.
fn key(purse: Purse, name: &str, kind: Kind) -> String {
    let purse = match purse {
        Purse::Collection => "collection",
        Purse::Payout => "payout",
        Purse::Charges => "charges",
    };
    let class = match kind {
        Kind::Charge => "charge",
        Kind::Reversal => "reversal",
        _ => "money",
    };
    format!("books/{purse}/{name}/{class}")
}

fn key_of_theirs(line: &Theirs) -> String {
    match &line.receipt {
        Some(receipt) => key(line.purse, receipt.as_str(), line.kind),
        None => key(line.purse, &format!("at-{}-{}", line.at.seconds(), line.amount_cents.0), line.kind),
    }
}

fn key_of_ours(line: &Ours) -> String {
    match line.names.first() {
        Some(receipt) => key(line.purse, receipt.as_str(), line.kind),
        None => key(line.purse, &format!("row-{}", line.sequence), line.kind),
    }
}
