//! Does what a payout's state asks for: one request, and questions about it.

use super::asking::{OVERDUE_S, PayoutEffect, effect};
use super::decide::{self, Decided, PayoutEvent};
use super::queue::{PayoutQueue, QueueNews, SETTING};
use crate::engine::Key;
use crate::error::SettlementError;
use crate::inbox;
use crate::interruption::Moment;
use crate::notice;
use crate::service::{COMMIT_ATTEMPTS, Settlement};
use crate::step::{Broken, Step, Trouble};
use jirani_daraja::ask::{OwnShortcode, StatusRequest, TransactionName};
use jirani_daraja::{B2cRequest, SendError};
use jirani_store::{Change, PayoutRecord, PayoutState, StoreError};
use jirani_units::{Clock as _, PayoutId, Timestamp};

impl Settlement {
    /// Moves a payout on as far as it goes; says when to look again.
    pub(crate) async fn advance_payout(&self, id: PayoutId) -> Result<Option<Timestamp>, Trouble> {
        loop {
            let payout = self.load_payout(id).await?;
            match effect(&payout, self.asked.get(id), &self.queue, self.clock.now()) {
                PayoutEffect::Send => {
                    // That it may have been sent is durable before the request leaves.
                    if self.apply_payout(id, &PayoutEvent::Sending, None).await? {
                        self.interruption.reached(Moment::PayoutIntended);
                        self.asked.forget(id);
                        self.request(&payout, true).await?;
                    }
                }
                PayoutEffect::Ask => self.ask(&payout).await?,
                PayoutEffect::Repeat => self.request(&payout, false).await?,
                PayoutEffect::Rest(at) => {
                    if matches!(payout.state, PayoutState::Paid | PayoutState::Failed { .. }) {
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
        self.interruption.reached(Moment::PayoutAnswered);
        if let Err(error) = &answer {
            tracing::warn!(payout = payout.id.0, first, %error, "the payout was not plainly accepted");
        }
        self.apply_payout(payout.id, &PayoutEvent::Answered { answer, first }, None).await?;
        Ok(())
    }

    /// Asks M-Pesa what became of it, by our own id. The answer comes by callback.
    async fn ask(&self, payout: &PayoutRecord) -> Result<(), Trouble> {
        let now = self.clock.now();
        if now.since(payout.created_at) / 1_000_000 >= OVERDUE_S {
            self.apply_payout(payout.id, &PayoutEvent::Overdue, None).await?;
        }
        self.asked.note(payout.id, now);
        let request = StatusRequest {
            transaction: TransactionName::Originator(payout.originator_id.clone()),
            of: OwnShortcode::Payout,
            answer: self.names.answer_urls(&payout.secret),
        };
        let answer = self.mpesa.transaction_status(request).await;
        self.interruption.reached(Moment::PayoutAsked);
        if let Err(SendError::NotSent { code, .. }) = answer {
            tracing::info!(payout = payout.id.0, code, "M-Pesa was not asked about a payout");
            self.apply_payout(payout.id, &PayoutEvent::Unanswered { code }, None).await?;
        }
        Ok(())
    }

    /// Commits what `event` changes, together with the end of the callback that
    /// told it; decides anew when somebody was faster. Says whether anything changed.
    pub(crate) async fn apply_payout(
        &self,
        id: PayoutId,
        event: &PayoutEvent,
        callback: Option<u64>,
    ) -> Result<bool, Trouble> {
        for _ in 0..COMMIT_ATTEMPTS {
            let payout = self.load_payout(id).await?;
            let now = self.clock.now();
            let Decided { mut step, queue } = decide::decide(&payout, event, &self.names, now);
            let changes = !step.is_empty();
            let queue = queue.and_then(|news| self.queue.now().after(&news, now).map(|next| (news, next)));
            if let Some((news, next)) = &queue {
                queue_change(&mut step, news, next, now);
            }
            if let Some(callback) = callback {
                tracing::debug!(payout = id.0, callback, outcome = step.outcome, "callback read");
                inbox::done(&mut step, callback);
            }
            match self.commit(step).await {
                Err(StoreError::Conflict { .. }) => {}
                done => {
                    done?;
                    if matches!(event, PayoutEvent::Unanswered { .. }) {
                        self.asked.note_in_vain(id);
                    }
                    if let Some((_, next)) = queue {
                        self.queue_is(next).await?;
                    }
                    return Ok(changes);
                }
            }
        }
        Err(Trouble::Contended(format!("payout {id}")))
    }

    /// The stored queue has changed: whoever waited looks again.
    async fn queue_is(&self, next: PayoutQueue) -> Result<(), Trouble> {
        tracing::warn!(queue = next.to_setting(), "the payouts' queue has changed");
        let wakes = !matches!(next, PayoutQueue::Stopped { .. });
        self.queue.set(next);
        if wakes {
            for payout in self.store.live_payouts().await? {
                self.lanes.poke(Key::Payout(payout.id), self.clock.busy());
            }
        }
        Ok(())
    }

    /// Whether payouts go out now.
    pub fn payout_queue(&self) -> PayoutQueue {
        self.queue.now()
    }

    /// The operator has mended what M-Pesa refused: payouts go out again, one first.
    /// A queue that is not stopped stays as it is.
    pub async fn resume_payouts(&self) -> Result<PayoutQueue, SettlementError> {
        let _busy = self.clock.busy();
        let now = self.clock.now();
        if let Some(next) = self.queue.now().after(&QueueNews::Resumed, now) {
            let mut step = Step::default();
            queue_change(&mut step, &QueueNews::Resumed, &next, now);
            self.commit(step).await?;
            self.queue_is(next).await.map_err(SettlementError::from_trouble)?;
        }
        Ok(self.queue.now())
    }

    /// Reads the queue as it was left.
    pub(crate) async fn restore_queue(&self) -> Result<(), StoreError> {
        let stored = self.store.setting(SETTING).await?;
        if let Some(queue) = stored.as_deref().and_then(PayoutQueue::from_setting) {
            self.queue.set(queue);
        }
        Ok(())
    }

    async fn load_payout(&self, id: PayoutId) -> Result<PayoutRecord, Trouble> {
        let payout = self.store.payout(id).await?;
        payout.ok_or_else(|| Broken(format!("there is no payout {id}")).into())
    }
}

/// Stores the queue's next state and tells the operator of a halt.
fn queue_change(step: &mut Step, news: &QueueNews, next: &PayoutQueue, now: Timestamp) {
    step.change(Change::Setting { key: SETTING.to_owned(), value: next.to_setting() });
    let (code, en, sw) = match news {
        QueueNews::Empty => (
            "float_empty",
            "Payouts wait: the payout account is empty or M-Pesa's door is shut. Move float; they go on by themselves."
                .to_owned(),
            "Malipo yanasubiri: akaunti ya malipo ni tupu au M-Pesa haipatikani. Ongeza pesa; yataendelea yenyewe."
                .to_owned(),
        ),
        QueueNews::BadInitiator { code } => (
            "payouts_stopped",
            format!("Payouts are stopped: M-Pesa refuses our initiator ({code}). Mend its password or role, then resume."),
            format!("Malipo yamesimamishwa: M-Pesa imekataa mtumiaji wetu ({code}). Rekebisha nenosiri, kisha endelea."),
        ),
        QueueNews::Flows | QueueNews::Resumed => return,
    };
    step.change(notice::to_operator(format!("{code}/{}", now.0), code, en, sw, now));
}
