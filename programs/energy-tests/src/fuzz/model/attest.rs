//! Registers, and the errors found in them later.

use super::call::{exactly, head};
use super::{Model, Verdict, Why, need};
use crate::fuzz::deed::{Deed, Party};
use crate::fuzz::place::Place;
use jirani_energy_interface::EnergyError as E;
use jirani_energy_interface::event::RowStatus;
use jirani_energy_interface::instruction::{AdjustData, AttestData, RowData, Tag};

impl Model {
    /// Requires enough different oracles of the present set, and nobody else.
    fn oracles(&self, version: u32, oracles: &[Party]) -> Verdict {
        need(version == self.rules.oracle_version, E::OracleVersion)?;
        for (i, oracle) in oracles.iter().enumerate() {
            need(oracle.signs, E::MissingSigner)?;
            need(self.rules.oracles.contains(&oracle.key), E::NotOracle)?;
            need(oracles[..i].iter().all(|other| other.key != oracle.key), E::OracleTwice)?;
        }
        need(oracles.len() >= self.rules.threshold, E::OracleThreshold)
    }

    pub(super) fn attest(&mut self, deed: &Deed) -> Verdict {
        let (data, rows) = head::<AttestData>(&deed.data)?;
        let count = usize::from(data.rows);
        need((1..=28).contains(&count) && rows.len() == count * 24, E::RowCount)?;
        self.check(deed, Tag::Attest)?;
        let rest = &deed.parties[5..];
        let split = rest.len().checked_sub(2 * count).ok_or(Why::Ours(E::AccountsMissing))?;
        let (oracles, pairs) = rest.split_at(split);
        self.rules.running()?;
        need(deed.parties[1].place == Place::Mint, E::WrongMint)?;
        self.oracles(data.oracle_version, oracles)?;
        need(data.slot_end <= self.now + i64::from(self.rules.limits.clock_skew_s), E::SlotInFuture)?;
        let Place::Evidence(feeder) = deed.parties[2].place else { return Err(Why::Elsewhere) };
        self.evidence.insert(feeder, (data.slot_end, data.evidence_root));
        self.touched.insert(Place::Evidence(feeder));
        for (row, pair) in rows.chunks_exact(24).zip(pairs.chunks_exact(2)) {
            let row: RowData = exactly(row)?;
            // A row that does not fit is skipped; an overflow of the supply is not ours.
            self.row(&row, pair, data.slot_end, feeder)?.ok();
        }
        Ok(())
    }

    /// Applies one row, or says why it is skipped.
    fn row(
        &mut self,
        row: &RowData,
        pair: &[Party],
        slot_end: i64,
        feeder: u16,
    ) -> Verdict<Result<(), RowStatus>> {
        let (account, vault) = (pair[0], pair[1]);
        if self.opened(&account, b'h').is_err() {
            return Ok(Err(RowStatus::NotHousehold));
        }
        let id = Self::home_at(account.place)?;
        let vault_wh = self.wh(Place::Vault(id));
        let bucket_s = self.rules.limits.bucket_s;
        let home = self.homes.get_mut(&id).ok_or(Why::Elsewhere)?;
        let same_vault = vault.place == Place::Vault(id) && vault.writable;
        let skipped = [
            (home.feeder != feeder, RowStatus::WrongFeeder),
            (home.epoch != row.meter_epoch, RowStatus::WrongEpoch),
            (slot_end <= home.last_slot, RowStatus::Stale),
            (!same_vault, RowStatus::WrongVault),
            (row.export_wh < home.registers.0 || row.import_wh < home.registers.1, RowStatus::Lowered),
        ];
        if let Some((_, status)) = skipped.iter().find(|(skip, _)| *skip) {
            return Ok(Err(*status));
        }
        let (exported, imported) = (row.export_wh - home.registers.0, row.import_wh - home.registers.1);
        let seconds = slot_end - home.last_slot;
        let Some(export) = home.buckets.0.filled(seconds, bucket_s).less(exported) else {
            return Ok(Err(RowStatus::ExportOverBucket));
        };
        let Some(import) = home.buckets.1.filled(seconds, bucket_s).less(imported) else {
            return Ok(Err(RowStatus::ImportOverBucket));
        };
        let sums = [
            (home.attested.0, exported),
            (home.attested.1, imported),
            (home.minted, exported),
            (home.owes, imported),
            (home.burned, home.owes.saturating_add(imported)),
            (vault_wh, exported),
        ];
        if sums.iter().any(|(sum, part)| sum.checked_add(*part).is_none()) {
            return Ok(Err(RowStatus::Overflow));
        }
        home.buckets = (export, import);
        home.registers = (row.export_wh, row.import_wh);
        home.attested = (home.attested.0 + exported, home.attested.1 + imported);
        home.last_slot = slot_end;
        self.count(id, exported, imported, vault_wh)?;
        Ok(Ok(()))
    }

    /// What comes in is minted, what went out is burned as far as there are tokens; the
    /// rest is owed.
    fn count(&mut self, id: u32, exported: u64, imported: u64, vault_wh: u64) -> Verdict {
        let home = self.homes.get_mut(&id).ok_or(Why::Elsewhere)?;
        home.minted = home.minted.checked_add(exported).ok_or(Why::Elsewhere)?;
        home.owes = home.owes.checked_add(imported).ok_or(Why::Elsewhere)?;
        let paid = home.pay(vault_wh.checked_add(exported).ok_or(Why::Elsewhere)?)?;
        self.touched.insert(Place::Home(id));
        let vault = Place::Vault(id);
        if exported >= paid { self.mint(vault, exported - paid) } else { self.burn(vault, paid - exported) }
    }

    pub(super) fn adjust(&mut self, deed: &Deed) -> Verdict {
        let data: AdjustData = exactly(&deed.data)?;
        self.check(deed, Tag::Adjust)?;
        self.rules.running()?;
        need(deed.parties[0].key == self.rules.admin, E::NotAdmin)?;
        need(deed.parties[2].place == Place::Mint, E::WrongMint)?;
        self.oracles(data.oracle_version, &deed.parties[7..])?;
        let energy = data.export_wh.checked_add(data.import_wh).ok_or(Why::Ours(E::Overflow))?;
        need(energy > 0 && data.reason != [0; 32], E::InvalidAdjustment)?;
        let cap = self.rules.caps.adjustment_wh;
        let spent = self.rules.adjusted.spend(self.now, (energy, 0), (cap, 0));
        spent.ok_or(Why::Ours(E::AdjustmentCap))?;
        let id = Self::home_at(deed.parties[3].place)?;
        need(deed.parties[4].place == Place::Vault(id), E::WrongAddress)?;
        let vault_wh = self.wh(Place::Vault(id));
        let home = self.homes.get_mut(&id).ok_or(Why::Elsewhere)?;
        need(home.adjusted == (data.adjusted_export_wh, data.adjusted_import_wh), E::AdjustmentStale)?;
        home.adjusted.0 = home.adjusted.0.checked_add(data.export_wh).ok_or(Why::Elsewhere)?;
        home.adjusted.1 = home.adjusted.1.checked_add(data.import_wh).ok_or(Why::Elsewhere)?;
        self.touched.insert(Place::Config);
        self.count(id, data.export_wh, data.import_wh, vault_wh)
    }
}
