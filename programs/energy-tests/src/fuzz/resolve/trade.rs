//! Offers, orders, proofs, and tokens on their way.

use super::{Memory, home, payer, pick, seller};
use crate::fuzz::actors::Actor;
use crate::fuzz::deed::Deed;
use crate::fuzz::model::Model;
use crate::fuzz::place::Place;
use crate::fuzz::step::{Act, Amount, Edge, ProofChoice};
use bytemuck::bytes_of;
use jirani_energy_interface::instruction::{
    AmountData, FillData, PlaceOrderData, PlainData, PostOfferData, ReleaseData, SettleData, Tag,
};
use jirani_energy_interface::{Proof, ProofKind};
use proptest::sample::Index;

/// Mostly the next number; sometimes one from the window, used or not.
fn number(newest: u64, choice: u8) -> u64 {
    match choice {
        0 => newest,
        1 => newest.saturating_sub(1),
        2 => newest.saturating_sub(64),
        3 => newest.saturating_sub(65),
        4 => newest + 3,
        5 => 0,
        8 => newest + (1 << 32) + 1,
        6 => newest + 66,
        _ => newest + 1,
    }
}

impl Memory {
    pub(super) fn trade(&mut self, act: &Act, model: &Model) -> Option<Deed> {
        match act {
            Act::Post { home: which, energy, price, edge, id, payer } => {
                let seller = seller(model, which, *id == 7)?;
                Some(self.post(model, seller, *energy, *price, *edge, *id, *payer))
            }
            Act::Cancel { offer, by, right } => {
                let (seller, id) = pick(&model.lots, offer)?;
                let lot = &model.lots[&(seller, id)];
                let caller = if *right { self.acting(model, seller) } else { anybody(by) };
                let places = [
                    caller,
                    Place::Config,
                    Place::Offer(seller, id),
                    Place::Escrow(seller, id),
                    Place::Home(seller),
                    Place::Vault(seller),
                    Place::Mint,
                    self.whose(&lot.rent_payer),
                    Place::Token,
                    Place::Energy,
                ];
                let data = PlainData { tag: Tag::CancelOffer as u8 };
                Some(Deed::energy(&mut self.atlas, "s-wwwwww--", &places, bytes_of(&data).to_vec()))
            }
            Act::Place { home: which, fills, fee, id, payer } => {
                self.place(model, home(model, which)?, fills, *fee, *id, *payer)
            }
            Act::Settle { order, newest, proof, edge, receipt, second } => {
                let key = if *newest {
                    *model.orders.iter().max_by_key(|(_, held)| held.created_at)?.0
                } else {
                    pick(&model.orders, order)?
                };
                Some(self.settle(model, key, *proof, *edge, *receipt, *second))
            }
            Act::Release { order, newest, by, right, reason } => {
                let (buyer, id) = if *newest {
                    *model.orders.iter().max_by_key(|(_, held)| held.created_at)?.0
                } else {
                    pick(&model.orders, order)?
                };
                let held = &model.orders[&(buyer, id)];
                let caller = if *right { self.attestor(model, 0) } else { anybody(by) };
                let mut places = vec![
                    caller,
                    Place::Config,
                    Place::Order(buyer, id),
                    Place::Home(buyer),
                    self.whose(&held.rent_payer),
                    Place::Energy,
                ];
                places.extend(held.fills.iter().map(|((seller, id), ..)| Place::Offer(*seller, *id)));
                let rights = format!("s-www-{}", "w".repeat(held.fills.len()));
                let data = ReleaseData { tag: Tag::Release as u8, reason: *reason };
                Some(Deed::energy(&mut self.atlas, &rights, &places, bytes_of(&data).to_vec()))
            }
            Act::Move { from, to, energy } => {
                let from = seller(model, from, matches!(energy, Amount::All))?;
                let authority = model.homes[&from].authority;
                let same: Vec<u32> = model
                    .homes
                    .iter()
                    .filter(|(id, home)| **id != from && home.authority == authority)
                    .map(|(id, _)| *id)
                    .collect();
                // Mostly another record of the same person, if there is one.
                let to = if same.is_empty() { home(model, to)? } else { same[to.index(same.len())] };
                let places = [
                    self.acting(model, from),
                    Place::Config,
                    Place::Home(from),
                    Place::Vault(from),
                    Place::Home(to),
                    Place::Vault(to),
                    Place::Mint,
                    Place::Token,
                    Place::Energy,
                ];
                let energy = energy.of(model.wh(Place::Vault(from)));
                Some(Deed::energy(&mut self.atlas, "s-wwwww--", &places, amount(Tag::Move, energy)))
            }
            Act::Withdraw { home: which, energy } => {
                let id = seller(model, which, matches!(energy, Amount::All))?;
                let caller = self.acting(model, id);
                let Place::Actor(actor) = caller else { return None };
                let wallet =
                    if model.tokens.contains_key(&Place::Wallet(actor)) { actor } else { Actor::Owner1 };
                let most = model.wh(Place::Vault(id)).min(model.rules.caps.withdrawal_wh);
                Some(self.wallet(Tag::Withdraw, caller, id, wallet, energy.of(most)))
            }
            Act::Deposit { home: which, from, energy } => {
                let id = home(model, which)?;
                let actor = wallet(model, from, *energy);
                let energy = energy.of(model.wh(Place::Wallet(actor)));
                Some(self.wallet(Tag::Deposit, Place::Actor(actor), id, actor, energy))
            }
            Act::SendTokens { from, to, energy } => {
                let actor = wallet(model, from, *energy);
                let to = pick(&model.tokens, to)?;
                let wh = energy.of(model.wh(Place::Wallet(actor)));
                let places = [Place::Wallet(actor), Place::Mint, to, Place::Actor(actor)];
                let mut data = vec![12];
                data.extend_from_slice(&wh.to_le_bytes());
                data.push(3);
                Some(Deed::new(&mut self.atlas, Place::Token, "w-ws", &places, data))
            }
            _ => None,
        }
    }

