//! The driver of a run that goes as fast as it can: the clock jumps to the next
//! moment anybody sleeps for, and only when nobody is at work.

use crate::progress::Progress;
use jirani_clock::stored::StoredClockError;
use jirani_clock::{ServiceClock, StoredClock};
use jirani_units::{Clock as _, Timestamp};
use std::future::Future;
use std::time::Duration;
use tokio::sync::watch;

/// How often every task may run before nobody is taken to be at work: one that
/// has just let go is about to sleep again.
const YIELDS: u32 = 16;
/// Real time after which a clock that nobody sleeps on has run down.
const STUCK: Duration = Duration::from_secs(30);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// The run cannot be driven on.
#[derive(Debug, thiserror::Error)]
pub enum DriveError {
    /// The clock's file cannot be written.
    #[error(transparent)]
    Clock(#[from] StoredClockError),
    /// Nobody waits for anything, and yet it is not the end.
    #[error(
        "village.stuck: nothing is due after {0}, but the run is not finished; look at the log for the part that stopped"
    )]
    Stuck(Timestamp),
}

/// Advances `clock` until the village has finished and `settled` says yes. `stored`
/// learns of every moment before services see it. `told` hears of every slot done.
/// `settled` is asked only after the village has finished, and only while all are idle.
pub async fn drive<F, Fut>(
    clock: &ServiceClock,
    mut stored: Option<StoredClock>,
    progress: watch::Receiver<Progress>,
    mut settled: F,
    mut told: impl FnMut(&Progress),
) -> Result<(), DriveError>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = bool>,
{
    let mut last = None;
    loop {
        all_idle(clock).await;
        let now = *progress.borrow();
        if last != Some(now) {
            told(&now);
            last = Some(now);
        }
        if now.finished && settled().await {
            return Ok(());
        }
        let due = next_due(clock).await.ok_or_else(|| DriveError::Stuck(clock.now()))?;
        if let Some(stored) = &mut stored {
            stored.reserve(due)?;
        }
        clock.advance_to(due);
    }
}

/// Waits until nobody is at work, and everybody who just was sleeps again.
async fn all_idle(clock: &ServiceClock) {
    'again: loop {
        clock.idle().await;
        for _ in 0..YIELDS {
            tokio::task::yield_now().await;
            if clock.activity().count() > 0 {
                continue 'again;
            }
        }
        return;
    }
}

/// The next moment somebody sleeps for; waits a little for a sleeper.
async fn next_due(clock: &ServiceClock) -> Option<Timestamp> {
    let mut waited = Duration::ZERO;
    loop {
        if let Some(due) = clock.next_due() {
            return Some(due);
        }
        if waited >= STUCK {
            return None;
        }
        tokio::time::sleep(LOOK_AGAIN).await;
        waited += LOOK_AGAIN;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_clock_jumps_from_sleeper_to_sleeper_until_all_is_settled() {
        let clock = ServiceClock::advanced_from(Timestamp(0));
        let start = Progress { slots_done: 0, slots: Some(3), through: Timestamp(0), finished: false };
        let (sender, progress) = watch::channel(start);
        let mut busy = clock.busy();
        let village = tokio::spawn({
            let clock = clock.clone();
            async move {
                for slot in 1..=3u64 {
                    let end = Timestamp::from_seconds(900 * i64::try_from(slot).unwrap());
                    busy = clock.rest_until(busy, end).await;
                    sender.send_replace(Progress {
                        slots_done: slot,
                        through: end,
                        finished: slot == 3,
                        ..start
                    });
                }
                drop(clock.rest_until(busy, Timestamp::from_seconds(5_000)).await);
            }
        });
        let mut seen = Vec::new();
        let told = |progress: &Progress| seen.push(progress.slots_done);
        drive(&clock, None, progress, || async { clock.now() >= Timestamp::from_seconds(5_000) }, told)
            .await
            .unwrap();
        assert_eq!(seen, [0, 1, 2, 3]);
        village.await.unwrap();
    }
}
