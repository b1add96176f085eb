//! What people and `--json` see of the chain: addresses as text, integers with their
//! unit in the name, `null` for what is not there or not limited.

use super::deployment::Deployment;
use super::operator::Records;
use super::plan::{address, shown};
use crate::readiness::Readiness;
use jirani_energy_interface::EnergyProgram;
use jirani_energy_interface::state::{
    CappedKey, Config, Household, HouseholdKind, Marker, Offer, OfferState, Order, PauseLevel, day_of,
};
use serde::Serialize;

/// `jirani chain status`.
#[derive(Clone, Debug, Serialize)]
pub struct StatusReport {
    /// Stable word, `ready`.
    pub state: &'static str,
    /// What it means and what to do.
    pub sentence: String,
    /// What the node's client said, when it did not answer.
    pub cause: Option<String>,
    /// Hash of the cluster's first block; names it.
    pub genesis_hash: Option<String>,
    /// The node's software.
    pub node_version: Option<String>,
    /// Its last finalised slot.
    pub slot: Option<u64>,
    /// The chain's time, Unix seconds.
    pub unix_timestamp: Option<i64>,
    /// Where the program is looked for.
    pub program_address: String,
    /// The program, if it is there.
    pub program: Option<Deployment>,
    /// The mint.
    pub mint: String,
    /// eKWh in existence, Wh.
    pub supply_wh: Option<u64>,
    /// Who pays here.
    pub payer: Option<String>,
    /// What it has.
    pub payer_lamports: Option<u64>,
    /// Config, if the program is initialised.
    pub config: Option<ConfigReport>,
}

impl StatusReport {
    /// Only the state; the rest is filled in as it is read.
    pub(super) fn new(readiness: &Readiness, program: &EnergyProgram) -> Self {
        Self {
            state: readiness.state.word(),
            sentence: readiness.sentence.clone(),
            cause: readiness.cause.clone(),
            genesis_hash: None,
            node_version: None,
            slot: None,
            unix_timestamp: None,
            program_address: program.id.to_string(),
            program: None,
            mint: program.mint.to_string(),
            supply_wh: None,
            payer: None,
            payer_lamports: None,
            config: None,
        }
    }
}

/// Config.
#[derive(Clone, Debug, Serialize)]
pub struct ConfigReport {
    /// `running`, `paused`, `stopped`.
    pub pause: &'static str,
    /// Since when, Unix seconds.
    pub paused_since: Option<i64>,
    /// Admin.
    pub admin: String,
    /// Who may become admin by accepting.
    pub pending_admin: Option<String>,
    /// Who may pause.
    pub pause_key: String,
    /// Oracles.
    pub oracles: OracleReport,
    /// Attestors.
    pub attestors: Vec<CappedReport>,
    /// Custodian.
    pub custodian: CappedReport,
    /// Tariff.
    pub tariff: TariffReport,
    /// Windows and limits.
    pub limits: LimitsReport,
    /// Daily caps and holds.
    pub caps: CapsReport,
    /// Households that are closed.
    pub closed_households: u64,
}

/// The oracle set.
#[derive(Clone, Debug, Serialize)]
pub struct OracleReport {
    /// Version.
    pub version: u32,
    /// Signatures it takes.
    pub threshold: u8,
    /// Members.
    pub members: Vec<String>,
}

/// A key with its daily caps.
#[derive(Clone, Debug, Serialize)]
pub struct CappedReport {
    /// The key.
    pub key: String,
    /// Energy per day; null without limit.
    pub cap_wh: Option<u64>,
    /// Moved today.
    pub used_wh: u64,
    /// Money per day; null without limit.
    pub cap_cents: Option<u64>,
    /// Moved today.
    pub used_cents: u64,
}

/// Bounds on prices, cents per kWh.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct TariffReport {
    /// What the operator sells at.
    pub retail_cents_per_kwh: u32,
    /// What the operator buys at.
    pub buy_back_cents_per_kwh: u32,
    /// Highest grid fee.
    pub grid_fee_cents_per_kwh: u32,
    /// Highest tax.
    pub tax_cents_per_kwh: u32,
}

