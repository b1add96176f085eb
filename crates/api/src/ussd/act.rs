//! What a person has agreed to, done once per session and step.
//!
//! A screen is answered within two seconds: what takes longer goes on by itself, and its
//! outcome follows by text message.

use super::facts::{BuyQuote, WithdrawQuote};
use super::rules;
use super::walk::Command;
use super::words::{Outcome, Refusal, follow_up};
use crate::app::App;
use crate::error::ApiError;
use crate::ports::{TradingError, TradingFault};
use jirani_market::Want;
use jirani_market::rule::Edit;
use jirani_store::{
    Change, CollectionRecord, CollectionState, HouseholdRecord, Language, NoticeRecord, OrderRecord,
    OrderState, PayWith, StoreError,
};
use jirani_units::{Cents, HouseholdId};
use std::future::Future;
use std::time::Duration;
use tokio::sync::oneshot;

/// How the keys of orders begin that were made by phone.
pub const BEGUN_BY_PHONE: &str = "ussd:";

/// What was agreed to, as the screen said it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Agreed {
    /// Nothing with a price.
    Nothing,
    /// An order.
    Buy(BuyQuote),
    /// A withdrawal.
    Withdraw(WithdrawQuote),
}

/// Does it, or finds that it was done under this key.
pub async fn act(
    app: &App,
    record: &HouseholdRecord,
    command: Command,
    agreed: Agreed,
    key: String,
    patience: Duration,
) -> Result<Outcome, ApiError> {
    let household = record.id;
    let told = |set: bool| if set { Outcome::RuleSet } else { Outcome::RuleGone };
    match (command, agreed) {
        (Command::Speak(language), _) => {
            let spoken = HouseholdRecord { language, ..record.clone() };
            match app.deps.store.commit(vec![Change::Household(spoken)]).await {
                Ok(_) => Ok(Outcome::Spoken),
                Err(StoreError::Conflict { .. }) => Ok(Outcome::Refused(Refusal::Later)),
                Err(error) => Err(error.into()),
            }
        }
        (Command::Sell(rule), _) => {
            let changed = rules::change(app, household, Edit::Set(rule), Edit::Keep).await?;
            Ok(changed.map_or_else(Outcome::Refused, |()| told(rule.is_some())))
        }
        (Command::Auto(rule), _) => {
            let changed = rules::change(app, household, Edit::Keep, Edit::Set(rule)).await?;
            Ok(changed.map_or_else(Outcome::Refused, |()| told(rule.is_some())))
        }
        // A choice that the screen did not have.
        (Command::Buy(_, PayWith::Mpesa), Agreed::Buy(BuyQuote { mpesa: false, .. })) => {
            Ok(Outcome::Refused(Refusal::UnpaidShare))
        }
        (Command::Buy(_, pay_with), Agreed::Buy(quote)) => {
            let meanwhile = match pay_with {
                PayWith::Mpesa => Outcome::Prompt(quote.collect),
                PayWith::Balance => Outcome::Buying(quote.energy),
            };
            let work = buy(app.clone(), household, pay_with, quote, key.clone());
            Ok(soon(app, household, key, work, meanwhile, patience).await)
        }
        (Command::Buy(..), _) => match app.deps.store.order_by_key(household, &key).await? {
            Some(order) => Ok(bought(&order)),
            None => Ok(Outcome::Forgotten),
        },
        (Command::Withdraw(amount), Agreed::Withdraw(quote)) => {
            let work = withdraw(app.clone(), household, amount, quote, key.clone());
            Ok(soon(app, household, key, work, Outcome::Withdrawing(quote.sent), patience).await)
        }
        (Command::Withdraw(_), _) => match app.deps.store.payout_by_key(household, &key).await? {
            Some(payout) => Ok(Outcome::Withdrawing(payout.sent)),
            None => Ok(Outcome::Forgotten),
        },
    }
}

