//! Work for the chain, in our own words.

use jirani_market::Fill;
use jirani_store::{HouseholdKind, Proof, ReleaseReason};
use jirani_units::{HouseholdId, OfferId, OrderId, Price, Timestamp, Wh};

/// A household's registers at a slot's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttestRow {
    /// Whose.
    pub household: HouseholdId,
    /// Export register.
    pub export_wh: Wh,
    /// Import register.
    pub import_wh: Wh,
}

/// One piece of work: one transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Work {
    /// Enrols a record with its one meter (admin).
    Enrol {
        /// Identity; its address is derived from it.
        household: HouseholdId,
        /// Home or operator's record.
        kind: HouseholdKind,
        /// Feeder.
        feeder: u16,
        /// Ed25519 key of the meter; zeroes for the loss record.
        meter_key: [u8; 32],
        /// Epoch of the meter's registers.
        meter_epoch: u32,
        /// Plausible export, W.
        export_rating_w: u32,
        /// Plausible import, W.
        import_rating_w: u32,
    },
    /// Attests registers at a slot's end (oracle). At most [`Work::ATTEST_ROWS_MAX`] rows.
    Attest {
        /// Feeder.
        feeder: u16,
        /// End of the slot.
        slot_end: Timestamp,
        /// Root of the evidence.
        evidence_root: [u8; 32],
        /// Rows.
        rows: Vec<AttestRow>,
    },
    /// Moves eKWh from vault to escrow (custodian).
    PostOffer {
        /// Whose.
        seller: HouseholdId,
        /// Nonce of its address.
        offer: OfferId,
        /// Energy.
        energy_wh: Wh,
        /// Seller's net price.
        price: Price,
        /// When it ends.
        expires_at: Timestamp,
    },
    /// Returns what no order holds (custodian; after expiry anyone).
    CancelOffer {
        /// Whose.
        seller: HouseholdId,
        /// Which.
        offer: OfferId,
    },
    /// Holds fills for a buyer (custodian).
    PlaceOrder {
        /// Who buys.
        buyer: HouseholdId,
        /// Nonce of its address.
        order: OrderId,
        /// What from whom.
        fills: Vec<Fill>,
        /// Grid fee per kWh.
        fee: Price,
        /// Tax per kWh.
        tax: Price,
    },
    /// Settles an order with its proof (attestor).
    Settle {
        /// Who buys.
        buyer: HouseholdId,
        /// Which.
        order: OrderId,
        /// The order's fills, as placed.
        fills: Vec<Fill>,
        /// What settles it.
        proof: Proof,
        /// When the money moved.
        paid_at: Timestamp,
    },
    /// Places and settles an order paid from balance, in one transaction.
    PlaceAndSettle {
        /// Who buys.
        buyer: HouseholdId,
        /// Nonce of its address.
        order: OrderId,
        /// What from whom.
        fills: Vec<Fill>,
        /// Grid fee per kWh.
        fee: Price,
        /// Tax per kWh.
        tax: Price,
        /// The ledger transfer's proof.
        proof: Proof,
        /// When the transfer was posted.
        paid_at: Timestamp,
    },
    /// Gives an order up: tokens go back to its offers (attestor on a definite
    /// refusal; anyone after deadline and grace).
    Release {
        /// Who would have bought.
        buyer: HouseholdId,
        /// Which.
        order: OrderId,
        /// The order's fills, as placed.
        fills: Vec<Fill>,
        /// Why.
        reason: ReleaseReason,
    },
}

impl Work {
    /// Rows of one attestation: two accounts each, under the 64-account limit.
    pub const ATTEST_ROWS_MAX: usize = 28;
}

/// What became of a piece of work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Finalised, by this call or an earlier one.
    Landed {
        /// Base58 signature.
        signature: String,
        /// Chain slot.
        slot: u64,
        /// The chain's time, for what was placed.
        at: Timestamp,
    },
    /// The program or the chain said no; nothing changed, and asking again is no use.
    Refused {
        /// Stable code, `energy.offer_expired`.
        code: String,
        /// For people.
        message: String,
    },
}
