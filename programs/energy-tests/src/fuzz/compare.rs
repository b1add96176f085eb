//! Whether the chain is what the model says, account by account.

use super::chain::Chain;
use super::model::{Bucket, Daily, Home, Level, Lot, Model};
use super::place::{Atlas, Place};
use jirani_energy_interface::state::{
    CappedKey, Config, DailyUse, Evidence, Household, Marker, Offer, Order, Record,
};
use jirani_energy_interface::token;
use solana_account::ReadableAccount;

/// What differs, in words.
pub type Difference = Result<(), String>;

macro_rules! same {
    ($place:expr, $($what:literal: $chain:expr => $model:expr),* $(,)?) => {
        $(
            let (chain, model) = (&$chain, &$model);
            if *chain != *model {
                return Err(format!("{:?}: {} is {chain:?}, should be {model:?}", $place, $what));
            }
        )*
    };
}

fn record<T: Record>(data: Option<&[u8]>) -> Option<T> {
    data.and_then(T::decode)
}

/// Compares one place.
pub fn place(chain: &Chain, atlas: &mut Atlas, model: &Model, place: Place) -> Difference {
    let address = atlas.address(place);
    let account = chain.account(&address);
    let data = account.map(ReadableAccount::data);
    let program = matches!(place, Place::System | Place::Token | Place::Energy | Place::ProgramData);
    same!(place, "lamports": !program && chain.lamports(&address) != model.lamports(place) => false);
    match place {
        Place::Config => config(&record(data).ok_or("Config is gone")?, model),
        Place::Home(id) => match (record::<Household>(data), model.homes.get(&id)) {
            (None, None) => Ok(()),
            (Some(chain), Some(home)) => household(place, &chain, home, model, id),
            (chain, _) => Err(format!("{place:?}: lives on the chain: {}", chain.is_some())),
        },
        Place::Offer(seller, id) => match (record::<Offer>(data), model.lots.get(&(seller, id))) {
            (None, None) => Ok(()),
            (Some(chain), Some(lot)) => offer(place, &chain, lot),
            (chain, _) => Err(format!("{place:?}: lives on the chain: {}", chain.is_some())),
        },
        Place::Order(buyer, id) => {
            let chain = record::<Order>(data);
            let Some(held) = model.orders.get(&(buyer, id)) else {
                same!(place, "life": chain.is_some() => false);
                return Ok(());
            };
            let chain = chain.ok_or_else(|| format!("{place:?} is gone"))?;
            same!(
                place,
                "due": chain.due_cents => held.due,
                "energy": chain.energy_wh => held.energy(),
                "deadline": chain.deadline => held.deadline,
                "placing": chain.created_at => held.created_at,
                "pauses before": chain.paused_s => held.stood_still.unsigned_abs(),
                "rent payer": chain.rent_payer => held.rent_payer,
                "fills": chain.fills().len() => held.fills.len(),
            );
            for (chain, ((seller, offer), wh, price)) in chain.fills().iter().zip(&held.fills) {
                let offer = atlas.address(Place::Offer(*seller, *offer)).to_bytes();
                same!(
                    place,
                    "offer": chain.offer => offer,
                    "fill": u64::from(chain.energy_wh) => *wh,
                    "price": chain.price => *price,
                );
            }
            Ok(())
        }
        Place::Marker(..) => {
            let chain = record::<Marker>(data);
            let Some(mark) = model.markers.get(&place) else {
                same!(place, "life": chain.is_some() => false);
                return Ok(());
            };
            let chain = chain.ok_or_else(|| format!("{place:?} is gone"))?;
            same!(
                place,
                "closing": chain.closable_at => mark.closable_at,
                "pauses before": chain.paused_s => mark.stood_still.unsigned_abs(),
                "rent payer": chain.rent_payer => mark.rent_payer,
            );
            Ok(())
        }
        Place::Evidence(feeder) => {
            let chain = record::<Evidence>(data);
            let Some((slot_end, root)) = model.evidence.get(&feeder).copied() else {
                same!(place, "life": chain.is_some() => false);
                return Ok(());
            };
            let chain = chain.ok_or_else(|| format!("{place:?} is gone"))?;
            let newest = chain.entries[usize::from(chain.newest)];
            same!(place, "newest": (newest.slot_end, newest.root) => (slot_end, root));
            Ok(())
        }
        Place::Mint => {
            let supply = data.and_then(token::supply);
            same!(place, "supply": supply => Some(model.supply()));
            Ok(())
        }
        _ if model.tokens.contains_key(&place) => {
            same!(place, "tokens": data.and_then(token::amount) => Some(model.wh(place)));
            Ok(())
        }
        Place::Vault(_) | Place::Escrow(..) => {
            same!(place, "life": data.is_some_and(|data| !data.is_empty()) => false);
            Ok(())
        }
        _ => Ok(()),
    }
}

fn daily(chain: &DailyUse, model: &Daily) -> bool {
    (chain.wh, i64::from(chain.day)) == (model.wh, model.day)
}

