//! The attacks that every instruction must survive, tried one account and one byte
//! at a time on an instruction that would otherwise land.

use crate::world::{Refusal, World};
use jirani_energy_interface::instruction::Tag;
use jirani_energy_interface::token::TOKEN_ACCOUNT_LEN;
use jirani_energy_interface::{EnergyError, accounts, programs};
use solana_account::Account;
use solana_address::Address;
use solana_instruction::{AccountMeta, Instruction};
use solana_keypair::Keypair;
use solana_signer::Signer;

/// The older token program: real, and not the one whose mint we have.
const SPL_TOKEN: Address = Address::from_str_const("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA");

/// One way to spoil an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attack {
    /// This account did not sign.
    Unsigned(usize),
    /// This account is passed read-only.
    ReadOnly(usize),
    /// A copy of this account that belongs to another program.
    ForeignOwner(usize),
    /// This account of ours with another record's discriminator.
    OtherType(usize),
    /// A true record of ours of another kind in this account's place.
    OtherRecord(usize),
    /// The mint in a token account's place, or a token account in the mint's.
    OtherToken(usize),
    /// Another real program in this program's place.
    OtherProgram(usize),
    /// A true copy of this token account or ProgramData at another address.
    Copy(usize),
    /// This account does not exist.
    Absent(usize),
    /// Nothing but the accounts before this one.
    Missing(usize),
    /// The data ends after this many bytes.
    Truncated(usize),
    /// One byte more than the data has.
    Longer,
}

/// Tries every attack and gives what became of each; an attack that goes through is
/// `None`. Nothing of the world changes. `variable` is where accounts begin that the
/// caller judges himself (rows, fills).
pub fn refusals(
    world: &mut World,
    instruction: &Instruction,
    signers: &[&Keypair],
    variable: usize,
) -> Vec<(Attack, Option<Box<Refusal>>)> {
    world
        .simulate(std::slice::from_ref(instruction), signers)
        .unwrap_or_else(|refusal| panic!("the instruction itself must land: {refusal:?}"));
    let mut results = Vec::new();
    let fixed = instruction.accounts.len().min(variable);
    let mut attempt = |world: &World, attack, spoiled: Instruction| {
        let needed: Vec<&Keypair> = signers
            .iter()
            .copied()
            .filter(|key| spoiled.accounts.iter().any(|meta| meta.is_signer && meta.pubkey == key.pubkey()))
            .collect();
        results.push((attack, world.simulate(&[spoiled], &needed).err()));
    };
    let records = world.svm.get_program_accounts(&world.program.id);
    let vault = (world.svm.get_program_accounts(&programs::TOKEN_2022).into_iter())
        .find_map(|(address, account)| (account.data.len() == TOKEN_ACCOUNT_LEN).then_some(address));
    for index in 0..fixed {
        let meta = &instruction.accounts[index];
        if meta.is_signer {
            let mut spoiled = instruction.clone();
            each_meta(&mut spoiled, &meta.pubkey, |meta| meta.is_signer = false);
            attempt(world, Attack::Unsigned(index), spoiled);
        }
        if meta.is_writable {
            let mut spoiled = instruction.clone();
            each_meta(&mut spoiled, &meta.pubkey, |meta| meta.is_writable = false);
            attempt(world, Attack::ReadOnly(index), spoiled);
        }
        if meta.is_signer {
            continue;
        }
        let substitute = Address::new_from_array([0xab; 32]);
        let mut spoiled = instruction.clone();
        spoiled.accounts[index].pubkey = substitute;
        attempt(world, Attack::Absent(index), spoiled.clone());
        let Some(original) = world.svm.get_account(&meta.pubkey) else { continue };
        if original.executable {
            let other = if meta.pubkey == programs::SYSTEM { programs::TOKEN_2022 } else { SPL_TOKEN };
            spoiled.accounts[index].pubkey = other;
            attempt(world, Attack::OtherProgram(index), spoiled);
            continue;
        }
        if original.data.is_empty() {
            continue;
        }
        let ours = original.owner == world.program.id;
        if ours {
            let other = records.iter().find(|(_, record)| record.data[0] != original.data[0]);
            if let Some((other, _)) = other {
                let mut spoiled = instruction.clone();
                spoiled.accounts[index].pubkey = *other;
                attempt(world, Attack::OtherRecord(index), spoiled);
            }
        }
        if original.owner == programs::TOKEN_2022 {
            let other = if meta.pubkey == world.program.mint { vault } else { Some(world.program.mint) };
            if let Some(other) = other {
                let mut spoiled = instruction.clone();
                spoiled.accounts[index].pubkey = other;
                attempt(world, Attack::OtherToken(index), spoiled);
            }
        }
        // Only the program makes accounts of its own, so there are no copies of those.
        if !ours {
            place(world, substitute, original.clone());
            attempt(world, Attack::Copy(index), spoiled.clone());
        }
        place(world, substitute, Account { owner: Address::new_from_array([0xcd; 32]), ..original.clone() });
        attempt(world, Attack::ForeignOwner(index), spoiled);
        remove(world, substitute);
        if ours {
            let mut other = original.clone();
            other.data[0] = if other.data[0] == 1 { 2 } else { 1 };
            place(world, meta.pubkey, other);
            attempt(world, Attack::OtherType(index), instruction.clone());
            place(world, meta.pubkey, original);
        }
    }
    for count in 0..instruction.accounts.len() {
        let mut spoiled = instruction.clone();
        spoiled.accounts.truncate(count);
        attempt(world, Attack::Missing(count), spoiled);
    }
    for length in 0..instruction.data.len() {
        let mut spoiled = instruction.clone();
        spoiled.data.truncate(length);
        attempt(world, Attack::Truncated(length), spoiled);
    }
    let mut spoiled = instruction.clone();
    spoiled.data.push(0);
    attempt(world, Attack::Longer, spoiled);
    results
}

