use super::{EnergyProgram, bytes_of, readonly, signer, writable};
use crate::instruction::{AttestData, RowData, Tag};
use crate::{Key, programs};
use solana_address::Address;
use solana_instruction::Instruction;

/// Registers of one household at a slot's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttestationRow {
    /// Its number.
    pub household_id: u32,
    /// Epoch of its meter.
    pub meter_epoch: u32,
    /// Export register, Wh.
    pub export_wh: u64,
    /// Import register, Wh.
    pub import_wh: u64,
}

/// A batch of rows of one slot and feeder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attestation<'a> {
    /// Feeder.
    pub feeder: u16,
    /// End of the slot, Unix seconds.
    pub slot_end: i64,
    /// Root of the evidence.
    pub evidence_root: Key,
    /// Version of the oracle set in Config; 1 until it is changed.
    pub oracle_version: u32,
    /// Who signs; at least the threshold, all different.
    pub oracles: &'a [Address],
    /// Rows, at most [`crate::attest_rows_that_fit`] of the oracles' number.
    pub rows: &'a [AttestationRow],
}

impl EnergyProgram {
    /// Attests registers. Signed by the oracles. Costs two account locks a row,
    /// so 28 rows need a transaction of format v1.
    pub fn attest(&self, attestation: &Attestation<'_>) -> Instruction {
        self.attest_at(attestation, |household_id| {
            let household = self.household(household_id);
            (household, self.vault(&household))
        })
    }

    /// [`EnergyProgram::attest`] for who knows the addresses of a household and its
    /// vault already: finding them costs more than everything else.
    pub fn attest_at(
        &self,
        attestation: &Attestation<'_>,
        mut addresses: impl FnMut(u32) -> (Address, Address),
    ) -> Instruction {
        let mut accounts = alloc::vec![
            readonly(self.config),
            writable(self.mint),
            writable(self.evidence(attestation.feeder)),
            readonly(programs::TOKEN_2022),
            readonly(self.id),
        ];
        accounts.extend(attestation.oracles.iter().map(|oracle| signer(*oracle)));
        let mut data = bytes_of(&AttestData {
            tag: Tag::Attest as u8,
            // More rows than a byte counts are refused by the program all the same.
            rows: u8::try_from(attestation.rows.len()).unwrap_or(u8::MAX),
            reserved: 0,
            oracle_version: attestation.oracle_version,
            slot_end: attestation.slot_end,
            evidence_root: attestation.evidence_root,
        });
        for row in attestation.rows {
            let (household, vault) = addresses(row.household_id);
            accounts.push(writable(household));
            accounts.push(writable(vault));
            data.extend_from_slice(bytemuck::bytes_of(&RowData {
                export_wh: row.export_wh,
                import_wh: row.import_wh,
                meter_epoch: row.meter_epoch,
                reserved: 0,
            }));
        }
        self.instruction(accounts, data)
    }
}