/// Windows, seconds, and limits.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct LimitsReport {
    /// To pay an order.
    pub order_window_s: u32,
    /// For its proof after that.
    pub order_grace_s: u32,
    /// A marker's life, at least.
    pub marker_retention_s: u32,
    /// An offer's life, at most.
    pub offer_life_max_s: u32,
    /// Before an authority changes.
    pub authority_delay_s: u32,
    /// Ahead of the chain's clock.
    pub clock_skew_s: u32,
    /// A bucket's size at its rating.
    pub bucket_s: u32,
    /// Offers at once.
    pub open_offers_max: u16,
    /// Orders at once.
    pub open_orders_max: u16,
}

/// Daily caps and holds.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct CapsReport {
    /// Adjustments per day.
    pub adjustment_wh: u64,
    /// Adjusted today.
    pub adjusted_today_wh: u64,
    /// Withdrawals per household and day.
    pub withdrawal_wh: u64,
    /// Held by a household's open orders.
    pub held_wh: u64,
    /// Unpaid orders per household and day.
    pub unpaid_orders: u32,
}

impl ConfigReport {
    /// Config as of the chain's time `now`: what was used on an earlier day is not
    /// today's.
    pub fn new(config: &Config, now: i64) -> Self {
        let today = day_of(now).unwrap_or(0);
        let capped = |key: &CappedKey| CappedReport {
            key: address(&key.key).to_string(),
            cap_wh: limited(key.cap_wh),
            used_wh: if today > key.day { 0 } else { key.used_wh },
            cap_cents: limited(key.cap_cents),
            used_cents: if today > key.day { 0 } else { key.used_cents },
        };
        let (tariff, limits, caps) = (&config.tariff, &config.limits, &config.caps);
        Self {
            pause: match config.paused {
                level if level == PauseLevel::Running as u8 => "running",
                level if level == PauseLevel::Hard as u8 => "stopped",
                _ => "paused",
            },
            paused_since: (config.paused != 0).then_some(config.paused_since),
            admin: shown(&config.admin),
            pending_admin: (config.pending_admin != [0; 32]).then(|| shown(&config.pending_admin)),
            pause_key: shown(&config.pause_key),
            oracles: OracleReport {
                version: config.oracles.version,
                threshold: config.oracles.threshold,
                members: config.oracles.members().iter().map(shown).collect(),
            },
            attestors: config.attestors.iter().filter(|key| key.key != [0; 32]).map(capped).collect(),
            custodian: capped(&config.custodian),
            tariff: TariffReport {
                retail_cents_per_kwh: tariff.retail,
                buy_back_cents_per_kwh: tariff.buy_back,
                grid_fee_cents_per_kwh: tariff.grid_fee,
                tax_cents_per_kwh: tariff.tax,
            },
            limits: LimitsReport {
                order_window_s: limits.order_window_s,
                order_grace_s: limits.order_grace_s,
                marker_retention_s: limits.marker_retention_s,
                offer_life_max_s: limits.offer_life_max_s,
                authority_delay_s: limits.authority_delay_s,
                clock_skew_s: limits.clock_skew_s,
                bucket_s: limits.bucket_s,
                open_offers_max: limits.open_offers_max,
                open_orders_max: limits.open_orders_max,
            },
            caps: CapsReport {
                adjustment_wh: caps.adjustment_wh,
                adjusted_today_wh: if today > config.adjusted.day { 0 } else { config.adjusted.wh },
                withdrawal_wh: caps.withdrawal_wh,
                held_wh: caps.held_wh,
                unpaid_orders: caps.unpaid_orders,
            },
            closed_households: config.closed.households,
        }
    }
}

fn limited(cap: u64) -> Option<u64> {
    (cap != u64::MAX).then_some(cap)
}

