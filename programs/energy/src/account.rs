//! Typed access to the program's records: what is read or written is always a record
//! of this program, of the right kind, and nowhere else in use.

use jirani_energy_interface::EnergyError;
use jirani_energy_interface::state::Record;
use pinocchio::account::{Ref, RefMut};
use pinocchio::{AccountView, Address};

use crate::refusal::{Check, Refusal, Refuse};

fn cast_error(_: bytemuck::PodCastError) -> Refusal {
    EnergyError::WrongType.into()
}

/// Reads a record of this program.
#[inline(never)]
pub fn read<'a, T: Record>(account: &'a AccountView, program_id: &Address) -> Check<Ref<'a, T>> {
    account.owned_by(program_id).or_refuse(EnergyError::WrongOwner)?;
    let data = account.try_borrow()?;
    T::is(&data).or_refuse(EnergyError::WrongType)?;
    Ref::try_map(data, |bytes| bytemuck::try_from_bytes(bytes).map_err(cast_error))
        .map_err(|(_, error)| error)
}

/// Opens a record of this program for writing.
#[inline(never)]
pub fn write<'a, T: Record>(account: &'a mut AccountView, program_id: &Address) -> Check<RefMut<'a, T>> {
    account.is_writable().or_refuse(EnergyError::NotWritable)?;
    account.owned_by(program_id).or_refuse(EnergyError::WrongOwner)?;
    let data = account.try_borrow_mut()?;
    T::is(&data).or_refuse(EnergyError::WrongType)?;
    RefMut::try_map(data, |bytes| bytemuck::try_from_bytes_mut(bytes).map_err(cast_error))
        .map_err(|(_, error)| error)
}

/// Makes a record of an account of zeroes that was just created for it.
#[inline(always)]
pub fn fresh<'a, T: Record>(account: &'a mut AccountView, program_id: &Address) -> Check<RefMut<'a, T>> {
    {
        let mut data = account.try_borrow_mut()?;
        let head = data.first_chunk_mut::<2>().or_refuse(EnergyError::WrongType)?;
        *head = [T::DISCRIMINATOR, T::VERSION];
    }
    write(account, program_id)
}

/// Closes a record: its lamports go to whoever paid for it, its data is gone.
#[inline(never)]
pub fn close(account: &mut AccountView, rent_receiver: &mut AccountView) -> Check {
    let lamports =
        rent_receiver.lamports().checked_add(account.lamports()).or_refuse(EnergyError::Overflow)?;
    rent_receiver.set_lamports(lamports);
    account.set_lamports(0);
    Ok(account.close()?)
}
