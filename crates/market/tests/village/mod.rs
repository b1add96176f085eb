//! A village that is all market: homes with rules, the operator at the edges, slots one
//! after another. No meters, chain or money but the numbers; every slot's bills and the
//! feeder's report are made and checked, so whoever runs it has audited it.
#![allow(dead_code, clippy::unwrap_used, reason = "shared by tests and examples, each using a part")]

use jirani_market::Tariff;
use jirani_market::bill::{Flow, Guarantee, SlotBill, Total, Trade};
use jirani_market::call::{Book, CallOrder, Draw, Plan, Side, clear};
use jirani_market::nairobi;
use jirani_market::report::{Member, SlotReport};
use jirani_market::rule::{Act, Acting, BuyRule, Cover, Rules, SellRule, State, decide};
use jirani_market::schedule::Terms;
use jirani_units::{Cents, HouseholdId, OfferId, Price, Slot, Timestamp, Wh};

pub const TARIFF: Tariff =
    Tariff { retail: Price(3_500), buy_back: Price(1_000), grid_fee: Price(300), tax: Price(200) };
/// What a home pays in when its balance falls below a fifth of it.
pub const TOP_UP: i64 = 50_000;

const PLANT: HouseholdId = HouseholdId(1_000_000);
const LOSS: HouseholdId = HouseholdId(1_000_001);

