//! One household's record: its meter, its authority, its end, and mending its books.

use super::plan::{AdminError, Planned, address, shown};
use jirani_energy_interface::EnergyProgram;
use jirani_energy_interface::client::{Adjustment, Replacement};
use jirani_energy_interface::instruction::AuthorityAction;
use jirani_energy_interface::state::{Config, Household, day_of};
use sha2::{Digest as _, Sha256};
use solana_address::Address;

/// Another meter, another epoch, or other ratings.
pub fn replace_meter(
    program: &EnergyProgram,
    config: &Config,
    household: &Household,
    replacement: &Replacement,
) -> Result<Planned, AdminError> {
    let same_meter =
        (household.meter_key, household.meter_epoch) == (replacement.meter_key, replacement.meter_epoch);
    let registers = (replacement.initial_export_wh, replacement.initial_import_wh);
    if same_meter && registers != (household.meter_export_wh, household.meter_import_wh) {
        return Err(AdminError::Invalid(format!(
            "the same meter and epoch goes on at its attested registers, export {} and import {} Wh",
            household.meter_export_wh, household.meter_import_wh
        )));
    }
    if !same_meter && replacement.meter_epoch <= household.meter_epoch {
        return Err(AdminError::Invalid(format!(
            "another meter begins a later epoch than the household's {}: rows name the epoch, not the key",
            household.meter_epoch
        )));
    }
    let ratings = (replacement.export_rating_w, replacement.import_rating_w);
    let mut changes = Vec::new();
    if !same_meter {
        changes.push(format!(
            "meter {} epoch {} -> {} epoch {}",
            address(&household.meter_key),
            household.meter_epoch,
            address(&replacement.meter_key),
            replacement.meter_epoch
        ));
        changes.push(format!("it starts at export {} Wh, import {} Wh", registers.0, registers.1));
    }
    if ratings != (household.export_rating_w, household.import_rating_w) {
        changes.push(format!(
            "ratings: export {} -> {} W, import {} -> {} W",
            household.export_rating_w, ratings.0, household.import_rating_w, ratings.1
        ));
    }
    if changes.is_empty() {
        return Ok(Planned::Nothing("the household has this meter with these ratings already.".to_owned()));
    }
    Ok(Planned::one("replace-meter", changes, program.replace_meter(address(&config.admin), replacement)))
}

/// Proposes another authority; `None` makes the household custodial. By `key`: its
/// authority or the admin.
pub fn propose_authority(
    program: &EnergyProgram,
    config: &Config,
    household: &Household,
    key: Address,
    authority: Option<Address>,
) -> Result<Planned, AdminError> {
    may_sign(household, key, &[("its authority", household.authority), ("the admin", config.admin)])?;
    let next = authority.map_or_else(|| "the custodian".to_owned(), |next| next.to_string());
    let changes = vec![
        format!("authority: {} -> {next}", authority_of(household)),
        format!(
            "it can take over {} s after this lands, and be cancelled until then",
            config.limits.authority_delay_s
        ),
    ];
    let instruction = program.change_authority(key, household.id, AuthorityAction::Propose, authority);
    Ok(Planned::one("propose-authority", changes, instruction))
}

/// Takes a proposal back. By `key`: the household's authority, the custodian of a
/// custodial one, or the admin.
pub fn cancel_authority(
    program: &EnergyProgram,
    config: &Config,
    household: &Household,
    key: Address,
) -> Result<Planned, AdminError> {
    if household.pending_authority_at == 0 {
        return Ok(Planned::Nothing("no change of authority is proposed.".to_owned()));
    }
    let own = if household.is_custodial() {
        ("the custodian", config.custodian.key)
    } else {
        ("its authority", household.authority)
    };
    may_sign(household, key, &[own, ("the admin", config.admin)])?;
    let changes = vec![format!("{} stays the authority", authority_of(household))];
    let instruction = program.change_authority(key, household.id, AuthorityAction::Cancel, None);
    Ok(Planned::one("cancel-authority", changes, instruction))
}

