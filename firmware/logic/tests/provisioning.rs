//! What is typed on the serial line is checked before it is kept.

use jirani_firmware_logic::provisioning::{self, Line, LineError};
use jirani_firmware_logic::store::Name;
use proptest::prelude::*;

const KEY: &str = "cd14b37f956e953194ff7fb73b3d81dcc561d61a7538094b7c3e1a643ee5f3aa";

#[test]
fn settings_are_taken_one_a_line() {
    let text = |line: &'static str| provisioning::read(line.as_bytes());
    assert_eq!(text("wifi Shamba la Kwanza\r\n"), Ok(Line::Text(Name::Wifi, "Shamba la Kwanza")));
    assert_eq!(text("wifi_password a b c d e"), Ok(Line::Text(Name::WifiPassword, "a b c d e")));
    assert_eq!(text("wifi_password"), Ok(Line::Text(Name::WifiPassword, "")));
    assert_eq!(text("broker site.local:8883"), Ok(Line::Text(Name::Broker, "site.local:8883")));
    assert_eq!(text("time_server pool.ntp.org"), Ok(Line::Text(Name::TimeServer, "pool.ntp.org")));
    assert_eq!(text("show"), Ok(Line::Show));
    assert_eq!(text("identity"), Ok(Line::Identity));
    assert_eq!(text("restart"), Ok(Line::Restart));
    assert_eq!(text("  "), Ok(Line::Empty));
    let gateway = format!("gateway {KEY}");
    let Ok(Line::Gateway(key)) = provisioning::read(gateway.as_bytes()) else { panic!("the key is good") };
    assert_eq!((key[0], key[31]), (0xcd, 0xaa));
}

#[test]
fn what_cannot_work_is_refused_with_a_sentence() {
    let refused = |line: &str| provisioning::read(line.as_bytes()).unwrap_err();
    assert_eq!(refused("wifi"), LineError::Wifi);
    assert_eq!(refused(&format!("wifi {}", "x".repeat(33))), LineError::Wifi);
    assert_eq!(refused("wifi_password short"), LineError::WifiPassword);
    assert_eq!(refused("broker host:port"), LineError::Broker);
    assert_eq!(refused("broker host:0"), LineError::Broker);
    assert_eq!(refused("broker mqtt://host"), LineError::Broker);
    assert_eq!(refused("broker_password"), LineError::BrokerPassword);
    assert_eq!(refused("gateway 1234"), LineError::Gateway);
    // A point of small order proves nothing.
    assert_eq!(refused(&format!("gateway 01{}", "0".repeat(62))), LineError::Gateway);
    assert_eq!(refused("time_server a b"), LineError::TimeServer);
    assert_eq!(refused("format c:"), LineError::Unknown);
    assert_eq!(provisioning::read(&[0xff]), Err(LineError::NotText));
}

#[test]
fn a_broker_without_a_port_has_mqtts() {
    assert_eq!(provisioning::broker("10.0.0.2"), Some(("10.0.0.2", 1883)));
    assert_eq!(provisioning::broker("b:1884"), Some(("b", 1884)));
}

proptest! {
    #[test]
    fn no_line_makes_the_reader_panic(line in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = provisioning::read(&line);
    }
}
