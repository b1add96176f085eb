//! The trait's verbs, each handed to the writer or to a question. Long because a trait is
//! implemented in one place, whatever the number of its verbs; none of them decides anything.

use crate::{SqliteStore, read};
use async_trait::async_trait;
use jirani_ledger::{Account, AccountBalance, Balances};
use jirani_readings::Span;
use jirani_store::numbers::BLOCK;
use jirani_store::{
    ActRecord, Appended, AttestedRow, CallRecord, Change, CollectionRecord, Committed, CurtailmentRecord,
    DayBillRecord, FindingRecord, HandsetRecord, HouseholdRecord, InboxRow, JournalRow, JudgedBy,
    MessageRecord, MeterEventRow, MeterRecord, NewCallback, NoticeRecord, OfferRecord, OperatorRecord,
    OrderRecord, OutboxRecord, PayoutRecord, ProposalRecord, QuarantineRow, ReadingRow, ReceiptRecord,
    ReconciliationRecord, RelayRecord, ReversalRecord, ReviewRecord, RulesRecord, SessionRecord,
    ShortfallRecord, SlotBillsRecord, SlotRecord, StepRecord, Store, StoreError, TariffRecord,
};
use jirani_units::{
    Cents, HouseholdId, MeterId, Msisdn, OfferId, OrderId, PayoutId, Receipt, Reference, Timestamp, Wh,
};

type Answer<T> = Result<T, StoreError>;

#[async_trait]
impl Store for SqliteStore {
    async fn commit(&self, changes: Vec<Change>) -> Answer<Committed> {
        self.writer()?.commit(changes).await
    }

    async fn next_number(&self, sequence: &'static str) -> Answer<u64> {
        loop {
            if let Some(number) = self.numbers.take(sequence) {
                return Ok(number);
            }
            let block = self.writer()?.numbers(sequence, BLOCK).await?;
            self.numbers.add(sequence, block);
        }
    }

    async fn append_readings(
        &self,
        readings: Vec<ReadingRow>,
        quarantined: Vec<QuarantineRow>,
    ) -> Answer<Vec<Appended>> {
        self.writer()?.readings(readings, quarantined).await
    }

    async fn append_judged(
        &self,
        readings: Vec<ReadingRow>,
        quarantined: Vec<QuarantineRow>,
        judged_by: Vec<JudgedBy>,
    ) -> Answer<Option<Vec<Appended>>> {
        self.writer()?.judged(readings, quarantined, judged_by).await
    }

    async fn latest_of(&self, meters: Vec<MeterId>) -> Answer<Vec<ReadingRow>> {
        self.readers.ask(|c| read::readings::latest_of(c, &meters))
    }

    async fn stored_after(&self, position: u64, limit: u32) -> Answer<Vec<(u64, ReadingRow)>> {
        self.readers.walk(move |c| read::readings::stored_after(c, position, limit)).await
    }

    async fn latest_readings(&self) -> Answer<Vec<ReadingRow>> {
        self.readers.ask(read::readings::latest)
    }

    async fn readings(
        &self,
        household: HouseholdId,
        from: Timestamp,
        to: Timestamp,
        limit: u32,
    ) -> Answer<Vec<ReadingRow>> {
        self.readers.ask(|c| read::readings::between(c, household, from, to, limit))
    }

    async fn reading(&self, meter: MeterId, epoch: u32, seq: u64) -> Answer<Option<ReadingRow>> {
        self.readers.ask(|c| read::readings::by_identity(c, meter, epoch, seq))
    }

    async fn readings_around(
        &self,
        meter: MeterId,
        epoch: u32,
        at: Timestamp,
    ) -> Answer<(Option<ReadingRow>, Option<ReadingRow>)> {
        self.readers.ask(|c| read::readings::around(c, meter, epoch, at))
    }

    async fn count_readings(&self) -> Answer<(u64, u64)> {
        self.readers.walk(read::readings::count).await
    }

    async fn quarantine(&self, limit: u32) -> Answer<Vec<(u64, QuarantineRow)>> {
        self.readers.ask(|c| read::readings::quarantine(c, limit))
    }

    async fn put_slot(&self, slot: SlotRecord) -> Answer<()> {
        self.writer()?.slot(slot).await
    }

    async fn unattested_slots(&self, feeder: u16, after: Timestamp, limit: u32) -> Answer<Vec<SlotRecord>> {
        self.readers.ask(|c| read::slots::unattested(c, feeder, after, limit))
    }

