//! What must be true afterwards: the books against each other, movement by movement.

use super::driver::Storm;
use super::site;
use jirani_chain::{EnergyChain as _, RpcEnergyChain};
use jirani_ledger::chain::Verifier;
use jirani_ledger::templates::{orders, payouts};
use jirani_ledger::{Account, Reason, invariants};
use jirani_store::{
    CollectionState, JournalRow, OrderRecord, OrderState, PayWith, PayoutRecord, PayoutState, ReceiptRecord,
    ReceiptUse, ReversalState, Store as _,
};
use jirani_store_sqlite::SqliteStore;
use jirani_units::{Cents, HouseholdId, OfferId, OrderId, PayoutId, Receipt};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

const PAGE: u32 = 1_000;

/// All that our store says.
struct Books {
    orders: Vec<OrderRecord>,
    payouts: Vec<PayoutRecord>,
    receipts: BTreeMap<String, ReceiptRecord>,
    journal: Vec<JournalRow>,
}

impl Books {
    async fn read(store: &SqliteStore) -> Self {
        let mut books =
            Self { orders: Vec::new(), payouts: Vec::new(), receipts: BTreeMap::new(), journal: Vec::new() };
        loop {
            let after = books.orders.last().map_or(OrderId(0), |order| order.id);
            let page = store.orders_after(after, PAGE).await.unwrap();
            if page.is_empty() {
                break;
            }
            books.orders.extend(page);
        }
        loop {
            let after = books.payouts.last().map_or(PayoutId(0), |payout| payout.id);
            let page = store.payouts_after(after, PAGE).await.unwrap();
            if page.is_empty() {
                break;
            }
            books.payouts.extend(page);
        }
        let mut after = 0;
        loop {
            let page = store.receipts_after(after, PAGE).await.unwrap();
            let Some((last, _)) = page.last() else { break };
            after = *last;
            books.receipts.extend(page.into_iter().map(|(_, record)| (record.receipt.to_string(), record)));
        }
        loop {
            let after = books.journal.last().map_or(0, |row| row.sequence);
            let page = store.journal_after(after, PAGE).await.unwrap();
            if page.is_empty() {
                break;
            }
            books.journal.extend(page);
        }
        books
    }
}

/// Everything that was promised.
pub async fn ends_well(storm: &Storm) {
    let store = Arc::new(SqliteStore::open(&storm.database()).await.unwrap());
    let books = Books::read(&store).await;
    let (_, statement) = storm.mpesa("/sandbox/statement", None).await;
    the_ledger_is_sound(&store, &books, &statement).await;
    payments_in_are_ours(storm, &store, &books, &statement).await;
    payouts_are_theirs(storm, &books, &statement);
    moves_are_theirs(storm, &books, &statement);
    money_follows_tokens(storm, &books);
    nothing_else_is_unknown(storm, &store, &books, &statement).await;
    tokens_follow_money(storm, &store, &books).await;
}

/// M1 to M3, row by row, and the sums against the emulator's accounts to the cent.
async fn the_ledger_is_sound(store: &SqliteStore, books: &Books, statement: &Value) {
    let mut verifier = Verifier::new();
    for row in &books.journal {
        verifier.check(row.sequence, &row.transfer, &row.hash).unwrap();
    }
    let balances = store.balances().await.unwrap();
    invariants::m1(&balances).unwrap();
    invariants::m3(&balances).unwrap();
    let totals = &statement["totals"];
    for (account, name) in [
        (Account::MpesaCollection, "collection_cents"),
        (Account::MpesaPayout, "payout_cents"),
        (Account::MpesaCharges, "charges_cents"),
    ] {
        let ours = store.balance(account).await.unwrap().net_debit().0;
        assert_eq!(Some(ours), totals[name].as_i64(), "{account} is M-Pesa's to the cent");
    }
    assert_eq!(totals["imbalance_cents"], 0);
    let sum = Cents(totals["sum_cents"].as_i64().unwrap());
    let expected = invariants::Expected { unallocated: Cents::ZERO, orders: Cents::ZERO, mpesa: Some(sum) };
    invariants::m2(&balances, &expected).unwrap();
}

fn movements<'a>(statement: &'a Value, kind: &'a str) -> impl Iterator<Item = &'a Value> + 'a {
    let all = statement["movements"].as_array().unwrap();
    all.iter().filter(move |movement| movement["kind"] == kind)
}

