//! Token accounts: what their bytes say, and the balances that a transaction's
//! history shows.

use litesvm::LiteSVM;
use solana_account::{AccountSharedData, ReadableAccount};
use solana_account_decoder::parse_account_data::SplTokenAdditionalDataV2;
use solana_account_decoder::parse_token::{UiTokenAmount, token_amount_to_ui_amount_v3};
use solana_address::Address;
use solana_transaction_status_client_types::TransactionTokenBalance;
use wincode::{SchemaRead, SchemaWrite};

/// The original token program.
const TOKEN: Address = Address::from_str_const("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA");
/// Token-2022.
const TOKEN_2022: Address = Address::from_str_const("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb");
/// Wrapped SOL: a mint that every cluster has whether or not its account is there.
const NATIVE_MINT: Address = Address::from_str_const("So11111111111111111111111111111111111111112");
/// Bytes of a token account, and where Token-2022 says of what kind an account is.
const ACCOUNT_LENGTH: usize = 165;
/// The kind of a token account.
const ACCOUNT_KIND: u8 = 2;
/// Bytes of a mint.
const MINT_LENGTH: usize = 82;
/// The kind of a mint.
const MINT_KIND: u8 = 1;

/// Whether a program is one of the two token programs.
pub fn is_token_program(program: &Address) -> bool {
    *program == TOKEN || *program == TOKEN_2022
}

/// The part of a token account that every extension leaves where it is.
pub struct Token {
    /// Its mint.
    pub mint: Address,
    /// Who may move its tokens.
    pub owner: Address,
    /// Its tokens, in atoms.
    pub amount: u64,
}

/// Reads a token account's data; `None` for anything else.
pub fn token(data: &[u8]) -> Option<Token> {
    let has_kind = data.get(ACCOUNT_LENGTH).is_none_or(|kind| *kind == ACCOUNT_KIND);
    // The state byte: 0 is an account that nobody has initialised.
    if !has_kind || data.len() < ACCOUNT_LENGTH || *data.get(108)? == 0 {
        return None;
    }
    Some(Token {
        mint: Address::try_from(data.get(..32)?).ok()?,
        owner: Address::try_from(data.get(32..64)?).ok()?,
        amount: u64::from_le_bytes(data.get(64..72)?.try_into().ok()?),
    })
}

/// Supply and decimals of a mint's data; `None` for anything else.
pub fn mint(data: &[u8]) -> Option<(u64, u8)> {
    let has_kind = data.len() == MINT_LENGTH || data.get(ACCOUNT_LENGTH) == Some(&MINT_KIND);
    if !has_kind || *data.get(45)? == 0 {
        return None;
    }
    Some((u64::from_le_bytes(data.get(36..44)?.try_into().ok()?), *data.get(44)?))
}

/// The token program of a mint, or whatever owns an account that is none.
pub fn program_of(svm: &LiteSVM, mint: &Address) -> Option<Address> {
    if *mint == NATIVE_MINT {
        return Some(TOKEN);
    }
    svm.accounts_db().get_account_ref(mint).map(|account| *account.owner())
}

/// Decimals of a mint as the chain has it now; they never change.
pub fn decimals(svm: &LiteSVM, address: &Address) -> Option<u8> {
    if *address == NATIVE_MINT {
        return Some(9);
    }
    let account = svm.accounts_db().get_account_ref(address)?;
    is_token_program(account.owner()).then(|| mint(account.data())).flatten().map(|(_, decimals)| decimals)
}

/// An amount of tokens.
pub fn amount(atoms: u64, decimals: u8) -> UiTokenAmount {
    token_amount_to_ui_amount_v3(atoms, &SplTokenAdditionalDataV2::with_decimals(decimals))
}

/// What one account of a transaction held.
#[derive(Clone, Debug, PartialEq, Eq, SchemaRead, SchemaWrite)]
pub struct Balance {
    index: u8,
    is_2022: bool,
    decimals: u8,
    amount: u64,
    mint: Address,
    owner: Address,
}

/// The token balances of a transaction's accounts, as `account` finds them.
pub fn balances<'a>(
    svm: &LiteSVM,
    keys: &[Address],
    account: impl Fn(&Address) -> Option<&'a AccountSharedData>,
) -> Vec<Balance> {
    // Only a transaction that names a token's mint or account can hold tokens; the
    // mint is looked up once, since most rows of a batch share it.
    let mut last: Option<(Address, u8)> = None;
    (0u8..)
        .zip(keys)
        .filter_map(|(index, key)| {
            let account = account(key)?;
            if !is_token_program(account.owner()) {
                return None;
            }
            let Token { mint, owner, amount } = token(account.data())?;
            let decimals = match last {
                Some((known, decimals)) if known == mint => decimals,
                _ => self::decimals(svm, &mint)?,
            };
            last = Some((mint, decimals));
            let is_2022 = *account.owner() == TOKEN_2022;
            Some(Balance { index, is_2022, decimals, amount, mint, owner })
        })
        .collect()
}

impl Balance {
    /// In the words of history.
    pub fn told(&self) -> TransactionTokenBalance {
        TransactionTokenBalance {
            account_index: self.index,
            mint: self.mint.to_string(),
            ui_token_amount: amount(self.amount, self.decimals),
            owner: self.owner.to_string(),
            program_id: if self.is_2022 { TOKEN_2022 } else { TOKEN }.to_string(),
        }
    }
}
