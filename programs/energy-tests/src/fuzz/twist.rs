//! What a hostile hand changes in an instruction that might have succeeded.

use super::deed::{Deed, Party};
use super::model::Model;
use super::place::{Atlas, Place};
use super::step::Twist;

/// Everything in the world that can stand in for something else.
fn everything(model: &Model) -> Vec<Place> {
    let mut all = vec![
        Place::Config,
        Place::Mint,
        Place::FakeMint,
        Place::FakeVault,
        Place::FakeWallet,
        Place::System,
        Place::Token,
        Place::Energy,
        Place::ProgramData,
        Place::Nowhere,
    ];
    all.extend(super::actors::Actor::ALL.map(Place::Actor));
    all.extend(model.tokens.keys().copied());
    all.extend(model.homes.keys().map(|id| Place::Home(*id)));
    all.extend(model.lots.keys().map(|(seller, id)| Place::Offer(*seller, *id)));
    all.extend(model.orders.keys().map(|(buyer, id)| Place::Order(*buyer, *id)));
    all.extend(model.markers.keys().take(8).copied());
    all.extend(model.evidence.keys().map(|feeder| Place::Evidence(*feeder)));
    all
}

/// Whether one could be taken for the other.
fn alike(one: Place, other: Place) -> bool {
    let kind = |place| match place {
        Place::Wallet(_)
        | Place::Vault(_)
        | Place::Escrow(..)
        | Place::StrayVault
        | Place::FakeVault
        | Place::FakeWallet => 1,
        Place::Mint | Place::FakeMint => 2,
        Place::Home(_) => 3,
        Place::Offer(..) => 4,
        Place::Order(..) => 5,
        Place::Marker(..) => 6,
        Place::Evidence(_) => 7,
        Place::Actor(_) => 8,
        _ => 9,
    };
    one != other && kind(one) == kind(other)
}

/// Puts a place where another was: only a key can sign.
fn put(atlas: &mut Atlas, party: &mut Party, place: Place) {
    party.place = place;
    party.key = atlas.address(place).to_bytes();
    party.signs &= matches!(place, Place::Actor(_));
}

/// Changes the instruction.
pub fn twist(deed: &mut Deed, twist: &Twist, model: &Model, atlas: &mut Atlas) {
    let count = deed.parties.len();
    let length = deed.data.len();
    if count == 0 || length == 0 {
        return;
    }
    match twist {
        Twist::Signer(at, actor) => {
            let mut signers: Vec<_> = deed.parties.iter_mut().filter(|party| party.signs).collect();
            if !signers.is_empty() {
                let at = at.index(signers.len());
                put(atlas, signers[at], Place::Actor(*actor));
            }
        }
        Twist::Unsigned(at) => {
            let key = deed.parties[at.index(count)].key;
            deed.parties.iter_mut().filter(|party| party.key == key).for_each(|party| party.signs = false);
        }
        Twist::ReadOnly(at) => {
            let key = deed.parties[at.index(count)].key;
            deed.parties.iter_mut().filter(|party| party.key == key).for_each(|party| party.writable = false);
        }
        Twist::Swap(one, other) => {
            let (one, other) = (one.index(count), other.index(count));
            let places = (deed.parties[one].place, deed.parties[other].place);
            put(atlas, &mut deed.parties[one], places.1);
            put(atlas, &mut deed.parties[other], places.0);
        }
        Twist::Other(at, with) => {
            let all = everything(model);
            put(atlas, &mut deed.parties[at.index(count)], all[with.index(all.len())]);
        }
        Twist::Alike(at, with) => {
            let party = &mut deed.parties[at.index(count)];
            let all: Vec<_> =
                everything(model).into_iter().filter(|place| alike(party.place, *place)).collect();
            if !all.is_empty() {
                put(atlas, party, all[with.index(all.len())]);
            }
        }
        Twist::Fewer(less) => deed.parties.truncate(count.saturating_sub(usize::from(*less))),
        Twist::More(with) => {
            let all = everything(model);
            let mut party = Party { place: Place::Nowhere, key: [0; 32], signs: false, writable: true };
            put(atlas, &mut party, all[with.index(all.len())]);
            deed.parties.push(party);
        }
        Twist::Number(at, number) => {
            let places = length / 8;
            if places > 0 {
                let at = at.index(places) * 8;
                deed.data[at..at + 8].copy_from_slice(&number.to_le_bytes());
            }
        }
        Twist::Byte(at, byte) => deed.data[at.index(length)] = *byte,
        Twist::Shorter(at) => deed.data.truncate(at.index(length)),
        Twist::Longer => deed.data.push(0),
    }
}
