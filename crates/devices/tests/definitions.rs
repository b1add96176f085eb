//! Definitions that are wrong, and what is said about them; hostile payloads.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends where it fails")]

mod site;

use jirani_devices::{Decoder, Definition, built_in};
use site::{Device, decoder, device, hear};

const RIGHT: &str = r#"
name: mine
title: Mine
parameters: { prefix: { default: "devices/{device}" } }
values:
  drawn: { register: import, unit: kWh }
topics:
  - topic: "{prefix}/state"
    payload: json
    values: { drawn: /total }
"#;

fn refused(text: &str) -> String {
    Definition::read(text).expect_err(text).to_string()
}

#[test]
fn a_mistake_is_named_with_what_was_probably_meant() {
    Definition::read(RIGHT).unwrap();
    for (from, to, words) in [
        ("register: import", "registr: import", &["registr", "did you mean register?"][..]),
        ("register: import", "register: imports", &["imports", "did you mean import?"]),
        ("unit: kWh", "unit: kwh", &["did you mean kWh?"]),
        ("unit: kWh", "unit: V", &["a register counts energy"]),
        ("payload: json", "payload: jsn", &["did you mean json?"]),
        ("payload: json", "payloads: json", &["payload is missing"]),
        ("{ drawn: /total }", "{ drwn: /total }", &["drwn", "did you mean drawn?"]),
        ("{ drawn: /total }", "{ drawn: total }", &["JSON pointer"]),
        ("{prefix}/state", "{prefx}/state", &["prefx", "did you mean prefix?"]),
        ("{prefix}/state", "{prefix/state", &["has no }"]),
        ("{prefix}/state", "+/state", &["without + and #"]),
        ("name: mine", "name: Mine!", &["name is made of"]),
        ("title: Mine", "title: [1]", &["title is a text"]),
        ("title: Mine", "titel: Mine", &["title is missing"]),
    ] {
        let said = refused(&RIGHT.replace(from, to));
        for word in words {
            assert!(said.contains(word), "{to}: {said}");
        }
        assert!(!said.contains('\n'), "one line: {said}");
    }
    assert!(refused(&format!("{RIGHT}\nname: twice\n")).starts_with("device.definition"));
    assert!(refused("- a list").contains("mapping"));
    assert!(refused("").starts_with("device.definition"));
    assert!(refused(&format!("{RIGHT}#{}", "x".repeat(40_000))).starts_with("device.too_large"));
    let bomb = "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\ng: [*f,*f,*f,*f,*f,*f,*f,*f,*f]\n";
    assert!(refused(bomb).starts_with("device."), "an alias bomb is refused");
}

#[test]
fn a_sites_device_must_fit_its_definition() {
    let made = |parameters: &[(&str, &str)]| {
        Decoder::new(built_in("victron-grid").unwrap(), device("m1", parameters))
    };
    let said = |parameters| made(parameters).expect_err("it does not fit").to_string();
    made(&[("portal", "p"), ("instance", "30")]).unwrap();
    assert!(said(&[("portal", "p")]).contains("needs the parameter instance"));
    assert!(said(&[("portal", "p"), ("instnce", "30")]).contains("did you mean instance?"));
    assert!(said(&[("portal", "p/#"), ("instance", "30")]).contains("without"));
    let mut unrated = device("m1", &[]);
    unrated.export_rating_w = 0;
    let said = Decoder::new(built_in("shelly-em").unwrap(), unrated).unwrap_err().to_string();
    assert!(said.contains("export_rating_w"), "{said}");
    for id in ["", "Shelly", "a/b", "a+b", &"x".repeat(41)] {
        assert!(Decoder::new(built_in("tasmota").unwrap(), device(id, &[])).is_err(), "{id}");
    }
}

#[test]
fn hostile_payloads_are_refused_by_name_and_change_nothing() {
    let mut meter = Device::new("shelly-3em", &[]);
    meter.says("status/emdata:0", r#"{"total_act":1,"total_act_ret":1}"#, 0);
    // Depth costs nothing, and says nothing.
    let deep = format!("{}1{}", "[".repeat(500), "]".repeat(500));
    let wide = format!(r#"{{"total_act":[{}]}}"#, vec!["1"; 17].join(","));
    let megabyte = format!(r#"{{"x":"{}","total_act":2}}"#, "x".repeat(1_000_000));
    for (payload, code) in [
        ("", "device.malformed"),
        ("null", ""),
        ("\"total_act\"", ""),
        (r#"{"total_act":2"#, "device.malformed"),
        (r#"{"total_act":2}{}"#, "device.malformed"),
        (r#"{"total_act":2,"total_act":3}"#, "device.malformed"),
        (r#"{"total_act":{"v":2}}"#, "device.malformed"),
        (r#"{"total_act":[]}"#, "device.malformed"),
        (r#"{"total_act":[[1]]}"#, "device.malformed"),
        (r#"{"total_act":true}"#, "device.not_a_number"),
        (r#"{"total_act":NaN}"#, "device.malformed"),
        (r#"{"total_act":"Infinity"}"#, "device.not_a_number"),
        (r#"{"total_act":-5}"#, "device.negative"),
        (r#"{"total_act":1e300}"#, "device.out_of_range"),
        (r#"{"total_act":99999999999999999999999999}"#, "device.out_of_range"),
        (r#"{"total_act":1000000}"#, "device.implausible"),
        (deep.as_str(), ""),
        (wide.as_str(), "device.malformed"),
        (megabyte.as_str(), "device.too_large"),
    ] {
        let start: String = payload.chars().take(60).collect();
        if code.is_empty() {
            assert!(meter.try_says("status/emdata:0", payload, 60).is_ok(), "{start}");
            continue;
        }
        assert_eq!(meter.refused("status/emdata:0", payload, 60), code, "{start}");
    }
    // Not UTF-8, and a topic that is somebody else's.
    let decoder = decoder("shelly-3em", device("m1", &[]));
    assert_eq!(
        hear(&decoder, "devices/m1/status/em:0", &[0xff, 0xfe], false, 0).unwrap_err().code(),
        "device.malformed"
    );
    assert_eq!(hear(&decoder, "devices/m2/status/em:0", b"{}", false, 0), Ok(None));
}
