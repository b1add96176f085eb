use core::mem::MaybeUninit;
use core::slice::from_raw_parts;

use bytemuck::Zeroable;
use jirani_energy_interface::accounts;
use jirani_energy_interface::event::{AttestedRow, Event, EventKind, RowStatus};
use jirani_energy_interface::instruction::{AttestData, RowData};
use jirani_energy_interface::state::{Config, Evidence, EvidenceEntry, Household};
use jirani_energy_interface::{ATTEST_ROW_ACCOUNTS, ATTEST_ROWS_MAX, EnergyError};
use pinocchio::{AccountView, Address};

use crate::call::{self, Authority, Call};
use crate::refusal::{Check, Refuse};
use crate::token::{self, OPERATIONS_MAX, Operation, Operations};
use crate::{account, time};

const RULES: [u8; 5] = accounts::rules(accounts::ATTEST);

/// The event of a batch, as it is written: the rows in use follow the head. Most of a
/// kilobyte, so what is not used is not even cleared.
#[repr(C)]
struct BatchEvent {
    head: MaybeUninit<Event>,
    rows: [MaybeUninit<AttestedRow>; ATTEST_ROWS_MAX],
}

impl BatchEvent {
    /// The bytes of the head and the first `rows` rows.
    ///
    /// # Safety
    /// The head and those rows must have been written.
    unsafe fn bytes(&self, rows: usize) -> &[u8] {
        let length = size_of::<Event>() + rows.min(ATTEST_ROWS_MAX) * size_of::<AttestedRow>();
        // SAFETY: `repr(C)` of plain data without padding, written by the caller.
        unsafe { from_raw_parts(core::ptr::from_ref(self).cast(), length) }
    }
}

/// Attests registers: each row's export, import and shortfall become one mint or
/// one burn. A bad row is skipped and reported; the batch goes on.
#[inline(never)]
pub fn attest(call: &Call, accounts: &mut [AccountView]) -> Check {
    let program_id = call.program_id;
    let (head, row_data) = call.data_and_rest::<AttestData>()?;
    let count = usize::from(head.rows);
    ((1..=ATTEST_ROWS_MAX).contains(&count) && row_data.len() == count * size_of::<RowData>())
        .or_refuse(EnergyError::RowCount)?;
    call.check(accounts, &RULES)?;
    let [config, mint, evidence, _, _, rest @ ..] = accounts else {
        return false.or_refuse(EnergyError::AccountsMissing);
    };
    let oracles =
        rest.len().checked_sub(count * ATTEST_ROW_ACCOUNTS).or_refuse(EnergyError::AccountsMissing)?;
    let (oracles, row_accounts) = rest.split_at_mut(oracles);

    let now = time::now()?;
    let (config_bump, bucket_s) = {
        let config = account::read::<Config>(config, program_id)?;
        super::running(&config)?;
        call::is(mint, &config.mint).or_refuse(EnergyError::WrongMint)?;
        super::oracles_signed(&config.oracles, head.oracle_version, oracles)?;
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
    let mut report =
        BatchEvent { head: MaybeUninit::uninit(), rows: [const { MaybeUninit::uninit() }; ATTEST_ROWS_MAX] };
    let mut operations = Operations::<OPERATIONS_MAX>::new();
    for ((row, pair), entry) in row_data
        .chunks_exact(size_of::<RowData>())
        .zip(row_accounts.chunks_exact_mut(ATTEST_ROW_ACCOUNTS))
        .zip(&mut report.rows)
    {
        let row: RowData = bytemuck::pod_read_unaligned(row);
        let entry = entry.write(AttestedRow::zeroed());
        let slot = Slot { end: head.slot_end, feeder, bucket_s };
        match apply(program_id, pair, &row, &slot, entry) {
            Ok(Some(operation)) => {
                operations.push(operation)?;
                if operations.is_full() {
                    token::run(&authority, mint, operations.as_slice())?;
                    operations = Operations::new();
                }
            }
            Ok(None) => {}
            Err(status) => entry.status = status as u8,
        }
    }
    token::run(&authority, mint, operations.as_slice())?;

    let mut head_event = Event::new(EventKind::Attested, head.slot_end);
    head_event.detail = head.rows;
    head_event.household_id = u32::from(feeder);
    head_event.subject = head.evidence_root;
    report.head.write(head_event);
    // SAFETY: the head was written here, and `count` rows above: there are as many rows
    // of data and pairs of accounts.
    authority.emit_bytes(unsafe { report.bytes(count) })
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
    check(household.feeder == slot.feeder, RowStatus::WrongFeeder)?;
    check(household.meter_epoch == row.meter_epoch, RowStatus::WrongEpoch)?;
    check(slot.end > household.last_slot_end, RowStatus::Stale)?;
    check(call::is(vault, &household.vault) && vault.is_writable(), RowStatus::WrongVault)?;
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
