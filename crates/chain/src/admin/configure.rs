//! Changes of Config's sections, each as a new value for the whole section.

use super::plan::{AdminError, Planned, address, shown, shown_cap};
use jirani_energy_interface::EnergyProgram;
use jirani_energy_interface::client::Section;
use jirani_energy_interface::state::{
    ATTESTORS_MAX, CappedKey, Caps, Config, Limits, ORACLES_MAX, OracleSet, Tariff,
};
use solana_address::Address;

fn configured(
    program: &EnergyProgram,
    config: &Config,
    name: &'static str,
    changes: Vec<String>,
    section: &Section,
) -> Planned {
    if changes.is_empty() {
        return Planned::Nothing("Config has these values already.".to_owned());
    }
    Planned::one(name, changes, program.configure(address(&config.admin), section))
}

/// `field: old -> new` of what differs.
fn changed<T: PartialEq + ToString>(fields: &[(&str, T, T)]) -> Vec<String> {
    fields
        .iter()
        .filter(|(_, old, new)| old != new)
        .map(|(name, old, new)| format!("{name}: {} -> {}", old.to_string(), new.to_string()))
        .collect()
}

/// Proposes the next admin; `None` takes a proposal back.
pub fn propose_admin(program: &EnergyProgram, config: &Config, admin: Option<Address>) -> Planned {
    let next = admin.unwrap_or_default();
    let changes = changed(&[("pending admin", shown(&config.pending_admin), shown(&next.to_bytes()))]);
    configured(program, config, "propose-admin", changes, &Section::PendingAdmin(next))
}

/// The proposed admin takes over.
pub fn accept_admin(program: &EnergyProgram, config: &Config) -> Result<Planned, AdminError> {
    if config.pending_admin == [0; 32] {
        return Err(AdminError::NotPossible(
            "nobody is proposed as admin; the admin does that by `propose-admin`".to_owned(),
        ));
    }
    let next = address(&config.pending_admin);
    let changes = vec![format!("admin: {} -> {next}", address(&config.admin))];
    Ok(Planned::one("accept-admin", changes, program.accept_admin(next)))
}

/// The oracles `members`, of whom `threshold` must sign. What was attested under the
/// old version and has not landed is refused from then on.
pub fn rotate_oracle(
    program: &EnergyProgram,
    config: &Config,
    members: &[Address],
    threshold: u8,
) -> Result<Planned, AdminError> {
    let set = oracle_set(members, threshold)?;
    let old = &config.oracles;
    if (old.threshold, old.members()) == (set.threshold, set.members()) {
        return Ok(Planned::Nothing(format!("version {} is this set already.", old.version)));
    }
    let mut changes = vec![
        format!("oracle set: version {} -> {}", old.version, u64::from(old.version) + 1),
        format!("threshold: {} of {} -> {} of {}", old.threshold, old.count, set.threshold, set.count),
    ];
    changes.extend(
        set.members()
            .iter()
            .filter(|key| !old.members().contains(key))
            .map(|key| format!("in: {}", address(key))),
    );
    changes.extend(
        old.members()
            .iter()
            .filter(|key| !set.members().contains(key))
            .map(|key| format!("out: {}", address(key))),
    );
    changes.push(format!("attestations signed for version {} are refused from then on", old.version));
    Ok(configured(program, config, "rotate-oracle", changes, &Section::Oracles(set)))
}

/// A set of oracles that the program takes.
pub(super) fn oracle_set(members: &[Address], threshold: u8) -> Result<OracleSet, AdminError> {
    let mut set = OracleSet {
        version: 0,
        threshold,
        count: u8::try_from(members.len()).unwrap_or(u8::MAX),
        reserved: [0; 2],
        members: [[0; 32]; ORACLES_MAX],
    };
    for (place, member) in set.members.iter_mut().zip(members) {
        *place = member.to_bytes();
    }
    if set.is_valid() {
        return Ok(set);
    }
    Err(AdminError::Invalid(format!(
        "an oracle set has 1 to {ORACLES_MAX} different members and a threshold between 1 and their number, not {} with threshold {threshold}",
        members.len()
    )))
}

