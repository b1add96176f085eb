//! The queue of unacknowledged readings in flash: power-fail safe, worn evenly, checked
//! by CRC (`sequential-storage`).
//!
//! Flash is freed by the page, so readings that may be forgotten and readings that may
//! not stand in two rings: a page of minutes goes when the oldest of them are forgotten,
//! and no boundary with it. Shown in order, as one. At the greatest length of a reading
//! 1 MB holds the boundaries of thirty days and the minutes of one.

use core::cell::{Cell, RefCell};
use core::ops::Range;
use embassy_futures::block_on;
use embedded_storage_async::nor_flash::MultiwriteNorFlash;
use jirani_meter::{Buffer, Keep, Pushed, Queue, QueueFull, READING_MAX, SignedReading};
use sequential_storage::cache::page_pointers::ArrayPagePointers;
use sequential_storage::cache::page_states::ArrayPageStates;
use sequential_storage::cache::{Cache, Uncached};
use sequential_storage::queue::{QueueConfig, QueueIterator, QueueStorage};

/// Epoch and number stand before the signed bytes.
const HEAD: usize = 12;
const ENTRY_MAX: usize = HEAD + READING_MAX;
/// Pages of the greatest flash range, and what is kept of each ring's in memory.
const PAGES_MAX: usize = 256;
const RING_PAGES_MAX: usize = 168;
/// The minutes' share of the pages, in 256ths: of 256, 166 for 2,970 boundaries and 90
/// for 1,602 readings between.
const MINUTES_SHARE: usize = 90;
/// The store's own bytes per entry and per page.
const ENTRY_OVERHEAD: usize = 8;
const PAGE_OVERHEAD: usize = 8;

type PageCache = Cache<ArrayPageStates<RING_PAGES_MAX>, ArrayPagePointers<RING_PAGES_MAX>, Uncached>;
type Failure<F> = sequential_storage::Error<<F as embedded_storage_async::nor_flash::ErrorType>::Error>;

/// Why the flash cannot hold a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueueError {
    /// The range does not begin and end with a page, or is too small or too big.
    #[error("queue.range: the queue needs whole pages of flash, 4 to 256 of them")]
    Range,
    /// The flash did not answer.
    #[error("queue.flash: the flash could not be read; the meter must be replaced")]
    Flash,
}

/// Readings in a range of flash, oldest first.
pub struct FlashQueue<F: MultiwriteNorFlash> {
    boundaries: Ring<F>,
    minutes: Ring<F>,
    /// The flash failed when it was last asked: counts as full, so that nothing is
    /// believed to be kept.
    failed: Cell<bool>,
}

impl<F: MultiwriteNorFlash + Clone> FlashQueue<F> {
    /// Opens what is there; gives the newest reading with it.
    pub fn open(flash: F, range: Range<u32>) -> Result<(Self, Option<SignedReading>), QueueError> {
        let pages = range.len() / F::ERASE_SIZE.max(1);
        if !(4..=PAGES_MAX).contains(&pages) {
            return Err(QueueError::Range);
        }
        let for_minutes = (pages * MINUTES_SHARE / PAGES_MAX).max(2);
        let split = u32::try_from((pages - for_minutes) * F::ERASE_SIZE).map_err(|_| QueueError::Range)?;
        let split = range.start + split;
        let (boundaries, boundary) = Ring::open(flash.clone(), range.start..split)?;
        let (minutes, minute) = Ring::open(flash, split..range.end)?;
        let newest = boundary.into_iter().chain(minute).max_by_key(place);
        Ok((Self { boundaries, minutes, failed: Cell::new(false) }, newest))
    }
}

impl<F: MultiwriteNorFlash> FlashQueue<F> {
    /// How many boundaries and how many minutes it holds at least.
    pub fn capacity(&self) -> (usize, usize) {
        (self.boundaries.capacity, self.minutes.capacity)
    }

    fn add(&mut self, reading: &SignedReading, keep: Keep) -> Result<Pushed, Failure<F>> {
        match keep {
            Keep::Boundary => self.boundaries.push(reading).map(|()| Pushed::Whole),
            Keep::Minute => {
                let mut pushed = Pushed::Whole;
                loop {
                    let outcome = if self.minutes.is_full() {
                        Err(sequential_storage::Error::FullStorage)
                    } else {
                        self.minutes.push(reading)
                    };
                    match outcome {
                        // A page that was cut short holds fewer than it might.
                        Err(sequential_storage::Error::FullStorage) if self.minutes.len > 0 => {
                            self.minutes.forget_oldest()?;
                            pushed = Pushed::Thinned;
                        }
                        outcome => return outcome.map(|()| pushed),
                    }
                }
            }
        }
    }

