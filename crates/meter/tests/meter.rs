//! The meter's own logic, through its public door.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects")]

use jirani_meter::{
    Ack, Action, ArrayQueue, Command, Ed25519Signer, Flags, HeapQueue, Meter, MeterError, MeterState, Obeyed,
    PublicKey, Queue, QueueFull, Reading, Registers, Relay, Sample, SignedReading, Signer as _, TimeQuality,
    message,
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
    let mut meter = meter_with(ArrayQueue::<2>::new());
    meter.read(at(1)).unwrap();
    meter.read(at(2)).unwrap();
    meter.count(Registers { import_wh: 7, ..Registers::default() }).unwrap();
    assert_eq!(meter.read(at(3)), Err(MeterError::QueueFull));
    let freed = ack(1, 2, meter.name(), &gateway());
    meter.acknowledge(&freed).unwrap();
    assert_eq!(meter.read(at(4)), Ok(3));
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
    Push,
    Free(u64, u64),
}

proptest! {
    #[test]
    fn both_queues_keep_the_same_readings_in_the_same_order(
        steps in prop::collection::vec(
            prop_oneof![Just(Step::Push), (1..20u64, 1..20u64).prop_map(|(a, b)| Step::Free(a, b))],
            0..60,
        ),
    ) {
        let mut array = ArrayQueue::<8>::new();
        let mut heap = HeapQueue::with_bound(8);
        let mut seq = 0;
        for step in steps {
            match step {
                Step::Push => {
                    seq += 1;
                    let reading = jirani_meter::SignedReading { seq, ..Default::default() };
                    prop_assert_eq!(array.push(reading.clone()), heap.push(reading));
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

/// A flash that fails: it still counts its readings, but can show none.
struct Unreadable(HeapQueue);

impl Queue for Unreadable {
    fn push(&mut self, reading: SignedReading) -> Result<(), QueueFull> {
        self.0.push(reading)
    }

    fn visit_oldest(&self, _most: usize, _visit: &mut dyn FnMut(&SignedReading)) {}

    fn free(&mut self, epoch: u32, first_seq: u64, seq: u64) -> usize {
        self.0.free(epoch, first_seq, seq)
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    fn is_full(&self) -> bool {
        self.0.is_full()
    }
}

#[test]
fn a_queue_that_cannot_be_read_makes_no_message() {
    let mut meter = meter_with(Unreadable(HeapQueue::with_bound(2)));
    meter.read(at(10)).unwrap();
    assert_eq!(meter.message(), None);
}
