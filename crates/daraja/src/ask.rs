//! What an API user of ours asks of M-Pesa by proving its password: status,
//! balance, reversal, moves of float. M-Pesa answers twice: at once with "taken
//! on", later with a post to the result address.

use jirani_units::Receipt;

/// Where M-Pesa posts what came of a request. Unique per request: the secret
/// segment of the path is what ties the answer to it, since M-Pesa gives these
/// requests ids of its own and the first answer may be lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnswerUrls {
    /// Where the result goes.
    pub result_url: String,
    /// Where a queue timeout goes: it says nothing about the outcome.
    pub timeout_url: String,
}

/// Which of our shortcodes a request is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OwnShortcode {
    /// The one that collects.
    Collection,
    /// The one that pays out.
    Payout,
}

/// How a transaction is named in a status request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TransactionName {
    /// By M-Pesa's receipt.
    Receipt(Receipt),
    /// By the OriginatorConversationID of the request that made it: for payouts
    /// the id we made.
    Originator(String),
}

/// What became of a transaction?
#[derive(Clone, Debug)]
pub struct StatusRequest {
    /// Of this one.
    pub transaction: TransactionName,
    /// A party to it.
    pub of: OwnShortcode,
    /// Where the answer goes.
    pub answer: AnswerUrls,
}

/// What do the accounts of a shortcode hold?
#[derive(Clone, Debug)]
pub struct BalanceRequest {
    /// Of this one.
    pub of: OwnShortcode,
    /// Where the answer goes.
    pub answer: AnswerUrls,
}

/// Money to be given back to who paid it.
#[derive(Clone, Debug)]
pub struct ReversalRequest {
    /// What came in, to the collecting shortcode.
    pub receipt: Receipt,
    /// All of it, in whole shillings.
    pub shillings: i64,
    /// Where the outcome goes.
    pub answer: AnswerUrls,
}

/// From where to where the operator's money moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FloatRoute {
    /// From the collecting PayBill to the payout shortcode (`BusinessPayToBulk`).
    CollectionToPayout,
    /// Within the payout shortcode, from its working account to the utility
    /// account that payouts are paid from (`BusinessTransferFromMMFToUtility`).
    /// M-Pesa must have allowed it for the shortcode.
    WorkingToUtility,
}

/// Float to be moved.
#[derive(Clone, Debug)]
pub struct FloatMove {
    /// Whole shillings.
    pub shillings: i64,
    /// From where to where.
    pub route: FloatRoute,
    /// Our word for it on M-Pesa's statement: at most 20 letters, digits and `-`.
    pub reference: String,
    /// Where the outcome goes.
    pub answer: AnswerUrls,
}

/// M-Pesa has taken the request on. What came of it will be posted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskAccepted {
    /// M-Pesa's id, echoed in the posted answer.
    pub conversation_id: String,
    /// M-Pesa's other id, likewise, if it gave one.
    pub originator_id: Option<String>,
}
