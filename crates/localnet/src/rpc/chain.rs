//! Methods about the chain itself: slots, blockhashes, fees.

use super::error::RpcError;
use super::params::Params;
use super::{Answer, give, in_context};
use crate::actor::Handle;
use crate::bank::{Bank, SLOTS_PER_EPOCH};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;
use solana_hash::Hash;
use solana_message::VersionedMessage;
use solana_rpc_client_api::config::{CommitmentConfig, RpcContextConfig};
use solana_rpc_client_api::response::RpcBlockhash;
use solana_signature::Signature;
use solana_transaction::versioned::VersionedTransaction;

/// The version of Agave whose runtime this is.
const VERSION: &str = "4.2.2";

pub fn version() -> Answer {
    give(&json!({ "solana-core": VERSION, "feature-set": 0 }))
}

pub async fn identity(handle: &Handle) -> Answer {
    // The one node is named by its chain.
    let genesis = handle.read(|bank| bank.genesis).await?;
    give(&json!({ "identity": genesis.to_string() }))
}

pub async fn genesis_hash(handle: &Handle) -> Answer {
    give(&handle.read(|bank| bank.genesis).await?.to_string())
}

pub async fn slot(handle: &Handle, params: &Params) -> Answer {
    let min = params.optional::<RpcContextConfig>(0)?.and_then(|config| config.min_context_slot);
    give(&handle.read(move |bank| reached(bank, min)).await??)
}

pub async fn transaction_count(handle: &Handle) -> Answer {
    give(&handle.read(|bank| bank.last_seq).await?)
}

pub async fn epoch_info(handle: &Handle) -> Answer {
    let (slot, count) = handle.read(|bank| (bank.slots.now(), bank.last_seq)).await?;
    give(&json!({
        "epoch": slot / SLOTS_PER_EPOCH,
        "slotIndex": slot % SLOTS_PER_EPOCH,
        "slotsInEpoch": SLOTS_PER_EPOCH,
        "absoluteSlot": slot,
        "blockHeight": slot,
        "transactionCount": count,
    }))
}

pub async fn latest_blockhash(handle: &Handle, params: &Params) -> Answer {
    let min = params.optional::<RpcContextConfig>(0)?.and_then(|config| config.min_context_slot);
    let (slot, (blockhash, last_valid_block_height)) =
        handle.read(move |bank| reached(bank, min).map(|slot| (slot, bank.slots.latest()))).await??;
    in_context(slot, RpcBlockhash { blockhash: blockhash.to_string(), last_valid_block_height })
}

pub async fn is_blockhash_valid(handle: &Handle, params: &Params) -> Answer {
    let blockhash: Hash = params
        .required::<String>(0)?
        .parse()
        .map_err(|error| RpcError::invalid_params(format!("Invalid param: {error:?}")))?;
    let (slot, valid) = handle.read(move |bank| (bank.slots.now(), bank.slots.is_valid(&blockhash))).await?;
    in_context(slot, valid)
}

pub async fn rent(handle: &Handle, params: &Params) -> Answer {
    let length: usize = params.required(0)?;
    give(&handle.read(move |bank| bank.svm.minimum_balance_for_rent_exemption(length)).await?)
}

pub async fn fee(handle: &Handle, params: &Params) -> Answer {
    params.optional::<CommitmentConfig>(1)?;
    let bytes = BASE64_STANDARD
        .decode(params.required::<String>(0)?)
        .map_err(|error| RpcError::invalid_params(format!("invalid base64 encoding: {error:?}")))?;
    let message: VersionedMessage = wincode::deserialize(&bytes).map_err(|error| {
        RpcError::invalid_params(format!("failed to deserialize solana_message::VersionedMessage: {error}"))
    })?;
    let (slot, fee) = handle.read(move |bank| (bank.slots.now(), fee_of(bank, message))).await?;
    in_context(slot, fee)
}

pub async fn priority_fees(handle: &Handle) -> Answer {
    // Nobody bids for a place here.
    let slot = handle.read(|bank| bank.slots.now()).await?;
    give(&json!([{ "slot": slot, "prioritizationFee": 0 }]))
}

/// The current slot, if it is not before one that the caller knows of.
pub fn reached(bank: &Bank, min: Option<u64>) -> Result<u64, RpcError> {
    let slot = bank.slots.now();
    if min.is_some_and(|min| min > slot) { Err(RpcError::behind(slot)) } else { Ok(slot) }
}

fn fee_of(bank: &Bank, message: VersionedMessage) -> Option<u64> {
    if !bank.slots.is_valid(message.recent_blockhash()) {
        return None;
    }
    let signatures = vec![Signature::default(); usize::from(message.header().num_required_signatures)];
    let simulated = bank.simulate(VersionedTransaction { signatures, message }, false);
    Some(simulated.meta.fee)
}
