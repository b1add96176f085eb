//! Accounts and transactions in the encodings that clients ask for.

use super::base58;
use super::error::RpcError;
use crate::history::{Executed, Meta};
use crate::tokens;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use litesvm::LiteSVM;
use serde::Serialize;
use solana_account::{AccountSharedData, ReadableAccount};
use solana_account_decoder::parse_account_data::{AccountAdditionalDataV3, SplTokenAdditionalDataV2};
use solana_account_decoder::{
    MAX_BASE58_BYTES, UiAccount, UiAccountEncoding, UiDataSliceConfig, encode_ui_account,
};
use solana_address::Address;
use solana_message::VersionedMessage;
use solana_message::compiled_instruction::CompiledInstruction;
use solana_message::v0::LoadedAddresses;
use solana_rpc_client_api::custom_error::RpcCustomError;
use solana_transaction::versioned::{TransactionVersion, VersionedTransaction};
use solana_transaction_context::transaction::TransactionReturnData;
use solana_transaction_status::VersionedTransactionWithStatusMeta;
use solana_transaction_status_client_types::option_serializer::OptionSerializer;
use solana_transaction_status_client_types::{
    EncodedTransaction, EncodedTransactionWithStatusMeta, InnerInstructions, TransactionBinaryEncoding,
    TransactionStatusMeta, UiCompiledInstruction, UiInnerInstructions, UiInstruction, UiLoadedAddresses,
    UiMessage, UiRawMessage, UiReturnDataEncoding, UiTransaction, UiTransactionEncoding,
    UiTransactionReturnData, UiTransactionStatusMeta, UiTransactionTokenBalance,
};

/// An account.
pub fn account(
    svm: &LiteSVM,
    address: &Address,
    account: &AccountSharedData,
    encoding: UiAccountEncoding,
    slice: Option<UiDataSliceConfig>,
) -> Result<UiAccount, RpcError> {
    with_decimals(address, account, encoding, decimals_for(svm, account, encoding), slice)
}

/// The decimals that an encoding of this account needs: of a token account's mint.
pub fn decimals_for(svm: &LiteSVM, account: &AccountSharedData, encoding: UiAccountEncoding) -> Option<u8> {
    if encoding != UiAccountEncoding::JsonParsed || !tokens::is_token_program(account.owner()) {
        return None;
    }
    tokens::token(account.data()).and_then(|token| tokens::decimals(svm, &token.mint))
}

/// An account whose mint's decimals are known, if it needs them.
pub fn with_decimals(
    address: &Address,
    account: &AccountSharedData,
    encoding: UiAccountEncoding,
    decimals: Option<u8>,
    slice: Option<UiDataSliceConfig>,
) -> Result<UiAccount, RpcError> {
    let shown = slice.map_or(account.data().len(), |slice| slice.length.min(account.data().len()));
    if matches!(encoding, UiAccountEncoding::Binary | UiAccountEncoding::Base58) && shown > MAX_BASE58_BYTES {
        return Err(RpcError::too_long_for_base58(MAX_BASE58_BYTES));
    }
    let additional = decimals.map(|decimals| AccountAdditionalDataV3 {
        spl_token_additional_data: Some(SplTokenAdditionalDataV2::with_decimals(decimals)),
    });
    Ok(encode_ui_account(address, account, encoding, additional, slice))
}

/// A transaction of history, as `getTransaction` gives it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Told {
    slot: u64,
    #[serde(flatten)]
    transaction: EncodedTransactionWithStatusMeta,
    block_time: i64,
}

/// A transaction of history.
pub fn executed(
    executed: &Executed,
    encoding: UiTransactionEncoding,
    version_max: Option<u8>,
) -> Result<Told, RpcError> {
    let transaction = with_meta(executed, encoding, version_max)?;
    Ok(Told { slot: executed.slot, transaction, block_time: executed.block_time })
}

fn with_meta(
    executed: &Executed,
    encoding: UiTransactionEncoding,
    version_max: Option<u8>,
) -> Result<EncodedTransactionWithStatusMeta, RpcError> {
    let transaction: VersionedTransaction =
        wincode::deserialize(&executed.bytes).map_err(|_| RpcError::internal())?;
    let version = transaction.version();
    if let TransactionVersion::Number(number) = version
        && version_max.is_none_or(|max| number > max)
    {
        return Err(RpcCustomError::UnsupportedTransactionVersion(number).into());
    }
    let binary = |text, kind| EncodedTransaction::Binary(text, kind);
    let encoded = match encoding {
        UiTransactionEncoding::Binary => EncodedTransaction::LegacyBinary(base58::encode(&executed.bytes)),
        UiTransactionEncoding::Base58 => {
            binary(base58::encode(&executed.bytes), TransactionBinaryEncoding::Base58)
        }
        UiTransactionEncoding::Base64 => {
            binary(BASE64_STANDARD.encode(&executed.bytes), TransactionBinaryEncoding::Base64)
        }
        UiTransactionEncoding::Json => EncodedTransaction::Json(raw(&transaction)),
        // Agave's own taking apart of the instructions of well-known programs.
        UiTransactionEncoding::JsonParsed => {
            let encoded = complete(executed)?.encode(encoding, version_max, true);
            return encoded.map_err(|error| RpcCustomError::from(error).into());
        }
    };
    Ok(EncodedTransactionWithStatusMeta {
        transaction: encoded,
        meta: Some(meta(&executed.meta)),
        // Clients that ask for no version know none, and are not told one.
        version: version_max.map(|_| version),
    })
}