    async fn last_slot(&self, feeder: u16, until: Timestamp) -> Answer<Option<SlotRecord>> {
        self.readers.ask(|c| read::slots::last(c, feeder, until))
    }

    async fn last_attested_slot(&self, feeder: u16) -> Answer<Option<SlotRecord>> {
        self.readers.ask(|c| read::slots::last_attested(c, feeder))
    }

    async fn attested_slot_before(&self, feeder: u16, end: Timestamp) -> Answer<Option<SlotRecord>> {
        self.readers.ask(|c| read::slots::attested_before(c, feeder, end))
    }

    async fn attested_rows(
        &self,
        household: HouseholdId,
        from: Timestamp,
        to: Timestamp,
    ) -> Answer<Vec<(Timestamp, AttestedRow, Option<String>)>> {
        self.readers.walk(move |c| read::slots::rows_of(c, household, from, to)).await
    }

    async fn attested_slots_after(
        &self,
        feeder: u16,
        after: Timestamp,
        limit: u32,
    ) -> Answer<Vec<SlotRecord>> {
        self.readers.ask(|c| read::slots::attested_after(c, feeder, after, limit))
    }

    async fn attestation_reports(&self, feeder: u16, end: Timestamp) -> Answer<Vec<Vec<u8>>> {
        self.outcomes_written().await?;
        self.readers.ask(|c| read::chain::reports(c, feeder, end))
    }

    async fn last_slot_bills(&self, feeder: u16, whole: bool) -> Answer<Option<SlotBillsRecord>> {
        self.readers.ask(|c| read::bills::last(c, feeder, whole))
    }

    async fn slot_bills(
        &self,
        feeder: u16,
        from: Timestamp,
        to: Timestamp,
        limit: u32,
    ) -> Answer<Vec<SlotBillsRecord>> {
        self.readers.walk(move |c| read::bills::of_slots(c, feeder, from, to, limit)).await
    }

    async fn day_bills(&self, household: HouseholdId, from: i64, to: i64) -> Answer<Vec<DayBillRecord>> {
        self.readers.ask(|c| read::bills::of_days(c, household, from, to))
    }

    async fn curtailments(
        &self,
        feeder: u16,
        from: Timestamp,
        to: Timestamp,
    ) -> Answer<Vec<CurtailmentRecord>> {
        self.readers.ask(|c| read::bills::curtailments(c, feeder, from, to))
    }

    async fn curtailment_by_key(
        &self,
        household: HouseholdId,
        key: &str,
    ) -> Answer<Option<CurtailmentRecord>> {
        self.readers.ask(|c| read::bills::curtailment_by_key(c, household, key))
    }

    async fn shortfalls(&self) -> Answer<Vec<ShortfallRecord>> {
        self.readers.ask(read::bills::shortfalls)
    }

    async fn shortfall(&self, household: HouseholdId) -> Answer<Option<ShortfallRecord>> {
        self.readers.ask(|c| read::bills::shortfall(c, household))
    }

    async fn steps_of(&self, household: HouseholdId, limit: u32) -> Answer<Vec<StepRecord>> {
        self.readers.ask(|c| read::bills::steps_of(c, household, limit))
    }

    async fn orders_settled(
        &self,
        after: (Timestamp, OrderId),
        through: Timestamp,
        limit: u32,
    ) -> Answer<Vec<OrderRecord>> {
        self.readers.ask(|c| read::market::orders_settled(c, after, through, limit))
    }

    async fn households(&self) -> Answer<Vec<HouseholdRecord>> {
        self.readers.ask(read::people::households)
    }

    async fn household(&self, id: HouseholdId) -> Answer<Option<HouseholdRecord>> {
        self.readers.ask(|c| read::people::household(c, id))
    }

    async fn offer(&self, id: OfferId) -> Answer<Option<OfferRecord>> {
        self.readers.ask(|c| read::market::offer(c, id))
    }

    async fn open_offers(&self, feeder: Option<u16>, limit: u32) -> Answer<Vec<OfferRecord>> {
        self.readers.ask(move |c| read::market::open_offers(c, feeder, limit))
    }

    async fn live_offers(&self) -> Answer<Vec<OfferRecord>> {
        self.readers.ask(read::market::live_offers)
    }

    async fn offers_of(&self, seller: HouseholdId, limit: u32) -> Answer<Vec<OfferRecord>> {
        self.readers.ask(|c| read::market::offers_of(c, seller, limit))
    }

