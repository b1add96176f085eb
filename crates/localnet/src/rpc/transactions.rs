//! Methods that run transactions.

use super::chain::{levels, reached_at};
use super::error::RpcError;
use super::params::{self, Params};
use super::{Answer, encode, give, in_context};
use crate::actor::Handle;
use crate::bank::{Bank, Preflight, Refused, Simulated};
use crate::faults::Fault;
use crate::finality::asked;
use crate::history::inner_instructions;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use solana_account_decoder::UiAccountEncoding;
use solana_address::Address;
use solana_hash::Hash;
use solana_message::{Message, VersionedMessage};
use solana_rpc_client_api::config::{
    CommitmentLevel, RpcRequestAirdropConfig, RpcSendTransactionConfig, RpcSimulateTransactionAccountsConfig,
    RpcSimulateTransactionConfig,
};
use solana_rpc_client_api::custom_error::RpcCustomError;
use solana_rpc_client_api::response::{RpcBlockhash, RpcSimulateTransactionResult};
use solana_signature::Signature;
use solana_signer::Signer as _;
use solana_transaction::versioned::VersionedTransaction;
use solana_transaction_error::TransactionError;
use solana_transaction_status_client_types::{
    TransactionBinaryEncoding, UiLoadedAddresses, UiTransactionEncoding, UiTransactionReturnData,
};
use std::sync::atomic::Ordering;

/// Wire bytes of a legacy or version 0 transaction.
const PACKET_MAX: usize = 1_232;
/// Wire bytes of a version 1 transaction.
const V1_MAX: usize = solana_message::v1::MAX_TRANSACTION_SIZE;
/// First byte of a version 1 transaction.
const V1_PREFIX: u8 = solana_message::v1::V1_PREFIX;

pub async fn send(handle: &Handle, params: &Params) -> Answer {
    let text: String = params.required(0)?;
    let config: RpcSendTransactionConfig = params.optional(1)?.unwrap_or_default();
    let (transaction, bytes) = decode(&text, config.encoding.unwrap_or(UiTransactionEncoding::Base58))?;
    // With and without preflight a node looks at a bank: the one that is asked for,
    // or the newest.
    let level = if config.skip_preflight {
        CommitmentLevel::Processed
    } else {
        config.preflight_commitment.unwrap_or(CommitmentLevel::Finalized)
    };
    let known_by = levels(handle, level, config.min_context_slot).await?.at(level);
    sanitize(&transaction)?;
    let signature = transaction.signatures.first().copied().unwrap_or_default();
    let is_good = is_signed(&transaction);
    let preflight = if config.skip_preflight {
        // A node forwards what it does not look at, and the leader throws it away.
        if !is_good {
            return give(&signature.to_string());
        }
        Preflight::Skip
    } else {
        if !is_good {
            return Err(RpcCustomError::TransactionSignatureVerificationFailure.into());
        }
        if let Some(slots) = handle.faults.behind() {
            return Err(RpcCustomError::NodeUnhealthy { num_slots_behind: Some(slots) }.into());
        }
        Preflight::At(known_by)
    };
    match handle.faults.of_sent(&signature) {
        Some(Fault::Drop | Fault::Expire) => return give(&signature.to_string()),
        Some(Fault::Delay(by)) => {
            let later = handle.clone();
            tokio::spawn(async move {
                later.idle(by).await;
                // Nobody waits for what becomes of it.
                let _ = later.execute(transaction, bytes, Preflight::Skip).await;
            });
            return give(&signature.to_string());
        }
        Some(Fault::Duplicate) => {
            let first = handle.execute(transaction.clone(), bytes.clone(), preflight).await?;
            // The copy is refused, as on a cluster.
            let _ = handle.execute(transaction, bytes, Preflight::Skip).await?;
            return outcome(first, preflight, signature);
        }
        _ => {}
    }
    outcome(handle.execute(transaction, bytes, preflight).await?, preflight, signature)
}

fn outcome(executed: Result<Signature, Box<Refused>>, preflight: Preflight, signature: Signature) -> Answer {
    match executed {
        Ok(signature) => give(&signature.to_string()),
        // What became of it is told by its status, or the lack of one.
        Err(_) if preflight == Preflight::Skip => give(&signature.to_string()),
        Err(refused) => match refused.err {
            TransactionError::AddressLookupTableNotFound
            | TransactionError::InvalidAddressLookupTableOwner
            | TransactionError::InvalidAddressLookupTableData
            | TransactionError::InvalidAddressLookupTableIndex => {
                Err(RpcError::invalid_params(format!("invalid transaction: {}", refused.err)))
            }
            _ => Err(RpcError::preflight(*refused)),
        },
    }
}

