//! Does what a payout's state asks for: one request, and repeats of the same.

use super::decide::{self, AskedSoFar, PayoutEffect, PayoutEvent};
use crate::inbox;
use crate::service::{COMMIT_ATTEMPTS, Settlement};
use crate::step::{Broken, Trouble};
use jirani_daraja::B2cRequest;
use jirani_store::{PayoutRecord, StoreError};
use jirani_units::{Clock as _, PayoutId, Timestamp};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// What this process has asked M-Pesa about payouts that are unknown. Lost with
/// the process on purpose: a new one asks at once.
#[derive(Default)]
pub(crate) struct Asked(Mutex<HashMap<PayoutId, AskedSoFar>>);

impl Asked {
    fn get(&self, id: PayoutId) -> Option<AskedSoFar> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&id).copied()
    }

    fn note(&self, id: PayoutId, now: Timestamp) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let asked = decide::asked_again(all.get(&id).copied(), now);
        all.insert(id, asked);
    }

    fn forget(&self, id: PayoutId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
    }
}

impl Settlement {
    /// Moves a payout on as far as it goes; says when to look again.
    pub(crate) async fn advance_payout(&self, id: PayoutId) -> Result<Option<Timestamp>, Trouble> {
        loop {
            let payout = self.load_payout(id).await?;
            match decide::effect(&payout, self.asked.get(id), self.clock.now()) {
                PayoutEffect::Send => {
                    // That it may have been sent is durable before the request leaves.
                    if self.apply_payout(id, &PayoutEvent::Sending, None).await? {
                        self.request(&payout, true).await?;
                    }
                }
                PayoutEffect::Repeat => self.request(&payout, false).await?,
                PayoutEffect::Rest(at) => {
                    if at.is_none() && payout.state != jirani_store::PayoutState::Unknown {
                        self.asked.forget(id);
                    }
                    return Ok(at);
                }
            }
        }
    }

    async fn request(&self, payout: &PayoutRecord, first: bool) -> Result<(), Trouble> {
        let (result_url, timeout_url) = self.names.b2c_urls(&payout.secret);
        let request = B2cRequest {
            originator_id: payout.originator_id.clone(),
            shillings: payout.sent.shillings_down(),
            msisdn: payout.msisdn,
            result_url,
            timeout_url,
        };
        self.asked.note(payout.id, self.clock.now());
        let answer = self.mpesa.b2c(request).await;
        if let Err(error) = &answer {
            tracing::warn!(payout = payout.id.0, first, %error, "the payout was not plainly accepted");
        }
        self.apply_payout(payout.id, &PayoutEvent::Answered { answer, first }, None).await?;
        Ok(())
    }

    /// Commits what `event` changes, together with the end of the callback that
    /// told it; decides anew when somebody was faster. Says whether anything
    /// changed.
    pub(crate) async fn apply_payout(
        &self,
        id: PayoutId,
        event: &PayoutEvent,
        callback: Option<u64>,
    ) -> Result<bool, Trouble> {
        for _ in 0..COMMIT_ATTEMPTS {
            let payout = self.load_payout(id).await?;
            let mut step = decide::decide(&payout, event, self.clock.now());
            let changes = !step.changes.is_empty();
            if let Some(callback) = callback {
                tracing::debug!(payout = id.0, callback, outcome = step.outcome, "callback read");
                inbox::done(&mut step, callback);
            }
            match self.commit(step).await {
                Err(StoreError::Conflict { .. }) => {}
                done => return Ok(done.map(|_| changes)?),
            }
        }
        Err(Trouble::Contended(format!("payout {id}")))
    }

    async fn load_payout(&self, id: PayoutId) -> Result<PayoutRecord, Trouble> {
        let payout = self.store.payout(id).await?;
        payout.ok_or_else(|| Broken(format!("there is no payout {id}")).into())
    }
}
