//! What every account of every instruction must be: one table that the program
//! checks, that refusals name accounts from, and that clients are generated from.

use crate::instruction::Tag;

/// What an account must hold or be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Kind {
    /// Anything; the instruction itself compares its address.
    Any = 0,
    /// The system program.
    SystemProgram = 1,
    /// Token-2022.
    TokenProgram = 2,
    /// This program, for its events.
    ThisProgram = 3,
    /// [`crate::state::Config`].
    Config = 4,
    /// [`crate::state::Household`].
    Household = 5,
    /// [`crate::state::Offer`].
    Offer = 6,
    /// [`crate::state::Order`].
    Order = 7,
    /// [`crate::state::Marker`].
    Marker = 8,
    /// [`crate::state::Evidence`].
    Evidence = 9,
    /// A token account, or the mint, of Token-2022.
    Token = 10,
}

/// One account of an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountSpec {
    /// Its name, as clients and refusals say it.
    pub name: &'static str,
    /// Whether it must sign.
    pub signer: bool,
    /// Whether it changes.
    pub writable: bool,
    /// What it must hold.
    pub kind: Kind,
}

impl AccountSpec {
    /// The check as one byte: bit 0 signer, bit 1 writable, the kind above.
    pub const fn rule(&self) -> u8 {
        self.signer as u8 | (self.writable as u8) << 1 | (self.kind as u8) << 2
    }
}

/// The bytes of a table, for the program to check against.
pub const fn rules<const N: usize>(specs: &[AccountSpec; N]) -> [u8; N] {
    let mut rules = [0; N];
    let mut i = 0;
    while i < N {
        rules[i] = specs[i].rule();
        i += 1;
    }
    rules
}

macro_rules! right {
    ($wanted:ident:) => { false };
    (signer: signer $($rest:ident)*) => { true };
    (writable: writable $($rest:ident)*) => { true };
    ($wanted:ident: $other:ident $($rest:ident)*) => { right!($wanted: $($rest)*) };
}

