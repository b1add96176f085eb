//! Bills, the feeder's slots, and the walk of who owes, as people ask for them.

use crate::support::{WorldOptions, expect, start};
use jirani_chain::HouseholdOnChain;
use jirani_market::Tariff;
use jirani_market::bill::{Flow, Line, SlotBill, Trade};
use jirani_market::report::{Member, SlotReport};
use jirani_market::schedule::Terms;
use jirani_market::{Fill, nairobi};
use jirani_store::{Change, DayBillRecord, FeederReport, HomeBill, SlotBillsRecord};
use jirani_units::{HouseholdId, OfferId, Price, Slot, Timestamp, Wh};
use reqwest::Method;
use serde_json::json;

const TARIFF: Tariff =
    Tariff { retail: Price(3_500), buy_back: Price(1_000), grid_fee: Price(300), tax: Price(200) };
const AMINA: HouseholdId = HouseholdId(1);
const OTIENO: HouseholdId = HouseholdId(2);

/// Amina buys 1 kWh of Otieno at 18.00 in the quarter of an hour that ends at `end`.
fn slot(feeder: u16, end: &str) -> SlotBillsRecord {
    slot_of(feeder, end, 900)
}

/// The same in a slot of another length.
fn slot_of(feeder: u16, end: &str, length_s: u32) -> SlotBillsRecord {
    let end: Timestamp = end.parse().unwrap();
    let slot = Slot { start: end.plus_seconds(-i64::from(length_s)), length_s };
    let fill = Fill { offer: OfferId(1), seller: OTIENO, energy_wh: 1_000, price: Price(1_800) };
    let trades = [Trade { buyer: AMINA, fills: vec![fill], terms: Terms::of(&TARIFF) }];
    let flows = [
        (AMINA, Flow { import: Wh(400), holding_after: Wh(600), ..Flow::default() }),
        (OTIENO, Flow { export: Wh(400), holding_before: Wh(600), ..Flow::default() }),
    ];
    let members = flows.map(|(household, flow)| (household, Member::Household, flow));
    let report = SlotReport::new(feeder, slot, &members, &trades, &[]).unwrap();
    let homes = flows.map(|(household, flow)| HomeBill {
        bill: SlotBill::new(household, slot, &TARIFF, &flow, &trades).unwrap(),
        export_register: flow.export,
        import_register: flow.import,
        holding: flow.holding_after,
        shortfall: flow.shortfall_after,
    });
    SlotBillsRecord {
        feeder,
        slot,
        attested_at: end.plus_seconds(30),
        tariff: TARIFF,
        homes: homes.into(),
        report: FeederReport::Whole { from: slot.start, report: Box::new(report) },
    }
}

#[tokio::test]
async fn a_month_is_its_closed_days_and_the_slots_of_the_running_one() {
    let world = start(WorldOptions::default()).await;
    let feeder = world.store.household(AMINA).await.unwrap().unwrap().feeder;
    let (yesterday, today) = (slot(feeder, "2026-11-21T10:00:00Z"), slot(feeder, "2026-11-22T09:15:00Z"));
    let mut closed = DayBillRecord::new(AMINA, nairobi::day(yesterday.slot.start));
    closed.add(&yesterday.home(AMINA).unwrap().bill);
    let changes = [yesterday, today].map(|slot| Change::SlotBills(Box::new(slot)));
    world.store.commit(changes.into_iter().chain([Change::DayBill(closed)]).collect()).await.unwrap();
    let amina = world.household(1).await;
    let month = amina.get("/api/v1/me/bills?month=2026-11").await;
    assert_eq!(month["billed_through"], "2026-11-22T09:15:00Z");
    let days: Vec<_> = month["days"].as_array().unwrap().iter().map(|day| day["day"].clone()).collect();
    assert_eq!(days, ["2026-11-21", "2026-11-22"]);
    // 18.00 and 5.00 of fee and tax, twice; retail is 35.00.
    let total = &month["total"];
    assert_eq!((&total["bought_wh"], &total["paid_cents"]), (&json!(2_000), &json!(4_600)));
    assert_eq!((&total["gain_cents"], &total["tariff_alone_cents"]), (&json!(2_400), &json!(7_000)));
    let slots = amina.get("/api/v1/me/bills/2026-11-22").await;
    assert_eq!(slots[0]["lines"][0]["kind"], "bought");
    assert_eq!(
        slots[0]["lines"][0]["with"],
        json!([{"alias": "Acacia", "energy_wh": 1_000, "price_cents_per_kwh": 1_800}])
    );
    assert_eq!(slots.as_array().unwrap().len(), 1);
    for (language, header, word) in
        [("en", "slot_start,what", "bought,Acacia"), ("sw", "mwanzo,nini", "ulinunua,Acacia")]
    {
        let table =
            amina.ask(Method::GET, &format!("/api/v1/me/bills.csv?month=2026-11&language={language}")).await;
        assert_eq!(table.headers()["content-type"], "text/csv; charset=utf-8");
        let table = table.text().await.unwrap();
        assert!(table.starts_with(header) && table.contains(word), "{table}");
    }
    let wrong = amina.ask(Method::GET, "/api/v1/me/bills?month=November").await;
    assert_eq!(expect(wrong, 400).await["code"], "api.invalid_month");
    // Nobody sees another's: Otieno sold.
    let otieno = world.household(2).await.get("/api/v1/me/bills/2026-11-22").await;
    assert_eq!(otieno[0]["lines"][0]["kind"], "sold");
    assert!(matches!(slot(feeder, "2026-11-22T09:15:00Z").homes[1].bill.lines[..], [Line::Sold { .. }]));
}

