//! One case: steps taken in both worlds, everything checked after each.

use super::base::Base;
use super::deed::{Deed, merge_rights};
use super::model::Model;
use super::place::Place;
use super::step::{Act, Jump, Step};
use super::{compare, refund, story, twist};
use jirani_energy_interface::instruction::Tag;
use std::collections::BTreeMap;

/// Steps after which everything is compared, not only what was touched.
const COMPARE_EVERY: usize = 64;
/// Steps after which every refund is tried.
const REFUND_EVERY: usize = 128;

/// What the cases have done.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    /// Cases.
    pub cases: u64,
    /// Instructions sent, in refunds too.
    pub instructions: u64,
    /// Transactions that landed.
    pub landed: u64,
    /// Transactions that were refused.
    pub refused: u64,
    /// Times that all refunds were tried.
    pub refunds: u64,
    /// Times that E4 could be checked.
    pub balanced: u64,
    /// Instructions that landed and were refused, by their name.
    pub by_name: BTreeMap<String, (u64, u64)>,
}

/// A case that went wrong, and after which step.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The step, counted from 0.
    pub step: usize,
    /// What broke.
    pub what: String,
}

/// A case under way.
pub struct Case {
    world: Base,
    /// Lines of the story, when it is told.
    lines: Option<Vec<String>>,
}

impl Case {
    /// Begins one. `told` keeps the story.
    pub fn new(base: &Base, balanced: bool, told: bool) -> Self {
        let mut world = base.clone();
        world.memory.balanced = balanced;
        Self { world, lines: told.then(Vec::new) }
    }

    /// The story so far.
    pub fn lines(self) -> Vec<String> {
        self.lines.unwrap_or_default()
    }

    /// Addresses that were found out; the next case need not derive them again.
    pub fn into_atlas(self) -> super::place::Atlas {
        self.world.memory.atlas
    }

    /// Takes all steps.
    pub fn run(&mut self, steps: &[Step], counts: &mut Counts) -> Result<(), Failure> {
        counts.cases += 1;
        let outcome = steps.iter().enumerate().try_for_each(|(step, wanted)| {
            self.step(step, wanted, counts).map_err(|what| Failure { step, what })
        });
        let end = steps.len().saturating_sub(1);
        let outcome = outcome.and_then(|()| {
            self.compare_all().and_then(|()| self.refund(counts)).map_err(|what| Failure { step: end, what })
        });
        counts.balanced += self.world.ledger.balanced;
        outcome
    }

    fn tell(&mut self, line: impl FnOnce(&Model) -> String) {
        if let Some(lines) = &mut self.lines {
            lines.push(line(&self.world.model));
        }
    }

    fn step(&mut self, number: usize, step: &Step, counts: &mut Counts) -> Result<(), String> {
        match step {
            Step::Clock(jump) => self.jump(*jump),
            Step::Send(acts) => self.send(acts, counts)?,
        }
        if number % COMPARE_EVERY == COMPARE_EVERY - 1 {
            self.compare_all()?;
        }
        if number % REFUND_EVERY == REFUND_EVERY - 1 {
            self.refund(counts)?;
        }
        Ok(())
    }

    fn compare_all(&mut self) -> Result<(), String> {
        let Base { chain, model, memory, .. } = &mut self.world;
        compare::everything(chain, &mut memory.atlas, model)
    }

    fn refund(&mut self, counts: &mut Counts) -> Result<(), String> {
        counts.refunds += 1;
        counts.instructions += refund::try_all(&self.world)?;
        Ok(())
    }

