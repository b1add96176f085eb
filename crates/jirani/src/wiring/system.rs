//! Every role in one process, started bottom up and stopped top down.

use crate::config::Config;
use crate::system;
use crate::wiring::bridge;
use crate::wiring::embedded::StartedChain;
use crate::wiring::enrolment::Enrols;
use crate::wiring::inbox::{self, IntoSettlement};
use crate::wiring::store::claim;
use crate::wiring::village::{Surroundings, VillageOptions, VillagePart};
use crate::wiring::{
    AnyStore, DataFolder, Database, LiveAuditor, Secrets, accounts, doors, embedded, enrolment, firmware,
    phones, registration, tasks::Tasks, weather,
};
use anyhow::Context as _;
use jirani_advisor::{Advisor, AdvisorConfig, Learning};
use jirani_api::dto::config::{ClusterView, PlaceView};
use jirani_api::{Api, ApiConfig, ApiDeps, FromAdvisor, Limits, RunningApi, TokenSource};
use jirani_broker::RunningBroker;
use jirani_chain::EnergyChain;
use jirani_chain::cluster::PublicCluster;
use jirani_chain::index::{Live, LiveConfig};
use jirani_clock::ServiceClock;
use jirani_daraja_sandbox::{PhoneMode, RunningSandbox};
use jirani_forecast::{ClearSkyAndYesterday, Place};
use jirani_localnet::RunningLocalnet;
use jirani_market::Tariffs;
use jirani_meter::Ed25519Signer;
use jirani_notify::{Sender, SenderDeps};
use jirani_oracle::enrolment::Enrolment;
use jirani_oracle::{
    Counters, Findings, FindingsConfig, Gateway, GatewayConfig, Segments, Slots, SlotsConfig,
};
use jirani_settlement::{
    BillPolicy, MarketPolicy, Settlement, SettlementConfig, SettlementDeps, open_tariffs,
};
use jirani_store::{Events, Store};
use jirani_units::{Cents, Clock as _, HouseholdId};
use std::path::PathBuf;
use std::sync::Arc;

/// Changes kept for a slow listener before it must read everything anew.
const EVENTS: usize = 4_096;

/// What a start is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// People look at it.
    Serve,
    /// Nobody does: a village runs for its report.
    Headless,
}

/// A running system.
pub struct System {
    /// The store.
    pub store: Arc<dyn Store>,
    /// The chain.
    pub chain: Arc<dyn EnergyChain>,
    /// The audit.
    pub auditor: Arc<LiveAuditor>,
    /// What the oracle has counted.
    pub counters: Counters,
    /// The village, where there is one.
    pub village: Option<VillagePart>,
    /// The emulator, where there is one.
    pub sandbox: Option<RunningSandbox>,
    database: AnyStore,
    tasks: Tasks,
    api: RunningApi,
    broker: Option<RunningBroker>,
    localnet: Option<RunningLocalnet>,
    rpc_url: String,
    mqtt_url: String,
    gateway_key: [u8; 32],
}

