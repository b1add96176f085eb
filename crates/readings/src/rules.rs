//! What a verified reading must satisfy against what was said before it.
//!
//! Registers are compared as virtual ones, so one rule holds within an epoch, over a
//! roll-over, over a reset and from one meter to the next.
//!
//! Automatic: a roll-over, where a modulus is declared for the meter and what it counted
//! across it is plausible; a new epoch in which the meter's key has signed the stored last
//! values: its registers go on from them, or its first reading carries the hash of the last
//! stored one and they begin at zero. Anything else that begins anew waits for a person.

use crate::ahead::{Ahead, Part};
use crate::refusal::Refusal;
use crate::remark::{Remark, Remarks};
use crate::span::{Base, Span, virtual_of};
use jirani_meter::{Reading, Registers};
use jirani_units::{JSON_INTEGER_MAX, Timestamp};

/// How far a meter's clock may be off unremarked, in seconds.
const SKEW_S: i64 = 120;
/// Before this no meter of ours was made: a clock that was never set says 1970.
/// 2020-01-01T00:00:00Z.
const EARLIEST: Timestamp = Timestamp(1_577_836_800_000_000);

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
    /// First 8 bytes of SHA-256 of its signed bytes.
    pub hash: [u8; 8],
    /// When the gateway had it.
    pub received_at: Timestamp,
    /// How far its registers are ahead of the time that passed.
    pub ahead: Ahead,
}

impl Latest {
    /// A later reading of the same meter that somebody else has judged: what was ahead
    /// before it still is, less what the time between them takes away. Where registers began
    /// anew in between nothing is known to have been taken away.
    #[must_use]
    pub fn followed_by(&self, later: Self, rating: Rating) -> Self {
        let is_later = (self.epoch, self.seq) < (later.epoch, later.seq) && self.time < later.time;
        if !is_later || self.epoch != later.epoch || !rises(&self.registers, &later.registers) {
            return Self { ahead: self.ahead, ..later };
        }
        let grew = Part::each(|part| part.of(&later.registers) - part.of(&self.registers));
        Self { ahead: self.ahead.after(rating, elapsed_us(self.time, later.time), &grew), ..later }
    }
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

/// What is known of the meter whose reading is judged.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    /// The household's present span; `None` while there is only the one it was enrolled with.
    pub span: Option<&'a Span>,
    /// Epoch of its registers that counts now.
    pub epoch: u32,
    /// Its ratings.
    pub rating: Rating,
    /// Where its registers end and begin again at zero, Wh; `None` when they never do.
    pub modulus_wh: Option<u64>,
    /// Length of a slot, s.
    pub slot_s: u32,
    /// Short hashes of firmware that is allowed; empty allows all.
    pub firmware: &'a [[u8; 8]],
}

/// What begins with an accepted reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Began {
    /// These registers passed their end: the modulus to add for each, or 0.
    RolledOver {
        /// What is added to each offset, Wh.
        added: Registers,
        /// Where the virtual registers stood.
        base: Base,
    },
    /// A new epoch of the same meter, proven by it. Its raw registers go on from `opening`.
    Epoch {
        /// Where the virtual registers stood.
        base: Base,
        /// Raw registers that stand for it: what they were, or zero.
        opening: Registers,
    },
}

/// What is said of an accepted reading.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// What is remarkable.
    pub remarks: Remarks,
    /// What begins with it.
    pub began: Option<Began>,
    /// How far the meter is ahead of its connection from now on: it goes with the reading
    /// into what the next one is judged by ([`Latest::ahead`]).
    pub ahead: Ahead,
}

