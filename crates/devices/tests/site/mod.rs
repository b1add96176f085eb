//! A device of a site, for tests.

#![allow(dead_code, reason = "each test uses its part")]

use jirani_devices::{
    Decoder, DeviceError, Heard, Message, Outcome, Register, Shown, SiteDevice, Tally, built_in,
};
use jirani_units::Timestamp;
use std::collections::BTreeMap;

/// 2026-06-01T09:00:00Z: noon in Nairobi.
pub const NOON: Timestamp = Timestamp::from_seconds(1_780_304_400);

pub fn device(id: &str, parameters: &[(&str, &str)]) -> SiteDevice {
    SiteDevice {
        id: id.to_owned(),
        definition: String::new(),
        generation: 1,
        import_rating_w: 5_000,
        export_rating_w: 5_000,
        pv_rated_w: 5_000,
        interval_s: 60,
        parameters: parameters
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
    }
}

pub fn decoder(definition: &str, device: SiteDevice) -> Decoder {
    Decoder::new(built_in(definition).unwrap(), device).unwrap()
}

pub fn hear(
    decoder: &Decoder,
    topic: &str,
    payload: &[u8],
    retained: bool,
    seconds: i64,
) -> Result<Option<Heard>, DeviceError> {
    decoder.hear(Message { topic, payload, retained, received: NOON.plus_seconds(seconds) })
}

/// The device `m1`, under the prefix `devices/m1`.
pub struct Device {
    decoder: Decoder,
    tally: Tally,
}

impl Device {
    pub fn new(definition: &str, parameters: &[(&str, &str)]) -> Self {
        Self { decoder: decoder(definition, device("m1", parameters)), tally: Tally::default() }
    }

    pub fn of(text: &str) -> Self {
        let definition = jirani_devices::Definition::read(text).unwrap();
        Self { decoder: Decoder::new(definition, device("m1", &[])).unwrap(), tally: Tally::default() }
    }

    pub fn try_says(&mut self, leaf: &str, payload: &str, seconds: i64) -> Result<Outcome, DeviceError> {
        let heard = hear(&self.decoder, &format!("devices/m1/{leaf}"), payload.as_bytes(), false, seconds)?;
        self.tally.take(&self.decoder, &heard.expect("one of its topics"))
    }

    /// Says something that is taken.
    pub fn says(&mut self, leaf: &str, payload: &str, seconds: i64) {
        match self.try_says(leaf, payload, seconds) {
            Ok(Outcome::Taken { .. }) => {}
            other => panic!("{leaf} {payload}: {other:?}"),
        }
    }

    /// The code of a refusal that changed nothing.
    pub fn refused(&mut self, leaf: &str, payload: &str, seconds: i64) -> &'static str {
        let before = self.tally.clone();
        let code = self.try_says(leaf, payload, seconds).expect_err(payload).code();
        assert_eq!(self.tally, before, "a refusal changes nothing");
        code
    }

    pub fn hear_kept(&self, leaf: &str, payload: &str, seconds: i64) -> Result<Option<Heard>, DeviceError> {
        hear(&self.decoder, &format!("devices/m1/{leaf}"), payload.as_bytes(), true, seconds)
    }

    pub fn is_complete(&self) -> bool {
        self.tally.is_complete(&self.decoder)
    }

    /// Import, export and generation in Wh.
    pub fn registers(&self) -> (u64, u64, u64) {
        let wh = |register| self.tally.wh(&self.decoder, register);
        (wh(Register::Import), wh(Register::Export), wh(Register::Generation))
    }

    pub fn shown(&self, kind: Shown) -> i64 {
        self.tally.shown(&self.decoder, kind)
    }

    /// As it is after a restart.
    pub fn restarted(&mut self) {
        let kept = serde_json::to_string(&self.tally).unwrap();
        self.tally = serde_json::from_str(&kept).unwrap();
    }
}

/// Parameters by name.
pub type Parameters = BTreeMap<String, String>;