/// Waits a little; what comes later is told by text message.
async fn soon(
    app: &App,
    household: HouseholdId,
    key: String,
    work: impl Future<Output = Outcome> + Send + 'static,
    meanwhile: Outcome,
    patience: Duration,
) -> Outcome {
    let (tell, told) = oneshot::channel();
    let busy = app.deps.clock.busy();
    let shared = app.clone();
    tokio::spawn(async move {
        if let Err(late) = tell.send(work.await) {
            follow(&shared, household, &key, late, meanwhile).await;
        }
        drop(busy);
    });
    match tokio::time::timeout(patience, told).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_)) => Outcome::Unsure,
        Err(_) => meanwhile,
    }
}

/// Keeps the message that tells what became of it, unless the screen said as much.
async fn follow(app: &App, household: HouseholdId, key: &str, outcome: Outcome, told: Outcome) {
    if outcome == told {
        return;
    }
    let notice = NoticeRecord {
        key: format!("ussd_outcome/{key}"),
        household: Some(household),
        code: "ussd_outcome".to_owned(),
        en: follow_up(outcome, Language::En),
        sw: follow_up(outcome, Language::Sw),
        at: app.now(),
    };
    if let Err(error) = app.deps.store.commit(vec![Change::Notice(notice)]).await {
        tracing::error!(%error, "the outcome of a phone's order could not be told");
    }
}

async fn buy(app: App, household: HouseholdId, pay_with: PayWith, quote: BuyQuote, key: String) -> Outcome {
    // The energy that was agreed to, whatever was typed: for the same money there may be
    // less of it by now, and that is a price that moved.
    let want = Want::Energy(quote.energy);
    match app.deps.trading.place_order(household, want, pay_with, Some(quote.due), key).await {
        Ok(order) => bought(&order),
        Err(error) => refused(&error),
    }
}

/// What a screen says of an order.
fn bought(order: &OrderRecord) -> Outcome {
    let energy = order.energy_wh();
    match (order.state, order.pay_with) {
        // Somebody else was faster, or the offer has ended.
        (OrderState::Refused, _) => Outcome::Refused(Refusal::NothingOnOffer),
        // Held, and given up: M-Pesa did not ask for the money.
        (OrderState::Releasing | OrderState::Released, _) => Outcome::Refused(Refusal::Later),
        (OrderState::Settled, _) => Outcome::Bought(energy, order.due),
        (_, PayWith::Mpesa) => Outcome::Prompt(jirani_market::collect(order.due).unwrap_or(order.due)),
        (_, PayWith::Balance) => Outcome::Buying(energy),
    }
}

/// Orders begun by phone of which nobody knows yet what a message was promised for: by a
/// process that ended meanwhile.
pub async fn undecided(app: &App) -> Result<Vec<OrderRecord>, StoreError> {
    let mut undecided = app.deps.store.live_orders().await?;
    undecided.retain(|order| order.key.starts_with(BEGUN_BY_PHONE));
    let mut promised = Vec::new();
    for order in undecided {
        let is_promised = match order.pay_with {
            PayWith::Balance => true,
            PayWith::Mpesa => may_have_no_prompt(app.deps.store.collection(order.id).await?.as_ref()),
        };
        if is_promised {
            promised.push(order);
        }
    }
    Ok(promised)
}

/// Whether M-Pesa has not asked for the money, as far as anybody knows.
fn may_have_no_prompt(collection: Option<&CollectionRecord>) -> bool {
    use CollectionState::{Expired, Planned, Refused};
    collection.is_none_or(|collection| {
        collection.checkout_request_id.is_none()
            && matches!(collection.state, Planned | Refused { .. } | Expired)
    })
}

