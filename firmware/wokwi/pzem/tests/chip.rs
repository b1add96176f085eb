//! The chip as the simulator runs it: the built WebAssembly, fed byte by byte.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends where it fails")]
#![allow(clippy::cast_precision_loss, reason = "simulated time is far below 2^53 ns")]

mod simulator;

use jirani_firmware_logic::integration::{Integrator, Powers, Remainders};
use jirani_firmware_logic::modbus::{self, FrameError, Measurement};
use simulator::Simulator;

const HALF: f32 = 2.5;
const FULL: f32 = 5.0;
/// Nobody answers.
const SILENT: [u8; 0] = [];
const HOUR_MS: u64 = 3_600_000;

/// What the firmware's own driver asks, and reads from the answer.
fn measure(chip: &mut Simulator, address: u8) -> Measurement {
    modbus::read(address, &chip.send(&modbus::request(address))).unwrap()
}

fn frame(content: &[u8]) -> Vec<u8> {
    [content, &modbus::checksum(content).to_le_bytes()].concat()
}

#[test]
fn it_has_the_pins_and_attributes_of_its_description() {
    let description = include_str!("../../pzem.chip.json");
    let description: serde_json::Value = serde_json::from_str(description).unwrap();
    let chip = Simulator::start();
    let told: Vec<&str> =
        description["pins"].as_array().unwrap().iter().map(|pin| pin.as_str().unwrap()).collect();
    for (name, _) in chip.pins() {
        assert!(told.contains(&name.as_str()), "pzem.chip.json has no pin {name}");
    }
    assert_eq!(chip.pins().len(), told.len() - 2, "all but GND and VCC");
    for control in description["controls"].as_array().unwrap() {
        let id = control["id"].as_str().unwrap();
        assert!(chip.attributes().contains(&id), "the chip has no attribute {id}");
    }
    assert_eq!(chip.uart(), ("RX", "TX", 9_600));
}

#[test]
fn both_addresses_answer_the_firmware_with_all_their_registers() {
    let mut chip = Simulator::start();
    chip.slide("SUN", HALF);
    chip.slide("LOAD", FULL);
    chip.pass_ms(100);
    let panels = measure(&mut chip, 1);
    assert_eq!((panels.voltage_decivolts, panels.frequency_decihertz), (2_400, 500));
    assert_eq!((panels.power_deciwatts, panels.current_ma), (15_000, 6_250));
    assert_eq!(panels.power_factor_hundredths, 100);
    let house = measure(&mut chip, 2);
    // 3,000 W / (240 V x 0.95) = 13.157 A
    assert_eq!((house.power_deciwatts, house.current_ma), (30_000, 13_157));
    assert_eq!(house.power_factor_hundredths, 95);
    // The tenth register: no alarm below 23 kW.
    assert_eq!(chip.send(&frame(&[1, 4, 0, 9, 0, 1])), frame(&[1, 4, 2, 0, 0]));
}

#[test]
fn moved_sliders_are_measured_and_a_cut_contact_lets_nothing_flow() {
    let mut chip = Simulator::start();
    assert_eq!(measure(&mut chip, 1).power_deciwatts, 0);
    assert_eq!(measure(&mut chip, 1).power_factor_hundredths, 0);
    chip.slide("SUN", FULL);
    assert_eq!(measure(&mut chip, 1).power_deciwatts, 30_000);
    chip.set("sunWatts", 23_000);
    assert_eq!(measure(&mut chip, 1).power_deciwatts, 230_000);
    chip.set("sunWatts", 90_000);
    assert_eq!(measure(&mut chip, 1).power_deciwatts, 230_000, "no IC measures more than 23 kW");
    chip.slide("SUN", -1.0);
    assert_eq!(measure(&mut chip, 1).power_deciwatts, 0);
    chip.slide("SUN", f32::NAN);
    assert_eq!(measure(&mut chip, 1).power_deciwatts, 0);
    chip.slide("SUN", FULL);
    chip.slide("LOAD", HALF);
    chip.level("CUT", true);
    assert_eq!(measure(&mut chip, 1).power_deciwatts + measure(&mut chip, 2).power_deciwatts, 0);
    chip.level("CUT", false);
    assert_eq!(measure(&mut chip, 2).power_deciwatts, 15_000);
}

