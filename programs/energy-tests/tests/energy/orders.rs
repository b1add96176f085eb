//! A buyer holds energy until it is paid or given up.

use crate::story::{fill, refused, seller_and_buyer, with_offer, with_order};
use jirani_energy_interface::EnergyError as E;
use jirani_energy_interface::client::{FillAccounts, NewOrder};
use jirani_energy_interface::instruction::ReleaseReason;
use jirani_energy_interface::money;
use jirani_energy_interface::state::HouseholdKind;
use jirani_energy_interface::state::Order;
use jirani_energy_tests::{TARIFF, World, audit};
use solana_signer::Signer;

fn order(world: &World, buyer: u32, id: u64) -> Option<Order> {
    world.record(&world.program.order(&world.program.household(buyer), id))
}

#[test]
fn an_order_holds_its_fills_and_says_what_is_due_and_until_when() {
    let world = with_order();
    let order = order(&world, 2, 1).unwrap();
    assert_eq!((order.energy_wh, order.due_cents, order.fill_count), (500, 1000, 1));
    assert_eq!((order.created_at, order.deadline), (world.now(), world.now() + 120));
    let offer = world.offer(1, 1).unwrap();
    assert_eq!((offer.reserved_wh, offer.free_wh()), (500, 1500));
    audit(&world);
}

#[test]
fn the_due_is_rounded_up_once_over_all_fills() {
    let mut world = seller_and_buyer();
    let fills: Vec<_> = (1..=4_u64)
        .map(|id| FillAccounts {
            seller_id: 1,
            offer_id: id,
            energy_wh: 333 + u32::try_from(id).unwrap(),
            price: 1501,
        })
        .collect();
    for fill in &fills {
        let offer = world.new_offer(1, fill.offer_id, u64::from(fill.energy_wh), fill.price);
        world.post(&offer).unwrap();
    }
    world.place(2, 1, &fills).unwrap();
    let order = order(&world, 2, 1).unwrap();
    assert_eq!(order.due_cents, (2001 * (334 + 335 + 336 + 337_u64)).div_ceil(1000));
    let shared = money::due_cents(fills.iter().map(|f| (f.price, f.energy_wh)), 300, 200, 3000);
    assert_eq!(Some(order.due_cents), shared);
    audit(&world);
}

#[test]
fn an_order_must_fit_its_offers() {
    let mut world = with_offer();
    let short = fill(1, 500);
    refused(world.place(2, 1, &[fill(1, 2001)]), E::OfferTooSmall);
    refused(world.place(2, 1, &[fill(1, 0)]), E::ZeroEnergy);
    refused(world.place(2, 1, &[FillAccounts { price: 1499, ..short }]), E::PriceChanged);
    refused(world.place(2, 1, &[short, short]), E::InvalidFills);
    refused(world.place(2, 1, &[]), E::InvalidFills);
    refused(world.place(2, 1, &[short; 5]), E::InvalidFills);
    refused(world.place(1, 1, &[short]), E::OwnOffer);
    refused(world.place(2, 0, &[short]), E::IdUsed);
    world.wait(3600);
    refused(world.place(2, 1, &[short]), E::OfferExpired);
    audit(&world);
}

#[test]
fn nobody_pays_more_than_the_tariff() {
    let mut world = with_offer();
    let (payer, custodian) = (world.keys.payer.insecure_clone(), world.keys.custodian.insecure_clone());
    // A home pays the tariff's fee and tax, no more and no less.
    let (whole_fee, whole_tax) = (TARIFF.grid_fee, TARIFF.tax);
    let wrong = [
        (whole_fee + 1, whole_tax),
        (whole_fee, whole_tax + 1),
        (u32::MAX, u32::MAX),
        (0, 0),
        (whole_fee, 0),
    ];
    for (fee, tax) in wrong {
        let order = NewOrder { buyer_id: 2, order_id: 1, fee, tax, fills: &[fill(1, 500)] };
        let place = world.program.place_order(payer.pubkey(), custodian.pubkey(), &order);
        refused(world.send(&[place], &[&payer, &custodian]), E::FeeOutOfBounds);
    }
    // Retail fell after the offer was posted.
    let admin = world.keys.admin.insecure_clone();
    let tariff = jirani_energy_interface::state::Tariff { retail: 1999, ..TARIFF };
    let lower =
        world.program.configure(admin.pubkey(), &jirani_energy_interface::client::Section::Tariff(tariff));
    world.send(&[lower], &[&admin]).unwrap();
    refused(world.place(2, 1, &[fill(1, 500)]), E::PriceOutOfBounds);
}

