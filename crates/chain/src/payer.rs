//! The fee payer's lamports, watched: as a state to look at, and as an event when it
//! changes.

use crate::client::RpcEnergyChain;
use crate::error::ChainError;
use crate::readiness::PAYER_LAMPORTS_MIN;
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Lamports below which the payer runs low: a few thousand transactions.
pub const PAYER_LAMPORTS_LOW: u64 = 5 * PAYER_LAMPORTS_MIN;

/// How the payer stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum PayerLevel {
    /// Nobody has looked yet.
    #[default]
    Unknown,
    /// Enough.
    Enough,
    /// Below [`PAYER_LAMPORTS_LOW`]: send it some soon.
    Low,
    /// Below [`PAYER_LAMPORTS_MIN`], or refused for want of lamports: work waits.
    Empty,
}

/// The payer at the last look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PayerState {
    /// Lamports, less the fees paid since.
    pub lamports: u64,
    /// What that means.
    pub level: PayerLevel,
}

impl PayerState {
    fn of(lamports: u64) -> Self {
        let level = match lamports {
            PAYER_LAMPORTS_LOW.. => PayerLevel::Enough,
            PAYER_LAMPORTS_MIN.. => PayerLevel::Low,
            _ => PayerLevel::Empty,
        };
        Self { lamports, level }
    }
}

/// Tells who listens when the payer's level changes.
pub(crate) struct Payer(watch::Sender<PayerState>);

impl Default for Payer {
    fn default() -> Self {
        Self(watch::Sender::new(PayerState::default()))
    }
}

impl Payer {
    pub(crate) fn saw(&self, lamports: u64) -> PayerState {
        self.set(PayerState::of(lamports));
        *self.0.borrow()
    }

    /// A fee was paid. Rent is not counted: the next look corrects that.
    pub(crate) fn paid(&self, fee: u64) {
        let state = *self.0.borrow();
        if state.level != PayerLevel::Unknown {
            self.set(PayerState::of(state.lamports.saturating_sub(fee)));
        }
    }

    /// The chain refused for want of lamports.
    pub(crate) fn refused(&self) {
        let lamports = self.0.borrow().lamports;
        self.set(PayerState { lamports, level: PayerLevel::Empty });
    }

    pub(crate) fn now(&self) -> PayerState {
        *self.0.borrow()
    }

    /// Listeners hear of levels only: the sum changes with every transaction.
    pub(crate) fn set(&self, next: PayerState) {
        self.0.send_if_modified(|state| {
            let changed = state.level != next.level;
            *state = next;
            changed
        });
    }

    pub(crate) fn listen(&self) -> watch::Receiver<PayerState> {
        self.0.subscribe()
    }
}

impl RpcEnergyChain {
    /// The payer's state: now by `borrow`, and each change of its level by `changed`.
    pub fn payer(&self) -> watch::Receiver<PayerState> {
        self.payer.listen()
    }

    /// Asks the chain for the payer's lamports.
    pub async fn look_at_payer(&self) -> Result<PayerState, ChainError> {
        Ok(self.payer.saw(self.payer_lamports().await?))
    }

    /// Looks at the payer and the oracle's purse every `every` of real time until
    /// cancelled, fills the purse when it runs low, and says in the log when the payer's
    /// level changes.
    pub async fn watch_payer(&self, every: Duration, cancel: CancellationToken) {
        let mut level = PayerLevel::Unknown;
        loop {
            match self.look_at_payer().await {
                Ok(state) if state.level != level => {
                    level = state.level;
                    let payer = self.config.keys.payer_address();
                    match level {
                        PayerLevel::Low => tracing::warn!(
                            %payer, lamports = state.lamports,
                            "the fee payer runs low; send it lamports"
                        ),
                        PayerLevel::Empty => tracing::error!(
                            %payer, lamports = state.lamports,
                            "the fee payer is empty and work waits; send it lamports"
                        ),
                        PayerLevel::Enough | PayerLevel::Unknown => {}
                    }
                }
                Ok(_) => {}
                Err(error) => tracing::debug!(%error, "the payer cannot be looked at"),
            }
            if let Err(error) = self.fill_purse().await {
                tracing::debug!(%error, "the oracle's purse cannot be filled");
            }
            tokio::select! {
                biased;
                () = cancel.cancelled() => return,
                () = tokio::time::sleep(every) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listeners_hear_of_a_level_once() {
        let payer = Payer::default();
        let mut heard = payer.listen();
        payer.paid(5);
        assert!(!heard.has_changed().unwrap(), "nothing is known yet");
        payer.saw(PAYER_LAMPORTS_LOW + 10);
        assert!(heard.has_changed().unwrap());
        assert_eq!(heard.borrow_and_update().level, PayerLevel::Enough);
        payer.paid(5);
        assert!(!heard.has_changed().unwrap());
        payer.paid(6);
        assert_eq!(heard.borrow_and_update().level, PayerLevel::Low);
        payer.refused();
        assert_eq!(heard.borrow_and_update().level, PayerLevel::Empty);
        payer.saw(u64::MAX);
        assert_eq!(heard.borrow_and_update().level, PayerLevel::Enough);
    }
}
