//! Messages that came before the one they follow.
//!
//! When several gateways share a subscription, two messages of one meter may go to two of
//! them, and the later one may be first. To keep it at once would make the earlier one old;
//! so it waits a moment, until the earlier one is stored, wherever it went. What never
//! comes is a gap, as it always was. Meters send a message only when the one before is
//! acknowledged; whoever sends several at a time is served, too.

use crate::known::Known;
use crate::link::Inbound;
use jirani_meter::{Reading, message};
use jirani_units::MeterId;
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::Instant;

/// How long a message waits for the one before it.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often it is looked after.
const LOOK: Duration = Duration::from_millis(20);
/// Messages that may wait; beyond that none does.
const WAITING_MAX: usize = 1_024;

/// The messages that wait.
#[derive(Default)]
pub(crate) struct Early(Vec<(Instant, Inbound)>);

impl Early {
    /// When to look again; never without messages.
    pub(crate) async fn look(&self) {
        if self.0.is_empty() {
            std::future::pending::<()>().await;
        }
        tokio::time::sleep(LOOK).await;
    }

    /// All that wait and all that came: the meters that they name.
    pub(crate) fn meters<'a>(&'a self, batch: &'a [Inbound]) -> Vec<MeterId> {
        let all = self.0.iter().map(|(_, inbound)| inbound).chain(batch);
        let meters: BTreeSet<MeterId> = all.filter_map(first).map(|(meter, ..)| meter).collect();
        meters.into_iter().collect()
    }

    /// Of all that wait and all that came, what can be judged now; the rest waits.
    pub(crate) fn sort(&mut self, batch: Vec<Inbound>, known: &Known) -> Vec<Inbound> {
        let now = Instant::now();
        let mut ready = Vec::with_capacity(batch.len() + self.0.len());
        let mut waiting = std::mem::take(&mut self.0);
        waiting.extend(batch.into_iter().map(|inbound| (now + PATIENCE, inbound)));
        // One that waits may be what another waits for: by number they come in order.
        waiting.sort_by_key(|(_, inbound)| first(inbound));
        let mut next = None;
        for (until, inbound) in waiting {
            let is_early = first(&inbound).is_some_and(|(meter, epoch, seq)| {
                let expected = match next {
                    Some((same, of, seq)) if (same, of) == (meter, epoch) => seq,
                    _ => known
                        .latest
                        .get(&meter)
                        .filter(|latest| latest.epoch == epoch)
                        .map_or(1, |latest| latest.seq.saturating_add(1)),
                };
                seq > expected
            });
            if is_early && now < until && self.0.len() < WAITING_MAX {
                self.0.push((until, inbound));
                continue;
            }
            if let Some((meter, epoch, seq)) = first(&inbound) {
                next = Some((meter, epoch, seq.saturating_add(count(&inbound))));
            }
            ready.push(inbound);
        }
        ready
    }
}

/// Whose, and which, a message's first reading says it is; nothing is proven by it.
fn first(inbound: &Inbound) -> Option<(MeterId, u32, u64)> {
    let signed = message::split(&inbound.publish.payload).ok()?.next()?.ok()?;
    let (reading, _) = Reading::decode(signed.bytes).ok()?;
    Some((MeterId(reading.meter), reading.epoch, reading.seq))
}

fn count(inbound: &Inbound) -> u64 {
    message::split(&inbound.publish.payload).map_or(0, |readings| readings.count() as u64)
}
