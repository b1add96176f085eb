//! `jirani chain ...`: the operator's tools, for any cluster.

use clap::{Args, Subcommand, ValueEnum};
use jirani_chain::Address;
use jirani_chain::keyring::Role;
use std::path::PathBuf;

/// `jirani chain`
#[derive(Args)]
pub struct ChainArguments {
    /// Where, as whom and how.
    #[command(flatten)]
    pub access: Access,
    /// What to do.
    #[command(subcommand)]
    pub command: ChainCommand,
}

/// Where the chain is, whose keys are used, and what is done with a transaction.
#[derive(Args)]
pub struct Access {
    /// A node's JSON-RPC, or mainnet-beta, devnet, testnet for Solana's own nodes.
    ///
    /// Without it: chain.rpc_url, or the embedded chain of a running `jirani up`.
    #[arg(long, global = true, value_name = "URL")]
    pub url: Option<String>,
    /// Address of the energy program; chain.program without it.
    #[arg(long, global = true, value_name = "ADDRESS")]
    pub program: Option<Address>,
    /// A key file for a role, instead of chain.keys.ROLE and <data_dir>/keys/ROLE.json.
    ///
    /// May be repeated; oracle also for several oracles. Roles: payer, admin, oracle,
    /// attestor, custodian, pause_key, upgrade_authority, and signer for anybody else
    /// (the next admin, a household's authority).
    #[arg(long = "key", global = true, value_name = "ROLE=FILE")]
    pub keys: Vec<KeyFile>,
    /// Rehearses the transaction and prints its compute units and fee; sends nothing.
    ///
    /// Needs no key but the payer's address.
    #[arg(long, global = true)]
    pub dry_run: bool,
    /// Prints one JSON object instead of text.
    #[arg(long, global = true)]
    pub json: bool,
    /// Writes the unsigned transaction here for keys on other machines; sends nothing.
    ///
    /// Sign it with `jirani chain sign` and send it with `jirani chain submit` within
    /// its blockhash's life: about half a minute on mainnet.
    #[arg(long, global = true, value_name = "FILE", conflicts_with = "dry_run")]
    pub export: Option<PathBuf>,
    /// Who pays the fee of a dry run or an exported transaction, where its key is not here.
    #[arg(long, global = true, value_name = "ADDRESS")]
    pub payer: Option<Address>,
}

/// `ROLE=FILE`
#[derive(Clone, Debug)]
pub struct KeyFile {
    /// The role.
    pub role: Role,
    /// The file.
    pub path: PathBuf,
}

impl std::str::FromStr for KeyFile {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (role, path) =
            text.split_once('=').ok_or("write ROLE=FILE, for example admin=keys/admin.json")?;
        let role = Role::from_name(role).ok_or_else(|| format!("there is no role {role}"))?;
        Ok(Self { role, path: PathBuf::from(path) })
    }
}

