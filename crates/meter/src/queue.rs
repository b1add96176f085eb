//! Readings that nobody has acknowledged yet.

use crate::reading::SignedReading;

/// No room: nothing was added, and nothing is thrown away to make room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueFull;

/// Keeps readings, oldest first, until they are freed. Firmware keeps them in flash.
pub trait Queue {
    /// Adds the newest.
    fn push(&mut self, reading: SignedReading) -> Result<(), QueueFull>;
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
    /// Whether the next one would be refused.
    fn is_full(&self) -> bool;
}

fn is_freed(reading: &SignedReading, epoch: u32, first_seq: u64, seq: u64) -> bool {
    reading.epoch == epoch && (first_seq..=seq).contains(&reading.seq)
}

/// Up to `N` readings without allocation.
#[derive(Clone, Debug)]
pub struct ArrayQueue<const N: usize> {
    readings: [SignedReading; N],
    len: usize,
}

impl<const N: usize> ArrayQueue<N> {
    /// Empty.
    pub fn new() -> Self {
        Self { readings: core::array::from_fn(|_| SignedReading::default()), len: 0 }
    }
}

impl<const N: usize> Default for ArrayQueue<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize> Queue for ArrayQueue<N> {
    fn push(&mut self, reading: SignedReading) -> Result<(), QueueFull> {
        let place = self.readings.get_mut(self.len).ok_or(QueueFull)?;
        *place = reading;
        self.len += 1;
        Ok(())
    }

    fn visit_oldest(&self, most: usize, visit: &mut dyn FnMut(&SignedReading)) {
        self.readings[..self.len].iter().take(most).for_each(visit);
    }

    fn free(&mut self, epoch: u32, first_seq: u64, seq: u64) -> usize {
        let before = self.len;
        let mut kept = 0;
        for index in 0..before {
            if !is_freed(&self.readings[index], epoch, first_seq, seq) {
                self.readings.swap(kept, index);
                kept += 1;
            }
        }
        self.len = kept;
        before - kept
    }

    fn len(&self) -> usize {
        self.len
    }

    fn is_full(&self) -> bool {
        self.len == N
    }
}

/// Readings on the heap, up to a bound.
#[cfg(feature = "alloc")]
#[derive(Clone, Debug)]
pub struct HeapQueue {
    readings: alloc::collections::VecDeque<SignedReading>,
    bound: usize,
}

#[cfg(feature = "alloc")]
impl HeapQueue {
    /// Empty, for at most `bound` readings.
    pub fn with_bound(bound: usize) -> Self {
        Self { readings: alloc::collections::VecDeque::new(), bound }
    }
}

#[cfg(feature = "alloc")]
impl Queue for HeapQueue {
    fn push(&mut self, reading: SignedReading) -> Result<(), QueueFull> {
        if self.is_full() {
            return Err(QueueFull);
        }
        self.readings.push_back(reading);
        Ok(())
    }

    fn visit_oldest(&self, most: usize, visit: &mut dyn FnMut(&SignedReading)) {
        self.readings.iter().take(most).for_each(visit);
    }

    fn free(&mut self, epoch: u32, first_seq: u64, seq: u64) -> usize {
        let before = self.readings.len();
        self.readings.retain(|reading| !is_freed(reading, epoch, first_seq, seq));
        before - self.readings.len()
    }

    fn len(&self) -> usize {
        self.readings.len()
    }

    fn is_full(&self) -> bool {
        self.readings.len() >= self.bound
    }
}
