//! A household's own page and history.

use crate::support::{WorldOptions, reading, start};
use crate::waiting::{offer, order, payout};
use jirani_chain::HouseholdOnChain;
use jirani_ledger::{Account, Kind, Reason, Transfer, TransferId};
use jirani_store::{AttestedRow, Change, OrderState, PayWith, PayoutState, SlotRecord};
use jirani_units::{Cents, HouseholdId, OrderId, Timestamp, Wh};
use serde_json::{Value, json};

#[tokio::test]
async fn a_new_household_sees_zeroes_and_no_invention() {
    let world = start(WorldOptions::default()).await;
    let mut home = world.household(1).await.get("/api/v1/me/home").await;
    // What the advisor says of a typical household is the advisor's business.
    home["advice"] = Value::Null;
    assert_eq!(
        home,
        json!({
            "power_w": 0, "power_at": null, "today": {"generation_wh": 0, "import_wh": 0, "export_wh": 0},
            "vault_wh": 0, "shortfall_wh": 0, "offered_wh": 0, "balance_cents": 0, "available_cents": 0,
            "advice": null, "meter_trust": "device_signed", "movements": [], "attested_through": null,
            "now": "2026-11-22T15:30:00Z"
        })
    );
}

#[tokio::test]
async fn the_home_screen_adds_up_meter_chain_and_ledger() {
    let world = start(WorldOptions::default()).await;
    let readings = vec![
        // Nairobi's midnight is 21:00 UTC: a third of this quarter of an hour is yesterday's.
        reading(1, 1, "2026-11-21T20:55:00Z", 100, 1_000, 0),
        reading(1, 2, "2026-11-21T21:10:00Z", 130, 1_030, 0),
        reading(1, 3, "2026-11-22T15:25:00Z", 180, 4_000, 1_250),
        reading(2, 1, "2026-11-22T15:26:00Z", 5, 5, -700),
    ];
    world.store.append_readings(readings, Vec::new()).await.unwrap();
    let through: Timestamp = "2026-11-22T15:15:00Z".parse().unwrap();
    let on_chain = HouseholdOnChain {
        vault_wh: Wh(2_500),
        shortfall_wh: Wh(40),
        attested_through: through,
        ..HouseholdOnChain::default()
    };
    world.chain.put(HouseholdId(1), on_chain);
    let credit = transfer("credit", Account::CollectionsUnallocated, 5_000, Reason::Credit);
    let changes = vec![
        Change::Post(Transfer {
            id: TransferId::derive("test", b"in"),
            debit: Account::MpesaCollection,
            credit: Account::CollectionsUnallocated,
            ..credit.clone()
        }),
        Change::Post(credit),
        Change::Post(Transfer {
            id: TransferId::derive("test", b"hold"),
            debit: Account::Household(HouseholdId(1)),
            credit: Account::MpesaPayout,
            amount: Cents(1_200),
            reason: Reason::Payout,
            kind: Kind::Hold,
            memo: "payout 7".into(),
            at: "2026-11-22T15:00:00Z".parse().unwrap(),
        }),
        Change::Offer(offer(1)),
    ];
    world.store.commit(changes).await.unwrap();
    let home = world.household(1).await.get("/api/v1/me/home").await;
    assert_eq!(home["power_w"], 1_250);
    assert_eq!(home["power_at"], "2026-11-22T15:25:00Z");
    assert_eq!(home["today"], json!({"generation_wh": 5_980, "import_wh": 70, "export_wh": 2_990}));
    assert_eq!((&home["vault_wh"], &home["shortfall_wh"]), (&json!(2_500), &json!(40)));
    assert_eq!((&home["balance_cents"], &home["available_cents"]), (&json!(5_000), &json!(3_800)));
    assert_eq!(home["offered_wh"], 700, "what orders hold and what is sold is not for sale");
    assert_eq!(home["attested_through"], "2026-11-22T15:15:00Z");
    assert_eq!(home["movements"][0]["kind"], "credit");
}

fn transfer(key: &str, debit: Account, amount: i64, reason: Reason) -> Transfer {
    Transfer {
        id: TransferId::derive("test", key.as_bytes()),
        debit,
        credit: Account::Household(HouseholdId(1)),
        amount: Cents(amount),
        reason,
        kind: Kind::Posted,
        memo: "order 7".into(),
        at: "2026-11-22T14:00:00Z".parse().unwrap(),
    }
}

