//! What every queue must do, whatever it keeps readings in: run by the tests of the
//! queues in memory, and by the firmware's of the one in flash.

use jirani_meter::queue::{BOUNDARIES_KEPT, MINUTES_KEPT};
use jirani_meter::{Buffer, Keep, Pushed, Queue, QueueFull, READING_MAX, SignedReading};
use std::collections::BTreeSet;

/// A reading than which none is longer.
pub fn reading(epoch: u32, seq: u64) -> SignedReading {
    let mut bytes = [7; READING_MAX];
    bytes[..8].copy_from_slice(&seq.to_le_bytes());
    SignedReading { epoch, seq, bytes: Buffer::from_slice(&bytes).unwrap() }
}

pub fn kept(queue: &impl Queue) -> Vec<(u32, u64)> {
    let mut places = Vec::new();
    queue.visit_oldest(usize::MAX, &mut |reading| {
        assert_eq!(reading.bytes.as_slice()[..8], reading.seq.to_le_bytes(), "another reading's bytes");
        places.push((reading.epoch, reading.seq));
    });
    assert_eq!(places.len(), queue.len());
    assert_eq!(places.is_empty(), queue.is_empty());
    places
}

/// Every fifteenth minute is a slot's first.
fn keep_of(minute: u64) -> Keep {
    if minute.is_multiple_of(15) { Keep::Boundary } else { Keep::Minute }
}

/// Room for two boundaries and two minutes at least.
pub fn shows_in_order_and_frees_only_what_is_acknowledged(mut queue: impl Queue) {
    assert_eq!(queue.push(reading(1, 8), Keep::Boundary), Ok(Pushed::Whole));
    assert_eq!(queue.push(reading(1, 9), Keep::Minute), Ok(Pushed::Whole));
    assert_eq!(queue.push(reading(2, 1), Keep::Minute), Ok(Pushed::Whole));
    assert_eq!(queue.push(reading(2, 2), Keep::Boundary), Ok(Pushed::Whole));
    assert_eq!(kept(&queue), [(1, 8), (1, 9), (2, 1), (2, 2)], "an epoch's readings come before the next's");
    let mut first = Vec::new();
    queue.visit_oldest(3, &mut |reading| first.push(reading.seq));
    assert_eq!(first, [8, 9, 1]);
    assert_eq!(queue.free(3, 1, 9), 0);
    assert_eq!(queue.free(2, 2, 2), 1);
    assert_eq!(queue.free(1, 1, u64::MAX), 2);
    assert_eq!(queue.free(1, 1, u64::MAX), 0, "what comes twice frees nothing more");
    assert_eq!(kept(&queue), [(2, 1)]);
}

/// Room for what a meter must keep.
pub fn a_month_without_a_network_loses_no_boundary_and_no_minute_of_its_last_day(mut queue: impl Queue) {
    let minutes = 30 * 24 * 60;
    let mut thinned = None;
    for minute in 0..minutes {
        match queue.push(reading(1, minute + 1), keep_of(minute)) {
            Ok(Pushed::Whole) => {}
            Ok(Pushed::Thinned) => thinned = thinned.or(Some(minute)),
            Err(QueueFull) => panic!("refused after {minute} minutes"),
        }
    }
    let kept: BTreeSet<_> = kept(&queue).into_iter().map(|(_, seq)| seq - 1).collect();
    let boundaries = (0..minutes).filter(|minute| keep_of(*minute) == Keep::Boundary);
    assert_eq!(boundaries.clone().count(), BOUNDARIES_KEPT);
    assert_eq!(boundaries.filter(|minute| !kept.contains(minute)).count(), 0, "boundaries were lost");
    let day = u64::try_from(MINUTES_KEPT).unwrap();
    assert_eq!(
        (minutes - day..minutes).filter(|minute| !kept.contains(minute)).count(),
        0,
        "minutes were lost"
    );
    assert!(thinned.is_some_and(|minute| minute >= day), "told of thinning at minute {thinned:?}");
    assert!(!kept.contains(&1), "a month of minutes does not fit");
}

/// Any bound; after the last boundary that fits.
pub fn a_full_queue_refuses_boundaries_forgets_minutes_and_takes_both_again(mut queue: impl Queue) {
    let mut seq = 1;
    assert!(queue.push(reading(1, seq), Keep::Minute).is_ok());
    while queue.push(reading(1, seq + 1), Keep::Boundary).is_ok() {
        seq += 1;
        assert!(seq < 10_000, "a queue has a bound");
    }
    assert!(queue.is_full(Keep::Boundary));
    let boundaries: Vec<_> = (2..=seq).map(|seq| (1, seq)).collect();
    assert_eq!(kept(&queue).into_iter().filter(|place| place.1 > 1).collect::<Vec<_>>(), boundaries);
    assert_eq!(queue.push(reading(1, seq + 1), Keep::Boundary), Err(QueueFull));
    assert_eq!(queue.free(1, 2, seq), boundaries.len());
    assert_eq!(queue.push(reading(1, seq + 1), Keep::Boundary), Ok(Pushed::Whole));
    assert_eq!(kept(&queue).last(), Some(&(1, seq + 1)));
}
