//! What the meter's work costs, in instructions.

use crate::machine::instructions;
use crate::vectors::{METER, READINGS};
use core::hint::black_box;
use jirani_meter::{
    Ack, Action, ArrayQueue, Command, Ed25519Signer, Meter, MeterError, MeterState, Obeyed, PublicKey,
    Registers, Sample, Signer as _, TimeQuality,
};

/// Any moment after 1970, microseconds.
const TIME_US: u64 = 1_763_823_600_000_000;

/// Why nothing was measured.
#[derive(Debug, thiserror::Error)]
pub enum Unmeasured {
    /// The meter refused.
    #[error("{0}")]
    Refused(#[from] MeterError),
    /// The meter did something else; a cost counts only for work that was done.
    #[error("emulated.not_done: {0}")]
    NotDone(&'static str),
}

/// Instructions of each.
pub struct Costs {
    /// A key made ready from its secret bytes: once per start.
    pub key: u64,
    /// One signature over a usual reading's bytes.
    pub sign: u64,
    /// One reading: counted, encoded, signed, hashed, queued.
    pub reading: u64,
    /// One acknowledgement: verified, the queue freed.
    pub acknowledgement: u64,
    /// One command: verified, obeyed.
    pub command: u64,
}

/// Runs a meter through each once.
pub fn measure(gateway: &Ed25519Signer) -> Result<Costs, Unmeasured> {
    let mut stopwatch = Stopwatch::start();
    let signer = black_box(Ed25519Signer::from_seed(black_box(&METER.seed)));
    let key = stopwatch.lap();

    let signed = READINGS.first().map_or(&[][..], |case| case.payload);
    stopwatch.lap();
    black_box(signer.sign(black_box(signed)).map_err(MeterError::Reading)?);
    let sign = stopwatch.lap();

    let pinned = PublicKey::from_bytes(&gateway.public_key()).map_err(MeterError::Ack)?;
    let state = MeterState { epoch: 1, ..MeterState::default() };
    let mut meter = Meter::new(signer, pinned, *b"emulated", ArrayQueue::<4>::new(), state);
    let sample = Sample {
        time_us: TIME_US,
        time_quality: TimeQuality::Synchronised,
        interval_s: 60,
        ..Sample::default()
    };
    stopwatch.lap();
    meter.count(Registers { import_wh: 1, ..Registers::default() })?;
    let seq = meter.read(sample)?;
    let reading = stopwatch.lap();

    let ack = Ack { meter: meter.name(), epoch: 1, first_seq: seq, seq };
    let ack = ack.sign(gateway).map_err(MeterError::Ack)?;
    stopwatch.lap();
    let freed = meter.acknowledge(ack.as_slice())?;
    let acknowledgement = stopwatch.lap();

    let action = Action::OpenRelay { not_after_us: TIME_US + 1 };
    let open = Command { meter: meter.name(), number: 1, action };
    let open = open.sign(gateway).map_err(MeterError::Command)?;
    stopwatch.lap();
    let obeyed = meter.command(open.as_slice(), TIME_US, TimeQuality::Synchronised)?;
    let command = stopwatch.lap();

    if freed != 1 {
        return Err(Unmeasured::NotDone("the acknowledgement freed nothing"));
    }
    if obeyed != Obeyed::Done {
        return Err(Unmeasured::NotDone("the relay did not open"));
    }
    Ok(Costs { key, sign, reading, acknowledgement, command })
}

struct Stopwatch(u64);

impl Stopwatch {
    fn start() -> Self {
        Self(instructions())
    }

    /// Instructions since the last lap.
    fn lap(&mut self) -> u64 {
        let now = instructions();
        now - core::mem::replace(&mut self.0, now)
    }
}
