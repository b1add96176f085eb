//! Bills, what was not produced, and the walk of who owes energy.

use super::samples::{at, fill, order, outbox, slot};
use super::{Place, conflict, keep};
use crate::{
    Change, CurtailmentRecord, DayBillRecord, FeederReport, HomeBill, OrderRecord, OrderState, OutboxRecord,
    OutboxState, ShortfallRecord, SlotBillsRecord, SlotRecord, StepRecord,
};
use jirani_market::Tariff;
use jirani_market::bill::{Flow, Line, SlotBill, Total};
use jirani_market::report::{CurtailmentReason, Member, SlotReport};
use jirani_market::shortfall::{Account, Event, Policy, apply};
use jirani_units::{Cents, HouseholdId, OrderId, Price, Slot, Timestamp, Wh};

const TARIFF: Tariff =
    Tariff { retail: Price(3_500), buy_back: Price(1_000), grid_fee: Price(300), tax: Price(200) };

fn home(household: u32, slot: Slot) -> HomeBill {
    let lines = vec![
        Line::Bought {
            from: vec![(HouseholdId(9), Wh(400), Price(1_800))],
            energy: Wh(400),
            due: Cents(920),
            fee: Cents(120),
            tax: Cents(80),
            gain: Cents(480),
        },
        Line::Sold {
            to: HouseholdId(8),
            energy: Wh(7),
            price: Price(2_000),
            received: Cents(14),
            gain: Cents(7),
        },
        Line::OwnUse { energy: Wh(500), gain: Cents(1_250) },
        Line::Shortfall { energy: Wh(101), at_retail: Cents(354) },
        Line::PaidOff { energy: Wh(102), at_retail: Cents(357) },
    ];
    let bill = SlotBill {
        household: HouseholdId(household),
        slot,
        import: Wh(1_001),
        export: Wh(2),
        lines,
        bought_left: Wh(3),
    };
    HomeBill {
        bill,
        export_register: Wh(9_007_199_254_740_993),
        import_register: Wh(5),
        holding: Wh(6),
        shortfall: Wh(u64::from(household)),
    }
}

fn bills(feeder: u16, number: i64, report: FeederReport) -> SlotBillsRecord {
    let slot = Slot { start: at(900 * number), length_s: 900 };
    let homes = vec![home(1, slot), home(4, slot)];
    SlotBillsRecord { feeder, slot, attested_at: at(900 * number + 930), tariff: TARIFF, homes, report }
}

fn whole(number: i64) -> FeederReport {
    let slot = Slot { start: at(900 * number), length_s: 900 };
    let members = [
        (HouseholdId(1), Member::Household, Flow { export: Wh(7), holding_after: Wh(7), ..Flow::default() }),
        (HouseholdId(2), Member::Loss, Flow { import: Wh(7), shortfall_after: Wh(7), ..Flow::default() }),
    ];
    let report = SlotReport::new(1, slot, &members, &[], &[]).unwrap();
    FeederReport::Whole { from: slot.start, report: Box::new(report) }
}

fn waits() -> FeederReport {
    FeederReport::Waits("record 4 is not attested".to_owned())
}

pub async fn a_slot_is_billed_once_and_comes_back_as_it_was(place: &dyn Place) {
    let store = place.open().await;
    let broken = FeederReport::Broken { from: at(0), what: "report.energy".to_owned() };
    let records = [bills(1, 1, whole(1)), bills(1, 2, broken), bills(1, 3, waits()), bills(2, 1, waits())];
    for record in &records {
        keep(&store, vec![Change::SlotBills(Box::new(record.clone()))]).await;
    }
    conflict(&store, vec![Change::SlotBills(Box::new(bills(1, 3, waits())))]).await;
    drop(store);
    let store = place.open().await;
    let of = async |from: i64, to: i64, limit| store.slot_bills(1, at(from), at(to), limit).await.unwrap();
    assert_eq!(of(0, 90_000, 9).await, records[..3]);
    // Starts are 900, 1,800 and 2,700.
    assert_eq!(of(1_800, 2_701, 9).await, records[1..3]);
    assert_eq!(of(901, 2_700, 9).await, records[1..2]);
    assert_eq!(of(0, 90_000, 1).await, records[..1]);
    assert_eq!(store.last_slot_bills(1, false).await.unwrap(), Some(records[2].clone()));
    assert_eq!(store.last_slot_bills(1, true).await.unwrap(), Some(records[1].clone()));
    assert_eq!(store.last_slot_bills(2, true).await.unwrap(), None);
    assert_eq!(store.last_slot_bills(3, false).await.unwrap(), None);
    // A slot of two hours across a midnight belongs to the day in which it begins.
    let slot = Slot { start: at(82_800), length_s: 7_200 };
    let across =
        SlotBillsRecord { slot, attested_at: at(90_100), homes: vec![home(1, slot)], ..bills(4, 1, waits()) };
    keep(&store, vec![Change::SlotBills(Box::new(across.clone()))]).await;
    assert_eq!(store.slot_bills(4, at(0), at(86_400), 9).await.unwrap(), [across]);
    assert_eq!(store.slot_bills(4, at(86_400), at(172_800), 9).await.unwrap(), []);
}

