//! Offers and orders.

use crate::columns::Columns;
use crate::fault::{int, page};
use crate::sql::query;
use jirani_market::Fill;
use jirani_market::rule::LOT_MIN;
use jirani_store::{OfferRecord, OrderRecord, Proof, StoreError};
use jirani_units::{HouseholdId, OfferId, OrderId, Price, Timestamp};
use rusqlite::Connection;

macro_rules! offers {
    ($tail:literal) => {
        query(concat!(
            "SELECT id, seller, energy_wh, reserved_wh, sold_wh, price_cents_per_kwh, expires_at_us, state, refusal,
             signature, key, created_at_us, version FROM offers ",
            $tail
        ))
    };
}

macro_rules! orders {
    ($tail:literal) => {
        query(concat!(
            "SELECT id, buyer, (SELECT json_group_array(json_array(offer, seller, energy_wh, price_cents_per_kwh)
             ORDER BY position) FROM fills WHERE order_id = orders.id), fee_cents_per_kwh, tax_cents_per_kwh,
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

fn offer_of(columns: &mut Columns<'_>) -> Result<OfferRecord, StoreError> {
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

fn order_of(columns: &mut Columns<'_>) -> Result<OrderRecord, StoreError> {
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

pub(crate) fn offer(connection: &Connection, id: OfferId) -> Result<Option<OfferRecord>, StoreError> {
    offers!("WHERE id = ?").bind(int("offer", id.0)?).one(connection, offer_of)
}

pub(crate) fn open_offers(
    connection: &Connection,
    feeder: Option<u16>,
    limit: u32,
) -> Result<Vec<OfferRecord>, StoreError> {
    let query = offers!(
        "WHERE state = 'open' AND energy_wh - reserved_wh - sold_wh >= ?1
           AND (?2 IS NULL OR seller IN (SELECT id FROM households WHERE feeder = ?2))
         ORDER BY price_cents_per_kwh, created_at_us, id LIMIT ?3"
    );
    let query = query.bind(int("least", LOT_MIN.0)?).bind(feeder.map(i64::from));
    query.bind(page(limit)).all(connection, offer_of)
}

pub(crate) fn live_offers(connection: &Connection) -> Result<Vec<OfferRecord>, StoreError> {
    offers!("WHERE state NOT IN ('closed', 'refused') ORDER BY id").all(connection, offer_of)
}

pub(crate) fn offers_of(
    connection: &Connection,
    seller: HouseholdId,
    limit: u32,
) -> Result<Vec<OfferRecord>, StoreError> {
    let query = offers!("WHERE seller = ? ORDER BY id DESC LIMIT ?");
    query.bind(i64::from(seller.0)).bind(page(limit)).all(connection, offer_of)
}

pub(crate) fn offer_by_key(
    connection: &Connection,
    seller: HouseholdId,
    key: &str,
) -> Result<Option<OfferRecord>, StoreError> {
    let query = offers!("WHERE seller = ? AND key = ?");
    query.bind(i64::from(seller.0)).bind(key.to_owned()).one(connection, offer_of)
}

pub(crate) fn order(connection: &Connection, id: OrderId) -> Result<Option<OrderRecord>, StoreError> {
    orders!("WHERE id = ?").bind(int("order", id.0)?).one(connection, order_of)
}

pub(crate) fn live_orders(connection: &Connection) -> Result<Vec<OrderRecord>, StoreError> {
    orders!("WHERE state NOT IN ('settled', 'released', 'refused') ORDER BY id").all(connection, order_of)
}

pub(crate) fn orders_of(
    connection: &Connection,
    buyer: HouseholdId,
    limit: u32,
) -> Result<Vec<OrderRecord>, StoreError> {
    let query = orders!("WHERE buyer = ? ORDER BY id DESC LIMIT ?");
    query.bind(i64::from(buyer.0)).bind(page(limit)).all(connection, order_of)
}

pub(crate) fn orders_of_after(
    connection: &Connection,
    buyer: HouseholdId,
    after: OrderId,
    limit: u32,
) -> Result<Vec<OrderRecord>, StoreError> {
    let query = orders!("WHERE buyer = ? AND id > ? ORDER BY id LIMIT ?");
    let query = query.bind(i64::from(buyer.0)).bind(int("order", after.0)?);
    query.bind(page(limit)).all(connection, order_of)
}

pub(crate) fn sales_of(
    connection: &Connection,
    seller: HouseholdId,
    limit: u32,
) -> Result<Vec<OrderRecord>, StoreError> {
    let query = orders!(
        "WHERE state = 'settled' AND id IN (SELECT order_id FROM fills WHERE seller = ?) ORDER BY id DESC LIMIT ?"
    );
    query.bind(i64::from(seller.0)).bind(page(limit)).all(connection, order_of)
}

pub(crate) fn order_by_key(
    connection: &Connection,
    buyer: HouseholdId,
    key: &str,
) -> Result<Option<OrderRecord>, StoreError> {
    let query = orders!("WHERE buyer = ? AND key = ?");
    query.bind(i64::from(buyer.0)).bind(key.to_owned()).one(connection, order_of)
}

pub(crate) fn orders_after(
    connection: &Connection,
    after: OrderId,
    limit: u32,
) -> Result<Vec<OrderRecord>, StoreError> {
    let query = orders!("WHERE id > ? ORDER BY id LIMIT ?");
    query.bind(int("order", after.0)?).bind(page(limit)).all(connection, order_of)
}

pub(crate) fn orders_settled(
    connection: &Connection,
    (after, than): (Timestamp, OrderId),
    through: Timestamp,
    limit: u32,
) -> Result<Vec<OrderRecord>, StoreError> {
    // Numbers are kept signed: after the largest there is none.
    let than = i64::try_from(than.0).unwrap_or(i64::MAX);
    let query = orders!(
        "WHERE state = 'settled' AND (final_at_us, id) > (?, ?) AND final_at_us <= ?
         ORDER BY final_at_us, id LIMIT ?"
    );
    query.bind(after.0).bind(than).bind(through.0).bind(page(limit)).all(connection, order_of)
}
