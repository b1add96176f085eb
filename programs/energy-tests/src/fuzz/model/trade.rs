//! Offers, orders, proofs, and energy that moves between a person's own places.

use super::call::{exactly, head};
use super::{Level, Model, Verdict, Why, need};
use crate::fuzz::deed::{Deed, Party};
use crate::fuzz::place::{Numbered, Place};
use jirani_energy_interface::instruction::{
    AmountData, FillData, PlaceOrderData, PlainData, PostOfferData, ReleaseData, SettleData, Tag,
};
use jirani_energy_interface::{EnergyError as E, Key, Proof, ProofKind};

/// An offer.
#[derive(Clone, Debug)]
pub struct Lot {
    /// Seller's net, cents per kWh.
    pub price: u32,
    /// Offered, Wh.
    pub energy: u64,
    /// Sold, Wh.
    pub sold: u64,
    /// Returned, Wh.
    pub returned: u64,
    /// Held by orders, Wh.
    pub reserved: u64,
    /// When it ends.
    pub expires_at: i64,
    /// Still for sale.
    pub open: bool,
    /// Who paid its rent.
    pub rent_payer: Key,
}

impl Lot {
    /// Neither sold nor returned, Wh.
    pub fn owed(&self) -> u64 {
        self.energy - self.sold - self.returned
    }

    /// What nobody holds, Wh.
    pub fn free(&self) -> u64 {
        self.owed() - self.reserved
    }
}

/// An order.
#[derive(Clone, Debug)]
pub struct Held {
    /// Offers and how much of each, Wh.
    pub fills: Vec<(Numbered, u64, u32)>,
    /// Due, cents.
    pub due: u64,
    /// When it was placed.
    pub created_at: i64,
    /// Until when it may be paid, pauses aside.
    pub deadline: i64,
    /// How long deadlines had stood still when it was placed.
    pub stood_still: i64,
    /// Who paid its rent.
    pub rent_payer: Key,
}

impl Held {
    /// Energy of all fills, Wh.
    pub fn energy(&self) -> u64 {
        self.fills.iter().map(|fill| fill.1).sum()
    }
}

/// The marker of a used proof.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    /// Who paid its rent.
    pub rent_payer: Key,
    /// From when it may be closed, pauses aside.
    pub closable_at: i64,
    /// How long deadlines had stood still when it was made.
    pub stood_still: i64,
}

impl Model {
    /// Requires who signs for a household; a custodian spends of its caps.
    fn authorise(&mut self, key: &Key, id: u32, wh: u64, cents: u64) -> Verdict {
        need(self.acts_for(key, id), E::NotAuthority)?;
        if self.homes[&id].custodial {
            let custodian = &mut self.rules.custodian;
            custodian.used.spend(self.now, (wh, cents), custodian.caps).ok_or(Why::Ours(E::DailyCap))?;
            self.touched.insert(Place::Config);
        }
        Ok(())
    }

