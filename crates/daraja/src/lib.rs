//! M-Pesa's Daraja API: what we ask of it, and the client that asks.
//!
//! Promises: a request that moves money is sent once; what is not certainly
//! refused before it was sent is unknown, never failed; only a closed list of
//! codes closes a payment; secrets, PINs and full numbers never reach a log.
//! Stands between the settlement service, which knows only the trait
//! [`Mpesa`] and the parsers in [`callback`], and Safaricom (or the emulator).

pub mod ask;
pub mod callback;
pub mod callback_url;
pub mod charges;
pub mod client;
pub mod codes;
pub mod config;
pub mod credential;
mod http;
pub mod mpesa;
pub mod nairobi;
pub mod options;
mod pace;
pub mod pull;
pub mod qr;
pub mod reply;
pub mod secret;
pub mod statement;
mod token;

pub use ask::{
    AnswerUrls, AskAccepted, BalanceRequest, FloatMove, FloatRoute, OwnShortcode, ReversalRequest,
    StatusRequest, TransactionName,
};
pub use callback_url::{CallbackUrlError, check_callback_base};
pub use charges::{ChargeBand, PayoutCharges};
pub use client::DarajaClient;
pub use config::{DarajaConfig, DarajaConfigError};
pub use credential::{CredentialError, SecurityCredential};
pub use mpesa::{
    B2cAccepted, B2cRequest, C2bRegistration, Mpesa, QueryOutcome, SendError, StkAccepted, StkRequest,
};
pub use options::{CollectsBy, DarajaOptions, Initiator};
pub use pace::Pace;
pub use pull::{PullPage, PullRegistration, PullRequest, PulledPayment, PulledWindow, pull_window};
pub use qr::{QrCode, QrRequest};
pub use secret::Secret;
