use jirani_energy_interface::accounts;
use jirani_energy_interface::event::{Event, EventKind};
use jirani_energy_interface::instruction::{ConfigSection, ConfigureData};
use jirani_energy_interface::state::{ATTESTORS_MAX, CappedKey, Caps, Config, Limits, OracleSet, Tariff};
use jirani_energy_interface::{EnergyError, Key};
use pinocchio::AccountView;

use crate::call::{self, Call};
use crate::refusal::{Check, Refuse};
use crate::{account, time};

const RULES: [u8; 3] = accounts::rules(accounts::CONFIGURE);

/// Changes one section of Config.
#[inline(never)]
pub fn configure(call: &Call, accounts: &mut [AccountView]) -> Check {
    let (head, value) = call.data_and_rest::<ConfigureData>()?;
    call.check(accounts, &RULES)?;
    let [admin, config_account, _, ..] = accounts else {
        return false.or_refuse(EnergyError::AccountsMissing);
    };
    let bump = {
        let mut config = account::write::<Config>(config_account, call.program_id)?;
        super::admin(&config, admin)?;
        apply(&mut config, head.section, value)?;
        config.bump
    };
    let mut event = Event::new(EventKind::Configured, time::now()?);
    event.detail = head.section;
    call::emit(call, config_account, bump, &event)
}

#[inline(always)]
fn value<T: bytemuck::Pod>(bytes: &[u8]) -> Check<&T> {
    bytemuck::try_from_bytes(bytes).ok().or_refuse(EnergyError::InvalidData)
}

#[inline(always)]
fn apply(config: &mut Config, section: u8, bytes: &[u8]) -> Check {
    const TARIFF: u8 = ConfigSection::Tariff as u8;
    const LIMITS: u8 = ConfigSection::Limits as u8;
    const ORACLES: u8 = ConfigSection::Oracles as u8;
    const ATTESTORS: u8 = ConfigSection::Attestors as u8;
    const CUSTODIAN: u8 = ConfigSection::Custodian as u8;
    const PAUSE_KEY: u8 = ConfigSection::PauseKey as u8;
    const PENDING_ADMIN: u8 = ConfigSection::PendingAdmin as u8;
    const CAPS: u8 = ConfigSection::Caps as u8;
    match section {
        TARIFF => {
            let tariff: &Tariff = value(bytes)?;
            tariff.is_valid().or_refuse(EnergyError::InvalidTariff)?;
            config.tariff = *tariff;
        }
        LIMITS => {
            let limits: &Limits = value(bytes)?;
            limits.is_valid().or_refuse(EnergyError::InvalidLimits)?;
            config.limits = *limits;
        }
        ORACLES => {
            let oracles: &OracleSet = value(bytes)?;
            oracles.is_valid().or_refuse(EnergyError::InvalidOracles)?;
            let version = config.oracles.version.checked_add(1).or_refuse(EnergyError::Overflow)?;
            config.oracles = *oracles;
            config.oracles.version = version;
        }
        ATTESTORS => {
            let attestors: &[CappedKey; ATTESTORS_MAX] = value(bytes)?;
            attestors_are_valid(attestors)?;
            let before = config.attestors;
            for (place, attestor) in config.attestors.iter_mut().zip(attestors) {
                replace(place, attestor, &before);
            }
        }
        CUSTODIAN => {
            let custodian: &CappedKey = value(bytes)?;
            let before = [config.custodian];
            replace(&mut config.custodian, custodian, &before);
        }
        PAUSE_KEY => {
            let key: &Key = value(bytes)?;
            (!call::nobody(key)).or_refuse(EnergyError::InvalidKey)?;
            config.pause_key = *key;
        }
        PENDING_ADMIN => config.pending_admin = *value::<Key>(bytes)?,
        CAPS => {
            let caps: &Caps = value(bytes)?;
            caps.is_valid().or_refuse(EnergyError::InvalidCaps)?;
            config.caps = *caps;
        }
        _ => return false.or_refuse(EnergyError::InvalidData),
    }
    Ok(())
}

/// Requires the keys in use to be different.
#[inline(never)]
pub(super) fn attestors_are_valid(attestors: &[CappedKey; ATTESTORS_MAX]) -> Check {
    for (i, attestor) in attestors.iter().enumerate() {
        let twice = attestors[..i].iter().any(|earlier| call::same(&earlier.key, &attestor.key));
        (call::nobody(&attestor.key) || !twice).or_refuse(EnergyError::InvalidKey)?;
    }
    Ok(())
}

/// Puts a key with its caps into a place; a key that stays keeps what it moved today.
#[inline(never)]
pub(super) fn replace(place: &mut CappedKey, new: &CappedKey, before: &[CappedKey]) {
    *place = CappedKey { used_wh: 0, used_cents: 0, day: 0, reserved: 0, ..*new };
    if let Some(same) = before.iter().find(|before| call::same(&before.key, &new.key)) {
        place.used_wh = same.used_wh;
        place.used_cents = same.used_cents;
        place.day = same.day;
    }
}
