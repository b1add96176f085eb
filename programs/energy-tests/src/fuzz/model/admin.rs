//! What the admin and the pause key do, and what becomes of households.

use super::call::{exactly, head};
use super::{Bucket, Daily, Home, KeyCap, Level, Mark, Model, Numbers, Verdict, Why, need};
use crate::fuzz::deed::Deed;
use crate::fuzz::place::Place;
use bytemuck::Pod;
use jirani_energy_interface::instruction::{
    ChangeAuthorityData, ConfigureData, EnrolData, HardStopData, InitialiseData, PauseData, PlainData,
    ReplaceMeterData, Tag,
};
use jirani_energy_interface::state::{CappedKey, Caps, Limits, OracleSet, Tariff};
use jirani_energy_interface::{EnergyError as E, Key};

const NOBODY: Key = [0; 32];

fn whole<T: Pod>(bytes: &[u8]) -> Verdict<T> {
    exactly(bytes)
}

impl Model {
    pub(super) fn initialise(&mut self, deed: &Deed) -> Verdict {
        exactly::<InitialiseData>(&deed.data)?;
        self.check(deed, Tag::Initialise)?;
        Err(Why::Elsewhere)
    }

    fn admin(&self, deed: &Deed) -> Verdict {
        need(deed.parties[0].key == self.rules.admin, E::NotAdmin)
    }

    pub(super) fn configure(&mut self, deed: &Deed) -> Verdict {
        let (data, value) = head::<ConfigureData>(&deed.data)?;
        self.check(deed, Tag::Configure)?;
        self.admin(deed)?;
        let rules = &mut self.rules;
        match data.section {
            1 => {
                let tariff: Tariff = whole(value)?;
                let most = i64::from(tariff.retail) - i64::from(tariff.grid_fee) - i64::from(tariff.tax);
                let sound =
                    tariff.retail <= 1_000_000 && tariff.buy_back > 0 && i64::from(tariff.buy_back) <= most;
                need(sound, E::InvalidTariff)?;
                rules.tariff = tariff;
            }
            2 => {
                let limits: Limits = whole(value)?;
                need(sound(&limits), E::InvalidLimits)?;
                rules.limits = limits;
            }
            3 => {
                let set: OracleSet = whole(value)?;
                let count = usize::from(set.count);
                need((1..=8).contains(&count), E::InvalidOracles)?;
                let (members, rest) = set.members.split_at(count);
                let mut different = members.to_vec();
                different.sort_unstable();
                different.dedup();
                let sound = different.len() == count
                    && !members.contains(&NOBODY)
                    && rest.iter().all(|key| *key == NOBODY)
                    && (1..=set.count).contains(&set.threshold)
                    && set.reserved == [0; 2];
                need(sound, E::InvalidOracles)?;
                rules.oracles = members.to_vec();
                rules.threshold = usize::from(set.threshold);
                rules.oracle_version += 1;
            }
            4 => {
                let new: [CappedKey; 4] = whole(value)?;
                for (i, place) in new.iter().enumerate() {
                    let twice = place.key != NOBODY && new[..i].iter().any(|other| other.key == place.key);
                    need(!twice, E::InvalidKey)?;
                }
                let before = rules.attestors;
                rules.attestors = new.map(|new| renewed(&new, &before));
            }
            5 => rules.custodian = renewed(&whole(value)?, &[rules.custodian]),
            6 => {
                let key: Key = whole(value)?;
                need(key != NOBODY, E::InvalidKey)?;
                rules.pauser = key;
            }
            7 => rules.next_admin = whole(value)?,
            8 => {
                let caps: Caps = whole(value)?;
                need(caps.held_wh > 0 && caps.unpaid_orders > 0 && caps.reserved == 0, E::InvalidCaps)?;
                rules.caps = caps;
            }
            _ => return Err(E::InvalidData.into()),
        }
        self.touched.insert(Place::Config);
        Ok(())
    }

    pub(super) fn pause(&mut self, deed: &Deed) -> Verdict {
        let data: PauseData = exactly(&deed.data)?;
        need(data.paused <= 1, E::InvalidData)?;
        self.check(deed, Tag::Pause)?;
        let rules = &mut self.rules;
        let stop = data.paused == 1;
        let caller = deed.parties[0].key;
        need(caller == rules.admin || (stop && caller == rules.pauser), E::NotPauseKey)?;
        need(rules.level != Level::Hard, E::HardStopped)?;
        need((rules.level == Level::Soft) != stop, E::PauseUnchanged)?;
        rules.stood_still = rules.still(self.now);
        rules.level = if stop { Level::Soft } else { Level::Running };
        rules.stopped_at = if stop { self.now } else { 0 };
        self.touched.insert(Place::Config);
        Ok(())
    }

