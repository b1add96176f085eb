//! A proof that a household's attested registers are what its meter signed: the signed
//! readings, their way up to the slot's root, and where on chain the root stands.
//!
//! Anyone can check it without us: the readings by the meter's key, the registers by the
//! readings, the root by the path, the root and the row by the transaction that it
//! names. What the file says of itself is not believed: [`SlotProof::check`] takes it
//! apart and gives what is then to be found on chain.

use crate::boundary::at_boundary;
use crate::evidence::{Neighbour, merkle_path};
use jirani_meter::{Flags, PublicKey, READING_CONTEXT, Reading};
use jirani_readings::{Leaf, time_of};
use jirani_store::{AttestedRow, ReadingRow};
use jirani_units::{HouseholdId, MeterId, Timestamp, Trust, Wh};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Version of the file.
const VERSION: u32 = 1;
/// Version of a file with a span: virtual registers are raw ones and offsets.
const WITH_SPAN: u32 = 2;
/// Readings at most: one before the moment, one after.
const READINGS_MAX: usize = 2;
/// Steps at most: four thousand million leaves.
const STEPS_MAX: usize = 32;

/// A neighbour on the way up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PathStep {
    /// It stands on the left; hexadecimal.
    Left(String),
    /// It stands on the right; hexadecimal.
    Right(String),
}

/// A reading and its way up to the root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProvenReading {
    /// The leaf: the COSE_Sign1 exactly as the meter sent it, or a span's 80 bytes; hexadecimal.
    pub signed: String,
    /// From the leaf to below the root.
    pub path: Vec<PathStep>,
}

/// The file. Bytes are in lower-case hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlotProof {
    /// 1, or 2 with a span.
    pub version: u32,
    /// The energy program's address.
    pub program: String,
    /// The transaction that attested the row: its first signature, base 58.
    pub transaction: String,
    /// Feeder.
    pub feeder: u16,
    /// End of the slot, Unix seconds.
    pub slot_end: i64,
    /// Whose.
    pub household: u32,
    /// The meter's public key.
    pub meter_key: String,
    /// Epoch that the row names.
    pub meter_epoch: u32,
    /// Export register at the slot's end, Wh.
    pub export_wh: u64,
    /// Import register at the slot's end, Wh.
    pub import_wh: u64,
    /// Root of the slot's evidence.
    pub evidence_root: String,
    /// What is added to the meter's registers, and its way up; not there for the meter that
    /// the household was enrolled with, whose registers are the attested ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span: Option<ProvenReading>,
    /// The reading at the slot's end, or the two around it.
    pub readings: Vec<ProvenReading>,
}

/// What a proof shows, and the chain must say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Root of the slot's evidence.
    pub root: [u8; 32],
    /// The meter's public key.
    pub meter_key: [u8; 32],
    /// The meter's name.
    pub meter: MeterId,
    /// Whether the registers lie between two readings.
    pub estimated: bool,
    /// Who vouches for the readings, as they say themselves.
    pub trust: Trust,
}

/// Why a proof shows nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// Another version, or not hexadecimal, or too much of it.
    #[error("proof.malformed: {0}")]
    Malformed(&'static str),
    /// A reading that is none, or not the meter's.
    #[error("proof.signature: a reading is not signed by the meter's key")]
    NotSigned,
    /// A reading of other registers.
    #[error("proof.epoch: a reading belongs to other registers than the row")]
    WrongEpoch,
    /// The registers do not follow from the readings.
    #[error("proof.registers: the readings give other registers at the slot's end")]
    WrongRegisters,
    /// The span is not this row's.
    #[error("proof.span: the span of registers is not this meter's, or does not cover the readings")]
    WrongSpan,
    /// The path does not lead to the root.
    #[error("proof.path: a reading's path does not lead to the evidence root")]
    WrongPath,
    /// There is no such evidence.
    #[error("proof.no_evidence: the household has no reading around the slot's end")]
    NoEvidence,
}

