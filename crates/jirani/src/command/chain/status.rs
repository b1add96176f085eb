//! `jirani chain status`

use super::desk::{Desk, cluster_name};
use super::print_json;
use crate::failure::Failure;
use crate::wiring::Database;
use crate::{system, wiring};
use comfy_table::Table;
use jirani_chain::admin::Elf;
use jirani_chain::admin::report::{CappedReport, ConfigReport, StatusReport};
use jirani_chain::{ChainState, NodeUrl, Readiness};
use jirani_clock::StoredClock;
use jirani_market::Tariffs;
use jirani_store::schedule_of;
use jirani_units::Timestamp;
use serde::Serialize;

#[derive(Serialize)]
struct Shown<'a> {
    url: &'a str,
    ws_url: String,
    cluster: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    witness: Option<WitnessReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prices: Option<Prices>,
    #[serde(flatten)]
    report: &'a StatusReport,
}

/// The tariff in force by this site's store, beside Config's.
#[derive(Clone, Serialize)]
struct Prices {
    retail_cents_per_kwh: u32,
    buy_back_cents_per_kwh: u32,
    grid_fee_cents_per_kwh: u32,
    tax_cents_per_kwh: u32,
    /// What is wrong; absent when Config has them.
    trouble: Option<String>,
}

impl Prices {
    /// `None` where this machine has no store, or it cannot be read now.
    async fn look(desk: &Desk, report: &StatusReport) -> Option<Self> {
        let on_chain = &report.config.as_ref()?.tariff;
        let database = Database::of(&desk.config, &desk.config.data_dir).ok()?;
        if desk.access.url.is_some() || database.missing().is_some() {
            return None;
        }
        let records = database.open_read_only().await.ok()?.store().tariffs().await.ok()?;
        let clock_file = desk.config.data_dir.join("clock");
        let now = if clock_file.is_file() {
            StoredClock::open(&clock_file, Timestamp(0)).ok()?.start()
        } else {
            system::now()
        };
        let tariff = Tariffs::new(schedule_of(&records).ok()?).at(now);
        let [retail, buy_back, grid_fee, tax] =
            [tariff.retail, tariff.buy_back, tariff.grid_fee, tariff.tax].map(|price| price.0);
        let theirs = [
            on_chain.retail_cents_per_kwh,
            on_chain.buy_back_cents_per_kwh,
            on_chain.grid_fee_cents_per_kwh,
            on_chain.tax_cents_per_kwh,
        ];
        let trouble = (theirs != [retail, buy_back, grid_fee, tax]).then(|| {
            format!(
                "Config has another tariff, so nothing is traded; a server with the admin's key sets it, else run \
                 `jirani chain set-tariff --retail {retail} --buy-back {buy_back} --grid-fee {grid_fee} --tax {tax}`"
            )
        });
        Some(Self {
            retail_cents_per_kwh: retail,
            buy_back_cents_per_kwh: buy_back,
            grid_fee_cents_per_kwh: grid_fee,
            tax_cents_per_kwh: tax,
            trouble,
        })
    }
}

/// The configured witness.
#[derive(Clone, Serialize)]
struct WitnessReport {
    url: String,
    key: String,
    /// Whether its key is in Config's oracle set; unknown where Config is.
    member: Option<bool>,
    /// What is wrong; absent when it answers as it should.
    trouble: Option<String>,
}

impl WitnessReport {
    async fn look(desk: &Desk, report: &StatusReport) -> Result<Option<Self>, Failure> {
        let looked = wiring::look_at_witness(&desk.config).await.map_err(Failure::Start)?;
        let Some(looked) = looked else { return Ok(None) };
        let settings = &desk.config.witness;
        let member = report.config.as_ref().map(|config| config.oracles.members.contains(&settings.key));
        let trouble = match (looked, member) {
            (Err(error), _) => Some(error.to_string()),
            (Ok(()), Some(false)) => Some(format!(
                "witness.no_member: {} is not in the oracle set; add it by `jirani chain rotate-oracle`",
                settings.key
            )),
            (Ok(()), _) => None,
        };
        Ok(Some(Self { url: settings.url.clone(), key: settings.key.clone(), member, trouble }))
    }
}

/// Prints the page, the configured witness on it; fails unless the chain is of use.
pub async fn run(desk: &Desk) -> Result<(), Failure> {
    let mut report = desk.operator.status(&desk.expected, wiring::ELF, Some(system::now().seconds())).await;
    let witness = WitnessReport::look(desk, &report).await?;
    let trouble = witness.as_ref().and_then(|witness| witness.trouble.as_deref());
    // What is wrong with the chain itself is mended first.
    let well = [ChainState::Ready, ChainState::Slow].iter().any(|state| state.word() == report.state);
    if let Some(why) = trouble.filter(|_| well) {
        let readiness = Readiness::unwitnessed(why);
        report.state = readiness.state.word();
        report.sentence = readiness.sentence;
    }
    let prices = Prices::look(desk, &report).await;
    let cluster = report.genesis_hash.as_deref().map(cluster_name);
    let url = NodeUrl::from(desk.url.as_str()).to_string();
    if desk.access.json {
        let ws_url = NodeUrl::from(desk.config.chain.ws_url(&desk.url)).to_string();
        print_json(&Shown { url: &url, ws_url, cluster, witness, prices, report: &report })?;
    } else {
        print(&url, cluster, witness.as_ref(), prices.as_ref(), &report);
    }
    let serves = ChainState::ALL.iter().any(|state| state.word() == report.state && state.serves());
    if serves {
        Ok(())
    } else {
        Err(Failure::Run(anyhow::anyhow!("chain.{}: {}", report.state, report.sentence)))
    }
}

