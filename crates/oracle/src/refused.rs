//! What was refused lately, so that a meter that repeats itself does not fill the
//! quarantine.

use jirani_units::MeterId;
use sha2::{Digest as _, Sha256};
use std::collections::{HashSet, VecDeque};

/// How many refusals are remembered.
const REFUSED_MAX: usize = 4_096;

pub(crate) type Fingerprint = [u8; 32];

/// The last refusals, by what was refused and why.
#[derive(Default)]
pub(crate) struct Refused {
    order: VecDeque<Fingerprint>,
    known: HashSet<Fingerprint>,
}

impl Refused {
    pub(crate) fn fingerprint(meter: Option<MeterId>, code: &str, bytes: &[u8]) -> Fingerprint {
        Sha256::new()
            .chain_update(meter.map_or([0; 16], |meter| meter.0))
            .chain_update(code)
            .chain_update([0])
            .chain_update(bytes)
            .finalize()
            .into()
    }

    pub(crate) fn knows(&self, fingerprint: &Fingerprint) -> bool {
        self.known.contains(fingerprint)
    }

    pub(crate) fn remember(&mut self, fingerprints: &[Fingerprint]) {
        for fingerprint in fingerprints {
            self.known.insert(*fingerprint);
            self.order.push_back(*fingerprint);
            if self.order.len() > REFUSED_MAX
                && let Some(oldest) = self.order.pop_front()
            {
                self.known.remove(&oldest);
            }
        }
    }
}
