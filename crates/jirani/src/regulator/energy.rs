//! E1 to E4: tokens against metered energy, from the chain alone.

use super::Material;
use super::replay::moment;
use crate::audit::Finding;
use jirani_chain::Address;
use jirani_market::report::is_awaited;

/// Supply = minted - burned = sum over all token accounts, by the accounts and by the
/// events; every escrow covers what its offer owes.
pub fn e1(material: &Material) -> Finding {
    let chain = &material.chain;
    let supply = u128::from(chain.tokens.supply_wh);
    let held: u128 = chain.tokens.accounts.values().map(|wh| u128::from(*wh)).sum();
    if supply != held {
        return Finding::Violated(format!("supply is {supply} Wh, all token accounts hold {held} Wh"));
    }
    let closed = &chain.config.closed;
    let minted = u128::from(closed.minted_wh)
        + chain.households.values().map(|household| u128::from(household.minted_wh)).sum::<u128>();
    let burned = u128::from(closed.burned_wh)
        + chain.households.values().map(|household| u128::from(household.burned_wh)).sum::<u128>();
    if minted.checked_sub(burned) != Some(supply) {
        return Finding::Violated(format!(
            "minted {minted} - burned {burned} is not the supply, {supply} Wh"
        ));
    }
    let replay = &material.replay;
    if (replay.minted_wh, replay.burned_wh) != (minted, burned) {
        return Finding::Violated(format!(
            "the accounts say {minted} Wh minted and {burned} Wh burned, the events {} and {} Wh",
            replay.minted_wh, replay.burned_wh
        ));
    }
    let uncovered = chain.offers.values().find_map(|offer| {
        let escrow = chain.tokens.accounts.get(&Address::new_from_array(offer.escrow)).copied().unwrap_or(0);
        (escrow < offer.owed_wh()).then(|| {
            format!(
                "offer {} of household {} owes {} Wh and has {escrow} Wh in escrow",
                offer.id,
                offer.seller_id,
                offer.owed_wh()
            )
        })
    });
    Finding::from_difference(uncovered)
}

/// For every household: minted = attested export + adjustments, burned + shortfall =
/// attested import + adjustments, and both are what its events add up to; for the
/// closed ones together likewise.
pub fn e2(material: &Material) -> Finding {
    let closed = &material.chain.config.closed;
    if u128::from(closed.minted_wh) != u128::from(closed.export_wh) + u128::from(closed.adjusted_export_wh)
        || u128::from(closed.burned_wh)
            != u128::from(closed.import_wh) + u128::from(closed.adjusted_import_wh)
    {
        return Finding::Violated("the closed households' totals do not add up".to_owned());
    }
    if material.chain.households.len() != material.replay.households.len() {
        return Finding::Violated(format!(
            "the chain has {} households, its events {}",
            material.chain.households.len(),
            material.replay.households.len()
        ));
    }
    Finding::from_difference(material.chain.households.values().find_map(|h| {
        let export = u128::from(h.export_wh) + u128::from(h.adjusted_export_wh);
        let import = u128::from(h.import_wh) + u128::from(h.adjusted_import_wh);
        let id = h.id;
        let Some(track) = material.replay.households.get(&id) else {
            return Some(format!("household {id} was never enrolled by any event"));
        };
        if u128::from(h.minted_wh) != export {
            Some(format!("household {id}: minted {} Wh, attested {export} Wh", h.minted_wh))
        } else if u128::from(h.burned_wh) + u128::from(h.shortfall_wh) != import {
            Some(format!(
                "household {id}: burned {} + shortfall {} Wh, attested {import} Wh",
                h.burned_wh, h.shortfall_wh
            ))
        } else if (track.export_wh, track.import_wh) != (h.export_wh, h.import_wh)
            || (track.adjusted_export_wh, track.adjusted_import_wh)
                != (h.adjusted_export_wh, h.adjusted_import_wh)
        {
            Some(format!(
                "household {id}: its record says {} / {} Wh, its events {} / {} Wh",
                h.export_wh, h.import_wh, track.export_wh, track.import_wh
            ))
        } else {
            None
        }
    }))
}

/// No attestation lowers a register, is applied twice or exceeds the buckets of its
/// ratings: every row applied again by the program's rules.
pub fn e3(material: &Material) -> Finding {
    if let Some(what) = &material.replay.e3 {
        return Finding::Violated(what.clone());
    }
    Finding::from_difference(material.chain.households.values().find_map(|h| {
        let track = material.replay.households.get(&h.id)?;
        (track.last_slot_end != h.last_slot_end).then(|| {
            format!(
                "household {}: attested through {} on chain, by its events through {}",
                h.id,
                moment(h.last_slot_end),
                moment(track.last_slot_end)
            )
        })
    }))
}

/// At every slot through which a whole feeder is attested, what was exported was
/// imported by somebody, so that (by E2) supply = sum of shortfalls.
pub fn e4(material: &Material) -> Finding {
    if let Some(what) = &material.replay.e4 {
        return Finding::Violated(what.clone());
    }
    if material.replay.complete.is_empty() {
        return Finding::NotChecked(
            "no slot yet through which all of a feeder with a loss record is attested".to_owned(),
        );
    }
    let chain = &material.chain;
    let now = |feeder: u16| {
        let mut of = chain.households.values().filter(|household| household.feeder == feeder);
        material.replay.complete.get(&feeder).is_some_and(|slot| {
            of.all(|household| {
                let (last, end) = (household.last_slot_end, slot.slot_end);
                last == end || (last < end && !is_awaited(moment(last), moment(end)))
            })
        })
    };
    // Where every feeder stands at such a slot now, the tokens themselves are counted.
    if chain.households.values().all(|household| now(household.feeder)) && chain.config.closed.households == 0
    {
        let shortfall: u128 = chain.households.values().map(|h| u128::from(h.shortfall_wh)).sum();
        let supply = u128::from(chain.tokens.supply_wh);
        return Finding::from_difference(
            (supply != shortfall).then(|| format!("supply is {supply} Wh, shortfalls are {shortfall} Wh")),
        );
    }
    Finding::Holds
}
