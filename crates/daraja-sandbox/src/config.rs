//! What the emulator is told.

use crate::scenario::Scenario;
use crate::tariff::{Bouquet, ChargeBand, PayBillBand, paybill_bands, payout_bands};
use jirani_units::{Cents, Msisdn};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

/// Everything about one emulator. The defaults are those its README names.
#[derive(Clone, Debug)]
pub struct SandboxConfig {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Who may reach it; an address that is not this machine's is refused for
    /// [`Reach::ThisMachine`].
    pub reach: Reach,
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
    /// Its passkey, and that of every other shortcode.
    pub passkey: String,
    /// Further shortcodes that collect, each with its own accounts.
    pub more_shortcodes: Vec<Shortcode>,
    /// Tills: head office (store) number to till number. Such a shortcode takes
    /// Buy Goods prompts; without one it is a PayBill.
    pub tills: BTreeMap<String, String>,
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
    /// Charges for payments to a PayBill.
    pub paybill_charges: Vec<PayBillBand>,
    /// Who bears them; [`Bouquet::Free`] takes none.
    pub bouquet: Bouquet,
    /// Which account of a shortcode collections land in, and B2B takes from.
    /// Sources differ: Daraja's pages say utility, one production shortcode working.
    pub collections_land: Landing,
    /// What customers may do.
    pub limits: Limits,
    /// Wrong initiator passwords in a row until the initiator is locked (8006).
    pub initiator_tries: u32,
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
    /// What a query says of a prompt that is still open.
    pub in_flight: InFlight,
    /// Seconds within which the same amount asked of the same customer again
    /// ends in result 17 (Daraja's page: 120); 0 takes no notice.
    pub repeat_rule_s: u32,
    /// Whether C2B addresses can be registered again.
    pub registration: Registration,
    /// Whether M-Pesa asks the validation address before a payment by hand;
    /// off at M-Pesa too, until asked for.
    pub c2b_validation: bool,
    /// Rows on one page of a pull query.
    pub pull_page: usize,
    /// How many finished prompts, payouts and movements are kept in memory (and
    /// finished prompts and payouts at all).
    pub history: usize,
    /// Played at the start.
    pub scenario: Option<Scenario>,
}

impl Default for SandboxConfig {
    fn default() -> Self {
        let shortcode = |code: &str, name: &str| Shortcode { code: code.to_owned(), name: name.to_owned() };
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            reach: Reach::ThisMachine,
            data_dir: None,
            seed: 1,
            consumer_key: "sandbox-key".to_owned(),
            consumer_secret: "sandbox-secret".to_owned(),
            collection: shortcode("600966", "Jirani Energy"),
            passkey: "sandbox-passkey".to_owned(),
            more_shortcodes: Vec::new(),
            tills: BTreeMap::new(),
            payout: shortcode("600992", "Jirani Energy"),
            initiator_name: "apiuser".to_owned(),
            initiator_check: None,
            opening_float: Cents(100_000_000),
            charges: payout_bands(),
            paybill_charges: paybill_bands(),
            bouquet: Bouquet::Free,
            collections_land: Landing::Utility,
            limits: Limits::default(),
            initiator_tries: 3,
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
            in_flight: InFlight::Processing,
            repeat_rule_s: 0,
            registration: Registration::Again,
            c2b_validation: false,
            pull_page: 100,
            history: 200_000,
            scenario: None,
        }
    }
}

impl SandboxConfig {
    /// M-Pesa's charge for a payout of this many whole shillings.
    pub fn charge(&self, shillings: i64) -> Cents {
        let band = self.charges.iter().find(|band| shillings <= band.up_to_shillings);
        band.or(self.charges.last()).map_or(Cents::ZERO, |band| band.charge)
    }

    /// M-Pesa's charges for a payment of this many whole shillings to a
    /// PayBill: the customer's and the business's.
    pub fn paybill_charge(&self, shillings: i64) -> (Cents, Cents) {
        self.bouquet.share(&self.paybill_charges, shillings)
    }

    /// The shortcode of this number.
    pub fn shortcode(&self, code: &str) -> Option<&Shortcode> {
        [&self.collection, &self.payout]
            .into_iter()
            .chain(&self.more_shortcodes)
            .find(|known| known.code == code)
    }

    /// Every shortcode, once.
    pub fn shortcodes(&self) -> Vec<&Shortcode> {
        let mut all: Vec<&Shortcode> = Vec::new();
        for shortcode in [&self.collection, &self.payout].into_iter().chain(&self.more_shortcodes) {
            if all.iter().all(|known| known.code != shortcode.code) {
                all.push(shortcode);
            }
        }
        all
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

/// Who may reach the emulator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Only programs on this machine. It holds fake money and asks nobody for a
    /// password, so this is the rule.
    ThisMachine,
    /// Whoever reaches the address, for a phone in the same room or a container.
    AnyMachine,
}

/// Which account collections land in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Landing {
    /// Utility, as Daraja's pages say.
    Utility,
    /// Working (MMF), as one production shortcode showed.
    Working,
}

/// What a query says of a prompt that is still open. All have been seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InFlight {
    /// HTTP 500, `500.001.1001` "The transaction is being processed".
    Processing,
    /// HTTP 200, result code `4999`.
    Pending,
    /// HTTP 200, `500.001.1001` with an empty message.
    Empty,
    /// One of them, by the seed.
    Mixed,
}

/// Whether C2B addresses can be registered again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registration {
    /// Once, as in production: "Urls are already registered".
    Once,
    /// Again and again, as in Daraja's sandbox.
    Again,
}

/// What customers may do, in whole shillings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The largest payment or payout.
    pub transaction: i64,
    /// The most a customer may pay on one day of Nairobi, and receive.
    pub daily: i64,
    /// The most a customer may hold.
    pub balance: i64,
    /// The smallest payout.
    pub smallest_payout: i64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { transaction: 250_000, daily: 500_000, balance: 500_000, smallest_payout: 10 }
    }
}
