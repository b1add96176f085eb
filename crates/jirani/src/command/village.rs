//! `jirani village run`: the whole pipeline headless, with a report.

use crate::audit::AuditReport;
use crate::cli::{Speed, VillageRunArguments};
use crate::config::{Config, StoreSettings};
use crate::failure::Failure;
use crate::report::{Chain, Energy, Money, Notes, Readings, Relays, Report, Trades};
use crate::system;
use crate::wiring::{DataFolder, Keeps, Phones, Purpose, Secrets, System, VillageOptions};
use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use jirani_clock::{ServiceClock, StoredClock, paced};
use jirani_forecast::Place;
use jirani_ledger::{Account, Kind, Reason};
use jirani_market::shortfall::{RelayPosition, StepKind};
use jirani_store::verbs::PAGE_MAX;
use jirani_store::{HouseholdKind, OrderState, PayWith, Store};
use jirani_units::{HouseholdId, OrderId, Timestamp};
use jirani_village::{BuiltInRequest, FileRequest, Progress, Source, Village, VillageReport, drive};
use sha2::{Digest as _, Sha256};
use std::collections::HashSet;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// How far ahead of a headless run its time is stored, in seconds: a run that is killed goes on
/// with the next slot, and a durable write is spent on each slot rather than on each step.
const AHEAD_S: u32 = 900;

/// A limit that no home reaches, in cents.
const UNLIMITED: i64 = 1_000_000_000_000;

/// Runs the village to its end and tells what happened.
pub async fn run(mut config: Config, arguments: &VillageRunArguments) -> Result<(), Failure> {
    let begin = Instant::now();
    let cancel = super::interrupted()?;
    let temporary = match &arguments.data_dir {
        Some(_) => None,
        None => Some(tempfile::Builder::new().prefix("jirani-village-").tempdir().map_err(Failure::start)?),
    };
    let path = match (&arguments.data_dir, &temporary) {
        (Some(path), _) => path.as_path(),
        (None, Some(folder)) => folder.path(),
        (None, None) => unreachable!("INVARIANT: a folder is either named or temporary"),
    };
    headless(&mut config, arguments.seed, arguments.limit_cents);
    if temporary.is_some() {
        // What is gone at the end leaves nothing in a database that stays.
        config.store = StoreSettings::default();
    }
    let keeps = if temporary.is_some() { Keeps::Ours } else { Keeps::Everything };
    let folder = DataFolder::open_for(path, keeps).map_err(Failure::Start)?;
    // The run's secrets follow from its seed, so that its keys and addresses do.
    let root = Sha256::new().chain_update("jirani village run").chain_update(arguments.seed.to_le_bytes());
    let secrets = Secrets::open(&folder.keys(), root.finalize().into()).map_err(Failure::Start)?;
    let village_folder = folder.village();
    let stored_start = match &village_folder {
        Some(folder) => Village::stored_start(folder).map_err(Failure::start)?,
        None => None,
    };
    let source = source(arguments, &config, stored_start).map_err(Failure::Start)?;
    if let Some(place) = source.place() {
        // What is measured there is judged, and forecast, by that place's sun.
        config.site.latitude_microdegrees = place.latitude_microdegrees;
        config.site.longitude_microdegrees = place.longitude_microdegrees;
    } else {
        config.plausibility.rules = config.plausibility.rules.only_noting();
        eprintln!("note: no --place: nothing this data says is held against a home");
    }
    let households = source.households();
    let slots = source.slots().unwrap_or(0);
    let stored = StoredClock::open(&folder.clock(), source.start()).map_err(Failure::start)?;
    let clock = ServiceClock::advanced_from(stored.start());
    let mut remarks = source.remarks();
    let gaps_filled = source.gaps_filled();
    let options = VillageOptions {
        seed: arguments.seed,
        source,
        trading: true,
        rules_permille: arguments.rules_permille,
        phones: Phones::Automatic,
    };
    let mut system =
        Box::pin(System::start(&config, &folder, &secrets, clock.clone(), Some(options), Purpose::Headless))
            .await
            .map_err(Failure::Start)?;
    let village = system.village.take().context("the village did not start").map_err(Failure::Start)?;

    let bar = progress_bar(slots);
    let to_come_back = folder.keeps() == Keeps::Everything;
    let told = |progress: &Progress| bar.set_position(progress.slots_done);
    let store = system.store.clone();
    let settled = || {
        let store = store.clone();
        async move { is_settled(store.as_ref()).await }
    };
    let driving = async {
        match arguments.speed {
            Speed::Max => drive(
                &clock,
                to_come_back.then(|| stored.ahead(AHEAD_S)),
                village.progress.clone(),
                settled,
                told,
            )
            .await
            .map_err(anyhow::Error::from),
            Speed::Times(times) => tokio::select! {
                never = paced::run(clock.clone(), times, stored) => match never {},
                () = until_done(&clock, village.progress.clone(), settled, told) => Ok(()),
            },
        }
    };
    let ended = tokio::select! {
        () = cancel.cancelled() => Err(anyhow::anyhow!("village.interrupted: the run was stopped before its end")),
        failed = system.failed() => Err(failed),
        ended = driving => ended,
    };
    bar.finish_and_clear();
    if let Err(error) = ended {
        system.stop().await;
        return Err(Failure::Run(error));
    }
    let village_report = village.report.await.map_err(Failure::run)?;
    remarks.extend(village_report.remarks.iter().cloned());
    let report = tell(&system, &village_report, arguments, households, gaps_filled, remarks, begin).await;
    system.stop().await;
    let report = report.map_err(Failure::Run)?;
    if let Some(file) = &arguments.report {
        let text = serde_json::to_string_pretty(&report).map_err(Failure::run)?;
        std::fs::write(file, text + "\n")
            .with_context(|| format!("cannot write the report to {}", file.display()))
            .map_err(Failure::Run)?;
    }
    if arguments.json {
        println!("{}", serde_json::to_string(&report).map_err(Failure::run)?);
    } else {
        println!("{}", report.table());
    }
    match report.audit.violations.first() {
        None => Ok(()),
        Some(first) => Err(Failure::Run(anyhow::anyhow!("audit.violated: {first}"))),
    }
}

