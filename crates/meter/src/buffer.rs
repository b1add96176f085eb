//! Bytes on the stack, up to a fixed number.

use crate::error::WireError;
use core::fmt;

/// Up to `N` bytes.
#[derive(Clone)]
pub struct Buffer<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> Buffer<N> {
    /// Empty.
    pub const fn new() -> Self {
        Self { bytes: [0; N], len: 0 }
    }

    /// A copy of `bytes`, when they fit.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, WireError> {
        let mut buffer = Self::new();
        buffer.extend(bytes)?;
        Ok(buffer)
    }

    /// What has been written.
    pub fn as_slice(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    /// Appends, or refuses and changes nothing.
    pub fn extend(&mut self, bytes: &[u8]) -> Result<(), WireError> {
        let full = WireError::TooLarge { what: "the encoding", limit: N };
        let end = self.len.checked_add(bytes.len()).filter(|end| *end <= N).ok_or(full)?;
        self.bytes[self.len..end].copy_from_slice(bytes);
        self.len = end;
        Ok(())
    }
}

impl<const N: usize> Default for Buffer<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize> PartialEq for Buffer<N> {
    fn eq(&self, other: &Self) -> bool {
        self.as_slice() == other.as_slice()
    }
}

impl<const N: usize> Eq for Buffer<N> {}

impl<const N: usize> fmt::Debug for Buffer<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.as_slice() {
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl<const N: usize> minicbor::encode::Write for Buffer<N> {
    type Error = WireError;

    fn write_all(&mut self, bytes: &[u8]) -> Result<(), WireError> {
        self.extend(bytes)
    }
}

/// Takes the buffer's own error out of the encoder's.
pub(crate) fn written<T>(result: Result<T, minicbor::encode::Error<WireError>>) -> Result<T, WireError> {
    result.map_err(|error| error.into_write().unwrap_or(WireError::Malformed("the encoder refused a value")))
}
