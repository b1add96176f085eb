//! What only a person may decide: opened by the machines, closed by a person or by
//! the proof that came after all.

use crate::service::Settlement;
use crate::step::Step;
use jirani_store::{Change, ReviewRecord, StoreError};
use jirani_units::{Clock as _, OrderId, PayoutId, Receipt, Timestamp};

/// What a review is about; its key follows from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Matter {
    /// Nobody said by the deadline whether an order was paid.
    CollectionUnknown(OrderId),
    /// M-Pesa says a payment has another amount than it said before.
    ReceiptDiffers(Receipt),
    /// Nobody can say whose a payment is.
    Suspense(Receipt),
    /// A payout's outcome stays unknown.
    PayoutUnknown(PayoutId),
    /// A payout's result contradicts what we sent or know.
    PayoutDiffers(PayoutId),
    /// What became of a move of float stays unknown.
    FloatUnknown(u64),
    /// More was taken back than a payment had.
    ReversalDiffers(Receipt),
}

impl Matter {
    pub(crate) fn key(&self) -> String {
        match self {
            Self::CollectionUnknown(order) => format!("collection/{order}/unknown"),
            Self::ReceiptDiffers(receipt) => format!("receipt/{receipt}/differs"),
            Self::Suspense(receipt) => format!("receipt/{receipt}/suspense"),
            Self::PayoutUnknown(payout) => format!("payout/{payout}/unknown"),
            Self::PayoutDiffers(payout) => format!("payout/{payout}/differs"),
            Self::FloatUnknown(number) => format!("float/{number}/unknown"),
            Self::ReversalDiffers(receipt) => format!("reversal/{receipt}/differs"),
        }
    }

    /// The order that a review of [`Self::CollectionUnknown`] is about.
    pub(crate) fn unknown_collection(key: &str) -> Option<OrderId> {
        let number = key.strip_prefix("collection/")?.strip_suffix("/unknown")?;
        number.parse().ok().map(OrderId)
    }

    const fn code(&self) -> &'static str {
        match self {
            Self::CollectionUnknown(_) | Self::PayoutUnknown(_) | Self::FloatUnknown(_) => "unknown_outcome",
            Self::Suspense(_) => "suspense",
            Self::ReceiptDiffers(_) | Self::PayoutDiffers(_) | Self::ReversalDiffers(_) => "contradiction",
        }
    }
}

/// A review to be opened, with what was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Opened {
    pub(crate) matter: Matter,
    pub(crate) detail: String,
}

impl Opened {
    fn record(&self, at: Timestamp) -> ReviewRecord {
        ReviewRecord {
            key: self.matter.key(),
            code: self.matter.code().to_owned(),
            detail: self.detail.clone(),
            opened_at: at,
            closed_at: None,
            outcome: None,
            version: 0,
        }
    }
}

impl Settlement {
    /// The reviews that a step opens, as far as they are not there, and closes, as
    /// far as they are open: part of the step's commit.
    pub(crate) async fn reviews(&self, step: &Step) -> Result<Vec<Change>, StoreError> {
        let mut changes = Vec::new();
        for review in &step.opened {
            if self.store.review(&review.matter.key()).await?.is_none() {
                tracing::warn!(review = review.matter.key(), detail = review.detail, "a person must look");
                changes.push(Change::Review(review.record(self.clock.now())));
            }
        }
        for (matter, outcome) in &step.closed {
            let review = self.store.review(&matter.key()).await?;
            let open = review.filter(|review| review.closed_at.is_none());
            changes.extend(open.map(|review| {
                Change::Review(ReviewRecord {
                    closed_at: Some(self.clock.now()),
                    outcome: Some(outcome.clone()),
                    ..review
                })
            }));
        }
        Ok(changes)
    }
}
