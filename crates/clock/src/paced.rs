//! Drives an advanced clock along real time, `speed` times as fast.
//!
//! While a person looks at an open prompt, time runs at 1x: nobody can type a
//! PIN in two seconds. While work is under way from one tick to the next it also
//! runs at 1x, so that deadlines mean the same at any speed.

use crate::service_clock::ServiceClock;
use crate::stored::StoredClock;
use jirani_units::{Clock, Timestamp};
use std::convert::Infallible;
use std::time::{Duration, Instant};

const TICK: Duration = Duration::from_millis(50);
/// How long a disk that takes nothing is left alone.
const PAUSE: Duration = Duration::from_millis(500);

/// Advances `clock` until the task is dropped. `stored` learns of every moment
/// before services can see it; while it cannot be stored, time stands still.
pub async fn run(clock: ServiceClock, speed: u32, mut stored: StoredClock) -> Infallible {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut last = Instant::now();
    let mut rests = clock.activity().rests();
    loop {
        ticks.tick().await;
        let elapsed = last.elapsed().min(TICK * 4);
        last = Instant::now();
        let rested = clock.activity().rests() != rests || clock.activity().count() == 0;
        rests = clock.activity().rests();
        let speed = if clock.persons() == 0 && rested { speed } else { 1 };
        let step = i64::try_from(elapsed.as_micros()).unwrap_or(0).saturating_mul(i64::from(speed));
        let to = Timestamp(clock.now().0.saturating_add(step));
        reserve(&mut stored, to).await;
        clock.advance_to(to);
    }
}

/// Stores the time, however long the disk has no room for it.
async fn reserve(stored: &mut StoredClock, to: Timestamp) {
    let mut is_told = false;
    while let Err(error) = stored.reserve(to) {
        if !is_told {
            tracing::error!(%error, "time stands still until it can be stored");
            is_told = true;
        }
        tokio::time::sleep(PAUSE).await;
    }
    if is_told {
        tracing::info!("time is stored again, and goes on");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn time_stands_still_while_it_cannot_be_stored_and_then_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let start = Timestamp::from_seconds(1_000);
        let inside = folder.path().join("later");
        let stored = StoredClock::open(&inside.join("clock"), start).unwrap();
        std::fs::write(&inside, b"a file where a folder must be").unwrap();
        let clock = ServiceClock::advanced_from(stored.start());
        let running = tokio::spawn(run(clock.clone(), 1_000, stored));
        tokio::time::sleep(TICK * 8).await;
        assert_eq!(clock.now(), start, "no folder can be made there");
        std::fs::remove_file(&inside).unwrap();
        while clock.now() == start {
            tokio::time::sleep(TICK).await;
        }
        running.abort();
        let again = StoredClock::open(&inside.join("clock"), start).unwrap();
        assert!(again.start() >= clock.now());
    }
}
