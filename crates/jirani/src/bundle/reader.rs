//! Reading a bundle that nobody vouches for but its seal.

use super::record::{
    BalanceLine, DeploymentLine, HouseholdLine, Line, OrderLine, PayoutLine, ReadingLine, ReceiptLine,
    SealLine, SpanLine, TransferLine,
};
use super::{VERSION, line_hash, signed_bytes};
use ed25519_dalek::{Signature, VerifyingKey};
use std::io::{BufRead, Read as _};

/// The longest line: an order with four fills is far below.
const LINE_MAX: u64 = 16 * 1024;

/// A bundle, read.
#[derive(Debug)]
pub struct Bundle {
    /// The deployment.
    pub deployment: DeploymentLine,
    /// Records.
    pub households: Vec<HouseholdLine>,
    /// Spans of virtual registers.
    pub spans: Vec<SpanLine>,
    /// Orders.
    pub orders: Vec<OrderLine>,
    /// Money received.
    pub receipts: Vec<ReceiptLine>,
    /// Money sent.
    pub payouts: Vec<PayoutLine>,
    /// The ledger.
    pub transfers: Vec<TransferLine>,
    /// Daily balances.
    pub balances: Vec<BalanceLine>,
    /// Signed readings.
    pub readings: Vec<ReadingLine>,
    /// Whether hashes and signature fit, and whose signature it is.
    pub seal: Seal,
}

/// What the seal is worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seal {
    /// Signed by this key, every line as it was.
    Whole {
        /// The key, hexadecimal.
        key: String,
    },
    /// The first thing that does not fit.
    Broken(String),
}

/// A file that is no bundle.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// It cannot be read.
    #[error("export.unreadable: {0}")]
    Io(#[from] std::io::Error),
    /// A line is not one of a bundle's.
    #[error("export.damaged: line {line} {what}; ask for the file again")]
    Damaged {
        /// From 1.
        line: u64,
        /// What is wrong.
        what: String,
    },
    /// A bundle of another version.
    #[error("export.version: the bundle has format {0}, this jirani reads format {VERSION}")]
    Version(u32),
}

/// Lines while they are read.
struct Reading {
    head: [u8; 32],
    lines: u64,
    broken: Option<String>,
}

impl Bundle {
    /// Reads all of it. What does not fit the seal is told in [`Bundle::seal`], so that
    /// everything else can be audited all the same; what is no line of a bundle is an error.
    pub fn read(mut from: impl BufRead) -> Result<Self, BundleError> {
        let mut at = Reading { head: [0; 32], lines: 0, broken: None };
        let Some(Line::Deployment(deployment)) = next(&mut from, &mut at)? else {
            return Err(damaged(1, "does not name the deployment"));
        };
        if deployment.version != VERSION {
            return Err(BundleError::Version(deployment.version));
        }
        let mut bundle = Self {
            deployment,
            households: Vec::new(),
            spans: Vec::new(),
            orders: Vec::new(),
            receipts: Vec::new(),
            payouts: Vec::new(),
            transfers: Vec::new(),
            balances: Vec::new(),
            readings: Vec::new(),
            seal: Seal::Broken("the bundle ends without its seal".to_owned()),
        };
        loop {
            let (head, lines) = (at.head, at.lines);
            match next(&mut from, &mut at)? {
                Some(Line::Household(line)) => bundle.households.push(line),
                Some(Line::Span(line)) => bundle.spans.push(line),
                Some(Line::Order(line)) => bundle.orders.push(line),
                Some(Line::Receipt(line)) => bundle.receipts.push(line),
                Some(Line::Payout(line)) => bundle.payouts.push(line),
                Some(Line::Transfer(line)) => bundle.transfers.push(line),
                Some(Line::Balance(line)) => bundle.balances.push(line),
                Some(Line::Reading(line)) => bundle.readings.push(line),
                Some(Line::Deployment(_)) => return Err(damaged(at.lines, "names a deployment again")),
                Some(Line::Seal(seal)) => {
                    bundle.seal = match at.broken.take() {
                        Some(broken) => Seal::Broken(broken),
                        None => check(&seal, &head, lines),
                    };
                    if next(&mut from, &mut at)?.is_some() {
                        return Err(damaged(at.lines, "follows the seal"));
                    }
                    return Ok(bundle);
                }
                None => return Ok(bundle),
            }
        }
    }
}

fn damaged(line: u64, what: impl Into<String>) -> BundleError {
    BundleError::Damaged { line, what: what.into() }
}

/// The next line; notes the first whose hash does not fit.
fn next(from: &mut impl BufRead, at: &mut Reading) -> Result<Option<Line>, BundleError> {
    let mut bytes = Vec::new();
    let read = from.by_ref().take(LINE_MAX).read_until(b'\n', &mut bytes)?;
    if read == 0 {
        return Ok(None);
    }
    at.lines += 1;
    let number = at.lines;
    if bytes.pop() != Some(b'\n') {
        return Err(damaged(number, "has no end"));
    }
    let (Some(hash), Some(b' '), Some(json)) = (bytes.get(..64), bytes.get(64), bytes.get(65..)) else {
        return Err(damaged(number, "has no hash"));
    };
    let expected = line_hash(&at.head, json);
    if hash != hex::encode(expected).as_bytes() {
        at.broken.get_or_insert_with(|| format!("line {number} was changed, moved, added or dropped"));
    }
    at.head = expected;
    let line: Line = serde_json::from_slice(json).map_err(|error| damaged(number, error.to_string()))?;
    // One form per line: else two bundles could say the same with different hashes.
    if serde_json::to_vec(&line).ok().as_deref() != Some(json) {
        return Err(damaged(number, "is not in its one form"));
    }
    Ok(Some(line))
}

