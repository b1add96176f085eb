//! [`EnergyChain`] over a node's JSON-RPC.

use crate::blockhash::Blockhashes;
use crate::energy::{ChainSnapshot, EnergyChain, HouseholdOnChain, TariffOutcome};
use crate::error::ChainError;
use crate::fees::{FeeBounds, Prices};
use crate::interruption::{Interruption, NoInterruption};
use crate::keys::ChainKeys;
use crate::node::Node;
use crate::node_url::NodeUrl;
use crate::payer::Payer;
use crate::plan::{Facts, Known};
use crate::purse::Purse;
use crate::readiness::{Expectation, LastLook, Readiness};
use crate::sender::Turns;
use crate::units::Units;
use crate::witness::Watched;
use crate::word::Word;
use crate::work::{AttestRow, Outcome, RowOutcome, Work};
use async_trait::async_trait;
use jirani_energy_interface::state::{Config, Household, Limits, Record as _};
use jirani_energy_interface::{EnergyProgram, token};
use jirani_market::Tariff;
use jirani_store::Store;
use jirani_units::{Clock, HouseholdId, Timestamp, Wh};
use solana_address::Address;
use solana_commitment_config::CommitmentConfig;
use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;

/// Most accounts of one question.
pub(crate) const ACCOUNTS_MAX: usize = 100;

/// Where the chain is and who we are on it.
#[derive(Clone, Debug)]
pub struct ChainConfig {
    /// A node's JSON-RPC, `http://127.0.0.1:8899`.
    pub rpc_url: NodeUrl,
    /// The node's WebSocket, `wss://node.example`; its word saves waiting for the next
    /// look. `None` only looks.
    pub ws_url: Option<NodeUrl>,
    /// Address of the energy program.
    pub program: Address,
    /// Our keys.
    pub keys: ChainKeys,
    /// Most transactions under way at once; more wait for their turn.
    pub in_flight_max: usize,
    /// What is paid for priority, per transaction.
    pub priority_fee: FeeBounds,
    /// How often the same bytes are sent again while nobody knows of them.
    pub resend: Duration,
    /// How long one blockhash is signed with: a small part of its 30 to 60 seconds of life.
    pub blockhash_fresh: Duration,
    /// Longest pause between two looks at a transaction; the first is 1 ms.
    pub poll_max: Duration,
    /// After how much silence of the node an outcome is given back as unknown.
    pub patience: Duration,
    /// Hash of the cluster's first block; `None` accepts any cluster.
    pub genesis_hash: Option<String>,
}

impl ChainConfig {
    /// 32 transactions under way, no priority fee, bytes sent again every second with
    /// looks at most half a second apart, 15 s of patience.
    pub fn new(rpc_url: impl Into<NodeUrl>, program: Address, keys: ChainKeys) -> Self {
        Self {
            rpc_url: rpc_url.into(),
            ws_url: None,
            program,
            keys,
            in_flight_max: 32,
            priority_fee: FeeBounds::default(),
            resend: Duration::from_secs(1),
            blockhash_fresh: Duration::from_secs(2),
            poll_max: Duration::from_millis(500),
            patience: Duration::from_secs(15),
            genesis_hash: None,
        }
    }
}

/// The energy program behind a node.
pub struct RpcEnergyChain {
    pub(crate) node: Node,
    pub(crate) program: EnergyProgram,
    pub(crate) config: ChainConfig,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) blockhashes: Blockhashes,
    pub(crate) in_flight: Semaphore,
    pub(crate) turns: Turns,
    pub(crate) units: Units,
    pub(crate) prices: Prices,
    pub(crate) payer: Payer,
    pub(crate) purse: Purse,
    pub(crate) word: Word,
    pub(crate) interruption: Arc<dyn Interruption>,
    pub(crate) witness: Option<Watched>,
    /// The newest slot in which work of ours landed: older nodes know too little.
    pub(crate) seen_slot: AtomicU64,
    last_look: LastLook,
    learned: Mutex<Learned>,
}

/// What is read from the chain once and rarely changes.
struct Learned {
    limits: Limits,
    oracle_version: u32,
    oracle_threshold: u8,
    households: BTreeMap<HouseholdId, Known>,
}

