//! A market small enough to keep in one's head, to try habits on: tokens and
//! debts as the program nets them, cheapest first, a quarter of an offer for who
//! pays by phone, and phones that pay nine times in ten.

use super::door::{Door, HomeNow, HomeRules, OwnOffer, PayWith, PriceBounds, QuoteNow, Refusal};
use super::people::{Actor, Deeds, People};
use crate::equipment::Equipment;
use crate::physics::balance;
use crate::profile::Source;
use crate::registry::{id_of_home, ids_of_operator};
use crate::schedule::turns;
use crate::seed::noise;
use jirani_units::HouseholdId;
use std::collections::BTreeMap;

const PRICES: PriceBounds = PriceBounds { retail: 3_500, lowest: 1_000, highest: 3_000 };
const ON_TOP: u64 = 500;

#[derive(Default)]
struct Account {
    tokens: u64,
    debt: u64,
    cents: i64,
}

struct Lot {
    id: u64,
    seller: HouseholdId,
    energy: u64,
    left: u64,
    price: u32,
}

#[derive(Default)]
pub struct ToyMarket {
    accounts: BTreeMap<HouseholdId, Account>,
    lots: Vec<Lot>,
    next: u64,
    settled: u64,
    released: u64,
    from_balance: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Month {
    pub settled: u64,
    pub released: u64,
    pub from_balance: u64,
    pub from_mpesa: u64,
    pub deeds: Deeds,
}

impl ToyMarket {
    fn attest(&mut self, who: HouseholdId, export: u64, import: u64) {
        let account = self.accounts.entry(who).or_default();
        account.tokens += export;
        account.debt += import;
        let burned = account.tokens.min(account.debt);
        account.tokens -= burned;
        account.debt -= burned;
    }

    /// The operator sells what it has at the highest price, in lots of 2 kWh or more.
    fn sell_for_operator(&mut self, who: HouseholdId) {
        let account = self.accounts.entry(who).or_default();
        if account.tokens >= 2_000 {
            let energy = std::mem::take(&mut account.tokens);
            self.next += 1;
            self.lots.push(Lot { id: self.next, seller: who, energy, left: energy, price: PRICES.highest });
        }
    }

    fn fills(&self, who: HouseholdId, energy: u64, share: u64) -> Result<Vec<(usize, u64)>, Refusal> {
        let mut order: Vec<usize> = (0..self.lots.len()).collect();
        order.sort_by_key(|index| (self.lots[*index].price, self.lots[*index].id));
        let mut left = energy;
        let mut fills = Vec::new();
        for index in order {
            let lot = &self.lots[index];
            let take = left.min(lot.left).min(lot.energy / share);
            if lot.seller == who || take == 0 || fills.len() == 4 {
                continue;
            }
            fills.push((index, take));
            left -= take;
        }
        let refusal = || Refusal { code: "market.not_enough".to_owned(), message: String::new() };
        if left == 0 { Ok(fills) } else { Err(refusal()) }
    }

    fn due(&self, fills: &[(usize, u64)]) -> i64 {
        let total: u64 =
            fills.iter().map(|(index, energy)| (u64::from(self.lots[*index].price) + ON_TOP) * energy).sum();
        i64::try_from(total.div_ceil(1_000)).unwrap()
    }
}

impl Door for ToyMarket {
    async fn prices(&mut self) -> Result<PriceBounds, Refusal> {
        Ok(PRICES)
    }

    async fn home(&mut self, who: HouseholdId) -> Result<HomeNow, Refusal> {
        let offered_wh = self.lots.iter().filter(|lot| lot.seller == who).map(|lot| lot.left).sum();
        let account = self.accounts.entry(who).or_default();
        Ok(HomeNow {
            vault_wh: account.tokens,
            shortfall_wh: account.debt,
            offered_wh,
            available_cents: account.cents,
        })
    }

    async fn rule(&mut self, _who: HouseholdId, _rules: HomeRules) -> Result<(), Refusal> {
        Err(Refusal { code: "toy.no_rules".to_owned(), message: String::new() })
    }

    async fn offers(&mut self, who: HouseholdId) -> Result<Vec<OwnOffer>, Refusal> {
        let own = self.lots.iter().filter(|lot| lot.seller == who);
        Ok(own.map(|lot| OwnOffer { id: lot.id, open_wh: lot.left }).collect())
    }

