//! The invariants, from the accounts alone: this book knows nothing of the model. It
//! reads what every transaction touched and keeps what must never be undone.

use super::chain::Chain;
use jirani_energy_interface::state::{ClosedTotals, Config, Household, Marker, Offer, Order, Record};
use jirani_energy_interface::{Key, LOCAL_PROGRAM_ID, programs, token};
use solana_account::ReadableAccount as _;
use solana_address::Address;
use std::collections::{BTreeMap, BTreeSet};

/// What a household's ratings have allowed since it was enrolled, J.
#[derive(Clone, Copy)]
struct Allowed {
    export: u128,
    import: u128,
}

/// What the accounts say, and have said.
#[derive(Clone)]
pub struct Ledger {
    mint: Key,
    config: Address,
    supply: u64,
    closed: ClosedTotals,
    homes: BTreeMap<Address, (Household, Allowed)>,
    offers: BTreeMap<Address, Offer>,
    orders: BTreeMap<Address, Order>,
    markers: BTreeSet<Address>,
    tokens: BTreeMap<Address, (Key, u64)>,
    /// Markers that ever were, and when their money moved: no proof settles twice. A marker
    /// stays longer than an order lives; after it, it is the payment's own time, which every
    /// attestor knows, that keeps a proof from fitting again.
    used: BTreeSet<(Address, i64)>,
    /// Orders that were ever settled: buyer, number and when it was placed.
    settled: BTreeSet<(Address, i64)>,
    /// How often E4 could be checked.
    pub balanced: u64,
}

/// What is broken, in words that begin with the invariant's name.
pub type Holds = Result<(), String>;

fn require(holds: bool, what: impl FnOnce() -> String) -> Holds {
    if holds { Ok(()) } else { Err(what()) }
}

impl Ledger {
    /// Reads a whole chain.
    pub fn new(chain: &Chain, config: Address, mint: Address) -> Result<Self, String> {
        let mut ledger = Self {
            mint: mint.to_bytes(),
            config,
            supply: 0,
            closed: bytemuck::Zeroable::zeroed(),
            homes: BTreeMap::new(),
            offers: BTreeMap::new(),
            orders: BTreeMap::new(),
            markers: BTreeSet::new(),
            tokens: BTreeMap::new(),
            used: BTreeSet::new(),
            settled: BTreeSet::new(),
            balanced: 0,
        };
        let all: Vec<Address> = chain
            .owned(&LOCAL_PROGRAM_ID)
            .chain(chain.owned(&programs::TOKEN_2022))
            .map(|(address, _)| *address)
            .collect();
        ledger.read(chain, &all)?;
        ledger.check()?;
        Ok(ledger)
    }

    /// Reads what a transaction touched, and checks everything. What arrives and leaves in
    /// one transaction cannot be told apart, so custody is judged of instructions `alone`.
    pub fn turn(&mut self, chain: &Chain, touched: &[Address], alone: bool) -> Holds {
        let custody = self.custody();
        self.read(chain, touched)?;
        self.check()?;
        if alone { self.nobody_stole(&custody) } else { Ok(()) }
    }

    /// Reads accounts; S1 and E3 are seen in what changes.
    fn read(&mut self, chain: &Chain, touched: &[Address]) -> Holds {
        let placed: BTreeMap<(Key, u64), (Address, i64)> = self
            .orders
            .iter()
            .map(|(address, order)| ((order.buyer, order.id), (*address, order.created_at)))
            .collect();
        let mut fresh = Vec::new();
        for address in touched {
            let account = chain.account(address);
            let owner = account.map(|account| *account.owner());
            let data = account.map_or(&[][..], |account| account.data());
            let ours = owner == Some(LOCAL_PROGRAM_ID);
            let tokens = owner == Some(programs::TOKEN_2022);
            if ours || (tokens && token::mint(data) == Some(self.mint)) {
                let lamports = chain.lamports(address);
                let rent = chain.rent(data.len());
                require(lamports >= rent, || format!("rent: {address} has {lamports} of {rent} lamports"))?;
            }
            if address.as_array() == &self.mint {
                self.supply = token::supply(data).ok_or("E1: the mint is gone")?;
                continue;
            }
            if *address == self.config {
                self.closed = Config::decode(data).filter(|_| ours).ok_or("Config is gone")?.closed;
                continue;
            }
            match token::amount(data).filter(|_| tokens && token::mint(data) == Some(self.mint)) {
                Some(wh) => {
                    let owner = token::owner(data).ok_or("a token account without owner")?;
                    self.tokens.insert(*address, (owner, wh));
                }
                None => {
                    self.tokens.remove(address);
                }
            }
            self.read_home(chain.now(), address, Household::decode(data).filter(|_| ours).as_ref())?;
            keep(&mut self.offers, address, Offer::decode(data).filter(|_| ours));
            keep(&mut self.orders, address, Order::decode(data).filter(|_| ours));
            match Marker::decode(data).filter(|_| ours) {
                Some(marker) if self.markers.insert(*address) => fresh.push((*address, marker)),
                Some(_) => {}
                None => {
                    self.markers.remove(address);
                }
            }
        }
        for (address, marker) in fresh {
            require(self.used.insert((address, marker.paid_at)), || {
                format!("S1: the proof of marker {address} settled a second order, {}", marker.order_id)
            })?;
            let order = placed.iter().find(|((buyer, id), _)| {
                *id == marker.order_id
                    && self.homes.get(&(*buyer).into()).is_some_and(|(home, _)| home.id == marker.buyer_id)
            });
            // An order may be placed and settled in one transaction: it was never seen.
            if let Some((_, order)) = order {
                require(self.settled.insert(*order), || {
                    format!("S1: order {} settled twice", marker.order_id)
                })?;
                require(!self.orders.contains_key(&order.0), || "S1: a settled order lives on".to_owned())?;
            }
        }
        Ok(())
    }