/// Embedded parts on free ports, demo doors open, nobody watching.
fn headless(config: &mut Config, seed: u64, limit_cents: Option<i64>) {
    let free = SocketAddr::from(([127, 0, 0, 1], 0));
    config.http.listen = free;
    config.http.callback_base.clear();
    config.mqtt.listen = free;
    config.mqtt.url.clear();
    config.chain.listen = free;
    config.chain.rpc_url.clear();
    config.chain.program.clear();
    config.witness.url.clear();
    config.mpesa.listen = free;
    config.mpesa.base_url.clear();
    config.demo.on = true;
    config.demo.seed = seed;
    config.shortfall.limit_cents = limit_cents.unwrap_or(UNLIMITED);
}

fn source(
    arguments: &VillageRunArguments,
    config: &Config,
    stored_start: Option<jirani_units::Timestamp>,
) -> anyhow::Result<Source> {
    let slot_length_s = config.site.slot_length_s;
    match &arguments.data {
        Some(file) => Ok(Source::from_csv(
            file,
            &FileRequest {
                households: arguments.households,
                days: Some(arguments.days),
                slot_length_s,
                seed: arguments.seed,
                place: arguments.place,
            },
        )?),
        None => Ok(Source::built_in(&BuiltInRequest {
            households: arguments.households,
            seed: arguments.seed,
            place: Place {
                latitude_microdegrees: config.site.latitude_microdegrees,
                longitude_microdegrees: config.site.longitude_microdegrees,
            },
            start: stored_start.unwrap_or(BuiltInRequest::FIRST_DAY),
            slot_length_s,
            days: Some(arguments.days),
        })),
    }
}

