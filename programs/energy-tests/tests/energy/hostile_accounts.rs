//! Accounts that are not what they seem: forged addresses, records made twice, brought
//! back to life or passed twice, and tokens that are not eKWh.

use crate::story::{fill, owner, refused, refuses, refuses_account, refuses_elsewhere, seller_and_buyer};
use crate::story::{with_offer, with_order, with_owners};
use jirani_energy_interface::client::EnergyProgram;
use jirani_energy_interface::event::RowStatus;
use jirani_energy_interface::instruction::ReleaseReason;
use jirani_energy_interface::{EnergyError as E, LOCAL_PROGRAM_ID, Proof, programs, seeds};
use jirani_energy_tests::{World, audit, key};
use solana_account::Account;
use solana_address::Address;
use solana_instruction::{AccountMeta, Instruction};
use solana_keypair::Keypair;
use solana_signer::Signer;

/// The address of the same seeds with the next lower bump that makes one.
fn other_bump(parts: &[&[u8]]) -> Address {
    let (_, canonical) = Address::find_program_address(parts, &LOCAL_PROGRAM_ID);
    (0..canonical)
        .rev()
        .find_map(|bump| {
            let bump = [bump];
            let parts: Vec<&[u8]> = parts.iter().copied().chain([&bump[..]]).collect();
            Address::create_program_address(&parts, &LOCAL_PROGRAM_ID).ok()
        })
        .expect("another bump")
}

fn fund(world: &World, address: Address) -> Instruction {
    let data = [&2_u32.to_le_bytes()[..], &100_000_000_u64.to_le_bytes()].concat();
    let accounts = vec![AccountMeta::new(world.keys.payer.pubkey(), true), AccountMeta::new(address, false)];
    Instruction { program_id: programs::SYSTEM, accounts, data }
}

#[test]
fn initialise_creates_only_at_the_canonical_address() {
    let mut world = World::bare();
    let (payer, upgrade) = (world.keys.payer.insecure_clone(), world.keys.upgrade.insecure_clone());
    let good = world.initialise(&world.initial_config());
    for (place, seed, name) in [(3, seeds::CONFIG, "config"), (4, seeds::MINT, "mint")] {
        let mut wrong = good.clone();
        wrong.accounts[place].pubkey = other_bump(&[seed]);
        refuses_account(&mut world, &wrong, &[&payer, &upgrade], E::WrongAddress, name);
    }
}

#[test]
fn enrol_creates_only_at_the_canonical_addresses() {
    let mut world = World::new();
    let (payer, admin) = (world.keys.payer.insecure_clone(), world.keys.admin.insecure_clone());
    let good = world.program.enrol(payer.pubkey(), admin.pubkey(), &World::enrolment(1));
    let household = world.program.household(1);
    for (place, address, name) in [
        (3, other_bump(&[seeds::HOUSEHOLD, &1_u32.to_le_bytes()]), "household"),
        (3, world.program.household(2), "household"),
        (4, other_bump(&[seeds::VAULT, household.as_ref()]), "vault"),
        (4, world.program.vault(&world.program.household(2)), "vault"),
        (6, other_bump(&[seeds::EVIDENCE, &1_u16.to_le_bytes()]), "evidence"),
        (6, world.program.evidence(2), "evidence"),
    ] {
        let mut wrong = good.clone();
        wrong.accounts[place].pubkey = address;
        refuses_account(&mut world, &wrong, &[&payer, &admin], E::WrongAddress, name);
    }
    world.send(&[good], &[&payer, &admin]).unwrap();
    // A record of ours that is no Evidence in its place.
    let mut wrong = world.program.enrol(payer.pubkey(), admin.pubkey(), &World::enrolment(2));
    wrong.accounts[6].pubkey = household;
    refuses_account(&mut world, &wrong, &[&payer, &admin], E::WrongAddress, "evidence");
}

#[test]
fn post_offer_creates_only_at_the_canonical_addresses() {
    let mut world = seller_and_buyer();
    let (payer, custodian) = (world.keys.payer.insecure_clone(), world.keys.custodian.insecure_clone());
    let offer = world.new_offer(1, 1, 100, 1500);
    let good = world.program.post_offer(payer.pubkey(), custodian.pubkey(), &offer);
    let seller = world.program.household(1);
    let address = world.program.offer(&seller, 1);
    for (place, other, name) in [
        (5, other_bump(&[seeds::OFFER, seller.as_ref(), &1_u64.to_le_bytes()]), "offer"),
        (5, world.program.offer(&world.program.household(2), 1), "offer"),
        (6, other_bump(&[seeds::ESCROW, address.as_ref()]), "escrow"),
        (6, world.vault_of(1), "escrow"),
    ] {
        let mut wrong = good.clone();
        wrong.accounts[place].pubkey = other;
        refuses_account(&mut world, &wrong, &[&payer, &custodian], E::WrongAddress, name);
    }
}

