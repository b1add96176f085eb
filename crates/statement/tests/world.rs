//! Statements and tax lists out of a real store.
#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests too")]

use jirani_ledger::templates::collections::{self, CreditedFor};
use jirani_ledger::templates::orders::{self, PaidFrom, Part, Party};
use jirani_ledger::templates::payouts::{self, Payout};
use jirani_ledger::templates::shortcodes::{self, Shortcode, TaxPaidFrom};
use jirani_ledger::{Account, Reason, Transfer, TransferId};
use jirani_market::Fill;
use jirani_statement::tax::write;
use jirani_statement::{Period, StatementError, Subject, csv, pdf, statement, tax_export};
use jirani_store::suite::samples;
use jirani_store::{Change, HouseholdKind, Language, OrderRecord, OrderState, PayWith, Proof, Store as _};
use jirani_store_sqlite::SqliteStore;
use jirani_units::{Cents, HouseholdId, OfferId, OrderId, PayoutId, Price, Receipt, Timestamp};

const SELLER: HouseholdId = HouseholdId(1);
const BUYER: HouseholdId = HouseholdId(2);
const GENERATOR: HouseholdId = HouseholdId(9);

struct World {
    store: SqliteStore,
    _folder: tempfile::TempDir,
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn october() -> Period {
    "2026-10".parse().unwrap()
}

fn receipt(number: u64) -> Receipt {
    format!("UJ{number:08}").parse().unwrap()
}

fn order(id: u64, pay_with: PayWith, final_at: &str) -> OrderRecord {
    let fill = |offer, seller, energy_wh, price| Fill {
        offer: OfferId(offer),
        seller,
        energy_wh,
        price: Price(price),
    };
    let mut order = samples::order(id);
    order.fills = vec![fill(id * 2, SELLER, 1_234, 1_801), fill(id * 2 + 1, GENERATOR, 333, 2_100)];
    order.due = jirani_market::shares(&order.fills, order.fee, order.tax).unwrap().due;
    order.pay_with = pay_with;
    order.state = OrderState::Settled;
    order.proof = Some(Proof::Receipt([u8::try_from(id).unwrap(); 32]));
    order.created_at = at(final_at).plus_seconds(-60);
    order.final_at = Some(at(final_at));
    order
}

fn parts(order: &OrderRecord) -> Vec<(Part, Cents)> {
    let shares = jirani_market::shares(&order.fills, order.fee, order.tax).unwrap();
    vec![
        (Part::Sale(0, Party::Household(SELLER)), shares.sellers[0].1),
        (Part::Sale(1, Party::Operator), shares.sellers[1].1),
        (Part::Fee, shares.fee),
        (Part::Tax, shares.tax),
        (Part::Rounding, shares.rounding),
    ]
}

impl World {
    /// Two homes and a generator.
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("jirani.db")).await.unwrap();
        let world = Self { store, _folder: folder };
        for id in [SELLER, BUYER, GENERATOR] {
            let mut household = samples::household(id.0);
            household.kind = if id == GENERATOR { HouseholdKind::Generator } else { HouseholdKind::Home };
            world.keep(vec![Change::Household(household)]).await;
        }
        world
    }

    async fn keep(&self, changes: Vec<Change>) {
        self.store.commit(changes).await.unwrap();
    }

    async fn post(&self, transfers: impl IntoIterator<Item = Transfer>) {
        self.keep(transfers.into_iter().map(Change::Post).collect()).await;
    }

    /// The buyer's balance grows.
    async fn pay_in(&self, number: u64, cents: i64, when: &str) {
        self.post(collections::by_hand(&receipt(number), Some(BUYER), Cents(cents), at(when))).await;
    }

    /// An order is made, paid and settled.
    async fn settle(&self, id: u64, pay_with: PayWith, when: &str) -> OrderRecord {
        let order = order(id, pay_with, when);
        let mut changes = vec![Change::Order(order.clone())];
        let paid_from = if pay_with == PayWith::Balance {
            changes.push(Change::Post(orders::from_balance(
                order.id,
                Party::Household(BUYER),
                order.due,
                at(when),
            )));
            PaidFrom::Balance
        } else {
            let mut collection = samples::collection(id);
            collection.receipt = Some(receipt(id));
            changes.push(Change::Collection(collection));
            changes.push(Change::Post(collections::collected(&receipt(id), order.due, at(when))));
            PaidFrom::Mpesa
        };
        let shares = orders::settled(order.id, paid_from, parts(&order), at(when));
        changes.extend(shares.into_iter().map(Change::Post));
        self.keep(changes).await;
        order
    }
}

