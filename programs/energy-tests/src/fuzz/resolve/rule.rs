//! What the admin, the pause key, strangers and thieves want.

use super::{FEEDER, Memory, OTHER_FEEDER, home, payer, pick};
use crate::fuzz::actors::Actor;
use crate::fuzz::deed::Deed;
use crate::fuzz::model::Model;
use crate::fuzz::place::Place;
use crate::fuzz::rulebook;
use crate::fuzz::step::Act;
use bytemuck::{Zeroable, bytes_of};
use jirani_energy_interface::event::{Event, EventKind};
use jirani_energy_interface::instruction::{
    ChangeAuthorityData, ConfigureData, EnrolData, HardStopData, InitialiseData, PauseData, PlainData, Tag,
};
use proptest::sample::Index;

/// Owners that a household may be given to; the last stands for the custodian.
const OWNERS: [Actor; 4] = [Actor::Owner1, Actor::Owner2, Actor::Owner3, Actor::Stranger];

impl Memory {
    pub(super) fn rule(&mut self, act: &Act, model: &Model) -> Option<Deed> {
        let admin = self.whose(&model.rules.admin);
        match act {
            Act::Enrol { id, own, custodial, feeder, history } if !self.balanced => {
                let id = u32::from(*id);
                let feeder = if *feeder { FEEDER } else { OTHER_FEEDER };
                let past = if *history { 123_456 } else { 0 };
                let key = self.atlas.keys().key(OWNERS[own.index(OWNERS.len())]);
                let data = EnrolData {
                    tag: Tag::Enrol as u8,
                    kind: 1,
                    flags: u8::from(*custodial),
                    reserved: 0,
                    feeder,
                    reserved1: 0,
                    household_id: id,
                    meter_epoch: 1,
                    export_rating_w: 10_000,
                    import_rating_w: 10_000,
                    initial_export_wh: past,
                    initial_import_wh: past * 2,
                    meter_key: [u8::try_from(id).unwrap_or(0) + 1; 32],
                    authority: if *custodial { [0; 32] } else { key },
                };
                Some(self.enrolment(admin, &data))
            }
            Act::CloseHome { home: which } if !self.balanced => {
                let id = home(model, which)?;
                let places = [
                    admin,
                    Place::Config,
                    Place::Home(id),
                    Place::Vault(id),
                    Place::Mint,
                    self.whose(&model.homes[&id].rent_payer),
                    Place::Token,
                    Place::Energy,
                ];
                Some(self.plain(Tag::CloseHousehold, "swwwww--", &places))
            }
            Act::CloseMarkers { markers } => {
                let mut places = vec![Place::Config, Place::Energy];
                for which in markers {
                    let marker = pick(&model.markers, which)?;
                    places.extend([marker, self.whose(&model.markers[&marker].rent_payer)]);
                }
                let rights = format!("--{}", "ww".repeat(markers.len()));
                Some(self.plain(Tag::CloseMarkers, &rights, &places))
            }
            Act::Authority { home: which, action, by, right, next } => {
                self.authority(model, which, *action, by, *right, next)
            }
            Act::Pause { stop, by } => {
                let pauser = self.whose(&model.rules.pauser);
                let key = if *stop && by % 2 == 0 { pauser } else { admin };
                let data = PauseData { tag: Tag::Pause as u8, paused: u8::from(*stop) };
                let places = [key, Place::Config, Place::Energy];
                Some(Deed::energy(&mut self.atlas, "sw-", &places, bytes_of(&data).to_vec()))
            }
            Act::HardStop { stop } => {
                let data = HardStopData { tag: Tag::HardStop as u8, stopped: u8::from(*stop) };
                let places = [admin, Place::Config, Place::Mint, Place::Token, Place::Energy];
                Some(Deed::energy(&mut self.atlas, "sww--", &places, bytes_of(&data).to_vec()))
            }
            Act::Configure { section, choice } => {
                let section = section % 9;
                let value = rulebook::section(section, *choice, self.atlas.keys());
                let head = ConfigureData { tag: Tag::Configure as u8, section, reserved: [0; 6] };
                let data = [bytes_of(&head), &value].concat();
                Some(Deed::energy(&mut self.atlas, "sw-", &[admin, Place::Config, Place::Energy], data))
            }
            Act::AcceptAdmin => {
                let next = self.whose(&model.rules.next_admin);
                Some(self.plain(Tag::AcceptAdmin, "sw-", &[next, Place::Config, Place::Energy]))
            }
            Act::Initialise => Some(self.initialise()),
            Act::ForgeEvent { rows } => {
                let mut event = Event::new(EventKind::Settled, model.now);
                event.detail = *rows;
                Some(Deed::energy(&mut self.atlas, "-", &[Place::Config], bytes_of(&event).to_vec()))
            }
            Act::AttackTokens { how, at, by } => self.attack(model, *how, at, by),
            Act::SendLamports { to, ahead, lamports } => self.lamports(model, to, *ahead, *lamports),
            _ => None,
        }
    }

    fn plain(&mut self, tag: Tag, rights: &str, places: &[Place]) -> Deed {
        Deed::energy(&mut self.atlas, rights, places, bytes_of(&PlainData { tag: tag as u8 }).to_vec())
    }

    /// The instruction that enrols.
    pub fn enrolment(&mut self, admin: Place, data: &EnrolData) -> Deed {
        let places = [
            admin,
            payer(data.household_id % 2 == 1),
            Place::Config,
            Place::Home(data.household_id),
            Place::Vault(data.household_id),
            Place::Mint,
            Place::Evidence(data.feeder),
            Place::System,
            Place::Token,
            Place::Energy,
        ];
        Deed::energy(&mut self.atlas, "sb-ww-w---", &places, bytes_of(data).to_vec())
    }

