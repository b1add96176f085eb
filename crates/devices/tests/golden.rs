//! Payloads as devices send them, by the documents named in each definition.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends where it fails")]

mod site;

use jirani_devices::{BUILT_IN, Definition, Falls, Meaning, Outcome, Register, Shown, Tally, built_in};
use site::{Device, NOON, decoder, device, hear};

#[test]
fn every_built_in_definition_can_be_read_and_has_its_file_s_name() {
    for (name, text) in BUILT_IN {
        let definition = Definition::read(text).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(definition.name, *name);
        assert!(!definition.source.is_empty(), "{name}");
    }
}

#[test]
fn a_three_phase_shelly_counts_wh_and_not_kwh() {
    let mut meter = Device::new("shelly-3em", &[]);
    meter.says("status/em:0", r#"{"id":0,"a_current":4.029,"a_voltage":236.1,"a_act_power":951.2,"a_freq":50,"total_current":11.116,"total_act_power":2484.782,"total_aprt_power":2525.459,"user_calibrated_phase":[]}"#, 0);
    // Nothing of energy yet: no reading.
    assert!(!meter.is_complete());
    meter.says(
        "status/emdata:0",
        r#"{"id":0,"a_total_act_energy":0.01,"total_act":12345.75,"total_act_ret":17.5}"#,
        0,
    );
    assert_eq!(meter.registers(), (0, 0, 0));
    meter.says("status/emdata:0", r#"{"id":0,"total_act":12445.25,"total_act_ret":18.75}"#, 300);
    // 99.5 Wh and 1.25 Wh: whole Wh are told, the rest is kept.
    assert_eq!(meter.registers(), (99, 1, 0));
    meter.says("status/emdata:0", r#"{"id":0,"total_act":12445.75,"total_act_ret":19.5}"#, 360);
    assert_eq!(meter.registers(), (100, 2, 0));
    assert_eq!(meter.shown(Shown::PowerDrawn), 2_484_782);
    assert_eq!(meter.shown(Shown::Voltage), 236_100);
}

#[test]
fn a_shelly_s_notifications_are_laid_over_what_is_known() {
    let mut meter = Device::new("shelly-em", &[("channel", "1")]);
    let rpc = |inner: &str, ts: &str| {
        format!(
            r#"{{"src":"shellyproem50-1","dst":"devices/m1/events","method":"NotifyStatus","params":{{"ts":{ts},{inner}}}}}"#
        )
    };
    meter.says(
        "events/rpc",
        &rpc(r#""em1data:1":{"id":1,"total_act_energy":1000.06,"total_act_ret_energy":0}"#, "1780304400.21"),
        0,
    );
    // Another channel, and a message without energy: nothing moves.
    let nothing = meter.try_says(
        "events/rpc",
        &rpc(r#""em1data:0":{"id":0,"total_act_energy":9000}"#, "1780304402"),
        2,
    );
    assert_eq!(nothing.unwrap(), Outcome::Nothing);
    meter.says("events/rpc", &rpc(r#""em1:1":{"id":1,"act_power":-88.9,"voltage":233.2}"#, "1780304403"), 3);
    // Only one of the two registers: the other stays.
    meter.says("events/rpc", &rpc(r#""em1data:1":{"id":1,"total_act_ret_energy":12.34}"#, "1780304460"), 60);
    assert_eq!(meter.registers(), (0, 12, 0));
    assert_eq!(meter.shown(Shown::PowerDrawn), -88_900);
    // null is what a Shelly says for a value it does not know.
    meter.says(
        "events/rpc",
        &rpc(r#""em1data:1":{"id":1,"total_act_energy":1010.06,"total_act_ret_energy":null}"#, "1780304520"),
        120,
    );
    assert_eq!(meter.registers(), (10, 12, 0));
}

#[test]
fn a_shelly_switch_and_a_pm_mini_differ_by_one_parameter() {
    for component in ["switch:0", "pm1:0"] {
        let mut meter = Device::new("shelly-pm", &[("component", component)]);
        let topic = format!("status/{component}");
        let payload = |total: &str| {
            format!(
                r#"{{"id":0,"apower":193.5,"voltage":242.7,"freq":50.0,"current":0.883,"aenergy":{{"total":{total},"by_minute":[3403.476,3190.759,3190.759],"minute_ts":1773617820}},"ret_aenergy":{{"total":0.000}}}}"#
            )
        };
        meter.says(&topic, &payload("52648.590"), 0);
        meter.says(&topic, &payload("52658.590"), 60);
        assert_eq!(meter.registers(), (10, 0, 0), "{component}");
    }
}

#[test]
fn the_first_shellys_totals_are_read_in_wh() {
    let mut meter = Device::new("shelly-gen1-em", &[]);
    for (topic, value) in
        [("emeter/0/total", "1714.7"), ("emeter/0/total_returned", "0.0"), ("emeter/0/power", "100.12")]
    {
        meter.says(topic, value, 0);
    }
    meter.says("emeter/0/total", "1724.7", 60);
    assert_eq!(meter.registers(), (10, 0, 0));
}

#[test]
fn tasmota_counts_kwh_with_one_channel_or_more() {
    let mut meter = Device::new("tasmota", &[]);
    let one = r#"{"Time":"2026-06-01T12:00:00","ENERGY":{"TotalStartTime":"2025-01-01T00:00:00","Total":123.456,"Yesterday":1.2,"Today":0.5,"Power":182,"ApparentPower":200,"ReactivePower":84,"Factor":0.91,"Voltage":231,"Current":0.866}}"#;
    meter.says("tele/SENSOR", one, 0);
    meter.says("tele/SENSOR", &one.replace("123.456", "123.556").replace("12:00:00", "12:05:00"), 300);
    assert_eq!(meter.registers(), (100, 0, 0));

    let mut two = Device::new("tasmota", &[]);
    let channels = |total: &str, time: &str| {
        format!(
            r#"{{"Time":"2026-06-01T12:{time}:00","ENERGY":{{"Total":{total},"ExportActive":[0.5,0],"Power":[100,-20]}}}}"#
        )
    };
    two.says("tele/SENSOR", &channels("[1.5,2.25]", "00"), 0);
    two.says("tele/SENSOR", &channels("[1.55,2.3]", "05"), 300);
    assert_eq!(two.registers(), (100, 0, 0));
    assert_eq!(two.shown(Shown::PowerDrawn), 80_000);
}

#[test]
fn a_tasmota_whose_zone_was_never_set_is_read_by_the_moment_of_receipt() {
    let mut meter = Device::new("tasmota", &[]);
    let payload = r#"{"Time":"2026-06-01T10:00:00","ENERGY":{"Total":1.0}}"#;
    let Outcome::Taken { moment, .. } = meter.try_says("tele/SENSOR", payload, 0).unwrap() else { panic!() };
    assert_eq!(moment.time(), NOON);
    // Kept by the broker, its age would be unknown.
    let refused = meter.hear_kept("tele/SENSOR", payload, 30).unwrap_err();
    assert_eq!(refused.code(), "device.retained");
    // With a zone that is right it is known, and old: also refused.
    let right = payload.replace("T10:", "T12:");
    assert_eq!(meter.hear_kept("tele/SENSOR", &right, 3_600).unwrap_err().code(), "device.retained");
}

#[test]
fn flat_topics_are_heard_one_by_one() {
    let mut meter = Device::new("esphome", &[]);
    meter.says("sensor/energy_import/state", "10.000", 0);
    meter.says("sensor/power/state", "-1250.5", 1);
    meter.says("sensor/energy_import/state", "10.025", 60);
    assert_eq!((meter.registers(), meter.shown(Shown::PowerDrawn)), ((25, 0, 0), -1_250_500));
    for text in ["unknown", "unavailable", "nan", "", "1 kWh"] {
        assert_eq!(meter.refused("sensor/energy_import/state", text, 61), "device.not_a_number", "{text}");
    }

    let decoder = decoder("victron-grid", device("v1", &[("portal", "c0619ab1"), ("instance", "30")]));
    let mut tally = Tally::default();
    for (path, value) in [("Energy/Forward", "12.5"), ("Energy/Reverse", "3.25"), ("Energy/Forward", "12.6")]
    {
        let topic = format!("N/c0619ab1/grid/30/Ac/{path}");
        let heard = hear(&decoder, &topic, format!(r#"{{"value":{value}}}"#).as_bytes(), false, 300).unwrap();
        tally.take(&decoder, &heard.unwrap()).unwrap();
    }
    assert_eq!((tally.wh(&decoder, Register::Import), tally.wh(&decoder, Register::Export)), (100, 0));
}

#[test]
fn a_sunspec_counter_rolls_over_at_its_declared_modulus() {
    let mut panels = Device::new("sunspec-mqtt", &[]);
    panels.says("WH", "4294967200", 0);
    panels.says("WH", "4", 300);
    assert_eq!(panels.registers(), (0, 0, 100));
    assert_eq!(panels.refused("WH", "4294967296", 301), "device.beyond_modulus");
    // Too far to be a roll-over, and it never resets.
    assert_eq!(panels.refused("WH", "1", 302), "device.fell");
}

#[test]
fn a_definition_says_what_a_fall_may_be() {
    let falls = |name: &str, value: &str| match built_in(name).unwrap().values[value].meaning {
        Meaning::Energy { falls, .. } => falls,
        Meaning::Shown(_) => panic!("{value} is shown"),
    };
    assert_eq!(falls("shelly-em", "drawn"), Falls::Reset);
    assert_eq!(falls("sunspec-mqtt", "made"), Falls::Refuse);
    assert_eq!(falls("ocmf", "drawn"), Falls::Refuse);
}
