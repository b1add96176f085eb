//! `jirani meter ...`

use super::desk::NodeArguments;
use clap::{Args, Subcommand, ValueEnum};
use jirani_meter::command::is_interval;
use jirani_units::{MeterId, Timestamp};
use std::path::PathBuf;

/// `jirani meter ...`
#[derive(Subcommand)]
pub enum MeterCommand {
    /// Writes a file that proves what was attested of a meter for a slot.
    ///
    /// Its signed readings, their way to the slot's root, and the transaction the root stands
    /// in. Reads the data folder, also while the system runs. docs/proofs.md describes it.
    Prove(ProveArguments),
    /// Claims a meter by its QR code, for a household without one or a new household.
    ///
    /// Prints the meter's password at the broker, to be typed into the meter. docs/enrolment.md
    /// describes the way from here.
    Claim(ClaimArguments),
    /// All meters: how far each one's enrolment is, when it was heard, what was refused.
    List(AskArguments),
    /// What happened to a meter, and the spans of its household's registers.
    History(NamedArguments),
    /// Has the gateway ask a claimed meter to prove that it has its key.
    Challenge(NamedArguments),
    /// Approves a meter that has proven its key, or what was asked for by `release` or `epoch`.
    /// Not by the operator who claimed it, or asked.
    Approve(ApproveArguments),
    /// Ends a claim that is not approved, or what another operator asked for.
    Reject(NamedArguments),
    /// Claims a meter that is to take another one's place.
    Replace(ReplaceArguments),
    /// Claims the new key of a meter whose registers go on.
    Rotate(ReplaceArguments),
    /// Takes a meter out of service: nothing of it is accepted any more.
    Retire(NamedArguments),
    /// Asks that a held meter is attested again: what it said first stands. Another operator
    /// approves it.
    Release(NamedArguments),
    /// Names the firmware that may run, by image hashes; what runs else is remarked.
    Firmware(FirmwareArguments),
    /// Asks that a meter's registers began anew. Another operator approves it.
    Epoch(EpochArguments),
    /// Checks such a file: signatures, registers and path alone, and root and row on chain.
    ///
    /// Needs nothing of ours but the file: any node of the cluster will do. Exits 1 when
    /// something is not so.
    Verify(VerifyArguments),
    /// Tells a meter its interval, the time or a firmware, and waits until a reading shows it.
    ///
    /// Signed by the gateway's key of the data folder, through the running system's broker.
    /// docs/metering.md describes commands. Exits 1 when no reading shows it in time.
    Command(CommandArguments),
    /// Signs a firmware's image: version, length and SHA-256.
    ///
    /// By the release key, or by the gateway's where meters pin no other.
    SignFirmware(SignFirmwareArguments),
    /// Lists the hash-chained files of what meters signed; `segments verify` reads every byte.
    ///
    /// Verifying compares each record with the database, and names the file and the place of
    /// the first that differs. docs/evidence.md describes the files.
    Segments(SegmentsArguments),
    /// What meters said and cannot be taken as it is, newest first. docs/plausibility.md
    /// describes the rules.
    Findings(FindingsArguments),
    /// Decides about a finding.
    Decide(DecideArguments),
}

/// `jirani meter command`
#[derive(Args)]
pub struct CommandArguments {
    /// The meter: 32 hexadecimal digits.
    #[arg(long, value_name = "ID")]
    pub meter: MeterId,
    /// How long to wait for a reading that shows it, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 960)]
    pub wait: u64,
    /// What to tell.
    #[command(subcommand)]
    pub what: What,
}

/// What a meter is told.
#[derive(Subcommand)]
pub enum What {
    /// Read so often: 1 to 900 seconds, which divide 900.
    Interval {
        /// Seconds between readings.
        #[arg(value_parser = interval)]
        seconds: u32,
    },
    /// Take this machine's time, unless the meter has the network's.
    Time,
    /// Fetch and start an image.
    Firmware {
        /// What `jirani meter sign-firmware` wrote for it.
        #[arg(long, value_name = "FILE")]
        release: PathBuf,
    },
}

