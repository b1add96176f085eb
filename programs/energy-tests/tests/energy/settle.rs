//! One proof settles one order, once.

use crate::story::{fill, refused, seller_and_buyer, with_offer, with_order};
use jirani_energy_interface::client::{FillAccounts, Section};
use jirani_energy_interface::state::{ATTESTORS_MAX, CappedKey, Marker};
use jirani_energy_interface::{EnergyError as E, Proof};
use jirani_energy_tests::{World, audit};
use solana_account::Account;
use solana_keypair::Keypair;
use solana_signer::Signer;

const PROOF: Proof = Proof::receipt([9; 32]);

#[test]
fn tokens_go_to_the_buyer_and_the_order_is_gone() {
    let mut world = with_order();
    let payer = world.keys.payer.pubkey();
    let before = world.svm.get_balance(&payer).unwrap();
    world.wait(60);
    let landed = world.settle(2, 1, &[fill(1, 500)], &PROOF, world.now() - 5).unwrap();
    assert_eq!(landed.events[0].event.cents, 1000);
    assert_eq!((world.vault(1), world.vault(2)), (3000, 500));
    let offer = world.offer(1, 1).unwrap();
    assert_eq!((offer.sold_wh, offer.reserved_wh, offer.owed_wh()), (500, 0, 1500));
    let order = world.program.order(&world.program.household(2), 1);
    assert!(world.svm.get_account(&order).is_none_or(|account| account.lamports == 0));

    let marker: Marker = world.record(&world.program.marker(&PROOF)).unwrap();
    assert_eq!((marker.buyer_id, marker.order_id, marker.proof), (2, 1, [9; 32]));
    let paid = world.svm.minimum_balance_for_rent_exemption(112);
    let back = world.svm.minimum_balance_for_rent_exemption(312);
    assert_eq!(world.svm.get_balance(&payer).unwrap(), before - paid + back);
    audit(&world);
}

#[test]
fn a_shortfall_is_burned_first() {
    let mut world = with_order();
    world.wait(90);
    world.attest(&[(2, 0, 400)]);
    let landed = world.settle(2, 1, &[fill(1, 500)], &PROOF, world.now()).unwrap();
    assert_eq!(landed.events[0].event.burned_wh, 400);
    assert_eq!((world.vault(2), world.household(2).shortfall_wh), (100, 0));
    audit(&world);
}

#[test]
fn a_shortfall_larger_than_the_order_takes_it_all() {
    let mut world = with_order();
    world.wait(90);
    world.attest(&[(2, 0, 700)]);
    world.settle(2, 1, &[fill(1, 500)], &PROOF, world.now()).unwrap();
    assert_eq!((world.vault(2), world.household(2).shortfall_wh), (0, 200));
    audit(&world);
}

#[test]
fn four_fills_of_four_sellers_settle_at_once() {
    let mut world = World::new();
    world.enrol(1..=5);
    world.wait(900);
    world.attest(&[(1, 1000, 0), (2, 1000, 0), (3, 1000, 0), (4, 1000, 0), (5, 0, 100)]);
    let fills: Vec<_> = (1..=4)
        .map(|seller_id| FillAccounts {
            seller_id,
            offer_id: 1,
            energy_wh: 100 * seller_id,
            price: 1500 + seller_id,
        })
        .collect();
    for fill in &fills {
        let offer = world.new_offer(fill.seller_id, 1, 1000, fill.price);
        world.post(&offer).unwrap();
    }
    world.place(5, 1, &fills).unwrap();
    audit(&world);
    world.settle(5, 1, &fills, &PROOF, world.now()).unwrap();
    assert_eq!(world.vault(5), 900);
    audit(&world);
}

#[test]
fn a_proof_settles_one_order_and_an_order_settles_once() {
    let mut world = with_order();
    world.place(2, 2, &[fill(1, 500)]).unwrap();
    world.settle(2, 1, &[fill(1, 500)], &PROOF, world.now()).unwrap();
    refused(world.settle(2, 2, &[fill(1, 500)], &PROOF, world.now()), E::ProofUsed);
    let other = Proof::receipt([8; 32]);
    refused(world.settle(2, 1, &[fill(1, 500)], &other, world.now()), E::WrongOwner);
    audit(&world);
}

