//! The meter's own logic, through its public door.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects")]

use jirani_meter::{
    Ack, Action, ArrayQueue, Challenge, ChallengeAnswer, Command, Ed25519Signer, Flags, HeapQueue, Heard,
    Keep, Meter, MeterError, MeterState, Obeyed, PublicKey, Pushed, Queue, QueueFull, Reading, Registers,
    Relay, Release, Sample, SignedReading, Signer as _, TimeQuality, message,
};
use proptest::prelude::*;

fn gateway() -> Ed25519Signer {
    Ed25519Signer::from_seed(&[1; 32])
}

fn meter_with<Q: Queue>(queue: Q) -> Meter<Ed25519Signer, Q> {
    let gateway = PublicKey::from_bytes(&gateway().public_key()).unwrap();
    Meter::new(Ed25519Signer::from_seed(&[2; 32]), gateway, [9; 8], queue, MeterState::default())
}

fn meter() -> Meter<Ed25519Signer, HeapQueue> {
    meter_with(HeapQueue::with_bound(200))
}

fn at(time_us: u64) -> Sample {
    Sample { time_us, ..Sample::default() }
}

fn ack(first_seq: u64, seq: u64, meter: [u8; 16], signer: &Ed25519Signer) -> Vec<u8> {
    Ack { meter, epoch: 0, first_seq, seq }.sign(signer).unwrap().as_slice().to_vec()
}

fn readings_of(message: &[u8]) -> Vec<Reading> {
    message::split(message).unwrap().map(|signed| Reading::decode(signed.unwrap().bytes).unwrap().0).collect()
}

#[test]
fn readings_are_numbered_chained_and_carry_the_registers() {
    let mut meter = meter();
    meter.count(Registers { import_wh: 5, export_wh: 0, generation_wh: 1 }).unwrap();
    assert_eq!(meter.read(at(10)).unwrap(), 1);
    meter.count(Registers { import_wh: 2, export_wh: 3, generation_wh: 4 }).unwrap();
    assert_eq!(meter.read(at(20)).unwrap(), 2);
    let sent = meter.message().unwrap();
    let signed: Vec<_> = message::split(&sent).unwrap().map(Result::unwrap).collect();
    let readings = readings_of(&sent);
    assert_eq!(readings[0].previous, [0; 8]);
    assert_eq!(readings[0].flags.0, Flags::RESTARTED);
    assert_eq!(readings[1].registers, Registers { import_wh: 7, export_wh: 3, generation_wh: 5 });
    assert_eq!(readings[1].flags.0, 0);
    let hash = <sha2::Sha256 as sha2::Digest>::digest(signed[0].bytes);
    assert_eq!(readings[1].previous, hash[..8]);
}

#[test]
fn only_the_gateways_own_acknowledgement_frees_readings() {
    let mut meter = meter();
    meter.read(at(10)).unwrap();
    let forged = ack(1, 1, meter.name(), &Ed25519Signer::from_seed(&[3; 32]));
    assert!(matches!(meter.acknowledge(&forged), Err(MeterError::Ack(_))));
    let foreign = ack(1, 1, [0; 16], &gateway());
    assert_eq!(meter.acknowledge(&foreign), Err(MeterError::ForeignAck));
    assert!(meter.acknowledge(b"ok").is_err());
    assert_eq!(meter.queue().len(), 1);
    let true_one = ack(1, 1, meter.name(), &gateway());
    assert_eq!(meter.acknowledge(&true_one), Ok(1));
    assert_eq!(meter.acknowledge(&true_one), Ok(0));
    assert_eq!(meter.message(), None);
}

#[test]
fn an_acknowledgement_of_later_readings_does_not_free_earlier_ones() {
    let mut meter = meter();
    for time in 1..=4 {
        meter.read(at(time)).unwrap();
    }
    let later = ack(3, 4, meter.name(), &gateway());
    assert_eq!(meter.acknowledge(&later), Ok(2));
    let left: Vec<_> = readings_of(&meter.message().unwrap()).iter().map(|r| r.seq).collect();
    assert_eq!(left, [1, 2]);
}