#[test]
fn a_sunny_day_is_counted_to_the_wh_by_the_chip_and_by_the_meter() {
    let mut chip = Simulator::start();
    let mut meter = Integrator::new(Remainders::default());
    let (mut import_wh, mut export_wh, mut generation_wh) = (0, 0, 0);
    let mut at_ms = 0;
    // Six hours of full sun with half a load, then six hours of night with the whole.
    for (sun, load) in [(FULL, HALF), (0.0, FULL)] {
        chip.slide("SUN", sun);
        chip.slide("LOAD", load);
        for _ in 0..6 * 3_600 {
            let (panels, house) = (measure(&mut chip, 1), measure(&mut chip, 2));
            let powers = Powers {
                generation_deciwatts: panels.power_deciwatts,
                load_deciwatts: house.power_deciwatts,
            };
            let full = meter.sample(at_ms, powers);
            import_wh += full.import_wh;
            export_wh += full.export_wh;
            generation_wh += full.generation_wh;
            // Each request took its 8.3 ms and 40 ms of waiting; the rest passes in peace.
            chip.pass_ms(903);
            at_ms += 1_000;
        }
    }
    // Panels 3,000 W for 6 h; house 1,500 W for 6 h and 3,000 W for 6 h.
    let (panels, house) = (measure(&mut chip, 1), measure(&mut chip, 2));
    let near = |what: &str, counted: u64, expected: u64| {
        assert!(counted.abs_diff(expected) <= 2 + expected / 1_000, "{what}: {counted} Wh, not {expected}");
    };
    near("the panels' IC", panels.energy_wh.into(), 18_000);
    near("the house's IC", house.energy_wh.into(), 27_000);
    near("the meter's generation", generation_wh, 18_000);
    near("the meter's export", export_wh, 9_000);
    near("the meter's import", import_wh, 18_000);
}

#[test]
fn energy_grows_to_the_last_wh_and_a_reset_begins_anew() {
    let mut chip = Simulator::start();
    chip.slide("SUN", FULL);
    chip.slide("LOAD", FULL);
    chip.pass_ms(100);
    let before = measure(&mut chip, 1).energy_wh;
    chip.pass_ms(10 * HOUR_MS);
    assert_eq!(measure(&mut chip, 1).energy_wh - before, 30_000);
    assert_eq!(chip.send(&frame(&[1, 0x42])), frame(&[1, 0x42]));
    assert_eq!(measure(&mut chip, 1).energy_wh, 0);
    assert_eq!(measure(&mut chip, 2).energy_wh, 30_000, "the other keeps its own");
    chip.pass_ms(HOUR_MS);
    assert_eq!(measure(&mut chip, 1).energy_wh, 3_000);
}

#[test]
fn thresholds_and_addresses_are_read_and_written() {
    let mut chip = Simulator::start();
    chip.slide("LOAD", FULL);
    assert_eq!(chip.send(&frame(&[2, 3, 0, 1, 0, 2])), frame(&[2, 3, 4, 0x59, 0xD8, 0, 2]));
    // An alarm above 2,999 W.
    let write = frame(&[2, 6, 0, 1, 0x0B, 0xB7]);
    assert_eq!(chip.send(&write), write);
    assert_eq!(chip.send(&frame(&[2, 4, 0, 9, 0, 1])), frame(&[2, 4, 2, 0xFF, 0xFF]));
    assert_eq!(chip.send(&frame(&[1, 4, 0, 9, 0, 1])), frame(&[1, 4, 2, 0, 0]));
    // The house's IC moves to 7, is heard there and nowhere else, and comes back.
    let write = frame(&[2, 6, 0, 2, 0, 7]);
    assert_eq!(chip.send(&write), write);
    assert_eq!(chip.send(&modbus::request(2)), SILENT);
    assert_eq!(measure(&mut chip, 7).power_deciwatts, 30_000);
    // Both at address 1 would destroy each other's answers: the write itself is still
    // answered by one, and from then on nobody can be read.
    let write = frame(&[7, 6, 0, 2, 0, 1]);
    assert_eq!(chip.send(&write), write);
    assert_eq!(chip.send(&modbus::request(1)), SILENT);
}

