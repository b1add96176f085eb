//! Methods that read accounts.

use super::chain::reached;
use super::error::RpcError;
use super::params::{self, Params};
use super::{Answer, encode, give, in_context};
use crate::actor::Handle;
use crate::bank::Bank;
use litesvm::LiteSVM;
use solana_account::{AccountSharedData, ReadableAccount};
use solana_account_decoder::UiAccountEncoding;
use solana_address::Address;
use solana_rpc_client_api::config::{RpcAccountInfoConfig, RpcProgramAccountsConfig, RpcTokenAccountsFilter};
use solana_rpc_client_api::filter::RpcFilterType;
use solana_rpc_client_api::response::RpcKeyedAccount;

/// Agave's limit of `getMultipleAccounts`.
const MANY_MAX: usize = 100;
/// Agave's limit of filters.
const FILTERS_MAX: usize = 4;

pub async fn balance(handle: &Handle, params: &Params) -> Answer {
    let address = params.address(0)?;
    let (slot, lamports) =
        handle.read(move |bank| (bank.slots.now(), bank.svm.get_balance(&address).unwrap_or(0))).await?;
    in_context(slot, lamports)
}

pub async fn one(handle: &Handle, params: &Params) -> Answer {
    let address = params.address(0)?;
    let config: RpcAccountInfoConfig = params.optional(1)?.unwrap_or_default();
    let (slot, account) = handle
        .read(move |bank| -> Result<_, RpcError> {
            let slot = reached(bank, config.min_context_slot)?;
            Ok((slot, ui(&bank.svm, &address, &config, UiAccountEncoding::Binary)?))
        })
        .await??;
    in_context(slot, account)
}

pub async fn many(handle: &Handle, params: &Params) -> Answer {
    let texts: Vec<String> = params.required(0)?;
    if texts.len() > MANY_MAX {
        return Err(RpcError::invalid_params(format!("Too many inputs provided; max {MANY_MAX}")));
    }
    let addresses = texts.iter().map(|text| params::address(text)).collect::<Result<Vec<_>, _>>()?;
    let config: RpcAccountInfoConfig = params.optional(1)?.unwrap_or_default();
    let (slot, accounts) = handle
        .read(move |bank| -> Result<_, RpcError> {
            let slot = reached(bank, config.min_context_slot)?;
            let accounts = addresses
                .iter()
                .map(|address| ui(&bank.svm, address, &config, UiAccountEncoding::Base64))
                .collect::<Result<Vec<_>, _>>()?;
            Ok((slot, accounts))
        })
        .await??;
    in_context(slot, accounts)
}

pub async fn of_program(handle: &Handle, params: &Params) -> Answer {
    let program = params.address(0)?;
    let config: RpcProgramAccountsConfig = params.optional(1)?.unwrap_or_default();
    let filters = config.filters.unwrap_or_default();
    if filters.len() > FILTERS_MAX {
        return Err(RpcError::invalid_params(format!("Too many filters provided; max {FILTERS_MAX}")));
    }
    for filter in &filters {
        filter.verify().map_err(|error| RpcError::invalid_params(format!("Invalid param: {error}")))?;
    }
    let with_context = config.with_context.unwrap_or(false);
    let (slot, accounts) = handle
        .read(move |bank| {
            matching(bank, &config.account_config, &program, |data| {
                filters.iter().all(|filter| allows(filter, data))
            })
        })
        .await??;
    if with_context { in_context(slot, accounts) } else { give(&accounts) }
}

