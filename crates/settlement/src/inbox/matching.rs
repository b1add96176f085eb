//! What a callback says, and whose it is.
//!
//! Matched by the secret segment of its path, or by our reference (C2B, and the list
//! of payments); phones and names are never looked at.

use super::{Note, done};
use crate::collection::{CollectionEvent, Loose, Money};
use crate::engine::Key;
use crate::float::record::FloatEvent;
use crate::names::Names;
use crate::payout::PayoutEvent;
use crate::reversal::{Applied, TakenBack};
use crate::service::Settlement;
use crate::step::{Step, Trouble};
use jirani_daraja::callback::{
    B2cResult, C2bPayment, FoundTransaction, StatusOutcome, StkOutcome, StkResult, parse_b2c, parse_c2b,
    parse_float, parse_status, parse_stk,
};
use jirani_store::{CallbackKind, InboxRow, NewCallback, StoreError};
use jirani_units::{HouseholdId, OrderId, Reference};
use subtle::ConstantTimeEq as _;

/// What news says, once matched and read.
pub(crate) enum Heard {
    Prompt(StkResult, jirani_units::Timestamp),
    Payment(Money),
    /// A payment that names none of our references.
    Loose(Money, Option<HouseholdId>),
    Payout(B2cResult),
    PayoutTimeout,
    /// M-Pesa's answer to our question about a payout.
    PayoutFound(FoundTransaction),
    /// M-Pesa could not answer it.
    PayoutUnanswered(String),
    /// What came of a move of float, or M-Pesa's answer about one.
    Float(u64, FloatEvent),
    /// M-Pesa took a payment back.
    TakenBack(TakenBack),
    /// Nothing of ours, or unreadable; why.
    Nothing(String),
}

/// Money that came in, and the account reference its payer typed.
pub(crate) struct Paid {
    pub(crate) money: Money,
    pub(crate) bill_reference: String,
}

impl Settlement {
    /// Whose lane a callback belongs in, and what it says.
    pub(super) async fn target(&self, row: &InboxRow) -> Result<(Key, Heard), StoreError> {
        let NewCallback { kind, secret, body, received_at, .. } = &row.callback;
        let stray = Key::Stray(row.id);
        let nothing = |what: &str| Ok((stray, Heard::Nothing(what.to_owned())));
        match kind {
            CallbackKind::StkResult => {
                let Some(collection) = self.store.collection_by_secret(secret).await? else {
                    return nothing("unknown: no payment has this path");
                };
                let heard = match parse_stk(body) {
                    Ok(result) => Heard::Prompt(result, *received_at),
                    Err(error) => Heard::Nothing(error.to_string()),
                };
                Ok((Key::Order(collection.order), heard))
            }
            CallbackKind::C2bConfirmation => {
                if !bool::from(secret.as_bytes().ct_eq(self.names.c2b_secret().as_bytes())) {
                    return nothing("foreign: not the path registered with M-Pesa");
                }
                match parse_c2b(body) {
                    Ok(payment) => self.payment_target(stray, payment, *received_at).await,
                    Err(error) => nothing(&error.to_string()),
                }
            }
            CallbackKind::B2cResult | CallbackKind::B2cTimeout => {
                let Some(payout) = self.store.payout_by_secret(secret).await? else {
                    return nothing("unknown: no payout has this path");
                };
                let heard = match (kind, parse_b2c(body)) {
                    // What a timeout carries is not documented: only its door counts.
                    (CallbackKind::B2cTimeout, _) => Heard::PayoutTimeout,
                    (_, Ok(result)) => Heard::Payout(result),
                    (_, Err(error)) => Heard::Nothing(error.to_string()),
                };
                Ok((Key::Payout(payout.id), heard))
            }
            CallbackKind::Answer | CallbackKind::AnswerTimeout => {
                if let Some(float) = self.float_news(*kind, secret, body).await? {
                    return Ok(float);
                }
                if bool::from(secret.as_bytes().ct_eq(self.names.list_secret().as_bytes())) {
                    let what = "M-Pesa speaks of its list of payments: the list is read".to_owned();
                    return Ok((Key::Pull, Heard::Nothing(what)));
                }
                let Some(payout) = self.store.payout_by_secret(secret).await? else {
                    return Ok((stray, self.reconciling.told(*kind, secret, body, *received_at)));
                };
                let heard = match (kind, parse_status(body)) {
                    (CallbackKind::AnswerTimeout, _) => {
                        Heard::Nothing("queue timeout of a question: it is asked again".to_owned())
                    }
                    (_, Ok(answer)) => match answer.outcome {
                        StatusOutcome::Found(found) => Heard::PayoutFound(found),
                        StatusOutcome::Refused { code } => Heard::PayoutUnanswered(code),
                        StatusOutcome::Unknown { code } => {
                            Heard::Nothing(format!("undecided ({code}): it is asked again"))
                        }
                    },
                    (_, Err(error)) => Heard::Nothing(error.to_string()),
                };
                Ok((Key::Payout(payout.id), heard))
            }
        }
    }

