//! OCMF records (Open Charge Metering Format 1.x, S.A.F.E. e.V.): verified, then read.
//!
//! `OCMF|<payload>|<signature>`: the signature is over the payload section's exact bytes,
//! which are never written again; its key is delivered out of band. No `|` stands inside a
//! section. What the meter says about itself decides: any status but `G` is refused, since
//! every other says that the value is missing, foreign, substituted or manipulated.

use crate::decimal::Unit;
use crate::error::DeviceError;
use crate::json;
use crate::moment::{Moment, split_zone, wall_clock};
use crate::yaml::shortened;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jirani_units::Timestamp;
use p256::ecdsa::signature::Verifier as _;
use p256::ecdsa::{Signature, VerifyingKey};
use std::fmt;

/// Most readings of a record.
const READINGS_MAX: usize = 64;
/// Head of a P-256 public key in the form of X.509 (SubjectPublicKeyInfo), before the point.
const SPKI_HEAD: &str = "3059301306072a8648ce3d020106082a8648ce3d030107034200";

/// A meter's public key.
#[derive(Clone)]
pub struct OcmfKey {
    key: VerifyingKey,
    /// The point in hexadecimal.
    text: String,
}

impl fmt::Debug for OcmfKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OcmfKey(..)")
    }
}

impl OcmfKey {
    /// From hexadecimal: the point (SEC 1), alone or in its X.509 form.
    pub fn parse(text: &str) -> Result<Self, DeviceError> {
        let text = text.trim().to_ascii_lowercase();
        let point = text.strip_prefix(SPKI_HEAD).unwrap_or(&text);
        let wrong =
            || DeviceError::Site("public_key is a P-256 key in hexadecimal: 04..., or 3059...".to_owned());
        let bytes = hex::decode(point).map_err(|_| wrong())?;
        let key = VerifyingKey::from_sec1_bytes(&bytes).map_err(|_| wrong())?;
        Ok(Self { key, text: point.to_owned() })
    }

    /// The point in hexadecimal: the same for both forms of one key.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}

/// A record's place among a meter's records: one counter per context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// `T` for charging sessions, `F` for readings without one.
    pub context: char,
    /// 1, 2, 3, ...
    pub number: u64,
}

impl fmt::Display for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.context, self.number)
    }
}

/// A verified record whose meter vouches for its values.
#[derive(Clone, Debug)]
pub struct OcmfRecord {
    /// The meter's serial number.
    pub serial: String,
    /// Its place.
    pub page: Page,
    /// When the last of its values was measured; `Received` where the meter does not know.
    pub moment: Moment,
    readings: Vec<OcmfReading>,
}

#[derive(Clone, Debug, Default)]
struct OcmfReading {
    time: String,
    value: String,
    obis: String,
    unit: String,
    errors: String,
    status: String,
}

impl OcmfRecord {
    /// Verifies a record by `key`, then reads it.
    pub fn open(text: &str, key: &OcmfKey) -> Result<Self, DeviceError> {
        let mut sections = text.split('|');
        let (head, payload, signature) = (sections.next(), sections.next(), sections.next());
        let (Some("OCMF"), Some(payload), Some(signature), None) =
            (head, payload, signature, sections.next())
        else {
            return Err(malformed("a record is OCMF|payload|signature"));
        };
        verify(payload, signature, key)?;
        Self::read(payload)
    }

    /// The value under an OBIS code such as `1.8.0`, as text and in the record's unit.
    pub(crate) fn value(&self, code: &str) -> Option<(&str, Unit)> {
        let found = self.readings.iter().rev().find(|reading| same_obis(&reading.obis, code))?;
        let unit = match found.unit.as_str() {
            "kWh" => Unit::KilowattHours,
            "Wh" => Unit::WattHours,
            _ => return None,
        };
        Some((&found.value, unit))
    }

    fn read(payload: &str) -> Result<Self, DeviceError> {
        let field = |pointer: &str| json::string(payload, pointer);
        let serial = field("/MS")?.or(field("/GS")?);
        let serial = serial.ok_or_else(|| malformed("it names no meter"))?;
        let page = page(&field("/PG")?.ok_or_else(|| malformed("it has no page"))?)?;
        let mut readings: Vec<OcmfReading> = Vec::new();
        for place in 0..=READINGS_MAX {
            let Some(reading) = json::at(payload, &format!("/RD/{place}"))? else { break };
            if place == READINGS_MAX {
                return Err(malformed("it has too many readings"));
            }
            // What a reading leaves out is as in the one before.
            let mut next = readings.last().cloned().unwrap_or_default();
            for (pointer, to) in [
                ("/TM", &mut next.time),
                ("/RV", &mut next.value),
                ("/RI", &mut next.obis),
                ("/RU", &mut next.unit),
                ("/EF", &mut next.errors),
                ("/ST", &mut next.status),
            ] {
                if let Some(told) = json::string(reading, pointer)? {
                    *to = told;
                }
            }
            check(&next)?;
            readings.push(next);
        }
        let last = readings.last().ok_or_else(|| malformed("it has no reading"))?;
        let moment = moment(&last.time)?;
        Ok(Self { serial, page, moment, readings })
    }
}

