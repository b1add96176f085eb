//! Markers, expired offers and unpaid orders.

use super::desk::Desk;
use crate::cli::chain::Reason;
use jirani_chain::Address;
use jirani_chain::admin::{self, AdminError, Order, Planned, ReleaseReason};
use jirani_chain::keyring::Role;

/// Plans the end of every marker whose time is over.
pub async fn close_markers(desk: &Desk) -> Result<Vec<Planned>, AdminError> {
    let config = desk.operator.initialised().await?;
    let now = desk.operator.now().await?;
    let markers: Vec<_> =
        desk.operator.records().await?.markers.into_iter().map(|(_, marker, rent)| (marker, rent)).collect();
    let plans = admin::close_markers(&desk.operator.program, &config, &markers, now);
    if plans.is_empty() {
        return Ok(vec![Planned::Nothing(format!("none of {} markers may be closed yet.", markers.len()))]);
    }
    Ok(plans.into_iter().map(Planned::Do).collect())
}

/// Plans the return of every expired offer.
pub async fn expire_offers(desk: &Desk) -> Result<Vec<Planned>, AdminError> {
    desk.operator.initialised().await?;
    let now = desk.operator.now().await?;
    let offers = desk.operator.records().await?.offers;
    let escrows: Vec<Address> =
        offers.iter().map(|(_, offer, _)| Address::new_from_array(offer.escrow)).collect();
    let escrows = desk.operator.tokens(&escrows).await?;
    let offers: Vec<_> = offers
        .into_iter()
        .zip(escrows)
        .map(|((_, offer, rent), (_, escrow_rent))| (offer, rent.saturating_add(escrow_rent)))
        .collect();
    let plans = admin::expire_offers(&desk.operator.program, desk.payer()?, &offers, now);
    if plans.is_empty() {
        return Ok(vec![Planned::Nothing(format!(
            "none of {} offers is over with energy to return.",
            offers.len()
        ))]);
    }
    Ok(plans.into_iter().map(Planned::Do).collect())
}

/// Plans the end of an unpaid order: by an attestor whose key is at hand, else by the
/// payer, as anybody may once its time is over.
pub async fn release_order(desk: &Desk, buyer: u32, id: u64, reason: Reason) -> Result<Planned, AdminError> {
    let config = desk.operator.initialised().await?;
    let program = &desk.operator.program;
    let at = program.order(&program.household(buyer), id);
    let what = format!("open order {id} of household {buyer}");
    let (order, _): (Order, _) = desk.operator.record(at, &what).await?;
    let mut offers = Vec::with_capacity(order.fills().len());
    for fill in order.fills() {
        offers.push(desk.operator.record(Address::new_from_array(fill.offer), "offer of the order").await?.0);
    }
    let attestors = desk.keys.addresses(Role::Attestor);
    let caller =
        match attestors.iter().find(|key| config.attestors.iter().any(|known| known.key == key.to_bytes())) {
            Some(attestor) => *attestor,
            None => desk.payer()?,
        };
    let reason = match reason {
        Reason::Refused => ReleaseReason::PaymentRefused,
        Reason::Timeout => ReleaseReason::PaymentTimeout,
        Reason::Short => ReleaseReason::PaidShort,
        Reason::Paused => ReleaseReason::Paused,
    };
    let now = desk.operator.now().await?;
    admin::release_order(program, &config, &order, &offers, caller, reason, now)
}
