//! Calls to Token-2022, several operations in one call.

use core::mem::MaybeUninit;
use core::slice::from_raw_parts;

use jirani_energy_interface::state::Household;
use jirani_energy_interface::{DECIMALS, EnergyError, programs, token};
use pinocchio::AccountView;
use pinocchio::cpi::{CpiAccount, invoke, invoke_signed_unchecked};
use pinocchio::instruction::{InstructionAccount, InstructionView};
use pinocchio_token_2022::instructions::InitializeAccount3;

use crate::call::Authority;
use crate::refusal::{Check, Refuse};

const TAG_BATCH: u8 = 255;
const TAG_MINT_TO: u8 = 7;
const TAG_CLOSE: u8 = 9;
const TAG_TRANSFER_CHECKED: u8 = 12;
const TAG_PERMISSIONED_BURN: [u8; 2] = [46, 1];

/// Operations of one call: two calls carry the 28 rows of an attestation, and the
/// buffers stay well under the 4 kB of a stack frame.
pub const OPERATIONS_MAX: usize = 14;
const METAS_MAX: usize = 4 * OPERATIONS_MAX;
const INFOS_MAX: usize = 2 + 2 * OPERATIONS_MAX;
const DATA_MAX: usize = 1 + 12 * OPERATIONS_MAX;

/// One operation on tokens that Config controls. Amounts in Wh, above zero.
#[derive(Clone, Copy)]
pub enum Operation {
    /// Mints into an account.
    Mint { to: AccountView, wh: u64 },
    /// Burns from an account.
    Burn { from: AccountView, wh: u64 },
    /// Moves between accounts.
    Transfer { from: AccountView, to: AccountView, wh: u64 },
    /// Closes an empty account; its rent goes to `to`.
    Close { account: AccountView, to: AccountView },
}

/// A token account's balance.
#[inline(never)]
pub fn balance(account: &AccountView) -> Check<u64> {
    account.owned_by(&programs::TOKEN_2022).or_refuse(EnergyError::WrongOwner)?;
    token::amount(&account.try_borrow()?).or_refuse(EnergyError::WrongType)
}

/// Makes an account of our mint out of a new one; Config owns its tokens.
#[inline(never)]
pub fn open_account(account: &AccountView, mint: &AccountView, config: &AccountView) -> Check {
    Ok(InitializeAccount3::new(account, mint, config.address()).invoke()?)
}

/// Pays what a household owes out of the tokens in its vault and those that arrive
/// there: counts it, and gives the Wh that the caller must burn from the vault.
#[inline(never)]
pub fn burn_shortfall(household: &mut Household, vault: &AccountView, arriving: u64) -> Check<u64> {
    if household.shortfall_wh == 0 {
        return Ok(0);
    }
    let at_hand = balance(vault)?.checked_add(arriving).or_refuse(EnergyError::Overflow)?;
    let burned = household.shortfall_wh.min(at_hand);
    household.burned_wh = household.burned_wh.checked_add(burned).or_refuse(EnergyError::Overflow)?;
    household.shortfall_wh -= burned;
    Ok(burned)
}

/// Moves tokens from a wallet into a vault; the wallet's owner signed.
#[inline(never)]
pub fn pay_in(
    owner: &AccountView,
    wallet: &AccountView,
    vault: &AccountView,
    mint: &AccountView,
    wh: u64,
) -> Check {
    let mut data: [u8; 10] = with_amount([TAG_TRANSFER_CHECKED], wh);
    data[9] = DECIMALS;
    let metas = [
        InstructionAccount::writable(wallet.address()),
        InstructionAccount::readonly(mint.address()),
        InstructionAccount::writable(vault.address()),
        InstructionAccount::readonly_signer(owner.address()),
    ];
    let instruction = InstructionView { program_id: &programs::TOKEN_2022, accounts: &metas, data: &data };
    Ok(invoke(&instruction, &[wallet, mint, vault, owner])?)
}

/// Operations of one instruction, in their order; those of zero Wh are left out.
pub struct Operations<const N: usize> {
    list: [MaybeUninit<Operation>; N],
    used: usize,
}

impl<const N: usize> Operations<N> {
    /// None yet.
    #[inline(always)]
    pub fn new() -> Self {
        Self { list: [const { MaybeUninit::uninit() }; N], used: 0 }
    }

    /// One more, unless it moves nothing.
    #[inline(always)]
    pub fn push(&mut self, operation: Operation) -> Check {
        let moves = match operation {
            Operation::Mint { wh, .. } | Operation::Burn { wh, .. } | Operation::Transfer { wh, .. } => {
                wh > 0
            }
            Operation::Close { .. } => true,
        };
        if moves {
            // INVARIANT: the caller made room for every operation that it may push.
            self.list.get_mut(self.used).or_refuse(EnergyError::Runtime)?.write(operation);
            self.used += 1;
        }
        Ok(())
    }

    /// Whether the next would find no room.
    #[inline(always)]
    pub const fn is_full(&self) -> bool {
        self.used == N
    }

