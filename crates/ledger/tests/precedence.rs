//! When two refusals hold at once, the one that stands first in the list is told:
//! for every pair that can hold at once.
#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests too")]

use jirani_ledger::{Account, AccountBalance, Facts, Kind, Reason, Refusal, Transfer, TransferId, decide};
use jirani_units::{Cents, HouseholdId, Timestamp};

const AMINA: Account = Account::Household(HouseholdId(1));
const HOLD: TransferId = TransferId([2; 16]);

/// A transfer and all that is known when it is decided on.
struct Case {
    transfer: Transfer,
    hold: Option<Transfer>,
    hold_ended: bool,
    debit: AccountBalance,
    credit: AccountBalance,
    /// What the earlier transfer under the same id has otherwise.
    earlier: Vec<fn(&mut Transfer)>,
}

impl Case {
    /// Ends a hold of 600, or moves 600: nothing is wrong with either.
    fn sound(ends: bool) -> Self {
        let hold = Transfer {
            id: HOLD,
            debit: AMINA,
            credit: Account::MpesaPayout,
            amount: Cents(600),
            reason: Reason::Payout,
            kind: Kind::Hold,
            memo: "payout 1".to_owned(),
            at: Timestamp(0),
        };
        let kind = if ends { Kind::Post(HOLD) } else { Kind::Posted };
        let held = Cents(if ends { 600 } else { 0 });
        Self {
            transfer: Transfer { id: TransferId([1; 16]), kind, ..hold.clone() },
            hold: ends.then_some(hold),
            hold_ended: false,
            debit: AccountBalance { credits: Cents(1_000), debits_held: held, ..AccountBalance::default() },
            credit: AccountBalance { credits_held: held, ..AccountBalance::default() },
            earlier: Vec::new(),
        }
    }

    fn decide(&self) -> Result<(), Refusal> {
        let earlier = (!self.earlier.is_empty()).then(|| {
            let mut earlier = self.transfer.clone();
            self.earlier.iter().for_each(|differ| differ(&mut earlier));
            earlier
        });
        let facts = Facts {
            earlier: earlier.as_ref(),
            hold: self.hold.as_ref(),
            hold_ended: self.hold_ended,
            debit: self.debit,
            credit: self.credit,
        };
        decide(&self.transfer, &facts).map(drop)
    }

    /// Makes `refusal` hold; false when it cannot, given what holds already.
    fn provoke(&mut self, refusal: Refusal) -> bool {
        let ends = self.transfer.kind.hold().is_some();
        match refusal {
            Refusal::AmountNotPositive => self.transfer.amount = Cents(-1),
            Refusal::SameAccount => self.transfer.credit = self.transfer.debit,
            Refusal::MemoTooLong => self.transfer.memo = "m".repeat(257),
            Refusal::IdReusedKind => self.earlier.push(|earlier| {
                earlier.kind = match earlier.kind {
                    Kind::Post(hold) => Kind::Void(hold),
                    _ => Kind::Hold,
                };
            }),
            Refusal::IdReusedHold => self.earlier.push(|earlier| {
                let other = TransferId([9; 16]);
                earlier.kind = match earlier.kind {
                    Kind::Void(_) => Kind::Void(other),
                    _ => Kind::Post(other),
                };
            }),
            Refusal::IdReusedDebit => self.earlier.push(|earlier| earlier.debit = Account::Suspense),
            Refusal::IdReusedCredit => self.earlier.push(|earlier| earlier.credit = Account::Rounding),
            Refusal::IdReusedAmount => self.earlier.push(|earlier| earlier.amount = Cents(77)),
            Refusal::IdReusedReason => self.earlier.push(|earlier| earlier.reason = Reason::Correction),
            Refusal::UnknownHold => self.hold = None,
            Refusal::NotAHold => self.with_hold(|hold| hold.kind = Kind::Posted),
            Refusal::HoldDebitDiffers => self.with_hold(|hold| hold.debit = Account::Suspense),
            Refusal::HoldCreditDiffers => self.with_hold(|hold| hold.credit = Account::Rounding),
            // Nothing can be more than a hold and not above zero: only a void can be both.
            Refusal::HoldAmountDiffers => {
                self.transfer.kind = Kind::Void(HOLD);
                self.with_hold(|hold| hold.amount = Cents(599));
            }
            Refusal::HoldReasonDiffers => self.with_hold(|hold| hold.reason = Reason::Refund),
            Refusal::HoldEnded => self.hold_ended = true,
            Refusal::InsufficientBalance => self.debit.debits_held = Cents(1_000),
            Refusal::Overflow => self.credit.credits = Cents(i64::MAX),
        }
        match refusal {
            Refusal::IdReusedHold
            | Refusal::UnknownHold
            | Refusal::NotAHold
            | Refusal::HoldDebitDiffers
            | Refusal::HoldCreditDiffers
            | Refusal::HoldAmountDiffers
            | Refusal::HoldReasonDiffers
            | Refusal::HoldEnded => ends && (refusal == Refusal::UnknownHold || self.hold.is_some()),
            Refusal::InsufficientBalance => !ends,
            _ => true,
        }
    }

    fn with_hold(&mut self, change: fn(&mut Transfer)) {
        self.hold.iter_mut().for_each(change);
    }
}

/// What can be said of a hold that does not exist, or of a hold by what is no end of one.
fn exclude_each_other(first: Refusal, second: Refusal) -> bool {
    use Refusal as R;
    let about_its_hold = |refusal| {
        matches!(
            refusal,
            R::NotAHold
                | R::HoldDebitDiffers
                | R::HoldCreditDiffers
                | R::HoldAmountDiffers
                | R::HoldReasonDiffers
                | R::HoldEnded
        )
    };
    let ends_one = |refusal| about_its_hold(refusal) || matches!(refusal, R::UnknownHold | R::IdReusedHold);
    (first == R::UnknownHold && about_its_hold(second))
        || (ends_one(first) && second == R::InsufficientBalance)
}

#[test]
fn nothing_is_refused_without_a_reason() {
    assert_eq!((Case::sound(true).decide(), Case::sound(false).decide()), (Ok(()), Ok(())));
}

#[test]
fn every_refusal_is_told_when_it_alone_holds() {
    for refusal in Refusal::ALL {
        let provoked = [true, false].into_iter().find_map(|ends| {
            let mut case = Case::sound(ends);
            case.provoke(refusal).then_some(case)
        });
        assert_eq!(provoked.unwrap().decide(), Err(refusal));
    }
}

#[test]
fn of_two_refusals_the_first_in_the_list_is_told() {
    let mut pairs = 0;
    for (place, first) in Refusal::ALL.into_iter().enumerate() {
        for second in Refusal::ALL.into_iter().skip(place + 1) {
            let mut provoked = 0;
            for ends in [true, false] {
                let mut case = Case::sound(ends);
                if [first, second].into_iter().all(|refusal| case.provoke(refusal)) {
                    provoked += 1;
                    assert_eq!(case.decide(), Err(first), "{first:?} and {second:?}");
                }
            }
            assert_eq!(provoked == 0, exclude_each_other(first, second), "{first:?} and {second:?}");
            pairs += usize::from(provoked > 0);
        }
    }
    // 18 refusals make 153 pairs; 14 of them cannot be.
    assert_eq!(pairs, 139);
}