/// One household's part of a slot.
#[derive(Clone, Debug)]
pub struct Part {
    /// Its row, as it was sent.
    pub row: AttestedRow,
    /// The leaves it rests on: a span's, if it has one, then the signed readings, oldest first.
    pub evidence: Vec<Vec<u8>>,
}

/// Which row is proven, and where it stands.
#[derive(Clone, Debug)]
pub struct Claim {
    /// The energy program's address.
    pub program: String,
    /// The transaction that attested the row.
    pub transaction: String,
    /// Feeder.
    pub feeder: u16,
    /// End of the slot.
    pub slot_end: Timestamp,
    /// Whose.
    pub household: HouseholdId,
    /// The meter's public key.
    pub meter_key: [u8; 32],
    /// Generation of its registers.
    pub meter_epoch: u32,
}

impl SlotProof {
    /// Proves a claim from all parts of the slot, by household. The root is made of
    /// them: whoever calls compares it with what was attested.
    pub fn of(claim: &Claim, parts: &[Part]) -> Result<Self, ProofError> {
        let leaves: Vec<&[u8]> = parts.iter().flat_map(|part| &part.evidence).map(Vec::as_slice).collect();
        let own = parts.iter().position(|part| part.row.household == claim.household);
        let own = own.ok_or(ProofError::NoEvidence)?;
        let first: usize = parts[..own].iter().map(|part| part.evidence.len()).sum();
        let Part { row, evidence } = &parts[own];
        let mut readings: Vec<_> = (first..)
            .zip(evidence)
            .map(|(index, signed)| ProvenReading { signed: hex::encode(signed), path: path(&leaves, index) })
            .collect();
        let has_span = evidence.first().is_some_and(|leaf| Leaf::decode(leaf).is_some());
        let span = has_span.then(|| readings.remove(0));
        if readings.is_empty() {
            return Err(ProofError::NoEvidence);
        }
        Ok(Self {
            version: if has_span { WITH_SPAN } else { VERSION },
            span,
            program: claim.program.clone(),
            transaction: claim.transaction.clone(),
            feeder: claim.feeder,
            slot_end: claim.slot_end.0.div_euclid(1_000_000),
            household: claim.household.0,
            meter_key: hex::encode(claim.meter_key),
            meter_epoch: claim.meter_epoch,
            export_wh: row.export_wh.0,
            import_wh: row.import_wh.0,
            evidence_root: hex::encode(crate::merkle_root(leaves)),
            readings,
        })
    }

    /// Everything that can be checked without the chain.
    pub fn check(&self) -> Result<Shown, ProofError> {
        if self.version != if self.span.is_some() { WITH_SPAN } else { VERSION } {
            return Err(ProofError::Malformed("the file's version is not 1, nor 2 with a span"));
        }
        if self.readings.is_empty() || self.readings.len() > READINGS_MAX {
            return Err(ProofError::Malformed("a row rests on one reading or two"));
        }
        let (root, meter_key) = (bytes(&self.evidence_root)?, bytes(&self.meter_key)?);
        let key = PublicKey::from_bytes(&meter_key).map_err(|_| ProofError::NotSigned)?;
        let span = self.span.as_ref().map(|span| self.read_span(span, root, &key)).transpose()?;
        let epoch = span.map_or(self.meter_epoch, |span| span.epoch);
        let mut rows = Vec::with_capacity(READINGS_MAX);
        let mut trust = Trust::DeviceSigned;
        for reading in &self.readings {
            let signed = hex::decode(&reading.signed)
                .map_err(|_| ProofError::Malformed("a reading is not hexadecimal"))?;
            if climb(&signed, &reading.path)? != root {
                return Err(ProofError::WrongPath);
            }
            if is_site_signed(&signed) {
                trust = Trust::GatewayAttested;
            }
            rows.push(self.read(&key, epoch, signed)?);
        }
        let at = Timestamp::from_seconds(self.slot_end);
        let registers = at_boundary(rows.first(), rows.get(1), at).ok_or(ProofError::WrongRegisters)?;
        let (mut import_wh, mut export_wh) = (registers.import_wh, registers.export_wh);
        if let Some(span) = span {
            if rows.first().is_some_and(|first| first.time < span.from) {
                return Err(ProofError::WrongSpan);
            }
            (import_wh, export_wh) =
                span.offsets.apply(import_wh, export_wh).ok_or(ProofError::WrongRegisters)?;
        }
        let shown = (export_wh.0, import_wh.0, registers.evidence.len());
        if shown != (self.export_wh, self.import_wh, rows.len()) {
            return Err(ProofError::WrongRegisters);
        }
        Ok(Shown { root, meter_key, meter: MeterId(key.name()), estimated: registers.estimated, trust })
    }

