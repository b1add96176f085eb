//! A Solana node: the few questions we ask, and what went wrong when it does not
//! answer them.

use crate::error::ChainError;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;
use solana_account::Account;
use solana_address::Address;
use solana_commitment_config::CommitmentConfig;
use solana_hash::Hash;
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
use solana_transaction_status_client_types::TransactionStatus;
use solana_transaction_status_client_types::option_serializer::OptionSerializer;
use std::time::Duration;

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The newest transaction format we read.
const VERSION_MAX: u8 = 1;

/// A node behind a URL.
pub struct Node {
    client: RpcClient,
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
}

impl Node {
    /// Speaks to `url`; connects with the first question.
    pub fn new(url: &str) -> Result<Self, ChainError> {
        let parsed = url::Url::parse(url)
            .map_err(|error| ChainError::NotReady(format!("{url} is not a URL of a node ({error})")))?;
        let local = match parsed.host() {
            Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
            Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
            Some(url::Host::Domain(name)) => name == "localhost",
            None => false,
        };
        let builder = reqwest::Client::builder()
            .default_headers(HttpSender::default_headers())
            .timeout(TIMEOUT)
            .pool_idle_timeout(TIMEOUT);
        // A proxy that the environment names does not lead to this machine.
        let builder = if local { builder.no_proxy() } else { builder };
        let http =
            builder.build().map_err(|error| ChainError::NotReady(format!("no HTTP client ({error})")))?;
        let config = RpcClientConfig::with_commitment(CommitmentConfig::confirmed());
        Ok(Self { client: RpcClient::new_sender(HttpSender::new_with_client(url, http), config) })
    }

    /// Sends signed bytes, after the node has simulated them.
    pub async fn send(&self, bytes: &[u8]) -> Result<Accepted, ChainError> {
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
            }
        ]);
        match self.client.send::<String>(RpcRequest::SendTransaction, params).await {
            Ok(_) => Ok(Accepted::Yes),
            Err(error) => match simulation_failure(&error) {
                Some(TransactionError::AlreadyProcessed) => Ok(Accepted::Yes),
                Some(err) => Ok(Accepted::No(err)),
                None => Err(failed(&error)),
            },
        }
    }

    /// The status of a transaction, in all of history if asked.
    pub async fn status(
        &self,
        signature: &Signature,
        history: bool,
    ) -> Result<Option<TransactionStatus>, ChainError> {
        let signatures = [*signature];
        let response = if history {
            self.client.get_signature_statuses_with_history(&signatures).await
        } else {
            self.client.get_signature_statuses(&signatures).await
        };
        Ok(response.map_err(|error| failed(&error))?.value.into_iter().next().flatten())
    }

    /// The finalised block height: what it has left behind is dead for ever.
    pub async fn finalised_height(&self) -> Result<u64, ChainError> {
        self.client
            .get_block_height_with_commitment(CommitmentConfig::finalized())
            .await
            .map_err(|error| failed(&error))
    }

    /// A recent blockhash and the last block height it is good for.
    pub async fn blockhash(&self) -> Result<(Hash, u64), ChainError> {
        self.client
            .get_latest_blockhash_with_commitment(CommitmentConfig::confirmed())
            .await
            .map_err(|error| failed(&error))
    }

    /// A finalised transaction; `None` when history does not have it.
    pub async fn details(&self, signature: &Signature) -> Result<Option<Details>, ChainError> {
        let told = self.transaction(signature).await?;
        Ok(told.map(|told| {
            let meta = told.transaction.meta;
            Details {
                err: meta.as_ref().and_then(|meta| meta.err.clone()).map(Into::into),
                slot: told.slot,
                block_time: told.block_time,
                fee: meta.as_ref().map_or(0, |meta| meta.fee),
                units: meta.map_or(0, |meta| match meta.compute_units_consumed {
                    OptionSerializer::Some(units) => units,
                    OptionSerializer::None | OptionSerializer::Skip => 0,
                }),
            }
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
            .map_err(|error| failed(&error))
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
            .map_err(|error| failed(&error))?;
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
            .map_err(|error| failed(&error))?
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
            .map_err(|error| failed(&error))?;
        let mut accounts = accounts
            .into_iter()
            .map(|(address, account)| Ok((address, account.to_account().ok_or_else(unreadable)?)))
            .collect::<Result<Vec<_>, ChainError>>()?;
        accounts.sort_unstable_by_key(|(address, _)| *address);
        Ok(accounts)
    }

    /// Compute units that bytes would use; `None` when they would fail.
    pub async fn simulated_units(&self, bytes: &[u8]) -> Result<Option<u64>, ChainError> {
        let params = json!([
            BASE64_STANDARD.encode(bytes),
            { "encoding": "base64", "sigVerify": false, "replaceRecentBlockhash": true, "commitment": "confirmed" }
        ]);
        let response: Response<RpcSimulateTransactionResult> = self
            .client
            .send(RpcRequest::SimulateTransaction, params)
            .await
            .map_err(|error| failed(&error))?;
        Ok(if response.value.err.is_none() { response.value.units_consumed } else { None })
    }

    /// Lamports of an address.
    pub async fn lamports(&self, address: &Address) -> Result<u64, ChainError> {
        self.client.get_balance(address).await.map_err(|error| failed(&error))
    }

    /// Asks for lamports; clusters that matter refuse.
    pub async fn airdrop(&self, address: &Address, lamports: u64) -> Result<Signature, ChainError> {
        self.client.request_airdrop(address, lamports).await.map_err(|error| failed(&error))
    }
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

fn failed(error: &Error) -> ChainError {
    match error.kind() {
        ErrorKind::SerdeJson(_) => ChainError::Damaged(format!("the node's answer cannot be read ({error})")),
        _ => ChainError::Unreachable(format!("the node does not answer as it should ({error})")),
    }
}

fn unreadable() -> ChainError {
    ChainError::Damaged("an account cannot be read".to_owned())
}
