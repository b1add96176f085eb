use bytemuck::Zeroable;
use jirani_energy_interface::event::{Event, EventKind};
use jirani_energy_interface::instruction::EnrolData;
use jirani_energy_interface::state::{
    Config, Evidence, Household, HouseholdKind, INITIAL_BUCKET_S, Record, flags,
};
use jirani_energy_interface::token::TOKEN_ACCOUNT_LEN;
use jirani_energy_interface::{EnergyError, programs, seeds};
use pinocchio::ProgramResult;
use pinocchio::cpi::Seed;

use crate::account::{self, Refuse};
use crate::call::{Authority, Call};
use crate::create::{self, NewAccount};
use crate::{time, token};

/// Creates a household's record, its vault and, the first time, its feeder's
/// Evidence.
///
/// Accounts: 0 admin (s); 1 payer (s, w); 2 Config; 3 Household (w); 4 vault (w);
/// 5 mint; 6 Evidence (w); 7 system program; 8 Token-2022; 9 this program.
#[inline(never)]
pub fn enrol(call: Call) -> ProgramResult {
    let Call { program_id, accounts, data } = call;
    let data: EnrolData = account::data(data)?;
    let [admin, payer, config_account, household, vault, mint, evidence, system, token_program, this, ..] =
        accounts
    else {
        return false.or_refuse(EnergyError::AccountsMissing);
    };
    account::signers([admin, payer])?;
    account::writables([payer, household, vault, evidence])?;
    account::program(system, &programs::SYSTEM)?;
    account::program(token_program, &programs::TOKEN_2022)?;
    account::program(this, program_id)?;
    check(&data)?;
    let (config_bump, bucket_s) = {
        let config = account::read::<Config>(config_account, program_id)?;
        account::is(admin, &config.admin).or_refuse(EnergyError::NotAdmin)?;
        account::is(mint, &config.mint).or_refuse(EnergyError::WrongMint)?;
        (config.bump, config.limits.bucket_s)
    };
    let now = time::now()?;
    let id = data.household_id.to_le_bytes();
    let bump = create::bump(household, &[seeds::HOUSEHOLD, &id], program_id)?;
    let vault_bump = create::bump(vault, &[seeds::VAULT, household.address().as_ref()], program_id)?;
    create::derived(
        &NewAccount {
            payer,
            account: household,
            lamports: create::rent(Household::LEN)?,
            space: Household::LEN,
            owner: program_id,
        },
        &[Seed::from(seeds::HOUSEHOLD), Seed::from(&id), Seed::from(&[bump])],
    )?;
    create::derived(
        &NewAccount {
            payer,
            account: vault,
            lamports: create::rent(TOKEN_ACCOUNT_LEN)?,
            space: TOKEN_ACCOUNT_LEN,
            owner: &programs::TOKEN_2022,
        },
        &[Seed::from(seeds::VAULT), Seed::from(household.address().as_ref()), Seed::from(&[vault_bump])],
    )?;
    token::open_account(vault, mint, config_account)?;

    let initial_s = INITIAL_BUCKET_S.min(bucket_s);
    let record = Household {
        discriminator: Household::DISCRIMINATOR,
        version: Household::VERSION,
        bump,
        vault_bump,
        kind: data.kind,
        flags: data.flags,
        feeder: data.feeder,
        id: data.household_id,
        meter_epoch: data.meter_epoch,
        authority: data.authority,
        vault: *vault.address().as_array(),
        meter_key: data.meter_key,
        export_rating_w: data.export_rating_w,
        import_rating_w: data.import_rating_w,
        export_bucket_j: u64::from(data.export_rating_w) * u64::from(initial_s),
        import_bucket_j: u64::from(data.import_rating_w) * u64::from(initial_s),
        meter_export_wh: data.initial_export_wh,
        meter_import_wh: data.initial_import_wh,
        last_slot_end: now,
        enrolled_at: now,
        ..Household::zeroed()
    };
    account::init(household, &record)?;
    let mut event = Event::new(EventKind::Enrolled, now);
    event.household_id = data.household_id;
    event.number = u64::from(data.feeder);
    event.subject = *household.address().as_array();

    let feeder = data.feeder.to_le_bytes();
    let evidence_bump = create::bump(evidence, &[seeds::EVIDENCE, &feeder], program_id)?;
    if !evidence.owned_by(program_id) {
        create::derived(
            &NewAccount {
                payer,
                account: evidence,
                lamports: create::rent(Evidence::LEN)?,
                space: Evidence::LEN,
                owner: program_id,
            },
            &[Seed::from(seeds::EVIDENCE), Seed::from(&feeder), Seed::from(&[evidence_bump])],
        )?;
        // The whole record is too large for a stack frame: fill its head in place.
        let mut bytes = evidence.try_borrow_mut()?;
        let head = [Evidence::DISCRIMINATOR, Evidence::VERSION, evidence_bump, 0, feeder[0], feeder[1]];
        bytes.get_mut(..head.len()).or_refuse(EnergyError::WrongType)?.copy_from_slice(&head);
    }
    Authority { program_id, config: config_account, bump: config_bump }.emit(&event)
}

/// Requires a known kind, known flags, a rating, and somebody who signs.
fn check(data: &EnrolData) -> ProgramResult {
    let signs = data.flags == flags::CUSTODIAL || (data.flags == 0 && data.authority != [0; 32]);
    let rated = data.export_rating_w > 0 || data.import_rating_w > 0;
    (HouseholdKind::from_byte(data.kind).is_some() && signs && rated).or_refuse(EnergyError::InvalidHousehold)
}