    fn read_span(&self, span: &ProvenReading, root: [u8; 32], key: &PublicKey) -> Result<Leaf, ProofError> {
        let bytes =
            hex::decode(&span.signed).map_err(|_| ProofError::Malformed("a span is not hexadecimal"))?;
        if climb(&bytes, &span.path)? != root {
            return Err(ProofError::WrongPath);
        }
        let leaf = Leaf::decode(&bytes).ok_or(ProofError::WrongSpan)?;
        let is_ours = (leaf.household.0, leaf.meter.0, leaf.chain_epoch)
            == (self.household, key.name(), self.meter_epoch);
        if is_ours { Ok(leaf) } else { Err(ProofError::WrongSpan) }
    }

    fn read(&self, key: &PublicKey, epoch: u32, bytes: Vec<u8>) -> Result<ReadingRow, ProofError> {
        let (reading, signed) = Reading::decode(&bytes).map_err(|_| ProofError::NotSigned)?;
        signed.verify(key, READING_CONTEXT).map_err(|_| ProofError::NotSigned)?;
        if reading.meter != key.name() {
            return Err(ProofError::NotSigned);
        }
        if reading.epoch != epoch {
            return Err(ProofError::WrongEpoch);
        }
        let time = time_of(&reading);
        Ok(ReadingRow {
            meter: MeterId(reading.meter),
            epoch: reading.epoch,
            seq: reading.seq,
            household: HouseholdId(self.household),
            time,
            import_wh: Wh(reading.registers.import_wh),
            export_wh: Wh(reading.registers.export_wh),
            generation_wh: Wh(reading.registers.generation_wh),
            power_w: reading.instantaneous.power_w,
            bytes,
            received_at: time,
        })
    }
}

/// Whether the site signed for a foreign device. The flag is under the signature.
fn is_site_signed(bytes: &[u8]) -> bool {
    Reading::decode(bytes).is_ok_and(|(reading, _)| reading.flags.0 & Flags::SITE_SIGNED != 0)
}

fn path(leaves: &[&[u8]], index: usize) -> Vec<PathStep> {
    let step = |neighbour| match neighbour {
        Neighbour::Left(hash) => PathStep::Left(hex::encode(hash)),
        Neighbour::Right(hash) => PathStep::Right(hex::encode(hash)),
    };
    merkle_path(leaves, index).into_iter().map(step).collect()
}

/// The root that a leaf's path leads to.
fn climb(leaf: &[u8], path: &[PathStep]) -> Result<[u8; 32], ProofError> {
    if path.len() > STEPS_MAX {
        return Err(ProofError::Malformed("a path is longer than any tree is high"));
    }
    let mut hash: [u8; 32] = Sha256::new().chain_update([0]).chain_update(leaf).finalize().into();
    for step in path {
        let node = Sha256::new().chain_update([1]);
        hash = match step {
            PathStep::Left(left) => node.chain_update(bytes(left)?).chain_update(hash),
            PathStep::Right(right) => node.chain_update(hash).chain_update(bytes(right)?),
        }
        .finalize()
        .into();
    }
    Ok(hash)
}

fn bytes(text: &str) -> Result<[u8; 32], ProofError> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(text, &mut bytes)
        .map_err(|_| ProofError::Malformed("a hash or key is not 32 bytes of hexadecimal"))?;
    Ok(bytes)
}
