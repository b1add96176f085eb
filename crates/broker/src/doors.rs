//! Meters that are not let in though their password is right: their time is over.

use jirani_units::MeterId;
use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLock};

/// Who is shut out; clones are the same doors. A meter's password follows from its name and
/// cannot be taken back, so whoever knows its state says here that it is of no use any more.
#[derive(Clone, Default)]
pub struct Doors(Arc<RwLock<HashSet<MeterId>>>);

impl Doors {
    /// Shuts these meters out, and no others. One that is connected is heard no more: its
    /// next message ends its connection.
    pub fn shut_out(&self, meters: HashSet<MeterId>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = meters;
    }

    pub(crate) fn are_shut_to(&self, meter: MeterId) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).contains(&meter)
    }
}