    pub(super) fn hard_stop(&mut self, deed: &Deed) -> Verdict {
        let data: HardStopData = exactly(&deed.data)?;
        need(data.stopped <= 1, E::InvalidData)?;
        self.check(deed, Tag::HardStop)?;
        self.admin(deed)?;
        need(deed.parties[2].place == Place::Mint, E::WrongMint)?;
        let rules = &mut self.rules;
        let stop = data.stopped == 1;
        need((rules.level == Level::Hard) != stop, E::PauseUnchanged)?;
        if rules.level == Level::Running {
            rules.stopped_at = self.now;
        }
        rules.level = if stop { Level::Hard } else { Level::Soft };
        self.touched.extend([Place::Config, Place::Mint]);
        Ok(())
    }

    pub(super) fn accept_admin(&mut self, deed: &Deed) -> Verdict {
        exactly::<PlainData>(&deed.data)?;
        self.check(deed, Tag::AcceptAdmin)?;
        let rules = &mut self.rules;
        let proposed = rules.next_admin != NOBODY && deed.parties[0].key == rules.next_admin;
        need(proposed, E::NotPendingAdmin)?;
        rules.admin = rules.next_admin;
        rules.next_admin = NOBODY;
        self.touched.insert(Place::Config);
        Ok(())
    }

    pub(super) fn enrol(&mut self, deed: &Deed) -> Verdict {
        let data: EnrolData = exactly(&deed.data)?;
        self.check(deed, Tag::Enrol)?;
        let places = |i: usize| deed.parties[i].place;
        let signs = data.flags == 1 || (data.flags == 0 && data.authority != NOBODY);
        let rated = rated(data.export_rating_w, data.import_rating_w);
        let known = (1..=4).contains(&data.kind) && data.household_id > 0;
        need(known && signs && rated, E::InvalidHousehold)?;
        self.admin(deed)?;
        need(places(5) == Place::Mint, E::WrongMint)?;
        let id = data.household_id;
        let payer = places(1);
        need(places(3) == Place::Home(id), E::WrongAddress)?;
        need(!self.homes.contains_key(&id), E::AlreadyExists)?;
        self.open(payer, Place::Home(id), 384)?;
        need(places(4) == Place::Vault(id), E::WrongAddress)?;
        self.open(payer, Place::Vault(id), 170)?;
        let bucket_s = self.rules.limits.bucket_s;
        let home = Home {
            kind: data.kind,
            feeder: data.feeder,
            authority: data.authority,
            custodial: data.flags == 1,
            proposed: None,
            meter: data.meter_key,
            epoch: data.meter_epoch,
            registers: (data.initial_export_wh, data.initial_import_wh),
            buckets: (
                Bucket::of_a_day(data.export_rating_w, bucket_s),
                Bucket::of_a_day(data.import_rating_w, bucket_s),
            ),
            attested: (0, 0),
            adjusted: (0, 0),
            minted: 0,
            burned: 0,
            owes: 0,
            last_slot: self.now,
            enrolled_at: self.now,
            offer_numbers: Numbers::default(),
            order_numbers: Numbers::default(),
            rent_payer: deed.parties[1].key,
            withdrawn: Daily::default(),
            unpaid: (0, 0),
        };
        self.homes.insert(id, home);
        self.tokens.insert(Place::Vault(id), 0);
        need(places(6) == Place::Evidence(data.feeder), E::WrongAddress)?;
        if !self.evidence.contains_key(&data.feeder) {
            self.open(payer, Place::Evidence(data.feeder), 3856)?;
            self.evidence.insert(data.feeder, (0, NOBODY));
        }
        self.touched.extend([Place::Home(id), Place::Vault(id), Place::Evidence(data.feeder)]);
        Ok(())
    }

    pub(super) fn replace_meter(&mut self, deed: &Deed) -> Verdict {
        let data: ReplaceMeterData = exactly(&deed.data)?;
        self.check(deed, Tag::ReplaceMeter)?;
        self.admin(deed)?;
        let id = Self::home_at(deed.parties[2].place)?;
        let (now, bucket_s) = (self.now, self.rules.limits.bucket_s);
        let home = self.homes.get_mut(&id).ok_or(Why::Elsewhere)?;
        let begins = (data.initial_export_wh, data.initial_import_wh);
        let later = data.meter_epoch > home.epoch;
        let same = data.meter_epoch == home.epoch && begins == home.registers && data.meter_key == home.meter;
        let rated = rated(data.export_rating_w, data.import_rating_w);
        need((later || same) && rated, E::InvalidMeter)?;
        let seconds = now - home.last_slot;
        let refit = |bucket: Bucket, rating| bucket.filled(seconds, bucket_s).refitted(rating, bucket_s);
        home.buckets =
            (refit(home.buckets.0, data.export_rating_w), refit(home.buckets.1, data.import_rating_w));
        home.last_slot = home.last_slot.max(now);
        home.meter = data.meter_key;
        home.epoch = data.meter_epoch;
        home.registers = begins;
        self.touched.insert(Place::Home(id));
        Ok(())
    }