    /// The attestors in use, one after the other.
    fn attestor(&self, model: &Model, which: usize) -> Place {
        let used: Vec<_> = model.rules.attestors.iter().filter(|place| place.key != [0; 32]).collect();
        used.get(which.min(used.len().saturating_sub(1)))
            .map_or(Place::Actor(Actor::Attestor), |place| self.whose(&place.key))
    }

    #[expect(clippy::too_many_arguments, reason = "each is one fact of the offer")]
    fn post(
        &mut self,
        model: &Model,
        seller: u32,
        energy: Amount,
        price: u16,
        edge: Edge,
        id: u8,
        second: bool,
    ) -> Deed {
        let tariff = model.rules.tariff;
        let most = tariff.retail - tariff.grid_fee - tariff.tax;
        let price = match price % 32 {
            0 => tariff.buy_back - 1,
            1 => most + 1,
            2 => tariff.buy_back,
            3 => most,
            _ => tariff.buy_back + u32::from(price) % (most - tariff.buy_back + 1),
        };
        let longest = i64::from(model.rules.limits.offer_life_max_s);
        let expires_at = match edge {
            Edge::Inside => model.now + longest.min(3600),
            Edge::First(off) => model.now + 1 + i64::from(off),
            Edge::Last(off) => model.now + longest + i64::from(off),
            Edge::Never => i64::MAX,
        };
        let id = number(model.homes[&seller].offer_numbers.newest(), id);
        let data = PostOfferData {
            tag: Tag::PostOffer as u8,
            reserved: [0; 3],
            price,
            offer_id: id,
            energy_wh: energy.of(model.wh(Place::Vault(seller))),
            expires_at,
        };
        let places = [
            self.acting(model, seller),
            payer(second),
            Place::Config,
            Place::Home(seller),
            Place::Vault(seller),
            Place::Offer(seller, id),
            Place::Escrow(seller, id),
            Place::Mint,
            Place::System,
            Place::Token,
            Place::Energy,
        ];
        Deed::energy(&mut self.atlas, "sbwwwww----", &places, bytes_of(&data).to_vec())
    }

    fn place(
        &mut self,
        model: &Model,
        buyer: u32,
        wanted: &[(Index, Amount)],
        fee: u8,
        id: u8,
        second: bool,
    ) -> Option<Deed> {
        let tariff = model.rules.tariff;
        // Mostly what can be bought; sometimes anything.
        let can = |key: &(u32, u64)| {
            let lot = &model.lots[key];
            key.0 != buyer && lot.open && lot.expires_at > model.now && lot.free() > 0
        };
        let some: Vec<_> = model.lots.keys().copied().filter(|key| fee == 0 || can(key)).collect();
        let mut fills: Vec<((u32, u64), u32)> = Vec::new();
        for (which, amount) in wanted {
            if some.is_empty() {
                break;
            }
            let key = some[which.index(some.len())];
            if fee > 1 && fills.iter().any(|(other, _)| *other == key) {
                continue;
            }
            let held = model.rules.caps.held_wh / 4;
            let wh = amount.of(model.lots[&key].free().min(held.max(1)));
            fills.push((key, u32::try_from(wh).unwrap_or(u32::MAX)));
        }
        if fills.is_empty() {
            return None;
        }
        let id = number(model.homes[&buyer].order_numbers.newest(), id);
        let head = PlaceOrderData {
            tag: Tag::PlaceOrder as u8,
            fills: u8::try_from(fills.len()).unwrap_or(u8::MAX),
            reserved: [0; 6],
            order_id: id,
            fee: if fee == 5 { 0 } else { tariff.grid_fee + u32::from(fee == 2) },
            tax: if fee == 3 { u32::MAX } else { tariff.tax },
        };
        let mut data = bytes_of(&head).to_vec();
        let mut places = vec![
            self.acting(model, buyer),
            payer(second),
            Place::Config,
            Place::Home(buyer),
            Place::Order(buyer, id),
            Place::System,
            Place::Energy,
        ];
        for ((seller, offer), wh) in &fills {
            let price = model.lots[&(*seller, *offer)].price + u32::from(fee == 4);
            data.extend_from_slice(bytes_of(&FillData { energy_wh: *wh, price }));
            places.push(Place::Offer(*seller, *offer));
        }
        let rights = format!("sbwww--{}", "w".repeat(fills.len()));
        Some(Deed::energy(&mut self.atlas, &rights, &places, data))
    }

