//! Cleaning up what anybody may: markers whose time is over, expired offers, orders
//! that were never paid.

use super::plan::{AdminError, AdminPlan, Planned, address};
use jirani_energy_interface::client::FillAccounts;
use jirani_energy_interface::instruction::ReleaseReason;
use jirani_energy_interface::state::{Config, Marker, Offer, OfferState, Order};
use jirani_energy_interface::{EnergyProgram, Proof, ProofKind};
use solana_address::Address;

/// Markers of one transaction: each may lock two accounts of the 64.
const MARKERS_PER_TRANSACTION: usize = 24;
/// Offers of one transaction: each may lock five accounts besides seven shared ones.
const OFFERS_PER_TRANSACTION: usize = 6;

/// Closes the markers whose retention is over by the chain's time `now`; each comes
/// with its lamports. Empty when none can be closed.
pub fn close_markers(
    program: &EnergyProgram,
    config: &Config,
    markers: &[(Marker, u64)],
    now: i64,
) -> Vec<AdminPlan> {
    let closable: Vec<(Proof, Address, u64)> = markers
        .iter()
        .filter(|(marker, _)| now > closable_at(config, marker, now))
        .filter_map(|(marker, lamports)| {
            let kind = ProofKind::from_byte(marker.kind)?;
            Some((Proof { kind, hash: marker.proof }, address(&marker.rent_payer), *lamports))
        })
        .collect();
    closable
        .chunks(MARKERS_PER_TRANSACTION)
        .map(|chunk| {
            let rent: u64 = chunk.iter().map(|(_, _, lamports)| lamports).sum();
            let accounts: Vec<(Proof, Address)> =
                chunk.iter().map(|(proof, payer, _)| (*proof, *payer)).collect();
            AdminPlan {
                name: "close-markers",
                changes: vec![format!("{} markers are closed, {rent} lamports of rent go back", chunk.len())],
                instructions: vec![program.close_markers(&accounts)],
            }
        })
        .collect()
}

/// From when a marker may be closed: every pause since it was made puts that off.
fn closable_at(config: &Config, marker: &Marker, now: i64) -> i64 {
    let pause = config.paused_s_until(now).saturating_sub(marker.paused_s);
    marker.closable_at.saturating_add(i64::try_from(pause).unwrap_or(i64::MAX))
}

/// Returns what is left of expired offers to their sellers' vaults, by `caller`,
/// who may be anybody; each offer comes with the lamports of its account and escrow.
pub fn expire_offers(
    program: &EnergyProgram,
    caller: Address,
    offers: &[(Offer, u64)],
    now: i64,
) -> Vec<AdminPlan> {
    let over: Vec<&(Offer, u64)> = offers
        .iter()
        .filter(|(offer, _)| now > offer.expires_at || offer.state == OfferState::Closing as u8)
        // What orders hold stays until they are final.
        .filter(|(offer, _)| offer.free_wh() > 0 || offer.owed_wh() == 0)
        .collect();
    over.chunks(OFFERS_PER_TRANSACTION)
        .map(|chunk| AdminPlan {
            name: "expire-offers",
            changes: chunk
                .iter()
                .map(|(offer, lamports)| {
                    let rent = if offer.reserved_wh == 0 {
                        format!("{lamports} lamports of rent go to {}", address(&offer.rent_payer))
                    } else {
                        format!("{} Wh stay for open orders", offer.reserved_wh)
                    };
                    format!(
                        "offer {} of household {}: {} Wh go back; {rent}",
                        offer.id,
                        offer.seller_id,
                        offer.free_wh()
                    )
                })
                .collect(),
            instructions: chunk
                .iter()
                .map(|(offer, _)| {
                    program.cancel_offer(caller, offer.seller_id, offer.id, address(&offer.rent_payer))
                })
                .collect(),
        })
        .collect()
}

