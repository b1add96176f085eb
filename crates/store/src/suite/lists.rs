//! What is kept is found, as it was.

use super::samples::{at, collection, fill, household, msisdn, offer, order, payout, receipt};
use super::{Place, keep};
use crate::verbs::PAGE_MAX;
use crate::{
    Change, CollectionState, HouseholdKind, HouseholdRecord, Language, OfferState, OrderState, PayWith,
    PayoutState, Proof, ReceiptUse, ReleaseReason,
};
use jirani_units::{HouseholdId, OfferId, OrderId, PayoutId, Price, Reference, Wh};

const OFFER_STATES: [OfferState; 5] =
    [OfferState::Posting, OfferState::Open, OfferState::Closing, OfferState::Closed, OfferState::Refused];
const ORDER_STATES: [OrderState; 8] = [
    OrderState::Planned,
    OrderState::AwaitingPayment,
    OrderState::ReceiptAwaited,
    OrderState::Paid,
    OrderState::Settled,
    OrderState::Releasing,
    OrderState::Released,
    OrderState::Refused,
];

fn collection_states() -> [CollectionState; 7] {
    [
        CollectionState::Planned,
        CollectionState::SendUnknown,
        CollectionState::Pending,
        CollectionState::ReceiptAwaited,
        CollectionState::Paid,
        CollectionState::Refused { code: "1032".into() },
        CollectionState::Expired,
    ]
}

fn payout_states() -> [PayoutState; 5] {
    [
        PayoutState::Planned,
        PayoutState::Unknown,
        PayoutState::Accepted,
        PayoutState::Paid,
        PayoutState::Failed { code: "SVC0403".into() },
    ]
}

