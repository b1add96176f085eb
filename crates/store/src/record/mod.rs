//! The records that services keep. Field names carry their units.

mod call;
mod collection;
mod household;
mod inbox;
mod notice;
mod offer;
mod order;
mod outbox;
mod payout;
mod reading;
mod reconciliation;
mod relay;
mod reversal;
mod review;
mod rules;
mod session;
mod slot;

pub use call::{CallRecord, CallState};
pub use collection::{CollectionRecord, CollectionState, ReceiptRecord, ReceiptUse};
pub use household::{HouseholdKind, HouseholdRecord, Language};
pub use inbox::{CallbackKind, InboxRow, NewCallback};
pub use notice::NoticeRecord;
pub use offer::{OfferRecord, OfferState};
pub use order::{OrderRecord, OrderState, PayWith, Proof, ReleaseReason};
pub use outbox::{OutboxRecord, OutboxState};
pub use payout::{PayoutRecord, PayoutState};
pub use reading::{Appended, QuarantineRow, ReadingRow};
pub use reconciliation::{ProposalRecord, ProposalState, ReconciliationRecord};
pub use relay::RelayRecord;
pub use reversal::{ReversalRecord, ReversalState};
pub use review::ReviewRecord;
pub use rules::RulesRecord;
pub use session::{SessionRecord, SessionRole};
pub use slot::{AttestedRow, SlotRecord};
