use super::record;
use crate::Key;
use bytemuck::{Pod, Zeroable};

/// Entries of the ring: a day of 15-minute slots.
pub const EVIDENCE_SLOTS: usize = 96;

/// The evidence of one attested slot.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct EvidenceEntry {
    /// End of the slot, Unix seconds; 0 when free.
    pub slot_end: i64,
    /// Root over the signed readings behind its rows.
    pub root: Key,
}

/// The last evidence roots of a feeder. Several transactions of one slot share an
/// entry; another root for the same slot gets its own.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct Evidence {
    /// [`super::Record::DISCRIMINATOR`].
    pub discriminator: u8,
    /// [`super::Record::VERSION`].
    pub version: u8,
    /// Bump of its own address.
    pub bump: u8,
    /// Zero.
    pub reserved0: u8,
    /// Feeder.
    pub feeder: u16,
    /// Where the newest entry stands.
    pub newest: u16,
    /// Entries written since the beginning.
    pub written: u64,
    /// The ring.
    pub entries: [EvidenceEntry; EVIDENCE_SLOTS],
}

record!(Evidence, 6, 3856);

impl Evidence {
    /// Writes an entry, unless the newest is the same.
    pub fn record(&mut self, entry: EvidenceEntry) {
        let newest = usize::from(self.newest) % EVIDENCE_SLOTS;
        if self.written > 0 && self.entries[newest] == entry {
            return;
        }
        let next = if self.written == 0 { 0 } else { (newest + 1) % EVIDENCE_SLOTS };
        self.entries[next] = entry;
        // INVARIANT: `next` is below 96.
        #[expect(clippy::cast_possible_truncation, reason = "next < EVIDENCE_SLOTS")]
        {
            self.newest = next as u16;
        }
        self.written = self.written.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ring_keeps_the_last_entries_and_no_repeats() {
        let mut evidence = Evidence::zeroed();
        for slot in 1..=100 {
            let entry = EvidenceEntry { slot_end: slot * 900, root: [1; 32] };
            evidence.record(entry);
            evidence.record(entry);
        }
        assert_eq!(evidence.written, 100);
        assert_eq!(evidence.entries[usize::from(evidence.newest)].slot_end, 90_000);
        assert_eq!(evidence.entries.iter().map(|e| e.slot_end).min(), Some(5 * 900));
    }
}
