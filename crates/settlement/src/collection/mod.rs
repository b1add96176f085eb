//! Collections: one M-Pesa prompt for one order, and all that is known of it.
//!
//! While an order awaits money, its collection and the order move together, in
//! one commit.
//!
//! | collection | event | collection next | order next | effect |
//! |---|---|---|---|---|
//! | Planned | its time has come, there is time for an answer | SendUnknown | - | then the prompt is asked for, once |
//! | SendUnknown | accepted | Pending | - | queries from 20 s on |
//! | SendUnknown | certainly not sent: busy phone, shut door | Planned | - | asked for again after 60 s, 10 s |
//! | SendUnknown | certainly not sent for its content | Refused | Releasing | - |
//! | SendUnknown | answer lost | SendUnknown | - | never sent again; the list of payments is read |
//! | Pending | query: nothing yet | Pending | - | asks again, later each time |
//! | Pending | query: paid | ReceiptAwaited | ReceiptAwaited | the list of payments is read for its receipt |
//! | SendUnknown, Pending | callback or query: same amount within 2 minutes (17), busy (26, 1001) | Planned | - | asked for again after the code's time; with no time left as refused |
//! | SendUnknown, Pending | callback or query: refused | Refused | Releasing | - |
//! | SendUnknown, Pending | callback: a code on no list | unchanged | - | the deadline decides |
//! | SendUnknown, Pending | callback: paid, receipt unreadable | ReceiptAwaited | ReceiptAwaited | the list of payments is read |
//! | any | receipt, in time, due covered, order open | Paid | Paid | money to clearing |
//! | any | receipt, too little, order open | Paid | Releasing | money to the payer's balance |
//! | any | receipt, too late, order open | Paid | Releasing | money to the payer's balance |
//! | any | receipt, order not open | Paid | - | money to the payer's balance; a review is closed |
//! | any | receipt that M-Pesa took back before | - | - | the money comes and goes |
//! | any | receipt known already | - | - | nothing; another amount is for a person |
//! | Planned | deadline and grace over | Expired | Releasing | - |
//! | SendUnknown | deadline and grace over | Expired | Releasing | a person looks; the list is still read |
//! | Pending | deadline and grace over | by a last query | Releasing | a person looks if it says nothing |
//! | Expired | M-Pesa's whole list does not have it, half an hour later | Expired | - | no person need look; the payer is told |
//! | ReceiptAwaited, order given up | the same, an hour and a half after the prompt: M-Pesa contradicted itself | Expired | - | the same |
//! | ReceiptAwaited | deadline and grace over | ReceiptAwaited | Releasing | a person looks; the receipt, when it comes, is balance |
//!
//! Who paid otherwise than asked is told where the money is, in the same commit.
//! M-Pesa's word alone ("paid") moves nothing: only a receipt does. What no callback
//! tells is found on M-Pesa's list of payments ([`pull`]), by our reference.
//!
//! A payment made by hand names our reference (that collection), `H<household>`
//! (that household's balance) or nothing we know (suspense).

pub(crate) mod decide;
mod effect;
mod money;
pub(crate) mod pull;
#[cfg(test)]
mod tests;

pub(crate) use decide::CollectionEvent;
pub(crate) use money::{Loose, Money};
