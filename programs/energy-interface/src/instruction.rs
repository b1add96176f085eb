//! The instructions' first bytes and their data. All data is one `repr(C)` value
//! that begins with the discriminator; an attestation is followed by its rows, an
//! order by its fills.

use crate::Key;
use crate::state::{ATTESTORS_MAX, CappedKey, Caps, Limits, OracleSet, Tariff};
use bytemuck::{Pod, Zeroable};

/// First byte of an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Tag {
    /// Creates Config and mint.
    Initialise = 0,
    /// Changes one section of Config.
    Configure = 1,
    /// Pauses or resumes.
    Pause = 2,
    /// The proposed admin takes over.
    AcceptAdmin = 3,
    /// Stops the mint itself, or lifts that.
    HardStop = 4,
    /// Creates a Household, its vault and its feeder's Evidence.
    Enrol = 10,
    /// Another meter, another epoch or other ratings.
    ReplaceMeter = 11,
    /// Proposes, cancels or accepts another authority.
    ChangeAuthority = 12,
    /// Closes an empty household.
    CloseHousehold = 13,
    /// Attests registers.
    Attest = 20,
    /// Mends an error found later.
    Adjust = 21,
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
    /// Moves energy between records of one authority.
    Move = 35,
    /// Moves energy to the authority's own wallet.
    Withdraw = 36,
    /// Moves energy from a wallet into a vault.
    Deposit = 37,
    /// Closes markers whose time is over.
    CloseMarkers = 38,
    /// Carries an event; only the program calls it.
    Event = 228,
}

impl Tag {
    /// Every instruction that others may call, in the order of its tag.
    pub const ALL: [Self; 21] = [
        Self::Initialise,
        Self::Configure,
        Self::Pause,
        Self::AcceptAdmin,
        Self::HardStop,
        Self::Enrol,
        Self::ReplaceMeter,
        Self::ChangeAuthority,
        Self::CloseHousehold,
        Self::Attest,
        Self::Adjust,
        Self::PostOffer,
        Self::CancelOffer,
        Self::PlaceOrder,
        Self::Settle,
        Self::Release,
        Self::Move,
        Self::Withdraw,
        Self::Deposit,
        Self::CloseMarkers,
        Self::Event,
    ];

    /// The tag of a byte.
    pub const fn from_byte(byte: u8) -> Option<Self> {
        let mut i = 0;
        while i < Self::ALL.len() {
            if Self::ALL[i] as u8 == byte {
                return Some(Self::ALL[i]);
            }
            i += 1;
        }
        None
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
    /// Daily caps and holds.
    pub caps: Caps,
}
data!(InitialiseData, 776);

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
    /// Who becomes admin by accepting; zeroes take a proposal back.
    PendingAdmin = 7,
    /// [`Caps`].
    Caps = 8,
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

/// Data of an instruction that needs nothing but its tag: [`Tag::AcceptAdmin`],
/// [`Tag::CloseHousehold`], [`Tag::CancelOffer`], [`Tag::CloseMarkers`].
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct PlainData {
    /// The tag.
    pub tag: u8,
}
data!(PlainData, 1);

/// Data of [`Tag::HardStop`].
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct HardStopData {
    /// [`Tag::HardStop`].
    pub tag: u8,
    /// 1 stops the mint, 0 lifts that; the soft pause stays until it is lifted itself.
    pub stopped: u8,
}
data!(HardStopData, 2);

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

/// Data of [`Tag::ReplaceMeter`]. The same key and epoch must go on at the attested
/// registers (other ratings); anything else, another meter first of all, begins a later
/// epoch of the household and starts where it says.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct ReplaceMeterData {
    /// [`Tag::ReplaceMeter`].
    pub tag: u8,
    /// Zero.
    pub reserved: [u8; 3],
    /// Epoch of the meter's registers.
    pub meter_epoch: u32,
    /// Plausible export, W.
    pub export_rating_w: u32,
    /// Plausible import, W.
    pub import_rating_w: u32,
    /// Export register that counts as zero, Wh.
    pub initial_export_wh: u64,
    /// Import register that counts as zero, Wh.
    pub initial_import_wh: u64,
    /// Ed25519 key of the meter.
    pub meter_key: Key,
}
data!(ReplaceMeterData, 64);

/// What is done about a household's authority.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum AuthorityAction {
    /// Names the next authority and starts the delay: the authority, or the admin.
    Propose = 1,
    /// Takes the proposal back: the authority, the custodian of a custodial one, or the
    /// admin.
    Cancel = 2,
    /// Takes over after the delay: the proposed authority; the admin for a custodial one.
    Accept = 3,
}

/// Data of [`Tag::ChangeAuthority`].
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct ChangeAuthorityData {
    /// [`Tag::ChangeAuthority`].
    pub tag: u8,
    /// [`AuthorityAction`].
    pub action: u8,
    /// Zero.
    pub reserved: [u8; 6],
    /// The next authority when proposing (zeroes: custodial), else zeroes.
    pub authority: Key,
}
data!(ChangeAuthorityData, 40);

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

/// Data of [`Tag::Adjust`]. Energy is only ever added: export that was missed is
/// minted, import that was missed is burned; too much of one is mended by the other.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct AdjustData {
    /// [`Tag::Adjust`].
    pub tag: u8,
    /// Zero.
    pub reserved: [u8; 3],
    /// Version of the oracle set.
    pub oracle_version: u32,
    /// Export to add, Wh.
    pub export_wh: u64,
    /// Import to add, Wh.
    pub import_wh: u64,
    /// The household's export adjustments before this one, Wh: sent twice, it counts once.
    pub adjusted_export_wh: u64,
    /// Its import adjustments before this one, Wh.
    pub adjusted_import_wh: u64,
    /// Hash of the reason; never all zero.
    pub reason: Key,
}
data!(AdjustData, 72);

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

/// Data of [`Tag::Move`], [`Tag::Withdraw`] and [`Tag::Deposit`].
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct AmountData {
    /// The tag.
    pub tag: u8,
    /// Zero.
    pub reserved: [u8; 7],
    /// Energy, Wh.
    pub energy_wh: u64,
}
data!(AmountData, 16);
