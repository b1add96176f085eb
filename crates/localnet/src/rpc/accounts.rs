//! Methods that read accounts.

use super::chain::{reached, reached_at};
use super::error::RpcError;
use super::filters::Filters;
use super::params::{self, Params};
use super::{Answer, encode, give, in_context};
use crate::actor::Handle;
use crate::bank::Bank;
use crate::finality::asked;
use solana_account::{AccountSharedData, ReadableAccount};
use solana_account_decoder::{UiAccount, UiAccountEncoding};
use solana_address::Address;
use solana_rpc_client_api::config::{RpcAccountInfoConfig, RpcContextConfig, RpcProgramAccountsConfig};
use solana_rpc_client_api::response::RpcKeyedAccount;

/// Agave's limit of `getMultipleAccounts`.
const MANY_MAX: usize = 100;

pub async fn balance(handle: &Handle, params: &Params) -> Answer {
    let address = params.address(0)?;
    let context: RpcContextConfig = params.optional(1)?.unwrap_or_default();
    let (slot, lamports) = handle
        .ask(move |bank| {
            let slot = reached(bank, &context)?;
            Ok::<_, RpcError>((slot, bank.account(&address, slot).map_or(0, ReadableAccount::lamports)))
        })
        .await??;
    in_context(slot, lamports)
}

pub async fn one(handle: &Handle, params: &Params) -> Answer {
    let address = params.address(0)?;
    let config: RpcAccountInfoConfig = params.optional(1)?.unwrap_or_default();
    let (slot, account) = handle
        .ask(move |bank| -> Result<_, RpcError> {
            let slot = seen(bank, &config)?;
            Ok((slot, shown(bank, &address, slot, &config, UiAccountEncoding::Binary)?))
        })
        .await??;
    in_context(slot, account)
}

pub async fn many(handle: &Handle, params: &Params) -> Answer {
    let texts: Vec<String> = params.required(0)?;
    let config: RpcAccountInfoConfig = params.optional(1)?.unwrap_or_default();
    if texts.len() > MANY_MAX {
        return Err(RpcError::invalid_params(format!("Too many inputs provided; max {MANY_MAX}")));
    }
    let addresses = texts.iter().map(|text| params::address(text)).collect::<Result<Vec<_>, _>>()?;
    let (slot, accounts) = handle
        .ask(move |bank| -> Result<_, RpcError> {
            let slot = seen(bank, &config)?;
            let accounts = addresses
                .iter()
                .map(|address| shown(bank, address, slot, &config, UiAccountEncoding::Base64))
                .collect::<Result<Vec<_>, _>>()?;
            Ok((slot, accounts))
        })
        .await??;
    in_context(slot, accounts)
}

pub async fn of_program(handle: &Handle, params: &Params) -> Answer {
    let program = params.address(0)?;
    let config: RpcProgramAccountsConfig = params.optional(1)?.unwrap_or_default();
    let filters = Filters::new(config.filters)?;
    let with_context = config.with_context.unwrap_or(false);
    let (slot, accounts) =
        matching(handle, config.account_config, program, move |data| filters.allow(data)).await?;
    if with_context { in_context(slot, accounts) } else { give(&accounts) }
}

/// Accounts of a program that pass, by address: the same order every time. What is
/// found is written down beside the chain's thread.
pub async fn matching(
    handle: &Handle,
    config: RpcAccountInfoConfig,
    program: Address,
    passes: impl Fn(&[u8]) -> bool + Send + 'static,
) -> Result<(u64, Vec<RpcKeyedAccount>), RpcError> {
    let encoding = config.encoding.unwrap_or(UiAccountEncoding::Binary);
    let slice = config.data_slice;
    let (slot, mut found) = handle
        .ask(move |bank| -> Result<_, RpcError> {
            let slot = seen(bank, &config)?;
            let found: Vec<_> = bank
                .accounts_of(&program, slot)
                .into_iter()
                .filter(|(_, account)| passes(account.data()))
                .map(|(address, account)| {
                    let decimals = encode::decimals_for(&bank.svm, account, encoding);
                    (address, account.clone(), decimals)
                })
                .collect();
            Ok((slot, found))
        })
        .await??;
    found.sort_unstable_by_key(|(address, ..)| *address);
    let accounts = found
        .iter()
        .map(|(address, account, decimals)| {
            let account = encode::with_decimals(address, account, encoding, *decimals, slice)?;
            Ok(RpcKeyedAccount { pubkey: address.to_string(), account })
        })
        .collect::<Result<_, RpcError>>()?;
    Ok((slot, accounts))
}

/// The slot that a caller sees.
pub fn seen(bank: &Bank, config: &RpcAccountInfoConfig) -> Result<u64, RpcError> {
    reached_at(bank, asked(config.commitment), config.min_context_slot)
}

fn shown(
    bank: &Bank,
    address: &Address,
    slot: u64,
    config: &RpcAccountInfoConfig,
    otherwise: UiAccountEncoding,
) -> Result<Option<UiAccount>, RpcError> {
    let account: Option<&AccountSharedData> = bank.account(address, slot);
    let encoding = config.encoding.unwrap_or(otherwise);
    account
        .map(|account| encode::account(&bank.svm, address, account, encoding, config.data_slice))
        .transpose()
}
