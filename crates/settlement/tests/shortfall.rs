//! The walk of a household that owes energy: warned, cut in daylight, given its light back.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on should stop"
)]

mod world;

use jirani_ledger::Account as LedgerAccount;
use jirani_market::shortfall::{Event, Protection, Relay, RelayPosition, StepKind};
use jirani_settlement::SettlementError;
use jirani_store::{
    AttestedRow, CallbackKind, Change, OrderState, PayWith, PayoutState, RelayRecord, SlotRecord, Store as _,
};
use jirani_units::{Cents, Clock as _, HouseholdId, Wh};
use world::mpesa::b2c_result;
use world::{BUYER, GENERATOR, OTHER, SELLER, World};

/// A slot lands now by which `household` owes so much; the chain says the same.
async fn owes(world: &World, household: HouseholdId, shortfall_wh: u64) {
    world.chain.set_shortfall(household, shortfall_wh);
    attested(world, household, shortfall_wh).await;
}

async fn attested(world: &World, household: HouseholdId, import_wh: u64) {
    let feeder = world.store.household(household).await.unwrap().unwrap().feeder;
    let now = world.clock.now();
    let end = now.plus_seconds(-now.seconds().rem_euclid(900));
    world.chain.set_attested(household, end);
    let slot = SlotRecord {
        feeder,
        end,
        evidence_root: [0; 32],
        rows: vec![AttestedRow { household, export_wh: Wh(0), import_wh: Wh(import_wh), estimated: false }],
        signatures: vec!["5sig".to_owned()],
        attested_at: Some(now),
    };
    world.store.put_slot(slot).await.unwrap();
    world.pass(900).await;
}

async fn kinds(world: &World, household: HouseholdId) -> Vec<StepKind> {
    let steps = world.store.steps_of(household, 100).await.unwrap();
    let numbers: Vec<u64> = steps.iter().rev().map(|record| record.step.number).collect();
    assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>(), "steps are counted without gaps");
    steps.into_iter().rev().map(|record| record.step.kind).collect()
}

async fn notices(world: &World, household: Option<HouseholdId>) -> Vec<String> {
    let notices = world.store.notices_of(household, 100).await.unwrap();
    notices.into_iter().rev().map(|notice| notice.code).collect()
}

#[tokio::test]
async fn who_owes_is_warned_and_cut_a_day_later_in_daylight_and_paying_closes_the_relay() {
    let world = World::new().await;
    world.pass(900).await;
    // 10.5 kWh at 40.00 are 420.00 of 500.00.
    owes(&world, BUYER, 10_500).await;
    let warned = StepKind::Warned { percent: 80, exposure: Cents(42_000), limit: Cents(50_000) };
    assert_eq!(kinds(&world, BUYER).await, [warned]);
    assert_eq!(notices(&world, Some(BUYER)).await, ["shortfall_warned"]);
    owes(&world, BUYER, 13_000).await;
    let steps = kinds(&world, BUYER).await;
    assert!(matches!(steps[1], StepKind::LimitReached { .. }), "a warning of today cuts nobody: {steps:?}");
    // A day later, at noon in Nairobi.
    world.pass(86_400).await;
    owes(&world, BUYER, 13_000).await;
    let steps = kinds(&world, BUYER).await;
    let StepKind::RelayOpens { command: 1, not_after, .. } = steps[2] else { panic!("{steps:?}") };
    assert!(not_after > world.clock.now());
    let told = world.store.notices_of(None, 1).await.unwrap().pop().unwrap();
    let hour = jirani_market::nairobi::hour(not_after);
    assert!(told.en.contains(&format!("stays on from {hour}:00.")), "{}", told.en);
    assert!(told.sw.contains(&format!("kuanzia saa {hour}:00.")), "{}", told.sw);
    assert_eq!(notices(&world, None).await.last().unwrap(), "relay_commanded");
    let command = world.store.relay(BUYER).await.unwrap().unwrap();
    assert_eq!(
        (command.number, command.position, command.not_after),
        (1, RelayPosition::Open, Some(not_after))
    );
    let obeyed = RelayRecord { obeyed_at: Some(world.clock.now()), ..command };
    world.store.commit(vec![Change::Relay(obeyed)]).await.unwrap();
    world.prepay(BUYER, 10_000).await;
    let steps = kinds(&world, BUYER).await;
    assert_eq!(
        steps[3..],
        [StepKind::RelayConfirmed(RelayPosition::Open), StepKind::RelayCloses { command: 2 },]
    );
    assert_eq!(notices(&world, None).await.last().unwrap(), "relay_commanded");
    let command = world.store.relay(BUYER).await.unwrap().unwrap();
    assert_eq!((command.number, command.position, command.obeyed_at), (2, RelayPosition::Closed, None));
    assert_eq!(world.settlement.standing(BUYER).await.unwrap().exposure, Cents(42_000));
    world.is_sound().await;
}

/// Warned a day ago, at noon in Nairobi.
async fn warned() -> World {
    let world = World::new().await;
    world.pass(900).await;
    owes(&world, BUYER, 10_500).await;
    world.pass(86_400).await;
    world
}

