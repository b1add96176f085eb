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
    /// Block height after which its blockhash is dead.
    pub last_valid_block_height: u64,
    /// Where it stands.
    pub state: OutboxState,
    /// Compute units used, once landed.
    pub compute_units: u64,
    /// Fee in lamports, once landed.
    pub fee_lamports: u64,
    /// When it was signed.
    pub created_at: Timestamp,
}
