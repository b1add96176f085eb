//! The parts that are ours when the settings name no outside one.

use crate::config::Config;
use crate::wiring::enrolment::{self, Enrols};
use crate::wiring::external::{self, Opener};
use crate::wiring::site_chain::{Belongs, SiteChain};
use crate::wiring::witness::with_witness;
use crate::wiring::{DataFolder, Secrets};
use anyhow::Context as _;
use jirani_broker::{Broker, BrokerConfig, GATEWAY, RunningBroker};
use jirani_chain::{Address, ChainConfig, ChainKeys, EnergyChain, RpcEnergyChain};
use jirani_clock::ServiceClock;
use jirani_daraja::{DarajaClient, DarajaConfig, Mpesa as _, Secret, SecurityCredential};
use jirani_daraja_sandbox::{Delivery, PhoneMode, RunningSandbox, Sandbox, SandboxConfig, Shortcode};
use jirani_localnet::{GenesisProgram, Localnet, LocalnetConfig, RunningLocalnet};
use jirani_market::Tariffs;
use jirani_oracle::GatewayTls;
use jirani_store::Store;
use jirani_units::{Cents, Clock};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

/// The energy program's ELF, as committed.
pub const ELF: &[u8] = include_bytes!("../../../../programs/energy/elf/jirani_energy.so");

/// Where the embedded chain has the energy program.
pub fn local_program() -> Address {
    jirani_energy_interface::LOCAL_PROGRAM_ID
}

/// The chain's keys: read from the key folder, or made from the root secret.
fn chain_keys(folder: &std::path::Path, secrets: &Secrets) -> anyhow::Result<ChainKeys> {
    Ok(ChainKeys::load_or_create(folder, &secrets.derive("chain keys"))?)
}

/// Starts the embedded chain with the energy program installed.
pub async fn start_localnet(
    listen: SocketAddr,
    data_dir: Option<PathBuf>,
    secrets: &Secrets,
    upgrade_authority: Option<Address>,
    clock: Arc<dyn Clock>,
) -> anyhow::Result<RunningLocalnet> {
    Ok(Localnet::start(localnet_config(listen, data_dir, secrets, upgrade_authority), clock).await?)
}

/// The embedded chain with the energy program in its first block.
pub fn localnet_config(
    listen: SocketAddr,
    data_dir: Option<PathBuf>,
    secrets: &Secrets,
    upgrade_authority: Option<Address>,
) -> LocalnetConfig {
    let upgrade_authority = upgrade_authority
        .unwrap_or_else(|| ChainKeys::from_seed(&secrets.derive("chain keys")).upgrade_authority_address());
    let mut config = LocalnetConfig::new(listen, secrets.derive("chain faucet"));
    config.data_dir = data_dir;
    config.programs = vec![GenesisProgram { address: local_program(), elf: ELF.to_vec(), upgrade_authority }];
    config
}

/// The chain at a start.
pub struct StartedChain {
    /// What services have.
    pub site: Arc<SiteChain>,
    /// Our own node, where the chain is ours.
    pub localnet: Option<RunningLocalnet>,
    /// Who opens a chain elsewhere.
    pub opener: Option<Opener>,
    /// The node's JSON-RPC.
    pub rpc_url: String,
}

