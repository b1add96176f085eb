//! A device of a site: its topics with their parameters filled in, and what its messages say.

use crate::decimal::{energy, scaled};
use crate::definition::{Definition, Meaning, Payload, Register, Topic, Value};
use crate::error::DeviceError;
use crate::json;
use crate::moment::{Moment, TimeRule};
use crate::nearest::nearest;
use crate::ocmf::{OcmfKey, OcmfRecord, Page};
use crate::site::SiteDevice;
use crate::yaml::shortened;
use jirani_units::Timestamp;
use std::collections::BTreeMap;

/// Longest payload that is read. The largest known, a three-phase Shelly's full status, has 6 kB.
pub const PAYLOAD_MAX: usize = 16 * 1024;
/// Longest plain number.
const NUMBER_MAX: usize = 64;

/// A message as it came.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// Its topic.
    pub topic: &'a str,
    /// Its bytes.
    pub payload: &'a [u8],
    /// Whether the broker had kept it: then it may be of any age.
    pub retained: bool,
    /// When it was received.
    pub received: Timestamp,
}

/// What a message says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// Values by name: microjoules, or thousandths of W, V, A, Hz.
    pub values: BTreeMap<String, i128>,
    /// When they were measured.
    pub moment: Moment,
    /// When the message was received.
    pub received: Timestamp,
    /// The page of a signed record.
    pub page: Option<Page>,
    /// A signed record's exact bytes.
    pub record: Option<Vec<u8>>,
}

/// A device whose messages can be read.
#[derive(Clone, Debug)]
pub struct Decoder {
    definition: Definition,
    device: SiteDevice,
    topics: Vec<Topic>,
    key: Option<OcmfKey>,
    serial: Option<String>,
}

impl Decoder {
    /// Fills a definition's parameters with what the site says.
    pub fn new(definition: Definition, device: SiteDevice) -> Result<Self, DeviceError> {
        device.check()?;
        let wrong = |what: String| DeviceError::Site(format!("{}: {what}", device.id));
        if let Some(unknown) =
            device.parameters.keys().find(|name| !definition.parameters.contains_key(*name))
        {
            let hint = nearest(unknown, definition.parameters.keys().map(String::as_str));
            return Err(wrong(format!("{} has no parameter {}{hint}", definition.name, shortened(unknown))));
        }
        let mut parameters = BTreeMap::from([("device".to_owned(), device.id.clone())]);
        for (name, default) in &definition.parameters {
            let given = device.parameters.get(name).or(default.as_ref());
            let given =
                given.ok_or_else(|| wrong(format!("{} needs the parameter {name}", definition.name)))?;
            // A default may be made of the device's id.
            parameters.insert(name.clone(), given.replace("{device}", &device.id));
        }
        for register in definition.registers() {
            let (rating, name) = match register {
                Register::Import => (device.import_rating_w, "import_rating_w"),
                Register::Export => (device.export_rating_w, "export_rating_w"),
                Register::Generation => (device.pv_rated_w, "pv_rated_w"),
            };
            let always = definition.values.values().any(|value| {
                !value.optional
                    && matches!(value.meaning, Meaning::Energy { register: fed, .. } if fed == register)
            });
            if rating == 0 && always {
                return Err(wrong(format!(
                    "{name} bounds what {} can count, and is needed",
                    definition.name
                )));
            }
        }
        let topics: Vec<Topic> = definition.topics.iter().map(|topic| filled(topic, &parameters)).collect();
        for (place, topic) in topics.iter().enumerate() {
            if topics[..place].iter().any(|earlier| earlier.topic == topic.topic) {
                return Err(wrong(format!("the topic {} stands twice", topic.topic)));
            }
        }
        let key = match parameters.get("public_key").filter(|_| definition.is_signed()) {
            Some(text) => Some(OcmfKey::parse(text)?),
            None => None,
        };
        let serial = parameters.get("serial").filter(|_| definition.is_signed()).cloned();
        Ok(Self { definition, device, topics, key, serial })
    }

    /// The public key that its records are signed with, in hexadecimal.
    pub(crate) fn signer(&self) -> Option<&str> {
        self.key.as_ref().map(OcmfKey::text)
    }

    /// Its kind.
    pub const fn definition(&self) -> &Definition {
        &self.definition
    }

    /// What the site says of it.
    pub const fn device(&self) -> &SiteDevice {
        &self.device
    }

    /// The topics to listen to.
    pub fn topics(&self) -> impl Iterator<Item = &str> {
        self.topics.iter().map(|topic| topic.topic.as_str())
    }

    /// What the connection is rated for, in W.
    pub const fn rating_w(&self, register: Register) -> u32 {
        match register {
            Register::Import => self.device.import_rating_w,
            Register::Export => self.device.export_rating_w,
            Register::Generation => self.device.pv_rated_w,
        }
    }

