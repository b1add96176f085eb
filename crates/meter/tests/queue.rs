//! The queues in memory obey the rule of every queue, and the meter says what it forgot.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects")]

mod suite;

use jirani_meter::queue::{BOUNDARIES_KEPT, MINUTES_KEPT};
use jirani_meter::schedule::{INTERVAL_S, WAITING_MAX};
use jirani_meter::{
    Ack, Anew, ArrayQueue, Ed25519Signer, Flags, HeapQueue, Keep, Meter, MeterError, MeterState, PublicKey,
    Queue as _, Reading, Registers, Relay, Retry, Sample, Schedule, Signer as _, message,
};
use proptest::prelude::*;

const MINUTE_US: u64 = 60_000_000;

fn gateway() -> Ed25519Signer {
    Ed25519Signer::from_seed(&[1; 32])
}

fn meter(bound: usize, state: MeterState) -> Meter<Ed25519Signer, HeapQueue> {
    let gateway = PublicKey::from_bytes(&gateway().public_key()).unwrap();
    Meter::new(Ed25519Signer::from_seed(&[2; 32]), gateway, [9; 8], HeapQueue::with_bound(bound), state)
}

fn readings(meter: &Meter<Ed25519Signer, HeapQueue>) -> Vec<Reading> {
    let bytes = meter.message().unwrap();
    message::split(&bytes).unwrap().map(|signed| Reading::decode(signed.unwrap().bytes).unwrap().0).collect()
}

fn acknowledge(meter: &mut Meter<Ed25519Signer, HeapQueue>, first_seq: u64, seq: u64) {
    let ack = Ack { meter: meter.name(), epoch: meter.state().epoch, first_seq, seq };
    meter.acknowledge(ack.sign(&gateway()).unwrap().as_slice()).unwrap();
}

fn at(time_us: u64) -> Sample {
    Sample { time_us, ..Sample::default() }
}

#[test]
fn queues_in_memory_obey_the_rule() {
    suite::shows_in_order_and_frees_only_what_is_acknowledged(ArrayQueue::<4>::new());
    suite::shows_in_order_and_frees_only_what_is_acknowledged(HeapQueue::with_bound(4));
    suite::a_full_queue_refuses_boundaries_forgets_minutes_and_takes_both_again(ArrayQueue::<8>::new());
    suite::a_full_queue_refuses_boundaries_forgets_minutes_and_takes_both_again(HeapQueue::with_bound(8));
    suite::a_month_without_a_network_loses_no_boundary_and_no_minute_of_its_last_day(HeapQueue::with_bound(
        BOUNDARIES_KEPT + MINUTES_KEPT,
    ));
}

#[test]
fn what_was_forgotten_is_told_until_somebody_heard_it() {
    let mut meter = meter(3, MeterState::default());
    for minute in [15, 16, 17, 18, 30] {
        meter.read(at(minute * MINUTE_US)).unwrap();
    }
    // 15 and 30 begin slots; 16 and 17 made room for 18 and 30.
    let left = readings(&meter);
    assert_eq!(
        left.iter().map(|r| (r.time_us / MINUTE_US, r.seq)).collect::<Vec<_>>(),
        [(15, 1), (18, 4), (30, 5)]
    );
    let thinned = |reading: &Reading| reading.flags.0 & Flags::QUEUE_THINNED != 0;
    assert_eq!(left.iter().map(thinned).collect::<Vec<_>>(), [false, false, true]);
    acknowledge(&mut meter, 1, 1);
    acknowledge(&mut meter, 4, 4);
    meter.read(at(31 * MINUTE_US)).unwrap();
    assert!(thinned(&readings(&meter)[1]), "nobody has heard of it yet");
    acknowledge(&mut meter, 5, 6);
    meter.read(at(32 * MINUTE_US)).unwrap();
    assert!(!thinned(&readings(&meter)[0]));
}

