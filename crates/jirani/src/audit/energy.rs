//! E1 to E4: tokens against metered energy.

use super::{Evidence, Finding};
use jirani_chain::HouseholdOnChain;
use jirani_market::report::is_awaited;
use jirani_store::HouseholdKind;
use jirani_units::{HouseholdId, Wh};

/// Supply = minted - burned = sum over all token accounts; every escrow covers
/// what its offer owes.
pub fn e1(evidence: &Evidence) -> Finding {
    let chain = &evidence.chain;
    let (closed_minted, closed_burned) = (chain.closed.minted_wh.0, chain.closed.burned_wh.0);
    let minted = closed_minted + chain.households.iter().map(|(_, h)| h.minted_wh.0).sum::<u64>();
    let burned = closed_burned + chain.households.iter().map(|(_, h)| h.burned_wh.0).sum::<u64>();
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
/// burned + shortfall = attested import + adjustments. Those that are closed had no
/// shortfall left.
pub fn e2(evidence: &Evidence) -> Finding {
    let closed = &evidence.chain.closed;
    if closed.minted_wh.0 != closed.export_wh.0 + closed.adjusted_export_wh.0
        || closed.burned_wh.0 != closed.import_wh.0 + closed.adjusted_import_wh.0
    {
        return Finding::Violated("the closed households' totals do not add up".to_owned());
    }
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
    // A closed household has no account any more; more than were closed cannot be missing.
    let mut gone = 0;
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
            None => {
                gone += 1;
                if gone > evidence.chain.closed.households {
                    return Finding::Violated(format!("household {} is not on chain", household.id));
                }
            }
        }
    }
    Finding::Holds
}

/// Every token is owed by somebody who drew that energy: supply = sum of shortfalls.
pub fn e4(evidence: &Evidence) -> Finding {
    let households = &evidence.chain.households;
    let Some(through) = households.iter().map(|(_, h)| h.attested_through).max() else {
        return Finding::NotChecked("nobody is enrolled".to_owned());
    };
    let records = || evidence.attested.iter().map(|history| &history.household);
    let is_loss = |id: HouseholdId| records().any(|h| h.id == id && h.kind == HouseholdKind::Loss);
    // Losses wait for who is silent, and no more once a meter was retired a day ago: then its
    // registers stay in the sums as they are.
    let is_missing = |(id, h): &&(HouseholdId, HouseholdOnChain)| {
        h.attested_through != through && (is_loss(*id) || is_awaited(h.attested_through, through))
    };
    if let Some((id, _)) = households.iter().find(is_missing) {
        return Finding::NotChecked(format!(
            "household {id} is not attested through the same slot as the others"
        ));
    }
    let closed = &evidence.chain.closed;
    let exported = closed.export_wh.0
        + closed.adjusted_export_wh.0
        + households.iter().map(|(_, h)| h.export_wh.0 + h.adjusted_export_wh.0).sum::<u64>();
    let imported = closed.import_wh.0
        + closed.adjusted_import_wh.0
        + households.iter().map(|(_, h)| h.import_wh.0 + h.adjusted_import_wh.0).sum::<u64>();
    if exported != imported && closed.households > 0 {
        // Only the chain's history tells through which slot a closed household was attested.
        return Finding::NotChecked(format!(
            "{} households are closed; `jirani audit --rpc --export` checks every slot by the chain's history",
            closed.households
        ));
    }
    if exported != imported {
        return Finding::Violated(format!("exported {exported} Wh, imported {imported} Wh, losses included"));
    }
    let shortfall: u64 = households.iter().map(|(_, h)| h.shortfall_wh.0).sum();
    let supply = evidence.chain.supply_wh.0;
    Finding::from_difference(
        (supply != shortfall).then(|| format!("supply is {supply} Wh, shortfalls are {shortfall} Wh")),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::Evidence;
    use crate::audit::evidence::History;
    use jirani_chain::ChainSnapshot;
    use jirani_chain::energy::ClosedOnChain;
    use jirani_store::{HouseholdRecord, Language};
    use jirani_units::Timestamp;

    /// One that imported 900 of the 1,000 Wh that a household exported which is closed.
    fn evidence(closed: ClosedOnChain) -> Evidence {
        let left = HouseholdOnChain {
            import_wh: Wh(900),
            burned_wh: Wh(600),
            shortfall_wh: Wh(300),
            ..HouseholdOnChain::default()
        };
        let chain = ChainSnapshot {
            supply_wh: Wh(400),
            token_accounts_wh: Wh(400),
            households: vec![(HouseholdId(2), left)],
            closed,
            ..ChainSnapshot::default()
        };
        Evidence {
            chain,
            attested: Vec::new(),
            journal: Vec::new(),
            balances: Vec::new(),
            orders: Vec::new(),
            receipts: Vec::new(),
            payouts: Vec::new(),
            proof_key: ([0; 32], String::new()),
            guarantee: Finding::Holds,
        }
    }

    #[test]
    fn who_is_silent_for_a_day_stays_in_the_sums_and_who_is_not_is_waited_for() {
        let seconds = Timestamp::from_seconds;
        let seller = HouseholdOnChain {
            export_wh: Wh(1_000),
            minted_wh: Wh(1_000),
            attested_through: seconds(900),
            ..HouseholdOnChain::default()
        };
        let told = |end: i64, losses: u64, loss_end: i64| {
            let mut evidence = evidence(ClosedOnChain::default());
            evidence.chain.households[0].1.attested_through = seconds(end);
            let loss = HouseholdOnChain {
                import_wh: Wh(losses),
                shortfall_wh: Wh(losses),
                attested_through: seconds(loss_end),
                ..HouseholdOnChain::default()
            };
            evidence.chain.households.extend([(HouseholdId(1), seller), (HouseholdId(9), loss)]);
            let household = HouseholdRecord {
                id: HouseholdId(9),
                kind: HouseholdKind::Loss,
                alias: String::new(),
                name: String::new(),
                msisdn: None,
                language: Language::En,
                meter: None,
                meter_key: [0; 32],
                meter_epoch: 0,
                export_rating_w: 0,
                import_rating_w: 0,
                pv_rated_w: 0,
                feeder: 1,
                chain_address: None,
                enrolled_at: seconds(0),
                version: 1,
            };
            evidence.attested.push(History { household, rows: Vec::new(), around: (None, None) });
            e4(&evidence)
        };
        let day = 900 + 86_400;
        assert_eq!(told(day, 100, day), Finding::Holds);
        assert!(matches!(told(day, 90, day), Finding::Violated(_)));
        assert!(matches!(told(day - 1, 100, day - 1), Finding::NotChecked(_)), "not silent for a day yet");
        assert!(matches!(told(day, 90, 900), Finding::NotChecked(_)), "losses wait");
    }

    #[test]
    fn what_closed_households_counted_stays_in_the_sums() {
        let closed = ClosedOnChain {
            households: 1,
            export_wh: Wh(900),
            adjusted_export_wh: Wh(100),
            minted_wh: Wh(1_000),
            ..ClosedOnChain::default()
        };
        assert_eq!(e1(&evidence(closed)), Finding::Holds);
        assert_eq!(e2(&evidence(closed)), Finding::Holds);
        let forgotten = ClosedOnChain { minted_wh: Wh(0), ..closed };
        assert!(matches!(e1(&evidence(forgotten)), Finding::Violated(_)));
        assert!(matches!(e2(&evidence(forgotten)), Finding::Violated(_)));
    }
}
