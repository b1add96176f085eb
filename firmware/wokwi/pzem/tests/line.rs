//! The line's rules without the simulator: what the checksum is, and that nothing that
//! arrives makes the ICs panic.

use jirani_wokwi_pzem::ic::{Ic, checksum};
use jirani_wokwi_pzem::line::{Flow, Line, deciwatts};
use proptest::prelude::*;

#[test]
fn the_checksum_is_modbus_s() {
    // The published example: 02 07 has the checksum 0x1241 (MODBUS over serial line,
    // V1.02, section 6.2.2, sent as 41 12); and the check value of CRC-16/MODBUS.
    assert_eq!(checksum(&[0x02, 0x07]), 0x1241);
    assert_eq!(checksum(b"123456789"), 0x4B37);
}

#[test]
fn a_slider_gives_its_part_and_never_more() {
    assert_eq!(deciwatts(3_000, 2_500, 5_000), 15_000);
    assert_eq!(deciwatts(3_000, 9_000, 5_000), 30_000);
    assert_eq!(deciwatts(3_000, 0, 0), 0);
    assert_eq!(deciwatts(u32::MAX, u32::MAX, 1), u32::MAX);
}

proptest! {
    /// However the time is cut into pieces, the sum is the same; and it never shrinks.
    #[test]
    fn energy_does_not_depend_on_how_often_it_is_looked_at(
        power in 0_u32..=230_000,
        pieces in prop::collection::vec(1_u64..4_000_000_000_000, 1..50),
    ) {
        let (mut whole, mut cut) = (Ic::new(1, 100), Ic::new(1, 100));
        whole.measure(0, power);
        cut.measure(0, power);
        let mut now = 0;
        for piece in pieces {
            now += piece;
            cut.measure(now, power);
        }
        whole.measure(now, power);
        let read = [1, 4, 0, 5, 0, 2, 0, 0];
        prop_assert_eq!(whole.answer(&read), cut.answer(&read));
        let expected_wh = u128::from(power) * u128::from(now) / 36_000_000_000_000;
        let told = cut.answer(&read).map(|answer| answer.as_slice().to_vec()).unwrap_or_default();
        let told = u32::from_be_bytes([told[5], told[6], told[3], told[4]]);
        prop_assert_eq!(u128::from(told), expected_wh % 10_000_000);
    }

    #[test]
    fn noise_of_any_kind_is_survived(
        noise in prop::collection::vec((any::<u8>(), 0_u64..9_000_000), 0..200),
        power in any::<u32>(),
    ) {
        let (mut line, mut now) = (Line::default(), 0);
        for (byte, pause_ns) in noise {
            now += pause_ns;
            line.flow(now, Flow { panels_deciwatts: power, house_deciwatts: power });
            line.byte(now, byte);
            if let Some(answer) = line.silence(now + 4_000_000) {
                prop_assert!(answer.as_slice().len() <= 25);
            }
        }
    }
}
