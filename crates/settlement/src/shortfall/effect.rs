//! Keeps standings and steps, commands relays, and does what household and operator ask.

use super::decide::{self, Facts};
use super::instalment::Purchase;
use super::{ShortfallPolicy, tell};
use crate::engine::Key;
use crate::error::SettlementError;
use crate::notice::to_operator;
use crate::service::Settlement;
use crate::step::Trouble;
use jirani_ledger::{Account as LedgerAccount, Kind, Reason};
use jirani_market::nairobi;
use jirani_market::shortfall::{Account, Event as Asked, Relay, RelayPosition, Step, StepKind, apply};
use jirani_store::verbs::PAGE_MAX;
use jirani_store::{
    Change, Event, HouseholdKind, OrderState, RelayRecord, ShortfallRecord, StepRecord, StoreError,
};
use jirani_units::{Cents, Clock as _, HouseholdId, Price, Timestamp, Wh};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{OnceLock, PoisonError, RwLock};

/// The longest words of a dispute or an answer, in characters.
const NOTE_MAX: usize = 200;

/// Standings as they are kept, and who is to be looked at when money comes in.
#[derive(Default)]
pub(crate) struct Walking {
    policy: OnceLock<ShortfallPolicy>,
    /// `None` before the first look, and after somebody else has written.
    records: tokio::sync::Mutex<Option<HashMap<HouseholdId, ShortfallRecord>>>,
    watched: RwLock<HashSet<HouseholdId>>,
}

/// A household on its way to the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Everything that is kept, with what chain and ledger say now.
    pub account: Account,
    /// What counts against the limit; negative for who can pay.
    pub exposure: Cents,
}

impl From<Account> for Standing {
    fn from(account: Account) -> Self {
        Self { account, exposure: account.exposure() }
    }
}

/// A home by its last bill: whose, end of the last slot, energy owed.
pub(crate) type Billed = (HouseholdId, Timestamp, Wh);

impl Settlement {
    /// Sets the policy; before [`Settlement::run`], once.
    pub fn walk_by(&self, policy: ShortfallPolicy) {
        // A second one would be a surprise to whoever set the first.
        let _ = self.walking.policy.set(policy);
    }

    /// Looks at every home after its bill.
    pub(crate) async fn advance_walk(&self, homes: &[Billed]) -> Result<(), Trouble> {
        let mut held = self.walking.records.lock().await;
        let records = self.records(&mut held).await?;
        // Balances are never negative: who owes less than half its limit passes no mark.
        let ShortfallPolicy { limit, .. } = self.policy();
        let near: Vec<&Billed> = homes
            .iter()
            .filter(|(household, through, shortfall)| {
                let retail = self.retail_of(*through);
                let owed_millicents = u128::from(shortfall.0) * u128::from(retail.0);
                records.contains_key(household)
                    || owed_millicents * 2 >= u128::from(limit.0.unsigned_abs()).saturating_mul(1_000)
            })
            .collect();
        if near.is_empty() {
            return Ok(());
        }
        let balances: HashMap<LedgerAccount, Cents> = self
            .store
            .balances()
            .await?
            .into_iter()
            .map(|(account, balance)| (account, balance.available()))
            .collect();
        let now = self.clock.now();
        let mut changed = Vec::new();
        for (household, through, shortfall) in near {
            let record = self.record(records, *household);
            // What was bought for it is seen there first.
            if record.account.old_debt.is_some_and(|debt| debt.next_due <= now) {
                self.lanes.poke(Key::Standing(*household), self.clock.busy());
                continue;
            }
            let watched = is_watched(&record.account);
            let available = balances.get(&LedgerAccount::Household(*household)).copied();
            let facts = Facts {
                through: *through,
                shortfall: *shortfall,
                available: available.unwrap_or(Cents::ZERO),
                retail: self.retail_of(*through),
                income: Vec::new(),
                journal: record.journal,
                relay: None,
            };
            let (seen, _) = decide::look(&record, &self.policy().rules, &facts, now).map_err(stuck)?;
            if !watched && !decide::is_changed(&record, &seen) {
                continue;
            }
            // By the bill something is to be done: what is so now decides.
            let Some(facts) = self.facts(&record).await? else { continue };
            let (next, steps) = decide::look(&record, &self.policy().rules, &facts, now).map_err(stuck)?;
            changed.push((record, next, steps));
        }
        self.keep(&mut held, changed, "").await?;
        Ok(())
    }

