//! What the witness reads from its own node: which meter a household has, and what was
//! attested of it. The server that proposes cannot alter that.

use crate::error::ChainError;
use crate::node::Node;
use jirani_energy_interface::EnergyProgram;
use jirani_energy_interface::state::{Config, Household, HouseholdKind, Record};
use jirani_units::{HouseholdId, Timestamp, Wh};
use solana_address::Address;
use solana_commitment_config::CommitmentConfig;

/// A household's meter as the chain knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegisteredMeter {
    /// Whose.
    pub household: HouseholdId,
    /// Whether it is the loss record, which has no meter.
    pub is_loss: bool,
    /// Ed25519 key.
    pub key: [u8; 32],
    /// Epoch of its registers.
    pub epoch: u32,
    /// Plausible export, W.
    pub export_rating_w: u32,
    /// Plausible import, W.
    pub import_rating_w: u32,
    /// Export register as attested.
    pub export_wh: Wh,
    /// Import register as attested.
    pub import_wh: Wh,
    /// Through when.
    pub attested_through: Timestamp,
    /// When it was enrolled.
    pub enrolled_at: Timestamp,
}

impl RegisteredMeter {
    fn of(household: &Household) -> Self {
        Self {
            household: HouseholdId(household.id),
            is_loss: household.kind == HouseholdKind::Loss as u8,
            key: household.meter_key,
            epoch: household.meter_epoch,
            export_rating_w: household.export_rating_w,
            import_rating_w: household.import_rating_w,
            export_wh: Wh(household.meter_export_wh),
            import_wh: Wh(household.meter_import_wh),
            attested_through: Timestamp::from_seconds(household.last_slot_end),
            enrolled_at: Timestamp::from_seconds(household.enrolled_at),
        }
    }
}

/// The chain's registry of households, read at a node.
pub struct Registry {
    node: Node,
    program: EnergyProgram,
    genesis_hash: Option<String>,
}

impl Registry {
    /// Reads at `rpc_url`; connects with the first question.
    pub fn new(rpc_url: impl Into<crate::node_url::NodeUrl>, program: Address) -> Result<Self, ChainError> {
        Ok(Self { node: Node::new(rpc_url)?, program: EnergyProgram::new(program), genesis_hash: None })
    }

    /// Believes only a node whose first block has this hash.
    #[must_use]
    pub fn of_cluster(mut self, genesis_hash: Option<String>) -> Self {
        self.genesis_hash = genesis_hash;
        self
    }

    /// The program.
    pub const fn program(&self) -> &EnergyProgram {
        &self.program
    }

    /// The chain's time: what the program itself measures slots by.
    pub async fn now(&self) -> Result<Timestamp, ChainError> {
        Ok(Timestamp::from_seconds(self.node.unix_timestamp().await?))
    }

    /// Config, finalised.
    pub async fn config(&self) -> Result<Config, ChainError> {
        if let Some(expected) = &self.genesis_hash {
            let found = self.node.genesis_hash().await?;
            if found != *expected {
                return Err(ChainError::NotReady(format!(
                    "the witness's node belongs to the cluster {found}, not to {expected}"
                )));
            }
        }
        let accounts = self.node.accounts(&[self.program.config], CommitmentConfig::finalized()).await?;
        accounts
            .into_iter()
            .next()
            .flatten()
            .filter(|account| account.owner == self.program.id)
            .and_then(|account| Config::decode(&account.data))
            .ok_or_else(|| ChainError::NotReady("the chain has no Config that we know".to_owned()))
    }

    /// The households of a feeder, finalised, by number.
    pub async fn feeder(&self, feeder: u16) -> Result<Vec<RegisteredMeter>, ChainError> {
        let kind = [Household::DISCRIMINATOR];
        let accounts = self.node.program_accounts(&self.program.id, Some(&kind)).await?;
        let mut households: Vec<Household> = accounts
            .into_iter()
            .filter_map(|(_, account)| Household::decode(&account.data))
            .filter(|household| household.feeder == feeder)
            .collect();
        households.sort_unstable_by_key(|household| household.id);
        Ok(households.iter().map(RegisteredMeter::of).collect())
    }
}
