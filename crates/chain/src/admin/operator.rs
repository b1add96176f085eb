//! Reading, rehearsing and sending over a node's JSON-RPC.

use super::deployment::Deployment;
use super::plan::{AdminError, AdminPlan, signers};
use super::report::{ConfigReport, StatusReport};
use crate::error::ChainError;
use crate::keyring::Keyring;
use crate::node::{Accepted, Node};
use crate::readiness::{Expectation, Readiness, look};
use crate::refusal::{Verdict, judge_bytes};
use jirani_energy_interface::state::{Config, Household, Marker, Offer, Order, Record};
use jirani_energy_interface::{EnergyProgram, token};
use solana_account::Account;
use solana_address::Address;
use solana_commitment_config::CommitmentConfig;
use solana_hash::Hash;
use solana_message::VersionedMessage;
use solana_message::v1::{MAX_TRANSACTION_SIZE, Message, TransactionConfig};
use solana_signature::Signature;
use solana_signer::Signer as _;
use solana_transaction::versioned::VersionedTransaction;
use solana_transaction_error::TransactionError;
use std::time::{Duration, Instant};

/// The chain's limit per transaction.
const UNITS_MAX: u32 = 1_400_000;
/// Accounts and programs that a transaction may load, in bytes: Token-2022 and the
/// energy program stay under it.
const LOADED: u32 = 3 << 20;
/// Most accounts of one question.
const ACCOUNTS_MAX: usize = 100;
/// How often bytes are sent again while nobody knows of them.
const RESEND: Duration = Duration::from_secs(1);
/// Pause between two looks.
const LOOK: Duration = Duration::from_millis(200);
/// How long a silent node is waited for before the outcome is told as unknown.
const PATIENCE: Duration = Duration::from_secs(90);

/// An operator at a node.
pub struct Operator {
    node: Node,
    /// The deployment.
    pub program: EnergyProgram,
    commitment: CommitmentConfig,
}

/// A transaction that was rehearsed and waits for its signatures.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// What is signed.
    pub message: VersionedMessage,
    /// Who must sign, with the name that the program gives each; the payer first.
    pub signers: Vec<(String, Address)>,
    /// Compute units of the rehearsal.
    pub units: u64,
    /// Fee in lamports.
    pub fee_lamports: u64,
    /// Last block height at which it may land.
    pub last_valid: u64,
}

impl Prepared {
    /// Signs with the keys at hand; names the first that is missing.
    pub fn sign(&self, keys: &Keyring) -> Result<VersionedTransaction, AdminError> {
        let needed = usize::from(self.message.header().num_required_signatures);
        let bytes = self.message.serialize();
        let mut signatures = Vec::with_capacity(needed);
        for address in self.message.static_account_keys().iter().take(needed) {
            let key = keys.of(address).ok_or_else(|| {
                let role = self.signers.iter().find(|(_, signer)| signer == address);
                AdminError::KeyMissing {
                    role: role.map_or("signer", |(role, _)| role.as_str()).to_owned(),
                    address: *address,
                }
            })?;
            signatures.push(key.sign_message(&bytes));
        }
        Ok(VersionedTransaction { signatures, message: self.message.clone() })
    }
}

/// A transaction that is final as far as was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Landed {
    /// Its name.
    pub signature: String,
    /// Its slot.
    pub slot: u64,
    /// Compute units; `None` where the node did not say.
    pub units: Option<u64>,
    /// Fee in lamports; `None` where the node did not say.
    pub fee_lamports: Option<u64>,
}

/// A record, where it stands, and its lamports.
pub type Found<T> = (Address, T, u64);

/// The program's accounts, by kind; each kind by address.
#[derive(Clone, Debug, Default)]
pub struct Records {
    /// Households.
    pub households: Vec<Found<Household>>,
    /// Offers.
    pub offers: Vec<Found<Offer>>,
    /// Orders.
    pub orders: Vec<Found<Order>>,
    /// Markers.
    pub markers: Vec<Found<Marker>>,
}

