//! Names that M-Pesa and the payer see, and the secret paths it calls back on.
//!
//! Each is drawn from the deployment's seed and the number of what it belongs
//! to. The store never hands out a number twice, so no name comes twice either,
//! whatever is restarted; and a run from one seed names everything alike.

use crate::proof::keyed_hash;
use jirani_daraja::ask::AnswerUrls;
use jirani_units::{OrderId, PayoutId, Reference};
use rand::{RngCore as _, SeedableRng as _};
use rand_chacha::ChaCha20Rng;
use subtle::ConstantTimeEq as _;

/// Draws names and builds callback addresses.
pub(crate) struct Names {
    seed: [u8; 32],
    callback_base: String,
}

/// Names of one collection.
pub(crate) struct CollectionNames {
    pub(crate) reference: Reference,
    pub(crate) secret: String,
}

/// Names of one payout.
pub(crate) struct PayoutNames {
    pub(crate) originator_id: String,
    pub(crate) secret: String,
}

/// Secrets of one move of float: where its result goes, and where the answers to
/// questions about it, which look alike and mean something else.
pub(crate) struct FloatNames {
    pub(crate) result: String,
    pub(crate) question: String,
}

impl Names {
    pub(crate) fn new(seed: [u8; 32], callback_base: &str) -> Self {
        Self { seed, callback_base: callback_base.trim_end_matches('/').to_owned() }
    }

    fn draw(&self, kind: &str, number: u64) -> ChaCha20Rng {
        ChaCha20Rng::from_seed(keyed_hash(&self.seed, &[kind.as_bytes(), b"|", &number.to_le_bytes()]))
    }

    pub(crate) fn collection(&self, order: OrderId) -> CollectionNames {
        let mut rng = self.draw("collection", order.0);
        CollectionNames { reference: Reference::from_entropy(rng.next_u64()), secret: secret(&mut rng) }
    }

    pub(crate) fn payout(&self, payout: PayoutId) -> PayoutNames {
        let mut rng = self.draw("payout", payout.0);
        // The id is drawn first: what is stored under a secret never changes.
        let _ = rng.next_u64();
        PayoutNames { originator_id: self.originator_id(payout, 1), secret: secret(&mut rng) }
    }

    /// Our id of an attempt at a payout. The first attempt's has no number.
    pub(crate) fn originator_id(&self, payout: PayoutId, attempt: u32) -> String {
        let drawn = self.draw("payout", payout.0).next_u64();
        let again = if attempt > 1 { format!("-{attempt}") } else { String::new() };
        format!("jirani-{payout}-{drawn:016x}{again}")
    }

    /// Where answers to questions about the payout with this secret go.
    pub(crate) fn answer_urls(&self, secret: &str) -> AnswerUrls {
        let base = &self.callback_base;
        AnswerUrls {
            result_url: format!("{base}/hooks/answer/{secret}/result"),
            timeout_url: format!("{base}/hooks/answer/{secret}/timeout"),
        }
    }

    /// Secret segment of a question about balances, by its number.
    pub(crate) fn balance(&self, number: u64) -> String {
        secret(&mut self.draw("balance", number))
    }

    /// Secret segment of the one C2B confirmation path.
    pub(crate) fn c2b_secret(&self) -> String {
        secret(&mut self.draw("c2b", 0))
    }

    pub(crate) fn float_secrets(&self, number: u64) -> FloatNames {
        let mut rng = self.draw("float", number);
        FloatNames { result: secret(&mut rng), question: secret(&mut rng) }
    }

    /// Whether somebody claims a secret of ours.
    pub(crate) fn is(ours: &str, claimed: &str) -> bool {
        ours.as_bytes().ct_eq(claimed.as_bytes()).into()
    }

    /// Secret segment of the one path where M-Pesa may speak of its list of payments.
    pub(crate) fn list_secret(&self) -> String {
        secret(&mut self.draw("list", 0))
    }

    pub(crate) fn stk_url(&self, secret: &str) -> String {
        format!("{}/hooks/stk/{secret}", self.callback_base)
    }

    pub(crate) fn b2c_urls(&self, secret: &str) -> (String, String) {
        let base = &self.callback_base;
        (format!("{base}/hooks/b2c/{secret}/result"), format!("{base}/hooks/b2c/{secret}/timeout"))
    }

    pub(crate) fn c2b_urls(&self) -> (String, String) {
        let (base, secret) = (&self.callback_base, self.c2b_secret());
        (format!("{base}/hooks/c2b/{secret}/confirmation"), format!("{base}/hooks/c2b/{secret}/validation"))
    }
}

fn secret(rng: &mut ChaCha20Rng) -> String {
    format!("{:016x}{:016x}", rng.next_u64(), rng.next_u64())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_name_comes_twice_and_none_changes_over_a_restart() {
        let names = Names::new([3; 32], "http://127.0.0.1:8080/");
        let again = Names::new([3; 32], "http://127.0.0.1:8080");
        let mut seen = HashSet::new();
        for number in 0..1_000 {
            let (collection, payout) = (names.collection(OrderId(number)), names.payout(PayoutId(number)));
            assert_eq!(collection.secret, again.collection(OrderId(number)).secret);
            assert_eq!(collection.secret.len(), 32);
            for name in [collection.secret, payout.secret, payout.originator_id] {
                assert!(seen.insert(name));
            }
            assert!(seen.insert(collection.reference.to_string()));
        }
        assert_eq!(names.stk_url("ab"), "http://127.0.0.1:8080/hooks/stk/ab");
    }
}