/// A transaction and what its execution told, as Agave keeps it.
pub fn complete(executed: &Executed) -> Result<VersionedTransactionWithStatusMeta, RpcError> {
    let transaction = wincode::deserialize(&executed.bytes).map_err(|_| RpcError::internal())?;
    let meta = &executed.meta;
    let tokens = |tokens: &[tokens::Balance]| Some(tokens.iter().map(tokens::Balance::told).collect());
    let told = TransactionStatusMeta {
        status: meta.err().map_or(Ok(()), Err),
        fee: meta.fee,
        pre_balances: meta.before.lamports.clone(),
        post_balances: meta.after.lamports.clone(),
        inner_instructions: Some(meta.inner.clone()),
        log_messages: Some(meta.logs.clone()),
        pre_token_balances: tokens(&meta.before.tokens),
        post_token_balances: tokens(&meta.after.tokens),
        rewards: Some(Vec::new()),
        loaded_addresses: loaded(meta),
        return_data: meta
            .returned
            .clone()
            .map(|(program_id, data)| TransactionReturnData { program_id, data }),
        compute_units_consumed: Some(meta.units),
        cost_units: None,
    };
    Ok(VersionedTransactionWithStatusMeta { transaction, meta: told })
}

fn loaded(meta: &Meta) -> LoadedAddresses {
    let (writable, readonly) =
        meta.loaded().split_at(usize::from(meta.loaded_writable).min(meta.loaded().len()));
    LoadedAddresses { writable: writable.to_vec(), readonly: readonly.to_vec() }
}

/// Token balances in JSON.
pub fn token_balances(balances: &[tokens::Balance]) -> Vec<UiTransactionTokenBalance> {
    balances.iter().map(|balance| balance.told().into()).collect()
}

fn meta(meta: &Meta) -> UiTransactionStatusMeta {
    UiTransactionStatusMeta {
        err: meta.err().map(Into::into),
        status: meta.err().map_or(Ok(()), |err| Err(err.into())),
        fee: meta.fee,
        pre_balances: meta.before.lamports.clone(),
        post_balances: meta.after.lamports.clone(),
        inner_instructions: OptionSerializer::Some(inner(&meta.inner)),
        log_messages: OptionSerializer::Some(meta.logs.clone()),
        pre_token_balances: OptionSerializer::Some(token_balances(&meta.before.tokens)),
        post_token_balances: OptionSerializer::Some(token_balances(&meta.after.tokens)),
        rewards: OptionSerializer::Some(Vec::new()),
        loaded_addresses: OptionSerializer::Some(UiLoadedAddresses::from(&loaded(meta))),
        return_data: OptionSerializer::or_skip(meta.returned.as_ref().map(|(program, data)| {
            UiTransactionReturnData {
                program_id: program.to_string(),
                data: (BASE64_STANDARD.encode(data), UiReturnDataEncoding::Base64),
            }
        })),
        compute_units_consumed: OptionSerializer::Some(meta.units),
        cost_units: OptionSerializer::Skip,
    }
}

/// Inner instructions in JSON.
pub fn inner(list: &[InnerInstructions]) -> Vec<UiInnerInstructions> {
    list.iter()
        .map(|called| UiInnerInstructions {
            index: called.index,
            instructions: called
                .instructions
                .iter()
                .map(|inner| UiInstruction::Compiled(compiled(&inner.instruction, inner.stack_height)))
                .collect(),
        })
        .collect()
}

fn compiled(instruction: &CompiledInstruction, stack_height: Option<u32>) -> UiCompiledInstruction {
    UiCompiledInstruction {
        program_id_index: instruction.program_id_index,
        accounts: instruction.accounts.clone(),
        data: base58::encode(&instruction.data),
        stack_height,
    }
}

fn raw(transaction: &VersionedTransaction) -> UiTransaction {
    let message = &transaction.message;
    let config = match message {
        VersionedMessage::V1(message) => Some((&message.config).into()),
        VersionedMessage::Legacy(_) | VersionedMessage::V0(_) => None,
    };
    UiTransaction {
        signatures: transaction.signatures.iter().map(ToString::to_string).collect(),
        message: UiMessage::Raw(UiRawMessage {
            header: *message.header(),
            account_keys: message.static_account_keys().iter().map(ToString::to_string).collect(),
            recent_blockhash: message.recent_blockhash().to_string(),
            instructions: message
                .instructions()
                .iter()
                .map(|instruction| compiled(instruction, Some(1)))
                .collect(),
            address_table_lookups: message
                .address_table_lookups()
                .map(|lookups| lookups.iter().map(Into::into).collect()),
            transaction_config: config,
        }),
    }
}
