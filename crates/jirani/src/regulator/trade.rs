//! S1 and S2: one proof, one order; tokens and shillings change hands together.

use super::Material;
use super::replay::Placed;
use crate::audit::Finding;
use crate::bundle::{OrderLine, ReceiptLine, TransferLine, account};
use jirani_ledger::{Account, Reason, TransferId};
use jirani_market::Fill;
use jirani_settlement::transfer_proof;
use jirani_store::{HouseholdKind, PayWith, Proof};
use jirani_units::{HouseholdId, OfferId, Price};
use std::collections::{BTreeMap, HashMap, HashSet};

/// Parts of a settled order's due, as the ids of their transfers tell them apart.
const FEE_PART: u8 = 100;
const TAX_PART: u8 = 101;
const ROUNDING_PART: u8 = 102;

/// Every proof settles one order, every order is settled once and never released too;
/// the markers on chain, and those closed since, are as many as the settlements and name
/// the same; and the bundle knows of the same settlements, by the same proofs.
pub fn s1(material: &Material) -> Finding {
    let replay = &material.replay;
    let (mut proofs, mut orders) = (HashMap::new(), HashSet::new());
    for settled in &replay.settled {
        let order = settled.order.1;
        if let Some(other) = proofs.insert(settled.proof, settled) {
            return Finding::Violated(format!("orders {} and {order} settled by one proof", other.order.1));
        }
        if !orders.insert(settled.order) || replay.released.contains(&settled.order) {
            return Finding::Violated(format!("order {order} ended twice"));
        }
        if replay.placed.get(&settled.order).is_none_or(|placed| placed.due_cents != settled.due_cents) {
            return Finding::Violated(format!("order {order} settled otherwise than it was placed"));
        }
    }
    let markers = material.chain.markers.len() as u64 + replay.markers_closed;
    if markers != replay.settled.len() as u64 {
        return Finding::Violated(format!(
            "{} orders are settled on chain, {markers} proofs are marked used",
            replay.settled.len()
        ));
    }
    for marker in material.chain.markers.values() {
        let fits = proofs.get(&(marker.kind, marker.proof)).is_some_and(|settled| {
            settled.order == (marker.buyer_id, marker.order_id) && settled.paid_at == marker.paid_at
        });
        if !fits {
            return Finding::Violated(format!("the marker of order {} fits no settlement", marker.order_id));
        }
    }
    let ended = |order: &(u32, u64)| orders.contains(order) || replay.released.contains(order);
    if let Some(order) = material.chain.orders.values().find(|order| ended(&(order.buyer_id, order.id))) {
        return Finding::Violated(format!("order {} has ended and is still held on chain", order.id));
    }
    Finding::from_difference(bundle_differs(material))
}

/// The first settlement that chain and bundle do not both know alike.
fn bundle_differs(material: &Material) -> Option<String> {
    let lines: HashMap<u64, &OrderLine> = material.bundle.orders.iter().map(|line| (line.id, line)).collect();
    let mut on_chain = HashSet::new();
    for settled in &material.replay.settled {
        let id = settled.order.1;
        on_chain.insert(id);
        if !material.in_bundle(settled.chain_slot) {
            continue;
        }
        let Some(line) = lines.get(&id) else {
            return Some(format!("order {id} is settled on chain and not in the bundle"));
        };
        let proof = line.proof.as_ref().map(|proof| proof.hash.clone());
        if (line.buyer, proof) != (settled.order.0, Some(hex::encode(settled.proof.1))) {
            return Some(format!("order {id} is settled on chain by another proof than the bundle's"));
        }
    }
    let settled = material.bundle.orders.iter().filter(|line| line.state.is_settled());
    settled
        .filter(|line| !on_chain.contains(&line.id))
        .map(|line| format!("order {} is settled in the bundle and not on chain", line.id))
        .next()
}

