//! What a person set on the serial line, as the meter starts with it.

use crate::device::Flash;
use alloc::string::String;
use jirani_firmware_logic::store::{Name, Store, StoreError, VALUE_MAX};
use jirani_meter::PublicKey;

const TIME_SERVER: &str = "pool.ntp.org";

/// Everything that can be set.
pub struct Settings {
    /// The network's name.
    pub wifi: String,
    /// Its password; empty for an open network.
    pub wifi_password: String,
    /// The broker: `host` or `host:port`.
    pub broker: String,
    /// The meter's password there.
    pub broker_password: String,
    /// Whose acknowledgements and commands count.
    pub gateway: Option<PublicKey>,
    /// Whom to ask for the time.
    pub time_server: String,
}

impl Settings {
    /// Reads what is kept; what was never set is empty.
    pub fn read(store: &mut Store<Flash>) -> Result<Self, StoreError> {
        let mut text = |name| {
            let mut value = [0; VALUE_MAX];
            let bytes = store.get(name, &mut value)?.unwrap_or_default();
            core::str::from_utf8(bytes).map(String::from).map_err(|_| StoreError::Flash)
        };
        let (wifi, wifi_password) = (text(Name::Wifi)?, text(Name::WifiPassword)?);
        let (broker, broker_password) = (text(Name::Broker)?, text(Name::BrokerPassword)?);
        let mut time_server = text(Name::TimeServer)?;
        if time_server.is_empty() {
            time_server = TIME_SERVER.into();
        }
        let mut value = [0; VALUE_MAX];
        let gateway = store
            .get(Name::Gateway, &mut value)?
            .and_then(|bytes| bytes.try_into().ok())
            .and_then(|bytes| PublicKey::from_bytes(bytes).ok());
        Ok(Self { wifi, wifi_password, broker, broker_password, gateway, time_server })
    }

    /// What must be set before the meter can reach its gateway.
    pub fn missing(&self) -> Option<&'static str> {
        if self.gateway.is_none() {
            Some("gateway")
        } else if self.wifi.is_empty() {
            Some("wifi")
        } else if self.broker.is_empty() {
            Some("broker")
        } else if self.broker_password.is_empty() {
            Some("broker_password")
        } else {
            None
        }
    }
}
