//! What a client wants to be told, and how it is told.

use crate::actor::Handle;
use crate::events::{Block, Event};
use crate::finality::asked;
use crate::rpc::{Filters, Params, RpcError, address, encode_account};
use jsonrpc_core::Error;
use serde::Serialize;
use serde_json::{Value, json};
use solana_account::{AccountSharedData, ReadableAccount};
use solana_account_decoder::{UiAccount, UiAccountEncoding, UiDataSliceConfig};
use solana_address::Address;
use solana_rpc_client_api::config::{
    CommitmentLevel, RpcAccountInfoConfig, RpcProgramAccountsConfig, RpcSignatureSubscribeConfig,
    RpcTransactionLogsConfig, RpcTransactionLogsFilter,
};
use solana_signature::Signature;

/// One subscription.
pub struct Subscription {
    level: CommitmentLevel,
    wanted: Wanted,
}

/// What a subscription is about.
pub enum Wanted {
    /// The fate of a transaction; `received` also when it has arrived.
    Signature {
        /// The transaction.
        signature: Signature,
        /// Whether its arrival is told, too.
        received: bool,
    },
    /// Every slot.
    Slot,
    /// Every slot that becomes final.
    Root,
    /// An account's changes.
    Account {
        /// The account.
        address: Address,
        /// How it is shown.
        shape: Shape,
    },
    /// Changes of a program's accounts.
    Program {
        /// The program.
        program: Address,
        /// Which of them.
        filters: Filters,
        /// How they are shown.
        shape: Shape,
    },
    /// Logs of transactions; of those that touch an address, if there is one.
    Logs(Option<Address>),
}

/// How accounts are shown.
#[derive(Clone, Copy)]
pub struct Shape {
    encoding: UiAccountEncoding,
    slice: Option<UiDataSliceConfig>,
}

/// Something to tell.
pub struct Told {
    /// The notification's `result`.
    pub result: Value,
    /// Whether the subscription ends with it.
    pub is_last: bool,
}

impl Wanted {
    /// The kinds there are: what stands before `Subscribe` in a method's name.
    pub const KINDS: [&str; 6] = ["signature", "slot", "root", "account", "program", "logs"];

    fn kind(&self) -> &'static str {
        match self {
            Self::Signature { .. } => "signature",
            Self::Slot => "slot",
            Self::Root => "root",
            Self::Account { .. } => "account",
            Self::Program { .. } => "program",
            Self::Logs(_) => "logs",
        }
    }
}

impl Shape {
    fn of(config: &RpcAccountInfoConfig) -> Self {
        let encoding = config.encoding.unwrap_or(UiAccountEncoding::Binary);
        Self { encoding, slice: config.data_slice }
    }

    /// Shows an account as it was when the event happened.
    async fn show(self, handle: &Handle, address: Address, account: AccountSharedData) -> Option<UiAccount> {
        let Self { encoding, slice } = self;
        let shown = handle.glance(move |bank| encode_account(&bank.svm, &address, &account, encoding, slice));
        shown.await.ok()?.ok()
    }
}

impl Subscription {
    /// Reads a subscribing call.
    pub fn new(method: &str, params: jsonrpc_core::Params) -> Result<Self, RpcError> {
        let (level, wanted) = match method {
            "signatureSubscribe" => {
                let params = Params::new(params, 1, 2)?;
                let signature = params.signature(0)?;
                let config: RpcSignatureSubscribeConfig = params.optional(1)?.unwrap_or_default();
                let received = config.enable_received_notification.unwrap_or(false);
                (asked(config.commitment), Wanted::Signature { signature, received })
            }
            "slotSubscribe" => {
                Params::new(params, 0, 0)?;
                (CommitmentLevel::Processed, Wanted::Slot)
            }
            "rootSubscribe" => {
                Params::new(params, 0, 0)?;
                (CommitmentLevel::Finalized, Wanted::Root)
            }
            "accountSubscribe" => {
                let params = Params::new(params, 1, 2)?;
                let config: RpcAccountInfoConfig = params.optional(1)?.unwrap_or_default();
                let shape = Shape::of(&config);
                (asked(config.commitment), Wanted::Account { address: params.address(0)?, shape })
            }
            "programSubscribe" => {
                let params = Params::new(params, 1, 2)?;
                let config: RpcProgramAccountsConfig = params.optional(1)?.unwrap_or_default();
                let (program, shape) = (params.address(0)?, Shape::of(&config.account_config));
                let filters = Filters::new(config.filters)?;
                let level = asked(config.account_config.commitment);
                (level, Wanted::Program { program, filters, shape })
            }
            "logsSubscribe" => {
                let params = Params::new(params, 1, 2)?;
                let filter: RpcTransactionLogsFilter = params.required(0)?;
                let config: Option<RpcTransactionLogsConfig> = params.optional(1)?;
                (asked(config.and_then(|config| config.commitment)), Wanted::Logs(mentioned(filter)?))
            }
            _ => return Err(RpcError(Error::method_not_found())),
        };
        Ok(Self { level, wanted })
    }