pub async fn simulate(handle: &Handle, params: &Params) -> Answer {
    let text: String = params.required(0)?;
    let config: RpcSimulateTransactionConfig = params.optional(1)?.unwrap_or_default();
    let (mut transaction, _) = decode(&text, config.encoding.unwrap_or(UiTransactionEncoding::Base58))?;
    sanitize(&transaction)?;
    if config.sig_verify {
        if config.replace_recent_blockhash {
            return Err(RpcError::invalid_params("sigVerify may not be used with replaceRecentBlockhash"));
        }
        if !is_signed(&transaction) {
            return Err(RpcCustomError::TransactionSignatureVerificationFailure.into());
        }
    }
    let most = transaction.message.static_account_keys().len();
    let addresses = wanted(config.accounts.as_ref(), most)?;
    let encoding =
        config.accounts.and_then(|accounts| accounts.encoding).unwrap_or(UiAccountEncoding::Base64);
    if addresses.is_some() && matches!(encoding, UiAccountEncoding::Binary | UiAccountEncoding::Base58) {
        return Err(RpcError::invalid_params("base58 encoding not supported"));
    }
    let level = asked(config.commitment);
    let (slot, result) = handle
        .ask(move |bank| -> Result<_, RpcError> {
            let slot = reached_at(bank, level, config.min_context_slot)?;
            let (latest, last_valid_block_height) = bank.slots.blockhash(slot);
            let replacement = config.replace_recent_blockhash.then(|| {
                transaction.message.set_recent_blockhash(latest);
                RpcBlockhash { blockhash: latest.to_string(), last_valid_block_height }
            });
            let known_by = replacement.is_none().then_some(slot);
            let simulated = bank.simulate(transaction, known_by);
            let inner = config.inner_instructions;
            Ok((slot, told(bank, simulated, addresses.as_deref(), encoding, inner, replacement)?))
        })
        .await??;
    in_context(slot, result)
}

pub async fn airdrop(handle: &Handle, params: &Params) -> Answer {
    let to = params.address(0)?;
    let lamports: u64 = params.required(1)?;
    let config: RpcRequestAirdropConfig = params.optional(2)?.unwrap_or_default();
    let asked = config.recent_blockhash.map(|text| text.parse::<Hash>()).transpose();
    let asked = asked.map_err(|error| RpcError::invalid_params(format!("Invalid param: {error:?}")))?;
    let faucet = handle.faucet.clone();
    let latest = handle.glance(|bank| bank.slots.blockhash(bank.slots.now()).0).await?;
    let counter = handle.airdrops.fetch_add(1, Ordering::Relaxed);
    // The counter makes two airdrops of one amount in one slot two transactions.
    let instructions = [
        solana_system_interface::instruction::transfer(&faucet.pubkey(), &to, lamports),
        solana_system_interface::instruction::transfer(&faucet.pubkey(), &faucet.pubkey(), counter),
    ];
    let blockhash = asked.unwrap_or(latest);
    let message = Message::new_with_blockhash(&instructions, Some(&faucet.pubkey()), &blockhash);
    let transaction = VersionedTransaction::try_new(VersionedMessage::Legacy(message), &[&*faucet])
        .map_err(|_| RpcError::internal())?;
    let bytes = wincode::serialize(&transaction).map_err(|_| RpcError::internal())?;
    match handle.execute(transaction, bytes, Preflight::At(u64::MAX)).await? {
        Ok(signature) => give(&signature.to_string()),
        Err(refused) => Err(RpcError::preflight(*refused)),
    }
}

