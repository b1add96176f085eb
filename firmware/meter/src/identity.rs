//! Who the meter is: a key that is made here, from the radio's noise, and never leaves.

use esp_hal::rng::Rng;
use jirani_firmware_logic::store::{Name, Store, StoreError, VALUE_MAX};
use jirani_meter::Ed25519Signer;

use crate::device::Flash;

const SEED: usize = 32;
const KEPT: usize = SEED + 4;

/// The key, and the generation of the registers.
pub struct Identity {
    /// Signs.
    pub signer: Ed25519Signer,
    /// Grows when the registers had to start anew.
    pub epoch: u32,
    /// The key was made just now: nothing was lost.
    pub is_new: bool,
}

/// The identity that is kept, or a new one. `registers` says whether the registers are
/// still there; if not, a new epoch begins. The radio must be on: it is the source of
/// true randomness (ESP32-C3 technical reference manual, "Random Number Generator").
pub fn identity(store: &mut Store<Flash>, registers: bool) -> Result<Identity, StoreError> {
    let mut value = [0; VALUE_MAX];
    let mut kept = [0; KEPT];
    let found = store.get(Name::Identity, &mut value)?;
    let is_found = found.is_some();
    if let Some(bytes) = found {
        kept = bytes.try_into().map_err(|_| StoreError::Flash)?;
    } else {
        Rng::new().read(&mut kept[..SEED]);
    }
    let (seed, epoch) = (first(&kept), u32::from_le_bytes([kept[32], kept[33], kept[34], kept[35]]));
    let epoch = if is_found && registers { epoch } else { epoch.saturating_add(1) };
    if !(is_found && registers) {
        kept[SEED..].copy_from_slice(&epoch.to_le_bytes());
        store.put(Name::Identity, &kept)?;
    }
    Ok(Identity { signer: Ed25519Signer::from_seed(&seed), epoch, is_new: !is_found })
}

fn first(kept: &[u8; KEPT]) -> [u8; SEED] {
    let mut seed = [0; SEED];
    seed.copy_from_slice(&kept[..SEED]);
    seed
}