    /// E3: registers never fall, and no household outruns its ratings.
    fn read_home(&mut self, now: i64, address: &Address, new: Option<&Household>) -> Holds {
        let Some(new) = new else {
            self.homes.remove(address);
            return Ok(());
        };
        let old = self.homes.get(address).filter(|(old, _)| old.enrolled_at == new.enrolled_at);
        let joules =
            |rating: u32, seconds: i64| u128::from(rating) * u128::from(seconds.max(0).unsigned_abs());
        let allowed = match old {
            None => Allowed { export: new.export_bucket_j.into(), import: new.import_bucket_j.into() },
            Some((old, allowed)) => {
                let name = new.id;
                let pairs = [
                    ("attested export", old.export_wh, new.export_wh),
                    ("attested import", old.import_wh, new.import_wh),
                    ("minted", old.minted_wh, new.minted_wh),
                    ("burned", old.burned_wh, new.burned_wh),
                ];
                for (what, before, after) in pairs {
                    require(after >= before, || {
                        format!("E3: {what} of household {name} fell from {before} to {after}")
                    })?;
                }
                require(new.last_slot_end >= old.last_slot_end, || {
                    format!("E3: slots of household {name} went back")
                })?;
                let same_meter = (old.meter_key, old.meter_epoch) == (new.meter_key, new.meter_epoch);
                let fell =
                    new.meter_export_wh < old.meter_export_wh || new.meter_import_wh < old.meter_import_wh;
                require(!(same_meter && fell), || format!("E3: a register of household {name} fell"))?;
                let counted = old.export_wh != new.export_wh || old.import_wh != new.import_wh;
                require(!counted || new.last_slot_end > old.last_slot_end, || {
                    format!("E3: a slot of household {name} was applied twice")
                })?;
                waited(now, old, new)?;
                let seconds = new.last_slot_end - old.last_slot_end;
                Allowed {
                    export: allowed.export + joules(old.export_rating_w, seconds),
                    import: allowed.import + joules(old.import_rating_w, seconds),
                }
            }
        };
        let outrun = u128::from(new.export_wh) * 3600 > allowed.export
            || u128::from(new.import_wh) * 3600 > allowed.import;
        require(!outrun || old.is_none(), || format!("E3: household {} outran its ratings", new.id))?;
        self.homes.insert(*address, (*new, allowed));
        Ok(())
    }

