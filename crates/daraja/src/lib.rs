//! M-Pesa's Daraja API: what we ask of it, and the client that asks.
//!
//! Promises: a request that moves money is sent once; what is not certainly
//! refused before it was sent is unknown, never failed; only a closed list of
//! codes closes a payment; secrets, PINs and full numbers never reach a log.

pub mod mpesa;

pub use mpesa::{
    B2cAccepted, B2cRequest, Mpesa, QueryOutcome, SendError, StkAccepted, StkRequest,
};
