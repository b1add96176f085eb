//! Values for every section of the Config, sound ones and others.

use super::actors::{Actor, Keyring};
use crate::world::TARIFF;
use bytemuck::bytes_of;
use jirani_energy_interface::state::{CappedKey, Caps, Limits, OracleSet, Tariff};

/// The shortest that markers may stay: twice the longest window and grace that may be
/// configured, and the longest skew.
const RETENTION: u32 = 2 * (86_400 + 86_400) + 3600;

/// The limits of every case: short enough to reach every edge.
pub fn limits() -> Limits {
    Limits { marker_retention_s: RETENTION, offer_life_max_s: 86_400, ..Limits::default() }
}

/// The caps of every case.
pub fn caps() -> Caps {
    Caps { adjustment_wh: 20_000, withdrawal_wh: 5_000, held_wh: 30_000, unpaid_orders: 12, reserved: 0 }
}

/// Two attestors, one of them with a small cap.
pub fn attestors(keys: &Keyring) -> [CappedKey; 4] {
    [
        CappedKey::new(keys.key(Actor::Attestor), u64::MAX, u64::MAX),
        CappedKey::NONE,
        CappedKey::new(keys.key(Actor::Attestor2), 4000, 9000),
        CappedKey::NONE,
    ]
}

/// Two of three oracles.
pub fn oracles(keys: &Keyring, threshold: u8, members: &[Actor]) -> OracleSet {
    let mut set = OracleSet::single([0; 32]);
    set.threshold = threshold;
    set.count = u8::try_from(members.len()).expect("a few");
    for (place, member) in set.members.iter_mut().zip(members) {
        *place = keys.key(*member);
    }
    set
}

/// A custodian with caps of a busy day.
pub fn custodian(keys: &Keyring) -> CappedKey {
    CappedKey::new(keys.key(Actor::Custodian), 2_000_000, 6_000_000)
}

/// A section's new value: mostly sound, so that the world goes on.
pub fn section(section: u8, choice: u8, keys: &Keyring) -> Vec<u8> {
    let one = usize::from(choice);
    match section {
        1 => bytes_of(&tariff(one)).to_vec(),
        2 => bytes_of(&some_limits(one)).to_vec(),
        3 => {
            let all = [Actor::Oracle, Actor::Oracle2, Actor::Oracle3];
            let set = match one % 7 {
                0 | 1 => oracles(keys, 2, &all),
                2 => oracles(keys, 1, &all[..1]),
                3 => oracles(keys, 3, &all),
                4 => oracles(keys, 1, &[Actor::Oracle3, Actor::Oracle]),
                5 => oracles(keys, 0, &all),
                _ => oracles(keys, 2, &[Actor::Oracle, Actor::Oracle]),
            };
            bytes_of(&set).to_vec()
        }
        4 => {
            let mut set = attestors(keys);
            match one % 8 {
                0..4 => {}
                4 => set[0] = CappedKey::NONE,
                5 => set.swap(0, 2),
                6 => set[1] = set[0],
                _ => set[0].cap_wh = 2500,
            }
            bytes_of(&set).to_vec()
        }
        5 => {
            let key = match one % 6 {
                0..3 => custodian(keys),
                3 => CappedKey::new(keys.key(Actor::Custodian2), u64::MAX, u64::MAX),
                4 => CappedKey::NONE,
                _ => CappedKey { cap_wh: 9000, ..custodian(keys) },
            };
            bytes_of(&key).to_vec()
        }
        6 => match one % 3 {
            0 => [0; 32].to_vec(),
            1 => keys.key(Actor::Stranger).to_vec(),
            _ => keys.key(Actor::Pauser).to_vec(),
        },
        7 => match one % 3 {
            0 => [0; 32].to_vec(),
            1 => keys.key(Actor::Admin).to_vec(),
            _ => keys.key(Actor::NextAdmin).to_vec(),
        },
        _ => bytes_of(&some_caps(one)).to_vec(),
    }
}

fn tariff(choice: usize) -> Tariff {
    match choice % 6 {
        0 | 1 => TARIFF,
        2 => Tariff { retail: 2000, ..TARIFF },
        3 => Tariff { retail: 1_000_000, buy_back: 1, grid_fee: 0, tax: 0 },
        4 => Tariff { buy_back: 2501, ..TARIFF },
        _ => Tariff { retail: 1_000_001, ..TARIFF },
    }
}

fn some_limits(choice: usize) -> Limits {
    let usual = limits();
    match choice % 12 {
        0..3 => usual,
        3 => Limits { order_window_s: 1, order_grace_s: 1, clock_skew_s: 0, ..usual },
        4 => Limits { open_offers_max: 2, open_orders_max: 2, ..usual },
        5 => Limits { bucket_s: 3600, ..usual },
        6 => Limits { order_window_s: 86_400, order_grace_s: 86_400, ..usual },
        7 => Limits { offer_life_max_s: 600, authority_delay_s: 3 * 86_400, ..usual },
        8 => Limits { order_window_s: 0, ..usual },
        9 => Limits { authority_delay_s: 86_400, ..usual },
        10 => Limits { authority_delay_s: 0, ..usual },
        _ => Limits { order_window_s: 1, order_grace_s: 1, marker_retention_s: 8, clock_skew_s: 0, ..usual },
    }
}

fn some_caps(choice: usize) -> Caps {
    match choice % 8 {
        0..3 => caps(),
        3 => Caps { withdrawal_wh: 0, adjustment_wh: 0, ..caps() },
        4 => Caps { unpaid_orders: 2, ..caps() },
        5 => Caps { held_wh: 1500, ..caps() },
        6 => Caps { held_wh: 0, ..caps() },
        _ => Caps { withdrawal_wh: u64::MAX, ..caps() },
    }
}
