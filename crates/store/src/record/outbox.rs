use jirani_units::Timestamp;

/// Where a transaction stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutboxState {
    /// Stored before sending; its outcome is not known.
    Sent,
    /// Finalised.
    Landed {
        /// Chain slot.
        slot: u64,
    },
    /// Refused by the chain.
    Refused {
        /// The program's stable code, or the chain's own.
        code: String,
    },
}

/// Signed bytes of one piece of work for the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxRecord {
    /// The work's own key (`attest/<slot>/<batch>`, `settle/17`): one outcome each.
    pub key: String,
    /// Base58 signature.
    pub signature: String,
    /// Signed transaction.
    pub bytes: Vec<u8>,
    /// The work itself, in its sender's encoding, so that one commit keeps both what
    /// is to be done and what was signed for it. Empty in rows of older versions.
    pub work: Vec<u8>,
    /// How often the work was signed, this time included.
    pub signed: u32,
    /// Block height after which its blockhash is dead.
    pub last_valid_block_height: u64,
    /// Where it stands.
    pub state: OutboxState,
    /// Compute units used, once landed.
    pub compute_units: u64,
    /// Fee in lamports, once landed.
    pub fee_lamports: u64,
    /// What the program reported of an attestation, once landed: its event's bytes.
    pub report: Vec<u8>,
    /// The chain's time of its block, once landed.
    pub landed_at: Option<Timestamp>,
    /// From when on refused work may be asked for again; `None` when never.
    pub retry_at: Option<Timestamp>,
    /// When it was signed.
    pub created_at: Timestamp,
}
