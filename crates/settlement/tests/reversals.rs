//! Payments that M-Pesa took back: the seller is never touched, the payer owes.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on should stop")]

mod world;

use jirani_ledger::Account;
use jirani_settlement::interruption::{Interruption, Moment};
use jirani_store::{OrderState, PayWith, ReceiptUse, ReversalState, Store as _};
use jirani_units::{Cents, Clock as _, HouseholdId};
use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex};
use world::mpesa::{Paid, c2b, stk_paid};
use world::{BUYER, OTHER, SELLER, World};

async fn taken_back(world: &World, paid: &Paid) {
    let number = world.mpesa.take_back(paid);
    for _ in 0..2 {
        let receipt = paid.receipt.parse().unwrap();
        world.settlement.payment_reversed(receipt, Some(number.clone()), Cents(paid.cents)).await.unwrap();
    }
    world.clock.idle().await;
}

async fn owes(world: &World, household: HouseholdId) -> i64 {
    let account = Account::ReversalsReceivable(household);
    world.store.balance(account).await.unwrap().net_debit().0
}

async fn told(world: &World, household: HouseholdId) -> Vec<String> {
    let notices = world.store.notices_of(Some(household), 100).await.unwrap();
    notices.into_iter().map(|notice| notice.code).collect()
}

#[tokio::test]
async fn after_the_settlement_the_payer_owes_it_and_the_sellers_money_stays() {
    let mut world = World::new().await;
    world.order().await;
    let prompt = world.mpesa.prompt();
    let paid = world.mpesa.pay(2_000, world.clock.now());
    world.stk(&prompt, stk_paid(&prompt, &paid)).await;
    assert_eq!((world.available(SELLER).await, world.available(BUYER).await), (1_500, 40));
    taken_back(&world, &paid).await;
    assert_eq!(world.available(SELLER).await, 1_500, "M3: never touched");
    assert_eq!((owes(&world, BUYER).await, world.available(BUYER).await), (1_960, 0));
    assert_eq!(told(&world, BUYER).await, ["taken_back"]);
    world.is_sound().await;

    // Later money pays the debt first, over a restart too.
    world.restart().await;
    world.prepay(BUYER, 1_000).await;
    assert_eq!((owes(&world, BUYER).await, world.available(BUYER).await), (960, 0));
    world.prepay(OTHER, 700).await;
    assert_eq!(world.available(OTHER).await, 700, "a neighbour's money is a neighbour's");
    world.prepay(BUYER, 1_000).await;
    assert_eq!((owes(&world, BUYER).await, world.available(BUYER).await), (0, 40));
    world.prepay(BUYER, 500).await;
    assert_eq!(world.available(BUYER).await, 540);
    assert_eq!(told(&world, BUYER).await.iter().filter(|code| *code == "debt_paid").count(), 2);
    world.is_sound().await;
}

#[tokio::test]
async fn what_a_debtor_earns_and_what_is_paid_too_much_pay_the_debt() {
    let world = World::new().await;
    // The seller has paid in by hand, and takes it back.
    let paid = world.mpesa.pay(3_000, world.clock.now());
    world.confirm(c2b(&paid, &format!("H{SELLER}"))).await;
    world.settlement.request_payout(SELLER, Cents(3_000), "gone").await.unwrap();
    taken_back(&world, &paid).await;
    assert_eq!((owes(&world, SELLER).await, world.available(SELLER).await), (3_000, 0));
    world.order().await;
    let prompt = world.mpesa.prompt();
    let order = world.mpesa.pay(2_000, world.clock.now());
    world.stk(&prompt, stk_paid(&prompt, &order)).await;
    assert_eq!((owes(&world, SELLER).await, world.available(SELLER).await), (1_500, 0));
    // The withdrawal is refused after all: what was held pays the rest.
    let sent = world.mpesa.payouts().pop().unwrap();
    let refused = world::mpesa::b2c_result(&sent, "2040", "0000000000");
    world.callback(jirani_store::CallbackKind::B2cResult, &sent.secret, refused).await;
    assert_eq!((owes(&world, SELLER).await, world.available(SELLER).await), (0, 1_500));
    world.is_sound().await;
}

