//! What a kind of device says: one YAML file. `docs/devices.md` walks through one.

use crate::decimal::{MICROJOULES_MAX, Unit, energy};
use crate::error::DeviceError;
use crate::moment::{TimeForm, TimeRule};
use crate::yaml::{Section, shortened, tree};
use serde_json::Value as Tree;
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// Most values, topics and parameters of a definition.
const ENTRIES_MAX: usize = 32;
/// Longest name, topic or pointer.
const TEXT_MAX: usize = 200;
/// How old a believed time may be where the file does not say, in seconds.
const LATE_S: u32 = 120;
/// Ahead of UTC where the file does not say: East Africa Time, in minutes.
const EAT_MINUTES: i64 = 180;

/// Which of a meter's registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Register {
    /// Drawn from the grid.
    Import,
    /// Pushed into the grid.
    Export,
    /// Made by the panels.
    Generation,
}

/// Which of the moment's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shown {
    /// Net power that is positive when it is drawn.
    PowerDrawn,
    /// Net power that is positive when it is pushed.
    PowerPushed,
    /// Voltage.
    Voltage,
    /// Current.
    Current,
    /// Frequency.
    Frequency,
}

/// What a fall of a counter may be, besides a declared roll-over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Falls {
    /// The device sets its counter to zero now and then.
    Reset,
    /// It never does.
    Refuse,
}

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// A counter of one register; several of one register add up.
    Energy {
        /// Which.
        register: Register,
        /// The count in microjoules at which it begins anew, if it does.
        modulus_uj: Option<u128>,
        /// What a fall may be.
        falls: Falls,
    },
    /// Something for screens and for plausibility.
    Shown(Shown),
}

/// A value that a device gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Value {
    /// What it is.
    pub meaning: Meaning,
    /// In which unit.
    pub unit: Unit,
    /// Whether a device of this kind may never give it.
    pub optional: bool,
}

/// How a payload is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payload {
    /// JSON; values stand at pointers, and one message may give only some of them.
    Json,
    /// One plain number.
    Number,
    /// A signed OCMF record; values stand under their OBIS codes.
    Ocmf,
}

/// A topic and what is heard there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    /// The topic, with `{parameters}`.
    pub topic: String,
    /// How its payload is written.
    pub payload: Payload,
    /// Where each value stands: a pointer, an OBIS code, or nothing for a plain number.
    pub values: BTreeMap<String, String>,
    /// Where the time stands.
    pub time: Option<TimeRule>,
}

/// A kind of device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// Its name.
    pub name: String,
    /// What people call it.
    pub title: String,
    /// Where what it says is documented.
    pub source: String,
    /// What a site says of one device; with a default, or needed.
    pub parameters: BTreeMap<String, Option<String>>,
    /// Its values.
    pub values: BTreeMap<String, Value>,
    /// Its topics.
    pub topics: Vec<Topic>,
    /// First 8 bytes of SHA-256 of the file: readings name it where meters name their
    /// firmware.
    pub fingerprint: [u8; 8],
}

impl Definition {
    /// Reads a file. Whatever is unknown, missing or without sense is refused by name.
    pub fn read(text: &str) -> Result<Self, DeviceError> {
        let tree = tree(text)?;
        let file = Section::new("the definition", &tree)?;
        let name = file.needed("name")?;
        if !is_name(&name) {
            return Err(file.wrong("name is made of a-z, 0-9, - and _, 1 to 40 of them"));
        }
        let (title, source) = (file.needed("title")?, file.text("source")?.unwrap_or_default());
        let parameters = parameters(&file)?;
        let mut values = BTreeMap::new();
        for (name, value) in file.entries("values")? {
            values.insert(name.to_owned(), read_value(name, value)?);
        }
        let mut topics = Vec::new();
        for (place, topic) in file.list("topics")?.iter().enumerate() {
            topics.push(read_topic(place, topic, &values, &parameters)?);
        }
        let mut fingerprint = [0; 8];
        fingerprint.copy_from_slice(&Sha256::digest(text.as_bytes())[..8]);
        let read = Self { name, title, source, parameters, values, topics, fingerprint };
        read.check(&file)?;
        file.finish()?;
        Ok(read)
    }

    /// The registers that its values feed.
    pub fn registers(&self) -> BTreeSet<Register> {
        let register = |value: &Value| match value.meaning {
            Meaning::Energy { register, .. } => Some(register),
            Meaning::Shown(_) => None,
        };
        self.values.values().filter_map(register).collect()
    }

    /// Whether its messages are signed by the device itself.
    pub fn is_signed(&self) -> bool {
        self.topics.iter().any(|topic| topic.payload == Payload::Ocmf)
    }