#[test]
fn what_cannot_be_done_is_refused_with_its_reason() {
    let mut chip = Simulator::start();
    for (request, refusal) in [
        (&[1, 0x41, 0x37, 0x21][..], [1, 0xC1, 1]),
        (&[1, 0x10, 0, 0, 0, 1], [1, 0x90, 1]),
        (&[1, 4, 0, 10, 0, 1], [1, 0x84, 2]),
        (&[1, 4, 0, 0, 0, 11], [1, 0x84, 2]),
        (&[1, 4, 0, 0, 0, 0], [1, 0x84, 2]),
        (&[1, 4, 0xFF, 0xFF, 0xFF, 0xFF], [1, 0x84, 2]),
        (&[2, 3, 0, 0, 0, 1], [2, 0x83, 2]),
        (&[2, 3, 0, 2, 0, 2], [2, 0x83, 2]),
        (&[2, 6, 0, 3, 0, 1], [2, 0x86, 2]),
        (&[2, 6, 0, 2, 0, 0], [2, 0x86, 3]),
        (&[2, 6, 0, 2, 0, 0xF8], [2, 0x86, 3]),
        (&[2, 6, 0, 2], [2, 0x86, 3]),
        (&[2, 0x42, 0], [2, 0xC2, 3]),
    ] {
        assert_eq!(chip.send(&frame(request)), frame(&refusal), "{request:02X?}");
    }
    // The firmware names such an answer.
    let refused = chip.send(&frame(&[1, 4, 0, 10, 0, 1]));
    assert_eq!(modbus::read(1, &refused), Err(FrameError::Refused(2)));
}

#[test]
fn damaged_foreign_and_broken_frames_get_no_answer() {
    let mut chip = Simulator::start();
    chip.slide("SUN", FULL);
    let good = modbus::request(1);
    for place in 0..good.len() {
        let mut damaged = good;
        damaged[place] ^= 0x10;
        assert_eq!(chip.send(&damaged), SILENT, "byte {place}");
    }
    for address in [0, 3, 0xF7, 0xF8, 0xFF] {
        assert_eq!(chip.send(&modbus::request(address)), SILENT, "address {address}");
    }
    for length in 0..good.len() {
        assert_eq!(chip.send(&good[..length]), SILENT, "{length} bytes");
    }
    assert_eq!(chip.send(&[good.as_slice(), &[0; 20]].concat()), SILENT, "more than any request has");
    // A request that was broken off is forgotten after the silence; one with a pause in
    // it is two halves of nothing.
    for byte in &good[..3] {
        chip.byte(*byte);
    }
    assert_eq!(chip.send(&[]), SILENT);
    assert_eq!(measure(&mut chip, 1).power_deciwatts, 30_000);
    for byte in &good[..4] {
        chip.byte(*byte);
    }
    chip.pass_ms(5);
    assert_eq!(chip.send(&good[4..]), SILENT);
    assert_eq!(measure(&mut chip, 1).power_deciwatts, 30_000);
}

#[test]
fn a_wrong_connection_is_told_by_the_firmware() {
    let mut chip = Simulator::start();
    let answer = chip.send(&modbus::request(2));
    assert_eq!(modbus::read(1, &answer), Err(FrameError::Foreign));
    assert_eq!(modbus::read(1, &chip.send(&modbus::request(9))), Err(FrameError::Length));
}
