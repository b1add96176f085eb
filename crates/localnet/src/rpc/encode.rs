//! Accounts and transactions in the encodings that clients ask for.

use super::base58;
use super::error::RpcError;
use crate::history::{Executed, Meta};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use litesvm::LiteSVM;
use serde_json::{Value, json};
use solana_account::{AccountSharedData, ReadableAccount};
use solana_account_decoder::parse_account_data::{AccountAdditionalDataV3, SplTokenAdditionalDataV2};
use solana_account_decoder::parse_token::token_amount_to_ui_amount_v3;
use solana_account_decoder::{
    MAX_BASE58_BYTES, UiAccount, UiAccountEncoding, UiDataSliceConfig, encode_ui_account,
};
use solana_address::{Address, address};
use solana_message::VersionedMessage;
use solana_message::compiled_instruction::CompiledInstruction;
use solana_message::v0::LoadedAddresses;
use solana_rpc_client_api::response::UiTokenAmount;
use solana_transaction::versioned::VersionedTransaction;
use solana_transaction_status_client_types::option_serializer::OptionSerializer;
use solana_transaction_status_client_types::{
    EncodedTransaction, InnerInstructions, TransactionBinaryEncoding, UiCompiledInstruction,
    UiInnerInstructions, UiInstruction, UiLoadedAddresses, UiMessage, UiRawMessage, UiReturnDataEncoding,
    UiTransaction, UiTransactionEncoding, UiTransactionReturnData, UiTransactionStatusMeta,
};

const TOKEN: Address = address!("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA");
const TOKEN_2022: Address = address!("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb");

/// Length of a token account without extensions.
const TOKEN_ACCOUNT: usize = 165;
/// What the byte after a token account's base says when it is one, not a mint.
const TOKEN_ACCOUNT_TYPE: u8 = 2;

/// A token account's first three fields.
pub struct Token {
    /// Its mint.
    pub mint: Address,
    /// Its owner.
    pub owner: Address,
    /// Tokens in it, in atoms.
    pub amount: u64,
}

/// Whether this is one of the two token programs.
pub fn is_token_program(program: &Address) -> bool {
    [TOKEN, TOKEN_2022].contains(program)
}

/// Reads a token account of either program; `None` for anything else.
pub fn token(data: &[u8]) -> Option<Token> {
    let has_type = data.get(TOKEN_ACCOUNT).is_none_or(|kind| *kind == TOKEN_ACCOUNT_TYPE);
    // The state byte: 0 is an account that nobody has initialised.
    if !has_type || *data.get(108)? == 0 || data.len() < TOKEN_ACCOUNT {
        return None;
    }
    Some(Token {
        mint: Address::try_from(data.get(..32)?).ok()?,
        owner: Address::try_from(data.get(32..64)?).ok()?,
        amount: u64::from_le_bytes(data.get(64..72)?.try_into().ok()?),
    })
}

/// Decimals of a mint.
pub fn decimals(svm: &LiteSVM, mint: &Address) -> Option<u8> {
    let account = svm.accounts_db().get_account_ref(mint)?;
    is_token_program(account.owner()).then(|| account.data().get(44).copied())?
}

/// An amount of tokens.
pub fn amount(atoms: u64, decimals: u8) -> UiTokenAmount {
    token_amount_to_ui_amount_v3(atoms, &SplTokenAdditionalDataV2::with_decimals(decimals))
}

/// An account.
pub fn account(
    svm: &LiteSVM,
    address: &Address,
    account: &AccountSharedData,
    encoding: UiAccountEncoding,
    slice: Option<UiDataSliceConfig>,
) -> Result<UiAccount, RpcError> {
    let shown = slice.map_or(account.data().len(), |slice| slice.length);
    if matches!(encoding, UiAccountEncoding::Binary | UiAccountEncoding::Base58) && shown > MAX_BASE58_BYTES {
        return Err(RpcError::too_long_for_base58(MAX_BASE58_BYTES));
    }
    let additional = (encoding == UiAccountEncoding::JsonParsed && is_token_program(account.owner()))
        .then(|| token(account.data()).and_then(|token| decimals(svm, &token.mint)))
        .flatten()
        .map(|decimals| AccountAdditionalDataV3 {
            spl_token_additional_data: Some(SplTokenAdditionalDataV2::with_decimals(decimals)),
        });
    Ok(encode_ui_account(address, account, encoding, additional, slice))
}

/// A transaction of history, as `getTransaction` gives it.
pub fn executed(
    executed: &Executed,
    encoding: UiTransactionEncoding,
    version_max: Option<u8>,
) -> Result<Value, RpcError> {
    let transaction: VersionedTransaction =
        wincode::deserialize(&executed.bytes).map_err(|_| RpcError::internal())?;
    let version = transaction.version();
    if let solana_transaction::versioned::TransactionVersion::Number(number) = version
        && version_max.is_none_or(|max| number > max)
    {
        return Err(RpcError::version(number));
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
        // Instructions are not taken apart here: clients that know a program do.
        UiTransactionEncoding::Json | UiTransactionEncoding::JsonParsed => {
            EncodedTransaction::Json(raw(&transaction))
        }
    };
    let mut value = json!({
        "slot": executed.slot,
        "blockTime": executed.block_time,
        "transaction": encoded,
        "meta": meta(&executed.meta),
    });
    // Clients that ask for no version know none, and are not told one.
    if version_max.is_some() {
        value["version"] = json!(version);
    }
    Ok(value)
}

fn meta(meta: &Meta) -> UiTransactionStatusMeta {
    let (writable, readonly) =
        meta.loaded().split_at(usize::from(meta.loaded_writable).min(meta.loaded().len()));
    let loaded = LoadedAddresses { writable: writable.to_vec(), readonly: readonly.to_vec() };
    UiTransactionStatusMeta {
        err: meta.err().map(Into::into),
        status: meta.err().map_or(Ok(()), |err| Err(err.into())),
        fee: meta.fee,
        pre_balances: meta.before.clone(),
        post_balances: meta.after.clone(),
        inner_instructions: OptionSerializer::Some(inner(&meta.inner)),
        log_messages: OptionSerializer::Some(meta.logs.clone()),
        // Token balances are what the token accounts say; history keeps lamports.
        pre_token_balances: OptionSerializer::Some(Vec::new()),
        post_token_balances: OptionSerializer::Some(Vec::new()),
        rewards: OptionSerializer::Some(Vec::new()),
        loaded_addresses: OptionSerializer::Some(UiLoadedAddresses::from(&loaded)),
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
