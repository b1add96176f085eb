//! A Solana node: the few questions we ask, and what went wrong when it does not
//! answer them.

mod cluster;

pub use cluster::Health;

use crate::base58;
use crate::error::ChainError;
use crate::node_url::NodeUrl;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jirani_energy_interface::event::DecodedEvent;
use serde_json::json;
use solana_account::Account;
use solana_address::Address;
use solana_commitment_config::CommitmentConfig;
use solana_hash::Hash;
use solana_message::VersionedMessage;
use solana_rpc_client::http_sender::HttpSender;
use solana_rpc_client::nonblocking::rpc_client::RpcClient;
use solana_rpc_client::rpc_client::{GetConfirmedSignaturesForAddress2Config, RpcClientConfig};
use solana_rpc_client_api::client_error::{Error, ErrorKind, reqwest};
use solana_rpc_client_api::config::{
    RpcAccountInfoConfig, RpcProgramAccountsConfig, RpcTransactionConfig, UiAccountEncoding,
    UiTransactionEncoding,
};
use solana_rpc_client_api::filter::{Memcmp, RpcFilterType};
use solana_rpc_client_api::request::{RpcError, RpcRequest, RpcResponseErrorData};
use solana_rpc_client_api::response::{Response, RpcSimulateTransactionResult};
use solana_signature::Signature;
use solana_transaction::versioned::VersionedTransaction;
use solana_transaction_error::TransactionError;
use solana_transaction_status_client_types::option_serializer::OptionSerializer;
use solana_transaction_status_client_types::{
    EncodedTransactionWithStatusMeta, TransactionStatus, UiInstruction,
};
use std::time::Duration;

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The newest transaction format we read.
const VERSION_MAX: u8 = 1;

/// A node behind a URL.
pub struct Node {
    client: RpcClient,
    url: NodeUrl,
}

/// What the node said to a transaction.
pub enum Accepted {
    /// Sent on, or sent before.
    Yes,
    /// Its simulation failed; this copy went nowhere.
    No(TransactionError),
}

/// A finalised transaction.
#[derive(Clone, Debug, Default)]
pub struct Details {
    /// Why it failed, if it did.
    pub err: Option<TransactionError>,
    /// Its slot.
    pub slot: u64,
    /// The chain's time, Unix seconds.
    pub block_time: Option<i64>,
    /// Fee in lamports.
    pub fee: u64,
    /// Compute units.
    pub units: u64,
    /// The event in which the program reported what it did: the first one of this
    /// transaction. Empty when there is none.
    pub report: Vec<u8>,
}

/// What a node knows of a transaction, and as of which slot.
pub struct Seen {
    /// Its status, if the node knows it.
    pub status: Option<TransactionStatus>,
    /// The slot that the node had reached.
    pub as_of: u64,
}

impl Node {
    /// Speaks to `url`; connects with the first question.
    pub fn new(url: impl Into<NodeUrl>) -> Result<Self, ChainError> {
        let url = url.into();
        let parsed = url
            .parsed()
            .map_err(|error| ChainError::NotReady(format!("the node's URL is none ({error})")))?;
        let builder = reqwest::Client::builder()
            .default_headers(HttpSender::default_headers())
            .timeout(TIMEOUT)
            .pool_idle_timeout(TIMEOUT);
        // A proxy that the environment names does not lead to this machine.
        let builder = if is_local(&parsed) { builder.no_proxy() } else { builder };
        let http =
            builder.build().map_err(|error| ChainError::NotReady(format!("no HTTP client ({error})")))?;
        let config = RpcClientConfig::with_commitment(CommitmentConfig::confirmed());
        let sender = HttpSender::new_with_client(url.reveal(), http);
        Ok(Self { client: RpcClient::new_sender(sender, config), url })
    }

    fn failed(&self, error: &Error) -> ChainError {
        failed(&self.url, error)
    }

    /// Sends signed bytes, after the node has simulated them.
    pub async fn send(&self, bytes: &[u8]) -> Result<Accepted, ChainError> {
        self.send_after(bytes, 0).await
    }

    /// [`Node::send`], but only by a node that has come at least to `min_slot`: one that
    /// lags behind would refuse what rests on work that has landed since.
    pub async fn send_after(&self, bytes: &[u8], min_slot: u64) -> Result<Accepted, ChainError> {
        let params = json!([
            BASE64_STANDARD.encode(bytes),
            {
                "encoding": "base64",
                "skipPreflight": false,
                // Named, since the default looks at a bank that does not know a
                // confirmed blockhash yet.
                "preflightCommitment": "confirmed",
                // We resend, and know when to stop.
                "maxRetries": 0,
                "minContextSlot": min_slot,
            }
        ]);
        match self.client.send::<String>(RpcRequest::SendTransaction, params).await {
            Ok(_) => Ok(Accepted::Yes),
            Err(error) => match simulation_failure(&error) {
                Some(TransactionError::AlreadyProcessed) => Ok(Accepted::Yes),
                Some(err) => Ok(Accepted::No(err)),
                None => Err(self.failed(&error)),
            },
        }
    }

