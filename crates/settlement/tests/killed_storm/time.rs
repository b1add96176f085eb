//! One time for all processes: a file says how it follows from the system's, so that
//! who is killed and starts again is where the others are.

use jirani_clock::ServiceClock;
use jirani_units::{Clock as _, Timestamp};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Between two looks at the file, in real time.
const TICK: Duration = Duration::from_millis(2);

/// The file; whoever has its path can read and set the time.
#[derive(Clone)]
pub struct Time(PathBuf);

fn real_us() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    i64::try_from(since.as_micros()).unwrap()
}

impl Time {
    pub fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// From now on `speed` times as fast as the system's.
    pub fn run(&self, from: Timestamp, speed: i64) {
        let beside = self.0.with_extension("new");
        std::fs::write(&beside, format!("{} {} {speed}", real_us(), from.0)).unwrap();
        std::fs::rename(beside, &self.0).unwrap();
    }

    pub fn now(&self) -> Timestamp {
        self.read().unwrap()
    }

    /// `None` when the storm is over and its folder gone.
    fn read(&self) -> Option<Timestamp> {
        let text = std::fs::read_to_string(&self.0).ok()?;
        let numbers: Vec<i64> = text.split(' ').map(|number| number.parse().unwrap()).collect();
        let [real, from, speed] = numbers[..] else { panic!("{text}") };
        Some(Timestamp(from + (real_us() - real) * speed))
    }

    /// A clock that is moved on by the file as long as this process lives.
    pub fn follow(&self) -> ServiceClock {
        let clock = ServiceClock::advanced_from(self.now());
        let (time, moved) = (self.clone(), clock.clone());
        tokio::spawn(async move {
            let mut ticks = tokio::time::interval(TICK);
            while let Some(now) = time.read() {
                moved.advance_to(now.max(moved.now()));
                ticks.tick().await;
            }
        });
        clock
    }
}
