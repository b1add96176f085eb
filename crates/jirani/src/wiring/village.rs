//! The simulated village, as `up` and `village run` start it.

use crate::config::Config;
use crate::wiring::site_chain::SiteChain;
use crate::wiring::{DataFolder, Secrets, tasks::Tasks};
use anyhow::Context as _;
use jirani_broker::meter_password;
use jirani_clock::ServiceClock;
use jirani_daraja_sandbox::{Behaviour, PhoneMode};
use jirani_store::HouseholdRecord;
use jirani_units::Timestamp;
use jirani_village::{Progress, Source, Village, VillageConfig, VillageReport, registry};
use std::sync::Arc;
use tokio::sync::{oneshot, watch};

/// Where somebody watches, people trade often enough to be seen at it.
const WATCHED_EAGERNESS: u64 = 6;
/// The one feeder of a village.
const FEEDER: u16 = 1;

/// Who pays on the phones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phones {
    /// The emulator answers every prompt after some seconds.
    Automatic,
    /// Homes answer what they asked for; people answer theirs on the phones' pages.
    Shared,
}

/// What a village is made of.
pub struct VillageOptions {
    /// Everything random follows from it.
    pub seed: u64,
    /// Sun and loads.
    pub source: Source,
    /// Whether homes trade by themselves.
    pub trading: bool,
    /// Of a thousand homes, so many let the market trade for them by rules.
    pub rules_permille: u32,
    /// Who pays on the phones.
    pub phones: Phones,
}

/// A village that runs.
pub struct VillagePart {
    /// How far it is.
    pub progress: watch::Receiver<Progress>,
    /// What it tells at its end.
    pub report: oneshot::Receiver<VillageReport>,
}

/// What a village needs of the other parts.
pub struct Surroundings<'a> {
    /// Where its meters are kept.
    pub folder: &'a DataFolder,
    /// Meters' passwords.
    pub secrets: &'a Secrets,
    /// Time.
    pub clock: &'a ServiceClock,
    /// Homes are enrolled there before their meters say anything.
    pub chain: &'a Arc<SiteChain>,
    /// Pinned in every meter.
    pub gateway: [u8; 32],
    /// The broker.
    pub mqtt_url: &'a str,
    /// The API.
    pub api_url: &'a str,
    /// The emulator.
    pub phones_url: Option<&'a str>,
    /// How long after a slot's end it is attested.
    pub grace_s: u32,
}

impl VillageOptions {
    /// The demo's village: the one at rest in the folder, or a new one at the place of the
    /// site that begins now.
    pub fn from_demo(config: &Config, folder: &DataFolder, now: Timestamp) -> anyhow::Result<Self> {
        let stored = folder.village().map(|folder| Village::stored_start(&folder)).transpose()?.flatten();
        let length_us = i64::from(config.site.slot_length_s) * 1_000_000;
        let start = stored.unwrap_or(Timestamp(now.0 - now.0.rem_euclid(length_us)));
        let source = Source::built_in(&jirani_village::BuiltInRequest {
            households: config.demo.households,
            seed: config.demo.seed,
            place: super::system::place(config),
            start,
            slot_length_s: config.site.slot_length_s,
            days: None,
        });
        let (trading, rules_permille) = (config.demo.trade, config.demo.rules_permille);
        Ok(Self { seed: config.demo.seed, source, trading, rules_permille, phones: Phones::Shared })
    }

    /// Everybody on the grid.
    pub fn registry(&self) -> Vec<HouseholdRecord> {
        registry(&self.source, self.seed, FEEDER, self.source.start())
    }

    /// How the emulator's phones answer.
    pub fn phone_mode(&self) -> PhoneMode {
        match self.phones {
            Phones::Automatic => PhoneMode::Automatic(Behaviour::default()),
            Phones::Shared => PhoneMode::ByHand,
        }
    }

    /// Connects the meters and lets people trade.
    pub fn start(self, tasks: &mut Tasks, around: &Surroundings<'_>) -> anyhow::Result<VillagePart> {
        let meter_secret = around.secrets.derive("broker meters");
        let config = VillageConfig {
            seed: self.seed,
            data_dir: around.folder.village(),
            mqtt_url: around.mqtt_url.to_owned(),
            meter_password: Box::new(move |meter| meter_password(&meter_secret, meter)),
            gateway_key: around.gateway,
            api_url: around.api_url.to_owned(),
            grace_s: around.grace_s,
            trading: self.trading,
            rules_permille: self.rules_permille,
            eagerness: match self.phones {
                Phones::Automatic => 1,
                Phones::Shared => WATCHED_EAGERNESS,
            },
            phones_url: match self.phones {
                Phones::Automatic => None,
                Phones::Shared => around.phones_url.map(str::to_owned),
            },
        };
        let village =
            Village::new(config, self.source, around.clock.clone()).context("the village cannot start")?;
        let progress = village.progress();
        let (told, report) = oneshot::channel();
        let chain = around.chain.clone();
        tasks.spawn("village", move |cancel| async move {
            if chain.opened(&cancel).await.is_none() {
                return Ok(());
            }
            let report = village.run(cancel.clone()).await?;
            // Nobody may be waiting for it: `up` never ends.
            let _ = told.send(report);
            cancel.cancelled().await;
            Ok::<(), jirani_village::VillageError>(())
        });
        Ok(VillagePart { progress, report })
    }
}
