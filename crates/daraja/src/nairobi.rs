//! Daraja's local times. Kenya is at UTC+3 all year.

use jirani_units::Timestamp;

/// Nairobi is ahead of UTC by this, in seconds.
pub(crate) const OFFSET_S: i64 = 3 * 3_600;

/// `YYYY-MM-DD HH:MM:SS` in Nairobi.
pub fn sentence(at: Timestamp) -> String {
    let local = Timestamp::from_seconds(at.seconds()).plus_seconds(OFFSET_S).to_string();
    local.trim_end_matches('Z').replacen('T', " ", 1)
}

/// `YYYYMMDDHHmmss` in Nairobi.
pub fn stamp(at: Timestamp) -> String {
    let local = Timestamp::from_seconds(at.seconds()).plus_seconds(OFFSET_S).to_string();
    local.chars().filter(char::is_ascii_digit).collect()
}

/// Reads a Nairobi time in any of the shapes on record: 14 digits,
/// `DD.MM.YYYY HH:MM:SS`, or `YYYY-MM-DD HH:MM:SS` (also with a `T`).
/// `None` for anything else.
pub fn parse(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if text.len() > 24 || !text.is_ascii() {
        return None;
    }
    let digits = |text: &str| -> Option<()> { text.bytes().all(|b| b.is_ascii_digit()).then_some(()) };
    let rfc3339 = if text.len() == 14 {
        digits(text)?;
        let (date, time) = text.split_at(8);
        format!(
            "{}-{}-{}T{}:{}:{}Z",
            &date[..4],
            &date[4..6],
            &date[6..],
            &time[..2],
            &time[2..4],
            &time[4..]
        )
    } else {
        let (date, time) = text.split_once([' ', 'T'])?;
        let time = time.trim_start();
        match date.split('.').collect::<Vec<_>>()[..] {
            [day, month, year] => format!("{year}-{month}-{day}T{time}Z"),
            _ => format!("{date}T{time}Z"),
        }
    };
    let local: Timestamp = rfc3339.parse().ok()?;
    Some(local.plus_seconds(-OFFSET_S))
}

#[cfg(test)]
mod tests {
    use super::{parse, sentence, stamp};
    use jirani_units::Timestamp;

    #[test]
    fn nairobi_is_three_hours_ahead() {
        let at: Timestamp = "2026-10-03T21:15:22.5Z".parse().unwrap();
        assert_eq!(stamp(at), "20261004001522");
        assert_eq!(sentence(at), "2026-10-04 00:15:22");
    }

    #[test]
    fn every_shape_on_record_means_the_same_moment() {
        let at: Timestamp = "2026-10-03T10:15:22Z".parse().unwrap();
        for text in ["20261003131522", "03.10.2026 13:15:22", "2026-10-03 13:15:22", "2026-10-03T13:15:22"] {
            assert_eq!(parse(text), Some(at), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in ["", "20261303131522", "2026100313152", "soon", "2026-10-03", "99.99.9999 99:99:99"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