#[test]
fn place_order_creates_only_at_the_canonical_address() {
    let mut world = with_offer();
    let (payer, custodian) = (world.keys.payer.insecure_clone(), world.keys.custodian.insecure_clone());
    let good = world.order(2, 1, &[fill(1, 500)]);
    let buyer = world.program.household(2);
    for other in [
        other_bump(&[seeds::ORDER, buyer.as_ref(), &1_u64.to_le_bytes()]),
        world.program.order(&buyer, 2),
        world.program.order(&world.program.household(1), 1),
    ] {
        let mut wrong = good.clone();
        wrong.accounts[4].pubkey = other;
        refuses_account(&mut world, &wrong, &[&payer, &custodian], E::WrongAddress, "order");
    }
}

#[test]
fn settle_marks_only_at_the_proofs_own_address() {
    let mut world = with_order();
    let (payer, attestor) = (world.keys.payer.insecure_clone(), world.keys.attestor.insecure_clone());
    let proof = Proof::receipt([9; 32]);
    let good = world.settlement(2, 1, &[fill(1, 500)], &proof, world.now());
    for other in [Proof::transfer([9; 32]), Proof::receipt([8; 32])] {
        let mut wrong = good.clone();
        wrong.accounts[7].pubkey = world.program.marker(&other);
        refuses_account(&mut world, &wrong, &[&payer, &attestor], E::WrongAddress, "marker");
    }
}

#[test]
fn what_lives_is_not_created_again() {
    let mut world = with_order();
    let (payer, admin) = (world.keys.payer.insecure_clone(), world.keys.admin.insecure_clone());
    let (upgrade, custodian) = (world.keys.upgrade.insecure_clone(), world.keys.custodian.insecure_clone());
    let attestor = world.keys.attestor.insecure_clone();
    let initialise = world.initialise(&world.initial_config());
    refuses_account(&mut world, &initialise, &[&payer, &upgrade], E::AlreadyExists, "config");
    let enrol = world.program.enrol(payer.pubkey(), admin.pubkey(), &World::enrolment(1));
    refuses_account(&mut world, &enrol, &[&payer, &admin], E::AlreadyExists, "household");
    let offer = world.new_offer(1, 1, 100, 1500);
    let post = world.program.post_offer(payer.pubkey(), custodian.pubkey(), &offer);
    refuses(&mut world, &post, &[&payer, &custodian], E::IdUsed);
    let place = world.order(2, 1, &[fill(1, 1)]);
    refuses_account(&mut world, &place, &[&payer, &custodian], E::AlreadyExists, "order");
    let proof = Proof::receipt([9; 32]);
    let now = world.now();
    world.settle(2, 1, &[fill(1, 500)], &proof, now).unwrap();
    world.place(2, 2, &[fill(1, 1)]).unwrap();
    let settle = world.settlement(2, 2, &[fill(1, 1)], &proof, now);
    refuses(&mut world, &settle, &[&payer, &attestor], E::ProofUsed);
    audit(&world);
}

#[test]
fn lamports_sent_ahead_stop_no_order() {
    for lamports in [1, 50_000_000] {
        let mut world = with_offer();
        let order = world.program.order(&world.program.household(2), 1);
        world.svm.set_account(order, Account { lamports, ..Account::default() }).unwrap();
        world.place(2, 1, &[fill(1, 500)]).unwrap();
        let now = world.now();
        world.settle(2, 1, &[fill(1, 500)], &Proof::receipt([9; 32]), now).unwrap();
        audit(&world);
    }
}

#[test]
fn a_settled_order_is_not_revived_in_its_transaction() {
    let mut world = with_order();
    let (payer, attestor) = (world.keys.payer.insecure_clone(), world.keys.attestor.insecure_clone());
    let now = world.now();
    let order = world.program.order(&world.program.household(2), 1);
    let settles = [1, 2].map(|n| world.settlement(2, 1, &[fill(1, 500)], &Proof::receipt([n; 32]), now));
    let [first, second] = settles;
    let revival = [first, fund(&world, order), second];
    refused(world.send(&revival, &[&payer, &attestor]), E::WrongOwner);
    let [first, funds, second] = revival;
    world.send(&[first, funds], &[&payer, &attestor]).unwrap();
    let left = world.svm.get_account(&order).unwrap();
    assert!(left.data.is_empty() && left.owner == programs::SYSTEM, "nothing is left to read");
    refuses_account(&mut world, &second, &[&payer, &attestor], E::WrongOwner, "order");
    audit(&world);
}