/// The ledger follows the chain: every settled order's due went to its sellers, fee, tax
/// and rounding, by one receipt that covers it or from balance, and to nobody else;
/// nothing was sold without a settlement.
pub fn s2(material: &Material) -> Finding {
    let orders: Vec<&OrderLine> = material.bundle.orders.iter().collect();
    let operators: HashSet<u32> = material
        .bundle
        .households
        .iter()
        .filter(|line| line.kind != HouseholdKind::Home)
        .map(|line| line.id)
        .collect();
    let mut expected: BTreeMap<String, Expected> = BTreeMap::new();
    for line in orders.iter().filter(|line| line.state.is_settled()) {
        let Some(placed) = material.replay.placed.get(&(line.buyer, line.id)) else {
            return Finding::Violated(format!("order {} was never placed on chain", line.id));
        };
        if *placed != as_placed(line) {
            return Finding::Violated(format!("order {} stands otherwise on chain", line.id));
        }
        if let Err(what) = expect_shares(line, &operators, &mut expected) {
            return Finding::Violated(what);
        }
    }
    for line in &material.bundle.transfers {
        let wanted = expected.remove(&line.id);
        let is_share = ["sale", "grid_fee", "tax", "rounding"].contains(&line.reason.as_str());
        match wanted {
            None if is_share => {
                return Finding::Violated(format!(
                    "journal row {} pays {} {} cents of no settled order",
                    line.sequence, line.credit, line.amount_cents
                ));
            }
            Some(wanted) if !wanted.is(line) => {
                return Finding::Violated(format!(
                    "journal row {}: {} cents to {}, order {} owes {} cents to {}",
                    line.sequence, line.amount_cents, line.credit, wanted.order, wanted.cents, wanted.credit
                ));
            }
            _ => {}
        }
    }
    if let Some((_, missing)) = expected.first_key_value() {
        return Finding::Violated(format!(
            "order {} is settled and {} never got {} cents",
            missing.order, missing.credit, missing.cents
        ));
    }
    Finding::from_difference(proofs_differ(material, &operators).or_else(|| clearing_differs(material)))
}

/// A transfer that a settled order must have.
struct Expected {
    order: u64,
    debit: Account,
    credit: Account,
    cents: i64,
    reason: Reason,
}

impl Expected {
    fn is(&self, line: &TransferLine) -> bool {
        account(&line.debit) == Some(self.debit)
            && account(&line.credit) == Some(self.credit)
            && (line.amount_cents, line.kind) == (self.cents, 0)
            && line.reason == self.reason.name()
    }
}

fn as_placed(line: &OrderLine) -> Placed {
    Placed {
        fee: line.fee_cents_per_kwh,
        tax: line.tax_cents_per_kwh,
        fills: line
            .fills
            .iter()
            .map(|fill| (fill.seller, fill.offer, fill.energy_wh, fill.price_cents_per_kwh))
            .collect(),
        due_cents: u64::try_from(line.due_cents).unwrap_or(0),
    }
}

fn expect_shares(
    line: &OrderLine,
    operators: &HashSet<u32>,
    expected: &mut BTreeMap<String, Expected>,
) -> Result<(), String> {
    let fills: Vec<Fill> = line
        .fills
        .iter()
        .map(|fill| Fill {
            offer: OfferId(fill.offer),
            seller: HouseholdId(fill.seller),
            energy_wh: fill.energy_wh,
            price: Price(fill.price_cents_per_kwh),
        })
        .collect();
    let shares = jirani_market::shares(&fills, Price(line.fee_cents_per_kwh), Price(line.tax_cents_per_kwh))
        .map_err(|error| format!("order {} cannot be shared out: {error}", line.id))?;
    if shares.due.0 != line.due_cents {
        return Err(format!("order {} owes {} cents, not {}", line.id, shares.due.0, line.due_cents));
    }
    let debit = match line.pay_with {
        PayWith::Mpesa => Account::CollectionsUnallocated,
        PayWith::Balance => Account::OrdersClearing,
    };
    let sellers = (0u8..).zip(&shares.sellers).map(|(part, (seller, cents))| {
        let to_operator = operators.contains(&seller.0);
        let credit = if to_operator { Account::OperatorSales } else { Account::Household(*seller) };
        (part, credit, Reason::Sale, *cents)
    });
    let rest = [
        (FEE_PART, Account::OperatorFees, Reason::GridFee, shares.fee),
        (TAX_PART, Account::OperatorTaxes, Reason::Tax, shares.tax),
        (ROUNDING_PART, Account::Rounding, Reason::Rounding, shares.rounding),
    ];
    for (part, credit, reason, cents) in sellers.chain(rest).filter(|(.., cents)| cents.is_positive()) {
        let mut key = line.id.to_le_bytes().to_vec();
        key.push(part);
        let id = hex::encode(TransferId::derive("order-share", &key).0);
        expected.insert(id, Expected { order: line.id, debit, credit, cents: cents.0, reason });
    }
    Ok(())
}

