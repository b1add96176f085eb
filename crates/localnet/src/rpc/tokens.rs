//! Methods about tokens.

use super::accounts::matching;
use super::chain::reached_at;
use super::error::RpcError;
use super::params::{self, Params};
use super::{Answer, in_context};
use crate::actor::Handle;
use crate::bank::Bank;
use crate::finality::asked;
use crate::tokens;
use solana_account::{AccountSharedData, ReadableAccount};
use solana_address::Address;
use solana_rpc_client_api::config::{CommitmentConfig, RpcAccountInfoConfig, RpcTokenAccountsFilter};

fn invalid(what: &str) -> RpcError {
    RpcError::invalid_params(format!("Invalid param: {what}"))
}

pub async fn of_owner(handle: &Handle, params: &Params) -> Answer {
    let owner = params.address(0)?;
    let filter: RpcTokenAccountsFilter = params.required(1)?;
    let config: RpcAccountInfoConfig = params.optional(2)?.unwrap_or_default();
    let (mint, program) = match filter {
        RpcTokenAccountsFilter::Mint(mint) => {
            let mint = params::address(&mint)?;
            let program = handle
                .ask(move |bank| tokens::program_of(&bank.svm, &mint))
                .await?
                .ok_or_else(|| invalid("could not find mint"))?;
            if !tokens::is_token_program(&program) {
                return Err(invalid("not a Token mint"));
            }
            (Some(mint), program)
        }
        RpcTokenAccountsFilter::ProgramId(program) => {
            let program = params::address(&program)?;
            if !tokens::is_token_program(&program) {
                return Err(invalid("unrecognized Token program id"));
            }
            (None, program)
        }
    };
    let passes = move |data: &[u8]| {
        tokens::token(data)
            .is_some_and(|token| token.owner == owner && mint.is_none_or(|mint| token.mint == mint))
    };
    let (slot, accounts) = matching(handle, config, program, passes).await?;
    in_context(slot, accounts)
}

pub async fn balance(handle: &Handle, params: &Params) -> Answer {
    let address = params.address(0)?;
    let commitment: Option<CommitmentConfig> = params.optional(1)?;
    let (slot, amount, decimals) = handle
        .ask(move |bank| -> Result<_, RpcError> {
            let slot = reached_at(bank, asked(commitment), None)?;
            let account = token_account(bank, &address, slot, "not a Token account")?;
            let token = tokens::token(account.data()).ok_or_else(|| invalid("not a Token account"))?;
            let decimals =
                tokens::decimals(&bank.svm, &token.mint).ok_or_else(|| invalid("could not find mint"))?;
            Ok((slot, token.amount, decimals))
        })
        .await??;
    in_context(slot, tokens::amount(amount, decimals))
}

pub async fn supply(handle: &Handle, params: &Params) -> Answer {
    let address = params.address(0)?;
    let commitment: Option<CommitmentConfig> = params.optional(1)?;
    let (slot, supply, decimals) = handle
        .ask(move |bank| -> Result<_, RpcError> {
            let slot = reached_at(bank, asked(commitment), None)?;
            let account = token_account(bank, &address, slot, "not a Token mint")?;
            let (supply, decimals) =
                tokens::mint(account.data()).ok_or_else(|| invalid("mint could not be unpacked"))?;
            Ok((slot, supply, decimals))
        })
        .await??;
    in_context(slot, tokens::amount(supply, decimals))
}

fn token_account<'a>(
    bank: &'a Bank,
    address: &Address,
    slot: u64,
    otherwise: &str,
) -> Result<&'a AccountSharedData, RpcError> {
    let account = bank.account(address, slot).ok_or_else(|| invalid("could not find account"))?;
    if tokens::is_token_program(account.owner()) { Ok(account) } else { Err(invalid(otherwise)) }
}
