//! Readings and state survive in flash whatever happens to the power.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what it expects")]

mod common;
#[path = "../../../crates/meter/tests/suite/mod.rs"]
mod suite;

use common::{Chip, PAGE};
use jirani_firmware_logic::flash::Shared;
use jirani_firmware_logic::integration::Remainders;
use jirani_firmware_logic::queue::{FlashQueue, QueueError};
use jirani_firmware_logic::state::{Kept, STATE};
use jirani_firmware_logic::store::{Name, Store, VALUE_MAX};
use jirani_meter::queue::{BOUNDARIES_KEPT, MINUTES_KEPT};
use jirani_meter::{
    Ack, Ed25519Signer, Flags, Keep, Meter, MeterState, PublicKey, Queue as _, Reading, Registers, Relay,
    Sample, SignedReading, Signer as _, TimeQuality,
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

fn kept(queue: &impl jirani_meter::Queue) -> Vec<u64> {
    let mut seqs = Vec::new();
    queue.visit_oldest(usize::MAX, &mut |reading| seqs.push(reading.seq));
    seqs
}

#[test]
fn the_queue_comes_back_as_it_was() {
    let chip = RefCell::new(Chip::new(12));
    let (mut queue, newest) = FlashQueue::open(Shared::new(&chip), range(12)).unwrap();
    assert!(newest.is_none() && queue.is_empty());
    for seq in 1..=40 {
        let keep = if seq % 3 == 0 { Keep::Boundary } else { Keep::Minute };
        queue.push(reading(seq), keep).unwrap();
    }
    assert_eq!(queue.free(1, 1, 15), 15);
    assert_eq!(queue.free(1, 1, 15), 0, "an acknowledgement that comes twice frees nothing more");
    assert_eq!(queue.free(2, 1, 40), 0, "another epoch's frees nothing");
    let (queue, newest) = FlashQueue::open(Shared::new(&chip), range(12)).unwrap();
    assert_eq!(newest, Some(reading(40)));
    assert_eq!(kept(&queue), (16..=40).collect::<Vec<_>>());
    assert_eq!(queue.len(), 25);
}

#[test]
fn the_queue_in_flash_obeys_the_rule_of_every_queue() {
    let on = |chip: &RefCell<Chip>, pages| FlashQueue::open(Shared::new(chip), range(pages)).map(|_| ());
    let chip = RefCell::new(Chip::new(257));
    assert_eq!(on(&chip, 3), Err(QueueError::Range));
    assert_eq!(on(&chip, 257), Err(QueueError::Range));
    let small = RefCell::new(Chip::new(4));
    let open = |chip, pages| FlashQueue::open(Shared::new(chip), range(pages)).unwrap().0;
    suite::shows_in_order_and_frees_only_what_is_acknowledged(open(&small, 4));
    let small = RefCell::new(Chip::new(6));
    suite::a_full_queue_refuses_boundaries_forgets_minutes_and_takes_both_again(open(&small, 6));
    let whole = RefCell::new(Chip::new(256));
    let queue = open(&whole, 256);
    let (boundaries, minutes) = queue.capacity();
    assert!(boundaries >= BOUNDARIES_KEPT && minutes >= MINUTES_KEPT, "{boundaries} and {minutes} fit");
    suite::a_month_without_a_network_loses_no_boundary_and_no_minute_of_its_last_day(queue);
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
            last_order: 12,
            interval_s: 300,
            untold: Flags(Flags::COVER_OPEN),
        },
        remainders: Remainders { import: 9, export: 10, generation: 11 },
    };
    let bytes = kept.encode();
    assert_eq!(Kept::decode(&bytes), Some(kept));
    assert_eq!(bytes[STATE - 4..], Flags::COVER_OPEN.to_le_bytes());
    // As the first firmware wrote it.
    let mut older = bytes[..STATE - 16].to_vec();
    older[0] = 1;
    let meter = MeterState { last_order: 0, interval_s: 0, untold: Flags(0), ..kept.meter };
    assert_eq!(Kept::decode(&older), Some(Kept { meter, ..kept }));
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

