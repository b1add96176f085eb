use jirani_units::{HouseholdId, MeterId, Msisdn, Timestamp};
use serde::{Deserialize, Serialize};

/// What stands behind a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HouseholdKind {
    /// A home or shop.
    Home,
    /// The operator's generator.
    Generator,
    /// The operator's battery.
    Battery,
    /// The operator's losses: no physical meter, the oracle computes it (E4).
    Loss,
}

/// The language messages are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// English.
    #[default]
    En,
    /// Kiswahili.
    Sw,
}

/// A household, or one of the operator's records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HouseholdRecord {
    /// Identity.
    pub id: HouseholdId,
    /// Home, generator, battery or loss.
    pub kind: HouseholdKind,
    /// What neighbours see.
    pub alias: String,
    /// What the household and the operator see.
    pub name: String,
    /// Its own number; payouts go nowhere else. None for the operator's records.
    pub msisdn: Option<Msisdn>,
    /// Language of its messages.
    pub language: Language,
    /// Its settlement meter; None for the loss record.
    pub meter: Option<MeterId>,
    /// Ed25519 public key of the meter; zeroes for the loss record.
    pub meter_key: [u8; 32],
    /// Epoch of the meter's registers that is settled now.
    pub meter_epoch: u32,
    /// Most it can export, in W.
    pub export_rating_w: u32,
    /// Most it can import, in W.
    pub import_rating_w: u32,
    /// Rated power of its panels, in W; 0 without.
    pub pv_rated_w: u32,
    /// Feeder it hangs on.
    pub feeder: u16,
    /// Address of its on-chain record; None until enrolled there.
    pub chain_address: Option<[u8; 32]>,
    /// When it was enrolled.
    pub enrolled_at: Timestamp,
    /// Version read; 0 = new.
    pub version: u64,
}
