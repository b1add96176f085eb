//! A household nobody knows yet: a typical day's use.
//!
//! Shaped after published load curves of East African mini-grids: a small
//! morning rise, a flat day, and an evening peak between 19 and 22 o'clock.

use jirani_units::Timestamp;

/// Wh per hour of the local day for a household that uses 2 kWh a day.
const DAY_WH: [u16; 24] =
    [40, 35, 35, 35, 40, 60, 90, 80, 60, 55, 55, 60, 70, 65, 60, 60, 70, 110, 190, 240, 220, 160, 90, 60];

/// Offset of East Africa Time, used where no place is known.
pub const EAST_AFRICA_S: i64 = 3 * 3_600;

/// Wh that a typical household uses in the slot from `start`.
pub fn consumption_wh(start: Timestamp, length_s: u32, clock_offset_s: i64) -> f64 {
    let middle = start.seconds() + clock_offset_s + i64::from(length_s / 2);
    let hour = usize::try_from(middle.rem_euclid(86_400) / 3_600).unwrap_or(0);
    f64::from(DAY_WH[hour.min(23)]) * f64::from(length_s) / 3_600.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typical_day_is_two_kilowatt_hours_with_its_peak_in_the_evening() {
        let midnight = Timestamp::from_seconds(-EAST_AFRICA_S);
        let slots: Vec<f64> =
            (0..96).map(|i| consumption_wh(midnight.plus_seconds(i * 900), 900, EAST_AFRICA_S)).collect();
        let day: f64 = slots.iter().sum();
        assert!((1_990.0..2_100.0).contains(&day), "{day}");
        let peak = slots.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).unwrap().0;
        assert_eq!(peak / 4, 19);
    }
}