impl Operator {
    /// Speaks to the node at `url`; `final_at_once` takes a confirmed transaction for
    /// landed instead of waiting until it is finalised.
    pub fn new(url: &str, program: Address, final_at_once: bool) -> Result<Self, ChainError> {
        Ok(Self {
            node: Node::new(url)?,
            program: EnergyProgram::new(program),
            commitment: if final_at_once {
                CommitmentConfig::confirmed()
            } else {
                CommitmentConfig::finalized()
            },
        })
    }

    /// Hash of the cluster's first block.
    pub async fn genesis_hash(&self) -> Result<String, ChainError> {
        self.node.genesis_hash().await
    }

    /// Whether the chain takes work now.
    pub async fn readiness(&self, expected: &Expectation, our_time: Option<i64>) -> Readiness {
        look(&self.node, expected, our_time).await
    }

    /// Everything that `status` shows. Does not fail: what cannot be read is missing.
    pub async fn status(
        &self,
        expected: &Expectation,
        committed: &[u8],
        our_time: Option<i64>,
    ) -> StatusReport {
        let readiness = look(&self.node, expected, our_time).await;
        let mut report = StatusReport::new(&readiness, &self.program);
        report.genesis_hash = self.node.genesis_hash().await.ok();
        if report.genesis_hash.is_none() {
            // Nothing else is answered either; each silence would cost its own patience.
            return report;
        }
        report.node_version = self.node.version().await.ok();
        report.slot = self.node.slot(CommitmentConfig::finalized()).await.ok();
        report.unix_timestamp = self.node.unix_timestamp().await.ok();
        report.program = Deployment::read(&self.node, &self.program, committed).await.ok().flatten();
        report.payer = expected.payer.map(|payer| payer.to_string());
        if let Some(payer) = expected.payer {
            report.payer_lamports = self.node.lamports(&payer).await.ok();
        }
        if let Ok(accounts) = self.node.accounts(&[self.program.mint], self.commitment).await {
            report.supply_wh =
                accounts.into_iter().flatten().next().and_then(|mint| token::supply(&mint.data));
        }
        let now = report.unix_timestamp.unwrap_or(0);
        report.config = self.config().await.ok().flatten().map(|config| ConfigReport::new(&config, now));
        report
    }

    /// Config; `None` before the program is initialised.
    pub async fn config(&self) -> Result<Option<Config>, AdminError> {
        let account = self.account(self.program.config).await?;
        let Some(account) = account.filter(|account| account.owner == self.program.id) else {
            return Ok(None);
        };
        Config::decode(&account.data).map(Some).ok_or_else(|| {
            ChainError::Damaged("Config has a layout that this version does not know".to_owned()).into()
        })
    }

    /// Config of a program that is initialised.
    pub async fn initialised(&self) -> Result<Config, AdminError> {
        self.config().await?.ok_or_else(|| {
            AdminError::NotPossible(format!(
                "the energy program at {} is not initialised; run `jirani chain init`",
                self.program.id
            ))
        })
    }

    /// The chain's time, Unix seconds.
    pub async fn now(&self) -> Result<i64, AdminError> {
        Ok(self.node.unix_timestamp().await?)
    }

    /// Who may replace the program; `None` when nobody may, or there is none.
    pub async fn deployment(&self, committed: &[u8]) -> Result<Option<Deployment>, AdminError> {
        Deployment::read(&self.node, &self.program, committed).await
    }

