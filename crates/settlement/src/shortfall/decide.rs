//! From a standing and what chain and ledger say to the next standing and its steps. Pure.

use super::instalment::Purchase;
use jirani_market::shortfall::{Account, Event, Policy, RelayPosition, ShortfallError, Step, apply};
use jirani_store::ShortfallRecord;
use jirani_units::{Cents, Price, Timestamp, Wh};

/// What chain and ledger say now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Facts {
    /// End of the last attested slot.
    pub(super) through: Timestamp,
    /// Energy owed.
    pub(super) shortfall: Wh,
    /// Balance that is free.
    pub(super) available: Cents,
    /// Retail in force.
    pub(super) retail: Price,
    /// What the meter says of its relay since the last command; `None` when nothing.
    pub(super) relay: Option<RelayPosition>,
    /// Money that came in and has not met emergency credit yet.
    pub(super) income: Vec<Cents>,
    /// The row of the journal through which that is so.
    pub(super) journal: u64,
}

/// Looks at a household anew: repays emergency credit from what came in, then takes what is
/// so now.
pub(super) fn look(
    record: &ShortfallRecord,
    policy: &Policy,
    facts: &Facts,
    at: Timestamp,
) -> Result<(ShortfallRecord, Vec<Step>), ShortfallError> {
    let mut next = record.clone();
    let mut steps = Vec::new();
    let unread: i64 = facts.income.iter().map(|amount| amount.0).sum();
    let account = &mut next.account;
    account.shortfall = facts.shortfall;
    account.retail = facts.retail;
    account.available = Cents(facts.available.0 + account.emergency_owed.0 - unread);
    if let Some(position) = facts.relay {
        let (after, more) = apply(account, policy, Event::RelayReported(position), at)?;
        *account = after;
        steps.extend(more);
    }
    for amount in &facts.income {
        let (after, more) = apply(account, policy, Event::Paid(*amount), at)?;
        *account = after;
        steps.extend(more);
    }
    // Also past rows that are no income: nobody reads them again.
    next.journal = next.journal.max(facts.journal);
    let attested = Event::Attested {
        through: facts.through,
        shortfall: facts.shortfall,
        // Emergency credit counts beside the balance while it is owed.
        available: Cents(facts.available.0 + account.emergency_owed.0),
        retail: facts.retail,
    };
    let (after, more) = apply(account, policy, attested, at)?;
    *account = after;
    steps.extend(more);
    Ok((next, steps))
}

/// The same after the energy of an instalment was bought.
pub(super) fn look_after(
    record: &ShortfallRecord,
    bought: Purchase,
    policy: &Policy,
    facts: &Facts,
    at: Timestamp,
) -> Result<(ShortfallRecord, Vec<Step>), ShortfallError> {
    let Purchase::Bought { paid, energy } = bought else { return look(record, policy, facts, at) };
    // As it stood before the purchase: what chain and ledger say now is after it.
    let mut account = record.account;
    account.retail = facts.retail;
    account.shortfall = Wh(facts.shortfall.0.saturating_add(energy.0));
    account.available = Cents(facts.available.0 + account.emergency_owed.0 + paid.0);
    let (account, mut steps) = match apply(&account, policy, Event::InstalmentPaid { paid, energy }, at) {
        Ok(paid) => paid,
        // Somebody else has recorded it.
        Err(ShortfallError::NoInstalmentDue) => return look(record, policy, facts, at),
        Err(error) => return Err(error),
    };
    let (next, more) = look(&ShortfallRecord { account, ..record.clone() }, policy, facts, at)?;
    steps.extend(more);
    Ok((next, steps))
}

/// Whether two standings differ in more than what chain and ledger say anyway.
pub(super) fn is_changed(before: &ShortfallRecord, after: &ShortfallRecord) -> bool {
    let core = |record: &ShortfallRecord| {
        let account = Account {
            shortfall: Wh::ZERO,
            available: Cents::ZERO,
            retail: Price(0),
            attested_through: None,
            ..record.account
        };
        (account, record.journal)
    };
    core(before) != core(after)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jirani_market::shortfall::StepKind;
    use jirani_units::HouseholdId;

    const NOON: Timestamp = Timestamp::from_seconds(1_800_000_000);

    fn fresh(limit: i64) -> ShortfallRecord {
        let account = Account::new(HouseholdId(1), Cents(limit), Price(4_000));
        ShortfallRecord { account, journal: 0, version: 0 }
    }

    fn facts(shortfall: u64, available: i64) -> Facts {
        Facts {
            through: NOON,
            shortfall: Wh(shortfall),
            available: Cents(available),
            retail: Price(4_000),
            relay: None,
            income: Vec::new(),
            journal: 0,
        }
    }

    fn kinds(steps: &[Step]) -> Vec<StepKind> {
        steps.iter().map(|step| step.kind).collect()
    }

    #[test]
    fn emergency_credit_is_room_that_income_takes_away_and_the_balance_stays_whole() {
        let policy = Policy { emergency: Cents(5_000), ..Policy::default() };
        // 12 kWh at 40.00 are 480.00 of 500.00.
        let (warned, _) = look(&fresh(50_000), &policy, &facts(12_000, 0), NOON).unwrap();
        let (credited, steps) = apply(&warned.account, &policy, Event::EmergencyAsked, NOON).unwrap();
        assert_eq!(kinds(&steps), [StepKind::EmergencyGranted(Cents(5_000))]);
        let credited = ShortfallRecord { account: credited, journal: 7, version: 1 };
        let (still, _) = look(&credited, &policy, &facts(12_000, 0), NOON).unwrap();
        assert_eq!(still.account.exposure(), Cents(43_000));
        // 30.00 come in: 20.00 of credit are left, and the 30.00 are in the balance.
        let paid = Facts { income: vec![Cents(3_000)], journal: 9, ..facts(12_000, 3_000) };
        let (after, steps) = look(&still, &policy, &paid, NOON).unwrap();
        assert_eq!(kinds(&steps), [StepKind::EmergencyRepaid(Cents(3_000))]);
        assert_eq!((after.account.emergency_owed, after.journal), (Cents(2_000), 9));
        assert_eq!(after.account.exposure(), Cents(48_000 - 3_000 - 2_000));
        // The same row again is never given again; a look without news changes nothing.
        let (again, steps) = look(&after, &policy, &facts(12_000, 3_000), NOON).unwrap();
        assert_eq!((kinds(&steps), is_changed(&after, &again)), (vec![], false));
        // Rows that are no income are not read again.
        let spent = Facts { journal: 12, ..facts(12_000, 1_000) };
        let (past, steps) = look(&after, &policy, &spent, NOON).unwrap();
        assert_eq!((kinds(&steps), past.journal, is_changed(&after, &past)), (vec![], 12, true));
    }

    #[test]
    fn what_only_chain_and_ledger_say_is_no_change() {
        let policy = Policy::default();
        let (few, steps) = look(&fresh(50_000), &policy, &facts(1_000, 0), NOON).unwrap();
        assert_eq!((kinds(&steps), is_changed(&fresh(50_000), &few)), (vec![], false));
        let (half, steps) = look(&few, &policy, &facts(6_250, 0), NOON).unwrap();
        assert_eq!(steps.len(), 1);
        assert!(is_changed(&few, &half));
    }
}
