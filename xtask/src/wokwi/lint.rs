//! What may be wrong with a diagram: the rules of Wokwi's own linter, whose names they
//! keep, and without a network. Every finding is an error here.

use super::diagram::{Diagram, Part};
use super::parts::{self, Values};
use super::project::Chip;
use serde_json::Value;
use std::collections::BTreeSet;

/// The serial monitor is in every diagram without being a part.
const MONITOR: &str = "$serialMonitor";
/// What a part says besides its type, name and attributes.
const PROPERTIES: &[&str] = &["left", "top", "rotate", "hide"];

/// One mistake.
#[derive(Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which rule it breaks.
    pub rule: &'static str,
    /// What is wrong, and where.
    pub what: String,
}

/// A mistake against `rule`.
pub fn finding(rule: &'static str, what: String) -> Finding {
    Finding { rule, what }
}

/// Every mistake of the diagram, whose own chips are `chips`.
pub fn diagram(diagram: &Diagram, chips: &[Chip]) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut names = BTreeSet::new();
    for part in &diagram.parts {
        if !names.insert(part.id.as_str()) {
            found.push(finding("duplicate-id", format!("two parts are called {}", part.id)));
        }
        kind(part, chips, &mut found);
        coordinates(part, &mut found);
        attributes(part, chips, &mut found);
        let wired = diagram.wires().flatten().any(|(id, _)| id == part.id);
        let alone = parts::kind(&part.kind).is_some_and(|kind| kind.stands_alone);
        if !wired && !alone {
            found.push(finding("redundant-parts", format!("{} is wired to nothing", part.id)));
        }
    }
    for (id, pin) in diagram.wires().flatten() {
        if id == MONITOR {
            if !matches!(pin, "RX" | "TX") {
                found.push(finding("invalid-pin", format!("{MONITOR} has RX and TX, not {pin:?}")));
            }
            continue;
        }
        let Some(part) = diagram.part(id) else {
            found.push(finding("missing-component", format!("a wire leads to {id}, which is no part")));
            continue;
        };
        if pins(part, chips).is_some_and(|pins| !pins.contains(&pin)) {
            found.push(finding("invalid-pin", format!("{id} ({}) has no pin {pin:?}", part.kind)));
        }
    }
    found
}

/// The pins of a part whose kind is known.
fn pins<'a>(part: &Part, chips: &'a [Chip]) -> Option<Vec<&'a str>> {
    match chips.iter().find(|chip| chip.kind == part.kind) {
        Some(chip) => Some(chip.pins.iter().map(String::as_str).collect()),
        None => parts::kind(&part.kind).map(|kind| kind.pins.to_vec()),
    }
}

fn kind(part: &Part, chips: &[Chip], found: &mut Vec<Finding>) {
    if pins(part, chips).is_none() {
        let what = format!("{} is a {}, which is neither a known part nor a chip", part.id, part.kind);
        found.push(finding("unknown-part-type", what));
    }
}

fn coordinates(part: &Part, found: &mut Vec<Finding>) {
    for (name, value) in &part.rest {
        match name.as_str() {
            "x" | "y" => {
                let right = if name == "x" { "left" } else { "top" };
                found.push(finding("wrong-coord-names", format!("{}: {name} is called {right}", part.id)));
            }
            name if !PROPERTIES.contains(&name) => {
                found.push(finding("unknown-property", format!("{} has a {name}", part.id)));
            }
            "left" | "top" | "rotate" if !value.is_number() => {
                found.push(finding("wrong-coord-names", format!("{}: {name} is no number", part.id)));
            }
            _ => {}
        }
    }
    for name in ["left", "top", "rotate"] {
        if part.attrs.contains_key(name) {
            let what = format!("{}: {name} belongs to the part, not to its attrs", part.id);
            found.push(finding("misplaced-coords", what));
        }
    }
}

