//! From an event to the next standing and its steps. Pure: whoever replays the events
//! gets the same records.

use super::account::{Account, Mark, Policy, Protection, Relay};
use super::money;
use super::step::{Deferral, RelayPosition, ShortfallError, Step, StepKind};
use crate::nairobi;
use jirani_units::{Cents, Price, Timestamp, Wh};

/// What happened to a household.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A slot was attested: what chain and ledger say now.
    Attested {
        /// End of the slot.
        through: Timestamp,
        /// Energy owed.
        shortfall: Wh,
        /// Balance that is free.
        available: Cents,
        /// Retail in force.
        retail: Price,
    },
    /// Money came in, by a payment or a sale, and is in the balance.
    Paid(Cents),
    /// The meter reported its relay.
    RelayReported(RelayPosition),
    /// The household asks for emergency credit.
    EmergencyAsked,
    /// Household and operator agree on instalments for all that is owed.
    InstalmentsAgreed {
        /// One instalment.
        each: Cents,
        /// Days between two.
        every_days: u16,
    },
    /// The operator sets a protection.
    ProtectionSet(Protection),
    /// The operator sets the limit.
    LimitSet(Cents),
    /// The energy of the instalment that was due ([`Account::instalment_due`]) was bought.
    InstalmentPaid {
        /// For so much.
        paid: Cents,
        /// So much energy.
        energy: Wh,
    },
    /// The household disputes a step.
    Disputed(u64),
    /// The operator answered.
    Resolved,
    /// Time went by.
    Tick,
}

/// What `event` at `at` makes of an account. Refused events change nothing.
pub fn apply(
    account: &Account,
    policy: &Policy,
    event: Event,
    at: Timestamp,
) -> Result<(Account, Vec<Step>), ShortfallError> {
    let mut next = *account;
    let mut kinds = Vec::new();
    take(&mut next, policy, event, at, &mut kinds)?;
    warn(&mut next, at, &mut kinds);
    relay(&mut next, policy, at, &mut kinds);
    let steps = kinds
        .into_iter()
        .map(|kind| {
            next.steps += 1;
            Step { household: next.household, number: next.steps, at, kind }
        })
        .collect();
    Ok((next, steps))
}

/// The event itself, before its consequences for messages and relay.
fn take(
    account: &mut Account,
    policy: &Policy,
    event: Event,
    at: Timestamp,
    steps: &mut Vec<StepKind>,
) -> Result<(), ShortfallError> {
    match event {
        Event::Attested { through, shortfall, available, retail } => {
            let newest = account.attested_through.is_none_or(|before| before <= through);
            if newest {
                account.attested_through = Some(through);
                (account.shortfall, account.available, account.retail) = (shortfall, available, retail);
            }
            money::instalments(account, policy, at, steps);
        }
        Event::Paid(amount) => {
            if !amount.is_positive() {
                return Err(ShortfallError::AmountNotPositive);
            }
            account.available = Cents(account.available.0.saturating_add(amount.0));
            money::repay_emergency(account, amount, steps);
        }
        Event::RelayReported(position) => {
            let reported = match position {
                RelayPosition::Open => Relay::Open,
                RelayPosition::Closed => Relay::Closed,
            };
            // What was said before a newer command took effect is not the last word.
            let awaited = match (account.relay, position) {
                (Relay::Opening { .. }, RelayPosition::Closed) | (Relay::Closing, RelayPosition::Open) => {
                    false
                }
                (before, _) => before != reported,
            };
            if awaited {
                account.relay = reported;
                steps.push(StepKind::RelayConfirmed(position));
            }
        }
        Event::EmergencyAsked => {
            if account.emergency_owed.is_positive() {
                return Err(ShortfallError::EmergencyOwed(account.emergency_owed));
            }
            if !account.reaches(80) || !policy.emergency.is_positive() {
                return Err(ShortfallError::EmergencyNotNeeded);
            }
            account.emergency_owed = policy.emergency;
            account.available = Cents(account.available.0.saturating_add(policy.emergency.0));
            steps.push(StepKind::EmergencyGranted(policy.emergency));
        }
        Event::InstalmentsAgreed { each, every_days } => {
            steps.push(money::agree(account, each, every_days, at)?);
        }
        Event::ProtectionSet(protection) => {
            if account.protection != protection {
                account.protection = protection;
                steps.push(StepKind::ProtectionSet(protection));
            }
        }
        Event::LimitSet(limit) => {
            if limit.0 < 0 {
                return Err(ShortfallError::LimitNegative);
            }
            if account.limit != limit {
                account.limit = limit;
                steps.push(StepKind::LimitSet(limit));
            }
        }
        Event::Disputed(number) => {
            if number == 0 || number > account.steps || account.disputed.is_some() {
                return Err(ShortfallError::NotDisputable);
            }
            account.disputed = Some(number);
            let again_s = policy.dispute_again_s.saturating_mul(1_000_000);
            if account.dispute_began.is_none_or(|began| at.since(began) >= again_s) {
                account.dispute_began = Some(at);
            }
            steps.push(StepKind::Disputed(number));
        }
        Event::Resolved => {
            let number = account.disputed.take().ok_or(ShortfallError::NoDispute)?;
            steps.push(StepKind::Resolved(number));
        }
        Event::InstalmentPaid { paid, energy } => {
            money::instalment_paid(account, paid, energy, at, steps)?;
        }
        Event::Tick => money::instalments(account, policy, at, steps),
    }
    Ok(())
}