/// All attestors with their daily caps.
pub fn rotate_attestor(
    program: &EnergyProgram,
    config: &Config,
    attestors: &[CappedKey],
) -> Result<Planned, AdminError> {
    let all = attestor_places(attestors)?;
    let mut changes = Vec::new();
    for new in attestors {
        match config.attestors.iter().find(|old| old.key == new.key) {
            None => changes.push(format!("in: {}", shown_key(new))),
            Some(old) if (old.cap_wh, old.cap_cents) != (new.cap_wh, new.cap_cents) => {
                changes.push(format!("{} -> {}", shown_key(old), shown_caps(new)));
            }
            Some(_) => {}
        }
    }
    let gone =
        config.attestors.iter().filter(|old| old.key != [0; 32] && all.iter().all(|new| new.key != old.key));
    changes.extend(gone.map(|old| format!("out: {}", shown_key(old))));
    Ok(configured(program, config, "rotate-attestor", changes, &Section::Attestors(all)))
}

/// The attestors in their places.
pub(super) fn attestor_places(attestors: &[CappedKey]) -> Result<[CappedKey; ATTESTORS_MAX], AdminError> {
    let different = attestors
        .iter()
        .enumerate()
        .all(|(i, one)| one.key != [0; 32] && attestors.iter().take(i).all(|other| other.key != one.key));
    if attestors.is_empty() || attestors.len() > ATTESTORS_MAX || !different {
        return Err(AdminError::Invalid(format!(
            "there are 1 to {ATTESTORS_MAX} different attestors, not {}",
            attestors.len()
        )));
    }
    let mut all = [CappedKey::NONE; ATTESTORS_MAX];
    for (place, attestor) in all.iter_mut().zip(attestors) {
        *place = *attestor;
    }
    Ok(all)
}

/// The custodian with its daily caps.
pub fn rotate_custodian(
    program: &EnergyProgram,
    config: &Config,
    custodian: CappedKey,
) -> Result<Planned, AdminError> {
    if custodian.key == [0; 32] {
        return Err(AdminError::Invalid("the custodian needs a key".to_owned()));
    }
    let old = &config.custodian;
    let same = (old.key, old.cap_wh, old.cap_cents) == (custodian.key, custodian.cap_wh, custodian.cap_cents);
    let changes = if same {
        Vec::new()
    } else {
        vec![format!("custodian: {} -> {}", shown_key(old), shown_key(&custodian))]
    };
    Ok(configured(program, config, "rotate-custodian", changes, &Section::Custodian(custodian)))
}

/// Who may pause.
pub fn set_pause_key(program: &EnergyProgram, config: &Config, key: Address) -> Result<Planned, AdminError> {
    if key == Address::default() {
        return Err(AdminError::Invalid("the pause key must be a key".to_owned()));
    }
    let changes = changed(&[("pause key", shown(&config.pause_key), shown(&key.to_bytes()))]);
    Ok(configured(program, config, "set-pause-key", changes, &Section::PauseKey(key)))
}

/// Bounds on prices.
pub fn set_tariff(program: &EnergyProgram, config: &Config, tariff: Tariff) -> Result<Planned, AdminError> {
    check_tariff(&tariff)?;
    let old = &config.tariff;
    let changes = changed(&[
        ("retail, cents per kWh", old.retail, tariff.retail),
        ("buy-back, cents per kWh", old.buy_back, tariff.buy_back),
        ("grid fee, cents per kWh", old.grid_fee, tariff.grid_fee),
        ("tax, cents per kWh", old.tax, tariff.tax),
    ]);
    Ok(configured(program, config, "set-tariff", changes, &Section::Tariff(tariff)))
}