#[tokio::test]
async fn an_own_order_that_settles_closes_the_relay_at_once() {
    let world = warned().await;
    world.prepay(BUYER, 2_000).await;
    world.offer(SELLER, 8_000, 1_500).await;
    // 528.00 less 20.00, of 500.00.
    owes(&world, BUYER, 13_200).await;
    assert!(matches!(kinds(&world, BUYER).await.last(), Some(StepKind::RelayOpens { .. })));
    // The chain burns what she buys for 19.60 against what she owes.
    world.chain.set_shortfall(BUYER, 12_200);
    let order = world.buy(BUYER, 1_000, PayWith::Balance, "order").await.unwrap();
    world.clock.idle().await;
    assert_eq!(world.order_now(order.id).await.state, OrderState::Settled);
    assert!(matches!(kinds(&world, BUYER).await.last(), Some(StepKind::RelayCloses { .. })));
}

#[tokio::test]
async fn a_payout_that_failed_closes_the_relay_at_once() {
    let world = warned().await;
    world.prepay(BUYER, 3_000).await;
    let payout = world.settlement.request_payout(BUYER, Cents(3_000), "payout").await.unwrap();
    // 520.00 of 500.00: the 30.00 are held back.
    owes(&world, BUYER, 13_000).await;
    assert!(matches!(kinds(&world, BUYER).await.last(), Some(StepKind::RelayOpens { .. })));
    let sent = world.mpesa.payouts().pop().unwrap();
    let body = b2c_result(&sent, "2040", "0000000000");
    world.callback(CallbackKind::B2cResult, &sent.secret, body).await;
    assert!(matches!(world.payout_now(payout.id).await.state, PayoutState::Failed { .. }));
    assert!(matches!(kinds(&world, BUYER).await.last(), Some(StepKind::RelayCloses { .. })));
}

#[tokio::test]
async fn who_bought_since_the_last_bill_is_not_warned() {
    let world = World::new().await;
    world.pass(900).await;
    world.chain.set_shortfall(BUYER, 0);
    attested(&world, BUYER, 10_500).await;
    assert_eq!(kinds(&world, BUYER).await, []);
    assert_eq!(world.store.shortfalls().await.unwrap(), []);
}

#[tokio::test]
async fn emergency_credit_moves_no_money_and_income_repays_it_first() {
    let world = World::new().await;
    world.pass(900).await;
    let refused = world.settlement.shortfall_event(BUYER, Event::EmergencyAsked, "").await.unwrap_err();
    assert_eq!(refused.code(), "shortfall.emergency_not_needed");
    owes(&world, BUYER, 12_000).await;
    let granted = world.settlement.shortfall_event(BUYER, Event::EmergencyAsked, "").await.unwrap();
    assert_eq!((granted.exposure, granted.account.emergency_owed), (Cents(43_000), Cents(5_000)));
    let balance = world.store.balance(LedgerAccount::Household(BUYER)).await.unwrap();
    assert_eq!(balance.net(), Cents(0));
    let again = world.settlement.shortfall_event(BUYER, Event::EmergencyAsked, "").await.unwrap_err();
    assert_eq!(again.code(), "shortfall.emergency_owed");
    world.prepay(BUYER, 3_000).await;
    assert_eq!(kinds(&world, BUYER).await.last(), Some(&StepKind::EmergencyRepaid(Cents(3_000))));
    let standing = world.settlement.standing(BUYER).await.unwrap();
    assert_eq!((standing.account.emergency_owed, standing.exposure), (Cents(2_000), Cents(43_000)));
    assert_eq!(world.available(BUYER).await, 3_000);
    world.is_sound().await;
}

#[tokio::test]
async fn a_dispute_is_kept_with_its_words_and_answered_once() {
    let mut world = World::new().await;
    world.pass(900).await;
    owes(&world, BUYER, 10_500).await;
    let event = |event, words: &'static str| world.settlement.shortfall_event(BUYER, event, words);
    assert_eq!(event(Event::Disputed(2), "").await.unwrap_err().code(), "shortfall.not_disputable");
    let too_long = world.settlement.shortfall_event(BUYER, Event::Disputed(1), &"x".repeat(201)).await;
    assert!(matches!(too_long, Err(SettlementError::NoteTooLong)));
    let disputed = event(Event::Disputed(1), "my meter is broken").await.unwrap();
    assert_eq!(disputed.account.disputed, Some(1));
    assert_eq!(notices(&world, None).await, ["shortfall_disputed"]);
    world.restart().await;
    let answer = |words: &'static str| world.settlement.shortfall_event(BUYER, Event::Resolved, words);
    assert_eq!(answer("we looked: it is sound").await.unwrap().account.disputed, None);
    assert_eq!(answer("again").await.unwrap_err().code(), "shortfall.no_dispute");
    let steps = world.store.steps_of(BUYER, 10).await.unwrap();
    let words: Vec<&str> = steps.iter().rev().map(|step| step.note.as_str()).collect();
    assert_eq!(words, ["", "my meter is broken", "we looked: it is sound"]);
}

