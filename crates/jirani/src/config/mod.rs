//! Settings: embedded defaults, then `jirani.toml`, then `JIRANI__SECTION__KEY`.
//!
//! Unknown keys are refused with the nearest valid name; secrets come from the
//! environment or files only and never appear in `Debug` or logs.

mod accounts;
mod chain;
mod demo;
mod evidence;
mod forecast;
mod hooks;
mod http;
mod inbox;
mod metering;
mod mpesa;
mod mqtt;
mod operator;
mod payouts;
mod plausibility;
mod reconciliation;
mod shortfall;
mod site;
mod store;
mod tariff;
mod ussd;
mod weather;
mod witness;

pub use accounts::AccountSettings;
pub use chain::{Chain, Commitment, KeySetting, is_local};
pub use demo::Demo;
pub use evidence::EvidenceSettings;
pub use forecast::ForecastSettings;
pub use hooks::Hooks;
pub use http::Http;
pub use inbox::Inbox;
pub use metering::{Metering, read_definition};
pub use mpesa::Mpesa;
pub use mqtt::Mqtt;
pub use operator::OperatorSettings;
pub use payouts::Payouts;
pub use plausibility::Plausibility;
pub use reconciliation::Reconciliation;
pub use shortfall::Shortfall;
pub use site::Site;
pub use store::{StoreSettings, has_password};
pub use tariff::TariffSettings;
pub use ussd::{SmsSettings, UssdSettings};
pub use weather::{WeatherSettings, WeatherSource};
pub use witness::WitnessSettings;

use figment::Figment;
use figment::error::Kind;
use figment::providers::{Env, Format, Serialized, Toml};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The file looked for when none is named.
pub const DEFAULT_FILE: &str = "jirani.toml";

/// All settings.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Folder of everything that must survive.
    pub data_dir: PathBuf,
    /// The simulated village and the sign-in without a code.
    pub demo: Demo,
    /// Where the site is, its slots and its own ratings.
    pub site: Site,
    /// The database.
    pub store: StoreSettings,
    /// The dashboard and its API.
    pub http: Http,
    /// Whose callbacks are taken.
    pub hooks: Hooks,
    /// The public role for callbacks.
    pub inbox: Inbox,
    /// Meters' broker.
    pub mqtt: Mqtt,
    /// Foreign devices, and what only the site vouches for.
    pub metering: Metering,
    /// How long people stay signed in, and what they prove.
    pub accounts: AccountSettings,
    /// Files of what meters signed.
    pub evidence: EvidenceSettings,
    /// Solana.
    pub chain: Chain,
    /// A second oracle.
    pub witness: WitnessSettings,
    /// M-Pesa.
    pub mpesa: Mpesa,
    /// How much goes out, to whom, and what it costs.
    pub payouts: Payouts,
    /// Whether what meters say can be true.
    pub plausibility: Plausibility,
    /// When a person is called about M-Pesa's books.
    pub reconciliation: Reconciliation,
    /// How much a home may owe, and what happens before its power is cut.
    pub shortfall: Shortfall,
    /// Published prices.
    pub tariff: TariffSettings,
    /// The operator as counterparty of last resort.
    pub operator: OperatorSettings,
    /// The menus of feature phones.
    pub ussd: UssdSettings,
    /// Text messages.
    pub sms: SmsSettings,
    /// Who is asked for weather.
    pub weather: WeatherSettings,
    /// Whether and how forecasts are learned.
    pub forecast: ForecastSettings,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data_dir: PathBuf::from("data"),
            demo: Demo::default(),
            site: Site::default(),
            store: StoreSettings::default(),
            http: Http::default(),
            hooks: Hooks::default(),
            inbox: Inbox::default(),
            mqtt: Mqtt::default(),
            metering: Metering::default(),
            accounts: AccountSettings::default(),
            evidence: EvidenceSettings::default(),
            chain: Chain::default(),
            witness: WitnessSettings::default(),
            mpesa: Mpesa::default(),
            payouts: Payouts::default(),
            plausibility: Plausibility::default(),
            reconciliation: Reconciliation::default(),
            shortfall: Shortfall::default(),
            tariff: TariffSettings::default(),
            operator: OperatorSettings::default(),
            ussd: UssdSettings::default(),
            sms: SmsSettings::default(),
            weather: WeatherSettings::default(),
            forecast: ForecastSettings::default(),
        }
    }
}

