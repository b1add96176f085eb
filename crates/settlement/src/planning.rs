//! One plan at a time per phone: two requests of one buyer must not both find
//! that no prompt is open. Held over the store only, never over the network.

use jirani_store::HouseholdRecord;
use tokio::sync::{Mutex, MutexGuard};

const STRIPES: usize = 64;

/// Locks by phone; phones may share one, which only makes them wait.
pub(crate) struct Planning([Mutex<()>; STRIPES]);

impl Default for Planning {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Mutex::new(())))
    }
}

impl Planning {
    pub(crate) async fn lock(&self, buyer: &HouseholdRecord) -> MutexGuard<'_, ()> {
        let number = buyer.msisdn.map_or(u64::from(buyer.id.0), jirani_units::Msisdn::number);
        let stripe = usize::try_from(number % STRIPES as u64).unwrap_or(0);
        self.0[stripe].lock().await
    }
}
