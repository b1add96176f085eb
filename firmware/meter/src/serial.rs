//! The serial line: a person types settings, the meter answers each line with one.

use crate::device::Flash;
use crate::settings::Settings;
use alloc::format;
use alloc::string::String;
use core::cell::RefCell;
use esp_hal::Async;
use esp_hal::uart::Uart;
use jirani_firmware_logic::provisioning::{self, LINE_MAX, Line, LineError};
use jirani_firmware_logic::qr;
use jirani_firmware_logic::store::{Name, Store, StoreError};

/// Who the meter is, for enrolment.
#[derive(Clone)]
pub struct Who {
    /// 32 hexadecimal digits.
    pub name: String,
    /// 64 hexadecimal digits.
    pub public_key: String,
}

/// Where settings are kept: beside the running meter, or alone before it is set up.
#[derive(Clone, Copy)]
pub enum Settable {
    /// The meter runs.
    Running(crate::Shared),
    /// It lacks a setting.
    Unset(&'static RefCell<Store<Flash>>),
}

impl Settable {
    fn with<T>(self, act: impl FnOnce(&mut Store<Flash>) -> T) -> T {
        match self {
            Self::Running(device) => act(device.borrow_mut().store()),
            Self::Unset(store) => act(&mut store.borrow_mut()),
        }
    }
}

/// What was typed and could not be taken.
#[derive(Debug)]
enum Refused {
    Line(LineError),
    Store(StoreError),
}

/// Runs for ever.
#[embassy_executor::task]
pub async fn run(mut wire: Uart<'static, Async>, settable: Settable, who: Who) -> ! {
    let (mut line, mut length, mut overlong) = ([0; LINE_MAX], 0, false);
    loop {
        let mut byte = [0];
        if wire.read_async(&mut byte).await.is_err() {
            continue;
        }
        if byte[0] != b'\n' && byte[0] != b'\r' {
            match line.get_mut(length) {
                Some(place) => (*place, length) = (byte[0], length + 1),
                None => overlong = true,
            }
            continue;
        }
        let typed = if overlong { Err(LineError::Unknown) } else { provisioning::read(&line[..length]) };
        let answer = match typed.map_err(Refused::Line).and_then(|typed| obey(typed, settable, &who)) {
            Ok(answer) => answer,
            Err(Refused::Line(error)) => format!("error: {error}\r\n"),
            Err(Refused::Store(error)) => format!("error: {error}\r\n"),
        };
        line.fill(0);
        (length, overlong) = (0, false);
        let mut rest = answer.as_bytes();
        while let Ok(written @ 1..) = wire.write_async(rest).await {
            rest = rest.get(written..).unwrap_or_default();
            if rest.is_empty() {
                break;
            }
        }
    }
}

fn obey(line: Line<'_>, settable: Settable, who: &Who) -> Result<String, Refused> {
    let keep = |name: Name, value: &[u8]| {
        settable.with(|store| store.put(name, value)).map_err(Refused::Store)?;
        Ok("kept; restart to use it\r\n".into())
    };
    match line {
        Line::Empty => Ok(String::new()),
        Line::Identity => {
            let mut text = format!("meter {}\r\nkey {}\r\n", who.name, who.public_key);
            // Capital letters make the code smaller. Writing to a string does not fail.
            let _ = qr::write(&who.public_key.to_ascii_uppercase(), &mut text);
            Ok(text)
        }
        Line::Restart => esp_hal::system::software_reset(),
        Line::Text(name, value) => keep(name, value.as_bytes()),
        Line::Gateway(key) => keep(Name::Gateway, &key),
        Line::Show => {
            let settings = settable.with(Settings::read).map_err(Refused::Store)?;
            let is_set = |is_set: bool| if is_set { "set" } else { "not set" };
            Ok(format!(
                "wifi {}\r\nwifi_password {}\r\nbroker {}\r\nbroker_password {}\r\ngateway {}\r\n\
                 time_server {}\r\n{}\r\n",
                settings.wifi,
                is_set(!settings.wifi_password.is_empty()),
                settings.broker,
                is_set(!settings.broker_password.is_empty()),
                is_set(settings.gateway.is_some()),
                settings.time_server,
                settings.missing().map_or_else(|| "complete".into(), |what| format!("missing: {what}")),
            ))
        }
    }
}
