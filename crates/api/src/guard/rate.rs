//! How often one client may ask: a token bucket each, in bounded memory.

use crate::app::App;
use crate::auth::SignedIn;
use crate::error::ApiError;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Clients remembered at most; the one not seen for longest is forgotten first.
const CLIENTS_MAX: usize = 4_096;

/// One bucket for every client: `n` at once, refilled over a minute of real time
/// (it protects the machine, not the village).
pub struct Buckets<K> {
    per_minute: Option<u32>,
    clients: Mutex<HashMap<K, Bucket>>,
}

struct Bucket {
    /// Millionths of a request that may still be made.
    left: u64,
    seen: Instant,
}

const ONE: u64 = 1_000_000;

impl<K: Eq + Hash + Copy> Buckets<K> {
    /// So many a minute; None is no limit.
    pub fn per_minute(per_minute: Option<u32>) -> Self {
        Self { per_minute, clients: Mutex::default() }
    }

    /// Takes one, or says no.
    pub fn take(&self, client: K, now: Instant) -> bool {
        let Some(per_minute) = self.per_minute else { return true };
        let full = u64::from(per_minute) * ONE;
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if clients.len() >= CLIENTS_MAX && !clients.contains_key(&client) {
            forget_some(&mut clients, now);
        }
        let bucket = clients.entry(client).or_insert(Bucket { left: full, seen: now });
        let elapsed = now.saturating_duration_since(bucket.seen).min(Duration::from_mins(1));
        let elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(60_000);
        let gained = full / 60_000 * elapsed_ms;
        bucket.left = (bucket.left + gained).min(full);
        bucket.seen = now;
        if bucket.left < ONE {
            return false;
        }
        bucket.left -= ONE;
        true
    }
}

/// Makes room: whoever has been quiet for a minute has a full bucket and loses
/// nothing; if nobody has, the one quiet for longest goes.
fn forget_some<K: Eq + Hash + Copy>(clients: &mut HashMap<K, Bucket>, now: Instant) {
    clients.retain(|_, bucket| now.saturating_duration_since(bucket.seen) < Duration::from_mins(1));
    if clients.len() >= CLIENTS_MAX
        && let Some(oldest) = clients.iter().min_by_key(|(_, bucket)| bucket.seen).map(|(client, _)| *client)
    {
        clients.remove(&oldest);
    }
}

/// Limits what one session may ask for on routes that touch money.
pub async fn money(
    State(app): State<App>,
    who: SignedIn,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    if request.method().is_safe() || app.money.take(who.token_hash, Instant::now()) {
        return Ok(next.run(request).await);
    }
    Err(ApiError::too_many(
        "api.too_many_requests",
        "That was a lot at once. Wait a minute, then go on; what was begun goes on by itself.",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_gets_its_share_of_every_minute_and_no_more() {
        let buckets = Buckets::per_minute(Some(3));
        let start = Instant::now();
        let allowed = (0..5).filter(|_| buckets.take(1, start)).count();
        assert_eq!(allowed, 3);
        assert!(buckets.take(2, start), "another client has its own");
        assert!(buckets.take(1, start + Duration::from_secs(21)), "a third of a minute refills one of three");
        assert!(!buckets.take(1, start + Duration::from_secs(22)));
    }

    #[test]
    fn memory_is_bounded_whoever_comes() {
        let buckets = Buckets::per_minute(Some(1));
        let start = Instant::now();
        for client in 0..3 * CLIENTS_MAX {
            assert!(buckets.take(client, start + Duration::from_millis(client as u64)));
        }
        assert!(buckets.clients.lock().unwrap().len() <= CLIENTS_MAX);
    }
}