    pub(super) fn post_offer(&mut self, deed: &Deed) -> Verdict {
        let data: PostOfferData = exactly(&deed.data)?;
        self.check(deed, Tag::PostOffer)?;
        let places = |i: usize| deed.parties[i].place;
        need(data.energy_wh > 0, E::ZeroEnergy)?;
        self.rules.running()?;
        need(places(7) == Place::Mint, E::WrongMint)?;
        let seller = Self::home_at(places(3))?;
        self.authorise(&deed.parties[0].key, seller, data.energy_wh, 0)?;
        let vault = places(4);
        need(vault == Place::Vault(seller), E::WrongAddress)?;
        need(self.homes[&seller].owes == 0, E::ShortfallOpen)?;
        need(self.wh(vault) >= data.energy_wh, E::VaultTooSmall)?;
        let tariff = self.rules.tariff;
        let most = tariff.retail - tariff.grid_fee - tariff.tax;
        need((tariff.buy_back..=most).contains(&data.price), E::PriceOutOfBounds)?;
        let latest = self.now + i64::from(self.rules.limits.offer_life_max_s);
        need((self.now + 1..=latest).contains(&data.expires_at), E::InvalidExpiry)?;
        let open = self.lots.keys().filter(|(other, _)| *other == seller).count();
        need(open < usize::from(self.rules.limits.open_offers_max), E::TooManyOpen)?;
        let home = self.homes.get_mut(&seller).ok_or(Why::Elsewhere)?;
        home.offer_numbers.take(data.offer_id).ok_or(Why::Ours(E::IdUsed))?;
        let (offer, escrow) = (Place::Offer(seller, data.offer_id), Place::Escrow(seller, data.offer_id));
        need(places(5) == offer, E::WrongAddress)?;
        need(!self.lots.contains_key(&(seller, data.offer_id)), E::AlreadyExists)?;
        self.open(places(1), offer, 200)?;
        need(places(6) == escrow, E::WrongAddress)?;
        self.open(places(1), escrow, 170)?;
        let lot = Lot {
            price: data.price,
            energy: data.energy_wh,
            sold: 0,
            returned: 0,
            reserved: 0,
            expires_at: data.expires_at,
            open: true,
            rent_payer: deed.parties[1].key,
        };
        self.lots.insert((seller, data.offer_id), lot);
        self.tokens.insert(escrow, 0);
        self.touched.extend([Place::Home(seller), offer]);
        self.shift(vault, escrow, data.energy_wh)
    }

    pub(super) fn cancel_offer(&mut self, deed: &Deed) -> Verdict {
        exactly::<PlainData>(&deed.data)?;
        self.check(deed, Tag::CancelOffer)?;
        let places = |i: usize| deed.parties[i].place;
        need(places(6) == Place::Mint, E::WrongMint)?;
        let Place::Offer(seller, id) = places(2) else { return Err(Why::Elsewhere) };
        let (escrow, vault) = (Place::Escrow(seller, id), Place::Vault(seller));
        need(places(4) == Place::Home(seller), E::WrongAddress)?;
        need(places(3) == escrow, E::WrongAddress)?;
        let mut lot = self.lots[&(seller, id)].clone();
        need(deed.parties[7].key == lot.rent_payer, E::WrongAddress)?;
        need(places(5) == vault, E::WrongAddress)?;
        let anyone =
            !lot.open || self.now >= lot.expires_at || lot.owed() == 0 || self.homes[&seller].owes > 0;
        need(anyone || self.acts_for(&deed.parties[0].key, seller), E::OfferNotReturnable)?;
        let back = self.wh(escrow) - lot.reserved;
        lot.returned += lot.free();
        lot.open = false;
        self.shift(escrow, vault, back)?;
        self.meet_debt(seller)?;
        self.touched.extend([places(2), Place::Home(seller)]);
        if lot.owed() > 0 {
            self.lots.insert((seller, id), lot);
            return Ok(());
        }
        self.lots.remove(&(seller, id));
        self.tokens.remove(&escrow);
        self.close(escrow, places(7))?;
        self.close(places(2), places(7))
    }

    /// Burns what a household owes out of its vault, once its tokens have arrived.
    fn meet_debt(&mut self, id: u32) -> Verdict<u64> {
        let vault = Place::Vault(id);
        let at_hand = self.wh(vault);
        let paid = self.homes.get_mut(&id).ok_or(Why::Elsewhere)?.pay(at_hand)?;
        self.burn(vault, paid)?;
        self.touched.insert(Place::Home(id));
        Ok(paid)
    }

