//! Text messages: one trait, the gateways behind it, and the sender that turns kept
//! notices into messages.
//!
//! Promises: a notice is handed to the gateway once, and again only when it is certain
//! that the gateway did not take it; at night only what cannot wait goes out; nobody
//! gets more than a day's share; who has written STOP gets only what is about their own
//! money and energy; a message is one text of the GSM alphabet; neither numbers nor
//! texts are logged.
//! Stands beside the other adapters: services know [`Sms`], and [`gsm`] for lengths.

pub mod africas_talking;
pub mod gsm;
pub mod handset;
pub mod schedule;
pub mod sender;
pub mod sms;

pub use africas_talking::{AfricasTalking, AfricasTalkingConfig, GatewayError};
pub use handset::{Handsets, Received};
pub use schedule::{Policy, Urgency};
pub use sender::{Sender, SenderDeps, Stopped};
pub use sms::{Sms, SmsOutcome};