#[test]
fn a_full_queue_keeps_what_it_has_and_the_next_reading_says_so() {
    const SLOT_US: u64 = 900_000_000;
    let mut meter = meter_with(ArrayQueue::<2>::new());
    meter.read(at(SLOT_US)).unwrap();
    meter.read(at(2 * SLOT_US)).unwrap();
    meter.count(Registers { import_wh: 7, ..Registers::default() }).unwrap();
    assert_eq!(meter.read(at(3 * SLOT_US)), Err(MeterError::QueueFull));
    let freed = ack(1, 2, meter.name(), &gateway());
    meter.acknowledge(&freed).unwrap();
    assert_eq!(meter.read(at(4 * SLOT_US)), Ok(3));
    let sent = meter.message_within::<1_000>(10).unwrap();
    let reading = readings_of(sent.as_slice())[0];
    assert_eq!(reading.flags.0, Flags::QUEUE_WAS_FULL);
    assert_eq!(reading.registers.import_wh, 7);
}

#[test]
fn a_clock_that_goes_back_is_held_and_flagged() {
    let mut meter = meter();
    meter.read(at(100)).unwrap();
    meter.read(at(50)).unwrap();
    let readings = readings_of(&meter.message().unwrap());
    assert_eq!(readings[1].time_us, 101);
    assert_eq!(readings[1].flags.0, Flags::CLOCK_WENT_BACK);
}

#[test]
fn a_meter_goes_on_from_what_it_kept() {
    let mut before = meter();
    before.count(Registers { import_wh: 5, ..Registers::default() }).unwrap();
    before.read(at(10)).unwrap();
    let gateway = PublicKey::from_bytes(&gateway().public_key()).unwrap();
    let key = Ed25519Signer::from_seed(&[2; 32]);
    let queue = before.queue().clone();
    let mut after = Meter::new(key, gateway, [9; 8], queue, before.state());
    assert_eq!(after.read(at(20)).unwrap(), 2);
    assert_eq!(after.state().registers.import_wh, 5);
    assert_eq!(readings_of(&after.message().unwrap()).len(), 2);
}

#[test]
fn a_long_backlog_goes_out_in_order_a_message_at_a_time() {
    let mut meter = meter();
    for time in 1..=150 {
        meter.read(at(time)).unwrap();
    }
    let mut seen = Vec::new();
    while let Some(sent) = meter.message() {
        let seqs: Vec<_> = readings_of(&sent).iter().map(|r| r.seq).collect();
        let ack = ack(seqs[0], *seqs.last().unwrap(), meter.name(), &gateway());
        seen.extend(seqs);
        meter.acknowledge(&ack).unwrap();
    }
    assert_eq!(seen, (1..=150).collect::<Vec<_>>());
}

#[derive(Clone, Debug)]
enum Step {
    Push(Keep),
    Free(u64, u64),
}

proptest! {
    #[test]
    fn both_queues_keep_the_same_readings_in_the_same_order(
        steps in prop::collection::vec(
            prop_oneof![
                Just(Step::Push(Keep::Boundary)), Just(Step::Push(Keep::Minute)), (1..20u64, 1..20u64).prop_map(|(a, b)| Step::Free(a, b))],
            0..60,
        ),
    ) {
        let mut array = ArrayQueue::<8>::new();
        let mut heap = HeapQueue::with_bound(8);
        let mut seq = 0;
        for step in steps {
            match step {
                Step::Push(keep) => {
                    seq += 1;
                    let reading = jirani_meter::SignedReading { seq, ..Default::default() };
                    prop_assert_eq!(array.push(reading.clone(), keep), heap.push(reading, keep));
                }
                Step::Free(first, last) => {
                    prop_assert_eq!(array.free(0, first, last), heap.free(0, first, last));
                }
            }
            let (mut a, mut b) = (Vec::new(), Vec::new());
            array.visit_oldest(8, &mut |r| a.push(r.seq));
            heap.visit_oldest(8, &mut |r| b.push(r.seq));
            prop_assert!(a.is_sorted());
            prop_assert_eq!(a, b);
        }
    }
}

fn told(number: u64, action: Action, meter: [u8; 16], signer: &Ed25519Signer) -> Vec<u8> {
    Command { meter, number, action }.sign(signer).unwrap().as_slice().to_vec()
}

fn open_until(not_after_us: u64) -> Action {
    Action::OpenRelay { not_after_us }
}