#[test]
fn a_released_order_is_not_revived_in_its_transaction() {
    let mut world = with_order();
    let (payer, attestor) = (world.keys.payer.insecure_clone(), world.keys.attestor.insecure_clone());
    let order = world.program.order(&world.program.household(2), 1);
    let release = world.program.release(
        attestor.pubkey(),
        2,
        1,
        &[fill(1, 500)],
        ReleaseReason::PaymentRefused,
        payer.pubkey(),
    );
    let settle = world.settlement(2, 1, &[fill(1, 500)], &Proof::receipt([9; 32]), world.now());
    let revived = [release.clone(), fund(&world, order), settle];
    refused(world.send(&revived, &[&payer, &attestor]), E::WrongOwner);
    let twice = [release.clone(), fund(&world, order), release];
    refused(world.send(&twice, &[&payer, &attestor]), E::WrongOwner);
    audit(&world);
}

#[test]
fn a_cancelled_offer_is_not_revived_in_its_transaction() {
    let mut world = with_offer();
    let (payer, custodian) = (world.keys.payer.insecure_clone(), world.keys.custodian.insecure_clone());
    let offer = world.program.offer(&world.program.household(1), 1);
    let cancel = world.program.cancel_offer(custodian.pubkey(), 1, 1, payer.pubkey());
    let place = world.order(2, 1, &[fill(1, 500)]);
    let revived = [cancel.clone(), fund(&world, offer), fund(&world, world.program.escrow(&offer)), place];
    refused(world.send(&revived, &[&payer, &custodian]), E::WrongOwner);
    let twice = [cancel.clone(), fund(&world, offer), cancel];
    refused(world.send(&twice, &[&payer, &custodian]), E::WrongOwner);
    let new = world.new_offer(1, 1, 100, 1500);
    let post = world.program.post_offer(payer.pubkey(), custodian.pubkey(), &new);
    let again = [twice[0].clone(), post];
    refused(world.send(&again, &[&payer, &custodian]), E::IdUsed);
    audit(&world);
}

#[test]
fn a_closed_household_is_not_revived_in_its_transaction() {
    let mut world = seller_and_buyer();
    let (payer, admin) = (world.keys.payer.insecure_clone(), world.keys.admin.insecure_clone());
    let oracle = world.keys.oracle.insecure_clone();
    world.wait(900);
    let household = world.program.household(2);
    let close = world.program.close_household(admin.pubkey(), 2, payer.pubkey());
    let funds = [fund(&world, household), fund(&world, world.vault_of(2))];
    let [fund_record, fund_vault] = funds;
    let twice = [close.clone(), fund_record.clone(), fund_vault.clone(), close.clone()];
    refused(world.send(&twice, &[&payer, &admin]), E::WrongOwner);
    let attest = world.attestation(world.now(), &[(2, 100, 0)]);
    let landed = world.send(&[close, fund_record, fund_vault, attest], &[&payer, &admin, &oracle]).unwrap();
    assert_eq!(landed.rows()[0].status, RowStatus::NotHousehold as u8);
    assert!(world.svm.get_account(&household).unwrap().data.is_empty());
    // The lamports that were left there stop no new enrolment.
    world.enrol([2]);
    audit(&world);
}

#[test]
fn a_closed_marker_is_not_revived_in_its_transaction() {
    let mut world = with_order();
    let payer = world.keys.payer.insecure_clone();
    let proof = Proof::receipt([9; 32]);
    let now = world.now();
    world.settle(2, 1, &[fill(1, 500)], &proof, now).unwrap();
    world.wait(30 * 86_400);
    let marker = world.program.marker(&proof);
    let close = world.program.close_markers(&[(proof, payer.pubkey())]);
    let twice = [close.clone(), fund(&world, marker), close];
    refused(world.send(&twice, &[&payer]), E::WrongOwner);
    world.send(&twice[..2], &[&payer]).unwrap();
    assert!(world.svm.get_account(&marker).unwrap().data.is_empty());
    audit(&world);
}

