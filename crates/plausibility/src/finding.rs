//! What a rule says.

use serde::{Deserialize, Serialize};

/// How grave a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Kept for the operator to see; nothing stops.
    Note,
    /// The household is not attested until a person has decided.
    Hold,
    /// Cannot be true: held as well, and the reading is kept as evidence in quarantine.
    Refuse,
}

macro_rules! rules {
    ($($(#[$doc:meta])* $name:ident = $code:literal),+ $(,)?) => {
        /// A rule, one per kind of impossibility.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Rule { $($(#[$doc])* $name),+ }

        impl Rule {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The stable reason code; never renamed.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code),+ }
            }
        }
    };
}

rules! {
    /// More energy than the connection carries.
    RatedPower = "plausibility.rated_power",
    /// Export or generation while the sun is well down.
    Night = "plausibility.night",
    /// More than the panels could yield under a cloudless sky.
    ClearSky = "plausibility.clear_sky",
    /// Export by a home that has nothing to export from.
    NoSource = "plausibility.no_source",
    /// More exported than generated, with nothing stored.
    SiteBalance = "plausibility.site_balance",
    /// Generation far over the best of the meter's own past at this hour.
    Jump = "plausibility.jump",
    /// A register stands still while power flows.
    Stuck = "plausibility.stuck",
    /// The same energy hour after hour.
    Constant = "plausibility.constant",
    /// The day is one of the meter's own past days.
    Replay = "plausibility.replay",
    /// The day is another meter's, perhaps scaled.
    Copied = "plausibility.copied",
    /// The same panels are counted by another meter as well.
    Twins = "plausibility.twins",
    /// The curve of generation stands at another time of the day than before.
    Shifted = "plausibility.shifted",
    /// Voltage times current does not make the power that is told.
    Coherence = "plausibility.coherence",
    /// Many hours without a reading, or many restarts.
    Gaps = "plausibility.gaps",
    /// What the feeder lost follows this meter's registers.
    FeederShare = "plausibility.feeder_share",
    /// A feeder lost more, or less, in a day than its wires can.
    FeederLoss = "plausibility.feeder_loss",
}

impl Rule {
    /// The rule of a code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|rule| rule.code() == code)
    }

    /// The rule's id: its code without the family's name.
    pub fn id(self) -> &'static str {
        self.code().split_once('.').map_or("", |(_, id)| id)
    }
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// By which rule.
    pub rule: Rule,
    /// How grave.
    pub severity: Severity,
    /// The numbers it rests on, by name with their unit: `export_wh`, `most_wh`.
    pub evidence: Vec<(&'static str, i64)>,
}

impl Finding {
    /// A finding.
    pub fn new(rule: Rule, severity: Severity, evidence: &[(&'static str, u64)]) -> Self {
        let whole = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        Self {
            rule,
            severity,
            evidence: evidence.iter().map(|(name, value)| (*name, whole(*value))).collect(),
        }
    }
}
