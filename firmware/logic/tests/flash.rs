//! Readings and state survive in flash whatever happens to the power.

#![allow(clippy::unwrap_used, reason = "a test says what it expects")]

mod common;

use common::{Chip, PAGE};
use jirani_firmware_logic::flash::Shared;
use jirani_firmware_logic::integration::Remainders;
use jirani_firmware_logic::queue::{FlashQueue, QueueError};
use jirani_firmware_logic::schedule::{KEPT_MIN, SLOT_S, Schedule};
use jirani_firmware_logic::state::{Kept, STATE};
use jirani_firmware_logic::store::{Name, Store, VALUE_MAX};
use jirani_meter::{
    Ack, Ed25519Signer, Meter, MeterState, PublicKey, Queue as _, Reading, Registers, Relay, Sample,
    SignedReading, Signer as _, TimeQuality,
};
use proptest::prelude::*;
use std::cell::RefCell;

const MINUTE_US: u64 = 60_000_000;

fn range(pages: usize) -> std::ops::Range<u32> {
    0..u32::try_from(pages * PAGE).unwrap()
}

fn gateway() -> Ed25519Signer {
    Ed25519Signer::from_seed(&[2; 32])
}

/// A reading without a signature worth anything: the queue does not look at it.
fn reading(seq: u64) -> SignedReading {
    let signer = Ed25519Signer::from_seed(&[1; 32]);
    Reading { meter: signer.name(), epoch: 1, seq, ..Reading::default() }.sign(&signer).unwrap()
}

/// A reading than which none is longer.
fn longest() -> SignedReading {
    let bytes = jirani_meter::Buffer::from_slice(&[0; jirani_meter::READING_MAX]).unwrap();
    SignedReading { epoch: u32::MAX, seq: u64::MAX, bytes }
}

fn kept(queue: &impl jirani_meter::Queue) -> Vec<u64> {
    let mut seqs = Vec::new();
    queue.visit_oldest(usize::MAX, &mut |reading| seqs.push(reading.seq));
    seqs
}

#[test]
fn the_queue_comes_back_as_it_was() {
    let chip = RefCell::new(Chip::new(4));
    let (mut queue, newest) = FlashQueue::open(Shared::new(&chip), range(4)).unwrap();
    assert!(newest.is_none() && queue.is_empty());
    (1..=40).for_each(|seq| queue.push(reading(seq)).unwrap());
    assert_eq!(queue.free(1, 1, 15), 15);
    assert_eq!(queue.free(1, 1, 15), 0, "an acknowledgement that comes twice frees nothing more");
    assert_eq!(queue.free(2, 1, 40), 0, "another epoch's frees nothing");
    let (queue, newest) = FlashQueue::open(Shared::new(&chip), range(4)).unwrap();
    assert_eq!(newest, Some(reading(40)));
    assert_eq!(kept(&queue), (16..=40).collect::<Vec<_>>());
    assert_eq!(queue.len(), 25);
}

#[test]
fn a_full_queue_refuses_and_keeps_what_it_has() {
    let chip = RefCell::new(Chip::new(2));
    let (mut queue, _) = FlashQueue::open(Shared::new(&chip), range(2)).unwrap();
    let capacity = queue.capacity();
    let last = u64::try_from(capacity).unwrap();
    (1..=last).for_each(|seq| queue.push(reading(seq)).unwrap());
    assert!(queue.is_full());
    assert!(queue.push(reading(last + 1)).is_err());
    assert_eq!(kept(&queue), (1..=last).collect::<Vec<_>>());
    assert_eq!(FlashQueue::open(Shared::new(&chip), range(1)).err(), Some(QueueError::Range));
}

#[test]
fn thirty_days_without_a_network_lose_no_slot() {
    let chip = RefCell::new(Chip::new(256));
    let (mut queue, _) = FlashQueue::open(Shared::new(&chip), range(256)).unwrap();
    let longest = longest();
    assert!(queue.capacity() >= KEPT_MIN, "{} readings fit", queue.capacity());
    let (mut schedule, mut slots) = (Schedule::default(), Vec::new());
    for minute in 0..30 * 24 * 60 {
        // Some seconds late, as a device is.
        let time_us = minute * MINUTE_US + 3_000_000;
        if schedule.is_due(time_us, queue.len()) {
            assert!(queue.push(longest.clone()).is_ok(), "the queue is full after {minute} minutes");
            slots.push(time_us / (u64::from(SLOT_S) * 1_000_000));
        }
    }
    slots.dedup();
    assert_eq!(slots, (0..30 * 24 * 4).collect::<Vec<_>>());
    assert_eq!(Schedule::interval_s(0), 60);
    assert_eq!(Schedule::interval_s(queue.len()), SLOT_S);
}