#[test]
fn one_account_in_two_places_is_noticed() {
    let mut world = with_order();
    let (payer, attestor) = (world.keys.payer.insecure_clone(), world.keys.attestor.insecure_clone());
    let custodian = world.keys.custodian.insecure_clone();
    let oracle = world.keys.oracle.insecure_clone();
    let now = world.now();
    // The buyer's vault as the escrow it is paid from.
    let mut settle = world.settlement(2, 1, &[fill(1, 500)], &Proof::receipt([9; 32]), now);
    settle.accounts[13].pubkey = world.vault_of(2);
    refuses_account(&mut world, &settle, &[&payer, &attestor], E::WrongAddress, "escrow");
    // The order as its own offer, and as the buyer.
    let mut settle = world.settlement(2, 1, &[fill(1, 500)], &Proof::receipt([9; 32]), now);
    settle.accounts[12].pubkey = settle.accounts[3].pubkey;
    refuses(&mut world, &settle, &[&payer, &attestor], E::FillMismatch);
    // The seller's vault as the escrow that is returned.
    let mut cancel = world.program.cancel_offer(custodian.pubkey(), 1, 1, payer.pubkey());
    cancel.accounts[3].pubkey = world.vault_of(1);
    refuses_account(&mut world, &cancel, &[&custodian], E::WrongAddress, "escrow");
    // The batch's own accounts as a household: the row is skipped.
    world.wait(900);
    for own in [world.program.config, world.program.evidence(1), world.program.mint] {
        let mut attest = world.attestation(world.now(), &[(1, 5100, 0)]);
        attest.accounts[6].pubkey = own;
        attest.accounts[6].is_writable = own != world.program.config;
        let landed = world.send(&[attest], &[&oracle]).unwrap();
        assert_eq!(landed.rows()[0].status, RowStatus::NotHousehold as u8);
    }
    audit(&world);
}

#[test]
fn more_accounts_than_a_transaction_locks_are_refused() {
    let mut world = seller_and_buyer();
    world.wait(900);
    let oracle = world.keys.oracle.insecure_clone();
    let mut attest = world.attestation(world.now(), &[(1, 5100, 0)]);
    let one = attest.accounts[5].clone();
    for _ in 0..60 {
        attest.accounts.insert(5, one.clone());
    }
    let before = world.snapshot();
    world.send(&[attest], &[&oracle]).expect_err("too many accounts");
    assert!(world.snapshot() == before);
}

/// Token-2022's own instructions on an account that Config owns.
fn raw(world: &World, data: Vec<u8>, accounts: &[(Address, bool)], signer: Address) -> Instruction {
    let mut metas: Vec<_> = accounts
        .iter()
        .map(|(address, writable)| AccountMeta { pubkey: *address, is_signer: false, is_writable: *writable })
        .collect();
    metas.push(AccountMeta::new_readonly(signer, true));
    assert!(world.program.mint != signer);
    Instruction { program_id: programs::TOKEN_2022, accounts: metas, data }
}

#[test]
fn nobody_but_the_program_rules_over_vaults_and_escrows() {
    let mut world = with_order();
    let escrow = world.program.escrow(&world.program.offer(&world.program.household(1), 1));
    let vault = world.vault_of(1);
    let wallet = world.open_wallet(60, &key(9).pubkey());
    let mint = world.program.mint;
    let amount = 1_u64.to_le_bytes();
    for thief in [&world.keys.admin, &world.keys.custodian, &world.keys.stranger].map(Keypair::insecure_clone)
    {
        let signer = thief.pubkey();
        for account in [vault, escrow] {
            let set_authority = |kind: u8| [&[6, kind, 1][..], signer.as_ref()].concat();
            let attempts = [
                raw(
                    &world,
                    [&[12][..], &amount, &[3]].concat(),
                    &[(account, true), (mint, false), (wallet, true)],
                    signer,
                ),
                raw(
                    &world,
                    [&[13][..], &amount, &[3]].concat(),
                    &[(account, true), (mint, false), (signer, false)],
                    signer,
                ),
                raw(&world, set_authority(2), &[(account, true)], signer),
                raw(&world, set_authority(3), &[(account, true)], signer),
                raw(&world, vec![9], &[(account, true), (signer, true)], signer),
                raw(&world, [&[8][..], &amount].concat(), &[(account, true), (mint, true)], signer),
            ];
            for attempt in attempts {
                refuses_elsewhere(&mut world, &attempt, &[&thief], "failed");
            }
        }
        let attempts = [
            raw(&world, [&[7][..], &amount].concat(), &[(mint, true), (wallet, true)], signer),
            raw(&world, [&[6, 0, 1][..], signer.as_ref()].concat(), &[(mint, true)], signer),
            raw(&world, vec![44, 1], &[(mint, true)], signer),
        ];
        for attempt in attempts {
            refuses_elsewhere(&mut world, &attempt, &[&thief], "failed");
        }
    }
    audit(&world);
}