#[test]
fn two_settlements_of_one_proof_in_one_transaction_are_refused() {
    let mut world = with_order();
    world.place(2, 2, &[fill(1, 500)]).unwrap();
    let now = world.now();
    let both = [1, 2].map(|order| world.settlement(2, order, &[fill(1, 500)], &PROOF, now));
    let (payer, attestor) = (world.keys.payer.insecure_clone(), world.keys.attestor.insecure_clone());
    refused(world.send(&both, &[&payer, &attestor]), E::ProofUsed);
    audit(&world);
}

#[test]
fn a_receipt_and_a_transfer_of_equal_hash_are_two_proofs() {
    let mut world = with_order();
    world.place(2, 2, &[fill(1, 500)]).unwrap();
    world.settle(2, 1, &[fill(1, 500)], &Proof::receipt([9; 32]), world.now()).unwrap();
    world.settle(2, 2, &[fill(1, 500)], &Proof::transfer([9; 32]), world.now()).unwrap();
    audit(&world);
}

#[test]
fn an_order_from_balance_is_placed_and_settled_in_one_transaction() {
    let mut world = with_offer();
    let proof = Proof::transfer([4; 32]);
    let fills = [fill(1, 500)];
    let paid_at = world.now() - 30;
    let place = world.order(2, 1, &fills);
    let settle = world.settlement(2, 1, &fills, &proof, paid_at);
    let keys = [&world.keys.payer, &world.keys.custodian, &world.keys.attestor].map(Keypair::insecure_clone);
    let landed = world.send(&[place, settle], &[&keys[0], &keys[1], &keys[2]]).unwrap();
    assert_eq!(landed.events.len(), 2);
    assert_eq!(world.vault(2), 500);
    assert_eq!(world.household(2).open_orders, 0);
    assert!(world.record::<Marker>(&world.program.marker(&proof)).is_some());

    // The same transaction sent again after a crash.
    let place = world.order(2, 1, &fills);
    let settle = world.settlement(2, 1, &fills, &proof, paid_at);
    refused(world.send(&[place, settle], &[&keys[0], &keys[1], &keys[2]]), E::IdUsed);
    assert_eq!(world.vault(2), 500);
}

#[test]
fn money_must_have_moved_while_the_order_was_open() {
    let mut world = with_order();
    let placed = world.now();
    world.wait(10);
    let fills = [fill(1, 500)];
    refused(world.settle(2, 1, &fills, &PROOF, placed - 1), E::PaidAtOutsideWindow);
    refused(world.settle(2, 1, &fills, &PROOF, world.now() + 61), E::PaidAtOutsideWindow);
    refused(world.settle(2, 1, &fills, &PROOF, i64::MAX), E::PaidAtOutsideWindow);
    refused(world.settle(2, 1, &fills, &PROOF, i64::MIN), E::PaidAtOutsideWindow);
    let transfer = Proof::transfer([3; 32]);
    refused(world.settle(2, 1, &fills, &transfer, placed - 301), E::PaidAtOutsideWindow);
    world.settle(2, 1, &fills, &transfer, placed - 300).unwrap();
    audit(&world);
}

#[test]
fn a_settlement_and_a_release_never_both_fit() {
    let fills = [fill(1, 500)];
    for (wait, settles) in [(420, true), (421, false)] {
        let mut world = with_order();
        let placed = world.now();
        world.wait(wait);
        let stranger = world.keys.stranger.insecure_clone();
        let reason = jirani_energy_interface::instruction::ReleaseReason::PaymentTimeout;
        if settles {
            refused(world.release_as(&stranger, 2, 1, &fills, reason), E::OrderWindowOpen);
            world.settle(2, 1, &fills, &PROOF, placed + 420).unwrap();
        } else {
            refused(world.settle(2, 1, &fills, &PROOF, placed + 60), E::OrderWindowOver);
            world.release_as(&stranger, 2, 1, &fills, reason).unwrap();
        }
        audit(&world);
    }
}