/// `jirani chain ...`
#[derive(Subcommand)]
pub enum ChainCommand {
    /// State, program, authorities, limits and today's use, on one page.
    ///
    /// Exits 1 unless the chain is ready, slow or paused.
    Status,
    /// The program's accounts with their rent, as tables.
    Accounts(AccountsArguments),
    /// Makes key files.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Asks the cluster for lamports for the payer; devnet and embedded chains give them.
    Airdrop {
        /// A billion are one SOL.
        #[arg(default_value_t = 1_000_000_000, value_name = "LAMPORTS")]
        lamports: u64,
    },
    /// Creates Config and mint; signed by the program's upgrade authority. Safe to repeat.
    ///
    /// Addresses come from the flags, else from the key files at hand; prices from [tariff].
    Init(Box<InitArguments>),
    /// Names the next admin, who takes over by `accept-admin`.
    ProposeAdmin {
        /// The next admin; `none` takes a proposal back.
        #[arg(value_name = "ADDRESS|none")]
        admin: Somebody,
    },
    /// The proposed admin takes over (--key signer=FILE).
    AcceptAdmin,
    /// Replaces the oracle set. What was attested for the old version is refused from then on.
    RotateOracle {
        /// The new members, all of them.
        #[arg(required = true, num_args = 1..=8, value_name = "ADDRESS")]
        members: Vec<Address>,
        /// How many of them must sign.
        #[arg(long, value_name = "N")]
        threshold: u8,
    },
    /// Replaces the attestors, who settle and release.
    RotateAttestor {
        /// The new attestors, all of them.
        #[arg(required = true, num_args = 1..=4, value_name = "ADDRESS")]
        attestors: Vec<Address>,
        /// What each may move in a day.
        #[command(flatten)]
        caps: DailyCaps,
    },
    /// Replaces the custodian, who acts for households without keys of their own.
    RotateCustodian {
        /// The new custodian.
        #[arg(value_name = "ADDRESS")]
        custodian: Address,
        /// What it may move in a day.
        #[command(flatten)]
        caps: DailyCaps,
    },
    /// Replaces the key that may pause.
    SetPauseKey {
        /// The new pause key.
        #[arg(value_name = "ADDRESS")]
        key: Address,
    },
    /// Sets the bounds on prices; those of [tariff] without flags.
    SetTariff(TariffArguments),
    /// Sets windows and limits; what has no flag stays.
    SetLimits(LimitsArguments),
    /// Sets daily caps and holds; what has no flag stays.
    SetCaps(CapsArguments),
    /// Pauses the market: no attesting, posting, ordering, settling; refunds go on.
    Pause,
    /// Ends the pause (admin).
    Resume,
    /// Stops the mint itself: no token moves at all (admin).
    HardStop,
    /// Lets tokens move again; the market stays paused until `resume` (admin).
    LiftHardStop,
    /// Gives a household another meter, another epoch or other ratings (admin).
    ReplaceMeter(ReplaceMeterArguments),
    /// Proposes another authority for a household; it waits for the delay.
    ProposeAuthority {
        /// The household.
        #[arg(value_name = "HOUSEHOLD")]
        household: u32,
        /// Who shall sign for it; `custodian` makes it custodial.
        #[arg(value_name = "ADDRESS|custodian")]
        authority: Somebody,
    },
    /// Takes a proposed authority back.
    CancelAuthority {
        /// The household.
        #[arg(value_name = "HOUSEHOLD")]
        household: u32,
    },
    /// The proposed authority takes over (--key signer=FILE; the admin for a custodial one).
    AcceptAuthority {
        /// The household.
        #[arg(value_name = "HOUSEHOLD")]
        household: u32,
    },
    /// Closes an empty household; its rent goes back (admin). Not for one that has counted:
    /// retire its meter, since its feeder's losses go on from its registers.
    CloseHousehold {
        /// The household.
        #[arg(value_name = "HOUSEHOLD")]
        household: u32,
        /// Its feeder has ended: nothing of it is attested any more.
        #[arg(long)]
        feeder_ended: bool,
    },
    /// Adds export or import that the registers missed (admin and oracles).
    Adjust(AdjustArguments),
    /// Closes the markers whose time is over; their rent goes back.
    CloseMarkers,
    /// Gives an unpaid order up.
    ReleaseOrder {
        /// The buyer.
        #[arg(value_name = "HOUSEHOLD")]
        buyer: u32,
        /// The buyer's order.
        #[arg(value_name = "ORDER")]
        order: u64,
        /// Why.
        #[arg(long, default_value = "timeout")]
        reason: Reason,
    },
    /// Returns what is left of expired offers to their sellers.
    ExpireOffers,
    /// Makes the index of the chain anew, from the node's history.
    ///
    /// Says whether what was kept was the same byte for byte, and exits 1 if not. Nothing
    /// may run on the data folder meanwhile.
    Rebuild,
    /// Signs an exported transaction with every key at hand that it needs.
    ///
    /// Prints what the transaction does, read from its own bytes; works without a network.
    Sign {
        /// The exported file; its signatures are added to it.
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Joins signed copies of an exported transaction and sends it.
    Submit {
        /// Copies of one transaction.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
}

/// An address, or nobody.
#[derive(Clone, Copy, Debug)]
pub struct Somebody(pub Option<Address>);

impl std::str::FromStr for Somebody {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "none" | "custodian" => Ok(Self(None)),
            _ => text.parse().map(|address| Self(Some(address))).map_err(|error| format!("{error}")),
        }
    }
}

