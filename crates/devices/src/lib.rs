//! Foreign meters: what their messages mean, exactly and without trust.
//!
//! A device is a YAML file ([`Definition`]): which topics it speaks on, where in a payload
//! which value stands, in which unit. [`Decoder`] is one such device of one site and turns
//! a message into [`Heard`] values; [`Tally`] turns values into cumulative registers in
//! whole Wh, with the rest kept, and knows resets from roll-overs from nonsense.
//!
//! Promises: no floats; the same message gives the same answer; sizes are bounded before
//! anything is read; a message is taken whole or refused whole with a stable code; a
//! register grows by no more than the connection can have carried since it last grew;
//! nothing that was counted before a device was enrolled becomes energy.
//! Stands in the domain beside the meter's core: no network, no clock, no files. Whoever
//! carries the messages is `crates/bridge`.

mod built_in;
mod counter;
mod decimal;
mod decode;
mod definition;
mod error;
mod json;
mod moment;
mod nearest;
mod ocmf;
mod site;
mod tally;
mod yaml;

pub use built_in::{BUILT_IN, built_in};
pub use counter::{Bucket, Counter, Step};
pub use decimal::{MICROJOULES_PER_WH, Unit};
pub use decode::{Decoder, Heard, Message, PAYLOAD_MAX};
pub use definition::{Definition, Falls, Meaning, Payload, Register, Shown, Topic, Value};
pub use error::DeviceError;
pub use moment::{Moment, TimeForm, TimeRule};
pub use nearest::nearest;
pub use ocmf::{OcmfKey, OcmfRecord, Page};
pub use site::{DEVICE_ID_MAX, SiteDevice};
pub use tally::{Outcome, Tally};
