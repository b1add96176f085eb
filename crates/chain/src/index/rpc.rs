//! A node's history over JSON-RPC, for who only reads.

use super::history::{Call, Fate, History, Listed, PAGE, Told};
use crate::base58;
use crate::error::ChainError;
use crate::node::{failed, is_local};
use crate::node_url::NodeUrl;
use async_trait::async_trait;
use serde_json::json;
use solana_account::Account;
use solana_address::Address;
use solana_commitment_config::CommitmentConfig;
use solana_rpc_client::http_sender::HttpSender;
use solana_rpc_client::nonblocking::rpc_client::RpcClient;
use solana_rpc_client::rpc_client::{GetConfirmedSignaturesForAddress2Config, RpcClientConfig};
use solana_rpc_client_api::client_error::reqwest;
use solana_rpc_client_api::config::{
    RpcAccountInfoConfig, RpcProgramAccountsConfig, RpcTransactionConfig, UiAccountEncoding,
    UiTransactionEncoding,
};
use solana_rpc_client_api::filter::{Memcmp, RpcFilterType};
use solana_rpc_client_api::request::RpcRequest;
use solana_signature::Signature;
use solana_transaction::versioned::VersionedTransaction;
use solana_transaction_status_client_types::option_serializer::OptionSerializer;
use solana_transaction_status_client_types::{
    EncodedConfirmedTransactionWithStatusMeta, UiInstruction, UiLoadedAddresses, UiTransactionStatusMeta,
};
use std::time::Duration;

/// How long an answer may take: all accounts of a program can be many.
const TIMEOUT: Duration = Duration::from_mins(1);
/// The newest transaction format we read.
const VERSION_MAX: u8 = 1;

/// A node behind a URL, asked for finalised things only.
pub struct RpcHistory {
    client: RpcClient,
    url: NodeUrl,
}

impl RpcHistory {
    /// Speaks to `url`; connects with the first question.
    pub fn new(url: impl Into<NodeUrl>) -> Result<Self, ChainError> {
        let url = url.into();
        let parsed = url
            .parsed()
            .map_err(|error| ChainError::NotReady(format!("the node's URL is none ({error})")))?;
        let builder =
            reqwest::Client::builder().default_headers(HttpSender::default_headers()).timeout(TIMEOUT);
        // A proxy that the environment names does not lead to this machine.
        let builder = if is_local(&parsed) { builder.no_proxy() } else { builder };
        let http =
            builder.build().map_err(|error| ChainError::NotReady(format!("no HTTP client ({error})")))?;
        let config = RpcClientConfig::with_commitment(CommitmentConfig::finalized());
        let sender = HttpSender::new_with_client(url.reveal(), http);
        Ok(Self { client: RpcClient::new_sender(sender, config), url })
    }

    /// Hash of the first block: which cluster this is.
    pub async fn genesis_hash(&self) -> Result<String, ChainError> {
        self.client
            .get_genesis_hash()
            .await
            .map(|hash| hash.to_string())
            .map_err(|error| failed(&self.url, &error))
    }

    /// One finalised account.
    pub(super) async fn account(&self, address: &Address) -> Result<Option<Account>, ChainError> {
        let told = self
            .client
            .get_multiple_ui_accounts_with_config(&[*address], account_config())
            .await
            .map_err(|error| failed(&self.url, &error))?
            .value;
        match told.into_iter().next().flatten() {
            None => Ok(None),
            Some(account) => account.to_account().map(Some).ok_or_else(unreadable),
        }
    }

    /// All finalised accounts of a program, or those that begin with `bytes`; by
    /// address.
    pub(super) async fn accounts(
        &self,
        program: &Address,
        bytes: Option<&[u8]>,
    ) -> Result<Vec<(Address, Account)>, ChainError> {
        let filters = bytes.map(|bytes| vec![RpcFilterType::Memcmp(Memcmp::new_base58_encoded(0, bytes))]);
        let config = RpcProgramAccountsConfig {
            filters,
            account_config: account_config(),
            ..RpcProgramAccountsConfig::default()
        };
        let told = self
            .client
            .get_program_ui_accounts_with_config(program, config)
            .await
            .map_err(|error| failed(&self.url, &error))?;
        let mut accounts = told
            .into_iter()
            .map(|(address, account)| Ok((address, account.to_account().ok_or_else(unreadable)?)))
            .collect::<Result<Vec<_>, ChainError>>()?;
        accounts.sort_unstable_by_key(|(address, _)| *address);
        Ok(accounts)
    }
}