/// The settings cannot be used; one line that says what and how to mend it.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The named file is not there.
    #[error(
        "config.missing: {0} does not exist; copy jirani.example.toml, or leave --config out for the defaults"
    )]
    Missing(PathBuf),
    /// A key is unknown, or a value of the wrong kind.
    #[error("config.invalid: {0}")]
    Invalid(String),
}

impl Config {
    /// Reads the settings. `file` must exist when named; otherwise
    /// [`DEFAULT_FILE`] is read if it is there.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        let mut figment = Figment::from(Serialized::defaults(Self::default()));
        if let Some(path) = file {
            if !path.is_file() {
                return Err(ConfigError::Missing(path.to_owned()));
            }
            figment = figment.merge(Toml::file_exact(path));
        } else if Path::new(DEFAULT_FILE).is_file() {
            figment = figment.merge(Toml::file_exact(DEFAULT_FILE));
        }
        let figment = figment.merge(Env::prefixed("JIRANI__").split("__"));
        let config: Self = figment.extract().map_err(|error| ConfigError::Invalid(sentence(&error)))?;
        config.validate()?;
        Ok(config)
    }

    /// Rules between settings.
    fn validate(&self) -> Result<(), ConfigError> {
        let tariff = self.tariff.tariff();
        if tariff.offer_price_min() > tariff.offer_price_max() {
            return Err(ConfigError::Invalid(
                "tariff.retail_cents_per_kwh must be at least buy_back + grid_fee + tax: no offer could be made"
                    .to_owned(),
            ));
        }
        if self.site.slot_length_s == 0 || 86_400 % self.site.slot_length_s != 0 {
            return Err(ConfigError::Invalid(
                "site.slot_length_s must divide a day of 86400 seconds; use 900".to_owned(),
            ));
        }
        if self.site.grace_s >= self.site.slot_length_s {
            return Err(ConfigError::Invalid(
                "site.grace_s must be shorter than site.slot_length_s".to_owned(),
            ));
        }
        if self.demo.on && !(1..=Demo::SPEED_MAX).contains(&self.demo.speed) {
            return Err(ConfigError::Invalid(format!("demo.speed must be 1 to {}", Demo::SPEED_MAX)));
        }
        if self.demo.on && !(2..=Demo::HOUSEHOLDS_MAX).contains(&self.demo.households) {
            return Err(ConfigError::Invalid(format!(
                "demo.households must be 2 to {}",
                Demo::HOUSEHOLDS_MAX
            )));
        }
        if self.demo.rules_permille > 1_000 {
            return Err(ConfigError::Invalid("demo.rules_permille must be 0 to 1000".to_owned()));
        }
        self.accounts.validate()?;
        self.metering.validate()?;
        self.store.validate()?;
        self.mqtt.validate()?;
        self.evidence.validate()?;
        self.chain.validate()?;
        self.payouts.validate()?;
        self.plausibility.validate()?;
        self.reconciliation.validate()?;
        self.shortfall.validate()?;
        self.operator.validate()?;
        self.witness.validate()?;
        self.weather.validate(&self.demo)?;
        self.forecast.validate()?;
        self.sms.validate(self.demo.on)?;
        self.ussd.validate(self.demo.on, &self.sms)?;
        if self.mpesa.is_emulated() != self.mpesa.consumer_key.is_empty() {
            return Err(ConfigError::Invalid(
                "mpesa.base_url and mpesa.consumer_key belong together: set both for Daraja, neither for the emulator"
                    .to_owned(),
            ));
        }
        self.hooks.gate(self.mpesa.is_trial())?;
        self.mpesa.validate(&self.http.callback_base)
    }
}

