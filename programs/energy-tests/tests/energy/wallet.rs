//! Energy leaves for an own wallet and comes back.

use crate::story::{event, neighbour, owner, refuses, refuses_account, refuses_elsewhere, with_owners};
use jirani_energy_interface::EnergyError as E;
use jirani_energy_interface::client::Section;
use jirani_energy_interface::event::EventKind;
use jirani_energy_interface::state::Caps;
use jirani_energy_tests::{World, audit, key};
use solana_account::Account;
use solana_address::Address;
use solana_instruction::Instruction;
use solana_signer::Signer;

/// The mint of wrapped SOL under Token-2022.
const NATIVE_MINT: Address = Address::from_str_const("9pan9bMn5HatX4EJdBwg9VGaMjXUv9VoHEXWpaVEkfeg");

/// 1 kWh may leave per household and day; household 11's owner has an empty wallet.
fn allowed() -> (World, Address) {
    let mut world = with_owners();
    world.configure(&Section::Caps(Caps { withdrawal_wh: 1000, ..Caps::default() })).unwrap();
    let wallet = world.open_wallet(60, &owner().pubkey());
    (world, wallet)
}

fn withdraw(world: &World, wallet: Address, wh: u64) -> Instruction {
    world.program.withdraw(owner().pubkey(), 11, wallet, wh)
}

fn deposit(world: &World, wallet: Address, wh: u64) -> Instruction {
    world.program.deposit(owner().pubkey(), 11, wallet, wh)
}

/// Changes bytes of an account that nobody could change: to see a forgery refused.
fn forge(world: &mut World, address: Address, change: impl FnOnce(&mut Account)) {
    let mut account = world.svm.get_account(&address).expect("an account");
    change(&mut account);
    world.svm.set_account(address, account).expect("set");
}

#[test]
fn energy_leaves_for_the_owners_wallet_and_comes_back() {
    let (mut world, wallet) = allowed();
    let leave = withdraw(&world, wallet, 700);
    let withdrawn = event(&world.send(&[leave], &[&owner()]).unwrap(), EventKind::Withdrawn);
    assert_eq!((withdrawn.household_id, withdrawn.energy_wh), (11, 700));
    assert_eq!(withdrawn.subject, wallet.to_bytes());
    assert_eq!((world.vault(11), world.tokens(&wallet)), (4300, 700));
    audit(&world);
    let back = deposit(&world, wallet, 600);
    let deposited = event(&world.send(&[back], &[&owner()]).unwrap(), EventKind::Deposited);
    assert_eq!((deposited.household_id, deposited.energy_wh, deposited.burned_wh), (11, 600, 0));
    assert_eq!(deposited.subject, wallet.to_bytes());
    assert_eq!((world.vault(11), world.tokens(&wallet)), (4900, 100));
    audit(&world);
}

#[test]
fn withdrawing_is_off_until_the_admin_allows_it() {
    let mut world = with_owners();
    let wallet = world.open_wallet(60, &owner().pubkey());
    let leave = withdraw(&world, wallet, 1);
    refuses(&mut world, &leave, &[&owner()], E::WithdrawalsOff);
    world.configure(&Section::Caps(Caps { withdrawal_wh: 1, ..Caps::default() })).unwrap();
    world.send(&[leave], &[&owner()]).unwrap();
}

#[test]
fn a_household_withdraws_no_more_than_its_cap_on_one_utc_day() {
    let (mut world, wallet) = allowed();
    let most = withdraw(&world, wallet, 900);
    world.send(&[most], &[&owner()]).unwrap();
    let over = withdraw(&world, wallet, 101);
    refuses(&mut world, &over, &[&owner()], E::WithdrawalCap);
    let rest = withdraw(&world, wallet, 100);
    world.send(&[rest], &[&owner()]).unwrap();
    // What comes back frees nothing.
    let back = deposit(&world, wallet, 1000);
    world.send(&[back], &[&owner()]).unwrap();
    let one = withdraw(&world, wallet, 1);
    refuses(&mut world, &one, &[&owner()], E::WithdrawalCap);
    // Another household has a day of its own.
    let wallet_of_neighbour = world.open_wallet(61, &neighbour().pubkey());
    let other = world.program.withdraw(neighbour().pubkey(), 13, wallet_of_neighbour, 1000);
    world.send(&[other], &[&neighbour()]).unwrap();
    world.wait(86_400 - world.now().rem_euclid(86_400) - 1);
    refuses(&mut world, &one, &[&owner()], E::WithdrawalCap);
    world.wait(1);
    let full = withdraw(&world, wallet, 1000);
    world.send(&[full], &[&owner()]).unwrap();
    world.wait(-1);
    refuses(&mut world, &one, &[&owner()], E::WithdrawalCap);
    audit(&world);
}

