//! Seeded ids, receipts, delays and choices.
//!
//! What is drawn for a phone depends on the seed, the phone and how many such
//! things it has had, never on what other phones do at the same moment.

use crate::config::Behaviour;
use crate::nairobi::Local;
use jirani_units::Timestamp;
use rand::{Rng as _, RngCore as _, SeedableRng as _};
use rand_chacha::ChaCha20Rng;

/// What something is drawn for.
#[derive(Clone, Copy)]
pub enum Purpose {
    Prompt = 1,
    Payout = 2,
    Id = 3,
    Receipt = 4,
    Token = 5,
    Fault = 6,
    Command = 7,
    InFlight = 8,
}

/// A short stream of random numbers.
pub struct Draw(ChaCha20Rng);

impl Draw {
    /// The stream for the `nth` thing of this purpose of `about`.
    pub fn new(seed: u64, purpose: Purpose, about: u64, nth: u64) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        rng.set_stream(about ^ ((purpose as u64) << 56));
        // 16 words: no two things share a number.
        rng.set_word_pos(u128::from(nth) * 16);
        Self(rng)
    }

    /// A delay between two bounds in milliseconds, in microseconds.
    pub fn delay_us(&mut self, (shortest_ms, longest_ms): (u32, u32)) -> i64 {
        let (low, high) = (i64::from(shortest_ms) * 1_000, i64::from(longest_ms) * 1_000);
        self.0.random_range(low..=high.max(low))
    }

    /// What an automatic phone does.
    pub fn answer(&mut self, behaviour: Behaviour) -> Answer {
        let mut rest = self.0.random_range(0..1_000_u16);
        for (per_mille, answer) in [
            (behaviour.cancel_per_mille, Answer::Cancel),
            (behaviour.silent_per_mille, Answer::Silence),
            (behaviour.insufficient_per_mille, Answer::Insufficient),
        ] {
            if rest < per_mille {
                return answer;
            }
            rest -= per_mille;
        }
        Answer::Pay
    }

    /// From 0 to 999.
    pub fn per_mille(&mut self) -> u16 {
        self.0.random_range(0..1_000)
    }

    /// Letters and digits.
    pub fn text(&mut self, length: usize) -> String {
        (0..length).map(|_| char::from(self.0.sample(rand::distr::Alphanumeric))).collect()
    }

    /// Four groups of hexadecimal digits, as in request ids.
    pub fn dashed(&mut self) -> String {
        let (a, b) = (self.0.next_u64(), self.0.next_u64());
        format!("{:04x}-{:04x}-{:04x}-{:012x}", a & 0xffff, a >> 16 & 0xffff, a >> 32 & 0xffff, b >> 16)
    }

    /// 20 hexadecimal digits, as in conversation ids.
    pub fn hex20(&mut self) -> String {
        format!("0000{:016x}", self.0.next_u64())
    }
}

/// What an automatic phone does with a prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Answer {
    Pay,
    Cancel,
    Insufficient,
    Silence,
}

/// 36^7: all endings of a receipt.
const ENDINGS: u128 = 78_364_164_096;
/// Prime, so it shares no factor with 36: counting up meets every ending once.
const STRIDE: u128 = 2_654_435_761;

/// The `nth` receipt, like `UJ32ABCDEF`: year, month, day, and an ending that
/// comes once.
pub fn receipt(seed: u64, at: Timestamp, nth: u64) -> String {
    let start = Draw::new(seed, Purpose::Receipt, 0, 0).0.next_u64();
    let mut ending = (u128::from(start) + u128::from(nth) * STRIDE) % ENDINGS;
    let mut tail = ['0'; 7];
    for place in tail.iter_mut().rev() {
        *place = char::from_digit((ending % 36) as u32, 36).unwrap_or('0').to_ascii_uppercase();
        ending /= 36;
    }
    let local = Local::at(at);
    let letter = |index: u32| char::from(b'A' + (index % 26) as u8);
    let day = char::from_digit(local.day, 36).unwrap_or('0').to_ascii_uppercase();
    let year = letter(local.year.saturating_sub(2006));
    format!("{year}{}{day}{}", letter(local.month.saturating_sub(1)), tail.iter().collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::{Answer, Draw, Purpose, receipt};
    use crate::config::Behaviour;
    use jirani_units::Timestamp;
    use std::collections::HashSet;

    fn moment() -> Timestamp {
        "2026-10-03T10:15:22Z".parse().unwrap_or_default()
    }

    #[test]
    fn receipts_look_real_and_come_once() {
        let receipts: HashSet<String> = (0..20_000).map(|nth| receipt(7, moment(), nth)).collect();
        assert_eq!(receipts.len(), 20_000);
        for receipt in receipts {
            assert!(receipt.starts_with("UJ3") && receipt.len() == 10, "{receipt}");
            assert!(receipt.parse::<jirani_units::Receipt>().is_ok(), "{receipt}");
        }
        assert_ne!(receipt(7, moment(), 0), receipt(8, moment(), 0));
    }

    #[test]
    fn the_same_seed_draws_the_same_and_another_phone_something_else() {
        let draw = |seed, phone| Draw::new(seed, Purpose::Prompt, phone, 3).delay_us((0, 60_000));
        assert_eq!(draw(1, 254_712_000_111), draw(1, 254_712_000_111));
        assert_ne!(draw(1, 254_712_000_111), draw(1, 254_712_000_112));
        assert_ne!(draw(1, 254_712_000_111), draw(2, 254_712_000_111));
    }

    #[test]
    fn phones_fail_as_often_as_told() {
        let behaviour = Behaviour { cancel_per_mille: 100, silent_per_mille: 200, insufficient_per_mille: 0 };
        let answers: Vec<Answer> =
            (0..10_000).map(|nth| Draw::new(1, Purpose::Prompt, 5, nth).answer(behaviour)).collect();
        let count = |answer| answers.iter().filter(|given| **given == answer).count();
        assert!((900..1_100).contains(&count(Answer::Cancel)));
        assert!((1_850..2_150).contains(&count(Answer::Silence)));
        assert_eq!(count(Answer::Insufficient), 0);
        let always =
            (0..1_000).map(|nth| Draw::new(1, Purpose::Prompt, 5, nth).answer(Behaviour::ALWAYS_PAYS));
        assert!(always.into_iter().all(|answer| answer == Answer::Pay));
    }
}
