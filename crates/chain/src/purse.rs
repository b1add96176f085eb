//! The oracle's purse. It pays the fees of its own attestations, so that each has one
//! signature less to pay for; the payer, whom alone an operator funds, fills it.

use crate::client::RpcEnergyChain;
use crate::error::ChainError;
use crate::payer::{Payer, PayerLevel, PayerState};
use crate::plan::Plan;
use crate::readiness::PAYER_LAMPORTS_MIN;
use solana_address::Address;
use solana_signer::Signer as _;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// The least lamports of an account without data, by the cluster's rent; fees that
/// would leave less are refused.
const RENT: u64 = 890_880;
/// Fee of one signature.
const SIGNATURE: u64 = 5_000;
/// Filled below this, or below fifty of the dearest attestations.
const LOW_MIN: u64 = 5_000_000;
/// What the payer keeps when it fills the purse: half of what it must have to count as
/// funded, so that a funded payer can always fill it.
const PAYER_KEEPS: u64 = PAYER_LAMPORTS_MIN / 2;
/// Between two tries of a payer that has too little to spare.
const AGAIN: Duration = Duration::from_secs(10);

/// What is known of the purse.
#[derive(Default)]
pub(crate) struct Purse {
    state: Payer,
    /// Whoever fills it; the last time there was too little to spare.
    turn: tokio::sync::Mutex<()>,
    short_at: Mutex<Option<Instant>>,
}

/// How much a purse must hold, in lamports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Bounds {
    /// Less pays no attestation.
    min: u64,
    /// Less is filled.
    low: u64,
    /// So much it holds when it was filled.
    full: u64,
}

impl Bounds {
    /// For attestations with two signatures and the dearest priority.
    fn of(priority_max: u64) -> Self {
        let dearest = priority_max.saturating_add(2 * SIGNATURE);
        let min = RENT.saturating_add(dearest);
        let low = min.saturating_add(dearest.saturating_mul(50)).max(LOW_MIN);
        Self { min, low, full: low.saturating_mul(4) }
    }

    fn state(self, lamports: u64) -> PayerState {
        let level = match lamports {
            _ if lamports >= self.low => PayerLevel::Enough,
            _ if lamports >= self.min => PayerLevel::Low,
            _ => PayerLevel::Empty,
        };
        PayerState { lamports, level }
    }

    /// What the payer gives to a purse with `has`, so that both can go on; `None` when the
    /// purse could pay nothing even then.
    fn gift(self, has: u64, payer_has: u64) -> Option<u64> {
        let gift = self.full.saturating_sub(has).min(payer_has.saturating_sub(PAYER_KEEPS));
        (has.saturating_add(gift) >= self.min).then_some(gift)
    }
}

impl Purse {
    /// A fee was paid from it.
    pub(crate) fn paid(&self, fee: u64, priority_max: u64) {
        let state = self.state.now();
        if state.level != PayerLevel::Unknown {
            self.state.set(Bounds::of(priority_max).state(state.lamports.saturating_sub(fee)));
        }
    }

    /// The chain refused for want of lamports: nothing is known of it any more.
    pub(crate) fn refused(&self) {
        self.state.set(PayerState::default());
    }

    fn short_lately(&self) -> bool {
        let short_at = self.short_at.lock().unwrap_or_else(PoisonError::into_inner);
        short_at.is_some_and(|at| at.elapsed() < AGAIN)
    }

    fn was_short(&self, short: bool) {
        *self.short_at.lock().unwrap_or_else(PoisonError::into_inner) = short.then(Instant::now);
    }
}

impl RpcEnergyChain {
    /// The oracle's lamports at the last look, less the fees since.
    pub fn oracle_purse(&self) -> watch::Receiver<PayerState> {
        self.purse.state.listen()
    }

    /// Looks at the oracle's lamports and has the payer send it some when they run low.
    pub async fn fill_purse(&self) -> Result<PayerState, ChainError> {
        let _turn = self.purse.turn.lock().await;
        self.look_and_fill().await
    }

    /// Returns when the oracle can pay the fee of an attestation.
    pub(crate) async fn purse_ready(&self) -> Result<(), ChainError> {
        if self.has_enough() {
            return Ok(());
        }
        // Held across the questions on purpose: one fills, the others wait for that.
        let _turn = self.purse.turn.lock().await;
        if self.has_enough() {
            return Ok(());
        }
        self.look_and_fill().await.map(|_| ())
    }