/// Every state, every optional field with and without a value; made, then changed.
pub async fn every_record_comes_back_as_it_was_kept(place: &dyn Place) {
    let mut store = place.open().await;
    let (mut households, mut offers, mut orders) = (Vec::new(), Vec::new(), Vec::new());
    let (mut collections, mut receipts, mut payouts) = (Vec::new(), Vec::new(), Vec::new());
    let kinds = [HouseholdKind::Home, HouseholdKind::Generator, HouseholdKind::Battery, HouseholdKind::Loss];
    for (id, kind) in (1..).zip(kinds) {
        let mut record = household(id);
        record.kind = kind;
        if kind == HouseholdKind::Loss {
            (record.msisdn, record.meter, record.chain_address) = (None, None, None);
            record.language = Language::En;
        }
        households.push(record);
    }
    for (id, state) in (1..).zip(OFFER_STATES) {
        let mut record = offer(id);
        record.state = state;
        if state == OfferState::Refused {
            (record.refusal, record.signature) = (Some("energy.shortfall".into()), None);
        }
        offers.push(record);
    }
    for (id, state) in (1..).zip(ORDER_STATES) {
        let mut record = order(id);
        record.state = state;
        match state {
            OrderState::Settled => {
                record.proof = Some(Proof::Receipt([8; 32]));
                (record.deadline, record.paid_at, record.final_at) = (Some(at(1)), Some(at(2)), Some(at(3)));
                (record.placed_signature, record.final_signature) = (Some("p".into()), Some("f".into()));
            }
            OrderState::Paid => {
                (record.proof, record.pay_with) = (Some(Proof::Transfer([9; 32])), PayWith::Balance);
            }
            OrderState::Planned => record.fills = vec![fill(1, 1), fill(2, 1), fill(3, 3), fill(4, 4)],
            OrderState::AwaitingPayment => record.release_reason = Some(ReleaseReason::PaidShort),
            OrderState::Releasing => record.release_reason = Some(ReleaseReason::PaymentRefused),
            OrderState::Released => record.release_reason = Some(ReleaseReason::PaymentTimeout),
            OrderState::Refused => record.refusal = Some("energy.paused".into()),
            OrderState::ReceiptAwaited => {}
        }
        orders.push(record);
    }
    for (id, state) in (1..).zip(collection_states()) {
        let mut record = collection(id);
        if state == CollectionState::Paid {
            record.receipt = Some(receipt(id).receipt);
            (record.checkout_request_id, record.next_check_at) = (Some("ws_CO_1".into()), None);
        }
        record.state = state;
        collections.push(record);
    }
    let uses = [
        ReceiptUse::Order(OrderId(1)),
        ReceiptUse::Settled(OrderId(2)),
        ReceiptUse::Balance(HouseholdId(3)),
        ReceiptUse::Suspense,
    ];
    for (number, used_for) in (1..).zip(uses) {
        let mut record = receipt(number);
        if used_for == ReceiptUse::Suspense {
            record.payer = None;
        }
        record.used_for = used_for;
        receipts.push(record);
    }
    for (id, state) in (1..).zip(payout_states()) {
        let mut record = payout(id);
        if state == PayoutState::Paid {
            (record.receipt, record.conversation_id) = (Some(receipt(99).receipt), Some("AG_1".into()));
            record.final_at = Some(at(60));
        }
        record.state = state;
        payouts.push(record);
    }

    // Twice: as made, and as changed from that.
    for version in [1, 2] {
        let mut changes = Vec::new();
        changes.extend(households.iter().cloned().map(Change::Household));
        changes.extend(offers.iter().cloned().map(Change::Offer));
        changes.extend(orders.iter().cloned().map(Change::Order));
        changes.extend(collections.iter().cloned().map(Change::Collection));
        changes.extend(receipts.iter().cloned().map(Change::Receipt));
        changes.extend(payouts.iter().cloned().map(Change::Payout));
        keep(&store, changes).await;
        drop(store);
        store = place.open().await;
        for record in &mut households {
            record.version = version;
        }
        for record in &mut offers {
            record.version = version;
        }
        for record in &mut orders {
            record.version = version;
        }
        for record in &mut collections {
            record.version = version;
        }
        for record in &mut receipts {
            record.version = version;
        }
        for record in &mut payouts {
            record.version = version;
        }

        assert_eq!(store.households().await.unwrap(), households);
        for record in &households {
            assert_eq!(store.household(record.id).await.unwrap().as_ref(), Some(record));
        }
        for record in &offers {
            assert_eq!(store.offer(record.id).await.unwrap().as_ref(), Some(record));
        }
        for record in &orders {
            assert_eq!(store.order(record.id).await.unwrap().as_ref(), Some(record));
        }
        for record in &collections {
            assert_eq!(store.collection(record.order).await.unwrap().as_ref(), Some(record));
        }
        for record in &receipts {
            assert_eq!(store.receipt(&record.receipt).await.unwrap().as_ref(), Some(record));
        }
        for record in &payouts {
            assert_eq!(store.payout(record.id).await.unwrap().as_ref(), Some(record));
        }
    }
    let nobody = (store.offer(OfferId(77)).await.unwrap(), store.order(OrderId(77)).await.unwrap());
    assert_eq!(nobody, (None, None));
    assert_eq!(store.collection(OrderId(u64::MAX >> 1)).await.unwrap(), None);
}

