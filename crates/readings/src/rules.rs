//! What a verified reading must satisfy against what was said before it.
//!
//! Registers are compared as virtual ones, so one rule holds within an epoch, over a
//! roll-over, over a reset and from one meter to the next.
//!
//! Automatic: a roll-over, where a modulus is declared for the meter and what it counted
//! across it is plausible; a new epoch in which the meter's key has signed the stored last
//! values: its registers go on from them, or its first reading carries the hash of the last
//! stored one and they begin at zero. Anything else that begins anew waits for a person.

use crate::refusal::Refusal;
use crate::remark::{Remark, Remarks};
use crate::span::{Base, Span, virtual_of};
use jirani_meter::{Reading, Registers};
use jirani_units::{JSON_INTEGER_MAX, Timestamp};

/// How far a meter's clock may be off unremarked, in seconds.
const SKEW_S: i64 = 120;
/// Time added to the one that passed, for clocks that are a little off, in seconds.
const SLACK_S: u64 = 900;
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
    let Some(base) = base_of(terms, same) else { return Ok(Verdict { remarks, began: None }) };
    let began = if proven {
        let raw = same.map_or_else(Registers::default, |latest| latest.registers);
        let goes_on = rises(&raw, &reading.registers);
        let opening = if goes_on { raw } else { Registers::default() };
        grown(terms, &base, time, |what| Some(what(&reading.registers).saturating_sub(what(&opening))))?;
        remarks.add(Remark::NewEpoch);
        Some(Began::Epoch { base, opening })
    } else {
        grow(reading, terms, &base, time)?
    };
    if matches!(began, Some(Began::RolledOver { .. })) {
        remarks.add(Remark::RolledOver);
    }
    Ok(Verdict { remarks, began })
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

/// Registers within an epoch: they rise, or pass their declared end.
fn grow(
    reading: &Reading,
    terms: &Terms<'_>,
    base: &Base,
    time: Timestamp,
) -> Result<Option<Began>, Refusal> {
    let offsets = terms.span.map(|span| span.offsets).unwrap_or_default();
    let modulus = terms.modulus_wh.filter(|modulus| *modulus > 0 && *modulus <= JSON_INTEGER_MAX);
    let mut added = Registers::default();
    let signed =
        |raw: u64, offset: i64, before: u64| i128::from(raw) + i128::from(offset) - i128::from(before);
    let (raw, before) = (&reading.registers, &base.registers);
    let differences = [
        ("import", raw.import_wh, signed(raw.import_wh, offsets.import_wh, before.import_wh)),
        ("export", raw.export_wh, signed(raw.export_wh, offsets.export_wh, before.export_wh)),
        (
            "generation",
            raw.generation_wh,
            signed(raw.generation_wh, offsets.generation_wh, before.generation_wh),
        ),
    ];
    let mut grew = [0_u64; 3];
    for (place, (register, raw, difference)) in differences.into_iter().enumerate() {
        let wrapped = match modulus {
            Some(modulus) if difference < 0 && raw < modulus => {
                // As far as it can have gone round once, and no further back than that.
                u64::try_from(difference + i128::from(modulus)).ok().map(|grown| (grown, modulus))
            }
            _ => None,
        };
        grew[place] = match (u64::try_from(difference), wrapped) {
            (Ok(grown), _) => grown,
            (Err(_), Some((grown, modulus))) => {
                let part = match register {
                    "import" => &mut added.import_wh,
                    "export" => &mut added.export_wh,
                    _ => &mut added.generation_wh,
                };
                *part = modulus;
                // Without a rating nothing would tell a roll-over from a fall.
                let falls = register == "generation" && terms.rating.panels_w == 0;
                if falls || grown > most_of(terms.rating, register, time, base.time) {
                    return Err(Refusal::FallingRegister(register));
                }
                grown
            }
            (Err(_), None) => return Err(Refusal::FallingRegister(register)),
        };
    }
    let [import, export, generation] = grew;
    let grown_by = Registers { import_wh: import, export_wh: export, generation_wh: generation };
    grown(terms, base, time, |what| Some(what(&grown_by)))?;
    Ok((added != Registers::default()).then_some(Began::RolledOver { added, base: *base }))
}

/// Refuses more energy than the connection can carry, and registers beyond what is
/// accounted in.
fn grown(
    terms: &Terms<'_>,
    base: &Base,
    time: Timestamp,
    by: impl Fn(fn(&Registers) -> u64) -> Option<u64>,
) -> Result<(), Refusal> {
    type Part = (&'static str, fn(&Registers) -> u64);
    let parts: [Part; 3] = [
        ("import", |registers| registers.import_wh),
        ("export", |registers| registers.export_wh),
        ("generation", |registers| registers.generation_wh),
    ];
    for (register, part) in parts {
        let grew_wh = by(part).unwrap_or(u64::MAX);
        if part(&base.registers).saturating_add(grew_wh) > JSON_INTEGER_MAX {
            return Err(Refusal::OutOfRange("a household's register"));
        }
        if register == "generation" && terms.rating.panels_w == 0 {
            continue;
        }
        let most_wh = most_of(terms.rating, register, time, base.time);
        if grew_wh > most_wh {
            return Err(Refusal::Implausible { register, grew_wh, most_wh });
        }
    }
    Ok(())
}

fn rises(before: &Registers, after: &Registers) -> bool {
    after.import_wh >= before.import_wh
        && after.export_wh >= before.export_wh
        && after.generation_wh >= before.generation_wh
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

/// 1.25 times the rating over the time that passed and a little more.
fn most_of(rating: Rating, register: &str, time: Timestamp, since: Timestamp) -> u64 {
    let rating_w = match register {
        "import" => rating.import_w,
        "export" => rating.export_w,
        _ => rating.panels_w,
    };
    let elapsed_us = u64::try_from(time.since(since)).unwrap_or(0);
    let time_us = u128::from(elapsed_us) + u128::from(SLACK_S) * 1_000_000;
    let wh = u128::from(rating_w) * time_us * 5 / 4 / 3_600_000_000;
    u64::try_from(wh).unwrap_or(u64::MAX)
}