/// The chain: ours, connected and initialised; or another, open if it can be used now.
pub async fn start_chain(
    config: &Config,
    folder: &DataFolder,
    secrets: &Secrets,
    store: Arc<dyn Store>,
    clock: &ServiceClock,
    enrols: Enrols,
    tariffs: &Tariffs,
) -> anyhow::Result<StartedChain> {
    let program = program(config)?;
    if !config.chain.is_embedded() {
        let site = Arc::new(SiteChain::closed(program, Belongs::Elsewhere));
        let opener = Opener::new(config, &folder.keys(), site.clone(), store, clock, enrols)?;
        // What no waiting mends is said before anything starts.
        opener.attempt().await?;
        let rpc_url = config.chain.rpc_url.clone();
        return Ok(StartedChain { site, localnet: None, opener: Some(opener), rpc_url });
    }
    let keys = chain_keys(&folder.keys(), secrets)?;
    let shared: Arc<dyn Clock> = Arc::new(clock.clone());
    let localnet = start_localnet(config.chain.listen, folder.chain(), secrets, None, shared).await?;
    let rpc_url = localnet.rpc_url.clone();
    let mut chain = ChainConfig::new(rpc_url.clone(), program, keys.clone());
    // Our own node answers in microseconds; a long pause would be all there is to wait for.
    chain.poll_max = std::time::Duration::from_millis(5);
    let chain = RpcEnergyChain::connect(chain, store.clone(), Arc::new(clock.clone())).await?;
    let chain = with_witness(chain, config, &keys, store.clone())?;
    chain.initialise(&tariffs.at(clock.now())).await?;
    if enrols == Enrols::Missing {
        enrolment::enrol(store.as_ref(), &chain).await?;
    }
    let site = Arc::new(SiteChain::closed(program, Belongs::ToUs));
    site.open(Arc::new(chain));
    Ok(StartedChain { site, localnet: Some(localnet), opener: None, rpc_url })
}

/// The chain for reading only: the configured one, the one of a system that is
/// running now, or the data folder's own, opened on a free port.
pub async fn open_chain(
    config: &Config,
    folder: Option<&DataFolder>,
    secrets: &Secrets,
    store: Arc<dyn Store>,
    clock: &ServiceClock,
) -> anyhow::Result<(Option<RunningLocalnet>, Arc<dyn EnergyChain>)> {
    let folder_of_keys = config.data_dir.join("keys");
    let keys = if config.chain.is_embedded() {
        chain_keys(&folder_of_keys, secrets)?
    } else {
        external::keys(config, &folder_of_keys)?
    };
    let (localnet, rpc_url) = if !config.chain.rpc_url.is_empty() {
        (None, config.chain.rpc_url.clone())
    } else if let Some(folder) = folder {
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        let clock: Arc<dyn Clock> = Arc::new(clock.clone());
        let localnet = start_localnet(listen, folder.chain(), secrets, None, clock).await?;
        let rpc_url = localnet.rpc_url.clone();
        (Some(localnet), rpc_url)
    } else {
        (None, format!("http://{}", config.chain.listen))
    };
    let chain = RpcEnergyChain::connect(
        ChainConfig::new(rpc_url, program(config)?, keys),
        store,
        Arc::new(clock.clone()),
    )
    .await?;
    Ok((localnet, Arc::new(chain)))
}

/// The energy program's address: the settings', or where the embedded chain has it.
pub fn program(config: &Config) -> anyhow::Result<Address> {
    if config.chain.program.is_empty() {
        return Ok(local_program());
    }
    config.chain.program.parse().context("chain.program is not an address")
}