    pub(super) fn change_authority(&mut self, deed: &Deed) -> Verdict {
        let data: ChangeAuthorityData = exactly(&deed.data)?;
        self.check(deed, Tag::ChangeAuthority)?;
        let caller = deed.parties[0].key;
        let id = Self::home_at(deed.parties[2].place)?;
        let is_admin = caller == self.rules.admin;
        let acts = self.acts_for(&caller, id);
        let (now, delay) = (self.now, i64::from(self.rules.limits.authority_delay_s));
        let home = self.homes.get_mut(&id).ok_or(Why::Elsewhere)?;
        match data.action {
            1 => {
                need(is_admin || (!home.custodial && caller == home.authority), E::NotAuthority)?;
                home.proposed = Some((data.authority, now + delay));
            }
            2 => {
                need(is_admin || acts, E::NotAuthority)?;
                need(home.proposed.is_some(), E::NoAuthorityChange)?;
                home.proposed = None;
            }
            3 => {
                let (next, from) = home.proposed.ok_or(Why::Ours(E::NoAuthorityChange))?;
                need(now >= from, E::AuthorityDelay)?;
                need(now <= from + 30 * 86_400, E::NoAuthorityChange)?;
                let may = if next == NOBODY { is_admin } else { caller == next };
                need(may, E::NotPendingAuthority)?;
                home.authority = next;
                home.custodial = next == NOBODY;
                home.proposed = None;
            }
            _ => return Err(E::InvalidData.into()),
        }
        self.touched.insert(Place::Home(id));
        Ok(())
    }

    pub(super) fn close_household(&mut self, deed: &Deed) -> Verdict {
        exactly::<PlainData>(&deed.data)?;
        self.check(deed, Tag::CloseHousehold)?;
        self.admin(deed)?;
        let (vault, mint, receiver) = (deed.parties[3], deed.parties[4], deed.parties[5]);
        need(mint.place == Place::Mint, E::WrongMint)?;
        let id = Self::home_at(deed.parties[2].place)?;
        need(vault.place == Place::Vault(id), E::WrongAddress)?;
        let home = self.homes[&id].clone();
        need(receiver.key == home.rent_payer, E::WrongAddress)?;
        let idle = home.owes == 0
            && !self.lots.keys().any(|(seller, _)| *seller == id)
            && !self.orders.keys().any(|(buyer, _)| *buyer == id)
            && self.wh(vault.place) == 0;
        need(idle, E::HouseholdNotEmpty)?;
        let closed = &mut self.rules.closed;
        closed.households += 1;
        let sums = [
            (&mut closed.export_wh, home.attested.0),
            (&mut closed.import_wh, home.attested.1),
            (&mut closed.minted_wh, home.minted),
            (&mut closed.burned_wh, home.burned),
            (&mut closed.adjusted_export_wh, home.adjusted.0),
            (&mut closed.adjusted_import_wh, home.adjusted.1),
        ];
        for (sum, part) in sums {
            *sum = sum.checked_add(part).ok_or(Why::Ours(E::Overflow))?;
        }
        self.close(vault.place, receiver.place)?;
        self.close(Place::Home(id), receiver.place)?;
        self.homes.remove(&id);
        self.tokens.remove(&vault.place);
        self.touched.extend([Place::Config, Place::Home(id), vault.place]);
        Ok(())
    }

    pub(super) fn close_markers(&mut self, deed: &Deed) -> Verdict {
        exactly::<PlainData>(&deed.data)?;
        self.check(deed, Tag::CloseMarkers)?;
        let pairs = &deed.parties[2..];
        need(!pairs.is_empty() && pairs.len().is_multiple_of(2), E::AccountsMissing)?;
        for pair in pairs.chunks_exact(2) {
            let (place, receiver) = (pair[0].place, pair[1]);
            need(receiver.writable, E::NotWritable)?;
            self.opened(&pair[0], b'm')?;
            let Mark { rent_payer, closable_at, stood_still } = self.markers[&place];
            need(receiver.key == rent_payer, E::WrongAddress)?;
            let still = (self.rules.still(self.now) - stood_still).max(0);
            need(self.now >= closable_at + still, E::MarkerRetained)?;
            self.close(place, receiver.place)?;
            self.markers.remove(&place);
        }
        Ok(())
    }
}

/// Whether limits may be: a marker outlives twice the longest life that any limits allow an
/// order, and nobody gets at a household's authority within a day.
fn sound(limits: &Limits) -> bool {
    let day = 86_400;
    (1..=day).contains(&limits.order_window_s)
        && (1..=day).contains(&limits.order_grace_s)
        && limits.marker_retention_s >= 4 * day + 3600
        && (60..=366 * day).contains(&limits.offer_life_max_s)
        && (day..=30 * day).contains(&limits.authority_delay_s)
        && limits.clock_skew_s <= 3600
        && (3600..=366 * day).contains(&limits.bucket_s)
        && limits.open_offers_max > 0
        && limits.open_orders_max > 0
}

/// Whether a meter counts anything, and nothing absurd.
fn rated(export_w: u32, import_w: u32) -> bool {
    export_w.max(import_w) > 0 && export_w.max(import_w) <= 1_000_000
}

/// A key with new caps; one that was there keeps what it used.
fn renewed(new: &CappedKey, before: &[KeyCap]) -> KeyCap {
    let used = before.iter().find(|old| old.key == new.key).map_or(Daily::default(), |old| old.used);
    KeyCap { key: new.key, caps: (new.cap_wh, new.cap_cents), used }
}