    /// Looks at one household: money came in, or it is to be looked at again.
    pub(crate) async fn advance_standing(
        &self,
        household: HouseholdId,
    ) -> Result<Option<Timestamp>, Trouble> {
        let bought = self.buy_instalment(household).await?;
        if bought == Purchase::UnderWay {
            return Ok(None);
        }
        let mut held = self.walking.records.lock().await;
        let records = self.records(&mut held).await?;
        let record = self.record(records, household);
        if let Some(facts) = self.facts(&record).await? {
            let (now, rules) = (self.clock.now(), self.policy().rules);
            let (next, steps) = decide::look_after(&record, bought, &rules, &facts, now).map_err(stuck)?;
            self.keep(&mut held, vec![(record, next, steps)], "").await?;
        }
        Ok(None)
    }

    /// Has those looked at whose relay is open, or who owe emergency credit, after something
    /// changed for the better.
    pub(crate) fn look_at_relieved(&self, households: BTreeSet<HouseholdId>) {
        for household in households {
            self.lanes.poke(Key::Standing(household), self.clock.busy());
        }
    }

    /// For whom of `changes` that somebody waits for less counts against the limit: money comes
    /// in, a hold on the balance ends, or an order of theirs settles and meets what they owe.
    pub(crate) fn relieved(&self, changes: &[Change]) -> BTreeSet<HouseholdId> {
        let watched = self.walking.watched.read().unwrap_or_else(PoisonError::into_inner);
        if watched.is_empty() {
            return BTreeSet::new();
        }
        let relieved = changes.iter().filter_map(|change| match change {
            Change::Post(transfer) => match (transfer.debit, transfer.credit, transfer.kind) {
                (LedgerAccount::Household(household), _, Kind::Post(_) | Kind::Void(_))
                | (_, LedgerAccount::Household(household), _) => Some(household),
                _ => None,
            },
            Change::Order(order) if order.state == OrderState::Settled => Some(order.buyer),
            _ => None,
        });
        relieved.filter(|household| watched.contains(household)).collect()
    }

    /// Where a household stands now. Nothing is kept.
    pub async fn standing(&self, household: HouseholdId) -> Result<Standing, SettlementError> {
        let (record, facts) = self.walk_facts(household).await?;
        let (next, _) = decide::look(&record, &self.policy().rules, &facts, self.clock.now())?;
        Ok(next.account.into())
    }

    /// Every home as it was last looked at, who owes most first.
    pub async fn standings(&self) -> Result<Vec<Standing>, SettlementError> {
        let mut standings = Vec::new();
        let homes = self.store.households().await?;
        for home in homes.iter().filter(|home| home.kind == HouseholdKind::Home) {
            match self.standing(home.id).await {
                Ok(standing) => standings.push(standing),
                Err(SettlementError::NotEnrolled) => {}
                Err(error) => return Err(error),
            }
        }
        standings.sort_by_key(|standing| (std::cmp::Reverse(standing.exposure), standing.account.household));
        Ok(standings)
    }

    /// What household or operator ask for: emergency credit, a dispute or its answer, a
    /// limit, a protection. `words` go with the steps that it brings.
    pub async fn shortfall_event(
        &self,
        household: HouseholdId,
        event: Asked,
        words: &str,
    ) -> Result<Standing, SettlementError> {
        if words.chars().count() > NOTE_MAX {
            return Err(SettlementError::NoteTooLong);
        }
        let bought = self.buy_instalment(household).await.map_err(SettlementError::from_trouble)?;
        if bought == Purchase::UnderWay {
            return Err(SettlementError::Contended);
        }
        let mut held = self.walking.records.lock().await;
        let records = self.records(&mut held).await.map_err(SettlementError::from_trouble)?;
        let record = self.record(records, household);
        let facts = self.facts(&record).await.map_err(SettlementError::from_trouble)?;
        let facts = facts.ok_or(SettlementError::NotEnrolled)?;
        let (now, rules) = (self.clock.now(), self.policy().rules);
        let (mut next, mut steps) = decide::look_after(&record, bought, &rules, &facts, now)?;
        let (account, more) = apply(&next.account, &rules, event, now)?;
        next.account = account;
        steps.extend(more);
        if event == Asked::EmergencyAsked {
            // What came in until now repays nothing.
            let newest = self.store.journal_of(LedgerAccount::Household(household), 1).await?;
            next.journal = newest.first().map_or(0, |row| row.sequence);
        }
        self.keep(&mut held, vec![(record, next, steps)], words)
            .await
            .map_err(SettlementError::from_trouble)?;
        Ok(account.into())
    }

