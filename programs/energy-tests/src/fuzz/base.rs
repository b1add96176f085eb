//! How every case begins: the program initialised, seven households of different
//! people, wallets, and another mint made to look like ours. Built once, then copied.

use super::actors::Actor;
use super::chain::{Answer, Chain};
use super::ledger::Ledger;
use super::model::{Daily, KeyCap, Level, Model, Rules};
use super::place::{Atlas, Place};
use super::resolve::{FEEDER, LOSS, Memory, OTHER_FEEDER};
use super::{compare, rulebook};
use crate::world::{TARIFF, World};
use jirani_energy_interface::client::InitialConfig;
use jirani_energy_interface::instruction::{EnrolData, Tag};
use jirani_energy_interface::state::CappedKey;
use solana_account::Account;
use std::collections::{BTreeMap, BTreeSet};

/// A world that nobody has acted in yet.
#[derive(Clone)]
pub struct Base {
    /// The chain.
    pub chain: Chain,
    /// What it should be.
    pub model: Model,
    /// What its accounts say.
    pub ledger: Ledger,
    /// What people know.
    pub memory: Memory,
}

/// Who signs for the households, from the first; custodial ones have nobody.
const OWNERS: [Option<Actor>; 7] =
    [None, None, Some(Actor::Owner1), Some(Actor::Owner1), Some(Actor::Owner2), None, Some(Actor::Owner3)];
/// Tokens of the mint that nobody attested are not ours to give: wallets begin empty.
const LAMPORTS: u64 = 1_000_000_000_000;

impl Base {
    /// Builds it.
    pub fn new() -> Self {
        let mut atlas = Atlas::default();
        let keys = atlas.keys().clone();
        let initial = InitialConfig {
            admin: keys.address(Actor::Admin),
            pause_key: keys.address(Actor::Pauser),
            tariff: TARIFF,
            limits: rulebook::limits(),
            oracles: rulebook::oracles(&keys, 2, &[Actor::Oracle, Actor::Oracle2, Actor::Oracle3]),
            attestors: rulebook::attestors(&keys),
            custodian: rulebook::custodian(&keys),
            caps: rulebook::caps(),
        };
        let mut world = World::bare();
        let initialise = world.initialise(&initial);
        let signers = [crate::world::key(Actor::Payer as u8), crate::world::key(Actor::Upgrader as u8)];
        world.send(&[initialise], &[&signers[0], &signers[1]]).expect("initialised");

        let mut chain = Chain::new(world);
        for actor in Actor::ALL {
            let lamports = if actor == Actor::Pauper { 900_000 } else { LAMPORTS };
            chain.put(keys.address(actor), Account { lamports, ..Account::default() });
        }
        let mut model = Model {
            now: chain.now(),
            lamports_per_byte: chain.rent(0) / 128,
            rules: rules(&initial),
            homes: BTreeMap::new(),
            lots: BTreeMap::new(),
            orders: BTreeMap::new(),
            markers: BTreeMap::new(),
            tokens: BTreeMap::new(),
            lamports: BTreeMap::new(),
            evidence: BTreeMap::new(),
            touched: BTreeSet::new(),
        };
        for place in Actor::ALL.map(Place::Actor).into_iter().chain([Place::Config, Place::Mint]) {
            model.lamports.insert(place, chain.lamports(&atlas.address(place)));
        }
        let mut memory = Memory::new(atlas, false);
        for (id, owner) in (1..).zip(OWNERS) {
            let data = EnrolData {
                tag: Tag::Enrol as u8,
                kind: if id == LOSS { 4 } else { 1 },
                flags: u8::from(owner.is_none()),
                reserved: 0,
                feeder: if id == 7 { OTHER_FEEDER } else { FEEDER },
                reserved1: 0,
                household_id: id,
                meter_epoch: 1,
                export_rating_w: if id == LOSS { 200_000 } else { 10_000 },
                import_rating_w: if id == LOSS { 200_000 } else { 10_000 },
                initial_export_wh: 1000,
                initial_import_wh: 2000,
                meter_key: [u8::try_from(id).expect("small"); 32],
                authority: owner.map_or([0; 32], |owner| keys.key(owner)),
            };
            let deed = [memory.enrolment(Place::Actor(Actor::Admin), &data)];
            assert_eq!(chain.send(&mut memory.atlas, &deed), Answer::Landed, "enrolled");
            model.take_all(&deed).expect("enrolled");
        }
        furnish(&mut chain, &mut memory.atlas, &mut model);
        compare::everything(&chain, &mut memory.atlas, &model).expect("the model begins as the chain does");
        let (config, mint) = (memory.atlas.address(Place::Config), memory.atlas.address(Place::Mint));
        let ledger = Ledger::new(&chain, config, mint).expect("the invariants hold in the beginning");
        Self { chain, model, ledger, memory }
    }
}

