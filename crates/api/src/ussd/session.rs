//! What a session has been told and has agreed to, for minutes, in bounded memory.
//!
//! Lost with a restart, and nothing with it: screens are made anew, PINs are checked
//! anew, what was agreed to must be agreed to again, and what was paid is found under its
//! key.

use super::facts::{BuyQuote, WithdrawQuote};
use super::inputs::INPUTS_MAX;
use super::screen::Screen;
use super::sign_in::Verdict;
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::Instant;

/// Sessions remembered at most; the one quiet for longest is forgotten first.
const SESSIONS_MAX: usize = 2_048;
/// How long a quiet session is remembered; networks end one after three minutes.
const KEPT: Duration = Duration::from_mins(10);

/// Screens of one session remembered at most: twice what one walk can answer.
const SCREENS_MAX: usize = 2 * INPUTS_MAX;

/// Stands for a text without being one: the text holds a PIN.
pub type Print = [u8; 32];

/// What is remembered of one session.
#[derive(Default)]
pub struct Memory {
    /// The screen that answered a text.
    pub screens: HashMap<Print, Screen>,
    /// What was said of the last answer of a text.
    pub verdicts: HashMap<Print, Verdict>,
    /// The order quoted at a text.
    pub buys: HashMap<Print, BuyQuote>,
    /// The withdrawal quoted at a text.
    pub withdrawals: HashMap<Print, WithdrawQuote>,
}

impl Memory {
    /// Keeps a screen. A session that asked for far more than a person can is forgotten
    /// and begins anew: PINs are judged again, quotes are agreed to again, and payments
    /// have keys that do not hang on it.
    pub fn keep(&mut self, asked: Print, screen: Screen) {
        if self.screens.len() >= SCREENS_MAX {
            *self = Self::default();
        }
        self.screens.insert(asked, screen);
    }
}

struct Entry {
    seen: Instant,
    turn: Arc<Semaphore>,
    memory: Memory,
}

/// All sessions.
pub struct Sessions {
    secret: [u8; 32],
    sessions: Mutex<HashMap<Print, Entry>>,
}

impl Sessions {
    /// None yet; `secret` is drawn anew for every start.
    pub fn new(secret: [u8; 32]) -> Self {
        Self { secret, sessions: Mutex::default() }
    }

    /// What stands for these parts together.
    pub fn print(&self, parts: &[&str]) -> Print {
        let mut hash = Sha256::new().chain_update(self.secret);
        for part in parts {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part.as_bytes());
        }
        hash.finalize().into()
    }

    /// One request of a session at a time: a repeat waits for the first to end.
    pub fn turn(&self, session: Print, now: Instant) -> Arc<Semaphore> {
        self.entry(session, now, |entry| entry.turn.clone())
    }

    /// Looks into a session, or changes it.
    pub fn with<T>(&self, session: Print, now: Instant, look: impl FnOnce(&mut Memory) -> T) -> T {
        self.entry(session, now, |entry| look(&mut entry.memory))
    }

    fn entry<T>(&self, session: Print, now: Instant, look: impl FnOnce(&mut Entry) -> T) -> T {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        if !sessions.contains_key(&session) && sessions.len() >= SESSIONS_MAX {
            sessions.retain(|_, entry| now.saturating_duration_since(entry.seen) < KEPT);
            let oldest = sessions.iter().min_by_key(|(_, entry)| entry.seen).map(|(session, _)| *session);
            if sessions.len() >= SESSIONS_MAX
                && let Some(oldest) = oldest
            {
                sessions.remove(&oldest);
            }
        }
        let fresh = || Entry { seen: now, turn: Arc::new(Semaphore::new(1)), memory: Memory::default() };
        let entry = sessions.entry(session).or_insert_with(fresh);
        if now.saturating_duration_since(entry.seen) >= KEPT {
            *entry = fresh();
        }
        entry.seen = now;
        look(entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_session_is_remembered_for_minutes_and_there_are_never_too_many() {
        let sessions = Sessions::new([1; 32]);
        let start = Instant::now();
        let print = |name: &str| sessions.print(&[name]);
        let told = |name: &str, at| sessions.with(print(name), at, |memory| memory.screens.len());
        let tell = |name: &str, at| {
            sessions.with(print(name), at, |memory| memory.screens.insert([0; 32], Screen::end("x")));
        };
        tell("a", start);
        assert_eq!(told("a", start), 1);
        assert_eq!(told("a", start + KEPT), 0, "forgotten after a while");
        tell("a", start + KEPT);
        for number in 0..SESSIONS_MAX {
            tell(&format!("other {number}"), start + KEPT + Duration::from_secs(1));
        }
        assert_eq!(sessions.sessions.lock().unwrap().len(), SESSIONS_MAX);
        assert_eq!(told("a", start + KEPT), 0, "the quietest went first");
    }

    #[test]
    fn prints_tell_parts_apart_and_hide_them() {
        let one = Sessions::new([1; 32]);
        assert_ne!(one.print(&["ab", "c"]), one.print(&["a", "bc"]));
        assert_ne!(one.print(&["2580"]), Sessions::new([2; 32]).print(&["2580"]));
    }
}