impl RpcEnergyChain {
    /// Connects, and reads the program's Config if there is one. `clock` dates our
    /// own records only.
    pub async fn connect(
        config: ChainConfig,
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ChainError> {
        let chain = Self {
            node: Node::new(config.rpc_url.clone())?,
            program: EnergyProgram::new(config.program),
            in_flight: Semaphore::new(config.in_flight_max.max(1)),
            blockhashes: Blockhashes::new(config.blockhash_fresh),
            config,
            store,
            clock,
            turns: Turns::default(),
            units: Units::default(),
            prices: Prices::default(),
            payer: Payer::default(),
            purse: Purse::default(),
            word: Word::default(),
            interruption: Arc::new(NoInterruption),
            witness: None,
            seen_slot: AtomicU64::new(0),
            last_look: LastLook::default(),
            learned: Mutex::new(Learned {
                limits: Limits::default(),
                oracle_version: 1,
                oracle_threshold: 1,
                households: BTreeMap::new(),
            }),
        };
        chain.read_config().await?;
        Ok(chain)
    }

    /// Reads and remembers Config; `None` before it is initialised.
    pub(crate) async fn read_config(&self) -> Result<Option<Config>, ChainError> {
        let accounts = self.node.accounts(&[self.program.config], CommitmentConfig::confirmed()).await?;
        let Some(account) =
            accounts.into_iter().next().flatten().filter(|account| account.owner == self.program.id)
        else {
            return Ok(None);
        };
        let config = Config::decode(&account.data).ok_or_else(|| {
            ChainError::Damaged("Config has a layout that this version does not know".to_owned())
        })?;
        let mut learned = self.learned.lock().unwrap_or_else(PoisonError::into_inner);
        learned.limits = config.limits;
        learned.oracle_version = config.oracles.version;
        learned.oracle_threshold = config.oracles.threshold;
        Ok(Some(config))
    }

    /// What a plan for `work` needs to know from the chain.
    pub(crate) async fn facts(&self, work: &Work) -> Result<Facts, ChainError> {
        let wanted: Vec<HouseholdId> = match work {
            Work::Attest { rows, .. } => rows.iter().map(|row| row.household).collect(),
            _ => Vec::new(),
        };
        let missing: Vec<HouseholdId> = {
            let learned = self.learned.lock().unwrap_or_else(PoisonError::into_inner);
            wanted.iter().filter(|id| !learned.households.contains_key(id)).copied().collect()
        };
        for chunk in missing.chunks(ACCOUNTS_MAX) {
            let addresses: Vec<Address> = chunk.iter().map(|id| self.program.household(id.0)).collect();
            let accounts = self.node.accounts(&addresses, CommitmentConfig::confirmed()).await?;
            let mut learned = self.learned.lock().unwrap_or_else(PoisonError::into_inner);
            for (id, account) in chunk.iter().zip(accounts) {
                if let Some(household) = account.and_then(|account| Household::decode(&account.data)) {
                    let known = Known {
                        address: self.program.household(id.0),
                        vault: Address::new_from_array(household.vault),
                        meter_epoch: household.meter_epoch,
                        export_wh: household.meter_export_wh,
                    };
                    learned.households.insert(*id, known);
                }
            }
        }
        let learned = self.learned.lock().unwrap_or_else(PoisonError::into_inner);
        let households = wanted.iter().filter_map(|id| Some((*id, *learned.households.get(id)?))).collect();
        Ok(Facts {
            oracle_version: learned.oracle_version,
            oracle_threshold: learned.oracle_threshold,
            households,
        })
    }

    /// Remembers what an attestation changed, and forgets what it showed to be old.
    pub(crate) fn learn_from(&self, work: &Work, outcomes: &[RowOutcome]) {
        let Work::Attest { rows, .. } = work else { return };
        let mut learned = self.learned.lock().unwrap_or_else(PoisonError::into_inner);
        for (row, outcome) in rows.iter().zip(outcomes) {
            if outcome.is_done() {
                if let Some(known) = learned.households.get_mut(&row.household) {
                    known.export_wh = known.export_wh.max(row.export_wh.0);
                }
            } else {
                learned.households.remove(&row.household);
            }
        }
    }

    /// Forgets what was read of these rows' households; the next plan reads it anew.
    pub(crate) fn forget_households(&self, rows: &[AttestRow]) {
        let mut learned = self.learned.lock().unwrap_or_else(PoisonError::into_inner);
        for row in rows {
            learned.households.remove(&row.household);
        }
    }

    /// Tells `interruption` of every moment of a transaction's life. For tests that end
    /// the process there.
    #[must_use]
    pub fn with_interruption(mut self, interruption: Arc<dyn Interruption>) -> Self {
        self.interruption = interruption;
        self
    }

    /// How many more transactions may be under way at once before work has to wait.
    pub fn free_places(&self) -> usize {
        self.in_flight.available_permits()
    }
}

#[async_trait]
impl EnergyChain for RpcEnergyChain {
    async fn submit(&self, key: &str, work: Work) -> Result<Outcome, ChainError> {
        let outcome = self.submit_once(key, &work).await;
        if let Work::ReplaceMeter { household, .. } = &work {
            // Rows name the epoch: what was known of it is old now.
            let mut learned = self.learned.lock().unwrap_or_else(PoisonError::into_inner);
            learned.households.remove(household);
        }
        outcome
    }