pub(super) fn check_tariff(tariff: &Tariff) -> Result<(), AdminError> {
    if tariff.is_valid() {
        return Ok(());
    }
    Err(AdminError::Invalid(
        "the tariff must satisfy 0 < buy-back <= retail - fee - tax, with retail at most 1000000 cents per kWh".to_owned(),
    ))
}

/// Windows and limits.
pub fn set_limits(program: &EnergyProgram, config: &Config, limits: Limits) -> Result<Planned, AdminError> {
    check_limits(&limits)?;
    let old = &config.limits;
    let changes = changed(&[
        ("order window, s", old.order_window_s, limits.order_window_s),
        ("order grace, s", old.order_grace_s, limits.order_grace_s),
        ("marker retention, s", old.marker_retention_s, limits.marker_retention_s),
        ("longest offer, s", old.offer_life_max_s, limits.offer_life_max_s),
        ("authority delay, s", old.authority_delay_s, limits.authority_delay_s),
        ("clock skew, s", old.clock_skew_s, limits.clock_skew_s),
        ("bucket, s", old.bucket_s, limits.bucket_s),
        ("open offers", u32::from(old.open_offers_max), u32::from(limits.open_offers_max)),
        ("open orders", u32::from(old.open_orders_max), u32::from(limits.open_orders_max)),
    ]);
    Ok(configured(program, config, "set-limits", changes, &Section::Limits(limits)))
}

pub(super) fn check_limits(limits: &Limits) -> Result<(), AdminError> {
    if limits.is_valid() {
        return Ok(());
    }
    Err(AdminError::Invalid(
        "the order's window and grace are 1 s to a day each; markers stay longer than twice both and the skew; \
         offers live 60 s to 366 days; skew is at most 3600 s; buckets hold an hour to 366 days; at least one offer and order is open"
            .to_owned(),
    ))
}

/// Daily caps and holds.
pub fn set_caps(program: &EnergyProgram, config: &Config, caps: Caps) -> Result<Planned, AdminError> {
    check_caps(&caps)?;
    let old = &config.caps;
    let changes = changed(&[
        ("adjustments per day, Wh", old.adjustment_wh, caps.adjustment_wh),
        ("withdrawals per household and day, Wh", old.withdrawal_wh, caps.withdrawal_wh),
        ("held by a household's orders, Wh", old.held_wh, caps.held_wh),
        ("unpaid orders per household and day", u64::from(old.unpaid_orders), u64::from(caps.unpaid_orders)),
    ]);
    Ok(configured(program, config, "set-caps", changes, &Section::Caps(caps)))
}

pub(super) fn check_caps(caps: &Caps) -> Result<(), AdminError> {
    if caps.is_valid() {
        return Ok(());
    }
    Err(AdminError::Invalid(
        "a household must be allowed to hold some energy and to leave some orders unpaid".to_owned(),
    ))
}

fn shown_key(key: &CappedKey) -> String {
    format!("{} ({})", shown(&key.key), shown_caps(key))
}

