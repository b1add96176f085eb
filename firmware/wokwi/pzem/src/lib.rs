//! Two energy ICs for the Wokwi simulator: PZEM-004T version 3 at addresses 1 (the
//! panels) and 2 (the house) on one line, measuring what two sliders say.
//!
//! Promises: what a frame gets for an answer is what the manufacturer's manual says, on
//! the simulator's clock; energy is integers only; nothing that arrives on the line makes
//! it panic. Stands beside the firmware and shares no code with it: a mistake in one side
//! of the protocol shows on the other. [`ic`] and [`line`] run on any computer; `wokwi`
//! is the simulator's side and exists in WebAssembly only.

pub mod ic;
pub mod line;
#[cfg(target_arch = "wasm32")]
mod wokwi;