/// Judges a verified reading that is ahead of `latest`, the meter's last, by (epoch, seq).
pub fn judge(
    reading: &Reading,
    terms: &Terms<'_>,
    latest: Option<&Latest>,
    now: Timestamp,
) -> Result<Verdict, Refusal> {
    let (epoch, seq) = (reading.epoch, reading.seq);
    if epoch < terms.epoch {
        return Err(Refusal::OldSeq { epoch, seq });
    }
    let proven = epoch > terms.epoch
        && latest.filter(|latest| latest.epoch == terms.epoch).is_some_and(|latest| {
            let goes_on =
                latest.registers != Registers::default() && rises(&latest.registers, &reading.registers);
            goes_on || (seq == 1 && latest.hash == reading.previous)
        });
    if epoch > terms.epoch && !proven {
        return Err(Refusal::UnknownEpoch(epoch));
    }
    check_range(&reading.registers, seq)?;
    let mut remarks = Remarks::default();
    let time = check_time(reading, terms, latest, now, &mut remarks)?;
    if !terms.firmware.is_empty() && !terms.firmware.contains(&reading.firmware) {
        remarks.add(Remark::UnknownFirmware);
    }
    let same = latest.filter(|latest| latest.epoch == terms.epoch);
    if let Some(latest) = same {
        if time <= latest.time {
            return Err(Refusal::TimeNotLater);
        }
        if epoch == latest.epoch && seq > latest.seq + 1 {
            remarks.add(Remark::Gap);
        } else if epoch == latest.epoch && reading.previous != latest.hash {
            remarks.add(Remark::ChainBroken);
        }
    }
    let Some(base) = base_of(terms, same) else { return Ok(Verdict { remarks, ..Verdict::default() }) };
    // A meter stays ahead over its epochs: another one begins no new slack.
    let from = Origin { base, ahead: latest.map(|latest| latest.ahead).unwrap_or_default(), time };
    let (began, ahead) = if proven {
        let raw = same.map_or_else(Registers::default, |latest| latest.registers);
        let goes_on = rises(&raw, &reading.registers);
        let opening = if goes_on { raw } else { Registers::default() };
        let grew = Part::each(|part| part.of(&reading.registers).saturating_sub(part.of(&opening)));
        let ahead = grown(terms, &from, &grew)?;
        remarks.add(Remark::NewEpoch);
        (Some(Began::Epoch { base, opening }), ahead)
    } else {
        grow(reading, terms, &from)?
    };
    if matches!(began, Some(Began::RolledOver { .. })) {
        remarks.add(Remark::RolledOver);
    }
    Ok(Verdict { remarks, began, ahead })
}

/// The moment of a reading. Decoding has bounded it to 63 bits.
pub fn time_of(reading: &Reading) -> Timestamp {
    Timestamp(i64::try_from(reading.time_us).unwrap_or(i64::MAX))
}

/// Virtual registers before this reading: the meter's last, or where its span goes on from.
fn base_of(terms: &Terms<'_>, latest: Option<&Latest>) -> Option<Base> {
    let Some(span) = terms.span else {
        return latest.map(|latest| Base { time: latest.time, registers: latest.registers });
    };
    let in_span = latest.filter(|latest| span.number == 0 || latest.time >= span.from);
    match in_span {
        Some(latest) => {
            let registers = virtual_of(&span.offsets, &latest.registers)?;
            Some(Base { time: latest.time, registers })
        }
        None => (span.number > 0).then_some(span.base),
    }
}

/// The time of a reading against the gateway's.
fn check_time(
    reading: &Reading,
    terms: &Terms<'_>,
    latest: Option<&Latest>,
    now: Timestamp,
    remarks: &mut Remarks,
) -> Result<Timestamp, Refusal> {
    let time = time_of(reading);
    if time < EARLIEST {
        return Err(Refusal::ClockUnset);
    }
    let ahead_us = time.since(now);
    if ahead_us > i64::from(terms.slot_s) * 1_000_000 {
        return Err(Refusal::ClockAhead(ahead_us / 1_000_000));
    }
    if let Some(span) = terms.span.filter(|span| span.number > 0)
        && time < span.from
    {
        return Err(Refusal::BeforeItsTime(span.from));
    }
    let skew_us = SKEW_S * 1_000_000;
    // Late is not wrong: a meter that was offline tells of the past. One that speaks as
    // often as it reads, and is behind all the same, has a clock that is.
    let live = latest.is_some_and(|latest| {
        let (by_meter, by_us) = (time.since(latest.time), now.since(latest.received_at));
        reading.seq == latest.seq + 1
            && by_us >= i64::from(reading.interval_s) * 500_000
            && (by_meter - by_us).abs() <= skew_us
    });
    if ahead_us > skew_us || (live && ahead_us < -skew_us) {
        remarks.add(Remark::ClockSkew);
    }
    Ok(time)
}

