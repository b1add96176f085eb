use jirani_energy_interface::event::{Event, EventKind};
use jirani_energy_interface::instruction::{ConfigSection, ConfigureData};
use jirani_energy_interface::state::{ATTESTORS_MAX, CappedKey, Config, Limits, OracleSet, Tariff};
use jirani_energy_interface::{EnergyError, Key};
use pinocchio::ProgramResult;
use pinocchio::error::ProgramError;

use crate::account::{self, Refuse};
use crate::call::{Authority, Call};
use crate::time;

/// Changes one section of Config.
///
/// Accounts: 0 admin (s); 1 Config (w); 2 this program.
#[inline(never)]
pub fn configure(call: Call) -> ProgramResult {
    let Call { program_id, accounts, data } = call;
    let (head, value) = account::data_and_rest::<ConfigureData>(data)?;
    let [admin, config_account, this, ..] = accounts else {
        return false.or_refuse(EnergyError::AccountsMissing);
    };
    account::signers([admin])?;
    account::program(this, program_id)?;
    let bump = {
        let mut config = account::write::<Config>(config_account, program_id)?;
        account::is(admin, &config.admin).or_refuse(EnergyError::NotAdmin)?;
        apply(&mut config, head.section, value)?;
        config.bump
    };
    let mut event = Event::new(EventKind::Configured, time::now()?);
    event.detail = head.section;
    Authority { program_id, config: config_account, bump }.emit(&event)
}

fn apply(config: &mut Config, section: u8, value: &[u8]) -> Result<(), ProgramError> {
    if section == ConfigSection::Tariff as u8 {
        let tariff: Tariff = account::data(value)?;
        tariff.is_valid().or_refuse(EnergyError::InvalidTariff)?;
        config.tariff = tariff;
    } else if section == ConfigSection::Limits as u8 {
        let limits: Limits = account::data(value)?;
        limits.is_valid().or_refuse(EnergyError::InvalidLimits)?;
        config.limits = limits;
    } else if section == ConfigSection::Oracles as u8 {
        let mut oracles: OracleSet = account::data(value)?;
        oracles.is_valid().or_refuse(EnergyError::InvalidOracles)?;
        oracles.version = config.oracles.version.checked_add(1).or_refuse(EnergyError::Overflow)?;
        config.oracles = oracles;
    } else if section == ConfigSection::Attestors as u8 {
        let mut attestors: [CappedKey; ATTESTORS_MAX] = account::data(value)?;
        attestors_are_valid(&attestors)?;
        for attestor in &mut attestors {
            let before = config.attestors.iter().find(|before| before.key == attestor.key);
            keep_usage(attestor, before);
        }
        config.attestors = attestors;
    } else if section == ConfigSection::Custodian as u8 {
        let mut custodian: CappedKey = account::data(value)?;
        let same = config.custodian.key == custodian.key;
        keep_usage(&mut custodian, same.then_some(&config.custodian));
        config.custodian = custodian;
    } else if section == ConfigSection::PauseKey as u8 {
        let key: Key = account::data(value)?;
        (key != [0; 32]).or_refuse(EnergyError::InvalidKey)?;
        config.pause_key = key;
    } else {
        return false.or_refuse(EnergyError::InvalidData);
    }
    Ok(())
}

/// Requires the keys in use to be different.
pub(super) fn attestors_are_valid(attestors: &[CappedKey; ATTESTORS_MAX]) -> Result<(), ProgramError> {
    attestors
        .iter()
        .enumerate()
        .all(|(i, a)| a.key == [0; 32] || !attestors[..i].iter().any(|earlier| earlier.key == a.key))
        .or_refuse(EnergyError::InvalidKey)
}

/// A cap that changes keeps what the key moved today.
fn keep_usage(key: &mut CappedKey, before: Option<&CappedKey>) {
    let fresh = CappedKey::new(key.key, key.cap_wh, key.cap_cents);
    *key = match before {
        Some(before) => {
            CappedKey { used_wh: before.used_wh, used_cents: before.used_cents, day: before.day, ..fresh }
        }
        None => fresh,
    };
}
