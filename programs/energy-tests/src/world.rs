//! The embedded chain and short names for what stories do on it.

use jirani_energy_interface::client::{EnergyProgram, InitialConfig};
use jirani_energy_interface::event::{AttestedRow, DecodedEvent, EventKind};
use jirani_energy_interface::state::{Config, Household, Offer, Record, Tariff};
use jirani_energy_interface::{EnergyError, LOCAL_PROGRAM_ID, error, token};
use litesvm::LiteSVM;
use solana_address::Address;
use solana_clock::Clock;
use solana_instruction::Instruction;
use solana_instruction_error::InstructionError;
use solana_keypair::Keypair;
use solana_message::VersionedMessage;
use solana_message::v1::{Message, TransactionConfig};
use solana_signer::Signer;
use solana_transaction::versioned::VersionedTransaction;
use solana_transaction_error::TransactionError;
use std::path::PathBuf;

/// When every story begins, Unix seconds: a full quarter of an hour.
pub const START: i64 = 1_800_000_000;
/// Prices of every story, cents per kWh.
pub const TARIFF: Tariff = Tariff { retail: 3000, buy_back: 1000, grid_fee: 300, tax: 200 };

/// The ELF under test.
pub fn elf_path() -> PathBuf {
    std::env::var_os("JIRANI_PROGRAM_ELF").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../energy/elf/jirani_energy.so"),
        PathBuf::from,
    )
}

/// A key pair that is the same in every run.
pub fn key(number: u8) -> Keypair {
    Keypair::new_from_array([number; 32])
}

/// The keys of the operator.
pub struct Keys {
    /// Pays the transactions' fees.
    pub fees: Keypair,
    /// Pays rent.
    pub payer: Keypair,
    /// May upgrade the program.
    pub upgrade: Keypair,
    /// Admin.
    pub admin: Keypair,
    /// Pause key.
    pub pause: Keypair,
    /// Oracle.
    pub oracle: Keypair,
    /// Attestor.
    pub attestor: Keypair,
    /// Custodian.
    pub custodian: Keypair,
    /// Nobody.
    pub stranger: Keypair,
}

/// A transaction that landed.
#[derive(Debug)]
pub struct Landed {
    /// Compute units, all instructions together.
    pub units: u64,
    /// Bytes on the wire.
    pub bytes: usize,
    /// Lamports paid as fees.
    pub fee: u64,
    /// What the program reported.
    pub events: Vec<DecodedEvent>,
}

impl Landed {
    /// The rows of the only attestation in it.
    pub fn rows(&self) -> &[AttestedRow] {
        &self.events.iter().find(|event| !event.rows.is_empty()).expect("an attestation").rows
    }
}

/// A transaction that was refused; nothing has changed but the fee.
#[derive(Debug)]
pub struct Refusal {
    /// The error as the chain says it.
    pub error: TransactionError,
    /// Our own refusal, if it was one.
    pub ours: Option<EnergyError>,
    /// The account that broke the rule, by its place in the instruction.
    pub account: Option<usize>,
    /// What programs wrote.
    pub logs: Vec<String>,
}

/// The chain, the program on it, and the operator's keys.
pub struct World {
    /// The chain.
    pub svm: LiteSVM,
    /// The program's addresses.
    pub program: EnergyProgram,
    /// The operator's keys.
    pub keys: Keys,
    settled: usize,
    closed_markers: usize,
}

impl World {
    /// A chain with the program, not initialised.
    pub fn bare() -> Self {
        let path = elf_path();
        let elf = std::fs::read(&path).unwrap_or_else(|error| {
            panic!("{}: {error}; build it with `cargo xtask program`", path.display())
        });
        let mut svm = LiteSVM::new().with_transaction_history(0);
        svm.add_program(LOCAL_PROGRAM_ID, &elf).expect("the ELF loads");
        let program = EnergyProgram::new(LOCAL_PROGRAM_ID);
        let keys = Keys {
            fees: key(1),
            payer: key(2),
            upgrade: key(3),
            admin: key(4),
            pause: key(5),
            oracle: key(6),
            attestor: key(7),
            custodian: key(8),
            stranger: key(9),
        };
        let mut world = Self { svm, program, keys, settled: 0, closed_markers: 0 };
        world.name_upgrade_authority();
        for lamports in [&world.keys.fees, &world.keys.payer, &world.keys.stranger].map(Signer::pubkey) {
            world.svm.airdrop(&lamports, 1_000_000_000_000).expect("lamports");
        }
        world.set_time(START);
        world
    }

    /// A chain with the program initialised: one oracle, no daily caps.
    pub fn new() -> Self {
        let mut world = Self::bare();
        let initialise = world.initialise(&world.initial_config());
        let (payer, upgrade) = (world.keys.payer.insecure_clone(), world.keys.upgrade.insecure_clone());
        world.send(&[initialise], &[&payer, &upgrade]).expect("initialised");
        world
    }

    /// What the program is initialised with.
    pub fn initial_config(&self) -> InitialConfig {
        let keys = &self.keys;
        InitialConfig {
            pause_key: keys.pause.pubkey(),
            ..InitialConfig::simple(
                keys.admin.pubkey(),
                keys.oracle.pubkey(),
                keys.attestor.pubkey(),
                keys.custodian.pubkey(),
                TARIFF,
            )
        }
    }

    /// The instruction that initialises.
    pub fn initialise(&self, initial: &InitialConfig) -> Instruction {
        self.program.initialise(self.keys.payer.pubkey(), self.keys.upgrade.pubkey(), initial)
    }

    fn name_upgrade_authority(&mut self) {
        let address = self.program.program_data();
        let mut account = self.svm.get_account(&address).expect("ProgramData");
        account.data[12] = 1;
        account.data[13..45].copy_from_slice(self.keys.upgrade.pubkey().as_ref());
        self.svm.set_account(address, account).expect("ProgramData");
    }