/// Every settled order was paid wholly by one receipt, or wholly by a transfer from the
/// buyer's balance that its proof is the hash of.
fn proofs_differ(material: &Material, operators: &HashSet<u32>) -> Option<String> {
    let receipts: HashMap<&str, &ReceiptLine> =
        material.bundle.receipts.iter().map(|line| (line.hash.as_str(), line)).collect();
    let transfers: HashMap<&str, &TransferLine> =
        material.bundle.transfers.iter().map(|line| (line.id.as_str(), line)).collect();
    material.bundle.orders.iter().filter(|line| line.state.is_settled()).find_map(|line| {
        let proof = line.proof.as_ref().map(|proof| proof.hash.as_str())?;
        match line.pay_with {
            PayWith::Mpesa => {
                let covered = receipts.get(proof).is_some_and(|receipt| {
                    receipt.used_id == Some(line.id)
                        && receipt.used_for.is_settled()
                        && receipt.amount_cents >= line.due_cents
                });
                (!covered).then(|| format!("order {} has no receipt that covers its due", line.id))
            }
            PayWith::Balance => {
                let id = TransferId::derive("order-from-balance", &line.id.to_le_bytes());
                let (Proof::Receipt(hash) | Proof::Transfer(hash)) = transfer_proof(id);
                let payer = if operators.contains(&line.buyer) {
                    Account::OperatorSales
                } else {
                    Account::Household(HouseholdId(line.buyer))
                };
                let paid = transfers.get(hex::encode(id.0).as_str()).is_some_and(|transfer| {
                    account(&transfer.debit) == Some(payer) && transfer.amount_cents == line.due_cents
                });
                (!paid || hex::encode(hash) != proof)
                    .then(|| format!("order {} was not paid by the transfer its proof names", line.id))
            }
        }
    })
}

/// Clearing holds what may still settle an order, and nothing else.
fn clearing_differs(material: &Material) -> Option<String> {
    let net = |wanted: Account| -> i64 {
        let of = |name: &str| account(name) == Some(wanted);
        material
            .bundle
            .transfers
            .iter()
            .filter(|line| matches!(line.kind, 0 | 2))
            .map(|line| {
                i64::from(of(&line.credit)) * line.amount_cents
                    - i64::from(of(&line.debit)) * line.amount_cents
            })
            .sum()
    };
    let waiting: i64 = material
        .bundle
        .receipts
        .iter()
        .filter(|line| line.used_for.is_waiting())
        .map(|line| line.amount_cents)
        .sum();
    let clearing = net(Account::CollectionsUnallocated);
    if clearing != waiting {
        return Some(format!(
            "clearing holds {clearing} cents, receipts that wait add up to {waiting} cents"
        ));
    }
    let open = material.bundle.orders.iter();
    let held: i64 = open
        .filter(|line| line.pay_with == PayWith::Balance && line.state.is_open())
        .map(|line| line.due_cents)
        .sum();
    let clearing = net(Account::OrdersClearing);
    (clearing != held)
        .then(|| format!("orders from balance hold {clearing} cents, the open ones are {held} cents"))
}
