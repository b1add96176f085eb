//! What the program reports, by calling itself: one event per instruction, in the
//! transaction's inner instructions. Every energy and every amount in it can be derived
//! again from the accounts; the reason of a release or an adjustment stands only here.

use crate::Key;
use crate::instruction::Tag;
use bytemuck::{Pod, Zeroable};

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum EventKind {
    /// Config and mint exist. `subject` is the admin.
    Initialised = 1,
    /// A section of Config changed; `detail` is the section.
    Configured = 2,
    /// Paused (`detail` 1) or resumed (0).
    PauseChanged = 3,
    /// A household was enrolled. `number` is its feeder, `subject` its Household.
    Enrolled = 4,
    /// Rows were attested; [`AttestedRow`]s follow. `subject` is the evidence root.
    Attested = 5,
    /// An offer was posted. `energy_wh`, `cents` its price per kWh, `number` its id,
    /// `subject` the seller.
    OfferPosted = 6,
    /// Unsold energy went back. `energy_wh`, `burned_wh`, `detail` 1 when the offer is
    /// gone, `number` its id, `subject` the seller.
    OfferReturned = 7,
    /// An order was placed. `energy_wh`, `cents` its due, `number` its id, `subject` the
    /// buyer.
    OrderPlaced = 8,
    /// An order settled. `energy_wh`, `cents`, `burned_wh`, `detail` the kind of the proof,
    /// `number` the order's id, `subject` the proof's hash.
    Settled = 9,
    /// An order was released. `energy_wh`, `cents`, `detail` is the reason, `number` its id,
    /// `subject` the buyer.
    Released = 10,
    /// The proposed admin took over. `subject` is the admin.
    AdminChanged = 11,
    /// The mint was stopped (`detail` 1) or released (0).
    HardStopChanged = 12,
    /// Another meter or other ratings. `number` is the epoch, `subject` the meter's key.
    MeterReplaced = 13,
    /// `detail` is the action, `subject` the authority it is about.
    AuthorityChanged = 14,
    /// A household was closed. `subject` is its Household.
    HouseholdClosed = 15,
    /// An error was mended. `energy_wh` export and `number` import added, Wh;
    /// `burned_wh`; `subject` is the reason's hash.
    Adjusted = 16,
    /// Energy moved to another record of the same authority: `number` is that
    /// household's, `subject` its Household. `energy_wh`, `burned_wh` of both.
    Moved = 17,
    /// Energy left for a wallet. `energy_wh`, `subject` the wallet's token account.
    Withdrawn = 18,
    /// Energy came from a wallet. `energy_wh`, `burned_wh`, `subject` the token account.
    Deposited = 19,
    /// Markers were closed; `number` says how many.
    MarkersClosed = 20,
}

impl EventKind {
    /// Every kind, in the order of its byte.
    pub const ALL: [Self; 20] = [
        Self::Initialised,
        Self::Configured,
        Self::PauseChanged,
        Self::Enrolled,
        Self::Attested,
        Self::OfferPosted,
        Self::OfferReturned,
        Self::OrderPlaced,
        Self::Settled,
        Self::Released,
        Self::AdminChanged,
        Self::HardStopChanged,
        Self::MeterReplaced,
        Self::AuthorityChanged,
        Self::HouseholdClosed,
        Self::Adjusted,
        Self::Moved,
        Self::Withdrawn,
        Self::Deposited,
        Self::MarkersClosed,
    ];

    /// The kind of a byte.
    pub const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            1..=20 => Some(Self::ALL[byte as usize - 1]),
            _ => None,
        }
    }
}

/// An event's fixed part. Fields that a kind does not name are zero.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct Event {
    /// [`Tag::Event`].
    pub tag: u8,
    /// [`EventKind`].
    pub kind: u8,
    /// Attested: rows that follow. Else see the kind.
    pub detail: u8,
    /// Zero.
    pub reserved: u8,
    /// The household's number; Attested: the feeder.
    pub household_id: u32,
    /// The chain's time, Unix seconds; Attested: the slot's end.
    pub at: i64,
    /// Number of the offer or order.
    pub number: u64,
    /// Energy moved, Wh.
    pub energy_wh: u64,
    /// Burned against a shortfall on the way, Wh.
    pub burned_wh: u64,
    /// Money, cents.
    pub cents: u64,
    /// Key or hash; see the kind.
    pub subject: Key,
}

