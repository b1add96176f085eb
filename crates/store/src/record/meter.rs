use jirani_meter::Registers;
use jirani_units::{HouseholdId, MeterId, Timestamp};

/// How far a meter's enrolment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MeterState {
    /// An operator has read its identity.
    Claimed,
    /// It is asked to prove that it has its key.
    Challenged,
    /// It has proven it.
    Answered,
    /// Another operator has approved it; the chain is to know it yet.
    Approved,
    /// It counts for its household.
    Active,
    /// Another meter counts in its place.
    Replaced,
    /// It was taken out of service; nothing of it is accepted.
    Retired,
    /// Its claim was rejected.
    Rejected,
}

/// What a meter was claimed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MeterPurpose {
    /// A household that has none.
    Enrol,
    /// To take another meter's place.
    Replace,
    /// To be the same meter under another key.
    Rotate,
}

/// What an operator asks for about a meter that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MeterWish {
    /// That nothing holds it any more: what it said first stands.
    Release,
    /// That its registers began anew.
    Epoch {
        /// In this epoch.
        epoch: u32,
        /// At these registers.
        opening: Registers,
    },
}

/// What one operator asks for, and another one approves. It is done between two slots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeterRequest {
    /// What.
    pub wish: MeterWish,
    /// Why, in a person's words.
    pub reason: String,
    /// Who asks.
    pub asked_by: String,
    /// When.
    pub asked_at: Timestamp,
    /// Who approved it, and when; never who asks.
    pub approved: Option<(String, Timestamp)>,
}

/// One meter's enrolment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeterRecord {
    /// Its name: the hash of its key.
    pub meter: MeterId,
    /// Its Ed25519 key.
    pub key: [u8; 32],
    /// Whose it is, or will be.
    pub household: HouseholdId,
    /// What it was claimed for.
    pub purpose: MeterPurpose,
    /// How far it is.
    pub state: MeterState,
    /// Whose place it takes.
    pub replaces: Option<MeterId>,
    /// Generation of its registers.
    pub epoch: u32,
    /// Where its registers end and begin again at zero, Wh; None when they never do.
    pub modulus_wh: Option<u64>,
    /// What its registers showed when it was put in place.
    pub opening: Registers,
    /// Who vouches for its readings: `device` or `gateway`.
    pub trust: String,
    /// A household that begins with it, as JSON; None for one that is there already.
    pub draft: Option<String>,
    /// What it has to sign; None before it was challenged.
    pub nonce: Option<[u8; 32]>,
    /// Who claimed it.
    pub claimed_by: String,
    /// When.
    pub claimed_at: Timestamp,
    /// When it was challenged last.
    pub challenged_at: Option<Timestamp>,
    /// When it had answered.
    pub answered_at: Option<Timestamp>,
    /// Who approved it.
    pub approved_by: Option<String>,
    /// When.
    pub approved_at: Option<Timestamp>,
    /// Why, in a person's words.
    pub reason: String,
    /// Code of what holds it: nothing of it is attested until a person decides.
    pub held: Option<String>,
    /// What waits for another operator, or for the end of a slot; one at a time.
    pub request: Option<MeterRequest>,
    /// Version read; 0 = new.
    pub version: u64,
}

/// Something that happened to a meter; never changed, never removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeterEventRow {
    /// Which.
    pub meter: MeterId,
    /// Whose.
    pub household: Option<HouseholdId>,
    /// When.
    pub at: Timestamp,
    /// Who: an operator's name, or `gateway`.
    pub by: String,
    /// Stable code: `meter.claimed`, `reading.gap`.
    pub code: String,
    /// For people.
    pub detail: String,
}
