//! What transaction status tells of a transaction.

use super::b2b::{B2b, End};
use super::command::{Outcome, StatusOf};
use super::payout::{Payout, QUEUE_TIMEOUT};
use super::results::{self, Parameters};
use super::{World, bodies};
use crate::book::{Account, Movement, MovementKind};
use jirani_units::{Cents, Timestamp};

/// M-Pesa's words for money between businesses.
const B2B_REASON: &str = "Business to Business Transfer via API";

/// What is told of one transaction.
struct Told<'a> {
    debit: String,
    credit: String,
    originator_id: &'a str,
    conversation_id: &'a str,
    started_at: Timestamp,
    finished_at: Timestamp,
    account: &'static str,
    charges: Option<String>,
    reason: &'static str,
    status: &'static str,
    amount: Cents,
    receipt: &'a str,
}

impl Told<'_> {
    fn parameters(&self) -> Parameters {
        let text = |text: &str| Some(bodies::quote(text));
        vec![
            ("DebitPartyName", text(&self.debit)),
            ("CreditPartyName", text(&self.credit)),
            ("OriginatorConversationID", text(self.originator_id)),
            ("InitiatedTime", Some(results::stamp(self.started_at))),
            ("DebitAccountType", text(self.account)),
            ("DebitPartyCharges", text(self.charges.as_deref().unwrap_or_default())),
            ("TransactionReason", None),
            ("ReasonType", text(self.reason)),
            ("TransactionStatus", text(self.status)),
            ("FinalisedTime", Some(results::stamp(self.finished_at))),
            ("Amount", text(&bodies::decimal(self.amount))),
            ("ConversationID", text(self.conversation_id)),
            ("ReceiptNo", text(self.receipt)),
        ]
    }
}

impl World {
    /// What is known of a transaction. Unknown ones end in 25, bad parameter.
    pub(super) fn status_of(&self, of: &StatusOf) -> Outcome {
        let told = match of {
            StatusOf::Receipt(receipt) => {
                let receipt = receipt.trim().to_uppercase();
                self.book.transaction(&receipt).map(|movement| self.told_of_movement(movement, ("", "")))
            }
            StatusOf::Conversation(id) => {
                let seq = self.by_originator_id.get(id).or_else(|| self.by_conversation_id.get(id));
                let payout = seq.and_then(|seq| self.payouts.get(seq));
                let told = payout.map(|payout| self.told_of_payout(payout));
                told.or_else(|| self.b2b_of(id).map(|b2b| self.told_of_b2b(&b2b)))
            }
        };
        told.unwrap_or_else(|| Outcome::refused("25"))
    }

    /// A movement, and the ids of the request that made it: M-Pesa's two, where known.
    fn told_of_movement(
        &self,
        movement: &Movement,
        (originator_id, conversation_id): (&str, &str),
    ) -> Outcome {
        let receipt = movement.receipt.as_deref().unwrap_or_default();
        if movement.kind == MovementKind::Payout
            && let Some(seq) = movement.reference.as_ref().and_then(|id| self.by_originator_id.get(id))
            && let Some(payout) = self.payouts.get(seq)
        {
            return self.told_of_payout(payout);
        }
        let reason = match movement.kind {
            MovementKind::Reversal => "Transaction Reversal",
            MovementKind::FloatMove => B2B_REASON,
            _ => "Pay Bill Online",
        };
        let told = Told {
            debit: self.party(&movement.from),
            credit: self.party(&movement.to),
            originator_id,
            conversation_id,
            started_at: movement.at,
            finished_at: movement.at,
            account: results::account_name(&movement.from),
            charges: self.charged(movement.seq, receipt, "Pay Utility Charge"),
            reason,
            status: "Completed",
            amount: movement.amount,
            receipt,
        };
        Outcome::done(Some(receipt.to_owned()), told.parameters())
    }

    fn told_of_b2b(&self, b2b: &B2b) -> Outcome {
        let ids = (b2b.originator_id.as_str(), b2b.conversation_id.as_str());
        let (status, receipt) = match &b2b.end {
            End::Open => ("Authorized", ""),
            End::Moved(receipt) => ("Completed", receipt.as_str()),
            End::Expired => ("Expired", ""),
            End::Refused => ("Declined", ""),
        };
        if let Some(movement) = self.book.transaction(receipt) {
            return self.told_of_movement(movement, ids);
        }
        let business = |code: &str| format!("{code} - {}", self.business_name(code));
        let told = Told {
            debit: business(&b2b.shortcode),
            credit: business(&b2b.receiver),
            originator_id: ids.0,
            conversation_id: ids.1,
            started_at: b2b.at,
            finished_at: b2b.at,
            account: "Working Account",
            charges: None,
            reason: B2B_REASON,
            status,
            amount: Cents(b2b.shillings.saturating_mul(100)),
            receipt,
        };
        Outcome::done((!receipt.is_empty()).then(|| receipt.to_owned()), told.parameters())
    }

    fn told_of_payout(&self, payout: &Payout) -> Outcome {
        let order = &payout.order;
        let (status, receipt) = match (&payout.result_code, &payout.receipt) {
            (None, _) => ("Authorized", ""),
            (Some(_), Some(receipt)) => ("Completed", receipt.as_str()),
            (Some(code), None) if code == QUEUE_TIMEOUT => ("Expired", ""),
            (Some(_), None) => ("Declined", ""),
        };
        let movement = self.book.transaction(receipt);
        let at = movement.map_or(payout.result_at, |movement| movement.at);
        let told = Told {
            debit: self.party(&Account::utility(&order.shortcode)),
            credit: self.party(&Account::Customer(order.msisdn)),
            originator_id: &order.originator_id,
            conversation_id: &payout.conversation_id,
            started_at: at,
            finished_at: at,
            account: "Utility Account",
            charges: movement.and_then(|movement| self.charged(movement.seq, receipt, "Fee For B2C Payment")),
            reason: "Business Payment to Customer via API",
            status,
            amount: Cents(order.shillings.saturating_mul(100)),
            receipt,
        };
        Outcome::done((!receipt.is_empty()).then(|| receipt.to_owned()), told.parameters())
    }

    /// `254712000111 - JANE`, `600966 - Jirani Energy`.
    pub(super) fn party(&self, account: &Account) -> String {
        match account {
            Account::Customer(msisdn) => {
                let name = self.phones.get(msisdn).map_or("", |phone| &phone.name);
                format!("{} - {name}", msisdn.number())
            }
            Account::Shortcode(code, _) => format!("{code} - {}", self.business_name(code)),
            Account::Outside => "OTHER BUSINESS".to_owned(),
            Account::Revenue => "M-PESA".to_owned(),
        }
    }

    /// `Fee For B2C Payment|KES|22.40`: what the debited party paid for it.
    fn charged(&self, seq: u64, receipt: &str, name: &str) -> Option<String> {
        let charges = (seq + 1..seq + 3).filter_map(|next| self.book.movement(next));
        let mut charges =
            charges.filter(|m| m.receipt.as_deref() == Some(receipt) && m.to == Account::Revenue);
        charges.next().map(|m| format!("{name}|KES|{}", bodies::decimal(m.amount)))
    }
}
