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
use jirani_store::{
    Change, HouseholdRecord, Language, NoticeRecord, OrderRecord, OrderState, PayWith, StoreError,
};
use jirani_units::{Cents, HouseholdId, Wh};
use std::future::Future;
use std::time::Duration;
use tokio::sync::oneshot;

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
            let changed = rules::change(app, household, |rules| rules.sell = rule).await?;
            Ok(changed.map_or_else(Outcome::Refused, |()| told(rule.is_some())))
        }
        (Command::Auto(rule), _) => {
            let changed = rules::change(app, household, |rules| rules.buy = rule).await?;
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
    let energy = Wh(order.fills.iter().map(|fill| u64::from(fill.energy_wh)).sum());
    match (order.state, order.pay_with) {
        (OrderState::Refused | OrderState::Releasing | OrderState::Released, _) => {
            Outcome::Refused(Refusal::NothingOnOffer)
        }
        (OrderState::Settled, _) => Outcome::Bought(energy, order.due),
        (_, PayWith::Mpesa) => Outcome::Prompt(jirani_market::collect(order.due).unwrap_or(order.due)),
        (_, PayWith::Balance) => Outcome::Buying(energy),
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
