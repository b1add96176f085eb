use jirani_units::{HouseholdId, MeterId, Timestamp, Wh};

/// A verified reading and the exact bytes that were signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadingRow {
    /// Meter.
    pub meter: MeterId,
    /// Generation of its registers.
    pub epoch: u32,
    /// Number within the epoch.
    pub seq: u64,
    /// Whose.
    pub household: HouseholdId,
    /// When the registers were read.
    pub time: Timestamp,
    /// Import register.
    pub import_wh: Wh,
    /// Export register.
    pub export_wh: Wh,
    /// Generation register.
    pub generation_wh: Wh,
    /// Signed net power at the moment of the reading: export is positive.
    pub power_w: i32,
    /// The signed message.
    pub bytes: Vec<u8>,
    /// When the gateway had it.
    pub received_at: Timestamp,
}

/// What a gateway's judgement of a meter's readings rests on. As long as all of it still
/// is so, the judgement holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JudgedBy {
    /// Meter.
    pub meter: MeterId,
    /// Its last reading, by (epoch, seq).
    pub latest: Option<(u32, u64)>,
    /// Version of the household that it counts for; 0 for none.
    pub household_version: u64,
    /// Version of its enrolment; 0 for a meter that was enrolled without one.
    pub enrolment_version: u64,
}

/// What became of a reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Appended {
    /// Stored.
    New,
    /// Identical to one stored before; acknowledge it again.
    Duplicate,
    /// The identity was used for other bytes: kept in quarantine as evidence.
    Equivocation,
}

/// A reading that was not accepted, kept with the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuarantineRow {
    /// Topic's meter id, if it was one.
    pub meter: Option<MeterId>,
    /// Stable reason code, `reading.bad_signature`.
    pub code: String,
    /// For people.
    pub detail: String,
    /// The bytes, bounded by the gateway.
    pub bytes: Vec<u8>,
    /// When the gateway had it.
    pub received_at: Timestamp,
}
