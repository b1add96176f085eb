//! What a verified reading must satisfy against the one before it. Pure.

use crate::refusal::Refusal;
use jirani_meter::{Reading, Registers};
use jirani_units::{JSON_INTEGER_MAX, Timestamp};

/// How far a meter's clock may be ahead, in seconds.
const FUTURE_MAX_S: i64 = 120;
/// Time added to the one that passed, for clocks that are a little off, in seconds.
const SLACK_S: u64 = 900;

/// The last accepted reading of a meter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Latest {
    /// Its epoch.
    pub epoch: u32,
    /// Its number.
    pub seq: u64,
    /// When it was taken.
    pub time: Timestamp,
    /// What it said.
    pub registers: Registers,
}

/// What a connection can carry, in W.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rating {
    /// Into the grid.
    pub export_w: u32,
    /// From the grid.
    pub import_w: u32,
    /// From its panels; 0 leaves generation unchecked (a generator has none).
    pub panels_w: u32,
}

/// Judges a verified reading that is ahead of `latest` by (epoch, seq).
pub fn judge(
    reading: &Reading,
    enrolled_epoch: u32,
    rating: Rating,
    latest: Option<&Latest>,
    now: Timestamp,
) -> Result<(), Refusal> {
    let (epoch, seq) = (reading.epoch, reading.seq);
    if epoch < enrolled_epoch {
        return Err(Refusal::OldSeq { epoch, seq });
    }
    if epoch > enrolled_epoch {
        return Err(Refusal::UnknownEpoch(epoch));
    }
    check_range(reading)?;
    let time = time_of(reading);
    let ahead_us = time.since(now);
    if ahead_us > FUTURE_MAX_S * 1_000_000 {
        return Err(Refusal::FutureTime(ahead_us / 1_000_000));
    }
    let Some(latest) = latest.filter(|latest| latest.epoch == epoch) else { return Ok(()) };
    if time <= latest.time {
        return Err(Refusal::TimeNotLater);
    }
    let (before, after) = (&latest.registers, &reading.registers);
    for (register, before, after) in [
        ("import", before.import_wh, after.import_wh),
        ("export", before.export_wh, after.export_wh),
        ("generation", before.generation_wh, after.generation_wh),
    ] {
        if after < before {
            return Err(Refusal::FallingRegister(register));
        }
    }
    let elapsed_us = u64::try_from(time.since(latest.time)).unwrap_or(0);
    for (register, grew_wh, rating_w) in [
        ("import", after.import_wh - before.import_wh, Some(rating.import_w)),
        ("export", after.export_wh - before.export_wh, Some(rating.export_w)),
        (
            "generation",
            after.generation_wh - before.generation_wh,
            Some(rating.panels_w).filter(|rated| *rated > 0),
        ),
    ] {
        let Some(rating_w) = rating_w else { continue };
        let most_wh = most_wh(rating_w, elapsed_us);
        if grew_wh > most_wh {
            return Err(Refusal::Implausible { register, grew_wh, most_wh });
        }
    }
    Ok(())
}

/// The moment of a reading. Decoding has bounded it to 63 bits.
pub(crate) fn time_of(reading: &Reading) -> Timestamp {
    Timestamp(i64::try_from(reading.time_us).unwrap_or(i64::MAX))
}

fn check_range(reading: &Reading) -> Result<(), Refusal> {
    let Registers { import_wh, export_wh, generation_wh } = reading.registers;
    for (what, value) in [
        ("seq", reading.seq),
        ("the import register", import_wh),
        ("the export register", export_wh),
        ("the generation register", generation_wh),
    ] {
        if value > JSON_INTEGER_MAX {
            return Err(Refusal::OutOfRange(what));
        }
    }
    Ok(())
}

/// 1.25 times the rating over the time that passed and a little more.
fn most_wh(rating_w: u32, elapsed_us: u64) -> u64 {
    let time_us = u128::from(elapsed_us) + u128::from(SLACK_S) * 1_000_000;
    let wh = u128::from(rating_w) * time_us * 5 / 4 / 3_600_000_000;
    u64::try_from(wh).unwrap_or(u64::MAX)
}
