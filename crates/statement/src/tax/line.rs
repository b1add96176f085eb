//! One sale, and how an order's fee, tax and rounding are told of its fills.

use crate::error::StatementError;
use jirani_store::{OrderRecord, PayWith, Proof};
use jirani_units::{Cents, HouseholdId, OrderId, Price, Timestamp, Wh};
use serde::Serialize;

/// Who sold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SellerKind {
    /// A household.
    Household,
    /// The operator, from one of its own records.
    Operator,
}

/// One settled sale: one fill of an order. `net + fee + tax + rounding = gross`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SaleLine {
    /// Order and place of the fill: `17/0`. Unique.
    pub sale: String,
    /// When it was settled, UTC.
    pub settled_at: Timestamp,
    /// Who bought.
    pub buyer: HouseholdId,
    /// Who sold.
    pub seller: HouseholdId,
    /// A household, or the operator itself.
    pub seller_kind: SellerKind,
    /// Energy sold.
    pub energy_wh: Wh,
    /// The seller's price.
    pub price_cents_per_kwh: Price,
    /// What the seller received.
    pub net_cents: Cents,
    /// Grid fee.
    pub fee_cents: Cents,
    /// Tax.
    pub tax_cents: Cents,
    /// This line's part of what the order's ceiling left over.
    pub rounding_cents: Cents,
    /// What the buyer paid.
    pub gross_cents: Cents,
    /// How: `mpesa` or `balance`.
    pub paid_with: PayWith,
    /// What proves the payment, as on chain: a keyed hash of the M-Pesa receipt, or of
    /// the ledger transfer from the buyer's balance.
    pub proof: String,
}

/// `whole`, shared out by cumulated energy: the parts make the whole.
fn part(whole: Cents, before: u64, upto: u64, all: u64) -> Cents {
    let share = |energy: u64| i128::from(whole.0) * i128::from(energy) / i128::from(all.max(1));
    // A part is never above the whole, which fits.
    Cents(i64::try_from(share(upto) - share(before)).unwrap_or(i64::MAX))
}

/// The lines of a settled order, and its whole tax. They make its due to the cent.
pub fn lines(
    order: &OrderRecord,
    is_operator: impl Fn(HouseholdId) -> bool,
) -> Result<(Vec<SaleLine>, Cents), StatementError> {
    let differs = |what: String| StatementError::OrderDiffers { sequence: 0, order: order.id, what };
    let shares = jirani_market::shares(&order.fills, order.fee, order.tax)
        .map_err(|error| differs(error.to_string()))?;
    if shares.due != order.due {
        return Err(differs(format!("its fills cost {}, its due is {}", shares.due, order.due)));
    }
    let settled_at = order.final_at.ok_or_else(|| differs("settled at no time".to_owned()))?;
    let proof = match order.proof {
        Some(Proof::Receipt(hash) | Proof::Transfer(hash)) => hex::encode(hash),
        None => return Err(differs("settled without a proof".to_owned())),
    };
    let all = order.energy_wh().0;
    let mut before = 0;
    let mut made = Vec::with_capacity(order.fills.len());
    for (place, (fill, (seller, net))) in order.fills.iter().zip(&shares.sellers).enumerate() {
        let upto = before + u64::from(fill.energy_wh);
        let [fee, tax, rounding] =
            [shares.fee, shares.tax, shares.rounding].map(|whole| part(whole, before, upto, all));
        before = upto;
        made.push(SaleLine {
            sale: sale(order.id, place),
            settled_at,
            buyer: order.buyer,
            seller: *seller,
            seller_kind: if is_operator(*seller) { SellerKind::Operator } else { SellerKind::Household },
            energy_wh: Wh(u64::from(fill.energy_wh)),
            price_cents_per_kwh: fill.price,
            net_cents: *net,
            fee_cents: fee,
            tax_cents: tax,
            rounding_cents: rounding,
            gross_cents: [*net, fee, tax, rounding].into_iter().sum(),
            paid_with: order.pay_with,
            proof: proof.clone(),
        });
    }
    Ok((made, shares.tax))
}

fn sale(order: OrderId, place: usize) -> String {
    format!("{order}/{place}")
}
