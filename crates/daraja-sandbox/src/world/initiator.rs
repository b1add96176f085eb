//! The initiator: the API user whose password stands behind payouts, status,
//! balance, reversal and B2B. Wrong passwords in a row lock it.

use super::World;
use super::changes::Kind;
use serde::{Deserialize, Serialize};

/// The initiator's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Initiator {
    /// Whether the right password is taken (it expires after 90 days).
    pub works: bool,
    /// Whether it is locked.
    pub locked: bool,
    /// Wrong passwords in a row.
    pub wrong: u32,
}

impl Default for Initiator {
    fn default() -> Self {
        Self { works: true, locked: false, wrong: 0 }
    }
}

/// What may be changed.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InitiatorChange {
    /// Whether the right password is taken.
    pub works: Option<bool>,
    /// Whether it is locked.
    pub locked: Option<bool>,
}

impl World {
    /// The initiator as it is.
    pub fn initiator(&self) -> Initiator {
        self.initiator
    }

    /// Changes the initiator.
    pub fn change_initiator(&mut self, change: InitiatorChange) -> Initiator {
        let was = self.initiator;
        let locked = change.locked.unwrap_or(was.locked);
        let wrong = if locked { was.wrong } else { 0 };
        self.initiator = Initiator { works: change.works.unwrap_or(was.works), locked, wrong };
        self.save_initiator();
        self.initiator
    }

    /// What is against a request of this initiator; counts wrong passwords.
    pub(super) fn judge_initiator(&mut self, right: bool) -> Option<&'static str> {
        let was = self.initiator;
        if was.locked {
            return Some("8006");
        }
        let refusal = if right && was.works {
            self.initiator.wrong = 0;
            None
        } else {
            self.initiator.wrong += 1;
            self.initiator.locked = self.initiator.wrong >= self.config.initiator_tries.max(1);
            Some("2001")
        };
        if self.initiator != was {
            self.save_initiator();
        }
        refusal
    }

    fn save_initiator(&mut self) {
        let initiator = self.initiator;
        self.changes.put(Kind::Initiator, "0", &initiator);
    }
}
