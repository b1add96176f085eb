//! Everything at once, in an order drawn from a seed: whatever goes wrong, every
//! shilling and every token is somewhere in the end, once.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on should stop")]

mod world;

use jirani_daraja::QueryOutcome;
use jirani_settlement::Want;
use jirani_store::{CallbackKind, OfferState, OrderState, PayWith, PayoutState, Store as _};
use jirani_units::{Cents, Clock as _, HouseholdId, Price, Wh};
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha20Rng;
use std::collections::{BTreeMap, HashSet};
use world::chain::ChainFault;
use world::mpesa::{Fate, Paid, Prompt, b2c_result, c2b, stk_paid, stk_refused};
use world::{BUYER, GENERATOR, OTHER, SELLER, World};

const SEEDS: u64 = 24;
const ACTIONS: usize = 60;

struct Storm {
    world: World,
    rng: ChaCha20Rng,
    /// Payments whose news has not been told, or not for the last time.
    untold: Vec<(Prompt, Paid)>,
    /// Payouts whose result was told.
    told: HashSet<String>,
    number: u64,
}

impl Storm {
    fn key(&mut self) -> String {
        self.number += 1;
        format!("key-{}", self.number)
    }

    fn buyer(&mut self) -> HouseholdId {
        *[BUYER, OTHER].choose(&mut self.rng).unwrap()
    }

    async fn act(&mut self) {
        match self.rng.random_range(0..16) {
            0 | 1 => self.offer().await,
            2..=4 => self.buy(PayWith::Mpesa).await,
            5 => self.buy(PayWith::Balance).await,
            6..=8 => self.pay().await,
            9 => self.tell().await,
            10 => self.refuse().await,
            11 => self.fault(),
            12 => self.withdraw().await,
            13 => self.results().await,
            14 => self.world.pass(self.rng.random_range(1..200)).await,
            _ => self.restart_or_cancel().await,
        }
    }

    async fn offer(&mut self) {
        let seller = *[SELLER, GENERATOR].choose(&mut self.rng).unwrap();
        let (energy, price) = (self.rng.random_range(50..3_000), self.rng.random_range(1_000..=3_540));
        let (life_s, key) = (self.rng.random_range(60..2_000), self.key());
        // Too small a vault, say, is an answer too.
        let _ = self.world.settlement.post_offer(seller, Wh(energy), Price(price), life_s, &key).await;
    }

    async fn buy(&mut self, pay_with: PayWith) {
        let (buyer, key) = (self.buyer(), self.key());
        let want = if self.rng.random_bool(0.7) {
            Want::Energy(Wh(self.rng.random_range(1..600)))
        } else {
            Want::Budget(Cents(self.rng.random_range(1..3_000)))
        };
        if pay_with == PayWith::Balance {
            self.world.prepay(buyer, 1_000).await;
        }
        if self.rng.random_bool(0.2) {
            let fate = *[Fate::AnswerLost, Fate::NeverArrives, Fate::Refused].choose(&mut self.rng).unwrap();
            self.world.mpesa.push_fate(fate);
        }
        let _ = self.world.settlement.place_order(buyer, want, pay_with, None, &key).await;
    }

    async fn pay(&mut self) {
        let prompts = self.world.mpesa.prompts();
        let Some(prompt) = prompts.choose(&mut self.rng).cloned() else { return };
        let asked = prompt.shillings * 100;
        let cents = *[asked, asked, asked, asked - 100, asked + 300].choose(&mut self.rng).unwrap();
        if cents > 0 {
            let paid = self.world.mpesa.pay(cents, self.world.clock.now());
            self.world.mpesa.query_says(&prompt, QueryOutcome::Paid);
            self.untold.push((prompt, paid));
            if self.rng.random_bool(0.7) {
                self.tell().await;
            }
        }
    }

    /// Tells of a payment by one channel or both, or by a copy of what was told.
    async fn tell(&mut self) {
        let Some((prompt, paid)) = self.untold.choose(&mut self.rng).cloned() else { return };
        if self.rng.random_bool(0.7) {
            self.world.stk(&prompt, stk_paid(&prompt, &paid)).await;
        }
        if self.rng.random_bool(0.7) {
            self.world.confirm(c2b(&paid, &prompt.reference)).await;
        }
    }

    async fn refuse(&mut self) {
        let prompts = self.world.mpesa.prompts();
        if let Some(prompt) = prompts.choose(&mut self.rng).cloned() {
            let code = *["1032", "1037", "4999", "strange"].choose(&mut self.rng).unwrap();
            self.world.stk(&prompt, stk_refused(&prompt, code)).await;
        }
    }

    fn fault(&mut self) {
        let key = *["post/", "place/", "settle/", "release/", "close/"].choose(&mut self.rng).unwrap();
        let refuse = ChainFault::Refuse("energy.paused");
        let faults = [ChainFault::SilentBefore, ChainFault::SilentAfter, refuse, refuse];
        self.world.chain.order_fault(key, *faults.choose(&mut self.rng).unwrap());
    }

