use bytemuck::{Pod, Zeroable};
use jirani_energy_interface::event::{AttestedRow, Event, EventKind, RowStatus};
use jirani_energy_interface::instruction::{AttestData, RowData};
use jirani_energy_interface::state::{Config, Evidence, EvidenceEntry, Household, OracleSet, flags};
use jirani_energy_interface::{ATTEST_ROW_ACCOUNTS, ATTEST_ROWS_MAX, EnergyError, programs};
use pinocchio::error::ProgramError;
use pinocchio::{AccountView, Address, ProgramResult};

use crate::account::{self, Refuse};
use crate::call::{Authority, Call};
use crate::time;
use crate::token::{self, OPERATIONS_MAX, Operation};

/// The event of a batch, as it is written: the rows in use follow the head.
#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct BatchEvent {
    head: Event,
    rows: [AttestedRow; ATTEST_ROWS_MAX],
}

/// Attests registers: each row's export, import and shortfall become one mint or
/// one burn. A bad row is skipped and reported; the batch goes on.
///
/// Accounts: 0 Config; 1 mint (w); 2 Evidence (w); 3 Token-2022; 4 this program;
/// then the oracles (s); then per row Household (w), vault (w).
#[inline(never)]
pub fn attest(call: Call) -> ProgramResult {
    let Call { program_id, accounts, data } = call;
    let (head, row_data) = account::data_and_rest::<AttestData>(data)?;
    let count = usize::from(head.rows);
    ((1..=ATTEST_ROWS_MAX).contains(&count) && row_data.len() == count * size_of::<RowData>())
        .or_refuse(EnergyError::RowCount)?;
    let [config, mint, evidence, token_program, this, rest @ ..] = accounts else {
        return false.or_refuse(EnergyError::AccountsMissing);
    };
    let oracles =
        rest.len().checked_sub(count * ATTEST_ROW_ACCOUNTS).or_refuse(EnergyError::AccountsMissing)?;
    let (oracles, row_accounts) = rest.split_at_mut(oracles);
    account::program(token_program, &programs::TOKEN_2022)?;
    account::program(this, program_id)?;
    account::writables([mint])?;

    let now = time::now()?;
    let (config_bump, bucket_s) = {
        let config = account::read::<Config>(config, program_id)?;
        (config.paused == 0).or_refuse(EnergyError::Paused)?;
        account::is(mint, &config.mint).or_refuse(EnergyError::WrongMint)?;
        (head.oracle_version == config.oracles.version).or_refuse(EnergyError::OracleVersion)?;
        check_oracles(&config.oracles, oracles)?;
        let latest = now.saturating_add(i64::from(config.limits.clock_skew_s));
        (head.slot_end <= latest).or_refuse(EnergyError::SlotInFuture)?;
        (config.bump, config.limits.bucket_s)
    };
    let feeder = {
        let mut evidence = account::write::<Evidence>(evidence, program_id)?;
        evidence.record(EvidenceEntry { slot_end: head.slot_end, root: head.evidence_root });
        evidence.feeder
    };

    let authority = Authority { program_id, config, bump: config_bump };
    let mut report = BatchEvent::zeroed();
    let mut operations = [Operation::Close { account: *mint, to: *mint }; OPERATIONS_MAX];
    let mut waiting = 0;
    for ((row, pair), entry) in row_data
        .chunks_exact(size_of::<RowData>())
        .zip(row_accounts.chunks_exact_mut(ATTEST_ROW_ACCOUNTS))
        .zip(&mut report.rows)
    {
        let row: RowData = bytemuck::pod_read_unaligned(row);
        let slot = Slot { end: head.slot_end, feeder, bucket_s };
        match apply(program_id, pair, &row, &slot, entry) {
            Ok(Some(operation)) => {
                operations[waiting] = operation;
                waiting += 1;
                if waiting == OPERATIONS_MAX {
                    token::run(&authority, mint, &operations)?;
                    waiting = 0;
                }
            }
            Ok(None) => {}
            Err(status) => entry.status = status as u8,
        }
    }
    token::run(&authority, mint, &operations[..waiting])?;

    report.head = Event::new(EventKind::Attested, head.slot_end);
    report.head.detail = head.rows;
    report.head.household_id = u32::from(feeder);
    report.head.subject = head.evidence_root;
    let length = size_of::<Event>() + count * size_of::<AttestedRow>();
    authority.emit_bytes(&bytemuck::bytes_of(&report)[..length])
}