fn verify(payload: &str, signature: &str, key: &OcmfKey) -> Result<(), DeviceError> {
    let algorithm = json::string(signature, "/SA")?;
    if let Some(other) = algorithm.filter(|algorithm| algorithm != "ECDSA-secp256r1-SHA256") {
        return Err(DeviceError::Algorithm(shortened(&other)));
    }
    let data = json::string(signature, "/SD")?.ok_or_else(|| malformed("it has no signature"))?;
    let der = match json::string(signature, "/SE")?.as_deref() {
        None | Some("hex") => hex::decode(&data).ok(),
        Some("base64") => STANDARD.decode(&data).ok(),
        Some(_) => None,
    };
    let der = der.ok_or_else(|| malformed("its signature is neither hex nor base64"))?;
    let signature = Signature::from_der(&der).map_err(|_| DeviceError::BadSignature)?;
    key.key.verify(payload.as_bytes(), &signature).map_err(|_| DeviceError::BadSignature)
}

fn check(reading: &OcmfReading) -> Result<(), DeviceError> {
    let mut statuses = reading.status.chars();
    let why = match (statuses.next(), statuses.next()) {
        (Some('G'), None) => {
            let energy = reading.errors.contains('E').then_some("energy");
            let time = reading.errors.contains('t').then_some("time");
            return energy.or(time).map_or(Ok(()), |what| Err(DeviceError::ErrorFlag(what)));
        }
        (Some('N'), None) => "there was no meter",
        (Some('T'), None) => "the meter did not answer in time",
        (Some('D'), None) => "the meter was disconnected",
        (Some('R'), None) => "the meter was not found",
        (Some('M'), None) => "the meter was manipulated",
        (Some('X'), None) => "the meter was exchanged",
        (Some('I'), None) => "the meter does not fit",
        (Some('O'), None) => "the value is out of its range",
        (Some('S'), None) => "the value is a substitute",
        (Some('E'), None) => "another error",
        (Some('F'), None) => "the value could not be read",
        _ => return Err(malformed("its status is unknown")),
    };
    Err(DeviceError::Status(reading.status.chars().next().unwrap_or('?'), why))
}

/// `2018-07-24T13:22:04,000+0200 S`: the letter says what the time is worth.
fn moment(text: &str) -> Result<Moment, DeviceError> {
    let wrong = || malformed("its time is none");
    let (clock, state) = text.trim().rsplit_once(' ').ok_or_else(wrong)?;
    let (wall, zone) = split_zone(clock).ok_or_else(wrong)?;
    let time = wall_clock(wall).ok_or_else(wrong)?.plus_seconds(-60 * i64::from(zone));
    match state {
        "S" => Ok(Moment::Signed(time)),
        // Informative, or counted on from a synchronised start.
        "I" | "R" => Ok(Moment::Device(time)),
        "U" => Ok(Moment::Received(Timestamp(0))),
        _ => Err(wrong()),
    }
}

fn page(text: &str) -> Result<Page, DeviceError> {
    let wrong = || malformed("its page is none");
    let mut characters = text.chars();
    let context = characters.next().filter(|context| matches!(context, 'T' | 'F')).ok_or_else(wrong)?;
    let number = characters.as_str();
    if number.is_empty() || number.len() > 15 || !number.bytes().all(|b| b.is_ascii_digit()) {
        return Err(wrong());
    }
    Ok(Page { context, number: number.parse().map_err(|_| wrong())? })
}

/// `1-0:1.8.0*255` and `1-b:1.8.0` are both `1.8.0`; other codes only themselves.
fn same_obis(told: &str, code: &str) -> bool {
    let core = told.rsplit_once(':').map_or(told, |(_, core)| core);
    let core = core.split_once('*').map_or(core, |(core, _)| core);
    told == code || core == code
}

fn malformed(what: &str) -> DeviceError {
    DeviceError::Ocmf(what.to_owned())
}
