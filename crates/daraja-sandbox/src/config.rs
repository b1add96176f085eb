//! What the emulator is told.

use jirani_units::{Cents, Msisdn};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

/// Everything about one emulator. The defaults are those its README names.
#[derive(Clone, Debug)]
pub struct SandboxConfig {
    /// Where to listen; only addresses of this machine.
    pub listen: SocketAddr,
    /// Folder of the state (`mpesa.db`); in memory when `None`.
    pub data_dir: Option<PathBuf>,
    /// Seed of ids, receipts, delays and automatic answers.
    pub seed: u64,
    /// Consumer key of the one app.
    pub consumer_key: String,
    /// Consumer secret of the one app.
    pub consumer_secret: String,
    /// The PayBill that collects.
    pub collection: Shortcode,
    /// Its passkey.
    pub passkey: String,
    /// The shortcode that pays out.
    pub payout: Shortcode,
    /// API user of the payout shortcode.
    pub initiator_name: String,
    /// How security credentials are checked; any text is taken when `None`.
    pub initiator_check: Option<InitiatorCheck>,
    /// What the payout shortcode's utility account starts with.
    pub opening_float: Cents,
    /// Charges for payouts.
    pub charges: Vec<ChargeBand>,
    /// How phones answer that are not named in `phones`.
    pub default_mode: PhoneMode,
    /// Phones known from the start.
    pub phones: BTreeMap<Msisdn, PhoneSetup>,
    /// What a customer has when first seen.
    pub customer_opening: Cents,
    /// Whether a customer who lacks money for a payment is topped up first.
    pub refill: bool,
    /// How long a prompt stays on the phone, in seconds.
    pub prompt_timeout_s: u32,
    /// Shortest and longest time until an automatic answer, in milliseconds.
    pub answer_delay_ms: (u32, u32),
    /// Shortest and longest time until a payout's result, in milliseconds.
    pub payout_delay_ms: (u32, u32),
    /// What happens to callbacks that are not received.
    pub delivery: Delivery,
    /// What a second prompt to one phone gets while the first is open.
    pub second_prompt: SecondPrompt,
    /// STK queries allowed per minute (Daraja's sandbox: 5); no limit when `None`.
    pub queries_per_minute: Option<u32>,
}

impl Default for SandboxConfig {
    fn default() -> Self {
        let shortcode = |code: &str, name: &str| Shortcode { code: code.to_owned(), name: name.to_owned() };
        let band =
            |up_to_shillings, shillings: i64| ChargeBand { up_to_shillings, charge: Cents(shillings * 100) };
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            data_dir: None,
            seed: 1,
            consumer_key: "sandbox-key".to_owned(),
            consumer_secret: "sandbox-secret".to_owned(),
            collection: shortcode("600966", "Jirani Energy"),
            passkey: "sandbox-passkey".to_owned(),
            payout: shortcode("600992", "Jirani Energy"),
            initiator_name: "apiuser".to_owned(),
            initiator_check: None,
            opening_float: Cents(100_000_000),
            charges: vec![band(100, 0), band(1_500, 5), band(5_000, 9), band(20_000, 11)],
            default_mode: PhoneMode::ByHand,
            phones: BTreeMap::new(),
            customer_opening: Cents(10_000_000),
            refill: true,
            prompt_timeout_s: 60,
            answer_delay_ms: (2_000, 8_000),
            payout_delay_ms: (3_000, 9_000),
            delivery: Delivery::Once,
            second_prompt: SecondPrompt::Refuse,
            queries_per_minute: None,
        }
    }
}

impl SandboxConfig {
    /// M-Pesa's charge for a payout of this many whole shillings.
    pub fn charge(&self, shillings: i64) -> Cents {
        let band = self.charges.iter().find(|band| shillings <= band.up_to_shillings);
        band.or(self.charges.last()).map_or(Cents::ZERO, |band| band.charge)
    }
}

/// A business number at M-Pesa.
#[derive(Clone, Debug)]
pub struct Shortcode {
    /// 5 to 7 digits.
    pub code: String,
    /// Shown on prompts and in messages.
    pub name: String,
}

/// One band of the charges for payouts; the last one also holds above its end.
#[derive(Clone, Copy, Debug)]
pub struct ChargeBand {
    /// Last whole shilling of the band.
    pub up_to_shillings: i64,
    /// The charge.
    pub charge: Cents,
}

/// Lets the emulator open security credentials, as M-Pesa does.
#[derive(Clone)]
pub struct InitiatorCheck {
    /// The initiator's password.
    pub password: String,
    /// PKCS#8 private key in PEM whose certificate the client encrypts to.
    pub private_key_pem: String,
}

impl std::fmt::Debug for InitiatorCheck {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("InitiatorCheck(***)")
    }
}

/// A phone known from the start.
#[derive(Clone, Debug, Default)]
pub struct PhoneSetup {
    /// Whose it is; a made-up first name when empty.
    pub name: String,
    /// How it answers; the default mode when `None`.
    pub mode: Option<PhoneMode>,
}

/// How a phone answers prompts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "mode", rename_all = "snake_case")]
pub enum PhoneMode {
    /// A person answers on the phone's page (or a test over JSON).
    ByHand,
    /// It answers by itself, after a seeded delay.
    Automatic(Behaviour),
}

/// How often an automatic phone does not pay, in thousandths; else it pays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Behaviour {
    /// Cancels (1032).
    pub cancel_per_mille: u16,
    /// Stays silent (1037).
    pub silent_per_mille: u16,
    /// Has not enough money (1).
    pub insufficient_per_mille: u16,
}

impl Behaviour {
    /// Pays every prompt.
    pub const ALWAYS_PAYS: Self =
        Self { cancel_per_mille: 0, silent_per_mille: 0, insufficient_per_mille: 0 };
}

impl Default for Behaviour {
    fn default() -> Self {
        Self { cancel_per_mille: 20, silent_per_mille: 20, insufficient_per_mille: 20 }
    }
}

/// What happens to callbacks that are not received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Like M-Pesa: one HTTP exchange, whatever is answered. A callback that
    /// found nobody listening is tried again when the emulator next starts.
    Once,
    /// Again and again until a 2xx answer.
    UntilAccepted,
}

/// What a second prompt to one phone gets while the first is open. Both have
/// been seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecondPrompt {
    /// "Unable to lock subscriber".
    Refuse,
    /// It is shown after the first.
    Queue,
}