/// A household's account.
#[derive(Clone, Debug, Serialize)]
pub struct HouseholdReport {
    /// The operator's number.
    pub id: u32,
    /// Its record.
    pub address: String,
    /// `home`, `generator`, `battery`, `loss`.
    pub kind: &'static str,
    /// Feeder.
    pub feeder: u16,
    /// Who signs; null when the custodian does.
    pub authority: Option<String>,
    /// Since when another authority may take over, Unix seconds; null when none is proposed.
    pub pending_authority_at: Option<i64>,
    /// Epoch of its meter.
    pub meter_epoch: u32,
    /// Tokens in its vault.
    pub vault_wh: u64,
    /// Imported energy without tokens.
    pub shortfall_wh: u64,
    /// Attested export.
    pub export_wh: u64,
    /// Attested import.
    pub import_wh: u64,
    /// Minted, gross.
    pub minted_wh: u64,
    /// Burned, gross.
    pub burned_wh: u64,
    /// Offers alive.
    pub open_offers: u16,
    /// Orders alive.
    pub open_orders: u16,
    /// End of the last attested slot, Unix seconds.
    pub last_slot_end: i64,
    /// Rent of record and vault.
    pub rent_lamports: u64,
}

/// An offer's account.
#[derive(Clone, Debug, Serialize)]
pub struct OfferReport {
    /// The seller's number for it.
    pub id: u64,
    /// Seller.
    pub seller_id: u32,
    /// Its account.
    pub address: String,
    /// `open`, `closing`.
    pub state: &'static str,
    /// The seller's net price.
    pub price_cents_per_kwh: u32,
    /// Neither sold nor returned.
    pub owed_wh: u64,
    /// Of that, held by orders.
    pub reserved_wh: u64,
    /// Tokens in its escrow.
    pub escrow_wh: u64,
    /// When it ends, Unix seconds.
    pub expires_at: i64,
    /// Whether that is over by the chain's time.
    pub expired: bool,
    /// Rent of offer and escrow.
    pub rent_lamports: u64,
}

/// An order's account.
#[derive(Clone, Debug, Serialize)]
pub struct OrderReport {
    /// The buyer's number for it.
    pub id: u64,
    /// Buyer.
    pub buyer_id: u32,
    /// Its account.
    pub address: String,
    /// Fills.
    pub fills: u8,
    /// Energy held.
    pub energy_wh: u64,
    /// What the buyer owes.
    pub due_cents: u64,
    /// Until when it may be paid, Unix seconds, pauses counted.
    pub deadline: i64,
    /// Whether anybody may release it.
    pub over: bool,
    /// Rent.
    pub rent_lamports: u64,
}

/// A marker's account.
#[derive(Clone, Debug, Serialize)]
pub struct MarkerReport {
    /// Its account.
    pub address: String,
    /// `receipt`, `transfer`.
    pub kind: &'static str,
    /// Buyer.
    pub buyer_id: u32,
    /// The buyer's order.
    pub order_id: u64,
    /// When the money moved, Unix seconds.
    pub paid_at: i64,
    /// From when it may be closed, Unix seconds, later pauses not counted.
    pub closable_at: i64,
    /// Rent.
    pub rent_lamports: u64,
}

/// `jirani chain accounts`.
#[derive(Clone, Debug, Default, Serialize)]
pub struct AccountsReport {
    /// By number.
    pub households: Vec<HouseholdReport>,
    /// By seller and number.
    pub offers: Vec<OfferReport>,
    /// By buyer and number.
    pub orders: Vec<OrderReport>,
    /// By the time they may be closed.
    pub markers: Vec<MarkerReport>,
    /// Rent of all these.
    pub rent_lamports: u64,
}

