//! From our words to the program's: which instructions, signed by whom.

use crate::error::ChainError;
use crate::keys::ChainKeys;
use crate::witness::RefusedRow;
use crate::work::{AttestRow, Work};
use jirani_energy_interface::client::{
    Attestation, AttestationRow, Enrolment, FillAccounts, NewOffer, NewOrder, Replacement,
};
use jirani_energy_interface::instruction::ReleaseReason as ProgramReason;
use jirani_energy_interface::state::HouseholdKind as ProgramKind;
use jirani_energy_interface::{EnergyProgram, FILLS_MAX, Proof as ProgramProof};
use jirani_market::Fill;
use jirani_store::{HouseholdKind, Proof, ReleaseReason};
use jirani_units::HouseholdId;
use solana_address::Address;
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_signer::Signer as _;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A transaction to be.
pub struct Plan {
    /// Instructions, in order.
    pub instructions: Vec<Instruction>,
    /// Whose lamports pay the fee; signs, too.
    pub payer: Arc<Keypair>,
    /// Who signs besides the payer.
    pub signers: Vec<Arc<Keypair>>,
    /// Compute units that are enough.
    pub units: u32,
}

/// What the chain knows and our words leave out.
pub struct Facts {
    /// Version of the oracle set.
    pub oracle_version: u32,
    /// Signatures of oracles that an attestation needs.
    pub oracle_threshold: u8,
    /// Each attested household.
    pub households: BTreeMap<HouseholdId, Known>,
}

/// What rarely changes about a household, and what it was attested at last.
#[derive(Clone, Copy)]
pub struct Known {
    /// Its record.
    pub address: Address,
    /// Its token account.
    pub vault: Address,
    /// Epoch of its meter.
    pub meter_epoch: u32,
    /// Export register as it was attested last, as far as we know, Wh.
    pub export_wh: u64,
}

/// Plans a piece of work. The unit limits are about twice what the program was
/// measured to use: an order of magnitude below the chain's limit, and free as
/// long as nobody pays for priority. A `witness` signs an attestation beside our
/// oracle; everybody's signatures but its own are ours. The oracle pays for its own
/// attestations, which saves the fee of a signature; the payer pays for all else.
pub fn plan(
    program: &EnergyProgram,
    keys: &ChainKeys,
    facts: &Facts,
    work: &Work,
    witness: Option<Address>,
) -> Result<Plan, ChainError> {
    let payer = keys.payer.pubkey();
    let (instructions, signers, units) = match work {
        Work::Enrol { household, kind, feeder, meter_key, meter_epoch, export_rating_w, import_rating_w } => {
            let enrolment = Enrolment {
                household_id: household.0,
                kind: program_kind(*kind),
                feeder: *feeder,
                authority: None,
                meter_key: *meter_key,
                meter_epoch: *meter_epoch,
                export_rating_w: *export_rating_w,
                import_rating_w: *import_rating_w,
                initial_export_wh: 0,
                initial_import_wh: 0,
            };
            (vec![program.enrol(payer, keys.admin.pubkey(), &enrolment)], vec![&keys.admin], 200_000)
        }
        Work::ReplaceMeter {
            household,
            meter_key,
            meter_epoch,
            export_rating_w,
            import_rating_w,
            export_wh,
            import_wh,
        } => {
            let replacement = Replacement {
                household_id: household.0,
                meter_key: *meter_key,
                meter_epoch: *meter_epoch,
                export_rating_w: *export_rating_w,
                import_rating_w: *import_rating_w,
                initial_export_wh: export_wh.0,
                initial_import_wh: import_wh.0,
            };
            (vec![program.replace_meter(keys.admin.pubkey(), &replacement)], vec![&keys.admin], 100_000)
        }
        Work::Attest { feeder, slot_end, evidence_root, rows } => {
            if rows.is_empty() || rows.len() > Work::ATTEST_ROWS_MAX {
                let max = Work::ATTEST_ROWS_MAX;
                return Err(ChainError::InvalidWork(format!(
                    "an attestation has 1 to {max} rows, not {}",
                    rows.len()
                )));
            }
            let rows = attested(facts, rows)?;
            let mut oracles = vec![keys.oracle.pubkey()];
            oracles.extend(witness);
            let attestation = Attestation {
                feeder: *feeder,
                slot_end: slot_end.seconds(),
                evidence_root: *evidence_root,
                oracle_version: facts.oracle_version,
                oracles: &oracles,
                rows: &rows,
            };
            let units = 100_000 + 30_000 * u32::try_from(rows.len()).unwrap_or(u32::MAX);
            let addresses = |id| {
                facts.households.get(&HouseholdId(id)).map_or_else(
                    || (program.household(id), program.vault(&program.household(id))),
                    |known| (known.address, known.vault),
                )
            };
            (vec![program.attest_at(&attestation, addresses)], Vec::new(), units)
        }
        Work::PostOffer { seller, offer, energy_wh, price, expires_at } => {
            let new = NewOffer {
                seller_id: seller.0,
                offer_id: offer.0,
                energy_wh: energy_wh.0,
                price: price.0,
                expires_at: expires_at.seconds(),
            };
            (vec![program.post_offer(payer, keys.custodian.pubkey(), &new)], vec![&keys.custodian], 200_000)
        }
        Work::CancelOffer { seller, offer } => {
            let instruction = program.cancel_offer(keys.custodian.pubkey(), seller.0, offer.0, payer);
            (vec![instruction], vec![&keys.custodian], 150_000)
        }
        Work::PlaceOrder { buyer, order, fills, fee, tax } => {
            let fills = accounts(fills)?;
            let new =
                NewOrder { buyer_id: buyer.0, order_id: order.0, fee: fee.0, tax: tax.0, fills: &fills };
            (vec![program.place_order(payer, keys.custodian.pubkey(), &new)], vec![&keys.custodian], 200_000)
        }
        Work::Settle { buyer, order, fills, proof, paid_at } => {
            let instruction = program.settle(
                payer,
                keys.attestor.pubkey(),
                buyer.0,
                order.0,
                &accounts(fills)?,
                &program_proof(proof),
                paid_at.seconds(),
                payer,
            );
            (vec![instruction], vec![&keys.attestor], 400_000)
        }
        Work::PlaceAndSettle { buyer, order, fills, fee, tax, proof, paid_at } => {
            let fills = accounts(fills)?;
            let new =
                NewOrder { buyer_id: buyer.0, order_id: order.0, fee: fee.0, tax: tax.0, fills: &fills };
            let place = program.place_order(payer, keys.custodian.pubkey(), &new);
            let settle = program.settle(
                payer,
                keys.attestor.pubkey(),
                buyer.0,
                order.0,
                &fills,
                &program_proof(proof),
                paid_at.seconds(),
                payer,
            );
            (vec![place, settle], vec![&keys.custodian, &keys.attestor], 600_000)
        }
        Work::Release { buyer, order, fills, reason } => {
            let instruction = program.release(
                keys.attestor.pubkey(),
                buyer.0,
                order.0,
                &accounts(fills)?,
                program_reason(*reason),
                payer,
            );
            (vec![instruction], vec![&keys.attestor], 200_000)
        }
    };
    let pays = if matches!(work, Work::Attest { .. }) { &keys.oracle } else { &keys.payer };
    Ok(Plan { instructions, payer: pays.clone(), signers: signers.into_iter().cloned().collect(), units })
}