    /// Those pushed.
    #[inline(always)]
    pub fn as_slice(&self) -> &[Operation] {
        // SAFETY: the first `used` elements were written by `push`.
        unsafe { from_raw_parts(self.list.as_ptr().cast(), self.used) }
    }
}

/// What goes into one call.
struct Batch<'a> {
    data: [u8; DATA_MAX],
    data_len: usize,
    metas: [MaybeUninit<InstructionAccount<'a>>; METAS_MAX],
    metas_len: usize,
    infos: [MaybeUninit<CpiAccount<'a>>; INFOS_MAX],
    infos_len: usize,
}

impl<'a> Batch<'a> {
    #[inline(always)]
    fn info(&mut self, account: &'a AccountView) {
        CpiAccount::init_from_account_view(account, &mut self.infos[self.infos_len]);
        self.infos_len += 1;
    }

    #[inline(always)]
    fn push<const M: usize, const D: usize>(&mut self, metas: [InstructionAccount<'a>; M], data: [u8; D]) {
        for meta in metas {
            self.metas[self.metas_len].write(meta);
            self.metas_len += 1;
        }
        self.data[self.data_len] = M as u8;
        self.data[self.data_len + 1] = D as u8;
        self.data[self.data_len + 2..self.data_len + 2 + D].copy_from_slice(&data);
        self.data_len += 2 + D;
    }
}

/// Runs the operations in order, in one call, as Config. None: no call. No data of
/// an account involved may be borrowed.
#[inline(never)]
pub fn run(authority: &Authority, mint: &AccountView, operations: &[Operation]) -> Check {
    if operations.is_empty() {
        return Ok(());
    }
    (operations.len() <= OPERATIONS_MAX).or_refuse(EnergyError::Runtime)?;
    let config = authority.config;
    let mut batch = Batch {
        data: [0; DATA_MAX],
        data_len: 1,
        metas: [const { MaybeUninit::uninit() }; METAS_MAX],
        metas_len: 0,
        infos: [const { MaybeUninit::uninit() }; INFOS_MAX],
        infos_len: 0,
    };
    batch.data[0] = TAG_BATCH;
    config.check_borrow()?;
    mint.check_borrow_mut()?;
    batch.info(config);
    batch.info(mint);
    let signer = InstructionAccount::readonly_signer(config.address());
    for operation in operations {
        match operation {
            Operation::Mint { to, wh } => {
                to.check_borrow_mut()?;
                batch.info(to);
                batch.push(
                    [
                        InstructionAccount::writable(mint.address()),
                        InstructionAccount::writable(to.address()),
                        signer.clone(),
                    ],
                    with_amount::<1, 9>([TAG_MINT_TO], *wh),
                );
            }
            Operation::Burn { from, wh } => {
                from.check_borrow_mut()?;
                batch.info(from);
                batch.push(
                    [
                        InstructionAccount::writable(from.address()),
                        InstructionAccount::writable(mint.address()),
                        signer.clone(),
                        signer.clone(),
                    ],
                    with_amount::<2, 10>(TAG_PERMISSIONED_BURN, *wh),
                );
            }
            Operation::Transfer { from, to, wh } => {
                from.check_borrow_mut()?;
                to.check_borrow_mut()?;
                batch.info(from);
                batch.info(to);
                let mut data: [u8; 10] = with_amount([TAG_TRANSFER_CHECKED], *wh);
                data[9] = DECIMALS;
                batch.push(
                    [
                        InstructionAccount::writable(from.address()),
                        InstructionAccount::readonly(mint.address()),
                        InstructionAccount::writable(to.address()),
                        signer.clone(),
                    ],
                    data,
                );
            }
            Operation::Close { account, to } => {
                account.check_borrow_mut()?;
                to.check_borrow_mut()?;
                batch.info(account);
                batch.info(to);
                batch.push(
                    [
                        InstructionAccount::writable(account.address()),
                        InstructionAccount::writable(to.address()),
                        signer.clone(),
                    ],
                    [TAG_CLOSE],
                );
            }
        }
    }
    // SAFETY: the first `metas_len` and `infos_len` elements were written above.
    let (metas, infos) = unsafe {
        (
            from_raw_parts(batch.metas.as_ptr().cast(), batch.metas_len),
            from_raw_parts(batch.infos.as_ptr().cast(), batch.infos_len),
        )
    };
    let instruction = InstructionView {
        program_id: &programs::TOKEN_2022,
        accounts: metas,
        data: &batch.data[..batch.data_len],
    };
    // SAFETY: no account's data is borrowed: each was checked before it was added.
    authority.sign(|signers| unsafe { invoke_signed_unchecked(&instruction, infos, signers) });
    Ok(())
}

/// A tag, an amount, and zeroes up to `D`.
#[inline(always)]
fn with_amount<const T: usize, const D: usize>(tag: [u8; T], wh: u64) -> [u8; D] {
    let mut data = [0; D];
    data[..T].copy_from_slice(&tag);
    data[T..T + 8].copy_from_slice(&wh.to_le_bytes());
    data
}