    fn check(&self, file: &Section<'_>) -> Result<(), DeviceError> {
        if self.registers().is_empty() {
            return Err(file.wrong("values: at least one value feeds a register"));
        }
        for (what, count) in [
            ("values", self.values.len()),
            ("topics", self.topics.len()),
            ("parameters", self.parameters.len()),
        ] {
            if count > ENTRIES_MAX {
                return Err(file.wrong(format!("{what}: at most {ENTRIES_MAX}")));
            }
        }
        let told: BTreeSet<&str> =
            self.topics.iter().flat_map(|topic| topic.values.keys().map(String::as_str)).collect();
        if let Some(silent) = self.values.keys().find(|name| !told.contains(name.as_str())) {
            return Err(file.wrong(format!("no topic gives the value {}", shortened(silent))));
        }
        let signed = self.topics.iter().filter(|topic| topic.payload == Payload::Ocmf).count();
        if signed > 0 && (signed < self.topics.len() || !self.parameters.contains_key("public_key")) {
            return Err(file.wrong(
                "a device of signed records has only these, and the parameter public_key that is delivered with it",
            ));
        }
        Ok(())
    }
}

fn is_name(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
    (1..=40).contains(&name.len()) && name.bytes().all(plain)
}

fn parameters(file: &Section<'_>) -> Result<BTreeMap<String, Option<String>>, DeviceError> {
    let mut parameters = BTreeMap::new();
    for (name, value) in file.entries("parameters")? {
        if !is_name(name) || name == "device" {
            return Err(file.wrong(format!("parameters: {} is no name for one", shortened(name))));
        }
        let section = Section::new(format!("parameters.{name}"), value)?;
        let default = section.text("default")?;
        // Said for people.
        section.text("what")?;
        section.finish()?;
        parameters.insert(name.to_owned(), default);
    }
    Ok(parameters)
}

fn read_value(name: &str, value: &Tree) -> Result<Value, DeviceError> {
    let section = Section::new(format!("values.{}", shortened(name)), value)?;
    if !is_name(name) {
        return Err(section.wrong("a value's name is made of a-z, 0-9, - and _, 1 to 40 of them"));
    }
    let unit = section.needed("unit")?;
    let unit = Unit::named(&unit).ok_or_else(|| {
        section.wrong(format!(
            "unit cannot be {}{}",
            shortened(&unit),
            crate::nearest::nearest(&unit, Unit::NAMES)
        ))
    })?;
    let register = section.word(
        "register",
        &[("import", Register::Import), ("export", Register::Export), ("generation", Register::Generation)],
    )?;
    let shown = section.word(
        "shows",
        &[
            ("power_drawn", Shown::PowerDrawn),
            ("power_pushed", Shown::PowerPushed),
            ("voltage", Shown::Voltage),
            ("current", Shown::Current),
            ("frequency", Shown::Frequency),
        ],
    )?;
    let falls = section.word("falls", &[("reset", Falls::Reset), ("refuse", Falls::Refuse)])?;
    let modulus = section.text("modulus")?;
    let optional = section.word("given", &[("always", false), ("sometimes", true)])?.unwrap_or(false);
    section.finish()?;
    let meaning = match (register, shown) {
        (Some(register), None) => {
            if unit.microjoules().is_none() {
                return Err(section.wrong("a register counts energy: Wh, kWh, MWh, Wmin or J"));
            }
            let modulus_uj = modulus.map(|text| energy("modulus", &text, unit)).transpose()?;
            if modulus_uj.is_some_and(|modulus| modulus == 0 || modulus > MICROJOULES_MAX) {
                return Err(section.wrong("modulus is more than nothing"));
            }
            // A counter that begins anew by itself is not set to zero as well, unless it says so.
            let default = if modulus_uj.is_some() { Falls::Refuse } else { Falls::Reset };
            Meaning::Energy { register, modulus_uj, falls: falls.unwrap_or(default) }
        }
        (None, Some(shown)) => {
            let fits = match shown {
                Shown::PowerDrawn | Shown::PowerPushed => matches!(unit, Unit::Watts | Unit::Kilowatts),
                Shown::Voltage => unit == Unit::Volts,
                Shown::Current => unit == Unit::Amperes,
                Shown::Frequency => unit == Unit::Hertz,
            };
            if !fits || modulus.is_some() || falls.is_some() {
                return Err(
                    section.wrong("what is shown has W, kW, V, A or Hz, and neither modulus nor falls")
                );
            }
            Meaning::Shown(shown)
        }
        _ => return Err(section.wrong("a value has either register or shows")),
    };
    Ok(Value { meaning, unit, optional: optional || shown.is_some() })
}

