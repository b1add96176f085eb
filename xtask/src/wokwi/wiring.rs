//! The diagram's wires against the firmware's pins, which `firmware/meter/src/board.rs`
//! alone decides, and against the table in `firmware/README.md`.

use super::diagram::Diagram;
use super::lint::{Finding, finding};
use super::parts::BOARD;
use anyhow::Context as _;
use std::collections::BTreeSet;

/// What a pin does: its name among the pins of `board.rs`, and what the diagram wires to it
/// as type and pin.
struct Role {
    name: &'static str,
    pin: &'static str,
    ends: &'static [(&'static str, &'static str)],
}

const MONITOR: &str = "$serialMonitor";

const ROLES: &[Role] = &[
    Role { name: "TX to the energy ICs", pin: "energy_transmit", ends: &[("chip-pzem", "RX")] },
    Role { name: "RX from the energy ICs", pin: "energy_receive", ends: &[("chip-pzem", "TX")] },
    Role { name: "TX of the serial line", pin: "serial_transmit", ends: &[(MONITOR, "RX")] },
    Role { name: "RX of the serial line", pin: "serial_receive", ends: &[(MONITOR, "TX")] },
    Role { name: "SDA of the display", pin: "display_data", ends: &[("board-ssd1306", "SDA")] },
    Role { name: "SCL of the display", pin: "display_clock", ends: &[("board-ssd1306", "SCL")] },
    Role { name: "the relay", pin: "relay", ends: &[("wokwi-relay-module", "IN"), ("chip-pzem", "CUT")] },
    Role { name: "the cover switch", pin: "cover", ends: &[("wokwi-slide-switch", "2")] },
];

/// What stands before the pins of the simulated board in `board.rs`.
const PINS: &str = "#[cfg(feature = \"esp32c3\")]\nstart_with_pins! {";

/// Where the board's two serial pins are on its edge: GPIO20 and GPIO21.
fn label(gpio: &str) -> &str {
    match gpio {
        "20" => "RX",
        "21" => "TX",
        other => other,
    }
}

/// The GPIO of a role, as the firmware's code has it.
fn gpio<'a>(board: &'a str, role: &Role) -> anyhow::Result<&'a str> {
    let lost = || format!("board.rs no longer names the pin {}: the check must follow it", role.pin);
    let pins = board.split_once(PINS).and_then(|(_, rest)| rest.split_once('}')).with_context(lost)?.0;
    let said = pins.lines().find_map(|line| line.trim().strip_prefix(role.pin)?.strip_prefix(": GPIO"));
    Ok(said.with_context(lost)?.trim_end_matches(','))
}

/// Every wire that is missing, and every one at a GPIO that the firmware does not know.
pub fn check(board: &str, diagram: &Diagram) -> anyhow::Result<Vec<Finding>> {
    let kind = |id| if id == MONITOR { MONITOR } else { diagram.part(id).map_or("", |part| &part.kind) };
    let mut wanted = BTreeSet::new();
    for role in ROLES {
        let pin = label(gpio(board, role)?);
        wanted.extend(role.ends.iter().map(|(kind, end)| (pin, *kind, *end, role.name)));
    }
    let mut wired = BTreeSet::new();
    for [from, to] in diagram.wires() {
        for (here, there) in [(from, to), (to, from)] {
            let power = ["GND", "3V3", "5V"].iter().any(|power| here.1.starts_with(power));
            if kind(here.0) == BOARD && !power {
                wired.insert((here.1, kind(there.0), there.1));
            }
        }
    }
    let mut found = Vec::new();
    for (pin, kind, end, name) in &wanted {
        if !wired.remove(&(*pin, *kind, *end)) {
            let what = format!("{name}: pin {pin} must lead to {end} of {kind}");
            found.push(finding("pins-of-the-firmware", what));
        }
    }
    for (pin, kind, end) in wired {
        let what = format!("pin {pin} leads to {end} of {kind}, of which the firmware knows nothing");
        found.push(finding("pins-of-the-firmware", what));
    }
    Ok(found)
}

/// Whether the README's table names the same pins.
pub fn table(board: &str, readme: &str) -> anyhow::Result<Vec<Finding>> {
    let told: BTreeSet<&str> = readme
        .lines()
        .filter_map(|line| line.strip_prefix("| GPIO")?.split('|').next())
        .flat_map(|cell| cell.split(','))
        .map(|pin| pin.trim().trim_start_matches("GPIO"))
        .collect();
    let used: BTreeSet<&str> = ROLES.iter().map(|role| gpio(board, role)).collect::<Result<_, _>>()?;
    let differ = used.symmetric_difference(&told);
    Ok(differ
        .map(|pin| finding("pins-of-the-readme", format!("GPIO{pin} stands in one of table and board.rs")))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOARD_RS: &str = include_str!("../../../firmware/meter/src/board.rs");
    const README: &str = include_str!("../../../firmware/README.md");
    const DIAGRAM: &str = include_str!("../../../firmware/wokwi/diagram.json");

    fn findings(diagram: &str) -> usize {
        check(BOARD_RS, &serde_json::from_str(diagram).unwrap()).unwrap().len()
    }

    #[test]
    fn the_diagram_is_wired_as_the_firmware_expects() {
        assert_eq!(findings(DIAGRAM), 0);
        assert_eq!(table(BOARD_RS, README).unwrap(), []);
    }

    #[test]
    fn a_wire_to_another_pin_is_found() {
        // The one that is missing, and the one that is wrong.
        assert_eq!(findings(&DIAGRAM.replace("\"esp:4\"", "\"esp:8\"")), 2);
        assert_eq!(findings(&DIAGRAM.replace("\"esp:6\"", "\"esp:7\"")), 2);
        // The ICs' RX and TX exchanged.
        let crossed = DIAGRAM.replace("\"esp:4\"", "\"esp:x\"").replace("\"esp:5\"", "\"esp:4\"");
        assert_eq!(findings(&crossed.replace("\"esp:x\"", "\"esp:5\"")), 4);
        assert_eq!(findings(&DIAGRAM.replace("\"esp:10\", \"relay:IN\"", "\"esp:10\", \"relay:NO\"")), 2);
    }

    #[test]
    fn a_table_that_names_another_pin_is_found() {
        assert_eq!(table(BOARD_RS, &README.replace("| GPIO10 |", "| GPIO9 |")).unwrap().len(), 2);
    }
}