    /// What energy is priced at that is owed by the slot which ended at `through`: retail at
    /// its start.
    fn retail_of(&self, through: Timestamp) -> Price {
        let length_us = i64::from(self.billing.slot_length_s()) * 1_000_000;
        self.config.tariffs.at(Timestamp(through.0.saturating_sub(length_us))).retail
    }

    fn policy(&self) -> ShortfallPolicy {
        self.walking.policy.get().copied().unwrap_or_default()
    }

    /// The kept standings, read once.
    async fn records<'a>(
        &self,
        held: &'a mut Option<HashMap<HouseholdId, ShortfallRecord>>,
    ) -> Result<&'a mut HashMap<HouseholdId, ShortfallRecord>, Trouble> {
        if held.is_none() {
            let records = self.store.shortfalls().await?;
            let records: HashMap<_, _> =
                records.into_iter().map(|record| (record.account.household, record)).collect();
            self.watch(records.values());
            *held = Some(records);
        }
        held.as_mut().ok_or_else(|| Trouble::Stuck("standings were forgotten".to_owned()))
    }

    fn record(
        &self,
        records: &HashMap<HouseholdId, ShortfallRecord>,
        household: HouseholdId,
    ) -> ShortfallRecord {
        records.get(&household).cloned().unwrap_or_else(|| ShortfallRecord {
            account: Account::new(
                household,
                self.policy().limit,
                self.config.tariffs.at(self.clock.now()).retail,
            ),
            journal: 0,
            version: 0,
        })
    }

    async fn walk_facts(&self, household: HouseholdId) -> Result<(ShortfallRecord, Facts), SettlementError> {
        let record = match self.store.shortfall(household).await? {
            Some(record) => record,
            None => self.record(&HashMap::new(), household),
        };
        let facts = self.facts(&record).await.map_err(SettlementError::from_trouble)?;
        Ok((record, facts.ok_or(SettlementError::NotEnrolled)?))
    }

    /// What chain and ledger say now; `None` when the household is not on chain.
    pub(super) async fn facts(&self, record: &ShortfallRecord) -> Result<Option<Facts>, Trouble> {
        let household = record.account.household;
        let Some(chain) = self.chain.household(household).await? else { return Ok(None) };
        let account = LedgerAccount::Household(household);
        // The journal before the balance: what comes in between is in the balance and repays at
        // the next look; the other way round it would be taken off a balance that lacks it.
        let (income, journal) = self.income(record).await?;
        let available = self.store.balance(account).await?.available();
        let relay = match record.account.relay {
            Relay::Opening { .. } | Relay::Closing => self.store.relay(household).await?,
            Relay::Open | Relay::Closed => None,
        };
        let obeyed =
            relay.filter(|relay| relay.obeyed_at.is_some() && relay.number == record.account.commands);
        Ok(Some(Facts {
            relay: obeyed.map(|relay| relay.position),
            through: chain.attested_through,
            shortfall: chain.shortfall_wh,
            available,
            retail: self.retail_of(chain.attested_through),
            income,
            journal,
        }))
    }

    /// Money that came in and has not met emergency credit yet, and through which row of the
    /// journal that is so.
    async fn income(&self, record: &ShortfallRecord) -> Result<(Vec<Cents>, u64), StoreError> {
        let (mut income, mut through) = (Vec::new(), record.journal);
        if !record.account.emergency_owed.is_positive() {
            return Ok((income, through));
        }
        let account = LedgerAccount::Household(record.account.household);
        loop {
            let page = self.store.journal_of_after(account, through, PAGE_MAX).await?;
            let is_all = page.len() < PAGE_MAX as usize;
            through = page.last().map_or(through, |row| row.sequence);
            let came = page.into_iter().filter(|row| {
                let transfer = &row.transfer;
                transfer.credit == account
                    && transfer.kind == Kind::Posted
                    && transfer.reason != Reason::OrderReturned
            });
            income.extend(came.map(|row| row.transfer.amount));
            if is_all {
                return Ok((income, through));
            }
        }
    }

    /// Keeps standings that changed with their steps and notices in one commit, then gives
    /// the commands that are due.
    async fn keep(
        &self,
        held: &mut Option<HashMap<HouseholdId, ShortfallRecord>>,
        looked: Vec<(ShortfallRecord, ShortfallRecord, Vec<Step>)>,
        words: &str,
    ) -> Result<(), Trouble> {
        let (mut changes, mut commanded) = (Vec::new(), Vec::new());
        for (before, after, steps) in &looked {
            if steps.is_empty() && !decide::is_changed(before, after) {
                continue;
            }
            changes.push(Change::Shortfall(after.clone()));
            for step in steps {
                changes.push(Change::Step(StepRecord { step: *step, note: words.to_owned() }));
                changes.push(tell::notice(step));
                if let StepKind::Disputed(number) = step.kind {
                    changes.push(disputed(step, number));
                }
            }
            if before.account.commands != after.account.commands
                && let Some(command) = self.command(&after.account).await?
            {
                changes.extend([by_desk(&command), Change::Relay(command)]);
                commanded.push(Event::Relay(after.account.household));
            }
        }
        if !changes.is_empty() {
            match self.store.commit(changes).await {
                Err(conflict @ StoreError::Conflict { .. }) => {
                    *held = None;
                    return Err(conflict.into());
                }
                committed => committed?,
            };
        }
        for event in commanded {
            self.events.publish(event);
        }
        let records = self.records(held).await?;
        for (before, mut after, steps) in looked {
            if !steps.is_empty() || decide::is_changed(&before, &after) {
                after.version += 1;
                records.insert(after.account.household, after);
            }
        }
        self.watch(records.values());
        Ok(())
    }

    /// The command that brings the relay where the account wants it.
    async fn command(&self, account: &Account) -> Result<Option<RelayRecord>, StoreError> {
        let (position, not_after) = match account.relay {
            Relay::Opening { not_after } => (RelayPosition::Open, Some(not_after)),
            Relay::Closing => (RelayPosition::Closed, None),
            Relay::Open | Relay::Closed => return Ok(None),
        };
        let household = account.household;
        let version = self.store.relay(household).await?.map_or(0, |relay| relay.version);
        let (number, ordered_at) = (account.commands, self.clock.now());
        let command =
            RelayRecord { household, number, position, not_after, ordered_at, obeyed_at: None, version };
        Ok(Some(command))
    }

    fn watch<'a>(&self, records: impl Iterator<Item = &'a ShortfallRecord>) {
        let watched =
            records.filter(|record| is_watched(&record.account)).map(|record| record.account.household);
        *self.walking.watched.write().unwrap_or_else(PoisonError::into_inner) = watched.collect();
    }
}

