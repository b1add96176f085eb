//! What an event does to an offer. Pure.

use crate::step::{Broken, Step};
use jirani_chain::Outcome;
use jirani_store::{Change, Event, OfferRecord, OfferState};
use jirani_units::{Timestamp, Wh};

/// What happens to an offer.
#[derive(Clone, Debug)]
pub(crate) enum OfferEvent {
    /// The chain has answered the post.
    Posted(Outcome),
    /// The seller takes it back.
    Cancelled,
    /// Its time is over.
    Expired,
    /// What was left is back in the vault.
    Returned,
}

/// What the offer's state asks for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OfferEffect {
    Post,
    Expire,
    /// Returns what no order holds.
    ReturnPart,
    Close,
    /// Nothing until then, if ever.
    Rest(Option<Timestamp>),
}

/// What `offer` asks for at `now`.
pub(crate) fn effect(offer: &OfferRecord, now: Timestamp) -> OfferEffect {
    match offer.state {
        OfferState::Posting => OfferEffect::Post,
        OfferState::Open if now >= offer.expires_at => OfferEffect::Expire,
        OfferState::Open => OfferEffect::Rest(Some(offer.expires_at)),
        OfferState::Closing if offer.reserved_wh == Wh::ZERO => OfferEffect::Close,
        OfferState::Closing => OfferEffect::ReturnPart,
        OfferState::Closed | OfferState::Refused => OfferEffect::Rest(None),
    }
}

/// What `event` changes.
pub(crate) fn decide(offer: &OfferRecord, event: &OfferEvent) -> Step {
    let mut next = offer.clone();
    match (offer.state, event) {
        (OfferState::Posting, OfferEvent::Posted(Outcome::Landed { signature, .. })) => {
            next.state = OfferState::Open;
            next.signature = Some(signature.clone());
        }
        (OfferState::Posting, OfferEvent::Posted(Outcome::Refused { code, .. })) => {
            next.state = OfferState::Refused;
            next.refusal = Some(code.clone());
        }
        (OfferState::Open, OfferEvent::Cancelled | OfferEvent::Expired) => next.state = OfferState::Closing,
        (OfferState::Closing, OfferEvent::Returned) => next.state = OfferState::Closed,
        _ => return Step::nothing("the offer has moved on"),
    }
    changed(next)
}

/// An order ended that held `energy` of `offer`: it is sold, or free again.
pub(crate) fn release_part(offer: &OfferRecord, energy: Wh, sold: bool) -> Result<OfferRecord, Broken> {
    let broken = || Broken(format!("offer {} holds less than its orders", offer.id));
    let mut next = offer.clone();
    next.reserved_wh = offer.reserved_wh.checked_sub(energy).ok_or_else(broken)?;
    if sold {
        next.sold_wh = offer.sold_wh.checked_add(energy).ok_or_else(broken)?;
        if next.sold_wh > next.energy_wh {
            return Err(broken());
        }
        if next.sold_wh == next.energy_wh {
            next.state = OfferState::Closing;
        }
    }
    Ok(next)
}

fn changed(offer: OfferRecord) -> Step {
    let mut step = Step::default();
    step.announce(Event::Offer(offer.id, offer.seller));
    step.change(Change::Offer(offer));
    step
}

#[cfg(test)]
mod tests {
    use super::*;
    use jirani_units::{HouseholdId, OfferId, Price};

    fn offer(state: OfferState, reserved_wh: u64, sold_wh: u64) -> OfferRecord {
        OfferRecord {
            id: OfferId(4),
            seller: HouseholdId(2),
            energy_wh: Wh(1_000),
            reserved_wh: Wh(reserved_wh),
            sold_wh: Wh(sold_wh),
            price: Price(1_500),
            expires_at: Timestamp::from_seconds(100),
            state,
            refusal: None,
            signature: None,
            key: "k".to_owned(),
            created_at: Timestamp(0),
            version: 1,
        }
    }

    fn landed() -> Outcome {
        Outcome::Landed { signature: "s".to_owned(), slot: 1, at: Timestamp(0), rows: Vec::new() }
    }

    fn refused() -> Outcome {
        Outcome::Refused {
            code: "energy.paused".to_owned(),
            message: String::new(),
            retry: jirani_chain::Retry::From(Timestamp(1)),
        }
    }

    fn next_state(state: OfferState, event: &OfferEvent) -> Option<OfferState> {
        match decide(&offer(state, 0, 0), event).changes.as_slice() {
            [Change::Offer(next)] => Some(next.state),
            [] => None,
            more => panic!("{more:?}"),
        }
    }

    #[test]
    fn each_event_moves_an_offer_as_its_table_says() {
        use OfferState::{Closed, Closing, Open, Posting, Refused};
        let events = [
            OfferEvent::Posted(landed()),
            OfferEvent::Posted(refused()),
            OfferEvent::Cancelled,
            OfferEvent::Expired,
            OfferEvent::Returned,
        ];
        for (state, next) in [
            (Posting, [Some(Open), Some(Refused), None, None, None]),
            (Open, [None, None, Some(Closing), Some(Closing), None]),
            (Closing, [None, None, None, None, Some(Closed)]),
            (Closed, [None; 5]),
            (Refused, [None; 5]),
        ] {
            for (event, expected) in events.iter().zip(next) {
                assert_eq!(next_state(state, event), expected, "{state:?} {event:?}");
            }
        }
    }

    #[test]
    fn an_offer_is_closed_on_chain_only_when_no_order_holds_any_of_it() {
        let now = Timestamp::from_seconds(100);
        for (state, reserved, at, expected) in [
            (OfferState::Posting, 0, now, OfferEffect::Post),
            (OfferState::Open, 5, Timestamp(0), OfferEffect::Rest(Some(now))),
            (OfferState::Open, 5, now, OfferEffect::Expire),
            (OfferState::Closing, 5, now, OfferEffect::ReturnPart),
            (OfferState::Closing, 0, now, OfferEffect::Close),
            (OfferState::Closed, 0, now, OfferEffect::Rest(None)),
        ] {
            assert_eq!(effect(&offer(state, reserved, 0), at), expected, "{state:?}");
        }
    }

    #[test]
    fn what_an_order_held_is_sold_or_free_again() {
        let sold = release_part(&offer(OfferState::Open, 400, 100), Wh(400), true).unwrap();
        assert_eq!((sold.reserved_wh, sold.sold_wh, sold.state), (Wh(0), Wh(500), OfferState::Open));
        let free = release_part(&offer(OfferState::Open, 400, 100), Wh(400), false).unwrap();
        assert_eq!((free.reserved_wh, free.sold_wh, free.state), (Wh(0), Wh(100), OfferState::Open));
        let all = release_part(&offer(OfferState::Open, 400, 600), Wh(400), true).unwrap();
        assert_eq!(all.state, OfferState::Closing);
        assert!(release_part(&offer(OfferState::Open, 399, 0), Wh(400), false).is_err());
    }
}
