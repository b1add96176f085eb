//! Bills of slots, days and months, made from what was attested and settled.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on should stop"
)]

mod world;

use jirani_energy_interface::event::EventKind;
use jirani_energy_interface::instruction::Tag;
use jirani_market::bill::Line;
use jirani_market::{Fill, Tariff, nairobi};
use jirani_store::{
    AttestedRow, Change, DayBillRecord, FeederReport, HomeBill, HouseholdKind, HouseholdRecord, OrderRecord,
    OrderState, OutboxRecord, OutboxState, PayWith, Proof, SlotBillsRecord, SlotRecord, Store as _,
};
use jirani_units::{Cents, Clock as _, HouseholdId, OrderId, Price, Timestamp, Wh};
use world::mpesa::stk_paid;
use world::{BUYER, GENERATOR, SELLER, START, TARIFF, World};

const LOSS: HouseholdId = HouseholdId(9);

/// A row: whose, export register, import register, and what the program told of it: minted,
/// burned, shortfall.
type Row = (HouseholdId, u64, u64, [u64; 3]);

async fn world() -> World {
    let world = World::new().await;
    let home = world.store.household(BUYER).await.unwrap().unwrap();
    let loss = HouseholdRecord {
        id: LOSS,
        kind: HouseholdKind::Loss,
        msisdn: None,
        meter: None,
        chain_address: None,
        version: 0,
        ..home
    };
    world.store.commit(vec![Change::Household(loss)]).await.unwrap();
    world
}

fn end(number: i64) -> Timestamp {
    START.plus_seconds(900 * number)
}

/// The slot's attestation lands now.
async fn attest(world: &World, end: Timestamp, rows: &[Row]) {
    let feeder = world.store.household(BUYER).await.unwrap().unwrap().feeder;
    world.store.put_outbox(told(feeder, end, rows)).await.unwrap();
    let row = |&(household, export, import, _): &Row| AttestedRow {
        household,
        export_wh: Wh(export),
        import_wh: Wh(import),
        estimated: false,
    };
    let slot = SlotRecord {
        feeder,
        end,
        evidence_root: [0; 32],
        rows: rows.iter().map(row).collect(),
        signatures: vec!["5sig".to_owned()],
        attested_at: Some(world.clock.now()),
    };
    world.store.put_slot(slot).await.unwrap();
}

/// The event of an attestation, byte by byte.
fn told(feeder: u16, end: Timestamp, rows: &[Row]) -> OutboxRecord {
    let mut event = vec![Tag::Event as u8, EventKind::Attested as u8, u8::try_from(rows.len()).unwrap(), 0];
    event.extend(u32::from(feeder).to_le_bytes());
    event.extend(end.seconds().to_le_bytes());
    event.extend([0; 64]);
    for (household, _, _, [minted, burned, shortfall]) in rows {
        event.extend(household.0.to_le_bytes());
        event.extend([0; 4]);
        for energy in [minted, burned, shortfall] {
            event.extend(energy.to_le_bytes());
        }
    }
    let key = format!("attest/{feeder}/{}/0", end.seconds());
    OutboxRecord {
        signature: format!("signature of {key}"),
        key,
        bytes: vec![1],
        work: vec![1],
        signed: 1,
        last_valid_block_height: 1,
        state: OutboxState::Landed { slot: 1 },
        compute_units: 1,
        fee_lamports: 1,
        report: event,
        landed_at: Some(end),
        retry_at: None,
        created_at: end,
    }
}

async fn bills(world: &World) -> Vec<SlotBillsRecord> {
    let feeder = world.store.household(BUYER).await.unwrap().unwrap().feeder;
    world.store.slot_bills(feeder, Timestamp(i64::MIN), Timestamp(i64::MAX), 1_000).await.unwrap()
}

fn of(record: &SlotBillsRecord, household: HouseholdId) -> &HomeBill {
    record.home(household).unwrap()
}

/// The seller and the generator push 10 kWh each, the buyer draws 3 kWh it owes.
const FIRST: [Row; 4] = [
    (BUYER, 0, 3_000, [0, 0, 3_000]),
    (SELLER, 10_000, 0, [10_000, 0, 0]),
    (GENERATOR, 10_000, 0, [10_000, 0, 0]),
    (LOSS, 0, 17_000, [0, 0, 17_000]),
];
/// After the buyer bought 1 kWh: it draws 500 Wh, the seller 2 kWh of its own.
const SECOND: [Row; 4] = [
    (BUYER, 0, 3_500, [0, 0, 2_500]),
    (SELLER, 10_000, 2_000, [0, 2_000, 0]),
    (GENERATOR, 12_600, 0, [2_600, 0, 0]),
    (LOSS, 0, 17_100, [0, 0, 17_100]),
];