    fn authority(
        &mut self,
        model: &Model,
        which: &Index,
        action: u8,
        by: &Index,
        right: bool,
        next: &Index,
    ) -> Option<Deed> {
        // To accept there must be something proposed.
        let waiting: Vec<u32> =
            model.homes.iter().filter(|(_, home)| home.proposed.is_some()).map(|(id, _)| *id).collect();
        let id = if action > 1 && !waiting.is_empty() {
            waiting[which.index(waiting.len())]
        } else {
            home(model, which)?
        };
        let next = next.index(OWNERS.len() + 1);
        let next = OWNERS.get(next).map_or([0; 32], |actor| self.atlas.keys().key(*actor));
        let admin = self.whose(&model.rules.admin);
        let anybody = [admin, Place::Actor(Actor::ALL[by.index(Actor::ALL.len())])];
        let caller = match (right, action, model.homes[&id].proposed) {
            (true, 3, Some((key, _))) if key != [0; 32] => self.whose(&key),
            (true, 3, _) => admin,
            (true, ..) => self.acting(model, id),
            (false, ..) => anybody[by.index(2)],
        };
        let data = ChangeAuthorityData {
            tag: Tag::ChangeAuthority as u8,
            action,
            reserved: [0; 6],
            authority: if action == 1 { next } else { [0; 32] },
        };
        let places = [caller, Place::Config, Place::Home(id), Place::Energy];
        Some(Deed::energy(&mut self.atlas, "s-w-", &places, bytes_of(&data).to_vec()))
    }

    fn initialise(&mut self) -> Deed {
        let mut data = InitialiseData::zeroed();
        data.admin = self.atlas.keys().key(Actor::Stranger);
        data.pause_key = data.admin;
        let places = [
            Place::Actor(Actor::Upgrader),
            Place::Actor(Actor::Payer),
            Place::ProgramData,
            Place::Config,
            Place::Mint,
            Place::System,
            Place::Token,
            Place::Energy,
        ];
        Deed::energy(&mut self.atlas, "sb-ww---", &places, bytes_of(&data).to_vec())
    }

    /// What Token-2022 must refuse to everybody.
    fn attack(&mut self, model: &Model, how: u8, at: &Index, by: &Index) -> Option<Deed> {
        let target = pick(&model.tokens, at)?;
        let actor = Actor::ALL[by.index(Actor::ALL.len())];
        let own = matches!(target, Place::Wallet(_));
        let owner = if let Place::Wallet(owner) = target { owner } else { actor };
        let one = 1_u64.to_le_bytes();
        let thief = Place::Wallet(Actor::Stranger);
        let (rights, places, data): (&str, Vec<Place>, Vec<u8>) = match how % 8 {
            0 => ("wws", vec![target, Place::Mint, Place::Actor(owner)], [&[8][..], &one].concat()),
            1 => ("wws", vec![Place::Mint, target, Place::Actor(actor)], [&[7][..], &one].concat()),
            2 => ("ws", vec![Place::Mint, Place::Actor(actor)], [&[6, 0, 1][..], &[7; 32]].concat()),
            3 => ("ws", vec![Place::Mint, Place::Actor(actor)], vec![44, 1]),
            4 => (
                "wwss",
                vec![target, Place::Mint, Place::Actor(actor), Place::Actor(owner)],
                [&[46, 1][..], &one].concat(),
            ),
            // What its owner may do with a wallet is nobody's loss.
            _ if own => return None,
            5 => ("wws", vec![target, Place::Actor(actor), Place::Actor(actor)], vec![9]),
            6 => ("w-s", vec![target, Place::Actor(actor), Place::Actor(actor)], [&[4][..], &one].concat()),
            _ => (
                "w-ws",
                vec![target, Place::Mint, thief, Place::Actor(actor)],
                [&[12][..], &one, &[3]].concat(),
            ),
        };
        Some(Deed::new(&mut self.atlas, Place::Token, rights, &places, data))
    }

    /// Lamports for what lives, lived or will live somewhere.
    fn lamports(&mut self, model: &Model, to: &Index, ahead: bool, lamports: u32) -> Option<Deed> {
        let id = home(model, to)?;
        let known = &model.homes[&id];
        let places = if ahead {
            let (offer, order) = (known.offer_numbers.newest() + 1, known.order_numbers.newest() + 1);
            let mut hash = [0x5a; 32];
            hash[..4].copy_from_slice(&(self.fresh + 1).to_le_bytes());
            vec![
                Place::Offer(id, offer),
                Place::Escrow(id, offer),
                Place::Order(id, order),
                Place::marker(&jirani_energy_interface::Proof::receipt(hash)),
                Place::Home(9),
                Place::Vault(9),
            ]
        } else {
            let (offer, order) = (known.offer_numbers.newest(), known.order_numbers.newest());
            vec![
                Place::Offer(id, offer),
                Place::Escrow(id, offer),
                Place::Order(id, order),
                Place::Home(id),
                Place::Vault(id),
                Place::Config,
                Place::Mint,
            ]
        };
        let to = places[to.index(1 << 20) % places.len()];
        let lamports = match lamports % 4 {
            0 => 1,
            1 => model.rent(0),
            2 => 3_000_000,
            _ => u64::from(lamports) % 4_000_000,
        };
        let mut data = vec![2, 0, 0, 0];
        data.extend_from_slice(&lamports.to_le_bytes());
        let from = Place::Actor(Actor::Stranger);
        Some(Deed::new(&mut self.atlas, Place::System, "bw", &[from, to], data))
    }
}
