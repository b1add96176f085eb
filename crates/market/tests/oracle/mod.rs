//! The optimum, found slowly and without any idea of price levels, sorting or
//! clearing: what each side can give or take in all is searched Wh by Wh.

/// Best total worth of taking exactly `q` from `orders` (limit, energy), for each `q`
/// from zero to all: `most` seeks the dearest bids, otherwise the cheapest asks.
fn best(orders: &[(u32, u32)], most: bool) -> Vec<i64> {
    let mut worth = vec![0i64];
    for &(limit, energy) in orders {
        let (limit, energy) = (i64::from(limit), energy as usize);
        let mut next = vec![if most { i64::MIN } else { i64::MAX }; worth.len() + energy];
        for (taken, sum) in worth.iter().enumerate() {
            for more in 0..=energy {
                let candidate = sum + limit * i64::try_from(more).unwrap();
                let slot = &mut next[taken + more];
                *slot = if most { candidate.max(*slot) } else { candidate.min(*slot) };
            }
        }
        worth = next;
    }
    worth
}

/// The highest welfare that any trades between these orders reach (limits times Wh),
/// and the most energy that trades at that welfare.
pub fn optimum(bids: &[(u32, u32)], asks: &[(u32, u32)]) -> (i64, u64) {
    let (values, costs) = (best(bids, true), best(asks, false));
    let welfare = values.iter().zip(&costs).map(|(value, cost)| value - cost).enumerate();
    let (volume, welfare) = welfare.max_by_key(|(volume, welfare)| (*welfare, *volume)).unwrap();
    (welfare, volume as u64)
}