/// Requires every oracle to be a member that signed, each once, and enough of them.
#[inline(always)]
fn check_oracles(set: &OracleSet, oracles: &[AccountView]) -> Result<(), ProgramError> {
    for (i, oracle) in oracles.iter().enumerate() {
        oracle.is_signer().or_refuse(EnergyError::MissingSigner)?;
        set.members().contains(oracle.address().as_array()).or_refuse(EnergyError::NotOracle)?;
        (!oracles[..i].iter().any(|earlier| earlier.address() == oracle.address()))
            .or_refuse(EnergyError::OracleTwice)?;
    }
    (oracles.len() >= usize::from(set.threshold)).or_refuse(EnergyError::OracleThreshold)
}

/// What all rows of a batch share.
struct Slot {
    end: i64,
    feeder: u16,
    bucket_s: u32,
}

/// Applies one row, fills its report and gives the token operation it needs. On an
/// error nothing of the household has changed.
#[inline(always)]
fn apply(
    program_id: &Address,
    pair: &mut [AccountView],
    row: &RowData,
    slot: &Slot,
    report: &mut AttestedRow,
) -> Result<Option<Operation>, RowStatus> {
    let [account, vault] = pair else { return Err(RowStatus::NotHousehold) };
    let mut household =
        account::write::<Household>(account, program_id).map_err(|_| RowStatus::NotHousehold)?;
    report.household_id = household.id;
    report.shortfall_wh = household.shortfall_wh;
    check(household.flags & flags::CLOSED == 0, RowStatus::NotHousehold)?;
    check(household.feeder == slot.feeder, RowStatus::WrongFeeder)?;
    check(household.meter_epoch == row.meter_epoch, RowStatus::WrongEpoch)?;
    check(slot.end > household.last_slot_end, RowStatus::Stale)?;
    check(account::is(vault, &household.vault) && vault.is_writable(), RowStatus::WrongVault)?;
    let vault_wh = token::balance(vault).map_err(|_| RowStatus::WrongVault)?;
    let exported = row.export_wh.checked_sub(household.meter_export_wh).ok_or(RowStatus::Lowered)?;
    let imported = row.import_wh.checked_sub(household.meter_import_wh).ok_or(RowStatus::Lowered)?;

    // The slot's end is later than the last, so the difference is positive.
    let elapsed = slot.end.checked_sub(household.last_slot_end).ok_or(RowStatus::Overflow)?;
    let elapsed = u32::try_from(elapsed).unwrap_or(u32::MAX);
    let drain = |bucket, rating, wh| Household::drain(bucket, rating, elapsed, slot.bucket_s, wh);
    let export_bucket = drain(household.export_bucket_j, household.export_rating_w, exported)
        .ok_or(RowStatus::ExportOverBucket)?;
    let import_bucket = drain(household.import_bucket_j, household.import_rating_w, imported)
        .ok_or(RowStatus::ImportOverBucket)?;
    let net = household.net(exported, imported, vault_wh).ok_or(RowStatus::Overflow)?;
    let sum = |total: u64, part| total.checked_add(part).ok_or(RowStatus::Overflow);
    let export_wh = sum(household.export_wh, exported)?;
    let import_wh = sum(household.import_wh, imported)?;
    let minted_wh = sum(household.minted_wh, exported)?;
    let burned_wh = sum(household.burned_wh, net.burned_wh)?;

    household.export_bucket_j = export_bucket;
    household.import_bucket_j = import_bucket;
    household.meter_export_wh = row.export_wh;
    household.meter_import_wh = row.import_wh;
    household.export_wh = export_wh;
    household.import_wh = import_wh;
    household.minted_wh = minted_wh;
    household.burned_wh = burned_wh;
    household.shortfall_wh = net.shortfall_wh;
    household.last_slot_end = slot.end;
    report.minted_wh = exported;
    report.burned_wh = net.burned_wh;
    report.shortfall_wh = net.shortfall_wh;
    Ok(match exported.checked_sub(net.burned_wh) {
        Some(0) => None,
        Some(wh) => Some(Operation::Mint { to: *vault, wh }),
        None => Some(Operation::Burn { from: *vault, wh: net.burned_wh - exported }),
    })
}

#[inline(always)]
fn check(holds: bool, status: RowStatus) -> Result<(), RowStatus> {
    if holds { Ok(()) } else { Err(status) }
}
