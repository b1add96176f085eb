//! From a meter's registers to energy per slot.

use jirani_units::{Slot, Timestamp};

/// A meter's registers at one moment, in Wh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegisterSample {
    /// When they were read.
    pub time: Timestamp,
    /// Import register.
    pub import_wh: u64,
    /// Export register.
    pub export_wh: u64,
    /// Generation register.
    pub generation_wh: u64,
}

/// What a household produced and used in one slot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SlotEnergy {
    /// Start of the slot.
    pub start: Timestamp,
    /// Generated, in Wh.
    pub production_wh: u64,
    /// Used, in Wh: generation + import - export.
    pub consumption_wh: u64,
}

/// Readings further apart than this say nothing about the slots between them.
const GAP_MAX_S: i64 = 2 * 3_600;

/// Energy of every whole slot that `samples` (in order of time) cover. Between two
/// samples a register is taken to have risen evenly; slots in longer gaps, and
/// across a register that fell (another epoch), are left out, never guessed.
pub fn slot_energies(samples: &[RegisterSample], slot_length_s: u32) -> Vec<SlotEnergy> {
    let mut slots = Vec::new();
    let mut previous: Option<RegisterSample> = None;
    for pair in samples.windows(2) {
        let (a, b) = (pair[0], pair[1]);
        let fell =
            b.import_wh < a.import_wh || b.export_wh < a.export_wh || b.generation_wh < a.generation_wh;
        if b.time <= a.time || fell || b.time.since(a.time) > GAP_MAX_S * 1_000_000 {
            previous = None;
            continue;
        }
        let mut boundary = Slot::containing(a.time, slot_length_s).start;
        if boundary < a.time {
            boundary = boundary.plus_seconds(i64::from(slot_length_s));
        }
        while boundary <= b.time {
            let here = between(a, b, boundary);
            // The boundary that two pairs share is seen twice; the second adds nothing.
            if let Some(start) = previous.filter(|start| start.time < here.time) {
                let generation = here.generation_wh - start.generation_wh;
                let import = here.import_wh - start.import_wh;
                let export = here.export_wh - start.export_wh;
                slots.push(SlotEnergy {
                    start: start.time,
                    production_wh: generation,
                    consumption_wh: (generation + import).saturating_sub(export),
                });
            }
            previous = Some(here);
            boundary = boundary.plus_seconds(i64::from(slot_length_s));
        }
    }
    slots
}

fn between(a: RegisterSample, b: RegisterSample, at: Timestamp) -> RegisterSample {
    let (part, whole) = (i128::from(at.since(a.time)), i128::from(b.time.since(a.time)));
    let line = |from: u64, to: u64| {
        let rise = i128::from(to - from) * part / whole;
        from + u64::try_from(rise).unwrap_or(0)
    };
    RegisterSample {
        time: at,
        import_wh: line(a.import_wh, b.import_wh),
        export_wh: line(a.export_wh, b.export_wh),
        generation_wh: line(a.generation_wh, b.generation_wh),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sample(seconds: i64, import_wh: u64, export_wh: u64, generation_wh: u64) -> RegisterSample {
        RegisterSample { time: Timestamp::from_seconds(seconds), import_wh, export_wh, generation_wh }
    }

    #[test]
    fn consumption_is_generation_plus_import_less_export() {
        let slots = slot_energies(&[sample(0, 0, 0, 0), sample(900, 10, 30, 100)], 900);
        let expected = SlotEnergy { start: Timestamp(0), production_wh: 100, consumption_wh: 80 };
        assert_eq!(slots, [expected]);
    }

    #[test]
    fn long_gaps_and_new_epochs_are_left_out() {
        let samples = [
            sample(0, 0, 0, 0),
            sample(900, 9, 0, 0),
            sample(20_700, 90, 0, 0),
            sample(21_600, 5, 0, 0),
            sample(22_500, 7, 0, 0),
        ];
        let slots = slot_energies(&samples, 900);
        let starts: Vec<i64> = slots.iter().map(|slot| slot.start.seconds()).collect();
        assert_eq!(starts, [0, 21_600]);
    }

    proptest! {
        #[test]
        fn no_energy_is_lost_between_boundaries(rises in proptest::collection::vec((1i64..3_000, 0u64..500), 1..60)) {
            let mut samples = vec![sample(0, 0, 0, 0)];
            for (seconds, wh) in rises {
                let last = samples[samples.len() - 1];
                samples.push(sample(last.time.seconds() + seconds, last.import_wh + wh, 0, 0));
            }
            let slots = slot_energies(&samples, 900);
            let end = samples[samples.len() - 1].time.seconds() / 900;
            prop_assert_eq!(i64::try_from(slots.len()).unwrap(), end);
            let used: u64 = slots.iter().map(|slot| slot.consumption_wh).sum();
            prop_assert!(used <= samples[samples.len() - 1].import_wh);
            prop_assert!(slots.windows(2).all(|pair| pair[0].start.plus_seconds(900) == pair[1].start));
        }
    }
}
