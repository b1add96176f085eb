//! Homes with real meters, for tests.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "each test uses its part, and says what it expects"
)]

pub mod gated;

use jirani_meter::{
    Ed25519Signer, HeapQueue, Instantaneous, Meter, MeterState, PublicKey, Registers, Sample, Signer as _,
};
use jirani_store::{
    Change, HouseholdKind, HouseholdRecord, Language, MeterPurpose, MeterRecord, MeterState as Enrolled,
    Store,
};
use jirani_units::{HouseholdId, MeterId, Timestamp};

pub type HomeMeter = Meter<Ed25519Signer, HeapQueue>;

/// 2026-06-01T00:00:00Z.
pub const START: Timestamp = Timestamp::from_seconds(1_780_272_000);
pub const SLOT_S: i64 = 900;

pub fn gateway_key() -> Ed25519Signer {
    Ed25519Signer::from_seed(&[200; 32])
}

pub fn key_of(home: u32) -> Ed25519Signer {
    Ed25519Signer::from_seed(&[u8::try_from(home).unwrap(); 32])
}

/// Readings that a home's queue holds.
pub const ROOM: usize = 500;

pub fn meter_of(home: u32) -> HomeMeter {
    let gateway = PublicKey::from_bytes(&gateway_key().public_key()).unwrap();
    let state = MeterState { epoch: 1, ..MeterState::default() };
    Meter::new(key_of(home), gateway, [1; 8], HeapQueue::with_bound(ROOM), state)
}

pub fn id_of(home: u32) -> MeterId {
    MeterId(key_of(home).name())
}

/// A home with a meter of 5 kW either way, on feeder 1, enrolled on chain.
pub fn record(home: u32) -> HouseholdRecord {
    HouseholdRecord {
        id: HouseholdId(home),
        kind: HouseholdKind::Home,
        alias: format!("home {home}"),
        name: format!("Home {home}"),
        msisdn: None,
        language: Language::En,
        meter: Some(id_of(home)),
        meter_key: key_of(home).public_key(),
        meter_epoch: 1,
        export_rating_w: 5_000,
        import_rating_w: 5_000,
        pv_rated_w: 5_000,
        feeder: 1,
        chain_address: Some([1; 32]),
        enrolled_at: START,
        version: 0,
    }
}

/// The enrolment of a home's meter.
pub fn enrolment(home: u32, state: Enrolled) -> MeterRecord {
    MeterRecord {
        meter: id_of(home),
        key: key_of(home).public_key(),
        household: HouseholdId(home),
        purpose: MeterPurpose::Enrol,
        state,
        replaces: None,
        epoch: 1,
        modulus_wh: None,
        opening: Registers::default(),
        trust: "device".to_owned(),
        draft: None,
        nonce: None,
        claimed_by: "Amina".to_owned(),
        claimed_at: START,
        challenged_at: None,
        answered_at: None,
        approved_by: None,
        approved_at: None,
        reason: String::new(),
        held: None,
        request: None,
        version: 0,
    }
}

/// The operator's loss record of feeder 1.
pub fn loss(id: u32) -> HouseholdRecord {
    HouseholdRecord { kind: HouseholdKind::Loss, meter: None, meter_key: [0; 32], ..record(id) }
}

pub async fn enrol(store: &dyn Store, records: impl IntoIterator<Item = HouseholdRecord>) {
    store.commit(records.into_iter().map(Change::Household).collect()).await.unwrap();
}

/// Counts energy and reads, `seconds` after the start.
pub fn read(meter: &mut HomeMeter, seconds: i64, import_wh: u64, export_wh: u64) {
    meter.count(Registers { import_wh, export_wh, generation_wh: 0 }).unwrap();
    let sample = Sample {
        time_us: START.plus_seconds(seconds).0.cast_unsigned(),
        interval_s: 900,
        instantaneous: Instantaneous { power_w: 42, ..Instantaneous::default() },
        ..Sample::default()
    };
    meter.read(sample).unwrap();
}