#[test]
fn no_more_leaves_than_there_is() {
    let (mut world, wallet) = allowed();
    for (wh, expected) in [(0, E::ZeroEnergy), (5001, E::VaultTooSmall), (u64::MAX, E::VaultTooSmall)] {
        let leave = withdraw(&world, wallet, wh);
        refuses(&mut world, &leave, &[&owner()], expected);
    }
}

#[test]
fn a_household_that_owes_energy_withdraws_nothing() {
    let (mut world, wallet) = allowed();
    world.wait(900);
    world.attest(&[(12, 0, 100)]);
    let (from, to) = (world.vault_of(13), world.vault_of(12));
    world.move_tokens(&from, &to, 500);
    let leave = world.program.withdraw(owner().pubkey(), 12, wallet, 1);
    refuses(&mut world, &leave, &[&owner()], E::ShortfallOpen);
}

#[test]
fn only_the_owner_withdraws_never_a_custodian() {
    let (mut world, _) = allowed();
    world.enrol([2]);
    let (custodian, admin) = (world.keys.custodian.insecure_clone(), world.keys.admin.insecure_clone());
    let wallet = world.open_wallet(62, &custodian.pubkey());
    let custodial = world.program.withdraw(custodian.pubkey(), 2, wallet, 1);
    refuses(&mut world, &custodial, &[&custodian], E::Custodial);
    for thief in [&custodian, &admin, &neighbour()] {
        let theft = world.program.withdraw(thief.pubkey(), 11, wallet, 1);
        refuses(&mut world, &theft, &[thief], E::NotAuthority);
    }
}

#[test]
fn energy_leaves_for_no_wallet_but_the_owners_own() {
    let (mut world, wallet) = allowed();
    let of_neighbour = world.open_wallet(61, &neighbour().pubkey());
    let offer = world.new_offer(11, 1, 100, 1500);
    let payer = world.keys.payer.insecure_clone();
    let post = world.program.post_offer(payer.pubkey(), owner().pubkey(), &offer);
    world.send(&[post], &[&payer, &owner()]).unwrap();
    let escrow = world.program.escrow(&world.program.offer(&world.program.household(11), 1));
    for other in [of_neighbour, world.vault_of(11), world.vault_of(13), escrow, world.program.mint] {
        let leave = withdraw(&world, other, 1);
        refuses(&mut world, &leave, &[&owner()], E::WrongWallet);
    }
    for (index, other) in [key(99).pubkey(), world.program.config].into_iter().enumerate() {
        let leave = withdraw(&world, other, 1);
        refuses_account(&mut world, &leave, &[&owner()], E::WrongOwner, "wallet");
        assert!(index < 2);
    }
    let good = withdraw(&world, wallet, 1);
    world.send(&[good], &[&owner()]).unwrap();
    audit(&world);
}

#[test]
fn an_account_of_another_mint_is_no_wallet() {
    let (mut world, wallet) = allowed();
    // A mint like ours with a fee on transfers, and wrapped SOL.
    for mint in [key(80).pubkey(), NATIVE_MINT] {
        let other = world.open_wallet(63, &owner().pubkey());
        forge(&mut world, other, |account| {
            account.data[..32].copy_from_slice(mint.as_ref());
            account.data[64..72].copy_from_slice(&1_000_000_u64.to_le_bytes());
        });
        let leave = withdraw(&world, other, 1);
        refuses(&mut world, &leave, &[&owner()], E::WrongWallet);
        let come = deposit(&world, other, 1);
        refuses_elsewhere(&mut world, &come, &[&owner()], "Account not associated with this Mint");
    }
    let other_mint = key(81).pubkey();
    let ours = world.svm.get_account(&world.program.mint).unwrap();
    world.svm.set_account(other_mint, ours).unwrap();
    for mut spoiled in [withdraw(&world, wallet, 1), deposit(&world, wallet, 1)] {
        spoiled.accounts[5].pubkey = other_mint;
        refuses(&mut world, &spoiled, &[&owner()], E::WrongMint);
    }
}

#[test]
fn an_account_that_is_no_token_account_is_no_wallet() {
    let (mut world, wallet) = allowed();
    // Everything of a wallet but the byte that says what kind of account it is.
    for kind in [0, 1, 3] {
        forge(&mut world, wallet, |account| account.data[165] = kind);
        let leave = withdraw(&world, wallet, 1);
        refuses(&mut world, &leave, &[&owner()], E::WrongWallet);
    }
}

