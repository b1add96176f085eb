//! What must be true of an account before it is used, and typed access to it.

use bytemuck::Pod;
use jirani_energy_interface::state::Record;
use jirani_energy_interface::{EnergyError, Key};
use pinocchio::account::{Ref, RefMut};
use pinocchio::error::ProgramError;
use pinocchio::{AccountView, Address};

/// Turns an absence or a false condition into a refusal.
pub trait Refuse {
    type Value;
    /// The value, or the refusal.
    fn or_refuse(self, error: EnergyError) -> Result<Self::Value, ProgramError>;
}

impl<T> Refuse for Option<T> {
    type Value = T;

    #[inline(always)]
    fn or_refuse(self, error: EnergyError) -> Result<T, ProgramError> {
        self.ok_or(ProgramError::Custom(error as u32))
    }
}

impl Refuse for bool {
    type Value = ();

    #[inline(always)]
    fn or_refuse(self, error: EnergyError) -> Result<(), ProgramError> {
        if self { Ok(()) } else { Err(ProgramError::Custom(error as u32)) }
    }
}

/// Requires the accounts to have signed.
#[inline(always)]
pub fn signers<const N: usize>(accounts: [&AccountView; N]) -> Result<(), ProgramError> {
    accounts.iter().all(|account| account.is_signer()).or_refuse(EnergyError::MissingSigner)
}

/// Requires the accounts to be writable.
#[inline(always)]
pub fn writables<const N: usize>(accounts: [&AccountView; N]) -> Result<(), ProgramError> {
    accounts.iter().all(|account| account.is_writable()).or_refuse(EnergyError::NotWritable)
}

/// Requires the account to be that program.
#[inline(always)]
pub fn program(account: &AccountView, address: &Address) -> Result<(), ProgramError> {
    (account.address() == address).or_refuse(EnergyError::WrongProgram)
}

/// Requires the account to have that address.
#[inline(always)]
pub fn address(account: &AccountView, key: &Key) -> Result<(), ProgramError> {
    is(account, key).or_refuse(EnergyError::WrongAddress)
}

/// Whether the account has that address.
#[inline(always)]
pub fn is(account: &AccountView, key: &Key) -> bool {
    account.address().as_array() == key
}

fn check<T: Record>(account: &AccountView, program_id: &Address, data: &[u8]) -> Result<(), ProgramError> {
    account.owned_by(program_id).or_refuse(EnergyError::WrongOwner)?;
    T::is(data).or_refuse(EnergyError::WrongType)
}

fn cast_error(_: bytemuck::PodCastError) -> ProgramError {
    ProgramError::Custom(EnergyError::WrongType as u32)
}

/// Reads a record of this program.
#[inline(always)]
pub fn read<'a, T: Record>(
    account: &'a AccountView,
    program_id: &Address,
) -> Result<Ref<'a, T>, ProgramError> {
    let data = account.try_borrow()?;
    check::<T>(account, program_id, &data)?;
    Ref::try_map(data, |bytes| bytemuck::try_from_bytes(bytes).map_err(cast_error))
        .map_err(|(_, error)| error)
}

/// Opens a record of this program for writing.
#[inline(always)]
pub fn write<'a, T: Record>(
    account: &'a mut AccountView,
    program_id: &Address,
) -> Result<RefMut<'a, T>, ProgramError> {
    account.is_writable().or_refuse(EnergyError::NotWritable)?;
    account.owned_by(program_id).or_refuse(EnergyError::WrongOwner)?;
    let data = account.try_borrow_mut()?;
    T::is(&data).or_refuse(EnergyError::WrongType)?;
    RefMut::try_map(data, |bytes| bytemuck::try_from_bytes_mut(bytes).map_err(cast_error))
        .map_err(|(_, error)| error)
}

/// Fills a record into an account that was just created for it.
#[inline(always)]
pub fn init<T: Record>(account: &mut AccountView, record: &T) -> Result<(), ProgramError> {
    let mut data = account.try_borrow_mut()?;
    (data.len() == T::LEN).or_refuse(EnergyError::WrongType)?;
    data.copy_from_slice(bytemuck::bytes_of(record));
    Ok(())
}

/// Closes a record: its lamports go to whoever paid for it, its data is gone.
#[inline(always)]
pub fn close(account: &mut AccountView, rent_receiver: &mut AccountView) -> Result<(), ProgramError> {
    let lamports =
        rent_receiver.lamports().checked_add(account.lamports()).or_refuse(EnergyError::Overflow)?;
    rent_receiver.set_lamports(lamports);
    account.set_lamports(0);
    account.close()
}

/// The instruction's data as exactly one value.
#[inline(always)]
pub fn data<T: Pod>(bytes: &[u8]) -> Result<T, ProgramError> {
    bytemuck::try_pod_read_unaligned(bytes).ok().or_refuse(EnergyError::InvalidData)
}

/// The instruction's data as one value and what follows it.
#[inline(always)]
pub fn data_and_rest<T: Pod>(bytes: &[u8]) -> Result<(T, &[u8]), ProgramError> {
    let (head, rest) = bytes.split_at_checked(size_of::<T>()).or_refuse(EnergyError::InvalidData)?;
    Ok((data(head)?, rest))
}