/// The proposed authority takes over; a custodial one is confirmed by the admin.
/// `now` is the chain's time, Unix seconds.
pub fn accept_authority(
    program: &EnergyProgram,
    config: &Config,
    household: &Household,
    now: i64,
) -> Result<Planned, AdminError> {
    if household.pending_authority_at == 0 {
        return Err(AdminError::NotPossible(
            "no change of authority is proposed; do that by `propose-authority`".to_owned(),
        ));
    }
    let wait = household.pending_authority_at.saturating_sub(now);
    if wait > 0 {
        return Err(AdminError::NotPossible(format!("the change waits {wait} s more")));
    }
    let custodial = household.pending_authority == [0; 32];
    let key = address(if custodial { &config.admin } else { &household.pending_authority });
    let next = if custodial { "the custodian".to_owned() } else { key.to_string() };
    let changes = vec![format!("authority: {} -> {next}", authority_of(household))];
    let instruction = program.change_authority(key, household.id, AuthorityAction::Accept, None);
    Ok(Planned::one("accept-authority", changes, instruction))
}

/// What becomes of the feeder whose household is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeederAfter {
    /// It goes on, and its losses with it.
    GoesOn,
    /// It has ended: nothing of it is attested any more.
    Ended,
}

/// Closes an empty household; its rent goes back to who paid it. `vault_wh` are the
/// tokens in its vault, `rent_lamports` the rent of record and vault. A household that has
/// counted stays while its feeder goes on: its registers are a part of the losses, and who
/// computes or witnesses those reads them from its record.
pub fn close_household(
    program: &EnergyProgram,
    config: &Config,
    household: &Household,
    (vault_wh, rent_lamports): (u64, u64),
    feeder: FeederAfter,
) -> Result<Planned, AdminError> {
    let left = [
        (vault_wh, "Wh in its vault"),
        (household.shortfall_wh, "Wh of shortfall"),
        (u64::from(household.open_offers), "open offers"),
        (u64::from(household.open_orders), "open orders"),
    ];
    let left: Vec<String> =
        left.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    if !left.is_empty() {
        return Err(AdminError::NotPossible(format!(
            "household {} still has {}; end those first",
            household.id,
            left.join(", ")
        )));
    }
    let has_counted = household.export_wh > 0 || household.import_wh > 0;
    if has_counted && feeder == FeederAfter::GoesOn {
        return Err(AdminError::NotPossible(format!(
            "household {} has counted, and its feeder's losses go on from its registers: retire its meter \
             instead, or say --feeder-ended",
            household.id
        )));
    }
    let rent_payer = address(&household.rent_payer);
    let changes = vec![
        format!("household {} is closed; its counters go to the totals of closed households", household.id),
        format!("{rent_lamports} lamports of rent go to {rent_payer}"),
    ];
    let instruction = program.close_household(address(&config.admin), household.id, rent_payer);
    Ok(Planned::one("close-household", changes, instruction))
}

/// What is to be mended, why, and who says so.
#[derive(Clone, Debug)]
pub struct AdjustOrder<'a> {
    /// Export to add, Wh.
    pub export_wh: u64,
    /// Import to add, Wh.
    pub import_wh: u64,
    /// The reason, which stays with the operator; its hash goes on chain.
    pub reason: &'a str,
    /// Oracles that sign beside the admin.
    pub oracles: &'a [Address],
}

/// What stands on chain for a reason: SHA-256 of its trimmed text.
pub fn reason_hash(reason: &str) -> [u8; 32] {
    Sha256::digest(reason.trim()).into()
}