    pub(super) fn place_order(&mut self, deed: &Deed) -> Verdict {
        let (data, rest) = head::<PlaceOrderData>(&deed.data)?;
        let count = usize::from(data.fills);
        need((1..=4).contains(&count) && rest.len() == count * 8, E::InvalidFills)?;
        self.check(deed, Tag::PlaceOrder)?;
        let offers = &deed.parties[7..];
        need(offers.len() == count, E::InvalidFills)?;
        let buyer = Self::home_at(deed.parties[3].place)?;
        let (payer, order) = (deed.parties[1], Place::Order(buyer, data.order_id));
        need(deed.parties[4].place == order, E::WrongAddress)?;
        need(!self.orders.contains_key(&(buyer, data.order_id)), E::AlreadyExists)?;
        self.open(payer.place, order, 312)?;
        let mut fills = Vec::new();
        let mut milli_cents = 0_u128;
        let all_in = |price: u32| u128::from(price) + u128::from(data.fee) + u128::from(data.tax);
        for (i, (party, fill)) in offers.iter().zip(rest.chunks_exact(8)).enumerate() {
            let fill: FillData = exactly(fill)?;
            need(offers[..i].iter().all(|earlier| earlier.key != party.key), E::InvalidFills)?;
            need(fill.energy_wh > 0, E::ZeroEnergy)?;
            // The order's own account stands open already.
            if party.place == order {
                return Err(Why::Elsewhere);
            }
            self.opened(party, b'o')?;
            let Place::Offer(seller, id) = party.place else { return Err(Why::Elsewhere) };
            let now = self.now;
            let lot = self.lots.get_mut(&(seller, id)).ok_or(Why::Elsewhere)?;
            need(seller != buyer, E::OwnOffer)?;
            need(lot.open, E::OfferClosing)?;
            need(now < lot.expires_at, E::OfferExpired)?;
            need(lot.price == fill.price, E::PriceChanged)?;
            let wh = u64::from(fill.energy_wh);
            need(lot.free() >= wh, E::OfferTooSmall)?;
            lot.reserved += wh;
            milli_cents += all_in(fill.price) * u128::from(wh);
            fills.push(((seller, id), wh, fill.price));
            self.touched.insert(party.place);
        }
        self.rules.running()?;
        let tariff = self.rules.tariff;
        let (fee, tax) = (data.fee.cmp(&tariff.grid_fee), data.tax.cmp(&tariff.tax));
        let whole = fee.is_eq() && tax.is_eq();
        let part = fee.is_le() && tax.is_le() && self.homes[&buyer].kind != 1;
        need(whole || part, E::FeeOutOfBounds)?;
        let dearest = fills.iter().map(|fill| all_in(fill.2)).max().unwrap_or(0);
        need(dearest <= u128::from(tariff.retail), E::PriceOutOfBounds)?;
        let due = u64::try_from(milli_cents.div_ceil(1000)).map_err(|_| Why::Elsewhere)?;
        let held = Held {
            fills,
            due,
            created_at: self.now,
            deadline: self.now + i64::from(self.rules.limits.order_window_s),
            stood_still: self.rules.stood_still,
            rent_payer: payer.key,
        };
        self.authorise(&deed.parties[0].key, buyer, held.energy(), due)?;
        let own = self.orders.iter().filter(|((other, _), _)| *other == buyer);
        let (open, holds) = own.fold((0, 0), |(n, wh), (_, order)| (n + 1, wh + order.energy()));
        need(open < usize::from(self.rules.limits.open_orders_max), E::TooManyOpen)?;
        let unpaid = self.homes[&buyer].unpaid_today(self.now);
        need(unpaid < self.rules.caps.unpaid_orders, E::UnpaidOrders)?;
        need(holds + held.energy() <= self.rules.caps.held_wh, E::HeldEnergy)?;
        let home = self.homes.get_mut(&buyer).ok_or(Why::Elsewhere)?;
        home.order_numbers.take(data.order_id).ok_or(Why::Ours(E::IdUsed))?;
        self.orders.insert((buyer, data.order_id), held);
        self.touched.extend([Place::Home(buyer), order]);
        Ok(())
    }

