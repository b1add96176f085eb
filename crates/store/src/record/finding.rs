use jirani_plausibility::Severity;
use jirani_units::{HouseholdId, MeterId, Timestamp};

/// Where a finding stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FindingState {
    /// Nobody has decided.
    Open,
    /// An operator found it harmless: attestation goes on.
    Accepted,
    /// An operator found it true: the household stays held until the finding is closed.
    Refused,
    /// Mended, as by an adjustment: an operator says so.
    Closed,
}

/// What a plausibility rule found of a meter or a feeder. What was found never changes;
/// one finding per subject and rule is open at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FindingRecord {
    /// Its number, of the sequence `finding`; unique.
    pub number: u64,
    /// Whose meter; `None` when the feeder itself is meant.
    pub household: Option<HouseholdId>,
    /// The meter; `None` when the feeder itself is meant.
    pub meter: Option<MeterId>,
    /// Epoch of the meter's registers; 0 when the feeder itself is meant.
    pub meter_epoch: u32,
    /// Feeder it hangs on.
    pub feeder: u16,
    /// Beginning of the stretch that was judged.
    pub from: Timestamp,
    /// Its end.
    pub until: Timestamp,
    /// Stable reason code: `plausibility.night`.
    pub code: String,
    /// How grave.
    pub severity: Severity,
    /// The numbers it rests on, as a JSON object of integers; at most 4 KiB.
    pub evidence: String,
    /// Where it stands.
    pub state: FindingState,
    /// When it was found.
    pub found_at: Timestamp,
    /// Who decided last: an operator's name.
    pub decided_by: Option<String>,
    /// When.
    pub decided_at: Option<Timestamp>,
    /// Why, in the words of who decided. No phone numbers.
    pub note: Option<String>,
    /// Version read; 0 = new.
    pub version: u64,
}

/// What an operator says to a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FindingDecision {
    /// It is harmless: attestation goes on.
    Accept,
    /// It is true: the household stays held.
    Refuse,
    /// What was refused is mended: attestation goes on.
    Close,
}

/// Why a finding cannot be decided so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FindingDecided {
    /// Somebody decided before.
    #[error("finding.decided: somebody has decided about this finding; look at it again")]
    Decided,
    /// Only what was refused can be mended.
    #[error("finding.not_refused: only a finding that was refused is closed; accept or refuse it")]
    NotRefused,
    /// The note is too long, or missing where it matters.
    #[error("finding.note: say why in 1 to 500 characters")]
    Note,
}

impl FindingDecided {
    /// The stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Decided => "finding.decided",
            Self::NotRefused => "finding.not_refused",
            Self::Note => "finding.note",
        }
    }
}

/// Longest note, in characters.
const NOTE_MAX: usize = 500;

impl FindingRecord {
    /// As it stands once `operator` has decided at `at`.
    pub fn decided(
        self,
        decision: FindingDecision,
        operator: &str,
        note: &str,
        at: Timestamp,
    ) -> Result<Self, FindingDecided> {
        let state = match (self.state, decision) {
            (FindingState::Open, FindingDecision::Accept) => FindingState::Accepted,
            (FindingState::Open, FindingDecision::Refuse) => FindingState::Refused,
            (FindingState::Refused, FindingDecision::Close) => FindingState::Closed,
            (FindingState::Open, FindingDecision::Close) => return Err(FindingDecided::NotRefused),
            _ => return Err(FindingDecided::Decided),
        };
        let note = note.trim();
        if note.is_empty() || note.chars().count() > NOTE_MAX {
            return Err(FindingDecided::Note);
        }
        Ok(Self {
            state,
            decided_by: Some(operator.to_owned()),
            decided_at: Some(at),
            note: Some(note.to_owned()),
            ..self
        })
    }

    /// Whether the household's attestation waits for it.
    pub fn holds(&self) -> bool {
        self.severity > Severity::Note && matches!(self.state, FindingState::Open | FindingState::Refused)
    }
}
