//! The program's refusals: one number, one stable code, one sentence each.

/// Numbers of the program's own refusals start here, clear of the small numbers
/// that the token and system programs return through it.
pub const ERROR_BASE: u32 = 7000;

/// The lower half of a number says which rule was broken; the upper half, when it is
/// not zero, which account broke it, counted from 1 in the instruction's order.
const ERROR_MASK: u32 = 0xffff;

/// The number of a refusal that names the account at `index`.
pub const fn at_account(error: EnergyError, index: usize) -> u32 {
    // INVARIANT: an instruction has at most 64 accounts.
    #[expect(clippy::cast_possible_truncation, reason = "index < 64")]
    let account = (index as u32 + 1) << 16;
    error as u32 | account
}

/// The account that a refusal's number names, by its place in the instruction.
pub const fn account_index(number: u32) -> Option<usize> {
    match (number >> 16).checked_sub(1) {
        Some(index) => Some(index as usize),
        None => None,
    }
}

macro_rules! errors {
    ($($(#[$doc:meta])* $name:ident = $offset:literal, $code:literal, $message:literal;)*) => {
        /// Why the program refuses. Nothing has changed then.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u32)]
        pub enum EnergyError {
            $($(#[$doc])* $name = ERROR_BASE + $offset,)*
        }

        impl EnergyError {
            /// Every refusal, in the order of its number.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Stable code: `energy.offer_expired`.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => concat!("energy.", $code),)* }
            }

            /// A sentence a person can act on.
            pub const fn message(self) -> &'static str {
                match self { $(Self::$name => $message,)* }
            }

            /// The refusal of a number, whichever account it names.
            pub const fn from_number(number: u32) -> Option<Self> {
                match number & ERROR_MASK {
                    $(n if n == ERROR_BASE + $offset => Some(Self::$name),)*
                    _ => None,
                }
            }
        }
    };
}

errors! {
    /// First byte of the instruction is unknown.
    UnknownInstruction = 0, "unknown_instruction", "The energy program has no such instruction; update the client.";
    /// Instruction data too short or too long.
    InvalidData = 1, "invalid_data", "The instruction's data has the wrong length or a value outside its range.";
    /// Not all accounts given.
    AccountsMissing = 2, "accounts_missing", "The instruction needs more accounts.";
    /// A required signature is missing.
    MissingSigner = 3, "missing_signer", "A required account did not sign.";
    /// An account that changes was passed read-only.
    NotWritable = 4, "not_writable", "An account that this instruction changes was passed read-only.";
    /// An account belongs to another program, or does not exist.
    WrongOwner = 5, "wrong_owner", "An account does not exist or belongs to another program.";
    /// An account holds another record, or another version of it.
    WrongType = 6, "wrong_type", "An account holds another kind of record than this instruction needs.";
    /// An account's address is not the one that follows from the others.
    WrongAddress = 7, "wrong_address", "An account's address does not follow from the other accounts.";
    /// Not the program that the instruction calls.
    WrongProgram = 8, "wrong_program", "The system, token or energy program passed is not the real one.";
    /// The record exists already.
    AlreadyExists = 9, "already_exists", "This record exists already.";
    /// Only the upgrade authority may initialise.
    NotUpgradeAuthority = 10, "not_upgrade_authority", "Only the program's upgrade authority may initialise it.";
    /// Only the admin.
    NotAdmin = 11, "not_admin", "Only the admin may do this.";
    /// A signer is no member of the oracle set.
    NotOracle = 12, "not_oracle", "A signer is not an oracle of the current set.";
    /// The same oracle counted twice.
    OracleTwice = 13, "oracle_twice", "The same oracle signed twice; each counts once.";
    /// Too few oracles.
    OracleThreshold = 14, "oracle_threshold", "Too few oracles signed.";
    /// Attested under an older or newer oracle set.
    OracleVersion = 15, "oracle_version", "The attestation was made for another version of the oracle set.";
    /// Only an attestor.
    NotAttestor = 16, "not_attestor", "Only a registered attestor may settle.";
    /// Not the household's authority, nor the custodian of a custodial one.
    NotAuthority = 17, "not_authority", "Only the household's authority, or the custodian of a custodial household, may do this.";
    /// Not the pause key nor the admin.
    NotPauseKey = 18, "not_pause_key", "Only the pause key or the admin may pause; only the admin may resume.";
    /// Trading and attesting are paused.
    Paused = 19, "paused", "The market is paused; cancelling and releasing still work.";
    /// Already as asked.
    PauseUnchanged = 20, "pause_unchanged", "The market is already in that state.";
    /// Tariff contradicts itself.
    InvalidTariff = 21, "invalid_tariff", "The tariff must satisfy 0 < buy-back <= retail - fee - tax, with retail at most 1,000,000 cents per kWh.";
    /// Windows or limits outside their range.
    InvalidLimits = 22, "invalid_limits", "A window or limit is outside its range.";
    /// Oracle set contradicts itself.
    InvalidOracles = 23, "invalid_oracles", "The oracle set needs 1 to 8 different members and a threshold between 1 and their number.";
    /// A key that must not be empty is.
    InvalidKey = 24, "invalid_key", "A key is empty or appears twice.";
    /// Enrolment data contradicts itself.
    InvalidHousehold = 25, "invalid_household", "The household's kind, ratings or authority are not valid.";
    /// The slot has not ended yet.
    SlotInFuture = 26, "slot_in_future", "The attested slot has not ended yet by the chain's clock.";
    /// No rows, or more than fit.
    RowCount = 27, "row_count", "An attestation has 1 to 28 rows, each with its household and vault.";
    /// Energy of zero.
    ZeroEnergy = 28, "zero_energy", "The energy must be above zero.";
    /// Price outside the tariff's bounds.
    PriceOutOfBounds = 29, "price_out_of_bounds", "The price must lie between buy-back and retail less fee and tax.";
    /// Fee or tax not the tariff's.
    FeeOutOfBounds = 30, "fee_out_of_bounds", "A household's order bears the tariff's fee and tax; the operator's own at most those.";
    /// Expiry in the past or too far away.
    InvalidExpiry = 31, "invalid_expiry", "The offer's expiry must lie in the future and within the longest allowed life.";
    /// Offer has expired.
    OfferExpired = 32, "offer_expired", "The offer has expired; choose another.";
    /// Offer is being withdrawn.
    OfferClosing = 33, "offer_closing", "The seller has withdrawn the offer; choose another.";
    /// Not enough left in the offer.
    OfferTooSmall = 34, "offer_too_small", "The offer has less energy left than the order wants.";
    /// Somebody else's offer, not yet returnable.
    OfferNotReturnable = 35, "offer_not_returnable", "Only the seller may withdraw an offer before it expires.";
    /// The household owes energy.
    ShortfallOpen = 36, "shortfall_open", "The household owes energy; buy or generate that first.";
    /// Not enough tokens in the vault.
    VaultTooSmall = 37, "vault_too_small", "The vault holds less energy than that.";
    /// The offer or order number was used before.
    IdUsed = 38, "id_used", "This offer or order number was used before, is too old, or too far ahead.";
    /// Too many at once.
    TooManyOpen = 39, "too_many_open", "The household has too many open offers or orders.";
    /// Fill list is empty, too long, or names an offer twice.
    InvalidFills = 40, "invalid_fills", "An order has 1 to 4 fills from different offers.";
    /// Buying one's own offer.
    OwnOffer = 41, "own_offer", "A household cannot buy its own offer.";
    /// The offer's price is not the one the order names.
    PriceChanged = 42, "price_changed", "The offer's price is not the one in the order.";
    /// The key's daily cap is used up.
    DailyCap = 43, "daily_cap", "The key's daily limit is used up; wait for the next UTC day or raise it.";
    /// Unknown kind of proof, or a proof of zeroes.
    InvalidProof = 44, "invalid_proof", "A proof is a receipt or a ledger transfer, and never empty.";
    /// The proof settled an order before.
    ProofUsed = 45, "proof_used", "This proof has settled an order already.";
    /// The money moved before the order was made or after its grace.
    PaidAtOutsideWindow = 46, "paid_at_outside_window", "The payment was made before the order or after its deadline and grace.";
    /// Too late to settle.
    OrderWindowOver = 47, "order_window_over", "The order's deadline and grace are over; its money becomes balance.";
    /// Too early to release.
    OrderWindowOpen = 48, "order_window_open", "The order may still be paid; only an attestor may release it now.";
    /// The fills' accounts are not the order's.
    FillMismatch = 49, "fill_mismatch", "The offers passed are not the order's fills, in their order.";
    /// A counter would overflow.
    Overflow = 50, "overflow", "A number is too large.";
    /// Event not written by the program itself.
    ForgedEvent = 51, "forged_event", "Only the program itself may write events.";
    /// The mint or a token account is not what it should be.
    WrongMint = 52, "wrong_mint", "The mint is not the one of this program.";
    /// Why an order is released is not known.
    InvalidReason = 53, "invalid_reason", "The reason of a release is not known, or not the caller's to give.";
    /// Daily caps and holds contradict themselves.
    InvalidCaps = 54, "invalid_caps", "A household must be allowed to hold some energy and to leave some orders unpaid.";
    /// Not the proposed admin.
    NotPendingAdmin = 55, "not_pending_admin", "Only the proposed admin may take over.";
    /// The mint itself is stopped.
    HardStopped = 56, "hard_stopped", "The mint is stopped; the admin must lift the hard stop first.";
    /// Not the proposed authority.
    NotPendingAuthority = 57, "not_pending_authority", "Only the proposed authority may take over; the admin confirms a custodial one.";
    /// Nothing was proposed.
    NoAuthorityChange = 58, "no_authority_change", "No change of this household's authority is proposed.";
    /// The delay is not over.
    AuthorityDelay = 59, "authority_delay", "The change of authority waits for its delay; it can be cancelled until then.";
    /// Something hangs on the household.
    HouseholdNotEmpty = 60, "household_not_empty", "The household has tokens, a shortfall, offers or orders; end those first.";
    /// Replacement data contradicts itself.
    InvalidMeter = 61, "invalid_meter", "The meter must go on at the attested registers or begin a later epoch, with ratings up to 1 MW.";
    /// The day's adjustments are used up.
    AdjustmentCap = 62, "adjustment_cap", "The daily limit of adjustments is used up; wait for the next UTC day or raise it.";
    /// An adjustment without energy or reason.
    InvalidAdjustment = 63, "invalid_adjustment", "An adjustment needs energy and the hash of its reason.";
    /// The two records belong to different people.
    DifferentAuthority = 64, "different_authority", "Energy moves only between records of one authority.";
    /// Wallet withdrawals are switched off.
    WithdrawalsOff = 65, "withdrawals_off", "Withdrawing to a wallet is switched off.";
    /// The household's daily withdrawals are used up.
    WithdrawalCap = 66, "withdrawal_cap", "The household's daily limit of withdrawals is used up; wait for the next UTC day.";
    /// The wallet is somebody else's.
    WrongWallet = 67, "wrong_wallet", "The wallet is not an eKWh account of the household's authority.";
    /// Not for custodial households.
    Custodial = 68, "custodial", "A custodial household has no key of its own; change its authority first.";
    /// The marker must stay.
    MarkerRetained = 69, "marker_retained", "The marker still keeps its proof from being used again.";
    /// Open orders hold too much.
    HeldEnergy = 70, "held_energy", "The household's open orders hold as much energy as they may; pay or release one.";
    /// Too many orders left unpaid today.
    UnpaidOrders = 71, "unpaid_orders", "The household left too many orders unpaid today; it may order again the next UTC day.";
    /// One account in two places.
    AccountTwice = 72, "account_twice", "The same account was passed in two places that must differ.";
    /// The runtime refused what never fails.
    Runtime = 73, "runtime", "The chain's runtime did not answer; try again.";
    /// The adjustment was made already, or another came between.
    AdjustmentStale = 74, "adjustment_stale", "The household was adjusted since this adjustment was made; look again.";
}

/// The stable code and the sentence of a number that a transaction failed with,
/// `None` when it is not one of ours.
pub const fn code(number: u32) -> Option<(&'static str, &'static str)> {
    match EnergyError::from_number(number) {
        Some(error) => Some((error.code(), error.message())),
        None => None,
    }
}

impl core::fmt::Display for EnergyError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}: {}", self.code(), self.message())
    }
}

impl core::error::Error for EnergyError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_leads_back_to_its_error() {
        for (i, error) in EnergyError::ALL.iter().enumerate() {
            assert_eq!(*error as u32, ERROR_BASE + u32::try_from(i).unwrap(), "numbers are dense");
            assert_eq!(code(*error as u32), Some((error.code(), error.message())));
            assert!(error.code().starts_with("energy.") && error.message().ends_with('.'));
        }
        assert_eq!(code(0), None);
        assert_eq!(code(ERROR_BASE - 1), None);
    }

    #[test]
    fn a_number_names_its_account_beside_its_rule() {
        let number = at_account(EnergyError::WrongOwner, 3);
        assert_eq!(EnergyError::from_number(number), Some(EnergyError::WrongOwner));
        assert_eq!(account_index(number), Some(3));
        assert_eq!(account_index(EnergyError::WrongOwner as u32), None);
    }
}
