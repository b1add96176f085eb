use jirani_units::Timestamp;

/// Which door a callback came through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CallbackKind {
    /// Result of an STK Push.
    StkResult,
    /// C2B confirmation.
    C2bConfirmation,
    /// Result of a B2C payment.
    B2cResult,
    /// B2C queue timeout: not a failure.
    B2cTimeout,
    /// Answer to a question of ours: status, balance, reversal, a move of float.
    Answer,
    /// Queue timeout of such a question: it says nothing.
    AnswerTimeout,
}

/// A raw callback, stored before it is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCallback {
    /// Door.
    pub kind: CallbackKind,
    /// Secret segment of the path.
    pub secret: String,
    /// Raw body, bounded by the door.
    pub body: Vec<u8>,
    /// Where it came from.
    pub source: String,
    /// When.
    pub received_at: Timestamp,
}

/// A stored callback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InboxRow {
    /// 1, 2, 3, ...
    pub id: u64,
    /// The callback.
    pub callback: NewCallback,
    /// What became of it; None until dealt with.
    pub outcome: Option<String>,
}