/// Two slots with a purchase between them.
async fn two_slots(world: &mut World, restarted: bool) {
    world.pass(930).await;
    attest(world, end(1), &FIRST).await;
    world.pass(70).await;
    world.offer(SELLER, 8_000, 1_500).await;
    world.prepay(BUYER, 5_000).await;
    world.buy(BUYER, 1_000, PayWith::Balance, "order").await.unwrap();
    world.pass(830).await;
    attest(world, end(2), &SECOND).await;
    if restarted {
        world.restart().await;
    }
    world.pass(900).await;
}

#[tokio::test]
async fn a_slot_is_billed_from_what_was_attested_and_settled() {
    let mut world = world().await;
    two_slots(&mut world, false).await;
    let [first, second] = bills(&world).await.try_into().unwrap();
    let owed = Line::Shortfall { energy: Wh(3_000), at_retail: Cents(12_000) };
    assert_eq!(of(&first, BUYER).bill.lines, [owed]);
    assert_eq!((of(&first, SELLER).holding, of(&first, SELLER).bill.lines.len()), (Wh(10_000), 0));
    // 1 kWh at 15.00 with fee and tax costs 19.60; retail is 40.00.
    let bought = Line::Bought {
        from: vec![(SELLER, Wh(1_000), Price(1_500))],
        energy: Wh(1_000),
        due: Cents(1_960),
        fee: Cents(300),
        tax: Cents(160),
        gain: Cents(2_040),
    };
    // It drew 500 Wh more; the other half of what it bought paid off as much of what it owed.
    let paid_off = Line::PaidOff { energy: Wh(500), at_retail: Cents(2_000) };
    assert_eq!(of(&second, BUYER).bill.lines, [bought, paid_off]);
    let mut day = DayBillRecord::new(BUYER, nairobi::day(START));
    for slot in [&first, &second] {
        day.add(&of(slot, BUYER).bill);
    }
    // 3.5 kWh drawn at 40.00: each counts once, whether paid for or still owed.
    assert_eq!((day.import, day.total.owed, day.tariff_alone()), (Wh(3_500), Cents(10_000), Cents(14_000)));
    assert_eq!((of(&second, BUYER).shortfall, of(&second, BUYER).holding), (Wh(2_500), Wh(0)));
    // It brought 15.00 where buy-back is 10.00; 2 kWh used at 40.00 instead of sold at 10.00.
    let sold = Line::Sold {
        to: BUYER,
        energy: Wh(1_000),
        price: Price(1_500),
        received: Cents(1_500),
        gain: Cents(500),
    };
    let own = Line::OwnUse { energy: Wh(2_000), gain: Cents(6_000) };
    assert_eq!(of(&second, SELLER).bill.lines, [sold, own]);
    assert_eq!(of(&second, SELLER).holding, Wh(7_000));
    let FeederReport::Whole { from, report } = &second.report else { panic!("{:?}", second.report) };
    assert_eq!(*from, end(1));
    assert_eq!((report.energy_in, report.energy_out, report.losses), (Wh(2_600), Wh(2_500), Wh(100)));
    assert_eq!((report.traded, report.money_sum()), (Wh(1_000), Cents(0)));
    assert_eq!(report.holdings_less_owed_wh, 0);
}

#[tokio::test]
async fn bills_are_the_same_after_a_restart_and_each_is_made_once() {
    let (mut straight, mut restarted) = (world().await, world().await);
    two_slots(&mut straight, false).await;
    two_slots(&mut restarted, true).await;
    assert_eq!(bills(&restarted).await, bills(&straight).await);
    restarted.restart().await;
    restarted.pass(3_600).await;
    assert_eq!(bills(&restarted).await.len(), 2);
}

#[tokio::test]
async fn what_was_attested_while_nobody_billed_is_billed_in_order() {
    let (mut straight, mut late) = (world().await, world().await);
    two_slots(&mut straight, false).await;
    late.pass(930).await;
    attest(&late, end(1), &FIRST).await;
    late.pass(70).await;
    late.offer(SELLER, 8_000, 1_500).await;
    late.prepay(BUYER, 5_000).await;
    late.buy(BUYER, 1_000, PayWith::Balance, "order").await.unwrap();
    late.stop().await;
    late.clock.advance_to(START.plus_seconds(1_830));
    attest(&late, end(2), &SECOND).await;
    late.clock.advance_to(START.plus_seconds(9_000));
    late.restart_stopped().await;
    assert_eq!(bills(&late).await, bills(&straight).await);
}