    /// Asks the cluster for lamports; only those that give them away do.
    pub async fn airdrop(&self, to: &Address, lamports: u64) -> Result<u64, AdminError> {
        let before = self.node.lamports(to).await?;
        self.node.airdrop(to, lamports).await?;
        let begin = Instant::now();
        loop {
            let now = self.node.lamports(to).await?;
            if now > before {
                return Ok(now);
            }
            if begin.elapsed() > PATIENCE {
                return Err(AdminError::NotPossible(
                    "the lamports did not arrive; ask the cluster's faucet".to_owned(),
                ));
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// One record.
    pub async fn record<T: Record>(&self, at: Address, what: &str) -> Result<(T, u64), AdminError> {
        let account = self.account(at).await?.filter(|account| account.owner == self.program.id);
        account.and_then(|account| Some((T::decode(&account.data)?, account.lamports))).ok_or_else(|| {
            AdminError::NotPossible(format!("there is no {what} on this chain (it would be at {at})"))
        })
    }

    /// Tokens and lamports of token accounts, in their order; zeroes for those missing.
    pub async fn tokens(&self, accounts: &[Address]) -> Result<Vec<(u64, u64)>, AdminError> {
        let mut all = Vec::with_capacity(accounts.len());
        for chunk in accounts.chunks(ACCOUNTS_MAX) {
            let found = self.node.accounts(chunk, CommitmentConfig::confirmed()).await?;
            all.extend(found.into_iter().map(|account| {
                account
                    .map_or((0, 0), |account| (token::amount(&account.data).unwrap_or(0), account.lamports))
            }));
        }
        Ok(all)
    }

    /// All records of the program, finalised.
    pub async fn records(&self) -> Result<Records, AdminError> {
        let mut records = Records::default();
        for (address, account) in self.node.program_accounts(&self.program.id, None).await? {
            let (data, lamports) = (&account.data, account.lamports);
            if let Some(household) = Household::decode(data) {
                records.households.push((address, household, lamports));
            } else if let Some(offer) = Offer::decode(data) {
                records.offers.push((address, offer, lamports));
            } else if let Some(order) = Order::decode(data) {
                records.orders.push((address, order, lamports));
            } else if let Some(marker) = Marker::decode(data) {
                records.markers.push((address, marker, lamports));
            }
        }
        Ok(records)
    }

    async fn account(&self, at: Address) -> Result<Option<Account>, AdminError> {
        let accounts = self.node.accounts(&[at], CommitmentConfig::confirmed()).await?;
        Ok(accounts.into_iter().next().flatten())
    }

    /// Rehearses a plan, and makes it ready to be signed: its compute limit is what the
    /// rehearsal used and a fifth. A plan that the program would refuse is refused here,
    /// with its code. `salt`, a fresh random number, makes the same command given twice
    /// two transactions: under one blockhash the second would otherwise be the first.
    pub async fn prepare(
        &self,
        plan: &AdminPlan,
        payer: Address,
        priority_fee_lamports: u64,
        salt: u32,
    ) -> Result<Prepared, AdminError> {
        let (hash, last_valid) = self.node.blockhash().await?;
        let trial = compile(plan, payer, (UNITS_MAX, LOADED), priority_fee_lamports, hash)?;
        let bytes = unsigned_bytes(&trial)?;
        let rehearsal = self.node.rehearse(&bytes).await?;
        if let Some(err) = &rehearsal.err {
            return Err(self.refused(err, &bytes, payer));
        }
        let units = u32::try_from(rehearsal.units.saturating_mul(6) / 5 + 1_000).unwrap_or(UNITS_MAX);
        // The salt hides in the two limits, which are generous.
        let limits = (units.min(UNITS_MAX - 0xfff) + (salt & 0xfff), LOADED + (salt >> 12));
        let message = compile(plan, payer, limits, priority_fee_lamports, hash)?;
        let fee = match rehearsal.fee {
            Some(fee) => Some(fee),
            None => self.node.fee_of(&message.serialize()).await?,
        };
        let mut who = vec![("payer".to_owned(), payer)];
        who.extend(signers(&plan.instructions).into_iter().filter(|(_, address)| *address != payer));
        Ok(Prepared {
            message,
            signers: who,
            units: rehearsal.units,
            fee_lamports: fee.unwrap_or(0),
            last_valid,
        })
    }

    /// Sends a signed transaction until its fate is certain. The same bytes, however
    /// often: nothing is done twice.
    pub async fn deliver(
        &self,
        transaction: &VersionedTransaction,
        last_valid: u64,
    ) -> Result<Landed, AdminError> {
        let bytes = wire(transaction)?;
        let signature = transaction.signatures.first().copied().unwrap_or_default();
        let payer = transaction.message.static_account_keys().first().copied().unwrap_or_default();
        match self.node.send(&bytes).await? {
            Accepted::Yes => {}
            Accepted::No(err) => return Err(self.refused(&err, &bytes, payer)),
        }
        let (mut sent, mut answered) = (Instant::now(), Instant::now());
        loop {
            match self.fate(&signature, last_valid).await {
                Ok(Fate::Landed(slot)) => return self.landed(&signature, slot).await,
                Ok(Fate::Failed(err)) => return Err(self.refused(&err, &bytes, payer)),
                Ok(Fate::Dead) => return Err(AdminError::Expired { signature: signature.to_string() }),
                Ok(Fate::Open) => answered = Instant::now(),
                Err(error) if answered.elapsed() > PATIENCE => {
                    return Err(AdminError::Unknown {
                        signature: signature.to_string(),
                        why: error.to_string(),
                    });
                }
                Err(_) => {}
            }
            if sent.elapsed() >= RESEND {
                sent = Instant::now();
                // What a node refuses now may have landed before; only its fate tells.
                let _ = self.node.send(&bytes).await;
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn fate(&self, signature: &Signature, last_valid: u64) -> Result<Fate, ChainError> {
        // Asked before the status: what is not there after the last block will never be.
        let height = self.node.finalised_height().await?;
        let Some(status) = self.node.status(signature, height > last_valid).await? else {
            return Ok(if height > last_valid { Fate::Dead } else { Fate::Open });
        };
        if !status.satisfies_commitment(self.commitment) {
            return Ok(Fate::Open);
        }
        Ok(match status.err {
            Some(err) => Fate::Failed(err),
            None => Fate::Landed(status.slot),
        })
    }

    async fn landed(&self, signature: &Signature, slot: u64) -> Result<Landed, AdminError> {
        // Only finalised ones can be read whole; it is a courtesy, not a fact we need.
        let details = self.node.details(signature).await.ok().flatten();
        Ok(Landed {
            signature: signature.to_string(),
            slot,
            units: details.as_ref().map(|details| details.units),
            fee_lamports: details.map(|details| details.fee),
        })
    }

    fn refused(&self, err: &TransactionError, bytes: &[u8], payer: Address) -> AdminError {
        match judge_bytes(err, &self.program.id, bytes) {
            Verdict::Refused(refusal) => AdminError::Refused { code: refusal.code, message: refusal.message },
            Verdict::UnknownBlockhash => {
                AdminError::NotPossible("the transaction is too old; make it again".to_owned())
            }
            Verdict::NotReady(why) => AdminError::NotPossible(format!("{why} (payer {payer})")),
        }
    }
}

enum Fate {
    Landed(u64),
    Failed(TransactionError),
    Dead,
    Open,
}

fn compile(
    plan: &AdminPlan,
    payer: Address,
    (units, loaded): (u32, u32),
    priority_fee_lamports: u64,
    hash: Hash,
) -> Result<VersionedMessage, AdminError> {
    let mut config = TransactionConfig::empty()
        .with_compute_unit_limit(units)
        .with_loaded_accounts_data_size_limit(loaded);
    if priority_fee_lamports > 0 {
        config = config.with_priority_fee(priority_fee_lamports);
    }
    Message::try_compile_with_config(&payer, &plan.instructions, hash, config)
        .map(VersionedMessage::V1)
        .map_err(|error| AdminError::Invalid(format!("{} does not fit a transaction ({error})", plan.name)))
}

/// Wire bytes with empty signatures, for a rehearsal.
fn unsigned_bytes(message: &VersionedMessage) -> Result<Vec<u8>, AdminError> {
    let signatures = vec![Signature::default(); usize::from(message.header().num_required_signatures)];
    wire(&VersionedTransaction { signatures, message: message.clone() })
}

fn wire(transaction: &VersionedTransaction) -> Result<Vec<u8>, AdminError> {
    let bytes = wincode::serialize(transaction)
        .map_err(|error| AdminError::Invalid(format!("the transaction cannot be written ({error})")))?;
    if bytes.len() > MAX_TRANSACTION_SIZE {
        return Err(AdminError::Invalid(format!(
            "the transaction has {} bytes, above {MAX_TRANSACTION_SIZE}",
            bytes.len()
        )));
    }
    Ok(bytes)
}
