//! Who may set the program up and change its rules.

use crate::story::refused;
use jirani_energy_interface::EnergyError as E;
use jirani_energy_interface::client::{InitialConfig, Section};
use jirani_energy_interface::state::{
    ATTESTORS_MAX, CappedKey, Caps, Config, Limits, OracleSet, Record, Tariff,
};
use jirani_energy_interface::{DECIMALS, TOKEN_NAME, programs};
use jirani_energy_tests::{Landed, Refusal, START, TARIFF, World, audit, key};
use solana_account::Account;
use solana_signer::Signer;

fn initialise(world: &mut World, initial: &InitialConfig) -> Result<Landed, Box<Refusal>> {
    let instruction = world.initialise(initial);
    let (payer, upgrade) = (world.keys.payer.insecure_clone(), world.keys.upgrade.insecure_clone());
    world.send(&[instruction], &[&payer, &upgrade])
}

fn configure(world: &mut World, section: &Section) -> Result<Landed, Box<Refusal>> {
    let admin = world.keys.admin.insecure_clone();
    let instruction = world.program.configure(admin.pubkey(), section);
    world.send(&[instruction], &[&admin])
}

#[test]
fn initialising_creates_config_and_a_mint_that_only_config_controls() {
    let world = World::new();
    let config = world.config();
    assert_eq!((config.discriminator, config.version), (Config::DISCRIMINATOR, Config::VERSION));
    assert_eq!(config.admin, world.keys.admin.pubkey().to_bytes());
    assert_eq!(config.mint, world.program.mint.to_bytes());
    assert_eq!((config.oracles.version, config.paused, config.paused_total_s), (1, 0, 0));

    let mint = world.svm.get_account(&world.program.mint).unwrap();
    let authority = world.program.config.to_bytes();
    assert_eq!(mint.owner, programs::TOKEN_2022);
    assert_eq!(mint.data[0..4], [1, 0, 0, 0], "has a mint authority");
    assert_eq!(mint.data[4..36], authority);
    assert_eq!(mint.data[44], DECIMALS);
    assert_eq!(mint.data[46..50], [0; 4], "no freeze authority");
    let mut extensions = Vec::new();
    let mut at = 166;
    while at + 4 <= mint.data.len() {
        let kind = u16::from_le_bytes([mint.data[at], mint.data[at + 1]]);
        let length = usize::from(u16::from_le_bytes([mint.data[at + 2], mint.data[at + 3]]));
        extensions.push((kind, mint.data[at + 4..at + 4 + length].to_vec()));
        at += 4 + length;
    }
    let kinds: Vec<_> = extensions.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(kinds, [26, 28, 18, 19], "Pausable, PermissionedBurn, MetadataPointer, TokenMetadata");
    for (kind, value) in &extensions {
        assert_eq!(value[..32], authority, "Config is the authority of extension {kind}");
    }
    assert!(String::from_utf8_lossy(&extensions[3].1).contains(TOKEN_NAME));
    audit(&world);
}

#[test]
fn only_the_upgrade_authority_initialises_and_only_once() {
    let mut world = World::bare();
    let initial = world.initial_config();
    let (payer, stranger) = (world.keys.payer.insecure_clone(), world.keys.stranger.insecure_clone());
    let front_run = world.program.initialise(payer.pubkey(), stranger.pubkey(), &initial);
    refused(world.send(&[front_run], &[&payer, &stranger]), E::NotUpgradeAuthority);

    let program_data = world.program.program_data();
    let genuine = world.svm.get_account(&program_data).unwrap();
    let mut immutable = genuine.clone();
    immutable.data[12] = 0;
    world.svm.set_account(program_data, immutable).unwrap();
    refused(initialise(&mut world, &initial), E::NotUpgradeAuthority);
    world.svm.set_account(program_data, genuine).unwrap();

    initialise(&mut world, &initial).unwrap();
    refused(initialise(&mut world, &initial), E::AlreadyExists);
}

#[test]
fn initialising_survives_lamports_sent_ahead_by_a_stranger() {
    let mut world = World::bare();
    for address in [world.program.config, world.program.mint] {
        world.svm.set_account(address, Account { lamports: 1, ..Account::default() }).unwrap();
    }
    let initial = world.initial_config();
    initialise(&mut world, &initial).unwrap();
    audit(&world);
}

