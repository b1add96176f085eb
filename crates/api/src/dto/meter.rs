//! Meters and their enrolment.

use super::Time;
use jirani_meter::Registers;
use jirani_oracle::enrolment::{Claim, NewHome, Place};
use jirani_readings::Span;
use jirani_store::words::Word as _;
use jirani_store::{
    HouseholdRecord, MeterEventRow, MeterRecord, MeterRequest as Asked, MeterWish, ReadingRow,
};
use jirani_units::{HouseholdId, MeterId, Msisdn};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Registers of a meter. Bounds are checked where they are used.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RegistersView {
    /// Drawn from the grid, Wh.
    pub import_wh: u64,
    /// Pushed into the grid, Wh.
    pub export_wh: u64,
    /// Made by the panels, Wh.
    pub generation_wh: u64,
}

impl From<RegistersView> for Registers {
    fn from(view: RegistersView) -> Self {
        let RegistersView { import_wh, export_wh, generation_wh } = view;
        Self { import_wh, export_wh, generation_wh }
    }
}

impl From<Registers> for RegistersView {
    fn from(registers: Registers) -> Self {
        let Registers { import_wh, export_wh, generation_wh } = registers;
        Self { import_wh, export_wh, generation_wh }
    }
}

/// What one operator asks for about a meter, and another one approves.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MeterRequestView {
    /// `release`: nothing holds it any more; `epoch`: its registers began anew.
    pub wish: String,
    /// The later epoch.
    pub epoch: Option<u32>,
    /// Where the registers began in it.
    pub opening: Option<RegistersView>,
    /// Why, in a person's words.
    pub reason: String,
    /// Who asks.
    pub asked_by: String,
    /// When.
    pub asked_at: Time,
    /// Who approved it; it is done between two slots.
    pub approved_by: Option<String>,
    /// When.
    pub approved_at: Option<Time>,
}

impl From<&Asked> for MeterRequestView {
    fn from(request: &Asked) -> Self {
        let (wish, epoch, opening) = match request.wish {
            MeterWish::Release => ("release", None, None),
            MeterWish::Epoch { epoch, opening } => ("epoch", Some(epoch), Some(opening.into())),
        };
        Self {
            wish: wish.to_owned(),
            epoch,
            opening,
            reason: request.reason.clone(),
            asked_by: request.asked_by.clone(),
            asked_at: Time(request.asked_at),
            approved_by: request.approved.as_ref().map(|(by, _)| by.clone()),
            approved_at: request.approved.as_ref().map(|(_, at)| Time(*at)),
        }
    }
}

/// A household that is to begin with a claimed meter: what another operator approves.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct NewHouseholdView {
    /// What neighbours will see.
    pub alias: String,
    /// What the household and the operator see.
    pub name: String,
    /// Its phone, masked; null for one without.
    pub phone: Option<String>,
    /// Feeder it hangs on.
    pub feeder: u16,
    /// Most it can export, W.
    pub export_rating_w: u32,
    /// Most it can import, W.
    pub import_rating_w: u32,
    /// Rated power of its panels, W; 0 without.
    pub pv_rated_w: u32,
}

impl NewHouseholdView {
    fn of(draft: &str) -> Option<Self> {
        let home: NewHome = serde_json::from_str(draft).ok()?;
        let phone = home.msisdn.as_deref().and_then(|digits| digits.parse::<Msisdn>().ok());
        Some(Self {
            alias: home.alias,
            name: home.name,
            phone: phone.map(Msisdn::masked),
            feeder: home.feeder,
            export_rating_w: home.export_rating_w,
            import_rating_w: home.import_rating_w,
            pv_rated_w: home.pv_rated_w,
        })
    }
}

/// What was refused of a meter, by reason.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RefusedCount {
    /// Stable reason code.
    pub code: String,
    /// How often; what a meter repeats is counted once.
    pub count: u64,
}

