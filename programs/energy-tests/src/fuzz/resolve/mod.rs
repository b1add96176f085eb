//! Turns what somebody wants into an instruction, in the world as it is: mostly one
//! that may succeed, at its edges.
#![expect(clippy::trivially_copy_pass_by_ref, reason = "choices are read where they stand, in borrowed acts")]

mod meters;
mod rule;
mod trade;

use super::actors::Actor;
use super::deed::Deed;
use super::model::Model;
use super::place::{Atlas, Place};
use super::step::Act;
use jirani_energy_interface::{Key, Proof};
use proptest::sample::Index;
use std::collections::BTreeMap;

/// Feeder of most households.
pub const FEEDER: u16 = 1;
/// Feeder of one household.
pub const OTHER_FEEDER: u16 = 2;
/// The record that takes up the feeder's losses.
pub const LOSS: u32 = 6;

/// What the people of one case remember.
#[derive(Clone)]
pub struct Memory {
    /// Addresses.
    pub atlas: Atlas,
    /// Instructions sent before.
    pub sent: Vec<Deed>,
    /// Proofs tried before, and when their money moved.
    pub proofs: Vec<(Proof, i64)>,
    /// How many proofs there have been.
    pub fresh: u32,
    /// Whether everything that is exported is imported: no hostile oracle and no admin
    /// that invents energy.
    pub balanced: bool,
    /// What the meters really counted, in a balanced case.
    pub counted: BTreeMap<u32, (u64, u64)>,
}

impl Memory {
    /// A case that begins.
    pub fn new(atlas: Atlas, balanced: bool) -> Self {
        Self { atlas, sent: Vec::new(), proofs: Vec::new(), fresh: 0, balanced, counted: BTreeMap::new() }
    }

    /// Remembers what was sent, not more than can matter.
    pub fn remember(&mut self, deeds: &[Deed]) {
        for deed in deeds.iter().filter(|deed| deed.program == Place::Energy) {
            if self.sent.len() < 256 {
                self.sent.push(deed.clone());
            } else {
                let at = self.sent.len() - 1 - (self.fresh as usize * 7 + deed.data.len()) % 256;
                self.sent[at] = deed.clone();
            }
        }
    }

    /// The instruction, or `None` when there is nothing to do it to.
    pub fn resolve(&mut self, act: &Act, model: &Model) -> Option<Deed> {
        match act {
            Act::Attest { .. } | Act::Adjust { .. } | Act::ReplaceMeter { .. } => self.meters(act, model),
            Act::Post { .. }
            | Act::Cancel { .. }
            | Act::Place { .. }
            | Act::Settle { .. }
            | Act::Release { .. }
            | Act::Move { .. }
            | Act::Withdraw { .. }
            | Act::Deposit { .. }
            | Act::SendTokens { .. } => self.trade(act, model),
            Act::Replay { which } => {
                let deed = self.sent.get(which.index(self.sent.len().max(1)))?;
                let invents = [Some(&11), Some(&21)].contains(&deed.data.first());
                (!(self.balanced && invents)).then(|| deed.clone())
            }
            _ => self.rule(act, model),
        }
    }

    /// Whose key it is; somebody who has no right when it is nobody's.
    fn whose(&self, key: &Key) -> Place {
        Place::Actor(self.atlas.keys().whose(key).unwrap_or(Actor::Stranger))
    }

    /// Who acts for a household.
    fn acting(&self, model: &Model, id: u32) -> Place {
        let home = &model.homes[&id];
        self.whose(if home.custodial { &model.rules.custodian.key } else { &home.authority })
    }
}

/// One of the keys of a map.
fn pick<K: Copy, V>(map: &BTreeMap<K, V>, which: &Index) -> Option<K> {
    if map.is_empty() { None } else { map.keys().nth(which.index(map.len())).copied() }
}

/// A household, existing.
fn home(model: &Model, which: &Index) -> Option<u32> {
    pick(&model.homes, which)
}

/// Mostly a household with energy that nobody waits for.
fn seller(model: &Model, which: &Index, any: bool) -> Option<u32> {
    let rich: Vec<u32> = model
        .homes
        .iter()
        .filter(|(id, home)| home.owes == 0 && model.wh(Place::Vault(**id)) > 0)
        .map(|(id, _)| *id)
        .collect();
    if any || rich.is_empty() { home(model, which) } else { Some(rich[which.index(rich.len())]) }
}

fn payer(second: bool) -> Place {
    Place::Actor(if second { Actor::Payer2 } else { Actor::Payer })
}
