use super::{EnergyProgram, bytes_of, readonly, signer, writable, writable_signer};
use crate::instruction::{
    ConfigSection, ConfigureData, EnrolData, HardStopData, InitialiseData, PauseData, PlainData, Tag,
};
use crate::state::{ATTESTORS_MAX, CappedKey, Caps, HouseholdKind, Limits, OracleSet, Tariff, flags};
use crate::{Key, programs};
use alloc::vec::Vec;
use solana_address::Address;
use solana_instruction::Instruction;

/// What Config starts with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InitialConfig {
    /// Who may change it and enrol households.
    pub admin: Address,
    /// Who may pause.
    pub pause_key: Address,
    /// Bounds on prices.
    pub tariff: Tariff,
    /// Windows and limits.
    pub limits: Limits,
    /// Who may attest.
    pub oracles: OracleSet,
    /// Who may settle.
    pub attestors: [CappedKey; ATTESTORS_MAX],
    /// Who acts for custodial households.
    pub custodian: CappedKey,
    /// Daily caps and holds.
    pub caps: Caps,
}

impl InitialConfig {
    /// One oracle, one attestor and one custodian without daily caps, the default
    /// windows; the admin is the pause key too.
    pub fn simple(
        admin: Address,
        oracle: Address,
        attestor: Address,
        custodian: Address,
        tariff: Tariff,
    ) -> Self {
        let mut attestors = [CappedKey::NONE; ATTESTORS_MAX];
        attestors[0] = CappedKey::new(attestor.to_bytes(), u64::MAX, u64::MAX);
        Self {
            admin,
            pause_key: admin,
            tariff,
            limits: Limits::default(),
            oracles: OracleSet::single(oracle.to_bytes()),
            attestors,
            custodian: CappedKey::new(custodian.to_bytes(), u64::MAX, u64::MAX),
            caps: Caps::default(),
        }
    }
}

/// A new value for one section of Config.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// Bounds on prices.
    Tariff(Tariff),
    /// Windows and limits.
    Limits(Limits),
    /// Who may attest; the version given is ignored and counted up.
    Oracles(OracleSet),
    /// Who may settle; used figures given are ignored.
    Attestors([CappedKey; ATTESTORS_MAX]),
    /// Who acts for custodial households.
    Custodian(CappedKey),
    /// Who may pause.
    PauseKey(Address),
    /// Who becomes admin by accepting; the zero address takes a proposal back.
    PendingAdmin(Address),
    /// Daily caps and holds.
    Caps(Caps),
}

/// A household to enrol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Enrolment {
    /// The operator's number for it.
    pub household_id: u32,
    /// Home or operator's record.
    pub kind: HouseholdKind,
    /// Feeder.
    pub feeder: u16,
    /// Who signs for it; `None` makes it custodial.
    pub authority: Option<Address>,
    /// Ed25519 key of the meter; zeroes for the loss record.
    pub meter_key: Key,
    /// Epoch of the meter.
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

impl EnergyProgram {
    /// Creates Config and mint. Signed by `payer` and the program's upgrade authority.
    pub fn initialise(
        &self,
        payer: Address,
        upgrade_authority: Address,
        initial: &InitialConfig,
    ) -> Instruction {
        let data = InitialiseData {
            tag: Tag::Initialise as u8,
            reserved: [0; 7],
            admin: initial.admin.to_bytes(),
            pause_key: initial.pause_key.to_bytes(),
            tariff: initial.tariff,
            limits: initial.limits,
            oracles: initial.oracles,
            attestors: initial.attestors,
            custodian: initial.custodian,
            caps: initial.caps,
        };
        self.instruction(
            alloc::vec![
                signer(upgrade_authority),
                writable_signer(payer),
                readonly(self.program_data()),
                writable(self.config),
                writable(self.mint),
                readonly(programs::SYSTEM),
                readonly(programs::TOKEN_2022),
                readonly(self.id),
            ],
            bytes_of(&data),
        )
    }

