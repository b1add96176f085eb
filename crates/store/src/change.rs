//! Changes, applied together or not at all.

use crate::record::AttestedMeterRecord;
use crate::record::{
    ActRecord, CallRecord, CollectionRecord, CurtailmentRecord, DayBillRecord, FindingRecord, HandsetRecord,
    HouseholdRecord, MessageRecord, MeterEventRow, MeterRecord, NoticeRecord, OfferRecord, OperatorRecord,
    OrderRecord, PayoutRecord, ProposalRecord, ReceiptRecord, ReconciliationRecord, RelayRecord,
    ReversalRecord, ReviewRecord, RulesRecord, SessionRecord, ShortfallRecord, SlotBillsRecord, StepRecord,
    TariffRecord,
};
use jirani_ledger::{Posting, Transfer};
use jirani_readings::Span;
use jirani_units::MeterId;

/// One change of a commit. A record carries the version it was read at (0 = new);
/// the store keeps it with the next version.
#[derive(Clone, Debug)]
pub enum Change {
    /// A transfer in the KES ledger.
    Post(Transfer),
    /// A household or operator's record.
    Household(HouseholdRecord),
    /// An offer.
    Offer(OfferRecord),
    /// An order.
    Order(OrderRecord),
    /// What a household has the market do for it.
    Rules(RulesRecord),
    /// A slot's call: unique by feeder and slot.
    Call(CallRecord),
    /// A collection.
    Collection(CollectionRecord),
    /// A receipt: unique by its number.
    Receipt(ReceiptRecord),
    /// A payout.
    Payout(PayoutRecord),
    /// A payment that M-Pesa took back: unique by its receipt.
    Reversal(ReversalRecord),
    /// Something for a person to decide: unique by its key.
    Review(ReviewRecord),
    /// What an operator proposes about a review: one waits per review.
    Proposal(ProposalRecord),
    /// A finished reconciliation: unique by its number.
    Reconciliation(ReconciliationRecord),
    /// The last command to a household's relay.
    Relay(RelayRecord),
    /// A message to a person. One with the same key was kept before: nothing changes.
    Notice(NoticeRecord),
    /// A household's phone: its PIN and what it wants to hear.
    Handset(HandsetRecord),
    /// Where a notice's text message stands.
    Message(MessageRecord),
    /// A signed-in person's session.
    Session(SessionRecord),
    /// The account of somebody at the desk.
    Operator(Box<OperatorRecord>),
    /// What somebody with special rights did: numbered without a gap, never changed.
    Act(ActRecord),
    /// The bills of a feeder's slot: unique by feeder and slot.
    SlotBills(Box<SlotBillsRecord>),
    /// A household's bills of a day: unique by household and day.
    DayBill(DayBillRecord),
    /// Energy that was not produced: unique by its number, and by household and key.
    Curtailment(CurtailmentRecord),
    /// A household's standing on the way to its limit.
    Shortfall(ShortfallRecord),
    /// A step of that walk: unique by household and number.
    Step(StepRecord),
    /// An announced tariff. The same under the same key changes nothing; another one under
    /// that key, or under a number that is taken, is a conflict.
    Tariff(TariffRecord),
    /// What a plausibility rule found: one is open per subject and rule.
    Finding(Box<FindingRecord>),
    /// A meter's enrolment.
    Meter(Box<MeterRecord>),
    /// What happened to a meter.
    MeterEvent(MeterEventRow),
    /// A span of a household's virtual registers: unique by household and number.
    Span(Box<Span>),
    /// Nothing new: what else this commit says was made up from this (epoch, number) being
    /// the last that the meter has said. Another one by now is a conflict.
    LastReading {
        /// The meter.
        meter: MeterId,
        /// Its last reading; `None` before the first.
        last: Option<(u32, u64)>,
    },
    /// A meter that the site signs for. The same again changes nothing; another device under
    /// its name is a conflict.
    AttestedMeter(AttestedMeterRecord),
    /// A callback has been dealt with.
    InboxDone {
        /// Its number.
        id: u64,
        /// What became of it, in words for the operator.
        outcome: String,
    },
    /// A named value (deployment facts such as the mint's address).
    Setting {
        /// Name.
        key: String,
        /// Value.
        value: String,
    },
}

/// What a commit did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Committed {
    /// One entry per [`Change::Post`], in order.
    pub postings: Vec<Posting>,
}
