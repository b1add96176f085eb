//! Energy ICs: what the meter asks of one, and the PZEM-004T.

use embassy_time::{Duration, with_timeout};
use esp_hal::Async;
use esp_hal::uart::Uart;
use jirani_firmware_logic::modbus::{self, ANSWER, FrameError, Measurement, REFUSAL};

/// The IC at the panels.
pub const GENERATION: u8 = 1;
/// The IC at the house.
pub const LOAD: u8 = 2;
/// An answer takes 26 ms on the wire, and the IC some time to think.
const PATIENCE: Duration = Duration::from_millis(250);

/// Why there is no measurement.
#[derive(Clone, Copy, Debug, thiserror::Error)]
pub enum EnergyError {
    /// Nothing came.
    #[error("energy.silent: the energy IC at address {0} does not answer; check its wires and address")]
    Silent(u8),
    /// The line failed.
    #[error("energy.line: the line of the energy ICs failed; check for noise")]
    Line,
    /// What came is no answer.
    #[error("{0}")]
    Frame(FrameError),
}

/// Something that measures a wire.
pub trait EnergyIc {
    /// Measures at `address`.
    async fn measure(&mut self, address: u8) -> Result<Measurement, EnergyError>;
}

/// PZEM-004T version 3, several on one line.
pub struct Pzem004t {
    line: Uart<'static, Async>,
}

impl Pzem004t {
    /// On this line.
    pub fn new(line: Uart<'static, Async>) -> Self {
        Self { line }
    }

    /// Reads until an answer or a refusal is whole.
    async fn answer(&mut self, frame: &mut [u8; ANSWER]) -> Result<usize, EnergyError> {
        let mut length = 0;
        while length < ANSWER {
            length += self.line.read_async(&mut frame[length..]).await.map_err(|_| EnergyError::Line)?;
            // A refusal is shorter; its second byte says so.
            if length >= REFUSAL && frame[1] & 0x80 != 0 {
                return Ok(REFUSAL);
            }
        }
        Ok(length)
    }
}

impl EnergyIc for Pzem004t {
    async fn measure(&mut self, address: u8) -> Result<Measurement, EnergyError> {
        // What a late answer left behind.
        while self.line.read_ready() {
            let mut stale = [0; ANSWER];
            self.line.read_async(&mut stale).await.map_err(|_| EnergyError::Line)?;
        }
        let request = modbus::request(address);
        let mut rest = &request[..];
        while !rest.is_empty() {
            let written = self.line.write_async(rest).await.map_err(|_| EnergyError::Line)?;
            rest = rest.get(written..).unwrap_or_default();
        }
        let mut frame = [0; ANSWER];
        let length = with_timeout(PATIENCE, self.answer(&mut frame))
            .await
            .map_err(|_| EnergyError::Silent(address))??;
        modbus::read(address, &frame[..length]).map_err(EnergyError::Frame)
    }
}
