use jirani_energy_interface::accounts;
use jirani_energy_interface::event::{Event, EventKind};
use jirani_energy_interface::instruction::EnrolData;
use jirani_energy_interface::state::{
    Config, Evidence, Household, HouseholdKind, INITIAL_BUCKET_S, Record, flags, ratings_are_valid,
};
use jirani_energy_interface::token::TOKEN_ACCOUNT_LEN;
use jirani_energy_interface::{EnergyError, programs, seeds};
use pinocchio::AccountView;

use crate::call::{self, Call};
use crate::create::NewAccount;
use crate::refusal::{Check, Refuse};
use crate::{account, time, token};

const RULES: [u8; 10] = accounts::rules(accounts::ENROL);

/// Creates a household's record, its vault and, the first time, its feeder's
/// Evidence. What its meter counted before mints nothing.
#[inline(never)]
pub fn enrol(call: &Call, accounts: &mut [AccountView]) -> Check {
    let program_id = call.program_id;
    let data = call.data::<EnrolData>()?;
    call.check(accounts, &RULES)?;
    let [admin, payer, config_account, household_account, vault, mint, evidence, _, _, _, ..] = accounts
    else {
        return false.or_refuse(EnergyError::AccountsMissing);
    };
    check(data)?;
    let (config_bump, bucket_s) = {
        let config = account::read::<Config>(config_account, program_id)?;
        super::admin(&config, admin)?;
        call::is(mint, &config.mint).or_refuse(EnergyError::WrongMint)?;
        (config.bump, config.limits.bucket_s)
    };
    let now = time::now()?;
    let new = NewAccount::new(payer, household_account, Household::LEN, program_id);
    let bump = call.create(&new, &[seeds::HOUSEHOLD, &data.household_id.to_le_bytes()])?;
    let new = NewAccount::new(payer, vault, TOKEN_ACCOUNT_LEN, &programs::TOKEN_2022);
    let vault_bump = call.create(&new, &[seeds::VAULT, household_account.address().as_ref()])?;
    token::open_account(vault, mint, config_account)?;
    {
        let initial_s = INITIAL_BUCKET_S.min(bucket_s);
        let mut household = account::fresh::<Household>(household_account, program_id)?;
        household.bump = bump;
        household.vault_bump = vault_bump;
        household.kind = data.kind;
        household.flags = data.flags;
        household.feeder = data.feeder;
        household.id = data.household_id;
        household.meter_epoch = data.meter_epoch;
        household.authority = data.authority;
        household.vault = *vault.address().as_array();
        household.meter_key = data.meter_key;
        household.export_rating_w = data.export_rating_w;
        household.import_rating_w = data.import_rating_w;
        household.export_bucket_j = u64::from(data.export_rating_w) * u64::from(initial_s);
        household.import_bucket_j = u64::from(data.import_rating_w) * u64::from(initial_s);
        household.meter_export_wh = data.initial_export_wh;
        household.meter_import_wh = data.initial_import_wh;
        household.last_slot_end = now;
        household.enrolled_at = now;
        household.rent_payer = *payer.address().as_array();
    }
    open_evidence(call, payer, evidence, data.feeder)?;
    let mut event = Event::new(EventKind::Enrolled, now);
    event.household_id = data.household_id;
    event.number = u64::from(data.feeder);
    event.subject = *household_account.address().as_array();
    call::emit(call, config_account, config_bump, &event)
}

/// Creates the feeder's Evidence unless it is there.
#[inline(always)]
fn open_evidence(call: &Call, payer: &AccountView, evidence: &mut AccountView, feeder: u16) -> Check {
    let feeder = feeder.to_le_bytes();
    let seeds: [&[u8]; 2] = [seeds::EVIDENCE, &feeder];
    if evidence.owned_by(call.program_id) {
        // Any other record of ours at this address is impossible.
        return call.bump(evidence, &seeds, call.program_id).map(|_| ());
    }
    let bump = call.create(&NewAccount::new(payer, evidence, Evidence::LEN, call.program_id), &seeds)?;
    let mut record = account::fresh::<Evidence>(evidence, call.program_id)?;
    record.bump = bump;
    record.feeder = u16::from_le_bytes(feeder);
    Ok(())
}

/// Requires a number, a known kind, known flags, a rating, and somebody who signs.
#[inline(always)]
fn check(data: &EnrolData) -> Check {
    let signs = data.flags == flags::CUSTODIAL || (data.flags == 0 && !call::nobody(&data.authority));
    let rated = ratings_are_valid(data.export_rating_w, data.import_rating_w);
    let known = HouseholdKind::from_byte(data.kind).is_some() && data.household_id > 0;
    (known && signs && rated).or_refuse(EnergyError::InvalidHousehold)
}