const _: () = assert!(size_of::<Event>() == 80);

impl Event {
    /// An event of a kind at a moment, everything else zero.
    #[inline(never)]
    pub fn new(kind: EventKind, at: i64) -> Self {
        Self { tag: Tag::Event as u8, kind: kind as u8, at, ..Self::zeroed() }
    }
}

/// What became of one row of an attestation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum RowStatus {
    /// Applied.
    Applied = 0,
    /// Nothing new: the household is attested through this slot or a later one.
    Stale = 1,
    /// A register lower than attested before.
    Lowered = 2,
    /// More export than its rating allows.
    ExportOverBucket = 3,
    /// More import than its rating allows.
    ImportOverBucket = 4,
    /// Registers of another epoch of the meter.
    WrongEpoch = 5,
    /// A household of another feeder.
    WrongFeeder = 6,
    /// Not a household of this program, closed, or passed read-only.
    NotHousehold = 7,
    /// Not the household's vault, or passed read-only.
    WrongVault = 8,
    /// A counter would overflow.
    Overflow = 9,
}

impl RowStatus {
    /// The status of a byte.
    pub const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Self::Applied),
            1 => Some(Self::Stale),
            2 => Some(Self::Lowered),
            3 => Some(Self::ExportOverBucket),
            4 => Some(Self::ImportOverBucket),
            5 => Some(Self::WrongEpoch),
            6 => Some(Self::WrongFeeder),
            7 => Some(Self::NotHousehold),
            8 => Some(Self::WrongVault),
            9 => Some(Self::Overflow),
            _ => None,
        }
    }

    /// Stable code: `energy.row_stale`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Applied => "energy.row_applied",
            Self::Stale => "energy.row_stale",
            Self::Lowered => "energy.row_lowered",
            Self::ExportOverBucket => "energy.row_export_over_bucket",
            Self::ImportOverBucket => "energy.row_import_over_bucket",
            Self::WrongEpoch => "energy.row_wrong_epoch",
            Self::WrongFeeder => "energy.row_wrong_feeder",
            Self::NotHousehold => "energy.row_not_household",
            Self::WrongVault => "energy.row_wrong_vault",
            Self::Overflow => "energy.row_overflow",
        }
    }
}

/// One row of an attestation, as it was applied or skipped.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct AttestedRow {
    /// The household's number; 0 when it is not one.
    pub household_id: u32,
    /// [`RowStatus`].
    pub status: u8,
    /// Zero.
    pub reserved: [u8; 3],
    /// Exported and so minted, gross, by this row, Wh.
    pub minted_wh: u64,
    /// Burned, gross, by this row, Wh.
    pub burned_wh: u64,
    /// Shortfall afterwards, Wh.
    pub shortfall_wh: u64,
}

const _: () = assert!(size_of::<AttestedRow>() == 32);

/// An event read back from an inner instruction's data.
#[cfg(not(any(target_os = "solana", target_arch = "bpf")))]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodedEvent {
    /// What happened.
    pub kind: EventKind,
    /// The fixed part.
    pub event: Event,
    /// The rows of an attestation; else empty.
    pub rows: alloc::vec::Vec<AttestedRow>,
}

#[cfg(not(any(target_os = "solana", target_arch = "bpf")))]
impl DecodedEvent {
    /// Reads the data of an inner instruction of this program; `None` when it is
    /// no event.
    pub fn decode(data: &[u8]) -> Option<Self> {
        let (head, rest) = data.split_at_checked(size_of::<Event>())?;
        let event: Event = bytemuck::try_pod_read_unaligned(head).ok()?;
        let kind = EventKind::from_byte(event.kind)?;
        let expected = if kind == EventKind::Attested { usize::from(event.detail) } else { 0 };
        if event.tag != Tag::Event as u8 || rest.len() != expected * size_of::<AttestedRow>() {
            return None;
        }
        let rows = rest
            .chunks_exact(size_of::<AttestedRow>())
            .map(bytemuck::try_pod_read_unaligned)
            .collect::<Result<_, _>>()
            .ok()?;
        Some(Self { kind, event, rows })
    }
}