#[test]
fn a_relay_follows_the_gateways_commands_and_every_reading_says_where_it_is() {
    let mut meter = meter();
    let name = meter.name();
    let now = |meter: &mut Meter<_, _>, bytes: &[u8]| meter.command(bytes, 50, TimeQuality::HeldOver);
    assert_eq!(now(&mut meter, &told(1, open_until(51), name, &gateway())), Ok(Obeyed::Done));
    assert_eq!(meter.state().relay, Relay::Open);
    meter.read(at(60)).unwrap();
    assert_eq!(now(&mut meter, &told(2, Action::CloseRelay, name, &gateway())), Ok(Obeyed::Done));
    meter.read(at(70)).unwrap();
    let flags: Vec<_> = readings_of(&meter.message().unwrap()).iter().map(|r| r.flags).collect();
    assert_eq!((flags[0].relay(), flags[0].obeyed(1), flags[0].obeyed(2)), (Relay::Open, true, false));
    assert_eq!((flags[1].relay(), flags[1].obeyed(2)), (Relay::Closed, true));
}

#[test]
fn a_command_that_is_replayed_late_forged_or_foreign_moves_no_relay() {
    let mut meter = meter();
    let name = meter.name();
    let open = told(3, open_until(51), name, &gateway());
    let synchronised = TimeQuality::Synchronised;
    // Too late, and while the meter does not know the time.
    assert_eq!(meter.command(&open, 51, synchronised), Ok(Obeyed::Void));
    assert_eq!(meter.command(&open, 50, TimeQuality::Unset), Ok(Obeyed::Void));
    let forged = told(3, open_until(51), name, &Ed25519Signer::from_seed(&[3; 32]));
    assert!(matches!(meter.command(&forged, 50, synchronised), Err(MeterError::Command(_))));
    let foreign = told(3, open_until(51), [0; 16], &gateway());
    assert_eq!(meter.command(&foreign, 50, synchronised), Err(MeterError::ForeignCommand));
    assert_eq!(meter.state().relay, Relay::Closed);
    // Closing needs no clock; the opening that was heard before it comes again.
    let close = told(4, Action::CloseRelay, name, &gateway());
    assert_eq!(meter.command(&close, 0, TimeQuality::Unset), Ok(Obeyed::Done));
    assert_eq!(meter.command(&open, 50, synchronised), Ok(Obeyed::Before));
    assert_eq!(meter.command(&close, 50, synchronised), Ok(Obeyed::Before));
    assert_eq!(meter.state().relay, Relay::Closed);
    // An acknowledgement is no command, and the other way round.
    assert!(meter.command(&ack(1, 1, name, &gateway()), 50, synchronised).is_err());
    assert!(meter.acknowledge(&close).is_err());
}

#[test]
fn an_interval_is_obeyed_when_it_divides_a_slot_and_survives_as_state() {
    let mut meter = meter();
    let name = meter.name();
    for seconds in [0, 7, 901, 1_800] {
        let action = Action::SetInterval { seconds };
        assert!(Command { meter: name, number: 1, action }.sign(&gateway()).is_err(), "{seconds} s");
    }
    let order = |number, seconds| told(number, Action::SetInterval { seconds }, name, &gateway());
    let mut obey = |bytes: &[u8]| meter.command(bytes, 0, TimeQuality::Unset);
    assert_eq!(obey(&order(5, 300)), Ok(Obeyed::Done));
    assert_eq!(obey(&order(5, 60)), Ok(Obeyed::Before));
    // The relay's commands are numbered apart from these.
    assert_eq!(obey(&told(1, Action::CloseRelay, name, &gateway())), Ok(Obeyed::Done));
    assert_eq!((meter.state().interval_s, meter.state().last_order, meter.state().last_command), (300, 5, 1));
}

#[test]
fn the_operator_s_time_is_taken_once_in_answer_to_the_last_reading_and_never_goes_back() {
    let mut meter = meter();
    let name = meter.name();
    meter.read(at(1_000)).unwrap();
    let time =
        |number, time_us, seq| told(number, Action::SetTime { time_us, epoch: 0, seq }, name, &gateway());
    let mut obey = |bytes: &[u8], quality| meter.command(bytes, 0, quality);
    assert_eq!(obey(&time(1, 2_000, 1), TimeQuality::Synchronised), Ok(Obeyed::Void));
    assert_eq!(obey(&time(1, 1_000, 1), TimeQuality::Unset), Ok(Obeyed::Void), "a boundary would come again");
    assert_eq!(obey(&time(1, 2_000, 2), TimeQuality::Unset), Ok(Obeyed::Void), "no such reading");
    assert_eq!(obey(&time(1, 2_000, 1), TimeQuality::Unset), Ok(Obeyed::TimeTold(2_000)));
    assert_eq!(obey(&time(1, 2_000, 1), TimeQuality::Unset), Ok(Obeyed::Before));
    meter.read(at(3_000)).unwrap();
    // One that lay about while the meter made another reading.
    assert_eq!(meter.command(&time(2, 9_000, 1), 0, TimeQuality::HeldOver), Ok(Obeyed::Void));
    assert_eq!(meter.state().last_order, 1);
}