/// What is done to a queue between two power cuts.
#[derive(Clone, Copy, Debug)]
enum Step {
    Push(Keep),
    /// Acknowledges so many of the oldest.
    Free(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => Just(Step::Push(Keep::Minute)),
        2 => Just(Step::Push(Keep::Boundary)),
        1 => (0_usize..30).prop_map(Step::Free),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]
    #[test]
    fn whenever_power_goes_no_boundary_is_lost_and_minutes_go_from_the_oldest(
        lives in prop::collection::vec((prop::collection::vec(step(), 1..150), 1_usize..9_000), 1..8),
    ) {
        const PAGES: usize = 8;
        let chip = RefCell::new(Chip::new(PAGES));
        let mut seq = 0;
        // What must be there, and what may be: the step that power cut short.
        let (mut boundaries, mut minutes) = (Vec::<u64>::new(), Vec::<u64>::new());
        let mut unsure = Vec::<u64>::new();
        for (cuts, (steps, words)) in lives.into_iter().enumerate() {
            let (mut queue, _) = FlashQueue::open(Shared::new(&chip), range(PAGES)).unwrap();
            chip.borrow_mut().words_left = Some(words);
            for step in steps {
                match step {
                    Step::Push(keep) => {
                        seq += 1;
                        match (queue.push(suite::reading(1, seq), keep), keep) {
                            (Ok(_), Keep::Boundary) => boundaries.push(seq),
                            (Ok(_), Keep::Minute) => minutes.push(seq),
                            (Err(_), _) => unsure.push(seq),
                        }
                        // What a cut tore takes its place in a page all the same.
                        let torn = unsure.len() + cuts;
                        let is_full =
                            keep == Keep::Boundary && boundaries.len() + torn >= queue.capacity().0;
                        let refused = unsure.last() == Some(&seq);
                        prop_assert!(!refused || is_full || chip.borrow().words_left == Some(0), "{keep:?}");
                    }
                    Step::Free(count) => {
                        let mut last = 0;
                        queue.visit_oldest(count, &mut |reading| last = reading.seq);
                        queue.free(1, 1, last);
                        // All of them, or, when power went meanwhile, some.
                        let gone = |places: &mut Vec<u64>| {
                            let (before, after) = places.iter().partition(|seq| **seq <= last);
                            *places = after;
                            before
                        };
                        let (freed, freed_minutes): (Vec<u64>, Vec<u64>) =
                            (gone(&mut boundaries), gone(&mut minutes));
                        if chip.borrow().words_left == Some(0) {
                            unsure.extend(freed);
                            unsure.extend(freed_minutes);
                        }
                    }
                }
                if chip.borrow().words_left == Some(0) {
                    break;
                }
            }
            chip.borrow_mut().words_left = None;
            let (queue, newest) = FlashQueue::open(Shared::new(&chip), range(PAGES)).unwrap();
            let found = kept(&queue);
            prop_assert!(found.is_sorted_by(|a, b| a < b), "out of order: {found:?}");
            prop_assert_eq!(newest.map(|reading| reading.seq), found.last().copied());
            let lost: Vec<_> = boundaries.iter().filter(|seq| !found.contains(seq)).collect();
            prop_assert!(lost.is_empty(), "boundaries lost: {lost:?}");
            // Of the minutes, the newest are there: as many as the queue promises, less
            // what an interrupted push made room with, and what torn ones take.
            let promised = minutes.len().min(queue.capacity().1.saturating_sub(2 + cuts));
            let lost: Vec<_> = minutes.iter().rev().take(promised).filter(|seq| !found.contains(seq)).collect();
            prop_assert!(lost.is_empty(), "minutes lost: {lost:?} of {promised}");
            let known = |seq: &u64| boundaries.contains(seq) || minutes.contains(seq) || unsure.contains(seq);
            prop_assert!(found.iter().all(known), "what was acknowledged came back");
            minutes.retain(|seq| found.contains(seq));
            unsure.retain(|seq| found.contains(seq));
        }
    }
}
