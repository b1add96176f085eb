//! The menus of a feature phone: a code dialled, screens of at most 182 characters,
//! answers typed.
//!
//! Africa's Talking sends everything typed so far with each request, so that a screen
//! is a pure function of that text and what is known of the household: [`sign_in`] reads
//! the code or PIN that stands first, [`walk`] the menus behind it, [`words`] has every
//! sentence in both languages. Around them stand what is not pure: [`pin`] checks a PIN
//! and counts wrong ones, [`session`] remembers for minutes what a session has been told
//! and agreed to, [`act`] moves money once per session and step, [`service`] puts the
//! parts together.
//! Promises: a PIN is never logged and never kept but as a slow salted hash; three wrong
//! ones lock for an hour; a repeated request is answered as the first was and pays once;
//! what is bought is bought for at most what the screen said.

pub mod act;
pub mod facts;
pub mod inputs;
pub mod pin;
pub mod rules;
pub mod screen;
pub mod service;
pub mod session;
pub mod sign_in;
pub mod walk;
pub mod words;

pub use service::{Dialled, Ussd, UssdConfig, answer};
