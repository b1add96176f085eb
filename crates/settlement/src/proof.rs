//! Proofs: what settles an order on chain without naming a person (P1).

use hmac::{Hmac, Mac as _};
use jirani_ledger::TransferId;
use jirani_store::Proof;
use jirani_units::Receipt;
use sha2::{Digest as _, Sha256};

/// Keeps hashes of ledger transfers apart from hashes of anything else.
const TRANSFER_DOMAIN: &[u8] = b"jirani/proof/transfer/1\0";

/// HMAC-SHA256 under `key`.
pub(crate) fn keyed_hash(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
    let mut mac = <Hmac<Sha256> as hmac::Mac>::new_from_slice(key)
        // INVARIANT: HMAC takes keys of any length.
        .expect("HMAC takes keys of any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// Proof of a receipt: HMAC-SHA256 of `shortcode|receipt` under the deployment
/// key. A [`Receipt`] is canonical, so case and space make no second proof.
pub fn receipt_proof(deployment_key: &[u8; 32], shortcode: &str, receipt: &Receipt) -> Proof {
    Proof::Receipt(keyed_hash(deployment_key, &[shortcode.as_bytes(), b"|", receipt.as_str().as_bytes()]))
}

/// Proof of a posted ledger transfer from the buyer's balance.
pub fn transfer_proof(transfer: TransferId) -> Proof {
    Proof::Transfer(Sha256::new().chain_update(TRANSFER_DOMAIN).chain_update(transfer.0).finalize().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_receipt_has_one_proof_however_it_is_written() {
        let proof = |text: &str| receipt_proof(&[7; 32], "600000", &text.parse().unwrap());
        assert_eq!(proof("UJ32ABCDEF"), proof(" uj32abcdef "));
        assert_ne!(proof("UJ32ABCDEF"), proof("UJ32ABCDEG"));
    }

    #[test]
    fn a_receipt_proves_something_else_on_another_shortcode_or_deployment() {
        let receipt = "UJ32ABCDEF".parse().unwrap();
        let proof = receipt_proof(&[7; 32], "600000", &receipt);
        assert_ne!(proof, receipt_proof(&[7; 32], "600001", &receipt));
        assert_ne!(proof, receipt_proof(&[8; 32], "600000", &receipt));
    }
}