    /// The chain's time, Unix seconds.
    pub fn now(&self) -> i64 {
        self.svm.get_sysvar::<Clock>().unix_timestamp
    }

    /// Sets the chain's time.
    pub fn set_time(&mut self, now: i64) {
        let mut clock: Clock = self.svm.get_sysvar();
        clock.unix_timestamp = now;
        self.svm.set_sysvar(&clock);
    }

    /// Lets time pass.
    pub fn wait(&mut self, seconds: i64) {
        self.set_time(self.now() + seconds);
    }

    /// A transaction of these instructions, signed by `signers` and the fee payer.
    pub fn transaction(&self, instructions: &[Instruction], signers: &[&Keypair]) -> VersionedTransaction {
        self.transaction_paid_by(&self.keys.fees, instructions, signers)
            .expect("the instructions fit a transaction")
    }

    /// A transaction whose fee `fees` pays; `None` when it does not fit.
    fn transaction_paid_by(
        &self,
        fees: &Keypair,
        instructions: &[Instruction],
        signers: &[&Keypair],
    ) -> Option<VersionedTransaction> {
        let config = TransactionConfig::empty()
            .with_compute_unit_limit(1_400_000)
            .with_loaded_accounts_data_size_limit(64 * 1024 * 1024);
        let message = Message::try_compile_with_config(
            &fees.pubkey(),
            instructions,
            self.svm.latest_blockhash(),
            config,
        )
        .ok()?;
        let mut all = vec![fees];
        for signer in signers {
            if all.iter().all(|known| known.pubkey() != signer.pubkey()) {
                all.push(signer);
            }
        }
        VersionedTransaction::try_new(VersionedMessage::V1(message), &all).ok()
    }

    /// Sends instructions in one transaction.
    pub fn send(
        &mut self,
        instructions: &[Instruction],
        signers: &[&Keypair],
    ) -> Result<Landed, Box<Refusal>> {
        let fees = self.keys.fees.insecure_clone();
        self.send_paid_by(&fees, instructions, signers)
    }

    /// Sends instructions in one transaction whose fee `fees` pays.
    pub fn send_paid_by(
        &mut self,
        fees: &Keypair,
        instructions: &[Instruction],
        signers: &[&Keypair],
    ) -> Result<Landed, Box<Refusal>> {
        let Some(transaction) = self.transaction_paid_by(fees, instructions, signers) else {
            return Err(Box::new(refusal(TransactionError::SanitizeFailure, Vec::new())));
        };
        let bytes = wincode::serialize(&transaction).expect("written").len();
        let result = self.svm.send_transaction(transaction);
        // The same bytes may be sent again, as a client after a crash does.
        self.svm.expire_blockhash();
        match result {
            Ok(meta) => {
                let events: Vec<_> = meta
                    .inner_instructions
                    .iter()
                    .flatten()
                    .filter_map(|inner| DecodedEvent::decode(&inner.instruction.data))
                    .collect();
                for event in &events {
                    match event.kind {
                        EventKind::Settled => self.settled += 1,
                        EventKind::MarkersClosed => {
                            self.closed_markers += usize::try_from(event.event.number).expect("a count");
                        }
                        _ => {}
                    }
                }
                Ok(Landed { units: meta.compute_units_consumed, bytes, fee: meta.fee, events })
            }
            Err(failed) => Err(Box::new(refusal(failed.err, failed.meta.logs))),
        }
    }

    /// What would become of these instructions; nothing changes.
    pub fn simulate(&self, instructions: &[Instruction], signers: &[&Keypair]) -> Result<(), Box<Refusal>> {
        match self.svm.simulate_transaction(self.transaction(instructions, signers)) {
            Ok(_) => Ok(()),
            Err(failed) => Err(Box::new(refusal(failed.err, failed.meta.logs))),
        }
    }

    /// A record at an address.
    pub fn record<T: Record>(&self, address: &Address) -> Option<T> {
        self.svm.get_account(address).and_then(|account| T::decode(&account.data))
    }

    /// The Config.
    pub fn config(&self) -> Config {
        self.record(&self.program.config).expect("initialised")
    }

    /// A household's record.
    pub fn household(&self, id: u32) -> Household {
        self.record(&self.program.household(id)).expect("enrolled")
    }

    /// Tokens in an account, Wh.
    pub fn tokens(&self, address: &Address) -> u64 {
        self.svm.get_account(address).and_then(|account| token::amount(&account.data)).unwrap_or(0)
    }

    /// Tokens in a household's vault, Wh.
    pub fn vault(&self, id: u32) -> u64 {
        self.tokens(&self.program.vault(&self.program.household(id)))
    }

    /// The mint's supply, Wh.
    pub fn supply(&self) -> u64 {
        self.svm.get_account(&self.program.mint).and_then(|mint| token::supply(&mint.data)).unwrap_or(0)
    }

    /// An offer, while its account lives.
    pub fn offer(&self, seller: u32, id: u64) -> Option<Offer> {
        self.record(&self.program.offer(&self.program.household(seller), id))
    }

    /// Orders settled in transactions that landed.
    pub fn settled(&self) -> usize {
        self.settled
    }

    /// Markers closed in transactions that landed.
    pub fn closed_markers(&self) -> usize {
        self.closed_markers
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

fn refusal(error: TransactionError, logs: Vec<String>) -> Refusal {
    let number = match &error {
        TransactionError::InstructionError(_, InstructionError::Custom(number)) => Some(*number),
        _ => None,
    };
    let ours = number.and_then(EnergyError::from_number);
    let account = ours.and(number).and_then(error::account_index);
    Refusal { error, ours, account, logs }
}
