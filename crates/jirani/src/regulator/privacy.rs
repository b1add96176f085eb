//! P1: nothing of a person goes on chain.

use super::Material;
use crate::audit::Finding;
use std::collections::HashSet;

/// As many digits in a row as a phone number has after its country's code.
const DIGITS: usize = 9;

/// Instructions hold keys, hashes and numbers in fixed places and no text; every
/// receipt's proof on chain is one of the bundle's keyed hashes.
pub fn p1(material: &Material) -> Finding {
    for call in &material.replay.calls {
        if has_number(call) {
            return Finding::Violated(
                "an instruction on chain holds digits like a phone number's".to_owned(),
            );
        }
    }
    let known: HashSet<&str> = material.bundle.receipts.iter().map(|line| line.hash.as_str()).collect();
    let receipts = material.replay.settled.iter().filter(|settled| settled.proof.0 == 1);
    for settled in receipts.filter(|settled| material.in_bundle(settled.chain_slot)) {
        if !known.contains(hex::encode(settled.proof.1).as_str()) {
            return Finding::Violated(format!(
                "order {} was settled by a proof that is no keyed hash of a receipt in the bundle",
                settled.order.1
            ));
        }
    }
    Finding::Holds
}

fn has_number(bytes: &[u8]) -> bool {
    bytes.windows(DIGITS).any(|window| window.iter().all(u8::is_ascii_digit))
}

#[cfg(test)]
mod tests {
    use super::has_number;

    #[test]
    fn a_phone_number_in_any_instruction_shows() {
        assert!(has_number(b"\x1e\x00254712345678"));
        assert!(!has_number(&[30; 400]));
        assert!(!has_number(b"12345678"));
    }
}