pub async fn a_day_is_billed_once(place: &dyn Place) {
    let store = place.open().await;
    let record = |household: u32, day: i64| DayBillRecord {
        household: HouseholdId(household),
        day,
        import: Wh(1),
        export: Wh(2),
        total: Total {
            bought: Wh(3),
            sold: Wh(4),
            own_use: Wh(5),
            shortfall: Wh(6),
            paid: Cents(7),
            fee: Cents(8),
            tax: Cents(9),
            received: Cents(10),
            owed: Cents(11),
            gain: Cents(-12),
        },
    };
    let days = [record(1, 20_000), record(1, 20_001), record(1, 20_003)];
    keep(&store, [days.as_slice(), &[record(2, 20_001)]].concat().into_iter().map(Change::DayBill).collect())
        .await;
    conflict(&store, vec![Change::DayBill(record(1, 20_001))]).await;
    let found = store.day_bills(HouseholdId(1), 20_001, 20_003).await.unwrap();
    assert_eq!(found, days[1..]);
    assert_eq!(days[0].tariff_alone(), Cents(7 - 10 + 11 - 12));
}

pub async fn what_was_attested_and_settled_is_found_for_bills(place: &dyn Place) {
    let store = place.open().await;
    let landed = |number: i64| SlotRecord {
        signatures: vec!["5sig".to_owned()],
        attested_at: Some(at(number)),
        ..slot(1, number, 2)
    };
    for number in [1, 2, 4] {
        store.put_slot(landed(number)).await.unwrap();
    }
    store.put_slot(slot(1, 3, 2)).await.unwrap();
    let found = store.attested_slots_after(1, landed(1).end, 9).await.unwrap();
    assert_eq!(found, [landed(2), landed(4)]);
    assert_eq!(store.attested_slots_after(1, Timestamp(i64::MIN), 1).await.unwrap(), [landed(1)]);
    assert_eq!(store.attested_slots_after(2, Timestamp(i64::MIN), 9).await.unwrap(), []);

    let end = Timestamp::from_seconds(1_800_000_900);
    let told = |key: &str, report: &[u8], slot| OutboxRecord {
        signature: format!("sig-{key}"),
        report: report.to_vec(),
        ..outbox(key, OutboxState::Landed { slot })
    };
    for (key, report) in [
        ("attest/1/1800000900/1", b"second".as_slice()),
        ("attest/1/1800000900/0", b"first"),
        ("attest/1/1800000900/2", b""),
        ("attest/11/1800000900/0", b"another feeder"),
        ("attest/1/18000009001/0", b"another slot"),
    ] {
        store.put_outbox(told(key, report, 5)).await.unwrap();
    }
    let reports = store.attestation_reports(1, end).await.unwrap();
    assert_eq!(reports, [b"first".to_vec(), b"second".to_vec()]);

    let settled = |id: u64, second: i64, state| OrderRecord {
        state,
        final_at: Some(at(second)),
        fills: vec![fill(id, 1)],
        ..order(id)
    };
    for (id, second, state) in [
        (1, 30, OrderState::Settled),
        (2, 20, OrderState::Settled),
        (3, 20, OrderState::Settled),
        (4, 25, OrderState::Released),
        (5, 10, OrderState::Settled),
    ] {
        keep(&store, vec![Change::Order(settled(id, second, state))]).await;
    }
    let page = async |second: i64, id: u64, through: i64, limit| {
        let found = store.orders_settled((at(second), OrderId(id)), at(through), limit).await.unwrap();
        found.iter().map(|order| order.id.0).collect::<Vec<_>>()
    };
    assert_eq!(page(10, u64::MAX, 30, 9).await, [2, 3, 1]);
    assert_eq!(page(30, u64::MAX, 40, 9).await, [0; 0]);
    // Page by page, also between two of one moment.
    assert_eq!(page(10, u64::MAX, 30, 1).await, [2]);
    assert_eq!(page(20, 2, 30, 1).await, [3]);
    assert_eq!(page(20, 3, 30, 1).await, [1]);
}