    async fn offer_by_key(&self, seller: HouseholdId, key: &str) -> Answer<Option<OfferRecord>> {
        self.readers.ask(|c| read::market::offer_by_key(c, seller, key))
    }

    async fn order(&self, id: OrderId) -> Answer<Option<OrderRecord>> {
        self.readers.ask(|c| read::market::order(c, id))
    }

    async fn live_orders(&self) -> Answer<Vec<OrderRecord>> {
        self.readers.ask(read::market::live_orders)
    }

    async fn orders_of(&self, buyer: HouseholdId, limit: u32) -> Answer<Vec<OrderRecord>> {
        self.readers.ask(|c| read::market::orders_of(c, buyer, limit))
    }

    async fn orders_of_after(
        &self,
        buyer: HouseholdId,
        after: OrderId,
        limit: u32,
    ) -> Answer<Vec<OrderRecord>> {
        self.readers.ask(|c| read::market::orders_of_after(c, buyer, after, limit))
    }

    async fn sales_of(&self, seller: HouseholdId, limit: u32) -> Answer<Vec<OrderRecord>> {
        self.readers.ask(|c| read::market::sales_of(c, seller, limit))
    }

    async fn order_by_key(&self, buyer: HouseholdId, key: &str) -> Answer<Option<OrderRecord>> {
        self.readers.ask(|c| read::market::order_by_key(c, buyer, key))
    }

    async fn orders_after(&self, after: OrderId, limit: u32) -> Answer<Vec<OrderRecord>> {
        self.readers.ask(|c| read::market::orders_after(c, after, limit))
    }

    async fn rules(&self, household: HouseholdId) -> Answer<Option<RulesRecord>> {
        self.readers.ask(|c| read::call::rules(c, household))
    }

    async fn meters(&self) -> Answer<Vec<MeterRecord>> {
        self.readers.ask(read::meters::all)
    }

    async fn held_meters(&self) -> Answer<Vec<MeterId>> {
        self.readers.ask(read::meters::held)
    }

    async fn meter(&self, meter: MeterId) -> Answer<Option<MeterRecord>> {
        self.readers.ask(|c| read::meters::one(c, meter))
    }

    async fn meter_events(&self, meter: Option<MeterId>, limit: u32) -> Answer<Vec<MeterEventRow>> {
        self.readers.ask(|c| read::meters::events(c, meter, limit))
    }

    async fn spans(&self) -> Answer<Vec<Span>> {
        self.readers.ask(read::meters::spans)
    }

    async fn quarantine_counts(&self) -> Answer<Vec<(MeterId, String, u64)>> {
        self.readers.ask(read::meters::quarantine_counts)
    }

    async fn tariffs(&self) -> Answer<Vec<TariffRecord>> {
        self.readers.ask(read::tariff::all)
    }

    async fn attested_meters(&self) -> Answer<Vec<jirani_store::AttestedMeterRecord>> {
        self.readers.ask(read::trust::attested_meters)
    }

    async fn all_rules(&self) -> Answer<Vec<RulesRecord>> {
        self.readers.ask(read::call::all_rules)
    }

    async fn call(&self, feeder: u16, slot_start: Timestamp) -> Answer<Option<CallRecord>> {
        self.readers.ask(|c| read::call::call(c, feeder, slot_start))
    }

    async fn calls(&self, feeder: u16, limit: u32) -> Answer<Vec<CallRecord>> {
        self.readers.ask(|c| read::call::calls(c, feeder, limit))
    }

    async fn live_calls(&self) -> Answer<Vec<CallRecord>> {
        self.readers.ask(read::call::live)
    }

    async fn spent_by_rule(&self, since: Timestamp) -> Answer<Vec<(HouseholdId, Cents)>> {
        self.readers.ask(|c| read::call::spent_by_rule(c, since))
    }

    async fn bought_between(&self, from: Timestamp, to: Timestamp) -> Answer<Vec<(HouseholdId, Wh)>> {
        self.readers.ask(|c| read::call::bought_between(c, from, to))
    }

    async fn collection(&self, order: OrderId) -> Answer<Option<CollectionRecord>> {
        self.readers.ask(|c| read::money::collection(c, order))
    }

    async fn collection_by_secret(&self, secret: &str) -> Answer<Option<CollectionRecord>> {
        self.readers.ask(|c| read::money::collection_by_secret(c, secret))
    }

    async fn collection_by_reference(&self, reference: &Reference) -> Answer<Option<CollectionRecord>> {
        self.readers.ask(|c| read::money::collection_by_reference(c, reference))
    }

