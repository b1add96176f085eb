//! `jirani chain init`

use super::configure::{capped, caps, limits, tariff_of_settings};
use super::desk::Desk;
use crate::cli::chain::InitArguments;
use crate::wiring;
use jirani_chain::Address;
use jirani_chain::admin::{
    AdminError, CappedKey, Caps, InitialConfig, Limits, OracleSet, Planned, initialise,
};
use jirani_chain::keyring::Role;

/// Plans a deployment's Config from flags, keys at hand and settings.
pub async fn plan(desk: &Desk, arguments: &InitArguments) -> Result<Planned, AdminError> {
    let existing = desk.operator.config().await?;
    let initial = initial(desk, arguments)?;
    let deployment = desk.operator.deployment(wiring::ELF).await?.ok_or_else(|| {
        AdminError::NotPossible(format!(
            "there is no energy program at {}; deploy it first",
            desk.operator.program.id
        ))
    })?;
    let authority: Address = deployment
        .upgrade_authority
        .as_deref()
        .and_then(|authority| authority.parse().ok())
        .ok_or_else(|| {
            AdminError::NotPossible("nobody may upgrade this program, so nobody may initialise it".to_owned())
        })?;
    initialise(&desk.operator.program, desk.payer()?, authority, &initial, existing.as_ref())
}

fn initial(desk: &Desk, arguments: &InitArguments) -> Result<InitialConfig, AdminError> {
    let or_at_hand = |given: Option<Address>, role| given.map_or_else(|| desk.address(role), Ok);
    let admin = or_at_hand(arguments.admin, Role::Admin)?;
    let several = |given: &[Address], role| {
        if given.is_empty() { Ok(desk.keys.addresses(role)) } else { Ok::<_, AdminError>(given.to_vec()) }
    };
    let members = several(&arguments.oracles, Role::Oracle)?;
    let mut oracles = OracleSet::single([0; 32]);
    oracles.threshold = arguments.threshold;
    oracles.count = u8::try_from(members.len()).unwrap_or(u8::MAX);
    for (place, member) in oracles.members.iter_mut().zip(&members) {
        *place = member.to_bytes();
    }
    let mut attestors = [CappedKey::NONE; 4];
    let given = several(&arguments.attestors, Role::Attestor)?;
    if given.len() > attestors.len() {
        return Err(AdminError::Invalid(format!("there are at most {} attestors", attestors.len())));
    }
    for (place, attestor) in attestors.iter_mut().zip(given) {
        *place = capped(attestor, arguments.daily);
    }
    Ok(InitialConfig {
        admin,
        pause_key: or_at_hand(arguments.pause_key, Role::PauseKey)?,
        tariff: tariff_of_settings(desk),
        limits: limits(Limits::default(), &arguments.limits),
        oracles,
        attestors,
        custodian: capped(or_at_hand(arguments.custodian, Role::Custodian)?, arguments.daily),
        caps: caps(Caps::default(), &arguments.caps),
    })
}
