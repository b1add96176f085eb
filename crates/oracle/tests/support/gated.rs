//! A store whose commits of readings can be made to fail, and where a reading can come just
//! before a span is committed; everything else passes.

use async_trait::async_trait;
use jirani_ledger::Account;
use jirani_readings::Span;
use jirani_store::*;
use jirani_units::{
    Cents, HouseholdId, MeterId, Msisdn, OfferId, OrderId, PayoutId, Receipt, Reference, Timestamp, Wh,
};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::watch;

pub struct Gated {
    inner: Arc<dyn Store>,
    pub broken: AtomicBool,
    /// How many commits of readings failed.
    pub failures: watch::Sender<u32>,
    /// Becomes durable right before the next span.
    pub late: Mutex<Option<ReadingRow>>,
}

impl Gated {
    pub fn new(inner: Arc<dyn Store>) -> Self {
        Self {
            inner,
            broken: AtomicBool::new(false),
            failures: watch::Sender::new(0),
            late: Mutex::default(),
        }
    }
}

type Answer<T> = Result<T, StoreError>;
type Balances = Vec<(Account, AccountBalance)>;
type Landed = (Timestamp, AttestedRow, Option<String>);

macro_rules! pass_on {
    ($($name:ident($($argument:ident: $type:ty),*) -> $answer:ty;)*) => {
        #[async_trait]
        impl Store for Gated {
            async fn append_readings(
                &self,
                readings: Vec<ReadingRow>,
                quarantined: Vec<QuarantineRow>,
            ) -> Answer<Vec<Appended>> {
                if self.broken.load(Ordering::SeqCst) {
                    self.failures.send_modify(|failures| *failures += 1);
                    return Err(StoreError::Unavailable { what: "the disk is gone".into() });
                }
                self.inner.append_readings(readings, quarantined).await
            }
            async fn append_judged(
                &self,
                readings: Vec<ReadingRow>,
                quarantined: Vec<QuarantineRow>,
                judged_by: Vec<JudgedBy>,
            ) -> Answer<Option<Vec<Appended>>> {
                if self.broken.load(Ordering::SeqCst) {
                    self.failures.send_modify(|failures| *failures += 1);
                    return Err(StoreError::Unavailable { what: "the disk is gone".into() });
                }
                self.inner.append_judged(readings, quarantined, judged_by).await
            }
            async fn commit(&self, changes: Vec<Change>) -> Answer<Committed> {
                if changes.iter().any(|change| matches!(change, Change::Span(_))) {
                    let late = self.late.lock().unwrap().take();
                    self.inner.append_readings(late.into_iter().collect(), Vec::new()).await?;
                }
                self.inner.commit(changes).await
            }
            $(async fn $name(&self, $($argument: $type),*) -> Answer<$answer> {
                self.inner.$name($($argument),*).await
            })*
        }
    };
}

