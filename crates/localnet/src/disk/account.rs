//! An account as it is stored: lamports, rent epoch, executable, owner, data.

use solana_account::{Account, ReadableAccount};
use solana_address::Address;

/// Writes an account over what `state` holds.
pub fn encode(account: &impl ReadableAccount, state: &mut Vec<u8>) {
    state.clear();
    state.extend_from_slice(&account.lamports().to_le_bytes());
    state.extend_from_slice(&account.rent_epoch().to_le_bytes());
    state.push(u8::from(account.executable()));
    state.extend_from_slice(account.owner().as_ref());
    state.extend_from_slice(account.data());
}

/// Reads a stored account.
pub fn decode(state: &[u8]) -> Option<Account> {
    Some(Account {
        lamports: u64::from_le_bytes(state.get(..8)?.try_into().ok()?),
        rent_epoch: u64::from_le_bytes(state.get(8..16)?.try_into().ok()?),
        executable: *state.get(16)? == 1,
        owner: Address::try_from(state.get(17..49)?).ok()?,
        data: state.get(49..)?.to_vec(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_read_as_it_was_written() {
        let account = Account {
            lamports: 5,
            data: vec![1, 2, 3],
            owner: Address::new_from_array([7; 32]),
            executable: true,
            rent_epoch: u64::MAX,
        };
        let mut state = vec![9; 100];
        encode(&account, &mut state);
        assert_eq!(decode(&state), Some(account));
        assert_eq!(decode(&state[..48]), None);
    }
}
