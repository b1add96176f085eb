//! Small things kept in flash under a number each: settings, identity, the state.

use core::ops::Range;
use embassy_futures::block_on;
use embedded_storage_async::nor_flash::NorFlash;
use sequential_storage::cache::page_pointers::ArrayPagePointers;
use sequential_storage::cache::page_states::ArrayPageStates;
use sequential_storage::cache::{Cache, Uncached};
use sequential_storage::map::{MapConfig, MapStorage};

/// Most bytes of one thing.
pub const VALUE_MAX: usize = 96;
/// The key's byte, the value, and room for the flash's word.
const BUFFER: usize = 1 + VALUE_MAX + 31;
const PAGES_MAX: usize = 16;

type PageCache = Cache<ArrayPageStates<PAGES_MAX>, ArrayPagePointers<PAGES_MAX>, Uncached, u8>;

/// What is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Name {
    /// The secret key and the epoch.
    Identity = 1,
    /// The state, see [`crate::state`].
    State = 2,
    /// The Wi-Fi network's name.
    Wifi = 3,
    /// Its password.
    WifiPassword = 4,
    /// The broker's host and port.
    Broker = 5,
    /// The meter's password there.
    BrokerPassword = 6,
    /// The gateway's public key.
    Gateway = 7,
    /// The time server's name.
    TimeServer = 8,
    /// The image that was announced last, see [`crate::state`].
    Announced = 9,
    /// Its maker's signature, see [`crate::update`].
    AnnouncedSignature = 10,
    /// How much of it is in flash.
    Fetched = 11,
    /// That a new image is on trial, see [`crate::trial`].
    Trial = 12,
}

/// Why something was not kept or not found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The range does not begin and end with a page, or is too small or too big.
    #[error("store.range: the store needs whole pages of flash, 2 to 16 of them")]
    Range,
    /// The value is longer than allowed.
    #[error("store.too_long: a value is longer than 96 bytes")]
    TooLong,
    /// The flash did not take it, or gave something damaged.
    #[error("store.flash: the flash failed; the meter must be replaced")]
    Flash,
}

/// Values in a range of flash. A value that is written anew is whole: the old one or
/// the new one, whenever power goes.
pub struct Store<F: NorFlash> {
    values: MapStorage<u8, F, PageCache>,
}

impl<F: NorFlash> Store<F> {
    /// Opens what is there.
    pub fn open(flash: F, range: Range<u32>) -> Result<Self, StoreError> {
        let pages = range.len() / F::ERASE_SIZE.max(1);
        if pages > PAGES_MAX {
            return Err(StoreError::Range);
        }
        let config = MapConfig::try_new(range).map_err(|_| StoreError::Range)?;
        let cache = Cache::new(ArrayPageStates::new(), ArrayPagePointers::new(), Uncached);
        Ok(Self { values: MapStorage::new(flash, config, cache) })
    }

    /// The value, copied to the front of `into`; `None` when it was never kept.
    pub fn get<'b>(
        &mut self,
        name: Name,
        into: &'b mut [u8; VALUE_MAX],
    ) -> Result<Option<&'b [u8]>, StoreError> {
        let mut buffer = [0; BUFFER];
        let found = block_on(self.values.fetch_item::<&[u8]>(&mut buffer, &(name as u8)));
        let Some(value) = found.map_err(|_| StoreError::Flash)? else { return Ok(None) };
        let place = into.get_mut(..value.len()).ok_or(StoreError::TooLong)?;
        place.copy_from_slice(value);
        Ok(Some(place))
    }

    /// Keeps a value.
    pub fn put(&mut self, name: Name, value: &[u8]) -> Result<(), StoreError> {
        if value.len() > VALUE_MAX {
            return Err(StoreError::TooLong);
        }
        let mut buffer = [0; BUFFER];
        block_on(self.values.store_item(&mut buffer, &(name as u8), &value)).map_err(|_| StoreError::Flash)
    }
}
