//! Everything the audit needs, as of one moment.

use crate::client::{RpcEnergyChain, on_chain};
use crate::energy::{ChainSnapshot, ClosedOnChain, OfferOnChain, OrderOnChain};
use crate::error::ChainError;
use jirani_energy_interface::state::{Config, Household, Marker, Offer, Order, Record as _};
use jirani_energy_interface::{programs, token};
use jirani_units::{HouseholdId, OfferId, OrderId, Wh};
use solana_account::Account;
use solana_address::Address;
use std::collections::BTreeMap;
use std::time::Duration;

/// How often a moment is looked for in which nothing moved.
const TRIES: u32 = 20;

type Accounts = Vec<(Address, Account)>;

impl RpcEnergyChain {
    /// Nothing on a node reads two programs' accounts at once, so the program's
    /// records are read before and after the tokens: when no record changed, no
    /// token of theirs moved either.
    pub(crate) async fn take_snapshot(&self) -> Result<ChainSnapshot, ChainError> {
        let mut before = self.records().await?;
        for attempt in 0..TRIES {
            let tokens = self.tokens().await?;
            let after = self.records().await?;
            if before == after {
                return assemble(&after, &tokens);
            }
            before = after;
            tokio::time::sleep(Duration::from_millis(u64::from(attempt) * 5)).await;
        }
        Err(ChainError::Unreachable(
            "the chain moves too fast to be read as of one moment; ask again".to_owned(),
        ))
    }

    async fn records(&self) -> Result<Accounts, ChainError> {
        self.node.program_accounts(&self.program.id, None).await
    }

    /// The mint and all its token accounts.
    async fn tokens(&self) -> Result<(Option<Account>, Accounts), ChainError> {
        let commitment = solana_commitment_config::CommitmentConfig::finalized();
        let mint = self.node.accounts(&[self.program.mint], commitment).await?.into_iter().next().flatten();
        let accounts =
            self.node.program_accounts(&programs::TOKEN_2022, Some(self.program.mint.as_ref())).await?;
        Ok((mint, accounts))
    }
}

fn assemble(
    records: &[(Address, Account)],
    (mint, tokens): &(Option<Account>, Accounts),
) -> Result<ChainSnapshot, ChainError> {
    let balances: BTreeMap<Address, u64> = tokens
        .iter()
        .filter_map(|(address, account)| Some((*address, token::amount(&account.data)?)))
        .collect();
    let of = |key: [u8; 32]| balances.get(&Address::new_from_array(key)).copied().map(Wh);
    let damaged =
        |what: &str, address: &Address| ChainError::Damaged(format!("{what} {address} has no token account"));
    let mut snapshot = ChainSnapshot {
        supply_wh: Wh(mint.as_ref().and_then(|mint| token::supply(&mint.data)).unwrap_or(0)),
        token_accounts_wh: Wh(balances.values().sum()),
        ..ChainSnapshot::default()
    };
    for (address, account) in records {
        let data = &account.data;
        if let Some(household) = Household::decode(data) {
            let vault = of(household.vault).ok_or_else(|| damaged("household", address))?;
            snapshot.vaults_wh = snapshot.vaults_wh.checked_add(vault).unwrap_or(Wh(u64::MAX));
            snapshot.households.push((HouseholdId(household.id), on_chain(&household, vault)));
        } else if let Some(offer) = Offer::decode(data) {
            let escrow_wh = of(offer.escrow).ok_or_else(|| damaged("offer", address))?;
            snapshot.escrow_wh = snapshot.escrow_wh.checked_add(escrow_wh).unwrap_or(Wh(u64::MAX));
            snapshot.offers.push(OfferOnChain {
                offer: OfferId(offer.id),
                seller: HouseholdId(offer.seller_id),
                escrow_wh,
                owed_wh: Wh(offer.owed_wh()),
            });
        } else if let Some(order) = Order::decode(data) {
            snapshot.orders.push(OrderOnChain {
                order: OrderId(order.id),
                buyer: HouseholdId(order.buyer_id),
                held_wh: Wh(order.energy_wh),
            });
        } else if Marker::is(data) {
            snapshot.markers += 1;
        } else if let Some(config) = Config::decode(data) {
            snapshot.closed = ClosedOnChain {
                households: config.closed.households,
                export_wh: Wh(config.closed.export_wh),
                import_wh: Wh(config.closed.import_wh),
                minted_wh: Wh(config.closed.minted_wh),
                burned_wh: Wh(config.closed.burned_wh),
                adjusted_export_wh: Wh(config.closed.adjusted_export_wh),
                adjusted_import_wh: Wh(config.closed.adjusted_import_wh),
            };
        }
    }
    snapshot.wallets_wh =
        snapshot.token_accounts_wh.saturating_sub(snapshot.vaults_wh).saturating_sub(snapshot.escrow_wh);
    snapshot.households.sort_unstable_by_key(|(id, _)| *id);
    snapshot.offers.sort_unstable_by_key(|offer| (offer.offer, offer.seller));
    snapshot.orders.sort_unstable_by_key(|order| (order.order, order.buyer));
    Ok(snapshot)
}