    pub(super) fn settle(&mut self, deed: &Deed) -> Verdict {
        let data: SettleData = exactly(&deed.data)?;
        let kind = match data.proof_kind {
            1 => ProofKind::Receipt,
            2 => ProofKind::Transfer,
            _ => return Err(E::InvalidProof.into()),
        };
        need(data.proof != [0; 32], E::InvalidProof)?;
        self.check(deed, Tag::Settle)?;
        let places = |i: usize| deed.parties[i].place;
        self.rules.running()?;
        need(places(6) == Place::Mint, E::WrongMint)?;
        let Place::Order(buyer, id) = places(3) else { return Err(Why::Elsewhere) };
        let held = self.orders[&(buyer, id)].clone();
        need(places(4) == Place::Home(buyer), E::WrongAddress)?;
        need(deed.parties[8].key == held.rent_payer, E::WrongAddress)?;

        let now = self.now;
        let last = self.rules.last(held.deadline, held.stood_still, now);
        need(now <= last, E::OrderWindowOver)?;
        let grace = i64::from(self.rules.limits.order_grace_s);
        let first = held.created_at - if kind == ProofKind::Transfer { grace } else { 0 };
        let latest = last.min(now + i64::from(self.rules.limits.clock_skew_s));
        need((first..=latest).contains(&data.paid_at), E::PaidAtOutsideWindow)?;

        let caller = deed.parties[0].key;
        let place = self.rules.attestors.iter_mut().find(|place| place.key == caller);
        let place = place.ok_or(Why::Ours(E::NotAttestor))?;
        let spent = place.used.spend(now, (held.energy(), held.due), place.caps);
        spent.ok_or(Why::Ours(E::DailyCap))?;

        let pairs = &deed.parties[12..];
        need(pairs.len() == 2 * held.fills.len(), E::FillMismatch)?;
        let vault = Place::Vault(buyer);
        for (fill, pair) in held.fills.iter().zip(pairs.chunks_exact(2)) {
            let ((seller, id), wh, _) = *fill;
            let (offer, escrow) = (Place::Offer(seller, id), Place::Escrow(seller, id));
            need(pair[0].place == offer, E::FillMismatch)?;
            need(pair[1].writable, E::NotWritable)?;
            self.opened(&pair[0], b'o')?;
            need(pair[1].place == escrow, E::WrongAddress)?;
            let lot = self.lots.get_mut(&(seller, id)).ok_or(Why::Elsewhere)?;
            lot.reserved -= wh;
            lot.sold += wh;
            self.touched.insert(offer);
            self.shift(escrow, vault, wh)?;
        }
        need(places(5) == vault, E::WrongAddress)?;
        self.meet_debt(buyer)?;

        let marker = Place::marker(&Proof { kind, hash: data.proof });
        need(places(7) == marker, E::WrongAddress)?;
        need(!self.markers.contains_key(&marker), E::ProofUsed)?;
        self.open(places(1), marker, 112)?;
        let mark = Mark {
            rent_payer: deed.parties[1].key,
            closable_at: now + i64::from(self.rules.limits.marker_retention_s),
            stood_still: self.rules.stood_still,
        };
        self.markers.insert(marker, mark);
        self.orders.remove(&(buyer, id));
        self.touched.extend([Place::Config, marker]);
        self.close(places(3), places(8))
    }

    pub(super) fn release(&mut self, deed: &Deed) -> Verdict {
        let data: ReleaseData = exactly(&deed.data)?;
        need((1..=4).contains(&data.reason), E::InvalidReason)?;
        self.check(deed, Tag::Release)?;
        let places = |i: usize| deed.parties[i].place;
        let Place::Order(buyer, id) = places(2) else { return Err(Why::Elsewhere) };
        let held = self.orders[&(buyer, id)].clone();
        need(places(3) == Place::Home(buyer), E::WrongAddress)?;
        need(deed.parties[4].key == held.rent_payer, E::WrongAddress)?;
        let caller = deed.parties[0].key;
        let attested = self.rules.attestors.iter().any(|place| place.key == caller);
        let last = self.rules.last(held.deadline, held.stood_still, self.now);
        need(attested || self.now > last, E::OrderWindowOpen)?;
        let fits = match data.reason {
            2 => true,
            4 => attested && self.rules.level != Level::Running,
            _ => attested,
        };
        need(fits, E::InvalidReason)?;
        let offers: &[Party] = &deed.parties[6..];
        need(offers.len() == held.fills.len(), E::FillMismatch)?;
        for (((seller, id), wh, _), party) in held.fills.iter().zip(offers) {
            need(party.place == Place::Offer(*seller, *id), E::FillMismatch)?;
            self.opened(party, b'o')?;
            self.lots.get_mut(&(*seller, *id)).ok_or(Why::Elsewhere)?.reserved -= wh;
            self.touched.insert(party.place);
        }
        let home = self.homes.get_mut(&buyer).ok_or(Why::Elsewhere)?;
        if data.reason != 4 {
            home.leave_unpaid(self.now);
        }
        self.orders.remove(&(buyer, id));
        self.touched.insert(Place::Home(buyer));
        self.close(places(2), places(4))
    }

