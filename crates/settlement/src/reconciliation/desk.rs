//! The desk: one operator proposes, another approves, and only then is it done.

use crate::error::SettlementError;
use crate::review::Matter;
use crate::service::{COMMIT_ATTEMPTS, Settlement};
use jirani_ledger::Refusal;
use jirani_reconciliation::Decision;
use jirani_store::{Change, ProposalRecord, ProposalState, ReviewRecord, StoreError};
use jirani_units::Clock as _;

/// The longest operator's name, in characters.
const NAME_MAX: usize = 40;
/// The longest note, in characters.
const NOTE_MAX: usize = 500;

/// An operator's name: letters, digits, space, `.`, `-` and `'`, and not only spaces.
pub(crate) fn check_operator(name: &str) -> Result<(), SettlementError> {
    let is_fine = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '.' | '-' | '\'');
    let is_trimmed = name.trim() == name && !name.is_empty();
    if is_trimmed && name.chars().count() <= NAME_MAX && name.chars().all(is_fine) {
        Ok(())
    } else {
        Err(SettlementError::InvalidOperator)
    }
}

/// Whether two names are one person's: case and spaces make no second person.
fn is_same_person(one: &str, other: &str) -> bool {
    let plain = |name: &str| -> String {
        name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
    };
    plain(one) == plain(other)
}

/// Whether a decision is about what the review is about: its key names it.
fn fits(decision: &Decision, key: &str) -> bool {
    let names = |wanted: &str| key.split('/').any(|part| part == wanted);
    match decision {
        // What still holds money is decided, not explained away: its review is the only door.
        Decision::Explained => !holds_money(key),
        Decision::PayoutPaid { payout_id, receipt } => {
            key.starts_with(&format!("payout/{payout_id}/")) || names(receipt.as_str())
        }
        Decision::PayoutFailed { payout_id } => key.starts_with(&format!("payout/{payout_id}/")),
        Decision::FloatMoved { number, .. } | Decision::FloatFailed { number } => {
            key == Matter::FloatUnknown(*number).key()
        }
        Decision::CollectionUnpaid { order_id } => key == Matter::CollectionUnknown(*order_id).key(),
        Decision::Attach { receipt, .. }
        | Decision::WriteOff { receipt }
        | Decision::BookFound { receipt, .. }
        | Decision::BookDeposit { receipt, .. }
        | Decision::BookSweep { receipt, .. }
        | Decision::BookCharge { receipt, .. } => names(receipt.as_str()),
        Decision::Correct { sequence } => names(&format!("row-{sequence}")),
    }
}

/// Whether a review ends only when the money it is about has somewhere to be.
fn holds_money(key: &str) -> bool {
    let unknown = key.ends_with("/unknown") && (key.starts_with("payout/") || key.starts_with("float/"));
    unknown || key.ends_with("/suspense")
}

impl Settlement {
    /// Proposes what to do about an open review. Nothing is done yet. One proposal per
    /// review waits at a time.
    pub async fn propose(
        &self,
        operator: &str,
        review: &str,
        decision: &Decision,
        note: &str,
    ) -> Result<ProposalRecord, SettlementError> {
        let _busy = self.clock.busy();
        check_operator(operator)?;
        if note.chars().count() > NOTE_MAX || !decision.is_sound() {
            return Err(SettlementError::UnfitDecision("the note or the amount is too large".to_owned()));
        }
        let open = self.open_review(review).await?;
        if !fits(decision, &open.key) {
            return Err(SettlementError::UnfitDecision(format!("{decision} is not what {review} is about")));
        }
        // What could not be done anyway is refused now, not when the other one approves.
        self.act(decision).await?;
        let decision = serde_json::to_string(decision)
            .map_err(|error| SettlementError::Stuck(format!("a decision cannot be written: {error}")))?;
        let record = ProposalRecord {
            number: self.store.next_number("proposal").await?,
            review: open.key,
            decision,
            note: note.to_owned(),
            proposed_by: operator.to_owned(),
            proposed_at: self.clock.now(),
            state: ProposalState::Proposed,
            decided_by: None,
            decided_at: None,
            version: 0,
        };
        match self.store.commit(vec![Change::Proposal(record.clone())]).await {
            Ok(_) => {
                tracing::info!(proposal = record.number, review = record.review, by = operator, "proposed");
                Ok(ProposalRecord { version: 1, ..record })
            }
            Err(StoreError::Conflict { .. }) => Err(SettlementError::ProposalWaiting),
            Err(error) => Err(error.into()),
        }
    }

