//! The few places where watt-hours become fractions and fractions become whole
//! watt-hours again.

/// As a fraction; exact up to 2^53, far beyond any household's slot.
#[expect(clippy::cast_precision_loss, reason = "slot energies and spans are far below 2^53")]
pub fn fraction(value: u64) -> f64 {
    value as f64
}

/// A span or moment in microseconds, in seconds.
#[expect(clippy::cast_precision_loss, reason = "microseconds since 1970 stay below 2^53 until 2255")]
pub fn seconds(micros: i64) -> f64 {
    micros as f64 / 1e6
}

/// Nearest whole number, zero for anything below it and for NaN.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped first; NaN becomes 0")]
pub fn whole(value: f64) -> u64 {
    value.round().clamp(0.0, 1e15) as u64
}
