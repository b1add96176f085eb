//! What is paid for priority: what others paid lately, within a floor and a cap.

use crate::node::Node;
use solana_address::Address;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// How long an answer is used.
const FRESH: Duration = Duration::from_mins(1);
/// Micro-lamports of a lamport: the unit of the price of a compute unit.
const MICRO: u128 = 1_000_000;

/// Bounds of the priority fee of one transaction, in lamports. A cap of 0 pays
/// nothing and asks nobody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FeeBounds {
    /// Paid at least.
    pub floor_lamports: u64,
    /// Paid at most; wins over the floor.
    pub cap_lamports: u64,
}

impl FeeBounds {
    /// Always that much.
    pub const fn fixed(lamports: u64) -> Self {
        Self { floor_lamports: lamports, cap_lamports: lamports }
    }

    /// The fee for `units` at a price per unit in micro-lamports. Each time the same
    /// work is signed anew the price doubles: the last one was too low to land.
    pub(crate) fn fee(self, price_micro: u64, units: u32, signed: u32) -> u64 {
        let doubled = u128::from(price_micro) << signed.saturating_sub(1).min(16);
        let wanted = (doubled * u128::from(units)).div_ceil(MICRO);
        u64::try_from(wanted).unwrap_or(u64::MAX).max(self.floor_lamports).min(self.cap_lamports)
    }

    fn asks(self) -> bool {
        self.cap_lamports > self.floor_lamports
    }
}

/// The last price seen.
#[derive(Default)]
pub(crate) struct Prices(Mutex<Option<(Instant, u64)>>);

impl Prices {
    /// Micro-lamports per compute unit that were enough in each of the last slots for
    /// transactions that write `accounts`. A node that does not say changes nothing:
    /// the floor is paid then.
    pub(crate) async fn get(&self, node: &Node, bounds: FeeBounds, accounts: &[Address]) -> u64 {
        if !bounds.asks() {
            return 0;
        }
        // Held across the question on purpose: one asks, the others wait for its answer.
        let mut last = self.0.lock().await;
        if let Some((at, price)) = *last
            && at.elapsed() < FRESH
        {
            return price;
        }
        let price = match node.recent_prices(accounts).await {
            Ok(prices) => prices.into_iter().max().unwrap_or(0),
            Err(error) => {
                tracing::warn!(%error, "the node does not tell its fees; the last known price is paid");
                last.map_or(0, |(_, price)| price)
            }
        };
        *last = Some((Instant::now(), price));
        price
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fee_keeps_to_its_bounds() {
        let bounds = FeeBounds { floor_lamports: 100, cap_lamports: 5_000 };
        for (price, units, signed, fee) in [
            (0, 200_000, 1, 100),
            (10_000, 200_000, 1, 2_000),
            (10_000, 200_000, 2, 4_000),
            (10_000, 200_000, 3, 5_000),
            (1, 1, 1, 100),
            (u64::MAX, u32::MAX, u32::MAX, 5_000),
        ] {
            assert_eq!(bounds.fee(price, units, signed), fee, "{price} x {units}, signed {signed}");
        }
        assert_eq!(FeeBounds::default().fee(u64::MAX, 1_400_000, 9), 0, "a chain where nobody pays");
        assert_eq!(FeeBounds::fixed(70).fee(0, 1, 1), 70);
        let contradicting = FeeBounds { floor_lamports: 9, cap_lamports: 3 };
        assert_eq!(contradicting.fee(0, 1, 1), 3, "the cap wins");
    }
}
