//! How most stories begin.

use jirani_energy_interface::client::FillAccounts;
use jirani_energy_interface::event::{Event, EventKind};
use jirani_energy_interface::instruction::Tag;
use jirani_energy_interface::{EnergyError, accounts};
use jirani_energy_tests::{Landed, Refusal, World, key};
use solana_instruction::Instruction;
use solana_keypair::Keypair;

/// Household 1 has 5 kWh in its vault, household 2 nothing.
pub fn seller_and_buyer() -> World {
    let mut world = World::new();
    world.enrol([1, 2]);
    world.wait(900);
    world.attest(&[(1, 5000, 0), (2, 0, 0)]);
    world
}

/// Offer 1 of household 1: 2 kWh at 15 shillings.
pub fn with_offer() -> World {
    let mut world = seller_and_buyer();
    let offer = world.new_offer(1, 1, 2000, 1500);
    world.post(&offer).expect("posted");
    world
}

/// Order 1 of household 2 holds 500 Wh of that offer.
pub fn with_order() -> World {
    let mut world = with_offer();
    world.place(2, 1, &[fill(1, 500)]).expect("placed");
    world
}

/// A fill of an offer of household 1 at 15 shillings.
pub fn fill(offer_id: u64, energy_wh: u32) -> FillAccounts {
    FillAccounts { seller_id: 1, offer_id, energy_wh, price: 1500 }
}

/// Requires a refusal of the program with that error.
#[track_caller]
pub fn refused(result: Result<Landed, Box<Refusal>>, expected: EnergyError) {
    match result {
        Ok(_) => panic!("landed instead of {expected}"),
        Err(refusal) => assert_eq!(refusal.ours, Some(expected), "{refusal:?}"),
    }
}

/// Households 11 and 12 of one owner, household 13 of another; 11 has 5 kWh, 13 has 1.
pub fn with_owners() -> World {
    let mut world = World::new();
    world.enrol_owned(11, &owner());
    world.enrol_owned(12, &owner());
    world.enrol_owned(13, &neighbour());
    world.wait(900);
    world.attest(&[(11, 5000, 0), (12, 0, 0), (13, 1000, 0)]);
    world
}

/// The owner of households 11 and 12.
pub fn owner() -> Keypair {
    key(50)
}

/// The owner of household 13.
pub fn neighbour() -> Keypair {
    key(51)
}

/// Sends an instruction that must be refused and must change nothing.
#[track_caller]
fn refusal(world: &mut World, instruction: &Instruction, signers: &[&Keypair]) -> Refusal {
    let before = world.snapshot();
    let refusal = *world
        .send(std::slice::from_ref(instruction), signers)
        .map(|landed| panic!("landed: {landed:?}"))
        .expect_err("a refusal");
    assert!(world.snapshot() == before, "a refused instruction changed something");
    refusal
}

/// Requires a refusal with that error, which names no account, and no change.
#[track_caller]
pub fn refuses(world: &mut World, instruction: &Instruction, signers: &[&Keypair], expected: EnergyError) {
    let refusal = refusal(world, instruction, signers);
    assert_eq!((refusal.ours, refusal.account), (Some(expected), None), "{refusal:?}");
}

/// Requires a refusal with that error, which names the account by its name in the
/// instruction's table, and no change.
#[track_caller]
pub fn refuses_account(
    world: &mut World,
    instruction: &Instruction,
    signers: &[&Keypair],
    expected: EnergyError,
    name: &str,
) {
    let refusal = refusal(world, instruction, signers);
    assert_eq!(refusal.ours, Some(expected), "{refusal:?}");
    let named = refusal.account.and_then(|index| account_name(instruction, index));
    assert_eq!(named, Some(name), "{refusal:?}");
}

/// Requires the refusal of another program, Token-2022's say, with a word of what it
/// wrote, and no change.
#[track_caller]
pub fn refuses_elsewhere(world: &mut World, instruction: &Instruction, signers: &[&Keypair], word: &str) {
    let refusal = refusal(world, instruction, signers);
    assert_eq!(refusal.ours, None, "{refusal:?}");
    let written = refusal.logs.join("\n");
    assert!(written.contains(word), "{written} does not say {word}");
}

/// The name of an instruction's account, from its table and what repeats after it.
fn account_name(instruction: &Instruction, index: usize) -> Option<&'static str> {
    let tag = Tag::from_byte(*instruction.data.first()?)?;
    let fixed = accounts::of(tag);
    let repeated = accounts::repeated(tag).first();
    match index.checked_sub(fixed.len()) {
        None => Some(fixed[index].name),
        Some(after) => repeated.map(|table| table[after % table.len()].name),
    }
}

/// The only event of a transaction, which must be of that kind.
#[track_caller]
pub fn event(landed: &Landed, kind: EventKind) -> Event {
    assert_eq!(landed.events.iter().map(|event| event.kind).collect::<Vec<_>>(), [kind]);
    landed.events[0].event
}
