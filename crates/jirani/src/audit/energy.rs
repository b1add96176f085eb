//! E1 to E4: tokens against metered energy.

use super::{Evidence, Finding};
use jirani_store::HouseholdKind;
use jirani_units::Wh;

/// Supply = minted - burned = sum over all token accounts; every escrow covers
/// what its offer owes.
pub fn e1(evidence: &Evidence) -> Finding {
    let chain = &evidence.chain;
    let minted: u64 = chain.households.iter().map(|(_, h)| h.minted_wh.0).sum();
    let burned: u64 = chain.households.iter().map(|(_, h)| h.burned_wh.0).sum();
    let supply = chain.supply_wh.0;
    if supply != chain.token_accounts_wh.0 {
        return Finding::Violated(format!(
            "supply is {supply} Wh, all token accounts hold {} Wh",
            chain.token_accounts_wh.0
        ));
    }
    if minted.checked_sub(burned) != Some(supply) {
        return Finding::Violated(format!(
            "minted {minted} - burned {burned} is not the supply, {supply} Wh"
        ));
    }
    Finding::from_difference(chain.offers.iter().find(|offer| offer.escrow_wh < offer.owed_wh).map(|offer| {
        format!(
            "offer {} owes {} Wh and has {} Wh in escrow",
            offer.offer, offer.owed_wh.0, offer.escrow_wh.0
        )
    }))
}

/// For every household: minted = attested export + adjustments, and
/// burned + shortfall = attested import + adjustments.
pub fn e2(evidence: &Evidence) -> Finding {
    Finding::from_difference(evidence.chain.households.iter().find_map(|(id, h)| {
        let export = h.export_wh.0 + h.adjusted_export_wh.0;
        let import = h.import_wh.0 + h.adjusted_import_wh.0;
        if h.minted_wh.0 != export {
            Some(format!("household {id}: minted {} Wh, attested {export} Wh", h.minted_wh.0))
        } else if h.burned_wh.0 + h.shortfall_wh.0 != import {
            Some(format!(
                "household {id}: burned {} + shortfall {} Wh, attested {import} Wh",
                h.burned_wh.0, h.shortfall_wh.0
            ))
        } else {
            None
        }
    }))
}

/// Attested registers only rise, at most as fast as the ratings allow, and the
/// chain stands where our last attestation left it.
pub fn e3(evidence: &Evidence) -> Finding {
    for history in &evidence.attested {
        let household = &history.household;
        for pair in history.rows.windows(2) {
            let ((from, before), (to, after)) = (&pair[0], &pair[1]);
            if after.export_wh < before.export_wh || after.import_wh < before.import_wh {
                return Finding::Violated(format!("household {}: a register falls at {to}", household.id));
            }
            if household.kind == HouseholdKind::Loss {
                continue;
            }
            let plausible = |rating_w: u32| {
                // Ratings are generous already; a tenth more is the program's own margin.
                let seconds = u64::try_from(to.since(*from) / 1_000_000).unwrap_or(0);
                Wh(u64::from(rating_w) * seconds / 3_600 * 11 / 10 + u64::from(rating_w))
            };
            if after.export_wh.saturating_sub(before.export_wh) > plausible(household.export_rating_w)
                || after.import_wh.saturating_sub(before.import_wh) > plausible(household.import_rating_w)
            {
                return Finding::Violated(format!(
                    "household {}: more energy than its ratings allow by {to}",
                    household.id
                ));
            }
        }
        let Some((end, last)) = history.rows.last() else { continue };
        let on_chain = evidence.chain.households.iter().find(|(id, _)| *id == household.id);
        match on_chain {
            Some((_, h)) if h.attested_through == *end => {
                if h.export_wh != last.export_wh || h.import_wh != last.import_wh {
                    return Finding::Violated(format!(
                        "household {}: the chain has {} / {} Wh, we attested {} / {} Wh",
                        household.id, h.export_wh.0, h.import_wh.0, last.export_wh.0, last.import_wh.0
                    ));
                }
            }
            Some((_, h)) if h.attested_through > *end => {
                return Finding::Violated(format!(
                    "household {}: the chain is attested through {}, our records end at {end}",
                    household.id, h.attested_through
                ));
            }
            Some(_) => {
                // A row the program refused whole is caught up by a later slot.
            }
            None => return Finding::Violated(format!("household {} is not on chain", household.id)),
        }
    }
    Finding::Holds
}

/// Every token is owed by somebody who drew that energy: supply = sum of shortfalls.
pub fn e4(evidence: &Evidence) -> Finding {
    let households = &evidence.chain.households;
    let Some((_, first)) = households.first() else {
        return Finding::NotChecked("nobody is enrolled".to_owned());
    };
    if let Some((id, _)) = households.iter().find(|(_, h)| h.attested_through != first.attested_through) {
        return Finding::NotChecked(format!(
            "household {id} is not attested through the same slot as the others"
        ));
    }
    let exported: u64 = households.iter().map(|(_, h)| h.export_wh.0 + h.adjusted_export_wh.0).sum();
    let imported: u64 = households.iter().map(|(_, h)| h.import_wh.0 + h.adjusted_import_wh.0).sum();
    if exported != imported {
        return Finding::Violated(format!("exported {exported} Wh, imported {imported} Wh, losses included"));
    }
    let shortfall: u64 = households.iter().map(|(_, h)| h.shortfall_wh.0).sum();
    let supply = evidence.chain.supply_wh.0;
    Finding::from_difference(
        (supply != shortfall).then(|| format!("supply is {supply} Wh, shortfalls are {shortfall} Wh")),
    )
}
