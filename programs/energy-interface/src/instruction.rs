//! The instructions' first bytes and their data. All data is one `repr(C)` value
//! that begins with the discriminator; an attestation is followed by its rows, an
//! order by its fills.

use crate::Key;
use crate::state::{ATTESTORS_MAX, CappedKey, Limits, OracleSet, Tariff};
use bytemuck::{Pod, Zeroable};

/// First byte of an instruction. Numbers between are kept for: two-step admin,
/// meter replacement, authority change, household closing, adjustment, movement,
/// withdrawal, deposit, closing markers, hard stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Tag {
    /// Creates Config and mint.
    Initialise = 0,
    /// Changes one section of Config.
    Configure = 1,
    /// Pauses or resumes.
    Pause = 2,
    /// Creates a Household, its vault and its feeder's Evidence.
    Enrol = 10,
    /// Attests registers.
    Attest = 20,
    /// Moves eKWh from vault to escrow.
    PostOffer = 30,
    /// Returns what no order holds.
    CancelOffer = 31,
    /// Holds fills for a buyer.
    PlaceOrder = 32,
    /// Settles an order with its proof.
    Settle = 33,
    /// Gives an order up.
    Release = 34,
    /// Carries an event; only the program calls it.
    Event = 228,
}

impl Tag {
    /// The tag of a byte.
    pub const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Self::Initialise),
            1 => Some(Self::Configure),
            2 => Some(Self::Pause),
            10 => Some(Self::Enrol),
            20 => Some(Self::Attest),
            30 => Some(Self::PostOffer),
            31 => Some(Self::CancelOffer),
            32 => Some(Self::PlaceOrder),
            33 => Some(Self::Settle),
            34 => Some(Self::Release),
            228 => Some(Self::Event),
            _ => None,
        }
    }
}

macro_rules! data {
    ($name:ident, $len:literal) => {
        const _: () = assert!(size_of::<$name>() == $len);
    };
}

/// Data of [`Tag::Initialise`]: everything that Config starts with. The version
/// of the oracle set and the used figures of capped keys are set by the program.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct InitialiseData {
    /// [`Tag::Initialise`].
    pub tag: u8,
    /// Zero.
    pub reserved: [u8; 7],
    /// Admin.
    pub admin: Key,
    /// Pause key.
    pub pause_key: Key,
    /// Tariff.
    pub tariff: Tariff,
    /// Windows and limits.
    pub limits: Limits,
    /// Oracles.
    pub oracles: OracleSet,
    /// Attestors.
    pub attestors: [CappedKey; ATTESTORS_MAX],
    /// Custodian.
    pub custodian: CappedKey,
}
data!(InitialiseData, 744);

/// Which part of Config an instruction changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ConfigSection {
    /// [`Tariff`].
    Tariff = 1,
    /// [`Limits`].
    Limits = 2,
    /// [`OracleSet`]; the program counts its version up.
    Oracles = 3,
    /// All attestors; the used figures of keys that stay are kept.
    Attestors = 4,
    /// The custodian.
    Custodian = 5,
    /// The pause key.
    PauseKey = 6,
}

/// Data of [`Tag::Configure`], followed by the section's new value.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct ConfigureData {
    /// [`Tag::Configure`].
    pub tag: u8,
    /// [`ConfigSection`].
    pub section: u8,
    /// Zero.
    pub reserved: [u8; 6],
}
data!(ConfigureData, 8);

/// Data of [`Tag::Pause`].
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct PauseData {
    /// [`Tag::Pause`].
    pub tag: u8,
    /// 1 pauses, 0 resumes.
    pub paused: u8,
}
data!(PauseData, 2);

