//! Asking M-Pesa what our accounts hold. The answers come by callback, under a secret
//! that this process remembers; a new process asks anew.

use super::policy::ReconciliationPolicy;
use crate::inbox::Heard;
use crate::service::Settlement;
use jirani_daraja::callback::{Account as Told, AccountBalance, BalanceOutcome, parse_balance};
use jirani_daraja::{BalanceRequest, OwnShortcode};
use jirani_reconciliation::Purse;
use jirani_store::{CallbackKind, StoreError};
use jirani_units::{Cents, Clock as _, Timestamp};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

/// How long M-Pesa's answer about balances is used, in seconds.
const FRESH_S: i64 = 900;
/// How long one who reconciles waits for it: in seconds of the service's clock, and of
/// real time, since a clock that is not moved on would keep a person waiting.
const WAIT_S: i64 = 10;
const WAIT_AT_MOST: Duration = Duration::from_secs(5);

/// What is remembered between a question and its answer.
#[derive(Default)]
pub(crate) struct Reconciling {
    state: Mutex<State>,
    pub(super) policy: OnceLock<ReconciliationPolicy>,
    /// One comparison at a time.
    pub(super) running: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    /// Secret of the question's path.
    asked: HashMap<String, OwnShortcode>,
    heard: HashMap<OwnShortcode, (Timestamp, Vec<AccountBalance>)>,
    daily: Daily,
    last: super::watch::Last,
}

/// Where the daily comparison stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Daily {
    /// Not planned yet in this process.
    #[default]
    New,
    /// Begins then.
    At(Timestamp),
    /// Balances were asked for; compares then.
    Asked(Timestamp),
}

impl Reconciling {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn policy(&self) -> ReconciliationPolicy {
        self.policy.get().copied().unwrap_or_default()
    }

    pub(super) fn last_figures(&self) -> super::watch::Last {
        self.lock().last
    }

    pub(super) fn set_last_figures(&self, last: super::watch::Last) {
        self.lock().last = last;
    }

    pub(super) fn daily(&self) -> Daily {
        self.lock().daily
    }

    pub(super) fn set_daily(&self, daily: Daily) {
        self.lock().daily = daily;
    }

    /// Reads an answer that no payout has asked for.
    pub(crate) fn told(&self, kind: CallbackKind, secret: &str, body: &[u8], at: Timestamp) -> Heard {
        let nothing = |what: &str| Heard::Nothing(what.to_owned());
        let mut state = self.lock();
        let Some(of) = state.asked.get(secret).copied() else {
            return nothing("unknown: no question has this path");
        };
        if kind == CallbackKind::AnswerTimeout {
            return nothing("queue timeout of a question about balances");
        }
        match parse_balance(body).map(|answer| answer.outcome) {
            Ok(BalanceOutcome::Told { accounts, .. }) => {
                state.asked.remove(secret);
                state.heard.insert(of, (at, accounts));
                nothing("balances: kept for the next comparison")
            }
            Ok(BalanceOutcome::Refused { code } | BalanceOutcome::Unknown { code }) => {
                Heard::Nothing(format!("balances not told ({code})"))
            }
            Err(error) => Heard::Nothing(error.to_string()),
        }
    }

    fn heard_since(&self, at: Timestamp) -> bool {
        let state = self.lock();
        [OwnShortcode::Collection, OwnShortcode::Payout]
            .into_iter()
            .all(|of| state.heard.get(&of).is_some_and(|(heard, _)| *heard >= at))
    }

    /// What M-Pesa told lately of one of our accounts.
    pub(super) fn balance(&self, purse: Purse, now: Timestamp) -> Option<Cents> {
        let state = self.lock();
        let fresh = |of: OwnShortcode| {
            let (at, accounts) = state.heard.get(&of)?;
            (now.since(*at) / 1_000_000 <= FRESH_S).then_some(accounts)
        };
        let sum = |accounts: &[AccountBalance], wanted: fn(&Told) -> bool| -> Cents {
            accounts.iter().filter(|a| wanted(&a.account)).map(|a| a.current).sum()
        };
        let money = |account: &Told| matches!(account, Told::Working | Told::Utility | Told::Float);
        let charges = |account: &Told| matches!(account, Told::ChargesPaid);
        match purse {
            Purse::Collection => Some(sum(fresh(OwnShortcode::Collection)?, money)),
            Purse::Payout => Some(sum(fresh(OwnShortcode::Payout)?, money)),
            Purse::Charges => {
                let both = [fresh(OwnShortcode::Collection)?, fresh(OwnShortcode::Payout)?];
                Some(both.into_iter().map(|accounts| sum(accounts, charges)).sum())
            }
        }
    }
}

impl Settlement {
    /// Asks for the balances of both shortcodes.
    pub(super) async fn ask_balances(&self) -> Result<(), StoreError> {
        for of in [OwnShortcode::Collection, OwnShortcode::Payout] {
            let secret = self.names.balance(self.store.next_number("balance").await?);
            {
                let mut state = self.reconciling.lock();
                // Questions that were never answered are forgotten.
                state.asked.retain(|_, asked| *asked != of);
                state.asked.insert(secret.clone(), of);
            }
            let request = BalanceRequest { of, answer: self.names.answer_urls(&secret) };
            if let Err(error) = self.mpesa.account_balance(request).await {
                tracing::info!(?of, %error, "M-Pesa was not asked for a balance");
                self.reconciling.lock().asked.remove(&secret);
            }
        }
        Ok(())
    }

    /// Asks, then waits a little for both answers.
    pub(super) async fn ask_and_wait(&self) -> Result<(), StoreError> {
        // Without an answer the comparison is made without balances.
        tokio::time::timeout(WAIT_AT_MOST, self.ask_and_rest()).await.unwrap_or(Ok(()))
    }

    async fn ask_and_rest(&self) -> Result<(), StoreError> {
        let mut busy = self.clock.busy();
        let asked_at = self.clock.now();
        self.ask_balances().await?;
        for second in 1..=WAIT_S {
            if self.reconciling.heard_since(asked_at) || self.reconciling.lock().asked.is_empty() {
                break;
            }
            busy = self.clock.rest_until(busy, asked_at.plus_seconds(second)).await;
        }
        drop(busy);
        Ok(())
    }
}