    fn jump(&mut self, jump: Jump) {
        let model = &self.world.model;
        let now = model.now;
        let nth = |count: usize, which: &proptest::sample::Index| which.index(count.max(1));
        let to = match jump {
            Jump::On(seconds) => Some(now + i64::from(seconds)),
            Jump::Days(days) => Some(now + i64::from(days) * 86_400),
            Jump::Back(seconds) => Some(now - i64::from(seconds)),
            Jump::OrderEnd(which, off) => model
                .orders
                .values()
                .nth(nth(model.orders.len(), &which))
                .map(|held| model.rules.last(held.deadline, held.stood_still, now) + i64::from(off)),
            Jump::OfferEnd(which, off) => model
                .lots
                .values()
                .nth(nth(model.lots.len(), &which))
                .map(|lot| lot.expires_at + i64::from(off)),
            Jump::MarkerEnd(which, off) => {
                model.markers.values().nth(nth(model.markers.len(), &which)).map(|mark| {
                    mark.closable_at + (model.rules.still(now) - mark.stood_still).max(0) + i64::from(off)
                })
            }
            Jump::AuthorityEnd(which, off) => {
                let waiting: Vec<i64> =
                    model.homes.values().filter_map(|home| home.proposed.map(|(_, from)| from)).collect();
                waiting.get(nth(waiting.len(), &which)).map(|from| from + i64::from(off))
            }
        };
        // Time goes back only where somebody turns it back.
        let back = matches!(jump, Jump::Back(_));
        let Some(to) = to.filter(|to| back || *to > now) else { return };
        self.world.chain.set_time(to);
        self.world.model.now = to;
        self.tell(|_| format!("the clock moves by {} s", to - now));
    }

    fn send(
        &mut self,
        acts: &[(Act, Option<super::step::Twist>)],
        counts: &mut Counts,
    ) -> Result<(), String> {
        let deeds = self.resolve(acts);
        if deeds.is_empty() {
            return Ok(());
        }
        let Base { chain, model, ledger, memory } = &mut self.world;
        let foreseen = model.take_all(&deeds);
        let answer = chain.send(&mut memory.atlas, &deeds);
        counts.instructions += deeds.len() as u64;
        let landed = answer == super::chain::Answer::Landed;
        if landed {
            counts.landed += 1;
        } else {
            counts.refused += 1;
        }
        for deed in &deeds {
            let count = counts.by_name.entry(named(deed)).or_default();
            if landed {
                count.0 += 1;
            } else {
                count.1 += 1;
            }
        }
        memory.remember(&deeds);
        if let Some(lines) = &mut self.lines {
            for (i, deed) in deeds.iter().enumerate() {
                let lead = if i == 0 { model.now.to_string() } else { "  and with it".to_owned() };
                lines.push(format!("{lead} {}", story::deed(deed)));
            }
            lines.push(format!("    {}", story::answer(&answer)));
        }
        if !answer.fits(&foreseen) {
            return Err(format!("the chain says {answer:?}, the model {foreseen:?}"));
        }
        if landed {
            let mut touched: Vec<_> =
                deeds.iter().flat_map(|deed| &deed.parties).filter(|party| party.writable).collect();
            touched.sort_by_key(|party| party.place);
            touched.dedup_by_key(|party| party.place);
            for party in &touched {
                compare::place(chain, &mut memory.atlas, model, party.place)?;
            }
            let addresses: Vec<_> = touched.iter().map(|party| party.key.into()).collect();
            ledger.turn(chain, &addresses, deeds.len() == 1)?;
        }
        Ok(())
    }

    /// The instructions, each in the world that those before it leave, as far as they can
    /// be foreseen.
    fn resolve(&mut self, acts: &[(Act, Option<super::step::Twist>)]) -> Vec<Deed> {
        let Base { model, memory, .. } = &mut self.world;
        let mut foreseen = if acts.len() > 1 { Some(model.clone()) } else { None };
        let mut deeds = Vec::new();
        for (act, twisted) in acts {
            let world = foreseen.as_ref().unwrap_or(model);
            let Some(mut deed) = memory.resolve(act, world) else { continue };
            let honest = memory.balanced && deed.data.first() == Some(&(Tag::Attest as u8));
            if let Some(twisted) = twisted.as_ref().filter(|_| !honest && deed.program == Place::Energy) {
                twist::twist(&mut deed, twisted, world, &mut memory.atlas);
            }
            if let Some(foreseen) = &mut foreseen {
                let mut alone = [deed.clone()];
                merge_rights(&mut alone);
                let _ = foreseen.take_all(&alone);
            }
            deeds.push(deed);
        }
        merge_rights(&mut deeds);
        deeds
    }
}

fn named(deed: &Deed) -> String {
    match deed.program {
        Place::Energy => deed
            .data
            .first()
            .copied()
            .and_then(Tag::from_byte)
            .map_or_else(|| "unknown".to_owned(), |tag| format!("{tag:?}")),
        other => format!("{other:?} program"),
    }
}
