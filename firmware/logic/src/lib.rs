//! What of the firmware needs no hardware: the energy IC's frames, the integration of
//! power, what is kept in flash and how it comes back, what a person types on the serial
//! line.
//!
//! Promises: everything here runs and is tested on any computer; nothing that arrives
//! from a wire or stands in flash makes it panic; energy is integers only. Stands
//! between `jirani-meter`, whose traits it fills in, and `firmware/meter`, which moves
//! bytes.

#![no_std]

pub mod flash;
pub mod image;
pub mod integration;
pub mod modbus;
pub mod otadata;
pub mod provisioning;
pub mod qr;
pub mod queue;
pub mod state;
pub mod store;
pub mod trial;
pub mod update;

/// Bytes of a page of flash: what is erased at once.
const PAGE: u32 = 4_096;
