//! The queue of unacknowledged readings in flash: power-fail safe, worn evenly, checked
//! by CRC (`sequential-storage`).
//!
//! Holds [`FlashQueue::capacity`] readings of the greatest length; [`crate::schedule`]
//! says what that is enough for.

use core::cell::{Cell, RefCell};
use core::ops::Range;
use embassy_futures::block_on;
use embedded_storage_async::nor_flash::MultiwriteNorFlash;
use jirani_meter::{Buffer, Queue, QueueFull, READING_MAX, SignedReading};
use sequential_storage::cache::page_pointers::ArrayPagePointers;
use sequential_storage::cache::page_states::ArrayPageStates;
use sequential_storage::cache::{Cache, Uncached};
use sequential_storage::queue::{QueueConfig, QueueStorage};

/// Epoch and number stand before the signed bytes.
const HEAD: usize = 12;
const ENTRY_MAX: usize = HEAD + READING_MAX;
/// What is kept of each page's state in memory: pages of the greatest flash range.
const PAGES_MAX: usize = 256;
/// The store's own bytes per entry and per page.
const ENTRY_OVERHEAD: usize = 8;
const PAGE_OVERHEAD: usize = 8;

type PageCache = Cache<ArrayPageStates<PAGES_MAX>, ArrayPagePointers<PAGES_MAX>, Uncached>;

/// Why the flash cannot hold a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueueError {
    /// The range does not begin and end with a page, or is too small or too big.
    #[error("queue.range: the queue needs whole pages of flash, 2 to 256 of them")]
    Range,
    /// The flash did not answer.
    #[error("queue.flash: the flash could not be read; the meter must be replaced")]
    Flash,
}

/// Readings in a range of flash, oldest first.
pub struct FlashQueue<F: MultiwriteNorFlash> {
    entries: RefCell<QueueStorage<F, PageCache>>,
    len: usize,
    capacity: usize,
    /// The flash failed when it was last asked: counts as full, so that nothing is
    /// believed to be kept.
    failed: Cell<bool>,
}

impl<F: MultiwriteNorFlash> FlashQueue<F> {
    /// Opens what is there; gives the newest reading with it.
    pub fn open(flash: F, range: Range<u32>) -> Result<(Self, Option<SignedReading>), QueueError> {
        let pages = range.len() / F::ERASE_SIZE.max(1);
        if !(2..=PAGES_MAX).contains(&pages) {
            return Err(QueueError::Range);
        }
        let config = QueueConfig::try_new(range).map_err(|_| QueueError::Range)?;
        let entry = ENTRY_MAX.next_multiple_of(F::WRITE_SIZE.max(1)) + ENTRY_OVERHEAD;
        // One page is always being erased.
        let capacity = (pages - 1) * (F::ERASE_SIZE.saturating_sub(PAGE_OVERHEAD) / entry);
        let cache = Cache::new(ArrayPageStates::new(), ArrayPagePointers::new(), Uncached);
        let mut entries = QueueStorage::new(flash, config, cache);
        let (mut len, mut newest) = (0, None);
        block_on(async {
            let mut bytes = [0; ENTRY_MAX];
            let mut iterator = entries.iter().await?;
            while let Some(entry) = iterator.next(&mut bytes).await? {
                len += 1;
                newest = read(&entry).or(newest.take());
            }
            Ok::<_, sequential_storage::Error<F::Error>>(())
        })
        .map_err(|_| QueueError::Flash)?;
        let queue = Self { entries: RefCell::new(entries), len, capacity, failed: Cell::new(false) };
        Ok((queue, newest))
    }

    /// How many readings it holds.
    pub fn capacity(&self) -> usize {
        self.capacity
    }
}

fn read(entry: &[u8]) -> Option<SignedReading> {
    let (epoch, rest) = entry.split_first_chunk::<4>()?;
    let (seq, bytes) = rest.split_first_chunk::<8>()?;
    let bytes = Buffer::from_slice(bytes).ok()?;
    Some(SignedReading { epoch: u32::from_le_bytes(*epoch), seq: u64::from_le_bytes(*seq), bytes })
}

impl<F: MultiwriteNorFlash> Queue for FlashQueue<F> {
    fn push(&mut self, reading: SignedReading) -> Result<(), QueueFull> {
        if self.is_full() {
            return Err(QueueFull);
        }
        let mut entry = Buffer::<ENTRY_MAX>::new();
        entry
            .extend(&reading.epoch.to_le_bytes())
            .and_then(|()| entry.extend(&reading.seq.to_le_bytes()))
            .and_then(|()| entry.extend(reading.bytes.as_slice()))
            .map_err(|_| QueueFull)?;
        block_on(self.entries.get_mut().push(entry.as_slice(), false)).map_err(|_| QueueFull)?;
        self.len += 1;
        Ok(())
    }

    fn visit_oldest(&self, most: usize, visit: &mut dyn FnMut(&SignedReading)) {
        let mut entries = self.entries.borrow_mut();
        let visited: Result<(), sequential_storage::Error<F::Error>> = block_on(async {
            let mut bytes = [0; ENTRY_MAX];
            let mut iterator = entries.iter().await?;
            let mut left = most;
            while left > 0 {
                let Some(entry) = iterator.next(&mut bytes).await? else { break };
                if let Some(reading) = read(&entry) {
                    visit(&reading);
                }
                left -= 1;
            }
            Ok(())
        });
        self.failed.set(visited.is_err());
    }

    fn free(&mut self, epoch: u32, first_seq: u64, seq: u64) -> usize {
        let mut freed = 0;
        let outcome: Result<(), sequential_storage::Error<F::Error>> = block_on(async {
            let mut bytes = [0; ENTRY_MAX];
            let mut iterator = self.entries.get_mut().iter().await?;
            while let Some(entry) = iterator.next(&mut bytes).await? {
                // Readings stand in order, so none after the last one is freed.
                let Some(place) = read(&entry).map(|reading| (reading.epoch, reading.seq)) else { continue };
                if place > (epoch, seq) {
                    break;
                }
                if place >= (epoch, first_seq) {
                    entry.pop().await?;
                    freed += 1;
                }
            }
            Ok(())
        });
        self.failed.set(outcome.is_err());
        self.len = self.len.saturating_sub(freed);
        freed
    }

    fn len(&self) -> usize {
        self.len
    }

    fn is_full(&self) -> bool {
        self.failed.get() || self.len >= self.capacity
    }
}
