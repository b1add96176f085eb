//! One household's meter, authority, end and books.

use super::desk::Desk;
use crate::cli::chain::{AdjustArguments, ReplaceMeterArguments};
use jirani_chain::Address;
use jirani_chain::admin::{
    self, AdjustOrder, AdminError, Config, FeederAfter, Household, Planned, Replacement,
};
use jirani_chain::keyring::Role;

async fn read(desk: &Desk, id: u32) -> Result<(Config, Household, u64), AdminError> {
    let config = desk.operator.initialised().await?;
    let at = desk.operator.program.household(id);
    let (household, rent) = desk.operator.record(at, &format!("household {id}")).await?;
    Ok((config, household, rent))
}

/// Plans another meter, epoch or ratings; what has no flag stays.
pub async fn replace_meter(desk: &Desk, flags: &ReplaceMeterArguments) -> Result<Planned, AdminError> {
    let (config, household, _) = read(desk, flags.household).await?;
    let meter_key = flags.meter_key.map_or(household.meter_key, |key| key.to_bytes());
    let another = meter_key != household.meter_key;
    // Another meter begins a later epoch of the household: rows name the epoch, not the key.
    let next = household.meter_epoch.saturating_add(u32::from(another));
    let meter_epoch = flags.meter_epoch.unwrap_or(next);
    let same = !another && meter_epoch == household.meter_epoch;
    let begins = |register: Option<u64>, attested: u64, name: &str| match register {
        Some(register) => Ok(register),
        None if same => Ok(attested),
        None => Err(AdminError::Invalid(format!(
            "say what the meter's {name} register shows now (--initial-{name}-wh): what it counted before is not the household's"
        ))),
    };
    let replacement = Replacement {
        household_id: flags.household,
        meter_key,
        meter_epoch,
        export_rating_w: flags.export_rating_w.unwrap_or(household.export_rating_w),
        import_rating_w: flags.import_rating_w.unwrap_or(household.import_rating_w),
        initial_export_wh: begins(flags.initial_export_wh, household.meter_export_wh, "export")?,
        initial_import_wh: begins(flags.initial_import_wh, household.meter_import_wh, "import")?,
    };
    admin::replace_meter(&desk.operator.program, &config, &household, &replacement)
}

/// Plans a proposal, by the household's authority if its key is at hand, else the admin.
pub async fn propose_authority(
    desk: &Desk,
    id: u32,
    authority: Option<Address>,
) -> Result<Planned, AdminError> {
    let (config, household, _) = read(desk, id).await?;
    let key = own_or_admin(desk, household.authority, config.admin);
    admin::propose_authority(&desk.operator.program, &config, &household, key, authority)
}

/// Plans to take a proposal back.
pub async fn cancel_authority(desk: &Desk, id: u32) -> Result<Planned, AdminError> {
    let (config, household, _) = read(desk, id).await?;
    let own = if household.is_custodial() { config.custodian.key } else { household.authority };
    let key = own_or_admin(desk, own, config.admin);
    admin::cancel_authority(&desk.operator.program, &config, &household, key)
}

fn own_or_admin(desk: &Desk, own: [u8; 32], admin: [u8; 32]) -> Address {
    // The admin comes first: its signature is what is asked for when neither key is here.
    let may = [admin, own].map(Address::new_from_array);
    desk.preferred(&may).unwrap_or_default()
}

/// Plans the take-over.
pub async fn accept_authority(desk: &Desk, id: u32) -> Result<Planned, AdminError> {
    let (config, household, _) = read(desk, id).await?;
    let now = desk.operator.now().await?;
    admin::accept_authority(&desk.operator.program, &config, &household, now)
}

/// Plans the end of an empty household.
pub async fn close(desk: &Desk, id: u32, feeder: FeederAfter) -> Result<Planned, AdminError> {
    let (config, household, rent) = read(desk, id).await?;
    let vault = desk.operator.tokens(&[Address::new_from_array(household.vault)]).await?;
    let (vault_wh, vault_rent) = vault.first().copied().unwrap_or((0, 0));
    admin::close_household(
        &desk.operator.program,
        &config,
        &household,
        (vault_wh, rent.saturating_add(vault_rent)),
        feeder,
    )
}

/// Plans an adjustment, signed by as many oracles as it takes: those named, then those
/// whose keys are at hand.
pub async fn adjust(desk: &Desk, flags: &AdjustArguments) -> Result<Planned, AdminError> {
    let (config, household, _) = read(desk, flags.household).await?;
    let mut oracles = flags.oracles.clone();
    for address in desk.keys.addresses(Role::Oracle) {
        let member = config.oracles.members().contains(&address.to_bytes());
        if member && !oracles.contains(&address) && oracles.len() < usize::from(config.oracles.threshold) {
            oracles.push(address);
        }
    }
    let order = AdjustOrder {
        export_wh: flags.export_wh,
        import_wh: flags.import_wh,
        reason: &flags.reason,
        oracles: &oracles,
    };
    let now = desk.operator.now().await?;
    admin::adjust(&desk.operator.program, &config, &household, &order, now)
}