pub async fn offers_are_found(place: &dyn Place) {
    let store = place.open().await;
    let mut changes = Vec::new();
    for (id, feeder) in [(1, 1), (2, 2), (3, 1)] {
        changes.push(Change::Household(HouseholdRecord { feeder, ..household(id) }));
    }
    // id, seller, price, age, open Wh
    let open = [
        (1, 1, 1_500, 5, 10),
        (2, 2, 1_400, 9, 10),
        (3, 1, 1_500, 4, 10),
        (4, 3, 1_500, 4, 10),
        (5, 1, 1_000, 1, 0),
        // Dust takes nobody's place.
        (6, 1, 1_000, 1, 9),
    ];
    for (id, seller, price, age, left) in open {
        let mut record = offer(id);
        (record.seller, record.price, record.created_at) = (HouseholdId(seller), Price(price), at(age));
        record.energy_wh = Wh(1_500 + left);
        changes.push(Change::Offer(record));
    }
    for (id, state) in (10..).zip(OFFER_STATES.into_iter().filter(|state| *state != OfferState::Open)) {
        let mut record = offer(id);
        record.state = state;
        changes.push(Change::Offer(record));
    }
    keep(&store, changes).await;
    let ids = |offers: Vec<crate::OfferRecord>| offers.iter().map(|offer| offer.id.0).collect::<Vec<_>>();
    assert_eq!(ids(store.open_offers(None, 100).await.unwrap()), [2, 3, 4, 1]);
    assert_eq!(ids(store.open_offers(None, 2).await.unwrap()), [2, 3]);
    // Sellers 1 and 3 are on the first feeder, seller 2 on the second.
    assert_eq!(ids(store.open_offers(Some(1), 100).await.unwrap()), [3, 4, 1]);
    assert_eq!(ids(store.open_offers(Some(2), 100).await.unwrap()), [2]);
    assert_eq!(ids(store.open_offers(Some(3), 100).await.unwrap()), [0_u64; 0]);
    // Posting (10) and closing (11) live on; closed (12) and refused (13) do not.
    assert_eq!(ids(store.live_offers().await.unwrap()), [1, 2, 3, 4, 5, 6, 10, 11]);
    assert_eq!(ids(store.offers_of(HouseholdId(1), 100).await.unwrap()), [13, 12, 11, 10, 6, 5, 3, 1]);
    assert_eq!(ids(store.offers_of(HouseholdId(1), 1).await.unwrap()), [13]);
    let by_key = store.offer_by_key(HouseholdId(2), "offer-2").await.unwrap();
    assert_eq!(by_key.map(|offer| offer.id), Some(OfferId(2)));
    assert_eq!(store.offer_by_key(HouseholdId(1), "offer-2").await.unwrap(), None);
}

pub async fn orders_are_found(place: &dyn Place) {
    let store = place.open().await;
    let mut changes = Vec::new();
    for (id, state) in (1..).zip(ORDER_STATES) {
        let mut record = order(id);
        record.state = state;
        record.buyer = HouseholdId(if id % 2 == 0 { 2 } else { 7 });
        changes.push(Change::Order(record));
    }
    let mut twice_the_same_seller = order(20);
    twice_the_same_seller.fills = vec![fill(1, 3), fill(2, 3)];
    twice_the_same_seller.state = OrderState::Settled;
    changes.push(Change::Order(twice_the_same_seller));
    keep(&store, changes).await;
    let ids = |orders: Vec<crate::OrderRecord>| orders.iter().map(|order| order.id.0).collect::<Vec<_>>();
    // Settled (5), released (7) and refused (8) are final.
    assert_eq!(ids(store.live_orders().await.unwrap()), [1, 2, 3, 4, 6]);
    assert_eq!(ids(store.orders_of(HouseholdId(7), 100).await.unwrap()), [7, 5, 3, 1]);
    assert_eq!(ids(store.orders_of(HouseholdId(7), 2).await.unwrap()), [7, 5]);
    assert_eq!(ids(store.orders_of_after(HouseholdId(7), OrderId(1), 2).await.unwrap()), [3, 5]);
    assert_eq!(ids(store.orders_of_after(HouseholdId(7), OrderId(7), 100).await.unwrap()), [0_u64; 0]);
    assert_eq!(ids(store.sales_of(HouseholdId(1), 100).await.unwrap()), [5]);
    assert_eq!(ids(store.sales_of(HouseholdId(3), 100).await.unwrap()), [20, 5]);
    assert_eq!(ids(store.sales_of(HouseholdId(3), 1).await.unwrap()), [20]);
    assert_eq!(ids(store.sales_of(HouseholdId(2), 100).await.unwrap()), [0_u64; 0]);
    assert_eq!(ids(store.orders_after(OrderId(6), 2).await.unwrap()), [7, 8]);
    assert_eq!(ids(store.orders_after(OrderId(8), 10).await.unwrap()), [20]);
    let by_key = store.order_by_key(HouseholdId(2), "order-4").await.unwrap();
    assert_eq!(by_key.map(|order| order.id), Some(OrderId(4)));
    assert_eq!(store.order_by_key(HouseholdId(7), "order-4").await.unwrap(), None);
}

