//! A chain in memory: vaults and escrows that add up, every piece of work once.

use async_trait::async_trait;
use jirani_chain::{ChainError, ChainSnapshot, EnergyChain, HouseholdOnChain, Outcome, TariffOutcome, Work};
use jirani_clock::ServiceClock;
use jirani_market::Tariff;
use jirani_units::{Clock as _, HouseholdId, OfferId, Wh};
use std::collections::BTreeMap;
use std::sync::Mutex;
use tokio::sync::watch;

#[derive(Default)]
struct Accounts {
    households: BTreeMap<HouseholdId, HouseholdOnChain>,
    escrows: BTreeMap<OfferId, (HouseholdId, u64)>,
    done: BTreeMap<String, Outcome>,
}

pub struct TestChain {
    clock: ServiceClock,
    accounts: Mutex<Accounts>,
    answers: watch::Sender<bool>,
}

impl TestChain {
    pub fn new(clock: ServiceClock) -> Self {
        Self { clock, accounts: Mutex::default(), answers: watch::Sender::new(true) }
    }

    /// Whether it answers; else everybody waits until it does.
    pub fn answers(&self, answers: bool) {
        self.answers.send_replace(answers);
    }

    pub fn put(&self, id: HouseholdId, household: HouseholdOnChain) {
        self.accounts.lock().unwrap().households.insert(id, household);
    }
}

impl Accounts {
    fn apply(&mut self, work: &Work) -> Result<(), &'static str> {
        match work {
            Work::PostOffer { seller, offer, energy_wh, .. } => {
                let vault = &mut self.households.get_mut(seller).ok_or("energy.unknown_household")?.vault_wh;
                *vault = vault.checked_sub(*energy_wh).ok_or("energy.insufficient_tokens")?;
                self.escrows.insert(*offer, (*seller, energy_wh.0));
            }
            Work::CancelOffer { offer, .. } => {
                let (seller, left) = self.escrows.remove(offer).ok_or("energy.unknown_offer")?;
                self.give(seller, left);
            }
            Work::Settle { buyer, fills, .. } | Work::PlaceAndSettle { buyer, fills, .. } => {
                for fill in fills {
                    let energy = u64::from(fill.energy_wh);
                    let (_, escrow) = self.escrows.get_mut(&fill.offer).ok_or("energy.unknown_offer")?;
                    *escrow = escrow.checked_sub(energy).ok_or("energy.offer_too_small")?;
                    self.give(*buyer, energy);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn give(&mut self, household: HouseholdId, energy: u64) {
        self.households.entry(household).or_default().vault_wh.0 += energy;
    }
}

#[async_trait]
impl EnergyChain for TestChain {
    async fn ended(&self, key: &str, _: &Work) -> Result<Option<Outcome>, ChainError> {
        Ok(self.accounts.lock().unwrap().done.get(key).cloned())
    }

    async fn submit(&self, key: &str, work: Work) -> Result<Outcome, ChainError> {
        self.answers.subscribe().wait_for(|answers| *answers).await.expect("the chain lives");
        let mut accounts = self.accounts.lock().unwrap();
        if let Some(outcome) = accounts.done.get(key) {
            return Ok(outcome.clone());
        }
        let slot = accounts.done.len() as u64 + 1;
        let outcome = match accounts.apply(&work) {
            Ok(()) => Outcome::Landed {
                signature: format!("sig-{key}"),
                slot,
                at: self.clock.now(),
                rows: Vec::new(),
            },
            Err(code) => Outcome::Refused {
                code: code.into(),
                message: "The program said no.".into(),
                retry: jirani_chain::Retry::Never,
            },
        };
        accounts.done.insert(key.to_owned(), outcome.clone());
        Ok(outcome)
    }

    async fn household(&self, id: HouseholdId) -> Result<Option<HouseholdOnChain>, ChainError> {
        Ok(self.accounts.lock().unwrap().households.get(&id).copied())
    }

    async fn snapshot(&self) -> Result<ChainSnapshot, ChainError> {
        let accounts = self.accounts.lock().unwrap();
        let vaults_wh: Wh = accounts.households.values().map(|household| household.vault_wh).sum();
        let escrow_wh = Wh(accounts.escrows.values().map(|(_, energy)| energy).sum());
        let supply_wh = Wh(vaults_wh.0 + escrow_wh.0);
        Ok(ChainSnapshot {
            supply_wh,
            token_accounts_wh: supply_wh,
            vaults_wh,
            escrow_wh,
            households: accounts.households.iter().map(|(id, household)| (*id, *household)).collect(),
            ..ChainSnapshot::default()
        })
    }

    async fn set_tariff(&self, _: &Tariff) -> Result<TariffOutcome, ChainError> {
        Ok(TariffOutcome::Set)
    }

    fn household_address(&self, id: HouseholdId) -> String {
        format!("address-{id}")
    }

    fn order_window_s(&self) -> (u32, u32) {
        (120, 300)
    }
}
