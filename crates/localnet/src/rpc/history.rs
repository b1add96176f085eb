//! Methods that look back.

use super::chain::levels;
use super::error::RpcError;
use super::params::{self, Params};
use super::{Answer, base58, encode, give, in_context};
use crate::actor::Handle;
use crate::disk::PageQuery;
use crate::finality::{Levels, asked};
use crate::history::{Status, read_err};
use serde_json::Value;
use solana_rpc_client_api::config::{
    CommitmentConfig, CommitmentLevel, RpcEncodingConfigWrapper, RpcSignatureStatusConfig,
    RpcSignaturesForAddressConfig, RpcTransactionConfig,
};
use solana_rpc_client_api::response::RpcConfirmedTransactionStatusWithSignature;
use solana_transaction_status_client_types::{
    TransactionConfirmationStatus, TransactionStatus, UiTransactionEncoding,
};

/// Agave's limit of `getSignatureStatuses`.
const STATUSES_MAX: usize = 256;
/// Agave's limit of a `getSignaturesForAddress` page.
const PAGE_MAX: usize = 1_000;

pub async fn statuses(handle: &Handle, params: &Params) -> Answer {
    let texts: Vec<String> = params.required(0)?;
    let search = params
        .optional::<RpcSignatureStatusConfig>(1)?
        .is_some_and(|config| config.search_transaction_history);
    if texts.len() > STATUSES_MAX {
        return Err(RpcError::invalid_params(format!("Too many inputs provided; max {STATUSES_MAX}")));
    }
    let signatures = texts.iter().map(|text| params::signature(text)).collect::<Result<Vec<_>, _>>()?;
    let asked = signatures.clone();
    let (levels, recent) = handle
        .ask(move |bank| {
            let recent: Vec<_> =
                asked.iter().map(|signature| bank.statuses.get(signature).cloned()).collect();
            (bank.levels(), recent)
        })
        .await?;
    let mut statuses = Vec::with_capacity(signatures.len());
    for (signature, status) in signatures.into_iter().zip(recent) {
        let status = match status {
            None if search => handle
                .disk
                .by_signature(signature)
                .await?
                .map(|executed| Status { slot: executed.slot, err: executed.meta.err() }),
            status => status,
        };
        statuses.push(status.map(|status| told(status, &levels)));
    }
    in_context(levels.processed, statuses)
}

pub async fn transaction(handle: &Handle, params: &Params) -> Answer {
    let signature = params.signature(0)?;
    let config = match params.optional::<RpcEncodingConfigWrapper<RpcTransactionConfig>>(1)? {
        Some(wrapper) => wrapper.convert_to_current(),
        None => RpcTransactionConfig::default(),
    };
    let level = at_least_confirmed(config.commitment)?;
    let encoding = config.encoding.unwrap_or(UiTransactionEncoding::Json);
    let version_max = config.max_supported_transaction_version;
    let Some(executed) = handle.disk.by_signature(signature).await? else { return give(&Value::Null) };
    if executed.slot > handle.levels().await?.at(level) {
        return give(&Value::Null);
    }
    give(&encode::executed(&executed, encoding, version_max)?)
}

pub async fn signatures(handle: &Handle, params: &Params) -> Answer {
    let address = params.address(0)?;
    let config: RpcSignaturesForAddressConfig = params.optional(1)?.unwrap_or_default();
    let level = at_least_confirmed(config.commitment)?;
    let bound = |text: Option<&String>| text.map(|text| params::signature(text)).transpose();
    let (before, until) = (bound(config.before.as_ref())?, bound(config.until.as_ref())?);
    let limit = config.limit.unwrap_or(PAGE_MAX);
    if limit == 0 || limit > PAGE_MAX {
        return Err(RpcError::invalid_params(format!("Invalid limit; max {PAGE_MAX}")));
    }
    let levels = levels(handle, level, config.min_context_slot).await?;
    let through_slot = levels.at(level);
    let entries = handle.disk.page(PageQuery { address, before, until, limit, through_slot }).await?;
    let page: Vec<_> = entries
        .into_iter()
        .map(|entry| RpcConfirmedTransactionStatusWithSignature {
            signature: base58::encode(entry.signature.as_ref()),
            slot: entry.slot,
            err: read_err(&entry.err).map(Into::into),
            memo: entry.memo,
            block_time: Some(entry.block_time),
            confirmation_status: Some(status_of(&levels, entry.slot)),
            transaction_index: None,
        })
        .collect();
    give(&page)
}

/// The level of a method that looks into blocks.
pub fn at_least_confirmed(commitment: Option<CommitmentConfig>) -> Result<CommitmentLevel, RpcError> {
    match asked(commitment) {
        CommitmentLevel::Processed => {
            Err(RpcError::invalid_params("Method does not support commitment below `confirmed`"))
        }
        level => Ok(level),
    }
}

fn told(status: Status, levels: &Levels) -> TransactionStatus {
    let confirmation = status_of(levels, status.slot);
    let confirmations = usize::try_from(levels.processed.saturating_sub(status.slot)).unwrap_or(usize::MAX);
    TransactionStatus {
        slot: status.slot,
        // The root has no number of confirmations any more.
        confirmations: (confirmation != TransactionConfirmationStatus::Finalized).then_some(confirmations),
        status: status.err.clone().map_or(Ok(()), Err),
        err: status.err,
        confirmation_status: Some(confirmation),
    }
}

fn status_of(levels: &Levels, slot: u64) -> TransactionConfirmationStatus {
    match levels.of(slot) {
        CommitmentLevel::Processed => TransactionConfirmationStatus::Processed,
        CommitmentLevel::Confirmed => TransactionConfirmationStatus::Confirmed,
        CommitmentLevel::Finalized => TransactionConfirmationStatus::Finalized,
    }
}
