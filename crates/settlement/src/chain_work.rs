//! Work for the chain, above all what it must do sooner or later: giving tokens back.
//!
//! A key has one outcome for ever, so work that was refused for the state of
//! that moment (the node's clock is a little behind ours, say) is asked for
//! again under the key's next name: `release/17`, `release/17/2`, ...

use crate::service::Settlement;
use crate::step::Trouble;
use jirani_chain::{ChainError, Outcome, Retry, Work};
use jirani_store::OutboxState;
use jirani_units::{Clock as _, Timestamp};

/// The order or offer is not on chain any more: somebody gave it back before us.
const GONE: &str = "energy.wrong_owner";
/// Where asking again ends: after about a day a person must look.
const ATTEMPTS_MAX: u32 = 24;
/// The first wait, in seconds; it doubles up to an hour.
const WAIT_FIRST_S: i64 = 15;
const WAIT_MAX_S: i64 = 3_600;

/// What became of such work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fresh {
    /// Done, with the signature if it was us who did it.
    Done { signature: Option<String> },
    /// Refused for now.
    Later(Timestamp),
}

impl Settlement {
    /// Asks the chain for `work`, once for ever under `key`. Work that cannot even
    /// be made into a transaction is refused as if the chain had said so.
    pub(crate) async fn submit(&self, key: &str, work: Work) -> Result<Outcome, ChainError> {
        let settles = matches!(work, Work::Settle { .. });
        match self.chain.submit(key, work).await {
            Err(ChainError::InvalidWork(message)) => {
                let code = "chain.invalid_work".to_owned();
                Ok(Outcome::Refused { code, message, retry: Retry::Never })
            }
            // Money proven stays the order's while the chain only puts its settlement off.
            Ok(Outcome::Refused { message, retry: Retry::From(_), .. }) if settles => {
                Err(ChainError::NotReady(message))
            }
            answered => answered,
        }
    }

    /// Asks the chain for `work` under the first name of `key` that was not refused.
    pub(crate) async fn submit_until_done(&self, key: &str, work: Work) -> Result<Fresh, Trouble> {
        for attempt in 1..=ATTEMPTS_MAX {
            let name = if attempt == 1 { key.to_owned() } else { format!("{key}/{attempt}") };
            if let Some(record) = self.store.outbox(&name).await?
                && let OutboxState::Refused { code } = record.state
            {
                if code == GONE {
                    return Ok(Fresh::Done { signature: None });
                }
                continue;
            }
            return Ok(match self.submit(&name, work).await? {
                Outcome::Landed { signature, .. } => Fresh::Done { signature: Some(signature) },
                Outcome::Refused { code, .. } if code == GONE => Fresh::Done { signature: None },
                Outcome::Refused { code, message, .. } => {
                    let wait_s = wait_s(attempt);
                    tracing::warn!(work = %name, code, message, wait_s, "the chain does not take it back yet");
                    Fresh::Later(self.clock.now().plus_seconds(wait_s))
                }
            });
        }
        Err(Trouble::Stuck(format!("the chain refused {key} {ATTEMPTS_MAX} times")))
    }
}

fn wait_s(attempt: u32) -> i64 {
    WAIT_FIRST_S.saturating_mul(1 << attempt.saturating_sub(1).min(16)).min(WAIT_MAX_S)
}

#[cfg(test)]
mod tests {
    use super::wait_s;

    #[test]
    fn waits_double_up_to_an_hour() {
        let waits: Vec<i64> = (1..=10).map(wait_s).collect();
        assert_eq!(waits, [15, 30, 60, 120, 240, 480, 960, 1_920, 3_600, 3_600]);
        assert_eq!(wait_s(u32::MAX), 3_600);
    }
}
