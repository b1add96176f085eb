use super::{EnergyProgram, bytes_of, readonly, signer, writable};
use crate::instruction::{
    AdjustData, AmountData, AuthorityAction, ChangeAuthorityData, PlainData, ReplaceMeterData, Tag,
};
use crate::{Key, Proof, programs};
use solana_address::Address;
use solana_instruction::{AccountMeta, Instruction};

/// The meter that a household goes on with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replacement {
    /// The household's number.
    pub household_id: u32,
    /// Ed25519 key of the meter.
    pub meter_key: Key,
    /// Epoch of its registers.
    pub meter_epoch: u32,
    /// Plausible export, W.
    pub export_rating_w: u32,
    /// Plausible import, W.
    pub import_rating_w: u32,
    /// Export register that counts as zero, Wh.
    pub initial_export_wh: u64,
    /// Import register that counts as zero, Wh.
    pub initial_import_wh: u64,
}

/// An error found later, and what mends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Adjustment<'a> {
    /// The household's number.
    pub household_id: u32,
    /// Version of the oracle set in Config.
    pub oracle_version: u32,
    /// Who signs beside the admin; at least the threshold, all different.
    pub oracles: &'a [Address],
    /// Export to add, Wh.
    pub export_wh: u64,
    /// Import to add, Wh.
    pub import_wh: u64,
    /// The household's export adjustments before this one, Wh.
    pub adjusted_export_wh: u64,
    /// Its import adjustments before this one, Wh.
    pub adjusted_import_wh: u64,
    /// Hash of the reason; never all zero.
    pub reason: Key,
}

impl EnergyProgram {
    /// Another meter, another epoch or other ratings. Signed by the admin.
    pub fn replace_meter(&self, admin: Address, replacement: &Replacement) -> Instruction {
        let data = ReplaceMeterData {
            tag: Tag::ReplaceMeter as u8,
            reserved: [0; 3],
            meter_epoch: replacement.meter_epoch,
            export_rating_w: replacement.export_rating_w,
            import_rating_w: replacement.import_rating_w,
            initial_export_wh: replacement.initial_export_wh,
            initial_import_wh: replacement.initial_import_wh,
            meter_key: replacement.meter_key,
        };
        self.instruction(
            alloc::vec![
                signer(admin),
                readonly(self.config),
                writable(self.household(replacement.household_id)),
                readonly(self.id),
            ],
            bytes_of(&data),
        )
    }

    /// Proposes (`authority`: who, `None` for custodial), cancels or accepts another
    /// authority. Signed by `key`; see [`AuthorityAction`] for whose it must be.
    pub fn change_authority(
        &self,
        key: Address,
        household_id: u32,
        action: AuthorityAction,
        authority: Option<Address>,
    ) -> Instruction {
        let data = ChangeAuthorityData {
            tag: Tag::ChangeAuthority as u8,
            action: action as u8,
            reserved: [0; 6],
            authority: authority.map_or([0; 32], |authority| authority.to_bytes()),
        };
        self.instruction(
            alloc::vec![
                signer(key),
                readonly(self.config),
                writable(self.household(household_id)),
                readonly(self.id),
            ],
            bytes_of(&data),
        )
    }

    /// Closes an empty household. Signed by the admin; the rent goes to `rent_payer`, who
    /// paid it.
    pub fn close_household(&self, admin: Address, household_id: u32, rent_payer: Address) -> Instruction {
        let household = self.household(household_id);
        self.instruction(
            alloc::vec![
                signer(admin),
                writable(self.config),
                writable(household),
                writable(self.vault(&household)),
                writable(self.mint),
                writable(rent_payer),
                readonly(programs::TOKEN_2022),
                readonly(self.id),
            ],
            bytes_of(&PlainData { tag: Tag::CloseHousehold as u8 }),
        )
    }

    /// Adds export or import that the registers missed. Signed by the admin and the
    /// oracles.
    pub fn adjust(&self, admin: Address, adjustment: &Adjustment<'_>) -> Instruction {
        let household = self.household(adjustment.household_id);
        let data = AdjustData {
            tag: Tag::Adjust as u8,
            reserved: [0; 3],
            oracle_version: adjustment.oracle_version,
            export_wh: adjustment.export_wh,
            import_wh: adjustment.import_wh,
            adjusted_export_wh: adjustment.adjusted_export_wh,
            adjusted_import_wh: adjustment.adjusted_import_wh,
            reason: adjustment.reason,
        };
        let mut accounts = alloc::vec![
            signer(admin),
            writable(self.config),
            writable(self.mint),
            writable(household),
            writable(self.vault(&household)),
            readonly(programs::TOKEN_2022),
            readonly(self.id),
        ];
        accounts.extend(adjustment.oracles.iter().map(|oracle| signer(*oracle)));
        self.instruction(accounts, bytes_of(&data))
    }

    /// Moves energy between two records of `authority`, who signs; what either owes is
    /// burned first.
    pub fn move_energy(&self, authority: Address, from_id: u32, to_id: u32, energy_wh: u64) -> Instruction {
        let (from, to) = (self.household(from_id), self.household(to_id));
        let accounts = alloc::vec![
            signer(authority),
            readonly(self.config),
            writable(from),
            writable(self.vault(&from)),
            writable(to),
            writable(self.vault(&to)),
            writable(self.mint),
            readonly(programs::TOKEN_2022),
            readonly(self.id),
        ];
        self.instruction(accounts, amount(Tag::Move, energy_wh))
    }

    /// Moves energy to `wallet`, an eKWh token account of `authority`, who signs.
    pub fn withdraw(
        &self,
        authority: Address,
        household_id: u32,
        wallet: Address,
        energy_wh: u64,
    ) -> Instruction {
        self.instruction(
            self.wallet_accounts(authority, household_id, wallet),
            amount(Tag::Withdraw, energy_wh),
        )
    }

    /// Moves energy from `wallet`, an eKWh token account of `owner`, who signs, into a
    /// household's vault.
    pub fn deposit(&self, owner: Address, household_id: u32, wallet: Address, energy_wh: u64) -> Instruction {
        self.instruction(self.wallet_accounts(owner, household_id, wallet), amount(Tag::Deposit, energy_wh))
    }

    fn wallet_accounts(
        &self,
        key: Address,
        household_id: u32,
        wallet: Address,
    ) -> alloc::vec::Vec<AccountMeta> {
        let household = self.household(household_id);
        alloc::vec![
            signer(key),
            readonly(self.config),
            writable(household),
            writable(self.vault(&household)),
            writable(wallet),
            writable(self.mint),
            readonly(programs::TOKEN_2022),
            readonly(self.id),
        ]
    }

    /// Closes markers whose retention is over; each one's rent goes to who paid it.
    /// Anybody may; nobody signs but for the fee.
    pub fn close_markers(&self, markers: &[(Proof, Address)]) -> Instruction {
        let mut accounts = alloc::vec![readonly(self.config), readonly(self.id)];
        for (proof, rent_payer) in markers {
            accounts.push(writable(self.marker(proof)));
            accounts.push(writable(*rent_payer));
        }
        self.instruction(accounts, bytes_of(&PlainData { tag: Tag::CloseMarkers as u8 }))
    }
}

fn amount(tag: Tag, energy_wh: u64) -> alloc::vec::Vec<u8> {
    bytes_of(&AmountData { tag: tag as u8, reserved: [0; 7], energy_wh })
}
