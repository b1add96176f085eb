//! The operator's desk.

use super::Time;
use super::config::ChainStateView;
use super::home::EnergyView;
use super::household::{KindView, TrustView};
use super::order::{OrderStateView, PaymentStateView};
use super::payout::PayoutStateView;
use serde::Serialize;
use utoipa::ToSchema;

/// The whole grid at a glance.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OverviewView {
    /// The server's time.
    pub now: Time,
    /// Power of the last readings.
    pub power: CommunityPower,
    /// Energy of all meters since midnight in Nairobi.
    pub today: EnergyView,
    /// Whether the chain takes work now, and what is in the way.
    pub chain_state: ChainStateView,
    /// What the chain says; zeroes while it cannot be read.
    pub chain: ChainTotals,
    /// How many orders stand where.
    pub orders: Vec<OrderCount>,
    /// How many M-Pesa collections are under way, and where they stand.
    pub payments: Vec<PaymentCount>,
    /// How many payouts stand where.
    pub payouts: Vec<PayoutCount>,
    /// What the books say of the M-Pesa accounts and of those who own the money.
    pub money: MoneyTotals,
    /// The last audit; null before the first.
    pub audit: Option<AuditView>,
    /// Readings stored.
    pub readings: u64,
    /// Readings in quarantine.
    pub quarantined: u64,
    /// Households that are not attested until somebody decides about their meter.
    pub held_households: u64,
    /// End of the last slot that is on chain, by feeder.
    pub attested: Vec<FeederView>,
}

/// Power of all meters' last readings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct CommunityPower {
    /// Sum of those that export.
    pub export_w: i64,
    /// Sum of those that import.
    pub import_w: i64,
    /// Meters that have ever been heard.
    pub meters: u32,
    /// When the newest reading was taken; null before the first.
    pub newest_at: Option<Time>,
    /// When the oldest of the last readings was taken.
    pub oldest_at: Option<Time>,
}

/// Totals of the chain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct ChainTotals {
    /// eKWh in existence.
    pub supply_wh: u64,
    /// In vaults.
    pub vaults_wh: u64,
    /// In offers' escrow.
    pub escrow_wh: u64,
    /// Anywhere else.
    pub wallets_wh: u64,
    /// Sum of all shortfalls.
    pub shortfall_wh: u64,
    /// Transactions landed.
    pub transactions: u64,
    /// Compute units they used.
    pub compute_units: u64,
    /// Fees they cost.
    pub fees_lamports: u64,
}

/// Orders in one state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct OrderCount {
    /// The state.
    pub state: OrderStateView,
    /// How many.
    pub count: u64,
}

/// Collections in one state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct PaymentCount {
    /// The state.
    pub state: PaymentStateView,
    /// How many.
    pub count: u64,
}

/// Payouts in one state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct PayoutCount {
    /// The state.
    pub state: PayoutStateView,
    /// How many.
    pub count: u64,
}

/// The books.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct MoneyTotals {
    /// On the collection shortcode.
    pub mpesa_collection_cents: i64,
    /// On the payout shortcode.
    pub mpesa_payout_cents: i64,
    /// Of that, held for payouts under way.
    pub mpesa_payout_held_cents: i64,
    /// Charges M-Pesa has taken.
    pub mpesa_charges_cents: i64,
    /// Owed to households: their balances, held amounts included.
    pub balances_cents: i64,
    /// Earned by the operator: fees, sales, float and rounding.
    pub operator_cents: i64,
    /// Collected for the state.
    pub taxes_cents: i64,
    /// Received or put aside for orders that are not final.
    pub clearing_cents: i64,
    /// Received from nobody knows whom.
    pub suspense_cents: i64,
    /// Owed by payers whose payments M-Pesa took back.
    pub receivable_cents: i64,
}

/// How far a feeder is attested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FeederView {
    /// Feeder.
    pub feeder: u16,
    /// End of its last slot on chain; null before the first.
    pub attested_through: Option<Time>,
}

