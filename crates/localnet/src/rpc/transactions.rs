//! Methods that run transactions.

use super::chain::reached;
use super::error::RpcError;
use super::params::{self, Params};
use super::{Answer, encode, give, in_context};
use crate::actor::Handle;
use crate::bank::{Bank, Simulated};
use crate::history::inner_instructions;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use solana_account_decoder::UiAccountEncoding;
use solana_address::Address;
use solana_message::{Message, VersionedMessage};
use solana_rpc_client_api::config::{
    RpcSendTransactionConfig, RpcSimulateTransactionAccountsConfig, RpcSimulateTransactionConfig,
};
use solana_rpc_client_api::response::{RpcBlockhash, RpcSimulateTransactionResult};
use solana_signer::Signer as _;
use solana_transaction::versioned::VersionedTransaction;
use solana_transaction_status_client_types::{
    TransactionBinaryEncoding, UiTransactionEncoding, UiTransactionReturnData,
};

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
    sanitize(&transaction)?;
    verify(&transaction)?;
    if config.min_context_slot.is_some() {
        handle.read(move |bank| reached(bank, config.min_context_slot)).await??;
    }
    let signature = transaction.signatures.first().copied().unwrap_or_default();
    match handle.execute(transaction, bytes, !config.skip_preflight).await? {
        Ok(signature) => give(&signature.to_string()),
        // Without preflight a node forwards what it does not look at; what became
        // of it is told by its status, or the lack of one.
        Err(_) if config.skip_preflight => give(&signature.to_string()),
        Err(refused) => Err(RpcError::preflight(&refused)),
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
        verify(&transaction)?;
    }
    let addresses = wanted(config.accounts.as_ref())?;
    let encoding =
        config.accounts.and_then(|accounts| accounts.encoding).unwrap_or(UiAccountEncoding::Base64);
    let (slot, result) = handle
        .read(move |bank| -> Result<_, RpcError> {
            let slot = reached(bank, config.min_context_slot)?;
            let (latest, last_valid_block_height) = bank.slots.latest();
            let replacement = config.replace_recent_blockhash.then(|| {
                transaction.message.set_recent_blockhash(latest);
                RpcBlockhash { blockhash: latest.to_string(), last_valid_block_height }
            });
            let simulated = bank.simulate(transaction, replacement.is_none());
            let result = told(
                bank,
                simulated,
                addresses.as_deref(),
                encoding,
                config.inner_instructions,
                replacement,
            )?;
            Ok((slot, result))
        })
        .await??;
    in_context(slot, result)
}

pub async fn airdrop(handle: &Handle, params: &Params) -> Answer {
    let to = params.address(0)?;
    let lamports: u64 = params.required(1)?;
    let faucet = handle.faucet.clone();
    let (blockhash, counter) = handle.read(|bank| (bank.slots.latest().0, bank.last_seq)).await?;
    // The counter makes two airdrops of one amount in one slot two transactions.
    let instructions = [
        solana_system_interface::instruction::transfer(&faucet.pubkey(), &to, lamports),
        solana_system_interface::instruction::transfer(&faucet.pubkey(), &faucet.pubkey(), counter),
    ];
    let message = Message::new_with_blockhash(&instructions, Some(&faucet.pubkey()), &blockhash);
    let transaction = VersionedTransaction::try_new(VersionedMessage::Legacy(message), &[&*faucet])
        .map_err(|_| RpcError::internal())?;
    let bytes = wincode::serialize(&transaction).map_err(|_| RpcError::internal())?;
    match handle.execute(transaction, bytes, true).await? {
        Ok(signature) => give(&signature.to_string()),
        Err(refused) => Err(RpcError::preflight(&refused)),
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
    let too_large = |length: usize, what: &str, max: usize| {
        RpcError::invalid_params(format!(
            "{what} {WHAT} too large: {length} bytes (max: encoded/raw {max}/{V1_MAX})"
        ))
    };
    // Four thirds for base64, a little more for base58.
    let encoded_max = V1_MAX * 11 / 8 + 4;
    if text.len() > encoded_max {
        return Err(too_large(text.len(), &format!("{name} encoded"), encoded_max));
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
    let max = if bytes.first() == Some(&V1_PREFIX) { V1_MAX } else { PACKET_MAX };
    if bytes.len() > max {
        return Err(too_large(bytes.len(), "decoded", encoded_max));
    }
    let transaction: VersionedTransaction = wincode::deserialize(&bytes)
        .map_err(|error| RpcError::invalid_params(format!("failed to deserialize {WHAT}: {error}")))?;
    Ok((transaction, bytes))
}

fn sanitize(transaction: &VersionedTransaction) -> Result<(), RpcError> {
    transaction.sanitize().map_err(|error| {
        RpcError::invalid_params(format!(
            "invalid transaction: Transaction failed to sanitize accounts offsets correctly ({error})"
        ))
    })
}

fn verify(transaction: &VersionedTransaction) -> Result<(), RpcError> {
    if transaction.verify_with_results().iter().all(|good| *good) {
        Ok(())
    } else {
        Err(RpcError::signature())
    }
}

fn wanted(accounts: Option<&RpcSimulateTransactionAccountsConfig>) -> Result<Option<Vec<Address>>, RpcError> {
    accounts.map(|accounts| accounts.addresses.iter().map(|text| params::address(text)).collect()).transpose()
}

fn told(
    bank: &Bank,
    simulated: Simulated,
    addresses: Option<&[Address]>,
    encoding: UiAccountEncoding,
    with_inner: bool,
    replacement_blockhash: Option<RpcBlockhash>,
) -> Result<RpcSimulateTransactionResult, RpcError> {
    let Simulated { err, meta, accounts } = simulated;
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
        loaded_accounts_data_size: None,
        return_data: returned,
        inner_instructions: with_inner.then(|| encode::inner(&inner_instructions(meta.inner_instructions))),
        replacement_blockhash,
        fee: Some(meta.fee),
        pre_balances: None,
        post_balances: None,
        pre_token_balances: None,
        post_token_balances: None,
        loaded_addresses: None,
    })
}
