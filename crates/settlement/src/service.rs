//! The service: what its machines share, and the loop that keeps them going.

use crate::bill::Billing;
use crate::collection::pull::PullPlan;
use crate::config::{SettlementConfig, SettlementDeps};
use crate::debts::Debts;
use crate::engine::Key;
use crate::engine::lanes::{Job, Lanes};
use crate::engine::timer::Timer;
use crate::error::SettlementError;
use crate::inbox::{Inbox, Note};
use crate::interruption::{Interruption, Moment, NoInterruption};
use crate::market::Calling;
use crate::names::Names;
use crate::payout::{Asked, Queue};
use crate::planning::Planning;
use crate::reconciliation::Reconciling;
use crate::shortfall::Walking;
use crate::step::{Step, Trouble};
use crate::tariff::Following;
use jirani_chain::EnergyChain;
use jirani_clock::ServiceClock;
use jirani_daraja::Mpesa;
use jirani_ledger::Account;
use jirani_store::event::Taker;
use jirani_store::{Committed, Event, Events, Store, StoreError};
use jirani_units::{Clock as _, Timestamp};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How often a commit is decided anew when others were faster.
pub(crate) const COMMIT_ATTEMPTS: usize = 32;
/// How many runs in a row may end in conflicts.
const CONTENDED_MAX: u32 = 5;
/// The longest request key, in characters.
const KEY_MAX: usize = 128;
/// The first pause after an answer that did not come; it doubles up to the last.
const PAUSE_FIRST: Duration = Duration::from_millis(20);
const PAUSE_LAST: Duration = Duration::from_secs(10);
/// How long a stop waits for what is under way, which is all safe to leave.
const STOP_WITHIN: Duration = Duration::from_secs(5);

/// Trades, collections and payouts. Its methods need [`Settlement::run`] to be
/// running: they hand work to it and wait.
pub struct Settlement {
    pub(crate) config: SettlementConfig,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) chain: Arc<dyn EnergyChain>,
    pub(crate) mpesa: Arc<dyn Mpesa>,
    pub(crate) clock: ServiceClock,
    pub(crate) events: Events,
    pub(crate) names: Names,
    pub(crate) planning: Planning,
    /// Held by whoever plans an order anew, over the store only.
    pub(crate) planning_anew: tokio::sync::Mutex<()>,
    pub(crate) inbox: Inbox,
    pub(crate) asked: Asked,
    pub(crate) queue: Queue,
    /// Held while a payout is planned: over the store only.
    pub(crate) paying_out: tokio::sync::Mutex<()>,
    pub(crate) debts: Debts,
    /// Held while an approved decision is done: two at once must not both find a receipt unused.
    pub(crate) deciding: tokio::sync::Mutex<()>,
    pub(crate) lanes: Lanes<Note>,
    pub(crate) timer: Timer,
    pub(crate) reconciling: Reconciling,
    pub(crate) billing: Billing,
    pub(crate) walking: Walking,
    pub(crate) calling: Calling,
    /// Held while a purchase by the operator is stored, so that it spends its own but once.
    pub(crate) spending_own: tokio::sync::Mutex<()>,
    pub(crate) following: Following,
    pub(crate) interruption: Arc<dyn Interruption>,
    pulls: Mutex<PullPlan>,
    stopped: CancellationToken,
}

impl Settlement {
    /// Puts the parts together; nothing is done before [`Settlement::run`].
    pub fn new(config: SettlementConfig, deps: SettlementDeps) -> Arc<Self> {
        Self::with_interruption(config, deps, Arc::new(NoInterruption))
    }

    /// The same, telling `interruption` of every moment between two effects. For tests
    /// that end the process there.
    pub fn with_interruption(
        config: SettlementConfig,
        deps: SettlementDeps,
        interruption: Arc<dyn Interruption>,
    ) -> Arc<Self> {
        let SettlementDeps { store, chain, mpesa, clock, events } = deps;
        Arc::new(Self {
            names: Names::new(config.seed, &config.callback_base),
            config,
            store,
            chain,
            mpesa,
            clock,
            events,
            planning: Planning::default(),
            planning_anew: tokio::sync::Mutex::default(),
            inbox: Inbox::default(),
            asked: Asked::default(),
            queue: Queue::default(),
            paying_out: tokio::sync::Mutex::default(),
            debts: Debts::default(),
            deciding: tokio::sync::Mutex::default(),
            lanes: Lanes::new(),
            timer: Timer::default(),
            reconciling: Reconciling::default(),
            billing: Billing::default(),
            walking: Walking::default(),
            calling: Calling::default(),
            spending_own: tokio::sync::Mutex::default(),
            following: Following::default(),
            interruption,
            pulls: Mutex::default(),
            stopped: CancellationToken::new(),
        })
    }