impl System {
    /// Starts everything on `folder`; on return the dashboard's address answers.
    pub async fn start(
        config: &Config,
        folder: &DataFolder,
        secrets: &Secrets,
        clock: ServiceClock,
        village: Option<VillageOptions>,
        purpose: Purpose,
    ) -> anyhow::Result<Self> {
        // Held until all parts are there, so that no driver moves the clock before.
        let starting = clock.busy();
        let database = Database::of(config, folder.path())?.open().await?;
        let store = database.store();
        claim(store.as_ref(), secrets).await?;
        let events = Events::new(EVENTS);
        let tariffs = open_tariffs(store.as_ref(), config.tariff.tariff(), clock.now()).await?;
        let counters = Counters::default();

        let enrols = match &village {
            Some(village) => {
                enrolment::keep(store.as_ref(), village.registry()).await?;
                Enrols::Missing
            }
            None => Enrols::Nobody,
        };
        let StartedChain { site, localnet, opener, rpc_url } =
            embedded::start_chain(config, folder, secrets, store.clone(), &clock, enrols, &tariffs).await?;
        let chain: Arc<dyn EnergyChain> = site.clone();
        let phones = village.as_ref().map_or(PhoneMode::ByHand, VillageOptions::phone_mode);
        let seed = village.as_ref().map_or(0, |village| village.seed);
        let (sandbox, mpesa) = embedded::start_mpesa(config, folder, secrets, &clock, phones, seed).await?;
        let (broker, access) = embedded::start_broker(config, secrets).await?;
        if let Some(broker) = &broker {
            counters.count_also(broker.refusals());
        }

        if config.mpesa.is_emulated() {
            enrolment::open_float(store.as_ref(), &clock, Cents(config.mpesa.opening_float_cents)).await?;
        }

        let mut tasks = Tasks::new();
        if let Some(broker) = &broker {
            let (doors, kept, heard) = (broker.doors(), store.clone(), events.subscribe());
            tasks.spawn("doors", |cancel| doors::keep(doors, kept, heard, cancel));
        }
        let mut index = LiveConfig::new(rpc_url.clone(), embedded::program(config)?);
        if !config.chain.is_embedded() {
            index.subscriptions = Some(config.chain.ws_url(&rpc_url).into());
        }
        let index = Live::new(index, database.index(), events.clone())?;
        let tended = site.clone();
        tasks.spawn("chain", |cancel| async move {
            if let Some(opener) = opener {
                opener.until_open(&cancel).await?;
            }
            if let Some(chain) = tended.opened(&cancel).await {
                chain.tend(cancel).await?;
            }
            anyhow::Ok(())
        });
        // Whoever reads the chain by itself must not read another than ours.
        let reads = site.clone();
        tasks.spawn("index", |cancel| async move {
            match reads.opened(&cancel).await {
                Some(_) => index.run(cancel).await,
                None => Ok(()),
            }
        });
        let gateway_key = Ed25519Signer::from_seed(&secrets.derive("gateway"));
        let gateway_public = jirani_meter::Signer::public_key(&gateway_key);
        let mut slots = Slots::new(
            SlotsConfig { slot_length_s: config.site.slot_length_s, grace_s: config.site.grace_s },
            store.clone(),
            chain.clone(),
            clock.clone(),
            events.clone(),
            counters.clone(),
        )?
        .with_findings(findings(config, &store, &clock));
        let firmware = firmware::server(&access, secrets, folder)?;
        let gateway = Gateway::new(
            GatewayConfig {
                url: access.url.clone(),
                client_id: secrets.client_id(&config.mqtt.gateway_name()),
                username: access.username,
                password: access.password,
                shared_group: config.mqtt.shared_group().map(|share| secrets.shared_group(&share)),
            },
            store.clone(),
            gateway_key,
            clock.clone(),
            events.clone(),
            counters.clone(),
        )
        .await?
        .with_notice(slots.notice());
        let gateway = match &access.tls {
            Some(tls) => gateway.with_tls(tls)?,
            None => gateway,
        };
        if config.evidence.on {
            let segments = config.evidence.segments(folder.path());
            let segments = Segments::new(&segments, store.clone(), clock.clone(), events.clone());
            tasks.spawn("evidence", |cancel| segments.run(cancel));
        }
        let mut subscribed = gateway.subscribed();
        let attests = site.clone();
        tasks.spawn("slots", |cancel| async move {
            match attests.opened(&cancel).await {
                Some(_) => slots.run(cancel).await,
                None => Ok(()),
            }
        });
        tasks.spawn("gateway", |cancel| gateway.run(cancel));
        tasks.spawn("firmware", |cancel| firmware.run(cancel));

        // The API's address is M-Pesa's way back to us, so it is bound before anything is
        // asked of M-Pesa; what calls before the API answers waits in the socket.
        let gate = Arc::new(config.hooks.gate(config.mpesa.is_trial())?);
        let door = Api::bind(config.http.listen).await?.with_gate(gate);
        let puller = inbox::puller(config, folder, &clock)?;
        let listen = door.addr;
        let base = format!("http://{listen}");
        let callback_base = if config.http.callback_base.is_empty() {
            base.clone()
        } else {
            config.http.callback_base.clone()
        };
        let deployment_key = secrets.derive("deployment");
        let settlement = Settlement::new(
            SettlementConfig {
                callback_base: callback_base.clone(),
                shortcode: config.mpesa.shortcode.clone(),
                deployment_key,
                seed: secrets.derive("settlement"),
                tariffs: tariffs.clone(),
                payouts: config.payouts.policy(),
                workers: SettlementConfig::WORKERS,
            },
            SettlementDeps {
                store: store.clone(),
                chain: chain.clone(),
                mpesa: mpesa.clone(),
                clock: clock.clone(),
                events: events.clone(),
            },
        );
        settlement.reconcile_by(config.reconciliation.policy());
        settlement.walk_by(config.shortfall.policy());
        settlement.bill_by(BillPolicy { slot_length_s: config.site.slot_length_s });
        settlement.call_by(MarketPolicy {
            slot_length_s: config.site.slot_length_s,
            operator: config.operator.policy(),
            attested: config.metering.policy(),
            ..MarketPolicy::default()
        });
        let auditor = Arc::new(LiveAuditor {
            store: store.clone(),
            chain: chain.clone(),
            clock: clock.clone(),
            proof_key: (deployment_key, config.mpesa.shortcode.clone()),
            evidence: config.evidence.on.then(|| config.evidence.segments(folder.path()).folder),
        });
        let place = place(config);
        let sky = weather::provider(config)?;
        let advisor = Arc::new(
            Advisor::new(
                AdvisorConfig {
                    slot_length_s: config.site.slot_length_s,
                    place: Some(place),
                    tariffs: tariffs.clone(),
                },
                store.clone(),
                clock.clone(),
                sky.clone(),
                Arc::new(ClearSkyAndYesterday),
            )
            .keeping(sky, weather::archive(config, folder, clock.now())?),
        );
        let asking = advisor.clone();
        tasks.spawn("weather", |cancel| asking.ask_for_weather(cancel));
        if purpose == Purpose::Serve && config.forecast.learn {
            let kept = folder.path().join("forecast");
            if let Some(learning) = Learning::new(advisor.clone(), config.forecast.learning(), &kept) {
                tasks.spawn("learning", |cancel| learning.run(cancel));
            }
        }
        let phones = match purpose {
            Purpose::Serve => phones::phones(config, &clock)?,
            Purpose::Headless => None,
        };
        if let Some(phones) = &phones {
            let (store, sms, clock) = (store.clone(), phones.sms.clone(), clock.clone());
            let sender = Sender::new(config.sms.policy(), SenderDeps { store, sms, clock });
            tasks.spawn("sms", |cancel| async move {
                sender.run(cancel).await;
                anyhow::Ok(())
            });
        }
        let mut api_config = api_config(config, secrets, listen, sandbox.as_ref(), &clock, purpose, tariffs);
        let speed = if clock.is_advanced() { config.demo.speed } else { 1 };
        api_config.gateway = phones.as_ref().and_then(|_| phones::gateway_secret(config, secrets));
        api_config.ussd = phones.as_ref().and_then(|_| phones::menus(config, secrets, speed));
        let meter_secret = secrets.derive("broker meters");
        let meters = Enrolment::new(
            store.clone(),
            Arc::new(clock.clone()),
            events.clone(),
            Box::new(system::entropy),
            Box::new(move |meter| jirani_broker::meter_password(&meter_secret, meter)),
            gateway_public,
        );
        let meters = Arc::new(meters);
        let api = door
            .start(
                api_config,
                ApiDeps {
                    store: store.clone(),
                    chain: chain.clone(),
                    trading: settlement.clone(),
                    advice: Arc::new(FromAdvisor::new(advisor, store.clone(), chain.clone())),
                    audit: auditor.clone(),
                    clock: clock.clone(),
                    events,
                    tokens: TokenSource::from_seed(system::entropy()),
                    phones,
                    meters: Some(meters),
                },
            )
            .await?;
        if let Some(sandbox) = &sandbox {
            // Callbacks owed from before go to the address of today.
            sandbox.callbacks_to(&callback_base).await;
        }
        let ((confirmation, validation), list) = (settlement.c2b_urls(), settlement.list_url());
        let receiver = Arc::new(IntoSettlement(settlement.clone()));
        let told = settlement.clone();
        tasks.spawn("settlement", |cancel| settlement.run(cancel));
        if let Some(puller) = puller {
            tasks.spawn("inbox", |cancel| async move {
                puller.run(receiver, cancel).await;
                anyhow::Ok(())
            });
        }
        let urls = registration::Urls { confirmation, validation };
        registration::register(&mut tasks, urls, &mpesa, &told, &clock).await;
        embedded::switch_on_list(config, &mpesa, &list).await;

        // A meter's reading that comes before the gateway listens is only sent again later.
        subscribed.wait_for(|subscribed| *subscribed).await.context("the gateway ended")?;
        let bridged = bridge::Surroundings {
            folder,
            secrets,
            store: &store,
            clock: &clock,
            gateway: gateway_public,
            mqtt_url: &access.url,
            mqtt_tls: access.tls.as_ref(),
        };
        bridge::start(config, &bridged, &mut tasks).await?;
        let village = match village {
            Some(options) => Some(options.start(
                &mut tasks,
                &Surroundings {
                    folder,
                    secrets,
                    clock: &clock,
                    chain: &site,
                    gateway: gateway_public,
                    mqtt_url: &access.url,
                    api_url: &base,
                    phones_url: sandbox.as_ref().map(|sandbox| sandbox.base_url.as_str()),
                    grace_s: config.site.grace_s,
                },
            )?),
            None => None,
        };
        drop(starting);
        Ok(Self {
            store,
            chain,
            auditor,
            counters,
            village,
            sandbox,
            database,
            tasks,
            api,
            broker,
            localnet,
            rpc_url,
            mqtt_url: access.url,
            gateway_key: gateway_public,
        })
    }

