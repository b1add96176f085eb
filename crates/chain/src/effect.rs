//! Was refused work done before? The accounts say.

use crate::client::RpcEnergyChain;
use crate::error::ChainError;
use crate::plan::{accounts, program_proof};
use crate::work::Work;
use jirani_energy_interface::id_window;
use jirani_energy_interface::instruction::Tag;
use jirani_energy_interface::state::{Household, Marker, Offer, OfferState, Order, Record};
use jirani_market::Fill;
use jirani_units::HouseholdId;
use solana_address::Address;
use solana_commitment_config::CommitmentConfig;
use solana_signature::Signature;

/// How far back an address's history is read.
const HISTORY_MAX: usize = 1_000;
/// How many of an order's last transactions may have released it.
const RELEASE_MAX: usize = 8;

/// Work that was done before.
pub(crate) struct Done {
    /// By which transaction; `None` when history has forgotten.
    pub signature: Option<Signature>,
}

impl RpcEnergyChain {
    /// Whether, and by what, `work` was done before it was refused.
    pub(crate) async fn done_before(&self, work: &Work) -> Result<Option<Done>, ChainError> {
        match work {
            Work::Enrol { household, feeder, meter_key, meter_epoch, .. } => {
                let address = self.program.household(household.0);
                let same = self.record_at::<Household>(address).await?.is_some_and(|found| {
                    (found.feeder, found.meter_key, found.meter_epoch) == (*feeder, *meter_key, *meter_epoch)
                });
                self.first_at(address, same).await
            }
            Work::ReplaceMeter { household, meter_key, meter_epoch, .. } => {
                let address = self.program.household(household.0);
                let same = self
                    .record_at::<Household>(address)
                    .await?
                    .is_some_and(|found| (found.meter_key, found.meter_epoch) == (*meter_key, *meter_epoch));
                self.last_at(address, same).await
            }
            // Nothing of an attestation is refused for having been done.
            Work::Attest { .. } => Ok(None),
            Work::PostOffer { seller, offer, energy_wh, price, .. } => {
                let household = self.program.household(seller.0);
                let address = self.program.offer(&household, offer.0);
                let done = match self.record_at::<Offer>(address).await? {
                    Some(found) => (found.energy_wh, found.price) == (energy_wh.0, price.0),
                    None => {
                        self.used(*seller, |seller| (seller.newest_offer, seller.offers_seen), offer.0)
                            .await?
                    }
                };
                self.first_at(address, done).await
            }
            Work::CancelOffer { seller, offer } => {
                let address = self.program.offer(&self.program.household(seller.0), offer.0);
                let done = match self.record_at::<Offer>(address).await? {
                    Some(found) => found.state == OfferState::Closing as u8 && found.free_wh() == 0,
                    None => {
                        self.used(*seller, |seller| (seller.newest_offer, seller.offers_seen), offer.0)
                            .await?
                    }
                };
                self.last_at(address, done).await
            }
            Work::PlaceOrder { buyer, order, fills, .. } => {
                let address = self.program.order(&self.program.household(buyer.0), order.0);
                let done = match self.record_at::<Order>(address).await? {
                    Some(found) => self.same_fills(&found, fills)?,
                    None => {
                        self.used(*buyer, |buyer| (buyer.newest_order, buyer.orders_seen), order.0).await?
                    }
                };
                self.first_at(address, done).await
            }
            Work::Settle { buyer, order, proof, .. } | Work::PlaceAndSettle { buyer, order, proof, .. } => {
                let address = self.program.marker(&program_proof(proof));
                let done = self
                    .record_at::<Marker>(address)
                    .await?
                    .is_some_and(|found| (found.buyer_id, found.order_id) == (buyer.0, order.0));
                self.first_at(address, done).await
            }
            Work::Release { buyer, order, .. } => {
                let address = self.program.order(&self.program.household(buyer.0), order.0);
                if self.record_at::<Order>(address).await?.is_some() {
                    return Ok(None);
                }
                self.release_of(address).await
            }
        }
    }

    async fn record_at<T: Record>(&self, address: Address) -> Result<Option<T>, ChainError> {
        let accounts = self.node.accounts(&[address], CommitmentConfig::confirmed()).await?;
        let account = accounts.into_iter().next().flatten();
        Ok(account
            .filter(|account| account.owner == self.program.id)
            .and_then(|account| T::decode(&account.data)))
    }

    /// Whether a number was certainly used: one older than the window may not
    /// have been.
    async fn used(
        &self,
        household: HouseholdId,
        window: impl Fn(&Household) -> (u64, u64),
        id: u64,
    ) -> Result<bool, ChainError> {
        let found = self.record_at::<Household>(self.program.household(household.0)).await?;
        Ok(found.is_some_and(|found| {
            let (newest, seen) = window(&found);
            let within = id <= newest && newest - id <= u64::from(u64::BITS);
            within && id_window::take(newest, seen, id).is_none()
        }))
    }

    fn same_fills(&self, order: &Order, fills: &[Fill]) -> Result<bool, ChainError> {
        let wanted = accounts(fills)?;
        Ok(order.fills().len() == wanted.len()
            && order.fills().iter().zip(&wanted).all(|(found, wanted)| {
                found.offer == self.program.offer_of(wanted).to_bytes()
                    && (found.energy_wh, found.price) == (wanted.energy_wh, wanted.price)
            }))
    }

    async fn first_at(&self, address: Address, done: bool) -> Result<Option<Done>, ChainError> {
        if !done {
            return Ok(None);
        }
        let signature = self.node.signatures(&address, HISTORY_MAX).await?.last().copied();
        Ok(Some(Done { signature }))
    }

    async fn last_at(&self, address: Address, done: bool) -> Result<Option<Done>, ChainError> {
        if !done {
            return Ok(None);
        }
        let signature = self.node.signatures(&address, 1).await?.first().copied();
        Ok(Some(Done { signature }))
    }

    /// The transaction that released an order which is gone. One that was settled
    /// is gone, too: only the instruction tells.
    async fn release_of(&self, order: Address) -> Result<Option<Done>, ChainError> {
        for signature in self.node.signatures(&order, RELEASE_MAX).await? {
            let Some(transaction) = self.node.decoded(&signature).await? else { continue };
            let keys = transaction.message.static_account_keys();
            let released = transaction.message.instructions().iter().any(|instruction| {
                keys.get(usize::from(instruction.program_id_index)) == Some(&self.program.id)
                    && instruction.data.first() == Some(&(Tag::Release as u8))
                    && instruction.accounts.iter().any(|index| keys.get(usize::from(*index)) == Some(&order))
            });
            if released {
                return Ok(Some(Done { signature: Some(signature) }));
            }
        }
        Ok(None)
    }
}