/// A month with a little of everything, and a little around it.
async fn lively() -> World {
    let world = World::new().await;
    world.pay_in(901, 20_000, "2026-09-12T08:00:00Z").await;
    world.settle(1, PayWith::Balance, "2026-09-30T20:59:59Z").await;
    world.settle(2, PayWith::Balance, "2026-09-30T21:00:00Z").await;
    world.settle(3, PayWith::Mpesa, "2026-10-07T15:30:00Z").await;
    world.pay_in(902, 123_450, "2026-10-09T06:00:00Z").await;
    let payout = Payout { id: PayoutId(4), household: BUYER, sent: Cents(50_000), charge: Cents(700) };
    world.post(payouts::holds(&payout, at("2026-10-20T09:00:00Z"))).await;
    world.post(payouts::paid(&payout, Cents(500), at("2026-10-20T09:01:00Z"))).await;
    let held = Payout { id: PayoutId(5), household: BUYER, sent: Cents(1_000), charge: Cents(0) };
    world.post(payouts::holds(&held, at("2026-10-31T20:00:00Z"))).await;
    world.settle(6, PayWith::Balance, "2026-11-02T10:00:00Z").await;
    world
}

#[tokio::test]
async fn a_month_adds_up_and_has_energy_beside_money() {
    let world = lively().await;
    let now = at("2026-11-22T12:00:00Z");
    let due = order(1, PayWith::Balance, "2026-09-30T20:59:59Z").due;
    let (_, month) = statement(&world.store, BUYER, october(), now).await.unwrap();
    assert_eq!(month.opening(), Cents(20_000 - due.0));
    assert_eq!(month.closing(), Cents(month.opening().0 - due.0 + 123_450 - 50_500));
    assert_eq!(month.held(), Cents(1_000));
    // Orders 2 and 3; 1 was the month before in Nairobi, 6 the month after.
    assert_eq!(month.totals().bought.0, 2 * 1_567);
    let (_, sold) = statement(&world.store, SELLER, october(), now).await.unwrap();
    assert_eq!((sold.totals().sold.0, sold.lines().len()), (2 * 1_234, 2));
    let net =
        jirani_market::shares(&order(2, PayWith::Mpesa, "2026-10-07T15:30:00Z").fills, Price(0), Price(0));
    assert_eq!(sold.totals().money_in.0, 2 * net.unwrap().sellers[0].1.0);
}

#[tokio::test]
async fn csv_is_the_statement_line_by_line_in_both_languages() {
    let world = lively().await;
    let (_, month) = statement(&world.store, BUYER, october(), at("2026-11-22T12:00:00Z")).await.unwrap();
    for (language, opening, bought, charge) in [
        (Language::En, "Opening balance", "Bought electricity, order 3", "M-Pesa charge for withdrawal 4"),
        (Language::Sw, "Salio la mwanzo", "Umenunua umeme, oda 3", "Gharama ya M-Pesa ya kutoa pesa 4"),
    ] {
        let mut bytes = Vec::new();
        csv::write(&month, language, &mut bytes).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), month.lines().len() + 3);
        assert!(lines[1].starts_with(&format!("2026-10-01 00:00:00,{opening},")), "{}", lines[1]);
        assert!(
            lines
                .iter()
                .any(|line| line.starts_with(&format!("2026-10-07 18:30:00,\"{bought}\",3,,,1.567,")))
        );
        assert!(
            lines
                .iter()
                .any(|line| line.contains(charge) && line.contains(",500,") && line.contains("KSh 5.00"))
        );
        assert!(text.contains("\"KSh 1,234.50\""), "{text}");
        let cents = |line: &str| line.split(',').nth(9).map(str::to_owned);
        assert_eq!(cents(lines[1]).unwrap(), month.opening().0.to_string());
    }
}

#[tokio::test]
async fn a_pdf_has_its_fonts_inside_and_as_many_pages_as_it_needs() {
    let world = lively().await;
    let now = at("2026-11-22T12:00:00Z");
    let (record, month) = statement(&world.store, BUYER, october(), now).await.unwrap();
    let subject = Subject { household: BUYER, name: record.name, issuer: "Kitonyoni".into() };
    let bytes = pdf::write(&month, &subject, Language::Sw, now).unwrap();
    assert!(bytes.starts_with(b"%PDF-1."));
    let has = |what: &[u8]| bytes.windows(what.len()).any(|window| window == what);
    assert!(has(b"DejaVuSansCondensed") && has(b"/FontFile2"));
    if let Ok(folder) = std::env::var("JIRANI_LOOK") {
        std::fs::write(format!("{folder}/statement.pdf"), bytes).unwrap();
    }
}

#[tokio::test]
async fn who_is_not_there_and_what_has_not_begun_has_no_statement() {
    let world = lively().await;
    let nobody = statement(&world.store, HouseholdId(77), october(), at("2026-11-22T12:00:00Z")).await;
    assert!(matches!(nobody, Err(StatementError::NoHousehold(HouseholdId(77)))));
    let early = statement(&world.store, BUYER, october(), at("2026-09-30T20:00:00Z")).await;
    assert!(matches!(early, Err(StatementError::InTheFuture(_))));
}