fn config(chain: &Config, model: &Model) -> Difference {
    let rules = &model.rules;
    let place = Place::Config;
    let level = match chain.paused {
        0 => Level::Running,
        1 => Level::Soft,
        _ => Level::Hard,
    };
    same!(
        place,
        "admin": chain.admin => rules.admin,
        "proposed admin": chain.pending_admin => rules.next_admin,
        "pause key": chain.pause_key => rules.pauser,
        "pause": level => rules.level,
        "pause's begin": chain.paused_since => rules.stopped_at,
        "pauses": chain.paused_total_s => rules.stood_still.unsigned_abs(),
        "tariff": chain.tariff => rules.tariff,
        "limits": chain.limits => rules.limits,
        "caps": chain.caps => rules.caps,
        "oracle version": chain.oracles.version => rules.oracle_version,
        "threshold": usize::from(chain.oracles.threshold) => rules.threshold,
        "oracles": chain.oracles.members().to_vec() => rules.oracles,
        "closed": chain.closed => rules.closed,
        "adjusted": daily(&chain.adjusted, &rules.adjusted) => true,
    );
    let keys = chain.attestors.iter().chain([&chain.custodian]);
    for (chain, model) in keys.zip(rules.attestors.iter().chain([&rules.custodian])) {
        let CappedKey { key, cap_wh, cap_cents, used_wh, used_cents, day, .. } = *chain;
        let used = Daily { day: day.into(), wh: used_wh, cents: used_cents };
        same!(place, "key": key => model.key, "caps": (cap_wh, cap_cents) => model.caps, "used": used => model.used);
    }
    Ok(())
}

fn household(place: Place, chain: &Household, home: &Home, model: &Model, id: u32) -> Difference {
    let buckets = (
        Bucket { rating: chain.export_rating_w, joules: chain.export_bucket_j.into() },
        Bucket { rating: chain.import_rating_w, joules: chain.import_bucket_j.into() },
    );
    let proposed =
        (chain.pending_authority_at != 0).then_some((chain.pending_authority, chain.pending_authority_at));
    let offers = model.lots.keys().filter(|(seller, _)| *seller == id).count();
    let orders = model.orders.iter().filter(|((buyer, _), _)| *buyer == id);
    let (orders, held) = orders.fold((0, 0), |(n, wh), (_, held)| (n + 1, wh + held.energy()));
    same!(
        place,
        "number": chain.id => id,
        "kind": chain.kind => home.kind,
        "feeder": chain.feeder => home.feeder,
        "authority": chain.authority => home.authority,
        "custodial": chain.is_custodial() => home.custodial,
        "proposal": proposed => home.proposed,
        "meter": chain.meter_key => home.meter,
        "epoch": chain.meter_epoch => home.epoch,
        "registers": (chain.meter_export_wh, chain.meter_import_wh) => home.registers,
        "buckets": buckets => home.buckets,
        "attested": (chain.export_wh, chain.import_wh) => home.attested,
        "adjusted": (chain.adjusted_export_wh, chain.adjusted_import_wh) => home.adjusted,
        "minted": chain.minted_wh => home.minted,
        "burned": chain.burned_wh => home.burned,
        "shortfall": chain.shortfall_wh => home.owes,
        "last slot": chain.last_slot_end => home.last_slot,
        "enrolment": chain.enrolled_at => home.enrolled_at,
        "newest offer": chain.newest_offer => home.offer_numbers.newest(),
        "newest order": chain.newest_order => home.order_numbers.newest(),
        "open offers": usize::from(chain.open_offers) => offers,
        "open orders": usize::from(chain.open_orders) => orders,
        "held": chain.held_wh => held,
        "withdrawn": daily(&chain.withdrawn, &home.withdrawn) => true,
        "unpaid": (chain.unpaid_orders, i64::from(chain.unpaid_day)) => home.unpaid,
        "rent payer": chain.rent_payer => home.rent_payer,
    );
    Ok(())
}

fn offer(place: Place, chain: &Offer, lot: &Lot) -> Difference {
    same!(
        place,
        "price": chain.price => lot.price,
        "energy": chain.energy_wh => lot.energy,
        "sold": chain.sold_wh => lot.sold,
        "returned": chain.returned_wh => lot.returned,
        "reserved": chain.reserved_wh => lot.reserved,
        "end": chain.expires_at => lot.expires_at,
        "open": chain.state == 1 => lot.open,
        "rent payer": chain.rent_payer => lot.rent_payer,
    );
    Ok(())
}

/// Compares everything that the model knows, and that there is nothing else.
pub fn everything(chain: &Chain, atlas: &mut Atlas, model: &Model) -> Difference {
    let mut places: Vec<Place> = model.lamports.keys().copied().collect();
    places.extend(model.homes.keys().map(|id| Place::Home(*id)));
    places.extend(model.lots.keys().map(|(seller, id)| Place::Offer(*seller, *id)));
    places.extend(model.orders.keys().map(|(buyer, id)| Place::Order(*buyer, *id)));
    places.extend(model.markers.keys().copied());
    places.extend(model.tokens.keys().copied());
    places.extend([Place::Config, Place::Mint]);
    for at in places {
        place(chain, atlas, model, at)?;
    }
    let records = 1
        + model.homes.len()
        + model.lots.len()
        + model.orders.len()
        + model.markers.len()
        + model.evidence.len();
    let energy = atlas.address(Place::Energy);
    same!(Place::Energy, "records": chain.owned(&energy).count() => records);
    Ok(())
}