async fn is_settled(store: &dyn Store) -> bool {
    let (Ok(orders), Ok(payouts), Ok(collections), Ok(callbacks)) = (
        store.live_orders().await,
        store.live_payouts().await,
        store.live_collections().await,
        store.pending_callbacks(1).await,
    ) else {
        return false;
    };
    let attested = async {
        for household in store.households().await.ok()? {
            if !store.unattested_slots(household.feeder, Timestamp(i64::MIN), 1).await.ok()?.is_empty() {
                return None;
            }
        }
        Some(())
    };
    orders.is_empty()
        && payouts.is_empty()
        && collections.is_empty()
        && callbacks.is_empty()
        && attested.await.is_some()
}

/// For a paced run: looks at every slot done, and after the last until all is settled.
async fn until_done<F, Fut>(
    clock: &ServiceClock,
    mut progress: tokio::sync::watch::Receiver<Progress>,
    mut settled: F,
    mut told: impl FnMut(&Progress),
) where
    F: FnMut() -> Fut,
    Fut: Future<Output = bool>,
{
    loop {
        let now = *progress.borrow_and_update();
        told(&now);
        if now.finished {
            break;
        }
        if progress.changed().await.is_err() {
            return;
        }
    }
    loop {
        clock.idle().await;
        if settled().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn progress_bar(slots: u64) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(slots), ProgressDrawTarget::stderr_with_hz(5));
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} slots  {per_sec}  {eta} left") {
        bar.set_style(style);
    }
    bar
}

async fn tell(
    system: &System,
    village: &VillageReport,
    arguments: &VillageRunArguments,
    households: u32,
    gaps_filled: u64,
    remarks: Vec<String>,
    begin: Instant,
) -> anyhow::Result<Report> {
    let audit: AuditReport = system.auditor.audit().await?;
    let totals = system.counters.totals();
    let (stored, _) = system.store.count_readings().await?;
    let (transactions, compute_units, fees_lamports) = system.store.outbox_totals().await?;
    Ok(Report {
        households,
        days: arguments.days,
        readings: Readings {
            sent: village.readings_sent,
            stored,
            duplicates: totals.readings_duplicate,
            rejected: totals.readings_rejected,
        },
        energy: energy(system).await?,
        trades: trades(system.store.as_ref()).await?,
        money: money(system).await?,
        relays: relays(system.store.as_ref()).await?,
        chain: Chain {
            transactions,
            attestation_rows: totals.attestation_rows,
            compute_units,
            fees_lamports,
        },
        audit,
        notes: Notes { gaps_filled, curtailed_wh: village.curtailed_wh, remarks },
        wall_s: begin.elapsed().as_secs_f64(),
        peak_rss_bytes: system::peak_rss_bytes(),
    })
}

async fn energy(system: &System) -> anyhow::Result<Energy> {
    let chain = system.chain.snapshot().await?;
    let losses: Vec<_> = system
        .store
        .households()
        .await?
        .into_iter()
        .filter(|household| household.kind == HouseholdKind::Loss)
        .map(|household| household.id)
        .collect();
    let sum =
        |of: fn(&jirani_chain::HouseholdOnChain) -> u64| chain.households.iter().map(|(_, h)| of(h)).sum();
    Ok(Energy {
        exported_wh: sum(|h| h.export_wh.0),
        imported_wh: sum(|h| h.import_wh.0),
        losses_wh: chain
            .households
            .iter()
            .filter(|(id, _)| losses.contains(id))
            .map(|(_, h)| h.import_wh.0.saturating_sub(h.export_wh.0))
            .sum(),
        minted_wh: sum(|h| h.minted_wh.0),
        burned_wh: sum(|h| h.burned_wh.0),
        shortfall_wh: sum(|h| h.shortfall_wh.0),
        adjusted_wh: sum(|h| h.adjusted_export_wh.0),
        adjusted_import_wh: sum(|h| h.adjusted_import_wh.0),
        supply_wh: chain.supply_wh.0,
        vaults_wh: chain.vaults_wh.0,
        escrow_wh: chain.escrow_wh.0,
        wallets_wh: chain.wallets_wh.0,
    })
}