/// What a reading is judged from.
struct Origin {
    /// Where the virtual registers stood, and when.
    base: Base,
    /// How far ahead they were then.
    ahead: Ahead,
    /// When the reading was taken.
    time: Timestamp,
}

impl Origin {
    fn most_wh(&self, part: Part, rating: Rating) -> u64 {
        self.ahead.most_wh(part, rating, elapsed_us(self.base.time, self.time))
    }
}

/// Registers within an epoch: they rise, or pass their declared end.
fn grow(reading: &Reading, terms: &Terms<'_>, from: &Origin) -> Result<(Option<Began>, Ahead), Refusal> {
    let offsets = terms.span.map(|span| span.offsets).unwrap_or_default();
    let modulus = terms.modulus_wh.filter(|modulus| *modulus > 0 && *modulus <= JSON_INTEGER_MAX);
    let (mut added, mut grew) = (Registers::default(), Registers::default());
    for part in Part::ALL {
        let (offset, grew, added) = match part {
            Part::Import => (offsets.import_wh, &mut grew.import_wh, &mut added.import_wh),
            Part::Export => (offsets.export_wh, &mut grew.export_wh, &mut added.export_wh),
            Part::Generation => (offsets.generation_wh, &mut grew.generation_wh, &mut added.generation_wh),
        };
        let raw = part.of(&reading.registers);
        let difference = i128::from(raw) + i128::from(offset) - i128::from(part.of(&from.base.registers));
        if let Ok(risen) = u64::try_from(difference) {
            *grew = risen;
            continue;
        }
        let falls = Refusal::FallingRegister(part.name());
        let passed = modulus.filter(|modulus| raw < *modulus).ok_or(falls)?;
        // As far as it can have gone round once, and no further back than that.
        *grew = u64::try_from(difference + i128::from(passed)).map_err(|_| falls)?;
        *added = passed;
        // Without a rating nothing would tell a roll-over from a fall.
        if !part.is_judged(terms.rating) || *grew > from.most_wh(part, terms.rating) {
            return Err(falls);
        }
    }
    let ahead = grown(terms, from, &grew)?;
    let base = from.base;
    Ok(((added != Registers::default()).then_some(Began::RolledOver { added, base }), ahead))
}

/// Refuses more energy than the connection can carry, and registers beyond what is
/// accounted in. How far ahead the registers are then.
fn grown(terms: &Terms<'_>, from: &Origin, grew: &Registers) -> Result<Ahead, Refusal> {
    for part in Part::ALL {
        let grew_wh = part.of(grew);
        if part.of(&from.base.registers).saturating_add(grew_wh) > JSON_INTEGER_MAX {
            return Err(Refusal::OutOfRange("a household's register"));
        }
        let most_wh = from.most_wh(part, terms.rating);
        if part.is_judged(terms.rating) && grew_wh > most_wh {
            return Err(Refusal::Implausible { register: part.name(), grew_wh, most_wh });
        }
    }
    Ok(from.ahead.after(terms.rating, elapsed_us(from.base.time, from.time), grew))
}

fn elapsed_us(since: Timestamp, time: Timestamp) -> u64 {
    u64::try_from(time.since(since)).unwrap_or(0)
}

fn rises(before: &Registers, after: &Registers) -> bool {
    Part::ALL.into_iter().all(|part| part.of(after) >= part.of(before))
}

fn check_range(registers: &Registers, seq: u64) -> Result<(), Refusal> {
    let Registers { import_wh, export_wh, generation_wh } = *registers;
    for (what, value) in [
        ("seq", seq),
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
