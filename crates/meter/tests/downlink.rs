//! What a meter is told: every order survives its encoding and fits, and bytes from
//! strangers, or ours with one bit changed, move nothing.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects")]

use jirani_meter::command::is_interval;
use jirani_meter::{
    ANSWER_MAX, Action, ArrayQueue, CHALLENGE_MAX, COMMAND_MAX, Challenge, ChallengeAnswer, Command,
    Ed25519Signer, Meter, MeterState, Obeyed, PublicKey, RELEASE_MAX, Release, SignedRelease, Signer as _,
    TimeQuality,
};
use proptest::prelude::*;

fn gateway() -> Ed25519Signer {
    Ed25519Signer::from_seed(&[1; 32])
}

fn public_key() -> PublicKey {
    PublicKey::from_bytes(&gateway().public_key()).unwrap()
}

fn meter() -> Meter<Ed25519Signer, ArrayQueue<1>> {
    Meter::new(
        Ed25519Signer::from_seed(&[2; 32]),
        public_key(),
        [9; 8],
        ArrayQueue::new(),
        MeterState::default(),
    )
}

prop_compose! {
    fn any_release()(version in 1_u32.., size in 1..=4_194_304_u32, sha256: [u8; 32]) -> SignedRelease {
        Release { version, size, sha256 }.sign(&gateway()).unwrap()
    }
}

fn any_action() -> impl Strategy<Value = Action> {
    let time = 1..=i64::MAX.cast_unsigned();
    prop_oneof![
        time.clone().prop_map(|not_after_us| Action::OpenRelay { not_after_us }),
        Just(Action::CloseRelay),
        (1..=900_u32)
            .prop_filter("divides", |s| is_interval(*s))
            .prop_map(|seconds| Action::SetInterval { seconds }),
        (time, any::<u32>(), 1_u64..).prop_map(|(time_us, epoch, seq)| Action::SetTime {
            time_us,
            epoch,
            seq
        }),
        any_release().prop_map(Action::AnnounceFirmware),
    ]
}

proptest! {
    #[test]
    fn any_command_survives_and_fits(meter: [u8; 16], number in 1_u64.., action in any_action()) {
        let command = Command { meter, number, action };
        let bytes = command.sign(&gateway()).unwrap();
        prop_assert!(bytes.as_slice().len() <= COMMAND_MAX);
        prop_assert_eq!(Command::open(bytes.as_slice(), &public_key()), Ok(command));
    }

    #[test]
    fn a_command_with_one_bit_changed_moves_nothing(
        action in any_action(),
        at in any::<prop::sample::Index>(),
        bit in 0..8_u8,
    ) {
        let mut meter = meter();
        let command = Command { meter: meter.name(), number: 1, action };
        let mut bytes = command.sign(&gateway()).unwrap().as_slice().to_vec();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        prop_assert!(meter.hear(&bytes, 0, TimeQuality::HeldOver).is_err());
        prop_assert_eq!(meter.state(), MeterState::default());
    }

    #[test]
    fn an_order_that_was_obeyed_is_obeyed_once(number in 1..u64::MAX, later in 0..1_000_u64) {
        let mut meter = meter();
        let order = |number| {
            let action = Action::SetInterval { seconds: 300 };
            Command { meter: meter.name(), number, action }.sign(&gateway()).unwrap()
        };
        let (first, second) = (order(number), order(number.saturating_add(later)));
        let mut obey = |bytes: &[u8]| meter.command(bytes, 0, TimeQuality::Unset);
        prop_assert_eq!(obey(first.as_slice()), Ok(Obeyed::Done));
        let again = if later == 0 { Obeyed::Before } else { Obeyed::Done };
        prop_assert_eq!(obey(second.as_slice()), Ok(again));
        prop_assert_eq!(obey(first.as_slice()), Ok(Obeyed::Before));
    }

    #[test]
    fn arbitrary_bytes_are_refused_without_harm(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(Command::open(&bytes, &public_key()).is_err());
        prop_assert!(Challenge::open(&bytes, &public_key()).is_err());
        prop_assert!(ChallengeAnswer::open(&bytes).is_err());
        prop_assert!(SignedRelease::from_bytes(&bytes).is_err());
        prop_assert!(meter().hear(&bytes, 0, TimeQuality::Unset).is_err());
    }

    #[test]
    fn releases_and_challenges_fit_and_answer_only_for_their_own_bytes(
        release in any_release(),
        nonce: [u8; 32],
        other: [u8; 32],
    ) {
        let bytes = release.to_bytes().unwrap();
        prop_assert!(bytes.as_slice().len() <= RELEASE_MAX);
        prop_assert_eq!(SignedRelease::from_bytes(bytes.as_slice()), Ok(release));
        let meter = meter();
        let challenge = Challenge { meter: meter.name(), nonce }.sign(&gateway()).unwrap();
        prop_assert!(challenge.as_slice().len() <= CHALLENGE_MAX);
        let answer = meter.answer(challenge.as_slice()).unwrap();
        prop_assert!(answer.as_slice().len() <= ANSWER_MAX);
        let answer = ChallengeAnswer::open(answer.as_slice()).unwrap();
        prop_assert_eq!(answer.nonce == other, nonce == other);
        prop_assert_eq!(answer.meter, meter.name());
    }
}
