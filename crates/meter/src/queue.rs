//! Readings that nobody has acknowledged yet, and which of them may be forgotten.
//!
//! Registers are cumulative, so what money follows is the reading at each slot's
//! boundary; the readings between tell how a day went. Every queue obeys one rule:
//! - **a boundary is kept** until it is acknowledged; when there is no room for another,
//!   the new one is refused and the meter counts on;
//! - **a minute may be forgotten**, the oldest first, and only when the queue is full;
//!   whoever adds is told, and the next reading tells the gateway;
//! - what is shown is in order, and nothing comes back.
//!
//! A queue in a meter has room for [`BOUNDARIES_KEPT`] and [`MINUTES_KEPT`], so that a
//! month without a network loses no boundary and no minute of its last day.
//! `tests/suite` holds every queue to this, the one in flash too.

use crate::reading::SignedReading;
use crate::schedule::slot_of;

/// Slot boundaries that a meter keeps: thirty days.
pub const BOUNDARIES_KEPT: usize = 30 * 24 * 4;
/// Readings by the minute that a meter keeps: a day.
pub const MINUTES_KEPT: usize = 24 * 60;

/// No room: nothing was added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueFull;

/// How long a reading is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Until it is acknowledged: the first reading in a slot.
    Boundary,
    /// Until it is acknowledged, or room is needed: every other.
    Minute,
}

/// How long a reading at `time_us` is kept, when the one before it was at `before_us`;
/// `None` when it is the first of its epoch, or of those that are left.
pub fn keep_of(before_us: Option<u64>, time_us: u64) -> Keep {
    let is_same_slot = before_us.is_some_and(|before_us| slot_of(before_us) == slot_of(time_us));
    if is_same_slot { Keep::Minute } else { Keep::Boundary }
}

/// What adding a reading cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pushed {
    /// Nothing.
    Whole,
    /// The oldest minutes were forgotten to make room.
    Thinned,
}

/// Keeps readings, oldest first, until they are freed. Firmware keeps them in flash.
pub trait Queue {
    /// Adds the newest, as the rule of this module says.
    fn push(&mut self, reading: SignedReading, keep: Keep) -> Result<Pushed, QueueFull>;
    /// Shows the oldest, at most `most`, oldest first.
    fn visit_oldest(&self, most: usize, visit: &mut dyn FnMut(&SignedReading));
    /// Frees the readings of `epoch` from `first_seq` to `seq`; says how many.
    fn free(&mut self, epoch: u32, first_seq: u64, seq: u64) -> usize;
    /// How many are kept.
    fn len(&self) -> usize;
    /// Whether none is kept.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Whether the next one of this kind would be refused.
    fn is_full(&self, keep: Keep) -> bool;
}

fn is_freed(reading: &SignedReading, epoch: u32, first_seq: u64, seq: u64) -> bool {
    reading.epoch == epoch && (first_seq..=seq).contains(&reading.seq)
}

/// Up to `N` readings without allocation.
#[derive(Clone, Debug)]
pub struct ArrayQueue<const N: usize> {
    readings: [(SignedReading, Option<Keep>); N],
    len: usize,
}

impl<const N: usize> ArrayQueue<N> {
    /// Empty.
    pub fn new() -> Self {
        Self { readings: core::array::from_fn(|_| (SignedReading::default(), None)), len: 0 }
    }

    fn kept(&self) -> &[(SignedReading, Option<Keep>)] {
        &self.readings[..self.len]
    }

    fn oldest_minute(&self) -> Option<usize> {
        self.kept().iter().position(|(_, keep)| *keep == Some(Keep::Minute))
    }

    /// Moves those that stay to the front, in order; says how many went.
    fn retain(&mut self, stays: impl Fn(usize, &SignedReading) -> bool) -> usize {
        let before = self.len;
        let mut kept = 0;
        for index in 0..before {
            if stays(index, &self.readings[index].0) {
                self.readings.swap(kept, index);
                kept += 1;
            }
        }
        self.len = kept;
        before - kept
    }
}

impl<const N: usize> Default for ArrayQueue<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize> Queue for ArrayQueue<N> {
    fn push(&mut self, reading: SignedReading, keep: Keep) -> Result<Pushed, QueueFull> {
        let mut pushed = Pushed::Whole;
        if self.len == N {
            let oldest = self.oldest_minute().ok_or(QueueFull)?;
            self.retain(|index, _| index != oldest);
            pushed = Pushed::Thinned;
        }
        let place = self.readings.get_mut(self.len).ok_or(QueueFull)?;
        *place = (reading, Some(keep));
        self.len += 1;
        Ok(pushed)
    }

    fn visit_oldest(&self, most: usize, visit: &mut dyn FnMut(&SignedReading)) {
        self.kept().iter().take(most).for_each(|(reading, _)| visit(reading));
    }

    fn free(&mut self, epoch: u32, first_seq: u64, seq: u64) -> usize {
        self.retain(|_, reading| !is_freed(reading, epoch, first_seq, seq))
    }

    fn len(&self) -> usize {
        self.len
    }

    fn is_full(&self, _keep: Keep) -> bool {
        self.len == N && self.oldest_minute().is_none()
    }
}

/// Readings on the heap, up to a bound.
#[cfg(feature = "alloc")]
#[derive(Clone, Debug)]
pub struct HeapQueue {
    readings: alloc::collections::VecDeque<(SignedReading, Keep)>,
    minutes: usize,
    bound: usize,
}

#[cfg(feature = "alloc")]
impl HeapQueue {
    /// Empty, for at most `bound` readings.
    pub fn with_bound(bound: usize) -> Self {
        Self { readings: alloc::collections::VecDeque::new(), minutes: 0, bound }
    }

    /// Shows all with how long each is kept, oldest first: for a queue that is written
    /// down and pushed again.
    pub fn visit_kept(&self, visit: &mut dyn FnMut(&SignedReading, Keep)) {
        self.readings.iter().for_each(|(reading, keep)| visit(reading, *keep));
    }
}

#[cfg(feature = "alloc")]
impl Queue for HeapQueue {
    fn push(&mut self, reading: SignedReading, keep: Keep) -> Result<Pushed, QueueFull> {
        if self.is_full(keep) {
            return Err(QueueFull);
        }
        let mut pushed = Pushed::Whole;
        if self.readings.len() >= self.bound {
            let oldest = self.readings.iter().position(|(_, keep)| *keep == Keep::Minute);
            oldest.and_then(|oldest| self.readings.remove(oldest)).ok_or(QueueFull)?;
            self.minutes -= 1;
            pushed = Pushed::Thinned;
        }
        self.minutes += usize::from(keep == Keep::Minute);
        self.readings.push_back((reading, keep));
        Ok(pushed)
    }

    fn visit_oldest(&self, most: usize, visit: &mut dyn FnMut(&SignedReading)) {
        self.readings.iter().take(most).for_each(|(reading, _)| visit(reading));
    }

    fn free(&mut self, epoch: u32, first_seq: u64, seq: u64) -> usize {
        let before = self.readings.len();
        self.readings.retain(|(reading, _)| !is_freed(reading, epoch, first_seq, seq));
        self.minutes = self.readings.iter().filter(|(_, keep)| *keep == Keep::Minute).count();
        before - self.readings.len()
    }

    fn len(&self) -> usize {
        self.readings.len()
    }

    fn is_full(&self, _keep: Keep) -> bool {
        self.readings.len() >= self.bound && self.minutes == 0
    }
}
