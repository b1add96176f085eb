//! Writing a bundle: `<hash of the line> <JSON>` per line, the seal last.

use super::record::{Line, SealLine};
use super::{line_hash, signed_bytes};
use ed25519_dalek::{Signer as _, SigningKey};
use std::io::{self, Write};

/// Writes lines, chained.
pub struct BundleWriter<W> {
    to: W,
    head: [u8; 32],
    lines: u64,
}

impl<W: Write> BundleWriter<W> {
    /// Nothing written yet.
    pub const fn new(to: W) -> Self {
        Self { to, head: [0; 32], lines: 0 }
    }

    /// Writes a line.
    pub fn line(&mut self, line: &Line) -> io::Result<()> {
        let json = serde_json::to_string(line)?;
        self.head = line_hash(&self.head, json.as_bytes());
        self.lines += 1;
        writeln!(self.to, "{} {json}", hex::encode(self.head))
    }

    /// Signs what was written and says how many lines that were.
    pub fn seal(mut self, key: &SigningKey) -> io::Result<(W, u64)> {
        let signature = key.sign(&signed_bytes(&self.head, self.lines));
        let seal = Line::Seal(SealLine {
            lines: self.lines,
            head: hex::encode(self.head),
            key: hex::encode(key.verifying_key().as_bytes()),
            signature: hex::encode(signature.to_bytes()),
        });
        let json = serde_json::to_string(&seal)?;
        writeln!(self.to, "{} {json}", hex::encode(line_hash(&self.head, json.as_bytes())))?;
        self.to.flush()?;
        Ok((self.to, self.lines + 1))
    }
}
