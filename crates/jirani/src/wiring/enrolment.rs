//! Who is on the grid, with us and on chain, before anything flows.

use anyhow::{Context as _, bail};
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use jirani_chain::{EnergyChain, Outcome, Work};
use jirani_ledger::{Account, Kind, Posting, Reason, Transfer, TransferId};
use jirani_store::{Change, HouseholdRecord, Store};
use jirani_units::{Cents, Clock};

/// Enrolments under way at once.
const SIDE_BY_SIDE: usize = 16;

/// Whether those who are not on chain yet are enrolled there at the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enrols {
    /// A village's homes.
    Missing,
    /// Real ones are enrolled by a person.
    Nobody,
}

/// Keeps `records` that are not kept yet. Safe to repeat after any crash.
pub async fn keep(store: &dyn Store, records: Vec<HouseholdRecord>) -> anyhow::Result<()> {
    let known = store.households().await?;
    let new: Vec<Change> = records
        .into_iter()
        .filter(|record| !known.iter().any(|known| known.id == record.id))
        .map(Change::Household)
        .collect();
    if !new.is_empty() {
        store.commit(new).await?;
    }
    Ok(())
}

/// Enrols on chain whoever is not there. Safe to repeat after any crash.
pub async fn enrol(store: &dyn Store, chain: &dyn EnergyChain) -> anyhow::Result<()> {
    let missing = store.households().await?.into_iter().filter(|record| record.chain_address.is_none());
    let enrolled: Vec<HouseholdRecord> = stream::iter(missing)
        .map(|record| enrol_one(chain, record))
        .buffer_unordered(SIDE_BY_SIDE)
        .try_collect()
        .await?;
    if !enrolled.is_empty() {
        store.commit(enrolled.into_iter().map(Change::Household).collect()).await?;
    }
    Ok(())
}

async fn enrol_one(chain: &dyn EnergyChain, mut record: HouseholdRecord) -> anyhow::Result<HouseholdRecord> {
    let work = Work::Enrol {
        household: record.id,
        kind: record.kind,
        feeder: record.feeder,
        meter_key: record.meter_key,
        meter_epoch: record.meter_epoch,
        export_rating_w: record.export_rating_w,
        import_rating_w: record.import_rating_w,
    };
    match chain.submit(&format!("enrol/{}", record.id), work).await? {
        Outcome::Landed { .. } => {}
        Outcome::Refused { code, message, .. } => {
            bail!("household {} cannot be enrolled on chain: {message} ({code})", record.id)
        }
    }
    let address: jirani_chain::Address =
        chain.household_address(record.id).parse().context("the household's address is none")?;
    record.chain_address = Some(address.to_bytes());
    Ok(record)
}

/// Books the operator's own money on the payout shortcode, once.
pub async fn open_float(store: &dyn Store, clock: &dyn Clock, amount: Cents) -> anyhow::Result<()> {
    if !amount.is_positive() {
        return Ok(());
    }
    let id = TransferId::derive("opening float", b"");
    let posted = store.journal_of(Account::OperatorFloat, 1).await?;
    if !posted.is_empty() {
        return Ok(());
    }
    let transfer = Transfer {
        id,
        debit: Account::MpesaPayout,
        credit: Account::OperatorFloat,
        amount,
        reason: Reason::FloatDeposit,
        kind: Kind::Posted,
        memo: "opening float".to_owned(),
        at: clock.now(),
    };
    let committed = store.commit(vec![Change::Post(transfer)]).await?;
    debug_assert_eq!(committed.postings, [Posting::Applied]);
    Ok(())
}