#[test]
fn only_an_attestor_settles_and_only_under_its_cap() {
    let mut world = with_order();
    let fills = [fill(1, 500)];
    let (payer, stranger) = (world.keys.payer.insecure_clone(), world.keys.stranger.insecure_clone());
    let theft = world.program.settle(
        payer.pubkey(),
        stranger.pubkey(),
        2,
        1,
        &fills,
        &PROOF,
        world.now(),
        payer.pubkey(),
    );
    refused(world.send(&[theft], &[&payer, &stranger]), E::NotAttestor);

    let admin = world.keys.admin.insecure_clone();
    let mut attestors = [CappedKey::NONE; ATTESTORS_MAX];
    for (cap_wh, cap_cents, lands) in [(499, 10_000, false), (500, 999, false), (500, 1000, true)] {
        attestors[2] = CappedKey::new(world.keys.attestor.pubkey().to_bytes(), cap_wh, cap_cents);
        let change = world.program.configure(admin.pubkey(), &Section::Attestors(attestors));
        world.send(&[change], &[&admin]).unwrap();
        let result = world.settle(2, 1, &fills, &PROOF, world.now());
        if lands {
            result.unwrap();
        } else {
            refused(result, E::DailyCap);
        }
    }
    audit(&world);
}

#[test]
fn a_free_place_among_the_attestors_is_no_attestor() {
    // The zero address is the system program; nobody signs for it, but the program
    // must not rest on that.
    let world = with_order();
    let config = world.config();
    assert!(config.attestors[1..].iter().all(|place| place.key == [0; 32] && place.cap_wh == 0));
}

#[test]
fn fills_must_be_the_orders_own_in_their_order() {
    let mut world = with_offer();
    let offer = world.new_offer(1, 2, 1000, 1500);
    world.post(&offer).unwrap();
    let fills = [fill(1, 500), fill(2, 100)];
    world.place(2, 1, &fills).unwrap();
    for wrong in [vec![], vec![fills[0]], vec![fills[1], fills[0]], vec![fills[0], fills[0]]] {
        refused(world.settle(2, 1, &wrong, &PROOF, world.now()), E::FillMismatch);
    }
    // The right offers with each other's escrows.
    let mut swapped = world.settlement(2, 1, &fills, &PROOF, world.now());
    swapped.accounts.swap(13, 15);
    let (payer, attestor) = (world.keys.payer.insecure_clone(), world.keys.attestor.insecure_clone());
    refused(world.send(&[swapped], &[&payer, &attestor]), E::WrongAddress);
    world.settle(2, 1, &fills, &PROOF, world.now()).unwrap();
    audit(&world);
}

#[test]
fn a_proof_is_a_known_kind_and_not_empty() {
    let mut world = with_order();
    let fills = [fill(1, 500)];
    refused(world.settle(2, 1, &fills, &Proof::receipt([0; 32]), world.now()), E::InvalidProof);
    let mut unknown = world.settlement(2, 1, &fills, &PROOF, world.now());
    unknown.data[1] = 3;
    let (payer, attestor) = (world.keys.payer.insecure_clone(), world.keys.attestor.insecure_clone());
    refused(world.send(&[unknown], &[&payer, &attestor]), E::InvalidProof);
    // A marker that belongs to another proof.
    let mut other = world.settlement(2, 1, &fills, &PROOF, world.now());
    other.accounts[7].pubkey = world.program.marker(&Proof::receipt([1; 32]));
    refused(world.send(&[other], &[&payer, &attestor]), E::WrongAddress);
}

#[test]
fn lamports_sent_ahead_stop_no_settlement() {
    for lamports in [1, 10_000_000] {
        let mut world = with_order();
        let marker = world.program.marker(&PROOF);
        world.svm.set_account(marker, Account { lamports, ..Account::default() }).unwrap();
        world.settle(2, 1, &[fill(1, 500)], &PROOF, world.now()).unwrap();
        audit(&world);
    }
}

#[test]
fn eight_orders_settle_in_one_transaction() {
    let mut world = seller_and_buyer();
    for id in 1..=8 {
        let offer = world.new_offer(1, id, 100, 1500);
        world.post(&offer).unwrap();
        world.place(2, id, &[fill(id, 100)]).unwrap();
    }
    let now = world.now();
    let settles: Vec<_> = (1..=8_u64)
        .map(|id| {
            let proof = Proof::receipt([u8::try_from(id).unwrap(); 32]);
            world.settlement(2, id, &[fill(id, 100)], &proof, now)
        })
        .collect();
    let (payer, attestor) = (world.keys.payer.insecure_clone(), world.keys.attestor.insecure_clone());
    world.send(&settles, &[&payer, &attestor]).unwrap();
    assert_eq!(world.vault(2), 800);
}
