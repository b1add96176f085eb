//! Everybody who trades, and what each does when it is his turn.

use super::door::{Door, HomeNow, HomeRules, PayWith, PriceBounds, Refusal};
use super::habits::Habits;
use crate::profile::Source;
use crate::registry::id_of_home;
use crate::seed::noise;
use jirani_units::{HouseholdId, Timestamp};
use std::collections::BTreeMap;

/// M-Pesa pays out no less, cents.
const PAYOUT_MIN_CENTS: i64 = 1_000;
/// How long an offer stands, seconds.
const OFFER_LIFE_S: u32 = 86_400;
/// Smaller orders are not worth a prompt, Wh.
const ORDER_MIN_WH: u64 = 50;
/// How often an order is halved when there is not enough on offer.
const HALVINGS: u32 = 4;
/// Own offers looked at and taken back at most, at one turn.
const CANCELS: usize = 3;
/// What a home with rules may spend by them in a day, and leaves in its balance for that.
const RULE_BUDGET_CENTS: i64 = 20_000;
const ASK: u64 = 21;
const RULES: u64 = 22;

/// Whose turn it is: a place in the list of people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Actor(pub u32);

/// What people did, and what was refused to them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deeds {
    /// Offers posted.
    pub offers: u64,
    /// Offers taken back.
    pub cancels: u64,
    /// Orders made.
    pub orders: u64,
    /// Payouts asked for.
    pub payouts: u64,
    /// Homes that set rules.
    pub rules: u64,
    /// Refusals by code.
    pub refusals: BTreeMap<String, u64>,
}

/// Homes in their order. What the operator's generator and battery have, the market sells
/// for it by itself.
pub struct People<D> {
    door: D,
    seed: u64,
    clock_offset_s: i64,
    prices: Option<PriceBounds>,
    persons: Vec<Person>,
    deeds: Deeds,
}

struct Person {
    id: HouseholdId,
    habits: Habits,
    /// Tokens less debt as last seen, and counted on since; None when unknown.
    net_wh: Option<i128>,
    /// Local day of the last withdrawal.
    withdrew_on: Option<i64>,
    trades: Trades,
}

/// How a person sells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trades {
    /// Puts offers up.
    Hand,
    /// Will set rules at the first turn.
    RulesToSet,
    /// The market does it.
    Rules,
}

impl<D: Door> People<D> {
    /// The people of `source`, who knock at `door`. Of a thousand homes `rules_permille`
    /// let the market trade by rules.
    pub fn new(source: &Source, seed: u64, eagerness: u64, rules_permille: u32, door: D) -> Self {
        let person = |id, habits, trades| Person { id, habits, net_wh: None, withdrew_on: None, trades };
        let homes = source.households();
        let persons = (0..homes)
            .map(|home| {
                let ruled = noise(seed, RULES, u64::from(home), 0) % 1_000 < u64::from(rules_permille);
                let trades = if ruled { Trades::RulesToSet } else { Trades::Hand };
                person(id_of_home(home), Habits::of_home(source, seed, home, eagerness), trades)
            })
            .collect();
        let clock_offset_s = source.place().map_or(3 * 3_600, jirani_forecast::Place::clock_offset_s);
        Self { door, seed, clock_offset_s, prices: None, persons, deeds: Deeds::default() }
    }

    /// How many there are.
    pub fn count(&self) -> u32 {
        u32::try_from(self.persons.len()).unwrap_or(u32::MAX)
    }

    /// What they did so far.
    pub fn deeds(&self) -> &Deeds {
        &self.deeds
    }

    /// The door they knock at.
    #[cfg(test)]
    pub fn door(&mut self) -> &mut D {
        &mut self.door
    }

    /// A slot is over: `actor` pushed and drew so much, Wh.
    pub fn count_energy(&mut self, actor: Actor, export_wh: u64, import_wh: u64) {
        if let Some(person) = self.persons.get_mut(actor.0 as usize) {
            // What a rule sells is gone: only what was drawn counts towards a look.
            let pushed = if person.trades == Trades::Hand { export_wh } else { 0 };
            person.net_wh = person.net_wh.map(|net| net + i128::from(pushed) - i128::from(import_wh));
        }
    }