/// Gives an order up; its offers have the energy free again. By an attestor at any
/// time, by anybody once deadline and grace are over. `offers` are those that its
/// fills name, in their order.
pub fn release_order(
    program: &EnergyProgram,
    config: &Config,
    order: &Order,
    offers: &[Offer],
    caller: Address,
    reason: ReleaseReason,
    now: i64,
) -> Result<Planned, AdminError> {
    let attestor = config.attestors.iter().any(|attestor| attestor.key == caller.to_bytes());
    let over = order
        .effective_deadline(config.paused_s_until(now))
        .saturating_add(i64::from(config.limits.order_grace_s));
    if !attestor && now <= over {
        return Err(AdminError::NotPossible(format!(
            "order {} of household {} may still be paid for {} s; until then only an attestor may release it (--key attestor=FILE)",
            order.id,
            order.buyer_id,
            over.saturating_sub(now)
        )));
    }
    if offers.len() != order.fills().len() {
        return Err(AdminError::NotPossible("an offer of the order is gone".to_owned()));
    }
    let fills: Vec<FillAccounts> = order
        .fills()
        .iter()
        .zip(offers)
        .map(|(fill, offer)| FillAccounts {
            seller_id: offer.seller_id,
            offer_id: offer.id,
            energy_wh: fill.energy_wh,
            price: fill.price,
        })
        .collect();
    let rent_payer = address(&order.rent_payer);
    let changes = vec![
        format!("order {} of household {} is given up: {reason:?}", order.id, order.buyer_id),
        format!(
            "{} Wh are free again in {} offers; money that was paid becomes balance",
            order.energy_wh,
            fills.len()
        ),
    ];
    let instruction = program.release(caller, order.buyer_id, order.id, &fills, reason, rent_payer);
    Ok(Planned::one("release-order", changes, instruction))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jirani_energy_interface::LOCAL_PROGRAM_ID;
    use jirani_energy_interface::state::{CappedKey, Limits, OrderFill, Record};

    fn blank<T: Record>() -> T {
        let mut bytes = vec![0; T::LEN];
        bytes[0] = T::DISCRIMINATOR;
        bytes[1] = T::VERSION;
        T::decode(&bytes).unwrap()
    }

    fn program() -> EnergyProgram {
        EnergyProgram::new(LOCAL_PROGRAM_ID)
    }

    fn marker(n: u8, closable_at: i64) -> (Marker, u64) {
        (Marker { kind: 1, proof: [n; 32], rent_payer: [9; 32], closable_at, ..blank() }, 10)
    }

    #[test]
    fn markers_are_closed_in_batches_when_their_time_is_over_and_pauses_put_that_off() {
        let config: Config = blank();
        let markers: Vec<(Marker, u64)> = (1..=30).map(|n| marker(n, 100)).chain([marker(31, 200)]).collect();
        let plans = close_markers(&program(), &config, &markers, 150);
        assert_eq!(
            plans.iter().map(|plan| plan.instructions[0].accounts.len()).collect::<Vec<_>>(),
            [2 + 48, 2 + 12]
        );
        assert!(
            plans[0].changes[0].contains("24 markers are closed, 240 lamports"),
            "{:?}",
            plans[0].changes
        );
        let paused = Config { paused_total_s: 100, ..config };
        assert!(close_markers(&program(), &paused, &markers, 150).is_empty());
    }

    #[test]
    fn only_expired_offers_go_back_and_never_what_orders_hold() {
        let offer =
            |expires_at, reserved_wh| (Offer { energy_wh: 100, reserved_wh, expires_at, ..blank() }, 5);
        let offers = [offer(10, 0), offer(99, 0), offer(10, 100), offer(10, 40)];
        let plans = expire_offers(&program(), Address::default(), &offers, 50);
        assert_eq!(plans.len(), 1);
        assert_eq!(plans[0].instructions.len(), 2, "the open one and the wholly held one stay");
        assert!(plans[0].changes[1].contains("60 Wh go back; 40 Wh stay"), "{:?}", plans[0].changes);
    }

    #[test]
    fn an_order_is_released_by_an_attestor_or_after_its_grace() {
        let mut config: Config = blank();
        config.limits = Limits::default();
        config.attestors[0] = CappedKey::new([4; 32], 1, 1);
        let mut order = Order { fill_count: 1, deadline: 100, ..blank() };
        order.fills[0] = OrderFill { offer: [1; 32], energy_wh: 5, price: 9 };
        let release = |caller: u8, offers: &[Offer], now| {
            let caller = Address::new_from_array([caller; 32]);
            release_order(&program(), &config, &order, offers, caller, ReleaseReason::PaymentTimeout, now)
        };
        let offers = [blank::<Offer>()];
        assert!(release(4, &offers, 0).is_ok());
        let error = release(7, &offers, 150).unwrap_err().to_string();
        assert!(error.contains("250 s"), "{error}");
        assert!(release(7, &offers, 401).is_ok());
        assert!(release(4, &[], 0).is_err());
    }
}
