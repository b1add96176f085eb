//! Collections: one M-Pesa prompt for one order, and all that is known of it.
//!
//! While an order awaits money, its collection and the order move together, in
//! one commit.
//!
//! | collection | event | collection next | order next | effect |
//! |---|---|---|---|---|
//! | Planned | deadline not over | SendUnknown | - | then the prompt is asked for, once |
//! | SendUnknown | accepted | Pending | - | queries from 20 s on |
//! | SendUnknown | certainly not sent | Refused | Releasing | - |
//! | SendUnknown | answer lost | SendUnknown | - | never sent again; waits |
//! | Pending | query: nothing yet | Pending | - | asks again, later each time |
//! | Pending | query: paid | ReceiptAwaited | ReceiptAwaited | waits for the receipt |
//! | Pending | query: refused | Refused | Releasing | - |
//! | SendUnknown, Pending | callback: refused | Refused | Releasing | - |
//! | SendUnknown, Pending | callback: paid, receipt unreadable | ReceiptAwaited | ReceiptAwaited | - |
//! | any | receipt, in time, due covered, order open | Paid | Paid | money to clearing |
//! | any | receipt, too little, order open | Paid | Releasing | money to the payer's balance |
//! | any | receipt, too late, order open | Paid | Releasing | money to the payer's balance |
//! | any | receipt, order not open | Paid | - | money to the payer's balance |
//! | any | receipt known already | - | - | nothing |
//! | Planned, SendUnknown | deadline and grace over | Expired | Releasing | - |
//! | Pending | deadline and grace over | by a last query | Releasing | - |
//! | ReceiptAwaited | deadline and grace over | ReceiptAwaited | Releasing | the receipt, when it comes, is balance |
//!
//! A prompt whose answer was lost has no id to ask with: its callback (secret
//! path), the C2B confirmation (our reference) or the end of the window decide.
//! M-Pesa's word alone ("paid") moves nothing: only a receipt does.
//!
//! A payment made by hand names our reference (that collection), `H<household>`
//! (that household's balance) or nothing we know (suspense).

pub(crate) mod decide;
mod effect;

pub(crate) use decide::{CollectionEvent, Loose, Money};