    /// Lets `actor` do what he thinks right at `now`.
    pub async fn act(&mut self, actor: Actor, now: Timestamp) {
        let local = now.seconds() + self.clock_offset_s;
        let (day, hour) = (local.div_euclid(86_400), local.rem_euclid(86_400) / 3_600);
        let Some(person) = self.persons.get(actor.0 as usize) else { return };
        let (id, habits) = (person.id, person.habits);
        let withdraws = hour >= habits.withdraw_hour && person.withdrew_on != Some(day);
        let trades = person.trades;
        let moved = person.net_wh.is_none_or(|net| habits.call_for_a_look(net, trades));
        if !(withdraws || moved) {
            return;
        }
        let turn = Turn { id, habits, now, day, withdraws, trades };
        let net_wh = match self.turn(&turn).await {
            Ok(net_wh) => net_wh,
            Err(refusal) => {
                tracing::debug!(household = %id, "{}: {}", refusal.code, refusal.message);
                *self.deeds.refusals.entry(refusal.code).or_default() += 1;
                None
            }
        };
        if let Some(person) = self.persons.get_mut(actor.0 as usize) {
            person.net_wh = net_wh;
            if trades == Trades::RulesToSet && net_wh.is_some() {
                person.trades = Trades::Rules;
            }
            if withdraws {
                person.withdrew_on = Some(day);
            }
        }
    }

    /// One turn; gives tokens less debt, None when they are about to change.
    async fn turn(&mut self, turn: &Turn) -> Result<Option<i128>, Refusal> {
        if turn.trades == Trades::RulesToSet {
            let (floor, price_max) = (self.asked(turn).await?, self.prices().await?.retail);
            let keep_wh = turn.habits.keep_wh;
            let rules = HomeRules { keep_wh, floor, price_max, budget_cents: RULE_BUDGET_CENTS };
            self.door.rule(turn.id, rules).await?;
            self.deeds.rules += 1;
            return Ok(Some(0));
        }
        let by_hand = turn.trades == Trades::Hand;
        let mut home = self.door.home(turn.id).await?;
        let mut changed = false;
        let stays = if by_hand { 0 } else { RULE_BUDGET_CENTS };
        let spare = home.available_cents - stays;
        if turn.withdraws && spare >= PAYOUT_MIN_CENTS {
            self.door.withdraw(turn.id, &turn.key("payout"), spare).await?;
            self.deeds.payouts += 1;
            home.available_cents -= spare;
        }
        if by_hand && home.shortfall_wh > 0 && home.offered_wh > 0 {
            home = self.take_back(turn, home).await?;
            changed = true;
        }
        if home.shortfall_wh >= turn.habits.buy_at_wh {
            self.buy(turn, home).await?;
            changed = true;
        } else if by_hand
            && home.shortfall_wh == 0
            && home.vault_wh >= turn.habits.keep_wh + turn.habits.sell_at_wh
        {
            let price = self.asked(turn).await?;
            let energy_wh = (home.vault_wh - turn.habits.keep_wh).min(u64::from(u32::MAX));
            self.door.offer(turn.id, &turn.key("offer"), energy_wh, price, OFFER_LIFE_S).await?;
            self.deeds.offers += 1;
            changed = true;
        }
        Ok((!changed).then(|| i128::from(home.vault_wh) - i128::from(home.shortfall_wh)))
    }

    /// Who owes energy burns his own tokens before he buys a neighbour's.
    async fn take_back(&mut self, turn: &Turn, home: HomeNow) -> Result<HomeNow, Refusal> {
        let mut offers = self.door.offers(turn.id).await?;
        offers.retain(|offer| offer.open_wh > 0);
        offers.sort_by_key(|offer| (std::cmp::Reverse(offer.open_wh), offer.id));
        let mut missing = home.shortfall_wh;
        for offer in offers.iter().take(CANCELS) {
            self.door.cancel(turn.id, offer.id).await?;
            self.deeds.cancels += 1;
            missing = missing.saturating_sub(offer.open_wh);
            if missing == 0 {
                break;
            }
        }
        self.door.home(turn.id).await
    }

    async fn buy(&mut self, turn: &Turn, home: HomeNow) -> Result<(), Refusal> {
        let prices = self.prices().await?;
        let energy_wh = home.shortfall_wh.min(u64::from(u32::MAX));
        // Never above retail: who has that much need not ask first.
        let at_most = i128::from(energy_wh) * i128::from(prices.retail) / 1_000 + 1;
        if i128::from(home.available_cents) >= at_most {
            let from_balance =
                self.order(turn, "order-balance", energy_wh, PayWith::Balance, home.available_cents).await;
            if !from_balance.as_ref().is_err_and(Refusal::is_lack) {
                return from_balance;
            }
        }
        let mut wanted = energy_wh;
        for _ in 0..=HALVINGS {
            match self.door.quote(turn.id, wanted).await {
                Ok(quote) => {
                    let balance = home.available_cents >= quote.due_cents;
                    let pay_with = if balance { PayWith::Balance } else { PayWith::Mpesa };
                    return self.order(turn, "order", quote.energy_wh, pay_with, quote.due_cents).await;
                }
                Err(refusal) if refusal.is_lack() && wanted / 2 >= ORDER_MIN_WH => wanted /= 2,
                Err(refusal) => return Err(refusal),
            }
        }
        Ok(())
    }

