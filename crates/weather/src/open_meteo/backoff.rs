use super::client::Refusal;
use jirani_units::Timestamp;

/// The first pause, in seconds; each further failure doubles it.
const FIRST_S: i64 = 60;
/// The longest pause of our own, in seconds.
const LONGEST_S: i64 = 3_600;
/// The longest pause that a provider may ask for, in seconds.
const ASKED_MAX_S: i64 = 6 * 3_600;

/// When the provider may be asked again.
#[derive(Debug, Default)]
pub(super) struct BackOff {
    failures: u32,
    until: Option<Timestamp>,
}

impl BackOff {
    /// Until when it must be left alone.
    pub fn wait(&self, now: Timestamp) -> Option<Timestamp> {
        self.until.filter(|until| now < *until)
    }

    /// Notes what an attempt came to.
    pub fn heard(&mut self, now: Timestamp, refused: Option<&Refusal>) {
        let Some(refusal) = refused else {
            *self = Self::default();
            return;
        };
        let own = (FIRST_S << self.failures.min(6)).min(LONGEST_S);
        let pause = refusal.retry_after_s.map_or(own, |asked| asked.clamp(own, ASKED_MAX_S));
        self.failures = self.failures.saturating_add(1);
        self.until = Some(now.plus_seconds(pause));
    }
}
