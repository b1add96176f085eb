//! Stuck: every reading of an hour tells of power in one direction, and that direction's
//! register did not count it.

use super::Whole;
use crate::finding::{Finding, Rule, Severity};
use crate::profile::Hour;

/// Power that any register counts within an hour, in W.
const LEAST_W: i32 = 100;
/// What a register must at least have counted of the least power told, as a divisor.
const PART: u64 = 4;

pub(super) fn day(at: &Whole<'_>) -> Option<Finding> {
    let known = at.today.hours.iter().flatten();
    let (mut import_hours, mut export_hours, mut told_wh, mut counted_wh) = (0_u32, 0_u32, 0_u64, 0_u64);
    for hour in known {
        let Some((told, counted, direction)) = still(hour) else { continue };
        match direction {
            Direction::Import => import_hours += 1,
            Direction::Export => export_hours += 1,
        }
        told_wh += told;
        counted_wh += counted;
    }
    (import_hours.max(export_hours) >= at.policy.stuck_hours).then(|| {
        let evidence = [
            ("import_hours", u64::from(import_hours)),
            ("export_hours", u64::from(export_hours)),
            ("told_wh", told_wh),
            ("counted_wh", counted_wh),
        ];
        Finding::new(Rule::Stuck, Severity::Hold, &evidence)
    })
}

enum Direction {
    Import,
    Export,
}

fn still(hour: &Hour) -> Option<(u64, u64, Direction)> {
    let (least, greatest) = hour.power_w?;
    let (power_w, counted, direction) = if least >= LEAST_W {
        (least, hour.export_wh, Direction::Export)
    } else if greatest <= -LEAST_W {
        (greatest, hour.import_wh, Direction::Import)
    } else {
        return None;
    };
    let told = u64::from(power_w.unsigned_abs());
    (u64::from(counted) < told / PART).then_some((told, counted.into(), direction))
}
