//! What people do without the energy program: send tokens and lamports, and try what
//! Token-2022 must not let them.

use super::{Level, Model, Verdict, Why};
use crate::fuzz::deed::Deed;
use crate::fuzz::place::Place;

fn u64_at(data: &[u8], at: usize) -> Verdict<u64> {
    let bytes = data.get(at..at + 8).ok_or(Why::Elsewhere)?;
    Ok(u64::from_le_bytes(bytes.try_into().map_err(|_| Why::Elsewhere)?))
}

impl Model {
    /// Only one thing succeeds: a checked transfer out of a wallet that its owner signs.
    pub(super) fn token_program(&mut self, deed: &Deed) -> Verdict {
        let [from, mint, to, owner] = deed.parties[..] else { return Err(Why::Elsewhere) };
        let Place::Wallet(of) = from.place else { return Err(Why::Elsewhere) };
        let whole = deed.data.len() == 10 && deed.data[0] == 12 && deed.data[9] == 3;
        let rights = owner.signs && from.writable && to.writable;
        let known = self.tokens.contains_key(&to.place) && mint.place == Place::Mint;
        if !whole || !rights || !known || owner.place != Place::Actor(of) || self.rules.level == Level::Hard {
            return Err(Why::Elsewhere);
        }
        self.shift(from.place, to.place, u64_at(&deed.data, 1)?)
    }

    /// A transfer of lamports.
    pub(super) fn system_program(&mut self, deed: &Deed) -> Verdict {
        let [from, to] = deed.parties[..] else { return Err(Why::Elsewhere) };
        if !from.signs || !from.writable || !to.writable || deed.data.get(..4) != Some(&[2, 0, 0, 0]) {
            return Err(Why::Elsewhere);
        }
        self.pay(from.place, to.place, u64_at(&deed.data, 4)?)
    }
}