fn decode(text: &str, encoding: UiTransactionEncoding) -> Result<(VersionedTransaction, Vec<u8>), RpcError> {
    const WHAT: &str = "solana_transaction::versioned::VersionedTransaction";
    let encoding = encoding.into_binary_encoding().ok_or_else(|| {
        RpcError::invalid_params(format!(
            "unsupported encoding: {encoding}. Supported encodings: base58, base64"
        ))
    })?;
    let name = match encoding {
        TransactionBinaryEncoding::Base58 => "base58",
        TransactionBinaryEncoding::Base64 => "base64",
    };
    // Golden numbers of Agave for legacy transactions, and ours for version 1.
    let (encoded_max, v1_encoded_max) = match encoding {
        TransactionBinaryEncoding::Base58 => (1_683, 5_594),
        TransactionBinaryEncoding::Base64 => (1_644, 5_464),
    };
    let too_long = |encoded_max: usize, raw_max: usize| {
        RpcError::invalid_params(format!(
            "{name} encoded {WHAT} too large: {} bytes (max: encoded/raw {encoded_max}/{raw_max})",
            text.len()
        ))
    };
    if text.len() > v1_encoded_max {
        return Err(too_long(v1_encoded_max, V1_MAX));
    }
    let invalid = |error: String| RpcError::invalid_params(format!("invalid {name} encoding: {error}"));
    let bytes = match encoding {
        TransactionBinaryEncoding::Base58 => {
            bs58::decode(text).into_vec().map_err(|error| invalid(format!("{error:?}")))?
        }
        TransactionBinaryEncoding::Base64 => {
            BASE64_STANDARD.decode(text).map_err(|error| invalid(format!("{error:?}")))?
        }
    };
    let is_v1 = bytes.first() == Some(&V1_PREFIX);
    if !is_v1 && text.len() > encoded_max {
        return Err(too_long(encoded_max, PACKET_MAX));
    }
    let max = if is_v1 { V1_MAX } else { PACKET_MAX };
    if bytes.len() > max {
        let length = bytes.len();
        return Err(RpcError::invalid_params(format!(
            "decoded {WHAT} too large: {length} bytes (max: {max} bytes)"
        )));
    }
    let transaction: VersionedTransaction = wincode::deserialize(&bytes)
        .map_err(|error| RpcError::invalid_params(format!("failed to deserialize {WHAT}: {error}")))?;
    Ok((transaction, bytes))
}

fn sanitize(transaction: &VersionedTransaction) -> Result<(), RpcError> {
    transaction.sanitize().map_err(|_| {
        RpcError::invalid_params(format!("invalid transaction: {}", TransactionError::SanitizeFailure))
    })
}

fn is_signed(transaction: &VersionedTransaction) -> bool {
    transaction.verify_with_results().iter().all(|good| *good)
}

fn wanted(
    accounts: Option<&RpcSimulateTransactionAccountsConfig>,
    most: usize,
) -> Result<Option<Vec<Address>>, RpcError> {
    let Some(accounts) = accounts else { return Ok(None) };
    if accounts.addresses.len() > most {
        return Err(RpcError::invalid_params(format!("Too many accounts provided; max {most}")));
    }
    accounts.addresses.iter().map(|text| params::address(text)).collect::<Result<_, _>>().map(Some)
}

fn told(
    bank: &Bank,
    simulated: Simulated,
    addresses: Option<&[Address]>,
    encoding: UiAccountEncoding,
    with_inner: bool,
    replacement_blockhash: Option<RpcBlockhash>,
) -> Result<RpcSimulateTransactionResult, RpcError> {
    let Simulated { err, meta, accounts, before, after, loaded, loaded_bytes } = simulated;
    let shown = addresses
        .map(|addresses| {
            addresses
                .iter()
                .map(|address| {
                    let changed =
                        accounts.iter().find(|(changed, _)| changed == address).map(|(_, account)| account);
                    changed
                        .or_else(|| bank.svm.accounts_db().get_account_ref(address))
                        .map(|account| encode::account(&bank.svm, address, account, encoding, None))
                        .transpose()
                })
                .collect::<Result<Vec<_>, _>>()
        })
        .transpose()?;
    let returned =
        (!meta.return_data.data.is_empty()).then(|| UiTransactionReturnData::from(meta.return_data));
    Ok(RpcSimulateTransactionResult {
        err: err.map(Into::into),
        logs: Some(meta.logs),
        accounts: shown,
        units_consumed: Some(meta.compute_units_consumed),
        loaded_accounts_data_size: Some(loaded_bytes),
        return_data: returned,
        inner_instructions: with_inner.then(|| encode::inner(&inner_instructions(meta.inner_instructions))),
        replacement_blockhash,
        fee: Some(meta.fee),
        pre_token_balances: Some(encode::token_balances(&before.tokens)),
        post_token_balances: Some(encode::token_balances(&after.tokens)),
        pre_balances: Some(before.lamports),
        post_balances: Some(after.lamports),
        loaded_addresses: Some(UiLoadedAddresses::from(&loaded)),
    })
}