/// Waits for each of these orders as [`soon`] would have, and tells what became of it.
pub fn take_up(app: &App, undecided: Vec<OrderRecord>) {
    for order in undecided {
        let (app, busy) = (app.clone(), app.deps.clock.busy());
        tokio::spawn(async move {
            let (buyer, key) = (order.buyer, order.key.clone());
            let told = match order.pay_with {
                PayWith::Mpesa => Outcome::Prompt(jirani_market::collect(order.due).unwrap_or(order.due)),
                PayWith::Balance => Outcome::Buying(order.energy_wh()),
            };
            let want = Want::Energy(order.energy_wh());
            let placing =
                app.deps.trading.place_order(buyer, want, order.pay_with, Some(order.due), order.key);
            match placing.await {
                Ok(order) => follow(&app, buyer, &key, bought(&order), told).await,
                // The next start takes it up again.
                Err(error) => tracing::warn!(code = error.code, "a phone's order is not decided yet"),
            }
            drop(busy);
        });
    }
}

async fn withdraw(
    app: App,
    household: HouseholdId,
    amount: Cents,
    quote: WithdrawQuote,
    key: String,
) -> Outcome {
    // What was agreed to is what the screen said: a charge that changed in between is
    // shown again before anything is sent.
    match app.deps.store.payout_by_key(household, &key).await {
        Ok(Some(payout)) => return Outcome::Withdrawing(payout.sent),
        Ok(None) => {}
        Err(_) => return Outcome::Unsure,
    }
    match app.deps.trading.payout_quote(household, amount).await {
        Ok(now) if now != (quote.sent, quote.charge) => return Outcome::Forgotten,
        Ok(_) => {}
        Err(error) => return refused(&error),
    }
    match app.deps.trading.request_payout(household, amount, key).await {
        Ok(payout) => Outcome::Withdrawing(payout.sent),
        Err(error) => refused(&error),
    }
}

/// A no is a no only if nothing can have happened.
fn refused(error: &TradingError) -> Outcome {
    match error.fault {
        TradingFault::Unavailable | TradingFault::Internal if error.code != "api.not_offered" => {
            tracing::warn!(code = error.code, "what a phone asked for may not have been done");
            Outcome::Unsure
        }
        _ => Outcome::Refused(Refusal::of_code(&error.code)),
    }
}

/// A refusal where nothing was to be done yet.
pub fn not_quoted(error: &TradingError) -> Outcome {
    Outcome::Refused(Refusal::of_code(&error.code))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jirani_market::Fill;
    use jirani_store::ReleaseReason;
    use jirani_units::{OfferId, OrderId, Price, Timestamp, Wh};

    #[test]
    fn an_order_that_was_held_and_given_up_was_not_for_want_of_offers() {
        let fills =
            vec![Fill { offer: OfferId(1), seller: HouseholdId(2), price: Price(2_500), energy_wh: 300 }];
        let order = |state, pay_with| OrderRecord {
            id: OrderId(1),
            buyer: HouseholdId(1),
            fills: fills.clone(),
            fee: Price(500),
            tax: Price(300),
            due: Cents(990),
            pay_with,
            state,
            release_reason: Some(ReleaseReason::PaymentRefused),
            refusal: None,
            deadline: None,
            proof: None,
            paid_at: None,
            placed_signature: None,
            final_signature: None,
            key: "ussd:0:4".to_owned(),
            created_at: Timestamp(1),
            final_at: None,
            version: 1,
        };
        let later = Outcome::Refused(Refusal::Later);
        for (state, pay_with, outcome) in [
            (OrderState::Refused, PayWith::Mpesa, Outcome::Refused(Refusal::NothingOnOffer)),
            (OrderState::Refused, PayWith::Balance, Outcome::Refused(Refusal::NothingOnOffer)),
            (OrderState::Releasing, PayWith::Mpesa, later),
            (OrderState::Released, PayWith::Mpesa, later),
            (OrderState::AwaitingPayment, PayWith::Mpesa, Outcome::Prompt(Cents(1_000))),
            (OrderState::Planned, PayWith::Balance, Outcome::Buying(Wh(300))),
            (OrderState::Settled, PayWith::Balance, Outcome::Bought(Wh(300), Cents(990))),
        ] {
            assert_eq!(bought(&order(state, pay_with)), outcome, "{state:?} {pay_with:?}");
        }
    }
}
