//! Work for the chain, in our own words.

use jirani_energy_interface::event::{DecodedEvent, EventKind, RowStatus};
use jirani_market::Fill;
use jirani_store::{HouseholdKind, Proof, ReleaseReason};
use jirani_units::{HouseholdId, OfferId, OrderId, Price, Timestamp, Wh};
use serde::{Deserialize, Serialize};

/// A household's registers at a slot's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttestRow {
    /// Whose.
    pub household: HouseholdId,
    /// Export register.
    pub export_wh: Wh,
    /// Import register.
    pub import_wh: Wh,
}

/// One piece of work: one transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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
    /// Another meter for a household (admin). Its registers go on where the attested ones
    /// stand: attested registers are virtual ones.
    ReplaceMeter {
        /// Whose.
        household: HouseholdId,
        /// Ed25519 key of the meter.
        meter_key: [u8; 32],
        /// Epoch that rows name from now on; later than the one before.
        meter_epoch: u32,
        /// Plausible export, W.
        export_rating_w: u32,
        /// Plausible import, W.
        import_rating_w: u32,
        /// Attested export register, which counts as zero from now on.
        export_wh: Wh,
        /// Attested import register, likewise.
        import_wh: Wh,
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

/// What became of a piece of work. That it is not known is a
/// [`crate::ChainError`].
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
        /// What became of each row of an attestation, in the work's order. Empty for
        /// other work, and for an attestation whose event no history holds any more.
        rows: Vec<RowOutcome>,
    },
    /// The program or the chain said no; nothing changed.
    Refused {
        /// Stable code, `energy.offer_expired`.
        code: String,
        /// For people.
        message: String,
        /// Whether asking again, under the same key, may give another answer.
        retry: Retry,
    },
}

/// Whether refused work may be asked for again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// No: the answer is this one for ever.
    Never,
    /// From this moment on; before it the same refusal comes back unasked.
    From(Timestamp),
}

/// What became of one row of an attestation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowOutcome {
    /// Whose.
    pub household: HouseholdId,
    /// Applied, or why not.
    pub status: RowStatus,
    /// Exported and so minted by it, gross.
    pub minted_wh: Wh,
    /// Burned by it, gross.
    pub burned_wh: Wh,
    /// Shortfall afterwards.
    pub shortfall_wh: Wh,
}

impl RowOutcome {
    /// Whether the chain holds these registers or later ones: nothing is left to do.
    pub fn is_done(&self) -> bool {
        matches!(self.status, RowStatus::Applied | RowStatus::Stale)
    }
}

/// The rows that the program reported in an attestation's event, with the household each is
/// about by the program's own word; empty when the bytes are no such event.
pub fn reported_rows(event: &[u8]) -> Vec<RowOutcome> {
    let event = DecodedEvent::decode(event).filter(|event| event.kind == EventKind::Attested);
    let rows = event.map(|event| event.rows).unwrap_or_default();
    rows.iter()
        .filter(|told| told.household_id != 0)
        .map(|told| RowOutcome {
            household: HouseholdId(told.household_id),
            // A status of a newer program is at least not an applied one.
            status: RowStatus::from_byte(told.status).unwrap_or(RowStatus::Overflow),
            minted_wh: Wh(told.minted_wh),
            burned_wh: Wh(told.burned_wh),
            shortfall_wh: Wh(told.shortfall_wh),
        })
        .collect()
}

impl Work {
    /// The rows that an event reports of this work, in its order; empty when it is no
    /// attestation or the event is not its.
    pub(crate) fn rows_of(&self, event: &[u8]) -> Vec<RowOutcome> {
        let Self::Attest { rows, .. } = self else { return Vec::new() };
        let Some(event) = DecodedEvent::decode(event).filter(|event| event.kind == EventKind::Attested)
        else {
            return Vec::new();
        };
        if event.rows.len() != rows.len() {
            return Vec::new();
        }
        rows.iter()
            .zip(&event.rows)
            .map(|(row, told)| RowOutcome {
                household: row.household,
                // A status of a newer program is at least not an applied one.
                status: RowStatus::from_byte(told.status).unwrap_or(RowStatus::Overflow),
                minted_wh: Wh(told.minted_wh),
                burned_wh: Wh(told.burned_wh),
                shortfall_wh: Wh(told.shortfall_wh),
            })
            .collect()
    }

    /// The work as it is kept beside its signed bytes.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        // INVARIANT: no map with keys that are no text, nothing that fails to serialise.
        #[expect(clippy::expect_used, reason = "see the invariant")]
        serde_json::to_vec(self).expect("work is plain data")
    }

    /// Kept work; `None` for rows of older versions.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_kept_and_read_back() {
        let row = AttestRow { household: HouseholdId(3), export_wh: Wh(u64::MAX), import_wh: Wh(7) };
        let fill = Fill { offer: OfferId(9), seller: HouseholdId(3), energy_wh: 100, price: Price(1_500) };
        let at = Timestamp(1_795_348_800_123_456);
        for work in [
            Work::Attest { feeder: 2, slot_end: at, evidence_root: [7; 32], rows: vec![row] },
            Work::Settle {
                buyer: HouseholdId(1),
                order: OrderId(u64::MAX),
                fills: vec![fill],
                proof: Proof::Receipt([200; 32]),
                paid_at: at,
            },
            Work::Release {
                buyer: HouseholdId(1),
                order: OrderId(2),
                fills: vec![fill],
                reason: ReleaseReason::PaidShort,
            },
        ] {
            assert_eq!(Work::from_bytes(&work.to_bytes()), Some(work));
        }
        assert_eq!(Work::from_bytes(b""), None);
    }
}
