//! Scenario files: phones, faults and steps in one TOML or JSON file.
//!
//! Promises: a file is taken whole or refused whole, with one line that says
//! where and why.

use crate::config::SandboxConfig;
use crate::world::{BusinessChange, FaultOrder, InitiatorChange, PhoneOrder, Step};
use jirani_units::{Msisdn, Timestamp};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// What a file says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: Option<String>,
    seed: Option<u64>,
    start_at: Option<Timestamp>,
    #[serde(default)]
    frozen: bool,
    #[serde(default)]
    phone: Vec<PhoneEntry>,
    #[serde(default)]
    fault: Vec<FaultOrder>,
    #[serde(default)]
    step: Vec<StepEntry>,
}

// Written out and not flattened, for serde finds no unknown field of a
// flattened struct.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PhoneEntry {
    msisdn: Msisdn,
    name: Option<String>,
    mode: Option<String>,
    cancel_per_mille: Option<u16>,
    silent_per_mille: Option<u16>,
    insufficient_per_mille: Option<u16>,
    balance_cents: Option<i64>,
}

impl PhoneEntry {
    /// The change, if it makes sense.
    fn order(self) -> Result<PhoneOrder, String> {
        let Self {
            msisdn: _,
            name,
            mode,
            cancel_per_mille,
            silent_per_mille,
            insufficient_per_mille,
            balance_cents,
        } = self;
        let order = PhoneOrder {
            name,
            mode,
            cancel_per_mille,
            silent_per_mille,
            insufficient_per_mille,
            balance_cents,
        };
        order.clone().check().map(|_| order)
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PayBillEntry {
    msisdn: Msisdn,
    shortcode: Option<String>,
    amount_shillings: i64,
    reference: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ShortcodeEntry {
    code: String,
    working_cents: Option<u32>,
    utility_cents: Option<u32>,
    validation: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct StepEntry {
    #[serde(default)]
    after_s: u32,
    fault: Option<FaultOrder>,
    clear_faults: Option<bool>,
    paybill: Option<PayBillEntry>,
    reverse_last: Option<Msisdn>,
    phone: Option<PhoneEntry>,
    shortcode: Option<ShortcodeEntry>,
    initiator: Option<InitiatorChange>,
}

/// A scenario that was read and makes sense.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Its name.
    pub name: String,
    /// The seed it wants; only heeded where the emulator starts with it.
    pub seed: Option<u64>,
    /// The time it starts at; only heeded where the emulator starts with it and
    /// has a clock of its own.
    pub start_at: Option<Timestamp>,
    /// Whether that clock stands still.
    pub frozen: bool,
    steps: Vec<(u32, Step)>,
    pay_bills_to_default: Vec<usize>,
    shortcodes: Vec<String>,
}

/// Why a scenario is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("sandbox.scenario: {0}")]
pub struct ScenarioError(String);

/// The most entries in one file.
const MOST_ENTRIES: usize = 1_000;

impl Scenario {
    /// Reads a file: JSON when it begins with a brace, else TOML.
    pub fn parse(text: &str) -> Result<Self, ScenarioError> {
        let file: File = if text.trim_start().starts_with('{') { read_json(text)? } else { read_toml(text)? };
        if file.phone.len() + file.fault.len() + file.step.len() > MOST_ENTRIES {
            return Err(ScenarioError(format!("more than {MOST_ENTRIES} entries")));
        }
        let mut scenario = Self {
            name: file.name.unwrap_or_default(),
            seed: file.seed,
            start_at: file.start_at,
            frozen: file.frozen,
            steps: Vec::new(),
            pay_bills_to_default: Vec::new(),
            shortcodes: Vec::new(),
        };
        let place = |what: &str, nth: usize| {
            let place = format!("{what} {}", nth + 1);
            move |why: String| ScenarioError(format!("{place}: {why}"))
        };
        for (nth, entry) in file.phone.into_iter().enumerate() {
            let msisdn = entry.msisdn;
            let order = entry.order().map_err(place("phone", nth))?;
            scenario.steps.push((0, Step::Phone(msisdn, order)));
        }
        for (nth, order) in file.fault.into_iter().enumerate() {
            order.check().map_err(place("fault", nth))?;
            scenario.steps.push((0, Step::Fault(order)));
        }
        for (nth, entry) in file.step.into_iter().enumerate() {
            let after_s = entry.after_s;
            let step = scenario.step(entry).map_err(place("step", nth))?;
            scenario.steps.push((after_s, step));
        }
        Ok(scenario)
    }

    fn step(&mut self, entry: StepEntry) -> Result<Step, String> {
        let StepEntry { after_s: _, fault, clear_faults, paybill, reverse_last, phone, shortcode, initiator } =
            entry;
        let mut steps = Vec::new();
        if let Some(order) = fault {
            order.check()?;
            steps.push(Step::Fault(order));
        }
        if clear_faults == Some(true) {
            steps.push(Step::ClearFaults);
        }
        if let Some(PayBillEntry { msisdn, shortcode, amount_shillings, reference }) = paybill {
            if !(1..=20).contains(&reference.chars().count()) || amount_shillings < 1 {
                return Err(
                    "a payment has at least 1 shilling and a reference of 1 to 20 characters".to_owned()
                );
            }
            match &shortcode {
                Some(code) => self.shortcodes.push(code.clone()),
                None => self.pay_bills_to_default.push(self.steps.len()),
            }
            let shortcode = shortcode.unwrap_or_default();
            steps.push(Step::PayBill { msisdn, shortcode, shillings: amount_shillings, reference });
        }
        if let Some(msisdn) = reverse_last {
            steps.push(Step::ReverseLast(msisdn));
        }
        if let Some(entry) = phone {
            steps.push(Step::Phone(entry.msisdn, entry.order()?));
        }
        if let Some(ShortcodeEntry { code, working_cents, utility_cents, validation }) = shortcode {
            self.shortcodes.push(code.clone());
            steps.push(Step::Business(code, BusinessChange { working_cents, utility_cents, validation }));
        }
        if let Some(change) = initiator {
            steps.push(Step::Initiator(change));
        }
        match (steps.pop(), steps.is_empty()) {
            (Some(step), true) => Ok(step),
            _ => Err("a step does exactly one thing: fault, clear_faults, paybill, reverse_last, phone, shortcode or initiator".to_owned()),
        }
    }

    /// The steps for an emulator with this configuration.
    pub(crate) fn steps(&self, config: &SandboxConfig) -> Result<Vec<(u32, Step)>, ScenarioError> {
        if let Some(code) = self.shortcodes.iter().find(|code| config.shortcode(code).is_none()) {
            let known: Vec<&str> = config.shortcodes().iter().map(|known| known.code.as_str()).collect();
            let known = known.join(", ");
            return Err(ScenarioError(format!("there is no shortcode `{code}`; there are {known}")));
        }
        let mut steps = self.steps.clone();
        for place in &self.pay_bills_to_default {
            if let Some((_, Step::PayBill { shortcode, .. })) = steps.get_mut(*place) {
                shortcode.clone_from(&config.collection.code);
            }
        }
        Ok(steps)
    }
}

fn read_json<T: DeserializeOwned>(text: &str) -> Result<T, ScenarioError> {
    serde_json::from_str(text).map_err(|error| ScenarioError(error.to_string()))
}

fn read_toml<T: DeserializeOwned>(text: &str) -> Result<T, ScenarioError> {
    toml::from_str(text).map_err(|error: toml::de::Error| {
        let line = error
            .span()
            .and_then(|span| text.get(..span.start))
            .map(|before| before.matches('\n').count() + 1);
        let words = error.message().lines().collect::<Vec<_>>().join(" ");
        ScenarioError(line.map_or_else(|| words.clone(), |line| format!("line {line}: {words}")))
    })
}

#[cfg(test)]
mod tests {
    use super::Scenario;
    use crate::SandboxConfig;

    #[test]
    fn what_is_wrong_is_said_in_one_line_that_names_the_place() {
        for (text, said) in [
            ("[[fault]]\ntarget = \"moon\"\naction = \"lose\"\n", "line 2: unknown variant `moon`"),
            ("[[fault]]\ntarget = \"c2b\"\naction = \"explode\"\n", "there is no action `explode`"),
            ("[[fault]]\ntarget = \"c2b\"\naction = \"pending\"\n", "fault 1: `pending` cannot happen"),
            ("[[step]]\nafter_s = 3\n", "step 1: a step does exactly one thing"),
            ("[[step]]\nclear_faults = true\nreverse_last = \"0712000111\"\n", "step 1: a step does exactly"),
            ("weather = \"rain\"\n", "line 1: unknown field `weather`"),
            ("[[phone]]\nmsisdn = \"0712000111\"\nmode = \"asleep\"\n", "phone 1: mode is by_hand"),
            ("{\"fault\": 3}", "line 1 column"),
            (
                "[[step]]\npaybill = { msisdn = \"0712000111\", amount_shillings = 0, reference = \"A\" }\n",
                "step 1: a payment",
            ),
        ] {
            let error = Scenario::parse(text).unwrap_err().to_string();
            assert!(error.starts_with("sandbox.scenario: ") && error.contains(said), "{error}");
            assert_eq!(error.lines().count(), 1, "{error}");
        }
    }

    #[test]
    fn a_shortcode_that_is_none_is_named() {
        let text = "[[step]]\nshortcode = { code = \"123456\", utility_cents = 0 }\n";
        let scenario = Scenario::parse(text).unwrap();
        let error = scenario.steps(&SandboxConfig::default()).unwrap_err().to_string();
        assert!(error.contains("no shortcode `123456`; there are 600966, 600992"), "{error}");
    }
}
