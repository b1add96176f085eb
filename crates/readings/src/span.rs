//! Virtual registers: what a household's meters counted together.
//!
//! A *span* is the time in which one epoch of one meter counts for a household, between
//! two roll-overs. Its offsets say what to add to the raw registers so that the virtual
//! ones go on where they stood: virtual = raw + offset. Spans are numbered from 0 and
//! only ever added. Span 0 is the meter a household was enrolled with, its offsets are
//! zero, and it stands in no evidence: whatever was attested before there were spans goes
//! on to verify. Every later one is a leaf of its own in the evidence of each slot that
//! it covers.

use jirani_meter::{Reading, Registers};
use jirani_units::{HouseholdId, JSON_INTEGER_MAX, MeterId, Timestamp, Wh};
use sha2::{Digest as _, Sha256};

/// What a leaf begins with. No reading does: a COSE_Sign1 begins with 0xd2.
const MAGIC: &[u8; 16] = b"jirani.span.v1\0\0";
/// Bytes of a leaf: 16 of [`MAGIC`], then big-endian household (4), number (4), meter (16),
/// epoch (4), epoch on chain (4), beginning in microseconds (8), offsets of import, export
/// and generation in Wh (8 each, signed).
pub const LEAF_BYTES: usize = 80;

/// What is added to each raw register, Wh.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Offsets {
    /// To the import register.
    pub import_wh: i64,
    /// To the export register.
    pub export_wh: i64,
    /// To the generation register.
    pub generation_wh: i64,
}

/// Where a span goes on from: the virtual registers at the end of the one before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Base {
    /// When they were read.
    pub time: Timestamp,
    /// What they were.
    pub registers: Registers,
}

/// Why a span began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpanReason {
    /// The household was enrolled.
    Enrolled,
    /// The registers began anew, and the meter's first reading proved the last one.
    ResetProven,
    /// The registers began anew, and a person approved it.
    ResetApproved,
    /// A register passed its declared end.
    RolledOver,
    /// Another meter.
    Replaced,
    /// The same meter under another key.
    KeyRotated,
}

/// One span.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// Whose.
    pub household: HouseholdId,
    /// 0, 1, 2, ... within the household.
    pub number: u32,
    /// The meter that counts.
    pub meter: MeterId,
    /// Its Ed25519 key.
    pub meter_key: [u8; 32],
    /// Generation of its registers, as its readings name it.
    pub epoch: u32,
    /// The epoch that attested rows name: it grows with another key, not with a reset.
    pub chain_epoch: u32,
    /// First moment it counts for. Readings of another meter before it do not count.
    pub from: Timestamp,
    /// Where it goes on from.
    pub base: Base,
    /// What is added to the raw registers.
    pub offsets: Offsets,
    /// Why it began.
    pub reason: SpanReason,
    /// What a person said of it.
    pub note: String,
    /// Who approved it: an operator's name, or `gateway`.
    pub by: String,
    /// When it was kept.
    pub at: Timestamp,
}

/// Why a span cannot begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpanError {
    /// Registers beyond what is accounted in.
    #[error("meter.registers_out_of_range: registers and offsets are at most 2^53 - 1 Wh")]
    OutOfRange,
    /// It would begin before the span before it.
    #[error("meter.span_too_early: registers cannot begin anew before {0}, when the present ones began")]
    TooEarly(Timestamp),
}

/// The part of a span that stands in a slot's evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// Whose.
    pub household: HouseholdId,
    /// Which of the household's.
    pub number: u32,
    /// The meter that counts.
    pub meter: MeterId,
    /// Generation of its registers.
    pub epoch: u32,
    /// The epoch that rows name.
    pub chain_epoch: u32,
    /// First moment it counts for.
    pub from: Timestamp,
    /// What is added.
    pub offsets: Offsets,
}

impl Span {
    /// The meter that a household was enrolled with.
    pub fn original(household: HouseholdId, meter: MeterId, meter_key: [u8; 32], epoch: u32) -> Self {
        Self {
            household,
            number: 0,
            meter,
            meter_key,
            epoch,
            chain_epoch: epoch,
            from: Timestamp(0),
            base: Base::default(),
            offsets: Offsets::default(),
            reason: SpanReason::Enrolled,
            note: String::new(),
            by: "enrolment".to_owned(),
            at: Timestamp(0),
        }
    }

    /// The next span: virtual registers go on at `base` when the raw ones stand at
    /// `opening`. `self` is the span before it; meter, epochs, reason and words are taken
    /// from `next`, which is otherwise ignored.
    pub fn followed(&self, next: Self, base: Base, opening: Registers) -> Result<Self, SpanError> {
        let offset = |base: u64, opening: u64| {
            let wide = i128::from(base) - i128::from(opening);
            let fits = base <= JSON_INTEGER_MAX && opening <= JSON_INTEGER_MAX;
            i64::try_from(wide).ok().filter(|_| fits).ok_or(SpanError::OutOfRange)
        };
        let offsets = Offsets {
            import_wh: offset(base.registers.import_wh, opening.import_wh)?,
            export_wh: offset(base.registers.export_wh, opening.export_wh)?,
            generation_wh: offset(base.registers.generation_wh, opening.generation_wh)?,
        };
        self.numbered(Self { base, offsets, ..next })
    }