#[tokio::test]
async fn a_slot_across_midnight_counts_once_in_the_day_in_which_it_begins() {
    let world = start(WorldOptions::default()).await;
    let feeder = world.store.household(AMINA).await.unwrap().unwrap().feeder;
    // From 23:00 to 01:00 in Nairobi, and from there to 03:00.
    let (across, after) =
        (slot_of(feeder, "2026-11-20T22:00:00Z", 7_200), slot_of(feeder, "2026-11-21T00:00:00Z", 7_200));
    let mut closed = DayBillRecord::new(AMINA, nairobi::day(across.slot.start));
    closed.add(&across.home(AMINA).unwrap().bill);
    let changes = [across, after].map(|slot| Change::SlotBills(Box::new(slot)));
    world.store.commit(changes.into_iter().chain([Change::DayBill(closed)]).collect()).await.unwrap();
    let (amina, operator) = (world.household(1).await, world.operator().await);
    let month = amina.get("/api/v1/me/bills?month=2026-11").await;
    let days: Vec<_> =
        month["days"].as_array().unwrap().iter().map(|day| day["total"]["bought_wh"].clone()).collect();
    assert_eq!((days, &month["total"]["bought_wh"]), (vec![json!(1_000), json!(1_000)], &json!(2_000)));
    for (day, start) in [("2026-11-20", "2026-11-20T20:00:00Z"), ("2026-11-21", "2026-11-20T22:00:00Z")] {
        let own = amina.get(&format!("/api/v1/me/bills/{day}")).await;
        let report = operator.get(&format!("/api/v1/operator/slot-reports?day={day}")).await;
        for slots in [own, report] {
            assert_eq!((slots.as_array().unwrap().len(), &slots[0]["start"]), (1, &json!(start)), "{day}");
        }
    }
}

