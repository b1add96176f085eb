//! Buying back: nobody buys, so the operator does.
//!
//! On request, and of itself after [`OperatorPolicy::buys_back_after_days`], the operator
//! buys tokens of a household at buy-back, without fee and tax, with money of its own. It
//! is an ordinary offer and an ordinary order of one of the operator's records, stored in
//! one commit:
//!
//! | state | event | next | effect |
//! |---|---|---|---|
//! | - | asked for, or a day has begun and old exports are held | Posting, Planned | one commit: the offer wholly reserved, the order that holds it, its due out of the operator's sales into clearing |
//! | Posting, Planned | the chain takes the offer | Open, Planned | the order is placed and settled from that due |
//! | Posting, Planned | the chain refuses the offer | Refused, Refused | the due returns |
//! | Open, Planned | the chain refuses the order | Closing, Refused | the due returns, the tokens go back to the vault |
//!
//! Both are known by one key (`@back/<household>/...`): asked twice is bought once. What
//! is on offer is not bought back; it is when the offer ends.
//!
//! [`OperatorPolicy::buys_back_after_days`]: crate::OperatorPolicy::buys_back_after_days

mod decide;
mod effect;
