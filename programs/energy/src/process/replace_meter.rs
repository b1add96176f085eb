use jirani_energy_interface::EnergyError;
use jirani_energy_interface::accounts;
use jirani_energy_interface::event::{Event, EventKind};
use jirani_energy_interface::instruction::ReplaceMeterData;
use jirani_energy_interface::state::{Config, Household, ratings_are_valid};
use pinocchio::AccountView;

use crate::call::{self, Call};
use crate::refusal::{Check, Refuse};
use crate::{account, time};

const RULES: [u8; 4] = accounts::rules(accounts::REPLACE_METER);

/// Another meter, another epoch of the same one, or other ratings. Totals stay, a new
/// meter's past counts nothing, and no bucket is filled by it. Attest the old meter's
/// last registers first; what is missed is mended by an adjustment.
#[inline(never)]
pub fn replace_meter(call: &Call, accounts: &mut [AccountView]) -> Check {
    let data = call.data::<ReplaceMeterData>()?;
    call.check(accounts, &RULES)?;
    let [admin, config_account, household_account, _, ..] = accounts else {
        return false.or_refuse(EnergyError::AccountsMissing);
    };
    let now = time::now()?;
    let mut event = Event::new(EventKind::MeterReplaced, now);
    let bump = {
        let config = account::read::<Config>(config_account, call.program_id)?;
        super::admin(&config, admin)?;
        let mut household = account::write::<Household>(household_account, call.program_id)?;
        let continues = household.meter_epoch == data.meter_epoch
            && household.meter_export_wh == data.initial_export_wh
            && household.meter_import_wh == data.initial_import_wh
            && call::same(&household.meter_key, &data.meter_key);
        // Rows name the epoch, not the key: only a later epoch keeps the old meter's rows
        // from counting as the new one's.
        let begins = data.meter_epoch > household.meter_epoch;
        let rated = ratings_are_valid(data.export_rating_w, data.import_rating_w);
        ((continues || begins) && rated).or_refuse(EnergyError::InvalidMeter)?;
        household.refit(now, data.export_rating_w, data.import_rating_w, config.limits.bucket_s);
        household.meter_key = data.meter_key;
        household.meter_epoch = data.meter_epoch;
        household.meter_export_wh = data.initial_export_wh;
        household.meter_import_wh = data.initial_import_wh;
        event.household_id = household.id;
        event.number = u64::from(data.meter_epoch);
        event.subject = data.meter_key;
        config.bump
    };
    call::emit(call, config_account, bump, &event)
}
