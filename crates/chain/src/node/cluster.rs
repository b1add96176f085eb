//! Questions about the node and its cluster rather than about accounts.

use super::Node;
use crate::error::ChainError;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;
use solana_address::Address;
use solana_commitment_config::CommitmentConfig;
use solana_rpc_client_api::client_error::ErrorKind;
use solana_rpc_client_api::request::{RpcError, RpcRequest, RpcResponseErrorData};
use solana_rpc_client_api::response::{Response, RpcSimulateTransactionResult};
use solana_transaction_error::TransactionError;

/// Where the chain keeps its clock: `SysvarC1ock11111111111111111111111111111111`.
const CLOCK: Address = Address::from_str_const("SysvarC1ock11111111111111111111111111111111");
/// Where `unix_timestamp` stands in it, after slot, epoch's start, epoch and leader
/// schedule's epoch.
const UNIX_TIMESTAMP_AT: usize = 32;

/// What the node thinks of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// It keeps up with its cluster.
    Well,
    /// It does not; by how many slots, where it knows.
    Behind(Option<u64>),
}

/// What a transaction would do now.
#[derive(Clone, Debug)]
pub struct Rehearsal {
    /// Why it would fail, if it would.
    pub err: Option<TransactionError>,
    /// Compute units.
    pub units: u64,
    /// Fee in lamports; `None` where the node does not say.
    pub fee: Option<u64>,
    /// Log lines.
    pub logs: Vec<String>,
}

impl Node {
    /// Hash of the first block: names the cluster.
    pub async fn genesis_hash(&self) -> Result<String, ChainError> {
        self.client.get_genesis_hash().await.map(|hash| hash.to_string()).map_err(|error| self.failed(&error))
    }

    /// The node's software, `4.2.2`.
    pub async fn version(&self) -> Result<String, ChainError> {
        self.client
            .get_version()
            .await
            .map(|version| version.solana_core)
            .map_err(|error| self.failed(&error))
    }

    /// The slot of a commitment.
    pub async fn slot(&self, commitment: CommitmentConfig) -> Result<u64, ChainError> {
        self.client.get_slot_with_commitment(commitment).await.map_err(|error| self.failed(&error))
    }

    /// Whether the node keeps up.
    pub async fn health(&self) -> Result<Health, ChainError> {
        match self.client.get_health().await {
            Ok(()) => Ok(Health::Well),
            Err(error) => match error.kind() {
                ErrorKind::RpcError(RpcError::RpcResponseError {
                    data: RpcResponseErrorData::NodeUnhealthy { num_slots_behind },
                    ..
                }) => Ok(Health::Behind(*num_slots_behind)),
                _ => Err(self.failed(&error)),
            },
        }
    }

    /// The chain's own time, Unix seconds: what the program judges deadlines by.
    pub async fn unix_timestamp(&self) -> Result<i64, ChainError> {
        let accounts = self.accounts(&[CLOCK], CommitmentConfig::confirmed()).await?;
        let account = accounts.into_iter().next().flatten();
        account
            .and_then(|account| account.data.get(UNIX_TIMESTAMP_AT..UNIX_TIMESTAMP_AT + 8)?.try_into().ok())
            .map(i64::from_le_bytes)
            .ok_or_else(|| ChainError::Damaged("the chain has no clock".to_owned()))
    }

    /// Lamports that keep an account of that many bytes alive.
    pub async fn rent(&self, bytes: usize) -> Result<u64, ChainError> {
        self.client.get_minimum_balance_for_rent_exemption(bytes).await.map_err(|error| self.failed(&error))
    }

    /// What bytes would do; signatures are not looked at, the blockhash is replaced.
    pub async fn rehearse(&self, bytes: &[u8]) -> Result<Rehearsal, ChainError> {
        let params = json!([
            BASE64_STANDARD.encode(bytes),
            { "encoding": "base64", "sigVerify": false, "replaceRecentBlockhash": true, "commitment": "confirmed" }
        ]);
        let told: Response<RpcSimulateTransactionResult> = self
            .client
            .send(RpcRequest::SimulateTransaction, params)
            .await
            .map_err(|error| self.failed(&error))?;
        Ok(Rehearsal {
            err: told.value.err.map(Into::into),
            units: told.value.units_consumed.unwrap_or(0),
            fee: told.value.fee,
            logs: told.value.logs.unwrap_or_default(),
        })
    }

    /// What the cluster charges for a message, in lamports; `None` when its blockhash
    /// is unknown.
    pub async fn fee_of(&self, message: &[u8]) -> Result<Option<u64>, ChainError> {
        let params = json!([BASE64_STANDARD.encode(message), { "commitment": "confirmed" }]);
        let told: Response<Option<u64>> = self
            .client
            .send(RpcRequest::GetFeeForMessage, params)
            .await
            .map_err(|error| self.failed(&error))?;
        Ok(told.value)
    }
}
