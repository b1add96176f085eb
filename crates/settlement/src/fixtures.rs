//! Records for the tests of decisions.

use crate::config::SettlementConfig;
use crate::order::View;
use jirani_market::{Fill, Tariff, Tariffs};
use jirani_store::{
    CollectionRecord, CollectionState, HouseholdKind, OfferRecord, OfferState, OrderRecord, OrderState,
    PayWith,
};
use jirani_units::{Cents, HouseholdId, OfferId, OrderId, Price, Reference, Timestamp, Wh};

pub(crate) const BUYER: HouseholdId = HouseholdId(1);
pub(crate) const SELLER: HouseholdId = HouseholdId(2);
pub(crate) const GENERATOR: HouseholdId = HouseholdId(3);
pub(crate) const DEADLINE: Timestamp = Timestamp::from_seconds(1_120);
pub(crate) const LAST: Timestamp = Timestamp::from_seconds(1_420);
pub(crate) const END: Timestamp = Timestamp::from_seconds(1_421);
pub(crate) const TARIFF: Tariff =
    Tariff { retail: Price(4_000), buy_back: Price(1_000), grid_fee: Price(300), tax: Price(160) };

pub(crate) fn config() -> SettlementConfig {
    SettlementConfig {
        callback_base: "http://127.0.0.1:1".to_owned(),
        shortcode: "600000".to_owned(),
        deployment_key: [7; 32],
        seed: [9; 32],
        tariffs: Tariffs::always(TARIFF).unwrap(),
        payouts: crate::config::PayoutPolicy::default(),
        workers: 4,
    }
}

/// 1,000 Wh of a neighbour at 15.00 and 500 Wh of the generator at 30.00, placed at
/// 1,000 s: due = 1.0 x 19.60 + 0.5 x 34.60 = 36.90.
pub(crate) fn order(state: OrderState, pay_with: PayWith) -> OrderRecord {
    let fill = |offer, seller, energy_wh, price| Fill {
        offer: OfferId(offer),
        seller,
        energy_wh,
        price: Price(price),
    };
    OrderRecord {
        id: OrderId(17),
        buyer: BUYER,
        fills: vec![fill(4, SELLER, 1_000, 1_500), fill(5, GENERATOR, 500, 3_000)],
        fee: TARIFF.grid_fee,
        tax: TARIFF.tax,
        due: Cents(3_690),
        pay_with,
        state,
        release_reason: None,
        refusal: None,
        deadline: (state != OrderState::Planned).then_some(DEADLINE),
        proof: None,
        paid_at: None,
        placed_signature: None,
        final_signature: None,
        key: "k".to_owned(),
        created_at: Timestamp::from_seconds(999),
        final_at: None,
        version: 1,
    }
}

pub(crate) fn collection(state: CollectionState) -> CollectionRecord {
    let sent = !matches!(state, CollectionState::Planned | CollectionState::SendUnknown);
    let checked_s = if state == CollectionState::Planned { 1_000 } else { 1_020 };
    CollectionRecord {
        order: OrderId(17),
        payer: BUYER,
        msisdn: "254712345678".parse().unwrap(),
        amount: Cents(3_700),
        reference: Reference::from_entropy(5),
        secret: "0".repeat(32),
        checkout_request_id: sent.then(|| "ws_CO_1".to_owned()),
        state,
        receipt: None,
        created_at: Timestamp::from_seconds(1_000),
        next_check_at: Some(Timestamp::from_seconds(checked_s)),
        checks: 0,
        version: 1,
    }
}

fn offer(id: u64, seller: HouseholdId, reserved_wh: u64) -> OfferRecord {
    OfferRecord {
        id: OfferId(id),
        seller,
        energy_wh: Wh(5_000),
        reserved_wh: Wh(reserved_wh),
        sold_wh: Wh::ZERO,
        price: Price(1_500),
        expires_at: Timestamp::from_seconds(9_000),
        state: OfferState::Open,
        refusal: None,
        signature: None,
        key: "k".to_owned(),
        created_at: Timestamp(0),
        version: 1,
    }
}

pub(crate) fn view(state: OrderState, pay_with: PayWith, collection: Option<CollectionRecord>) -> View {
    View {
        order: order(state, pay_with),
        collection,
        receipt: None,
        msisdn: Some("254712345678".parse().unwrap()),
        offers: vec![offer(4, SELLER, 1_000), offer(5, GENERATOR, 700)],
        operators: vec![GENERATOR],
        window_s: 120,
        grace_s: 300,
    }
}

pub(crate) fn home(id: u32) -> jirani_store::HouseholdRecord {
    jirani_store::HouseholdRecord {
        id: HouseholdId(id),
        kind: HouseholdKind::Home,
        alias: format!("Home {id}"),
        name: format!("Home {id}"),
        msisdn: None,
        language: jirani_store::Language::En,
        meter: None,
        meter_key: [0; 32],
        meter_epoch: 1,
        export_rating_w: 5_000,
        import_rating_w: 5_000,
        pv_rated_w: 3_000,
        feeder: 1,
        chain_address: None,
        enrolled_at: Timestamp(0),
        version: 0,
    }
}
