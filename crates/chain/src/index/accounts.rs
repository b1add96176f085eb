//! What the program's accounts hold, for who audits without keys.

use super::rpc::RpcHistory;
use crate::error::ChainError;
use jirani_energy_interface::state::{Config, Household, Marker, Offer, Order, Record as _};
use jirani_energy_interface::{EnergyProgram, programs, token};
use solana_account::Account;
use solana_address::Address;
use std::collections::BTreeMap;
use std::time::Duration;

/// How often a moment is looked for in which nothing moved.
const TRIES: u32 = 20;

/// All accounts of a deployment, as of one moment.
#[derive(Clone, Debug)]
pub struct OnChain {
    /// The deployment.
    pub program: EnergyProgram,
    /// The one Config.
    pub config: Config,
    /// Households, by address.
    pub households: BTreeMap<Address, Household>,
    /// Offers, by address.
    pub offers: BTreeMap<Address, Offer>,
    /// Orders that are neither settled nor released, by address.
    pub orders: BTreeMap<Address, Order>,
    /// Markers of used proofs, by address.
    pub markers: BTreeMap<Address, Marker>,
    /// The tokens.
    pub tokens: Holdings,
}

/// The mint and who holds its tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holdings {
    /// Tokens that exist, Wh.
    pub supply_wh: u64,
    /// Every token account of the mint and what it holds, Wh.
    pub accounts: BTreeMap<Address, u64>,
}

impl RpcHistory {
    /// One household's record, finalised; `None` when the program has none of that number.
    pub async fn household(
        &self,
        program: &EnergyProgram,
        household_id: u32,
    ) -> Result<Option<Household>, ChainError> {
        let account = self.account(&program.household(household_id)).await?;
        let own = account.filter(|account| account.owner == program.id);
        Ok(own.and_then(|account| Household::decode(&account.data)))
    }

    /// Reads all of it. Nothing on a node reads two programs' accounts at once: the
    /// program's records are read before and after the tokens, and when none changed,
    /// no token of theirs moved either.
    pub async fn on_chain(&self, program: EnergyProgram) -> Result<OnChain, ChainError> {
        let mut before = self.accounts(&program.id, None).await?;
        for attempt in 0..TRIES {
            let mint = self.account(&program.mint).await?;
            let tokens = self.accounts(&programs::TOKEN_2022, Some(program.mint.as_ref())).await?;
            let after = self.accounts(&program.id, None).await?;
            if before == after {
                return read(program, &after, mint.as_ref(), &tokens);
            }
            before = after;
            tokio::time::sleep(Duration::from_millis(u64::from(attempt) * 20)).await;
        }
        Err(ChainError::Unreachable(
            "the chain moves too fast to be read as of one moment; ask again".to_owned(),
        ))
    }
}

fn read(
    program: EnergyProgram,
    records: &[(Address, Account)],
    mint: Option<&Account>,
    tokens: &[(Address, Account)],
) -> Result<OnChain, ChainError> {
    let config = records
        .iter()
        .find(|(address, _)| *address == program.config)
        .and_then(|(_, account)| Config::decode(&account.data))
        .ok_or_else(|| {
            ChainError::NotReady(format!("program {} has no Config that this version knows", program.id))
        })?;
    let supply_wh = mint
        .and_then(|mint| token::supply(&mint.data))
        .ok_or_else(|| ChainError::Damaged(format!("{} is no mint", program.mint)))?;
    let accounts = tokens
        .iter()
        .filter_map(|(address, account)| Some((*address, token::amount(&account.data)?)))
        .collect();
    let mut found = OnChain {
        program,
        config,
        households: BTreeMap::new(),
        offers: BTreeMap::new(),
        orders: BTreeMap::new(),
        markers: BTreeMap::new(),
        tokens: Holdings { supply_wh, accounts },
    };
    for (address, Account { data, .. }) in records {
        if let Some(household) = Household::decode(data) {
            found.households.insert(*address, household);
        } else if let Some(offer) = Offer::decode(data) {
            found.offers.insert(*address, offer);
        } else if let Some(order) = Order::decode(data) {
            found.orders.insert(*address, order);
        } else if let Some(marker) = Marker::decode(data) {
            found.markers.insert(*address, marker);
        }
    }
    Ok(found)
}