    async fn ended(&self, key: &str, work: &Work) -> Result<Option<Outcome>, ChainError> {
        self.ended_once(key, work).await
    }

    async fn household(&self, id: HouseholdId) -> Result<Option<HouseholdOnChain>, ChainError> {
        Ok(self.households(&[id]).await?.into_iter().next().flatten())
    }

    async fn households(&self, ids: &[HouseholdId]) -> Result<Vec<Option<HouseholdOnChain>>, ChainError> {
        let mut households = Vec::with_capacity(ids.len());
        for ids in ids.chunks(ACCOUNTS_MAX / 2) {
            let mut addresses = Vec::with_capacity(2 * ids.len());
            for id in ids {
                let address = self.program.household(id.0);
                addresses.extend([address, self.program.vault(&address)]);
            }
            let accounts = self.node.accounts(&addresses, CommitmentConfig::finalized()).await?;
            let mut accounts = accounts.into_iter();
            for id in ids {
                let (household, vault) = (accounts.next().flatten(), accounts.next().flatten());
                households.push(match household {
                    Some(household) => Some(state_of(*id, &household.data, vault.as_ref())?),
                    None => None,
                });
            }
        }
        Ok(households)
    }

    async fn snapshot(&self) -> Result<ChainSnapshot, ChainError> {
        self.take_snapshot().await
    }

    fn household_address(&self, id: HouseholdId) -> String {
        self.program.household(id.0).to_string()
    }

    fn order_window_s(&self) -> (u32, u32) {
        let learned = self.learned.lock().unwrap_or_else(PoisonError::into_inner);
        (learned.limits.order_window_s, learned.limits.order_grace_s)
    }

    async fn set_tariff(&self, tariff: &Tariff) -> Result<TariffOutcome, ChainError> {
        self.follow_tariff(tariff).await
    }

    async fn readiness(&self) -> Readiness {
        let expected = Expectation {
            genesis_hash: self.config.genesis_hash.clone(),
            program: self.program,
            payer: Some(self.config.keys.payer_address()),
        };
        self.last_look.get(&self.node, &expected, Some(self.clock.now().seconds())).await
    }
}

/// A record's state from its account and its vault's.
fn state_of(
    id: HouseholdId,
    data: &[u8],
    vault: Option<&solana_account::Account>,
) -> Result<HouseholdOnChain, ChainError> {
    let household = Household::decode(data).ok_or_else(|| {
        ChainError::Damaged(format!("household {id} has a layout that this version does not know"))
    })?;
    let vault_wh = vault
        .and_then(|vault| token::amount(&vault.data))
        .ok_or_else(|| ChainError::Damaged(format!("household {id} has no vault")))?;
    Ok(on_chain(&household, Wh(vault_wh)))
}

/// A record in our words.
pub(crate) fn on_chain(household: &Household, vault_wh: Wh) -> HouseholdOnChain {
    HouseholdOnChain {
        vault_wh,
        shortfall_wh: Wh(household.shortfall_wh),
        export_wh: Wh(household.export_wh),
        import_wh: Wh(household.import_wh),
        minted_wh: Wh(household.minted_wh),
        burned_wh: Wh(household.burned_wh),
        adjusted_export_wh: Wh(household.adjusted_export_wh),
        adjusted_import_wh: Wh(household.adjusted_import_wh),
        attested_through: Timestamp::from_seconds(household.last_slot_end),
        meter: (household.meter_key, household.meter_epoch),
    }
}