/// Adds export or import that the registers missed. `now` is the chain's time.
pub fn adjust(
    program: &EnergyProgram,
    config: &Config,
    household: &Household,
    order: &AdjustOrder<'_>,
    now: i64,
) -> Result<Planned, AdminError> {
    let energy = order.export_wh.checked_add(order.import_wh).filter(|energy| *energy > 0);
    let (Some(energy), false) = (energy, order.reason.trim().is_empty()) else {
        return Err(AdminError::Invalid("an adjustment needs energy and a reason".to_owned()));
    };
    let set = &config.oracles;
    if let Some(stranger) = order.oracles.iter().find(|oracle| !set.members().contains(&oracle.to_bytes())) {
        return Err(AdminError::Invalid(format!("{stranger} is no oracle of set {}", set.version)));
    }
    if order.oracles.len() < usize::from(set.threshold) {
        return Err(AdminError::Invalid(format!(
            "{} of the oracles must sign, and only {} do; name their keys by --key oracle=FILE",
            set.threshold,
            order.oracles.len()
        )));
    }
    let used = if day_of(now).is_some_and(|day| day > config.adjusted.day) { 0 } else { config.adjusted.wh };
    let left = config.caps.adjustment_wh.saturating_sub(used);
    if energy > left {
        return Err(AdminError::NotPossible(format!(
            "adjustments of {left} Wh are left today, not of {energy}; wait for the next UTC day or raise it by `set-caps`"
        )));
    }
    let reason = reason_hash(order.reason);
    let mut changes = Vec::new();
    if order.export_wh > 0 {
        changes.push(format!(
            "household {}: {} Wh of export are minted, shortfall first",
            household.id, order.export_wh
        ));
    }
    if order.import_wh > 0 {
        changes.push(format!(
            "household {}: {} Wh of import are burned, or become shortfall",
            household.id, order.import_wh
        ));
    }
    changes.push(format!(
        "reason, its SHA-256 goes on chain as {}: {}",
        address(&reason),
        order.reason.trim()
    ));
    changes.push("keep the reason: the chain has only its hash".to_owned());
    let adjustment = Adjustment {
        household_id: household.id,
        oracle_version: set.version,
        oracles: order.oracles,
        export_wh: order.export_wh,
        import_wh: order.import_wh,
        adjusted_export_wh: household.adjusted_export_wh,
        adjusted_import_wh: household.adjusted_import_wh,
        reason,
    };
    Ok(Planned::one("adjust", changes, program.adjust(address(&config.admin), &adjustment)))
}

fn authority_of(household: &Household) -> String {
    if household.is_custodial() { "the custodian".to_owned() } else { shown(&household.authority) }
}