    /// The method of its notifications.
    pub fn notification(&self) -> String {
        format!("{}Notification", self.wanted.kind())
    }

    /// What has happened already: a transaction whose status is sure enough.
    pub async fn at_once(&self, handle: &Handle) -> Result<Option<Told>, RpcError> {
        let Wanted::Signature { signature, .. } = self.wanted else { return Ok(None) };
        let level = self.level;
        let found = handle
            .ask(move |bank| {
                let slot = bank.levels().at(level);
                let status = bank.statuses.get(&signature).filter(|status| status.slot <= slot)?;
                Some((slot, status.err.clone()))
            })
            .await?;
        Ok(found.map(|(slot, err)| Told { result: in_context(slot, json!({ "err": err })), is_last: true }))
    }

    /// What an event means to it.
    pub async fn told(&self, handle: &Handle, event: &Event) -> Vec<Told> {
        match event {
            Event::Slot { slot, root } => match self.wanted {
                Wanted::Slot => {
                    vec![Told::more(json!({ "slot": slot, "parent": slot.saturating_sub(1), "root": root }))]
                }
                Wanted::Root => vec![Told::more(json!(root))],
                _ => Vec::new(),
            },
            Event::Reached { levels, block } => {
                let is_reached = rank(levels.0) <= rank(self.level) && rank(self.level) <= rank(levels.1);
                let is_new = levels.0 == CommitmentLevel::Processed;
                self.of_block(handle, block, is_reached, is_new).await
            }
        }
    }

    async fn of_block(&self, handle: &Handle, block: &Block, is_reached: bool, is_new: bool) -> Vec<Told> {
        let slot = block.slot;
        match &self.wanted {
            Wanted::Signature { signature, received } => {
                let Some((done, _)) = block.executed.iter().find(|(done, _)| done.signature == *signature)
                else {
                    return Vec::new();
                };
                let mut told = Vec::new();
                if *received && is_new {
                    told.push(Told::more(in_context(slot, "receivedSignature")));
                }
                if is_reached {
                    let result = in_context(slot, json!({ "err": done.meta.err() }));
                    told.push(Told { result, is_last: true });
                }
                told
            }
            _ if !is_reached => Vec::new(),
            Wanted::Account { address, shape } => {
                let Some((_, account)) = block.accounts.iter().find(|(changed, _)| changed == address) else {
                    return Vec::new();
                };
                // An account that is gone is shown as the empty one that anybody may fund.
                let account = account.clone().unwrap_or_default();
                let shown = shape.show(handle, *address, account).await;
                shown.map(|shown| Told::more(in_context(slot, shown))).into_iter().collect()
            }
            Wanted::Program { program, filters, shape } => {
                let mut told = Vec::new();
                for (address, account) in &block.accounts {
                    let Some(account) = account else { continue };
                    if account.owner() == program
                        && filters.allow(account.data())
                        && let Some(shown) = shape.show(handle, *address, account.clone()).await
                    {
                        let keyed = json!({ "pubkey": address.to_string(), "account": shown });
                        told.push(Told::more(in_context(slot, keyed)));
                    }
                }
                told
            }
            Wanted::Logs(mentioned) => block
                .executed
                .iter()
                .filter(|(done, transaction)| {
                    mentioned.is_none_or(|address| {
                        transaction.message.static_account_keys().contains(&address)
                            || done.meta.loaded().contains(&address)
                    })
                })
                .map(|(done, _)| {
                    let logs = json!({
                        "signature": done.signature.to_string(),
                        "err": done.meta.err(),
                        "logs": done.meta.logs,
                    });
                    Told::more(in_context(slot, logs))
                })
                .collect(),
            Wanted::Slot | Wanted::Root => Vec::new(),
        }
    }
}

impl Told {
    fn more(result: Value) -> Self {
        Self { result, is_last: false }
    }
}

fn rank(level: CommitmentLevel) -> u8 {
    match level {
        CommitmentLevel::Processed => 0,
        CommitmentLevel::Confirmed => 1,
        CommitmentLevel::Finalized => 2,
    }
}

fn in_context(slot: u64, value: impl Serialize) -> Value {
    json!({ "context": { "slot": slot }, "value": value })
}

fn mentioned(filter: RpcTransactionLogsFilter) -> Result<Option<Address>, RpcError> {
    match filter {
        RpcTransactionLogsFilter::All | RpcTransactionLogsFilter::AllWithVotes => Ok(None),
        RpcTransactionLogsFilter::Mentions(texts) => match &texts[..] {
            [text] => address(text).map(Some),
            _ => Err(RpcError::invalid_params("Invalid Request: Only 1 address supported")),
        },
    }
}
