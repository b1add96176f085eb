//! What services ask of the chain.

use crate::error::ChainError;
use crate::readiness::Readiness;
use crate::work::{Outcome, Work};
use async_trait::async_trait;
use jirani_market::Tariff;
use jirani_units::{HouseholdId, OfferId, OrderId, Timestamp, Wh};

/// The energy program, whoever runs it.
#[async_trait]
pub trait EnergyChain: Send + Sync {
    /// Does `work` once. `key` names the work for ever (`settle/17`): calling again
    /// with the same key, also after a restart, gives the first call's outcome.
    /// Returns when the outcome is final. An error means unknown: call again. An attestation
    /// is signed once by a call at most: who asks again may leave rows out, by then.
    async fn submit(&self, key: &str, work: Work) -> Result<Outcome, ChainError>;
    /// What became of work under this key, if it landed; `None` once it is certain that nothing
    /// of it will by what was sent so far. Signs and sends nothing. An error means unknown: call again.
    async fn ended(&self, key: &str, work: &Work) -> Result<Option<Outcome>, ChainError>;
    /// A record's state; `None` when it is not enrolled.
    async fn household(&self, id: HouseholdId) -> Result<Option<HouseholdOnChain>, ChainError>;
    /// The states of several records, in the order asked for; `None` for one that is not
    /// enrolled.
    async fn households(&self, ids: &[HouseholdId]) -> Result<Vec<Option<HouseholdOnChain>>, ChainError> {
        let mut households = Vec::with_capacity(ids.len());
        for id in ids {
            households.push(self.household(*id).await?);
        }
        Ok(households)
    }
    /// Everything the audit needs, as of one moment.
    async fn snapshot(&self) -> Result<ChainSnapshot, ChainError>;
    /// Address of a household's record, for links.
    fn household_address(&self, id: HouseholdId) -> String;
    /// How long a placed order may be paid, and how long after that a proof counts.
    fn order_window_s(&self) -> (u32, u32);
    /// Has Config's price bounds be `tariff`'s. Repeating it changes nothing; an error means
    /// unknown: call again.
    async fn set_tariff(&self, tariff: &Tariff) -> Result<TariffOutcome, ChainError>;
    /// Whether the chain takes work now, and what is in the way.
    async fn readiness(&self) -> Readiness {
        Readiness::ready()
    }
}

/// What became of a change of Config's price bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TariffOutcome {
    /// They are set.
    Set,
    /// They were so already.
    AlreadySet,
    /// They are others, and Config's admin is not our key: whoever has it must set them, by
    /// `jirani chain set-tariff`.
    NotAdmin,
}

/// A record's state on chain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HouseholdOnChain {
    /// Tokens in its vault.
    pub vault_wh: Wh,
    /// Imported energy that found no token to burn.
    pub shortfall_wh: Wh,
    /// Attested export register.
    pub export_wh: Wh,
    /// Attested import register.
    pub import_wh: Wh,
    /// Minted, gross.
    pub minted_wh: Wh,
    /// Burned, gross.
    pub burned_wh: Wh,
    /// Export adjustments, gross.
    pub adjusted_export_wh: Wh,
    /// Import adjustments, gross.
    pub adjusted_import_wh: Wh,
    /// End of the last attested slot.
    pub attested_through: Timestamp,
    /// The meter's key, and the epoch that rows name.
    pub meter: ([u8; 32], u32),
}

/// An offer's account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OfferOnChain {
    /// Which.
    pub offer: OfferId,
    /// Whose.
    pub seller: HouseholdId,
    /// Tokens in its escrow.
    pub escrow_wh: Wh,
    /// What it still owes: not sold, not returned.
    pub owed_wh: Wh,
}

/// An order's account: one that is neither settled nor released.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderOnChain {
    /// Which.
    pub order: OrderId,
    /// Who buys.
    pub buyer: HouseholdId,
    /// Energy held.
    pub held_wh: Wh,
}

/// What closed households counted in their lives: their records are gone, their part of
/// the sums is not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClosedOnChain {
    /// How many they are.
    pub households: u64,
    /// Attested export.
    pub export_wh: Wh,
    /// Attested import.
    pub import_wh: Wh,
    /// Minted, gross.
    pub minted_wh: Wh,
    /// Burned, gross.
    pub burned_wh: Wh,
    /// Export adjustments, gross.
    pub adjusted_export_wh: Wh,
    /// Import adjustments, gross.
    pub adjusted_import_wh: Wh,
}

/// All of the program's accounts and all token accounts of the mint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChainSnapshot {
    /// The mint's supply.
    pub supply_wh: Wh,
    /// Sum over every token account of the mint.
    pub token_accounts_wh: Wh,
    /// Tokens in vaults.
    pub vaults_wh: Wh,
    /// Tokens in escrow.
    pub escrow_wh: Wh,
    /// Tokens anywhere else.
    pub wallets_wh: Wh,
    /// Records.
    pub households: Vec<(HouseholdId, HouseholdOnChain)>,
    /// Households that are closed, together.
    pub closed: ClosedOnChain,
    /// Offers.
    pub offers: Vec<OfferOnChain>,
    /// Live orders.
    pub orders: Vec<OrderOnChain>,
    /// Proofs used: the markers' addresses that exist.
    pub markers: u64,
}