fn account_config() -> RpcAccountInfoConfig {
    RpcAccountInfoConfig {
        encoding: Some(UiAccountEncoding::Base64),
        commitment: Some(CommitmentConfig::finalized()),
        ..RpcAccountInfoConfig::default()
    }
}

#[async_trait]
impl History for RpcHistory {
    async fn page(
        &self,
        address: &Address,
        before: Option<Signature>,
        until: Option<Signature>,
    ) -> Result<Vec<Listed>, ChainError> {
        let config = GetConfirmedSignaturesForAddress2Config {
            before,
            until,
            limit: Some(PAGE),
            commitment: Some(CommitmentConfig::finalized()),
        };
        let page = self
            .client
            .get_signatures_for_address_with_config(address, config)
            .await
            .map_err(|error| failed(&self.url, &error))?;
        page.into_iter()
            .map(|entry| {
                let signature = entry.signature.parse().map_err(|_| {
                    ChainError::Damaged(format!("the node lists {}, which is no signature", entry.signature))
                })?;
                let fate = if entry.err.is_none() { Fate::Done } else { Fate::Failed };
                Ok(Listed { signature, slot: entry.slot, fate })
            })
            .collect()
    }

    async fn transaction(&self, signature: &Signature) -> Result<Option<Told>, ChainError> {
        let config = RpcTransactionConfig {
            encoding: Some(UiTransactionEncoding::Base64),
            commitment: Some(CommitmentConfig::finalized()),
            max_supported_transaction_version: Some(VERSION_MAX),
        };
        let told: Option<EncodedConfirmedTransactionWithStatusMeta> = self
            .client
            .send(RpcRequest::GetTransaction, json!([signature.to_string(), config]))
            .await
            .map_err(|error| failed(&self.url, &error))?;
        told.map(|told| read(signature, told)).transpose()
    }
}

fn read(signature: &Signature, told: EncodedConfirmedTransactionWithStatusMeta) -> Result<Told, ChainError> {
    let damaged = || ChainError::Damaged(format!("the node tells of {signature} what cannot be read"));
    let transaction = told.transaction.transaction.decode().ok_or_else(damaged)?;
    let meta = told.transaction.meta.ok_or_else(damaged)?;
    let calls = calls(&transaction, meta).ok_or_else(damaged)?;
    Ok(Told { slot: told.slot, block_time: told.block_time, calls })
}

/// Every call in order; `None` when an index leads nowhere or data is not base 58.
fn calls(transaction: &VersionedTransaction, meta: UiTransactionStatusMeta) -> Option<Vec<Call>> {
    let mut keys = transaction.message.static_account_keys().to_vec();
    if let OptionSerializer::Some(UiLoadedAddresses { writable, readonly }) = meta.loaded_addresses {
        for text in writable.into_iter().chain(readonly) {
            keys.push(text.parse().ok()?);
        }
    }
    let key = |index: u8| keys.get(usize::from(index)).copied();
    let accounts = |indices: &[u8]| indices.iter().map(|index| key(*index)).collect::<Option<Vec<_>>>();
    let inner = match meta.inner_instructions {
        OptionSerializer::Some(inner) => inner,
        // Without them nobody can say what happened.
        OptionSerializer::None | OptionSerializer::Skip => return None,
    };
    let mut calls = Vec::new();
    for (instruction, own) in (0u16..).zip(transaction.message.instructions()) {
        calls.push(Call {
            instruction,
            inner: None,
            height: 1,
            program: key(own.program_id_index)?,
            accounts: accounts(&own.accounts)?,
            data: own.data.clone(),
        });
        let made = inner.iter().filter(|made| u16::from(made.index) == instruction);
        for (place, made) in (0u16..).zip(made.flat_map(|made| &made.instructions)) {
            let UiInstruction::Compiled(made) = made else { return None };
            calls.push(Call {
                instruction,
                inner: Some(place),
                // Nodes that do not say know of one level.
                height: made.stack_height.unwrap_or(2),
                program: key(made.program_id_index)?,
                accounts: accounts(&made.accounts)?,
                data: base58::decode(&made.data)?,
            });
        }
    }
    Some(calls)
}

fn unreadable() -> ChainError {
    ChainError::Damaged("an account cannot be read".to_owned())
}
