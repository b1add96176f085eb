//! Moments of a transaction's life at which a test may end the process: the places
//! where a crash could lose or double work if the order of steps were wrong.

/// A named moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Moment {
    /// Work was taken on; nothing is stored.
    Taken,
    /// Signed; not stored.
    Signed,
    /// Work and bytes are durable; not sent.
    Stored,
    /// Sent; the node's answer is not read.
    Sent,
    /// The node took it; what became of it is not known.
    Accepted,
    /// Its end is known; not recorded.
    Ended,
    /// Its outcome is durable; nobody was told.
    Recorded,
    /// It is provably dead; not signed anew.
    Dead,
}

impl Moment {
    /// All, in the order in which they come.
    pub const ALL: [Self; 8] = [
        Self::Taken,
        Self::Signed,
        Self::Stored,
        Self::Sent,
        Self::Accepted,
        Self::Ended,
        Self::Recorded,
        Self::Dead,
    ];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Signed => "signed",
            Self::Stored => "stored",
            Self::Sent => "sent",
            Self::Accepted => "accepted",
            Self::Ended => "ended",
            Self::Recorded => "recorded",
            Self::Dead => "dead",
        }
    }

    /// The moment of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|moment| moment.name() == name)
    }
}

/// Is told of every moment; may never return.
pub trait Interruption: Send + Sync {
    /// A piece of work has come to `moment`.
    fn reached(&self, moment: Moment);
}

/// Lets everything pass.
pub struct NoInterruption;

impl Interruption for NoInterruption {
    fn reached(&self, _: Moment) {}
}