/// A household or operator's record on the operator's desk.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct HouseholdRow {
    /// Identity.
    pub id: u32,
    /// Home, or one of the operator's records.
    pub kind: KindView,
    /// What the household and the operator see.
    pub name: String,
    /// What neighbours see.
    pub alias: String,
    /// `0712 *** 678`; null for the operator's records.
    pub msisdn_masked: Option<String>,
    /// Settlement meter, 32 hexadecimal digits; null for the loss record.
    pub meter_id: Option<String>,
    /// Who vouches for its readings; null for the loss record.
    pub meter_trust: Option<TrustView>,
    /// Feeder.
    pub feeder: u16,
    /// Rated power of its panels; 0 without.
    pub pv_rated_w: u32,
    /// Net power of the last reading; null before the first.
    pub power_w: Option<i32>,
    /// When it was measured.
    pub power_at: Option<Time>,
    /// eKWh in its vault.
    pub vault_wh: u64,
    /// Imported energy that found no token yet.
    pub shortfall_wh: u64,
    /// KES with the operator.
    pub balance_cents: i64,
    /// Its record's address on chain; null until enrolled.
    pub chain_address: Option<String>,
    /// End of its last attested slot; null before the first.
    pub attested_through: Option<Time>,
}

/// The payments desk: newest first.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PaymentsView {
    /// Money coming in.
    pub collections: Vec<CollectionRow>,
    /// Money going out.
    pub payouts: Vec<PayoutRow>,
}

/// One collection on the payments desk.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CollectionRow {
    /// The order it pays.
    pub order_id: u64,
    /// Who pays.
    pub household_id: u32,
    /// The phone, masked.
    pub msisdn_masked: String,
    /// What was asked for.
    pub amount_cents: i64,
    /// Our reference, as printed on the prompt.
    pub reference: String,
    /// Where the payment stands.
    pub state: PaymentStateView,
    /// M-Pesa's code; null unless refused.
    pub code: Option<String>,
    /// Where the order stands.
    pub order_state: OrderStateView,
    /// Receipt; null until known.
    pub receipt: Option<String>,
    /// When it was made.
    pub created_at: Time,
    /// When M-Pesa is asked again; null when final.
    pub next_check_at: Option<Time>,
}

/// One payout on the payments desk.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PayoutRow {
    /// Identity.
    pub id: u64,
    /// Who is paid.
    pub household_id: u32,
    /// The phone, masked.
    pub msisdn_masked: String,
    /// What is sent.
    pub sent_cents: i64,
    /// M-Pesa's charge.
    pub charge_cents: i64,
    /// Where it stands.
    pub state: PayoutStateView,
    /// M-Pesa's code; null unless failed.
    pub code: Option<String>,
    /// Receipt; null until paid.
    pub receipt: Option<String>,
    /// When it was asked for.
    pub created_at: Time,
    /// When it became final; null until then.
    pub final_at: Option<Time>,
}

/// A reading that was not accepted.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct QuarantineView {
    /// 1, 2, 3, ...
    pub id: u64,
    /// Meter it came from; null when it named none.
    pub meter_id: Option<String>,
    /// Stable reason code.
    pub code: String,
    /// For people.
    pub detail: String,
    /// Size of what was received.
    pub size_bytes: u64,
    /// When the gateway had it.
    pub received_at: Time,
}

/// Whether an invariant holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum InvariantState {
    /// It holds.
    Holds,
    /// It does not.
    Violated,
    /// It could not be checked; the detail says why.
    NotChecked,
}

/// One invariant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct InvariantView {
    /// `E1` to `P1`.
    pub id: String,
    /// Whether it holds.
    pub state: InvariantState,
    /// What was compared, or why it was not.
    pub detail: String,
}

/// What an audit found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct AuditView {
    /// When.
    pub at: Time,
    /// Nothing is violated.
    pub ok: bool,
    /// All invariants.
    pub invariants: Vec<InvariantView>,
    /// Differences found, the first one first.
    pub violations: Vec<String>,
}

/// The last audit.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LastAudit {
    /// Null before the first.
    pub last: Option<AuditView>,
}