    /// E1, E2, E4 and the counters that follow from other accounts.
    fn check(&mut self) -> Holds {
        let held: u128 = self.tokens.values().map(|(_, wh)| u128::from(*wh)).sum();
        require(held == u128::from(self.supply), || {
            format!("E1: supply {} is not the sum of all accounts, {held}", self.supply)
        })?;
        let closed = &self.closed;
        let (mut minted, mut burned) = (u128::from(closed.minted_wh), u128::from(closed.burned_wh));
        let (mut shortfall, mut out, mut into) = (
            0_u128,
            u128::from(closed.export_wh) + u128::from(closed.adjusted_export_wh),
            u128::from(closed.import_wh) + u128::from(closed.adjusted_import_wh),
        );
        require((minted, burned) == (out, into), || "E2: closed households do not add up".to_owned())?;
        for (home, _) in self.homes.values() {
            let export = u128::from(home.export_wh) + u128::from(home.adjusted_export_wh);
            let import = u128::from(home.import_wh) + u128::from(home.adjusted_import_wh);
            let paid = u128::from(home.burned_wh) + u128::from(home.shortfall_wh);
            require(u128::from(home.minted_wh) == export, || format!("E2: minted by household {}", home.id))?;
            require(paid == import, || format!("E2: burned by household {}", home.id))?;
            minted += u128::from(home.minted_wh);
            burned += u128::from(home.burned_wh);
            shortfall += u128::from(home.shortfall_wh);
            out += export;
            into += import;
        }
        require(held + burned == minted, || "E1: supply is not minted less burned".to_owned())?;
        if out == into && out > 0 {
            self.balanced += 1;
            require(held == shortfall, || {
                format!("E4: all exported energy was imported, but supply is {held} and owed is {shortfall}")
            })?;
        }
        let mut reserved: BTreeMap<Key, u64> = BTreeMap::new();
        for fill in self.orders.values().flat_map(Order::fills) {
            *reserved.entry(fill.offer).or_default() += u64::from(fill.energy_wh);
        }
        for (address, offer) in &self.offers {
            let escrow = self.tokens.get(&offer.escrow.into()).map_or(0, |(_, wh)| *wh);
            let owed = offer.energy_wh - offer.sold_wh - offer.returned_wh;
            require(escrow >= owed, || {
                format!("E1: escrow of offer {} holds {escrow}, owes {owed}", offer.id)
            })?;
            let orders = reserved.remove(address.as_array()).unwrap_or(0);
            require(offer.reserved_wh == orders && orders <= owed, || {
                format!("E1: offer {} reserves {}, its orders hold {orders}", offer.id, offer.reserved_wh)
            })?;
        }
        require(reserved.is_empty(), || "an order holds energy of an offer that is gone".to_owned())
    }

    /// Wh by owner outside of what Config controls, and Wh in the vaults of the households
    /// that each owner signs for himself.
    fn custody(&self) -> (BTreeMap<Key, u64>, BTreeMap<Key, u64>) {
        let (mut wallets, mut vaults) = (BTreeMap::new(), BTreeMap::new());
        for (owner, wh) in self.tokens.values().filter(|(owner, _)| owner != self.config.as_array()) {
            *wallets.entry(*owner).or_default() += wh;
        }
        for (home, _) in self.homes.values().filter(|(home, _)| !home.is_custodial()) {
            let vault = self.tokens.get(&home.vault.into()).map_or(0, |(_, wh)| *wh);
            *vaults.entry(home.authority).or_default() += vault;
        }
        (wallets, vaults)
    }

    /// Custody: a wallet gains only what its owner's own vaults or other wallets lost.
    fn nobody_stole(&self, before: &(BTreeMap<Key, u64>, BTreeMap<Key, u64>)) -> Holds {
        let after = self.custody();
        let loss = |before: &BTreeMap<Key, u64>, after: &BTreeMap<Key, u64>, owner: &Key| {
            let now = after.get(owner).copied().unwrap_or(0);
            before.get(owner).copied().unwrap_or(0).saturating_sub(now)
        };
        for (owner, wh) in &after.0 {
            let gain = wh.saturating_sub(before.0.get(owner).copied().unwrap_or(0));
            let given: u64 = before.0.keys().map(|other| loss(&before.0, &after.0, other)).sum();
            require(gain <= given + loss(&before.1, &after.1, owner), || {
                format!("custody: {} gained {gain} Wh that nobody gave", Address::from(*owner))
            })?;
        }
        Ok(())
    }
}

/// Custody: who signs for a household changes only to whom was proposed a day before.
fn waited(now: i64, old: &Household, new: &Household) -> Holds {
    let day = 86_400;
    let proposed = new.pending_authority_at != old.pending_authority_at && new.pending_authority_at != 0;
    require(!proposed || new.pending_authority_at >= now + day, || {
        format!("custody: the authority of household {} may change within a day", new.id)
    })?;
    let changed = (old.authority, old.flags) != (new.authority, new.flags);
    let foreseen = old.pending_authority_at != 0
        && old.pending_authority_at <= now
        && old.pending_authority == new.authority;
    require(!changed || foreseen, || {
        format!("custody: the authority of household {} changed unforeseen", new.id)
    })
}

fn keep<T>(map: &mut BTreeMap<Address, T>, address: &Address, value: Option<T>) {
    match value {
        Some(value) => {
            map.insert(*address, value);
        }
        None => {
            map.remove(address);
        }
    }
}
