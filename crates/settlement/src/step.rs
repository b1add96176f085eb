//! What every machine's decisions have in common.
//!
//! A decision is pure: what was read and what happened go in, the changes of one
//! commit come out. Whoever applies it commits the changes, then announces the
//! events, and on a conflict reads and decides anew.

use crate::notice::Notice;
use crate::review::{Matter, Opened};
use jirani_store::{Change, Event};
use jirani_units::{HouseholdId, Timestamp};

/// The changes of one step, and what to announce after they are durable.
#[derive(Debug, Default)]
pub(crate) struct Step {
    pub(crate) changes: Vec<Change>,
    pub(crate) events: Vec<Event>,
    /// What a person must look at from now on.
    pub(crate) opened: Vec<Opened>,
    /// What no person need look at any more, and why.
    pub(crate) closed: Vec<(Matter, String)>,
    /// What became of it, in words for the operator.
    pub(crate) outcome: String,
}

impl Step {
    /// Nothing changes; `outcome` says why.
    pub(crate) fn nothing(outcome: impl Into<String>) -> Self {
        Self { outcome: outcome.into(), ..Self::default() }
    }

    pub(crate) fn said(mut self, outcome: impl Into<String>) -> Self {
        self.outcome = outcome.into();
        self
    }

    pub(crate) fn change(&mut self, change: Change) -> &mut Self {
        self.changes.push(change);
        self
    }

    /// Tells a household something, in the same commit.
    pub(crate) fn tell(&mut self, household: HouseholdId, notice: &Notice, at: Timestamp) -> &mut Self {
        self.change(notice.to(household, at))
    }

    pub(crate) fn review(&mut self, matter: Matter, detail: impl Into<String>) -> &mut Self {
        self.opened.push(Opened { matter, detail: detail.into() });
        self
    }

    pub(crate) fn resolve(&mut self, matter: Matter, outcome: &str) -> &mut Self {
        self.closed.push((matter, outcome.to_owned()));
        self
    }

    /// Whether it changes anything.
    pub(crate) fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.opened.is_empty() && self.closed.is_empty()
    }

    pub(crate) fn announce(&mut self, event: Event) -> &mut Self {
        if !self.events.contains(&event) {
            self.events.push(event);
        }
        self
    }
}

/// The stored records contradict each other: a person must look.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("settlement.broken_record: {0}")]
pub(crate) struct Broken(pub(crate) String);

/// Why a run of a lane ended early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    /// No answer from outside: look again soon.
    #[error("{0}")]
    NoAnswer(String),
    /// Others changed the same records again and again.
    #[error("settlement.contended: {0}")]
    Contended(String),
    /// No use to look again before a person has mended it.
    #[error("{0}")]
    Stuck(String),
}

impl From<Broken> for Trouble {
    fn from(broken: Broken) -> Self {
        Self::Stuck(broken.to_string())
    }
}

impl From<jirani_store::StoreError> for Trouble {
    fn from(error: jirani_store::StoreError) -> Self {
        use jirani_store::StoreError as E;
        match error {
            E::Unavailable { .. } => Self::NoAnswer(error.to_string()),
            E::Conflict { what } => Self::Contended(what),
            _ => Self::Stuck(error.to_string()),
        }
    }
}

impl From<jirani_chain::ChainError> for Trouble {
    fn from(error: jirani_chain::ChainError) -> Self {
        use jirani_chain::ChainError as E;
        match error {
            E::Store(error) => error.into(),
            E::InvalidWork(_) => Self::Stuck(error.to_string()),
            // The outcome is unknown until somebody mends the node or our keys.
            E::Unreachable(_) | E::Damaged(_) | E::NotReady(_) | E::Unsigned { .. } => {
                Self::NoAnswer(error.to_string())
            }
        }
    }
}
