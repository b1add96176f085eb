//! What all handlers share.

use crate::accounts::Accounts;
use crate::config::{ApiConfig, ApiDeps};
use crate::dto::operator::AuditView;
use crate::error::ApiError;
use crate::guard::rate::Buckets;
use crate::guard::streams::Streams;
use crate::ussd::Ussd;
use crate::view::recent::Recent;
use crate::view::tally::Tallies;
use jirani_inbox::Gate;
use jirani_store::{Event, Taker};
use jirani_units::{Clock, Timestamp};
use std::future::Future;
use std::net::IpAddr;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};
use tokio_util::sync::CancellationToken;

/// Shared by all requests; cheap to clone.
pub type App = Arc<Shared>;

/// Settings, neighbours, and the little the API itself remembers.
pub struct Shared {
    /// Settings.
    pub config: ApiConfig,
    /// Neighbours.
    pub deps: ApiDeps,
    /// Ends live streams and long polls.
    pub stop: CancellationToken,
    /// Who may call back.
    pub(crate) gate: Arc<Gate>,
    pub(crate) money: Buckets<[u8; 32]>,
    pub(crate) sign_ins: Buckets<IpAddr>,
    pub(crate) streams: Streams,
    pub(crate) tallies: Tallies,
    /// What live views may have missed.
    pub(crate) recent: Arc<Recent>,
    /// Events are heard as long as this is held.
    _hears: Arc<Taker>,
    /// Who people are.
    pub(crate) accounts: Accounts,
    /// The menus of phones, where they are offered.
    pub(crate) ussd: Option<Ussd>,
    last_audit: Mutex<Option<AuditView>>,
    pub(crate) auditing: tokio::sync::Mutex<()>,
    pub(crate) request_prefix: String,
    pub(crate) requests: AtomicU64,
}

impl Shared {
    /// Puts the parts together.
    pub fn new(config: ApiConfig, deps: ApiDeps, gate: Arc<Gate>, stop: CancellationToken) -> Self {
        let request_prefix = deps.tokens.draw().as_str()[..8].to_owned();
        let recent = Arc::new(Recent::new(request_prefix.clone()));
        let hears: Arc<Taker> = {
            let recent = recent.clone();
            Arc::new(move |event: &Event| recent.note(event))
        };
        deps.events.take_up(&hears);
        let ussd = config.ussd.clone().map(|ussd| Ussd::new(ussd, deps.tokens.draw().hash()));
        let accounts = Accounts::new(&config);
        Self {
            accounts,
            gate,
            ussd,
            money: Buckets::per_minute(config.limits.money_per_minute),
            sign_ins: Buckets::per_minute(config.limits.sessions_per_minute),
            streams: Streams::new(config.limits.streams, config.limits.streams_per_session),
            tallies: Tallies::default(),
            recent,
            _hears: hears,
            last_audit: Mutex::default(),
            auditing: tokio::sync::Mutex::default(),
            request_prefix,
            requests: AtomicU64::new(0),
            config,
            deps,
            stop,
        }
    }

    /// The service clock's time.
    pub fn now(&self) -> Timestamp {
        self.deps.clock.now()
    }

    /// What the last audit found.
    pub(crate) fn last_audit(&self) -> Option<AuditView> {
        self.last_audit.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Remembers an audit.
    pub(crate) fn keep_audit(&self, audit: AuditView) {
        *self.last_audit.lock().unwrap_or_else(PoisonError::into_inner) = Some(audit);
    }

    /// Does work that must reach its end even when the asker hangs up: what was
    /// begun about money is not left half done because a phone lost its network.
    pub(crate) async fn to_the_end<T, E>(
        &self,
        work: impl Future<Output = Result<T, E>> + Send + 'static,
    ) -> Result<T, ApiError>
    where
        T: Send + 'static,
        E: Into<ApiError> + Send + 'static,
    {
        let busy = self.deps.clock.busy();
        let task = tokio::spawn(async move {
            let result = work.await;
            drop(busy);
            result
        });
        match task.await {
            Ok(result) => result.map_err(Into::into),
            Err(error) => Err(ApiError::internal(format!("work ended early: {error}"))),
        }
    }
}