/// `jirani chain accounts`
#[derive(Args)]
pub struct AccountsArguments {
    /// Only these.
    #[arg(value_enum)]
    pub kind: Option<AccountKind>,
    /// Only what belongs to this household, as seller or buyer.
    #[arg(long, value_name = "N")]
    pub household: Option<u32>,
    /// Only what is over: expired offers, orders past their grace, markers that may be closed.
    #[arg(long)]
    pub over: bool,
}

/// A kind of account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum AccountKind {
    /// Households with their vaults.
    Households,
    /// Offers with their escrows.
    Offers,
    /// Open orders.
    Orders,
    /// Markers of used proofs.
    Markers,
}

/// `jirani chain keys ...`
#[derive(Subcommand)]
pub enum KeysCommand {
    /// Makes a key file per role, readable by its owner only; never overwrites one.
    ///
    /// Prints the public keys. Each role gets its own key: what the theft of one can cost is
    /// bounded by the program, of two in one not.
    Generate {
        /// payer, admin, oracle, attestor, custodian, pause_key, upgrade_authority.
        #[arg(required_unless_present = "all", value_name = "ROLE", value_parser = role)]
        roles: Vec<Role>,
        /// Every role.
        #[arg(long, conflicts_with = "roles")]
        all: bool,
        /// Where; <data_dir>/keys without it.
        #[arg(long, value_name = "FOLDER")]
        folder: Option<PathBuf>,
    },
    /// Prints the public keys at hand.
    Show,
}

fn role(name: &str) -> Result<Role, String> {
    Role::from_name(name)
        .filter(|role| *role != Role::Signer)
        .ok_or_else(|| format!("there is no role {name}; one of {}", Role::ALL.map(Role::name).join(", ")))
}

/// What a key may move in one UTC day.
#[derive(Args, Clone, Copy)]
pub struct DailyCaps {
    /// Energy per day, Wh.
    #[arg(long, default_value_t = 1_000_000, value_name = "WH")]
    pub cap_wh: u64,
    /// Money per day, cents.
    #[arg(long, default_value_t = 3_500_000, value_name = "CENTS")]
    pub cap_cents: u64,
    /// No daily caps: what the theft of the key costs is bounded by nothing but detection.
    #[arg(long)]
    pub no_caps: bool,
}

/// `jirani chain init`
#[derive(Args)]
pub struct InitArguments {
    /// Admin.
    #[arg(long, value_name = "ADDRESS")]
    pub admin: Option<Address>,
    /// Who may pause.
    #[arg(long, value_name = "ADDRESS")]
    pub pause_key: Option<Address>,
    /// An oracle; repeat for several.
    #[arg(long = "oracle", value_name = "ADDRESS")]
    pub oracles: Vec<Address>,
    /// How many oracles must sign.
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub threshold: u8,
    /// An attestor; repeat for several.
    #[arg(long = "attestor", value_name = "ADDRESS")]
    pub attestors: Vec<Address>,
    /// Custodian.
    #[arg(long, value_name = "ADDRESS")]
    pub custodian: Option<Address>,
    /// What each attestor and the custodian may move in a day.
    #[command(flatten)]
    pub daily: DailyCaps,
    /// Windows and limits.
    #[command(flatten)]
    pub limits: LimitsArguments,
    /// Daily caps and holds.
    #[command(flatten)]
    pub caps: CapsArguments,
}

/// `jirani chain set-tariff`, in cents per kWh.
#[derive(Args)]
pub struct TariffArguments {
    /// What the operator sells at, all in.
    #[arg(long, value_name = "CENTS")]
    pub retail: Option<u32>,
    /// What the operator buys at.
    #[arg(long, value_name = "CENTS")]
    pub buy_back: Option<u32>,
    /// Highest grid fee.
    #[arg(long, value_name = "CENTS")]
    pub grid_fee: Option<u32>,
    /// Highest tax.
    #[arg(long, value_name = "CENTS")]
    pub tax: Option<u32>,
}

