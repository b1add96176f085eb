//! When something was measured: the device's word where it can be believed, the moment of
//! receipt otherwise.
//!
//! Registers are attested by time, so a wrong clock would move energy into another slot. A
//! device's time is believed when it is no further than [`AHEAD_MAX_S`] ahead of receipt and
//! no older than its definition allows; Tasmota gives local time without a zone, and a zone
//! that was never set is two hours off in Kenya. East Africa Time knows no summer time.

use jirani_units::Timestamp;

/// How far a device's clock may be ahead, in seconds.
pub(crate) const AHEAD_MAX_S: i64 = 120;

/// How a time is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeForm {
    /// `2026-06-01T12:00:00Z`, `2026-06-01T12:00:00+03:00`.
    Rfc3339,
    /// `2026-06-01T12:00:00`, so many minutes ahead of UTC.
    Local {
        /// Minutes ahead of UTC; 180 in East Africa.
        offset_minutes: i32,
    },
    /// Seconds since 1970, with or without a fraction.
    Seconds,
    /// Milliseconds since 1970.
    Milliseconds,
}

/// Where a payload says its time, and how far it is believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeRule {
    /// JSON pointer.
    pub at: String,
    /// How it is written.
    pub form: TimeForm,
    /// How long ago it may be and still be believed, in seconds.
    pub late_s: u32,
}

/// A moment and what it is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// When the message was received.
    Received(Timestamp),
    /// As the device says.
    Device(Timestamp),
    /// As a signed record says, whose meter's clock was synchronised.
    Signed(Timestamp),
}

impl Moment {
    /// The time itself.
    pub const fn time(self) -> Timestamp {
        match self {
            Self::Received(time) | Self::Device(time) | Self::Signed(time) => time,
        }
    }
}

impl TimeRule {
    /// The moment of a message received at `received` whose time reads `text`.
    pub(crate) fn moment(&self, text: &str, received: Timestamp) -> Moment {
        match self.form.read(text) {
            Some(time) if self.believes(time, received) => Moment::Device(time),
            _ => Moment::Received(received),
        }
    }

    fn believes(&self, time: Timestamp, received: Timestamp) -> bool {
        (-AHEAD_MAX_S * 1_000_000..=i64::from(self.late_s) * 1_000_000).contains(&received.since(time))
    }
}

impl TimeForm {
    /// The time that `text` says, from 2000 to 2100.
    pub(crate) fn read(self, text: &str) -> Option<Timestamp> {
        let text = text.trim();
        let time = match self {
            Self::Rfc3339 => {
                let (wall, zone) = split_zone(text)?;
                wall_clock(wall)?.plus_seconds(-60 * i64::from(zone))
            }
            Self::Local { offset_minutes } => wall_clock(text)?.plus_seconds(-60 * i64::from(offset_minutes)),
            Self::Seconds => Timestamp(unsigned(text, 1_000_000)?),
            Self::Milliseconds => Timestamp(unsigned(text, 1_000)?),
        };
        (946_684_800..4_102_444_800).contains(&time.seconds()).then_some(time)
    }
}

fn unsigned(text: &str, factor: u128) -> Option<i64> {
    let scaled = crate::decimal::scaled(text, factor).ok()?;
    if scaled.negative { None } else { i64::try_from(scaled.size).ok() }
}

/// A wall clock's reading, taken as if it were UTC; a fraction may follow a point or a comma.
pub(crate) fn wall_clock(text: &str) -> Option<Timestamp> {
    let (seconds, fraction) = match text.split_once(['.', ',']) {
        Some((seconds, fraction)) => (seconds, fraction),
        None => (text, "0"),
    };
    if fraction.is_empty() || fraction.len() > 12 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    format!("{seconds}.{}Z", &fraction[..fraction.len().min(6)]).parse().ok()
}

/// The wall clock's part, and minutes ahead of UTC: `Z`, `+0300`, `+03:00`.
pub(crate) fn split_zone(text: &str) -> Option<(&str, i32)> {
    if let Some(wall) = text.strip_suffix(['Z', 'z']) {
        return Some((wall, 0));
    }
    let place = text.rfind(['+', '-']).filter(|place| *place > 10)?;
    let (wall, zone) = text.split_at(place);
    let digits = zone[1..].replace(':', "");
    if digits.len() != 4 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let (hours, minutes): (i32, i32) = (digits[..2].parse().ok()?, digits[2..].parse().ok()?);
    if hours > 14 || minutes > 59 {
        return None;
    }
    let ahead = hours * 60 + minutes;
    Some((wall, if zone.starts_with('-') { -ahead } else { ahead }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: &str = "2026-06-01T09:00:00Z";

    #[test]
    fn one_moment_is_read_from_each_form() {
        let noon: Timestamp = NOON.parse().unwrap();
        for (form, text) in [
            (TimeForm::Rfc3339, "2026-06-01T09:00:00Z"),
            (TimeForm::Rfc3339, "2026-06-01T12:00:00+03:00"),
            (TimeForm::Rfc3339, "2026-06-01T04:30:00.000-0430"),
            (TimeForm::Local { offset_minutes: 180 }, "2026-06-01T12:00:00"),
            (TimeForm::Local { offset_minutes: 0 }, "2026-06-01T09:00:00,000"),
            (TimeForm::Seconds, "1780304400"),
            (TimeForm::Seconds, "1780304400.00"),
            (TimeForm::Milliseconds, "1780304400000"),
        ] {
            assert_eq!(form.read(text), Some(noon), "{text}");
        }
        for text in [
            "",
            "noon",
            "2026-13-01T00:00:00",
            "1970-01-01T00:00:00",
            "2026-06-01",
            "-5",
            "NaN",
            "2026-06-01T12:00:00+99:00",
        ] {
            for form in [TimeForm::Rfc3339, TimeForm::Local { offset_minutes: 180 }, TimeForm::Seconds] {
                assert_eq!(form.read(text), None, "{text}");
            }
        }
    }

    #[test]
    fn a_zone_that_was_never_set_does_not_move_energy_into_another_slot() {
        let received: Timestamp = NOON.parse().unwrap();
        let rule = |offset_minutes| TimeRule {
            at: "/Time".to_owned(),
            form: TimeForm::Local { offset_minutes },
            late_s: 120,
        };
        let says = "2026-06-01T11:59:30";
        assert_eq!(rule(180).moment(says, received), Moment::Device(received.plus_seconds(-30)));
        for wrong in [0, 60, 240] {
            assert_eq!(rule(wrong).moment(says, received), Moment::Received(received), "{wrong}");
        }
    }
}