/// Whether money that comes in may change something at once.
fn is_watched(account: &Account) -> bool {
    account.relay != Relay::Closed || account.emergency_owed.is_positive() || account.old_debt.is_some()
}

/// The operator hears of every command to a relay.
fn by_desk(command: &RelayRecord) -> Change {
    let RelayRecord { household, number, position, not_after, .. } = command;
    let (en, sw) = match (position, not_after) {
        (RelayPosition::Open, Some(not_after)) => {
            let hour = nairobi::hour(*not_after);
            (
                format!(
                    "Household {household} is at its limit: its power is cut, or stays on from {hour}:00."
                ),
                format!("Kaya {household} imefika kikomo: umeme unakatwa, au unabaki kuanzia saa {hour}:00."),
            )
        }
        (RelayPosition::Open, None) => (
            format!("Household {household} is at its limit: its power is cut."),
            format!("Kaya {household} imefika kikomo: umeme unakatwa."),
        ),
        (RelayPosition::Closed, _) => (
            format!("The power of household {household} comes back. Look there if it does not."),
            format!("Umeme wa kaya {household} unarudi. Angalia kama haujarudi."),
        ),
    };
    to_operator(format!("relay/{household}/{number}"), "relay_commanded", en, sw, command.ordered_at)
}

/// The operator hears of a dispute.
fn disputed(step: &Step, number: u64) -> Change {
    let household = step.household;
    to_operator(
        format!("shortfall/dispute/{household}/{}", step.number),
        "shortfall_disputed",
        format!("Household {household} disputes step {number} of its account. Answer at the desk."),
        format!("Kaya {household} inapinga hatua {number} ya akaunti yake. Ijibu kwenye dawati."),
        step.at,
    )
}

fn stuck(error: impl std::fmt::Display) -> Trouble {
    Trouble::Stuck(error.to_string())
}