/// A meter as the operator sees it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MeterView {
    /// Its name: 32 hexadecimal digits.
    pub meter_id: String,
    /// Its public key.
    pub meter_key: String,
    /// Whose it is, or will be.
    pub household_id: u32,
    /// `claimed`, `challenged`, `answered`, `approved`, `active`, `replaced`, `retired`, `rejected`.
    pub state: String,
    /// `enrol`, `replace`, `rotate`.
    pub purpose: String,
    /// Whose place it takes.
    pub replaces: Option<String>,
    /// Who vouches for its readings: `device` or `gateway`.
    pub trust: String,
    /// Why nothing of it is attested until a person decides; null when nothing holds it.
    pub held: Option<String>,
    /// Grows with every change to its enrolment; an approval names the one that was read.
    pub revision: u64,
    /// What one operator asks for about it and another one is to approve.
    pub request: Option<MeterRequestView>,
    /// What its registers showed when it was claimed.
    pub opening: RegistersView,
    /// The household that begins with it once it is approved.
    pub new_household: Option<NewHouseholdView>,
    /// Generation of its registers.
    pub epoch: u32,
    /// Where its registers end and begin again at zero.
    pub modulus_wh: Option<u64>,
    /// How many spans of registers its household has had after the first.
    pub spans: u32,
    /// When the gateway had its last reading.
    pub last_seen: Option<Time>,
    /// Number of that reading.
    pub last_seq: Option<u64>,
    /// What was refused of it.
    pub refused: Vec<RefusedCount>,
    /// Who claimed it; null for a meter from before there were claims.
    pub claimed_by: Option<String>,
    /// When.
    pub claimed_at: Option<Time>,
    /// When it proved its key.
    pub answered_at: Option<Time>,
    /// Who approved it.
    pub approved_by: Option<String>,
    /// When.
    pub approved_at: Option<Time>,
    /// Why, in a person's words.
    pub reason: String,
}

/// What is known of a meter besides its enrolment.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Its last reading.
    pub last: Option<ReadingRow>,
    /// What was refused.
    pub refused: Vec<RefusedCount>,
    /// Spans of its household.
    pub spans: u32,
}

impl MeterView {
    /// Of an enrolment.
    pub fn of(record: &MeterRecord, seen: Seen) -> Self {
        let claimed = record.claimed_by != "enrolment";
        Self {
            meter_id: record.meter.to_string(),
            meter_key: hex::encode(record.key),
            household_id: record.household.0,
            state: record.state.word().to_owned(),
            purpose: record.purpose.word().to_owned(),
            replaces: record.replaces.map(|meter| meter.to_string()),
            trust: record.trust.clone(),
            held: record.held.clone(),
            revision: record.version,
            request: record.request.as_ref().map(MeterRequestView::from),
            opening: record.opening.into(),
            new_household: record.draft.as_deref().and_then(NewHouseholdView::of),
            epoch: record.epoch,
            modulus_wh: record.modulus_wh,
            spans: seen.spans,
            last_seen: seen.last.as_ref().map(|row| Time(row.received_at)),
            last_seq: seen.last.as_ref().map(|row| row.seq),
            refused: seen.refused,
            claimed_by: claimed.then(|| record.claimed_by.clone()),
            claimed_at: claimed.then_some(Time(record.claimed_at)),
            answered_at: record.answered_at.map(Time),
            approved_by: record.approved_by.clone(),
            approved_at: record.approved_at.map(Time),
            reason: record.reason.clone(),
        }
    }

    /// Of a meter that counted before there were claims.
    pub fn enrolled(home: &HouseholdRecord, meter: MeterId, seen: Seen) -> Self {
        Self {
            meter_id: meter.to_string(),
            meter_key: hex::encode(home.meter_key),
            household_id: home.id.0,
            state: "active".to_owned(),
            purpose: "enrol".to_owned(),
            replaces: None,
            trust: "device".to_owned(),
            held: None,
            revision: 0,
            request: None,
            opening: RegistersView::default(),
            new_household: None,
            epoch: home.meter_epoch,
            modulus_wh: None,
            spans: seen.spans,
            last_seen: seen.last.as_ref().map(|row| Time(row.received_at)),
            last_seq: seen.last.as_ref().map(|row| row.seq),
            refused: seen.refused,
            claimed_by: None,
            claimed_at: None,
            answered_at: None,
            approved_by: None,
            approved_at: None,
            reason: String::new(),
        }
    }
}

/// Something that happened to a meter.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MeterEventView {
    /// When.
    pub at: Time,
    /// Who: an operator's name, `gateway` or `chain`.
    pub by: String,
    /// Stable code: `meter.claimed`, `reading.gap`.
    pub code: String,
    /// For people.
    pub detail: String,
}

impl From<MeterEventRow> for MeterEventView {
    fn from(row: MeterEventRow) -> Self {
        Self { at: Time(row.at), by: row.by, code: row.code, detail: row.detail }
    }
}