fn rules(initial: &InitialConfig) -> Rules {
    let cap =
        |key: &CappedKey| KeyCap { key: key.key, caps: (key.cap_wh, key.cap_cents), used: Daily::default() };
    Rules {
        admin: initial.admin.to_bytes(),
        next_admin: [0; 32],
        pauser: initial.pause_key.to_bytes(),
        level: Level::Running,
        stopped_at: 0,
        stood_still: 0,
        tariff: initial.tariff,
        limits: initial.limits,
        oracle_version: 1,
        threshold: usize::from(initial.oracles.threshold),
        oracles: initial.oracles.members().to_vec(),
        attestors: [
            cap(&initial.attestors[0]),
            cap(&initial.attestors[1]),
            cap(&initial.attestors[2]),
            cap(&initial.attestors[3]),
        ],
        custodian: cap(&initial.custodian),
        caps: initial.caps,
        adjusted: Daily::default(),
        closed: bytemuck::Zeroable::zeroed(),
    }
}

/// Wallets of the mint, and things that only look like ours.
fn furnish(chain: &mut Chain, atlas: &mut Atlas, model: &mut Model) {
    let copy = |chain: &Chain, atlas: &mut Atlas, place| {
        Account::from(chain.account(&atlas.address(place)).expect("there").clone())
    };
    let vault = copy(chain, atlas, Place::Vault(1));
    let owned = |owner: &[u8; 32]| {
        let mut account = vault.clone();
        account.data[32..64].copy_from_slice(owner);
        account
    };
    let wallets = [Actor::Owner1, Actor::Owner2, Actor::Owner3, Actor::Stranger];
    for actor in wallets {
        let place = Place::Wallet(actor);
        chain.put(atlas.address(place), owned(&atlas.keys().key(actor)));
        model.tokens.insert(place, 0);
    }
    let config = atlas.address(Place::Config).to_bytes();
    chain.put(atlas.address(Place::StrayVault), owned(&config));
    model.tokens.insert(Place::StrayVault, 0);

    let mut mint = copy(chain, atlas, Place::Mint);
    // Another authority, and plenty of tokens.
    mint.data[4..36].copy_from_slice(&atlas.keys().key(Actor::Stranger));
    mint.data[36..44].copy_from_slice(&2_000_000_u64.to_le_bytes());
    chain.put(atlas.address(Place::FakeMint), mint);
    let fake_mint = atlas.address(Place::FakeMint).to_bytes();
    for (place, owner) in [(Place::FakeVault, config), (Place::FakeWallet, atlas.keys().key(Actor::Owner1))] {
        let mut account = owned(&owner);
        account.data[..32].copy_from_slice(&fake_mint);
        account.data[64..72].copy_from_slice(&1_000_000_u64.to_le_bytes());
        chain.put(atlas.address(place), account);
    }
    for place in model.tokens.keys().copied().collect::<Vec<_>>() {
        model.lamports.insert(place, chain.lamports(&atlas.address(place)));
    }
    for place in [Place::FakeMint, Place::FakeVault, Place::FakeWallet] {
        model.lamports.insert(place, chain.lamports(&atlas.address(place)));
    }
}

impl Default for Base {
    fn default() -> Self {
        Self::new()
    }
}
