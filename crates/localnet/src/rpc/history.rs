//! Methods that look back.

use super::chain::reached;
use super::error::RpcError;
use super::params::{self, Params};
use super::{Answer, encode, give, in_context};
use crate::actor::Handle;
use crate::history::Status;
use serde_json::Value;
use solana_rpc_client_api::config::{
    RpcEncodingConfigWrapper, RpcSignatureStatusConfig, RpcSignaturesForAddressConfig, RpcTransactionConfig,
};
use solana_rpc_client_api::response::RpcConfirmedTransactionStatusWithSignature;
use solana_signature::Signature;
use solana_transaction_status_client_types::{
    TransactionConfirmationStatus, TransactionStatus, UiTransactionEncoding,
};

/// Agave's limit of `getSignatureStatuses`.
const STATUSES_MAX: usize = 256;
/// Agave's limit of a `getSignaturesForAddress` page.
const PAGE_MAX: usize = 1_000;

pub async fn statuses(handle: &Handle, params: &Params) -> Answer {
    let texts: Vec<String> = params.required(0)?;
    if texts.len() > STATUSES_MAX {
        return Err(RpcError::invalid_params(format!("Too many inputs provided; max {STATUSES_MAX}")));
    }
    let signatures = texts.iter().map(|text| params::signature(text)).collect::<Result<Vec<_>, _>>()?;
    let search = params
        .optional::<RpcSignatureStatusConfig>(1)?
        .is_some_and(|config| config.search_transaction_history);
    let asked = signatures.clone();
    let (slot, recent) = handle
        .read(move |bank| {
            let recent: Vec<_> =
                asked.iter().map(|signature| bank.statuses.get(signature).cloned()).collect();
            (bank.slots.now(), recent)
        })
        .await?;
    let mut statuses = Vec::with_capacity(signatures.len());
    for (signature, status) in signatures.iter().zip(recent) {
        let status = match status {
            None if search => handle
                .disk
                .by_signature(signature)
                .await?
                .map(|executed| Status { slot: executed.slot, err: executed.meta.err() }),
            status => status,
        };
        statuses.push(status.map(final_status));
    }
    in_context(slot, statuses)
}

pub async fn transaction(handle: &Handle, params: &Params) -> Answer {
    let signature = params.signature(0)?;
    let config = match params.optional::<RpcEncodingConfigWrapper<RpcTransactionConfig>>(1)? {
        Some(wrapper) => wrapper.convert_to_current(),
        None => RpcTransactionConfig::default(),
    };
    let encoding = config.encoding.unwrap_or(UiTransactionEncoding::Json);
    match handle.disk.by_signature(&signature).await? {
        None => give(&Value::Null),
        Some(executed) => {
            give(&encode::executed(&executed, encoding, config.max_supported_transaction_version)?)
        }
    }
}

pub async fn signatures(handle: &Handle, params: &Params) -> Answer {
    let address = params.address(0)?;
    let config: RpcSignaturesForAddressConfig = params.optional(1)?.unwrap_or_default();
    let limit = config.limit.unwrap_or(PAGE_MAX);
    if limit == 0 || limit > PAGE_MAX {
        return Err(RpcError::invalid_params(format!("Invalid limit; max {PAGE_MAX}")));
    }
    // A bound that history does not know bounds nothing, as on a cluster.
    let before = position(handle, config.before.as_deref()).await?.unwrap_or(u64::MAX);
    let after = position(handle, config.until.as_deref()).await?.unwrap_or(0);
    let newest = handle
        .read(move |bank| -> Result<_, RpcError> {
            reached(bank, config.min_context_slot)?;
            Ok(bank.index.newest(&address, before, after, limit))
        })
        .await??;
    let mut page = Vec::with_capacity(newest.len());
    for seq in newest {
        if let Some(executed) = handle.disk.by_seq(seq).await? {
            page.push(RpcConfirmedTransactionStatusWithSignature {
                signature: executed.signature.to_string(),
                slot: executed.slot,
                err: executed.meta.err().map(Into::into),
                memo: None,
                block_time: Some(executed.block_time),
                confirmation_status: Some(TransactionConfirmationStatus::Finalized),
                transaction_index: None,
            });
        }
    }
    give(&page)
}

async fn position(handle: &Handle, text: Option<&str>) -> Result<Option<u64>, RpcError> {
    let Some(text) = text else { return Ok(None) };
    let signature: Signature = params::signature(text)?;
    Ok(handle.disk.by_signature(&signature).await?.map(|executed| executed.seq))
}

/// What is executed here is final.
fn final_status(status: Status) -> TransactionStatus {
    TransactionStatus {
        slot: status.slot,
        confirmations: None,
        status: status.err.clone().map_or(Ok(()), Err),
        err: status.err,
        confirmation_status: Some(TransactionConfirmationStatus::Finalized),
    }
}
