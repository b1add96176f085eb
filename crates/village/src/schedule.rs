//! Whose turn it is when: everybody once an hour, one after another, after the
//! slot has been attested.

use crate::profile::Source;
use crate::seed::noise;
use crate::trader::Actor;
use jirani_units::Timestamp;

/// Everybody has a turn so often, in seconds.
const ROUND_S: u64 = 3_600;
/// After a slot's end and its grace the attestations need a little, in seconds.
const ATTESTED_S: u64 = 20;
/// The last turn is over before the next slot ends, in seconds.
const BEFORE_END_S: u64 = 20;
const ORDER: u64 = 31;
const ROUND: u64 = 32;

/// First moment after slot `slot`.
pub fn slot_end(source: &Source, slot: u64) -> Timestamp {
    let slots = i64::try_from(slot.saturating_add(1)).unwrap_or(i64::MAX / 1_000_000);
    source.start().plus_seconds(slots.saturating_mul(i64::from(source.slot_length_s())))
}

/// The turns between the end of `slot` and the next slot's end, in order; no two at
/// one moment.
pub fn turns(seed: u64, source: &Source, people: u32, slot: u64, grace_s: u32) -> Vec<(Timestamp, Actor)> {
    let length_s = u64::from(source.slot_length_s());
    let per_round = (ROUND_S / length_s).max(1);
    let mut actors: Vec<Actor> = (0..people)
        .filter(|person| (noise(seed, ROUND, u64::from(*person), 0) + slot).is_multiple_of(per_round))
        .map(Actor)
        .collect();
    actors.sort_by_key(|actor| (noise(seed, ORDER, slot, u64::from(actor.0)), *actor));
    let first_us = (u64::from(grace_s) + ATTESTED_S) * 1_000_000;
    let last_us = (length_s.saturating_sub(BEFORE_END_S) * 1_000_000).max(first_us);
    let count = u64::try_from(actors.len()).unwrap_or(1).max(1);
    // A prime number of microseconds off the beat: nothing else is due just then.
    let step_us = ((last_us - first_us) / count).max(1) | 1;
    let end = slot_end(source, slot);
    actors
        .into_iter()
        .zip(0u64..)
        .map(|(actor, place)| {
            let offset = i64::try_from(first_us + place * step_us + 13).unwrap_or(0);
            (Timestamp(end.0 + offset), actor)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::BuiltInRequest;
    use jirani_forecast::Place;
    use std::collections::BTreeSet;

    #[test]
    fn everybody_has_one_turn_an_hour_and_nobody_two_at_once() {
        let source = Source::built_in(&BuiltInRequest {
            households: 80,
            seed: 1,
            place: Place::KITONYONI,
            slot_length_s: 900,
            start: BuiltInRequest::FIRST_DAY,
            days: None,
        });
        let hour: Vec<_> = (0..4).flat_map(|slot| turns(1, &source, 82, slot, 60)).collect();
        assert_eq!(hour.len(), 82);
        assert_eq!(hour.iter().map(|(_, actor)| *actor).collect::<BTreeSet<_>>().len(), 82);
        assert_eq!(hour.iter().map(|(at, _)| *at).collect::<BTreeSet<_>>().len(), 82);
        for (slot, (at, _)) in
            (0..4).flat_map(|slot| turns(1, &source, 82, slot, 60).into_iter().map(move |turn| (slot, turn)))
        {
            assert!(at > slot_end(&source, slot).plus_seconds(60) && at < slot_end(&source, slot + 1));
        }
    }
}