    /// The status of a transaction, in all of history if asked.
    pub async fn status(
        &self,
        signature: &Signature,
        history: bool,
    ) -> Result<Option<TransactionStatus>, ChainError> {
        Ok(self.seen(signature, history).await?.status)
    }

    /// What the node knows of a transaction, in all of its history if asked.
    pub async fn seen(&self, signature: &Signature, history: bool) -> Result<Seen, ChainError> {
        let signatures = [*signature];
        let response = if history {
            self.client.get_signature_statuses_with_history(&signatures).await
        } else {
            self.client.get_signature_statuses(&signatures).await
        };
        let response = response.map_err(|error| self.failed(&error))?;
        Ok(Seen { status: response.value.into_iter().next().flatten(), as_of: response.context.slot })
    }

    /// The finalised slot and its block height: what the height has left behind is
    /// dead for ever.
    pub async fn finalised(&self) -> Result<(u64, u64), ChainError> {
        let info = self
            .client
            .get_epoch_info_with_commitment(CommitmentConfig::finalized())
            .await
            .map_err(|error| self.failed(&error))?;
        Ok((info.absolute_slot, info.block_height))
    }

    /// The finalised block height.
    pub async fn finalised_height(&self) -> Result<u64, ChainError> {
        Ok(self.finalised().await?.1)
    }

    /// The price per compute unit, in micro-lamports, that was paid at least in each of
    /// the last slots by transactions that write one of `accounts` (at most 128).
    pub async fn recent_prices(&self, accounts: &[Address]) -> Result<Vec<u64>, ChainError> {
        let slots = self
            .client
            .get_recent_prioritization_fees(accounts)
            .await
            .map_err(|error| self.failed(&error))?;
        Ok(slots.into_iter().map(|slot| slot.prioritization_fee).collect())
    }

    /// A recent blockhash and the last block height it is good for.
    pub async fn blockhash(&self) -> Result<(Hash, u64), ChainError> {
        self.client
            .get_latest_blockhash_with_commitment(CommitmentConfig::confirmed())
            .await
            .map_err(|error| self.failed(&error))
    }

    /// A finalised transaction; `None` when history does not have it.
    pub async fn details(&self, signature: &Signature) -> Result<Option<Details>, ChainError> {
        self.reported(signature, None).await
    }

    /// [`Node::details`], with what `program` reported.
    pub async fn reported(
        &self,
        signature: &Signature,
        program: Option<&Address>,
    ) -> Result<Option<Details>, ChainError> {
        let Some(told) = self.transaction(signature).await? else { return Ok(None) };
        let report = program.map(|program| report(&told.transaction, program)).unwrap_or_default();
        let meta = told.transaction.meta;
        Ok(Some(Details {
            err: meta.as_ref().and_then(|meta| meta.err.clone()).map(Into::into),
            slot: told.slot,
            block_time: told.block_time,
            fee: meta.as_ref().map_or(0, |meta| meta.fee),
            units: meta.map_or(0, |meta| match meta.compute_units_consumed {
                OptionSerializer::Some(units) => units,
                OptionSerializer::None | OptionSerializer::Skip => 0,
            }),
            report,
        }))
    }

    /// The transaction behind a signature, if it can be read.
    pub async fn decoded(&self, signature: &Signature) -> Result<Option<VersionedTransaction>, ChainError> {
        Ok(self.transaction(signature).await?.and_then(|told| told.transaction.transaction.decode()))
    }

    async fn transaction(
        &self,
        signature: &Signature,
    ) -> Result<
        Option<solana_transaction_status_client_types::EncodedConfirmedTransactionWithStatusMeta>,
        ChainError,
    > {
        let config = RpcTransactionConfig {
            encoding: Some(UiTransactionEncoding::Base64),
            commitment: Some(CommitmentConfig::finalized()),
            max_supported_transaction_version: Some(VERSION_MAX),
        };
        self.client
            .send(RpcRequest::GetTransaction, json!([signature.to_string(), config]))
            .await
            .map_err(|error| self.failed(&error))
    }

    /// Signatures of finalised transactions that touched an address and did not
    /// fail, newest first, at most `limit`.
    pub async fn signatures(&self, address: &Address, limit: usize) -> Result<Vec<Signature>, ChainError> {
        let config = GetConfirmedSignaturesForAddress2Config {
            limit: Some(limit),
            commitment: Some(CommitmentConfig::finalized()),
            ..GetConfirmedSignaturesForAddress2Config::default()
        };
        let page = self
            .client
            .get_signatures_for_address_with_config(address, config)
            .await
            .map_err(|error| self.failed(&error))?;
        Ok(page
            .into_iter()
            .filter(|entry| entry.err.is_none())
            .filter_map(|entry| entry.signature.parse().ok())
            .collect())
    }