impl AccountsReport {
    /// Assembles what was read. `vaults` and `escrows` are tokens and lamports in the
    /// records' order, `now` the chain's time.
    pub fn new(
        records: &Records,
        vaults: &[(u64, u64)],
        escrows: &[(u64, u64)],
        config: &Config,
        now: i64,
    ) -> Self {
        let mut report = Self {
            households: records
                .households
                .iter()
                .zip(vaults)
                .map(|((at, household, rent), vault)| {
                    HouseholdReport::new(at.to_string(), household, *rent, *vault)
                })
                .collect(),
            offers: records
                .offers
                .iter()
                .zip(escrows)
                .map(|((at, offer, rent), escrow)| {
                    OfferReport::new(at.to_string(), offer, *rent, *escrow, now)
                })
                .collect(),
            orders: records
                .orders
                .iter()
                .map(|(at, order, rent)| OrderReport::new(at.to_string(), order, *rent, config, now))
                .collect(),
            markers: records
                .markers
                .iter()
                .map(|(at, marker, rent)| MarkerReport::new(at.to_string(), marker, *rent))
                .collect(),
            rent_lamports: 0,
        };
        report.households.sort_by_key(|household| household.id);
        report.offers.sort_by_key(|offer| (offer.seller_id, offer.id));
        report.orders.sort_by_key(|order| (order.buyer_id, order.id));
        report.markers.sort_by(|a, b| (a.closable_at, &a.address).cmp(&(b.closable_at, &b.address)));
        report.add_up();
        report
    }

    /// Adds up the rent of the rows that are left.
    pub fn add_up(&mut self) {
        self.rent_lamports = self.households.iter().map(|row| row.rent_lamports).sum::<u64>()
            + self.offers.iter().map(|row| row.rent_lamports).sum::<u64>()
            + self.orders.iter().map(|row| row.rent_lamports).sum::<u64>()
            + self.markers.iter().map(|row| row.rent_lamports).sum::<u64>();
    }
}

impl HouseholdReport {
    fn new(at: String, household: &Household, rent: u64, (vault_wh, vault_rent): (u64, u64)) -> Self {
        Self {
            id: household.id,
            address: at,
            kind: match HouseholdKind::from_byte(household.kind) {
                Some(HouseholdKind::Home) => "home",
                Some(HouseholdKind::Generator) => "generator",
                Some(HouseholdKind::Battery) => "battery",
                Some(HouseholdKind::Loss) => "loss",
                None => "unknown",
            },
            feeder: household.feeder,
            authority: (!household.is_custodial()).then(|| shown(&household.authority)),
            pending_authority_at: (household.pending_authority_at != 0)
                .then_some(household.pending_authority_at),
            meter_epoch: household.meter_epoch,
            vault_wh,
            shortfall_wh: household.shortfall_wh,
            export_wh: household.export_wh,
            import_wh: household.import_wh,
            minted_wh: household.minted_wh,
            burned_wh: household.burned_wh,
            open_offers: household.open_offers,
            open_orders: household.open_orders,
            last_slot_end: household.last_slot_end,
            rent_lamports: rent.saturating_add(vault_rent),
        }
    }
}

impl OfferReport {
    fn new(at: String, offer: &Offer, rent: u64, (escrow_wh, escrow_rent): (u64, u64), now: i64) -> Self {
        Self {
            id: offer.id,
            seller_id: offer.seller_id,
            address: at,
            state: if offer.state == OfferState::Closing as u8 { "closing" } else { "open" },
            price_cents_per_kwh: offer.price,
            owed_wh: offer.owed_wh(),
            reserved_wh: offer.reserved_wh,
            escrow_wh,
            expires_at: offer.expires_at,
            expired: now > offer.expires_at,
            rent_lamports: rent.saturating_add(escrow_rent),
        }
    }
}

impl OrderReport {
    fn new(at: String, order: &Order, rent: u64, config: &Config, now: i64) -> Self {
        let deadline = order.effective_deadline(config.paused_s_until(now));
        Self {
            id: order.id,
            buyer_id: order.buyer_id,
            address: at,
            fills: order.fill_count,
            energy_wh: order.energy_wh,
            due_cents: order.due_cents,
            deadline,
            over: now > deadline.saturating_add(i64::from(config.limits.order_grace_s)),
            rent_lamports: rent,
        }
    }
}

impl MarkerReport {
    fn new(at: String, marker: &Marker, rent: u64) -> Self {
        Self {
            address: at,
            kind: if marker.kind == 1 { "receipt" } else { "transfer" },
            buyer_id: marker.buyer_id,
            order_id: marker.order_id,
            paid_at: marker.paid_at,
            closable_at: marker.closable_at,
            rent_lamports: rent,
        }
    }
}