#[tokio::test]
async fn the_operator_sees_a_feeders_slots_summing_to_zero_and_records_what_was_curtailed() {
    let world = start(WorldOptions::default()).await;
    let feeder = world.store.household(AMINA).await.unwrap().unwrap().feeder;
    let whole = slot(feeder, "2026-11-22T09:15:00Z");
    let waits = SlotBillsRecord {
        report: FeederReport::Waits("record 3 is not attested".to_owned()),
        ..slot(feeder, "2026-11-22T09:30:00Z")
    };
    let changes = [whole, waits].map(|slot| Change::SlotBills(Box::new(slot)));
    world.store.commit(changes.into()).await.unwrap();
    let operator = world.operator().await;
    let body = json!({"household_id": 2, "at": "2026-11-22T09:05:00Z", "energy_wh": 700, "reason": "battery_full", "note": "noon"});
    let record = async |key: &str, body: &serde_json::Value| {
        operator.post_with_key("/api/v1/operator/curtailments", key, body).await
    };
    let first = expect(record("noon", &body).await, 201).await;
    assert_eq!(first["alias"], "Acacia");
    // Sent twice it is recorded once; under its key nothing else is.
    assert_eq!(expect(record("noon", &body).await, 201).await, first);
    let mut more = body.clone();
    more["energy_wh"] = json!(800);
    assert_eq!(expect(record("noon", &more).await, 409).await["code"], "bill.curtailment_key_reused");
    let reports = operator.get("/api/v1/operator/slot-reports?day=2026-11-22").await;
    let figures = &reports[0]["figures"];
    assert_eq!((&figures["energy_in_wh"], &figures["energy_out_wh"]), (&json!(400), &json!(400)));
    assert_eq!((&figures["traded_wh"], &figures["money_sum_cents"]), (&json!(1_000), &json!(0)));
    assert_eq!(reports[0]["curtailed"].as_array().unwrap().len(), 1);
    assert_eq!(reports[0]["curtailed"][0]["energy_wh"], 700);
    assert_eq!(reports[0]["curtailed"][0]["reason"], "battery_full");
    assert_eq!((&reports[1]["state"], &reports[1]["figures"]), (&json!("waits"), &json!(null)));
    let mut future = body.clone();
    future["at"] = json!("2026-11-22T16:00:00Z");
    let refused = expect(record("later", &future).await, 400).await;
    assert_eq!(refused["code"], "bill.curtailment_in_future");
    let amina = world.household(1).await.ask(Method::GET, "/api/v1/operator/slot-reports").await;
    assert_eq!(amina.status(), 403);
}

#[tokio::test]
async fn a_household_reads_disputes_and_is_answered_and_the_desk_sets_its_terms() {
    let world = start(WorldOptions::default()).await;
    for (id, shortfall) in [(AMINA, 3_200), (OTIENO, 0)] {
        let through = "2026-11-22T15:15:00Z".parse().unwrap();
        let on_chain = HouseholdOnChain {
            shortfall_wh: Wh(shortfall),
            attested_through: through,
            ..HouseholdOnChain::default()
        };
        world.chain.put(id, on_chain);
    }
    let (amina, operator) = (world.household(1).await, world.operator().await);
    let path = "/api/v1/operator/households/1/shortfall";
    let set = operator.post(path, &json!({"kind": "limit", "limit_cents": 30_000})).await;
    assert_eq!((&set["standing"]["limit_cents"], &set["steps"][1]["number"]), (&json!(30_000), &json!(1)));
    let seen = amina.get("/api/v1/me/shortfall").await;
    let owed = seen["standing"]["owed_cents"].as_i64().unwrap();
    assert!(owed > 0 && seen["standing"]["exposure_cents"] == json!(owed), "{seen}");
    assert!(seen["steps"][0]["en"].as_str().unwrap().starts_with("You owe"), "{seen}");
    assert!(seen["steps"][0]["sw"].as_str().unwrap().starts_with("Unadaiwa"), "{seen}");
    let disputed =
        amina.post("/api/v1/me/shortfall/disputes", &json!({"number": 2, "note": "not mine"})).await;
    assert_eq!(
        (&disputed["standing"]["disputed"], &disputed["steps"][0]["note"]),
        (&json!(2), &json!("not mine"))
    );
    let answered = operator.post(path, &json!({"kind": "answer", "note": "it is"})).await;
    assert_eq!(answered["standing"]["disputed"], json!(null));
    let agreed =
        operator.post(path, &json!({"kind": "instalments", "each_cents": owed, "every_days": 7})).await;
    let instalments = &agreed["standing"]["instalments"];
    assert_eq!((&instalments["owed_cents"], &instalments["set_aside_wh"]), (&json!(owed), &json!(3_200)));
    assert_eq!(agreed["standing"]["exposure_cents"], 0, "what is set aside does not count");
    let again = json!({"kind": "instalments", "each_cents": owed, "every_days": 7});
    let running = operator.request(Method::POST, path).json(&again).send().await.unwrap();
    assert_eq!(expect(running, 409).await["code"], "shortfall.instalments_running");
    let list = operator.get("/api/v1/operator/shortfalls").await;
    assert_eq!((&list[0]["alias"], &list[1]["alias"]), (&json!("Baobab"), &json!("Acacia")));
    let request = amina.request(Method::POST, "/api/v1/me/shortfall/emergency");
    let refused = expect(request.send().await.unwrap(), 409).await;
    assert_eq!(refused["code"], "shortfall.emergency_not_needed");
}