/// The program's word for a proof.
pub fn program_proof(proof: &Proof) -> ProgramProof {
    match proof {
        Proof::Receipt(hash) => ProgramProof::receipt(*hash),
        Proof::Transfer(hash) => ProgramProof::transfer(*hash),
    }
}

/// The program's fills.
pub fn accounts(fills: &[Fill]) -> Result<Vec<FillAccounts>, ChainError> {
    if fills.is_empty() || fills.len() > FILLS_MAX {
        return Err(ChainError::InvalidWork(format!(
            "an order has 1 to {FILLS_MAX} fills, not {}",
            fills.len()
        )));
    }
    Ok(fills
        .iter()
        .map(|fill| FillAccounts {
            seller_id: fill.seller.0,
            offer_id: fill.offer.0,
            energy_wh: fill.energy_wh,
            price: fill.price.0,
        })
        .collect())
}

/// Rows as the program takes them. Those of households that the chain does not know, or knows
/// no more, are named: the others can go without them.
pub(crate) fn attested(facts: &Facts, rows: &[AttestRow]) -> Result<Vec<AttestationRow>, ChainError> {
    let mut known_rows = Vec::with_capacity(rows.len());
    let mut strangers = Vec::new();
    for row in rows {
        let Some(known) = facts.households.get(&row.household) else {
            let why = "chain.not_enrolled: the chain has no record of this household".to_owned();
            strangers.push(RefusedRow { household: row.household, why });
            continue;
        };
        known_rows.push(AttestationRow {
            household_id: row.household.0,
            meter_epoch: known.meter_epoch,
            export_wh: row.export_wh.0,
            import_wh: row.import_wh.0,
        });
    }
    if strangers.is_empty() {
        return Ok(known_rows);
    }
    let why = format!("chain.not_enrolled: the chain has no record of {} of the households", strangers.len());
    Err(ChainError::Unsigned { why, rows: strangers })
}

fn program_kind(kind: HouseholdKind) -> ProgramKind {
    match kind {
        HouseholdKind::Home => ProgramKind::Home,
        HouseholdKind::Generator => ProgramKind::Generator,
        HouseholdKind::Battery => ProgramKind::Battery,
        HouseholdKind::Loss => ProgramKind::Loss,
    }
}

fn program_reason(reason: ReleaseReason) -> ProgramReason {
    match reason {
        ReleaseReason::PaymentRefused => ProgramReason::PaymentRefused,
        ReleaseReason::PaymentTimeout => ProgramReason::PaymentTimeout,
        ReleaseReason::PaidShort => ProgramReason::PaidShort,
    }
}
