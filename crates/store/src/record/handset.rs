use jirani_units::{HouseholdId, Timestamp};

/// What a household's phone has to show before its menus open, and whether it wants
/// advice by text message. Neither PIN nor code is kept, only slow salted hashes.
#[derive(Clone, PartialEq, Eq)]
pub struct HandsetRecord {
    /// Whose; identity.
    pub household: HouseholdId,
    /// Hash of its PIN; `None` before the first use.
    pub pin: Option<String>,
    /// Hash of the one-time code that lets choose a PIN.
    pub code: Option<String>,
    /// Until when that code is good.
    pub code_until: Option<Timestamp>,
    /// Codes sent since `codes_since`.
    pub codes_sent: u32,
    /// First moment of the day in which codes are counted.
    pub codes_since: Timestamp,
    /// Wrong tries in a row.
    pub wrong: u32,
    /// Until when nothing is taken.
    pub locked_until: Option<Timestamp>,
    /// Whether it gets only what is about its own money and energy.
    pub muted: bool,
    /// Version read; 0 = new.
    pub version: u64,
}

impl HandsetRecord {
    /// Of a household that has never dialled.
    pub fn new(household: HouseholdId) -> Self {
        Self {
            household,
            pin: None,
            code: None,
            code_until: None,
            codes_sent: 0,
            codes_since: Timestamp(0),
            wrong: 0,
            locked_until: None,
            muted: false,
            version: 0,
        }
    }
}

impl std::fmt::Debug for HandsetRecord {
    /// A PIN has so few values that its hash is a secret too.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HandsetRecord")
            .field("household", &self.household)
            .field("wrong", &self.wrong)
            .field("locked_until", &self.locked_until)
            .field("muted", &self.muted)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

/// Where a notice's text message stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MessageState {
    /// Certainly not taken by the gateway; handed over again later.
    Waiting,
    /// Handed over, or about to be: nobody can say. Never handed over again.
    Unknown,
    /// The gateway took it.
    Sent,
    /// It reached the phone.
    Delivered,
    /// Refused for good, or not to be sent.
    Refused,
}

/// The text message of one notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageRecord {
    /// The notice's key; identity.
    pub key: String,
    /// Whom it goes to.
    pub household: HouseholdId,
    /// Where it stands.
    pub state: MessageState,
    /// How often it was handed over.
    pub attempts: u32,
    /// The gateway's id, once it was taken.
    pub gateway_id: Option<String>,
    /// Why it waits, was refused, or nobody can say.
    pub reason: Option<String>,
    /// When it last changed.
    pub at: Timestamp,
    /// Version read; 0 = new.
    pub version: u64,
}