#[tokio::test]
async fn a_tariff_that_came_with_a_restart_is_not_applied_to_slots_that_had_begun() {
    let mut world = world().await;
    world.pass(930).await;
    attest(&world, end(1), &FIRST).await;
    world.pass(600).await;
    world.stop().await;
    // The process is down while the second slot ends and while the third begins.
    world.clock.advance_to(end(2).plus_seconds(60));
    world.settings = Tariff { retail: Price(5_000), ..TARIFF };
    world.restart_stopped().await;
    let second = [(BUYER, 0, 3_100, [0, 0, 3_100]), FIRST[1], FIRST[2], FIRST[3]];
    attest(&world, end(2), &second).await;
    world.pass(900).await;
    let third = [(BUYER, 0, 3_200, [0, 0, 3_200]), FIRST[1], FIRST[2], FIRST[3]];
    attest(&world, end(3), &third).await;
    world.pass(900).await;
    let fourth = [(BUYER, 0, 3_300, [0, 0, 3_300]), FIRST[1], FIRST[2], FIRST[3]];
    attest(&world, end(4), &fourth).await;
    world.pass(900).await;
    let kept = bills(&world).await;
    let owed = |retail: i64| [Line::Shortfall { energy: Wh(100), at_retail: Cents(retail / 10) }];
    assert_eq!(of(&kept[1], BUYER).bill.lines, owed(4_000));
    assert_eq!(of(&kept[2], BUYER).bill.lines, owed(4_000));
    assert_eq!(of(&kept[3], BUYER).bill.lines, owed(5_000));
}

#[tokio::test]
async fn a_report_waits_for_a_silent_meter_and_then_covers_its_slots() {
    let mut world = world().await;
    two_slots(&mut world, false).await;
    world.pass(30).await;
    // The seller is silent: no losses are known.
    let third = [(BUYER, 0, 3_600, [0, 0, 2_600]), (GENERATOR, 12_700, 0, [100, 0, 0])];
    attest(&world, end(3), &third).await;
    world.pass(900).await;
    world.restart().await;
    let fourth = [
        (BUYER, 0, 3_600, [0, 0, 2_600]),
        (SELLER, 10_050, 2_020, [50, 20, 0]),
        (GENERATOR, 12_700, 0, [0, 0, 0]),
        (LOSS, 0, 17_130, [0, 0, 17_130]),
    ];
    attest(&world, end(4), &fourth).await;
    world.pass(900).await;
    let kept = bills(&world).await;
    assert!(matches!(&kept[2].report, FeederReport::Waits(why) if !why.is_empty()), "{:?}", kept[2].report);
    assert_eq!(of(&kept[2], SELLER).bill.export, Wh(0));
    let FeederReport::Whole { from, report } = &kept[3].report else { panic!("{:?}", kept[3].report) };
    assert_eq!(*from, end(2));
    assert_eq!((report.energy_in, report.energy_out, report.losses), (Wh(150), Wh(120), Wh(30)));
    assert_eq!(report.traded, Wh(0));
}

#[tokio::test]
async fn a_slot_waits_a_day_for_an_earlier_one_that_is_put_off_and_is_then_billed_without_it() {
    let mut world = world().await;
    two_slots(&mut world, false).await;
    world.pass(30).await;
    let third = SlotRecord {
        feeder: world.store.household(BUYER).await.unwrap().unwrap().feeder,
        end: end(3),
        evidence_root: [0; 32],
        rows: Vec::new(),
        signatures: Vec::new(),
        attested_at: None,
    };
    world.store.put_slot(third).await.unwrap();
    let fourth = [(BUYER, 0, 3_600, [0, 0, 2_600]), (GENERATOR, 12_700, 0, [100, 0, 0])];
    attest(&world, end(4), &fourth).await;
    world.pass(900).await;
    assert_eq!(bills(&world).await.len(), 2, "who is in the third would be billed by nobody");
    world.pass(86_400).await;
    let kept = bills(&world).await;
    assert_eq!(kept.iter().map(|bills| bills.slot.end()).collect::<Vec<_>>(), [end(1), end(2), end(4)]);
}