/// `jirani chain set-limits`; seconds.
#[derive(Args)]
pub struct LimitsArguments {
    /// How long an order may be paid.
    #[arg(long, value_name = "S")]
    pub order_window_s: Option<u32>,
    /// How long after that a proof counts.
    #[arg(long, value_name = "S")]
    pub order_grace_s: Option<u32>,
    /// How long a used proof's marker stays, at least.
    #[arg(long, value_name = "S")]
    pub marker_retention_s: Option<u32>,
    /// Longest life of an offer.
    #[arg(long, value_name = "S")]
    pub offer_life_max_s: Option<u32>,
    /// How long a change of authority waits.
    #[arg(long, value_name = "S")]
    pub authority_delay_s: Option<u32>,
    /// How far ahead of the chain's clock a slot or payment may lie.
    #[arg(long, value_name = "S")]
    pub clock_skew_s: Option<u32>,
    /// What a bucket holds: this long at the meter's rating.
    #[arg(long, value_name = "S")]
    pub bucket_s: Option<u32>,
    /// Offers a household may have at once.
    #[arg(long, value_name = "N")]
    pub open_offers_max: Option<u16>,
    /// Orders a household may have at once.
    #[arg(long, value_name = "N")]
    pub open_orders_max: Option<u16>,
}

/// `jirani chain set-caps`
#[derive(Args)]
pub struct CapsArguments {
    /// Energy that adjustments may add in a day, Wh.
    #[arg(long, value_name = "WH")]
    pub adjustment_wh: Option<u64>,
    /// Energy that a household may withdraw in a day, Wh; 0 switches it off.
    #[arg(long, value_name = "WH")]
    pub withdrawal_wh: Option<u64>,
    /// Energy that a household's open orders may hold, Wh.
    #[arg(long, value_name = "WH")]
    pub held_wh: Option<u64>,
    /// Orders that a household may leave unpaid in a day.
    #[arg(long, value_name = "N")]
    pub unpaid_orders: Option<u32>,
}

/// `jirani chain replace-meter`
#[derive(Args)]
pub struct ReplaceMeterArguments {
    /// The household.
    #[arg(value_name = "HOUSEHOLD")]
    pub household: u32,
    /// Ed25519 key of the meter, as an address; the present one without it.
    #[arg(long, value_name = "ADDRESS")]
    pub meter_key: Option<Address>,
    /// Epoch of its registers; without it the present one, or the next for another meter.
    #[arg(long, value_name = "N")]
    pub meter_epoch: Option<u32>,
    /// Plausible export, W; the present one without it.
    #[arg(long, value_name = "W")]
    pub export_rating_w: Option<u32>,
    /// Plausible import, W; the present one without it.
    #[arg(long, value_name = "W")]
    pub import_rating_w: Option<u32>,
    /// Export register that counts as zero, Wh; needed for another meter or epoch.
    #[arg(long, value_name = "WH")]
    pub initial_export_wh: Option<u64>,
    /// Import register that counts as zero, Wh; needed for another meter or epoch.
    #[arg(long, value_name = "WH")]
    pub initial_import_wh: Option<u64>,
}

/// `jirani chain adjust`
#[derive(Args)]
pub struct AdjustArguments {
    /// The household.
    #[arg(value_name = "HOUSEHOLD")]
    pub household: u32,
    /// Export that was missed, Wh; it is minted.
    #[arg(long, default_value_t = 0, value_name = "WH")]
    pub export_wh: u64,
    /// Import that was missed, Wh; it is burned.
    #[arg(long, default_value_t = 0, value_name = "WH")]
    pub import_wh: u64,
    /// Why; its SHA-256 goes on chain, so no name or number can leak. Keep the text.
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// An oracle whose key is on another machine (with --export); repeat for several.
    #[arg(long = "oracle", value_name = "ADDRESS")]
    pub oracles: Vec<Address>,
}

/// Why an order is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Reason {
    /// The payer or M-Pesa said no for good.
    Refused,
    /// No proof in time.
    Timeout,
    /// Less was paid than due.
    Short,
    /// Released under a pause.
    Paused,
}