    /// The result of the last move of float, or an answer about it.
    async fn float_news(
        &self,
        kind: CallbackKind,
        secret: &str,
        body: &[u8],
    ) -> Result<Option<(Key, Heard)>, StoreError> {
        let late = || Heard::Nothing("queue timeout about a move of float: it says nothing".to_owned());
        let Some(number) = self.last_float_move().await?.map(|last| last.number) else { return Ok(None) };
        let names = self.names.float_secrets(number);
        let heard = if Names::is(&names.result, secret) {
            match parse_float(body) {
                _ if kind == CallbackKind::AnswerTimeout => late(),
                Ok(answer) => Heard::Float(number, FloatEvent::Result(answer.outcome)),
                Err(error) => Heard::Nothing(error.to_string()),
            }
        } else if Names::is(&names.question, secret) {
            match parse_status(body).map(|answer| answer.outcome) {
                _ if kind == CallbackKind::AnswerTimeout => late(),
                Ok(StatusOutcome::Found(found)) => Heard::Float(number, FloatEvent::Found(found)),
                Ok(StatusOutcome::Refused { code } | StatusOutcome::Unknown { code }) => {
                    Heard::Nothing(format!("unanswered ({code}): it proves nothing"))
                }
                Err(error) => Heard::Nothing(error.to_string()),
            }
        } else {
            return Ok(None);
        };
        Ok(Some((Key::Float(number), heard)))
    }

    async fn payment_target(
        &self,
        stray: Key,
        payment: C2bPayment,
        received_at: jirani_units::Timestamp,
    ) -> Result<(Key, Heard), StoreError> {
        if !payment.shortcode.is_empty() && payment.shortcode != self.config.shortcode {
            return Ok((stray, Heard::Nothing("foreign: paid to another shortcode".to_owned())));
        }
        let money = Money {
            receipt: payment.receipt,
            amount: payment.amount,
            paid_at: payment.paid_at.unwrap_or(received_at),
            received_at,
        };
        let paid = Paid { money, bill_reference: payment.bill_reference };
        let (key, heard) = self.owner(paid).await?;
        Ok((key.unwrap_or(stray), heard))
    }

    /// Whose a payment is by the reference its payer typed: an order's, a household's,
    /// or nobody's. A lane only where it is an order's.
    pub(crate) async fn owner(&self, paid: Paid) -> Result<(Option<Key>, Heard), StoreError> {
        let Paid { money, bill_reference } = paid;
        if let Some(order) = self.order_named(&bill_reference).await? {
            return Ok((Some(Key::Order(order)), Heard::Payment(money)));
        }
        let payer = match household_of(&bill_reference) {
            Some(id) => self.store.household(id).await?.map(|household| household.id),
            None => None,
        };
        Ok((None, Heard::Loose(money, payer)))
    }

    /// The order whose reference a payer typed.
    pub(crate) async fn order_named(&self, bill_reference: &str) -> Result<Option<OrderId>, StoreError> {
        let Ok(reference) = bill_reference.parse::<Reference>() else { return Ok(None) };
        Ok(self.store.collection_by_reference(&reference).await?.map(|collection| collection.order))
    }