impl Attack {
    /// The account that its refusal must name, by its place in the instruction: the
    /// first place of the spoiled account, when the table of the instruction's accounts
    /// says what it must be. Rules between accounts (`WrongMint` and the like) name none.
    pub fn named(self, instruction: &Instruction) -> Option<usize> {
        let index = match self {
            Self::Unsigned(index)
            | Self::ReadOnly(index)
            | Self::ForeignOwner(index)
            | Self::OtherType(index)
            | Self::OtherRecord(index)
            | Self::OtherToken(index)
            | Self::OtherProgram(index)
            | Self::Copy(index)
            | Self::Absent(index)
            | Self::Missing(index) => index,
            Self::Truncated(_) | Self::Longer => return None,
        };
        let table = accounts::of(Tag::from_byte(*instruction.data.first()?)?);
        let spoiled = instruction.accounts.get(index)?;
        let first = table.iter().zip(&instruction.accounts).position(|(rule, meta)| {
            meta.pubkey == spoiled.pubkey
                && match self {
                    Self::Unsigned(_) => rule.signer,
                    Self::ReadOnly(_) => rule.writable,
                    _ => true,
                }
        });
        if matches!(self, Self::Unsigned(_) | Self::ReadOnly(_)) { first } else { Some(index) }
            .filter(|place| *place < table.len())
    }

    /// Our own refusals that may answer it, when the program itself must notice.
    pub fn expected(self) -> &'static [EnergyError] {
        use EnergyError as E;
        match self {
            Self::Unsigned(_) => &[E::MissingSigner],
            Self::ReadOnly(_) => &[E::NotWritable],
            Self::ForeignOwner(_) | Self::Absent(_) => {
                &[E::WrongOwner, E::WrongAddress, E::WrongProgram, E::WrongMint, E::FillMismatch]
            }
            Self::OtherType(_) => &[E::WrongType],
            Self::OtherRecord(_) => &[E::WrongType, E::FillMismatch],
            Self::OtherProgram(_) => &[E::WrongProgram],
            Self::Copy(_) | Self::OtherToken(_) => {
                &[E::WrongAddress, E::WrongMint, E::FillMismatch, E::WrongWallet]
            }
            Self::Missing(_) => &[E::AccountsMissing, E::FillMismatch, E::InvalidFills],
            Self::Truncated(0) => &[E::UnknownInstruction],
            Self::Truncated(_) | Self::Longer => &[E::InvalidData, E::RowCount, E::InvalidFills],
        }
    }
}

/// An account that stands in several places has the rights of all of them.
fn each_meta(instruction: &mut Instruction, address: &Address, change: impl Fn(&mut AccountMeta)) {
    instruction.accounts.iter_mut().filter(|meta| meta.pubkey == *address).for_each(change);
}

fn place(world: &mut World, address: Address, account: Account) {
    world.svm.set_account(address, account).expect("an account can be placed");
}

fn remove(world: &mut World, address: Address) {
    place(world, address, Account::default());
}
