//! Config's sections, pausing and stopping.

use super::desk::Desk;
use crate::cli::chain::{CapsArguments, ChainCommand, DailyCaps, LimitsArguments, TariffArguments};
use jirani_chain::Address;
use jirani_chain::admin::{self, AdminError, CappedKey, Caps, Limits, Planned, Tariff};

/// Plans what concerns Config alone.
pub async fn plan(desk: &Desk, command: &ChainCommand) -> Result<Planned, AdminError> {
    use ChainCommand as C;
    let config = desk.operator.initialised().await?;
    let program = &desk.operator.program;
    Ok(match command {
        C::ProposeAdmin { admin } => admin::propose_admin(program, &config, admin.0),
        C::AcceptAdmin => admin::accept_admin(program, &config)?,
        C::RotateOracle { members, threshold } => {
            admin::rotate_oracle(program, &config, members, *threshold)?
        }
        C::RotateAttestor { attestors, caps } => {
            let attestors: Vec<CappedKey> = attestors.iter().map(|key| capped(*key, *caps)).collect();
            admin::rotate_attestor(program, &config, &attestors)?
        }
        C::RotateCustodian { custodian, caps } => {
            admin::rotate_custodian(program, &config, capped(*custodian, *caps))?
        }
        C::SetPauseKey { key } => admin::set_pause_key(program, &config, *key)?,
        C::SetTariff(arguments) => {
            admin::set_tariff(program, &config, tariff(desk, &config.tariff, arguments))?
        }
        C::SetLimits(arguments) => admin::set_limits(program, &config, limits(config.limits, arguments))?,
        C::SetCaps(arguments) => admin::set_caps(program, &config, caps(config.caps, arguments))?,
        C::Pause => {
            let may = [config.pause_key, config.admin].map(Address::new_from_array);
            let key = desk.preferred(&may).unwrap_or_default();
            admin::pause(program, &config, key)
        }
        C::Resume => admin::resume(program, &config),
        C::HardStop => admin::hard_stop(program, &config),
        C::LiftHardStop => admin::lift_hard_stop(program, &config),
        _ => return Err(AdminError::Invalid("this command does not change Config".to_owned())),
    })
}

/// A key with the caps of the flags.
pub fn capped(key: Address, caps: DailyCaps) -> CappedKey {
    let (wh, cents) = if caps.no_caps { (u64::MAX, u64::MAX) } else { (caps.cap_wh, caps.cap_cents) };
    CappedKey::new(key.to_bytes(), wh, cents)
}

/// The tariff of `[tariff]`.
pub fn tariff_of_settings(desk: &Desk) -> Tariff {
    let settings = &desk.config.tariff;
    Tariff {
        retail: settings.retail_cents_per_kwh,
        buy_back: settings.buy_back_cents_per_kwh,
        grid_fee: settings.grid_fee_cents_per_kwh,
        tax: settings.tax_cents_per_kwh,
    }
}

fn tariff(desk: &Desk, now: &Tariff, flags: &TariffArguments) -> Tariff {
    let TariffArguments { retail, buy_back, grid_fee, tax } = flags;
    if [retail, buy_back, grid_fee, tax].iter().all(|flag| flag.is_none()) {
        return tariff_of_settings(desk);
    }
    Tariff {
        retail: retail.unwrap_or(now.retail),
        buy_back: buy_back.unwrap_or(now.buy_back),
        grid_fee: grid_fee.unwrap_or(now.grid_fee),
        tax: tax.unwrap_or(now.tax),
    }
}

/// `base` with what the flags change.
pub fn limits(base: Limits, flags: &LimitsArguments) -> Limits {
    Limits {
        order_window_s: flags.order_window_s.unwrap_or(base.order_window_s),
        order_grace_s: flags.order_grace_s.unwrap_or(base.order_grace_s),
        marker_retention_s: flags.marker_retention_s.unwrap_or(base.marker_retention_s),
        offer_life_max_s: flags.offer_life_max_s.unwrap_or(base.offer_life_max_s),
        authority_delay_s: flags.authority_delay_s.unwrap_or(base.authority_delay_s),
        clock_skew_s: flags.clock_skew_s.unwrap_or(base.clock_skew_s),
        bucket_s: flags.bucket_s.unwrap_or(base.bucket_s),
        open_offers_max: flags.open_offers_max.unwrap_or(base.open_offers_max),
        open_orders_max: flags.open_orders_max.unwrap_or(base.open_orders_max),
    }
}

/// `base` with what the flags change.
pub fn caps(base: Caps, flags: &CapsArguments) -> Caps {
    Caps {
        adjustment_wh: flags.adjustment_wh.unwrap_or(base.adjustment_wh),
        withdrawal_wh: flags.withdrawal_wh.unwrap_or(base.withdrawal_wh),
        held_wh: flags.held_wh.unwrap_or(base.held_wh),
        unpaid_orders: flags.unpaid_orders.unwrap_or(base.unpaid_orders),
        reserved: 0,
    }
}
