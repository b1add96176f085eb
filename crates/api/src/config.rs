//! What the API is given: settings, and the parts it talks to.

use crate::accounts::AccountsConfig;
use crate::auth::token::TokenSource;
use crate::dto::config::{ClusterView, PlaceView};
use crate::ports::{Advice, AuditRunner, Trading};
use crate::ussd::UssdConfig;
use jirani_chain::EnergyChain;
use jirani_clock::ServiceClock;
use jirani_market::Tariffs;
use jirani_notify::{Handsets, Sms};
use jirani_oracle::enrolment::Enrolment;
use jirani_store::{Events, Store};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use subtle::ConstantTimeEq as _;

/// Twelve hours, in seconds.
pub const SESSION_S: u32 = 12 * 60 * 60;

/// Settings.
#[derive(Clone, Debug)]
pub struct ApiConfig {
    /// Where [`crate::Api::start`] listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Folder of the built dashboard; None serves a page that says how to build it.
    pub web_dir: Option<PathBuf>,
    /// Anybody may sign in as anybody.
    pub demo: bool,
    /// How long a session lasts on the service clock, in seconds. An accelerated
    /// village multiplies [`SESSION_S`] by its speed, or people are signed out
    /// in the middle of a sentence.
    pub session_s: u32,
    /// Cookies only over HTTPS: on wherever the public address is HTTPS.
    pub secure_cookies: bool,
    /// Length of a slot, in seconds.
    pub slot_length_s: u32,
    /// Times as fast as real time; None when as fast as it can.
    pub speed: Option<u32>,
    /// Prices, by the moment.
    pub tariffs: Tariffs,
    /// The mini-grid's name: who issues documents.
    pub site_name: String,
    /// Where the mini-grid stands, if known.
    pub place: Option<PlaceView>,
    /// Page of the virtual phones, with the emulator.
    pub phones_url: Option<String>,
    /// The chain's name and explorer.
    pub cluster: ClusterView,
    /// What one client may ask for at most.
    pub limits: Limits,
    /// What the gateway of phones and text messages shows; None closes its doors.
    pub gateway: Option<GatewaySecret>,
    /// Who people are, and what they prove.
    pub accounts: AccountsConfig,
    /// The menus of phones; None closes their door. Text messages have their own.
    pub ussd: Option<UssdConfig>,
}

/// The segment of the paths that only the gateway of phones and text messages knows, since
/// it signs nothing.
#[derive(Clone)]
pub struct GatewaySecret(String);

impl GatewaySecret {
    /// None when empty: no door opens to nothing.
    pub fn new(secret: String) -> Option<Self> {
        (!secret.is_empty()).then_some(Self(secret))
    }

    /// Whether `said` is it, in a time that does not depend on where they differ.
    pub(crate) fn is(&self, said: &str) -> bool {
        self.0.as_bytes().ct_eq(said.as_bytes()).into()
    }
}

impl std::fmt::Debug for GatewaySecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("GatewaySecret")
    }
}

/// What one client may ask for at most. None: no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Offers, orders, quotes and payouts of one session, a minute of real time.
    pub money_per_minute: Option<u32>,
    /// Sign-ins from one address, a minute of real time.
    pub sessions_per_minute: Option<u32>,
    /// Live event streams of one session at a time.
    pub streams_per_session: u32,
    /// Live event streams in all.
    pub streams: u32,
    /// Connections in all.
    pub connections: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            money_per_minute: Some(60),
            sessions_per_minute: Some(20),
            streams_per_session: 8,
            streams: 2_048,
            connections: 4_096,
        }
    }
}

impl Limits {
    /// For a simulated village, whose households all come from one address.
    pub const fn village() -> Self {
        Self {
            money_per_minute: None,
            sessions_per_minute: None,
            streams_per_session: 64,
            streams: 2_048,
            connections: 4_096,
        }
    }
}

/// The parts the API talks to.
#[derive(Clone)]
pub struct ApiDeps {
    /// Everything stored.
    pub store: Arc<dyn Store>,
    /// Everything on chain.
    pub chain: Arc<dyn EnergyChain>,
    /// Trades and payouts.
    pub trading: Arc<dyn Trading>,
    /// Forecasts and advice.
    pub advice: Arc<dyn Advice>,
    /// Recomputes the invariants.
    pub audit: Arc<dyn AuditRunner>,
    /// Time, and the count of work under way.
    pub clock: ServiceClock,
    /// Word of changes.
    pub events: Events,
    /// Where tokens come from.
    pub tokens: TokenSource,
    /// Text messages; None where nobody sends them.
    pub phones: Option<Phones>,
    /// Enrolment of meters; None where nobody enrols them.
    pub meters: Option<Arc<Enrolment>>,
}

/// How phones are reached.
#[derive(Clone)]
pub struct Phones {
    /// The gateway of text messages.
    pub sms: Arc<dyn Sms>,
    /// The phones themselves, in a demonstration.
    pub handsets: Option<Arc<Handsets>>,
}