    /// Confirmation and validation address to register for C2B payments.
    pub fn c2b_urls(&self) -> (String, String) {
        self.names.c2b_urls()
    }

    /// Address to switch on M-Pesa's list of payments with: a door as for any answer.
    /// What M-Pesa posts there is kept, and has the list read.
    pub fn list_url(&self) -> String {
        self.names.answer_urls(&self.names.list_secret()).result_url
    }

    /// Takes up everything that is stored and not final, then works until
    /// cancelled. Callbacks stored while nobody was here are read before any
    /// deadline is looked at. An instance runs once. An error means that it could
    /// not start or has met a bug: end the process; all is stored.
    pub async fn run(self: Arc<Self>, cancel: CancellationToken) -> Result<(), SettlementError> {
        let starting = self.clock.busy();
        let mut tasks = JoinSet::new();
        for _ in 0..self.config.workers.max(4) {
            let service = self.clone();
            tasks.spawn(service.work());
        }
        tasks.spawn({
            let service = self.clone();
            async move {
                let wake = |key| service.lanes.poke(key, service.clock.busy());
                service.timer.run(&service.clock, &service.stopped, wake).await;
            }
        });
        let attested = self.hear_of_slots();
        let mut result = self.resume(&cancel).await;
        drop(starting);
        if result.is_ok() {
            tokio::select! {
                () = self.pump_until(&cancel) => {}
                // None of them ends by itself: one that did has met a bug, and what
                // it held is not looked at again before the next start.
                Some(ended) = tasks.join_next() => {
                    let why = ended.err().map_or_else(|| "too early".to_owned(), |error| error.to_string());
                    result = Err(SettlementError::Stuck(format!("a worker ended: {why}")));
                }
            }
        }
        drop(attested);
        self.stopped.cancel();
        self.lanes.close();
        let ended =
            tokio::time::timeout(STOP_WITHIN, async { while tasks.join_next().await.is_some() {} }).await;
        if ended.is_err() {
            tracing::warn!("left work that did not end in time; the next start takes it up");
        }
        tasks.abort_all();
        self.timer.clear();
        result
    }

    /// Takes up attested slots as long as the answer is held. In another process than the
    /// oracle's nobody tells; the lane then looks by itself.
    fn hear_of_slots(self: &Arc<Self>) -> Arc<Taker> {
        let service = Arc::downgrade(self);
        let taker: Arc<Taker> = Arc::new(move |event: &Event| {
            if let Event::Attested { .. } = event
                && let Some(service) = service.upgrade()
            {
                service.slot_attested();
            }
        });
        self.events.take_up(&taker);
        taker
    }

    /// Reads what waits in the inbox, then looks at everything that is not final.
    async fn resume(&self, cancel: &CancellationToken) -> Result<(), SettlementError> {
        self.lanes.poke(Key::Tariff, self.clock.busy());
        self.debts.learn(&self.store.balances().await?);
        self.restore_queue().await?;
        tokio::select! {
            () = cancel.cancelled() => return Ok(()),
            pumped = self.pump() => pumped?,
        }
        let offers = self.store.live_offers().await?.into_iter().map(|offer| Key::Offer(offer.id));
        let orders = self.store.live_orders().await?.into_iter().map(|order| Key::Order(order.id));
        let payouts = self.store.live_payouts().await?.into_iter().map(|payout| Key::Payout(payout.id));
        for key in orders.chain(payouts).chain(offers) {
            self.lanes.poke(key, self.clock.busy());
        }
        // What was taken back while its order was being settled, and the list of
        // payments for what was told while nobody was here.
        self.waiting_reversals().await.map_err(SettlementError::from_trouble)?;
        self.lanes.poke(Key::Pull, self.clock.busy());
        self.lanes.poke(Key::Bills, self.clock.busy());
        self.lanes.poke(Key::Call, self.clock.busy());
        self.lanes.poke(Key::BuyBack, self.clock.busy());
        self.begin_reconciling();
        self.resume_float().await?;
        Ok(())
    }

    async fn work(self: Arc<Self>) {
        while let Some(mut job) = self.lanes.take().await {
            match self.run_lane(&mut job).await {
                Ok(next) => {
                    match (job.key, next) {
                        // Somebody may have asked for an earlier reading meanwhile.
                        (Key::Pull, Some(at)) => self.timer.set_earlier(Key::Pull, at, &self.clock),
                        _ => self.timer.set(job.key, next, &self.clock),
                    }
                    self.lanes.finish(job, &Ok(()));
                }
                Err(Trouble::NoAnswer(what)) => self.clone().rest(job, &what),
                // Records that stay contended are not contended but contradictory.
                Err(Trouble::Contended(what)) if job.failures < CONTENDED_MAX => {
                    self.clone().rest(job, &what);
                }
                Err(Trouble::Stuck(what) | Trouble::Contended(what)) => {
                    tracing::error!(key = ?job.key, what, "cannot go on; the operator must look");
                    self.lanes.finish(job, &Err(what));
                }
            }
        }
    }

