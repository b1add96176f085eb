//! From signed readings to attestations on chain.
//!
//! [`Gateway`] is an ordinary MQTT client: it takes readings, verifies them in
//! batches, keeps them in one durable commit, and only then acknowledges them,
//! to the broker and, signed, to the meter. [`Slots`] takes every household's
//! registers at a slot's end and attests them. [`Ordering`] tells one meter its interval,
//! the time, or a firmware.
//!
//! Promises: a reading acknowledged to a meter is on disk and counted once (R1);
//! what is not accepted is kept with the reason and never minted; whether a
//! signature holds never depends on what it was checked together with; a slot is
//! stored before it is sent, and a restart sends the same again.
//! Stands between meters, the store and the chain; knows no broker in particular.

mod anew;
mod boundary;
mod challenges;
mod counters;
mod early;
pub mod enrolment;
mod error;
mod evidence;
pub mod findings;
mod firmware;
mod gateway;
mod intake;
mod journal;
pub mod json_form;
mod known;
mod landing;
mod link;
mod notice;
mod order;
mod plan;
mod proof;
mod refused;
mod relay;
mod residual;
mod segments;
mod sender;
mod slots;
mod standing;
mod tally;
mod tls;
mod verify;
mod waiting;
pub mod witness;

pub use boundary::{
    Attestable, Spans, at_boundary, in_spans, registers_of, row_epoch_at, stream_at, virtual_around,
};
pub use counters::{Counters, Totals};
pub use error::{GatewayError, SlotsError};
pub use evidence::{Standing, members, merkle_root};
pub use findings::{Findings, FindingsConfig};
pub use firmware::{FirmwareServer, Images, PIECES_PER_S};
pub use gateway::{Gateway, GatewayConfig};
pub use jirani_readings::{Latest, Rating, Refusal, judge};
pub use known::FIRMWARE;
pub use notice::Notice;
pub use order::{Ordering, Said, Told, Wanted};
pub use plan::{Gone, chunk_key, key_without, loss_after, loss_key, plan_slot};
pub use proof::{Claim, Part, PathStep, ProofError, ProvenReading, Shown, SlotProof};
pub use residual::{LossRegisters, add_residual, loss_row};
pub use segments::{Agreement, Segments, SegmentsConfig, SegmentsError, verify_segments};
pub use slots::{Slots, SlotsConfig};
pub use tls::{GatewayTls, choose_cryptography};
pub use verify::{Check, verify_all};