    /// Reads one piece of news in its lane: its changes and its outcome are one commit.
    pub(crate) async fn read_note(&self, key: Key, note: &Note) -> Result<(), Trouble> {
        let id = note.place.as_ref().map(|place| place.id);
        let order = |event: CollectionEvent| async move {
            match key {
                Key::Order(order) => self.apply_collection(order, &event, id).await.map(drop),
                _ => Err(Trouble::Stuck("a payment is in a lane that is not an order's".to_owned())),
            }
        };
        match &note.heard {
            Heard::Prompt(result, received_at) => order(prompt_event(result, *received_at)).await,
            Heard::Payment(money) => order(CollectionEvent::Received(money.clone())).await,
            Heard::Loose(money, payer) => {
                let loose = Loose { money: money.clone(), payer: *payer };
                self.apply_loose(&loose, id).await
            }
            Heard::Payout(result) => self.payout_note(key, &PayoutEvent::Result(result.clone()), id).await,
            Heard::PayoutTimeout => self.payout_note(key, &PayoutEvent::QueueTimeout, id).await,
            Heard::PayoutFound(found) => self.payout_note(key, &PayoutEvent::Found(found.clone()), id).await,
            Heard::PayoutUnanswered(code) => {
                self.payout_note(key, &PayoutEvent::Unanswered { code: code.clone() }, id).await
            }
            Heard::Float(number, event) => self.apply_float(*number, event, id).await.map(drop),
            Heard::TakenBack(news) => {
                let lane = match key {
                    Key::Order(order) => Some(order),
                    _ => None,
                };
                match self.apply_reversal(news, lane).await? {
                    Applied::Done => Ok(()),
                    Applied::Belongs(order) => {
                        Err(Trouble::Stuck(format!("a payment of order {order} is in another's lane")))
                    }
                }
            }
            Heard::Nothing(why) => {
                let mut step = Step::nothing(why.as_str());
                if let Some(id) = id {
                    done(&mut step, id);
                }
                Ok(self.commit(step).await.map(drop)?)
            }
        }
    }

    async fn payout_note(&self, key: Key, event: &PayoutEvent, inbox: Option<u64>) -> Result<(), Trouble> {
        match key {
            Key::Payout(payout) => self.apply_payout(payout, event, inbox).await.map(drop),
            _ => Err(Trouble::Stuck("a payout's result is in a lane that is not a payout's".to_owned())),
        }
    }
}

fn prompt_event(result: &StkResult, received_at: jirani_units::Timestamp) -> CollectionEvent {
    let checkout_request_id = result.checkout_request_id.clone();
    match &result.outcome {
        StkOutcome::Paid { receipt: Some(receipt), amount: Some(amount), paid_at } => CollectionEvent::Paid {
            checkout_request_id,
            money: Money {
                receipt: receipt.clone(),
                amount: *amount,
                paid_at: paid_at.unwrap_or(received_at),
                received_at,
            },
        },
        StkOutcome::Paid { .. } => CollectionEvent::PaidWithoutReceipt { checkout_request_id },
        StkOutcome::Refused { code } => CollectionEvent::Refused { checkout_request_id, code: code.clone() },
        StkOutcome::Pending { code } => {
            CollectionEvent::Undecided { checkout_request_id, code: code.clone() }
        }
    }
}

/// The household that a payer named by hand: `H12`, `h 12`.
fn household_of(bill_reference: &str) -> Option<HouseholdId> {
    let digits = bill_reference.trim().strip_prefix(['H', 'h'])?.trim();
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok().map(HouseholdId)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_household_is_named_by_h_and_its_number() {
        for (text, id) in
            [("H12", Some(12)), (" h 7 ", Some(7)), ("H", None), ("12", None), ("H+1", None), ("H1x", None)]
        {
            assert_eq!(household_of(text), id.map(HouseholdId), "{text}");
        }
    }
}