#[tokio::test]
async fn before_the_settlement_was_sent_the_order_is_given_up_and_nobody_owes() {
    let world = World::new().await;
    let order = world.order().await;
    let prompt = world.mpesa.prompt();
    let paid = world.mpesa.pay(2_000, world.clock.now());
    world.chain.set_down(true);
    let callback = world.raw(jirani_store::CallbackKind::StkResult, &prompt.secret, stk_paid(&prompt, &paid));
    world.settlement.receive_callback(callback).await.unwrap();
    world.until(async |world| world.order_now(order.id).await.state == OrderState::Paid).await;
    let number = world.mpesa.take_back(&paid);
    let telling = {
        let (settlement, receipt) = (world.settlement.clone(), paid.receipt.parse().unwrap());
        tokio::spawn(async move { settlement.payment_reversed(receipt, Some(number), Cents(2_000)).await })
    };
    world.until(async |world| world.order_now(order.id).await.state == OrderState::Releasing).await;
    world.chain.set_down(false);
    telling.await.unwrap().unwrap();
    world.clock.idle().await;
    let order = world.order_now(order.id).await;
    assert_eq!((order.state, order.proof), (OrderState::Released, None));
    assert_eq!((owes(&world, BUYER).await, world.available(SELLER).await), (0, 0));
    let receipt = world.store.receipt(&paid.receipt.parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(receipt.used_for, ReceiptUse::Reversed);
    assert_eq!(told(&world, BUYER).await, ["taken_back"]);
    world.is_sound().await;
}

#[tokio::test]
async fn while_the_chain_decides_a_reversal_waits_for_its_word() {
    let world = World::new().await;
    let order = world.order().await;
    let prompt = world.mpesa.prompt();
    let paid = world.mpesa.pay(2_000, world.clock.now());
    world.chain.hold_after_sending("settle/");
    let callback = world.raw(jirani_store::CallbackKind::StkResult, &prompt.secret, stk_paid(&prompt, &paid));
    world.settlement.receive_callback(callback).await.unwrap();
    world.until(async |world| world.order_now(order.id).await.state == OrderState::Paid).await;
    let number = world.mpesa.take_back(&paid);
    let receipt: jirani_units::Receipt = paid.receipt.parse().unwrap();
    let telling = {
        let (settlement, receipt) = (world.settlement.clone(), receipt.clone());
        tokio::spawn(async move { settlement.payment_reversed(receipt, Some(number), Cents(2_000)).await })
    };
    world.chain.let_go();
    telling.await.unwrap().unwrap();
    world.clock.idle().await;
    assert_eq!(world.order_now(order.id).await.state, OrderState::Settled, "the chain decides (S2)");
    assert_eq!((owes(&world, BUYER).await, world.available(SELLER).await), (1_960, 1_500));
    let reversal = world.store.reversal(&receipt).await.unwrap().unwrap();
    assert_eq!(reversal.state, ReversalState::Booked);
    world.is_sound().await;
}

/// Holds whoever comes to one of these moments until it is opened.
#[derive(Default)]
struct Gates {
    state: Mutex<BTreeMap<&'static str, Gate>>,
    changed: Condvar,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Gate {
    Closed,
    SomebodyWaits,
    Open,
}

impl Gates {
    fn close(&self, moment: Moment) {
        self.state.lock().unwrap().insert(moment.name(), Gate::Closed);
    }

    fn open(&self, moment: Moment) {
        self.state.lock().unwrap().insert(moment.name(), Gate::Open);
        self.changed.notify_all();
    }

    fn somebody_waits(&self, moment: Moment) {
        let state = self.state.lock().unwrap();
        let waits = |state: &mut BTreeMap<_, _>| state.get(moment.name()) != Some(&Gate::SomebodyWaits);
        drop(self.changed.wait_while(state, waits).unwrap());
    }
}

impl Interruption for Gates {
    fn reached(&self, moment: Moment) {
        let mut state = self.state.lock().unwrap();
        if state.get(moment.name()) != Some(&Gate::Closed) {
            return;
        }
        state.insert(moment.name(), Gate::SomebodyWaits);
        self.changed.notify_all();
        let is_closed = |state: &mut BTreeMap<_, _>| state.get(moment.name()) != Some(&Gate::Open);
        tokio::task::block_in_place(|| drop(self.changed.wait_while(state, is_closed).unwrap()));
    }
}

/// The payment is not known when its reversal is told, and is the order's a moment later: what
/// is about to be sent for the order must not be overlooked (S1, M3).
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_reversal_told_while_its_payment_is_read_waits_for_what_is_about_to_be_sent() {
    let mut world = World::new().await;
    let gates = Arc::new(Gates::default());
    world.restart_interrupted(gates.clone()).await;
    let order = world.order().await;
    let prompt = world.mpesa.prompt();
    let paid = world.mpesa.pay(2_000, world.clock.now());
    let number = world.mpesa.take_back(&paid);
    let receipt: jirani_units::Receipt = paid.receipt.parse().unwrap();
    gates.close(Moment::ReversalHeard);
    gates.close(Moment::PaymentProven);
    let telling = {
        let (settlement, receipt) = (world.settlement.clone(), receipt.clone());
        tokio::spawn(async move { settlement.payment_reversed(receipt, Some(number), Cents(2_000)).await })
    };
    tokio::task::block_in_place(|| gates.somebody_waits(Moment::ReversalHeard));
    let callback = world.raw(jirani_store::CallbackKind::StkResult, &prompt.secret, stk_paid(&prompt, &paid));
    world.settlement.receive_callback(callback).await.unwrap();
    tokio::task::block_in_place(|| gates.somebody_waits(Moment::PaymentProven));
    gates.open(Moment::ReversalHeard);
    // Booked outside the order's lane it would give the order up now, though it is being settled.
    for _ in 0..500 {
        let known = world.store.receipt(&receipt).await.unwrap().unwrap();
        assert_eq!(known.used_for, ReceiptUse::Order(order.id), "booked while a settlement may be sent");
    }
    gates.open(Moment::PaymentProven);
    telling.await.unwrap().unwrap();
    world.clock.idle().await;
    assert_eq!(world.order_now(order.id).await.state, OrderState::Settled, "the chain decides (S2)");
    assert_eq!((owes(&world, BUYER).await, world.available(SELLER).await), (1_960, 1_500));
    assert_eq!(world.store.reversal(&receipt).await.unwrap().unwrap().state, ReversalState::Booked);
    world.is_sound().await;
}

#[tokio::test]
async fn told_before_the_payment_itself_it_waits_and_the_money_comes_and_goes() {
    let mut world = World::new().await;
    let order = world.order().await;
    let prompt = world.mpesa.prompt();
    let paid = world.mpesa.pay(2_000, world.clock.now());
    taken_back(&world, &paid).await;
    world.restart().await;
    world.stk(&prompt, stk_paid(&prompt, &paid)).await;
    assert_eq!(world.order_now(order.id).await.state, OrderState::AwaitingPayment, "nothing was paid");
    assert!(world.store.waiting_reversals().await.unwrap().is_empty());
    assert_eq!((owes(&world, BUYER).await, world.available(BUYER).await), (0, 0));
    world.pass(500).await;
    assert_eq!(world.order_now(order.id).await.state, OrderState::Released);
    world.is_sound().await;
}

#[tokio::test]
async fn nobodys_money_leaves_suspense_and_a_balance_pays_at_once() {
    let world = World::new().await;
    let nobodys = world.mpesa.pay(1_000, world.clock.now());
    world.confirm(c2b(&nobodys, "rent")).await;
    taken_back(&world, &nobodys).await;
    assert_eq!(world.journal_sum(Account::Suspense).await, 0);
    let by_hand = world.mpesa.pay(3_000, world.clock.now());
    world.confirm(c2b(&by_hand, &format!("H{OTHER}"))).await;
    taken_back(&world, &by_hand).await;
    assert_eq!((owes(&world, OTHER).await, world.available(OTHER).await), (0, 0));
    assert_eq!(told(&world, OTHER).await, ["taken_back", "paid_by_hand"]);
    world.is_sound().await;
}

#[tokio::test]
async fn a_debtor_may_buy_again_and_pays_the_debt_with_what_is_too_much() {
    let world = World::new().await;
    world.order().await;
    let prompt = world.mpesa.prompt();
    let paid = world.mpesa.pay(2_000, world.clock.now());
    world.stk(&prompt, stk_paid(&prompt, &paid)).await;
    taken_back(&world, &paid).await;
    let again = world.buy(BUYER, 1_000, PayWith::Mpesa, "again").await.unwrap();
    let prompt = world.mpesa.prompt();
    let paid = world.mpesa.pay(5_000, world.clock.now());
    world.confirm(c2b(&paid, &prompt.reference)).await;
    assert_eq!(world.order_now(again.id).await.state, OrderState::Settled);
    assert_eq!((owes(&world, BUYER).await, world.available(BUYER).await), (0, 5_000 - 1_960 - 1_960));
    world.is_sound().await;
}

#[tokio::test]
async fn a_reversal_that_was_told_while_its_payment_came_is_booked_by_the_next_start() {
    let mut world = World::new().await;
    let paid = world.mpesa.pay(3_000, world.clock.now());
    world.confirm(c2b(&paid, &format!("H{BUYER}"))).await;
    let number = world.mpesa.take_back(&paid);
    // Whoever stored it had not seen the payment, and was killed before it looked again.
    let waits = jirani_store::ReversalRecord {
        receipt: paid.receipt.parse().unwrap(),
        reversal: Some(number),
        amount: Cents(3_000),
        payer: None,
        state: ReversalState::Waiting,
        heard_at: world.clock.now(),
        version: 0,
    };
    world.store.commit(vec![jirani_store::Change::Reversal(waits)]).await.unwrap();
    world.restart().await;
    assert!(world.store.waiting_reversals().await.unwrap().is_empty());
    assert_eq!(world.available(BUYER).await, 0);
    assert_eq!(told(&world, BUYER).await, ["taken_back", "paid_by_hand"]);
    world.is_sound().await;
}