/// A span of a household's registers.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SpanView {
    /// 0, 1, 2, ... within the household.
    pub number: u32,
    /// The meter that counts.
    pub meter_id: String,
    /// Generation of its registers.
    pub epoch: u32,
    /// From when.
    pub from: Time,
    /// Added to the import register, Wh; may be negative.
    pub offset_import_wh: i64,
    /// Added to the export register, Wh; may be negative.
    pub offset_export_wh: i64,
    /// Added to the generation register, Wh; may be negative.
    pub offset_generation_wh: i64,
    /// Why it began.
    pub reason: String,
    /// What a person said of it.
    pub note: String,
    /// Who approved it.
    pub by: String,
}

impl From<&Span> for SpanView {
    fn from(span: &Span) -> Self {
        Self {
            number: span.number,
            meter_id: span.meter.to_string(),
            epoch: span.epoch,
            from: Time(span.from),
            offset_import_wh: span.offsets.import_wh,
            offset_export_wh: span.offsets.export_wh,
            offset_generation_wh: span.offsets.generation_wh,
            reason: span.reason.word().to_owned(),
            note: span.note.clone(),
            by: span.by.clone(),
        }
    }
}

/// What happened to a meter, newest first, and its household's spans.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MeterHistoryView {
    /// What happened.
    pub events: Vec<MeterEventView>,
    /// Spans of the household's registers, oldest first; empty while there is only the
    /// meter it was enrolled with.
    pub spans: Vec<SpanView>,
}

/// A household that begins with its meter.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewHomeRequest {
    /// What neighbours see.
    pub alias: String,
    /// What the household and the operator see.
    pub name: String,
    /// Its phone number; null for one without.
    pub msisdn: Option<String>,
    /// Whether its messages are in Kiswahili.
    #[serde(default)]
    pub swahili: bool,
    /// Feeder it hangs on.
    pub feeder: u16,
    /// Most it can export, W.
    pub export_rating_w: u32,
    /// Most it can import, W.
    pub import_rating_w: u32,
    /// Rated power of its panels, W; 0 without.
    pub pv_rated_w: u32,
}

/// The meter as it was read and put in place.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MeterRequest {
    /// Text of its QR code, or what it prints after `identity`.
    pub identity: String,
    /// Generation of its registers; 1 when not said.
    pub epoch: Option<u32>,
    /// Where its registers end and begin again at zero.
    pub modulus_wh: Option<u64>,
    /// What its registers showed when it was put in place; zero when not said.
    pub opening: Option<RegistersView>,
    /// Why.
    #[serde(default)]
    pub reason: String,
}

/// A claim for a household: one of the two is named.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClaimRequest {
    /// The meter.
    pub meter: MeterRequest,
    /// A household that has none.
    pub household_id: Option<u32>,
    /// A household that begins with it.
    pub home: Option<NewHomeRequest>,
}

/// What is approved about a meter.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApproveRequest {
    /// The meter's revision as it was read; another one by now is `meter.changed`.
    pub revision: u64,
}

/// Why something is done.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReasonRequest {
    /// In words; at most 200 letters.
    #[serde(default)]
    pub reason: String,
}

/// Firmware that may run.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FirmwareView {
    /// First 8 bytes of each image's SHA-256, in hexadecimal; empty allows all.
    pub allowed: Vec<String>,
}

/// Registers that began anew.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EpochRequest {
    /// The later epoch.
    pub epoch: u32,
    /// Where they began; zero when not said.
    pub opening: Option<RegistersView>,
    /// Why.
    pub reason: String,
}

/// A meter that was claimed, and what is typed into it once.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ClaimedView {
    /// The meter.
    pub meter: MeterView,
    /// Its password at the broker. Whoever may claim a meter may read it.
    pub broker_password: String,
    /// The gateway's public key, which the meter pins.
    pub gateway_key: String,
}

impl MeterRequest {
    /// As a claim.
    pub fn claim(self, place: Place) -> Claim {
        Claim {
            identity: self.identity,
            place,
            epoch: self.epoch.unwrap_or(1),
            modulus_wh: self.modulus_wh,
            opening: self.opening.unwrap_or_default().into(),
            reason: self.reason,
        }
    }
}

impl ClaimRequest {
    /// As a claim; `None` when it names no household, or two.
    pub fn claim(self) -> Option<Claim> {
        let place = match (self.household_id, self.home) {
            (Some(id), None) => Place::Household(HouseholdId(id)),
            (None, Some(home)) => Place::New(NewHome {
                alias: home.alias,
                name: home.name,
                msisdn: home.msisdn,
                swahili: home.swahili,
                feeder: home.feeder,
                export_rating_w: home.export_rating_w,
                import_rating_w: home.import_rating_w,
                pv_rated_w: home.pv_rated_w,
            }),
            _ => return None,
        };
        Some(self.meter.claim(place))
    }
}
