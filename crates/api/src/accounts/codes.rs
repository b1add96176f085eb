//! One-time codes to sign in with: one alive per number, few tries, in bounded memory.
//!
//! They are kept nowhere else: a restart asks for a new one. Unknown numbers have them as known
//! ones do, so that neither an answer nor its time tells which is which.

use super::config::AccountsConfig;
use super::recent::{Recent, TooOften};
use jirani_units::{Msisdn, Timestamp};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Seconds that a code is good.
pub const VALID_S: u32 = 300;
/// Seconds until another one may be asked for.
pub const RESEND_S: u32 = 30;
/// Codes to one number in an hour.
const PER_HOUR: usize = 5;
/// Tries of one code.
const TRIES: u32 = 5;
/// Codes remembered at most.
const CODES_MAX: usize = 16_384;

struct Code {
    hash: String,
    until: Timestamp,
    tries: u32,
    /// Tells it from the number's next one.
    number: u64,
}

/// A try that was counted: to be compared with the hash, and then to be spent.
pub struct Try {
    /// What was kept of the code.
    pub hash: String,
    number: u64,
}

/// What became of a right code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spent {
    /// It was good, and is no longer.
    Now,
    /// Somebody else spent it, or there is a newer one.
    Before,
}

/// Codes under way.
pub struct Codes {
    sent: Recent<Msisdn>,
    valid_s: i64,
    alive: Mutex<(u64, HashMap<Msisdn, Code>)>,
}

impl Codes {
    /// None yet.
    pub fn new(config: &AccountsConfig) -> Self {
        let service = |real_s| i64::from(config.service_s(real_s));
        Self {
            sent: Recent::new(PER_HOUR, service(3_600), service(RESEND_S)),
            valid_s: service(VALID_S),
            alive: Mutex::default(),
        }
    }

    /// Counts one more code for this number, if there may be one.
    pub fn ask(&self, of: Msisdn, now: Timestamp) -> Result<(), TooOften> {
        self.sent.take(of, now)
    }

    /// Keeps the hash of a new code; the one before is worth nothing from now on.
    pub fn keep(&self, of: Msisdn, hash: String, now: Timestamp) {
        let mut alive = self.alive.lock().unwrap_or_else(PoisonError::into_inner);
        let (last, codes) = &mut *alive;
        if codes.len() >= CODES_MAX && !codes.contains_key(&of) {
            codes.retain(|_, code| code.until > now);
            let oldest = codes.iter().min_by_key(|(_, code)| code.until).map(|(number, _)| *number);
            if codes.len() >= CODES_MAX
                && let Some(oldest) = oldest
            {
                codes.remove(&oldest);
            }
        }
        *last += 1;
        codes.insert(of, Code { hash, until: now.plus_seconds(self.valid_s), tries: 0, number: *last });
    }

    /// Counts a try before anybody compares, so that many at once have no more tries than one
    /// after another. None when there is no code, or none that may still be tried.
    pub fn try_one(&self, of: Msisdn, now: Timestamp) -> Option<Try> {
        let mut alive = self.alive.lock().unwrap_or_else(PoisonError::into_inner);
        let code = alive.1.get_mut(&of).filter(|code| code.until > now && code.tries < TRIES)?;
        code.tries += 1;
        Some(Try { hash: code.hash.clone(), number: code.number })
    }

    /// Spends the code of a try that was right: once.
    pub fn spend(&self, of: Msisdn, right: &Try) -> Spent {
        let mut alive = self.alive.lock().unwrap_or_else(PoisonError::into_inner);
        if alive.1.get(&of).is_none_or(|code| code.number != right.number) {
            return Spent::Before;
        }
        alive.1.remove(&of);
        Spent::Now
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::PinForMoney;

    fn codes() -> Codes {
        Codes::new(&AccountsConfig {
            pin_for_money: PinForMoney::NotAsked,
            shared_phone_s: 1,
            speed: 1,
            pin_pepper: [0; 32],
            password_pepper: [0; 32],
            totp_key: [0; 32],
            acts_key: [0; 32],
        })
    }

    fn number(last: u32) -> Msisdn {
        format!("0712 {last:06}").parse().unwrap()
    }

    #[test]
    fn a_code_has_five_tries_and_is_good_once_and_for_five_minutes() {
        let (codes, of, start) = (codes(), number(1), Timestamp::from_seconds(0));
        assert!(codes.try_one(of, start).is_none());
        codes.keep(of, "first".into(), start);
        let first = codes.try_one(of, start).unwrap();
        codes.keep(of, "second".into(), start);
        assert_eq!(codes.spend(of, &first), Spent::Before, "one code is alive");
        let tries: Vec<Try> = (0..7).filter_map(|_| codes.try_one(of, start)).collect();
        assert_eq!(tries.len(), 5);
        assert!(tries.iter().all(|one| one.hash == "second"));
        assert_eq!(codes.spend(of, &tries[4]), Spent::Now);
        assert_eq!(codes.spend(of, &tries[3]), Spent::Before);
        codes.keep(of, "third".into(), start);
        assert!(codes.try_one(of, start.plus_seconds(299)).is_some());
        assert!(codes.try_one(of, start.plus_seconds(300)).is_none());
    }

    #[test]
    fn memory_is_bounded_whoever_asks() {
        let codes = codes();
        for last in 0..17_000 {
            codes.keep(number(last), String::new(), Timestamp::from_seconds(1));
        }
        assert_eq!(codes.alive.lock().unwrap().1.len(), CODES_MAX);
    }
}
