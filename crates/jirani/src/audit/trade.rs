//! S1 and S2: one proof, one order; money proven ends as tokens or as balance.

use super::{Evidence, Finding};
use jirani_ledger::Account;
use jirani_store::{OrderState, PayWith, PayoutState, Proof, ReceiptUse};
use std::collections::{HashMap, HashSet};

/// A proof settles at most one order; every settled order has one; the chain holds
/// a marker for each, and no account of an order that is final.
pub fn s1(evidence: &Evidence) -> Finding {
    let mut proofs = HashSet::new();
    let mut settled = 0u64;
    for order in evidence.orders.iter().filter(|order| order.state == OrderState::Settled) {
        settled += 1;
        let bytes = match order.proof {
            Some(Proof::Receipt(hash)) => (1u8, hash),
            Some(Proof::Transfer(hash)) => (2u8, hash),
            None => return Finding::Violated(format!("order {} settled without a proof", order.id)),
        };
        if !proofs.insert(bytes) {
            return Finding::Violated(format!("order {} settled with another order's proof", order.id));
        }
    }
    if evidence.chain.markers < settled {
        return Finding::Violated(format!(
            "{settled} orders are settled, the chain holds {} markers",
            evidence.chain.markers
        ));
    }
    let final_orders: HashSet<_> =
        evidence.orders.iter().filter(|order| order.is_final()).map(|order| order.id).collect();
    Finding::from_difference(
        evidence
            .chain
            .orders
            .iter()
            .find(|order| final_orders.contains(&order.order))
            .map(|order| format!("order {} is final with us and still held on chain", order.order)),
    )
}

/// Clearing holds exactly what may still settle an order, and every receipt's use
/// agrees with its order's end.
pub fn s2(evidence: &Evidence) -> Finding {
    let orders: HashMap<_, _> = evidence.orders.iter().map(|order| (order.id, order)).collect();
    let mut waiting = 0i64;
    for receipt in &evidence.receipts {
        let (order, wanted) = match receipt.used_for {
            ReceiptUse::Order(order) => {
                waiting += receipt.amount.0;
                (order, false)
            }
            ReceiptUse::Settled(order) => (order, true),
            ReceiptUse::Balance(_) | ReceiptUse::Suspense | ReceiptUse::Reversed => continue,
        };
        match orders.get(&order) {
            None => return Finding::Violated(format!("a receipt names order {order}, which does not exist")),
            Some(found) if wanted && found.state != OrderState::Settled => {
                return Finding::Violated(format!(
                    "a receipt was used up by order {order}, which is not settled"
                ));
            }
            Some(found) if !wanted && found.is_final() => {
                return Finding::Violated(format!("a receipt still waits for order {order}, which is final"));
            }
            Some(_) => {}
        }
    }
    let balance =
        |account| evidence.balances.iter().find(|(found, _)| *found == account).map_or(0, |(_, b)| b.net().0);
    let clearing = balance(Account::CollectionsUnallocated);
    if clearing != waiting {
        return Finding::Violated(format!(
            "collections_unallocated holds {clearing} cents, receipts that wait add up to {waiting} cents"
        ));
    }
    let held: i64 = evidence
        .orders
        .iter()
        .filter(|order| order.pay_with == PayWith::Balance && !order.is_final())
        .map(|order| order.due.0)
        .sum();
    let clearing = balance(Account::OrdersClearing);
    if clearing != held {
        return Finding::Violated(format!(
            "orders_clearing holds {clearing} cents, live orders from balance add up to {held} cents"
        ));
    }
    payouts_are_held(evidence)
}

/// Holds on balances are those of payouts under way, no more and no less.
fn payouts_are_held(evidence: &Evidence) -> Finding {
    let under_way: i64 = evidence
        .payouts
        .iter()
        .filter(|payout| !matches!(payout.state, PayoutState::Paid | PayoutState::Failed { .. }))
        .map(|payout| payout.amount.0)
        .sum();
    let held: i64 = evidence
        .balances
        .iter()
        .filter(|(account, _)| matches!(account, Account::Household(_)))
        .map(|(_, balance)| balance.debits_held.0)
        .sum();
    Finding::from_difference(
        (under_way != held).then(|| {
            format!("balances hold {held} cents back, payouts under way add up to {under_way} cents")
        }),
    )
}