fn print(
    url: &str,
    cluster: Option<String>,
    witness: Option<&WitnessReport>,
    prices: Option<&Prices>,
    report: &StatusReport,
) {
    println!("{}: {}\n", report.state, report.sentence);
    if let Some(cause) = &report.cause {
        println!("{cause}\n");
    }
    if report.genesis_hash.is_none() {
        // Of a node that does not answer nothing is known, not even that a program is missing.
        println!("node {url}");
        return;
    }
    let mut table = Table::new();
    table.load_preset(comfy_table::presets::NOTHING);
    let mut row = |name: &str, value: String| {
        table.add_row([name.to_owned(), value]);
    };
    row(
        "node",
        format!(
            "{url}{}",
            report.node_version.as_ref().map_or_else(String::new, |v| format!(", version {v}"))
        ),
    );
    row("cluster", cluster.unwrap_or_else(|| "unknown".to_owned()));
    if let Some(hash) = &report.genesis_hash {
        row("genesis hash", hash.clone());
    }
    if let (Some(slot), Some(time)) = (report.slot, report.unix_timestamp) {
        row("chain", format!("slot {slot}, {}", at(time)));
    }
    match &report.program {
        None => row("program", format!("none at {}", report.program_address)),
        Some(program) => {
            row(
                "program",
                format!(
                    "{}, {} bytes, deployed in slot {}",
                    program.address, program.elf_bytes, program.deployed_slot
                ),
            );
            let same = match program.elf {
                Elf::Committed => "the committed build".to_owned(),
                Elf::Other => format!("NOT the committed build {}", program.committed_sha256),
            };
            row("code", format!("{} ({same})", program.elf_sha256));
            row(
                "upgrade authority",
                program.upgrade_authority.clone().unwrap_or_else(|| "nobody".to_owned()),
            );
        }
    }
    if let Some(supply) = report.supply_wh {
        row("mint", format!("{}, supply {supply} Wh", report.mint));
    }
    if let (Some(payer), Some(lamports)) = (&report.payer, report.payer_lamports) {
        row("payer", format!("{payer}, {lamports} lamports"));
    }
    if let Some(witness) = witness {
        let says = witness.trouble.as_deref().unwrap_or("answers");
        row("witness", format!("{} at {}: {says}", witness.key, witness.url));
    }
    if let Some(config) = &report.config {
        print_config(&mut row, config);
    }
    if let Some(prices) = prices {
        row(
            "in force",
            format!(
                "retail {}, buy-back {}, grid fee {}, tax {} cents per kWh: {}",
                prices.retail_cents_per_kwh,
                prices.buy_back_cents_per_kwh,
                prices.grid_fee_cents_per_kwh,
                prices.tax_cents_per_kwh,
                prices.trouble.as_deref().unwrap_or("as Config has them")
            ),
        );
    }
    println!("{table}");
}

fn print_config(row: &mut impl FnMut(&str, String), config: &ConfigReport) {
    let since = config.paused_since.map_or_else(String::new, |since| format!(" since {}", at(since)));
    row("market", format!("{}{since}", config.pause));
    let pending = config.pending_admin.as_ref().map_or_else(String::new, |next| format!(", proposed {next}"));
    row("admin", format!("{}{pending}", config.admin));
    row("pause key", config.pause_key.clone());
    let oracles = &config.oracles;
    row(
        "oracles",
        format!("version {}, {} of {} sign", oracles.version, oracles.threshold, oracles.members.len()),
    );
    for member in &oracles.members {
        row("", member.clone());
    }
    for attestor in &config.attestors {
        row("attestor", capped(attestor));
    }
    row("custodian", capped(&config.custodian));
    let tariff = &config.tariff;
    row(
        "tariff",
        format!(
            "retail {}, buy-back {}, grid fee {}, tax {} cents per kWh",
            tariff.retail_cents_per_kwh,
            tariff.buy_back_cents_per_kwh,
            tariff.grid_fee_cents_per_kwh,
            tariff.tax_cents_per_kwh
        ),
    );
    let limits = &config.limits;
    row(
        "windows",
        format!(
            "orders {} s and {} s of grace, markers {} s, offers {} s, authority {} s, skew {} s, buckets {} s",
            limits.order_window_s,
            limits.order_grace_s,
            limits.marker_retention_s,
            limits.offer_life_max_s,
            limits.authority_delay_s,
            limits.clock_skew_s,
            limits.bucket_s
        ),
    );
    row(
        "per household",
        format!("{} offers, {} orders at once", limits.open_offers_max, limits.open_orders_max),
    );
    let caps = &config.caps;
    row(
        "caps",
        format!(
            "adjustments {} Wh a day ({} used today), withdrawals {} Wh, held {} Wh, {} unpaid orders",
            caps.adjustment_wh, caps.adjusted_today_wh, caps.withdrawal_wh, caps.held_wh, caps.unpaid_orders
        ),
    );
}

fn capped(key: &CappedReport) -> String {
    let of = |used: u64, cap: Option<u64>, unit: &str| {
        cap.map_or_else(|| format!("{used} {unit}, no limit"), |cap| format!("{used} of {cap} {unit}"))
    };
    format!(
        "{}, today {} and {}",
        key.key,
        of(key.used_wh, key.cap_wh, "Wh"),
        of(key.used_cents, key.cap_cents, "cents")
    )
}

/// A time of the chain.
pub fn at(unix_seconds: i64) -> Timestamp {
    Timestamp::from_seconds(unix_seconds)
}