pass_on! {
    next_number(sequence: &'static str) -> u64;
    latest_readings() -> Vec<ReadingRow>;
    latest_of(meters: Vec<MeterId>) -> Vec<ReadingRow>;
    stored_after(position: u64, limit: u32) -> Vec<(u64, ReadingRow)>;
    readings(household: HouseholdId, from: Timestamp, to: Timestamp, limit: u32) -> Vec<ReadingRow>;
    reading(meter: MeterId, epoch: u32, seq: u64) -> Option<ReadingRow>;
    readings_around(meter: MeterId, epoch: u32, at: Timestamp) -> (Option<ReadingRow>, Option<ReadingRow>);
    count_readings() -> (u64, u64);
    quarantine(limit: u32) -> Vec<(u64, QuarantineRow)>;
    put_slot(slot: SlotRecord) -> ();
    unattested_slots(feeder: u16, after: Timestamp, limit: u32) -> Vec<SlotRecord>;
    last_slot(feeder: u16, until: Timestamp) -> Option<SlotRecord>;
    last_attested_slot(feeder: u16) -> Option<SlotRecord>;
    attested_slot_before(feeder: u16, end: Timestamp) -> Option<SlotRecord>;
    attested_rows(household: HouseholdId, from: Timestamp, to: Timestamp) -> Vec<Landed>;
    attested_slots_after(feeder: u16, after: Timestamp, limit: u32) -> Vec<SlotRecord>;
    attestation_reports(feeder: u16, end: Timestamp) -> Vec<Vec<u8>>;
    last_slot_bills(feeder: u16, whole: bool) -> Option<SlotBillsRecord>;
    slot_bills(feeder: u16, from: Timestamp, to: Timestamp, limit: u32) -> Vec<SlotBillsRecord>;
    day_bills(household: HouseholdId, from: i64, to: i64) -> Vec<DayBillRecord>;
    curtailments(feeder: u16, from: Timestamp, to: Timestamp) -> Vec<CurtailmentRecord>;
    curtailment_by_key(household: HouseholdId, key: &str) -> Option<CurtailmentRecord>;
    shortfalls() -> Vec<ShortfallRecord>;
    shortfall(household: HouseholdId) -> Option<ShortfallRecord>;
    steps_of(household: HouseholdId, limit: u32) -> Vec<StepRecord>;
    orders_settled(after: (Timestamp, OrderId), through: Timestamp, limit: u32) -> Vec<OrderRecord>;
    tariffs() -> Vec<TariffRecord>;
    attested_meters() -> Vec<AttestedMeterRecord>;
    meters() -> Vec<MeterRecord>;
    held_meters() -> Vec<MeterId>;
    meter(meter: MeterId) -> Option<MeterRecord>;
    meter_events(meter: Option<MeterId>, limit: u32) -> Vec<MeterEventRow>;
    spans() -> Vec<Span>;
    quarantine_counts() -> Vec<(MeterId, String, u64)>;
    households() -> Vec<HouseholdRecord>;
    household(id: HouseholdId) -> Option<HouseholdRecord>;
    offer(id: OfferId) -> Option<OfferRecord>;
    open_offers(feeder: Option<u16>, limit: u32) -> Vec<OfferRecord>;
    live_offers() -> Vec<OfferRecord>;
    offers_of(seller: HouseholdId, limit: u32) -> Vec<OfferRecord>;
    offer_by_key(seller: HouseholdId, key: &str) -> Option<OfferRecord>;
    order(id: OrderId) -> Option<OrderRecord>;
    live_orders() -> Vec<OrderRecord>;
    orders_of(buyer: HouseholdId, limit: u32) -> Vec<OrderRecord>;
    orders_of_after(buyer: HouseholdId, after: OrderId, limit: u32) -> Vec<OrderRecord>;
    sales_of(seller: HouseholdId, limit: u32) -> Vec<OrderRecord>;
    order_by_key(buyer: HouseholdId, key: &str) -> Option<OrderRecord>;
    orders_after(after: OrderId, limit: u32) -> Vec<OrderRecord>;
    rules(household: HouseholdId) -> Option<RulesRecord>;
    all_rules() -> Vec<RulesRecord>;
    call(feeder: u16, slot_start: Timestamp) -> Option<CallRecord>;
    calls(feeder: u16, limit: u32) -> Vec<CallRecord>;
    live_calls() -> Vec<CallRecord>;
    spent_by_rule(since: Timestamp) -> Vec<(HouseholdId, Cents)>;
    bought_between(from: Timestamp, to: Timestamp) -> Vec<(HouseholdId, Wh)>;
    collection(order: OrderId) -> Option<CollectionRecord>;
    collection_by_secret(secret: &str) -> Option<CollectionRecord>;
    collection_by_reference(reference: &Reference) -> Option<CollectionRecord>;
    live_collections() -> Vec<CollectionRecord>;
    receipt(receipt: &Receipt) -> Option<ReceiptRecord>;
    waiting_receipts() -> Vec<ReceiptRecord>;
    receipts_after(after: u64, limit: u32) -> Vec<(u64, ReceiptRecord)>;
    payout(id: PayoutId) -> Option<PayoutRecord>;
    payout_by_secret(secret: &str) -> Option<PayoutRecord>;
    live_payouts() -> Vec<PayoutRecord>;
    payouts_of(household: HouseholdId, limit: u32) -> Vec<PayoutRecord>;
    payout_by_key(household: HouseholdId, key: &str) -> Option<PayoutRecord>;
    payouts_after(after: PayoutId, limit: u32) -> Vec<PayoutRecord>;
    balance(account: Account) -> AccountBalance;
    balances() -> Balances;
    journal_after(after: u64, limit: u32) -> Vec<JournalRow>;
    journal_of(account: Account, limit: u32) -> Vec<JournalRow>;
    journal_of_after(account: Account, after: u64, limit: u32) -> Vec<JournalRow>;
    paid_out_since(since: Timestamp) -> Cents;
    reversal(receipt: &Receipt) -> Option<ReversalRecord>;
    waiting_reversals() -> Vec<ReversalRecord>;
    review(key: &str) -> Option<ReviewRecord>;
    proposals(only_waiting: bool, limit: u32) -> Vec<ProposalRecord>;
    proposal(number: u64) -> Option<ProposalRecord>;
    reconciliations(limit: u32) -> Vec<ReconciliationRecord>;
    reconciliation(number: u64) -> Option<ReconciliationRecord>;
    open_reviews(limit: u32) -> Vec<ReviewRecord>;
    findings(before: Option<u64>, only_open: bool, limit: u32) -> Vec<FindingRecord>;
    finding(number: u64) -> Option<FindingRecord>;
    live_findings(since: Timestamp) -> Vec<FindingRecord>;
    relay(household: HouseholdId) -> Option<RelayRecord>;
    pending_relays() -> Vec<RelayRecord>;
    notices_of(household: Option<HouseholdId>, limit: u32) -> Vec<NoticeRecord>;
    households_of_number(msisdn: Msisdn) -> Vec<HouseholdRecord>;
    handset(household: HouseholdId) -> Option<HandsetRecord>;
    message(key: &str) -> Option<MessageRecord>;
    message_by_gateway_id(id: &str) -> Option<MessageRecord>;
    messages_since(household: HouseholdId, since: Timestamp) -> u64;
    unsent_notices(since: Timestamp, after: u64, limit: u32) -> Vec<(u64, NoticeRecord)>;
    receive(callback: NewCallback) -> u64;
    pending_callbacks(limit: u32) -> Vec<InboxRow>;
    put_outbox(record: OutboxRecord) -> ();
    outbox(key: &str) -> Option<OutboxRecord>;
    outbox_unfinished(after: &str, limit: u32) -> Vec<OutboxRecord>;
    outbox_totals() -> (u64, u64, u64);
    session(token_hash: [u8; 32]) -> Option<SessionRecord>;
    sessions_of(household: HouseholdId, at: Timestamp) -> Vec<SessionRecord>;
    operator(name: &str) -> Option<OperatorRecord>;
    operators() -> Vec<OperatorRecord>;
    acts(before: Option<u64>, limit: u32) -> Vec<ActRecord>;
    acts_after(after: u64, limit: u32) -> Vec<ActRecord>;
    setting(key: &str) -> Option<String>;
}