#[test]
fn a_frozen_wallet_gets_nothing_and_gives_nothing() {
    let (mut world, wallet) = allowed();
    let leave = withdraw(&world, wallet, 10);
    world.send(std::slice::from_ref(&leave), &[&owner()]).unwrap();
    forge(&mut world, wallet, |account| account.data[108] = 2);
    refuses_elsewhere(&mut world, &leave, &[&owner()], "frozen");
    let back = deposit(&world, wallet, 10);
    refuses_elsewhere(&mut world, &back, &[&owner()], "frozen");
    audit(&world);
}

#[test]
fn under_a_soft_pause_nothing_leaves_but_energy_still_comes_back() {
    let (mut world, wallet) = allowed();
    let leave = withdraw(&world, wallet, 500);
    world.send(std::slice::from_ref(&leave), &[&owner()]).unwrap();
    let admin = world.keys.admin.insecure_clone();
    world.pause_as(&admin, true).unwrap();
    refuses(&mut world, &leave, &[&owner()], E::Paused);
    let back = deposit(&world, wallet, 500);
    world.send(&[back], &[&owner()]).unwrap();
    assert_eq!(world.vault(11), 5000);
    audit(&world);
}

#[test]
fn what_a_household_owes_is_burned_first_from_what_it_deposits() {
    let (mut world, wallet) = allowed();
    let leave = withdraw(&world, wallet, 1000);
    world.send(&[leave], &[&owner()]).unwrap();
    world.wait(900);
    world.attest(&[(11, 5000, 4300)]);
    assert_eq!((world.vault(11), world.household(11).shortfall_wh), (0, 300));
    let back = deposit(&world, wallet, 100);
    let deposited = event(&world.send(&[back], &[&owner()]).unwrap(), EventKind::Deposited);
    assert_eq!((deposited.burned_wh, world.household(11).shortfall_wh), (100, 200));
    let back = deposit(&world, wallet, 900);
    world.send(&[back], &[&owner()]).unwrap();
    assert_eq!((world.vault(11), world.household(11).shortfall_wh), (700, 0));
    audit(&world);
}

#[test]
fn nobody_deposits_from_a_wallet_that_is_not_theirs() {
    let (mut world, wallet) = allowed();
    let leave = withdraw(&world, wallet, 1000);
    world.send(&[leave], &[&owner()]).unwrap();
    let theft = world.program.deposit(neighbour().pubkey(), 13, wallet, 1);
    refuses_elsewhere(&mut world, &theft, &[&neighbour()], "owner does not match");
    // A vault's owner is Config, which signs for nobody else.
    let vault = world.vault_of(11);
    let theft = world.program.deposit(neighbour().pubkey(), 13, vault, 1);
    refuses_elsewhere(&mut world, &theft, &[&neighbour()], "owner does not match");
    let circle = deposit(&world, vault, 1);
    refuses_elsewhere(&mut world, &circle, &[&owner()], "owner does not match");
    audit(&world);
}

#[test]
fn no_more_comes_than_the_wallet_has() {
    let (mut world, wallet) = allowed();
    let none = deposit(&world, wallet, 0);
    refuses(&mut world, &none, &[&owner()], E::ZeroEnergy);
    for wh in [1, u64::MAX] {
        let more = deposit(&world, wallet, wh);
        refuses_elsewhere(&mut world, &more, &[&owner()], "insufficient funds");
    }
    // A household that owes: the sum is checked before the token program sees it.
    world.wait(900);
    world.attest(&[(11, 5000, 5300)]);
    let (from, to) = (world.vault_of(13), world.vault_of(11));
    world.move_tokens(&from, &to, 100);
    let most = deposit(&world, wallet, u64::MAX);
    refuses(&mut world, &most, &[&owner()], E::Overflow);
}

#[test]
fn anybody_may_pay_in_for_a_household() {
    let (mut world, _) = allowed();
    world.enrol([2]);
    world.wait(900);
    world.attest(&[(2, 0, 50)]);
    let wallet = world.open_wallet(61, &neighbour().pubkey());
    let leave = world.program.withdraw(neighbour().pubkey(), 13, wallet, 80);
    let gift = world.program.deposit(neighbour().pubkey(), 2, wallet, 80);
    world.send(&[leave, gift], &[&neighbour()]).unwrap();
    assert_eq!((world.vault(2), world.household(2).shortfall_wh), (30, 0));
    audit(&world);
}
