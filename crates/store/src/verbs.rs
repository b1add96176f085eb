//! The store itself: one write verb for everything that must change together,
//! three that only ever add, and the questions services ask.

use crate::change::{Change, Committed};
use crate::error::StoreError;
use crate::ledger::{AccountBalance, Balances, JournalRow};
use crate::record::{
    ActRecord, Appended, CallRecord, CollectionRecord, CurtailmentRecord, DayBillRecord, FindingRecord,
    HandsetRecord, HouseholdRecord, InboxRow, JudgedBy, MessageRecord, MeterEventRow, MeterRecord,
    NewCallback, NoticeRecord, OfferRecord, OperatorRecord, OrderRecord, OutboxRecord, PayoutRecord,
    ProposalRecord, QuarantineRow, ReadingRow, ReceiptRecord, ReconciliationRecord, RelayRecord,
    ReversalRecord, ReviewRecord, RulesRecord, SessionRecord, ShortfallRecord, SlotBillsRecord, SlotRecord,
    StepRecord, TariffRecord,
};
use async_trait::async_trait;
use jirani_ledger::Account;
use jirani_readings::Span;
use jirani_units::{
    Cents, HouseholdId, MeterId, Msisdn, OfferId, OrderId, PayoutId, Receipt, Reference, Timestamp, Wh,
};

/// What an answer may hold at most, whatever was asked for.
pub const PAGE_MAX: u32 = 1_000;

/// What [`Store::writable`] takes, in bytes: two pages of either database.
const ROOM: usize = 16_384;

