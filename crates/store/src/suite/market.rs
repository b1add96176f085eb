//! Rules, calls, and what calls look back at.

use super::samples::{at, fill, order};
use super::{Place, conflict, keep};
use crate::{
    CallRecord, CallState, Change, OrderRecord, OrderState, RulesRecord, TariffOrigin, TariffRecord,
};
use jirani_market::Tariff;
use jirani_market::rule::{Acting, BuyRule, Cover, Rules, SellRule};
use jirani_units::{Cents, HouseholdId, OrderId, Price, Slot, Timestamp, Wh};

fn rules(household: u32) -> RulesRecord {
    let sell = SellRule { keep_wh: Wh(2_000), floor_cents_per_kwh: Price(1_500), acting: Acting::Act };
    let buy = BuyRule {
        cover: Cover::InHand(Wh(1_000)),
        price_max_cents_per_kwh: Price(3_000),
        budget_per_day_cents: Cents(20_000),
        acting: Acting::Notify,
    };
    let rules = Rules { sell: Some(sell), buy: Some(buy), set_at: at(1) };
    RulesRecord { household: HouseholdId(household), rules, version: 0 }
}

pub async fn rules_are_kept_and_set_anew_from_the_version_read(place: &dyn Place) {
    let store = place.open().await;
    keep(&store, vec![Change::Rules(rules(7)), Change::Rules(rules(2))]).await;
    conflict(&store, vec![Change::Rules(rules(7))]).await;
    let read = store.rules(HouseholdId(7)).await.unwrap().unwrap();
    assert_eq!(read, RulesRecord { version: 1, ..rules(7) });
    let none = Rules { sell: None, buy: None, set_at: at(9) };
    keep(&store, vec![Change::Rules(RulesRecord { rules: none, ..read.clone() })]).await;
    conflict(&store, vec![Change::Rules(read)]).await;
    drop(store);
    let store = place.open().await;
    let changed = RulesRecord { rules: none, version: 2, ..rules(7) };
    assert_eq!(store.all_rules().await.unwrap(), [RulesRecord { version: 1, ..rules(2) }, changed]);
    assert_eq!(store.rules(HouseholdId(3)).await.unwrap(), None);
}

fn call(feeder: u16, minute: i64) -> CallRecord {
    CallRecord {
        feeder,
        slot: Slot { start: Timestamp::from_seconds(minute * 60), length_s: 900 },
        state: CallState::Cleared,
        book: r#"{"seed":"00"}"#.to_owned(),
        carried_out: String::new(),
        made_at: at(minute),
        done_at: None,
        version: 0,
    }
}

pub async fn what_a_call_decided_never_changes_and_how_far_it_is_does(place: &dyn Place) {
    let store = place.open().await;
    for (feeder, minute) in [(1, 15), (1, 0), (2, 15)] {
        keep(&store, vec![Change::Call(call(feeder, minute))]).await;
    }
    conflict(&store, vec![Change::Call(call(1, 15))]).await;
    let read = store.call(1, call(1, 15).slot.start).await.unwrap().unwrap();
    assert_eq!(read, CallRecord { version: 1, ..call(1, 15) });
    let live = |calls: Vec<CallRecord>| {
        calls.iter().map(|call| (call.feeder, call.slot.start.seconds() / 60)).collect::<Vec<_>>()
    };
    assert_eq!(live(store.live_calls().await.unwrap()), [(1, 0), (1, 15), (2, 15)]);
    let settling = CallRecord {
        state: CallState::Settling,
        carried_out: r#"{"offers":[1]}"#.to_owned(),
        ..read.clone()
    };
    keep(&store, vec![Change::Call(settling.clone())]).await;
    conflict(&store, vec![Change::Call(settling.clone())]).await;
    let done = CallRecord { state: CallState::Done, done_at: Some(at(99)), version: 2, ..settling.clone() };
    keep(&store, vec![Change::Call(done.clone())]).await;
    drop(store);
    let store = place.open().await;
    assert_eq!(live(store.live_calls().await.unwrap()), [(1, 0), (2, 15)]);
    let stored = [CallRecord { version: 3, ..done }, CallRecord { version: 1, ..call(1, 0) }];
    assert_eq!(store.calls(1, 10).await.unwrap(), stored);
    assert_eq!(store.calls(1, 1).await.unwrap(), stored[..1]);
    // What was decided is written once, whoever brings other words with the right version.
    let other = CallRecord { book: "another".to_owned(), ..stored[1].clone() };
    keep(&store, vec![Change::Call(other)]).await;
    assert_eq!(store.call(1, call(1, 0).slot.start).await.unwrap().unwrap().book, call(1, 0).book);
}

