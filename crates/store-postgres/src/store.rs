//! The trait's verbs, each handed to the writer or to a question. Long because a trait is
//! implemented in one place, whatever the number of its verbs; none of them decides anything.

use crate::{PostgresStore, read};
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
impl Store for PostgresStore {
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
        read::readings::latest_of(&self.readers, &meters).await
    }

    async fn stored_after(&self, position: u64, limit: u32) -> Answer<Vec<(u64, ReadingRow)>> {
        read::readings::stored_after(&self.readers, position, limit).await
    }

    async fn latest_readings(&self) -> Answer<Vec<ReadingRow>> {
        read::readings::latest(&self.readers).await
    }

    async fn readings(
        &self,
        household: HouseholdId,
        from: Timestamp,
        to: Timestamp,
        limit: u32,
    ) -> Answer<Vec<ReadingRow>> {
        read::readings::between(&self.readers, household, from, to, limit).await
    }

    async fn reading(&self, meter: MeterId, epoch: u32, seq: u64) -> Answer<Option<ReadingRow>> {
        read::readings::by_identity(&self.readers, meter, epoch, seq).await
    }

    async fn readings_around(
        &self,
        meter: MeterId,
        epoch: u32,
        at: Timestamp,
    ) -> Answer<(Option<ReadingRow>, Option<ReadingRow>)> {
        read::readings::around(&self.readers, meter, epoch, at).await
    }

    async fn count_readings(&self) -> Answer<(u64, u64)> {
        read::readings::count(&self.readers).await
    }

    async fn quarantine(&self, limit: u32) -> Answer<Vec<(u64, QuarantineRow)>> {
        read::readings::quarantine(&self.readers, limit).await
    }

    async fn put_slot(&self, slot: SlotRecord) -> Answer<()> {
        self.writer()?.slot(slot).await
    }

    async fn unattested_slots(&self, feeder: u16, after: Timestamp, limit: u32) -> Answer<Vec<SlotRecord>> {
        read::slots::unattested(&self.readers, feeder, after, limit).await
    }

    async fn last_slot(&self, feeder: u16, until: Timestamp) -> Answer<Option<SlotRecord>> {
        read::slots::last(&self.readers, feeder, until).await
    }

    async fn last_attested_slot(&self, feeder: u16) -> Answer<Option<SlotRecord>> {
        read::slots::last_attested(&self.readers, feeder).await
    }

    async fn attested_slot_before(&self, feeder: u16, end: Timestamp) -> Answer<Option<SlotRecord>> {
        read::slots::attested_before(&self.readers, feeder, end).await
    }

    async fn attested_rows(
        &self,
        household: HouseholdId,
        from: Timestamp,
        to: Timestamp,
    ) -> Answer<Vec<(Timestamp, AttestedRow, Option<String>)>> {
        read::slots::rows_of(&self.readers, household, from, to).await
    }

    async fn attested_slots_after(
        &self,
        feeder: u16,
        after: Timestamp,
        limit: u32,
    ) -> Answer<Vec<SlotRecord>> {
        read::slots::attested_after(&self.readers, feeder, after, limit).await
    }

    async fn attestation_reports(&self, feeder: u16, end: Timestamp) -> Answer<Vec<Vec<u8>>> {
        read::chain::reports(&self.readers, feeder, end).await
    }

    async fn last_slot_bills(&self, feeder: u16, whole: bool) -> Answer<Option<SlotBillsRecord>> {
        read::bills::last(&self.readers, feeder, whole).await
    }

    async fn slot_bills(
        &self,
        feeder: u16,
        from: Timestamp,
        to: Timestamp,
        limit: u32,
    ) -> Answer<Vec<SlotBillsRecord>> {
        read::bills::of_slots(&self.readers, feeder, from, to, limit).await
    }

    async fn day_bills(&self, household: HouseholdId, from: i64, to: i64) -> Answer<Vec<DayBillRecord>> {
        read::bills::of_days(&self.readers, household, from, to).await
    }

    async fn curtailments(
        &self,
        feeder: u16,
        from: Timestamp,
        to: Timestamp,
    ) -> Answer<Vec<CurtailmentRecord>> {
        read::bills::curtailments(&self.readers, feeder, from, to).await
    }

    async fn curtailment_by_key(
        &self,
        household: HouseholdId,
        key: &str,
    ) -> Answer<Option<CurtailmentRecord>> {
        read::bills::curtailment_by_key(&self.readers, household, key).await
    }

    async fn shortfalls(&self) -> Answer<Vec<ShortfallRecord>> {
        read::bills::shortfalls(&self.readers).await
    }

    async fn shortfall(&self, household: HouseholdId) -> Answer<Option<ShortfallRecord>> {
        read::bills::shortfall(&self.readers, household).await
    }

    async fn steps_of(&self, household: HouseholdId, limit: u32) -> Answer<Vec<StepRecord>> {
        read::bills::steps_of(&self.readers, household, limit).await
    }

    async fn orders_settled(
        &self,
        after: (Timestamp, OrderId),
        through: Timestamp,
        limit: u32,
    ) -> Answer<Vec<OrderRecord>> {
        read::market::orders_settled(&self.readers, after, through, limit).await
    }

    async fn households(&self) -> Answer<Vec<HouseholdRecord>> {
        read::people::households(&self.readers).await
    }

    async fn household(&self, id: HouseholdId) -> Answer<Option<HouseholdRecord>> {
        read::people::household(&self.readers, id).await
    }

    async fn offer(&self, id: OfferId) -> Answer<Option<OfferRecord>> {
        read::market::offer(&self.readers, id).await
    }

    async fn open_offers(&self, feeder: Option<u16>, limit: u32) -> Answer<Vec<OfferRecord>> {
        read::market::open_offers(&self.readers, feeder, limit).await
    }

    async fn live_offers(&self) -> Answer<Vec<OfferRecord>> {
        read::market::live_offers(&self.readers).await
    }

    async fn offers_of(&self, seller: HouseholdId, limit: u32) -> Answer<Vec<OfferRecord>> {
        read::market::offers_of(&self.readers, seller, limit).await
    }

    async fn offer_by_key(&self, seller: HouseholdId, key: &str) -> Answer<Option<OfferRecord>> {
        read::market::offer_by_key(&self.readers, seller, key).await
    }

    async fn order(&self, id: OrderId) -> Answer<Option<OrderRecord>> {
        read::market::order(&self.readers, id).await
    }

    async fn live_orders(&self) -> Answer<Vec<OrderRecord>> {
        read::market::live_orders(&self.readers).await
    }

    async fn orders_of(&self, buyer: HouseholdId, limit: u32) -> Answer<Vec<OrderRecord>> {
        read::market::orders_of(&self.readers, buyer, limit).await
    }

    async fn orders_of_after(
        &self,
        buyer: HouseholdId,
        after: OrderId,
        limit: u32,
    ) -> Answer<Vec<OrderRecord>> {
        read::market::orders_of_after(&self.readers, buyer, after, limit).await
    }

    async fn sales_of(&self, seller: HouseholdId, limit: u32) -> Answer<Vec<OrderRecord>> {
        read::market::sales_of(&self.readers, seller, limit).await
    }

    async fn order_by_key(&self, buyer: HouseholdId, key: &str) -> Answer<Option<OrderRecord>> {
        read::market::order_by_key(&self.readers, buyer, key).await
    }

    async fn orders_after(&self, after: OrderId, limit: u32) -> Answer<Vec<OrderRecord>> {
        read::market::orders_after(&self.readers, after, limit).await
    }

    async fn rules(&self, household: HouseholdId) -> Answer<Option<RulesRecord>> {
        read::call::rules(&self.readers, household).await
    }

    async fn meters(&self) -> Answer<Vec<MeterRecord>> {
        read::meters::all(&self.readers).await
    }

    async fn held_meters(&self) -> Answer<Vec<MeterId>> {
        read::meters::held(&self.readers).await
    }

    async fn meter(&self, meter: MeterId) -> Answer<Option<MeterRecord>> {
        read::meters::one(&self.readers, meter).await
    }

    async fn meter_events(&self, meter: Option<MeterId>, limit: u32) -> Answer<Vec<MeterEventRow>> {
        read::meters::events(&self.readers, meter, limit).await
    }

    async fn spans(&self) -> Answer<Vec<Span>> {
        read::meters::spans(&self.readers).await
    }

    async fn quarantine_counts(&self) -> Answer<Vec<(MeterId, String, u64)>> {
        read::meters::quarantine_counts(&self.readers).await
    }

    async fn tariffs(&self) -> Answer<Vec<TariffRecord>> {
        read::tariff::all(&self.readers).await
    }

    async fn attested_meters(&self) -> Answer<Vec<jirani_store::AttestedMeterRecord>> {
        read::trust::attested_meters(&self.readers).await
    }

    async fn all_rules(&self) -> Answer<Vec<RulesRecord>> {
        read::call::all_rules(&self.readers).await
    }

    async fn call(&self, feeder: u16, slot_start: Timestamp) -> Answer<Option<CallRecord>> {
        read::call::call(&self.readers, feeder, slot_start).await
    }

    async fn calls(&self, feeder: u16, limit: u32) -> Answer<Vec<CallRecord>> {
        read::call::calls(&self.readers, feeder, limit).await
    }

    async fn live_calls(&self) -> Answer<Vec<CallRecord>> {
        read::call::live(&self.readers).await
    }

    async fn spent_by_rule(&self, since: Timestamp) -> Answer<Vec<(HouseholdId, Cents)>> {
        read::call::spent_by_rule(&self.readers, since).await
    }

    async fn bought_between(&self, from: Timestamp, to: Timestamp) -> Answer<Vec<(HouseholdId, Wh)>> {
        read::call::bought_between(&self.readers, from, to).await
    }

    async fn collection(&self, order: OrderId) -> Answer<Option<CollectionRecord>> {
        read::money::collection(&self.readers, order).await
    }

    async fn collection_by_secret(&self, secret: &str) -> Answer<Option<CollectionRecord>> {
        read::money::collection_by_secret(&self.readers, secret).await
    }

    async fn collection_by_reference(&self, reference: &Reference) -> Answer<Option<CollectionRecord>> {
        read::money::collection_by_reference(&self.readers, reference).await
    }

    async fn live_collections(&self) -> Answer<Vec<CollectionRecord>> {
        read::money::live_collections(&self.readers).await
    }

    async fn receipt(&self, receipt: &Receipt) -> Answer<Option<ReceiptRecord>> {
        read::money::receipt(&self.readers, receipt).await
    }

    async fn waiting_receipts(&self) -> Answer<Vec<ReceiptRecord>> {
        read::money::waiting_receipts(&self.readers).await
    }

    async fn receipts_after(&self, after: u64, limit: u32) -> Answer<Vec<(u64, ReceiptRecord)>> {
        read::money::receipts_after(&self.readers, after, limit).await
    }

    async fn payout(&self, id: PayoutId) -> Answer<Option<PayoutRecord>> {
        read::money::payout(&self.readers, id).await
    }

    async fn payout_by_secret(&self, secret: &str) -> Answer<Option<PayoutRecord>> {
        read::money::payout_by_secret(&self.readers, secret).await
    }

    async fn live_payouts(&self) -> Answer<Vec<PayoutRecord>> {
        read::money::live_payouts(&self.readers).await
    }

    async fn payouts_of(&self, household: HouseholdId, limit: u32) -> Answer<Vec<PayoutRecord>> {
        read::money::payouts_of(&self.readers, household, limit).await
    }

    async fn payout_by_key(&self, household: HouseholdId, key: &str) -> Answer<Option<PayoutRecord>> {
        read::money::payout_by_key(&self.readers, household, key).await
    }

    async fn payouts_after(&self, after: PayoutId, limit: u32) -> Answer<Vec<PayoutRecord>> {
        read::money::payouts_after(&self.readers, after, limit).await
    }

    async fn paid_out_since(&self, since: Timestamp) -> Answer<Cents> {
        read::money::paid_out_since(&self.readers, since).await
    }

    async fn reversal(&self, receipt: &Receipt) -> Answer<Option<ReversalRecord>> {
        read::affairs::reversal(&self.readers, receipt).await
    }

    async fn waiting_reversals(&self) -> Answer<Vec<ReversalRecord>> {
        read::affairs::waiting_reversals(&self.readers).await
    }

    async fn review(&self, key: &str) -> Answer<Option<ReviewRecord>> {
        read::affairs::review(&self.readers, key).await
    }

    async fn open_reviews(&self, limit: u32) -> Answer<Vec<ReviewRecord>> {
        read::affairs::open_reviews(&self.readers, limit).await
    }

    async fn proposals(&self, only_waiting: bool, limit: u32) -> Answer<Vec<ProposalRecord>> {
        read::reconciliation::proposals(&self.readers, only_waiting, limit).await
    }

    async fn proposal(&self, number: u64) -> Answer<Option<ProposalRecord>> {
        read::reconciliation::proposal(&self.readers, number).await
    }

    async fn reconciliations(&self, limit: u32) -> Answer<Vec<ReconciliationRecord>> {
        read::reconciliation::reconciliations(&self.readers, limit).await
    }

    async fn reconciliation(&self, number: u64) -> Answer<Option<ReconciliationRecord>> {
        read::reconciliation::reconciliation(&self.readers, number).await
    }

    async fn findings(&self, before: Option<u64>, only_open: bool, limit: u32) -> Answer<Vec<FindingRecord>> {
        read::finding::findings(&self.readers, before, only_open, limit).await
    }

    async fn finding(&self, number: u64) -> Answer<Option<FindingRecord>> {
        read::finding::finding(&self.readers, number).await
    }

    async fn live_findings(&self, since: Timestamp) -> Answer<Vec<FindingRecord>> {
        read::finding::live(&self.readers, since.0).await
    }

    async fn relay(&self, household: HouseholdId) -> Answer<Option<RelayRecord>> {
        read::affairs::relay(&self.readers, household).await
    }

    async fn pending_relays(&self) -> Answer<Vec<RelayRecord>> {
        read::affairs::pending_relays(&self.readers).await
    }

    async fn notices_of(&self, household: Option<HouseholdId>, limit: u32) -> Answer<Vec<NoticeRecord>> {
        read::affairs::notices_of(&self.readers, household, limit).await
    }

    async fn balance(&self, account: Account) -> Answer<AccountBalance> {
        read::ledger::balance_of(&self.readers, account).await
    }

    async fn balances(&self) -> Answer<Balances> {
        read::ledger::balances(&self.readers).await
    }

    async fn journal_after(&self, after: u64, limit: u32) -> Answer<Vec<JournalRow>> {
        read::ledger::journal_after(&self.readers, after, limit).await
    }

    async fn journal_of(&self, account: Account, limit: u32) -> Answer<Vec<JournalRow>> {
        read::ledger::journal_of(&self.readers, account, limit).await
    }

    async fn journal_of_after(&self, account: Account, after: u64, limit: u32) -> Answer<Vec<JournalRow>> {
        read::ledger::journal_of_after(&self.readers, account, after, limit).await
    }

    async fn receive(&self, callback: NewCallback) -> Answer<u64> {
        self.writer()?.callback(callback).await
    }

    async fn pending_callbacks(&self, limit: u32) -> Answer<Vec<InboxRow>> {
        read::people::pending_callbacks(&self.readers, limit).await
    }

    async fn put_outbox(&self, record: OutboxRecord) -> Answer<()> {
        self.writer()?.outbox(record).await
    }

    async fn outbox(&self, key: &str) -> Answer<Option<OutboxRecord>> {
        read::chain::outbox(&self.readers, key).await
    }

    async fn outbox_unfinished(&self, after: &str, limit: u32) -> Answer<Vec<OutboxRecord>> {
        read::chain::unfinished(&self.readers, after, limit).await
    }

    async fn outbox_totals(&self) -> Answer<(u64, u64, u64)> {
        read::chain::totals(&self.readers).await
    }

    async fn households_of_number(&self, msisdn: Msisdn) -> Answer<Vec<HouseholdRecord>> {
        read::people::households_of_number(&self.readers, msisdn).await
    }

    async fn handset(&self, household: HouseholdId) -> Answer<Option<HandsetRecord>> {
        read::handset::handset(&self.readers, household).await
    }

    async fn message(&self, key: &str) -> Answer<Option<MessageRecord>> {
        read::handset::message(&self.readers, key).await
    }

    async fn message_by_gateway_id(&self, id: &str) -> Answer<Option<MessageRecord>> {
        read::handset::message_by_gateway_id(&self.readers, id).await
    }

    async fn messages_since(&self, household: HouseholdId, since: Timestamp) -> Answer<u64> {
        read::handset::messages_since(&self.readers, household, since).await
    }

    async fn unsent_notices(
        &self,
        since: Timestamp,
        after: u64,
        limit: u32,
    ) -> Answer<Vec<(u64, NoticeRecord)>> {
        read::handset::unsent_notices(&self.readers, since, after, limit).await
    }

    async fn session(&self, token_hash: [u8; 32]) -> Answer<Option<SessionRecord>> {
        read::people::session(&self.readers, token_hash).await
    }

    async fn sessions_of(&self, household: HouseholdId, at: Timestamp) -> Answer<Vec<SessionRecord>> {
        read::people::sessions_of(&self.readers, household, at).await
    }

    async fn operator(&self, name: &str) -> Answer<Option<OperatorRecord>> {
        read::accounts::operator(&self.readers, name).await
    }

    async fn operators(&self) -> Answer<Vec<OperatorRecord>> {
        read::accounts::operators(&self.readers).await
    }

    async fn acts(&self, before: Option<u64>, limit: u32) -> Answer<Vec<ActRecord>> {
        read::accounts::acts(&self.readers, before, limit).await
    }

    async fn acts_after(&self, after: u64, limit: u32) -> Answer<Vec<ActRecord>> {
        read::accounts::acts_after(&self.readers, after, limit).await
    }

    async fn setting(&self, key: &str) -> Answer<Option<String>> {
        read::people::setting(&self.readers, key).await
    }
}