/// Data of [`Tag::Enrol`].
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct EnrolData {
    /// [`Tag::Enrol`].
    pub tag: u8,
    /// [`crate::state::HouseholdKind`].
    pub kind: u8,
    /// [`crate::state::flags`].
    pub flags: u8,
    /// Zero.
    pub reserved: u8,
    /// Feeder.
    pub feeder: u16,
    /// Zero.
    pub reserved1: u16,
    /// The household's number.
    pub household_id: u32,
    /// Epoch of the meter.
    pub meter_epoch: u32,
    /// Plausible export, W.
    pub export_rating_w: u32,
    /// Plausible import, W.
    pub import_rating_w: u32,
    /// Export register that counts as zero, Wh: a meter's past mints nothing.
    pub initial_export_wh: u64,
    /// Import register that counts as zero, Wh.
    pub initial_import_wh: u64,
    /// Ed25519 key of the meter.
    pub meter_key: Key,
    /// Who signs, unless custodial; may be zeroes then.
    pub authority: Key,
}
data!(EnrolData, 104);

/// Data of [`Tag::Attest`], followed by `rows` times [`RowData`].
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct AttestData {
    /// [`Tag::Attest`].
    pub tag: u8,
    /// Rows, 1 to 28.
    pub rows: u8,
    /// Zero.
    pub reserved: u16,
    /// Version of the oracle set.
    pub oracle_version: u32,
    /// End of the slot, Unix seconds.
    pub slot_end: i64,
    /// Root of the evidence.
    pub evidence_root: Key,
}
data!(AttestData, 48);

/// A household's registers at the slot's end.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct RowData {
    /// Export register of the meter, Wh.
    pub export_wh: u64,
    /// Import register of the meter, Wh.
    pub import_wh: u64,
    /// Epoch of the meter.
    pub meter_epoch: u32,
    /// Zero.
    pub reserved: u32,
}
data!(RowData, 24);

/// Data of [`Tag::PostOffer`].
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct PostOfferData {
    /// [`Tag::PostOffer`].
    pub tag: u8,
    /// Zero.
    pub reserved: [u8; 3],
    /// The seller's net price, cents per kWh.
    pub price: u32,
    /// Number of the offer.
    pub offer_id: u64,
    /// Energy, Wh.
    pub energy_wh: u64,
    /// When it ends, Unix seconds.
    pub expires_at: i64,
}
data!(PostOfferData, 32);

/// Data of [`Tag::CancelOffer`].
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct CancelOfferData {
    /// [`Tag::CancelOffer`].
    pub tag: u8,
}
data!(CancelOfferData, 1);

/// Data of [`Tag::PlaceOrder`], followed by 1 to 4 times [`FillData`].
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct PlaceOrderData {
    /// [`Tag::PlaceOrder`].
    pub tag: u8,
    /// Fills, 1 to 4.
    pub fills: u8,
    /// Zero.
    pub reserved: [u8; 6],
    /// Number of the order.
    pub order_id: u64,
    /// Grid fee, cents per kWh.
    pub fee: u32,
    /// Tax, cents per kWh.
    pub tax: u32,
}
data!(PlaceOrderData, 24);

/// What is wanted of one offer, at the price seen.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct FillData {
    /// Energy, Wh.
    pub energy_wh: u32,
    /// The offer's price, cents per kWh.
    pub price: u32,
}
data!(FillData, 8);

/// Data of [`Tag::Settle`].
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct SettleData {
    /// [`Tag::Settle`].
    pub tag: u8,
    /// [`crate::ProofKind`].
    pub proof_kind: u8,
    /// Zero.
    pub reserved: [u8; 6],
    /// When the money moved, Unix seconds.
    pub paid_at: i64,
    /// The proof's hash.
    pub proof: Key,
}
data!(SettleData, 48);

/// Why an order is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ReleaseReason {
    /// The payer said no, or M-Pesa refused for good.
    PaymentRefused = 1,
    /// No proof by deadline and grace.
    PaymentTimeout = 2,
    /// The amount paid was less than the due.
    PaidShort = 3,
    /// Released under a pause; its money becomes balance.
    Paused = 4,
}

impl ReleaseReason {
    /// The reason of a byte.
    pub const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::PaymentRefused),
            2 => Some(Self::PaymentTimeout),
            3 => Some(Self::PaidShort),
            4 => Some(Self::Paused),
            _ => None,
        }
    }
}

/// Data of [`Tag::Release`].
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct ReleaseData {
    /// [`Tag::Release`].
    pub tag: u8,
    /// [`ReleaseReason`].
    pub reason: u8,
}
data!(ReleaseData, 2);