    async fn withdraw(&mut self) {
        let key = self.key();
        if self.rng.random_bool(0.4) {
            let fate = *[Fate::AnswerLost, Fate::NeverArrives, Fate::Refused].choose(&mut self.rng).unwrap();
            self.world.mpesa.b2c_fate(fate);
        }
        let household = *[BUYER, SELLER, OTHER].choose(&mut self.rng).unwrap();
        let amount = Cents(self.world.available(household).await);
        let _ = self.world.settlement.request_payout(household, amount, &key).await;
    }

    /// Tells the result of every payout that M-Pesa has taken on.
    async fn results(&mut self) {
        for payout in self.world.mpesa.payouts() {
            if self.told.insert(payout.originator_id.clone()) {
                let body = if self.rng.random_bool(0.8) {
                    let receipt = self.world.mpesa.pay_out(&payout);
                    b2c_result(&payout, "0", &receipt)
                } else {
                    b2c_result(&payout, "2040", "0000000000")
                };
                self.world.callback(CallbackKind::B2cResult, &payout.secret, body.clone()).await;
                self.world.callback(CallbackKind::B2cResult, &payout.secret, body).await;
            }
        }
    }

    async fn restart_or_cancel(&mut self) {
        if self.rng.random_bool(0.5) {
            self.world.restart().await;
        } else if let Some(offer) = self.world.store.live_offers().await.unwrap().first() {
            self.world.settlement.cancel_offer(offer.seller, offer.id).await.unwrap();
        }
    }

    /// Fair weather: all news is told and all time passes.
    async fn calm(&mut self) {
        for (prompt, paid) in self.untold.clone() {
            self.world.confirm(c2b(&paid, &prompt.reference)).await;
        }
        for _ in 0..3 {
            self.world.pass(20_000).await;
            self.results().await;
        }
    }

    async fn ends_well(&self) {
        let store = &self.world.store;
        self.world.is_sound().await;
        assert!(store.live_orders().await.unwrap().is_empty());
        assert!(store.waiting_receipts().await.unwrap().is_empty());
        assert!(store.live_collections().await.unwrap().is_empty());
        assert_eq!(store.live_payouts().await.unwrap(), []);
        for seller in [SELLER, GENERATOR] {
            for offer in store.offers_of(seller, 1_000).await.unwrap() {
                let ended = matches!(offer.state, OfferState::Closed | OfferState::Refused);
                assert!(ended, "offer {} is {:?}", offer.id, offer.state);
            }
        }
        assert_eq!((self.world.chain.orders(), self.world.chain.offers()), (0, 0));
        let paid_out: i64 = self.world.mpesa.statement().1;
        let mut ours = 0;
        for payout in store.payouts_after(jirani_units::PayoutId(0), 1_000).await.unwrap() {
            ours += if payout.state == PayoutState::Paid { payout.sent.0 } else { 0 };
        }
        assert_eq!(ours, paid_out);
    }
}

/// What has happened over all storms, by name.
type Seen = BTreeMap<String, usize>;

/// Counts how orders, their payments and payouts ended: a storm in which nothing
/// happens proves nothing.
async fn count(world: &World, seen: &mut Seen) {
    let mut count = |name: String| *seen.entry(name).or_default() += 1;
    for order in world.store.orders_after(jirani_units::OrderId(0), 1_000).await.unwrap() {
        count(format!("order {:?} {:?} {:?}", order.pay_with, order.state, order.release_reason));
        if order.state == OrderState::Released && order.refusal.is_some() {
            count("settle refused".to_owned());
        }
        if let Some(collection) = world.store.collection(order.id).await.unwrap() {
            let state = format!("collection {:?}", collection.state);
            count(state.split(' ').take(2).collect::<Vec<_>>().join(" "));
        }
    }
    for payout in world.store.payouts_after(jirani_units::PayoutId(0), 1_000).await.unwrap() {
        count(format!("payout {:?}", payout.state).split(' ').take(2).collect::<Vec<_>>().join(" "));
    }
}

#[tokio::test]
async fn whatever_goes_wrong_in_whatever_order_nothing_is_lost_or_doubled() {
    let mut seen = Seen::new();
    for seed in 0..SEEDS {
        println!("seed {seed}");
        let mut storm = Storm {
            world: World::new().await,
            rng: ChaCha20Rng::seed_from_u64(seed),
            untold: Vec::new(),
            told: HashSet::new(),
            number: 0,
        };
        for _ in 0..ACTIONS {
            storm.act().await;
            storm.world.is_sound_so_far().await;
        }
        storm.calm().await;
        storm.ends_well().await;
        count(&storm.world, &mut seen).await;
    }
    println!("{seen:#?}");
    for name in [
        "order Mpesa Settled None",
        "order Mpesa Released Some(PaymentRefused)",
        "order Mpesa Released Some(PaymentTimeout)",
        "order Mpesa Released Some(PaidShort)",
        "order Mpesa Refused None",
        "order Balance Settled None",
        "order Balance Refused None",
        "settle refused",
        "collection Paid",
        "collection Refused",
        "collection Expired",
        "payout Paid",
        "payout Failed",
    ] {
        assert!(seen.contains_key(name), "no storm ended with `{name}`");
    }
}