    /// Requires a household's own authority, never a custodian.
    fn own(&self, key: &Key, id: u32) -> Verdict {
        need(!self.homes[&id].custodial, E::Custodial)?;
        need(*key == self.homes[&id].authority, E::NotAuthority)
    }

    pub(super) fn move_energy(&mut self, deed: &Deed) -> Verdict {
        let data: AmountData = exactly(&deed.data)?;
        self.check(deed, Tag::Move)?;
        let places = |i: usize| deed.parties[i].place;
        need(data.energy_wh > 0, E::ZeroEnergy)?;
        self.rules.running()?;
        need(places(6) == Place::Mint, E::WrongMint)?;
        let (from, to) = (Self::home_at(places(2))?, Self::home_at(places(4))?);
        need(from != to, E::AccountTwice)?;
        self.own(&deed.parties[0].key, from)?;
        let same = !self.homes[&to].custodial && self.homes[&to].authority == self.homes[&from].authority;
        need(same, E::DifferentAuthority)?;
        need(places(3) == Place::Vault(from), E::WrongAddress)?;
        need(places(5) == Place::Vault(to), E::WrongAddress)?;
        self.meet_debt(from)?;
        need(self.wh(places(3)) >= data.energy_wh, E::VaultTooSmall)?;
        self.shift(places(3), places(5), data.energy_wh)?;
        self.meet_debt(to).map(|_| ())
    }

    pub(super) fn withdraw(&mut self, deed: &Deed) -> Verdict {
        let data: AmountData = exactly(&deed.data)?;
        self.check(deed, Tag::Withdraw)?;
        let places = |i: usize| deed.parties[i].place;
        need(data.energy_wh > 0, E::ZeroEnergy)?;
        self.rules.running()?;
        need(places(5) == Place::Mint, E::WrongMint)?;
        let cap = self.rules.caps.withdrawal_wh;
        need(cap > 0, E::WithdrawalsOff)?;
        let id = Self::home_at(places(2))?;
        let caller = deed.parties[0];
        self.own(&caller.key, id)?;
        need(places(3) == Place::Vault(id), E::WrongAddress)?;
        need(self.homes[&id].owes == 0, E::ShortfallOpen)?;
        need(self.wh(places(3)) >= data.energy_wh, E::VaultTooSmall)?;
        let own = matches!(places(4), Place::Wallet(actor) if Place::Actor(actor) == caller.place);
        need(own, E::WrongWallet)?;
        let now = self.now;
        let home = self.homes.get_mut(&id).ok_or(Why::Elsewhere)?;
        home.withdrawn.spend(now, (data.energy_wh, 0), (cap, 0)).ok_or(Why::Ours(E::WithdrawalCap))?;
        self.touched.insert(Place::Home(id));
        self.shift(places(3), places(4), data.energy_wh)
    }

    pub(super) fn deposit(&mut self, deed: &Deed) -> Verdict {
        let data: AmountData = exactly(&deed.data)?;
        self.check(deed, Tag::Deposit)?;
        let places = |i: usize| deed.parties[i].place;
        need(data.energy_wh > 0, E::ZeroEnergy)?;
        need(places(5) == Place::Mint, E::WrongMint)?;
        let id = Self::home_at(places(2))?;
        need(places(3) == Place::Vault(id), E::WrongAddress)?;
        let own = matches!(places(4), Place::Wallet(actor) if Place::Actor(actor) == places(0));
        if !own {
            return Err(Why::Elsewhere);
        }
        self.shift(places(4), places(3), data.energy_wh)?;
        self.meet_debt(id).map(|_| ())
    }
}