async fn trades(store: &dyn Store) -> anyhow::Result<Trades> {
    let (mut trades, mut after) = (Trades::default(), OrderId(0));
    let records = store.households().await?;
    let own = records.iter().filter(|record| record.kind != HouseholdKind::Home);
    let own: HashSet<HouseholdId> = own.map(|record| record.id).collect();
    loop {
        let page = store.orders_after(after, 1_000).await?;
        let Some(last) = page.last() else { return Ok(trades) };
        after = last.id;
        for order in &page {
            trades.ordered += 1;
            match order.state {
                OrderState::Settled => {
                    trades.settled += 1;
                    trades.from_balance += u64::from(order.pay_with == PayWith::Balance);
                    if own.contains(&order.buyer) {
                        trades.bought_back_wh += order.energy_wh().0;
                    }
                    let sold = order.fills.iter().filter(|fill| own.contains(&fill.seller));
                    trades.operator_sold_wh += sold.map(|fill| u64::from(fill.energy_wh)).sum::<u64>();
                }
                OrderState::Released => trades.released += 1,
                _ => {}
            }
        }
    }
}

/// What the steps of all households say of their relays.
async fn relays(store: &dyn Store) -> anyhow::Result<Relays> {
    let mut relays = Relays::default();
    for household in store.households().await? {
        for step in store.steps_of(household.id, PAGE_MAX).await? {
            match step.step.kind {
                StepKind::RelayOpens { .. } => relays.open_ordered += 1,
                StepKind::RelayCloses { .. } => relays.close_ordered += 1,
                StepKind::RelayConfirmed(RelayPosition::Open) => relays.opened += 1,
                StepKind::RelayConfirmed(RelayPosition::Closed) => relays.closed += 1,
                _ => {}
            }
        }
    }
    Ok(relays)
}

async fn money(system: &System) -> anyhow::Result<Money> {
    let store = system.store.as_ref();
    let mut money = Money::default();
    let mut ours = 0;
    for (account, balance) in store.balances().await? {
        let net = balance.net().0;
        money.imbalance_cents += net;
        match account {
            Account::MpesaCollection | Account::MpesaPayout => ours -= net,
            Account::MpesaCharges => {
                ours -= net;
                money.mpesa_charges_cents = net;
            }
            Account::Household(_) => money.balances_cents += net,
            Account::OperatorFees => {
                money.fees_cents = net;
                money.operator_cents += net;
            }
            Account::OperatorTaxes => {
                money.taxes_cents = net;
                money.operator_cents += net;
            }
            Account::OperatorFloat | Account::OperatorSales | Account::OperatorSweeps | Account::Rounding => {
                money.operator_cents += net;
            }
            Account::Suspense => money.suspense_cents = net,
            Account::CollectionsUnallocated | Account::OrdersClearing | Account::ReversalsReceivable(_) => {}
        }
    }
    let mut after = 0;
    loop {
        let page = store.journal_after(after, 1_000).await?;
        let Some(last) = page.last() else { break };
        after = last.sequence;
        for transfer in page.iter().map(|row| &row.transfer) {
            match (transfer.reason, transfer.kind) {
                (Reason::Collection, _) => money.collected_cents += transfer.amount.0,
                (Reason::Sale, _) => money.sellers_cents += transfer.amount.0,
                (Reason::Credit, _) => money.credited_cents += transfer.amount.0,
                (Reason::Payout, Kind::Post(_)) => money.paid_out_cents += transfer.amount.0,
                _ => {}
            }
        }
    }
    if let Some(sandbox) = &system.sandbox {
        let theirs = sandbox.totals().await.context("the emulator does not tell its accounts")?;
        money.mpesa_difference_cents = theirs.sum().0 - ours;
    }

    Ok(money)
}