/// Each payment on M-Pesa's statement is a receipt of ours, with its amount, and none of
/// ours is not on it; each reversal is booked.
async fn payments_in_are_ours(storm: &Storm, store: &SqliteStore, books: &Books, statement: &Value) {
    assert_eq!(statement["movements"].as_array().unwrap().len() as u64, statement["movement_count"]);
    let mut theirs = BTreeSet::new();
    for payment in movements(statement, "pay_bill") {
        let receipt = payment["receipt"].as_str().unwrap();
        let ours = books.receipts.get(receipt).unwrap_or_else(|| panic!("{payment} is not in our books"));
        assert_eq!(Some(ours.amount.0), payment["amount_cents"].as_i64(), "{payment}");
        assert!(theirs.insert(receipt.to_owned()), "{payment} is there twice");
    }
    assert_eq!(books.receipts.keys().cloned().collect::<BTreeSet<_>>(), theirs);
    for back in movements(statement, "reversal") {
        let payment: Receipt = back["reference"].as_str().unwrap().parse().unwrap();
        let ours = store.reversal(&payment).await.unwrap();
        let ours = ours.unwrap_or_else(|| panic!("{back} is not in our books"));
        assert_eq!(ours.state, ReversalState::Booked, "{back}");
        storm.note("reversal booked");
    }
}

/// Each payout on M-Pesa's statement is one of ours that is paid, with its amount, once.
fn payouts_are_theirs(storm: &Storm, books: &Books, statement: &Value) {
    let paid: BTreeMap<&str, &PayoutRecord> = books
        .payouts
        .iter()
        .filter(|payout| payout.state == PayoutState::Paid)
        .map(|payout| (payout.originator_id.as_str(), payout))
        .collect();
    let mut theirs = BTreeSet::new();
    for movement in movements(statement, "payout") {
        let id = movement["reference"].as_str().unwrap();
        let ours = paid.get(id).unwrap_or_else(|| panic!("{movement} is not in our books as paid"));
        assert_eq!(Some(ours.sent.0), movement["amount_cents"].as_i64(), "{movement}");
        if let Some(receipt) = &ours.receipt {
            assert_eq!(Some(receipt.as_str()), movement["receipt"].as_str(), "{movement}");
        }
        assert!(theirs.insert(id), "{movement} went out twice");
    }
    assert_eq!(paid.keys().copied().collect::<BTreeSet<_>>(), theirs, "paid, we say; M-Pesa does not");
    let mut posted: BTreeMap<PayoutId, usize> = BTreeMap::new();
    for row in &books.journal {
        if let Some(payout) = payouts::payout_of(&row.transfer)
            && row.transfer.reason == Reason::Payout
            && matches!(row.transfer.kind, jirani_ledger::Kind::Post(_))
        {
            *posted.entry(payout).or_default() += 1;
        }
    }
    for payout in &books.payouts {
        let again = if payout.attempt > 1 { " after another attempt" } else { "" };
        let (state, times) = match &payout.state {
            PayoutState::Paid => ("paid".to_owned(), 1),
            PayoutState::Failed { code } => (format!("failed {code}"), 0),
            other => panic!("payout {} is {other:?}", payout.id),
        };
        assert_eq!(posted.get(&payout.id).copied().unwrap_or(0), times, "payout {}", payout.id);
        storm.note(&format!("payout {state}{again}"));
    }
}

/// Each move of float on M-Pesa's statement is posted in our ledger, once, and none else.
fn moves_are_theirs(storm: &Storm, books: &Books, statement: &Value) {
    let ours: Vec<i64> = books
        .journal
        .iter()
        .filter(|row| row.transfer.reason == Reason::FloatMove)
        .filter(|row| matches!(row.transfer.kind, jirani_ledger::Kind::Post(_)))
        .map(|row| row.transfer.amount.0)
        .collect();
    let theirs: Vec<i64> = movements(statement, "float_move")
        .map(|movement| movement["amount_cents"].as_i64().unwrap())
        .collect();
    assert_eq!(ours, theirs, "one move at a time, in the same order");
    for _ in theirs {
        storm.note("float moved");
    }
}