    async fn live_collections(&self) -> Answer<Vec<CollectionRecord>> {
        self.readers.ask(read::money::live_collections)
    }

    async fn receipt(&self, receipt: &Receipt) -> Answer<Option<ReceiptRecord>> {
        self.readers.ask(|c| read::money::receipt(c, receipt))
    }

    async fn waiting_receipts(&self) -> Answer<Vec<ReceiptRecord>> {
        self.readers.ask(read::money::waiting_receipts)
    }

    async fn receipts_after(&self, after: u64, limit: u32) -> Answer<Vec<(u64, ReceiptRecord)>> {
        self.readers.ask(|c| read::money::receipts_after(c, after, limit))
    }

    async fn payout(&self, id: PayoutId) -> Answer<Option<PayoutRecord>> {
        self.readers.ask(|c| read::money::payout(c, id))
    }

    async fn payout_by_secret(&self, secret: &str) -> Answer<Option<PayoutRecord>> {
        self.readers.ask(|c| read::money::payout_by_secret(c, secret))
    }

    async fn live_payouts(&self) -> Answer<Vec<PayoutRecord>> {
        self.readers.ask(read::money::live_payouts)
    }

    async fn payouts_of(&self, household: HouseholdId, limit: u32) -> Answer<Vec<PayoutRecord>> {
        self.readers.ask(|c| read::money::payouts_of(c, household, limit))
    }

    async fn payout_by_key(&self, household: HouseholdId, key: &str) -> Answer<Option<PayoutRecord>> {
        self.readers.ask(|c| read::money::payout_by_key(c, household, key))
    }

    async fn payouts_after(&self, after: PayoutId, limit: u32) -> Answer<Vec<PayoutRecord>> {
        self.readers.ask(|c| read::money::payouts_after(c, after, limit))
    }

    async fn paid_out_since(&self, since: Timestamp) -> Answer<Cents> {
        self.readers.ask(|c| read::money::paid_out_since(c, since))
    }

    async fn reversal(&self, receipt: &Receipt) -> Answer<Option<ReversalRecord>> {
        self.readers.ask(|c| read::affairs::reversal(c, receipt))
    }

    async fn waiting_reversals(&self) -> Answer<Vec<ReversalRecord>> {
        self.readers.ask(read::affairs::waiting_reversals)
    }

    async fn review(&self, key: &str) -> Answer<Option<ReviewRecord>> {
        self.readers.ask(|c| read::affairs::review(c, key))
    }

    async fn open_reviews(&self, limit: u32) -> Answer<Vec<ReviewRecord>> {
        self.readers.ask(|c| read::affairs::open_reviews(c, limit))
    }

    async fn proposals(&self, only_waiting: bool, limit: u32) -> Answer<Vec<ProposalRecord>> {
        self.readers.ask(|c| read::reconciliation::proposals(c, only_waiting, limit))
    }

    async fn proposal(&self, number: u64) -> Answer<Option<ProposalRecord>> {
        self.readers.ask(|c| read::reconciliation::proposal(c, number))
    }

    async fn reconciliations(&self, limit: u32) -> Answer<Vec<ReconciliationRecord>> {
        self.readers.ask(|c| read::reconciliation::reconciliations(c, limit))
    }

    async fn reconciliation(&self, number: u64) -> Answer<Option<ReconciliationRecord>> {
        self.readers.ask(|c| read::reconciliation::reconciliation(c, number))
    }

    async fn findings(&self, before: Option<u64>, only_open: bool, limit: u32) -> Answer<Vec<FindingRecord>> {
        self.readers.ask(|c| read::finding::findings(c, before, only_open, limit))
    }

    async fn finding(&self, number: u64) -> Answer<Option<FindingRecord>> {
        self.readers.ask(|c| read::finding::finding(c, number))
    }

    async fn live_findings(&self, since: Timestamp) -> Answer<Vec<FindingRecord>> {
        self.readers.ask(|c| read::finding::live(c, since.0))
    }

    async fn relay(&self, household: HouseholdId) -> Answer<Option<RelayRecord>> {
        self.readers.ask(|c| read::affairs::relay(c, household))
    }

    async fn pending_relays(&self) -> Answer<Vec<RelayRecord>> {
        self.readers.ask(read::affairs::pending_relays)
    }

    async fn notices_of(&self, household: Option<HouseholdId>, limit: u32) -> Answer<Vec<NoticeRecord>> {
        self.readers.ask(|c| read::affairs::notices_of(c, household, limit))
    }