    /// A proof, and when its money moved if that is known already.
    fn proof(&mut self, choice: ProofChoice, receipt: bool) -> (Proof, Option<i64>) {
        let old = match &choice {
            ProofChoice::Again(which) | ProofChoice::Tail(which) | ProofChoice::OtherKind(which)
                if !self.proofs.is_empty() =>
            {
                Some(self.proofs[which.index(self.proofs.len())])
            }
            _ => None,
        };
        let kind = if receipt { ProofKind::Receipt } else { ProofKind::Transfer };
        match (choice, old) {
            (ProofChoice::Again(_), Some((old, at))) => (old, Some(at)),
            (ProofChoice::Tail(_), Some((mut old, at))) => {
                old.hash[31] ^= 1;
                (old, Some(at))
            }
            (ProofChoice::OtherKind(_), Some((old, at))) => {
                let other =
                    if old.kind == ProofKind::Receipt { ProofKind::Transfer } else { ProofKind::Receipt };
                (Proof { kind: other, ..old }, Some(at))
            }
            (ProofChoice::Zero, _) => (Proof { kind, hash: [0; 32] }, None),
            _ => {
                self.fresh += 1;
                let mut hash = [0x5a; 32];
                hash[..4].copy_from_slice(&self.fresh.to_le_bytes());
                (Proof { kind, hash }, None)
            }
        }
    }

    fn settle(
        &mut self,
        model: &Model,
        (buyer, id): (u32, u64),
        proof: ProofChoice,
        edge: Edge,
        receipt: bool,
        second: bool,
    ) -> Deed {
        let held = &model.orders[&(buyer, id)];
        let (proof, moved) = self.proof(proof, receipt);
        let limits = model.rules.limits;
        let grace = i64::from(limits.order_grace_s);
        let last = model.rules.last(held.deadline, held.stood_still, model.now);
        let first = held.created_at - if proof.kind == ProofKind::Transfer { grace } else { 0 };
        let paid_at = match edge {
            // Money moves once.
            Edge::Inside => moved.unwrap_or(held.created_at),
            Edge::First(off) => first + i64::from(off),
            Edge::Last(off) => last.min(model.now + i64::from(limits.clock_skew_s)) + i64::from(off),
            Edge::Never => i64::MAX,
        };
        if moved.is_none() && proof.hash != [0; 32] {
            self.proofs.push((proof, paid_at));
        }
        let data = SettleData {
            tag: Tag::Settle as u8,
            proof_kind: proof.kind as u8,
            reserved: [0; 6],
            paid_at,
            proof: proof.hash,
        };
        let mut places = vec![
            self.attestor(model, usize::from(second)),
            payer(second),
            Place::Config,
            Place::Order(buyer, id),
            Place::Home(buyer),
            Place::Vault(buyer),
            Place::Mint,
            Place::marker(&proof),
            self.whose(&held.rent_payer),
            Place::System,
            Place::Token,
            Place::Energy,
        ];
        for ((seller, offer), ..) in &held.fills {
            places.extend([Place::Offer(*seller, *offer), Place::Escrow(*seller, *offer)]);
        }
        let rights = format!("sbwwwwwww---{}", "ww".repeat(held.fills.len()));
        Deed::energy(&mut self.atlas, &rights, &places, bytes_of(&data).to_vec())
    }

    fn wallet(&mut self, tag: Tag, caller: Place, id: u32, wallet: Actor, wh: u64) -> Deed {
        let places = [
            caller,
            Place::Config,
            Place::Home(id),
            Place::Vault(id),
            Place::Wallet(wallet),
            Place::Mint,
            Place::Token,
            Place::Energy,
        ];
        Deed::energy(&mut self.atlas, "s-wwww--", &places, amount(tag, wh))
    }
}

fn amount(tag: Tag, energy_wh: u64) -> Vec<u8> {
    bytes_of(&AmountData { tag: tag as u8, reserved: [0; 7], energy_wh }).to_vec()
}

fn anybody(by: &Index) -> Place {
    Place::Actor(Actor::ALL[by.index(Actor::ALL.len())])
}

/// Who has a wallet.
pub(super) const WALLETS: [Actor; 4] = [Actor::Owner1, Actor::Owner2, Actor::Owner3, Actor::Stranger];

/// Mostly one with tokens in it.
fn wallet(model: &Model, which: &Index, energy: Amount) -> Actor {
    let full: Vec<_> = WALLETS.into_iter().filter(|actor| model.wh(Place::Wallet(*actor)) > 0).collect();
    if full.is_empty() || matches!(energy, Amount::OneMore) {
        return WALLETS[which.index(WALLETS.len())];
    }
    full[which.index(full.len())]
}