/// `jirani meter sign-firmware`
#[derive(Args)]
pub struct SignFirmwareArguments {
    /// The image.
    #[arg(value_name = "IMAGE")]
    pub image: PathBuf,
    /// Its version: 1, 2, 3, ...; meters take only later ones.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub version: u32,
    /// File with the release key: 64 hexadecimal digits. Without it the gateway's is used.
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// Where to write the signed release.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

fn interval(text: &str) -> Result<u32, String> {
    let seconds = text.parse().ok().filter(|seconds| is_interval(*seconds));
    seconds.ok_or_else(|| "an interval is 1 to 900 seconds and divides 900, like 60 or 300".to_owned())
}

/// What to do with the segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SegmentsWork {
    /// Read every byte.
    Verify,
}

/// `jirani meter segments`
#[derive(Args)]
pub struct SegmentsArguments {
    /// What to do; lists them without it.
    #[arg(value_name = "WHAT")]
    pub what: Option<SegmentsWork>,
    /// One line of JSON.
    #[arg(long)]
    pub json: bool,
}

/// `jirani meter prove`
#[derive(Args)]
pub struct ProveArguments {
    /// The meter: 32 hexadecimal digits.
    #[arg(long, value_name = "ID")]
    pub meter: MeterId,
    /// Beginning of the slot, UTC.
    #[arg(long, value_name = "2026-10-15T09:45:00Z")]
    pub slot: Timestamp,
    /// Where to write it; standard output without it.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// `jirani meter verify`
#[derive(Args)]
pub struct VerifyArguments {
    /// The file.
    #[arg(value_name = "FILE")]
    pub proof: PathBuf,
    /// Any node of the cluster: `https://...`
    #[arg(long, value_name = "URL")]
    pub rpc: String,
    /// The energy program you know; without it the file's own is asked, and printed.
    #[arg(long, value_name = "ADDRESS")]
    pub program: Option<String>,
    /// One line of JSON.
    #[arg(long)]
    pub json: bool,
}

/// Which system.
#[derive(Args)]
pub struct AskArguments {
    /// Which system, and who asks.
    #[command(flatten)]
    pub node: NodeArguments,
}

/// A meter, and what was read of it.
#[derive(Args)]
pub struct ApproveArguments {
    /// The meter: 32 hexadecimal digits.
    #[arg(value_name = "METER")]
    pub meter: MeterId,
    /// Its revision in `jirani meter list`, where what is approved was read.
    #[arg(long, value_name = "N")]
    pub revision: u64,
    /// Which system, and who approves.
    #[command(flatten)]
    pub node: NodeArguments,
}

/// A meter, and why.
#[derive(Args)]
pub struct NamedArguments {
    /// The meter: 32 hexadecimal digits.
    #[arg(value_name = "METER")]
    pub meter: MeterId,
    /// Why, in words.
    #[arg(long, default_value = "")]
    pub reason: String,
    /// Which system, and who asks.
    #[command(flatten)]
    pub node: NodeArguments,
}

/// The meter as it was read and put in place.
#[derive(Args)]
pub struct IdentityArguments {
    /// Text of the QR code, or what the meter prints after `identity`.
    #[arg(value_name = "QR")]
    pub identity: String,
    /// Generation of its registers.
    #[arg(long, default_value_t = 1)]
    pub epoch: u32,
    /// Where its registers end and begin again at zero, Wh.
    #[arg(long, value_name = "WH")]
    pub modulus_wh: Option<u64>,
    /// What its import register showed when it was put in place, Wh.
    #[arg(long, value_name = "WH", default_value_t = 0)]
    pub opening_import_wh: u64,
    /// What its export register showed, Wh.
    #[arg(long, value_name = "WH", default_value_t = 0)]
    pub opening_export_wh: u64,
    /// What its generation register showed, Wh.
    #[arg(long, value_name = "WH", default_value_t = 0)]
    pub opening_generation_wh: u64,
    /// Why, in words.
    #[arg(long, default_value = "")]
    pub reason: String,
}

/// `jirani meter claim`
#[derive(Args)]
pub struct ClaimArguments {
    /// The meter.
    #[command(flatten)]
    pub identity: IdentityArguments,
    /// A household that has no meter; without it a new one is described.
    #[arg(long, value_name = "NUMBER", conflicts_with_all = ["alias", "name"])]
    pub household: Option<u32>,
    /// What neighbours see of the new household.
    #[arg(long, required_unless_present = "household")]
    pub alias: Option<String>,
    /// What the household and the operator see.
    #[arg(long, required_unless_present = "household")]
    pub name: Option<String>,
    /// Its phone number.
    #[arg(long, value_name = "0712345678")]
    pub msisdn: Option<String>,
    /// Its messages are in Kiswahili.
    #[arg(long)]
    pub swahili: bool,
    /// Feeder it hangs on.
    #[arg(long, default_value_t = 1)]
    pub feeder: u16,
    /// Most it can export, W.
    #[arg(long, default_value_t = 5_000)]
    pub export_rating_w: u32,
    /// Most it can import, W.
    #[arg(long, default_value_t = 5_000)]
    pub import_rating_w: u32,
    /// Rated power of its panels, W.
    #[arg(long, default_value_t = 0)]
    pub pv_rated_w: u32,
    /// Which system, and who asks.
    #[command(flatten)]
    pub node: NodeArguments,
}

/// `jirani meter replace` and `jirani meter rotate`
#[derive(Args)]
pub struct ReplaceArguments {
    /// The meter whose place is taken, or its old name.
    #[arg(value_name = "METER")]
    pub meter: MeterId,
    /// The new one.
    #[command(flatten)]
    pub identity: IdentityArguments,
    /// Which system, and who asks.
    #[command(flatten)]
    pub node: NodeArguments,
}

/// `jirani meter epoch`
#[derive(Args)]
pub struct EpochArguments {
    /// The meter.
    #[arg(value_name = "METER")]
    pub meter: MeterId,
    /// The later epoch.
    #[arg(value_name = "EPOCH")]
    pub epoch: u32,
    /// Where its import register began, Wh.
    #[arg(long, value_name = "WH", default_value_t = 0)]
    pub opening_import_wh: u64,
    /// Where its export register began, Wh.
    #[arg(long, value_name = "WH", default_value_t = 0)]
    pub opening_export_wh: u64,
    /// Where its generation register began, Wh.
    #[arg(long, value_name = "WH", default_value_t = 0)]
    pub opening_generation_wh: u64,
    /// Why, in words.
    #[arg(long)]
    pub reason: String,
    /// Which system, and who asks.
    #[command(flatten)]
    pub node: NodeArguments,
}

/// `jirani meter firmware`
#[derive(Args)]
pub struct FirmwareArguments {
    /// First 8 bytes of each image's SHA-256, hexadecimal; none allows all.
    #[arg(value_name = "HASH")]
    pub allowed: Vec<String>,
    /// Which system, and who asks.
    #[command(flatten)]
    pub node: NodeArguments,
}

/// `jirani meter findings`
#[derive(Args)]
pub struct FindingsArguments {
    /// Also those that were decided.
    #[arg(long)]
    pub all: bool,
    /// Which system.
    #[command(flatten)]
    pub node: NodeArguments,
}

/// `jirani meter decide`
#[derive(Args)]
pub struct DecideArguments {
    /// Number of the finding.
    pub finding: u64,
    /// What.
    pub decision: FindingWord,
    /// Why. No phone numbers.
    #[arg(long)]
    pub note: String,
    /// Which system.
    #[command(flatten)]
    pub node: NodeArguments,
}

/// What is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FindingWord {
    /// It is harmless: attestation goes on.
    Accept,
    /// It is true: the household stays held until its meter is replaced or this is closed.
    Refuse,
    /// What was refused is mended.
    Close,
}

impl FindingWord {
    /// As the API takes it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Refuse => "refuse",
            Self::Close => "close",
        }
    }
}
