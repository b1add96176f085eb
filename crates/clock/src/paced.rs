//! Drives an advanced clock along real time, `speed` times as fast.
//!
//! While a person looks at an open prompt, time runs at 1x: nobody can type a
//! PIN in two seconds. While work is under way from one tick to the next it also
//! runs at 1x, so that deadlines mean the same at any speed.

use crate::service_clock::ServiceClock;
use crate::stored::{StoredClock, StoredClockError};
use jirani_units::Clock;
use std::time::{Duration, Instant};

const TICK: Duration = Duration::from_millis(50);

/// Advances `clock` until the task is dropped. `stored` learns of every moment
/// before services can see it.
pub async fn run(clock: ServiceClock, speed: u32, mut stored: StoredClock) -> Result<(), StoredClockError> {
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
        let to = jirani_units::Timestamp(clock.now().0.saturating_add(step));
        stored.reserve(to)?;
        clock.advance_to(to);
    }
}