    /// Reads the job's callbacks, then moves the thing on as far as it goes.
    async fn run_lane(&self, job: &mut Job<Note>) -> Result<Option<Timestamp>, Trouble> {
        while let Some(note) = job.notes.front() {
            self.read_note(job.key, note).await?;
            self.interruption.reached(Moment::CallbackRead);
            job.notes.pop_front();
        }
        match job.key {
            Key::Offer(id) => self.advance_offer(id).await,
            Key::Order(id) => self.advance_order(id).await,
            Key::Payout(id) => self.advance_payout(id).await,
            Key::Pull => self.advance_pull().await,
            Key::Float(number) => self.advance_float(number).await,
            Key::Reconciliation => self.advance_reconciliation().await,
            Key::Bills => self.advance_bills().await,
            Key::Standing(household) => self.advance_standing(household).await,
            Key::Call => self.advance_calls().await,
            Key::BuyBack => self.advance_buy_back().await,
            Key::Tariff => self.advance_tariff().await,
            Key::Stray(_) => Ok(None),
        }
    }

    /// No answer from outside: the lane stays busy and is taken up again after a
    /// pause of real time, longer each time.
    fn rest(self: Arc<Self>, job: Job<Note>, what: &str) {
        let pause = PAUSE_FIRST.saturating_mul(1 << job.failures.min(10)).min(PAUSE_LAST);
        let key = job.key;
        tracing::warn!(?key, what, pause_ms = pause.as_millis(), "no answer; asking again");
        self.lanes.rest(job);
        // One task per resting lane, so as bounded as lanes are.
        tokio::spawn(async move {
            tokio::select! {
                () = self.stopped.cancelled() => {}
                () = tokio::time::sleep(pause) => self.lanes.retry(key),
            }
        });
    }

    /// Commits a step, then announces it. Reviews it opens or closes are part of the
    /// commit, and so is what its money pays of its households' debts.
    pub(crate) async fn commit(&self, step: Step) -> Result<Committed, StoreError> {
        let gains = self.debts.gains(&step.changes);
        if gains.is_empty() {
            return self.commit_unpaid(step).await;
        }
        let mut step = step;
        let _paying = self.debts.paying().await;
        let mut free = Vec::new();
        for gain in gains {
            let receivable = self.store.balance(Account::ReversalsReceivable(gain.household)).await?;
            let (changes, left) = gain.pays(&receivable, self.clock.now());
            step.changes.extend(changes);
            step.announce(Event::Balance(gain.household));
            if !left.is_positive() {
                free.push(gain.household);
            }
        }
        let committed = self.commit_unpaid(step).await?;
        for household in free {
            self.debts.is_free(household);
        }
        Ok(committed)
    }

    /// The same without a look at debts.
    pub(crate) async fn commit_unpaid(&self, mut step: Step) -> Result<Committed, StoreError> {
        if !step.opened.is_empty() || !step.closed.is_empty() {
            let reviews = self.reviews(&step).await?;
            step.changes.extend(reviews);
        }
        if step.changes.is_empty() {
            return Ok(Committed::default());
        }
        let relieved = self.relieved(&step.changes);
        let committed = self.store.commit(step.changes).await?;
        for event in step.events {
            self.events.publish(event);
        }
        self.look_at_relieved(relieved);
        Ok(committed)
    }

    pub(crate) fn pulls(&self) -> PullPlan {
        *self.pulls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_pulls(&self, plan: PullPlan) {
        *self.pulls.lock().unwrap_or_else(PoisonError::into_inner) = plan;
    }

    /// Has `key` looked at and waits until that look has ended.
    pub(crate) async fn look(&self, key: Key) -> Result<(), SettlementError> {
        match self.lanes.wait(key, self.clock.busy()).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(what)) => Err(SettlementError::Stuck(what)),
            Err(_) => Err(SettlementError::Stopping),
        }
    }

    pub(crate) fn check_room(&self) -> Result<(), SettlementError> {
        if self.lanes.has_room() { Ok(()) } else { Err(SettlementError::Overloaded) }
    }
}

/// Request keys are stored for ever, so they are bounded.
pub(crate) fn check_key(key: &str) -> Result<(), SettlementError> {
    if key.is_empty() || key.len() > KEY_MAX { Err(SettlementError::InvalidKey) } else { Ok(()) }
}
