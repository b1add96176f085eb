//! All that a decision about an order may look at.

use jirani_ledger::templates::orders::Party;
use jirani_store::{
    CollectionRecord, HouseholdKind, HouseholdRecord, OfferRecord, OrderRecord, ReceiptRecord,
};
use jirani_units::{HouseholdId, Msisdn, Timestamp};

/// An order and what belongs to it, as read together.
#[derive(Clone, Debug)]
pub(crate) struct View {
    pub(crate) order: OrderRecord,
    pub(crate) collection: Option<CollectionRecord>,
    /// The receipt of the collection, once there is one.
    pub(crate) receipt: Option<ReceiptRecord>,
    /// The buyer's phone.
    pub(crate) msisdn: Option<Msisdn>,
    /// The fills' offers, in their order; empty unless asked for.
    pub(crate) offers: Vec<OfferRecord>,
    /// Buyer and sellers that are the operator's own records.
    pub(crate) operators: Vec<HouseholdId>,
    /// Seconds an order may be paid, and seconds after that in which a proof counts.
    pub(crate) window_s: i64,
    pub(crate) grace_s: i64,
}

/// Whose money a record's is: a household's own, or the operator's.
pub(crate) fn party(record: &HouseholdRecord) -> Party {
    match record.kind {
        HouseholdKind::Home => Party::Household(record.id),
        HouseholdKind::Generator | HouseholdKind::Battery | HouseholdKind::Loss => Party::Operator,
    }
}

impl View {
    /// The last moment whose payment still counts.
    pub(crate) fn last_payment_at(&self) -> Option<Timestamp> {
        Some(self.order.deadline?.plus_seconds(self.grace_s))
    }

    /// From here on the order is given up: the chain counts whole seconds, and the
    /// last one still belongs to the payer.
    pub(crate) fn given_up_at(&self) -> Option<Timestamp> {
        Some(self.last_payment_at()?.plus_seconds(1))
    }

    /// When the order was placed, as on chain.
    pub(crate) fn placed_at(&self) -> Option<Timestamp> {
        Some(self.order.deadline?.plus_seconds(-self.window_s))
    }

    /// Whose money a trader's is.
    pub(crate) fn party(&self, trader: HouseholdId) -> Party {
        if self.operators.contains(&trader) { Party::Operator } else { Party::Household(trader) }
    }
}