pub async fn tokens_of(handle: &Handle, params: &Params) -> Answer {
    let owner = params.address(0)?;
    let (mint, program) = match params.required(1)? {
        RpcTokenAccountsFilter::Mint(mint) => (Some(params::address(&mint)?), None),
        RpcTokenAccountsFilter::ProgramId(program) => (None, Some(params::address(&program)?)),
    };
    let config: RpcAccountInfoConfig = params.optional(2)?.unwrap_or_default();
    let (slot, accounts) = handle
        .read(move |bank| {
            let program = program
                .or_else(|| {
                    mint.and_then(|mint| {
                        bank.svm.accounts_db().get_account_ref(&mint).map(|account| *account.owner())
                    })
                })
                .filter(encode::is_token_program)
                .ok_or_else(|| RpcError::invalid_params("Invalid param: could not find mint"))?;
            matching(bank, &config, &program, |data| {
                encode::token(data)
                    .is_some_and(|token| token.owner == owner && mint.is_none_or(|mint| token.mint == mint))
            })
        })
        .await??;
    in_context(slot, accounts)
}

pub async fn token_balance(handle: &Handle, params: &Params) -> Answer {
    let address = params.address(0)?;
    let found = handle
        .read(move |bank| {
            let account = token_account(&bank.svm, &address)?;
            let token = encode::token(account.data())?;
            Some((bank.slots.now(), token.amount, encode::decimals(&bank.svm, &token.mint)?))
        })
        .await?;
    let (slot, amount, decimals) =
        found.ok_or_else(|| RpcError::invalid_params("Invalid param: could not find account"))?;
    in_context(slot, encode::amount(amount, decimals))
}

pub async fn token_supply(handle: &Handle, params: &Params) -> Answer {
    let mint = params.address(0)?;
    let found = handle
        .read(move |bank| {
            let account = token_account(&bank.svm, &mint)?;
            let supply = account.data().get(36..44)?.try_into().ok().map(u64::from_le_bytes)?;
            Some((bank.slots.now(), supply, encode::decimals(&bank.svm, &mint)?))
        })
        .await?;
    let (slot, supply, decimals) =
        found.ok_or_else(|| RpcError::invalid_params("Invalid param: could not find mint"))?;
    in_context(slot, encode::amount(supply, decimals))
}

fn token_account<'a>(svm: &'a LiteSVM, address: &Address) -> Option<&'a AccountSharedData> {
    svm.accounts_db().get_account_ref(address).filter(|account| encode::is_token_program(account.owner()))
}

type Keyed = Vec<RpcKeyedAccount>;

/// Accounts of a program that pass, by address: the same order every time.
fn matching(
    bank: &Bank,
    config: &RpcAccountInfoConfig,
    program: &Address,
    passes: impl Fn(&[u8]) -> bool,
) -> Result<(u64, Keyed), RpcError> {
    let slot = reached(bank, config.min_context_slot)?;
    let mut found: Vec<_> = bank
        .svm
        .accounts_db()
        .inner
        .iter()
        .filter(|(_, account)| account.owner() == program && passes(account.data()))
        .collect();
    found.sort_unstable_by_key(|(address, _)| **address);
    let encoding = config.encoding.unwrap_or(UiAccountEncoding::Binary);
    let accounts = found
        .into_iter()
        .map(|(address, account)| {
            Ok(RpcKeyedAccount {
                pubkey: address.to_string(),
                account: encode::account(&bank.svm, address, account, encoding, config.data_slice)?,
            })
        })
        .collect::<Result<_, RpcError>>()?;
    Ok((slot, accounts))
}

fn allows(filter: &RpcFilterType, data: &[u8]) -> bool {
    match filter {
        RpcFilterType::DataSize(size) => data.len() as u64 == *size,
        RpcFilterType::Memcmp(memcmp) => memcmp.bytes_match(data),
        RpcFilterType::TokenAccountState => encode::token(data).is_some(),
    }
}

fn ui(
    svm: &LiteSVM,
    address: &Address,
    config: &RpcAccountInfoConfig,
    otherwise: UiAccountEncoding,
) -> Result<Option<solana_account_decoder::UiAccount>, RpcError> {
    let Some(account) = svm.accounts_db().get_account_ref(address) else { return Ok(None) };
    let encoding = config.encoding.unwrap_or(otherwise);
    encode::account(svm, address, account, encoding, config.data_slice).map(Some)
}