fn read_topic(
    place: usize,
    topic: &Tree,
    values: &BTreeMap<String, Value>,
    parameters: &BTreeMap<String, Option<String>>,
) -> Result<Topic, DeviceError> {
    let section = Section::new(format!("topics[{place}]"), topic)?;
    let name = section.needed("topic")?;
    let payload = section
        .word("payload", &[("json", Payload::Json), ("number", Payload::Number), ("ocmf", Payload::Ocmf)])?
        .ok_or_else(|| section.wrong("payload is missing"))?;
    if name.is_empty() || name.len() > TEXT_MAX || name.contains(['+', '#', '\0']) {
        return Err(section.wrong("topic is one topic, without + and #"));
    }
    let mut given = BTreeMap::new();
    for (value, at) in section.entries("values")? {
        if !values.contains_key(value) {
            let hint = crate::nearest::nearest(value, values.keys().map(String::as_str));
            return Err(section.wrong(format!("there is no value {}{hint}", shortened(value))));
        }
        let at = at
            .as_str()
            .ok_or_else(|| section.wrong(format!("values.{value} is a text; put it in quotes")))?;
        let fits = match payload {
            Payload::Json => at.starts_with('/'),
            Payload::Number => at.is_empty(),
            Payload::Ocmf => !at.is_empty(),
        };
        if !fits || at.len() > TEXT_MAX {
            return Err(section.wrong(format!(
                "values.{value}: a JSON pointer such as /ENERGY/Total, an OBIS code for ocmf, or \"\" for a plain number"
            )));
        }
        given.insert(value.to_owned(), at.to_owned());
    }
    if given.is_empty() || (payload == Payload::Number && given.len() > 1) {
        return Err(section.wrong("values: one for a plain number, at least one otherwise"));
    }
    let time = section.get("time").map(|time| read_time(place, time, payload)).transpose()?;
    let texts = std::iter::once(&name).chain(given.values()).chain(time.iter().map(|time| &time.at));
    for text in texts {
        check_parameters(&section, text, parameters)?;
    }
    section.finish()?;
    Ok(Topic { topic: name, payload, values: given, time })
}

fn read_time(place: usize, time: &Tree, payload: Payload) -> Result<TimeRule, DeviceError> {
    #[derive(Clone, Copy)]
    enum Word {
        Rfc3339,
        Local,
        Seconds,
        Milliseconds,
    }
    let section = Section::new(format!("topics[{place}].time"), time)?;
    let at = section.needed("at")?;
    if payload != Payload::Json || !at.starts_with('/') || at.len() > TEXT_MAX {
        return Err(section.wrong("time stands at a JSON pointer, in JSON"));
    }
    let words = [
        ("rfc3339", Word::Rfc3339),
        ("local", Word::Local),
        ("seconds", Word::Seconds),
        ("milliseconds", Word::Milliseconds),
    ];
    let word = section.word("form", &words)?.ok_or_else(|| section.wrong("form is missing"))?;
    let offset = section.whole("offset_minutes")?;
    if offset.is_some() && !matches!(word, Word::Local) {
        return Err(section.wrong("offset_minutes belongs to the form local"));
    }
    let offset = offset.unwrap_or(EAT_MINUTES);
    let offset_minutes = i32::try_from(offset).ok().filter(|offset| (-720..=840).contains(offset));
    let offset_minutes = offset_minutes.ok_or_else(|| section.wrong("offset_minutes is -720 to 840"))?;
    let late = section.whole("late_s")?.unwrap_or(i64::from(LATE_S));
    let late_s = u32::try_from(late).ok().filter(|late| *late <= 30 * 86_400);
    let late_s = late_s.ok_or_else(|| section.wrong("late_s is 0 to 2592000"))?;
    section.finish()?;
    let form = match word {
        Word::Rfc3339 => TimeForm::Rfc3339,
        Word::Local => TimeForm::Local { offset_minutes },
        Word::Seconds => TimeForm::Seconds,
        Word::Milliseconds => TimeForm::Milliseconds,
    };
    Ok(TimeRule { at, form, late_s })
}

/// Every `{name}` in a text must be a parameter.
fn check_parameters(
    section: &Section<'_>,
    text: &str,
    parameters: &BTreeMap<String, Option<String>>,
) -> Result<(), DeviceError> {
    for part in text.split('{').skip(1) {
        let Some((name, _)) = part.split_once('}') else {
            return Err(section.wrong("a { has no }"));
        };
        if name != "device" && !parameters.contains_key(name) {
            let known = parameters.keys().map(String::as_str).chain(["device"]);
            let hint = crate::nearest::nearest(name, known);
            return Err(section.wrong(format!("there is no parameter {}{hint}", shortened(name))));
        }
    }
    Ok(())
}