#[tokio::test]
async fn the_tax_list_is_the_ledgers_taxes_account() {
    let world = lively().await;
    let now = at("2026-11-22T12:00:00Z");
    world
        .post([shortcodes::taxes_paid(
            "PRN7",
            TaxPaidFrom::Shortcode(Shortcode::Collection),
            Cents(100),
            at("2026-10-20T00:00:00Z"),
        )])
        .await;
    let export = tax_export(&world.store, october(), now).await.unwrap();
    let (neighbours, operator, all) = export.sums();
    assert_eq!((neighbours.lines, operator.lines, all.lines), (2, 2, 4));
    let shares = {
        let order = order(2, PayWith::Balance, "2026-10-01T00:00:00Z");
        jirani_market::shares(&order.fills, order.fee, order.tax).unwrap()
    };
    assert_eq!(all.tax_cents.0, 2 * shares.tax.0);
    assert_eq!(all.gross_cents.0, 2 * shares.due.0);
    assert_eq!(export.account().sales_cents, all.tax_cents);
    assert_eq!((export.account().rows, export.account().paid_cents), (2, Cents(100)));
    for line in export.neighbours().iter().chain(export.operator()) {
        let parts = line.net_cents.0 + line.fee_cents.0 + line.tax_cents.0 + line.rounding_cents.0;
        assert_eq!(parts, line.gross_cents.0);
    }
    let mut bytes = Vec::new();
    write::csv(&export, &mut bytes).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    assert_eq!(text.lines().count(), 5);
    assert!(text.lines().nth(1).unwrap().starts_with("2/0,2026-09-30T21:00:00Z,2,1,household,1234,1801,"));
    assert!(text.lines().nth(3).unwrap().contains(",9,operator,333,2100,"));
    assert!(text.contains(&"03".repeat(32)), "the receipt's keyed hash, as on chain");
    let mut bytes = Vec::new();
    write::json(&export, &mut bytes).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(json["totals"]["all"]["tax_cents"], json["taxes_account"]["sales_cents"]);
    assert_eq!(json["sales"].as_array().unwrap().len(), 2);
    assert_eq!(json["operator_sales"][0]["seller_kind"], "operator");
}

#[tokio::test]
async fn a_tax_that_the_ledger_does_not_have_is_refused_by_name() {
    // Settled, but its tax never reached the account.
    let world = World::new().await;
    world.keep(vec![Change::Order(order(1, PayWith::Mpesa, "2026-10-07T15:30:00Z"))]).await;
    let error = tax_export(&world.store, october(), at("2026-11-01T00:00:00Z")).await.unwrap_err();
    assert!(error.to_string().starts_with("statement.order_differs: journal row 0 and order 1"), "{error}");

    // Another tax than the order's.
    let world = World::new().await;
    let made = order(1, PayWith::Mpesa, "2026-10-07T15:30:00Z");
    let when = made.final_at.unwrap();
    let tax = orders::share(made.id, Part::Tax, PaidFrom::Mpesa, Cents(1), when);
    let money = collections::collected(&receipt(1), made.due, when);
    world.keep(vec![Change::Order(made), Change::Post(money.clone()), Change::Post(tax)]).await;
    let error = tax_export(&world.store, october(), at("2026-11-01T00:00:00Z")).await.unwrap_err();
    assert!(matches!(error, StatementError::OrderDiffers { sequence: 2, order: OrderId(1), .. }), "{error}");

    // Tax of an order that nobody settled.
    let world = World::new().await;
    let tax = orders::share(OrderId(8), Part::Tax, PaidFrom::Mpesa, Cents(5), when);
    world.post([money, tax]).await;
    let error = tax_export(&world.store, october(), at("2026-11-01T00:00:00Z")).await.unwrap_err();
    assert!(
        error.to_string().contains("order 8") && error.to_string().contains("was not settled"),
        "{error}"
    );
}

#[tokio::test]
async fn what_else_moves_on_the_taxes_account_is_told_apart() {
    let world = lively().await;
    let odd = Transfer {
        id: TransferId([7; 16]),
        debit: Account::OperatorFloat,
        credit: Account::OperatorTaxes,
        amount: Cents(33),
        reason: Reason::Correction,
        kind: jirani_ledger::Kind::Posted,
        memo: String::new(),
        at: at("2026-10-15T00:00:00Z"),
    };
    world.post([odd]).await;
    let export = tax_export(&world.store, october(), at("2026-11-22T12:00:00Z")).await.unwrap();
    assert_eq!((export.account().other_cents, export.account().rows), (Cents(33), 2));
    assert_eq!(export.account().sales_cents, export.sums().2.tax_cents);
}

#[tokio::test]
async fn credits_are_told_by_what_became_of_the_payment() {
    let world = World::new().await;
    let when = at("2026-10-03T10:00:00Z");
    for (number, why) in [(1, CreditedFor::Late(OrderId(7))), (2, CreditedFor::Short(OrderId(8)))] {
        let money = collections::collected(&receipt(number), Cents(100), when);
        world.post([money, collections::credited(&receipt(number), BUYER, Cents(100), why, when)]).await;
    }
    let money = collections::collected(&receipt(3), Cents(100), when);
    world.post([money, collections::excess(OrderId(9), &receipt(3), BUYER, Cents(40), when)]).await;
    let (_, month) = statement(&world.store, BUYER, october(), when).await.unwrap();
    let mut bytes = Vec::new();
    csv::write(&month, Language::En, &mut bytes).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    for words in
        ["Payment kept as balance, order 7", "Payment kept as balance, order 8", "Change from order 9"]
    {
        assert!(text.contains(words), "{text}");
    }
}