/// Messages at 50 % and 80 %, each at most once a day; one where both are passed at once.
fn warn(account: &mut Account, at: Timestamp, steps: &mut Vec<StepKind>) {
    let (exposure, limit) = (account.exposure(), account.limit);
    let (half, most) = (account.reaches(50), account.reaches(80));
    let tell_half = pass(&mut account.half, half, at);
    let tell_most = pass(&mut account.most, most, at);
    if tell_half || tell_most {
        let percent = if tell_most { 80 } else { 50 };
        steps.push(StepKind::Warned { percent, exposure, limit });
    }
}

/// Whether the mark is passed now and nothing was told of it today.
fn pass(mark: &mut Mark, reached: bool, at: Timestamp) -> bool {
    if !reached {
        mark.since = None;
        return false;
    }
    let newly = mark.since.is_none() && mark.told != Some(nairobi::day(at));
    mark.since = mark.since.or(Some(at));
    if newly {
        mark.told = Some(nairobi::day(at));
    }
    newly
}

/// Opens or closes the relay, or says why it stays closed.
fn relay(account: &mut Account, policy: &Policy, at: Timestamp, steps: &mut Vec<StepKind>) {
    if let Relay::Opening { not_after } = account.relay
        && at >= not_after
    {
        steps.push(StepKind::OpeningLapsed { command: account.commands });
        // It may have been obeyed by a meter that nobody has heard since: whoever is told
        // that power stays on has it.
        account.commands += 1;
        account.relay = Relay::Closing;
    }
    let protected = protection(account, at);
    let off = matches!(account.relay, Relay::Open | Relay::Opening { .. });
    if !account.reaches(100) || protected.is_some() {
        if off {
            account.commands += 1;
            account.relay = Relay::Closing;
            steps.push(StepKind::RelayCloses { command: account.commands });
        }
        if !account.reaches(100) {
            account.deferred = None;
            return;
        }
    }
    if off && protected.is_none() {
        return;
    }
    let (exposure, limit) = (account.exposure(), account.limit);
    if let Some(because) = protected.or_else(|| deferral(account, policy, at)) {
        if account.deferred != Some(because) {
            account.deferred = Some(because);
            steps.push(StepKind::LimitReached { because, exposure, limit });
        }
        return;
    }
    let hours_left = policy.cut_until_hour - nairobi::hour(at);
    // From the beginning of this hour, so that the command ends with the day's time.
    let hour_start = at.0 - at.0.rem_euclid(3_600_000_000);
    let not_after = Timestamp(hour_start).plus_seconds(hours_left * 3_600);
    account.deferred = None;
    account.commands += 1;
    account.relay = Relay::Opening { not_after };
    steps.push(StepKind::RelayOpens { command: account.commands, not_after, exposure, limit });
}

fn protection(account: &Account, at: Timestamp) -> Option<Deferral> {
    match account.protection {
        Protection::None => None,
        Protection::Customer(until) => until.is_none_or(|until| at < until).then_some(Deferral::Protected),
        Protection::Clinic => Some(Deferral::Clinic),
    }
}

/// Why the relay may not open now.
fn deferral(account: &Account, policy: &Policy, at: Timestamp) -> Option<Deferral> {
    let younger = |moment: Timestamp, seconds: i64| at.since(moment) < seconds.saturating_mul(1_000_000);
    if account.disputed.is_some()
        && account.dispute_began.is_some_and(|began| younger(began, policy.dispute_s))
    {
        return Some(Deferral::Dispute);
    }
    if account.attested_through.is_none_or(|through| !younger(through, policy.readings_s)) {
        return Some(Deferral::OldReadings);
    }
    if account.most.since.is_none_or(|warned| younger(warned, policy.notice_s)) {
        return Some(Deferral::Notice);
    }
    let hour = nairobi::hour(at);
    (!(policy.cut_from_hour..policy.cut_until_hour).contains(&hour)).then_some(Deferral::Night)
}