    /// Approves a proposal of another operator and does it: the decision, its approval
    /// and the end of its review are one commit. Approving it again, by the same
    /// person, changes nothing.
    pub async fn approve(&self, operator: &str, number: u64) -> Result<ProposalRecord, SettlementError> {
        let _busy = self.clock.busy();
        check_operator(operator)?;
        let _deciding = self.deciding.lock().await;
        for _ in 0..COMMIT_ATTEMPTS {
            let proposal = self.stored_proposal(number).await?;
            match proposal.state {
                ProposalState::Proposed => {}
                ProposalState::Approved if proposal.decided_by.as_deref() == Some(operator) => {
                    return Ok(proposal);
                }
                ProposalState::Approved | ProposalState::Rejected => {
                    return Err(SettlementError::ProposalDecided);
                }
            }
            if is_same_person(operator, &proposal.proposed_by) {
                return Err(SettlementError::SamePerson);
            }
            let review = self.open_review(&proposal.review).await?;
            let decision: Decision = serde_json::from_str(&proposal.decision).map_err(|error| {
                SettlementError::Stuck(format!("a stored decision is unreadable: {error}"))
            })?;
            // Held to the end: a debt that is given up must not be paid meanwhile.
            let giving_up = match decision {
                Decision::WriteOff { .. } => Some(self.debts.paying().await),
                _ => None,
            };
            let mut step = self.act(&decision).await?;
            step.closed.retain(|(matter, _)| matter.key() != review.key);
            let now = self.clock.now();
            let approved = ProposalRecord {
                state: ProposalState::Approved,
                decided_by: Some(operator.to_owned()),
                decided_at: Some(now),
                ..proposal.clone()
            };
            let outcome = format!("{decision}: proposed by {}, approved by {operator}", proposal.proposed_by);
            step.change(Change::Review(ReviewRecord {
                closed_at: Some(now),
                outcome: Some(outcome),
                ..review
            }));
            step.change(Change::Proposal(approved.clone()));
            let done =
                if giving_up.is_some() { self.commit_unpaid(step).await } else { self.commit(step).await };
            match done {
                Ok(_) => {
                    tracing::warn!(
                        proposal = number,
                        review = approved.review,
                        by = operator,
                        "approved and done"
                    );
                    return Ok(ProposalRecord { version: approved.version + 1, ..approved });
                }
                Err(StoreError::Conflict { .. }) => {}
                Err(StoreError::Refused { refusal, .. }) if refusal != Refusal::InsufficientBalance => {
                    return Err(SettlementError::UnfitDecision(refusal.to_string()));
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(SettlementError::Contended)
    }

    /// Rejects a proposal, or takes one's own back. Nothing else changes; the review
    /// waits for another proposal.
    pub async fn reject(&self, operator: &str, number: u64) -> Result<ProposalRecord, SettlementError> {
        let _busy = self.clock.busy();
        check_operator(operator)?;
        let proposal = self.stored_proposal(number).await?;
        if proposal.state == ProposalState::Rejected && proposal.decided_by.as_deref() == Some(operator) {
            return Ok(proposal);
        }
        if proposal.state != ProposalState::Proposed {
            return Err(SettlementError::ProposalDecided);
        }
        let rejected = ProposalRecord {
            state: ProposalState::Rejected,
            decided_by: Some(operator.to_owned()),
            decided_at: Some(self.clock.now()),
            ..proposal
        };
        match self.store.commit(vec![Change::Proposal(rejected.clone())]).await {
            Ok(_) => Ok(ProposalRecord { version: rejected.version + 1, ..rejected }),
            Err(StoreError::Conflict { .. }) => Err(SettlementError::ProposalDecided),
            Err(error) => Err(error.into()),
        }
    }

    async fn open_review(&self, key: &str) -> Result<ReviewRecord, SettlementError> {
        let review = self.store.review(key).await?.ok_or(SettlementError::UnknownReview)?;
        if review.closed_at.is_some() { Err(SettlementError::ReviewClosed) } else { Ok(review) }
    }

    async fn stored_proposal(&self, number: u64) -> Result<ProposalRecord, SettlementError> {
        self.store.proposal(number).await?.ok_or(SettlementError::UnknownProposal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jirani_units::{HouseholdId, OrderId, PayoutId, Receipt};

    #[test]
    fn a_decision_is_about_what_its_review_is_about() {
        let receipt: Receipt = "UJ32ABCDEF".parse().unwrap();
        let attach = Decision::Attach { receipt: receipt.clone(), household_id: HouseholdId(4) };
        let paid = Decision::PayoutPaid { payout_id: PayoutId(7), receipt };
        let failed = Decision::PayoutFailed { payout_id: PayoutId(7) };
        let unpaid = Decision::CollectionUnpaid { order_id: OrderId(7) };
        let correct = Decision::Correct { sequence: 12 };
        for (decision, key, is_fit) in [
            (&attach, "receipt/UJ32ABCDEF/suspense", true),
            (&attach, "receipt/UJ32ABCDEG/suspense", false),
            (&paid, "payout/7/unknown", true),
            (&paid, "payout/77/unknown", false),
            (&paid, "books/payout/UJ32ABCDEF/money", true),
            (&failed, "payout/7/unknown", true),
            (&failed, "collection/7/unknown", false),
            (&unpaid, "collection/7/unknown", true),
            (&unpaid, "payout/7/unknown", false),
            (&correct, "books/payout/row-12/money", true),
            (&correct, "books/payout/row-120/money", false),
            (&Decision::Explained, "anything", true),
            (&Decision::Explained, "payout/7/unknown", false),
            (&Decision::Explained, "float/3/unknown", false),
            (&Decision::Explained, "receipt/UJ32ABCDEF/suspense", false),
        ] {
            assert_eq!(fits(decision, key), is_fit, "{decision} {key}");
        }
    }

    #[test]
    fn two_spellings_are_one_person() {
        assert!(is_same_person("Amina W.", "amina w"));
        assert!(!is_same_person("Amina", "Baraka"));
        for (name, is_fine) in
            [("Amina W.", true), ("", false), (" Amina", false), ("a/b", false), ("ab\n", false)]
        {
            assert_eq!(check_operator(name).is_ok(), is_fine, "{name:?}");
        }
        assert!(check_operator(&"a".repeat(41)).is_err());
    }
}
