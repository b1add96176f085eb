//! The quantile of a set of numbers, and the loss that it alone makes least.

/// The `share` quantile of finite `values`, which are put in another order; a line
/// between two neighbours, each value standing at the middle of its weight. Zero
/// without values.
pub fn quantile(values: &mut [f32], share: f64) -> f32 {
    let Some(last) = values.len().checked_sub(1) else { return 0.0 };
    #[expect(clippy::cast_precision_loss, reason = "at most ROWS_MAX values")]
    let place = (share * values.len() as f64 - 0.5).clamp(0.0, last as f64);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the slice")]
    let lower = place.floor() as usize;
    let (_, &mut at, above) = values.select_nth_unstable_by(lower, f32::total_cmp);
    let next = above.iter().copied().min_by(f32::total_cmp).unwrap_or(at);
    #[expect(clippy::cast_possible_truncation, reason = "between 0 and 1")]
    let part = (place - place.floor()) as f32;
    // Two steps: the difference of two extreme values is no number.
    at * (1.0 - part) + next * part
}

/// Pinball loss of saying `said` at `share` when `truth` came: least on average
/// for the true quantile (Koenker and Bassett, 1978).
pub fn pinball(share: f64, said: f64, truth: f64) -> f64 {
    let over = truth - said;
    if over >= 0.0 { share * over } else { (share - 1.0) * over }
}
