//! What a screen must know before anybody signs in.

use super::Time;
use jirani_chain::Readiness;
use jirani_market::Tariff;
use serde::Serialize;
use utoipa::ToSchema;

/// What a screen must know before anybody signs in.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ConfigView {
    /// Whether anybody may sign in as any household: a demonstration.
    pub demo: bool,
    /// The server's time: simulated in a simulated village.
    pub now: Time,
    /// Length of a settlement interval, in seconds.
    pub slot_length_s: u32,
    /// Times as fast as real time; null when as fast as it can.
    pub speed: Option<u32>,
    /// Prices in force.
    pub tariff: TariffView,
    /// Prices that were announced and begin next; null when none were.
    pub next_tariff: Option<NextTariffView>,
    /// Where the mini-grid stands; null when the rules of the sun are off.
    pub place: Option<PlaceView>,
    /// Page of the virtual phones; null with the real M-Pesa.
    pub phones_url: Option<String>,
    /// The chain that keeps the tokens.
    pub cluster: ClusterView,
    /// How long a placed order may be paid, in seconds.
    pub order_window_s: u32,
    /// How long after that a proof of payment still counts, in seconds.
    pub order_grace_s: u32,
}

/// The operator's published prices, in cents per kWh.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct TariffView {
    /// What the operator sells at, all in.
    pub retail_cents_per_kwh: u32,
    /// What the operator buys at.
    pub buy_back_cents_per_kwh: u32,
    /// Grid fee on energy traded.
    pub grid_fee_cents_per_kwh: u32,
    /// Taxes on energy traded.
    pub tax_cents_per_kwh: u32,
    /// Lowest price an offer may ask: the buy-back price.
    pub offer_price_min_cents_per_kwh: u32,
    /// Highest price an offer may ask: retail less fee and tax.
    pub offer_price_max_cents_per_kwh: u32,
}

impl From<&Tariff> for TariffView {
    fn from(tariff: &Tariff) -> Self {
        Self {
            retail_cents_per_kwh: tariff.retail.0,
            buy_back_cents_per_kwh: tariff.buy_back.0,
            grid_fee_cents_per_kwh: tariff.grid_fee.0,
            tax_cents_per_kwh: tariff.tax.0,
            offer_price_min_cents_per_kwh: tariff.offer_price_min().0,
            offer_price_max_cents_per_kwh: tariff.offer_price_max().0,
        }
    }
}

/// Prices that begin later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct NextTariffView {
    /// First moment in force.
    pub from: Time,
    /// The prices.
    pub tariff: TariffView,
}

/// A place on earth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct PlaceView {
    /// North is positive; millionths of a degree.
    pub latitude_microdegrees: i32,
    /// East is positive; millionths of a degree.
    pub longitude_microdegrees: i32,
}

/// A Solana cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ClusterView {
    /// `embedded`, `devnet`, `mainnet-beta`.
    pub name: String,
    /// Explorer for links to transactions, with `{signature}` where the signature goes; null when there is none.
    pub explorer_url: Option<String>,
}

/// The server answers.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct Health {
    /// Always true: a server that is not well does not answer.
    pub ok: bool,
}

/// The server can do its work.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ReadyView {
    /// Always true: a server that is not ready answers with an error that says why.
    pub ok: bool,
    /// The chain.
    pub chain: ChainStateView,
}

/// How the chain stands towards our work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ChainStateView {
    /// `ready`, `slow`, `paused`, `payer_unfunded`, `not_initialised`, `program_missing`, `behind`,
    /// `wrong_cluster` or `rpc_down`.
    pub state: String,
    /// What it means and what to do about it.
    pub sentence: String,
}

impl From<Readiness> for ChainStateView {
    fn from(readiness: Readiness) -> Self {
        Self { state: readiness.state.word().to_owned(), sentence: readiness.sentence }
    }
}