fn shown_caps(key: &CappedKey) -> String {
    format!("{} and {} a day", shown_cap(key.cap_wh, "Wh"), shown_cap(key.cap_cents, "cents"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::plan::AdminPlan;
    use jirani_energy_interface::LOCAL_PROGRAM_ID;

    fn key(byte: u8) -> Address {
        Address::new_from_array([byte; 32])
    }

    fn config() -> Config {
        Config {
            admin: [1; 32],
            pause_key: [2; 32],
            tariff: Tariff { retail: 3_500, buy_back: 1_000, grid_fee: 300, tax: 200 },
            limits: Limits::default(),
            oracles: OracleSet::single([3; 32]),
            attestors: [CappedKey::new([4; 32], 10, 20), CappedKey::NONE, CappedKey::NONE, CappedKey::NONE],
            custodian: CappedKey::new([5; 32], 10, 20),
            caps: Caps::default(),
            ..blank()
        }
    }

    fn blank() -> Config {
        // A Config of zeroes, by way of its bytes: layouts are plain data.
        use jirani_energy_interface::state::Record;
        let mut bytes = vec![0; Config::LEN];
        bytes[0] = Config::DISCRIMINATOR;
        bytes[1] = Config::VERSION;
        Config::decode(&bytes).unwrap()
    }

    fn program() -> EnergyProgram {
        EnergyProgram::new(LOCAL_PROGRAM_ID)
    }

    fn done(planned: Planned) -> AdminPlan {
        match planned {
            Planned::Do(plan) => plan,
            Planned::Nothing(why) => panic!("nothing: {why}"),
        }
    }

    #[test]
    fn a_new_oracle_set_names_both_versions_and_who_comes_and_goes() {
        let plan = done(rotate_oracle(&program(), &config(), &[key(6), key(7)], 2).unwrap());
        let text = plan.changes.join("\n");
        for words in [
            "version 1 -> 2",
            "1 of 1 -> 2 of 2",
            &format!("in: {}", key(6)),
            &format!("out: {}", key(3)),
            "refused",
        ] {
            assert!(text.contains(words), "{words}: {text}");
        }
        let same = rotate_oracle(&program(), &config(), &[key(3)], 1).unwrap();
        assert!(matches!(same, Planned::Nothing(_)));
        for (members, threshold) in [
            (vec![], 1),
            (vec![key(6); 2], 1),
            (vec![key(6)], 2),
            (vec![key(6)], 0),
            ((1..10).map(key).collect(), 1),
        ] {
            assert!(
                rotate_oracle(&program(), &config(), &members, threshold).is_err(),
                "{members:?} {threshold}"
            );
        }
    }

    #[test]
    fn a_section_that_stays_is_not_sent() {
        let (program, config) = (program(), config());
        for planned in [
            set_tariff(&program, &config, config.tariff),
            set_limits(&program, &config, config.limits),
            set_caps(&program, &config, config.caps),
            set_pause_key(&program, &config, key(2)),
            rotate_custodian(&program, &config, config.custodian),
            rotate_attestor(&program, &config, &config.attestors[..1]),
            Ok(propose_admin(&program, &config, None)),
        ] {
            assert!(matches!(planned, Ok(Planned::Nothing(_))));
        }
    }

    #[test]
    fn what_the_program_would_refuse_is_refused_before() {
        let (program, config) = (program(), config());
        assert!(set_tariff(&program, &config, Tariff { buy_back: 9_000, ..config.tariff }).is_err());
        assert!(set_limits(&program, &config, Limits { marker_retention_s: 1, ..config.limits }).is_err());
        assert!(set_caps(&program, &config, Caps { held_wh: 0, ..config.caps }).is_err());
        assert!(rotate_attestor(&program, &config, &[]).is_err());
        assert!(rotate_attestor(&program, &config, &[config.attestors[0]; 2]).is_err());
        assert!(accept_admin(&program, &config).is_err(), "nobody is proposed");
    }

    #[test]
    fn the_admin_of_config_signs_and_the_proposed_one_accepts() {
        let plan = done(propose_admin(&program(), &config(), Some(key(9))));
        assert_eq!(crate::admin::plan::signers(&plan.instructions), [("admin".to_owned(), key(1))]);
        let proposed = Config { pending_admin: [9; 32], ..config() };
        let plan = done(accept_admin(&program(), &proposed).unwrap());
        assert_eq!(crate::admin::plan::signers(&plan.instructions), [("pending_admin".to_owned(), key(9))]);
    }

    #[test]
    fn caps_that_change_are_shown_with_their_old_values() {
        let plan =
            done(rotate_attestor(&program(), &config(), &[CappedKey::new([4; 32], u64::MAX, 20)]).unwrap());
        assert!(
            plan.changes[0].contains("10 Wh") && plan.changes[0].contains("no limit"),
            "{:?}",
            plan.changes
        );
    }
}