pub async fn what_was_not_produced_is_kept_for_good(place: &dyn Place) {
    let store = place.open().await;
    let reasons =
        [CurtailmentReason::BatteryFull, CurtailmentReason::GridLimit, CurtailmentReason::Maintenance];
    let records: Vec<CurtailmentRecord> = (1..)
        .zip(reasons)
        .map(|(number, reason)| CurtailmentRecord {
            number,
            feeder: 1,
            slot_end: at(900 * i64::try_from(number).unwrap()),
            household: HouseholdId(7),
            energy: Wh(1_200),
            reason,
            note: "the battery was full at noon".to_owned(),
            by: "Amina".to_owned(),
            at: at(9_000),
            key: format!("key-{number}"),
        })
        .collect();
    keep(&store, records.iter().cloned().map(Change::Curtailment).collect()).await;
    conflict(&store, vec![Change::Curtailment(records[0].clone())]).await;
    // One key, one record of a household; another household's is its own.
    conflict(&store, vec![Change::Curtailment(CurtailmentRecord { number: 9, ..records[0].clone() })]).await;
    let theirs = CurtailmentRecord { number: 9, feeder: 3, household: HouseholdId(8), ..records[0].clone() };
    keep(&store, vec![Change::Curtailment(theirs.clone())]).await;
    let found = async |household, key| store.curtailment_by_key(HouseholdId(household), key).await.unwrap();
    assert_eq!(found(7, "key-1").await, Some(records[0].clone()));
    assert_eq!((found(8, "key-1").await, found(7, "key-9").await), (Some(theirs), None));
    assert_eq!(store.curtailments(1, at(0), at(9_000)).await.unwrap(), records);
    assert_eq!(store.curtailments(1, at(900), at(1_800)).await.unwrap(), records[1..2]);
    assert_eq!(store.curtailments(2, at(0), at(9_000)).await.unwrap(), []);
}

pub async fn a_standing_changes_from_the_version_read_and_its_steps_never(place: &dyn Place) {
    let store = place.open().await;
    let fresh = Account::new(HouseholdId(3), Cents(50_000), Price(3_500));
    let (account, steps) = apply(&fresh, &Policy::default(), Event::LimitSet(Cents(70_000)), at(1)).unwrap();
    let kept = |version| ShortfallRecord { account, journal: 7, version };
    let step = StepRecord { step: steps[0], note: "she asked for more".to_owned() };
    keep(&store, vec![Change::Shortfall(kept(0)), Change::Step(step.clone())]).await;
    conflict(&store, vec![Change::Shortfall(kept(0))]).await;
    conflict(&store, vec![Change::Step(step.clone())]).await;
    let other = Account::new(HouseholdId(2), Cents(1), Price(1));
    keep(&store, vec![Change::Shortfall(ShortfallRecord { account: other, journal: 0, version: 0 })]).await;
    let (next, more) = apply(&account, &Policy::default(), Event::Disputed(1), at(2)).unwrap();
    let disputed = StepRecord { step: more[0], note: String::new() };
    keep(
        &store,
        vec![
            Change::Shortfall(ShortfallRecord { account: next, journal: 8, version: 1 }),
            Change::Step(disputed.clone()),
        ],
    )
    .await;
    conflict(&store, vec![Change::Shortfall(kept(1))]).await;
    drop(store);
    let store = place.open().await;
    let read = ShortfallRecord { account: next, journal: 8, version: 2 };
    assert_eq!(store.shortfall(HouseholdId(3)).await.unwrap(), Some(read.clone()));
    assert_eq!(store.shortfall(HouseholdId(9)).await.unwrap(), None);
    let first = ShortfallRecord { account: other, journal: 0, version: 1 };
    assert_eq!(store.shortfalls().await.unwrap(), [first, read]);
    assert_eq!(store.steps_of(HouseholdId(3), 9).await.unwrap(), [disputed.clone(), step]);
    assert_eq!(store.steps_of(HouseholdId(3), 1).await.unwrap(), [disputed]);
}
