use jirani_units::{Cents, HouseholdId, Msisdn, OrderId, Receipt, Reference, Timestamp};

/// Where a collection stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum CollectionState {
    /// Stored; the prompt has not been asked for yet.
    Planned,
    /// The request left us; its answer is not stored yet, or was lost.
    SendUnknown,
    /// M-Pesa accepted the request; the prompt is on the phone.
    Pending,
    /// A query says paid; the receipt has not come yet.
    ReceiptAwaited,
    /// Paid, with a receipt.
    Paid,
    /// Refused for good; the code is M-Pesa's.
    Refused {
        /// M-Pesa's code, text because some are not numbers.
        code: String,
    },
    /// Nothing proven by the deadline and grace. A later proof still counts.
    Expired,
}

/// Money coming in for an order: one STK Push and all known of its outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CollectionRecord {
    /// The order it pays; also its identity.
    pub order: OrderId,
    /// Who pays.
    pub payer: HouseholdId,
    /// The phone that gets the prompt.
    pub msisdn: Msisdn,
    /// Amount asked for, whole shillings.
    pub amount: Cents,
    /// Our 12-character reference; unique.
    pub reference: Reference,
    /// Secret segment of its callback path, 32 hex digits; unique.
    pub secret: String,
    /// M-Pesa's id of the request, once known.
    pub checkout_request_id: Option<String>,
    /// Where it stands.
    pub state: CollectionState,
    /// The receipt, once known.
    pub receipt: Option<Receipt>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its outcome is asked for next; None when final.
    pub next_check_at: Option<Timestamp>,
    /// How often its outcome was asked for.
    pub checks: u32,
    /// Version read; 0 = new.
    pub version: u64,
}

/// What received money is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReceiptUse {
    /// Waits in clearing: it may still settle this order.
    Order(OrderId),
    /// Settled this order (what was left over became balance).
    Settled(OrderId),
    /// Became this household's balance.
    Balance(HouseholdId),
    /// Nobody can say whose it is.
    Suspense,
    /// M-Pesa took it back before anybody could use it.
    Reversed,
}

/// One M-Pesa receipt: money that has certainly moved. Unique by number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiptRecord {
    /// M-Pesa's number.
    pub receipt: Receipt,
    /// Amount received.
    pub amount: Cents,
    /// When M-Pesa says it moved.
    pub paid_at: Timestamp,
    /// The household that is known to have paid, if any.
    pub payer: Option<HouseholdId>,
    /// What it is used for.
    pub used_for: ReceiptUse,
    /// When we first heard of it.
    pub received_at: Timestamp,
    /// Version read; 0 = new.
    pub version: u64,
}
