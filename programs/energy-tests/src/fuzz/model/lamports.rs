//! Who pays for an account, and who gets it back.

use super::{Model, Verdict, Why};
use crate::fuzz::place::Place;

impl Model {
    /// Lamports that an account of so many bytes must hold.
    pub fn rent(&self, bytes: usize) -> u64 {
        (128 + bytes as u64) * self.lamports_per_byte
    }

    /// Lamports at a place.
    pub fn lamports(&self, place: Place) -> u64 {
        self.lamports.get(&place).copied().unwrap_or(0)
    }

    /// Moves lamports.
    pub(super) fn pay(&mut self, from: Place, to: Place, lamports: u64) -> Verdict {
        let left = self.lamports(from).checked_sub(lamports).ok_or(Why::Elsewhere)?;
        self.lamports.insert(from, left);
        *self.lamports.entry(to).or_default() += lamports;
        self.touched.extend([from, to]);
        Ok(())
    }

    /// Rent of a new account; lamports that lie there already count.
    pub(super) fn open(&mut self, payer: Place, place: Place, bytes: usize) -> Verdict {
        let missing = self.rent(bytes).saturating_sub(self.lamports(place));
        self.pay(payer, place, missing)
    }

    /// All lamports of an account that is gone.
    pub(super) fn close(&mut self, place: Place, to: Place) -> Verdict {
        self.pay(place, to, self.lamports(place))
    }

    /// Bytes that live at a place.
    fn bytes(&self, place: Place) -> usize {
        let token_account = 170;
        match place {
            Place::Home(id) if self.homes.contains_key(&id) => 384,
            Place::Vault(id) if self.homes.contains_key(&id) => token_account,
            Place::Offer(seller, id) if self.lots.contains_key(&(seller, id)) => 200,
            Place::Escrow(seller, id) if self.lots.contains_key(&(seller, id)) => token_account,
            Place::Order(buyer, id) if self.orders.contains_key(&(buyer, id)) => 312,
            Place::Marker(..) if self.markers.contains_key(&place) => 112,
            Place::Evidence(feeder) if self.evidence.contains_key(&feeder) => 3856,
            Place::Wallet(_) | Place::StrayVault => token_account,
            Place::Config => 1080,
            Place::Mint => 399,
            _ => 0,
        }
    }

    /// The runtime's last word: what was touched is empty or pays its rent.
    pub(super) fn rent_is_paid(&self, before: &Self) -> Verdict {
        let unpaid = self.touched.iter().any(|place| {
            let lamports = self.lamports(*place);
            lamports != before.lamports(*place) && lamports > 0 && lamports < self.rent(self.bytes(*place))
        });
        if unpaid { Err(Why::Elsewhere) } else { Ok(()) }
    }
}
