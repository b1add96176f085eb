//! What the energy ICs say becomes energy, and nothing but what they say.

#![allow(clippy::unwrap_used, reason = "a test says what it expects")]

use jirani_firmware_logic::integration::{GAP_MAX_MS, Integrator, Powers, Remainders};
use jirani_firmware_logic::modbus::{self, ANSWER, FrameError, Measurement};
use jirani_meter::Registers;
use proptest::prelude::*;

/// An answer as the IC at `address` sends it.
fn answer(address: u8, registers: [u16; 10]) -> Vec<u8> {
    let mut frame = vec![address, 4, 20];
    frame.extend(registers.iter().flat_map(|register| register.to_be_bytes()));
    frame.extend(modbus::checksum(&frame).to_le_bytes());
    frame
}

#[test]
fn a_request_is_the_manuals_frame() {
    // The manual's example to the general address.
    assert_eq!(modbus::request(0xF8), [0xF8, 0x04, 0x00, 0x00, 0x00, 0x0A, 0x64, 0x64]);
    // The check value that every catalogue of CRCs gives for Modbus.
    assert_eq!(modbus::checksum(b"123456789"), 0x4B37);
}

#[test]
fn an_answer_is_read_low_word_first() {
    let frame = answer(2, [2_314, 5_120, 1, 11_800, 0, 0xFFFF, 2, 500, 99, 0]);
    assert_eq!(frame.len(), ANSWER);
    let expected = Measurement {
        voltage_decivolts: 2_314,
        current_ma: 70_656,
        power_deciwatts: 11_800,
        energy_wh: 196_607,
        frequency_decihertz: 500,
        power_factor_hundredths: 99,
    };
    assert_eq!(modbus::read(2, &frame), Ok(expected));
}

#[test]
fn what_is_no_answer_is_named() {
    let good = answer(1, [0; 10]);
    let mut damaged = good.clone();
    damaged[5] ^= 1;
    let mut refusal = vec![1, 0x84, 2];
    refusal.extend(modbus::checksum(&refusal).to_le_bytes());
    assert_eq!(modbus::read(1, &damaged), Err(FrameError::Checksum));
    assert_eq!(modbus::read(2, &good), Err(FrameError::Foreign));
    assert_eq!(modbus::read(1, &good[..ANSWER - 1]), Err(FrameError::Length));
    assert_eq!(modbus::read(1, &[]), Err(FrameError::Length));
    assert_eq!(modbus::read(1, &refusal), Err(FrameError::Refused(2)));
}

#[test]
fn an_hour_of_surplus_is_exported_and_an_hour_of_need_imported() {
    let mut integrator = Integrator::default();
    let mut total = Registers::default();
    let mut run = |powers: Powers, from_ms: u64| {
        for second in 0..=3_600 {
            let full = integrator.sample(from_ms + second * 1_000, powers);
            total.import_wh += full.import_wh;
            total.export_wh += full.export_wh;
            total.generation_wh += full.generation_wh;
        }
    };
    run(Powers { generation_deciwatts: 15_000, load_deciwatts: 5_000 }, 0);
    // A gap in between: what was not seen is not counted.
    run(Powers { generation_deciwatts: 0, load_deciwatts: 2_000 }, 3_600_000 + GAP_MAX_MS + 1);
    assert_eq!(total, Registers { import_wh: 200, export_wh: 1_000, generation_wh: 1_500 });
}

#[test]
fn a_gap_and_a_clock_that_goes_back_count_nothing() {
    let powers = Powers { generation_deciwatts: u32::MAX, load_deciwatts: 0 };
    let mut integrator = Integrator::default();
    assert_eq!(integrator.sample(10_000, powers), Registers::default());
    assert_eq!(integrator.sample(10_001 + GAP_MAX_MS, powers), Registers::default());
    assert_eq!(integrator.sample(9_000, powers), Registers::default());
    assert_eq!(integrator.remainders(), Remainders::default());
}

proptest! {
    #[test]
    fn no_energy_is_lost_or_made_up_between_two_wh(
        samples in prop::collection::vec((1_u64..=GAP_MAX_MS, 0_u32..=250_000, 0_u32..=250_000), 1..200),
        power_goes_at in 0_usize..200,
    ) {
        let mut integrator = Integrator::default();
        let (mut at_ms, mut total) = (0, [0_u64; 3]);
        let mut expected = [0_u64; 3];
        let mut before: Option<Powers> = None;
        for (index, (after_ms, generation_deciwatts, load_deciwatts)) in samples.into_iter().enumerate() {
            if index == power_goes_at {
                integrator = Integrator::new(integrator.remainders());
                before = None;
            }
            at_ms += after_ms;
            let powers = Powers { generation_deciwatts, load_deciwatts };
            let full = integrator.sample(at_ms, powers);
            total[0] += full.import_wh;
            total[1] += full.export_wh;
            total[2] += full.generation_wh;
            if let Some(before) = before {
                let net = before.net_deciwatts() + powers.net_deciwatts();
                expected[usize::from(net >= 0)] += net.unsigned_abs() * after_ms;
                expected[2] += u64::from(before.generation_deciwatts + generation_deciwatts) * after_ms;
            }
            before = Some(powers);
        }
        let rest = integrator.remainders();
        let rest = [rest.import, rest.export, rest.generation].map(u64::from);
        for place in 0..3 {
            prop_assert_eq!(total[place] * 72_000_000 + rest[place], expected[place]);
        }
    }

    #[test]
    fn no_frame_makes_the_reader_panic(frame in prop::collection::vec(any::<u8>(), 0..40)) {
        let _ = modbus::read(1, &frame);
    }
}