    /// Accounts, at a commitment.
    pub async fn accounts(
        &self,
        addresses: &[Address],
        commitment: CommitmentConfig,
    ) -> Result<Vec<Option<Account>>, ChainError> {
        let config = RpcAccountInfoConfig {
            encoding: Some(UiAccountEncoding::Base64),
            commitment: Some(commitment),
            ..RpcAccountInfoConfig::default()
        };
        let accounts = self
            .client
            .get_multiple_ui_accounts_with_config(addresses, config)
            .await
            .map_err(|error| self.failed(&error))?
            .value;
        accounts
            .into_iter()
            .map(|account| match account {
                None => Ok(None),
                Some(account) => account.to_account().map(Some).ok_or_else(unreadable),
            })
            .collect()
    }

    /// All finalised accounts of a program, or those that hold `bytes` at the
    /// beginning; by address.
    pub async fn program_accounts(
        &self,
        program: &Address,
        starting_with: Option<&[u8]>,
    ) -> Result<Vec<(Address, Account)>, ChainError> {
        let filters =
            starting_with.map(|bytes| vec![RpcFilterType::Memcmp(Memcmp::new_base58_encoded(0, bytes))]);
        let config = RpcProgramAccountsConfig {
            filters,
            account_config: RpcAccountInfoConfig {
                encoding: Some(UiAccountEncoding::Base64),
                commitment: Some(CommitmentConfig::finalized()),
                ..RpcAccountInfoConfig::default()
            },
            ..RpcProgramAccountsConfig::default()
        };
        let accounts = self
            .client
            .get_program_ui_accounts_with_config(program, config)
            .await
            .map_err(|error| self.failed(&error))?;
        let mut accounts = accounts
            .into_iter()
            .map(|(address, account)| Ok((address, account.to_account().ok_or_else(unreadable)?)))
            .collect::<Result<Vec<_>, ChainError>>()?;
        accounts.sort_unstable_by_key(|(address, _)| *address);
        Ok(accounts)
    }

    /// Compute units that a message would use, signed or not; `None` when it would fail.
    pub async fn simulated_units(&self, message: VersionedMessage) -> Result<Option<u64>, ChainError> {
        let signers = usize::from(message.header().num_required_signatures);
        let signatures = vec![Signature::default(); signers];
        let bytes = wincode::serialize(&VersionedTransaction { signatures, message })
            .map_err(|error| ChainError::InvalidWork(format!("a message cannot be written ({error})")))?;
        let params = json!([
            BASE64_STANDARD.encode(bytes),
            { "encoding": "base64", "sigVerify": false, "replaceRecentBlockhash": true, "commitment": "confirmed" }
        ]);
        let response: Response<RpcSimulateTransactionResult> = self
            .client
            .send(RpcRequest::SimulateTransaction, params)
            .await
            .map_err(|error| self.failed(&error))?;
        Ok(if response.value.err.is_none() { response.value.units_consumed } else { None })
    }

    /// Lamports of an address.
    pub async fn lamports(&self, address: &Address) -> Result<u64, ChainError> {
        self.client.get_balance(address).await.map_err(|error| self.failed(&error))
    }

    /// Asks for lamports; clusters that matter refuse.
    pub async fn airdrop(&self, address: &Address, lamports: u64) -> Result<Signature, ChainError> {
        self.client.request_airdrop(address, lamports).await.map_err(|error| self.failed(&error))
    }
}

/// Whether a URL leads to this machine.
pub(crate) fn is_local(url: &url::Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// The first event of `program` among the inner instructions; an event of another
/// program cannot pass for one, since the caller's address is looked at.
fn report(told: &EncodedTransactionWithStatusMeta, program: &Address) -> Vec<u8> {
    let Some(OptionSerializer::Some(inner)) = told.meta.as_ref().map(|meta| &meta.inner_instructions) else {
        return Vec::new();
    };
    let Some(transaction) = told.transaction.decode() else { return Vec::new() };
    let keys = transaction.message.static_account_keys();
    inner
        .iter()
        .flat_map(|inner| &inner.instructions)
        .filter_map(|instruction| match instruction {
            UiInstruction::Compiled(compiled)
                if keys.get(usize::from(compiled.program_id_index)) == Some(program) =>
            {
                base58::decode(&compiled.data)
            }
            UiInstruction::Compiled(_) | UiInstruction::Parsed(_) => None,
        })
        .find(|data| DecodedEvent::decode(data).is_some())
        .unwrap_or_default()
}

fn simulation_failure(error: &Error) -> Option<TransactionError> {
    match error.kind() {
        ErrorKind::RpcError(RpcError::RpcResponseError {
            data: RpcResponseErrorData::SendTransactionPreflightFailure(result),
            ..
        }) => result.err.clone().map(Into::into),
        ErrorKind::TransactionError(err) => Some(err.clone()),
        _ => None,
    }
}

/// A failure in our words; what it says of the node's URL is told without its secrets.
pub(crate) fn failed(url: &NodeUrl, error: &Error) -> ChainError {
    let said = url.scrub(&error.to_string());
    match error.kind() {
        ErrorKind::SerdeJson(_) => ChainError::Damaged(format!("the node's answer cannot be read ({said})")),
        _ => ChainError::Unreachable(format!("the node does not answer as it should ({said})")),
    }
}

fn unreadable() -> ChainError {
    ChainError::Damaged("an account cannot be read".to_owned())
}