#[tokio::test]
async fn a_day_after_a_meter_was_retired_reports_wait_for_it_no_more() {
    let mut world = world().await;
    two_slots(&mut world, false).await;
    world.pass(30).await;
    // Of who owes on chain the operator buys nothing back meanwhile.
    world.chain.set_shortfall(SELLER, 1);
    let told = [
        (BUYER, 0, 3_600, [0, 0, 2_600]),
        (GENERATOR, 12_700, 0, [100, 0, 0]),
        (LOSS, 0, 17_100, [0, 0, 17_100]),
    ];
    attest(&world, end(3), &told).await;
    world.pass(900).await;
    world.restart().await;
    let gone = end(2).plus_seconds(86_400);
    world.pass((gone.0 - world.clock.now().0) / 1_000_000 + 30).await;
    let later = [told[0], (GENERATOR, 12_700, 0, [0, 0, 0]), told[2]];
    attest(&world, gone, &later).await;
    world.pass(900).await;
    attest(&world, gone.plus_seconds(900), &later).await;
    world.pass(900).await;
    let kept = bills(&world).await;
    let [.., third, whole, next] = kept.as_slice() else { panic!("{}", kept.len()) };
    assert!(matches!(third.report, FeederReport::Waits(_)), "{:?}", third.report);
    let FeederReport::Whole { from, report } = &whole.report else { panic!("{:?}", whole.report) };
    assert_eq!(*from, end(2));
    assert_eq!((report.energy_in, report.energy_out, report.losses), (Wh(100), Wh(100), Wh(0)));
    assert!(matches!(next.report, FeederReport::Whole { from, .. } if from == gone), "{:?}", next.report);
}

#[tokio::test]
async fn a_meter_silent_for_a_month_ends_the_wait_and_the_next_report_begins_anew() {
    let mut world = world().await;
    two_slots(&mut world, false).await;
    world.pass(30).await;
    // Of who owes on chain the operator buys nothing back meanwhile.
    world.chain.set_shortfall(SELLER, 1);
    // The seller is heard once more, and the generator to the end; no losses are known.
    attest(&world, end(3), &SECOND[..3]).await;
    world.pass(900).await;
    let late = |days: i64| end(2).plus_seconds(days * 86_400);
    for (days, restarts) in [(10, false), (29, true), (30, true), (31, false)] {
        world.pass((late(days).0 - world.clock.now().0) / 1_000_000 + 30).await;
        attest(&world, late(days), &[SECOND[0], SECOND[2]]).await;
        world.pass(900).await;
        if restarts {
            world.restart().await;
        }
    }
    world.pass((late(32).0 - world.clock.now().0) / 1_000_000 + 30).await;
    attest(&world, late(32), &SECOND).await;
    world.pass(900).await;
    let kept = bills(&world).await;
    let broken = FeederReport::Broken {
        from: end(2),
        what: format!("record {SELLER} has been silent since {}", end(3)),
    };
    let [.., tenth, before, month, after, last] = kept.as_slice() else { panic!("{}", kept.len()) };
    for waiting in [tenth, before, after] {
        assert!(matches!(waiting.report, FeederReport::Waits(_)), "{:?}", waiting.report);
    }
    assert_eq!(month.report, broken);
    assert!(matches!(last.report, FeederReport::Whole { from, .. } if from == late(30)), "{:?}", last.report);
}

#[tokio::test]
async fn a_report_that_waits_over_a_restart_counts_no_trade_of_another_feeder() {
    let mut world = world().await;
    two_slots(&mut world, false).await;
    world.pass(30).await;
    // Neighbours of another feeder trade while this one's report waits for its losses.
    let ours = world.store.orders_of(BUYER, 1).await.unwrap().pop().unwrap();
    let theirs = OrderRecord {
        id: OrderId(9_999),
        buyer: HouseholdId(21),
        fills: vec![Fill { seller: HouseholdId(22), ..ours.fills[0] }],
        key: "theirs".to_owned(),
        proof: Some(Proof::Transfer([5; 32])),
        final_at: Some(world.clock.now()),
        version: 0,
        ..ours
    };
    world.store.commit(vec![Change::Order(theirs)]).await.unwrap();
    attest(&world, end(3), &SECOND[..3]).await;
    world.pass(900).await;
    world.restart().await;
    attest(&world, end(4), &SECOND).await;
    world.pass(900).await;
    let FeederReport::Whole { report, .. } = &bills(&world).await[3].report else { panic!("no report") };
    assert_eq!(report.traded, Wh(0));
}