pub async fn a_household_can_tell_what_its_rules_have_spent_and_what_it_bought(place: &dyn Place) {
    let store = place.open().await;
    let made = |id: u64, buyer: u32, key: &str, second: i64, state: OrderState| {
        let is_final = matches!(state, OrderState::Settled | OrderState::Released | OrderState::Refused);
        let mut sold = fill(id, 1);
        sold.energy_wh = 100;
        Change::Order(OrderRecord {
            id: OrderId(id),
            buyer: HouseholdId(buyer),
            key: format!("{key}{id}"),
            fills: vec![sold],
            due: Cents(1_000),
            created_at: at(second),
            final_at: is_final.then(|| at(second + 5)),
            state,
            ..order(id)
        })
    };
    keep(
        &store,
        vec![
            made(1, 4, "@buy/", 5, OrderState::Settled),
            made(2, 4, "@buy/", 10, OrderState::Settled),
            made(3, 4, "@buy/", 11, OrderState::Planned),
            made(4, 4, "@buy/", 12, OrderState::Refused),
            made(5, 4, "buy/", 13, OrderState::Settled),
            made(6, 3, "@buy/", 14, OrderState::Released),
            made(7, 2, "@buy/", 15, OrderState::Settled),
        ],
    )
    .await;
    let spent = store.spent_by_rule(at(10)).await.unwrap();
    assert_eq!(spent, [(HouseholdId(2), Cents(1_000)), (HouseholdId(4), Cents(2_000))]);
    let bought = store.bought_between(at(15), at(20)).await.unwrap();
    assert_eq!(bought, [(HouseholdId(4), Wh(200))], "an order counts where it was settled: half-open");
    let bought = store.bought_between(at(0), at(60)).await.unwrap();
    assert_eq!(bought, [(HouseholdId(2), Wh(100)), (HouseholdId(4), Wh(300))]);
}

pub fn tariff(number: u64, key: &str) -> TariffRecord {
    TariffRecord {
        number,
        from: Timestamp::from_seconds(900 * i64::try_from(number).unwrap()),
        tariff: Tariff {
            retail: Price(3_500),
            buy_back: Price(1_000),
            grid_fee: Price(300),
            tax: Price(200),
        },
        origin: TariffOrigin::Operator,
        by: Some("Grace".to_owned()),
        key: key.to_owned(),
        announced_at: at(1),
    }
}

pub async fn an_announced_tariff_is_kept_once_and_for_good(place: &dyn Place) {
    let store = place.open().await;
    assert!(store.tariffs().await.unwrap().is_empty());
    let first = TariffRecord { origin: TariffOrigin::Settings, by: None, ..tariff(1, "settings") };
    keep(&store, vec![Change::Tariff(tariff(2, "december"))]).await;
    keep(&store, vec![Change::Tariff(first.clone())]).await;
    // A repeat, whatever number it would have had, is the one that is kept.
    let repeat =
        TariffRecord { number: 3, announced_at: at(9), from: tariff(2, "").from, ..tariff(3, "december") };
    keep(&store, vec![Change::Tariff(repeat)]).await;
    let dearer = Tariff { retail: Price(3_600), ..tariff(2, "").tariff };
    conflict(&store, vec![Change::Tariff(TariffRecord { tariff: dearer, ..tariff(2, "december") })]).await;
    conflict(&store, vec![Change::Tariff(tariff(2, "another"))]).await;
    drop(store);
    let store = place.open().await;
    assert_eq!(store.tariffs().await.unwrap(), [first, tariff(2, "december")]);
}