#[test]
fn firmware_is_announced_by_the_gateway_and_vouched_for_by_its_maker() {
    let maker = Ed25519Signer::from_seed(&[7; 32]);
    let pinned = PublicKey::from_bytes(&maker.public_key()).unwrap();
    let mut meter = meter().with_releases_of(pinned, 3);
    let name = meter.name();
    let release =
        |version, by: &Ed25519Signer| Release { version, size: 9, sha256: [4; 32] }.sign(by).unwrap();
    let mut obey = |number, signed| {
        let bytes = told(number, Action::AnnounceFirmware(signed), name, &gateway());
        meter.command(&bytes, 0, TimeQuality::Unset)
    };
    assert!(matches!(obey(1, release(4, &gateway())), Err(MeterError::Release(_))), "not the maker's");
    assert_eq!(obey(1, release(3, &maker)), Ok(Obeyed::Void), "no way back to an older one");
    let signed = release(4, &maker);
    let swapped = Release { sha256: [5; 32], ..signed.release };
    let swapped = jirani_meter::SignedRelease { release: swapped, ..signed };
    assert!(matches!(obey(1, swapped), Err(MeterError::Release(_))), "another image");
    let running = Release { version: 4, size: 9, sha256: [9; 32] }.sign(&maker).unwrap();
    assert_eq!(obey(1, running), Ok(Obeyed::Void), "its hash is the running image's");
    assert_eq!(obey(1, signed), Ok(Obeyed::Announced(signed)));
    assert_eq!(obey(1, signed), Ok(Obeyed::Before));
}

#[test]
fn a_meter_proves_its_key_to_its_own_gateway_only() {
    let mut meter = meter();
    let challenge = |meter, signer: &Ed25519Signer| {
        Challenge { meter, nonce: [6; 32] }.sign(signer).unwrap().as_slice().to_vec()
    };
    let mut hear = |bytes: &[u8]| meter.hear(bytes, 0, TimeQuality::Unset);
    let name = Ed25519Signer::from_seed(&[2; 32]).name();
    let Ok(Heard::Challenge(answer)) = hear(&challenge(name, &gateway())) else { panic!("no answer") };
    let answer = ChallengeAnswer::open(answer.as_slice()).unwrap();
    let public_key = Ed25519Signer::from_seed(&[2; 32]).public_key();
    assert_eq!(answer, ChallengeAnswer { meter: name, nonce: [6; 32], public_key });
    assert_eq!(hear(&challenge([0; 16], &gateway())), Err(MeterError::ForeignCommand));
    let forged = challenge(name, &Ed25519Signer::from_seed(&[3; 32]));
    assert!(matches!(hear(&forged), Err(MeterError::Command(_))));
    let close = told(1, Action::CloseRelay, name, &gateway());
    assert_eq!(hear(&close), Ok(Heard::Command(Obeyed::Done)));
}

/// A flash that fails: it still counts its readings, but can show none.
struct Unreadable(HeapQueue);

impl Queue for Unreadable {
    fn push(&mut self, reading: SignedReading, keep: Keep) -> Result<Pushed, QueueFull> {
        self.0.push(reading, keep)
    }

    fn visit_oldest(&self, _most: usize, _visit: &mut dyn FnMut(&SignedReading)) {}

    fn free(&mut self, epoch: u32, first_seq: u64, seq: u64) -> usize {
        self.0.free(epoch, first_seq, seq)
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    fn is_full(&self, keep: Keep) -> bool {
        self.0.is_full(keep)
    }
}

#[test]
fn a_queue_that_cannot_be_read_makes_no_message() {
    let mut meter = meter_with(Unreadable(HeapQueue::with_bound(2)));
    meter.read(at(10)).unwrap();
    assert_eq!(meter.message(), None);
}