    async fn order(
        &mut self,
        turn: &Turn,
        what: &str,
        energy_wh: u64,
        pay_with: PayWith,
        max_due_cents: i64,
    ) -> Result<(), Refusal> {
        self.door.order(turn.id, &turn.key(what), energy_wh, pay_with, max_due_cents).await?;
        self.deeds.orders += 1;
        Ok(())
    }

    /// The day's asking price: the household's own place in the allowed range, a
    /// little different every day.
    async fn asked(&mut self, turn: &Turn) -> Result<u32, Refusal> {
        let PriceBounds { lowest, highest, .. } = self.prices().await?;
        let mood = noise(self.seed, ASK, u64::from(turn.id.0), turn.day.unsigned_abs()) % 101;
        let place = u64::from(turn.habits.ask_permille) + mood;
        let place = place.saturating_sub(50).min(1_000);
        let above = u64::from(highest.saturating_sub(lowest)) * place / 1_000;
        Ok(lowest.saturating_add(u32::try_from(above).unwrap_or(0)))
    }

    async fn prices(&mut self) -> Result<PriceBounds, Refusal> {
        if let Some(prices) = self.prices {
            return Ok(prices);
        }
        let prices = self.door.prices().await?;
        self.prices = Some(prices);
        Ok(prices)
    }
}

/// One person's turn.
struct Turn {
    id: HouseholdId,
    habits: Habits,
    now: Timestamp,
    day: i64,
    withdraws: bool,
    trades: Trades,
}

impl Turn {
    /// A key that no other wish has: nobody has two turns at one moment.
    fn key(&self, what: &str) -> String {
        format!("village:{}:{}:{what}", self.id, self.now.0)
    }
}

impl Habits {
    /// Whether tokens less debt of `net_wh` are worth a look at the market.
    fn call_for_a_look(&self, net_wh: i128, trades: Trades) -> bool {
        let sells = trades == Trades::Hand && net_wh >= i128::from(self.keep_wh + self.sell_at_wh);
        sells || trades == Trades::RulesToSet || net_wh <= -i128::from(self.buy_at_wh)
    }
}

impl Refusal {
    /// Whether less would have been possible.
    fn is_lack(&self) -> bool {
        matches!(self.code.as_str(), "market.not_enough" | "market.unpaid_share")
    }
}

#[cfg(test)]
mod tests {
    use super::super::toy_market::run_month;
    use crate::profile::{BuiltInRequest, Source};
    use jirani_forecast::Place;

    fn source(households: u32, days: u32) -> Source {
        Source::built_in(&BuiltInRequest {
            households,
            seed: 1,
            place: Place::KITONYONI,
            slot_length_s: 900,
            start: BuiltInRequest::FIRST_DAY,
            days: Some(days),
        })
    }

    #[tokio::test]
    async fn a_month_of_eighty_homes_is_some_three_thousand_trades() {
        let month = run_month(&source(80, 30), 1).await;
        println!("{month:?}");
        assert!((2_600..4_500).contains(&month.settled), "{month:?}");
        assert!(month.from_balance > 100 && month.from_mpesa > 100, "{month:?}");
        assert!(month.deeds.payouts > 100 && month.deeds.cancels > 10, "{month:?}");
    }

    #[tokio::test]
    async fn a_single_day_of_twelve_homes_has_every_kind_of_deed_but_luck() {
        let day = run_month(&source(12, 1), 1).await;
        assert!(day.settled > 3 && day.deeds.offers > 3 && day.deeds.payouts > 0, "{day:?}");
    }

    #[tokio::test]
    async fn the_same_seed_trades_the_same_and_another_differently() {
        let village = source(12, 3);
        assert_eq!(run_month(&village, 1).await, run_month(&village, 1).await);
        assert_ne!(run_month(&village, 1).await, run_month(&village, 2).await);
    }
}
