//! Offers and orders.

use super::{all, one};
use crate::columns::Columns;
use crate::fault::{int, page};
use jirani_market::Fill;
use jirani_market::rule::LOT_MIN;
use jirani_store::{OfferRecord, OrderRecord, Proof, StoreError};
use jirani_units::{HouseholdId, OfferId, OrderId, Price, Timestamp};
use sqlx::postgres::{PgPool, PgRow};

macro_rules! offers {
    ($tail:literal) => {
        sqlx::query(concat!(
            "SELECT id, seller, energy_wh, reserved_wh, sold_wh, price_cents_per_kwh, expires_at_us, state, refusal,
             signature, key, created_at_us, version FROM offers ",
            $tail
        ))
    };
}

macro_rules! orders {
    ($tail:literal) => {
        sqlx::query(concat!(
            "SELECT id, buyer, (SELECT coalesce(json_agg(json_build_array(offer, seller, energy_wh,
             price_cents_per_kwh) ORDER BY position), '[]')::text FROM fills WHERE order_id = orders.id), fee_cents_per_kwh, tax_cents_per_kwh,
             due_cents, pay_with, state, release_reason, refusal, deadline_us, proof_kind, proof, paid_at_us,
             placed_signature, final_signature, key, created_at_us, final_at_us, version FROM orders ",
            $tail
        ))
    };
}

/// A fill as SQL gathers it: offer, seller, energy, price.
type FillText = (u64, u32, u32, u32);

/// Fills as SQL gathers them, to compare with.
pub(crate) fn fills_text(fills: &[Fill]) -> Result<String, StoreError> {
    let fills: Vec<FillText> =
        fills.iter().map(|fill| (fill.offer.0, fill.seller.0, fill.energy_wh, fill.price.0)).collect();
    serde_json::to_string(&fills)
        .map_err(|error| StoreError::Damaged { what: format!("the fills of an order: {error}") })
}

fn offer_of(row: &PgRow) -> Result<OfferRecord, StoreError> {
    let mut columns = Columns::of(row);
    Ok(OfferRecord {
        id: OfferId(columns.u64()?),
        seller: columns.household()?,
        energy_wh: columns.wh()?,
        reserved_wh: columns.wh()?,
        sold_wh: columns.wh()?,
        price: columns.price()?,
        expires_at: columns.time()?,
        state: columns.word()?,
        refusal: columns.text_maybe()?,
        signature: columns.text_maybe()?,
        key: columns.text()?,
        created_at: columns.time()?,
        version: columns.u64()?,
    })
}

fn order_of(row: &PgRow) -> Result<OrderRecord, StoreError> {
    let mut columns = Columns::of(row);
    let (id, buyer) = (OrderId(columns.u64()?), columns.household()?);
    let fills: Vec<FillText> = columns.json()?;
    let fills = fills.into_iter().map(|(offer, seller, energy_wh, price)| Fill {
        offer: OfferId(offer),
        seller: HouseholdId(seller),
        energy_wh,
        price: Price(price),
    });
    let (fee, tax, due, pay_with) = (columns.price()?, columns.price()?, columns.cents()?, columns.word()?);
    let (state, release_reason) = (columns.word()?, columns.word_maybe()?);
    let (refusal, deadline) = (columns.text_maybe()?, columns.time_maybe()?);
    let proof = match (columns.u64_maybe()?, columns.bytes_maybe()?) {
        (None, None) => None,
        (Some(1), Some(hash)) => Some(Proof::Receipt(hash)),
        (Some(2), Some(hash)) => Some(Proof::Transfer(hash)),
        _ => return Err(StoreError::Damaged { what: format!("the proof of order {id}") }),
    };
    Ok(OrderRecord {
        id,
        buyer,
        fills: fills.collect(),
        fee,
        tax,
        due,
        pay_with,
        state,
        release_reason,
        refusal,
        deadline,
        proof,
        paid_at: columns.time_maybe()?,
        placed_signature: columns.text_maybe()?,
        final_signature: columns.text_maybe()?,
        key: columns.text()?,
        created_at: columns.time()?,
        final_at: columns.time_maybe()?,
        version: columns.u64()?,
    })
}

pub(crate) async fn offer(pool: &PgPool, id: OfferId) -> Result<Option<OfferRecord>, StoreError> {
    one(pool, offers!("WHERE id = $1").bind(int("offer", id.0)?), offer_of).await
}

