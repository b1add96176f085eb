//! Tokens as they move, come and go.

use super::{Level, Model, Verdict, Why};
use crate::fuzz::place::Place;

impl Model {
    /// Wh in a token account of the mint.
    pub fn wh(&self, place: Place) -> u64 {
        self.tokens.get(&place).copied().unwrap_or(0)
    }

    /// Whether the mint lets tokens move at all.
    fn moving(&self, wh: u64) -> Verdict {
        if wh > 0 && self.rules.level == Level::Hard { Err(Why::Elsewhere) } else { Ok(()) }
    }

    /// Moves tokens; nothing happens for none.
    pub(super) fn shift(&mut self, from: Place, to: Place, wh: u64) -> Verdict {
        self.moving(wh)?;
        let left = self.wh(from).checked_sub(wh).ok_or(Why::Elsewhere)?;
        self.tokens.insert(from, left);
        *self.tokens.entry(to).or_default() += wh;
        self.touched.extend([from, to]);
        Ok(())
    }

    /// Mints; the supply has its limit.
    pub(super) fn mint(&mut self, to: Place, wh: u64) -> Verdict {
        self.moving(wh)?;
        let supply: u128 = self.tokens.values().map(|wh| u128::from(*wh)).sum();
        if supply + u128::from(wh) > u128::from(u64::MAX) {
            return Err(Why::Elsewhere);
        }
        *self.tokens.entry(to).or_default() += wh;
        self.touched.extend([to, Place::Mint]);
        Ok(())
    }

    /// Burns.
    pub(super) fn burn(&mut self, from: Place, wh: u64) -> Verdict {
        self.moving(wh)?;
        let left = self.wh(from).checked_sub(wh).ok_or(Why::Elsewhere)?;
        self.tokens.insert(from, left);
        self.touched.extend([from, Place::Mint]);
        Ok(())
    }
}
