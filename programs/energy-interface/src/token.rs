//! The few fields of Token-2022's accounts that we read, and the sizes of ours.

use crate::Key;

/// Bytes of a token account of our mint: base, account type, one empty
/// `PausableAccount` extension.
pub const TOKEN_ACCOUNT_LEN: usize = 165 + 1 + 4;

fn key_at(data: &[u8], at: usize) -> Option<Key> {
    data.get(at..at + 32)?.try_into().ok()
}

fn u64_at(data: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(data.get(at..at + 8)?.try_into().ok()?))
}

/// A token account's balance in Wh; `None` when the data is too short or not of
/// a token account.
pub fn amount(data: &[u8]) -> Option<u64> {
    if is_account(data) { u64_at(data, 64) } else { None }
}

/// Whether the data of an account of Token-2022 is a token account's: the bare base, or
/// longer with the account type behind it.
pub fn is_account(data: &[u8]) -> bool {
    data.len() == 165 || data.get(165) == Some(&2)
}

/// The mint of a token account.
pub fn mint(data: &[u8]) -> Option<Key> {
    key_at(data, 0)
}

/// The owner (authority) of a token account.
pub fn owner(data: &[u8]) -> Option<Key> {
    key_at(data, 32)
}

/// A mint's supply in Wh.
pub fn supply(data: &[u8]) -> Option<u64> {
    (data.len() >= 82).then(|| u64_at(data, 36))?
}