#[test]
fn contradicting_settings_are_refused() {
    let mut world = World::bare();
    let good = world.initial_config();
    let tariff = |retail, buy_back| Tariff { retail, buy_back, grid_fee: 300, tax: 200 };
    let mut two_of_one = good.oracles;
    two_of_one.threshold = 2;
    let mut same_attestor_twice = good.attestors;
    same_attestor_twice[1] = same_attestor_twice[0];
    for (bad, error) in [
        (InitialConfig { tariff: tariff(1499, 1000), ..good }, E::InvalidTariff),
        (InitialConfig { tariff: tariff(1_000_001, 1000), ..good }, E::InvalidTariff),
        (InitialConfig { tariff: tariff(3000, 0), ..good }, E::InvalidTariff),
        (InitialConfig { limits: Limits { order_window_s: 0, ..good.limits }, ..good }, E::InvalidLimits),
        (
            InitialConfig { limits: Limits { marker_retention_s: 900, ..good.limits }, ..good },
            E::InvalidLimits,
        ),
        (InitialConfig { oracles: two_of_one, ..good }, E::InvalidOracles),
        (InitialConfig { attestors: same_attestor_twice, ..good }, E::InvalidKey),
        (InitialConfig { caps: Caps { held_wh: 0, ..good.caps }, ..good }, E::InvalidCaps),
        (InitialConfig { pause_key: programs::SYSTEM, ..good }, E::InvalidKey),
    ] {
        refused(initialise(&mut world, &bad), error);
        assert!(world.svm.get_account(&world.program.config).is_none_or(|account| account.data.is_empty()));
    }
    initialise(&mut world, &good).unwrap();
}

#[test]
fn the_admin_changes_each_section_and_nobody_else_does() {
    let mut world = World::new();
    let tariff = Tariff { retail: 4000, ..TARIFF };
    let limits = Limits { order_window_s: 60, ..Limits::default() };
    let oracles = OracleSet { threshold: 1, ..OracleSet::single(key(20).pubkey().to_bytes()) };
    let custodian = CappedKey::new(key(21).pubkey().to_bytes(), 5, 6);
    configure(&mut world, &Section::Tariff(tariff)).unwrap();
    configure(&mut world, &Section::Limits(limits)).unwrap();
    configure(&mut world, &Section::Oracles(oracles)).unwrap();
    configure(&mut world, &Section::Custodian(custodian)).unwrap();
    configure(&mut world, &Section::PauseKey(key(22).pubkey())).unwrap();
    let config = world.config();
    assert_eq!((config.tariff, config.limits, config.custodian), (tariff, limits, custodian));
    assert_eq!((config.oracles.version, config.oracles.members), (2, oracles.members));
    assert_eq!(config.pause_key, key(22).pubkey().to_bytes());

    let stranger = world.keys.stranger.insecure_clone();
    let theft = world.program.configure(stranger.pubkey(), &Section::Tariff(TARIFF));
    refused(world.send(&[theft], &[&stranger]), E::NotAdmin);
    refused(configure(&mut world, &Section::Tariff(Tariff { retail: 1, ..TARIFF })), E::InvalidTariff);
    refused(configure(&mut world, &Section::Limits(Limits { bucket_s: 1, ..limits })), E::InvalidLimits);
    refused(
        configure(&mut world, &Section::Oracles(OracleSet { threshold: 0, ..oracles })),
        E::InvalidOracles,
    );
    refused(configure(&mut world, &Section::PauseKey(programs::SYSTEM)), E::InvalidKey);
    audit(&world);
}

#[test]
fn a_new_cap_keeps_what_the_key_moved_today() {
    let mut world = crate::story::with_offer();
    let used = world.config().custodian.used_wh;
    assert_eq!(used, 2000);
    let custodian = world.keys.custodian.pubkey().to_bytes();
    configure(&mut world, &Section::Custodian(CappedKey::new(custodian, 2100, u64::MAX))).unwrap();
    assert_eq!(world.config().custodian.used_wh, 2000);
    let offer = world.new_offer(1, 2, 101, 1500);
    refused(world.post(&offer), E::DailyCap);
    world.wait(86_400 - (START + 900).rem_euclid(86_400));
    let offer = world.new_offer(1, 2, 101, 1500);
    world.post(&offer).unwrap();
    audit(&world);
}

#[test]
fn no_attestor_is_named_twice_by_a_later_configuration() {
    let mut world = World::new();
    let admin = world.keys.admin.insecure_clone();
    let twice = CappedKey::new([9; 32], 1, 1);
    let mut attestors = [CappedKey::NONE; ATTESTORS_MAX];
    (attestors[0], attestors[3]) = (twice, twice);
    let configure = world.program.configure(admin.pubkey(), &Section::Attestors(attestors));
    refused(world.send(&[configure], &[&admin]), E::InvalidKey);
    assert!(world.config().attestors.iter().all(|place| place.key != [9; 32]));
    audit(&world);
}