    /// Reads a message; `None` for a topic that is not this device's.
    pub fn hear(&self, message: Message<'_>) -> Result<Option<Heard>, DeviceError> {
        let Some(topic) = self.topics.iter().find(|topic| topic.topic == message.topic) else {
            return Ok(None);
        };
        if message.payload.len() > PAYLOAD_MAX {
            return Err(DeviceError::TooLarge { bytes: message.payload.len(), limit: PAYLOAD_MAX });
        }
        let text = std::str::from_utf8(message.payload)
            .map_err(|_| DeviceError::Malformed("it is not UTF-8".to_owned()))?;
        let heard = match topic.payload {
            Payload::Json => self.hear_json(topic, text, message)?,
            Payload::Number => self.hear_number(topic, text, message)?,
            Payload::Ocmf => self.hear_record(topic, text, message)?,
        };
        if message.retained && matches!(heard.moment, Moment::Received(_)) && !heard.values.is_empty() {
            return Err(DeviceError::Retained);
        }
        Ok(Some(heard))
    }

    fn hear_json(&self, topic: &Topic, text: &str, message: Message<'_>) -> Result<Heard, DeviceError> {
        let mut values = BTreeMap::new();
        for (name, value) in self.values(topic) {
            let Some(numbers) = json::numbers(text, &topic.values[name])? else { continue };
            let mut sum = 0_i128;
            for number in &numbers {
                sum = sum.saturating_add(read(name, number, value)?);
            }
            values.insert(name.clone(), sum);
        }
        let moment = match &topic.time {
            Some(rule) => match json::string(text, &rule.at)? {
                Some(says) => rule.moment(&says, message.received),
                None => Moment::Received(message.received),
            },
            None => Moment::Received(message.received),
        };
        Ok(Heard { values, moment, received: message.received, page: None, record: None })
    }

    fn hear_number(&self, topic: &Topic, text: &str, message: Message<'_>) -> Result<Heard, DeviceError> {
        if text.len() > NUMBER_MAX {
            return Err(DeviceError::TooLarge { bytes: text.len(), limit: NUMBER_MAX });
        }
        let mut values = BTreeMap::new();
        for (name, value) in self.values(topic) {
            values.insert(name.clone(), read(name, text, value)?);
        }
        let moment = Moment::Received(message.received);
        Ok(Heard { values, moment, received: message.received, page: None, record: None })
    }

    fn hear_record(&self, topic: &Topic, text: &str, message: Message<'_>) -> Result<Heard, DeviceError> {
        let key = self.key.as_ref().ok_or(DeviceError::BadSignature)?;
        let record = OcmfRecord::open(text, key)?;
        if self.serial.as_ref().is_some_and(|serial| *serial != record.serial) {
            return Err(DeviceError::ForeignMeter(shortened(&record.serial)));
        }
        let mut values = BTreeMap::new();
        for (name, value) in self.values(topic) {
            if let Some((number, unit)) = record.value(&topic.values[name]) {
                // The record's own unit is the signed one.
                values.insert(name.clone(), read(name, number, &Value { unit, ..*value })?);
            }
        }
        let moment = match record.moment {
            // A meter that does not know the time is read when its record comes.
            Moment::Received(_) => Moment::Received(message.received),
            told => told,
        };
        let (page, exact) = (Some(record.page), Some(text.as_bytes().to_vec()));
        Ok(Heard { values, moment, received: message.received, page, record: exact })
    }

    fn values<'a>(&'a self, topic: &'a Topic) -> impl Iterator<Item = (&'a String, &'a Value)> {
        topic.values.keys().filter_map(|name| self.definition.values.get_key_value(name))
    }
}

fn read(name: &str, text: &str, value: &Value) -> Result<i128, DeviceError> {
    let beyond = || DeviceError::OutOfRange(name.to_owned());
    if matches!(value.meaning, Meaning::Energy { .. }) {
        return i128::try_from(energy(name, text, value.unit)?).map_err(|_| beyond());
    }
    let scaled = scaled(text, value.unit.thousandths())?;
    let size = i128::try_from(scaled.size).map_err(|_| beyond())?;
    Ok(if scaled.negative { -size } else { size })
}

fn filled(topic: &Topic, parameters: &BTreeMap<String, String>) -> Topic {
    let fill = |text: &String| {
        let mut filled = String::with_capacity(text.len());
        let mut rest = text.as_str();
        while let Some((before, after)) = rest.split_once('{') {
            filled.push_str(before);
            // The definition was checked: every { has its } and names a parameter.
            let (name, after) = after.split_once('}').unwrap_or((after, ""));
            filled.push_str(parameters.get(name).map_or("", String::as_str));
            rest = after;
        }
        filled.push_str(rest);
        filled
    };
    Topic {
        topic: fill(&topic.topic),
        payload: topic.payload,
        values: topic.values.iter().map(|(name, at)| (name.clone(), fill(at))).collect(),
        time: topic.time.as_ref().map(|time| TimeRule { at: fill(&time.at), ..time.clone() }),
    }
}
