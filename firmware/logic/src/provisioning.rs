//! What a person types on the serial line: one setting a line, checked before it is kept.

use crate::store::Name;
use jirani_meter::PublicKey;

/// Most bytes of a line.
pub const LINE_MAX: usize = 160;

/// What a line asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// Show what is set; secrets are not shown.
    Show,
    /// Show who the meter is.
    Identity,
    /// Start anew, with what was set.
    Restart,
    /// Keep a setting as it is typed.
    Text(Name, &'a str),
    /// Keep the gateway's key.
    Gateway([u8; 32]),
    /// Nothing was typed.
    Empty,
}

/// Why a line was not taken. Nothing was kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// Not text.
    #[error("line.not_text: the line is not UTF-8 text")]
    NotText,
    /// No such word.
    #[error(
        "line.unknown: type wifi, wifi_password, broker, broker_password, gateway or time_server and a value; or show, identity, restart"
    )]
    Unknown,
    /// A network's name is 1 to 32 bytes.
    #[error("line.wifi: a Wi-Fi network's name has 1 to 32 bytes")]
    Wifi,
    /// A network's password is 8 to 63 bytes, or empty for an open network.
    #[error("line.wifi_password: a Wi-Fi password has 8 to 63 bytes; type nothing for an open network")]
    WifiPassword,
    /// A broker is `host` or `host:port`.
    #[error("line.broker: a broker is host or host:port, at most 80 bytes")]
    Broker,
    /// The meter's password is 1 to 96 bytes.
    #[error("line.broker_password: the meter's password at the broker has 1 to 96 bytes")]
    BrokerPassword,
    /// The gateway's key is 64 hexadecimal digits of a good key.
    #[error("line.gateway: the gateway's key is 64 hexadecimal digits, as `jirani` prints it")]
    Gateway,
    /// A time server is a host.
    #[error("line.time_server: a time server is a host of at most 80 bytes")]
    TimeServer,
}

/// Reads a line without its end.
pub fn read(line: &[u8]) -> Result<Line<'_>, LineError> {
    let line = core::str::from_utf8(line).map_err(|_| LineError::NotText)?;
    let line = line.trim_start().trim_end_matches(['\r', '\n']);
    let (word, value) = line.split_once(' ').unwrap_or((line, ""));
    match word {
        "" => Ok(Line::Empty),
        "show" => Ok(Line::Show),
        "identity" => Ok(Line::Identity),
        "restart" => Ok(Line::Restart),
        "wifi" => text(Name::Wifi, value, (1..=32).contains(&value.len()), LineError::Wifi),
        "wifi_password" => {
            let fits = value.is_empty() || (8..=63).contains(&value.len());
            text(Name::WifiPassword, value, fits, LineError::WifiPassword)
        }
        "broker" => text(Name::Broker, value, broker(value).is_some(), LineError::Broker),
        "broker_password" => {
            text(Name::BrokerPassword, value, (1..=96).contains(&value.len()), LineError::BrokerPassword)
        }
        "gateway" => key(value).map(Line::Gateway).ok_or(LineError::Gateway),
        "time_server" => text(Name::TimeServer, value, is_host(value), LineError::TimeServer),
        _ => Err(LineError::Unknown),
    }
}

fn text(name: Name, value: &str, fits: bool, error: LineError) -> Result<Line<'_>, LineError> {
    if fits { Ok(Line::Text(name, value)) } else { Err(error) }
}

/// A broker's host and port; 1883 when none is named.
pub fn broker(value: &str) -> Option<(&str, u16)> {
    let (host, port) = match value.split_once(':') {
        Some((host, port)) => (host, port.parse().ok().filter(|port| *port != 0)?),
        None => (value, 1883),
    };
    is_host(host).then_some((host, port))
}

fn is_host(host: &str) -> bool {
    let letters = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'-';
    (1..=80).contains(&host.len()) && host.bytes().all(letters)
}

fn key(digits: &str) -> Option<[u8; 32]> {
    let digits = digits.trim_end().as_bytes();
    if digits.len() != 64 {
        return None;
    }
    let mut key = [0; 32];
    for (byte, pair) in key.iter_mut().zip(digits.chunks_exact(2)) {
        let digit = |letter: u8| char::from(letter).to_digit(16);
        let [high, low] = pair else { return None };
        *byte = u8::try_from(digit(*high)? << 4 | digit(*low)?).ok()?;
    }
    PublicKey::from_bytes(&key).is_ok().then_some(key)
}
