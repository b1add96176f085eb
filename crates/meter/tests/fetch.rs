//! Questions for firmware and its pieces, as they stand on the wire.

use jirani_meter::WireError;
use jirani_meter::fetch::{PIECE_BYTES, Piece, Want};
use proptest::prelude::*;

const IMAGE: [u8; 8] = [1, 2, 3, 4, 5, 6, 7, 8];

#[test]
fn a_question_and_a_piece_have_one_encoding() {
    let want = Want { image: IMAGE, offset: 1_024, length: 1_024 };
    let bytes = [0x84, 0x01, 0x48, 1, 2, 3, 4, 5, 6, 7, 8, 0x19, 0x04, 0x00, 0x19, 0x04, 0x00];
    assert_eq!(want.encode().unwrap().as_slice(), bytes);
    assert_eq!(Want::decode(&bytes), Ok(want));
    let piece = Piece { image: IMAGE, offset: 0, bytes: &[0xAB, 0xCD] };
    let bytes = [0x84, 0x01, 0x48, 1, 2, 3, 4, 5, 6, 7, 8, 0x00, 0x42, 0xAB, 0xCD];
    assert_eq!(piece.encode().unwrap().as_slice(), bytes);
    assert_eq!(Piece::decode(&bytes), Ok(piece));
    // The same offset in a longer form.
    let long = [0x84, 0x01, 0x48, 1, 2, 3, 4, 5, 6, 7, 8, 0x18, 0x00, 0x42, 0xAB, 0xCD];
    assert!(Piece::decode(&long).is_err());
    let after = [&bytes[..], &[0]].concat();
    assert_eq!(Piece::decode(&after), Err(WireError::NotCanonical));
}

#[test]
fn nobody_asks_for_nothing_or_for_more_than_a_piece() {
    let want = |length| Want { image: IMAGE, offset: 0, length };
    assert!(want(0).encode().is_err() && want(1_025).encode().is_err() && want(1).encode().is_ok());
    let piece = |bytes| Piece { image: IMAGE, offset: u32::MAX, bytes }.encode().map(|_| ());
    assert_eq!(piece(&[0; PIECE_BYTES]), Ok(()));
    assert!(piece(&[]).is_err() && piece(&[0; PIECE_BYTES + 1]).is_err());
}

proptest! {
    #[test]
    fn whatever_is_read_is_written_the_same(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        for bytes in [bytes.clone(), [&[0x84, 0x01, 0x48][..], &bytes].concat()] {
            if let Ok(want) = Want::decode(&bytes) {
                let again = want.encode().unwrap();
                prop_assert_eq!(again.as_slice(), bytes.as_slice());
            }
            if let Ok(piece) = Piece::decode(&bytes) {
                let again = piece.encode().unwrap();
                prop_assert_eq!(again.as_slice(), bytes.as_slice());
            }
        }
    }
}
