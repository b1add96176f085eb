//! Methods about blocks. Every slot has one; most are empty.

use super::error::RpcError;
use super::history::at_least_confirmed;
use super::params::Params;
use super::{Answer, encode, give};
use crate::actor::Handle;
use solana_rpc_client_api::config::{
    CommitmentLevel, RpcBlockConfig, RpcBlocksConfigWrapper, RpcContextConfig, RpcEncodingConfigWrapper,
    UiTransactionEncoding,
};
use solana_rpc_client_api::custom_error::RpcCustomError;
use solana_transaction_status::{BlockEncodingOptions, ConfirmedBlock, TransactionWithStatusMeta};

/// Agave's limit of `getBlocks`.
const BLOCKS_MAX: u64 = 500_000;

pub async fn first(handle: &Handle, _: &Params) -> Answer {
    give(&handle.disk.first_slot().await?)
}

pub async fn time(handle: &Handle, params: &Params) -> Answer {
    let slot: u64 = params.required(0)?;
    there(handle, slot, CommitmentLevel::Finalized).await?;
    give(&time_of(handle, slot).await?)
}

pub async fn many(handle: &Handle, params: &Params) -> Answer {
    let from: u64 = params.required(0)?;
    let wrapped: Option<RpcBlocksConfigWrapper> = params.optional(1)?;
    let (end, in_second) = wrapped.map_or((None, None), |wrapped| wrapped.unzip());
    let config: Option<RpcContextConfig> = params.optional(2)?.or(in_second);
    let level = at_least_confirmed(config.and_then(|config| config.commitment))?;
    let newest = handle.glance(move |bank| bank.levels().at(level)).await?;
    let end = end.unwrap_or_else(|| from.saturating_add(BLOCKS_MAX)).min(newest);
    if end < from {
        return give(&Vec::<u64>::new());
    }
    if end - from > BLOCKS_MAX {
        return Err(RpcError::invalid_params(format!("Slot range too large; max {BLOCKS_MAX}")));
    }
    give(&(from.max(handle.disk.first_slot().await?)..=end).collect::<Vec<_>>())
}

pub async fn one(handle: &Handle, params: &Params) -> Answer {
    let slot: u64 = params.required(0)?;
    let config = match params.optional::<RpcEncodingConfigWrapper<RpcBlockConfig>>(1)? {
        Some(wrapper) => wrapper.convert_to_current(),
        None => RpcBlockConfig::default(),
    };
    let level = at_least_confirmed(config.commitment)?;
    there(handle, slot, level).await?;
    let hashes = handle.glance(move |bank| (bank.slots.hash_of(slot), bank.slots.hash_of(slot.max(1) - 1)));
    let (blockhash, previous) = hashes.await?;
    let executed = handle.disk.of_slot(slot).await?;
    let transactions = executed
        .into_iter()
        .map(|executed| encode::complete(&executed).map(TransactionWithStatusMeta::Complete))
        .collect::<Result<Vec<_>, _>>()?;
    let block = ConfirmedBlock {
        previous_blockhash: previous.to_string(),
        blockhash: blockhash.to_string(),
        parent_slot: slot.saturating_sub(1),
        transactions,
        rewards: Vec::new(),
        num_partitions: None,
        block_time: time_of(handle, slot).await?,
        block_height: Some(slot),
    };
    let options = BlockEncodingOptions {
        transaction_details: config.transaction_details.unwrap_or_default(),
        show_rewards: config.rewards.unwrap_or(true),
        max_supported_transaction_version: config.max_supported_transaction_version,
    };
    let encoding = config.encoding.unwrap_or(UiTransactionEncoding::Json);
    let encoded = block.encode_with_options(encoding, options);
    give(&encoded.map_err(|error| RpcError::from(RpcCustomError::from(error)))?)
}

/// Whether there is a block: not one of the future, nor one that is deleted.
async fn there(handle: &Handle, slot: u64, level: CommitmentLevel) -> Result<(), RpcError> {
    let newest = handle.glance(move |bank| bank.levels().at(level)).await?;
    if slot > newest {
        return Err(RpcCustomError::BlockNotAvailable { slot }.into());
    }
    let first_available_block = handle.disk.first_slot().await?;
    if slot < first_available_block {
        return Err(RpcCustomError::BlockCleanedUp { slot, first_available_block }.into());
    }
    Ok(())
}

/// The chain's time at a slot: that of its transactions, or of the last ones before.
async fn time_of(handle: &Handle, slot: u64) -> Result<Option<i64>, RpcError> {
    Ok(handle.disk.time_before(slot).await?.map(|(_, time)| time))
}