#[test]
fn the_state_is_read_back_to_the_last_field() {
    let kept = Kept {
        meter: MeterState {
            epoch: 1,
            last_seq: 2,
            last_time_us: 3,
            registers: Registers { import_wh: 4, export_wh: 5, generation_wh: 6 },
            previous: [7; 8],
            relay: Relay::Open,
            last_command: 8,
        },
        remainders: Remainders { import: 9, export: 10, generation: 11 },
    };
    let bytes = kept.encode();
    assert_eq!(Kept::decode(&bytes), Some(kept));
    assert_eq!(bytes[STATE - 4..], 11_u32.to_le_bytes());
    assert_eq!(Kept::decode(&bytes[1..]), None);
    assert_eq!(Kept::decode(&[0; STATE]), None);
}

#[test]
fn a_value_is_the_old_one_or_the_new_one_whenever_power_goes() {
    for words in 0..400 {
        let chip = RefCell::new(Chip::new(2));
        let mut store = Store::open(Shared::new(&chip), range(2)).unwrap();
        store.put(Name::Wifi, b"the network").unwrap();
        for round in 0..80_u8 {
            store.put(Name::State, &[round; STATE]).unwrap();
        }
        chip.borrow_mut().words_left = Some(words);
        let mut last = 79;
        while store.put(Name::State, &[last + 1; STATE]).is_ok() && last < 120 {
            last += 1;
        }
        chip.borrow_mut().words_left = None;
        let mut store = Store::open(Shared::new(&chip), range(2)).unwrap();
        let mut value = [0; VALUE_MAX];
        let found = store.get(Name::State, &mut value).unwrap().unwrap().to_vec();
        assert!(found == [last; STATE] || found == [last + 1; STATE], "after {words} words: {found:?}");
        assert_eq!(store.get(Name::Wifi, &mut value).unwrap(), Some(&b"the network"[..]));
        assert_eq!(store.get(Name::Gateway, &mut value).unwrap(), None);
    }
}

/// A device between two power cuts: its meter and its store, on one chip.
type Device<'a> = (Meter<Ed25519Signer, FlashQueue<Shared<'a, Chip>>>, Store<Shared<'a, Chip>>);

const STORE: std::ops::Range<u32> = 0..0x2000;
const QUEUE: std::ops::Range<u32> = 0x2000..0x6000;

fn start(chip: &RefCell<Chip>) -> Device<'_> {
    let mut store = Store::open(Shared::new(chip), STORE).unwrap();
    let (queue, newest) = FlashQueue::open(Shared::new(chip), QUEUE).unwrap();
    let mut value = [0; VALUE_MAX];
    let found = store.get(Name::State, &mut value).unwrap().map(|bytes| Kept::decode(bytes).unwrap());
    let first = Kept { meter: MeterState { epoch: 1, ..MeterState::default() }, ..Kept::default() };
    let state = found.unwrap_or(first).recovered(newest.as_ref()).meter;
    let pinned = PublicKey::from_bytes(&gateway().public_key()).unwrap();
    (Meter::new(Ed25519Signer::from_seed(&[1; 32]), pinned, [0; 8], queue, state), store)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]
    #[test]
    fn no_number_is_given_twice_and_no_acknowledged_order_breaks(
        cuts in prop::collection::vec(1_usize..4_000, 1..6),
        acknowledge_every in 3_u64..20,
    ) {
        let chip = RefCell::new(Chip::new(6));
        // What the gateway has seen: the bytes under each number.
        let mut seen = std::collections::BTreeMap::<u64, Vec<u8>>::new();
        let mut registers = 0;
        for words in cuts {
            let (mut meter, mut store) = start(&chip);
            prop_assert!(meter.state().registers.import_wh >= registers, "a register went back");
            chip.borrow_mut().words_left = Some(words);
            loop {
                meter.count(Registers { import_wh: 1, ..Registers::default() }).unwrap();
                let time_us = meter.state().last_time_us + MINUTE_US;
                let sample = Sample { time_us, time_quality: TimeQuality::Unset, ..Sample::default() };
                let read = meter.read(sample);
                let kept = Kept { meter: meter.state(), ..Kept::default() };
                // Nothing is sent before the state is written.
                if read.is_err() || store.put(Name::State, &kept.encode()).is_err() {
                    break;
                }
                registers = meter.state().registers.import_wh;
                let Some(message) = meter.message_within::<8_192>(8) else { break };
                let (mut first, mut last) = (u64::MAX, 0);
                for signed in jirani_meter::message::split(message.as_slice()).unwrap() {
                    let bytes = signed.unwrap().bytes.to_vec();
                    let (reading, _) = Reading::decode(&bytes).unwrap();
                    (first, last) = (first.min(reading.seq), last.max(reading.seq));
                    let before = seen.insert(reading.seq, bytes.clone());
                    prop_assert!(before.is_none_or(|before| before == bytes), "two readings {}", reading.seq);
                }
                if last % acknowledge_every == 0 || meter.queue().len() > 20 {
                    let ack = Ack { meter: meter.name(), epoch: 1, first_seq: first, seq: last };
                    let _ = meter.acknowledge(ack.sign(&gateway()).unwrap().as_slice());
                }
            }
            chip.borrow_mut().words_left = None;
        }
        // Every reading carries the hash of the one before it, across all power cuts.
        let (meter, _) = start(&chip);
        prop_assert!(meter.state().last_seq >= seen.keys().next_back().copied().unwrap_or_default());
    }
}
