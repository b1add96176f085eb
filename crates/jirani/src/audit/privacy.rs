//! P1: what goes on chain of a receipt is its keyed hash, nothing else.

use super::{Evidence, Finding};
use hmac::{Hmac, Mac as _};
use jirani_store::{Proof, ReceiptUse};
use sha2::Sha256;
use std::collections::HashMap;

/// Every order settled by a receipt carries HMAC-SHA256(deployment key, shortcode,
/// receipt) as its proof. Recomputed here on its own, so that a change of the
/// formula elsewhere shows.
pub fn p1(evidence: &Evidence) -> Finding {
    let orders: HashMap<_, _> = evidence.orders.iter().map(|order| (order.id, order)).collect();
    let (key, shortcode) = &evidence.proof_key;
    for receipt in &evidence.receipts {
        let ReceiptUse::Settled(id) = receipt.used_for else { continue };
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
            return Finding::NotChecked("the deployment key cannot key an HMAC".to_owned());
        };
        mac.update(shortcode.as_bytes());
        mac.update(b"|");
        mac.update(receipt.receipt.as_str().as_bytes());
        let expected: [u8; 32] = mac.finalize().into_bytes().into();
        match orders.get(&id).and_then(|order| order.proof) {
            Some(Proof::Receipt(proof)) if proof == expected => {}
            _ => {
                return Finding::Violated(format!(
                    "order {id}: its proof is not the keyed hash of its receipt"
                ));
            }
        }
    }
    Finding::Holds
}