#[test]
fn a_vault_has_no_delegate_and_no_close_authority() {
    let world = with_order();
    let escrow = world.program.escrow(&world.program.offer(&world.program.household(1), 1));
    for address in [world.vault_of(1), world.vault_of(2), escrow] {
        let data = world.svm.get_account(&address).unwrap().data;
        assert_eq!(data[72..76], [0; 4], "no delegate");
        assert_eq!(data[108], 1, "initialised, not frozen");
        assert_eq!(data[109..113], [0; 4], "not native");
        assert_eq!(data[129..133], [0; 4], "no close authority");
    }
}

#[test]
fn whoever_holds_tokens_cannot_burn_them_alone() {
    let mut world = with_owners();
    let caps = jirani_energy_interface::state::Caps { withdrawal_wh: 1000, ..Default::default() };
    world.configure(&jirani_energy_interface::client::Section::Caps(caps)).unwrap();
    let wallet = world.open_wallet(60, &owner().pubkey());
    let leave = world.program.withdraw(owner().pubkey(), 11, wallet, 1000);
    world.send(&[leave], &[&owner()]).unwrap();
    let burn = raw(
        &world,
        [&[8][..], &10_u64.to_le_bytes()].concat(),
        &[(wallet, true), (world.program.mint, true)],
        owner().pubkey(),
    );
    refuses_elsewhere(&mut world, &burn, &[&owner()], "failed");
    audit(&world);
}

#[test]
fn records_of_another_deployment_are_refused() {
    let mut world = with_order();
    let elf = std::fs::read(jirani_energy_tests::elf_path()).unwrap();
    let other = EnergyProgram::new(key(90).pubkey());
    world.svm.add_program(other.id, &elf).unwrap();
    let (payer, attestor) = (world.keys.payer.insecure_clone(), world.keys.attestor.insecure_clone());
    let oracle = world.keys.oracle.insecure_clone();
    let now = world.now();
    let payer_key = payer.pubkey();
    // What the keys signed for one deployment, told to another one's program.
    let proof = Proof::receipt([9; 32]);
    let mut settle = world.settlement(2, 1, &[fill(1, 500)], &proof, now);
    settle.program_id = other.id;
    refuses_account(&mut world, &settle, &[&payer, &attestor], E::WrongOwner, "config");
    let mut attest = world.attestation(now, &[(1, 5100, 0)]);
    attest.program_id = other.id;
    refuses_account(&mut world, &attest, &[&oracle], E::WrongOwner, "config");
    // And the other's own accounts told to this one: they do not exist here.
    let settle = other.settle(payer_key, attestor.pubkey(), 2, 1, &[fill(1, 500)], &proof, now, payer_key);
    let settle = Instruction { program_id: world.program.id, ..settle };
    refuses_account(&mut world, &settle, &[&payer, &attestor], E::WrongOwner, "config");
    assert_ne!(world.program.marker(&proof), other.marker(&proof));
    audit(&world);
}

#[test]
fn an_offer_returns_to_nobody_but_its_seller() {
    let mut world = with_offer();
    let (custodian, payer) = (world.keys.custodian.insecure_clone(), world.keys.payer.pubkey());
    let mut cancel = world.program.cancel_offer(custodian.pubkey(), 1, 1, payer);
    // Another household with its own vault, both real, in the seller's places.
    let thief = world.program.household(2);
    cancel.accounts[4].pubkey = thief;
    cancel.accounts[5].pubkey = world.program.vault(&thief);
    refuses_account(&mut world, &cancel, &[&custodian], E::WrongAddress, "seller");
    audit(&world);
}

#[test]
fn a_release_frees_nobody_but_its_buyer() {
    let mut world = with_order();
    let (attestor, payer) = (world.keys.attestor.insecure_clone(), world.keys.payer.pubkey());
    let mut release =
        world.program.release(attestor.pubkey(), 2, 1, &[fill(1, 500)], ReleaseReason::PaymentRefused, payer);
    release.accounts[3].pubkey = world.program.household(1);
    refuses_account(&mut world, &release, &[&attestor], E::WrongAddress, "buyer");
    audit(&world);
}

#[test]
fn a_settlement_serves_nobody_but_its_buyer() {
    let mut world = with_order();
    world.enrol([3]);
    let (attestor, payer) = (world.keys.attestor.insecure_clone(), world.keys.payer.insecure_clone());
    let mut settle = world.settlement(2, 1, &[fill(1, 500)], &Proof::receipt([9; 32]), world.now());
    let thief = world.program.household(3);
    settle.accounts[4].pubkey = thief;
    settle.accounts[5].pubkey = world.program.vault(&thief);
    refuses_account(&mut world, &settle, &[&payer, &attestor], E::WrongAddress, "buyer");
    audit(&world);
}