#[test]
fn the_operators_own_records_may_buy_without_fee_and_tax() {
    let mut world = with_offer();
    let mut battery = World::enrolment(3);
    battery.kind = HouseholdKind::Battery;
    world.enrol_as(&battery).unwrap();
    let (payer, custodian) = (world.keys.payer.insecure_clone(), world.keys.custodian.insecure_clone());
    let order = NewOrder { buyer_id: 3, order_id: 1, fee: 0, tax: 0, fills: &[fill(1, 500)] };
    let place = world.program.place_order(payer.pubkey(), custodian.pubkey(), &order);
    let placed = world.send(&[place], &[&payer, &custodian]).unwrap();
    assert_eq!(placed.events[0].event.cents, 750, "the seller's price alone");
    let more = NewOrder { order_id: 2, fee: 0, tax: TARIFF.tax + 1, ..order };
    let place = world.program.place_order(payer.pubkey(), custodian.pubkey(), &more);
    refused(world.send(&[place], &[&payer, &custodian]), E::FeeOutOfBounds);
    audit(&world);
}

#[test]
fn two_orders_cannot_hold_the_same_energy() {
    let mut world = with_offer();
    world.place(2, 1, &[fill(1, 1500)]).unwrap();
    refused(world.place(2, 2, &[fill(1, 501)]), E::OfferTooSmall);
    world.place(2, 2, &[fill(1, 500)]).unwrap();
    audit(&world);
}

#[test]
fn an_orders_number_is_used_once_and_a_household_has_few_orders() {
    let mut world = with_offer();
    for id in [3, 1, 2, 5, 4, 6, 8, 7] {
        world.place(2, id, &[fill(1, 1)]).unwrap();
    }
    refused(world.place(2, 9, &[fill(1, 1)]), E::TooManyOpen);
    let attestor = world.keys.attestor.insecure_clone();
    world.release_as(&attestor, 2, 5, &[fill(1, 1)], ReleaseReason::PaidShort).unwrap();
    refused(world.place(2, 5, &[fill(1, 1)]), E::IdUsed);
    world.place(2, 9, &[fill(1, 1)]).unwrap();
    audit(&world);
}

#[test]
fn an_attestor_releases_at_once_and_anyone_after_deadline_and_grace() {
    let mut world = with_order();
    let (attestor, stranger) = (world.keys.attestor.insecure_clone(), world.keys.stranger.insecure_clone());
    let custodian = world.keys.custodian.insecure_clone();
    let fills = [fill(1, 500)];
    for caller in [&stranger, &custodian] {
        let early = world.release_as(caller, 2, 1, &fills, ReleaseReason::PaymentTimeout);
        refused(early, E::OrderWindowOpen);
    }
    world.wait(420);
    let early = world.release_as(&stranger, 2, 1, &fills, ReleaseReason::PaymentTimeout);
    refused(early, E::OrderWindowOpen);
    world.wait(1);
    let before = world.svm.get_balance(&stranger.pubkey()).unwrap();
    world.release_as(&stranger, 2, 1, &fills, ReleaseReason::PaymentTimeout).unwrap();
    assert_eq!(world.svm.get_balance(&stranger.pubkey()).unwrap(), before, "no gain for the caller");
    assert!(order(&world, 2, 1).is_none());
    assert_eq!(world.offer(1, 1).unwrap().free_wh(), 2000);

    world.place(2, 2, &fills).unwrap();
    world.release_as(&attestor, 2, 2, &fills, ReleaseReason::PaymentRefused).unwrap();
    audit(&world);
}

#[test]
fn a_release_names_the_orders_own_offers_and_a_reason() {
    let mut world = with_order();
    let offer = world.new_offer(1, 2, 500, 1500);
    world.post(&offer).unwrap();
    let attestor = world.keys.attestor.insecure_clone();
    for fills in [vec![], vec![fill(2, 500)], vec![fill(1, 500), fill(2, 500)]] {
        let release = world.release_as(&attestor, 2, 1, &fills, ReleaseReason::PaymentRefused);
        refused(release, E::FillMismatch);
    }
    let payer = world.keys.payer.pubkey();
    let mut release =
        world.program.release(attestor.pubkey(), 2, 1, &[fill(1, 500)], ReleaseReason::PaymentRefused, payer);
    release.data[1] = 9;
    refused(world.send(&[release], &[&attestor]), E::InvalidReason);
    let theft = world.program.release(
        attestor.pubkey(),
        2,
        1,
        &[fill(1, 500)],
        ReleaseReason::PaymentRefused,
        attestor.pubkey(),
    );
    refused(world.send(&[theft], &[&attestor]), E::WrongAddress);
    audit(&world);
}