    /// The next span of the same meter and epoch, after these registers (as 0 or the
    /// modulus to add) passed their end.
    pub fn rolled_over(
        &self,
        added: Registers,
        base: Base,
        from: Timestamp,
        at: Timestamp,
    ) -> Result<Self, SpanError> {
        let add = |offset: i64, added: u64| {
            i64::try_from(added).ok().and_then(|added| offset.checked_add(added)).ok_or(SpanError::OutOfRange)
        };
        let offsets = Offsets {
            import_wh: add(self.offsets.import_wh, added.import_wh)?,
            export_wh: add(self.offsets.export_wh, added.export_wh)?,
            generation_wh: add(self.offsets.generation_wh, added.generation_wh)?,
        };
        let (reason, by) = (SpanReason::RolledOver, "gateway".to_owned());
        self.numbered(Self { from, base, offsets, reason, by, at, note: String::new(), ..self.clone() })
    }

    fn numbered(&self, next: Self) -> Result<Self, SpanError> {
        if next.from <= self.from {
            return Err(SpanError::TooEarly(self.from));
        }
        Ok(Self { household: self.household, number: self.number + 1, ..next })
    }

    /// What stands in the evidence; `None` for the first span.
    pub fn leaf(&self) -> Option<Leaf> {
        (self.number > 0).then_some(Leaf {
            household: self.household,
            number: self.number,
            meter: self.meter,
            epoch: self.epoch,
            chain_epoch: self.chain_epoch,
            from: self.from,
            offsets: self.offsets,
        })
    }
}

impl Leaf {
    /// Its one encoding.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(LEAF_BYTES);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&self.household.0.to_be_bytes());
        bytes.extend_from_slice(&self.number.to_be_bytes());
        bytes.extend_from_slice(&self.meter.0);
        bytes.extend_from_slice(&self.epoch.to_be_bytes());
        bytes.extend_from_slice(&self.chain_epoch.to_be_bytes());
        bytes.extend_from_slice(&self.from.0.to_be_bytes());
        for offset in [self.offsets.import_wh, self.offsets.export_wh, self.offsets.generation_wh] {
            bytes.extend_from_slice(&offset.to_be_bytes());
        }
        bytes
    }

    /// Reads one; `None` for anything else.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes.strip_prefix(MAGIC).filter(|_| bytes.len() == LEAF_BYTES)?;
        Some(Self {
            household: HouseholdId(u32::from_be_bytes(take(&mut rest)?)),
            number: u32::from_be_bytes(take(&mut rest)?),
            meter: MeterId(take(&mut rest)?),
            epoch: u32::from_be_bytes(take(&mut rest)?),
            chain_epoch: u32::from_be_bytes(take(&mut rest)?),
            from: Timestamp(i64::from_be_bytes(take(&mut rest)?)),
            offsets: Offsets {
                import_wh: i64::from_be_bytes(take(&mut rest)?),
                export_wh: i64::from_be_bytes(take(&mut rest)?),
                generation_wh: i64::from_be_bytes(take(&mut rest)?),
            },
        })
    }
}

impl Offsets {
    /// A virtual register; `None` when it would be below zero or beyond what is accounted in.
    fn added(raw: u64, offset: i64) -> Option<u64> {
        raw.checked_add_signed(offset).filter(|sum| *sum <= JSON_INTEGER_MAX)
    }

    /// The virtual import and export registers of raw ones.
    pub fn apply(&self, import: Wh, export: Wh) -> Option<(Wh, Wh)> {
        let import = Self::added(import.0, self.import_wh)?;
        Some((Wh(import), Wh(Self::added(export.0, self.export_wh)?)))
    }
}

/// The virtual registers of raw ones; `None` when one would be below zero or beyond
/// 2^53 - 1 Wh.
pub fn virtual_of(offsets: &Offsets, raw: &Registers) -> Option<Registers> {
    Some(Registers {
        import_wh: Offsets::added(raw.import_wh, offsets.import_wh)?,
        export_wh: Offsets::added(raw.export_wh, offsets.export_wh)?,
        generation_wh: Offsets::added(raw.generation_wh, offsets.generation_wh)?,
    })
}

/// The span that counts at a moment, and the one after it. `spans` are one household's, by
/// number.
pub fn covering(spans: &[Span], at: Timestamp) -> Option<(&Span, Option<&Span>)> {
    let place = spans.iter().rposition(|span| span.number == 0 || span.from <= at)?;
    Some((&spans[place], spans.get(place + 1)))
}

/// Whether a reading taken at `time` belongs to a span that `next` follows.
pub fn is_within(span: &Span, next: Option<&Span>, time: Timestamp) -> bool {
    (span.number == 0 || time >= span.from) && next.is_none_or(|next| time < next.from)
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (head, tail) = rest.split_first_chunk::<N>()?;
    *rest = tail;
    Some(*head)
}

/// What the next reading of a meter carries of this one: [`Reading::previous`].
pub fn short_hash(signed: &[u8]) -> [u8; 8] {
    let digest = Sha256::digest(signed);
    let mut hash = <Reading as Default>::default().previous;
    hash.copy_from_slice(&digest[..8]);
    hash
}