pub async fn money_is_found(place: &dyn Place) {
    let store = place.open().await;
    let mut changes = Vec::new();
    for (id, state) in (1..).zip(collection_states()) {
        let mut record = collection(id);
        record.state = state;
        changes.push(Change::Collection(record));
    }
    for (id, state) in (1..).zip(payout_states()) {
        let mut record = payout(id);
        record.state = state;
        changes.push(Change::Payout(record));
    }
    let mut settled = receipt(3);
    settled.used_for = ReceiptUse::Settled(OrderId(3));
    for record in [receipt(9), receipt(1), settled, receipt(2)] {
        changes.push(Change::Receipt(record));
    }
    keep(&store, changes).await;

    let live: Vec<u64> = store.live_collections().await.unwrap().iter().map(|c| c.order.0).collect();
    assert_eq!(live, [1, 2, 3, 4]);
    let by_secret = store.collection_by_secret(&collection(3).secret).await.unwrap();
    assert_eq!(by_secret.map(|collection| collection.order), Some(OrderId(3)));
    assert_eq!(store.collection_by_secret("nobody's").await.unwrap(), None);
    let by_reference = store.collection_by_reference(&Reference::from_entropy(4)).await.unwrap();
    assert_eq!(
        by_reference.map(|collection| (collection.order, collection.msisdn)),
        Some((OrderId(4), msisdn()))
    );

    let waiting = store.waiting_receipts().await.unwrap();
    assert_eq!(
        waiting.iter().map(|r| r.receipt.clone()).collect::<Vec<_>>(),
        [9, 1, 2].map(|n| receipt(n).receipt)
    );
    let all = store.receipts_after(0, 3).await.unwrap();
    assert_eq!(
        all.iter().map(|(_, r)| r.receipt.clone()).collect::<Vec<_>>(),
        [9, 1, 3].map(|n| receipt(n).receipt)
    );
    let rest = store.receipts_after(all[2].0, 3).await.unwrap();
    assert_eq!(rest.iter().map(|(_, r)| r.receipt.clone()).collect::<Vec<_>>(), [receipt(2).receipt]);
    assert_eq!(store.receipt(&receipt(50).receipt).await.unwrap(), None);

    let ids =
        |payouts: Vec<crate::PayoutRecord>| payouts.iter().map(|payout| payout.id.0).collect::<Vec<_>>();
    assert_eq!(ids(store.live_payouts().await.unwrap()), [1, 2, 3]);
    assert_eq!(ids(store.payouts_of(HouseholdId(1), 2).await.unwrap()), [5, 4]);
    assert_eq!(ids(store.payouts_after(PayoutId(3), 10).await.unwrap()), [4, 5]);
    let by_secret = store.payout_by_secret(&payout(2).secret).await.unwrap();
    assert_eq!(by_secret.map(|payout| payout.id), Some(PayoutId(2)));
    let by_key = store.payout_by_key(HouseholdId(1), "payout-4").await.unwrap();
    assert_eq!(by_key.map(|payout| payout.id), Some(PayoutId(4)));
    assert_eq!(store.payout_by_key(HouseholdId(2), "payout-4").await.unwrap(), None);
}

pub async fn an_answer_is_bounded(place: &dyn Place) {
    let store = place.open().await;
    let many = u64::from(PAGE_MAX) + 1;
    keep(&store, (1..=many).map(|id| Change::Payout(payout(id))).collect()).await;
    let page = store.payouts_after(PayoutId(0), u32::MAX).await.unwrap();
    assert_eq!(page.len() as u64, many - 1);
    let rest = store.payouts_after(page[page.len() - 1].id, u32::MAX).await.unwrap();
    assert_eq!(rest.len(), 1);
}