pub(crate) async fn open_offers(
    pool: &PgPool,
    feeder: Option<u16>,
    limit: u32,
) -> Result<Vec<OfferRecord>, StoreError> {
    let query = offers!(
        "WHERE state = 'open' AND energy_wh - reserved_wh - sold_wh >= $1
           AND ($2::bigint IS NULL OR seller IN (SELECT id FROM households WHERE feeder = $2::bigint))
         ORDER BY price_cents_per_kwh, created_at_us, id LIMIT $3"
    );
    let query = query.bind(int("least", LOT_MIN.0)?).bind(feeder.map(i64::from));
    all(pool, query.bind(page(limit)), offer_of).await
}

pub(crate) async fn live_offers(pool: &PgPool) -> Result<Vec<OfferRecord>, StoreError> {
    all(pool, offers!("WHERE state NOT IN ('closed', 'refused') ORDER BY id"), offer_of).await
}

pub(crate) async fn offers_of(
    pool: &PgPool,
    seller: HouseholdId,
    limit: u32,
) -> Result<Vec<OfferRecord>, StoreError> {
    let query = offers!("WHERE seller = $1 ORDER BY id DESC LIMIT $2");
    all(pool, query.bind(i64::from(seller.0)).bind(page(limit)), offer_of).await
}

pub(crate) async fn offer_by_key(
    pool: &PgPool,
    seller: HouseholdId,
    key: &str,
) -> Result<Option<OfferRecord>, StoreError> {
    let query = offers!("WHERE seller = $1 AND key = $2");
    one(pool, query.bind(i64::from(seller.0)).bind(key.to_owned()), offer_of).await
}

pub(crate) async fn order(pool: &PgPool, id: OrderId) -> Result<Option<OrderRecord>, StoreError> {
    one(pool, orders!("WHERE id = $1").bind(int("order", id.0)?), order_of).await
}

pub(crate) async fn live_orders(pool: &PgPool) -> Result<Vec<OrderRecord>, StoreError> {
    all(pool, orders!("WHERE state NOT IN ('settled', 'released', 'refused') ORDER BY id"), order_of).await
}

pub(crate) async fn orders_of(
    pool: &PgPool,
    buyer: HouseholdId,
    limit: u32,
) -> Result<Vec<OrderRecord>, StoreError> {
    let query = orders!("WHERE buyer = $1 ORDER BY id DESC LIMIT $2");
    all(pool, query.bind(i64::from(buyer.0)).bind(page(limit)), order_of).await
}

pub(crate) async fn orders_of_after(
    pool: &PgPool,
    buyer: HouseholdId,
    after: OrderId,
    limit: u32,
) -> Result<Vec<OrderRecord>, StoreError> {
    let query = orders!("WHERE buyer = $1 AND id > $2 ORDER BY id LIMIT $3");
    let query = query.bind(i64::from(buyer.0)).bind(int("order", after.0)?);
    all(pool, query.bind(page(limit)), order_of).await
}

pub(crate) async fn sales_of(
    pool: &PgPool,
    seller: HouseholdId,
    limit: u32,
) -> Result<Vec<OrderRecord>, StoreError> {
    let query = orders!(
        "WHERE state = 'settled' AND id IN (SELECT order_id FROM fills WHERE seller = $1) ORDER BY id DESC LIMIT $2"
    );
    all(pool, query.bind(i64::from(seller.0)).bind(page(limit)), order_of).await
}

pub(crate) async fn order_by_key(
    pool: &PgPool,
    buyer: HouseholdId,
    key: &str,
) -> Result<Option<OrderRecord>, StoreError> {
    let query = orders!("WHERE buyer = $1 AND key = $2");
    one(pool, query.bind(i64::from(buyer.0)).bind(key.to_owned()), order_of).await
}

pub(crate) async fn orders_after(
    pool: &PgPool,
    after: OrderId,
    limit: u32,
) -> Result<Vec<OrderRecord>, StoreError> {
    let query = orders!("WHERE id > $1 ORDER BY id LIMIT $2");
    all(pool, query.bind(int("order", after.0)?).bind(page(limit)), order_of).await
}

pub(crate) async fn orders_settled(
    pool: &PgPool,
    (after, than): (Timestamp, OrderId),
    through: Timestamp,
    limit: u32,
) -> Result<Vec<OrderRecord>, StoreError> {
    // Numbers are kept signed: after the largest there is none.
    let than = i64::try_from(than.0).unwrap_or(i64::MAX);
    let query = orders!(
        "WHERE state = 'settled' AND (final_at_us, id) > ($1, $2) AND final_at_us <= $3
         ORDER BY final_at_us, id LIMIT $4"
    );
    all(pool, query.bind(after.0).bind(than).bind(through.0).bind(page(limit)), order_of).await
}
