//! How many orders and payouts stand where, without reading all of them each time.
//!
//! What is final stays as it is: the longest run of final things from the
//! beginning is counted once and remembered, only the rest is read again.

use crate::app::App;
use crate::dto::order::OrderStateView;
use crate::dto::payout::PayoutStateView;
use crate::error::ApiError;
use jirani_store::{OrderRecord, PayoutRecord, PayoutState};
use jirani_units::{OrderId, PayoutId};
use std::sync::{Mutex, PoisonError};

const PAGE: u32 = 1_000;
/// A number is handed out before its thing is stored: the newest ones may still
/// have gaps that fill, so they are never remembered.
const UNSETTLED: u64 = 64;

/// Counts by state, and the number of the last thing counted.
#[derive(Clone, Debug)]
pub struct Tally<S> {
    /// One entry per state that occurs.
    pub counts: Vec<(S, u64)>,
    /// Number of the newest thing.
    pub last: u64,
}

impl<S> Default for Tally<S> {
    fn default() -> Self {
        Self { counts: Vec::new(), last: 0 }
    }
}

impl<S: Copy + PartialEq> Tally<S> {
    fn add(&mut self, number: u64, state: S) {
        self.last = self.last.max(number);
        match self.counts.iter_mut().find(|(counted, _)| *counted == state) {
            Some((_, count)) => *count += 1,
            None => self.counts.push((state, 1)),
        }
    }
}

/// What is remembered of the runs of final things.
#[derive(Default)]
pub struct Tallies {
    orders: Mutex<Tally<OrderStateView>>,
    payouts: Mutex<Tally<PayoutStateView>>,
}

/// Counts on from what is remembered. `page` gives (number, state, final) of the
/// things after a number, by number.
async fn count<S, F>(remembered: &Mutex<Tally<S>>, page: impl Fn(u64) -> F) -> Result<Tally<S>, ApiError>
where
    S: Copy + PartialEq,
    F: Future<Output = Result<Vec<(u64, S, bool)>, ApiError>>,
{
    let mut tally = remembered.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let mut settled = Some(tally.clone());
    loop {
        let things = page(tally.last).await?;
        let more = things.len() == PAGE as usize;
        let sure = things.last().map_or(0, |(number, ..)| number.saturating_sub(UNSETTLED));
        for (number, state, is_final) in things {
            if (!is_final || number > sure)
                && let Some(settled) = settled.take()
            {
                keep(remembered, settled);
            }
            tally.add(number, state);
            if let Some(settled) = &mut settled {
                settled.add(number, state);
            }
        }
        if !more {
            break;
        }
    }
    if let Some(settled) = settled {
        keep(remembered, settled);
    }
    Ok(tally)
}

fn keep<S>(remembered: &Mutex<Tally<S>>, settled: Tally<S>) {
    let mut remembered = remembered.lock().unwrap_or_else(PoisonError::into_inner);
    if settled.last > remembered.last {
        *remembered = settled;
    }
}

/// Orders by state.
pub async fn orders(app: &App) -> Result<Tally<OrderStateView>, ApiError> {
    let seen = |order: OrderRecord| (order.id.0, order.state.into(), order.is_final());
    count(&app.tallies.orders, |after| async move {
        let orders = app.deps.store.orders_after(OrderId(after), PAGE).await?;
        Ok(orders.into_iter().map(seen).collect())
    })
    .await
}

/// Payouts by state.
pub async fn payouts(app: &App) -> Result<Tally<PayoutStateView>, ApiError> {
    let seen = |payout: PayoutRecord| {
        let is_final = matches!(payout.state, PayoutState::Paid | PayoutState::Failed { .. });
        (payout.id.0, (&payout.state).into(), is_final)
    };
    count(&app.tallies.payouts, |after| async move {
        let payouts = app.deps.store.payouts_after(PayoutId(after), PAGE).await?;
        Ok(payouts.into_iter().map(seen).collect())
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_a_run_of_final_things_is_remembered() {
        let remembered = Mutex::new(Tally::default());
        let things = Mutex::new(vec![(1, 'a', true), (2, 'b', false), (3, 'a', true), (99, 'a', true)]);
        let page = |after: u64| {
            let things = things.lock().unwrap().clone();
            async move { Ok(things.into_iter().filter(|(number, ..)| *number > after).collect()) }
        };
        let tally = count(&remembered, page).await.unwrap();
        assert_eq!((tally.counts, tally.last), (vec![('a', 3), ('b', 1)], 99));
        assert_eq!(remembered.lock().unwrap().last, 1);
        things.lock().unwrap()[1] = (2, 'c', true);
        let tally = count(&remembered, page).await.unwrap();
        assert_eq!(tally.counts, vec![('a', 3), ('c', 1)]);
        assert_eq!(remembered.lock().unwrap().last, 3);
    }
}