#[tokio::test]
async fn a_day_and_a_month_are_added_up_and_told_when_they_are_over() {
    let mut world = world().await;
    two_slots(&mut world, false).await;
    let day = nairobi::day(START);
    assert_eq!(world.store.day_bills(SELLER, day, day).await.unwrap(), []);
    // The next slot that is attested is of the next month in Nairobi: from 21:00 UTC on.
    let february: Timestamp = "2027-01-31T21:15:00Z".parse().unwrap();
    world.pass((february.0 - world.clock.now().0) / 1_000_000 + 30).await;
    attest(&world, february, &SECOND).await;
    world.pass(900).await;
    let days = world.store.day_bills(SELLER, 0, i64::MAX).await.unwrap();
    let [over] = days.as_slice() else { panic!("{days:?}") };
    assert_eq!((over.day, over.export, over.import), (day, Wh(10_000), Wh(2_000)));
    let total = over.total;
    assert_eq!(
        (total.sold, total.received, total.own_use, total.gain),
        (Wh(1_000), Cents(1_500), Wh(2_000), Cents(6_500))
    );
    let notices = world.store.notices_of(Some(SELLER), 10).await.unwrap();
    let month = notices.iter().find(|notice| notice.code == "bill_month").unwrap();
    assert_eq!(month.key, format!("bill/{SELLER}/2027-01"));
    assert!(month.en.contains("You gained KSh 65.00"), "{}", month.en);
    assert!(month.sw.contains("KSh 65.00"), "{}", month.sw);
    let others = world.store.notices_of(Some(GENERATOR), 10).await.unwrap();
    assert!(others.iter().all(|notice| notice.code != "bill_month"));
}

#[tokio::test]
async fn an_order_that_is_known_late_owes_until_it_is_billed() {
    let world = world().await;
    world.pass(930).await;
    attest(&world, end(1), &FIRST).await;
    // The program burned 1 kWh that no order of ours brought yet.
    world.pass(900).await;
    let second = [(BUYER, 0, 3_000, [0, 0, 2_000]), FIRST[1], FIRST[2], FIRST[3]];
    attest(&world, end(2), &second).await;
    world.pass(70).await;
    world.offer(SELLER, 8_000, 1_500).await;
    world.prepay(BUYER, 5_000).await;
    world.buy(BUYER, 1_000, PayWith::Balance, "order").await.unwrap();
    world.pass(830).await;
    attest(&world, end(3), &second).await;
    world.pass(900).await;
    let kept = bills(&world).await;
    assert_eq!((of(&kept[1], BUYER).shortfall, of(&kept[1], BUYER).bill.lines.len()), (Wh(3_000), 0));
    assert_eq!((of(&kept[2], BUYER).shortfall, of(&kept[2], BUYER).holding), (Wh(2_000), Wh(0)));
    assert!(matches!(of(&kept[2], BUYER).bill.lines[..], [Line::Bought { .. }, Line::PaidOff { .. }]));
}

#[tokio::test]
async fn a_slot_is_billed_by_its_own_prices_and_a_trade_by_those_of_its_order() {
    let mut world = world().await;
    world.pass(930).await;
    attest(&world, end(1), &FIRST).await;
    world.pass(70).await;
    world.offer(SELLER, 8_000, 1_500).await;
    // Above what the offer asks: an order of then would leave its seller worse off.
    let dearer = Tariff { retail: Price(5_000), buy_back: Price(1_600), ..TARIFF };
    world.settlement.announce_tariff("Grace", "dearer", end(2), dearer).await.unwrap();
    world.pass(790).await;
    let order = world.buy(BUYER, 1_000, PayWith::Mpesa, "order").await.unwrap();
    let prompt = world.mpesa.prompt();
    world.pass(20).await;
    let idle = [FIRST[0], (SELLER, 10_000, 0, [0; 3]), (GENERATOR, 10_000, 0, [0; 3]), FIRST[3]];
    attest(&world, end(2), &idle).await;
    world.pass(10).await;
    let paid = world.mpesa.pay(2_000, world.clock.now());
    world.stk(&prompt, stk_paid(&prompt, &paid)).await;
    assert_eq!(world.order_now(order.id).await.state, OrderState::Settled);
    world.pass(910).await;
    attest(&world, end(3), &SECOND).await;
    world.restart().await;
    world.pass(900).await;
    let [first, second, third] = bills(&world).await.try_into().unwrap();
    assert_eq!((first.tariff, second.tariff, third.tariff), (TARIFF, TARIFF, dearer));
    // Retail was 40.00 when it was ordered, and buy-back 10.00.
    assert!(matches!(of(&third, BUYER).bill.lines[0], Line::Bought { gain: Cents(2_040), .. }));
    let [sold, own] = &of(&third, SELLER).bill.lines[..] else { panic!("{third:?}") };
    assert!(matches!(sold, Line::Sold { gain: Cents(500), .. }), "{sold:?}");
    assert_eq!(*own, Line::OwnUse { energy: Wh(2_000), gain: Cents(6_800) });
}