macro_rules! specs {
    ($($(#[$doc:meta])* $table:ident = [$($name:ident $($right:ident)* : $kind:ident),* $(,)?];)*) => {
        $($(#[$doc])* pub const $table: &[AccountSpec; [$(stringify!($name)),*].len()] = &[
            $(AccountSpec {
                name: stringify!($name),
                signer: right!(signer: $($right)*),
                writable: right!(writable: $($right)*),
                kind: Kind::$kind,
            }),*
        ];)*
    };
}

specs! {
    /// Accounts of [`Tag::Initialise`].
    INITIALISE = [
        upgrade_authority signer: Any, payer signer writable: Any, program_data: Any, config writable: Any,
        mint writable: Any, system_program: SystemProgram, token_program: TokenProgram, energy_program: ThisProgram,
    ];
    /// Accounts of [`Tag::Configure`].
    CONFIGURE = [admin signer: Any, config writable: Config, energy_program: ThisProgram];
    /// Accounts of [`Tag::Pause`].
    PAUSE = [key signer: Any, config writable: Config, energy_program: ThisProgram];
    /// Accounts of [`Tag::AcceptAdmin`].
    ACCEPT_ADMIN = [pending_admin signer: Any, config writable: Config, energy_program: ThisProgram];
    /// Accounts of [`Tag::HardStop`].
    HARD_STOP = [
        admin signer: Any, config writable: Config, mint writable: Token, token_program: TokenProgram,
        energy_program: ThisProgram,
    ];
    /// Accounts of [`Tag::Enrol`].
    ENROL = [
        admin signer: Any, payer signer writable: Any, config: Config, household writable: Any,
        vault writable: Any, mint: Token, evidence writable: Any, system_program: SystemProgram,
        token_program: TokenProgram, energy_program: ThisProgram,
    ];
    /// Accounts of [`Tag::ReplaceMeter`].
    REPLACE_METER = [
        admin signer: Any, config: Config, household writable: Household, energy_program: ThisProgram,
    ];
    /// Accounts of [`Tag::ChangeAuthority`].
    CHANGE_AUTHORITY = [
        key signer: Any, config: Config, household writable: Household, energy_program: ThisProgram,
    ];
    /// Accounts of [`Tag::CloseHousehold`].
    CLOSE_HOUSEHOLD = [
        admin signer: Any, config writable: Config, household writable: Household, vault writable: Token,
        mint writable: Token, rent_payer writable: Any, token_program: TokenProgram, energy_program: ThisProgram,
    ];
    /// Accounts of [`Tag::Attest`]; then the oracles, then [`ATTEST_ROW`] per row.
    ATTEST = [
        config: Config, mint writable: Token, evidence writable: Evidence, token_program: TokenProgram,
        energy_program: ThisProgram,
    ];
    /// Accounts of one attested row. A row whose accounts are wrong is skipped.
    ATTEST_ROW = [household writable: Household, vault writable: Token];
    /// Accounts of [`Tag::Adjust`]; then the oracles.
    ADJUST = [
        admin signer: Any, config writable: Config, mint writable: Token, household writable: Household,
        vault writable: Token, token_program: TokenProgram, energy_program: ThisProgram,
    ];
    /// One oracle of an attestation or adjustment.
    ORACLE = [oracle signer: Any];
    /// Accounts of [`Tag::PostOffer`].
    POST_OFFER = [
        authority signer: Any, payer signer writable: Any, config writable: Config, seller writable: Household,
        vault writable: Token, offer writable: Any, escrow writable: Any, mint: Token,
        system_program: SystemProgram, token_program: TokenProgram, energy_program: ThisProgram,
    ];
    /// Accounts of [`Tag::CancelOffer`].
    CANCEL_OFFER = [
        caller signer: Any, config: Config, offer writable: Offer, escrow writable: Token,
        seller writable: Household, vault writable: Token, mint writable: Token, rent_payer writable: Any,
        token_program: TokenProgram, energy_program: ThisProgram,
    ];
    /// Accounts of [`Tag::PlaceOrder`]; then [`PLACE_ORDER_FILL`] per fill.
    PLACE_ORDER = [
        authority signer: Any, payer signer writable: Any, config writable: Config, buyer writable: Household,
        order writable: Any, system_program: SystemProgram, energy_program: ThisProgram,
    ];
    /// The account of one fill of an order that is placed or released.
    PLACE_ORDER_FILL = [offer writable: Offer];
    /// Accounts of [`Tag::Settle`]; then [`SETTLE_FILL`] per fill.
    SETTLE = [
        attestor signer: Any, payer signer writable: Any, config writable: Config, order writable: Order,
        buyer writable: Household, vault writable: Token, mint writable: Token, marker writable: Any,
        rent_payer writable: Any, system_program: SystemProgram, token_program: TokenProgram,
        energy_program: ThisProgram,
    ];
    /// Accounts of one fill of an order that is settled.
    SETTLE_FILL = [offer writable: Offer, escrow writable: Token];
    /// Accounts of [`Tag::Release`]; then [`PLACE_ORDER_FILL`] per fill.
    RELEASE = [
        caller signer: Any, config: Config, order writable: Order, buyer writable: Household,
        rent_payer writable: Any, energy_program: ThisProgram,
    ];
    /// Accounts of [`Tag::Move`].
    MOVE = [
        authority signer: Any, config: Config, from writable: Household, from_vault writable: Token,
        to writable: Household, to_vault writable: Token, mint writable: Token, token_program: TokenProgram,
        energy_program: ThisProgram,
    ];
    /// Accounts of [`Tag::Withdraw`].
    WITHDRAW = [
        authority signer: Any, config: Config, household writable: Household, vault writable: Token,
        wallet writable: Token, mint writable: Token, token_program: TokenProgram, energy_program: ThisProgram,
    ];
    /// Accounts of [`Tag::Deposit`].
    DEPOSIT = [
        wallet_owner signer: Any, config: Config, household writable: Household, vault writable: Token,
        wallet writable: Token, mint writable: Token, token_program: TokenProgram, energy_program: ThisProgram,
    ];
    /// Accounts of [`Tag::CloseMarkers`]; then [`CLOSE_MARKER`] per marker.
    CLOSE_MARKERS = [config: Config, energy_program: ThisProgram];
    /// Accounts of one marker that is closed.
    CLOSE_MARKER = [marker writable: Marker, rent_payer writable: Any];
    /// The account of [`Tag::Event`].
    EVENT = [config signer: Config];
}

/// The accounts of an instruction, before those that repeat.
pub const fn of(tag: Tag) -> &'static [AccountSpec] {
    match tag {
        Tag::Initialise => INITIALISE,
        Tag::Configure => CONFIGURE,
        Tag::Pause => PAUSE,
        Tag::AcceptAdmin => ACCEPT_ADMIN,
        Tag::HardStop => HARD_STOP,
        Tag::Enrol => ENROL,
        Tag::ReplaceMeter => REPLACE_METER,
        Tag::ChangeAuthority => CHANGE_AUTHORITY,
        Tag::CloseHousehold => CLOSE_HOUSEHOLD,
        Tag::Attest => ATTEST,
        Tag::Adjust => ADJUST,
        Tag::PostOffer => POST_OFFER,
        Tag::CancelOffer => CANCEL_OFFER,
        Tag::PlaceOrder => PLACE_ORDER,
        Tag::Settle => SETTLE,
        Tag::Release => RELEASE,
        Tag::Move => MOVE,
        Tag::Withdraw => WITHDRAW,
        Tag::Deposit => DEPOSIT,
        Tag::CloseMarkers => CLOSE_MARKERS,
        Tag::Event => EVENT,
    }
}

/// The accounts that repeat at an instruction's end, in their order.
pub const fn repeated(tag: Tag) -> &'static [&'static [AccountSpec]] {
    match tag {
        Tag::Attest => &[ORACLE, ATTEST_ROW],
        Tag::Adjust => &[ORACLE],
        Tag::PlaceOrder | Tag::Release => &[PLACE_ORDER_FILL],
        Tag::Settle => &[SETTLE_FILL],
        Tag::CloseMarkers => &[CLOSE_MARKER],
        _ => &[],
    }
}
