//! What accounts were a few slots ago, for those who ask at a commitment that has
//! not reached the present. Kept for the slots that are not final yet.

use solana_account::AccountSharedData;
use solana_address::Address;
use std::collections::{HashMap, VecDeque};

/// Accounts before the changes of slots that are not final.
#[derive(Default)]
pub struct Versions {
    /// By address: the slot of a change and the account before it, oldest first.
    changed: HashMap<Address, VecDeque<(u64, Option<AccountSharedData>)>>,
    in_order: VecDeque<(u64, Address)>,
}

/// An account at the end of a slot.
#[derive(Debug, PartialEq)]
pub enum Then<'a> {
    /// It has not changed since.
    AsNow,
    /// It was this, or not there.
    Was(Option<&'a AccountSharedData>),
}

impl Versions {
    /// Remembers that `address` was `before` until `slot` changed it.
    pub fn remember(&mut self, slot: u64, address: Address, before: Option<AccountSharedData>) {
        let changes = self.changed.entry(address).or_default();
        // Only what it was before the slot's first change can ever be asked for.
        if changes.back().is_none_or(|(last, _)| *last < slot) {
            changes.push_back((slot, before));
            self.in_order.push_back((slot, address));
        }
    }

    /// The account as it was at the end of `slot`.
    pub fn at(&self, slot: u64, address: &Address) -> Then<'_> {
        let Some(changes) = self.changed.get(address) else { return Then::AsNow };
        let first_after = changes.partition_point(|(changed, _)| *changed <= slot);
        changes.get(first_after).map_or(Then::AsNow, |(_, before)| Then::Was(before.as_ref()))
    }

    /// Every account that has changed since `slot`, as it was at its end.
    pub fn since(&self, slot: u64) -> impl Iterator<Item = (&Address, Option<&AccountSharedData>)> {
        self.changed.keys().filter_map(move |address| match self.at(slot, address) {
            Then::AsNow => None,
            Then::Was(account) => Some((address, account)),
        })
    }

    /// Forgets what nobody can ask for once `slot` is final.
    pub fn forget_through(&mut self, slot: u64) {
        while let Some((old, address)) = self.in_order.front()
            && *old <= slot
        {
            if let Some(changes) = self.changed.get_mut(address) {
                changes.pop_front();
                if changes.is_empty() {
                    self.changed.remove(address);
                }
            }
            self.in_order.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_told_as_it_was_at_the_end_of_a_slot() {
        let address = Address::new_from_array([1; 32]);
        let lamports = |lamports| Some(AccountSharedData::new(lamports, 0, &Address::default()));
        let mut versions = Versions::default();
        versions.remember(5, address, None);
        versions.remember(5, address, lamports(1));
        versions.remember(7, address, lamports(2));
        let two = lamports(2);
        assert_eq!(versions.at(4, &address), Then::Was(None), "it was not there before slot 5");
        assert_eq!(versions.at(5, &address), Then::Was(two.as_ref()));
        assert_eq!(versions.at(6, &address), Then::Was(two.as_ref()));
        assert_eq!(versions.at(7, &address), Then::AsNow);
        assert_eq!((versions.since(4).count(), versions.since(7).count()), (1, 0));
        versions.forget_through(5);
        assert_eq!(versions.at(6, &address), Then::Was(two.as_ref()));
        versions.forget_through(7);
        assert!(versions.changed.is_empty() && versions.in_order.is_empty());
    }
}
