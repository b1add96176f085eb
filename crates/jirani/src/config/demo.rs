use serde::{Deserialize, Serialize};

/// `[demo]`: a simulated village, virtual phones, sign-in by picking a household.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Demo {
    /// Whether any of it is there. Must be off where real people trade.
    pub on: bool,
    /// Homes in the village, besides the operator's generator, battery and losses.
    pub households: u32,
    /// Seconds of village time per second; 1x while a person's prompt is open.
    pub speed: u32,
    /// Whether the village keeps the time of the world, as real meters in it need; `speed`
    /// is 1 then.
    pub real_time: bool,
    /// Everything random in the village follows from it.
    pub seed: u64,
    /// Whether the homes trade by themselves; a person can trade for any of them.
    pub trade: bool,
    /// Of a thousand homes that trade, so many let the market do it by rules.
    pub rules_permille: u32,
}

impl Demo {
    /// Faster than this, payments cannot keep up with their deadlines.
    pub const SPEED_MAX: u32 = 600;
    /// A third of the homes set rules.
    pub const RULES_PERMILLE: u32 = 333;
    /// More homes than one broker and one site server are meant for.
    pub const HOUSEHOLDS_MAX: u32 = 1_000;
}

impl Default for Demo {
    fn default() -> Self {
        Self {
            on: true,
            households: 12,
            speed: 60,
            real_time: false,
            seed: 1,
            trade: true,
            rules_permille: Self::RULES_PERMILLE,
        }
    }
}
