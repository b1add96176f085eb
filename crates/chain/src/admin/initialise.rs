//! A new deployment's Config and mint.

use super::configure::{attestor_places, check_caps, check_limits, check_tariff, oracle_set};
use super::plan::{AdminError, AdminPlan, Planned, address, shown_cap};
use jirani_energy_interface::EnergyProgram;
use jirani_energy_interface::client::InitialConfig;
use jirani_energy_interface::state::{CappedKey, Config};
use solana_address::Address;

/// Creates Config and mint, unless they are there.
pub fn initialise(
    program: &EnergyProgram,
    payer: Address,
    upgrade_authority: Address,
    initial: &InitialConfig,
    existing: Option<&Config>,
) -> Result<Planned, AdminError> {
    if let Some(config) = existing {
        let differences = differences(config, initial);
        let but = if differences.is_empty() {
            "with these values".to_owned()
        } else {
            format!("with other values, which `init` does not change: {}", differences.join("; "))
        };
        return Ok(Planned::Nothing(format!("the program is initialised already, {but}.")));
    }
    check_tariff(&initial.tariff)?;
    check_limits(&initial.limits)?;
    check_caps(&initial.caps)?;
    let members: Vec<Address> = initial.oracles.members().iter().map(address).collect();
    oracle_set(&members, initial.oracles.threshold)?;
    let attestors: Vec<CappedKey> = in_use(&initial.attestors).collect();
    attestor_places(&attestors)?;
    for (role, key) in [
        ("admin", initial.admin),
        ("pause key", initial.pause_key),
        ("custodian", address(&initial.custodian.key)),
    ] {
        if key == Address::default() {
            return Err(AdminError::Invalid(format!("the {role} needs a key")));
        }
    }
    let mut changes = vec![
        format!("Config {} and mint {} are created", program.config, program.mint),
        format!("admin {}", initial.admin),
        format!("pause key {}", initial.pause_key),
        format!("oracles, {} of {}: {}", initial.oracles.threshold, members.len(), joined(&members)),
    ];
    changes.extend(attestors.iter().map(|attestor| format!("attestor {}", capped(attestor))));
    changes.push(format!("custodian {}", capped(&initial.custodian)));
    let tariff = &initial.tariff;
    changes.push(format!(
        "tariff in cents per kWh: retail {}, buy-back {}, grid fee {}, tax {}",
        tariff.retail, tariff.buy_back, tariff.grid_fee, tariff.tax
    ));
    let limits = &initial.limits;
    changes.push(format!(
        "orders {} s to pay and {} s of grace; markers stay {} s; authority changes wait {} s",
        limits.order_window_s, limits.order_grace_s, limits.marker_retention_s, limits.authority_delay_s
    ));
    let caps = &initial.caps;
    changes.push(format!(
        "caps: {} Wh of adjustments a day, {} Wh of withdrawals per household and day, {} Wh held, {} orders unpaid",
        caps.adjustment_wh, caps.withdrawal_wh, caps.held_wh, caps.unpaid_orders
    ));
    let instruction = program.initialise(payer, upgrade_authority, initial);
    Ok(Planned::Do(AdminPlan { name: "init", changes, instructions: vec![instruction] }))
}

/// What Config has otherwise than wanted, a phrase each.
pub fn differences(config: &Config, wanted: &InitialConfig) -> Vec<String> {
    let caps = |key: &CappedKey| (key.key, key.cap_wh, key.cap_cents);
    let same_attestors = config.attestors.iter().map(caps).eq(wanted.attestors.iter().map(caps));
    [
        ("the admin", config.admin == wanted.admin.to_bytes()),
        ("the pause key", config.pause_key == wanted.pause_key.to_bytes()),
        ("the tariff", config.tariff == wanted.tariff),
        ("the limits", config.limits == wanted.limits),
        (
            "the oracles",
            (config.oracles.threshold, config.oracles.members())
                == (wanted.oracles.threshold, wanted.oracles.members()),
        ),
        ("the attestors", same_attestors),
        ("the custodian", caps(&config.custodian) == caps(&wanted.custodian)),
        ("the caps", config.caps == wanted.caps),
    ]
    .into_iter()
    .filter(|(_, same)| !same)
    .map(|(what, _)| format!("{what} differ{}", if what.ends_with('s') { "" } else { "s" }))
    .collect()
}

fn in_use(keys: &[CappedKey]) -> impl Iterator<Item = CappedKey> + '_ {
    keys.iter().filter(|key| key.key != [0; 32]).copied()
}

fn joined(addresses: &[Address]) -> String {
    addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn capped(key: &CappedKey) -> String {
    format!(
        "{} with {} and {} a day",
        address(&key.key),
        shown_cap(key.cap_wh, "Wh"),
        shown_cap(key.cap_cents, "cents")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use jirani_energy_interface::LOCAL_PROGRAM_ID;
    use jirani_energy_interface::state::{OracleSet, Tariff};

    fn key(byte: u8) -> Address {
        Address::new_from_array([byte; 32])
    }

    fn initial() -> InitialConfig {
        let tariff = Tariff { retail: 3_500, buy_back: 1_000, grid_fee: 300, tax: 200 };
        InitialConfig::simple(key(1), key(2), key(3), key(4), tariff)
    }

    fn plan(initial: &InitialConfig) -> Result<Planned, AdminError> {
        initialise(&EnergyProgram::new(LOCAL_PROGRAM_ID), key(8), key(9), initial, None)
    }

    #[test]
    fn everything_it_will_do_is_said_before() {
        let Ok(Planned::Do(plan)) = plan(&initial()) else { panic!("a plan") };
        let text = plan.changes.join("\n");
        for byte in 1..=4 {
            assert!(text.contains(&key(byte).to_string()), "{byte}: {text}");
        }
        assert!(text.contains("retail 3500") && text.contains("no limit"), "{text}");
        let signers = crate::admin::plan::signers(&plan.instructions);
        assert_eq!(signers, [("upgrade_authority".to_owned(), key(9)), ("payer".to_owned(), key(8))]);
    }

    #[test]
    fn nonsense_is_refused_before_anything_is_sent() {
        let nobody = Address::default();
        assert!(plan(&InitialConfig { admin: nobody, ..initial() }).is_err());
        assert!(plan(&InitialConfig { custodian: CappedKey::NONE, ..initial() }).is_err());
        assert!(
            plan(&InitialConfig { oracles: OracleSet { threshold: 2, ..initial().oracles }, ..initial() })
                .is_err()
        );
    }
}