#[tokio::test]
async fn history_tells_each_thing_once_and_newest_first() {
    let world = start(WorldOptions::default()).await;
    let at = |text: &str| -> Option<Timestamp> { Some(text.parse().unwrap()) };
    let mut bought = order(1, PayWith::Balance);
    bought.state = OrderState::Settled;
    bought.final_at = at("2026-11-22T10:00:00Z");
    bought.final_signature = Some("sig-bought".into());
    let mut sold = order(2, PayWith::Balance);
    sold.id = OrderId(8);
    sold.key = "other".into();
    sold.fills[0].seller = HouseholdId(1);
    sold.state = OrderState::Settled;
    sold.final_at = at("2026-11-22T12:00:00Z");
    let mut given_up = order(1, PayWith::Balance);
    given_up.id = OrderId(9);
    given_up.key = "third".into();
    given_up.state = OrderState::Released;
    given_up.final_at = at("2026-11-22T13:00:00Z");
    let mut withdrawn = payout(1);
    withdrawn.state = PayoutState::Paid;
    withdrawn.final_at = at("2026-11-22T11:00:00Z");
    let changes =
        vec![Change::Order(bought), Change::Order(sold), Change::Order(given_up), Change::Payout(withdrawn)];
    world.store.commit(changes).await.unwrap();
    for (end, export, import) in [
        ("2026-11-21T20:45:00Z", 500, 40),
        ("2026-11-21T21:00:00Z", 600, 50),
        ("2026-11-22T09:15:00Z", 900, 50),
        ("2026-11-22T14:45:00Z", 1_000, 50),
    ] {
        let row = AttestedRow {
            household: HouseholdId(1),
            export_wh: Wh(export),
            import_wh: Wh(import),
            estimated: false,
        };
        let end: Timestamp = end.parse().unwrap();
        let signatures = vec![format!("sig-{end}")];
        let slot = SlotRecord {
            feeder: 1,
            end,
            evidence_root: [0; 32],
            rows: vec![row],
            signatures,
            attested_at: Some(end),
        };
        world.store.put_slot(slot).await.unwrap();
    }
    let movements = world.household(1).await.get("/api/v1/me/movements").await;
    let line = |movement: &Value| {
        (
            movement["id"].as_str().unwrap().to_owned(),
            movement["energy_wh"].as_i64(),
            movement["amount_cents"].as_i64(),
            movement["signature"].as_str().map(str::to_owned),
        )
    };
    let lines: Vec<_> = movements.as_array().unwrap().iter().map(line).collect();
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(
        lines,
        [
            ("day/2026-11-22/minted".into(), Some(400), None, text("sig-2026-11-22T14:45:00Z")),
            ("order/9".into(), None, None, text("sig-placed")),
            ("sale/8/7".into(), Some(-300), Some(750), None),
            ("payout/7".into(), None, Some(-50_000), None),
            ("order/7".into(), Some(300), Some(-990), text("sig-bought")),
            ("day/2026-11-21/minted".into(), Some(100), None, text("sig-2026-11-21T21:00:00Z")),
            ("day/2026-11-21/burned".into(), Some(-10), None, text("sig-2026-11-21T21:00:00Z")),
        ]
    );
    let home = world.household(1).await.get("/api/v1/me/home").await;
    assert_eq!(home["movements"].as_array().unwrap().len(), 5);
}

#[tokio::test]
async fn the_forecast_covers_two_days_in_steps_whose_quantiles_rise() {
    let world = start(WorldOptions::default()).await;
    let forecast = world.household(1).await.get("/api/v1/me/forecast").await;
    let points = forecast["points"].as_array().unwrap();
    assert_eq!((forecast["step_s"].as_u64(), points.len()), (Some(900), 192));
    for point in points {
        for what in ["production_wh", "consumption_wh"] {
            let levels =
                ["p05", "p10", "p25", "p50", "p75", "p90", "p95"].map(|level| point[what][level].as_u64());
            assert!(levels.is_sorted() && levels[0].is_some(), "{point}");
        }
    }
    let midday = points.iter().find(|point| point["start"] == "2026-11-23T09:30:00Z").unwrap();
    assert!(midday["production_wh"]["p50"].as_u64() > Some(0), "3 kW of panels at noon");
}