/// Everything that must survive.
#[async_trait]
pub trait Store: Send + Sync {
    /// Applies all changes or none; durable on return.
    async fn commit(&self, changes: Vec<Change>) -> Result<Committed, StoreError>;
    /// Whether a write would be kept now: takes some room in the database, durably, and
    /// gives it back. `store.unavailable` when it is full, locked, read-only or lost.
    async fn writable(&self) -> Result<(), StoreError> {
        // More than a page, so that a full file cannot do it where an old value stood.
        for room in [ROOM, 0] {
            let value = " ".repeat(room);
            self.commit(vec![Change::Setting { key: "ready".to_owned(), value }]).await?;
        }
        Ok(())
    }
    /// Hands out the next number of a sequence (`offer`, `order`, `payout`). A
    /// number that is never used is a gap, not an error.
    async fn next_number(&self, sequence: &'static str) -> Result<u64, StoreError>;

    // Readings and slots.

    /// Keeps readings and quarantined ones in one durable commit; one answer per
    /// reading, in order.
    async fn append_readings(
        &self,
        readings: Vec<ReadingRow>,
        quarantined: Vec<QuarantineRow>,
    ) -> Result<Vec<Appended>, StoreError>;
    /// The same, if everything that these readings were judged by is still so; else nothing
    /// is changed, and `None`: another gateway has stored readings of these meters, or
    /// somebody has replaced or retired one, and the rules must be asked again.
    async fn append_judged(
        &self,
        readings: Vec<ReadingRow>,
        quarantined: Vec<QuarantineRow>,
        judged_by: Vec<JudgedBy>,
    ) -> Result<Option<Vec<Appended>>, StoreError>;
    /// The last readings of these meters, by (epoch, seq); a meter that has none is missing.
    async fn latest_of(&self, meters: Vec<MeterId>) -> Result<Vec<ReadingRow>, StoreError>;
    /// Readings in the order in which they became durable, with their places in it (1, 2,
    /// 3, ...): those after `position`; at most [`PAGE_MAX`].
    async fn stored_after(&self, position: u64, limit: u32) -> Result<Vec<(u64, ReadingRow)>, StoreError>;
    /// The last reading of every meter, by (epoch, seq).
    async fn latest_readings(&self) -> Result<Vec<ReadingRow>, StoreError>;
    /// Readings of a household with `from <= time < to`, oldest first.
    async fn readings(
        &self,
        household: HouseholdId,
        from: Timestamp,
        to: Timestamp,
        limit: u32,
    ) -> Result<Vec<ReadingRow>, StoreError>;
    /// The stored reading of an identity.
    async fn reading(&self, meter: MeterId, epoch: u32, seq: u64) -> Result<Option<ReadingRow>, StoreError>;
    /// The last reading at or before `at`, and the first after it, in one epoch.
    async fn readings_around(
        &self,
        meter: MeterId,
        epoch: u32,
        at: Timestamp,
    ) -> Result<(Option<ReadingRow>, Option<ReadingRow>), StoreError>;
    /// How many readings are stored, and how many are in quarantine.
    async fn count_readings(&self) -> Result<(u64, u64), StoreError>;
    /// The newest quarantined readings, newest first.
    async fn quarantine(&self, limit: u32) -> Result<Vec<(u64, QuarantineRow)>, StoreError>;
    /// Keeps a slot before it is sent, and again when it has landed.
    async fn put_slot(&self, slot: SlotRecord) -> Result<(), StoreError>;
    /// Slots of a feeder that have not landed and end after `after`, oldest first; at most
    /// [`PAGE_MAX`].
    async fn unattested_slots(
        &self,
        feeder: u16,
        after: Timestamp,
        limit: u32,
    ) -> Result<Vec<SlotRecord>, StoreError>;
    /// The last slot of a feeder that ends at `until` or before, whether it has landed or not.
    async fn last_slot(&self, feeder: u16, until: Timestamp) -> Result<Option<SlotRecord>, StoreError>;
    /// The last slot of a feeder that has landed.
    async fn last_attested_slot(&self, feeder: u16) -> Result<Option<SlotRecord>, StoreError>;
    /// The last slot of a feeder that has landed and ended before `end`.
    async fn attested_slot_before(
        &self,
        feeder: u16,
        end: Timestamp,
    ) -> Result<Option<SlotRecord>, StoreError>;
    /// A household's attested rows with `from < end <= to` and each slot's end and
    /// first signature, oldest first; only slots that have landed, at most 100,000.
    async fn attested_rows(
        &self,
        household: HouseholdId,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<(Timestamp, crate::record::AttestedRow, Option<String>)>, StoreError>;

    /// Slots of a feeder that have landed and end after `after`, oldest first; at most
    /// [`PAGE_MAX`].
    async fn attested_slots_after(
        &self,
        feeder: u16,
        after: Timestamp,
        limit: u32,
    ) -> Result<Vec<SlotRecord>, StoreError>;
    /// What the program reported of a slot's attestations: its events' bytes. Those whose
    /// report was lost in a crash are missing.
    async fn attestation_reports(&self, feeder: u16, end: Timestamp) -> Result<Vec<Vec<u8>>, StoreError>;

    // Bills.

    /// The bills of a feeder's last slot that was billed; with `whole`, of its last slot
    /// whose report is whole.
    async fn last_slot_bills(&self, feeder: u16, whole: bool) -> Result<Option<SlotBillsRecord>, StoreError>;
    /// Bills of a feeder's slots with `from <= start < to`, oldest first; at most [`PAGE_MAX`].
    async fn slot_bills(
        &self,
        feeder: u16,
        from: Timestamp,
        to: Timestamp,
        limit: u32,
    ) -> Result<Vec<SlotBillsRecord>, StoreError>;
    /// A household's days with `from <= day <= to`, oldest first; at most [`PAGE_MAX`].
    async fn day_bills(
        &self,
        household: HouseholdId,
        from: i64,
        to: i64,
    ) -> Result<Vec<DayBillRecord>, StoreError>;
    /// What was not produced on a feeder in slots with `from < end <= to`, by number; at
    /// most [`PAGE_MAX`].
    async fn curtailments(
        &self,
        feeder: u16,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<CurtailmentRecord>, StoreError>;
    /// The curtailment that was recorded of a household under this idempotency key.
    async fn curtailment_by_key(
        &self,
        household: HouseholdId,
        key: &str,
    ) -> Result<Option<CurtailmentRecord>, StoreError>;
    /// All standings, by household.
    async fn shortfalls(&self) -> Result<Vec<ShortfallRecord>, StoreError>;
    /// One household's standing.
    async fn shortfall(&self, household: HouseholdId) -> Result<Option<ShortfallRecord>, StoreError>;
    /// A household's steps, newest first.
    async fn steps_of(&self, household: HouseholdId, limit: u32) -> Result<Vec<StepRecord>, StoreError>;

    // Households.

    /// All records, by id.
    async fn households(&self) -> Result<Vec<HouseholdRecord>, StoreError>;
    /// One record.
    async fn household(&self, id: HouseholdId) -> Result<Option<HouseholdRecord>, StoreError>;

    // Meters.

    /// All enrolments, by meter.
    async fn meters(&self) -> Result<Vec<MeterRecord>, StoreError>;
    /// One enrolment.
    async fn meter(&self, meter: MeterId) -> Result<Option<MeterRecord>, StoreError>;
    /// Meters of which nothing is attested until a person decides, in order.
    async fn held_meters(&self) -> Result<Vec<MeterId>, StoreError>;
    /// What happened to a meter, or to all, newest first.
    async fn meter_events(
        &self,
        meter: Option<MeterId>,
        limit: u32,
    ) -> Result<Vec<MeterEventRow>, StoreError>;
    /// All spans, by household and number. A household without any has the meter of its
    /// record, whose registers are the virtual ones.
    async fn spans(&self) -> Result<Vec<Span>, StoreError>;
    /// How much of each meter is in quarantine, by meter and reason code.
    async fn quarantine_counts(&self) -> Result<Vec<(MeterId, String, u64)>, StoreError>;

    // Market.

    /// One offer.
    async fn offer(&self, id: OfferId) -> Result<Option<OfferRecord>, StoreError>;
    /// Offers that are open now with at least [`jirani_market::rule::LOT_MIN`] to be taken, cheapest first, older
    /// first among equals: what is left in dust takes no place of theirs. Of one feeder's
    /// sellers, or of all.
    async fn open_offers(&self, feeder: Option<u16>, limit: u32) -> Result<Vec<OfferRecord>, StoreError>;
    /// Offers that are not closed or refused, by id.
    async fn live_offers(&self) -> Result<Vec<OfferRecord>, StoreError>;
    /// A seller's offers, newest first.
    async fn offers_of(&self, seller: HouseholdId, limit: u32) -> Result<Vec<OfferRecord>, StoreError>;
    /// The offer a seller made under this idempotency key.
    async fn offer_by_key(&self, seller: HouseholdId, key: &str) -> Result<Option<OfferRecord>, StoreError>;
    /// One order.
    async fn order(&self, id: OrderId) -> Result<Option<OrderRecord>, StoreError>;
    /// Orders that are not final, by id.
    async fn live_orders(&self) -> Result<Vec<OrderRecord>, StoreError>;
    /// A buyer's orders, newest first.
    async fn orders_of(&self, buyer: HouseholdId, limit: u32) -> Result<Vec<OrderRecord>, StoreError>;
    /// A buyer's orders after `after`, by id: for statements.
    async fn orders_of_after(
        &self,
        buyer: HouseholdId,
        after: OrderId,
        limit: u32,
    ) -> Result<Vec<OrderRecord>, StoreError>;
    /// A seller's sales: settled orders with a fill of theirs, newest first.
    async fn sales_of(&self, seller: HouseholdId, limit: u32) -> Result<Vec<OrderRecord>, StoreError>;
    /// The order a buyer made under this idempotency key.
    async fn order_by_key(&self, buyer: HouseholdId, key: &str) -> Result<Option<OrderRecord>, StoreError>;
    /// Orders after `after`, by id: for the audit and the operator's desk.
    async fn orders_after(&self, after: OrderId, limit: u32) -> Result<Vec<OrderRecord>, StoreError>;
    /// Orders that were settled by `through`, by the moment and id: those after this moment
    /// and id; at most [`PAGE_MAX`].
    async fn orders_settled(
        &self,
        after: (Timestamp, OrderId),
        through: Timestamp,
        limit: u32,
    ) -> Result<Vec<OrderRecord>, StoreError>;

    /// Meters that the site signs for, by their names.
    async fn attested_meters(&self) -> Result<Vec<crate::record::AttestedMeterRecord>, StoreError>;
    /// Who vouches for the readings of a household's meter.
    async fn trust_of(
        &self,
        meter: Option<jirani_units::MeterId>,
    ) -> Result<jirani_units::Trust, StoreError> {
        let attested = self.attested_meters().await?;
        Ok(if meter.is_some_and(|meter| attested.iter().any(|record| record.meter == meter)) {
            jirani_units::Trust::GatewayAttested
        } else {
            jirani_units::Trust::DeviceSigned
        })
    }
    /// All tariffs that were announced, by number.
    async fn tariffs(&self) -> Result<Vec<TariffRecord>, StoreError>;
    /// A household's rules, if it ever set any.
    async fn rules(&self, household: HouseholdId) -> Result<Option<RulesRecord>, StoreError>;
    /// All rules, by household.
    async fn all_rules(&self) -> Result<Vec<RulesRecord>, StoreError>;
    /// The call of a feeder's slot.
    async fn call(&self, feeder: u16, slot_start: Timestamp) -> Result<Option<CallRecord>, StoreError>;
    /// Calls of a feeder, newest first.
    async fn calls(&self, feeder: u16, limit: u32) -> Result<Vec<CallRecord>, StoreError>;
    /// Calls that are not done, oldest first; at most [`PAGE_MAX`].
    async fn live_calls(&self) -> Result<Vec<CallRecord>, StoreError>;
    /// What each buyer's orders by rule (their keys begin with `@buy/`) made at or after
    /// `since` cost, without those that were refused or released; by household.
    async fn spent_by_rule(&self, since: Timestamp) -> Result<Vec<(HouseholdId, Cents)>, StoreError>;
    /// What each household has bought in orders settled with `from <= time < to`; by
    /// household.
    async fn bought_between(
        &self,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<(HouseholdId, Wh)>, StoreError>;

    // Money.

    /// A collection by its order.
    async fn collection(&self, order: OrderId) -> Result<Option<CollectionRecord>, StoreError>;
    /// A collection by the secret segment of its callback path.
    async fn collection_by_secret(&self, secret: &str) -> Result<Option<CollectionRecord>, StoreError>;
    /// A collection by our reference.
    async fn collection_by_reference(
        &self,
        reference: &Reference,
    ) -> Result<Option<CollectionRecord>, StoreError>;
    /// Collections whose outcome is not final, by order.
    async fn live_collections(&self) -> Result<Vec<CollectionRecord>, StoreError>;
    /// A receipt.
    async fn receipt(&self, receipt: &Receipt) -> Result<Option<ReceiptRecord>, StoreError>;
    /// Receipts that wait for an order's end.
    async fn waiting_receipts(&self) -> Result<Vec<ReceiptRecord>, StoreError>;
    /// All receipts, in the order they were received: for the audit.
    async fn receipts_after(&self, after: u64, limit: u32) -> Result<Vec<(u64, ReceiptRecord)>, StoreError>;
    /// A payout.
    async fn payout(&self, id: PayoutId) -> Result<Option<PayoutRecord>, StoreError>;
    /// A payout by the secret segment of its callback paths.
    async fn payout_by_secret(&self, secret: &str) -> Result<Option<PayoutRecord>, StoreError>;
    /// Payouts that are not final, by id.
    async fn live_payouts(&self) -> Result<Vec<PayoutRecord>, StoreError>;
    /// A household's payouts, newest first.
    async fn payouts_of(&self, household: HouseholdId, limit: u32) -> Result<Vec<PayoutRecord>, StoreError>;
    /// The payout a household asked for under this idempotency key.
    async fn payout_by_key(
        &self,
        household: HouseholdId,
        key: &str,
    ) -> Result<Option<PayoutRecord>, StoreError>;
    /// Payouts after `after`, by id: for the audit and the operator's desk.
    async fn payouts_after(&self, after: PayoutId, limit: u32) -> Result<Vec<PayoutRecord>, StoreError>;
    /// What has left or may leave balances by payouts asked for at or after `since`,
    /// charges included; those that failed do not count.
    async fn paid_out_since(&self, since: Timestamp) -> Result<Cents, StoreError>;
    /// The reversal of a payment.
    async fn reversal(&self, receipt: &Receipt) -> Result<Option<ReversalRecord>, StoreError>;
    /// Reversals that are not in the ledger yet, oldest first; at most [`PAGE_MAX`].
    async fn waiting_reversals(&self) -> Result<Vec<ReversalRecord>, StoreError>;
    /// Something for a person to decide, by its key.
    async fn review(&self, key: &str) -> Result<Option<ReviewRecord>, StoreError>;
    /// What waits for a person, oldest first.
    async fn open_reviews(&self, limit: u32) -> Result<Vec<ReviewRecord>, StoreError>;
    /// What operators proposed, newest first: all of it, or only what waits.
    async fn proposals(&self, only_waiting: bool, limit: u32) -> Result<Vec<ProposalRecord>, StoreError>;
    /// One proposal.
    async fn proposal(&self, number: u64) -> Result<Option<ProposalRecord>, StoreError>;
    /// Finished reconciliations, newest first.
    async fn reconciliations(&self, limit: u32) -> Result<Vec<ReconciliationRecord>, StoreError>;
    /// One reconciliation.
    async fn reconciliation(&self, number: u64) -> Result<Option<ReconciliationRecord>, StoreError>;
    /// What plausibility rules found, newest first: those with a number below `before`, all
    /// of them or only the open ones.
    async fn findings(
        &self,
        before: Option<u64>,
        only_open: bool,
        limit: u32,
    ) -> Result<Vec<FindingRecord>, StoreError>;
    /// One finding.
    async fn finding(&self, number: u64) -> Result<Option<FindingRecord>, StoreError>;
    /// Findings that are open or refused, and those that were decided at or after `since`, by
    /// number; at most 100,000.
    async fn live_findings(&self, since: Timestamp) -> Result<Vec<FindingRecord>, StoreError>;
    /// The last command to a household's relay.
    async fn relay(&self, household: HouseholdId) -> Result<Option<RelayRecord>, StoreError>;
    /// Commands to relays that are not obeyed, by household.
    async fn pending_relays(&self) -> Result<Vec<RelayRecord>, StoreError>;
    /// Messages to a household (`None`: to the operator), newest first.
    async fn notices_of(
        &self,
        household: Option<HouseholdId>,
        limit: u32,
    ) -> Result<Vec<NoticeRecord>, StoreError>;
    /// Balance of one account; zero when it has no rows.
    async fn balance(&self, account: Account) -> Result<AccountBalance, StoreError>;
    /// Every account that has rows.
    async fn balances(&self) -> Result<Balances, StoreError>;
    /// Journal rows after `after`, by sequence.
    async fn journal_after(&self, after: u64, limit: u32) -> Result<Vec<JournalRow>, StoreError>;
    /// Journal rows of one account, newest first.
    async fn journal_of(&self, account: Account, limit: u32) -> Result<Vec<JournalRow>, StoreError>;
    /// Journal rows of one account after `after`, by sequence: for statements.
    async fn journal_of_after(
        &self,
        account: Account,
        after: u64,
        limit: u32,
    ) -> Result<Vec<JournalRow>, StoreError>;

    // Callbacks.

    /// Keeps a raw callback; durable on return.
    async fn receive(&self, callback: NewCallback) -> Result<u64, StoreError>;
    /// Callbacks not dealt with, oldest first.
    async fn pending_callbacks(&self, limit: u32) -> Result<Vec<InboxRow>, StoreError>;

    // Chain.

    /// Keeps a signed transaction before it is sent, or its outcome after. One whose
    /// signature another piece of work has is a conflict before it is sent: the two
    /// would be one transaction on the chain.
    async fn put_outbox(&self, record: OutboxRecord) -> Result<(), StoreError>;
    /// Keeps what became of a transaction that [`Store::put_outbox`] has kept, without
    /// making anybody wait: durable no later than the next write that is waited for, or
    /// question about a transaction. A crash before that forgets it, and the chain is asked
    /// again.
    async fn put_outcome(&self, record: OutboxRecord) -> Result<(), StoreError> {
        self.put_outbox(record).await
    }
    /// The transaction of a piece of work.
    async fn outbox(&self, key: &str) -> Result<Option<OutboxRecord>, StoreError>;
    /// Transactions whose outcome is not known, by key, those after `after`; at most
    /// [`PAGE_MAX`].
    async fn outbox_unfinished(&self, after: &str, limit: u32) -> Result<Vec<OutboxRecord>, StoreError>;
    /// Transactions landed, their compute units and their fees in lamports.
    async fn outbox_totals(&self) -> Result<(u64, u64, u64), StoreError>;

    // Phones.

    /// The records with this number, by id.
    async fn households_of_number(&self, msisdn: Msisdn) -> Result<Vec<HouseholdRecord>, StoreError>;
    /// A household's phone; `None` before its first use.
    async fn handset(&self, household: HouseholdId) -> Result<Option<HandsetRecord>, StoreError>;
    /// The text message of a notice.
    async fn message(&self, key: &str) -> Result<Option<MessageRecord>, StoreError>;
    /// The text message that the gateway knows by this id.
    async fn message_by_gateway_id(&self, id: &str) -> Result<Option<MessageRecord>, StoreError>;
    /// How many text messages to a household were handed over at or after `since`.
    async fn messages_since(&self, household: HouseholdId, since: Timestamp) -> Result<u64, StoreError>;
    /// Households' notices made at or after `since` whose text message was not handed over,
    /// each with its number, those numbered after `after`, oldest first.
    async fn unsent_notices(
        &self,
        since: Timestamp,
        after: u64,
        limit: u32,
    ) -> Result<Vec<(u64, NoticeRecord)>, StoreError>;

    // The rest.

    /// A session by the hash of its token.
    async fn session(&self, token_hash: [u8; 32]) -> Result<Option<SessionRecord>, StoreError>;
    /// A household's sessions that end after `at`, newest first; at most [`PAGE_MAX`].
    async fn sessions_of(
        &self,
        household: HouseholdId,
        at: Timestamp,
    ) -> Result<Vec<SessionRecord>, StoreError>;
    /// The account of somebody at the desk.
    async fn operator(&self, name: &str) -> Result<Option<OperatorRecord>, StoreError>;
    /// All of them by name, also who is retired; at most [`PAGE_MAX`].
    async fn operators(&self) -> Result<Vec<OperatorRecord>, StoreError>;
    /// What people with special rights did, newest first, those numbered below `before`.
    async fn acts(&self, before: Option<u64>, limit: u32) -> Result<Vec<ActRecord>, StoreError>;
    /// The same, oldest first, those numbered above `after`.
    async fn acts_after(&self, after: u64, limit: u32) -> Result<Vec<ActRecord>, StoreError>;
    /// A named value.
    async fn setting(&self, key: &str) -> Result<Option<String>, StoreError>;
}