    fn show(&self, most: usize, visit: &mut dyn FnMut(&SignedReading)) -> Result<(), Failure<F>> {
        let (mut boundaries, mut minutes) =
            (self.boundaries.entries.borrow_mut(), self.minutes.entries.borrow_mut());
        block_on(async {
            let (mut boundaries, mut minutes) = (boundaries.iter().await?, minutes.iter().await?);
            let (mut boundary, mut minute) = (next(&mut boundaries).await?, next(&mut minutes).await?);
            for _ in 0..most {
                let is_boundary_next = match (&boundary, &minute) {
                    (None, None) => break,
                    (Some(boundary), Some(minute)) => place(boundary) < place(minute),
                    (boundary, _) => boundary.is_some(),
                };
                if is_boundary_next {
                    boundary.iter().for_each(&mut *visit);
                    boundary = next(&mut boundaries).await?;
                } else {
                    minute.iter().for_each(&mut *visit);
                    minute = next(&mut minutes).await?;
                }
            }
            Ok(())
        })
    }
}

/// One kind of readings in whole pages of flash.
struct Ring<F: MultiwriteNorFlash> {
    entries: RefCell<QueueStorage<F, PageCache>>,
    len: usize,
    capacity: usize,
}

impl<F: MultiwriteNorFlash> Ring<F> {
    fn open(flash: F, range: Range<u32>) -> Result<(Self, Option<SignedReading>), QueueError> {
        let pages = range.len() / F::ERASE_SIZE.max(1);
        if pages > RING_PAGES_MAX {
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
            Ok::<_, Failure<F>>(())
        })
        .map_err(|_| QueueError::Flash)?;
        Ok((Self { entries: RefCell::new(entries), len, capacity }, newest))
    }

    fn is_full(&self) -> bool {
        self.len >= self.capacity
    }

    fn push(&mut self, reading: &SignedReading) -> Result<(), Failure<F>> {
        let mut entry = [0; ENTRY_MAX];
        let bytes = reading.bytes.as_slice();
        entry[..4].copy_from_slice(&reading.epoch.to_le_bytes());
        entry[4..HEAD].copy_from_slice(&reading.seq.to_le_bytes());
        entry[HEAD..HEAD + bytes.len()].copy_from_slice(bytes);
        block_on(self.entries.get_mut().push(&entry[..HEAD + bytes.len()], false))?;
        self.len += 1;
        Ok(())
    }

    fn forget_oldest(&mut self) -> Result<(), Failure<F>> {
        let mut bytes = [0; ENTRY_MAX];
        let gone = block_on(self.entries.get_mut().pop(&mut bytes))?.is_some();
        self.len = if gone { self.len - 1 } else { 0 };
        Ok(())
    }

    /// Frees what is acknowledged; says how many.
    fn free(&mut self, epoch: u32, first_seq: u64, seq: u64) -> Result<usize, Failure<F>> {
        let mut freed = 0;
        let outcome = block_on(async {
            let mut bytes = [0; ENTRY_MAX];
            let mut iterator = self.entries.get_mut().iter().await?;
            while let Some(entry) = iterator.next(&mut bytes).await? {
                // Readings stand in order, so none after the last one is freed.
                let Some(place) = read(&entry).map(|reading| place(&reading)) else { continue };
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
        self.len = self.len.saturating_sub(freed);
        outcome.map(|()| freed)
    }
}

fn place(reading: &SignedReading) -> (u32, u64) {
    (reading.epoch, reading.seq)
}

/// The next that can be read.
async fn next<F: MultiwriteNorFlash>(
    entries: &mut QueueIterator<'_, F, PageCache>,
) -> Result<Option<SignedReading>, Failure<F>> {
    let mut bytes = [0; ENTRY_MAX];
    while let Some(entry) = entries.next(&mut bytes).await? {
        if let Some(reading) = read(&entry) {
            return Ok(Some(reading));
        }
    }
    Ok(None)
}

fn read(entry: &[u8]) -> Option<SignedReading> {
    let (epoch, rest) = entry.split_first_chunk::<4>()?;
    let (seq, bytes) = rest.split_first_chunk::<8>()?;
    let bytes = Buffer::from_slice(bytes).ok()?;
    Some(SignedReading { epoch: u32::from_le_bytes(*epoch), seq: u64::from_le_bytes(*seq), bytes })
}

impl<F: MultiwriteNorFlash> Queue for FlashQueue<F> {
    fn push(&mut self, reading: SignedReading, keep: Keep) -> Result<Pushed, QueueFull> {
        if self.is_full(keep) {
            return Err(QueueFull);
        }
        self.add(&reading, keep).map_err(|_| QueueFull)
    }

    fn visit_oldest(&self, most: usize, visit: &mut dyn FnMut(&SignedReading)) {
        self.failed.set(self.show(most, visit).is_err());
    }

    fn free(&mut self, epoch: u32, first_seq: u64, seq: u64) -> usize {
        let boundaries = self.boundaries.free(epoch, first_seq, seq);
        let minutes = self.minutes.free(epoch, first_seq, seq);
        self.failed.set(boundaries.is_err() || minutes.is_err());
        boundaries.unwrap_or_default() + minutes.unwrap_or_default()
    }

    fn len(&self) -> usize {
        self.boundaries.len + self.minutes.len
    }

    fn is_full(&self, keep: Keep) -> bool {
        self.failed.get() || (keep == Keep::Boundary && self.boundaries.is_full())
    }
}
