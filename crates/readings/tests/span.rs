//! Spans in the evidence: one encoding, and which span counts when.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects")]

use jirani_meter::Registers;
use jirani_readings::{Base, LEAF_BYTES, Leaf, Offsets, Span, SpanError, covering, is_within, virtual_of};
use jirani_units::{HouseholdId, MeterId, Timestamp, Wh};
use proptest::prelude::*;

fn leaf() -> Leaf {
    Leaf {
        household: HouseholdId(7),
        number: 2,
        meter: MeterId([0xab; 16]),
        epoch: 3,
        chain_epoch: 4,
        from: Timestamp(1_795_348_800_000_001),
        offsets: Offsets { import_wh: 1_000, export_wh: -1, generation_wh: 0 },
    }
}

#[test]
fn a_leaf_has_one_encoding_for_ever() {
    let bytes = leaf().encode();
    // As Python's struct.pack(">II16sIIqqqq", ...) writes it.
    let golden = "6a6972616e692e7370616e2e763100000000000700000002abababababababab\
                  abababababababab0000000300000004000660dc3778d00100000000000003e8\
                  ffffffffffffffff0000000000000000";
    assert_eq!(bytes.len(), LEAF_BYTES);
    let printed = bytes.iter().fold(String::new(), |all, byte| all + &format!("{byte:02x}"));
    assert_eq!(printed, golden);
    assert_eq!(Leaf::decode(&bytes), Some(leaf()));
    for wrong in [&bytes[1..], &bytes[..79], &[bytes.as_slice(), &[0]].concat(), b""] {
        assert_eq!(Leaf::decode(wrong), None);
    }
}

#[test]
fn the_span_that_counts_is_the_last_that_has_begun_and_takes_only_its_own_readings() {
    let at = |seconds: i64| Timestamp::from_seconds(1_795_348_800 + seconds);
    let first = Span::original(HouseholdId(1), MeterId([1; 16]), [2; 32], 1);
    let base =
        |seconds| Base { time: at(seconds), registers: Registers { import_wh: 9, ..Registers::default() } };
    let begins = |span: &Span, seconds| Span { from: at(seconds), ..span.clone() };
    let second = first.followed(begins(&first, 100), base(90), Registers::default()).unwrap();
    let third = second.followed(begins(&second, 200), base(190), Registers::default()).unwrap();
    let early = third.followed(begins(&third, 200), base(200), Registers::default());
    assert_eq!(early, Err(SpanError::TooEarly(at(200))));
    assert_eq!(first.leaf(), None);
    let spans = [first, second, third];
    for (moment, number) in [(-9_999, 0), (99, 0), (100, 1), (199, 1), (200, 2), (9_999, 2)] {
        let (span, next) = covering(&spans, at(moment)).unwrap();
        assert_eq!(span.number, number, "{moment}");
        assert_eq!(next.map(|next| next.number), (number < 2).then_some(number + 1));
    }
    for (moment, within) in [(99, false), (100, true), (199, true), (200, false)] {
        assert_eq!(is_within(&spans[1], Some(&spans[2]), at(moment)), within, "{moment}");
    }
    assert_eq!(covering(&[], at(0)), None);
}

proptest! {
    #[test]
    fn registers_go_on_where_they_stood(base in 0..1u64 << 53, opening in 0..1u64 << 53, more in 0..1u64 << 40) {
        let registers = |wh| Registers { import_wh: wh, export_wh: wh, generation_wh: wh };
        let first = Span::original(HouseholdId(1), MeterId([1; 16]), [2; 32], 1);
        let next = Span { from: Timestamp(1), ..first.clone() };
        let span = first.followed(next, Base { time: Timestamp(1), registers: registers(base) }, registers(opening));
        let span = span.unwrap();
        let expected = (base + more < 1 << 53).then(|| registers(base + more));
        prop_assert_eq!(virtual_of(&span.offsets, &registers(opening + more)), expected);
        let applied = span.offsets.apply(Wh(opening + more), Wh(opening + more));
        prop_assert_eq!(applied, expected.map(|all| (Wh(all.import_wh), Wh(all.export_wh))));
        prop_assert_eq!(Leaf::decode(&span.leaf().unwrap().encode()), span.leaf());
    }
}