/// M-Pesa: the emulator or Daraja.
pub async fn start_mpesa(
    config: &Config,
    folder: &DataFolder,
    secrets: &Secrets,
    clock: &ServiceClock,
    phones: PhoneMode,
    seed: u64,
) -> anyhow::Result<(Option<RunningSandbox>, Arc<DarajaClient>)> {
    let mpesa = &config.mpesa;
    let (sandbox, daraja, options) = if mpesa.is_emulated() {
        let sandbox = SandboxConfig {
            listen: mpesa.listen,
            data_dir: folder.mpesa(),
            seed,
            consumer_key: "jirani".to_owned(),
            consumer_secret: secrets.derive_text("emulator consumer"),
            collection: Shortcode { code: mpesa.shortcode.clone(), name: "Jirani Energy".to_owned() },
            passkey: secrets.derive_text("emulator passkey"),
            payout: Shortcode { code: mpesa.payout_shortcode.clone(), name: "Jirani Energy".to_owned() },
            initiator_name: mpesa.initiator_name.clone(),
            opening_float: Cents(mpesa.opening_float_cents),
            default_mode: phones,
            // One process is killed as a whole: what it owed itself is delivered after.
            delivery: Delivery::UntilAccepted,
            ..SandboxConfig::default()
        };
        let daraja = DarajaConfig {
            base_url: String::new(),
            consumer_key: sandbox.consumer_key.clone(),
            consumer_secret: Secret::from(sandbox.consumer_secret.clone()),
            shortcode: mpesa.shortcode.clone(),
            passkey: Secret::from(sandbox.passkey.clone()),
            b2c_shortcode: mpesa.payout_shortcode.clone(),
            initiator_name: mpesa.initiator_name.clone(),
            credential: SecurityCredential::Ready(Secret::from(secrets.derive_text("emulator initiator"))),
            charges: config.payouts.charges(),
            timeout_s: 30,
        };
        let running = Sandbox::start(sandbox, clock.clone()).await?;
        let base_url = running.base_url.clone();
        (Some(running), DarajaConfig { base_url, ..daraja }, mpesa.options(None))
    } else {
        let certificate = std::fs::read_to_string(&mpesa.certificate_file).with_context(|| {
            format!("mpesa.certificate_file: cannot read {}", mpesa.certificate_file.display())
        })?;
        let options = mpesa.options(Some(&certificate));
        let daraja = DarajaConfig {
            base_url: mpesa.base_url.clone(),
            consumer_key: mpesa.consumer_key.clone(),
            consumer_secret: Secret::from(mpesa.consumer_secret.clone()),
            shortcode: mpesa.shortcode.clone(),
            passkey: Secret::from(mpesa.passkey.clone()),
            b2c_shortcode: mpesa.payout_shortcode.clone(),
            initiator_name: mpesa.initiator_name.clone(),
            credential: SecurityCredential::Password {
                password: Secret::from(mpesa.initiator_password.clone()),
                public_key_pem: certificate,
            },
            charges: config.payouts.charges(),
            timeout_s: 30,
        };
        (None, daraja, options)
    };
    let client = DarajaClient::with_options(daraja, options, Arc::new(clock.clone()))?;
    Ok((sandbox, Arc::new(client)))
}

/// How the gateway reaches its broker.
pub struct BrokerAccess {
    /// `mqtt://127.0.0.1:1883`.
    pub url: String,
    /// User.
    pub username: String,
    /// Password.
    pub password: String,
    /// Who may vouch for it; ours, on this machine, needs nobody.
    pub tls: Option<GatewayTls>,
}

/// The broker: ours or another.
pub async fn start_broker(
    config: &Config,
    secrets: &Secrets,
) -> anyhow::Result<(Option<RunningBroker>, BrokerAccess)> {
    if !config.mqtt.url.is_empty() {
        let access = BrokerAccess {
            url: config.mqtt.url.clone(),
            username: GATEWAY.to_owned(),
            password: config.mqtt.password.clone(),
            tls: config.mqtt.tls()?,
        };
        return Ok((None, access));
    }
    let password = secrets.derive_text("broker gateway");
    let broker = Broker::start(BrokerConfig {
        listen: config.mqtt.listen,
        gateway_password: password.clone(),
        meter_secret: secrets.derive("broker meters"),
    })
    .await?;
    let url = format!("mqtt://{}", broker.addr());
    Ok((Some(broker), BrokerAccess { url, username: GATEWAY.to_owned(), password, tls: None }))
}

/// Switches on M-Pesa's list of payments. Without it payments that no callback tells
/// are found by statement only, so a refusal is told and does not stop the start.
pub async fn switch_on_list(config: &Config, mpesa: &DarajaClient, callback_url: &str) {
    let Ok(nominated) = config.mpesa.nominated_number.parse() else {
        tracing::warn!("mpesa.nominated_number is not set: M-Pesa's list of payments stays off");
        return;
    };
    if let Err(error) = mpesa.pull_register(nominated, callback_url).await {
        tracing::warn!(%error, "M-Pesa's list of payments could not be switched on");
    }
}