    async fn offer(
        &mut self,
        who: HouseholdId,
        _key: &str,
        energy_wh: u64,
        price: u32,
        _expires_in_s: u32,
    ) -> Result<(), Refusal> {
        assert!((PRICES.lowest..=PRICES.highest).contains(&price));
        let account = self.accounts.get_mut(&who).unwrap();
        assert!(account.debt == 0);
        account.tokens = account.tokens.checked_sub(energy_wh).unwrap();
        self.next += 1;
        self.lots.push(Lot { id: self.next, seller: who, energy: energy_wh, left: energy_wh, price });
        Ok(())
    }

    async fn cancel(&mut self, who: HouseholdId, offer: u64) -> Result<(), Refusal> {
        let lot = self.lots.iter_mut().find(|lot| lot.id == offer && lot.seller == who).unwrap();
        let back = std::mem::take(&mut lot.left);
        self.attest(who, back, 0);
        Ok(())
    }

    async fn quote(&mut self, who: HouseholdId, energy_wh: u64) -> Result<QuoteNow, Refusal> {
        let fills = self.fills(who, energy_wh, 4)?;
        Ok(QuoteNow { energy_wh, due_cents: self.due(&fills) })
    }

    async fn order(
        &mut self,
        who: HouseholdId,
        key: &str,
        energy_wh: u64,
        pay_with: PayWith,
        max_due_cents: i64,
    ) -> Result<(), Refusal> {
        let share = if pay_with == PayWith::Balance { 1 } else { 4 };
        let fills = self.fills(who, energy_wh, share)?;
        let due = self.due(&fills);
        assert!(due <= max_due_cents, "{key}");
        if pay_with == PayWith::Balance {
            let account = self.accounts.get_mut(&who).unwrap();
            account.cents -= due;
            assert!(account.cents >= 0);
            self.from_balance += 1;
        } else if noise(9, u64::from(who.0), self.settled, self.released).is_multiple_of(10) {
            self.released += 1;
            return Ok(());
        }
        self.settled += 1;
        for (index, energy) in fills {
            let lot = &mut self.lots[index];
            lot.left -= energy;
            let earned = i64::try_from(u64::from(lot.price) * energy / 1_000).unwrap();
            let seller = lot.seller;
            self.accounts.get_mut(&seller).unwrap().cents += earned;
            self.attest(who, energy, 0);
        }
        Ok(())
    }

    async fn withdraw(&mut self, who: HouseholdId, _key: &str, amount_cents: i64) -> Result<(), Refusal> {
        let account = self.accounts.get_mut(&who).unwrap();
        account.cents -= amount_cents / 100 * 100;
        assert!(amount_cents >= 1_000 && account.cents >= 0);
        Ok(())
    }
}

/// Runs the whole of `source` with physics and people, without meters and chain.
pub async fn run_month(source: &Source, seed: u64) -> Month {
    let homes = source.households();
    let equipment = Equipment::for_homes(source);
    let mut stored_wh = equipment.battery_wh / 2;
    let mut people = People::new(source, seed, 1, 0, ToyMarket::default());
    let (generator, battery) = ids_of_operator(homes);
    for slot in 0..source.slots().unwrap() {
        let energy: Vec<_> = (0..homes).map(|home| source.energy(home, slot)).collect();
        let flows = balance(&equipment, &mut stored_wh, &energy, source.slot_length_s());
        assert_eq!(flows.unserved_wh, 0, "the generator is large enough");
        let mut counts: Vec<_> =
            (0..homes).map(id_of_home).zip(flows.homes.iter().map(|h| (h.export_wh, h.import_wh))).collect();
        counts.push((generator, (flows.generator_export_wh, 0)));
        counts.push((battery, (flows.battery_export_wh, flows.battery_import_wh)));
        for (place, (id, (export, import))) in counts.into_iter().enumerate() {
            people.count_energy(Actor(u32::try_from(place).unwrap()), export, import);
            people.door().attest(id, export, import);
        }
        for record in [generator, battery] {
            people.door().sell_for_operator(record);
        }
        for (at, actor) in turns(seed, source, people.count(), slot, 60) {
            people.act(actor, at).await;
        }
        people.door().lots.retain(|lot| lot.left > 0);
    }
    let deeds = people.deeds().clone();
    let market = people.door();
    let (settled, released, from_balance) = (market.settled, market.released, market.from_balance);
    Month { settled, released, from_balance, from_mpesa: settled - from_balance, deeds }
}