    async fn balance(&self, account: Account) -> Answer<AccountBalance> {
        self.readers.ask(|c| read::ledger::balance_of(c, account))
    }

    async fn balances(&self) -> Answer<Balances> {
        self.readers.walk(read::ledger::balances).await
    }

    async fn journal_after(&self, after: u64, limit: u32) -> Answer<Vec<JournalRow>> {
        self.readers.ask(|c| read::ledger::journal_after(c, after, limit))
    }

    async fn journal_of(&self, account: Account, limit: u32) -> Answer<Vec<JournalRow>> {
        self.readers.ask(|c| read::ledger::journal_of(c, account, limit))
    }

    async fn journal_of_after(&self, account: Account, after: u64, limit: u32) -> Answer<Vec<JournalRow>> {
        self.readers.ask(|c| read::ledger::journal_of_after(c, account, after, limit))
    }

    async fn receive(&self, callback: NewCallback) -> Answer<u64> {
        self.writer()?.callback(callback).await
    }

    async fn pending_callbacks(&self, limit: u32) -> Answer<Vec<InboxRow>> {
        self.readers.ask(|c| read::people::pending_callbacks(c, limit))
    }

    async fn put_outbox(&self, record: OutboxRecord) -> Answer<()> {
        self.writer()?.outbox(record).await
    }

    async fn put_outcome(&self, record: OutboxRecord) -> Answer<()> {
        self.writer()?.outcome(record).await
    }

    async fn outbox(&self, key: &str) -> Answer<Option<OutboxRecord>> {
        self.outcomes_written().await?;
        self.readers.ask(|c| read::chain::outbox(c, key))
    }

    async fn outbox_unfinished(&self, after: &str, limit: u32) -> Answer<Vec<OutboxRecord>> {
        self.outcomes_written().await?;
        self.readers.ask(|c| read::chain::unfinished(c, after, limit))
    }

    async fn outbox_totals(&self) -> Answer<(u64, u64, u64)> {
        self.outcomes_written().await?;
        self.readers.walk(read::chain::totals).await
    }

    async fn households_of_number(&self, msisdn: Msisdn) -> Answer<Vec<HouseholdRecord>> {
        self.readers.ask(|c| read::people::households_of_number(c, msisdn))
    }

    async fn handset(&self, household: HouseholdId) -> Answer<Option<HandsetRecord>> {
        self.readers.ask(|c| read::handset::handset(c, household))
    }

    async fn message(&self, key: &str) -> Answer<Option<MessageRecord>> {
        self.readers.ask(|c| read::handset::message(c, key))
    }

    async fn message_by_gateway_id(&self, id: &str) -> Answer<Option<MessageRecord>> {
        self.readers.ask(|c| read::handset::message_by_gateway_id(c, id))
    }

    async fn messages_since(&self, household: HouseholdId, since: Timestamp) -> Answer<u64> {
        self.readers.ask(|c| read::handset::messages_since(c, household, since))
    }

    async fn unsent_notices(
        &self,
        since: Timestamp,
        after: u64,
        limit: u32,
    ) -> Answer<Vec<(u64, NoticeRecord)>> {
        self.readers.ask(|c| read::handset::unsent_notices(c, since, after, limit))
    }

    async fn session(&self, token_hash: [u8; 32]) -> Answer<Option<SessionRecord>> {
        self.readers.ask(|c| read::people::session(c, token_hash))
    }

    async fn sessions_of(&self, household: HouseholdId, at: Timestamp) -> Answer<Vec<SessionRecord>> {
        self.readers.ask(|c| read::people::sessions_of(c, household, at))
    }

    async fn operator(&self, name: &str) -> Answer<Option<OperatorRecord>> {
        self.readers.ask(|c| read::accounts::operator(c, name))
    }

    async fn operators(&self) -> Answer<Vec<OperatorRecord>> {
        self.readers.ask(read::accounts::operators)
    }

    async fn acts(&self, before: Option<u64>, limit: u32) -> Answer<Vec<ActRecord>> {
        self.readers.ask(|c| read::accounts::acts(c, before, limit))
    }

    async fn acts_after(&self, after: u64, limit: u32) -> Answer<Vec<ActRecord>> {
        self.readers.ask(|c| read::accounts::acts_after(c, after, limit))
    }

    async fn setting(&self, key: &str) -> Answer<Option<String>> {
        self.readers.ask(|c| read::people::setting(c, key))
    }
}
