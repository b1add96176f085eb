//! Does what a collection's state asks for: one prompt, then questions.

use super::decide::{self, CollectionEffect, CollectionEvent};
use super::money::{self, Known, Loose};
use crate::inbox;
use crate::interruption::Moment;
use crate::service::{COMMIT_ATTEMPTS, Settlement};
use crate::step::{Broken, Trouble};
use jirani_daraja::{SendError, StkRequest};
use jirani_store::{CollectionRecord, CollectionState, ReceiptRecord, ReversalRecord, StoreError};
use jirani_units::{Clock as _, OrderId, Receipt, Timestamp};

impl Settlement {
    /// One step of the collection of an order that awaits money. Says when to look
    /// again; `None` when something changed.
    pub(crate) async fn advance_collection(&self, id: OrderId) -> Result<Option<Timestamp>, Trouble> {
        let view = self.load_view(id, false).await?;
        let collection =
            view.collection.as_ref().ok_or_else(|| Broken(format!("order {id} has no collection")))?;
        match decide::effect(&view, self.clock.now())? {
            CollectionEffect::Prompt => return self.prompt(id, collection).await.map(|()| None),
            CollectionEffect::Query => {
                let asked = collection.checkout_request_id.as_deref();
                let asked = asked.ok_or_else(|| Broken(format!("the prompt of order {id} has no id")))?;
                let outcome = self.mpesa.stk_query(asked).await;
                self.interruption.reached(Moment::QueryAnswered);
                self.apply_collection(id, &CollectionEvent::Queried(outcome), None).await?;
            }
            CollectionEffect::Expire => {
                self.apply_collection(id, &CollectionEvent::WindowOver, None).await?;
            }
            CollectionEffect::Rest(at) => {
                if matches!(collection.state, CollectionState::SendUnknown | CollectionState::ReceiptAwaited)
                {
                    self.seek_receipts();
                }
                return Ok(Some(at));
            }
        }
        Ok(None)
    }

    /// Asks for the prompt, once: that it may have been sent is durable before the
    /// request leaves, so no later run ever sends it again.
    async fn prompt(&self, id: OrderId, collection: &CollectionRecord) -> Result<(), Trouble> {
        if !self.apply_collection(id, &CollectionEvent::Sending, None).await? {
            return Ok(());
        }
        self.interruption.reached(Moment::PromptIntended);
        let request = StkRequest {
            shillings: collection.amount.shillings_up(),
            msisdn: collection.msisdn,
            reference: collection.reference.clone(),
            callback_url: self.names.stk_url(&collection.secret),
        };
        let answer = self.mpesa.stk_push(request).await;
        self.interruption.reached(Moment::PromptAnswered);
        match &answer {
            Ok(_) => tracing::debug!(order = id.0, "prompt accepted"),
            Err(SendError::NotSent { code, .. }) => tracing::info!(order = id.0, code, "prompt refused"),
            Err(error) => tracing::warn!(order = id.0, %error, "whether the prompt was sent is unknown"),
        }
        self.apply_collection(id, &CollectionEvent::Sent(answer), None).await?;
        Ok(())
    }

    /// Commits what `event` changes, together with the end of the callback that
    /// told it; decides anew when somebody was faster. Says whether anything changed.
    pub(crate) async fn apply_collection(
        &self,
        id: OrderId,
        event: &CollectionEvent,
        callback: Option<u64>,
    ) -> Result<bool, Trouble> {
        for _ in 0..COMMIT_ATTEMPTS {
            let view = self.load_view(id, false).await?;
            let (receipt, reversal) = match event.receipt() {
                Some(receipt) => self.known(receipt).await?,
                None => (None, None),
            };
            let known = Known { receipt: receipt.as_ref(), reversal: reversal.as_ref() };
            let mut step = decide::decide(&view, event, known, &self.config, self.clock.now())?;
            let changes = !step.is_empty();
            if let Some(callback) = callback {
                tracing::debug!(order = id.0, callback, outcome = step.outcome, "callback read");
                inbox::done(&mut step, callback);
            }
            match self.commit(step).await {
                Err(StoreError::Conflict { .. }) => {}
                done => {
                    done?;
                    if let Some(receipt) = event.receipt().filter(|_| receipt.is_none()) {
                        self.reversal_of(receipt, Some(id)).await?;
                    }
                    return Ok(changes);
                }
            }
        }
        Err(Trouble::Contended(format!("the payment of order {id}")))
    }

    async fn known(
        &self,
        receipt: &Receipt,
    ) -> Result<(Option<ReceiptRecord>, Option<ReversalRecord>), StoreError> {
        let known = self.store.receipt(receipt).await?;
        let reversal = if known.is_none() { self.store.reversal(receipt).await? } else { None };
        Ok((known, reversal))
    }

    /// Books a payment that names none of our references.
    pub(crate) async fn apply_loose(&self, loose: &Loose, callback: Option<u64>) -> Result<(), Trouble> {
        for _ in 0..COMMIT_ATTEMPTS {
            let (receipt, reversal) = self.known(&loose.money.receipt).await?;
            let known = Known { receipt: receipt.as_ref(), reversal: reversal.as_ref() };
            let mut step = money::loose(loose, known, self.clock.now());
            if let Some(callback) = callback {
                inbox::done(&mut step, callback);
            }
            match self.commit(step).await {
                Err(StoreError::Conflict { .. }) => {}
                done => {
                    done?;
                    if receipt.is_none() {
                        self.reversal_of(&loose.money.receipt, None).await?;
                    }
                    return Ok(());
                }
            }
        }
        Err(Trouble::Contended("a payment made by hand".to_owned()))
    }
}