    /// `http://127.0.0.1:8080`
    pub fn dashboard_url(&self) -> String {
        format!("http://{}", self.api.addr)
    }

    /// The virtual phones' pages, with the emulator.
    pub fn phones_url(&self) -> Option<String> {
        self.sandbox.as_ref().map(|sandbox| sandbox.base_url.clone())
    }

    /// The chain's JSON-RPC.
    pub fn rpc_url(&self) -> &str {
        &self.rpc_url
    }

    /// The meters' broker.
    pub fn mqtt_url(&self) -> &str {
        &self.mqtt_url
    }

    /// What meters pin: the key that signs acknowledgements and commands.
    pub fn gateway_key(&self) -> [u8; 32] {
        self.gateway_key
    }

    /// Waits for the first part that fails.
    pub async fn failed(&self) -> anyhow::Error {
        self.tasks.failed().await
    }

    /// Stops everything, doors first, disks last.
    pub async fn stop(self) {
        self.tasks.stop().await;
        // The emulator first: what it still says finds the API listening.
        if let Some(sandbox) = self.sandbox {
            sandbox.stop().await;
        }
        self.api.stop().await;
        if let Some(broker) = self.broker {
            broker.stop().await;
        }
        if let Some(localnet) = self.localnet {
            localnet.stop().await;
        }
        self.database.close().await;
    }
}

