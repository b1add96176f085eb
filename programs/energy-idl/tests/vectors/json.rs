//! Values as vectors carry them: numbers as decimal text, 32 bytes and reserved
//! space as hexadecimal text.

use bytemuck::Pod;
use jirani_energy_interface::event::{AttestedRow, Event};
use jirani_energy_interface::instruction::{
    AdjustData, AmountData, AttestData, ChangeAuthorityData, ConfigureData, EnrolData, FillData,
    HardStopData, InitialiseData, PauseData, PlaceOrderData, PlainData, PostOfferData, ReleaseData,
    ReplaceMeterData, RowData, SettleData,
};
use jirani_energy_interface::state::{
    CappedKey, Caps, ClosedTotals, Config, DailyUse, Evidence, EvidenceEntry, Household, Limits, Marker,
    Offer, OracleSet, Order, OrderFill, Tariff,
};
use serde_json::Value;
use solana_address::Address;

/// An address as vectors carry it.
pub fn text(address: Address) -> String {
    hex::encode(address.to_bytes())
}

/// What can stand in a vector.
pub trait Json: Pod {
    /// The value.
    fn json(&self) -> Value {
        hex::encode(bytemuck::bytes_of(self)).into()
    }
}

macro_rules! numbers {
    ($($type:ident)*) => {
        $(impl Json for $type {
            fn json(&self) -> Value {
                self.to_string().into()
            }
        })*
    };
}
numbers!(u8 u16 u32 u64 i64);

impl Json for [u8; 2] {}
impl Json for [u8; 3] {}
impl Json for [u8; 6] {}
impl Json for [u8; 7] {}
impl Json for [u8; 24] {}
impl Json for [u8; 32] {}
impl Json for [u64; 2] {}
impl Json for [u64; 19] {}

macro_rules! lists {
    ($($type:ty)*) => {
        $(impl Json for $type {
            fn json(&self) -> Value {
                self.iter().map(Json::json).collect()
            }
        })*
    };
}
lists!([[u8; 32]; 8] [CappedKey; 4] [OrderFill; 4] [EvidenceEntry; 96]);

macro_rules! layouts {
    ($($type:ident { $($name:ident)* })*) => {
        $(impl Json for $type {
            fn json(&self) -> Value {
                // Names every field: a new one does not compile.
                let Self { $($name),* } = self;
                let fields = [$((stringify!($name), field(stringify!($name), $name))),*];
                Value::Object(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
            }
        })*
    };
}

fn field<T: Json>(name: &str, value: &T) -> Value {
    if name.trim_end_matches(|c: char| c.is_ascii_digit()) == "reserved" {
        hex::encode(bytemuck::bytes_of(value)).into()
    } else {
        value.json()
    }
}

layouts! {
    Tariff { retail buy_back grid_fee tax }
    Limits {
        order_window_s order_grace_s marker_retention_s offer_life_max_s authority_delay_s clock_skew_s bucket_s
        open_offers_max open_orders_max
    }
    OracleSet { version threshold count reserved members }
    CappedKey { key cap_wh cap_cents used_wh used_cents day reserved }
    Caps { adjustment_wh withdrawal_wh held_wh unpaid_orders reserved }
    DailyUse { wh day reserved }
    ClosedTotals {
        households export_wh import_wh minted_wh burned_wh adjusted_export_wh adjusted_import_wh
    }
    Config {
        discriminator version bump mint_bump paused reserved0 mint admin pending_admin pause_key paused_since
        paused_total_s tariff limits oracles attestors custodian caps adjusted closed reserved
    }
    Household {
        discriminator version bump vault_bump kind flags feeder id meter_epoch authority pending_authority
        pending_authority_at vault meter_key export_rating_w import_rating_w export_bucket_j import_bucket_j
        meter_export_wh meter_import_wh export_wh import_wh minted_wh burned_wh adjusted_export_wh
        adjusted_import_wh shortfall_wh last_slot_end enrolled_at newest_offer offers_seen newest_order
        orders_seen open_offers open_orders reserved0 rent_payer withdrawn held_wh unpaid_orders unpaid_day
        reserved
    }
    Offer {
        discriminator version bump escrow_bump price state reserved0 seller_id id seller escrow rent_payer
        energy_wh reserved_wh sold_wh returned_wh created_at expires_at reserved
    }
    OrderFill { offer energy_wh price }
    Order {
        discriminator version bump fill_count buyer_id id buyer rent_payer due_cents energy_wh fee tax created_at
        deadline paused_s fills reserved
    }
    Marker {
        discriminator version kind reserved0 buyer_id order_id paid_at settled_at closable_at paused_s rent_payer
        proof
    }
    EvidenceEntry { slot_end root }
    Evidence { discriminator version bump reserved0 feeder newest written entries }
    InitialiseData { tag reserved admin pause_key tariff limits oracles attestors custodian caps }
    ConfigureData { tag section reserved }
    PauseData { tag paused }
    PlainData { tag }
    HardStopData { tag stopped }
    EnrolData {
        tag kind flags reserved feeder reserved1 household_id meter_epoch export_rating_w import_rating_w
        initial_export_wh initial_import_wh meter_key authority
    }
    ReplaceMeterData {
        tag reserved meter_epoch export_rating_w import_rating_w initial_export_wh initial_import_wh meter_key
    }
    ChangeAuthorityData { tag action reserved authority }
    AttestData { tag rows reserved oracle_version slot_end evidence_root }
    RowData { export_wh import_wh meter_epoch reserved }
    AdjustData { tag reserved oracle_version export_wh import_wh adjusted_export_wh adjusted_import_wh reason }
    PostOfferData { tag reserved price offer_id energy_wh expires_at }
    PlaceOrderData { tag fills reserved order_id fee tax }
    FillData { energy_wh price }
    SettleData { tag proof_kind reserved paid_at proof }
    ReleaseData { tag reason }
    AmountData { tag reserved energy_wh }
    Event { tag kind detail reserved household_id at number energy_wh burned_wh cents subject }
    AttestedRow { household_id status reserved minted_wh burned_wh shortfall_wh }
}
