//! "A refund is always possible": tried on a copy of the world, to the end.

use super::actors::Actor;
use super::base::Base;
use super::chain::Answer;
use super::deed::Deed;
use super::model::{Level, Model};
use super::place::{Numbered, Place};
use bytemuck::bytes_of;
use jirani_energy_interface::instruction::{PauseData, PlainData, ReleaseData, Tag};

/// Instructions that it took, or what could not be given back.
pub type Refunded = Result<u64, String>;

/// A copy of the world in which everybody wants out.
struct Exit {
    world: Base,
    sent: u64,
}

impl Exit {
    fn send(&mut self, deed: Deed, what: impl FnOnce() -> String) -> Result<(), String> {
        self.sent += 1;
        let deeds = [deed];
        let answer = self.world.chain.send(&mut self.world.memory.atlas, &deeds);
        if answer != Answer::Landed {
            return Err(format!("refund: {} is impossible: {answer:?}", what()));
        }
        let foreseen = self.world.model.take_all(&deeds);
        foreseen.map_err(|why| format!("refund: {} should be impossible: {why:?}", what()))
    }

    fn whose(&self, key: &[u8; 32]) -> Place {
        Place::Actor(self.world.memory.atlas.keys().whose(key).unwrap_or(Actor::Stranger))
    }

    fn set_time(&mut self, now: i64) {
        self.world.chain.set_time(now);
        self.world.model.now = now;
    }

    fn release(&mut self, caller: Place, (buyer, id): Numbered) -> Result<(), String> {
        let held = self.world.model.orders[&(buyer, id)].clone();
        let mut places = vec![
            caller,
            Place::Config,
            Place::Order(buyer, id),
            Place::Home(buyer),
            self.whose(&held.rent_payer),
            Place::Energy,
        ];
        places.extend(held.fills.iter().map(|((seller, id), ..)| Place::Offer(*seller, *id)));
        let rights = format!("s-www-{}", "w".repeat(held.fills.len()));
        let data = ReleaseData { tag: Tag::Release as u8, reason: 2 };
        let deed = Deed::energy(&mut self.world.memory.atlas, &rights, &places, bytes_of(&data).to_vec());
        self.send(deed, || format!("releasing order {buyer}/{id} by {caller:?}"))
    }

    fn release_all(&mut self, caller: Place) -> Result<(), String> {
        let orders: Vec<_> = self.world.model.orders.keys().copied().collect();
        orders.into_iter().try_for_each(|order| self.release(caller, order))
    }

    /// The admin lets the market go on.
    fn resume(&mut self) -> Result<(), String> {
        let admin = self.whose(&self.world.model.rules.admin);
        if self.world.model.rules.level == Level::Hard {
            let places = [admin, Place::Config, Place::Mint, Place::Token, Place::Energy];
            let deed =
                Deed::energy(&mut self.world.memory.atlas, "sww--", &places, vec![Tag::HardStop as u8, 0]);
            self.send(deed, || "lifting the hard stop".to_owned())?;
        }
        if self.world.model.rules.level == Level::Soft {
            let data = PauseData { tag: Tag::Pause as u8, paused: 0 };
            let places = [admin, Place::Config, Place::Energy];
            let deed = Deed::energy(&mut self.world.memory.atlas, "sw-", &places, bytes_of(&data).to_vec());
            self.send(deed, || "resuming".to_owned())?;
        }
        Ok(())
    }

    /// Anyone returns every offer once it has expired.
    fn return_offers(&mut self) -> Result<(), String> {
        let last = self.world.model.lots.values().map(|lot| lot.expires_at).max();
        if let Some(last) = last.filter(|last| *last > self.world.model.now) {
            self.set_time(last);
        }
        let offers: Vec<_> = self.world.model.lots.keys().copied().collect();
        for (seller, id) in offers {
            let rent_payer = self.world.model.lots[&(seller, id)].rent_payer;
            let places = [
                Place::Actor(Actor::Pauper),
                Place::Config,
                Place::Offer(seller, id),
                Place::Escrow(seller, id),
                Place::Home(seller),
                Place::Vault(seller),
                Place::Mint,
                self.whose(&rent_payer),
                Place::Token,
                Place::Energy,
            ];
            let data = PlainData { tag: Tag::CancelOffer as u8 };
            let atlas = &mut self.world.memory.atlas;
            let deed = Deed::energy(atlas, "s-wwwwww--", &places, bytes_of(&data).to_vec());
            self.send(deed, || format!("returning offer {seller}/{id}"))?;
        }
        Ok(())
    }

    /// Anyone closes every marker once its time is over.
    fn close_markers(&mut self) -> Result<(), String> {
        let model = &self.world.model;
        let still = model.rules.still(model.now);
        let ends = model.markers.values().map(|mark| mark.closable_at + still - mark.stood_still);
        if let Some(last) = ends.max().filter(|last| *last > model.now) {
            self.set_time(last);
        }
        let markers: Vec<_> = self.world.model.markers.iter().map(|(at, mark)| (*at, *mark)).collect();
        for (marker, mark) in markers {
            let places = [Place::Config, Place::Energy, marker, self.whose(&mark.rent_payer)];
            let data = PlainData { tag: Tag::CloseMarkers as u8 };
            let atlas = &mut self.world.memory.atlas;
            let deed = Deed::energy(atlas, "--ww", &places, bytes_of(&data).to_vec());
            self.send(deed, || format!("closing {marker:?}"))?;
        }
        Ok(())
    }
}

/// Lamports that everybody paid for accounts that still live, by the model's own book.
fn lamports_of_payers(model: &Model) -> u64 {
    [Actor::Payer, Actor::Payer2].iter().map(|actor| model.lamports(Place::Actor(*actor))).sum()
}

/// Tries to end everything that is open, first through an attestor in the very state the
/// world is in, then through nobody but time.
pub fn try_all(world: &Base) -> Refunded {
    let mut sent = 0;
    let keys = world.memory.atlas.keys();
    let attestor = world.model.rules.attestors.iter().find(|place| keys.whose(&place.key).is_some());
    if let Some(place) = attestor {
        let mut exit = Exit { world: world.clone(), sent: 0 };
        let caller = exit.whose(&place.key);
        exit.release_all(caller)?;
        // A hard stop lets no token move: offers wait for its end.
        if exit.world.model.rules.level != Level::Hard {
            exit.return_offers()?;
        }
        sent += exit.sent;
    }
    let mut exit = Exit { world: world.clone(), sent: 0 };
    exit.resume()?;
    let model = &exit.world.model;
    let last =
        model.orders.values().map(|held| model.rules.last(held.deadline, held.stood_still, model.now)).max();
    if let Some(last) = last.filter(|last| *last >= model.now) {
        exit.set_time(last + 1);
    }
    exit.release_all(Place::Actor(Actor::Pauper))?;
    exit.return_offers()?;
    exit.close_markers()?;
    let Base { chain, model, memory, .. } = &mut exit.world;
    super::compare::everything(chain, &mut memory.atlas, model)?;
    if !model.orders.is_empty() || !model.lots.is_empty() || !model.markers.is_empty() {
        return Err("refund: something is left open".to_owned());
    }
    if lamports_of_payers(model) < lamports_of_payers(&world.model) {
        return Err("refund: who paid rent has less than before".to_owned());
    }
    Ok(sent + exit.sent)
}
