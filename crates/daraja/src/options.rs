//! What a deployment may set beyond the necessary.

use crate::config::{DarajaConfig, DarajaConfigError, check_shortcode};
use crate::credential::SecurityCredential;
use crate::pace::Pace;

/// An API user of one shortcode.
#[derive(Clone, Debug)]
pub struct Initiator {
    /// Its name.
    pub name: String,
    /// How it proves itself.
    pub credential: SecurityCredential,
}

/// How the collecting shortcode is paid. Confusing the two is the commonest
/// mistake in new set-ups: every prompt is then refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum CollectsBy {
    /// As a PayBill: its number, and an account reference.
    #[default]
    PayBill,
    /// As a till ("Buy Goods"): the shortcode is the store's or head office's
    /// number, which prompts are asked for with, and the money goes to the till.
    Till {
        /// The till's number: 5 to 7 digits.
        till: String,
    },
}

/// What a deployment may set beyond the necessary.
#[derive(Clone, Debug, Default)]
pub struct DarajaOptions {
    /// API user of the collecting shortcode, for its status, balance, reversals
    /// and float; `None` where the payout shortcode's user serves both.
    pub collection_initiator: Option<Initiator>,
    /// How the collecting shortcode is paid.
    pub collects_by: CollectsBy,
    /// How fast M-Pesa is asked.
    pub pace: Pace,
}

impl DarajaOptions {
    pub(crate) fn check(&self, config: &DarajaConfig) -> Result<(), DarajaConfigError> {
        if let CollectsBy::Till { till } = &self.collects_by {
            check_shortcode(till)?;
            if *till == config.shortcode {
                return Err(DarajaConfigError::TillIsShortcode(till.clone()));
            }
        }
        match &self.collection_initiator {
            Some(initiator) if initiator.name.is_empty() => {
                Err(DarajaConfigError::Missing("the collecting shortcode's initiator"))
            }
            _ => Ok(()),
        }
    }
}