    /// Changes one section of Config. Signed by the admin.
    pub fn configure(&self, admin: Address, section: &Section) -> Instruction {
        let (section, value): (_, Vec<u8>) = match section {
            Section::Tariff(value) => (ConfigSection::Tariff, bytes_of(value)),
            Section::Limits(value) => (ConfigSection::Limits, bytes_of(value)),
            Section::Oracles(value) => (ConfigSection::Oracles, bytes_of(value)),
            Section::Attestors(value) => (ConfigSection::Attestors, bytes_of(value)),
            Section::Custodian(value) => (ConfigSection::Custodian, bytes_of(value)),
            Section::PauseKey(value) => (ConfigSection::PauseKey, value.to_bytes().to_vec()),
            Section::PendingAdmin(value) => (ConfigSection::PendingAdmin, value.to_bytes().to_vec()),
            Section::Caps(value) => (ConfigSection::Caps, bytes_of(value)),
        };
        let mut data =
            bytes_of(&ConfigureData { tag: Tag::Configure as u8, section: section as u8, reserved: [0; 6] });
        data.extend_from_slice(&value);
        self.instruction(alloc::vec![signer(admin), writable(self.config), readonly(self.id)], data)
    }

    /// Pauses (pause key or admin) or resumes (admin).
    pub fn pause(&self, key: Address, paused: bool) -> Instruction {
        let data = PauseData { tag: Tag::Pause as u8, paused: u8::from(paused) };
        self.instruction(alloc::vec![signer(key), writable(self.config), readonly(self.id)], bytes_of(&data))
    }

    /// Takes over as admin. Signed by the proposed admin.
    pub fn accept_admin(&self, pending_admin: Address) -> Instruction {
        self.instruction(
            alloc::vec![signer(pending_admin), writable(self.config), readonly(self.id)],
            bytes_of(&PlainData { tag: Tag::AcceptAdmin as u8 }),
        )
    }

    /// Stops the mint itself, or lifts that; the soft pause stays then. Signed by the admin.
    pub fn hard_stop(&self, admin: Address, stopped: bool) -> Instruction {
        self.instruction(
            alloc::vec![
                signer(admin),
                writable(self.config),
                writable(self.mint),
                readonly(programs::TOKEN_2022),
                readonly(self.id),
            ],
            bytes_of(&HardStopData { tag: Tag::HardStop as u8, stopped: u8::from(stopped) }),
        )
    }

    /// Creates a household's record, its vault and, the first time, its feeder's
    /// evidence. Signed by `payer` and the admin.
    pub fn enrol(&self, payer: Address, admin: Address, enrolment: &Enrolment) -> Instruction {
        let household = self.household(enrolment.household_id);
        let data = EnrolData {
            tag: Tag::Enrol as u8,
            kind: enrolment.kind as u8,
            flags: if enrolment.authority.is_none() { flags::CUSTODIAL } else { 0 },
            reserved: 0,
            feeder: enrolment.feeder,
            reserved1: 0,
            household_id: enrolment.household_id,
            meter_epoch: enrolment.meter_epoch,
            export_rating_w: enrolment.export_rating_w,
            import_rating_w: enrolment.import_rating_w,
            initial_export_wh: enrolment.initial_export_wh,
            initial_import_wh: enrolment.initial_import_wh,
            meter_key: enrolment.meter_key,
            authority: enrolment.authority.map_or([0; 32], |authority| authority.to_bytes()),
        };
        self.instruction(
            alloc::vec![
                signer(admin),
                writable_signer(payer),
                readonly(self.config),
                writable(household),
                writable(self.vault(&household)),
                readonly(self.mint),
                writable(self.evidence(enrolment.feeder)),
                readonly(programs::SYSTEM),
                readonly(programs::TOKEN_2022),
                readonly(self.id),
            ],
            bytes_of(&data),
        )
    }
}