    fn has_enough(&self) -> bool {
        match self.purse.state.now().level {
            PayerLevel::Enough => true,
            PayerLevel::Low => self.purse.short_lately(),
            PayerLevel::Empty | PayerLevel::Unknown => false,
        }
    }

    async fn look_and_fill(&self) -> Result<PayerState, ChainError> {
        let keys = &self.config.keys;
        let (payer, oracle) = (keys.payer.pubkey(), keys.oracle.pubkey());
        let bounds = Bounds::of(self.config.priority_fee.cap_lamports);
        let has = self.node.lamports(&oracle).await?;
        let state = bounds.state(has);
        self.purse.state.set(state);
        if state.level == PayerLevel::Enough || payer == oracle {
            return Ok(state);
        }
        let payer_has = self.look_at_payer().await?.lamports;
        let Some(gift) = bounds.gift(has, payer_has) else {
            return Err(ChainError::NotReady(format!(
                "the oracle {oracle} has {has} lamports, too few for the fee of an attestation, and the payer {payer} has none to spare; send the payer some"
            )));
        };
        let state = bounds.state(has.saturating_add(gift));
        self.purse.was_short(state.level != PayerLevel::Enough);
        if gift > 0 {
            self.transfer(oracle, gift, payer_has).await?;
            self.purse.state.set(state);
        }
        Ok(state)
    }

    /// Sends lamports of the payer, who has `payer_has`: that parts this transaction from
    /// an earlier one of the same sum, since the fee of that one is gone. A crash in
    /// between is no harm: whoever looks next sees how much arrived.
    async fn transfer(&self, to: Address, lamports: u64, payer_has: u64) -> Result<(), ChainError> {
        let payer = &self.config.keys.payer;
        let plan = Plan {
            instructions: vec![solana_system_interface::instruction::transfer(
                &payer.pubkey(),
                &to,
                lamports,
            )],
            payer: payer.clone(),
            signers: Vec::new(),
            units: 1_000,
        };
        match self.send_repeatable(&format!("fees of the oracle/{payer_has}"), &plan).await? {
            None => {
                tracing::info!(oracle = %to, lamports, "the payer sent the oracle lamports for its fees");
                Ok(())
            }
            Some(refusal) => Err(ChainError::NotReady(format!(
                "the payer cannot send the oracle lamports for its fees: {}",
                refusal.message
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_funded_payer_can_always_fill_the_purse_and_keeps_its_own() {
        for cap in [0, 1, 100_000] {
            let bounds = Bounds::of(cap);
            assert!(bounds.min > RENT + cap && bounds.min < bounds.low && bounds.low < bounds.full);
            let gift = bounds.gift(0, PAYER_LAMPORTS_MIN).unwrap();
            assert!(gift >= bounds.min && PAYER_LAMPORTS_MIN - gift >= PAYER_KEEPS);
            assert_eq!(bounds.gift(bounds.min, u64::MAX), Some(bounds.full - bounds.min));
            assert_eq!(bounds.gift(bounds.full + 1, u64::MAX), Some(0));
            assert_eq!(bounds.gift(bounds.min, 0), Some(0), "what it has is enough for now");
            assert_eq!(bounds.gift(bounds.min - 1, PAYER_KEEPS), None);
        }
        assert!(Bounds::of(u64::MAX).gift(0, u64::MAX - 1).is_none(), "no overflow");
    }

    #[test]
    fn what_is_paid_is_counted_until_it_runs_low() {
        let purse = Purse::default();
        purse.paid(5_000, 0);
        assert_eq!(purse.state.now().level, PayerLevel::Unknown, "nothing is known yet");
        purse.state.set(Bounds::of(0).state(LOW_MIN + 5_000));
        purse.paid(5_000, 0);
        assert_eq!(purse.state.now(), PayerState { lamports: LOW_MIN, level: PayerLevel::Enough });
        purse.paid(1, 0);
        assert_eq!(purse.state.now().level, PayerLevel::Low);
        purse.refused();
        assert_eq!(purse.state.now().level, PayerLevel::Unknown);
    }
}