#[test]
fn a_cover_that_was_open_for_a_moment_is_told_across_a_power_cut_until_it_is_heard() {
    let mut meter = meter(9, MeterState::default());
    meter.read(at(MINUTE_US)).unwrap();
    meter.note(Flags(Flags::COVER_OPEN | Flags::RELAY_OPEN));
    let kept = meter.state();
    assert_eq!(kept.untold, Flags(Flags::COVER_OPEN), "only what is sticky sticks");
    let mut meter = self::meter(9, kept);
    meter.read(Sample { flags: Flags(Flags::MAGNET), ..at(2 * MINUTE_US) }).unwrap();
    meter.read(at(3 * MINUTE_US)).unwrap();
    let tamper = |reading: &Reading| reading.flags.0 & Flags::TAMPER;
    let both = Flags::COVER_OPEN | Flags::MAGNET;
    assert_eq!(readings(&meter).iter().map(tamper).collect::<Vec<_>>(), [both, both]);
    // The acknowledgement of what was read before it happened says nothing of it.
    acknowledge(&mut meter, 1, 1);
    assert_eq!(meter.state().untold, Flags(both));
    acknowledge(&mut meter, 2, 2);
    assert_eq!(meter.state().untold, Flags(0));
}

#[test]
fn a_meter_that_lost_its_state_begins_a_greater_epoch_and_says_why() {
    let registers = Registers { import_wh: 7, export_wh: 8, generation_wh: 9 };
    let known = Reading {
        epoch: 4,
        seq: 99,
        time_us: 5,
        registers,
        flags: Flags(Flags::RELAY_OPEN),
        ..Reading::default()
    };
    let state = MeterState::anew(2, Anew::StateLost, Some(&known));
    assert_eq!((state.epoch, state.last_seq, state.registers, state.relay), (5, 0, registers, Relay::Open));
    let mut meter = meter(9, state);
    meter.read(at(10)).unwrap();
    meter.read(at(20)).unwrap();
    let told: Vec<_> =
        readings(&meter).iter().map(|r| (r.epoch, r.seq, r.flags.0 & Flags::STATE_LOST)).collect();
    assert_eq!(told, [(5, 1, Flags::STATE_LOST), (5, 2, Flags::STATE_LOST)]);
    acknowledge(&mut meter, 1, 1);
    assert_eq!(meter.state().untold, Flags(0));
    let unknown = MeterState::anew(2, Anew::Replaced, None);
    assert_eq!(
        (unknown.epoch, unknown.registers, unknown.untold),
        (2, Registers::default(), Flags(Flags::REPLACED))
    );
}

#[test]
fn a_full_queue_of_boundaries_lets_the_meter_count_on() {
    let mut meter = meter(2, MeterState::default());
    for slot in 1..=2 {
        meter.read(at(slot * 15 * MINUTE_US)).unwrap();
    }
    assert!(meter.queue().is_full(Keep::Minute));
    meter.count(Registers { import_wh: 5, ..Registers::default() }).unwrap();
    assert_eq!(meter.read(at(45 * MINUTE_US)), Err(MeterError::QueueFull));
    acknowledge(&mut meter, 1, 2);
    meter.read(at(46 * MINUTE_US)).unwrap();
    let told = readings(&meter)[0];
    assert_eq!((told.seq, told.registers.import_wh, told.flags.0 & Flags::QUEUE_WAS_FULL), (3, 5, 1));
}

#[test]
fn a_schedule_follows_the_operator_but_makes_no_seconds_that_nobody_takes() {
    assert_eq!(Schedule::interval_s(0, 0), INTERVAL_S);
    assert_eq!(Schedule::interval_s(1, WAITING_MAX), 1);
    assert_eq!(Schedule::interval_s(1, WAITING_MAX + 1), INTERVAL_S);
    assert_eq!(Schedule::interval_s(900, 5_000), 900);
    let mut schedule = Schedule::default();
    let mut due = |second: u64| schedule.is_due(second * 1_000_000, 900);
    assert_eq!([3, 899, 900, 901, 1_800].map(&mut due), [true, false, true, false, true]);
}

proptest! {
    #[test]
    fn waits_double_up_to_the_bound_and_spread_over_the_upper_half(
        randoms in prop::collection::vec(any::<u32>(), 1..40),
        first_ms in 0_u32..10_000,
        last_ms in 10_000_u32..1_000_000,
    ) {
        let mut retry = Retry::new(first_ms, last_ms);
        for (failures, random) in randoms.iter().enumerate() {
            let most = (u128::from(first_ms.max(1)) << failures).min(u128::from(last_ms));
            let wait = u128::from(retry.wait_ms(*random));
            prop_assert!((most / 2..=most).contains(&wait), "{wait} of {most}");
        }
        retry.succeeded();
        prop_assert!(retry.wait_ms(u32::MAX) <= first_ms.max(1));
        // Two meters with other random numbers do not come back together.
        let wait = |random| Retry::new(10_000, 20_000).wait_ms(random);
        prop_assert_ne!(wait(1), wait(2));
    }
}