/// SplitMix64 (Steele, Lea, Flood 2014): a number from a place, the same on every machine.
pub fn noise(seed: u64, place: u64) -> u64 {
    let mut z = seed.wrapping_add(place.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// What one record holds and owes.
#[derive(Clone, Copy, Default)]
pub struct Tokens {
    pub holding: u64,
    pub shortfall: u64,
}

impl Tokens {
    /// An attestation or an arrival: what is owed is burned first.
    fn settle(&mut self, tokens: u64, owed: u64) {
        let (tokens, owed) = (self.holding + tokens, self.shortfall + owed);
        let burned = tokens.min(owed);
        (self.holding, self.shortfall) = (tokens - burned, owed - burned);
    }
}

/// A home and its year so far.
pub struct Home {
    pub rules: Rules,
    pub tokens: Tokens,
    pub balance: i64,
    pub paid_in: i64,
    pub spent: (i64, i64),
    pub bought_left: Wh,
    pub import: u64,
    pub export: u64,
    pub total: Total,
    /// Gain of trades alone, without own use.
    pub trade_gain: i64,
}

pub struct Village {
    pub homes: Vec<Home>,
    pub plant: Tokens,
    pub loss: Tokens,
    pub operator_balance: i64,
    pub trades: u64,
    pub traded_wh: u64,
    pub operator_sold_wh: u64,
    pub bought_back_wh: u64,
    pub price_sum: u64,
    pub priced_slots: u64,
    seed: u64,
}

/// What a home of this number is set to: floors of 12 to 20 and prices of 22 to 35
/// KES/kWh, so that the market has to find a price.
pub fn rules(home: u64, keep: Wh) -> Rules {
    let spread = |of: u64, from: u32, to: u32| {
        let steps = u64::from((to - from) / 25 + 1);
        Price(from + 25 * u32::try_from(noise(of, home) % steps).unwrap())
    };
    Rules {
        sell: Some(SellRule {
            keep_wh: keep,
            floor_cents_per_kwh: spread(1, 1_200, 2_000),
            acting: Acting::Act,
        }),
        buy: Some(BuyRule {
            cover: Cover::Shortfall,
            price_max_cents_per_kwh: spread(2, 2_200, 3_500),
            budget_per_day_cents: Cents(200_000),
            acting: Acting::Act,
        }),
        set_at: Timestamp(i64::MIN),
    }
}

impl Village {
    pub fn new(rules: impl IntoIterator<Item = Rules>, seed: u64) -> Self {
        let home = |rules: Rules| {
            rules.check(&TARIFF).unwrap();
            Home {
                rules,
                tokens: Tokens::default(),
                balance: TOP_UP,
                paid_in: TOP_UP,
                spent: (i64::MIN, 0),
                bought_left: Wh::ZERO,
                import: 0,
                export: 0,
                total: Total::default(),
                trade_gain: 0,
            }
        };
        Self {
            homes: rules.into_iter().map(home).collect(),
            plant: Tokens::default(),
            loss: Tokens::default(),
            operator_balance: 0,
            trades: 0,
            traded_wh: 0,
            operator_sold_wh: 0,
            bought_back_wh: 0,
            price_sum: 0,
            priced_slots: 0,
            seed,
        }
    }

    /// One slot: `flows` holds (import, export) of each home, in Wh. On the last slot of
    /// a day in Nairobi standing orders pay retail for what they did not get cheaper.
    pub fn step(&mut self, slot: Slot, flows: &[(u64, u64)]) -> SlotReport {
        let before: Vec<Tokens> = self.homes.iter().map(|home| home.tokens).collect();
        let (plant_before, loss_before) = (self.plant, self.loss);
        let (plant_flow, loss_flow) = self.attest(slot, flows);
        let (book, trades) = self.call(slot);
        drop(book);
        let mut members = Vec::with_capacity(self.homes.len() + 2);
        for ((home, id), (tokens, (import, export))) in
            self.homes.iter_mut().zip(0u32..).zip(before.iter().zip(flows))
        {
            let flow = flow(*tokens, home.tokens, *import, *export, home.bought_left);
            let bill = SlotBill::new(HouseholdId(id), slot, &TARIFF, &flow, &trades).unwrap();
            assert_eq!(bill.guarantee(), Guarantee::Holds, "{bill:?}");
            home.bought_left = bill.bought_left;
            let own_before = home.total.own_use;
            home.total.add(&bill);
            let own = home.total.own_use.0 - own_before.0;
            home.trade_gain += bill.gain().0 - i64::try_from(own * 2_500 / 1_000).unwrap();
            members.push((HouseholdId(id), Member::Household, flow));
        }
        let nothing = Wh::ZERO;
        members.push((
            PLANT,
            Member::Plant,
            flow(plant_before, self.plant, plant_flow.0, plant_flow.1, nothing),
        ));
        members.push((LOSS, Member::Loss, flow(loss_before, self.loss, loss_flow, 0, nothing)));
        let report = SlotReport::new(1, slot, &members, &trades, &[]).unwrap();
        assert_eq!(report.money_sum(), Cents::ZERO);
        assert_eq!(report.holdings_less_owed_wh, 0, "E4");
        self.traded_wh += report.traded.0;
        self.operator_sold_wh += report.operator_sold.0;
        self.bought_back_wh += report.bought_back.0;
        report
    }

    /// Registers of the slot: homes, then the plant as what is missing, 4 % lost.
    fn attest(&mut self, slot: Slot, flows: &[(u64, u64)]) -> ((u64, u64), u64) {
        let today = nairobi::day(slot.start);
        for (home, (import, export)) in self.homes.iter_mut().zip(flows) {
            home.tokens.settle(*export, *import);
            home.import += import;
            home.export += export;
            if home.spent.0 != today {
                home.spent = (today, 0);
            }
            if home.balance < TOP_UP / 5 {
                home.balance += TOP_UP;
                home.paid_in += TOP_UP;
            }
        }
        let import: u64 = flows.iter().map(|flow| flow.0).sum();
        let export: u64 = flows.iter().map(|flow| flow.1).sum();
        let lost = import.max(export) / 25;
        let plant =
            if import + lost > export { (0, import + lost - export) } else { (export - import - lost, 0) };
        self.plant.settle(plant.1, plant.0);
        self.loss.settle(0, lost);
        (plant, lost)
    }

    /// Rules act, the call is cleared, its orders settle at once.
    fn call(&mut self, slot: Slot) -> (Book, Vec<Trade>) {
        let mut book = Book::new(TARIFF);
        let last = nairobi::day(slot.end()) != nairobi::day(slot.start);
        for (home, id) in self.homes.iter().zip(0u32..) {
            let state = State {
                household: HouseholdId(id),
                attested_through: slot.end(),
                vault: Wh(home.tokens.holding),
                bought: home.bought_left,
                shortfall: Wh(home.tokens.shortfall),
                incoming: Wh::ZERO,
                available: Cents(home.balance),
                spent_today: Cents(home.spent.1),
            };
            let mut rules = home.rules;
            if let Some(buy) = rules.buy.as_mut().filter(|_| last) {
                buy.price_max_cents_per_kwh = TARIFF.retail;
            }
            for intent in decide(&rules, &state, &TARIFF, &[], slot) {
                match intent.act {
                    Act::Ask(order) => book.enter(Side::Ask, &order).map(|_| ()).unwrap(),
                    Act::Bid(order) => book.enter(Side::Bid, &order).map(|_| ()).unwrap(),
                    Act::Tell(_) => {}
                }
            }
        }
        for (side, energy) in [(Side::Ask, self.plant.holding), (Side::Bid, self.plant.shortfall)] {
            let money = Cents(i64::MAX);
            if let Some(order) = CallOrder::of_operator(PLANT, side, Wh(energy), money, &TARIFF, slot) {
                book.enter(side, &order).unwrap();
            }
        }
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&noise(self.seed, slot.start.0.cast_unsigned()).to_le_bytes());
        let draw = Draw::open(&Draw::commitment(&seed), seed, [0; 32], slot).unwrap();
        let plan = Plan::new(&book, &clear(&book, &draw)).unwrap();
        let posted: Vec<OfferId> = (0..plan.offers.len() as u64).map(OfferId).collect();
        if let Some(price) = plan.price {
            self.price_sum += u64::from(price.0);
            self.priced_slots += 1;
        }
        let mut trades = Vec::with_capacity(plan.purchases.len());
        for purchase in &plan.purchases {
            let fills = plan.fills(purchase, &posted).unwrap();
            let energy = jirani_market::fill::energy(&fills).0;
            for (seller, cents) in &purchase.shares.sellers {
                *self.balance(*seller) += cents.0;
            }
            for fill in &fills {
                self.tokens(fill.seller).holding -= u64::from(fill.energy_wh);
            }
            self.operator_balance +=
                purchase.shares.fee.0 + purchase.shares.tax.0 + purchase.shares.rounding.0;
            *self.balance(purchase.buyer) -= purchase.shares.due.0;
            if let Some(home) = self.homes.get_mut(purchase.buyer.0 as usize) {
                home.spent.1 += purchase.shares.due.0;
                assert!(home.balance >= 0, "M3");
            }
            self.tokens(purchase.buyer).settle(energy, 0);
            self.trades += 1;
            let terms = if purchase.buyer == PLANT {
                Terms { grid_fee: Price(0), tax: Price(0), ..Terms::of(&TARIFF) }
            } else {
                Terms::of(&TARIFF)
            };
            trades.push(Trade { buyer: purchase.buyer, fills, terms });
        }
        (book, trades)
    }

    fn tokens(&mut self, id: HouseholdId) -> &mut Tokens {
        self.homes.get_mut(id.0 as usize).map_or(&mut self.plant, |home| &mut home.tokens)
    }

    fn balance(&mut self, id: HouseholdId) -> &mut i64 {
        self.homes.get_mut(id.0 as usize).map_or(&mut self.operator_balance, |home| &mut home.balance)
    }
}

impl Home {
    /// Cents that the whole time cost less than with the tariff alone. What is held at
    /// the end counts at buy-back, what is owed at retail.
    pub fn saved(&self) -> i64 {
        let at = |energy: u64, price: Price| i64::try_from(energy * u64::from(price.0) / 1_000).unwrap();
        let alone = at(self.import, TARIFF.retail) - at(self.export, TARIFF.buy_back);
        let spent = self.paid_in - self.balance;
        let left = at(self.tokens.shortfall, TARIFF.retail) - at(self.tokens.holding, TARIFF.buy_back);
        alone - spent - left
    }
}

fn flow(before: Tokens, after: Tokens, import: u64, export: u64, bought_before: Wh) -> Flow {
    Flow {
        import: Wh(import),
        export: Wh(export),
        holding_before: Wh(before.holding),
        holding_after: Wh(after.holding),
        shortfall_before: Wh(before.shortfall),
        shortfall_after: Wh(after.shortfall),
        bought_before,
    }
}

/// A village of made-up homes after so many days of 15-minute slots from January on. Each
/// keeps about a day of its load before it sells.
pub fn made_up_village(homes: u64, days: u64) -> Village {
    let mut village = Village::new((0..homes).map(|home| rules(home, Wh(1_500))), 1);
    let mut slot = Slot::containing("2026-01-01T00:00:00Z".parse().unwrap(), 900);
    for _ in 0..96 * days {
        let flows: Vec<_> = (0..homes).map(|home| made_up(1, home, slot)).collect();
        village.step(slot, &flows);
        slot = slot.next();
    }
    village
}

/// (import, export) of a made-up home in a 15-minute slot: load with an evening peak,
/// sun from seven to six for three homes of five, clouds by day and place.
pub fn made_up(seed: u64, home: u64, slot: Slot) -> (u64, u64) {
    let quarter = slot.start.0.cast_unsigned() / 900_000_000 + 12;
    let (day, of_day) = (quarter / 96, quarter % 96);
    let random = noise(seed ^ (home << 40), quarter);
    let shape = match of_day / 4 {
        18..=21 => 5,
        6..=8 => 3,
        9..=17 => 2,
        _ => 1,
    };
    let load = shape * (6 + noise(3, home) % 12) + random % 20;
    let peak_w = [0, 300, 0, 700, 1_400][usize::try_from(home % 5).unwrap()];
    let sun = if (28..72).contains(&of_day) { (of_day - 28) * (71 - of_day) } else { 0 };
    let clear_percent = 30 + noise(seed, day) % 71;
    // The parabola's top is 462; a quarter of an hour of peak_w is a fourth of it in Wh.
    let pv = peak_w * sun * clear_percent * (80 + random % 21) / (4 * 462 * 100 * 100);
    (load.saturating_sub(pv), pv.saturating_sub(load))
}
