//! A seeded sky: each day has its character, each hour its clouds, each roof a
//! little of its own.

use crate::seed::noise;

const DAY: u64 = 1;
const HOUR: u64 = 2;
const ROOF: u64 = 3;

/// Share of a clear sky's yield, in thousandths: 0 to 1,000.
pub fn clearness_permille(seed: u64, home: u32, at_s: i64) -> u64 {
    let day = at_s.div_euclid(86_400).unsigned_abs();
    let character = noise(seed, DAY, day, 0) % 100;
    // (lowest, span) of the day's hours: overcast, broken, fair.
    let (low, span) = match character {
        0..=19 => (250, 250),
        20..=59 => (450, 500),
        _ => (850, 150),
    };
    let hour = at_s.div_euclid(3_600);
    let knot = |hour: i64| low + noise(seed, HOUR, hour.unsigned_abs(), day) % (span + 1);
    let part = at_s.rem_euclid(3_600).unsigned_abs();
    let sky = (knot(hour) * (3_600 - part) + knot(hour + 1) * part) / 3_600;
    let roof = 950 + noise(seed, ROOF, u64::from(home), at_s.div_euclid(900).unsigned_abs()) % 101;
    (sky * roof / 1_000).min(1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skies_differ_from_day_to_day_and_repeat_for_a_seed() {
        let noons: Vec<u64> = (0..60).map(|day| clearness_permille(7, 0, day * 86_400 + 36_000)).collect();
        assert!(
            noons.iter().any(|share| *share < 500) && noons.iter().any(|share| *share > 850),
            "{noons:?}"
        );
        assert_eq!(clearness_permille(7, 3, 123_456), clearness_permille(7, 3, 123_456));
        assert!((0..10_000).all(|i| clearness_permille(i, 5, 917 * i64::try_from(i).unwrap()) <= 1_000));
    }
}