/// One line for one error, with the nearest valid name for a mistyped key.
fn sentence(error: &figment::Error) -> String {
    let place = error.path.join(".");
    let source = error.metadata.as_ref().and_then(|m| m.source.as_ref()).map(ToString::to_string);
    let from = source.map_or_else(String::new, |source| format!(" (in {source})"));
    match &error.kind {
        Kind::UnknownField(field, valid) => {
            let nearest = valid
                .iter()
                .max_by(|a, b| strsim::jaro_winkler(a, field).total_cmp(&strsim::jaro_winkler(b, field)));
            let hint = nearest.map_or_else(String::new, |name| format!("; did you mean {name}?"));
            let section = if place.is_empty() { String::new() } else { format!(" in [{place}]") };
            format!("there is no setting {field}{section}{hint}{from}")
        }
        kind => format!("{place}: {kind}{from}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(toml: &str) -> Result<Config, ConfigError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("jirani.toml");
        std::fs::write(&path, toml).unwrap();
        Config::load(Some(&path))
    }

    #[test]
    fn the_commented_example_is_exactly_the_defaults() {
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../jirani.example.toml");
        let read = Config::load(Some(&example)).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), serde_json::to_value(Config::default()).unwrap());
    }

    #[test]
    fn a_mistyped_key_is_refused_with_the_nearest_name() {
        let error = load("[tariff]\nretial_cents_per_kwh = 3000\n").unwrap_err().to_string();
        assert!(error.contains("retial_cents_per_kwh"), "{error}");
        assert!(error.contains("did you mean retail_cents_per_kwh?"), "{error}");
    }

    #[test]
    fn settings_that_contradict_each_other_are_refused() {
        for (toml, word) in [
            ("[tariff]\nbuy_back_cents_per_kwh = 3100\n", "tariff"),
            ("[site]\nslot_length_s = 700\n", "slot_length_s"),
            ("[site]\ngrace_s = 900\n", "grace_s"),
            ("[metering]\nattested_price_permille = 1001\n", "attested_price_permille"),
            ("[metering]\nattested_exports = \"give\"\n", "attested_exports"),
            (
                "[[metering.devices]]\nid = \"a\"\ndefinition = \"tasmotta\"\nhousehold = 1\n",
                "did you mean tasmota?",
            ),
            (
                "[[metering.devices]]\nid = \"a\"\ndefinition = \"tasmota\"\nhousehold = 1\n",
                "import_rating_w",
            ),
            (
                "[[metering.devices]]\nid = \"a\"\ndefinition = \"tasmota\"\nhousehold = 1\nratting = 1\n",
                "ratting",
            ),
            ("[accounts]\nsession_hours = 0\n", "accounts.session_hours"),
            ("[accounts]\nshared_phone_minutes = 0\n", "accounts.shared_phone_minutes"),
            ("[accounts]\npin_for_money = \"maybe\"\n", "pin_for_money"),
            ("[demo]\nspeed = 0\n", "demo.speed"),
            ("[mqtt]\nshare = \"gateway\"\n", "mqtt.name"),
            ("[mqtt]\nname = \"a/b\"\n", "mqtt.name"),
            ("[mqtt]\nca_file = \"ca.pem\"\n", "mqtts://"),
            ("[mqtt]\nclient_cert_file = \"c.pem\"\n", "client_key_file"),
            ("[evidence]\nsegment_hours = 0\n", "evidence.segment_hours"),
            ("[mpesa]\nbase_url = \"https://sandbox.example\"\n", "consumer_key"),
            ("[demo]\nhouseholds = \"many\"\n", "households"),
            ("[mpesa]\ncollection_initiator_name = \"collector\"\n", "collection_initiator_password"),
            ("[mpesa]\nrequest_burst = 0\n", "request_burst"),
            ("[hooks]\nallowed = [\"safricom\"]\n", "hooks.address"),
            ("[mpesa]\nbase_url = \"https://d.example\"\nconsumer_key = \"k\"\n", "mpesa.callback_url"),
            (
                "[http]\ncallback_base = \"https://mpesa.example\"\n[mpesa]\nbase_url = \"https://d.example\"\nconsumer_key = \"k\"\n",
                "mpesa.callback_word",
            ),
            ("[chain]\nrpc_url = \"https://rpc.example\"\n", "chain.genesis_hash"),
            ("[chain]\ncluster = \"devnat\"\n", "chain.cluster"),
            ("[chain]\nprogram = \"here\"\n", "chain.program"),
            ("[chain]\npriority_fee_floor_lamports = 100001\n", "cap"),
            ("[chain]\ncommitment = \"processed\"\n", "commitment"),
            ("[chain.keys]\npayer = [1, 2]\n", "64 bytes"),
            ("[witness]\nurl = \"http://w\"\n", "witness.key"),
            ("[ussd]\nsecret = \"short\"\n", "ussd.secret"),
            ("[demo]\non = false\n[ussd]\non = true\n", "JIRANI__USSD__SECRET"),
            (
                "[demo]\non = false\n[ussd]\non = true\nsecret = \"0123456789abcdef01234567\"\n",
                "sms.base_url",
            ),
            ("[sms]\nbase_url = \"https://s.example\"\n", "demo.on"),
            ("[demo]\non = false\n[sms]\nbase_url = \"https://s.example\"\n", "JIRANI__SMS__API_KEY"),
            (
                "[demo]\non = false\n[sms]\nbase_url = \"http://s.example\"\nusername = \"u\"\napi_key = \"k\"\n",
                "https",
            ),
            (
                "[demo]\non = false\n[sms]\nbase_url = \"https://s.example\"\nusername = \"u\"\napi_key = \"k\"\n",
                "JIRANI__USSD__SECRET",
            ),
            ("[sms]\nquiet_from_hour = 24\n", "0 to 23"),
            ("[forecast]\nevery_days = 0\n", "forecast.every_days"),
            ("[forecast]\nrows_max = 10\n", "forecast.rows_max"),
            ("[weather]\nprovider = \"open_meteo\"\n", "demo.on"),
            ("[weather]\nprovider = \"file\"\n", "weather.file"),
            ("[weather]\nprovider = \"sunny\"\n", "weather.provider"),
            ("[weather]\nurl = \"http://weather.example\"\n", "https://"),
            ("[weather]\nurl = \"https://weather.example?apikey=k\"\n", "JIRANI__WEATHER__API_KEY"),
            (
                "[witness]\nurl = \"http://w\"\nkey = \"11111111111111111111111111111111\"\ntoken = \"short\"\n",
                "witness.token",
            ),
        ] {
            let error = load(toml).unwrap_err().to_string();
            assert!(error.contains(word), "{toml}: {error}");
            assert!(!error.contains('\n'), "one line: {error}");
        }
    }

    #[test]
    fn a_named_file_must_exist() {
        let error = Config::load(Some(Path::new("no-such.toml"))).unwrap_err().to_string();
        assert!(error.starts_with("config.missing"), "{error}");
    }

    #[test]
    fn a_cluster_is_expected_by_its_first_block_and_keys_stay_unseen() {
        let key: Vec<String> =
            solana_keypair::Keypair::new_from_array([7; 32]).to_bytes().iter().map(u8::to_string).collect();
        let key = key.join(", ");
        let toml = format!(
            "[chain]\nrpc_url = \"https://rpc.example\"\ncluster = \"devnet\"\n[chain.keys]\npayer = \"p.json\"\noracle = [{key}]\nadmin = \"[{key}]\"\n"
        );
        let config = load(&toml).unwrap();
        assert!(config.chain.expected_genesis().unwrap().starts_with("EtWTRAB"));
        assert!(matches!(config.chain.keys.payer, KeySetting::File(_)));
        assert!(matches!(
            (&config.chain.keys.oracle, &config.chain.keys.admin),
            (KeySetting::Key(_), KeySetting::Key(_))
        ));
        let shown = format!("{config:?} {}", toml::to_string(&config).unwrap());
        assert!(!shown.contains(&key[..20]), "{shown}");
        assert_eq!(config.chain.ws_url("http://127.0.0.1:8899"), "ws://127.0.0.1:8900");
        assert_eq!(config.chain.ws_url("https://rpc.example"), "wss://rpc.example");
        assert!(is_local("http://127.0.0.1:1") && !is_local("https://rpc.example"));
    }

    #[test]
    fn the_collecting_shortcode_may_have_its_own_initiator_and_mpesa_a_pace() {
        let config = load(
            "[mpesa]\ncollection_initiator_name = \"collector\"\ncollection_initiator_password = \"p\"\nrequest_every_ms = 12000\nrequest_patience_s = 120\n",
        )
        .unwrap();
        let options = config.mpesa.options(Some("a certificate"));
        assert_eq!(options.collection_initiator.unwrap().name, "collector");
        assert_eq!(options.pace, jirani_daraja::Pace::safaricom_sandbox());
        let quiet = Config::default().mpesa.options(Some("a certificate"));
        assert!(quiet.collection_initiator.is_none());
        assert_eq!(quiet.pace, jirani_daraja::Pace::default());
    }

    #[test]
    fn secrets_never_show_in_debug() {
        let config = load("[http]\ncallback_base = \"https://pay.example.co.ke\"\n[mpesa]\nbase_url = \"https://d.example\"\nconsumer_key = \"k\"\nconsumer_secret = \"hush\"\npasskey = \"hush\"\ninbox_token = \"hush\"\ncollection_initiator_name = \"c\"\ncollection_initiator_password = \"hush\"\n[inbox]\ntoken = \"hush\"\n[witness]\ntoken = \"hush\"\n[sms]\napi_key = \"hush\"\n[ussd]\nsecret = \"hush-hush-hush-hush-hush-hush\"\n[metering]\nbridge_password = \"hush\"\n[weather]\napi_key = \"hush\"\n")
            .unwrap();
        assert!(!format!("{config:?}").contains("hush"));
    }
}