#[tokio::test]
async fn the_operator_sets_limit_and_protection_and_a_restart_repeats_nothing() {
    let mut world = World::new().await;
    world.pass(900).await;
    let set = |event| world.settlement.shortfall_event(OTHER, event, "");
    set(Event::LimitSet(Cents(20_000))).await.unwrap();
    set(Event::ProtectionSet(Protection::Clinic)).await.unwrap();
    owes(&world, OTHER, 6_000).await;
    let before = kinds(&world, OTHER).await;
    assert_eq!(before.len(), 4, "set, set, warned, limit reached: {before:?}");
    world.restart().await;
    world.pass(7_200).await;
    assert_eq!(kinds(&world, OTHER).await, before);
    let standings = world.settlement.standings().await.unwrap();
    assert_eq!(standings[0].account.household, OTHER);
    assert_eq!((standings[0].account.limit, standings[0].account.relay), (Cents(20_000), Relay::Closed));
    assert!(standings.windows(2).all(|pair| pair[0].exposure >= pair[1].exposure));
}

#[tokio::test]
async fn old_debt_is_bought_off_by_instalments_from_the_balance() {
    let mut world = World::new().await;
    world.move_to_feeder(GENERATOR, 9).await;
    world.pass(900).await;
    owes(&world, BUYER, 3_000).await;
    let agreed = Event::InstalmentsAgreed { each: Cents(4_000), every_days: 1 };
    let standing = world.settlement.shortfall_event(BUYER, agreed, "").await.unwrap();
    assert_eq!(standing.exposure, Cents(0), "what is set aside does not count");
    // Due, and there is money, but nobody sells: nothing is missed and nothing moves.
    world.prepay(BUYER, 10_000).await;
    world.pass(86_400 + 900).await;
    owes(&world, BUYER, 3_000).await;
    assert_eq!(kinds(&world, BUYER).await.len(), 1);
    assert_eq!((world.chain.shortfall(BUYER), world.available(BUYER).await), (3_000, 10_000));
    // Somebody sells at retail, as the operator does: 1 kWh for 40.00 is bought and burned.
    world.offer(SELLER, 2_000, 3_540).await;
    owes(&world, BUYER, 3_000).await;
    let paid = StepKind::InstalmentPaid { paid: Cents(4_000), energy: Wh(1_000) };
    assert_eq!(kinds(&world, BUYER).await[1..], [paid]);
    assert_eq!((world.chain.shortfall(BUYER), world.available(BUYER).await), (2_000, 6_000));
    // Once: neither a look nor a restart buys it again before the next is due.
    world.restart().await;
    attested(&world, BUYER, 3_000).await;
    assert_eq!(world.chain.shortfall(BUYER), 2_000);
    // The next finds a neighbour who asks less; the one after finds no money.
    world.offer(SELLER, 5_000, 1_540).await;
    world.pass(86_400).await;
    attested(&world, BUYER, 3_000).await;
    let cheaper = StepKind::InstalmentPaid { paid: Cents(2_000), energy: Wh(1_000) };
    assert_eq!(kinds(&world, BUYER).await[2..], [cheaper]);
    let balance = world.available(BUYER).await;
    world.settlement.request_payout(BUYER, Cents(balance), "all").await.unwrap();
    world.pass(86_400).await;
    attested(&world, BUYER, 3_000).await;
    assert_eq!(kinds(&world, BUYER).await[3..], [StepKind::InstalmentMissed(Cents(4_000))]);
    let codes = notices(&world, Some(BUYER)).await;
    assert_eq!(codes.iter().filter(|code| *code == "shortfall_instalments").count(), 4, "{codes:?}");
}

#[tokio::test]
async fn a_crash_after_an_instalment_was_bought_counts_it_once() {
    let mut world = World::new().await;
    world.move_to_feeder(GENERATOR, 9).await;
    world.pass(900).await;
    owes(&world, BUYER, 2_000).await;
    let agreed = Event::InstalmentsAgreed { each: Cents(4_000), every_days: 1 };
    world.settlement.shortfall_event(BUYER, agreed, "").await.unwrap();
    world.prepay(BUYER, 4_000).await;
    world.pass(86_400).await;
    world.offer(SELLER, 5_000, 3_540).await;
    // Bought, and the standing knows nothing of it: as if the process had ended there.
    let due = world.store.shortfall(BUYER).await.unwrap().unwrap().account.old_debt.unwrap().next_due;
    let key = format!("@instalment/{BUYER}/{}/0", due.0);
    let want = jirani_settlement::Want::Energy(Wh(1_000));
    let bought = world.settlement.place_order(BUYER, want, PayWith::Balance, None, &key).await.unwrap();
    assert_eq!(bought.due, Cents(4_000));
    world.restart().await;
    attested(&world, BUYER, 2_000).await;
    let paid = StepKind::InstalmentPaid { paid: Cents(4_000), energy: Wh(1_000) };
    assert_eq!(kinds(&world, BUYER).await[1..], [paid]);
    assert_eq!(world.store.orders_of(BUYER, 10).await.unwrap().len(), 1);
    assert_eq!(world.chain.shortfall(BUYER), 1_000);
    world.is_sound().await;
}
