//! Methods about the chain itself: slots, blockhashes, fees.

use super::error::RpcError;
use super::params::{self, Params};
use super::{Answer, give, in_context};
use crate::actor::Handle;
use crate::bank::{Bank, SLOTS_PER_EPOCH};
use crate::finality::{Levels, asked};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;
use solana_message::VersionedMessage;
use solana_rpc_client_api::config::{CommitmentConfig, CommitmentLevel, RpcContextConfig};
use solana_rpc_client_api::custom_error::RpcCustomError;
use solana_rpc_client_api::response::RpcBlockhash;
use solana_signature::Signature;
use solana_transaction::versioned::VersionedTransaction;

/// The version of Agave whose runtime this is.
const VERSION: &str = "4.2.2";
/// Agave's limit of addresses of `getRecentPrioritizationFees`.
const FEE_ACCOUNTS_MAX: usize = 128;

/// Whether the node calls itself healthy.
pub fn health(handle: &Handle) -> Answer {
    match handle.faults.behind() {
        None => give(&"ok"),
        Some(slots) => Err(RpcCustomError::NodeUnhealthy { num_slots_behind: Some(slots) }.into()),
    }
}

pub fn version() -> Answer {
    give(&json!({ "solana-core": VERSION, "feature-set": 0 }))
}

pub async fn identity(handle: &Handle, _: &Params) -> Answer {
    // The one node is named by its chain.
    let genesis = handle.glance(|bank| bank.genesis).await?;
    give(&json!({ "identity": genesis.to_string() }))
}

pub async fn slot_leader(handle: &Handle, params: &Params) -> Answer {
    params.optional::<RpcContextConfig>(0)?;
    give(&handle.glance(|bank| bank.genesis).await?.to_string())
}

pub async fn genesis_hash(handle: &Handle, _: &Params) -> Answer {
    give(&handle.glance(|bank| bank.genesis).await?.to_string())
}

pub async fn slot(handle: &Handle, params: &Params) -> Answer {
    let context: RpcContextConfig = params.optional(0)?.unwrap_or_default();
    give(&handle.glance(move |bank| reached(bank, &context)).await??)
}

pub async fn transaction_count(handle: &Handle, params: &Params) -> Answer {
    let context: RpcContextConfig = params.optional(0)?.unwrap_or_default();
    let count = handle.ask(move |bank| reached(bank, &context).map(|slot| bank.transactions_through(slot)));
    give(&count.await??)
}

pub async fn epoch_info(handle: &Handle, params: &Params) -> Answer {
    let context: RpcContextConfig = params.optional(0)?.unwrap_or_default();
    let (slot, count) = handle
        .ask(move |bank| reached(bank, &context).map(|slot| (slot, bank.transactions_through(slot))))
        .await??;
    give(&json!({
        "epoch": slot / SLOTS_PER_EPOCH,
        "slotIndex": slot % SLOTS_PER_EPOCH,
        "slotsInEpoch": SLOTS_PER_EPOCH,
        "absoluteSlot": slot,
        "blockHeight": slot,
        "transactionCount": count,
    }))
}

pub fn epoch_schedule() -> Answer {
    give(&json!({
        "slotsPerEpoch": SLOTS_PER_EPOCH,
        "leaderScheduleSlotOffset": SLOTS_PER_EPOCH,
        "warmup": false,
        "firstNormalEpoch": 0,
        "firstNormalSlot": 0,
    }))
}

pub async fn latest_blockhash(handle: &Handle, params: &Params) -> Answer {
    let context: RpcContextConfig = params.optional(0)?.unwrap_or_default();
    let (slot, (blockhash, last_valid_block_height)) = handle
        .glance(move |bank| reached(bank, &context).map(|slot| (slot, bank.slots.blockhash(slot))))
        .await??;
    in_context(slot, RpcBlockhash { blockhash: blockhash.to_string(), last_valid_block_height })
}

pub async fn is_blockhash_valid(handle: &Handle, params: &Params) -> Answer {
    let blockhash = params.hash(0)?;
    let context: RpcContextConfig = params.optional(1)?.unwrap_or_default();
    let (slot, valid) = handle
        .glance(move |bank| {
            let slot = reached(bank, &context)?;
            Ok::<_, RpcError>((slot, bank.slots.slot_of(&blockhash).is_some_and(|of| of <= slot)))
        })
        .await??;
    in_context(slot, valid)
}

pub async fn rent(handle: &Handle, params: &Params) -> Answer {
    let length: usize = params.required(0)?;
    params.optional::<CommitmentConfig>(1)?;
    give(&handle.glance(move |bank| bank.svm.minimum_balance_for_rent_exemption(length)).await?)
}

pub async fn fee(handle: &Handle, params: &Params) -> Answer {
    let text: String = params.required(0)?;
    let context: RpcContextConfig = params.optional(1)?.unwrap_or_default();
    let bytes = BASE64_STANDARD
        .decode(text)
        .map_err(|error| RpcError::invalid_params(format!("invalid base64 encoding: {error:?}")))?;
    let message: VersionedMessage = wincode::deserialize(&bytes).map_err(|error| {
        RpcError::invalid_params(format!("failed to deserialize solana_message::VersionedMessage: {error}"))
    })?;
    let (slot, fee) = handle
        .glance(move |bank| reached(bank, &context).map(|slot| (slot, fee_of(bank, message, slot))))
        .await??;
    in_context(slot, fee)
}

pub async fn priority_fees(handle: &Handle, params: &Params) -> Answer {
    let addresses: Vec<String> = params.optional(0)?.unwrap_or_default();
    if addresses.len() > FEE_ACCOUNTS_MAX {
        return Err(RpcError::invalid_params(format!("Too many inputs provided; max {FEE_ACCOUNTS_MAX}")));
    }
    for text in &addresses {
        params::address(text)?;
    }
    // Nobody bids for a place here.
    let slot = handle.glance(|bank| bank.slots.now()).await?;
    give(&json!([{ "slot": slot, "prioritizationFee": 0 }]))
}

/// The newest slot at a caller's commitment, if it is not before one that the
/// caller knows of.
pub fn reached(bank: &Bank, context: &RpcContextConfig) -> Result<u64, RpcError> {
    reached_at(bank, asked(context.commitment), context.min_context_slot)
}

/// The newest slots, if that of a commitment is not before `min`.
pub async fn levels(handle: &Handle, level: CommitmentLevel, min: Option<u64>) -> Result<Levels, RpcError> {
    if min.is_some() {
        handle.glance(move |bank| reached_at(bank, level, min)).await??;
    }
    Ok(handle.levels().await?)
}

/// The newest slot at a commitment, if it is not before `min`.
pub fn reached_at(bank: &Bank, level: CommitmentLevel, min: Option<u64>) -> Result<u64, RpcError> {
    let slot = bank.levels().at(level);
    if min.is_some_and(|min| min > slot) {
        return Err(RpcCustomError::MinContextSlotNotReached { context_slot: slot }.into());
    }
    Ok(slot)
}

fn fee_of(bank: &Bank, message: VersionedMessage, slot: u64) -> Option<u64> {
    bank.slots.slot_of(message.recent_blockhash()).filter(|of| *of <= slot)?;
    let signatures = vec![Signature::default(); usize::from(message.header().num_required_signatures)];
    let simulated = bank.simulate(VersionedTransaction { signatures, message }, None);
    Some(simulated.meta.fee)
}
