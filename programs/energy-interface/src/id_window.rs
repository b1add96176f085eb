//! Numbers that may be used once: an offer or order that was closed must not come
//! to life again because a transaction was sent twice.

/// The furthest step from the newest number to the next: nobody uses all numbers up by
/// taking the last one.
pub const STEP_MAX: u64 = 1 << 32;

/// Takes `id` into the window of the newest number and a bitmap of the 64 before
/// it. Gives the new window, or `None` when the number was used, is older than the
/// window, zero, or more than [`STEP_MAX`] ahead.
pub const fn take(newest: u64, seen: u64, id: u64) -> Option<(u64, u64)> {
    if id == 0 || id == newest {
        return None;
    }
    if id > newest {
        let steps = id - newest;
        if steps > STEP_MAX {
            return None;
        }
        let shifted = if steps >= 64 { 0 } else { seen << steps };
        // The old newest becomes one of those before, unless there was none.
        let old = if newest == 0 || steps > 64 { 0 } else { 1 << (steps - 1) };
        return Some((id, shifted | old));
    }
    let back = newest - id;
    if back > 64 {
        return None;
    }
    let bit = 1 << (back - 1);
    if seen & bit == 0 { Some((newest, seen | bit)) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take_all(ids: &[u64]) -> (u64, u64) {
        ids.iter().fold((0, 0), |(newest, seen), id| take(newest, seen, *id).expect("unused"))
    }

    #[test]
    fn a_number_is_taken_once_in_any_order() {
        for ids in [[1, 2, 3], [3, 1, 2], [65, 1, 64], [2, 66, 3]] {
            let (newest, seen) = take_all(&ids);
            for id in ids {
                assert_eq!(take(newest, seen, id), None, "{id} of {ids:?}");
            }
        }
    }

    #[test]
    fn what_is_older_than_the_window_counts_as_used() {
        let (newest, seen) = take_all(&[100]);
        assert_eq!(take(newest, seen, 35), None);
        assert!(take(newest, seen, 36).is_some());
        assert_eq!(take(0, 0, 0), None);
    }

    #[test]
    fn the_last_number_cannot_be_taken_ahead_of_all_others() {
        assert_eq!(take(5, 0, u64::MAX), None);
        assert_eq!(take(5, 0, 6 + STEP_MAX), None);
        assert!(take(5, 0, 5 + STEP_MAX).is_some());
    }
}
