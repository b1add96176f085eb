//! R1: what was attested is what meters signed.

use super::{Evidence, Finding};
use jirani_store::HouseholdKind;

/// The last attested registers of every metered household equal the signed reading
/// at that moment, or lie between the two readings around it.
pub fn r1(evidence: &Evidence) -> Finding {
    for history in &evidence.attested {
        let household = &history.household;
        let Some((end, row)) = history.rows.last() else { continue };
        if household.kind == HouseholdKind::Loss {
            continue;
        }
        let violated = |what: &str| Finding::Violated(format!("household {} at {end}: {what}", household.id));
        let Some(before) = &history.around.0 else {
            return violated("attested without any signed reading");
        };
        if before.time == *end {
            if before.export_wh != row.export_wh || before.import_wh != row.import_wh {
                return violated("the attested registers are not those of the signed reading");
            }
            continue;
        }
        let Some(after) = &history.around.1 else {
            return violated("attested beyond the last signed reading");
        };
        if !row.estimated {
            return violated("interpolated but not marked as estimated");
        }
        if !(before.export_wh..=after.export_wh).contains(&row.export_wh)
            || !(before.import_wh..=after.import_wh).contains(&row.import_wh)
        {
            return violated("the estimate lies outside the readings around it");
        }
    }
    Finding::Holds
}