fn check(seal: &SealLine, head: &[u8; 32], lines: u64) -> Seal {
    let broken = |what: &str| Seal::Broken(what.to_owned());
    if seal.lines != lines || seal.head != hex::encode(head) {
        return broken("the seal is of other lines");
    }
    let (mut key, mut signature) = ([0; 32], [0; 64]);
    if hex::decode_to_slice(&seal.key, &mut key).is_err()
        || hex::decode_to_slice(&seal.signature, &mut signature).is_err()
    {
        return broken("the seal holds no key or no signature");
    }
    let Ok(verifier) = VerifyingKey::from_bytes(&key) else { return broken("the seal's key is none") };
    match verifier.verify_strict(&signed_bytes(head, lines), &Signature::from_bytes(&signature)) {
        Ok(()) => Seal::Whole { key: seal.key.clone() },
        Err(_) => broken("the signature is not of the seal's key over these lines"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::BundleWriter;
    use super::*;
    use ed25519_dalek::SigningKey;

    fn line(household: u32) -> Line {
        Line::Reading(ReadingLine { household, bytes: String::new() })
    }

    fn written(count: u32) -> String {
        let mut writer = BundleWriter::new(Vec::new());
        let deployment = DeploymentLine {
            version: VERSION,
            cluster: String::new(),
            program: String::new(),
            mint: String::new(),
            slot_length_s: 900,
            chain_slot: 7,
        };
        writer.line(&Line::Deployment(deployment)).unwrap();
        for household in 0..count {
            writer.line(&line(household)).unwrap();
        }
        let (bytes, lines) = writer.seal(&SigningKey::from_bytes(&[5; 32])).unwrap();
        assert_eq!(lines, u64::from(count) + 2);
        String::from_utf8(bytes).unwrap()
    }

    fn seal_of(text: &str) -> Result<Seal, String> {
        Bundle::read(text.as_bytes()).map(|bundle| bundle.seal).map_err(|error| error.to_string())
    }

    #[test]
    fn what_was_written_is_read_and_whole() {
        let bundle = Bundle::read(written(3).as_bytes()).unwrap();
        assert_eq!(bundle.readings.len(), 3);
        let key = hex::encode(SigningKey::from_bytes(&[5; 32]).verifying_key().as_bytes());
        assert_eq!(bundle.seal, Seal::Whole { key });
        assert_eq!(written(3), written(3), "the same data gives the same bytes");
    }

    #[test]
    fn every_changed_byte_shows() {
        let whole = written(4);
        for (place, byte) in whole.bytes().enumerate() {
            let mut changed = whole.clone().into_bytes();
            changed[place] = if byte == b'0' { b'1' } else { b'0' };
            let read = Bundle::read(&changed[..]).map(|bundle| bundle.seal);
            assert!(!matches!(read, Ok(Seal::Whole { .. })), "byte {place}");
        }
    }

    #[test]
    fn a_line_dropped_moved_or_added_shows() {
        let whole = written(3);
        let lines: Vec<&str> = whole.split_inclusive('\n').collect();
        let dropped = [&lines[..2], &lines[3..]].concat().concat();
        assert_eq!(
            seal_of(&dropped).unwrap(),
            Seal::Broken("line 3 was changed, moved, added or dropped".into())
        );
        let mut moved = lines.clone();
        moved.swap(2, 3);
        assert!(matches!(seal_of(&moved.concat()), Ok(Seal::Broken(_))));
        let cut = lines[..3].concat();
        assert!(matches!(seal_of(&cut), Ok(Seal::Broken(what)) if what.contains("without its seal")));
        let added = whole.clone() + lines[1];
        assert!(seal_of(&added).unwrap_err().contains("follows the seal"));
    }

    #[test]
    fn hashed_anew_without_the_key_the_signature_does_not_fit() {
        let forged = written(3);
        let seal = written(2).lines().last().unwrap().to_owned();
        let mut lines: Vec<String> = forged.lines().map(str::to_owned).collect();
        let place = lines.len() - 1;
        let mut head = [0; 32];
        hex::decode_to_slice(&lines[place - 1][..64], &mut head).unwrap();
        let Line::Seal(mut stolen) = serde_json::from_str(&seal[65..]).unwrap() else { panic!() };
        (stolen.lines, stolen.head) = (4, hex::encode(head));
        let json = serde_json::to_string(&Line::Seal(stolen)).unwrap();
        lines[place] = format!("{} {json}", hex::encode(line_hash(&head, json.as_bytes())));
        let read = seal_of(&(lines.join("\n") + "\n")).unwrap();
        assert!(matches!(read, Seal::Broken(what) if what.contains("signature")));
    }
}
