//! Why an instruction is refused, in one register.

use core::num::NonZeroU32;

use jirani_energy_interface::{EnergyError, error};
use pinocchio::error::ProgramError;

/// The number of an [`EnergyError`], with the account that broke the rule where one
/// did. Never zero: a check that holds costs no memory.
#[derive(Clone, Copy)]
pub struct Refusal(NonZeroU32);

/// What a check gives.
pub type Check<T = ()> = Result<T, Refusal>;

impl Refusal {
    /// The refusal of a number, which is never zero.
    #[inline(always)]
    const fn numbered(number: u32) -> Self {
        match NonZeroU32::new(number) {
            Some(number) => Self(number),
            None => Self(NonZeroU32::MIN),
        }
    }

    /// A refusal that names the account at `index`.
    #[inline(always)]
    pub const fn at(error: EnergyError, index: usize) -> Self {
        Self::numbered(error::at_account(error, index))
    }
}

impl From<EnergyError> for Refusal {
    #[inline(always)]
    fn from(error: EnergyError) -> Self {
        Self::numbered(error as u32)
    }
}

impl From<ProgramError> for Refusal {
    /// What the runtime's own checks say. A failed call to another program never comes
    /// back here: it ends the transaction with that program's error.
    #[inline(always)]
    fn from(error: ProgramError) -> Self {
        match error {
            ProgramError::AccountBorrowFailed => EnergyError::AccountTwice.into(),
            _ => EnergyError::Runtime.into(),
        }
    }
}

impl From<Refusal> for ProgramError {
    #[inline(always)]
    fn from(refusal: Refusal) -> Self {
        Self::Custom(refusal.0.get())
    }
}

/// Turns an absence or a false condition into a refusal.
pub trait Refuse {
    type Value;
    /// The value, or the refusal.
    fn or_refuse(self, error: EnergyError) -> Check<Self::Value>;
}

impl<T> Refuse for Option<T> {
    type Value = T;

    #[inline(always)]
    fn or_refuse(self, error: EnergyError) -> Check<T> {
        self.ok_or_else(|| error.into())
    }
}

impl Refuse for bool {
    type Value = ();

    #[inline(always)]
    fn or_refuse(self, error: EnergyError) -> Check {
        if self { Ok(()) } else { Err(error.into()) }
    }
}