/// Where the site stands.
fn findings(config: &Config, store: &Arc<dyn Store>, clock: &ServiceClock) -> Findings {
    let settings = &config.plausibility;
    let rules = FindingsConfig {
        place: place(config),
        slot_length_s: config.site.slot_length_s,
        policy: settings.rules.clone(),
        storage: settings.storage_households.iter().copied().map(HouseholdId).collect(),
        accepted_days: settings.accepted_days,
    };
    Findings::new(rules, store.clone(), clock.clone())
}

pub(super) fn place(config: &Config) -> Place {
    Place {
        latitude_microdegrees: config.site.latitude_microdegrees,
        longitude_microdegrees: config.site.longitude_microdegrees,
    }
}

fn cluster(config: &Config) -> ClusterView {
    if config.chain.is_embedded() {
        return ClusterView { name: "embedded".to_owned(), explorer_url: None };
    }
    let genesis = config.chain.expected_genesis();
    match genesis.as_deref().and_then(PublicCluster::by_genesis) {
        Some(cluster) => {
            ClusterView { name: cluster.name.to_owned(), explorer_url: Some(cluster.explorer_url()) }
        }
        None if config.chain.cluster.is_empty() => {
            ClusterView { name: "solana".to_owned(), explorer_url: None }
        }
        None => ClusterView { name: config.chain.cluster.clone(), explorer_url: None },
    }
}

fn api_config(
    config: &Config,
    secrets: &Secrets,
    listen: std::net::SocketAddr,
    sandbox: Option<&RunningSandbox>,
    clock: &ServiceClock,
    purpose: Purpose,
    tariffs: Tariffs,
) -> ApiConfig {
    let web_dir: Option<PathBuf> = (purpose == Purpose::Serve
        && config.http.web_dir.join("index.html").is_file())
    .then(|| config.http.web_dir.clone());
    // Sessions are counted in village time.
    let speed = if clock.is_advanced() { config.demo.speed } else { 1 };
    let headless = purpose == Purpose::Headless;
    let session_s = config.accounts.session_hours * 3_600;
    ApiConfig {
        listen,
        web_dir,
        demo: config.demo.on,
        session_s: if headless { u32::MAX } else { session_s.saturating_mul(speed) },
        accounts: accounts::accounts(config, secrets, speed),
        secure_cookies: config.http.callback_base.starts_with("https://"),
        slot_length_s: config.site.slot_length_s,
        speed: (!headless).then_some(speed),
        tariffs,
        site_name: config.site.name.clone(),
        place: Some(PlaceView {
            latitude_microdegrees: config.site.latitude_microdegrees,
            longitude_microdegrees: config.site.longitude_microdegrees,
        }),
        phones_url: sandbox.map(|sandbox| format!("{}/phones", sandbox.base_url)),
        cluster: cluster(config),
        limits: if config.demo.on { Limits::village() } else { Limits::default() },
        gateway: None,
        ussd: None,
    }
}