/// S2: of each order that settled, its due was shared out, once; of no other.
fn money_follows_tokens(storm: &Storm, books: &Books) {
    let mut shared: BTreeMap<OrderId, i64> = BTreeMap::new();
    for row in &books.journal {
        let transfer = &row.transfer;
        if matches!(transfer.reason, Reason::Sale | Reason::GridFee | Reason::Tax | Reason::Rounding) {
            let order = orders::order_of(transfer).unwrap_or_else(|| panic!("{transfer:?} is of no order"));
            *shared.entry(order).or_default() += transfer.amount.0;
        }
    }
    let mut by_receipt: BTreeMap<OrderId, usize> = BTreeMap::new();
    for receipt in books.receipts.values() {
        match receipt.used_for {
            ReceiptUse::Settled(order) => *by_receipt.entry(order).or_default() += 1,
            ReceiptUse::Order(order) => panic!("{} still waits for order {order}", receipt.receipt),
            ReceiptUse::Balance(_) | ReceiptUse::Suspense | ReceiptUse::Reversed => {}
        }
    }
    for order in &books.orders {
        let is_settled = order.state == OrderState::Settled;
        let due = if is_settled { order.due.0 } else { 0 };
        assert_eq!(shared.get(&order.id).copied().unwrap_or(0), due, "order {}", order.id);
        let receipts = usize::from(is_settled && order.pay_with == PayWith::Mpesa);
        assert_eq!(by_receipt.get(&order.id).copied().unwrap_or(0), receipts, "S1: order {}", order.id);
        let reason = order.release_reason.map(|reason| format!(" {reason:?}")).unwrap_or_default();
        storm.note(&format!("order {:?}{reason} by {:?}", order.state, order.pay_with));
    }
}

/// No payment is unknown for good: of a prompt that M-Pesa was told to say nothing of, its
/// list of payments says in the end that no money moved.
async fn nothing_else_is_unknown(storm: &Storm, store: &SqliteStore, books: &Books, statement: &Value) {
    let paid_for: BTreeSet<&str> =
        movements(statement, "pay_bill").filter_map(|payment| payment["reference"].as_str()).collect();
    for order in &books.orders {
        let Some(collection) = store.collection(order.id).await.unwrap() else { continue };
        match collection.state {
            CollectionState::Paid | CollectionState::Refused { .. } => {}
            CollectionState::Expired => {
                assert!(
                    !paid_for.contains(collection.reference.to_string().as_str()),
                    "order {} was paid for, and we do not know",
                    order.id
                );
                let review = store.review(&format!("collection/{}/unknown", order.id)).await.unwrap();
                let Some(review) = review else {
                    storm.note("unpaid: its prompt was never asked for");
                    continue;
                };
                assert!(review.outcome.is_some(), "order {} stays unknown", order.id);
                let what = if order.buyer.0 < site::buyer(0).0 {
                    "a phone that never answers"
                } else if collection.checkout_request_id.is_none() {
                    "whether the prompt was sent was never told"
                } else {
                    "its end was never told"
                };
                storm.note(&format!("unpaid by M-Pesa's list alone: {what}"));
            }
            ref other => panic!("the payment of order {} is {other:?}", order.id),
        }
    }
}

/// S1 and E1 on the chain: each buyer has what the settled orders say, each offer holds
/// what is left of it, and as many proofs are used as orders settled.
async fn tokens_follow_money(storm: &Storm, store: &Arc<SqliteStore>, books: &Books) {
    let config = site::chain_config(&storm.chain_url());
    let clock = Arc::new(storm.time.follow());
    let chain = RpcEnergyChain::connect(config, store.clone(), clock).await.unwrap();
    let snapshot = chain.snapshot().await.unwrap();
    let minted = u64::from(site::SELLERS) * 3_500_000;
    assert_eq!((snapshot.supply_wh.0, snapshot.token_accounts_wh.0), (minted, minted), "E1");
    assert!(snapshot.orders.is_empty(), "{:?}", snapshot.orders);
    let settled: Vec<_> = books.orders.iter().filter(|order| order.state == OrderState::Settled).collect();
    assert_eq!(snapshot.markers, settled.len() as u64, "S1: a proof used for each");
    let mut bought: BTreeMap<HouseholdId, u64> = BTreeMap::new();
    let mut sold: BTreeMap<OfferId, u64> = BTreeMap::new();
    for order in settled {
        *bought.entry(order.buyer).or_default() += order.energy_wh().0;
        for fill in &order.fills {
            *sold.entry(fill.offer).or_default() += u64::from(fill.energy_wh);
        }
    }
    for (id, household) in &snapshot.households {
        if id.0 > site::SELLERS {
            assert_eq!(household.vault_wh.0, bought.get(id).copied().unwrap_or(0), "household {id}");
        }
    }
    for offer in &snapshot.offers {
        let ours = store.offer(offer.offer).await.unwrap().unwrap();
        let left = ours.energy_wh.0 - sold.get(&offer.offer).copied().unwrap_or(0);
        assert_eq!((offer.escrow_wh.0, offer.owed_wh.0), (left, left), "offer {}", offer.offer);
        assert_eq!((ours.sold_wh.0, ours.reserved_wh.0), (ours.energy_wh.0 - left, 0), "{ours:?}");
    }
}