fn may_sign(household: &Household, key: Address, who: &[(&str, [u8; 32])]) -> Result<(), AdminError> {
    if who.iter().any(|(_, known)| *known == key.to_bytes()) {
        return Ok(());
    }
    let who: Vec<String> = who
        .iter()
        .filter(|(_, key)| *key != [0; 32])
        .map(|(role, key)| format!("{role} {}", address(key)))
        .collect();
    Err(AdminError::Invalid(format!(
        "for household {} that is up to {}, not {key}",
        household.id,
        who.join(" or ")
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::plan::signers;
    use jirani_energy_interface::LOCAL_PROGRAM_ID;
    use jirani_energy_interface::state::{Caps, OracleSet, Record, flags};

    fn blank<T: Record>() -> T {
        let mut bytes = vec![0; T::LEN];
        bytes[0] = T::DISCRIMINATOR;
        bytes[1] = T::VERSION;
        T::decode(&bytes).unwrap()
    }

    fn key(byte: u8) -> Address {
        Address::new_from_array([byte; 32])
    }

    fn config() -> Config {
        let mut oracles = OracleSet::single([3; 32]);
        (oracles.count, oracles.threshold, oracles.members[1]) = (2, 2, [4; 32]);
        Config { admin: [1; 32], oracles, caps: Caps::default(), ..blank() }
    }

    fn household() -> Household {
        Household { id: 7, authority: [9; 32], meter_key: [6; 32], meter_epoch: 2, ..blank() }
    }

    fn program() -> EnergyProgram {
        EnergyProgram::new(LOCAL_PROGRAM_ID)
    }

    #[test]
    fn an_adjustment_needs_reason_energy_enough_oracles_and_room_under_the_cap() {
        let good = AdjustOrder {
            export_wh: 500,
            import_wh: 0,
            reason: " meter fell off ",
            oracles: &[key(3), key(4)],
        };
        let plan = |order: &AdjustOrder<'_>| adjust(&program(), &config(), &household(), order, 0);
        let Ok(Planned::Do(planned)) = plan(&good) else { panic!("a plan") };
        assert_eq!(signers(&planned.instructions).len(), 3, "admin and two oracles");
        assert!(planned.changes.join(" ").contains("500 Wh of export"));
        for wrong in [
            AdjustOrder { export_wh: 0, ..good.clone() },
            AdjustOrder { reason: "  ", ..good.clone() },
            AdjustOrder { oracles: &[key(3)], ..good.clone() },
            AdjustOrder { oracles: &[key(3), key(5)], ..good.clone() },
            AdjustOrder { export_wh: 100_001, ..good.clone() },
            AdjustOrder { export_wh: u64::MAX, import_wh: 1, ..good.clone() },
        ] {
            assert!(plan(&wrong).is_err(), "{wrong:?}");
        }
        assert_eq!(reason_hash("meter fell off"), reason_hash(" meter fell off\n"));
    }

    #[test]
    fn a_change_of_authority_waits_and_is_accepted_by_the_right_key() {
        let (program, config) = (program(), config());
        assert!(accept_authority(&program, &config, &household(), 0).is_err(), "nothing proposed");
        let proposed = Household { pending_authority: [8; 32], pending_authority_at: 100, ..household() };
        let error = accept_authority(&program, &config, &proposed, 40).unwrap_err().to_string();
        assert!(error.contains("60 s"), "{error}");
        let Ok(Planned::Do(plan)) = accept_authority(&program, &config, &proposed, 100) else {
            panic!("a plan")
        };
        assert_eq!(signers(&plan.instructions)[0].1, key(8));
        let custodial = Household { pending_authority: [0; 32], ..proposed };
        let Ok(Planned::Do(plan)) = accept_authority(&program, &config, &custodial, 100) else {
            panic!("a plan")
        };
        assert_eq!(signers(&plan.instructions)[0].1, key(1), "the admin confirms a custodial one");
        assert!(propose_authority(&program, &config, &household(), key(5), None).is_err(), "a stranger");
        let custodial = Household { flags: flags::CUSTODIAL, pending_authority_at: 100, ..household() };
        assert!(cancel_authority(&program, &config, &custodial, key(9)).is_err(), "its authority has no say");
    }

    #[test]
    fn a_household_with_anything_left_is_not_closed() {
        let (program, config) = (program(), config());
        let left = Household { open_offers: 2, ..household() };
        let error = close_household(&program, &config, &left, (5, 1), FeederAfter::GoesOn).unwrap_err();
        assert!(error.to_string().contains("5 Wh in its vault, 2 open offers"), "{error}");
        let closed = |household: &Household, feeder| {
            close_household(&program, &config, household, (0, 1), feeder).map_err(|error| error.to_string())
        };
        assert!(matches!(closed(&household(), FeederAfter::GoesOn), Ok(Planned::Do(_))));
        let counted = Household { import_wh: 1, ..household() };
        let error = closed(&counted, FeederAfter::GoesOn).unwrap_err();
        assert!(error.contains("retire its meter"), "{error}");
        assert!(matches!(closed(&counted, FeederAfter::Ended), Ok(Planned::Do(_))));
    }

    #[test]
    fn a_meter_goes_on_where_it_was_or_starts_anew() {
        let (program, config) = (program(), config());
        let now = Household { meter_export_wh: 10, ..household() };
        let same = Replacement {
            household_id: 7,
            meter_key: [6; 32],
            meter_epoch: 2,
            export_rating_w: 0,
            import_rating_w: 0,
            initial_export_wh: 10,
            initial_import_wh: 0,
        };
        let plan = |replacement| replace_meter(&program, &config, &now, &replacement);
        assert!(matches!(plan(same), Ok(Planned::Nothing(_))));
        assert!(plan(Replacement { initial_export_wh: 11, ..same }).is_err());
        assert!(plan(Replacement { meter_epoch: 1, initial_export_wh: 0, ..same }).is_err());
        assert!(matches!(plan(Replacement { export_rating_w: 5, ..same }), Ok(Planned::Do(_))));
        let other = Replacement { meter_key: [5; 32], initial_export_wh: 3, ..same };
        assert!(plan(other).is_err(), "another meter begins a later epoch");
        assert!(plan(Replacement { meter_epoch: 1, ..other }).is_err());
        assert!(matches!(plan(Replacement { meter_epoch: 3, ..other }), Ok(Planned::Do(_))));
    }
}