fn attributes(part: &Part, chips: &[Chip], found: &mut Vec<Finding>) {
    let chip = chips.iter().find(|chip| chip.kind == part.kind);
    let kind = parts::kind(&part.kind);
    for (name, value) in &part.attrs {
        let Value::String(value) = value else {
            found.push(finding("invalid-attribute", format!("{}: {name} must be a text", part.id)));
            continue;
        };
        let why = match (chip, kind) {
            (Some(chip), _) if !chip.attributes.contains(name) => "is not known",
            (None, Some(kind)) => match kind.attributes.iter().find(|(known, _)| known == name) {
                None if matches!(name.as_str(), "left" | "top" | "rotate") => continue,
                None => "is not known",
                Some((_, Values::OneOf(allowed))) if !allowed.contains(&value.as_str()) => {
                    "has a value that is not allowed"
                }
                Some(_) => continue,
            },
            _ => continue,
        };
        found.push(finding("invalid-attribute", format!("{}: {name} = {value:?} {why}", part.id)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const DIAGRAM: &str = include_str!("../../../firmware/wokwi/diagram.json");
    const CHIP: &str = include_str!("../../../firmware/wokwi/pzem.chip.json");

    /// The rules that the diagram breaks after `change`.
    fn broken(change: impl FnOnce(&mut Value)) -> Vec<&'static str> {
        let mut value: Value = serde_json::from_str(DIAGRAM).unwrap();
        change(&mut value);
        let chips = [Chip::read("pzem", CHIP).unwrap()];
        let read: Diagram = serde_json::from_value(value).unwrap();
        diagram(&read, &chips).into_iter().map(|finding| finding.rule).collect()
    }

    fn part<'a>(diagram: &'a mut Value, id: &str) -> &'a mut Value {
        diagram["parts"].as_array_mut().unwrap().iter_mut().find(|part| part["id"] == id).unwrap()
    }

    fn wire(diagram: &mut Value, from: &str, to: &str) {
        diagram["connections"].as_array_mut().unwrap().push(json!([from, to, "", []]));
    }

    #[test]
    fn the_diagram_is_in_order() {
        assert_eq!(broken(|_| ()), [""; 0]);
    }

    #[test]
    fn two_parts_of_one_name_are_found() {
        let found = broken(|diagram| {
            let copy = part(diagram, "sun").clone();
            diagram["parts"].as_array_mut().unwrap().push(copy);
        });
        assert_eq!(found, ["duplicate-id"]);
    }

    #[test]
    fn pins_that_no_part_has_are_found() {
        assert_eq!(broken(|diagram| wire(diagram, "esp:11", "relay:IN")), ["invalid-pin"]);
        assert_eq!(broken(|diagram| wire(diagram, "esp:8", "energy:OUT")), ["invalid-pin"]);
        assert_eq!(broken(|diagram| wire(diagram, "esp:8", "$serialMonitor:CTS")), ["invalid-pin"]);
        assert_eq!(broken(|diagram| wire(diagram, "esp", "relay:IN")), ["invalid-pin"]);
    }

    #[test]
    fn wires_to_parts_that_are_missing_are_found() {
        assert_eq!(broken(|diagram| wire(diagram, "esp:8", "lcd1:SDA")), ["missing-component"]);
    }

    #[test]
    fn types_that_nobody_knows_are_found() {
        let found = broken(|diagram| part(diagram, "energy")["type"] = json!("chip-energy-ic"));
        assert_eq!(found, ["unknown-part-type"]);
        let found = broken(|diagram| part(diagram, "house")["type"] = json!("wokwi-lamp"));
        assert_eq!(found, ["unknown-part-type"]);
    }

    #[test]
    fn coordinates_by_another_name_or_in_another_place_are_found() {
        assert_eq!(broken(|diagram| part(diagram, "sun")["x"] = json!(5)), ["wrong-coord-names"]);
        assert_eq!(broken(|diagram| part(diagram, "sun")["y"] = json!(5)), ["wrong-coord-names"]);
        assert_eq!(broken(|diagram| part(diagram, "sun")["top"] = json!("5")), ["wrong-coord-names"]);
        assert_eq!(
            broken(|diagram| part(diagram, "sun")["attrs"]["left"] = json!("5")),
            ["misplaced-coords"]
        );
        assert_eq!(broken(|diagram| part(diagram, "sun")["colour"] = json!("red")), ["unknown-property"]);
    }

    #[test]
    fn attributes_that_a_part_does_not_have_are_found() {
        for (id, name, value) in [
            ("relay", "transistor", json!("mosfet")),
            ("relay", "voltage", json!("5")),
            ("esp", "flashSize", json!("3")),
            ("energy", "sunKilowatts", json!("3")),
            ("energy", "sunWatts", json!(3)),
        ] {
            let found = broken(|diagram| part(diagram, id)["attrs"][name] = value);
            assert_eq!(found, ["invalid-attribute"], "{id} {name}");
        }
    }

    #[test]
    fn parts_that_are_wired_to_nothing_are_found() {
        let found = broken(|diagram| {
            let wires = diagram["connections"].as_array_mut().unwrap();
            wires.retain(|wire| !wire.to_string().contains("load:"));
        });
        assert_eq!(found, ["redundant-parts"]);
    }
}
